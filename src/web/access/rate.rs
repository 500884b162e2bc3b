//! The rate limit: one request per interval, with a burst on top.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A bucket of tokens, kept as the time at which it will be full.
#[derive(Debug)]
pub(super) struct Bucket {
    interval: Duration,
    burst: u32,
    full: Mutex<Option<Instant>>,
}

impl Bucket {
    pub(super) fn new(interval: Duration, burst: u32) -> Bucket {
        Bucket { interval, burst, full: Mutex::new(None) }
    }

    /// Takes a token, if there is one.
    pub(super) fn take(&self, now: Instant) -> bool {
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(next) = full.unwrap_or(now).max(now).checked_add(self.interval) else { return false };
        if next.duration_since(now) > self.interval.saturating_mul(self.burst) {
            return false;
        }
        *full = Some(next);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_one_per_interval() {
        let second = Duration::from_secs(1);
        let bucket = Bucket::new(second, 3);
        let start = Instant::now();
        let taken = |at: Instant| (0..10).filter(|_| bucket.take(at)).count();
        assert_eq!(taken(start), 3);
        assert_eq!(taken(start + second / 2), 0);
        assert_eq!(taken(start + second), 1);
        assert_eq!(taken(start + second * 3), 2);
        assert_eq!(taken(start + second * 100), 3);
        assert!(!Bucket::new(second, 0).take(start));
        assert!(!Bucket::new(Duration::MAX, u32::MAX).take(start), "what no clock can hold never comes");
    }
}
