//! Says what a listed file is whose inode nobody knows: a known content elsewhere, a copy, or a new one.

use super::Tailer;
use super::entry::{Kin, Look, Source};
use super::fact::{Fact, FileId, Listed, What};
use super::kin::origins;
use super::read::{holds, read_at, read_head};
use super::saved::{HEAD_BYTES, MARK_BYTES, Mark, State};
use super::search::Copy;
use super::sync::Names;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Beginnings shorter than this can be equal by chance: a date, a banner.
const TELLING_BYTES: u64 = 128;

impl Tailer {
    /// Identifies one listed file that is no known inode, and follows it accordingly.
    pub(super) fn identify(
        &mut self,
        listed: &Listed,
        names: &Names,
        at_end: bool,
        now: Instant,
        facts: &mut Vec<Fact>,
    ) {
        let relatives = self.relatives(&listed.path, &listed.input, names);
        // A copy that is only just being made: what it is shows once it holds something.
        if listed.size == 0 && !relatives.is_empty() {
            return;
        }
        let key = (listed.input.clone(), listed.dev, listed.ino);
        let copy = self.copies.get(&key).filter(|copy| copy.size == listed.size).copied();
        let original = copy.and_then(|copy| self.entries.get(&copy.of));
        if original.is_some_and(|entry| entry.adrift.is_none() && entry.saved.state != State::Done) {
            return;
        }
        let Some((file, look)) = self.open_file(&listed.path, listed.input.clone(), None, facts) else {
            return;
        };
        let Ok(head) = read_head(&file) else {
            return self.unreadable(&listed.path, listed.input.clone(), None, now, facts);
        };
        let key = (listed.input.clone(), look.dev, look.ino);
        if let Some(id) = self.inodes.get(&key).copied() {
            return self.place(id, listed.path.clone());
        }
        self.copies.remove(&key);
        let counted = |entry: &super::Entry| entry.saved.offset >= look.size;
        if copy.is_some_and(|copy| copy.size == look.size && self.entries.get(&copy.of).is_some_and(counted))
        {
            return self.remember_copy(file, look, &listed.path, listed.input.clone(), now);
        }
        match self.known(listed, &file, look, &head, &relatives, names, now, facts) {
            Ok(true) => return,
            Ok(false) => {}
            // To follow it as new what is not known to be new would count it twice.
            // Told of the original, or waiting for descriptors.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(_) => return self.unreadable(&listed.path, listed.input.clone(), None, now, facts),
        }
        let skip = at_end.then_some(look.size);
        if let Some(id) = self.begin(file, look, &listed.path, listed.input.clone(), skip, now) {
            self.place(id, listed.path.clone());
            if let Some(entry) = self.entries.get(&id) {
                facts.push(entry.fact(id, What::Opened));
            }
        }
    }

    /// Contents whose name the file's name may come from, newest first.
    fn relatives(&self, path: &Path, input: &Arc<str>, names: &Names) -> Vec<FileId> {
        let origins = path.file_name().map(origins).unwrap_or_default();
        let mut found: Vec<FileId> =
            origins.iter().filter_map(|name| names.by_name.get(name)).flatten().copied().collect();
        found.retain(|id| self.entries.get(id).is_some_and(|entry| entry.input == *input));
        found.sort_unstable();
        found.dedup();
        found.reverse();
        found
    }

    /// Whether the file holds a known content; if so, that goes on in it, or it is noted as a copy. `Err`: one of the two
    /// cannot be read, so that nothing can be said.
    #[expect(clippy::too_many_arguments, reason = "one step of identify, split for its length")]
    fn known(
        &mut self,
        listed: &Listed,
        file: &File,
        look: Look,
        head: &[u8],
        relatives: &[FileId],
        names: &Names,
        now: Instant,
        facts: &mut Vec<Fact>,
    ) -> io::Result<bool> {
        let key = (listed.input.clone(), look.dev, look.ino);
        for id in relatives {
            let Some(entry) = self.entries.get(id) else { continue };
            let kin = entry.kin(file, look, head)?;
            if kin == Kin::Other {
                continue;
            }
            let stands =
                entry.adrift.is_none() && (entry.here.is_some() || matches!(entry.source, Source::Plain(_)));
            if stands && self.copy_of_standing(*id, file, look, now, facts)? {
                self.copies.insert(key, Copy { of: *id, size: look.size });
                return Ok(true);
            }
            let loose = |entry: &super::Entry| {
                entry.adrift.is_some() || (!stands && entry.saved.state == State::Done)
            };
            if !self.entries.get(id).is_some_and(loose) {
                continue;
            }
            // A short beginning says little, unless the content was cut away just now.
            let recent = self.entries.get(id).is_some_and(|entry| entry.saved.state != State::Done);
            if kin == Kin::Shorter && !recent && look.size < TELLING_BYTES {
                continue;
            }
            return Ok(self.take_over(*id, kin, listed, file, look, now, facts));
        }
        if names.adrift.is_empty() || head.len() < HEAD_BYTES || !is_telling(head) {
            return Ok(false);
        }
        for id in &names.adrift {
            let Some(entry) = self.entries.get(id) else { continue };
            let may =
                entry.adrift.is_some() && entry.input == listed.input && entry.saved.head.len() >= HEAD_BYTES;
            if may && entry.kin(file, look, head)? == Kin::Same {
                return Ok(self.take_over(*id, Kin::Same, listed, file, look, now, facts));
            }
        }
        Ok(false)
    }

    /// Whether the file is a copy of a content that stands in a file of its own. That it was cut there meanwhile may only
    /// show now: then it is adrift after this.
    fn copy_of_standing(
        &mut self,
        id: FileId,
        file: &File,
        look: Look,
        now: Instant,
        facts: &mut Vec<Fact>,
    ) -> io::Result<bool> {
        let Some(entry) = self.entries.get(&id) else { return Ok(false) };
        if matches!(entry.source, Source::Closed) {
            if entry.saved.state == State::Done {
                return Ok(true);
            }
            let here = entry.here.clone().unwrap_or_default();
            if self.wake(id, &here, now, facts).is_none() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
        }
        if self.entries.get(&id).is_none_or(|entry| entry.adrift.is_some()) {
            return Ok(false);
        }
        if self.intact(id)? {
            return self.begins_alike(id, file, look);
        }
        let new = self.replaced(id, now, facts);
        self.hot.extend(new);
        Ok(false)
    }

    /// A content without a place goes on in this file; one that ends before the offset is all counted already.
    #[expect(clippy::too_many_arguments, reason = "one step of identify, split for its length")]
    fn take_over(
        &mut self,
        id: FileId,
        kin: Kin,
        listed: &Listed,
        file: &File,
        look: Look,
        now: Instant,
        facts: &mut Vec<Fact>,
    ) -> bool {
        let Ok(file) = file.try_clone() else { return false };
        let key = (listed.input.clone(), look.dev, look.ino);
        if kin == Kin::Shorter {
            self.remember_copy(file, look, &listed.path, listed.input.clone(), now);
            return true;
        }
        self.close(id);
        let Some(entry) = self.entries.get_mut(&id) else { return false };
        let old = entry.key();
        entry.attach(file, look, now);
        entry.saved.state = State::Rotated;
        facts.push(entry.fact(id, What::Continued(listed.path.clone())));
        self.open += 1;
        if self.inodes.get(&old) == Some(&id) {
            self.inodes.remove(&old);
        }
        self.own(key, id);
        self.dirty.insert(id);
        self.hot.push(id);
        self.place(id, listed.path.clone());
        true
    }

    /// Follows a file whose bytes were all counted under another content: as one that is at its end.
    fn remember_copy(&mut self, file: File, look: Look, path: &Path, input: Arc<str>, now: Instant) {
        let len = look.size.min(MARK_BYTES as u64) as usize;
        let mut before = [0; MARK_BYTES];
        let Ok(filled) = read_at(&file, look.size - len as u64, &mut before[..len]) else { return };
        let Some(id) = self.begin(file, look, path, input, None, now) else { return };
        self.place(id, path.to_path_buf());
        self.close(id);
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.saved.offset = look.size;
        entry.saved.mark = Mark::of(&before[..filled]);
        entry.saved.state = State::Done;
        entry.searched = look.size;
        entry.look = look;
    }

    /// Whether an open content still stands in its file.
    fn intact(&self, id: FileId) -> io::Result<bool> {
        let Some(entry) = self.entries.get(&id) else { return Ok(false) };
        let Source::Plain(file) = &entry.source else { return Ok(false) };
        Ok(file.metadata()?.len() >= entry.saved.offset && holds(file, &entry.saved)?)
    }

    /// Whether the file's last bytes stand at the same place of the content's own file.
    fn begins_alike(&self, id: FileId, copy: &File, look: Look) -> io::Result<bool> {
        let Some(entry) = self.entries.get(&id) else { return Ok(false) };
        let Source::Plain(original) = &entry.source else { return Ok(false) };
        let len = look.size.min(MARK_BYTES as u64) as usize;
        let (mut ours, mut theirs) = ([0; MARK_BYTES], [0; MARK_BYTES]);
        let at = look.size - len as u64;
        let (a, b) = (read_at(original, at, &mut ours[..len])?, read_at(copy, at, &mut theirs[..len])?);
        Ok(a == b && ours[..a] == theirs[..b])
    }
}

/// Whether a beginning says more than one line over and over: then equal beginnings do not mean one content.
fn is_telling(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let mut lines = lines.peekable();
    std::iter::from_fn(|| lines.next().filter(|_| lines.peek().is_some())).any(|line| line != first)
        || first.len() == head.len()
}
