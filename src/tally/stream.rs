//! A stream: the plain numbers of everything that was read under one label set.
//!
//! The numbers are shared with the cuts that were taken of them and copied when they change next. So what was last
//! made durable can be kept at the price of what has changed since.

use super::birth::Birth;
use super::exemplar::{ByCell, Exemplar};
use super::exposition::Head;
use super::plan::{Plan, rule_key};
use super::rows::{RuleRow, StreamRow};
use crate::level::Level;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What tells the streams of one input apart: the values of `path` and of the labels taken from the path.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamKey {
    /// Label names and values, in the order in which they are written.
    pub labels: Vec<(String, String)>,
}

/// The events of one level that a rule without free labels matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Rule and level in one, by which cells are sorted: there can be many of them.
    slot: u32,
    birth: Birth,
    /// How many.
    pub count: u64,
}

impl Cell {
    /// What a cut shows of it to someone whose last cut was `since`: `None` before its birth. `known`: its series
    /// stands there whatever it has counted.
    pub(super) fn shown(&self, known: bool, since: u32) -> Option<u64> {
        match self.birth {
            Birth::UNSEEN => known.then_some(self.count),
            birth if birth.is_after(since) => Some(0),
            _ => Some(self.count),
        }
    }

    /// The index of its rule in the plan.
    pub fn rule(&self) -> usize {
        (self.slot / SLOTS) as usize
    }

    /// Its level.
    pub fn level(&self) -> Level {
        Level::ALL[(self.slot % SLOTS) as usize]
    }
}

/// Places of a rule: one for each level.
const SLOTS: u32 = Level::ALL.len() as u32;

/// What a stream has counted.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    /// Lines read.
    pub lines: u64,
    /// Raw bytes read.
    pub bytes: u64,
    /// Events by [`Level::index`].
    pub levels: [u64; 8],
    /// When the last event was read, in seconds since the epoch; 0 before the first.
    pub last_event: f64,
    /// What rules without free labels matched, by rule and level; only what has counted. Most rules match at one
    /// level, if at all: a place for each rule and level would be mostly empty.
    cells: Vec<Cell>,
    /// The latest traced events of the cells.
    exemplars: ByCell,
}

impl Numbers {
    /// What rules without free labels have matched, sorted by rule and level.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The latest traced event of a rule without free labels at a level.
    pub fn exemplars(&self, rule: usize, level: Level) -> &[Exemplar] {
        self.exemplars.list(rule, level)
    }

    fn cell(&mut self, rule: usize, level: Level) -> &mut Cell {
        let slot = rule as u32 * SLOTS + level.index() as u32;
        let at = match self.cells.binary_search_by_key(&slot, |cell| cell.slot) {
            Ok(at) => at,
            Err(at) => {
                self.cells.insert(at, Cell { slot, birth: Birth::UNSEEN, count: 0 });
                at
            }
        };
        &mut self.cells[at]
    }

    /// Adds what another stream counted under the same rules.
    pub fn absorb(&mut self, other: &Numbers) {
        self.lines += other.lines;
        self.bytes += other.bytes;
        self.levels.iter_mut().zip(other.levels).for_each(|(sum, more)| *sum += more);
        for cell in &other.cells {
            self.cell(cell.rule(), cell.level()).count += cell.count;
        }
    }
}

/// The numbers of one stream, and what scrapes know of it.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Its identity within the input.
    pub key: StreamKey,
    /// All labels that its series carry.
    pub head: Arc<Head>,
    /// What it counted.
    pub numbers: Arc<Numbers>,
    /// Since when it counts, in seconds since the epoch; 0 where that is not known.
    pub created: f64,
    /// [`Birth::UNSEEN`] where it appeared while running: everything is exposed at 0 once before its numbers.
    pub(super) birth: Birth,
    /// The series of rules without free labels stand at 0 from the start.
    pub exposed: bool,
    /// Some scrape has shown it: what is born from now on was not there at that scrape.
    pub scraped: bool,
    /// The last cut was the first to hold it.
    first: bool,
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
            numbers: Arc::default(),
            created: 0.0,
            birth: Birth::of(newborn),
            exposed: false,
            scraped: false,
            first: false,
            format: "",
            size: 0,
            unread: 0,
            dirty: true,
        }
    }

    /// The numbers, to be changed.
    pub fn change(&mut self) -> &mut Numbers {
        self.dirty = true;
        Arc::make_mut(&mut self.numbers)
    }

    /// Counts an event that a rule without free labels matched.
    pub fn hit(&mut self, rule: usize, level: Level, exemplar: Option<Exemplar>) {
        let numbers = self.change();
        numbers.cell(rule, level).count += 1;
        if let Some(exemplar) = exemplar {
            numbers.exemplars.put(rule as u32, level, exemplar);
        }
    }

    /// The row that the store keeps. Rules that have counted nothing are left out.
    pub fn row(&self, plan: &Plan) -> StreamRow {
        let numbers = &self.numbers;
        let rule_row = |cells: &[Cell]| {
            let mut row = RuleRow { rule: rule_key(&plan.rules[cells[0].rule()]), counts: [0; 8], shown: 0 };
            for cell in cells {
                row.counts[cell.level().index()] = cell.count;
                row.shown |= u8::from(cell.birth != Birth::UNSEEN) << cell.level().index();
            }
            row
        };
        StreamRow {
            lines: numbers.lines,
            bytes: numbers.bytes,
            levels: numbers.levels,
            last_event: numbers.last_event,
            newborn: self.birth == Birth::UNSEEN,
            scraped: self.scraped,
            rules: numbers.cells.chunk_by(|a, b| a.rule() == b.rule()).map(rule_row).collect(),
            created: self.created,
        }
    }

    /// Takes over what the store kept. Rules that are no longer in force are left behind.
    pub fn adopt(&mut self, row: &StreamRow, plan: &Plan) {
        (self.birth, self.scraped, self.created) = (Birth::of(row.newborn), row.scraped, row.created);
        let numbers = self.change();
        numbers.lines = row.lines;
        numbers.bytes = row.bytes;
        numbers.levels = row.levels;
        numbers.last_event = row.last_event;
        for kept in &row.rules {
            let Some(rule) = plan.rule(&kept.rule) else { continue };
            // One that has got labels since then counts in series of its own.
            if !plan.rules[rule].labels.is_empty() {
                continue;
            }
            for level in Level::ALL {
                let (count, bit) = (kept.counts[level.index()], 1 << level.index());
                if count > 0 {
                    let cell = numbers.cell(rule, level);
                    cell.count = count;
                    cell.birth = Birth::of(kept.shown & bit == 0);
                }
            }
        }
    }

    /// Nothing of it is newborn any more.
    pub(super) fn settle(&mut self) {
        (self.birth, self.exposed) = (Birth::OLD, true);
        Arc::make_mut(&mut self.numbers).cells.iter_mut().for_each(|cell| cell.birth = Birth::OLD);
    }

    /// The cut of this number is about to show the stream: what none has shown is born.
    pub(super) fn show(&mut self, plan: &Plan, cut: u32) {
        self.first = !self.scraped;
        if self.birth == Birth::UNSEEN {
            self.birth = Birth::at(cut);
        }
        self.scraped = true;
        self.dirty |= self.first;
        if self.numbers.cells.iter().all(|cell| cell.birth != Birth::UNSEEN) {
            return;
        }
        let (first, exposed) = (self.first, self.exposed);
        for cell in &mut Arc::make_mut(&mut self.numbers).cells {
            if cell.birth == Birth::UNSEEN {
                let known = exposed && plan.rules[cell.rule()].levels.contains(cell.level());
                // A series of a stream that was not there either is at 0 with it, or was there before anyone looked.
                cell.birth = if first || known { Birth::OLD } else { Birth::at(cut) };
            }
        }
        self.dirty = true;
    }

    /// The cut of this number, the last one, was not shown: all is as before it, but that one more has gone by without this stream.
    pub(super) fn take_back(&mut self, cut: u32) {
        let born = |cell: &Cell| cell.birth == Birth::at(cut);
        if self.first {
            (self.birth, self.scraped, self.dirty) = (Birth::UNSEEN, false, true);
        }
        if self.numbers.cells.iter().any(born) {
            let cells = &mut self.change().cells;
            cells.iter_mut().filter(|cell| born(cell)).for_each(|cell| cell.birth = Birth::UNSEEN);
        }
        self.first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::super::spec::Counted;
    use super::*;
    use crate::level::Levels;

    fn plan() -> Plan {
        let rule = |name: &str| Counted {
            group: "g".into(),
            name: name.into(),
            labels: vec![],
            metrics: vec![],
            levels: Levels::NONE.with(Level::Error),
            span: None,
        };
        Plan::new(vec![rule("a"), rule("b")], false)
    }

    #[test]
    fn a_rule_that_got_labels_takes_nothing_over_and_hides_nobody() {
        let mut old = stream();
        old.hit(0, Level::Error, None);
        old.hit(1, Level::Error, None);
        let row = old.row(&plan());
        let mut labelled = plan();
        let template = super::super::template::Template::parse("${x}").unwrap();
        labelled.rules[0].labels =
            vec![super::super::spec::Label::new("x".to_owned(), template, vec![], None, vec![])];
        let mut new = stream();
        new.adopt(&row, &labelled);
        let cells: Vec<_> = new.numbers.cells().iter().map(|cell| (cell.rule(), cell.count)).collect();
        assert_eq!(cells, [(1, 1)]);
    }

    fn stream() -> Stream {
        Stream::new(StreamKey::default(), Arc::default(), false)
    }

    /// What someone sees who was there at every cut.
    fn shown(stream: &mut Stream, cut: u32) -> Vec<Option<u64>> {
        stream.show(&plan(), cut);
        seen(stream, cut - 1)
    }

    fn seen(stream: &Stream, since: u32) -> Vec<Option<u64>> {
        stream.numbers.cells().iter().map(|cell| cell.shown(stream.exposed, since)).collect()
    }

    #[test]
    fn a_rule_is_shown_at_zero_before_its_first_count() {
        let mut stream = stream();
        assert_eq!(shown(&mut stream, 1), []);
        stream.hit(1, Level::Error, None);
        assert_eq!(shown(&mut stream, 2), [Some(0)]);
        assert_eq!(shown(&mut stream, 3), [Some(1)]);
        assert_eq!(seen(&stream, 1), [Some(0)], "for one who was last here before its birth");
    }

    #[test]
    fn what_the_first_scrape_finds_is_shown_as_it_is() {
        let mut stream = stream();
        stream.hit(0, Level::Error, None);
        assert_eq!(shown(&mut stream, 1), [Some(1)]);
    }

    #[test]
    fn an_exposed_rule_stands_at_zero_from_the_start() {
        let mut stream = stream();
        stream.exposed = true;
        assert_eq!(shown(&mut stream, 1), []);
        stream.hit(0, Level::Error, None);
        assert_eq!(shown(&mut stream, 2), [Some(1)]);
    }

    #[test]
    fn what_was_not_sent_is_shown_at_zero_again() {
        let mut stream = stream();
        shown(&mut stream, 1);
        stream.hit(1, Level::Error, None);
        assert_eq!(shown(&mut stream, 2), [Some(0)]);
        stream.take_back(2);
        assert_eq!(shown(&mut stream, 3), [Some(0)]);
        assert!(!stream.birth.is_after(0), "only the rule's series was born");
        // Sent by now: a later cut that is not sent changes nothing.
        assert_eq!(shown(&mut stream, 4), [Some(1)]);
        stream.take_back(4);
        assert_eq!(shown(&mut stream, 5), [Some(1)]);
    }

    #[test]
    fn a_stream_that_a_scrape_went_by_without_begins_at_zero() {
        let mut stream = stream();
        stream.hit(0, Level::Error, None);
        shown(&mut stream, 1);
        stream.take_back(1);
        assert!(stream.birth == Birth::UNSEEN && !stream.scraped && stream.dirty);
        shown(&mut stream, 2);
        assert!(stream.birth.is_after(1));
        shown(&mut stream, 3);
        assert!(!stream.birth.is_after(2));
    }

    #[test]
    fn a_cut_keeps_its_numbers_while_the_stream_counts_on() {
        let mut stream = stream();
        stream.hit(0, Level::Error, None);
        let kept = stream.numbers.clone();
        stream.hit(0, Level::Error, None);
        assert_eq!((kept.cells()[0].count, stream.numbers.cells()[0].count), (1, 2));
    }

    #[test]
    fn a_row_brings_back_counts_and_births() {
        let (plan, mut one) = (plan(), stream());
        one.hit(1, Level::Error, None);
        shown(&mut one, 1);
        one.hit(0, Level::Info, None);
        one.hit(1, Level::Debug, None);
        let mut two = stream();
        two.adopt(&one.row(&plan), &plan);
        assert_eq!(two.numbers.cells(), one.numbers.cells());
        assert_eq!(two.numbers.cells().len(), 3);
    }
}
