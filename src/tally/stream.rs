//! A stream: the plain numbers of everything that was read under one label set.

use super::exposition::Head;
use super::plan::{Plan, rule_key};
use super::rows::{RuleRow, StreamRow};
use crate::level::{Level, Levels};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What tells the streams of one input apart: the values of `path` and of the labels taken from the path.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamKey {
    /// Label names and values, in the order in which they are written.
    pub labels: Vec<(String, String)>,
}

/// The events that a rule without free labels matched, by level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dense {
    /// By [`Level::index`].
    pub counts: [u64; 8],
    /// One bit for each level whose series has been exposed.
    pub shown: u8,
}

/// The numbers of one stream.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Its identity within the input.
    pub key: StreamKey,
    /// All labels that its series carry.
    pub head: Arc<Head>,
    /// Lines read.
    pub lines: u64,
    /// Raw bytes read.
    pub bytes: u64,
    /// Events by [`Level::index`].
    pub levels: [u64; 8],
    /// When the last event was read, in seconds since the epoch; 0 before the first.
    pub last_event: f64,
    /// One entry for each rule, or none at all while no rule has matched.
    pub rules: Vec<Dense>,
    /// It appeared while running: everything is exposed at 0 once before its numbers.
    pub newborn: bool,
    /// The series of rules without free labels stand at 0 from the start.
    pub exposed: bool,
    /// Some scrape has shown it: what is born from now on was not there at that scrape.
    pub scraped: bool,
    /// The format that its files have shown; empty before the first line. Set before each cut, as the sizes are.
    pub format: &'static str,
    /// Size of its files and how much of that is unread, in bytes; set before each cut.
    pub size: u64,
    /// See `size`.
    pub unread: u64,
    /// It changed since the last commit.
    pub dirty: bool,
}

impl Stream {
    /// A stream that has counted nothing.
    pub fn new(key: StreamKey, head: Arc<Head>, newborn: bool) -> Stream {
        Stream {
            key,
            head,
            lines: 0,
            bytes: 0,
            levels: [0; 8],
            last_event: 0.0,
            rules: Vec::new(),
            newborn,
            exposed: false,
            scraped: false,
            format: "",
            size: 0,
            unread: 0,
            dirty: true,
        }
    }

    /// Counts an event that a rule without free labels matched.
    pub fn hit(&mut self, rule: usize, level: Level, rules: usize) {
        if self.rules.is_empty() {
            self.rules = vec![Dense::default(); rules];
        }
        self.rules[rule].counts[level.index()] += 1;
    }

    /// The row that the store keeps. Rules that have counted nothing are left out.
    pub fn row(&self, plan: &Plan) -> StreamRow {
        let counted = self.rules.iter().enumerate().filter(|(_, dense)| dense.counts != [0; 8]);
        StreamRow {
            lines: self.lines,
            bytes: self.bytes,
            levels: self.levels,
            last_event: self.last_event,
            newborn: self.newborn,
            scraped: self.scraped,
            rules: counted
                .map(|(at, dense)| RuleRow {
                    rule: rule_key(&plan.rules[at]),
                    counts: dense.counts,
                    shown: dense.shown,
                })
                .collect(),
        }
    }

    /// Takes over what the store kept. Rules that are no longer in force are left behind.
    pub fn adopt(&mut self, row: &StreamRow, plan: &Plan) {
        self.lines = row.lines;
        self.bytes = row.bytes;
        self.levels = row.levels;
        self.last_event = row.last_event;
        self.newborn = row.newborn;
        self.scraped = row.scraped;
        for kept in &row.rules {
            let Some(rule) = plan.rule(&kept.rule) else { continue };
            if self.rules.is_empty() {
                self.rules = vec![Dense::default(); plan.rules.len()];
            }
            self.rules[rule] = Dense { counts: kept.counts, shown: kept.shown };
        }
    }

    /// The samples of a rule: levels whose series is exposed, with the number to show. Marks what it shows.
    pub fn show_rule(&mut self, rule: usize, levels: Levels) -> [Option<u64>; 8] {
        let mut out = [None; 8];
        let exposed = self.exposed;
        let Some(dense) = self.rules.get_mut(rule) else {
            levels.iter().filter(|_| exposed).for_each(|level| out[level.index()] = Some(0));
            return out;
        };
        for level in Level::ALL {
            let (at, bit) = (level.index(), 1 << level.index());
            let known = dense.shown & bit != 0 || (exposed && levels.contains(level));
            if known {
                out[at] = Some(dense.counts[at]);
            } else if dense.counts[at] > 0 {
                // Born after a scrape that did not show it: exposed at 0 for this one.
                out[at] = Some(if self.scraped { 0 } else { dense.counts[at] });
                self.dirty = true;
            }
            if out[at].is_some() {
                dense.shown |= bit;
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_shown_at_zero_before_its_first_count() {
        let mut stream = Stream::new(StreamKey::default(), Arc::default(), false);
        stream.scraped = true;
        assert_eq!(stream.show_rule(1, Levels::ALL), [None; 8]);
        stream.hit(1, Level::Error, 2);
        let error = Level::Error.index();
        assert_eq!(stream.show_rule(1, Levels::ALL)[error], Some(0));
        assert_eq!(stream.show_rule(1, Levels::ALL)[error], Some(1));
        assert_eq!(stream.show_rule(1, Levels::ALL).iter().flatten().count(), 1);
    }

    #[test]
    fn what_the_first_scrape_finds_is_shown_as_it_is() {
        let mut stream = Stream::new(StreamKey::default(), Arc::default(), false);
        stream.hit(0, Level::Error, 1);
        assert_eq!(stream.show_rule(0, Levels::ALL)[Level::Error.index()], Some(1));
    }

    #[test]
    fn an_exposed_rule_stands_at_zero_from_the_start() {
        let mut stream = Stream::new(StreamKey::default(), Arc::default(), false);
        stream.exposed = true;
        let only_errors = Levels::NONE.with(Level::Error);
        assert_eq!(stream.show_rule(0, only_errors).iter().flatten().count(), 1);
        stream.hit(0, Level::Error, 1);
        assert_eq!(stream.show_rule(0, only_errors)[Level::Error.index()], Some(1));
    }
}
