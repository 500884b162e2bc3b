//! The store and what waits for it: changes that a failed commit leaves behind are part of the next one.

use crate::notice::Log;
use crate::store::{Changes, Store, StoreError};
use std::time::{Instant, SystemTime};

/// Upper bounds of the commit time's histogram, in seconds.
pub const COMMIT_BOUNDS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0];

/// How the store does.
#[derive(Clone, Debug, Default)]
pub struct StoreState {
    /// Where it is; `None` where everything is in memory only.
    pub path: Option<std::path::PathBuf>,
    /// Why the last commit failed.
    pub error: Option<String>,
    /// Commits that failed.
    pub failures: u64,
    /// Commits by the time they took: not cumulative, by [`COMMIT_BOUNDS`], the last entry above all.
    pub commits: [u64; 11],
    /// Seconds spent in commits.
    pub seconds: f64,
    /// Seconds of the last commit.
    pub last_seconds: f64,
    /// When the last good commit was, in seconds since the epoch.
    pub committed: Option<f64>,
}

/// The store, if there is one.
pub(super) struct Durable {
    store: Option<Store>,
    pending: Changes,
    /// The store's file was taken away: the next one needs everything.
    gone: bool,
    state: StoreState,
}

impl Durable {
    pub(super) fn new(store: Option<Store>) -> Durable {
        let path = store.as_ref().map(|store| store.path().to_path_buf());
        Durable {
            store,
            pending: Changes::new(),
            gone: false,
            state: StoreState { path, ..StoreState::default() },
        }
    }

    pub(super) fn is_kept(&self) -> bool {
        self.store.is_some()
    }

    pub(super) fn store(&mut self) -> Option<&mut Store> {
        self.store.as_mut()
    }

    /// Makes a store anew that was taken away. `true`: it is empty, so that the next commit has to hold everything.
    pub(super) fn renew(&mut self) -> bool {
        let renewed = match &mut self.store {
            Some(store) if self.gone => store.renew(),
            _ => return false,
        };
        match renewed {
            Ok(()) => self.gone = false,
            Err(error) => self.state.error = Some(error.to_string()),
        }
        !self.gone
    }

    /// What the next commit writes.
    pub(super) fn pending(&mut self) -> &mut Changes {
        &mut self.pending
    }

    pub(super) fn state(&self) -> StoreState {
        self.state.clone()
    }

    pub(super) fn commit(&mut self, log: &Log) {
        let Some(store) = &mut self.store else { return };
        if self.pending.is_empty() {
            return;
        }
        let started = Instant::now();
        let result = store.commit(&self.pending);
        let seconds = started.elapsed().as_secs_f64();
        match result {
            Ok(_) => {
                self.pending = Changes::new();
                if self.state.error.take().is_some() {
                    log.info("the store works again", &[]);
                }
                let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                self.state.committed = Some(wall.as_secs_f64());
            }
            Err(error) => {
                self.state.failures += 1;
                self.gone = matches!(error, StoreError::Gone { .. });
                log.error("counts could not be made durable", &[("error", &error)]);
                self.state.error = Some(error.to_string());
            }
        }
        self.state.commits[COMMIT_BOUNDS.partition_point(|bound| *bound < seconds)] += 1;
        self.state.seconds += seconds;
        self.state.last_seconds = seconds;
    }
}
