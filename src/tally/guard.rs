//! The guard over the number of series: one for the whole process, asked only when a series is born.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counts the series of each metric against one limit.
#[derive(Debug)]
pub struct Guard {
    limit: usize,
    held: Mutex<BTreeMap<String, Held>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Held {
    /// Series born of label values that were not known beforehand.
    born: usize,
    /// Series that stand at 0 from the start.
    known: usize,
}

impl Guard {
    /// At most `limit` series of a metric are born of label values; as many are exposed at 0 beforehand.
    pub fn new(limit: usize) -> Guard {
        Guard { limit, held: Mutex::default() }
    }

    /// Asks for room for one more series of `metric`; `false` means it must go to the overflow series.
    pub fn admit(&self, metric: &str) -> bool {
        let mut held = self.lock();
        let held = entry(&mut held, metric);
        let admitted = held.born < self.limit;
        held.born += usize::from(admitted);
        admitted
    }

    /// Takes room for a series that stood in the store: it exists already, whatever the limit.
    pub fn adopt(&self, metric: &str) {
        entry(&mut self.lock(), metric).born += 1;
    }

    /// Gives back the room of `count` born series that left.
    pub fn release(&self, metric: &str, count: usize) {
        let mut held = self.lock();
        let held = entry(&mut held, metric);
        held.born = held.born.saturating_sub(count);
    }

    /// Asks to expose `count` series of known labels at 0 from the start; where that is refused they are born at 0
    /// when they first count.
    pub fn expose(&self, metric: &str, count: usize) -> bool {
        let mut held = self.lock();
        let held = entry(&mut held, metric);
        let fits = held.known + count <= self.limit;
        held.known += if fits { count } else { 0 };
        fits
    }

    /// Gives back what [`Guard::expose`] took.
    pub fn withdraw(&self, metric: &str, count: usize) {
        let mut held = self.lock();
        let held = entry(&mut held, metric);
        held.known = held.known.saturating_sub(count);
    }

    /// Series held, per metric.
    pub fn held(&self) -> Vec<(String, u64)> {
        self.lock().iter().map(|(name, held)| (name.clone(), (held.born + held.known) as u64)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Held>> {
        // The map is sound after any panic: each method makes one change.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn entry<'a>(held: &'a mut BTreeMap<String, Held>, metric: &str) -> &'a mut Held {
    if !held.contains_key(metric) {
        held.insert(metric.to_owned(), Held::default());
    }
    held.get_mut(metric).expect("inserted above")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_per_metric_and_comes_back() {
        let guard = Guard::new(2);
        assert!(guard.admit("a") && guard.admit("a") && !guard.admit("a") && guard.admit("b"));
        guard.release("a", 1);
        assert!(guard.admit("a") && !guard.admit("a"));
        guard.adopt("a");
        assert_eq!(guard.held(), [("a".to_owned(), 3), ("b".to_owned(), 1)]);
    }

    #[test]
    fn known_series_are_exposed_while_they_fit() {
        let guard = Guard::new(10);
        assert!(guard.expose("a", 8) && !guard.expose("a", 8) && guard.expose("a", 2));
        guard.withdraw("a", 8);
        assert!(guard.expose("a", 8));
    }
}
