//! How each receiver is served, as metrics and as warnings.

use crate::tally::catalog::{self, Entry};
use crate::tally::exposition::{Head, Source, Value, Visit};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// The numbers of one receiver. They outlive changes of its settings.
#[derive(Debug, Default)]
pub(super) struct Stats {
    /// Samples that the receiver took.
    pub(super) sent: AtomicU64,
    /// Samples that it will never take.
    pub(super) failed: AtomicU64,
    /// Samples that the queue had no room for.
    pub(super) dropped: AtomicU64,
    /// Requests that were to be sent again.
    pub(super) retries: AtomicU64,
    /// Bytes that wait.
    pub(super) queued: AtomicUsize,
    /// When the last request was taken, the bits of seconds since the epoch.
    succeeded: AtomicU64,
    /// Why the last request was not taken.
    trouble: Mutex<Option<String>>,
}

impl Stats {
    /// The receiver took this many samples.
    pub(super) fn succeed(&self, samples: u64, wall: f64) {
        self.sent.fetch_add(samples, Relaxed);
        self.succeeded.store(wall.to_bits(), Relaxed);
    }

    /// What is wrong now; gives what was wrong before.
    pub(super) fn set_trouble(&self, trouble: Option<String>) -> Option<String> {
        let mut held = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut held, trouble)
    }

    /// What is wrong now.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The numbers of all receivers by name, as a source.
pub(super) struct AllStats(pub(super) Vec<(String, Arc<Stats>)>);

impl AllStats {
    fn family(&self, to: &mut dyn Visit, entry: &Entry, value: impl Fn(&Stats) -> f64) {
        to.family(&entry.desc());
        for (name, stats) in &self.0 {
            to.sample(&Head::default(), &[("target", name)], Value::Float(value(stats)));
        }
    }
}

impl Source for AllStats {
    fn visit(&self, to: &mut dyn Visit) {
        if self.0.is_empty() {
            return;
        }
        self.family(to, &catalog::PUSH_DROPPED, |stats| stats.dropped.load(Relaxed) as f64);
        self.family(to, &catalog::PUSH_FAILED, |stats| stats.failed.load(Relaxed) as f64);
        self.family(to, &catalog::PUSH_LAST_SUCCESS, |stats| f64::from_bits(stats.succeeded.load(Relaxed)));
        self.family(to, &catalog::PUSH_QUEUE_BYTES, |stats| stats.queued.load(Relaxed) as f64);
        self.family(to, &catalog::PUSH_RETRIES, |stats| stats.retries.load(Relaxed) as f64);
        self.family(to, &catalog::PUSH_SENT, |stats| stats.sent.load(Relaxed) as f64);
    }
}
