//! Follows files through rotation, truncation and restarts, so that each line is handed over exactly once.
//!
//! Listings, the clock and rows of the store come in; complete lines, facts and changed rows go out. No threads, no
//! buffer per file. A *content* is what was once written to one file: it keeps its key, its label and its offset wherever
//! its bytes go. Its life:
//!
//! ```text
//!            listed, not known                    gone from its path        nobody wrote for the grace period
//!   (file) ──────────────────────► Live ────────────────────────► Rotated ─────────────────────────────────► Done
//!                                   ▲ │  back at its path            │ ▲      last piece settled, file closed  │
//!                                   └─┼──────────────────────────────┘ └──────────────── written to again ─────┘
//!      from the store, not found,     │ size < offset, or the mark before the offset differs:
//!      or inode holds other bytes     ▼ the inode now holds a new content (Live, from 0)
//!                              ───► adrift ──► a copy or a renamed file holds head and mark: Rotated, in that file
//!                                     │   └──► an archive holds them: read to its end, then Done
//!                                     └──────► none within the grace period: Done; unread bytes known of are lost
//! ```
//!
//! A listed file is, in this order: the inode of a known content (and head, mark and birth time agree); the home of an
//! adrift content (head and mark agree, and the name is related, or the head is telling); a copy of a followed content
//! (same, but that one is where it was: not read, until it diverges or the original is truncated); a new content.

mod agenda;
mod entry;
mod fact;
mod identify;
mod kin;
mod packed;
mod read;
mod round;
mod saved;
mod search;
mod sync;
#[cfg(test)]
mod tests;

pub use fact::{Fact, FileId, From, Listed, LostReason, OpenReason, Sink, What};
pub use round::Progress;
pub use saved::{Encoding, HEAD_BYTES, Head, MARK_BYTES, Mark, Saved, State};

use agenda::Agenda;
use entry::{Entry, Key, Source};
use read::Block;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How a tailer works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Longest line that is handed over whole.
    pub line_bytes: usize,
    /// A rotated file is read until this long after its last write.
    pub grace: Duration,
    /// Most bytes of one file in one turn.
    pub block: usize,
    /// Bytes after which a round ends, whoever is still to come: a caller with other things to do is not kept long.
    pub round: u64,
    /// A file without writes for ten seconds is looked at this often, others every round.
    pub idle_check: Duration,
    /// Files held open at most; the most idle ones are closed and looked at by name instead.
    pub max_open: usize,
    /// Ended contents that are remembered although no listing shows them.
    pub remembered: usize,
    /// The next key to give; shared by all tailers of a process, since keys are unique in the store.
    pub ids: Arc<AtomicU64>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            line_bytes: 1 << 20,
            grace: Duration::from_secs(10),
            block: 256 << 10,
            round: 4 << 20,
            idle_check: Duration::from_secs(1),
            max_open: usize::MAX,
            remembered: 10_000,
            ids: Arc::new(AtomicU64::new(1)),
        }
    }
}

/// What can be said of a followed content.
#[derive(Clone, Copy, Debug)]
pub struct FileState<'a> {
    /// Its key.
    pub id: FileId,
    /// The path it was first seen under.
    pub path: &'a Path,
    /// Where the last listing found it.
    pub here: Option<&'a Path>,
    /// Its input.
    pub input: &'a Arc<str>,
    /// Its size when it was last looked at.
    pub size: u64,
    /// Bytes settled.
    pub offset: u64,
    /// Bytes not settled.
    pub unread: u64,
    /// Where it stands in its life.
    pub state: State,
    /// Whether it is held open.
    pub open: bool,
}

/// One shard of followed files. Files that can rotate into each other belong into the same shard.
pub struct Tailer {
    options: Options,
    block: Block,
    entries: BTreeMap<FileId, Entry>,
    /// Which content an inode holds.
    inodes: HashMap<Key, FileId>,
    /// Contents by where they were listed, for hints.
    paths: HashMap<PathBuf, Vec<FileId>>,
    /// Files that were seen to be copies of a content that still stands where it was.
    copies: HashMap<Key, search::Copy>,
    /// Files that cannot be read, so that each is told once.
    failing: HashMap<(PathBuf, Arc<str>), OpenReason>,
    /// Rows that the next commit writes or deletes.
    dirty: BTreeSet<FileId>,
    /// To read next.
    hot: Vec<FileId>,
    /// To look at later.
    agenda: Agenda,
    /// The last listing named files that could not be opened for want of descriptors: list again when some are read.
    crowded: bool,
    /// Who had the last turn.
    turn: FileId,
    open: usize,
}

impl Tailer {
    /// A tailer that knows the contents of the store.
    pub fn new(options: Options, saved: Vec<(FileId, Saved)>, now: Instant) -> Tailer {
        let mut inputs: HashMap<String, Arc<str>> = HashMap::new();
        let mut entries = BTreeMap::new();
        let mut inodes = HashMap::new();
        let mut hot = Vec::new();
        for (id, saved) in saved {
            options.ids.fetch_max(id + 1, Ordering::Relaxed);
            let input =
                inputs.entry(saved.input.clone()).or_insert_with(|| saved.input.as_str().into()).clone();
            let entry = Entry::new(saved, input, now);
            if entry.saved.ino != 0 {
                inodes.insert(entry.key(), id);
            }
            hot.push(id);
            entries.insert(id, entry);
        }
        Tailer {
            block: Block::new(options.block, options.line_bytes),
            options,
            entries,
            inodes,
            paths: HashMap::new(),
            copies: HashMap::new(),
            failing: HashMap::new(),
            dirty: BTreeSet::new(),
            hot,
            agenda: Agenda::default(),
            crowded: false,
            turn: 0,
            open: 0,
        }
    }

    /// Reads the file at this path next. `false`: no followed content stands there, so a listing is due.
    pub fn poke(&mut self, path: &Path) -> bool {
        let Some(ids) = self.paths.get(path) else { return false };
        self.hot.extend(ids);
        true
    }

    /// Rows to write with the next commit (`None`: delete); the call clears them.
    pub fn changed(&mut self) -> Vec<(FileId, Option<Saved>)> {
        let dirty = std::mem::take(&mut self.dirty);
        dirty.into_iter().map(|id| (id, self.entries.get(&id).map(|entry| entry.saved.clone()))).collect()
    }

    /// The next call of [`Tailer::changed`] gives all rows.
    pub fn touch_all(&mut self) {
        self.dirty.extend(self.entries.keys());
    }

    /// Paths that were listed and cannot be read, and why.
    pub fn failing(&self) -> impl Iterator<Item = (&Path, OpenReason)> {
        self.failing.iter().map(|((path, _), reason)| (path.as_path(), *reason))
    }

    /// All contents that are followed or remembered.
    pub fn files(&self) -> impl Iterator<Item = FileState<'_>> {
        self.entries.iter().map(|(id, entry)| FileState {
            id: *id,
            path: &entry.path,
            here: entry.here.as_deref(),
            input: &entry.input,
            size: entry.saved.size,
            offset: entry.saved.offset,
            unread: entry.saved.size.saturating_sub(entry.saved.offset),
            state: entry.saved.state,
            open: matches!(entry.source, Source::Plain(_)),
        })
    }

    /// How many files are held open.
    pub fn open_files(&self) -> usize {
        self.open
    }

    /// Whether files wait until others can be closed: a listing is due as soon as there was a round.
    pub fn is_crowded(&self) -> bool {
        self.crowded
    }

    /// Looks at every file in the next round: hints were lost.
    pub fn poke_all(&mut self) {
        self.hot.extend(self.entries.keys());
    }

    /// Changes how often files without writes are looked at: seldom where every write is told of.
    pub fn set_idle_check(&mut self, every: Duration) {
        self.options.idle_check = every;
    }

    /// From now on this inode holds this content; whichever content it held before has none.
    fn own(&mut self, key: Key, id: FileId) {
        let old = self.inodes.insert(key, id).filter(|old| *old != id);
        let Some((old, entry)) = old.and_then(|old| Some((old, self.entries.get_mut(&old)?))) else { return };
        (entry.saved.dev, entry.saved.ino, entry.saved.born) = (0, 0, 0);
        self.dirty.insert(old);
    }

    fn next_id(&self) -> FileId {
        self.options.ids.fetch_add(1, Ordering::Relaxed)
    }
}
