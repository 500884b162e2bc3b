//! The latest reading of every collector, shared between the sampler that writes and the scrape that reads.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;

use super::batch::Batch;
use super::bursts::Bursts;

const SUCCESS: &str = "logtally_collector_success";
const SUCCESS_HELP: &str = "Whether the collector's last reading succeeded (absent hardware is a success).";
const DURATION: &str = "logtally_collector_duration_seconds";
const DURATION_HELP: &str = "How long the collector's last reading took.";

/// A handle to the latest samples. Clones share them; register one in a `prometheus::Registry`.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    shared: Arc<Mutex<Latest>>,
}

/// What the sampler has seen last.
#[derive(Debug, Default)]
pub(crate) struct Latest {
    /// One per collector, in the order of [`super::COLLECTORS`].
    pub(crate) readings: Vec<Reading>,
    /// Histograms of all samples.
    pub(crate) bursts: Bursts,
}

/// The last reading of one collector.
#[derive(Debug)]
pub(crate) struct Reading {
    /// The collector.
    pub(crate) name: &'static str,
    /// Whether it worked; nothing before the first reading.
    pub(crate) success: Option<bool>,
    /// How long it took.
    pub(crate) took: Duration,
    /// Its families.
    pub(crate) families: Vec<MetricFamily>,
}

impl Reading {
    /// A collector that has not been read yet.
    pub(crate) fn none(name: &'static str) -> Reading {
        Reading { name, success: None, took: Duration::ZERO, families: Vec::new() }
    }
}

impl Snapshot {
    /// Looks at the latest samples, or changes them.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Latest> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All families as of the last tick, one per name.
    pub fn families(&self) -> Vec<MetricFamily> {
        let latest = self.lock();
        let mut own = Batch::default();
        for reading in &latest.readings {
            let Some(success) = reading.success else { continue };
            let labels = [("collector", reading.name)];
            own.gauge(SUCCESS, SUCCESS_HELP, &labels, f64::from(u8::from(success)));
            own.gauge(DURATION, DURATION_HELP, &labels, reading.took.as_secs_f64());
        }
        latest.bursts.expose(&mut own);
        let mut families = own.into_families();
        // Two families of one name would break the scrape; the collector that is listed first keeps the name.
        let mut names: HashSet<&str> = HashSet::new();
        for reading in &latest.readings {
            families.extend(reading.families.iter().filter(|family| names.insert(family.name())).cloned());
        }
        families
    }
}

impl Latest {
    /// Whether a collector other than `asking` has a family of this name.
    pub(crate) fn is_taken(&self, name: &str, asking: &str) -> bool {
        let others = self.readings.iter().filter(|reading| reading.name != asking);
        others.flat_map(|reading| &reading.families).any(|family| family.name() == name)
    }
}

impl Collector for Snapshot {
    fn desc(&self) -> Vec<&Desc> {
        // Which families a host has is known only after reading it; one name is enough to tell collectors apart.
        static DESC: std::sync::LazyLock<Option<Desc>> = std::sync::LazyLock::new(|| {
            Desc::new(SUCCESS.into(), SUCCESS_HELP.into(), vec!["collector".into()], Default::default()).ok()
        });
        DESC.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.families()
    }
}
