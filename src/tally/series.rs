//! Series born of label values: full-key equality, a number each, and the state of their birth.

use super::birth::Birth;
use super::exemplar::{Exemplar, Exemplars};
use super::native::Native;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
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

/// Label pairs of a series, after its stream's own.
pub type Pairs = Arc<[(Box<str>, Box<str>)]>;

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

/// The identity of a series within its input.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The stream it belongs to.
    pub stream: usize,
    /// Its metric.
    pub metric: Metric,
    /// Its labels after the stream's own.
    pub labels: Pairs,
}

/// One series.
#[derive(Clone, Debug)]
pub struct Series {
    /// Who it is.
    pub key: Key,
    /// What it holds.
    pub number: Number,
    /// The same observations in sparse buckets, where a histogram was ever asked for them.
    pub native: Option<Arc<Native>>,
    /// The latest traced events that it counted.
    pub exemplars: Exemplars,
    /// Since when it counts, in seconds since the epoch; 0 where it is as old as its stream.
    pub created: f64,
    /// [`Birth::UNSEEN`] where it was born of values that nobody knew: it is exposed at 0 once before its number.
    pub birth: Birth,
    /// Changed since the last commit.
    dirty: bool,
}

/// The series of one input.
#[derive(Debug, Default)]
pub struct SeriesStore {
    all: Vec<Series>,
    index: HashMap<Key, usize>,
    dirty: Vec<usize>,
}

impl SeriesStore {
    /// The position of a series, where it exists.
    pub fn find(&self, key: &Key) -> Option<usize> {
        self.index.get(key).copied()
    }

    /// Adds a series that is not there yet; `native`, `birth` and `created` as in [`Series`].
    pub fn insert(
        &mut self,
        key: Key,
        number: Number,
        native: Option<Arc<Native>>,
        birth: Birth,
        created: f64,
    ) -> usize {
        let at = self.all.len();
        self.index.insert(key.clone(), at);
        self.all.push(Series {
            key,
            number,
            native,
            exemplars: Exemplars::default(),
            created,
            birth,
            dirty: false,
        });
        at
    }

    /// The number of a series, to be changed.
    pub fn change(&mut self, at: usize) -> &mut Number {
        self.touch(at);
        &mut self.all[at].number
    }

    /// Takes the place of what a series holds.
    pub fn replace(&mut self, at: usize, number: Number, native: Option<Arc<Native>>) {
        *self.change(at) = number;
        self.all[at].native = native;
    }

    /// A value went to a bucket; its number is changed by itself.
    pub fn observe(&mut self, at: usize, value: f64) {
        if let Some(native) = &mut self.all[at].native {
            Arc::make_mut(native).observe(value);
        }
    }

    /// Adds what another holder counted of the same series.
    pub fn absorb(&mut self, at: usize, other: &Series) {
        self.change(at).absorb(&other.number);
        if let (Some(native), Some(more)) = (&mut self.all[at].native, &other.native) {
            Arc::make_mut(native).absorb(more);
        }
    }

    /// A traced event was counted.
    pub fn exemplify(&mut self, at: usize, exemplar: Exemplar) {
        self.all[at].exemplars.put(exemplar);
    }

    /// The cut of this number is about to show them: those that none has shown are born.
    pub fn show(&mut self, cut: u32) {
        self.turn(Birth::UNSEEN, Birth::at(cut));
    }

    /// The cut of this number was not shown: what it was the first to hold is as before.
    pub fn take_back(&mut self, cut: u32) {
        self.turn(Birth::at(cut), Birth::UNSEEN);
    }

    /// Nothing is newborn any more.
    pub fn settle(&mut self) {
        self.turn(Birth::UNSEEN, Birth::OLD);
    }

    fn turn(&mut self, from: Birth, to: Birth) {
        for at in 0..self.all.len() {
            if self.all[at].birth == from {
                self.all[at].birth = to;
                self.touch(at);
            }
        }
    }

    /// All series, in the order of their birth.
    pub fn iter(&self) -> impl Iterator<Item = &Series> {
        self.all.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Hands out what changed since the last call.
    pub fn take_dirty(&mut self, mut row: impl FnMut(&Series)) {
        for at in std::mem::take(&mut self.dirty) {
            self.all[at].dirty = false;
            row(&self.all[at]);
        }
    }

    /// Removes series; `keep` decides. Those that leave are handed to `left`.
    pub fn retain(&mut self, mut keep: impl FnMut(&Series) -> bool, mut left: impl FnMut(&Series)) {
        let (kept, gone): (Vec<Series>, Vec<Series>) = self.all.drain(..).partition(|s| keep(s));
        gone.iter().for_each(&mut left);
        self.all = kept;
        self.index = self.all.iter().enumerate().map(|(at, s)| (s.key.clone(), at)).collect();
        self.dirty = self.all.iter().enumerate().filter(|(_, s)| s.dirty).map(|(at, _)| at).collect();
    }

    fn touch(&mut self, at: usize) {
        if !self.all[at].dirty {
            self.all[at].dirty = true;
            self.dirty.push(at);
        }
    }
}
