//! One crash-safe file that holds offsets and counters together.
//!
//! Rows of bytes come in as [`Changes`], whole or not at all; after a crash the rows of the last commit come back.
//! What the bytes mean is the business of the rooms above. A store that is locked, damaged or newer is an error.

mod changes;
mod error;
mod journal;
#[cfg(test)]
mod tests;

pub use changes::{Changes, CommitStats, Row, Table};
pub use error::StoreError;

use journal::Journal;
use redb::{Database, Durability, ReadableDatabase, ReadableTable};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Name of the one file in the folder.
pub const FILE_NAME: &str = "logtally.redb";
/// The layout of the rows that this version reads and writes.
pub const SCHEMA: u32 = 2;

const FRESH_NAME: &str = "logtally.redb.new";
const SCHEMA_KEY: &[u8] = b"schema";
/// Enough to hold the upper levels of the trees and all that a commit touches.
const CACHE_BYTES: usize = 8 << 20;

/// Puts the database on an open file; tests put something between the two.
type Connect = Box<dyn Fn(File) -> Result<Database, redb::DatabaseError> + Send>;

/// The database, and what of it stands in the journal.
struct Opened {
    db: Database,
    journal: Journal,
}

/// The open store; the lock on its file is held as long as this lives.
pub struct Store {
    path: PathBuf,
    /// `None` after a failed write, until the next call opens the file again.
    opened: Option<Opened>,
    /// Device and inode of the file that is open.
    file: Option<(u64, u64)>,
    connect: Connect,
}

impl Store {
    /// Opens the store in `dir`, creating folder and file where they are missing, and checks every page of it.
    pub fn open(dir: &Path) -> Result<Store, StoreError> {
        Store::open_with(dir, Box::new(|file| builder().create_file(file)))
    }

    fn open_with(dir: &Path, connect: Connect) -> Result<Store, StoreError> {
        fs::create_dir_all(dir).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                StoreError::from_io(dir, io::Error::from(io::ErrorKind::NotADirectory))
            }
            _ => StoreError::from_io(dir, error),
        })?;
        let path = dir.join(FILE_NAME);
        let mut store = Store { path, opened: None, file: None, connect };
        match fs::symlink_metadata(&store.path) {
            Ok(_) => {
                store.opened = Some(store.open_file(&store.path)?);
                store.file = store.found();
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => store.create(dir)?,
            Err(error) => return Err(StoreError::from_io(&store.path, error)),
        }
        Ok(store)
    }

    /// Where the store's file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All rows of a table in the order of their keys; the store's own row is left out.
    pub fn load(&mut self, table: Table) -> Result<Vec<Row>, StoreError> {
        let path = self.path.clone();
        let Opened { db, journal } = self.database()?;
        let mut rows = read_rows(db, table).map_err(|error| StoreError::from_db(&path, error))?;
        if table == Table::Meta {
            rows.retain(|(key, _)| key != SCHEMA_KEY);
        }
        Ok(journal.complete(table, rows))
    }

    /// Makes all changes durable, or none. After an error the caller still has them and may call again.
    pub fn commit(&mut self, changes: &Changes) -> Result<CommitStats, StoreError> {
        let path = self.path.clone();
        if self.found() != self.file {
            return Err(StoreError::Gone { path });
        }
        let outcome = write(self.database()?, changes);
        outcome.map_err(|error| {
            // The database refuses everything after a failed write; opening it anew repairs it.
            self.opened = None;
            StoreError::from_db(&path, error)
        })
    }

    /// Makes the store anew where its file was removed; the caller then has to commit everything.
    ///
    /// # Errors
    /// Where another file stands in its place, or none can be made.
    pub fn renew(&mut self) -> Result<(), StoreError> {
        let gone =
            matches!(fs::symlink_metadata(&self.path), Err(error) if error.kind() == io::ErrorKind::NotFound);
        let dir = self.path.parent().filter(|_| gone).map(Path::to_path_buf);
        let dir = dir.ok_or_else(|| StoreError::Gone { path: self.path.clone() })?;
        fs::create_dir_all(&dir).map_err(|error| StoreError::from_io(&dir, error))?;
        self.opened = None;
        self.create(&dir)
    }

    /// The file that stands at the store's path.
    fn found(&self) -> Option<(u64, u64)> {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(&self.path).ok().map(|meta| (meta.dev(), meta.ino()))
    }

    fn database(&mut self) -> Result<&mut Opened, StoreError> {
        if self.opened.is_none() {
            self.opened = Some(self.open_file(&self.path)?);
        }
        self.opened.as_mut().ok_or_else(|| StoreError::Locked { path: self.path.clone() })
    }

    /// Opens a file that must already be a store, and checks every page of it.
    fn open_file(&self, path: &Path) -> Result<Opened, StoreError> {
        let io = |error| StoreError::from_io(path, error);
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(io)?;
        let size = file.metadata().map_err(io)?;
        if size.is_dir() {
            return Err(io(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        if size.len() == 0 {
            return Err(StoreError::Damaged { path: path.to_path_buf(), detail: "the file is empty".into() });
        }
        let mut db = guarded(path, || (self.connect)(file))?;
        let found = check(path, &mut db)?;
        let journal = guarded(path, || Journal::read(&db))?;
        let journal = journal.ok_or_else(|| damaged(path, "a batch of changes makes no sense"))?;
        if found < SCHEMA {
            write_schema(&db).map_err(|error| StoreError::from_db(path, error))?;
        }
        Ok(Opened { db, journal })
    }

    /// Builds a new store beside its final name, so that a crash in the middle leaves no half store.
    fn create(&mut self, dir: &Path) -> Result<(), StoreError> {
        let fresh = dir.join(FRESH_NAME);
        let io = |error| StoreError::from_io(&fresh, error);
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&fresh).map_err(
                |error| match error.kind() {
                    io::ErrorKind::NotADirectory => StoreError::from_io(dir, error),
                    _ => io(error),
                },
            )?;
        // What an earlier attempt left there holds nothing; the database's own lock guards against a second instance.
        let db = match guarded(&fresh, || (self.connect)(file)) {
            Err(StoreError::Damaged { .. }) => {
                fs::remove_file(&fresh).map_err(io)?;
                let file =
                    OpenOptions::new().read(true).write(true).create_new(true).open(&fresh).map_err(io)?;
                guarded(&fresh, || (self.connect)(file))?
            }
            other => other?,
        };
        write_schema(&db).map_err(|error| StoreError::from_db(&fresh, error))?;
        match rename_new(&fresh, &self.path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(StoreError::Locked { path: self.path.clone() });
            }
            // File systems without the call: a plain rename does, at the price of a race between two first starts.
            Err(_) => fs::rename(&fresh, &self.path).map_err(io)?,
        }
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| StoreError::from_io(dir, error))?;
        self.opened = Some(Opened { db, journal: Journal::new() });
        self.file = self.found();
        Ok(())
    }
}

/// Renames to a name that must be free.
#[cfg(all(target_os = "linux", not(logtally_portable)))]
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    let here = rustix::fs::CWD;
    Ok(rustix::fs::renameat_with(here, from, here, to, rustix::fs::RenameFlags::NOREPLACE)?)
}

#[cfg(not(all(target_os = "linux", not(logtally_portable))))]
use link_new as rename_new;

/// The same where no call does it: a second name first, for a link never replaces.
#[cfg(any(test, not(all(target_os = "linux", not(logtally_portable)))))]
fn link_new(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to)?;
    fs::remove_file(from)
}

fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

fn damaged(path: &Path, detail: &str) -> StoreError {
    StoreError::Damaged { path: path.to_path_buf(), detail: detail.to_owned() }
}

/// Walks all pages and gives the schema; a mismatch is an error even where the database could mend it by forgetting.
fn check(path: &Path, db: &mut Database) -> Result<u32, StoreError> {
    if !guarded(path, || db.check_integrity())? {
        return Err(damaged(path, "checksums do not match"));
    }
    let rows = guarded(path, || read_rows(db, Table::Meta))?;
    let schema = rows.iter().find(|(key, _)| key == SCHEMA_KEY).map(|(_, value)| value.as_slice());
    match schema.and_then(|value| value.try_into().ok()).map(u32::from_le_bytes) {
        None => Err(damaged(path, "it has no schema version")),
        Some(found) if found > SCHEMA => {
            Err(StoreError::Newer { path: path.to_path_buf(), found, known: SCHEMA })
        }
        Some(found) => Ok(found),
    }
}

/// Runs database code on bytes that may be damaged; a panic in it is a damaged store, not the end of the process.
fn guarded<T, E: Into<redb::Error>>(
    path: &Path,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(outcome) => outcome.map_err(|error| StoreError::from_db(path, error)),
        Err(_) => {
            Err(StoreError::Damaged { path: path.to_path_buf(), detail: "its pages make no sense".into() })
        }
    }
}

fn read_rows(db: &Database, table: Table) -> Result<Vec<Row>, redb::Error> {
    let reading = db.begin_read()?;
    let opened = match reading.open_table(table.definition()) {
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        other => other?,
    };
    let mut rows = Vec::new();
    for row in opened.iter()? {
        let (key, value) = row?;
        rows.push((key.value().to_vec(), value.value().to_vec()));
    }
    Ok(rows)
}

/// Says in the store which layout it has.
fn write_schema(db: &Database) -> Result<(), redb::Error> {
    let writing = db.begin_write()?;
    writing.open_table(Table::Meta.definition())?.insert(SCHEMA_KEY, SCHEMA.to_le_bytes().as_slice())?;
    Ok(writing.commit()?)
}

fn write(opened: &mut Opened, changes: &Changes) -> Result<CommitStats, redb::Error> {
    let mut writing = opened.db.begin_write()?;
    writing.set_durability(Durability::Immediate)?;
    let turn = opened.journal.write(&writing, changes)?;
    writing.commit()?;
    opened.journal.done(changes, turn);
    Ok(changes.stats())
}
