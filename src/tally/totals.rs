//! Sums over the streams of a tally, for people and for `count`.

use super::Tally;
use super::series::{Metric, Number};

impl Tally {
    /// Events that each rule matched, in the order of the rules; rules of one name in two groups are summed.
    pub fn pattern_totals(&self) -> Vec<(String, u64)> {
        let mut counts = vec![0; self.plan.rules.len()];
        for (_, stream) in self.streams() {
            for (sum, dense) in counts.iter_mut().zip(&stream.rules) {
                *sum += dense.counts.iter().sum::<u64>();
            }
        }
        for series in self.series.iter() {
            if let (Metric::Pattern(rule), Number::Count(count)) = (series.key.metric, &series.number) {
                counts[rule] += count;
            }
        }
        let mut totals: Vec<(String, u64)> = Vec::with_capacity(counts.len());
        for (rule, count) in self.plan.rules.iter().zip(counts) {
            match totals.iter_mut().find(|(name, _)| *name == rule.name) {
                Some((_, sum)) => *sum += count,
                None => totals.push((rule.name.clone(), count)),
            }
        }
        totals
    }

    /// Nothing is newborn any more: everything shows its number at once, as in an output that is no scrape.
    pub fn settle(&mut self) {
        for stream in self.streams.iter_mut().flatten() {
            stream.newborn = false;
            stream.rules.iter_mut().for_each(|dense| dense.shown = u8::MAX);
            stream.exposed = true;
        }
        (0..self.series.len()).for_each(|at| self.series.shown(at));
    }
}
