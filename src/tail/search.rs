//! Looks for contents whose inode is gone: beside their old place under other names, copied, or compressed.
//!
//! Only contents that are adrift cost anything here; a folder is read once in a sync, however many are looked for in it.

use super::Tailer;
use super::entry::{Kin, Source, open};
use super::fact::{Fact, FileId, What};
use super::kin::{origins, unpacked};
use super::packed;
use super::read::read_head;
use super::round::set_adrift;
use super::saved::State;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A listed file that holds the same bytes as a content that still stands in its own file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Copy {
    pub(super) of: FileId,
    pub(super) size: u64,
}

/// The folders that were read in this sync: names in order, with their inodes.
#[derive(Default)]
pub(super) struct Siblings {
    folders: HashMap<PathBuf, Result<Vec<(OsString, u64)>, io::ErrorKind>>,
}

impl Siblings {
    fn of(&mut self, folder: &Path) -> &Result<Vec<(OsString, u64)>, io::ErrorKind> {
        self.folders.entry(folder.to_path_buf()).or_insert_with(|| {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            let mut names = Vec::new();
            for entry in std::fs::read_dir(folder).map_err(|error| error.kind())? {
                let entry = entry.map_err(|error| error.kind())?;
                names.push((entry.file_name(), entry.ino()));
            }
            names.sort();
            Ok(names)
        })
    }

    /// Files in the folder whose name may come from `name`, or from where that comes from.
    fn related(&mut self, path: &Path) -> Vec<PathBuf> {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Vec::new() };
        let mut roots = origins(name);
        roots.push(name.as_bytes().to_vec());
        let Ok(names) = self.of(folder) else { return Vec::new() };
        let shortest = roots.iter().map(|root| stem(root)).min_by_key(|stem| stem.len()).unwrap_or_default();
        let start = names.partition_point(|(other, _)| other.as_bytes() < shortest);
        names[start..]
            .iter()
            .take_while(|(other, _)| other.as_bytes().starts_with(shortest))
            .filter(|(other, _)| other != name && origins(other).iter().any(|origin| roots.contains(origin)))
            .map(|(other, _)| folder.join(other))
            .collect()
    }

    /// The file in the folder of `path` with this inode. `Err`: the folder is there but cannot be read.
    fn with_inode(&mut self, path: &Path, ino: u64) -> Result<Option<PathBuf>, io::ErrorKind> {
        let Some(folder) = path.parent() else { return Ok(None) };
        match self.of(folder) {
            Ok(names) => {
                let found = names.iter().find(|(_, other)| *other == ino);
                Ok(found.map(|(name, _)| folder.join(name)))
            }
            Err(io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(kind) => Err(*kind),
        }
    }
}

/// What a name begins with before any separator.
fn stem(name: &[u8]) -> &[u8] {
    let end = name.iter().skip(1).position(|byte| matches!(byte, b'.' | b'-' | b'_'));
    end.map_or(name, |end| &name[..=end])
}

impl Tailer {
    /// Contents of the store that no listing shows: found by their inode beside their old place, or adrift.
    pub(super) fn find_unlisted(&mut self, siblings: &mut Siblings, now: Instant, facts: &mut Vec<Fact>) {
        let lost: Vec<FileId> = self
            .entries
            .iter()
            .filter(|(_, entry)| !entry.verified && entry.adrift.is_none() && entry.here.is_none())
            .map(|(id, _)| *id)
            .collect();
        for id in lost {
            let Some(entry) = self.entries.get(&id) else { continue };
            let (path, ino) = (entry.path.clone(), entry.saved.ino);
            if ino == 0 {
                if let Some(entry) = self.entries.get_mut(&id) {
                    entry.adrift = Some(now);
                }
                continue;
            }
            // A folder that cannot be read now says nothing about its files.
            let Ok(found) = siblings.with_inode(&path, ino) else { continue };
            // Neither does a file that cannot be read now.
            if found.is_some_and(|found| self.wake(id, &found, now, facts) != Some(false)) {
                continue;
            }
            let Some(entry) = self.entries.get_mut(&id) else { continue };
            if entry.adrift.is_none() && entry.saved.state != State::Done {
                let key = entry.key();
                set_adrift(entry, now);
                self.inodes.remove(&key);
                self.dirty.insert(id);
            }
        }
    }

    /// Tries copies and archives for every content that is adrift and not yet given up.
    pub(super) fn search_adrift(
        &mut self,
        archives: &[&Path],
        siblings: &mut Siblings,
        now: Instant,
        facts: &mut Vec<Fact>,
    ) {
        let adrift: Vec<FileId> = self
            .entries
            .iter()
            .filter(|(_, e)| {
                e.adrift.is_some() && e.saved.state != State::Done && matches!(e.source, Source::Closed)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in adrift {
            let Some(entry) = self.entries.get(&id) else { continue };
            let path = entry.path.clone();
            let mut candidates = siblings.related(&path);
            candidates
                .extend(archives.iter().filter(|archive| related(&path, archive)).map(|a| a.to_path_buf()));
            candidates.sort();
            candidates.dedup();
            for candidate in candidates {
                if self.try_candidate(id, &candidate, now, facts) {
                    break;
                }
            }
        }
    }

    /// Whether a file beside the old place holds the content; if so, it goes on there.
    fn try_candidate(&mut self, id: FileId, path: &Path, now: Instant, facts: &mut Vec<Fact>) -> bool {
        let Ok((file, look)) = open(path) else { return false };
        let Some(entry) = self.entries.get_mut(&id) else { return false };
        if entry.saved.head.is_empty() {
            return false;
        }
        if path.file_name().is_some_and(|name| unpacked(name.as_bytes()).is_some()) {
            if entry.broken.as_ref().is_some_and(|(broken, size)| broken == path && *size == look.size) {
                return false;
            }
            let Ok(Some(packed)) = packed::find(file, path, &entry.saved) else { return false };
            // Forgotten when it is read to its end without an error.
            entry.broken = Some((path.to_path_buf(), look.size));
            entry.source = Source::Packed(Box::new(packed));
        } else {
            let key = (entry.input.clone(), look.dev, look.ino);
            let Ok(head) = read_head(&file) else { return false };
            if self.copies.contains_key(&key) || !matches!(entry.kin(&file, look, &head), Ok(Kin::Same)) {
                return false;
            }
            // An ended content may have had this inode before; only one that still holds it is in the way.
            let holds = |owner: &super::Entry| {
                matches!(owner.source, Source::Plain(_))
                    || !matches!(owner.kin(&file, look, &head), Ok(Kin::Other))
            };
            if self.inodes.get(&key).and_then(|owner| self.entries.get(owner)).is_some_and(holds) {
                return false;
            }
            let Some(entry) = self.entries.get_mut(&id) else { return false };
            entry.attach(file, look, now);
            self.open += 1;
            self.own(key, id);
        }
        let Some(entry) = self.entries.get_mut(&id) else { return false };
        entry.saved.state = State::Rotated;
        facts.push(entry.fact(id, What::Continued(path.to_path_buf())));
        self.dirty.insert(id);
        self.hot.push(id);
        true
    }
}

/// Whether a file's name may come from the content's name, or both from the same.
fn related(content: &Path, other: &Path) -> bool {
    let name = |path: &Path| path.file_name().map(OsStr::to_os_string).unwrap_or_default();
    let mut roots = origins(&name(content));
    roots.push(name(content).as_bytes().to_vec());
    origins(&name(other)).iter().any(|origin| roots.contains(origin))
}
