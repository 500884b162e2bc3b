//! Reconciles what is followed with a fresh listing.
//!
//! Known inodes are confirmed, files that nobody knows are identified, contents whose inode is gone are searched for
//! (`search.rs`), and what was searched for in vain long enough is given up.

use super::entry::{Kin, Source, open};
use super::fact::{Fact, FileId, From, Listed, LostReason, OpenReason, Sink, What};
use super::read::read_head;
use super::round::set_adrift;
use super::saved::State;
use super::search::Siblings;
use super::{Key, Tailer};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Known contents by the name of their label, and those that are adrift.
#[derive(Default)]
pub(super) struct Names {
    pub(super) by_name: HashMap<Vec<u8>, Vec<FileId>>,
    pub(super) adrift: Vec<FileId>,
}

impl Tailer {
    /// Takes over a listing of all files of this shard. `first`: the first listing of the very first start, where `from`
    /// says whether to begin at the end. To be called at the start, on hints that a folder changed, and every second or so.
    pub fn sync(
        &mut self,
        listing: &[Listed],
        first: bool,
        from: From,
        now: Instant,
        facts: &mut Vec<Fact>,
        sink: &mut dyn Sink,
    ) {
        self.crowded = false;
        let mut siblings = Siblings::default();
        let mut strangers = self.take_places(listing, now, facts);
        self.find_unlisted(&mut siblings, now, facts);
        let at_end = first && from == From::End;
        strangers.sort_by_key(|listed| listed.archive);
        let names =
            if strangers.iter().all(|listed| listed.archive) { Names::default() } else { self.names() };
        for listed in &strangers {
            if !listed.archive {
                self.identify(listed, &names, at_end, now, facts);
            }
        }
        let archives: Vec<&Path> = strangers.iter().filter(|l| l.archive).map(|l| l.path.as_path()).collect();
        self.search_adrift(&archives, &mut siblings, now, facts);
        self.settle_states(now, facts, sink);
        self.forget();
    }

    /// Marks where each known content stands now; gives the listed files whose inode is not a known content's.
    fn take_places<'l>(
        &mut self,
        listing: &'l [Listed],
        now: Instant,
        facts: &mut Vec<Fact>,
    ) -> Vec<&'l Listed> {
        for entry in self.entries.values_mut() {
            entry.here = None;
        }
        self.paths.clear();
        let mut strangers = Vec::new();
        let mut seen: HashSet<Key> = HashSet::new();
        let mut asleep: Vec<(FileId, &Listed)> = Vec::new();
        for listed in listing {
            let key = (listed.input.clone(), listed.dev, listed.ino);
            let fresh = !seen.contains(&key);
            match self.inodes.get(&key).copied() {
                _ if listed.archive => strangers.push(listed),
                Some(id) => {
                    let Some(entry) = self.entries.get_mut(&id) else { continue };
                    if entry.here.is_none() || listed.path.as_os_str() == entry.path.as_os_str() {
                        entry.here = Some(listed.path.clone());
                    }
                    let closed = matches!(entry.source, Source::Closed);
                    let same = entry.look.is_of(listed);
                    entry.listed = same.then_some(now);
                    match closed {
                        true if fresh && (!entry.verified || !same) => asleep.push((id, listed)),
                        false if !same => self.hot.push(id),
                        _ => {}
                    }
                    for path in std::iter::once(&listed.path).chain(&listed.target) {
                        self.paths.entry(path.clone()).or_default().push(id);
                    }
                }
                None if fresh => strangers.push(listed),
                None => {}
            }
            if fresh {
                seen.insert(key);
            }
        }
        for (id, listed) in asleep {
            if self.wake(id, &listed.path, now, facts) != Some(true)
                && !self.inodes.contains_key(&(listed.input.clone(), listed.dev, listed.ino))
            {
                strangers.push(listed);
            }
        }
        let unknown: HashSet<&Path> = strangers.iter().map(|listed| listed.path.as_path()).collect();
        let mut followed: Option<HashSet<PathBuf>> = None;
        let entries = &self.entries;
        self.failing.retain(|(path, _), reason| {
            unknown.contains(path.as_path())
                || *reason == OpenReason::Read
                    && followed
                        .get_or_insert_with(|| entries.values().map(|entry| entry.place().0).collect())
                        .contains(path)
        });
        strangers
    }

    /// Opens a content that is known by its inode but not held open. `Some(false)`: the file there is not it; `None`: that
    /// cannot be said now, since the file cannot be opened or read.
    pub(super) fn wake(
        &mut self,
        id: FileId,
        path: &Path,
        now: Instant,
        facts: &mut Vec<Fact>,
    ) -> Option<bool> {
        let (file, look) = self.open_file(path, self.input_of(id), Some(id), facts)?;
        let entry = self.entries.get_mut(&id)?;
        if (look.dev, look.ino) != (entry.saved.dev, entry.saved.ino) {
            return Some(false);
        }
        let Ok(kin) = read_head(&file).and_then(|head| entry.kin(&file, look, &head)) else {
            let input = entry.input.clone();
            self.unreadable(path, input, Some(id), now, facts);
            return None;
        };
        if kin != Kin::Same {
            let key = entry.key();
            // Born at another time, it is another file that got the same inode.
            if entry.saved.born == look.born {
                facts.push(entry.fact(id, What::Truncated));
                entry.lost_as = LostReason::Truncated;
            }
            set_adrift(entry, now);
            self.inodes.remove(&key);
            self.dirty.insert(id);
            return Some(false);
        }
        if entry.saved.state == State::Done && look.size == entry.saved.offset {
            (entry.verified, entry.look) = (true, look);
            return Some(true);
        }
        let first = !entry.verified;
        entry.attach(file, look, now);
        self.open += 1;
        self.hot.push(id);
        if entry.saved.state == State::Done {
            entry.saved.state = State::Rotated;
            self.dirty.insert(id);
        }
        if first {
            facts.push(entry.fact(id, What::Resumed));
        }
        Some(true)
    }

    /// A content that is known by its inode and not open is looked at by name.
    pub(super) fn look_at_closed(&mut self, id: FileId, now: Instant, facts: &mut Vec<Fact>) {
        let Some(entry) = self.entries.get(&id) else { return };
        let Some(here) = entry.here.clone().filter(|_| entry.adrift.is_none()) else { return };
        if entry.saved.state == State::Done {
            return;
        }
        if std::fs::metadata(&here).is_ok_and(|meta| super::entry::Look::of(&meta) != entry.look) {
            self.wake(id, &here, now, facts);
        }
    }

    fn input_of(&self, id: FileId) -> Arc<str> {
        self.entries.get(&id).map_or_else(|| Arc::from(""), |entry| entry.input.clone())
    }

    /// Opens a file; a failure is told once until it changes. Out of descriptors, the most idle files are closed first.
    pub(super) fn open_file(
        &mut self,
        path: &Path,
        input: Arc<str>,
        id: Option<FileId>,
        facts: &mut Vec<Fact>,
    ) -> Option<(std::fs::File, super::entry::Look)> {
        // Where none can be closed yet, the file waits until those that are open are read.
        if self.open >= self.options.max_open && !self.close_idle() {
            self.crowded = true;
            return None;
        }
        let mut opened = open(path);
        if opened.as_ref().is_err_and(out_of_descriptors) {
            if !self.close_idle() && self.open > 0 {
                self.crowded = true;
                return None;
            }
            opened = open(path);
        }
        match opened {
            Ok(opened) => {
                // That it opens does not mean that it can be read.
                let place = (path.to_path_buf(), input);
                if self.failing.get(&place).is_some_and(|reason| *reason != OpenReason::Read) {
                    self.failing.remove(&place);
                }
                Some(opened)
            }
            Err(error) => {
                let reason = OpenReason::of(&error);
                let told = self.failing.insert((path.to_path_buf(), input.clone()), reason);
                let again = told == Some(reason);
                let what = if again { What::FailedAgain(reason) } else { What::Failed(reason) };
                facts.push(Fact { file: id, path: path.to_path_buf(), input, what });
                None
            }
        }
    }

    /// Closes some of the files that stand in their place, are read to their end, and were not written to for longest;
    /// last those that end in a piece of a line.
    fn close_idle(&mut self) -> bool {
        let read = |entry: &super::Entry| entry.look.stamp != [0; 4] && entry.searched >= entry.look.size;
        let mut idle: Vec<(bool, Instant, FileId)> = self
            .entries
            .iter()
            .filter(|(_, entry)| matches!(entry.source, Source::Plain(_)) && entry.here.is_some())
            .filter(|(_, entry)| entry.saved.state == State::Live && (entry.settled() || read(entry)))
            .map(|(id, entry)| (!entry.settled(), entry.written, *id))
            .collect();
        idle.sort();
        let count = (idle.len() / 8).clamp(1, 256);
        idle.iter().take(count).for_each(|(_, _, id)| self.close(*id));
        !idle.is_empty()
    }

    /// What files that nobody knows are compared with.
    fn names(&self) -> Names {
        use std::os::unix::ffi::OsStrExt;
        let mut names = Names::default();
        for (id, entry) in &self.entries {
            if let Some(name) = entry.path.file_name() {
                names.by_name.entry(name.as_bytes().to_vec()).or_default().push(*id);
            }
            if entry.adrift.is_some() {
                names.adrift.push(*id);
            }
        }
        names
    }

    /// Live or rotated, by where each content stands; adrift ones whose time is over are given up.
    fn settle_states(&mut self, now: Instant, facts: &mut Vec<Fact>, sink: &mut dyn Sink) {
        let mut over = Vec::new();
        for (id, entry) in &mut self.entries {
            if let Some(since) = entry.adrift {
                let waited = now.saturating_duration_since(since) >= self.options.grace;
                if waited && entry.saved.state != State::Done && matches!(entry.source, Source::Closed) {
                    over.push(*id);
                }
                continue;
            }
            if !entry.verified {
                continue;
            }
            let home = entry.here.as_ref().is_some_and(|here| here.as_os_str() == entry.path.as_os_str());
            let next = match entry.saved.state {
                State::Live if !home => State::Rotated,
                State::Rotated if home => State::Live,
                _ => continue,
            };
            entry.saved.state = next;
            self.hot.push(*id);
            self.dirty.insert(*id);
            if next == State::Rotated {
                entry.written = now;
                facts.push(entry.fact(*id, What::Rotated));
            }
        }
        for id in over {
            let reason = self.entries.get(&id).map_or(LostReason::RotatedUnread, |entry| entry.lost_as);
            self.give_up(id, reason, sink, facts);
        }
    }

    /// Drops the oldest of the ended contents that nothing shows any more.
    fn forget(&mut self) {
        let gone = |entry: &super::Entry| {
            entry.saved.state == State::Done && entry.here.is_none() && matches!(entry.source, Source::Closed)
        };
        let ids: Vec<FileId> =
            self.entries.iter().filter(|(_, entry)| gone(entry)).map(|(id, _)| *id).collect();
        let excess = ids.len().saturating_sub(self.options.remembered);
        for id in ids.into_iter().take(excess) {
            if let Some(entry) = self.entries.remove(&id) {
                let key = entry.key();
                if self.inodes.get(&key) == Some(&id) {
                    self.inodes.remove(&key);
                }
                self.agenda.forget(id);
                self.dirty.insert(id);
            }
        }
    }

    /// Where a path's file is listed.
    pub(super) fn place(&mut self, id: FileId, path: PathBuf) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.here = Some(path.clone());
        }
        self.paths.entry(path).or_default().push(id);
    }
}

fn out_of_descriptors(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}
