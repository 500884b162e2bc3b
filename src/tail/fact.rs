//! What goes in and out of the tail: listed files, facts about them, and the sink for their lines.
//!
//! Facts are values: one place above logs and counts them.

use super::saved::{Encoding, Saved};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Stable key of a followed content, also its key in the store.
pub type FileId = u64;

/// A file as a listing found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Where it was found.
    pub path: PathBuf,
    /// The input whose patterns name it. A file of two inputs is listed twice and counts in each.
    pub input: Arc<str>,
    /// Device of the file itself, behind all links.
    pub dev: u64,
    /// Inode of the file itself, behind all links.
    pub ino: u64,
    /// Size at the time of the listing.
    pub size: u64,
    /// When the inode last changed: seconds and nanoseconds.
    pub changed: (i64, i64),
    /// A compressed file: only looked into as the successor of a followed one.
    pub archive: bool,
    /// Where the file itself stands, if the path is a link.
    pub target: Option<PathBuf>,
}

/// Where to begin in files that stood there before the first start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// At the first byte.
    Beginning,
    /// After the last complete line.
    End,
}

/// Why a file cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpenReason {
    /// It is not there.
    Missing,
    /// The user of the process may not read it.
    Permission,
    /// The system did not open it, for want of descriptors for one.
    Open,
    /// It opened, but reading failed.
    Read,
    /// It is no regular file.
    Other,
}

impl OpenReason {
    pub(super) fn of(error: &io::Error) -> OpenReason {
        match error.kind() {
            io::ErrorKind::NotFound => OpenReason::Missing,
            io::ErrorKind::PermissionDenied => OpenReason::Permission,
            io::ErrorKind::InvalidInput | io::ErrorKind::IsADirectory => OpenReason::Other,
            _ => OpenReason::Open,
        }
    }

    /// The value of the `reason` label.
    pub const fn as_str(self) -> &'static str {
        match self {
            OpenReason::Missing => "missing",
            OpenReason::Permission => "permission",
            OpenReason::Open => "open",
            OpenReason::Read => "read",
            OpenReason::Other => "other",
        }
    }
}

/// Why bytes could not be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LostReason {
    /// They were cut away before they were read.
    Truncated,
    /// Their file was rotated or deleted before they were read.
    RotatedUnread,
    /// Their compressed file could not be decompressed.
    Decode,
}

impl LostReason {
    /// The value of the `reason` label.
    pub const fn as_str(self) -> &'static str {
        match self {
            LostReason::Truncated => "truncated",
            LostReason::RotatedUnread => "rotated_unread",
            LostReason::Decode => "decode",
        }
    }
}

/// Something that happened to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The content it happened to; `None` where there is none yet.
    pub file: Option<FileId>,
    /// The path that the content was first seen under, or that could not be opened.
    pub path: PathBuf,
    /// The input it belongs to.
    pub input: Arc<str>,
    /// What happened.
    pub what: What,
}

/// What happened to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A new content is followed.
    Opened,
    /// A known content goes on at its offset.
    Resumed,
    /// It no longer stands under its first path; it is read on until its grace period is over.
    Rotated,
    /// It was cut in place; what stands there now is a new content.
    Truncated,
    /// It goes on in another file: a copy or a compressed successor.
    Continued(PathBuf),
    /// Bytes that are known to have been there were never counted.
    Lost {
        /// How many.
        bytes: u64,
        /// Why.
        reason: LostReason,
    },
    /// A listed file cannot be read; told once until it changes.
    Failed(OpenReason),
    /// It was tried again, with the same outcome: to be counted, not to be told.
    FailedAgain(OpenReason),
}

/// Takes the lines of all files.
pub trait Sink {
    /// A content is about to give its first chunk in this run. `resumed`: earlier runs, or this one, settled bytes of it.
    fn opened(&mut self, file: FileId, saved: &Saved, resumed: bool);
    /// Complete lines, settled by this call: `chunk` ends with a line end in `encoding`. Exception: the very last line of a
    /// content that ended for good may lack it. `skipped`: bytes of an overlong line that were dropped right before the
    /// chunk's last line end; the chunk is then that line alone, with a little more than `line_bytes` of its head.
    fn lines(&mut self, file: FileId, chunk: &[u8], skipped: u64, encoding: Encoding);
    /// The content is done: nothing comes any more, unless somebody writes to it again (then `opened` comes first). Also
    /// told of a content of an earlier run that was never opened in this one.
    fn closed(&mut self, file: FileId);
}
