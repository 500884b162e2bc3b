//! The last ten minutes of the totals per level, so that the page opens with a chart and not with an empty box.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::status::Levels;

/// A sample is taken this often.
pub(super) const EVERY: Duration = Duration::from_secs(2);
/// Samples held: ten minutes.
const SAMPLES: usize = 300;

/// Samples, the oldest first.
#[derive(Debug, Default)]
pub(super) struct History(Mutex<VecDeque<(f64, Levels)>>);

impl History {
    /// Adds a sample of now.
    pub(super) fn push(&self, levels: Levels) {
        // A clock before 1970 gives a chart at 0, which is as good as any.
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |t| t.as_secs_f64());
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.len() == SAMPLES {
            ring.pop_front();
        }
        ring.push_back(((now * 1000.0).round() / 1000.0, levels));
    }

    /// All samples: the time, then the totals in the order of [`Level::index`](crate::level::Level::index).
    pub(super) fn rows(&self) -> Vec<(f64, [u64; 8])> {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ring.iter().map(|(time, levels)| (*time, levels.0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_ten_minutes() {
        let history = History::default();
        for n in 0..1000 {
            history.push(Levels([n; 8]));
        }
        let rows = history.rows();
        assert_eq!(rows.len(), 300);
        assert_eq!((rows[0].1[0], rows[299].1[7]), (700, 999));
        assert!(rows[0].0 > 1.6e9);
    }
}
