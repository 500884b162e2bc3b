//! Sums over the streams of a tally, for people and for `count`.

use super::Tally;
use super::series::{Metric, Number, Series};

impl Tally {
    /// Events that each rule matched, by group and name, in the order of the rules.
    pub fn rule_totals(&self) -> Vec<((String, String), u64)> {
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
        let name = |rule: &super::spec::Counted| (rule.group.clone(), rule.name.clone());
        self.plan.rules.iter().map(name).zip(counts).collect()
    }

    /// When each rule last matched in this run, in seconds since the epoch; 0 for never.
    pub fn last_matches(&self) -> &[f64] {
        &self.last_match
    }

    /// Events that each rule matched, by name; rules of one name in two groups are summed.
    pub fn pattern_totals(&self) -> Vec<(String, u64)> {
        let mut totals: Vec<(String, u64)> = Vec::new();
        for ((_, name), count) in self.rule_totals() {
            match totals.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum += count,
                None => totals.push((name, count)),
            }
        }
        totals
    }

    /// All series born of label values, in the order of their birth.
    pub fn series(&self) -> impl Iterator<Item = &Series> {
        self.series.iter()
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
