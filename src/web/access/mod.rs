//! Who may talk to the port: TLS, client certificates, passwords and the rate limit of `--web.config.file`, a file in
//! the format of Prometheus' exporter-toolkit.
//!
//! The file and all it names are read again when they change. A config that is not good leaves the one before in force.

mod client;
mod files;
mod flaw;
mod rate;
mod raw;
mod ready;
mod tls;
mod turns;
mod users;
mod words;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::header::{AUTHORIZATION, HeaderMap};
use tokio::sync::watch;

use self::files::Files;
use self::rate::Bucket;
pub(super) use self::ready::Access;
pub(super) use self::users::Denied;
use self::users::Doorman;
use super::Fact;
use crate::error::{Place, Problem, Severity};

/// The files are looked at so often at most; a look costs a few microseconds.
const LOOK: Duration = Duration::from_millis(250);
/// Nobody waits longer for a file system that hangs.
const READ: Duration = Duration::from_secs(2);

/// The guard of the port; clones are the same guard.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    path: Option<PathBuf>,
    state: Mutex<State>,
    looking: tokio::sync::Mutex<()>,
    epoch: watch::Sender<u64>,
    doorman: Option<Arc<Doorman>>,
    /// Whether a listener is open to others than this machine, once the server has said so.
    public: AtomicBool,
}

struct State {
    access: Arc<Access>,
    limits: Option<Arc<Limits>>,
    files: Files,
    looked: Instant,
    /// Of the files as they are now, where these are not in force.
    problems: Vec<Problem>,
}

/// Strangers have a bucket of their own: they cannot use up the tokens of those whom we know.
struct Limits {
    of: (Duration, u32),
    known: Bucket,
    strangers: Bucket,
}

impl Default for Gate {
    /// An open door.
    fn default() -> Gate {
        Gate::with(None, Access::default(), Files::new(), None)
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Gate").field(&self.0.path).finish()
    }
}

/// What becomes of a request.
pub(super) enum Verdict {
    Welcome,
    Denied(Denied),
    TooMany,
}

impl Gate {
    /// Reads the web config; without one everyone may come in.
    ///
    /// # Errors
    /// All problems of the file and of what it names.
    pub fn open(path: Option<&Path>) -> Result<Gate, Vec<Problem>> {
        // The flag's default in Prometheus' own exporters is the empty text.
        let Some(path) = path.filter(|path| !path.as_os_str().is_empty()) else { return Ok(Gate::default()) };
        let mut files = Files::new();
        let access = ready::load(path, &mut files)?;
        let doorman = Doorman::new().ok_or_else(|| {
            vec![Problem::error(Place::new(path, 0, 0), "the system gives no random numbers")]
        })?;
        Ok(Gate::with(Some(path.to_path_buf()), access, files, Some(Arc::new(doorman))))
    }

    fn with(path: Option<PathBuf>, access: Access, files: Files, doorman: Option<Arc<Doorman>>) -> Gate {
        let limits = Limits::of(&access, None);
        let state =
            State { access: Arc::new(access), limits, files, looked: Instant::now(), problems: Vec::new() };
        Gate(Arc::new(Inner {
            path,
            state: Mutex::new(state),
            looking: tokio::sync::Mutex::new(()),
            epoch: watch::Sender::new(0),
            doorman,
            public: AtomicBool::new(false),
        }))
    }

    /// Whether connections are encrypted.
    pub fn is_tls(&self) -> bool {
        self.0.state().access.tls.is_some()
    }

    /// What is wrong with the web config now; as warnings, for it works with the one before.
    pub fn warnings(&self) -> Vec<Problem> {
        let state = self.0.state();
        let mut warnings = state.access.warnings.clone();
        for problem in &state.problems {
            let mut problem = Problem { severity: Severity::Warning, ..problem.clone() };
            problem.message =
                format!("web config not taken over, the one before is in force: {}", problem.message);
            warnings.push(problem);
        }
        warnings
    }

    /// Some listener is reachable by others; the fact, where nothing keeps strangers out.
    pub(super) fn exposed(&self) -> Option<Fact> {
        self.0.public.store(true, Ordering::Relaxed);
        self.0.exposure(&self.0.state().access)
    }

    /// What is in force, after a look at the files if one is due.
    pub(super) async fn access(&self, tell: impl Fn(Fact)) -> Arc<Access> {
        if self.0.path.is_some() && self.0.state().looked.elapsed() >= LOOK {
            // One looks; the others go on with what there is.
            if let Ok(_only) = self.0.looking.try_lock() {
                let inner = Arc::clone(&self.0);
                let look = tokio::task::spawn_blocking(move || inner.look());
                if let Ok(Ok(facts)) = tokio::time::timeout(READ, look).await {
                    facts.into_iter().for_each(tell);
                }
            }
        }
        Arc::clone(&self.0.state().access)
    }

    /// Resolves when another config than that of `epoch` is in force.
    pub(super) fn epochs(&self) -> watch::Receiver<u64> {
        self.0.epoch.subscribe()
    }

    /// Whether a request with these headers is answered.
    pub(super) async fn judge(&self, access: &Access, headers: &HeaderMap) -> Verdict {
        let limits = self.0.state().limits.clone();
        let take =
            |of: fn(&Limits) -> &Bucket| limits.as_ref().is_none_or(|limits| of(limits).take(Instant::now()));
        let doorman = self.0.doorman.as_ref().filter(|_| !access.users.is_empty());
        let Some(doorman) = doorman else {
            return if take(|limits| &limits.known) { Verdict::Welcome } else { Verdict::TooMany };
        };
        let claim = doorman.claim(&access.users, headers.get(AUTHORIZATION));
        let remembered = claim.as_ref().ok().and_then(|claim| doorman.remembers(claim));
        let within = match remembered {
            Some(true) => take(|limits| &limits.known),
            _ => take(|limits| &limits.strangers),
        };
        if !within {
            return Verdict::TooMany;
        }
        match (claim, remembered) {
            (Err(why), _) => Verdict::Denied(why),
            (Ok(_), Some(true)) => Verdict::Welcome,
            (Ok(_), Some(false)) => Verdict::Denied(Denied::Wrong),
            (Ok(claim), None) => match doorman.check(claim).await {
                Ok(()) => Verdict::Welcome,
                Err(why) => Verdict::Denied(why),
            },
        }
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the files again if they changed, and says what came of it.
    fn look(&self) -> Vec<Fact> {
        let Some(path) = &self.path else { return Vec::new() };
        let mut state = self.state();
        state.looked = Instant::now();
        let held = std::mem::replace(&mut state.files, Files::new());
        drop(state);
        if !held.changed() {
            self.state().files = held;
            return Vec::new();
        }
        let mut files = Files::new();
        let loaded = ready::load(path, &mut files);
        let same = files.digest() == held.digest();
        let mut state = self.state();
        state.files = files;
        if same {
            return Vec::new();
        }
        match loaded {
            Ok(mut access) => {
                access.epoch = state.access.epoch + 1;
                state.limits = Limits::of(&access, state.limits.take());
                state.access = Arc::new(access);
                state.problems.clear();
                let access = Arc::clone(&state.access);
                drop(state);
                self.epoch.send_replace(access.epoch);
                let mut facts = vec![Fact::AccessChanged(path.clone())];
                facts.extend(self.exposure(&access));
                facts
            }
            Err(problems) => {
                let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
                state.problems = problems;
                vec![Fact::AccessRefused(text.join("\n"))]
            }
        }
    }

    fn exposure(&self, access: &Access) -> Option<Fact> {
        let open = self.public.load(Ordering::Relaxed) && !access.authenticates();
        open.then_some(Fact::Exposed)
    }
}

impl Limits {
    /// The limits of a config; those before go on where they say the same.
    fn of(access: &Access, before: Option<Arc<Limits>>) -> Option<Arc<Limits>> {
        let (interval, burst) = access.rate?;
        if let Some(before) = before.filter(|before| before.of == (interval, burst)) {
            return Some(before);
        }
        let (known, strangers) = (Bucket::new(interval, burst), Bucket::new(interval, burst));
        Some(Arc::new(Limits { of: (interval, burst), known, strangers }))
    }
}

#[cfg(test)]
mod tests;
