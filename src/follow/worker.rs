//! A worker: one thread that keeps some inputs read, woken by their folders and otherwise by time.

use super::{Beat, Clock, Follow, Shard, lock};
use crate::discover::{Found, Globs, Hint, Watch};
use crate::tail::Listed;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// After waking, what happens in the next moment is taken along: a busy writer does not wake us for every line.
const COALESCE: Duration = Duration::from_millis(10);
/// The same where files were only written to: nothing waits for it, since every scrape reads up to now by itself.
const COALESCE_WRITES: Duration = Duration::from_millis(20);
/// Longest wait where events come.
const PATIENCE: Duration = Duration::from_millis(500);
/// Longest wait where they do not.
const POLL: Duration = Duration::from_millis(250);
/// How often files without writes are looked at where every write is told of, and where not.
const IDLE_CHECKS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(1)];
/// A listing is not repeated before this many times of what it took has gone by, or the time that follows: a file that
/// comes and goes between two listings is never seen, however slow they are.
const LISTING_SHARE: u32 = 20;
const LISTING_PAUSE: Duration = Duration::from_secs(1);

/// An input and when to list it.
struct Round {
    shard: Arc<Mutex<Shard>>,
    globs: Arc<Globs>,
    name: Arc<str>,
    due: Instant,
    /// Not before this, whatever hints say.
    earliest: Instant,
    dirs: BTreeSet<PathBuf>,
    /// Links into other folders: where a written file is known by another path.
    links: Vec<(PathBuf, PathBuf)>,
    failed: BTreeSet<PathBuf>,
}

/// Reads these inputs until told to stop.
pub(super) fn run(follow: &Follow, mine: &[Arc<Mutex<Shard>>], watch: &mut Watch, beat: &Beat) {
    let start = Instant::now();
    let mut rounds: Vec<Round> = mine.iter().map(|shard| Round::new(shard, start)).collect();
    let mut next_commit = start + follow.options.commit_every;
    let mut next_retire = start + Duration::from_secs(60);
    let mut next_round = start;
    let mut sees = true;
    let mut first = true;
    while !follow.is_stopping() {
        beat.now();
        let mut backlog = false;
        let mut relisted = false;
        let most = if sees { PATIENCE } else { POLL };
        let whole = Instant::now() >= next_round;
        if whole {
            next_round = Instant::now() + most;
        }
        for round in &mut rounds {
            if follow.is_full() {
                continue;
            }
            if Instant::now() >= round.due {
                round.list(follow, sees);
                relisted = true;
            }
            backlog |= round.step(follow, whole);
        }
        if relisted {
            sees = look_after(&mut rounds, watch);
        }
        if std::mem::take(&mut first) {
            follow.note_listing();
        }
        let now = Instant::now();
        if now >= next_commit {
            follow.commit();
            next_commit = Instant::now() + follow.options.commit_every;
        }
        if now >= next_retire {
            rounds.iter().for_each(|round| lock(&round.shard).retire(now, follow.options.retire_after));
            next_retire = now + Duration::from_secs(60);
        }
        if !backlog {
            let due = rounds.iter().map(|round| round.due).min();
            let until = match follow.is_full() {
                true => next_commit,
                false => due.map_or(next_round, |due| due.min(next_round)),
            };
            let hint = watch.wait(until.saturating_duration_since(now));
            take(&mut rounds, &hint);
            if hint.all {
                next_round = Instant::now();
            }
            if hint.dirs_changed || hint.all {
                std::thread::sleep(COALESCE);
            } else if !hint.modified.is_empty() {
                std::thread::sleep(COALESCE_WRITES);
            }
        }
    }
}

/// Watches the folders of all inputs. `false`: some of them do not tell of everything.
fn look_after(rounds: &mut [Round], watch: &mut Watch) -> bool {
    let watched = watch.set(&rounds.iter().flat_map(|round| round.dirs.iter().cloned()).collect());
    if watched.added {
        rounds.iter_mut().for_each(|round| round.due = round.due.min(round.earliest));
    }
    let sees = watched.blind.is_empty();
    for round in rounds {
        lock(&round.shard).set_idle_check(IDLE_CHECKS[usize::from(!sees)]);
    }
    sees
}

/// Passes a hint on to the inputs that it concerns.
fn take(rounds: &mut [Round], hint: &Hint) {
    for round in rounds {
        if hint.dirs_changed || hint.all {
            round.due = round.due.min(round.earliest);
        }
        if hint.all {
            lock(&round.shard).poke_all();
        }
        if hint.modified.is_empty() {
            continue;
        }
        let mut shard = lock(&round.shard);
        for path in &hint.modified {
            let linked =
                round.links.iter().filter(|(target, _)| target == path).map(|(_, link)| link.as_path());
            for known in std::iter::once(path.as_path()).chain(linked) {
                shard.poke(known);
            }
        }
    }
}

impl Round {
    fn new(shard: &Arc<Mutex<Shard>>, now: Instant) -> Round {
        let held = lock(shard);
        Round {
            shard: shard.clone(),
            globs: held.feed.globs.clone(),
            name: held.feed.name.as_str().into(),
            due: now,
            earliest: now,
            dirs: BTreeSet::new(),
            links: Vec::new(),
            failed: BTreeSet::new(),
        }
    }

    /// Reads what is there; `whole`: of all files, else of those that hints named. Gives whether there is more.
    fn step(&mut self, follow: &Follow, whole: bool) -> bool {
        follow.give_way();
        let mut shard = lock(&self.shard);
        // Asked once more with the lock, so that nothing is read once it is known that reading pauses.
        if follow.is_full() {
            return false;
        }
        let clock = Clock::read();
        let step = if whole { shard.step(clock, &follow.log) } else { shard.step_hot(clock, &follow.log) };
        if step.cut {
            self.due = self.due.min(self.earliest);
        }
        step.backlog
    }

    /// Lists the input's files, without holding its lock, and hands the listing over.
    fn list(&mut self, follow: &Follow, sees: bool) {
        let started = Instant::now();
        let mut listing = self.globs.list();
        let pause = pause_after(started.elapsed());
        self.earliest = Instant::now() + pause;
        let every = if sees { follow.options.list_every } else { follow.options.poll_every };
        self.due = Instant::now() + every.max(pause);
        self.dirs = std::mem::take(&mut listing.dirs);
        self.tell(follow, &listing.errors, &listing.unmatched);
        if listing.files.len() > follow.options.files {
            let (input, found) = (&self.name, listing.files.len());
            let allowed = follow.options.files;
            follow.log.warn(
                "more files than the limit allows: the rest is not followed; raise limits.files",
                &[("input", input), ("found", &found), ("limit", &allowed)],
            );
            listing.files.truncate(follow.options.files);
        }
        let link = |found: &Found| Some((found.target.clone()?, found.path.clone()));
        self.links = listing.files.iter().filter_map(link).collect();
        let listed: Vec<Listed> = listing.files.into_iter().map(|found| listed(found, &self.name)).collect();
        let unmatched = listing.unmatched.len() as u64;
        let mut shard = lock(&self.shard);
        shard.sync(&listed, unmatched, Clock::read(), &follow.log);
        if shard.is_crowded() {
            self.due = self.earliest.max(Instant::now() + COALESCE);
        }
    }

    /// Says once of each path what is wrong with it.
    fn tell(&mut self, follow: &Follow, errors: &[(PathBuf, std::io::ErrorKind)], unmatched: &[PathBuf]) {
        let now: BTreeSet<PathBuf> =
            errors.iter().map(|(path, _)| path.clone()).chain(unmatched.iter().cloned()).collect();
        let fresh = |path: &Path| !self.failed.contains(path);
        for (path, kind) in errors.iter().filter(|(path, _)| fresh(path)) {
            let about: [(&str, &dyn std::fmt::Display); 3] =
                [("input", &self.name), ("path", &path.display()), ("error", kind)];
            follow.log.warn("cannot look at a path", &about);
            lock(&self.shard).count_failure(*kind);
        }
        for pattern in unmatched.iter().filter(|path| fresh(path)) {
            let about: [(&str, &dyn std::fmt::Display); 2] =
                [("input", &self.name), ("path", &pattern.display())];
            follow.log.warn("nothing matches yet; it is followed when it appears", &about);
            lock(&self.shard).count_failure(std::io::ErrorKind::NotFound);
        }
        self.failed = now;
    }
}

/// How long a listing that took this long is not repeated.
fn pause_after(listing: Duration) -> Duration {
    listing.saturating_mul(LISTING_SHARE).min(LISTING_PAUSE)
}

fn listed(found: Found, input: &Arc<str>) -> Listed {
    Listed {
        path: found.path,
        input: input.clone(),
        dev: found.dev,
        ino: found.ino,
        size: found.size,
        archive: found.is_archive,
        target: found.target,
        changed: found.changed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_listing_does_not_blind_its_input() {
        assert_eq!(pause_after(Duration::from_millis(3)), Duration::from_millis(60));
        for took in [Duration::from_secs(1), Duration::from_secs(60), Duration::MAX] {
            assert_eq!(pause_after(took), Duration::from_secs(1));
        }
    }
}
