//! File system sizes without the danger of `statfs(2)`: a dead network mount blocks the call for ever, in the kernel.
//!
//! Calls run on helper threads. The asker waits a moment and goes on with what has come; a mount whose call hangs
//! is not asked again until that call returns, and the helpers that hang are bounded in number.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a reading waits for answers that do not come.
const PATIENCE: Duration = Duration::from_millis(100);
/// After this a call that has not returned counts as an error of the device.
const STUCK_AFTER: Duration = Duration::from_secs(5);
/// Threads at most; so many hanging mounts leave nobody to ask the others, which then show an error.
const MAX_HELPERS: usize = 8;

/// Sizes of one file system, in bytes and inodes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Space {
    /// All of it.
    pub(crate) size: f64,
    /// Not in use.
    pub(crate) free: f64,
    /// Not in use and open to ordinary users.
    pub(crate) avail: f64,
    /// Inodes.
    pub(crate) files: f64,
    /// Inodes not in use.
    pub(crate) files_free: f64,
}

/// What is known of a mount.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Answer {
    /// Its sizes.
    Space(Space),
    /// The call failed, or has hung for longer than it may.
    Error,
    /// Asked for the first time and not answered yet.
    Pending,
}

/// The call that may hang; tests put another one here.
pub(crate) type Ask = fn(&Path) -> io::Result<Space>;

/// Asks helper threads, which start with the first question and end with this value.
#[derive(Debug)]
pub(crate) struct Prober {
    shared: Arc<Shared>,
    ask: Ask,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    asked: Condvar,
    answered: Condvar,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<PathBuf>,
    known: HashMap<PathBuf, Known>,
    /// Number of the reading under way, and how many of its questions are open.
    round: u64,
    left: usize,
    helpers: usize,
    idle: usize,
    closed: bool,
}

#[derive(Debug, Default)]
struct Known {
    /// The reading that asked last.
    round: u64,
    pending_since: Option<Instant>,
    last: Option<Result<Space, ()>>,
}

impl Default for Prober {
    fn default() -> Prober {
        Prober::new(space_of)
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.asked.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Prober {
    /// A prober that asks with `ask`. No thread starts here.
    pub(crate) fn new(ask: Ask) -> Prober {
        Prober { shared: Arc::default(), ask }
    }

    /// The sizes of `paths`, in their order; waits at most a moment.
    pub(crate) fn probe(&self, paths: &[PathBuf]) -> Vec<Answer> {
        let asked_at = Instant::now();
        let mut state = self.shared.lock();
        let wanted: HashSet<&PathBuf> = paths.iter().collect();
        state.known.retain(|path, known| known.pending_since.is_some() || wanted.contains(path));
        state.round += 1;
        state.left = 0;
        for path in paths {
            let round = state.round;
            let known = state.known.entry(path.clone()).or_default();
            if known.pending_since.is_none() {
                known.pending_since = Some(asked_at);
                known.round = round;
                state.queue.push_back(path.clone());
                state.left += 1;
            }
        }
        self.shared.asked.notify_all();
        while state.left > 0 {
            if state.idle == 0 && !state.queue.is_empty() {
                state = self.add_helper(state);
            }
            let left = PATIENCE.saturating_sub(asked_at.elapsed());
            if left.is_zero() {
                break;
            }
            // Short rounds: a helper that hangs on the first mount must not hold the others back for long.
            let round = left.min(PATIENCE / 5);
            state = self.shared.answered.wait_timeout(state, round).unwrap_or_else(PoisonError::into_inner).0;
        }
        paths.iter().map(|path| state.answer(path, asked_at)).collect()
    }

    fn add_helper<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        if state.helpers < MAX_HELPERS {
            let (shared, ask) = (Arc::clone(&self.shared), self.ask);
            let started =
                std::thread::Builder::new().name("host-statfs".into()).spawn(move || help(&shared, ask));
            state.helpers += usize::from(started.is_ok());
        }
        state
    }
}

impl State {
    fn answer(&self, path: &Path, now: Instant) -> Answer {
        match self.known.get(path) {
            Some(Known { pending_since: Some(since), .. }) if now.duration_since(*since) >= STUCK_AFTER => {
                Answer::Error
            }
            Some(Known { last: Some(Ok(space)), .. }) => Answer::Space(*space),
            Some(Known { last: Some(Err(())), .. }) => Answer::Error,
            _ => Answer::Pending,
        }
    }
}

/// The body of a helper thread: one path after the other until the prober is gone.
fn help(shared: &Shared, ask: Ask) {
    let mut state = shared.lock();
    loop {
        if state.closed {
            return;
        }
        let Some(path) = state.queue.pop_front() else {
            state.idle += 1;
            state = shared.asked.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
            continue;
        };
        drop(state);
        let answer = ask(&path).map_err(drop);
        state = shared.lock();
        let State { known, round, left, .. } = &mut *state;
        let known = known.entry(path).or_default();
        known.pending_since = None;
        known.last = Some(answer);
        if known.round == *round {
            *left = left.saturating_sub(1);
        }
        if *left == 0 {
            shared.answered.notify_all();
        }
    }
}

#[cfg(all(target_os = "linux", not(logtally_portable)))]
fn space_of(path: &Path) -> io::Result<Space> {
    let stat = rustix::fs::statfs(path)?;
    let block = stat.f_bsize as f64;
    Ok(Space {
        size: stat.f_blocks as f64 * block,
        free: stat.f_bfree as f64 * block,
        avail: stat.f_bavail as f64 * block,
        files: stat.f_files as f64,
        files_free: stat.f_ffree as f64,
    })
}

#[cfg(not(all(target_os = "linux", not(logtally_portable))))]
fn space_of(_path: &Path) -> io::Result<Space> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn of(texts: &[&str]) -> Vec<PathBuf> {
        texts.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn sizes_and_errors_come_back_in_order() {
        let prober = Prober::new(|path| match path.to_str() {
            Some("/bad") => Err(io::ErrorKind::NotFound.into()),
            _ => Ok(Space { size: 4.0, ..Space::default() }),
        });
        for _ in 0..3 {
            let answers = prober.probe(&of(&["/a", "/bad", "/b"]));
            let good = Answer::Space(Space { size: 4.0, ..Space::default() });
            assert_eq!(answers, [good, Answer::Error, good]);
        }
    }

    #[test]
    fn hanging_mounts_cost_a_moment_once_and_never_hold_up_the_others() {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let prober = Prober::new(|path| {
            if path.starts_with("/hang") {
                CALLS.fetch_add(1, Ordering::SeqCst);
                loop {
                    std::thread::park();
                }
            }
            Ok(Space::default())
        });
        let paths = of(&["/hang/1", "/hang/2", "/a", "/b"]);
        let before = Instant::now();
        let answers = prober.probe(&paths);
        assert!(before.elapsed() < Duration::from_secs(2));
        assert_eq!(answers[..2], [Answer::Pending, Answer::Pending]);
        assert_eq!(answers[2..], [Answer::Space(Space::default()); 2]);
        for _ in 0..5 {
            assert_eq!(prober.probe(&paths)[2..], [Answer::Space(Space::default()); 2]);
        }
        assert_eq!(CALLS.load(Ordering::SeqCst), 2, "a hanging mount is asked once");
        assert!(prober.shared.lock().helpers <= 3);
        let later = Instant::now() + STUCK_AFTER;
        assert_eq!(prober.shared.lock().answer(&paths[0], later), Answer::Error);
    }

    #[test]
    fn more_hanging_mounts_than_helpers_do_not_make_more_threads() {
        let prober = Prober::new(|_| {
            loop {
                std::thread::park();
            }
        });
        let paths: Vec<PathBuf> = (0..40).map(|n| PathBuf::from(format!("/m{n}"))).collect();
        for _ in 0..3 {
            assert!(prober.probe(&paths).iter().all(|answer| *answer == Answer::Pending));
        }
        assert!(prober.shared.lock().helpers <= MAX_HELPERS);
        assert!(prober.shared.lock().queue.len() <= paths.len());
    }
}
