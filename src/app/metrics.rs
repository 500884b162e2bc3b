//! The exporter's own numbers: what it is, how its store and its config do.

use super::{REVISION, RUSTC, VERSION};
use crate::follow::{COMMIT_BOUNDS, StoreState};
use crate::tally::catalog;
use crate::tally::exposition::{Buckets, Head, Source, Value, Visit};

/// The exporter's own numbers at one moment.
pub(super) struct OwnMetrics {
    pub(super) store: StoreState,
    /// Whether the last attempt to load the config succeeded.
    pub(super) reloaded: bool,
    /// When it last succeeded, in seconds since the epoch.
    pub(super) loaded: f64,
    /// Patterns that name no file, per input.
    pub(super) unmatched: Vec<(String, u64)>,
}

impl Source for OwnMetrics {
    fn visit(&self, to: &mut dyn Visit) {
        let none = Head::default();
        to.family(&catalog::BUILD_INFO.desc());
        let build = [("version", VERSION), ("revision", REVISION), ("rustversion", RUSTC)];
        to.sample(&none, &build, Value::Int(1));
        to.family(&catalog::COMMIT_FAILURES.desc());
        to.sample(&none, &[], Value::Int(self.store.failures));
        to.family(&catalog::COMMIT_SECONDS.desc());
        let buckets =
            Buckets { bounds: &COMMIT_BOUNDS, counts: &self.store.commits, sum: self.store.seconds };
        to.sample(&none, &[], Value::Histogram(buckets));
        to.family(&catalog::RELOAD_TIMESTAMP.desc());
        to.sample(&none, &[], Value::Float(self.loaded));
        to.family(&catalog::RELOAD_SUCCESSFUL.desc());
        to.sample(&none, &[], Value::Int(self.reloaded.into()));
        if self.store.path.is_some() {
            to.family(&catalog::STORE_UP.desc());
            to.sample(&none, &[], Value::Int(self.store.error.is_none().into()));
        }
        to.family(&catalog::UNMATCHED_PATHS.desc());
        for (input, count) in &self.unmatched {
            to.sample(&none, &[("input", input)], Value::Int(*count));
        }
    }
}
