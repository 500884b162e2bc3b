//! Spans of one file that have begun and not ended: what rules with `start` and `end` remember between their lines.
//!
//! Everything is decided by the lines and their times alone, so that a replay after a crash comes to the same. Bounded:
//! [`OPEN_SPANS`] for each rule, the oldest goes first.

use crate::parse::Moment;
use crate::tally::span::{Drop, OPEN_SPANS};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// When a line was written, and when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct When {
    /// By its own timestamp, where it has one.
    pub written: Option<Moment>,
    /// By the clock of whoever reads.
    pub read: Moment,
}

impl When {
    /// Nanoseconds since `earlier`: by the lines' own timestamps where both have one, else by when they were read.
    pub fn since(self, earlier: When) -> u64 {
        let written = self.written.zip(earlier.written).and_then(|(now, then)| now.since(then));
        written.or_else(|| self.read.since(earlier.read)).unwrap_or(0)
    }
}

/// A span that has begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// When.
    pub when: When,
    /// What its start said, by name.
    pub kept: Vec<(String, String)>,
}

/// The open spans of one file.
#[derive(Clone, Debug, Default)]
pub struct Spans {
    /// By the index of their rule; most files have few rules that pair anything.
    rules: BTreeMap<u32, Open>,
}

/// The open spans of one rule.
#[derive(Clone, Debug, Default)]
struct Open {
    by_key: HashMap<Arc<str>, (u64, Started)>,
    /// From the oldest to the newest.
    order: BTreeMap<u64, Arc<str>>,
    next: u64,
}

impl Spans {
    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Begins a span; `dropped` is told of each that is given up for it.
    pub fn begin(
        &mut self,
        rule: u32,
        key: &str,
        started: Started,
        timeout: u64,
        dropped: &mut dyn FnMut(Drop),
    ) {
        let open = self.rules.entry(rule).or_default();
        open.expire(started.when, timeout, dropped);
        if open.take(key).is_some() {
            dropped(Drop::Replaced);
        } else if open.by_key.len() >= OPEN_SPANS && open.take_oldest() {
            dropped(Drop::Overflow);
        }
        open.put(key, started);
    }

    /// Ends a span: its start and how many nanoseconds ago that was, if there is one that is not too old.
    pub fn end(
        &mut self,
        rule: u32,
        key: &str,
        when: When,
        timeout: u64,
        dropped: &mut dyn FnMut(Drop),
    ) -> Option<(Started, u64)> {
        let open = self.rules.get_mut(&rule)?;
        let started = open.take(key);
        open.expire(when, timeout, dropped);
        if open.by_key.is_empty() {
            self.rules.remove(&rule);
        }
        let started = started?;
        let nanos = when.since(started.when);
        if nanos > timeout {
            dropped(Drop::Timeout);
            return None;
        }
        Some((started, nanos))
    }

    /// Gives up all, telling how many of which rule there were.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (u32, u64)> {
        std::mem::take(&mut self.rules).into_iter().map(|(rule, open)| (rule, open.by_key.len() as u64))
    }

    /// Forgets the spans of rules that do not pair anything (any more).
    pub(super) fn retain(&mut self, pairs: impl Fn(u32) -> bool) {
        self.rules.retain(|rule, _| pairs(*rule));
    }

    /// All of them with their rule and key, each rule's from the oldest on.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &str, &Started)> {
        self.rules.iter().flat_map(|(rule, open)| {
            let of = |key: &'_ Arc<str>| open.by_key.get(key).map(|(_, started)| started);
            open.order.values().filter_map(move |key| Some((*rule, &**key, of(key)?)))
        })
    }

    /// Takes back what [`Spans::iter`] gave, in its order.
    pub(super) fn restore(&mut self, rule: u32, key: &str, started: Started) {
        let open = self.rules.entry(rule).or_default();
        open.take(key);
        open.put(key, started);
    }
}

impl Open {
    fn put(&mut self, key: &str, started: Started) {
        let key: Arc<str> = key.into();
        self.order.insert(self.next, key.clone());
        self.by_key.insert(key, (self.next, started));
        self.next += 1;
    }

    fn take(&mut self, key: &str) -> Option<Started> {
        let (number, started) = self.by_key.remove(key)?;
        self.order.remove(&number);
        Some(started)
    }

    fn take_oldest(&mut self) -> bool {
        let oldest = self.order.pop_first();
        oldest.is_some_and(|(_, key)| self.by_key.remove(&key).is_some())
    }

    /// Gives up the oldest ones as long as they are too old.
    fn expire(&mut self, now: When, timeout: u64, dropped: &mut dyn FnMut(Drop)) {
        while let Some((_, key)) = self.order.first_key_value()
            && self.by_key.get(key).is_none_or(|(_, started)| now.since(started.when) > timeout)
            && self.take_oldest()
        {
            dropped(Drop::Timeout);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn at(seconds: u64) -> When {
        When { written: None, read: Moment::read_at(seconds as f64) }
    }

    fn started(seconds: u64) -> Started {
        Started { when: at(seconds), kept: Vec::new() }
    }

    #[test]
    fn past_the_bound_the_oldest_goes() {
        let (mut spans, mut dropped) = (Spans::default(), Vec::new());
        for key in 0..=OPEN_SPANS as u64 {
            spans.begin(0, &key.to_string(), started(key), u64::MAX, &mut |drop| dropped.push(drop));
        }
        assert_eq!(dropped, [Drop::Overflow]);
        assert_eq!(spans.end(0, "0", at(2000), u64::MAX, &mut |_| {}), None);
        let (_, nanos) = spans.end(0, "1", at(2000), u64::MAX, &mut |_| {}).unwrap();
        assert_eq!(nanos, 1999 * SECOND);
        assert_eq!(spans.drain().collect::<Vec<_>>(), [(0, OPEN_SPANS as u64 - 1)]);
    }

    #[test]
    fn a_start_is_given_up_once_and_only_when_it_is_older_than_allowed() {
        let (mut spans, mut dropped) = (Spans::default(), Vec::new());
        let mut drop = |why| dropped.push(why);
        spans.begin(0, "a", started(0), 10 * SECOND, &mut drop);
        spans.begin(0, "b", started(5), 10 * SECOND, &mut drop);
        assert!(spans.end(0, "b", at(15), 10 * SECOND, &mut drop).is_some());
        assert!(spans.end(0, "a", at(15), 10 * SECOND, &mut drop).is_none());
        spans.begin(0, "c", started(20), 10 * SECOND, &mut drop);
        spans.begin(0, "c", started(21), 10 * SECOND, &mut drop);
        assert!(spans.end(0, "c", at(32), 10 * SECOND, &mut drop).is_none());
        assert!(spans.is_empty());
        assert_eq!(dropped, [Drop::Timeout, Drop::Replaced, Drop::Timeout]);
    }
}
