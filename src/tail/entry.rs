//! One followed content in memory: its row, its open file, and what was last seen of it.

use super::fact::{Fact, FileId, Listed, LostReason, What};
use super::packed::Packed;
use super::read::mark_fits;
use super::saved::Saved;
use std::ffi::OsStr;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, UNIX_EPOCH};

/// Input, device and inode: what a listed file is known by.
pub(super) type Key = (Arc<str>, u64, u64);

/// What the system says of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) dev: u64,
    pub(super) ino: u64,
    pub(super) born: u64,
    pub(super) size: u64,
    /// Times of the last write and of the last change, in seconds and nanoseconds.
    pub(super) stamp: [i64; 4],
}

impl Look {
    pub(super) fn of(meta: &Metadata) -> Look {
        let born = meta.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Look {
            dev: meta.dev(),
            ino: meta.ino(),
            born: born.map_or(0, |time| time.as_nanos() as u64),
            size: meta.len(),
            stamp: [meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()],
        }
    }
}

impl Look {
    /// Whether a listing saw the file like this.
    pub(super) fn is_of(&self, listed: &Listed) -> bool {
        self.size == listed.size && (self.stamp[2], self.stamp[3]) == listed.changed
    }
}

/// Where the bytes of a content come from.
pub(super) enum Source {
    Closed,
    Plain(File),
    Packed(Box<Packed>),
}

/// How a file relates to a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kin {
    /// It holds all that was settled; reading can go on in it.
    Same,
    /// It begins the same way and ends before the offset.
    Shorter,
    /// It is something else.
    Other,
}

/// One followed content.
pub(super) struct Entry {
    pub(super) saved: Saved,
    pub(super) input: Arc<str>,
    /// The path of its label.
    pub(super) path: PathBuf,
    /// Where the last listing found it.
    pub(super) here: Option<PathBuf>,
    pub(super) source: Source,
    /// In this run it was seen that the inode holds it.
    pub(super) verified: bool,
    /// Nothing is known to hold it any more; since when.
    pub(super) adrift: Option<Instant>,
    /// How what is unread will have been lost, if it is not found.
    pub(super) lost_as: LostReason,
    /// An archive that broke off, and its size: not worth another try while it stays so.
    pub(super) broken: Option<(PathBuf, u64)>,
    pub(super) searched: u64,
    pub(super) look: Look,
    /// When a change was last seen.
    pub(super) written: Instant,
    /// When a listing last saw it as it was when it was last looked at.
    pub(super) listed: Option<Instant>,
    /// The sink knows it as open.
    pub(super) announced: bool,
    /// It changed since its mark was last compared on the settled file.
    pub(super) recheck: bool,
}

impl Entry {
    pub(super) fn new(saved: Saved, input: Arc<str>, now: Instant) -> Entry {
        let path = PathBuf::from(OsStr::from_bytes(&saved.path));
        let searched = saved.offset;
        Entry {
            saved,
            input,
            path,
            here: None,
            source: Source::Closed,
            verified: false,
            adrift: None,
            lost_as: LostReason::RotatedUnread,
            broken: None,
            searched,
            look: Look::default(),
            written: now,
            listed: None,
            announced: false,
            recheck: false,
        }
    }

    pub(super) fn key(&self) -> Key {
        (self.input.clone(), self.saved.dev, self.saved.ino)
    }

    /// Where it stands, as far as that is known, and its input: what failures are told of.
    pub(super) fn place(&self) -> (PathBuf, Arc<str>) {
        (self.here.clone().unwrap_or_else(|| self.path.clone()), self.input.clone())
    }

    pub(super) fn fact(&self, id: FileId, what: What) -> Fact {
        Fact { file: Some(id), path: self.path.clone(), input: self.input.clone(), what }
    }

    /// Puts the content on an open file that was found to hold it.
    pub(super) fn attach(&mut self, file: File, look: Look, now: Instant) {
        self.saved.dev = look.dev;
        self.saved.ino = look.ino;
        self.saved.born = look.born;
        self.source = Source::Plain(file);
        self.verified = true;
        self.adrift = None;
        self.searched = self.saved.offset;
        self.look = Look { size: 0, stamp: [0; 4], ..look };
        self.written = now;
        self.listed = None;
    }

    /// Whether it was looked at since it was opened, and all of it is settled.
    pub(super) fn settled(&self) -> bool {
        self.look.stamp != [0; 4] && self.look.size == self.saved.offset
    }

    /// How the open file relates to this content. `head`: its first bytes.
    pub(super) fn kin(&self, file: &File, look: Look, head: &[u8]) -> io::Result<Kin> {
        let saved = &self.saved;
        let own = saved.dev == look.dev && saved.ino == look.ino;
        if own && saved.born != 0 && look.born != 0 && saved.born != look.born {
            return Ok(Kin::Other);
        }
        if saved.head.is_empty() {
            return Ok(if own { Kin::Same } else { Kin::Other });
        }
        if !saved.head.fits(head) {
            return Ok(Kin::Other);
        }
        if look.size < saved.offset {
            return Ok(Kin::Shorter);
        }
        Ok(if mark_fits(file, saved)? { Kin::Same } else { Kin::Other })
    }
}

/// Opens a regular file for reading; never blocks on anything else.
pub(super) fn open(path: &Path) -> io::Result<(File, Look)> {
    let irregular = || io::Error::new(io::ErrorKind::InvalidInput, "not a regular file");
    if !std::fs::metadata(path)?.is_file() {
        return Err(irregular());
    }
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC | rustix::fs::OFlags::NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(irregular());
    }
    Ok((file, Look::of(&meta)))
}
