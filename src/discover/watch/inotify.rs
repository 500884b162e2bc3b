//! On Linux: one inotify instance on folders, with a mask that our own opens and reads do not touch.
//!
//! Without it (no instances left, another kind of file system) every wait just takes its time, which is polling.

use super::{Hint, Watched};
use inotify::{EventMask, Inotify, WatchDescriptor, WatchMask};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Ends a wait from another thread.
#[derive(Clone, Debug)]
pub struct Waker(Arc<Option<OwnedFd>>);

impl Waker {
    /// Ends the wait that is on, or the next one.
    pub fn wake(&self) {
        if let Some(fd) = self.0.as_ref() {
            // The counter is full only if nobody waits, who then wakes at once anyway.
            let _ = rustix::io::write(fd, &1_u64.to_ne_bytes());
        }
    }
}

/// Watches folders.
pub struct Watch {
    inotify: Option<Inotify>,
    waker: Waker,
    by_dir: BTreeMap<PathBuf, WatchDescriptor>,
    /// Several paths can lead to one folder, and then share one descriptor.
    dirs: HashMap<WatchDescriptor, BTreeSet<PathBuf>>,
    buffer: Vec<u8>,
}

impl Default for Watch {
    fn default() -> Watch {
        Watch::new()
    }
}

impl Watch {
    /// Starts to watch nothing yet.
    pub fn new() -> Watch {
        Watch::over(Inotify::init().ok())
    }

    /// A watch that only times out.
    #[cfg(test)]
    pub(crate) fn polling() -> Watch {
        Watch::over(None)
    }

    fn over(inotify: Option<Inotify>) -> Watch {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).ok();
        Watch {
            inotify,
            waker: Waker(Arc::new(fd)),
            by_dir: BTreeMap::new(),
            dirs: HashMap::new(),
            buffer: vec![0; 64 << 10],
        }
    }

    /// A handle that ends waits.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Whether events come at all; without them waits only time out.
    pub fn works(&self) -> bool {
        self.inotify.is_some()
    }

    /// Watches exactly these folders from now on.
    pub fn set(&mut self, dirs: &BTreeSet<PathBuf>) -> Watched {
        let Some(inotify) = &self.inotify else {
            return Watched { blind: dirs.iter().cloned().collect(), added: false };
        };
        let mut watches = inotify.watches();
        let gone: Vec<PathBuf> = self.by_dir.keys().filter(|dir| !dirs.contains(*dir)).cloned().collect();
        for dir in gone {
            let Some(wd) = self.by_dir.remove(&dir) else { continue };
            let left = self.dirs.get_mut(&wd).map(|paths| {
                paths.remove(&dir);
                paths.len()
            });
            if left == Some(0) {
                self.dirs.remove(&wd);
                // The folder may be gone, and its watch with it.
                let _ = watches.remove(wd);
            }
        }
        let mask = WatchMask::CREATE
            | WatchMask::MOVED_TO
            | WatchMask::MOVED_FROM
            | WatchMask::DELETE
            | WatchMask::DELETE_SELF
            | WatchMask::MOVE_SELF
            | WatchMask::MODIFY
            | WatchMask::ONLYDIR;
        let mut watched = Watched::default();
        for dir in dirs {
            // Adding a watch again is cheap and tells whether the path leads to another folder now.
            match watches.add(dir, mask) {
                Ok(wd) => {
                    let before = self.by_dir.insert(dir.clone(), wd.clone());
                    watched.added |= before.as_ref() != Some(&wd);
                    if let Some(old) = before.filter(|old| *old != wd)
                        && let Some(paths) = self.dirs.get_mut(&old)
                    {
                        paths.remove(dir);
                        if paths.is_empty() {
                            self.dirs.remove(&old);
                            let _ = watches.remove(old);
                        }
                    }
                    self.dirs.entry(wd).or_default().insert(dir.clone());
                    if is_remote(dir) {
                        watched.blind.push(dir.clone());
                    }
                }
                Err(_) => watched.blind.push(dir.clone()),
            }
        }
        watched
    }

    /// Waits for events, a waker or the time; whichever comes first. Everything that is there is taken at once.
    pub fn wait(&mut self, timeout: Duration) -> Hint {
        let mut hint = Hint::default();
        let readable = |events: PollFlags| !events.is_empty();
        let limit = Timespec::try_from(timeout).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 });
        let (mut events, mut woken) = (false, false);
        {
            let mut fds: Vec<PollFd<'_>> = Vec::with_capacity(2);
            if let Some(fd) = self.waker.0.as_ref() {
                fds.push(PollFd::new(fd, PollFlags::IN));
            }
            if let Some(inotify) = &self.inotify {
                fds.push(PollFd::new(inotify, PollFlags::IN));
            }
            // An interrupted wait is a short one.
            if poll(&mut fds, Some(&limit)).is_ok() {
                let has_waker = usize::from(self.waker.0.is_some());
                woken = has_waker == 1 && fds.first().is_some_and(|fd| readable(fd.revents()));
                events = fds.get(has_waker).is_some_and(|fd| readable(fd.revents()));
            }
        }
        if woken && let Some(fd) = self.waker.0.as_ref() {
            let mut count = [0; 8];
            hint.woken = rustix::io::read(fd, &mut count).is_ok();
        }
        if events {
            self.take_events(&mut hint);
        }
        hint
    }

    fn take_events(&mut self, hint: &mut Hint) {
        let Some(inotify) = &mut self.inotify else { return };
        // Bounded, so that a flood of events cannot keep the caller from reading files.
        for _ in 0..64 {
            let Ok(events) = inotify.read_events(&mut self.buffer) else { return };
            for event in events {
                if event.mask.contains(EventMask::Q_OVERFLOW) {
                    hint.all = true;
                    hint.dirs_changed = true;
                } else if event.mask.contains(EventMask::MODIFY) {
                    let dirs = self.dirs.get(&event.wd).into_iter().flatten();
                    hint.modified.extend(
                        event.name.into_iter().flat_map(|name| dirs.clone().map(move |dir| dir.join(name))),
                    );
                } else if event.mask.contains(EventMask::IGNORED) {
                    let dirs = self.dirs.remove(&event.wd).unwrap_or_default();
                    self.by_dir.retain(|dir, _| !dirs.contains(dir));
                    hint.dirs_changed = true;
                } else {
                    hint.dirs_changed = true;
                }
            }
        }
    }
}

/// Whether a folder's file system is shared with other machines, or kept by a program that need not tell.
fn is_remote(dir: &Path) -> bool {
    // NFS, SMB, CIFS, SMB2, FUSE, 9P, Ceph, AFS: `man 2 statfs`.
    const REMOTE: [u64; 8] =
        [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x6573_5546, 0x0102_1997, 0x00c3_6400, 0x5346_414f];
    rustix::fs::statfs(dir).is_ok_and(|stat| REMOTE.contains(&(stat.f_type as u64 & 0xffff_ffff)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::fs;
    use std::io::Write;

    const LONG: Duration = Duration::from_secs(20);

    /// Collects until the condition holds; events of one deed may come in several reads.
    fn until(watch: &mut Watch, holds: impl Fn(&Hint) -> bool) -> Hint {
        let mut all = Hint::default();
        for _ in 0..100 {
            let hint = watch.wait(LONG);
            all.dirs_changed |= hint.dirs_changed;
            all.all |= hint.all;
            all.woken |= hint.woken;
            all.modified.extend(hint.modified);
            if holds(&all) {
                return all;
            }
        }
        panic!("not seen: {all:?}");
    }

    #[test]
    fn writes_and_changes_are_told_and_reads_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        fs::write(&path, "x").unwrap();
        let mut watch = Watch::new();
        assert!(watch.works());
        let dirs = BTreeSet::from([dir.path().to_path_buf()]);
        assert_eq!(watch.set(&dirs), Watched { blind: Vec::new(), added: true });
        assert_eq!(watch.set(&dirs), Watched::default());
        fs::read(&path).unwrap();
        assert_eq!(watch.wait(Duration::ZERO), Hint::default());
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"y").unwrap();
        let hint = watch.wait(LONG);
        assert_eq!((hint.dirs_changed, hint.modified), (false, HashSet::from([path.clone()])));
        fs::rename(&path, dir.path().join("a.log.1")).unwrap();
        assert!(until(&mut watch, |hint| hint.dirs_changed).modified.is_empty());
        watch.set(&BTreeSet::new());
        while watch.wait(Duration::ZERO) != Hint::default() {}
        fs::write(&path, "z").unwrap();
        assert_eq!(watch.wait(Duration::ZERO), Hint::default());
    }

    #[test]
    fn a_folder_that_is_replaced_is_watched_anew() {
        let dir = tempfile::tempdir().unwrap();
        let sub = dir.path().join("sub");
        let dirs = BTreeSet::from([dir.path().to_path_buf(), sub.clone()]);
        fs::create_dir(&sub).unwrap();
        let mut watch = Watch::new();
        watch.set(&dirs);
        fs::rename(&sub, dir.path().join("old")).unwrap();
        fs::create_dir(&sub).unwrap();
        assert!(until(&mut watch, |hint| hint.dirs_changed).dirs_changed);
        watch.set(&dirs);
        fs::write(sub.join("new.log"), "x").unwrap();
        until(&mut watch, |hint| hint.modified.contains(&sub.join("new.log")));
    }

    #[test]
    fn another_thread_ends_the_wait_with_and_without_events() {
        for mut watch in [Watch::new(), Watch::polling()] {
            let waker = watch.waker();
            let thread = std::thread::spawn(move || waker.wake());
            assert!(watch.wait(LONG).woken);
            thread.join().unwrap();
            assert_eq!(watch.wait(Duration::ZERO), Hint::default());
        }
    }

    #[test]
    fn missing_folders_are_named() {
        let dir = BTreeSet::from([PathBuf::from("/nowhere/at/all")]);
        assert_eq!(Watch::new().set(&dir).blind.len(), 1);
        assert_eq!(Watch::polling().set(&dir).blind.len(), 1);
    }
}
