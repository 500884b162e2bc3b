//! What can go wrong with the store, each with the next step for the person who reads it.
//!
//! A store that cannot be trusted is always an error; nothing here ever starts afresh by itself.

use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why the store cannot be opened, read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has it open.
    #[error(
        "{path}: the store is in use by another instance\n  hint: stop that instance, or give this one its own folder with --storage.path"
    )]
    Locked {
        /// The store's file.
        path: PathBuf,
    },
    /// The file is not a store, or its bytes do not add up.
    #[error(
        "{path}: the store is damaged: {detail}\n  hint: restore it from a backup; or move it away to start at zero, and counters begin anew"
    )]
    Damaged {
        /// The store's file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// A newer version of the program wrote it.
    #[error(
        "{path}: the store was written by a newer version (schema {found}, this one knows {known})\n  hint: run that version again, or give this one its own folder with --storage.path"
    )]
    Newer {
        /// The store's file.
        path: PathBuf,
        /// Schema in the file.
        found: u32,
        /// Newest schema that this program reads.
        known: u32,
    },
    /// The folder is on a read-only file system.
    #[error(
        "{path}: the folder of the store is read-only\n  hint: mount it writable, or choose another with --storage.path"
    )]
    ReadOnly {
        /// Folder or file.
        path: PathBuf,
    },
    /// The user of the process may not write there.
    #[error(
        "{path}: no permission to read and write the store\n  hint: give the user of this process the folder, or choose another with --storage.path"
    )]
    Permission {
        /// Folder or file.
        path: PathBuf,
    },
    /// A file stands where the folder should be, or a folder where the file should be.
    #[error("{path}: {found}\n  hint: move it away, or choose another folder with --storage.path")]
    NotAFolder {
        /// What is in the way.
        path: PathBuf,
        /// What it is and what it should be.
        found: &'static str,
    },
    /// The file was removed or replaced while it was open: what is written to it nobody would find again.
    #[error(
        "{path}: the store was taken away while it was open\n  hint: a removed one is made anew by itself; if another file stands there now, move it away or restart"
    )]
    Gone {
        /// Where the store's file was.
        path: PathBuf,
    },
    /// No room; the changes are still with the caller.
    #[error(
        "{path}: no space left for the store\n  hint: free some space; the commit is tried again with nothing lost"
    )]
    DiskFull {
        /// The store's file.
        path: PathBuf,
    },
    /// Anything else the system said.
    #[error("{path}: {source}\n  hint: check the disk and the folder of the store")]
    Io {
        /// The store's file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl StoreError {
    /// Sorts an error of the system into the cases above.
    pub(super) fn from_io(path: &Path, source: io::Error) -> StoreError {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::PermissionDenied => StoreError::Permission { path },
            io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly { path },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                StoreError::DiskFull { path }
            }
            io::ErrorKind::IsADirectory => {
                StoreError::NotAFolder { path, found: "a folder where the store's file should be" }
            }
            io::ErrorKind::NotADirectory => {
                StoreError::NotAFolder { path, found: "a file where the store's folder should be" }
            }
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                StoreError::Damaged { path, detail: source.to_string() }
            }
            _ => StoreError::Io { path, source },
        }
    }

    /// Sorts an error of the database into the cases above.
    pub(super) fn from_db(path: &Path, error: impl Into<redb::Error>) -> StoreError {
        let owned = path.to_path_buf();
        match error.into() {
            redb::Error::DatabaseAlreadyOpen => StoreError::Locked { path: owned },
            redb::Error::Io(source) => StoreError::from_io(path, source),
            redb::Error::PreviousIo | redb::Error::DatabaseClosed => StoreError::Io {
                path: owned,
                source: io::Error::other("an earlier write failed; the store is opened again"),
            },
            other => StoreError::Damaged { path: owned, detail: other.to_string() },
        }
    }
}
