//! The store and what waits for it: changes that a failed commit leaves behind are part of the next one, and what the
//! last good scrape showed is kept, so that there is something to show meanwhile.
//!
//! While commits fail, reading goes on in memory: rows replace each other, so that there are never more of them than
//! files, streams and series, and a file that is rotated away is read while it is there. Only rows of what has left
//! since add up; past [`Options::waiting`](super::Options) rows reading pauses.

use crate::notice::Log;
use crate::store::{Changes, Store, StoreError};
use crate::tally::cut::Cut;
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
    /// Rows that wait since the last commit failed.
    pub waiting: usize,
    /// When the last good commit was, in seconds since the epoch.
    pub committed: Option<f64>,
}

/// The store, if there is one.
pub(super) struct Durable {
    store: Option<Store>,
    pending: Changes,
    /// The store's file was taken away: the next one needs everything.
    gone: bool,
    /// What the last good scrape showed; its numbers are shared with the tallies as far as they have not changed.
    kept: Option<Cut>,
    state: StoreState,
}

impl Durable {
    pub(super) fn new(store: Option<Store>) -> Durable {
        let path = store.as_ref().map(|store| store.path().to_path_buf());
        Durable {
            store,
            pending: Changes::new(),
            gone: false,
            kept: None,
            state: StoreState { path, ..StoreState::default() },
        }
    }

    pub(super) fn is_kept(&self) -> bool {
        self.store.is_some()
    }

    /// The store with nothing waiting for it, so that what it gives is the newest.
    pub(super) fn flushed(&mut self) -> Result<Option<&mut Store>, StoreError> {
        let Some(store) = &mut self.store else { return Ok(None) };
        if !self.pending.is_empty() {
            store.commit(&self.pending)?;
            self.pending = Changes::new();
        }
        Ok(Some(store))
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

    /// Remembers what a scrape shows that is durable.
    pub(super) fn keep(&mut self, cut: Cut) {
        self.kept = self.is_kept().then_some(cut);
    }

    /// What the last good scrape showed.
    pub(super) fn kept(&self) -> Option<Cut> {
        self.kept.clone()
    }

    /// Writes what waits. `true`: nothing does any more, or there is no store.
    pub(super) fn commit(&mut self, log: &Log) -> bool {
        let Some(store) = &mut self.store else { return true };
        if self.pending.is_empty() {
            return true;
        }
        let started = Instant::now();
        let result = store.commit(&self.pending);
        let seconds = started.elapsed().as_secs_f64();
        let is_durable = result.is_ok();
        match result {
            Ok(_) => {
                self.pending = Changes::new();
                self.gone = false;
                if self.state.error.take().is_some() {
                    log.info("the store works again", &[]);
                }
                let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                self.state.committed = Some(wall.as_secs_f64());
            }
            Err(error) => {
                self.state.failures += 1;
                self.gone = matches!(error, StoreError::Gone { .. });
                let text = error.to_string();
                // Told once: each attempt counts, and the disk that is full may be the one that the log goes to.
                if self.state.error.as_ref() != Some(&text) {
                    log.error("counts could not be made durable", &[("error", &text)]);
                }
                self.state.error = Some(text);
            }
        }
        self.state.commits[COMMIT_BOUNDS.partition_point(|bound| *bound < seconds)] += 1;
        self.state.waiting = self.pending.len();
        self.state.seconds += seconds;
        self.state.last_seconds = seconds;
        is_durable
    }
}
