//! What a match of a rule counts: its event, and the values that its metrics take.

use super::exemplar::{Exemplar, trace_id};
use super::series::{Metric, Number};
use super::spec::{Action, Label, MetricKind};
use super::template::Lookup;
use super::{Tally, bump, empty, label_pairs, pattern_pairs};
use crate::level::Level;
use std::sync::Arc;

impl Tally {
    /// Whether traces of events are wanted: only where the time is known, so that an exemplar can tell it. A count of
    /// whole files has no use for them.
    pub fn takes_exemplars(&self) -> bool {
        self.now > 0.0
    }

    /// Counts an event that a rule matched, once, with its labels and metrics. `trace` is the trace the event belongs
    /// to, as it was written.
    pub fn hit(
        &mut self,
        stream: usize,
        rule: usize,
        level: Level,
        lookup: &Lookup<'_, '_>,
        trace: Option<&str>,
    ) {
        self.last_match[rule] = self.now;
        let counted = &self.plan.rules[rule];
        if counted.labels.is_empty() && counted.metrics.is_empty() && trace.is_none() {
            // Most rules: a number in a table.
            if let Some(stream) = self.streams.get_mut(stream).and_then(Option::as_mut) {
                stream.hit(rule, level, None);
            }
            return;
        }
        let plan = self.plan.clone();
        let counted = &plan.rules[rule];
        let trace = trace.filter(|_| self.takes_exemplars()).and_then(trace_id).map(Arc::<str>::from);
        let at = self.now;
        let exemplar = |value, bucket| Some(Exemplar { trace_id: trace.clone()?, value, at, bucket });
        if counted.labels.is_empty() {
            if let Some(stream) = self.streams.get_mut(stream).and_then(Option::as_mut) {
                stream.hit(rule, level, exemplar(1.0, 0));
            }
            if counted.metrics.is_empty() {
                return;
            }
        }
        let values: Vec<String> = counted.labels.iter().map(|label| text(label, lookup)).collect();
        if !counted.labels.is_empty() {
            let pairs = pattern_pairs(counted, level, &values);
            let at = self.born(stream, Metric::Pattern(rule), pairs, Number::Count(0));
            self.increment(at);
            self.exemplify(at, exemplar(1.0, 0));
        }
        for (metric, &family) in counted.metrics.iter().zip(plan.families_of(rule)) {
            let Ok(value) = metric.value(lookup) else {
                self.change_counters(|counters| bump(&mut counters.value_errors, &metric.name));
                continue;
            };
            let pairs = label_pairs(counted, &values).collect();
            let at = self.born(stream, Metric::Rule(family, rule), pairs, empty(&metric.kind));
            if let Some(bucket) = observe(self.series.change(at), &metric.kind, value) {
                self.series.observe(at, value);
                self.exemplify(at, exemplar(value, bucket));
            }
        }
    }

    fn exemplify(&mut self, at: usize, exemplar: Option<Exemplar>) {
        if let Some(exemplar) = exemplar {
            self.series.exemplify(at, exemplar);
        }
    }
}

fn text(label: &Label, lookup: &Lookup<'_, '_>) -> String {
    let mut text = String::new();
    label.render(lookup, &mut text);
    text
}

/// Takes a value; tells the bucket it went to, 0 for a counter, none for a gauge: that has no exemplars.
fn observe(number: &mut Number, kind: &MetricKind, value: f64) -> Option<usize> {
    match (number, kind) {
        (Number::Sum(sum), _) => {
            *sum += value;
            Some(0)
        }
        (Number::Gauge(gauge), MetricKind::Gauge(action)) => {
            match action {
                Action::Set => *gauge = value,
                Action::Inc => *gauge += value,
                Action::Dec => *gauge -= value,
                Action::Min => *gauge = gauge.min(value),
                Action::Max => *gauge = gauge.max(value),
            }
            None
        }
        (Number::Histogram(counts, sum), MetricKind::Histogram(bounds)) => {
            let bucket = bounds.partition_point(|bound| *bound < value);
            counts[bucket] += 1;
            *sum += value;
            Some(bucket)
        }
        _ => None,
    }
}
