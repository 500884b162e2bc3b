//! What rules cost and what they gave up, by rule.

use super::Cut;
use crate::tally::catalog;
use crate::tally::exposition::{Head, Value, Visit};
use crate::tally::plan::rule_key;
use crate::tally::span::DROP_REASONS;
use std::collections::BTreeMap;

impl Cut {
    /// The cost of rules: of all that were asked for, of the others where they cost something.
    pub(super) fn rule_seconds(&self, to: &mut dyn Visit) {
        let mut sums: BTreeMap<String, f64> = BTreeMap::new();
        for input in &self.inputs {
            for (rule, seconds) in input.plan.rules.iter().zip(&input.seconds) {
                if input.plan.declare || *seconds > 0.0 {
                    *sums.entry(rule_key(rule)).or_default() += seconds;
                }
            }
        }
        to.family(&catalog::RULE_SECONDS.desc());
        let none = Head::default();
        for (rule, seconds) in sums {
            to.sample(&none, &[("rule", &rule)], Value::Float(seconds));
        }
    }

    /// Starts that were given up, of each rule that pairs any.
    pub(super) fn spans_dropped(&self, to: &mut dyn Visit) {
        let mut sums: BTreeMap<String, [u64; 5]> = BTreeMap::new();
        for input in &self.inputs {
            for rule in input.plan.rules.iter().filter(|rule| rule.span.is_some()).map(rule_key) {
                let mine = input.counters.spans_dropped.iter().find(|(name, _)| *name == rule);
                let counts = mine.map_or([0; 5], |(_, counts)| *counts);
                let sum = sums.entry(rule).or_default();
                sum.iter_mut().zip(counts).for_each(|(sum, more)| *sum += more);
            }
        }
        to.family(&catalog::SPANS_DROPPED.desc());
        let none = Head::default();
        for (rule, counts) in sums {
            for (reason, count) in DROP_REASONS.iter().zip(counts) {
                to.sample(&none, &[("rule", &rule), ("reason", reason)], Value::Int(count));
            }
        }
    }
}
