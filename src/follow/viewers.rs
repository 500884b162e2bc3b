//! Who looks at the numbers, and up to which cut each has seen them: births are at 0 once for every scraper.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Scrapers remembered at most; then the one that has been away longest is forgotten.
const MOST: usize = 64;
/// Away for longer, a scraper begins anew: Prometheus takes a series for gone after five minutes without samples.
const AWAY: Duration = Duration::from_secs(300);

/// Who asks for the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer<'a> {
    /// Asks again and again under this name, and sees every birth at 0 once, whatever others have seen.
    Scraper(&'a str),
    /// Is not remembered: sees at 0 what nobody has seen before.
    Passer,
    /// Tells births by itself: sees all numbers as they are.
    Recorder,
}

/// The numbers of cuts, and the last one that each scraper got.
#[derive(Debug, Default)]
pub(super) struct Viewers {
    cuts: u32,
    last: HashMap<Box<str>, (u32, Instant)>,
}

impl Viewers {
    /// The number of the next cut, from 1 on.
    pub(super) fn next(&mut self) -> u32 {
        self.cuts = self.cuts.saturating_add(1);
        self.cuts
    }

    /// Hands this cut out: the number of the one before that the viewer knows. Births after that are at 0 for him.
    pub(super) fn show(&mut self, cut: u32, to: Viewer<'_>, now: Instant) -> u32 {
        let before = cut.saturating_sub(1);
        let name = match to {
            Viewer::Recorder => return cut,
            Viewer::Passer => return before,
            Viewer::Scraper(name) => name,
        };
        self.last.retain(|_, (_, at)| now.saturating_duration_since(*at) <= AWAY);
        if self.last.len() >= MOST && !self.last.contains_key(name) {
            let oldest = self.last.iter().min_by_key(|(_, (_, at))| *at).map(|(name, _)| name.clone());
            oldest.map(|name| self.last.remove(&name));
        }
        match self.last.insert(name.into(), (cut, now)) {
            // Cuts that were not sent are in between, or the same one is sent again, which is no news.
            Some((known, _)) => known,
            None => before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Viewer<'_> = Viewer::Scraper("a");
    const B: Viewer<'_> = Viewer::Scraper("b");

    #[test]
    fn each_scraper_goes_on_from_its_own_last_cut() {
        let (mut viewers, now) = (Viewers::default(), Instant::now());
        let mut show = |to| {
            let cut = viewers.next();
            (cut, viewers.show(cut, to, now))
        };
        assert_eq!([show(A), show(B), show(Viewer::Passer)], [(1, 0), (2, 1), (3, 2)]);
        assert_eq!([show(B), show(Viewer::Recorder), show(A), show(A)], [(4, 2), (5, 5), (6, 1), (7, 6)]);
    }

    #[test]
    fn a_cut_that_is_sent_again_is_no_news() {
        let (mut viewers, now) = (Viewers::default(), Instant::now());
        assert_eq!((viewers.show(3, A, now), viewers.show(3, A, now)), (2, 3));
    }

    #[test]
    fn who_was_away_for_long_begins_anew() {
        let (mut viewers, start) = (Viewers::default(), Instant::now());
        viewers.show(1, A, start);
        assert_eq!(viewers.show(9, A, start + AWAY), 1);
        assert_eq!(viewers.show(19, A, start + 3 * AWAY), 18);
    }

    #[test]
    fn names_without_end_are_not_remembered_without_end() {
        let (mut viewers, start) = (Viewers::default(), Instant::now());
        for n in 0..1000_u32 {
            viewers.show(n + 1, Viewer::Scraper(&n.to_string()), start + Duration::from_millis(n.into()));
        }
        assert_eq!(viewers.last.len(), MOST);
        assert_eq!(viewers.show(2000, Viewer::Scraper("999"), start + Duration::from_secs(1)), 1000);
    }
}
