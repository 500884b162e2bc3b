//! A series born of label values: its key, a number, and the state of its birth.

use super::birth::Birth;
use super::exemplar::Exemplar;
use super::exposition::{Buckets, Value};
use super::native::Native;
use super::pairs::{Pairs, Rendered};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Which metric a series belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// `log_exceptions_total`.
    Exceptions,
    /// `log_pattern_events_total` of the rule with this index.
    Pattern(usize),
    /// The metric with this index in [`Plan::families`](super::plan::Plan), as the rule with the second index labels it.
    Rule(usize, usize),
}

/// What a series holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Number {
    /// Events.
    Count(u64),
    /// A counter of captured values.
    Sum(f64),
    /// A gauge.
    Gauge(f64),
    /// A histogram: observations per bucket (not cumulative, the last one above all bounds) and their sum.
    Histogram(Vec<u64>, f64),
}

impl Number {
    /// As a sample shows it; `bounds` are the upper bounds of a histogram's buckets.
    pub fn value<'a>(&'a self, bounds: &'a [f64]) -> Value<'a> {
        match self {
            Number::Count(count) => Value::Int(*count),
            Number::Sum(value) | Number::Gauge(value) => Value::Float(*value),
            Number::Histogram(counts, sum) => Value::Histogram(Buckets { bounds, counts, sum: *sum }),
        }
    }

    /// Whether nothing was counted in it. A gauge says something by any value.
    pub fn is_nothing_yet(&self) -> bool {
        !matches!(self, Number::Gauge(_)) && *self == self.zero()
    }

    /// The same number before anything was counted.
    #[must_use]
    pub fn zero(&self) -> Number {
        match self {
            Number::Count(_) => Number::Count(0),
            Number::Sum(_) => Number::Sum(0.0),
            Number::Gauge(value) => Number::Gauge(*value),
            Number::Histogram(counts, _) => Number::Histogram(vec![0; counts.len()], 0.0),
        }
    }

    /// Whether another one is of the same type, and of as many buckets.
    pub fn fits(&self, other: &Number) -> bool {
        match (self, other) {
            (Number::Histogram(a, _), Number::Histogram(b, _)) => a.len() == b.len(),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }

    /// Adds what another holder counted of the same series; of two gauges the other's value stays.
    pub fn absorb(&mut self, other: &Number) {
        match (self, other) {
            (Number::Count(a), Number::Count(b)) => *a += b,
            (Number::Sum(a), Number::Sum(b)) => *a += b,
            (Number::Histogram(a, sum), Number::Histogram(b, more)) if a.len() == b.len() => {
                a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
                *sum += more;
            }
            (mine, other) => *mine = other.clone(),
        }
    }
}

/// The identity of a series within its input: equal where all of it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The stream it belongs to.
    pub stream: usize,
    /// Its metric.
    pub metric: Metric,
    /// Its labels after the stream's own.
    pub labels: Pairs,
}

/// One series, as [`Chunk`](super::chunk::Chunk) keeps it.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// The stream it belongs to.
    pub stream: usize,
    /// Its metric.
    pub metric: Metric,
    /// Its labels after the stream's own.
    pub labels: Rendered<'a>,
    /// What it holds.
    pub number: &'a Number,
    /// The same observations in sparse buckets, where a histogram was ever asked for them.
    pub native: Option<&'a Arc<Native>>,
    /// The latest traced events that it counted, by bucket.
    pub exemplars: &'a [Exemplar],
    /// Since when it counts, in seconds since the epoch; 0 where it is as old as its stream.
    pub created: f64,
    /// [`Birth::UNSEEN`] where it was born of values that nobody knew: it is exposed at 0 once before its number.
    pub birth: Birth,
}

impl Series<'_> {
    /// Who it is.
    pub fn key(&self) -> Key {
        Key { stream: self.stream, metric: self.metric, labels: self.labels.keep() }
    }
}
