//! Sums over the streams of a tally, for people and for `count`.

use super::Tally;
use super::series::{Metric, Number, Series};
use super::stream::Stream;

impl Tally {
    /// Events that each rule matched, by group and name, in the order of the rules.
    pub fn rule_totals(&self) -> Vec<((String, String), u64)> {
        let mut counts = vec![0; self.plan.rules.len()];
        for (_, stream) in self.streams() {
            for cell in stream.numbers.cells() {
                counts[cell.rule()] += cell.count;
            }
        }
        for series in self.series.iter() {
            if let (Metric::Pattern(rule), Number::Count(count)) = (series.metric, series.number) {
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
    pub fn series(&self) -> impl Iterator<Item = Series<'_>> {
        self.series.iter()
    }

    /// Nothing is newborn any more: everything shows its number at once, as in an output that is no scrape.
    pub fn settle(&mut self) {
        self.streams.iter_mut().flatten().for_each(Stream::settle);
        self.series.settle();
    }
}
