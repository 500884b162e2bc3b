//! A consistent copy of the tallies for one scrape, walked family by family.
//!
//! Taking the cut of a number marks newborn series with it: whoever looked before sees them at 0 in the next cut that
//! is shown to him, then their number (so that `increase()` sees the first event). A cut that could not be made durable
//! is not sent: the marks are taken back.

mod of_rules;
mod of_series;
mod take;

use super::PATTERN_EVENTS;
use super::birth::Birth;
use super::catalog::{self, Entry};
use super::chunk::Chunk;
use super::exemplar::Exemplar;
use super::exposition::{Detail, Head, Source, Value, Visit};
use super::guard::Guard;
use super::plan::Plan;
use super::rows::{FILE_ERRORS, InputRow, LOST};
use super::stream::Numbers;
use crate::level::Level;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One input's numbers at one moment.
#[derive(Debug)]
pub struct InputCut {
    head: Head,
    plan: Arc<Plan>,
    /// By the position that series name; none where the stream is gone, or no scrape has seen it.
    streams: Vec<Option<StreamCut>>,
    series: Vec<Arc<Chunk>>,
    counters: InputRow,
    /// Seconds spent confirming each rule.
    seconds: Vec<f64>,
    files: u64,
}

#[derive(Debug)]
struct StreamCut {
    head: Arc<Head>,
    /// Shared with the stream until that counts on.
    numbers: Arc<Numbers>,
    /// Since when it counts, where that is known.
    created: Option<f64>,
    /// Everything of it is shown at 0 to those who looked before that.
    birth: Birth,
    /// The series of rules without free labels stand at 0 from the start.
    exposed: bool,
    format: &'static str,
    size: u64,
    unread: u64,
}

impl StreamCut {
    /// A number as someone sees it whose last cut was `since`.
    fn shown(&self, since: u32, of: impl Fn(&Numbers) -> u64) -> u64 {
        if self.birth.is_after(since) { 0 } else { of(&self.numbers) }
    }

    fn detail(&self) -> Detail<'_> {
        Detail { created: self.created, ..Detail::default() }
    }

    /// The latest traced event of what is shown as more than 0.
    fn exemplars(&self, rule: usize, level: Level, shown: u64) -> &[Exemplar] {
        if shown == 0 { &[] } else { self.numbers.exemplars(rule, level) }
    }

    /// Walks what rules without free labels counted: the rule's index, the level, the number to show.
    fn patterns(&self, plan: &Plan, since: u32, mut to: impl FnMut(usize, Level, u64)) {
        let mut to = |rule, level, count: u64| to(rule, level, self.shown(since, |_| count));
        let mut cells = self.numbers.cells().iter().peekable();
        if !self.exposed {
            cells.for_each(|cell| {
                if let Some(count) = cell.shown(false, since) {
                    to(cell.rule(), cell.level(), count);
                }
            });
            return;
        }
        for (at, rule) in plan.rules.iter().enumerate().filter(|(_, rule)| rule.labels.is_empty()) {
            while cells.next_if(|cell| cell.rule() < at).is_some() {}
            for level in Level::ALL {
                let known = rule.levels.contains(level);
                let count = match cells.next_if(|cell| (cell.rule(), cell.level()) == (at, level)) {
                    Some(cell) => cell.shown(known, since),
                    None => known.then_some(0),
                };
                if let Some(count) = count {
                    to(at, level, count);
                }
            }
        }
    }
}

/// The numbers of all inputs, and what the guard holds. A clone shares them.
#[derive(Clone, Debug)]
pub struct Cut {
    inputs: Vec<Arc<InputCut>>,
    held: Vec<(String, u64)>,
    number: u32,
    since: u32,
}

impl Cut {
    /// Joins the cuts of all inputs, which were taken under this number, for one who has seen the cut before it.
    pub fn new(inputs: Vec<InputCut>, number: u32, guard: &Guard) -> Cut {
        let inputs = inputs.into_iter().map(Arc::new).collect();
        Cut { inputs, held: guard.held(), number, since: number.saturating_sub(1) }
    }

    /// Its number.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The same for one who last saw the cut of this number: what was born since then is at 0.
    #[must_use]
    pub fn since(self, number: u32) -> Cut {
        Cut { since: number, ..self }
    }

    fn all_streams(&self) -> impl Iterator<Item = &StreamCut> {
        self.inputs.iter().flat_map(|input| input.streams.iter().flatten())
    }

    fn streams(&self, to: &mut dyn Visit, entry: &Entry, value: impl Fn(&StreamCut) -> u64) {
        to.family(&entry.desc());
        for stream in self.all_streams() {
            to.detailed(&stream.head, &[], Value::Int(value(stream)), stream.detail());
        }
    }

    fn inputs(&self, to: &mut dyn Visit, entry: &Entry, value: impl Fn(&InputCut) -> u64) {
        to.family(&entry.desc());
        for input in &self.inputs {
            to.sample(&input.head, &[], Value::Int(value(input)));
        }
    }

    fn reasons<const N: usize>(
        &self,
        to: &mut dyn Visit,
        entry: &Entry,
        reasons: [&str; N],
        values: impl Fn(&InputRow) -> [u64; N],
    ) {
        to.family(&entry.desc());
        for input in &self.inputs {
            for (reason, value) in reasons.iter().zip(values(&input.counters)) {
                to.sample(&input.head, &[("reason", reason)], Value::Int(value));
            }
        }
    }

    fn events(&self, to: &mut dyn Visit) {
        to.family(&catalog::LOG_EVENTS.desc());
        for stream in self.all_streams() {
            for level in Level::ALL {
                let value = Value::Int(stream.shown(self.since, |n| n.levels[level.index()]));
                to.detailed(&stream.head, &[("level", level.as_str())], value, stream.detail());
            }
        }
    }

    fn formats(&self, to: &mut dyn Visit) {
        to.family(&catalog::LOG_FORMAT_INFO.desc());
        for stream in self.all_streams().filter(|s| !s.format.is_empty()) {
            to.sample(&stream.head, &[("format", stream.format)], Value::Int(1));
        }
    }

    fn last_events(&self, to: &mut dyn Visit) {
        to.family(&catalog::LOG_LAST_EVENT_TIMESTAMP.desc());
        for stream in self.all_streams() {
            if stream.numbers.last_event > 0.0 {
                to.sample(&stream.head, &[], Value::Float(stream.numbers.last_event));
            }
        }
    }

    fn patterns(&self, to: &mut dyn Visit) {
        to.family(&catalog::LOG_PATTERN_EVENTS.desc());
        for input in &self.inputs {
            for stream in input.streams.iter().flatten() {
                stream.patterns(&input.plan, self.since, |rule, level, count| {
                    let name = input.plan.rules[rule].name.as_str();
                    let more = [("pattern", name), ("level", level.as_str())];
                    let exemplars = stream.exemplars(rule, level, count);
                    let detail = Detail { exemplars, ..stream.detail() };
                    to.detailed(&stream.head, &more, Value::Int(count), detail);
                });
            }
        }
        self.labelled_patterns(to);
    }

    fn held(&self, to: &mut dyn Visit) {
        to.family(&catalog::SERIES.desc());
        let none = Head::default();
        for (metric, held) in &self.held {
            to.sample(&none, &[("metric", metric)], Value::Int(*held));
        }
    }

    /// A counter labelled by metric, summed over the inputs; known metrics stand at 0.
    fn by_metric(
        &self,
        to: &mut dyn Visit,
        entry: &Entry,
        known: &[&str],
        of: fn(&InputRow) -> &[(String, u64)],
    ) {
        let mut sums: BTreeMap<&str, u64> = known.iter().map(|name| (*name, 0)).collect();
        for (name, count) in self.inputs.iter().flat_map(|input| of(&input.counters)) {
            *sums.entry(name).or_default() += count;
        }
        to.family(&entry.desc());
        let none = Head::default();
        for (metric, count) in sums {
            to.sample(&none, &[("metric", metric)], Value::Int(count));
        }
    }

    /// The families of this project's own, by name.
    fn own_families(&self) -> BTreeMap<&'static str, Walk<'_>> {
        let names = self.inputs.iter().flat_map(|input| &input.plan.families).map(|f| f.name.as_str());
        let with_values: Vec<&str> = names.collect();
        let all: Vec<&str> = with_values.iter().copied().chain([PATTERN_EVENTS, super::EXCEPTIONS]).collect();
        let list: [(&Entry, Walk<'_>); 20] = [
            (
                &catalog::LOG_BYTES,
                Box::new(|to| self.streams(to, &catalog::LOG_BYTES, |s| s.shown(self.since, |n| n.bytes))),
            ),
            (&catalog::LOG_EVENTS, Box::new(|to| self.events(to))),
            (&catalog::LOG_EXCEPTIONS, Box::new(|to| self.exceptions(to))),
            (&catalog::LOG_FILE_SIZE, Box::new(|to| self.streams(to, &catalog::LOG_FILE_SIZE, |s| s.size))),
            (
                &catalog::LOG_FILE_UNREAD,
                Box::new(|to| self.streams(to, &catalog::LOG_FILE_UNREAD, |s| s.unread)),
            ),
            (&catalog::LOG_FORMAT_INFO, Box::new(|to| self.formats(to))),
            (&catalog::LOG_LAST_EVENT_TIMESTAMP, Box::new(|to| self.last_events(to))),
            (
                &catalog::LOG_LINES,
                Box::new(|to| self.streams(to, &catalog::LOG_LINES, |s| s.shown(self.since, |n| n.lines))),
            ),
            (&catalog::LOG_PATTERN_EVENTS, Box::new(|to| self.patterns(to))),
            (&catalog::FILES, Box::new(|to| self.inputs(to, &catalog::FILES, |i| i.files))),
            (
                &catalog::FILE_ERRORS,
                Box::new(|to| self.reasons(to, &catalog::FILE_ERRORS, FILE_ERRORS, |c| c.errors)),
            ),
            (&catalog::LOST_BYTES, Box::new(|to| self.reasons(to, &catalog::LOST_BYTES, LOST, |c| c.lost))),
            (
                &catalog::ROTATIONS,
                Box::new(|to| self.inputs(to, &catalog::ROTATIONS, |i| i.counters.rotations)),
            ),
            (&catalog::RULE_SECONDS, Box::new(|to| self.rule_seconds(to))),
            (&catalog::SERIES, Box::new(|to| self.held(to))),
            (
                &catalog::SERIES_OVERFLOW,
                Box::new(move |to| self.by_metric(to, &catalog::SERIES_OVERFLOW, &all, |c| &c.overflow)),
            ),
            (&catalog::SPANS_DROPPED, Box::new(|to| self.spans_dropped(to))),
            (
                &catalog::TRUNCATED_LINES,
                Box::new(|to| self.inputs(to, &catalog::TRUNCATED_LINES, |i| i.counters.truncated_lines)),
            ),
            (
                &catalog::TRUNCATIONS,
                Box::new(|to| self.inputs(to, &catalog::TRUNCATIONS, |i| i.counters.truncations)),
            ),
            (
                &catalog::VALUE_ERRORS,
                Box::new(move |to| {
                    self.by_metric(to, &catalog::VALUE_ERRORS, &with_values, |c| &c.value_errors);
                }),
            ),
        ];
        list.into_iter().map(|(entry, walk)| (entry.name, walk)).collect()
    }
}

/// Writes one family.
type Walk<'a> = Box<dyn Fn(&mut dyn Visit) + 'a>;

impl Source for Cut {
    fn visit(&self, to: &mut dyn Visit) {
        let mut rules = self.rule_metrics().into_iter().peekable();
        for (name, walk) in self.own_families() {
            while let Some((_, family)) = rules.next_if(|(rule, _)| *rule < name) {
                family.show(to, self.since);
            }
            walk(to);
        }
        rules.for_each(|(_, family)| family.show(to, self.since));
    }
}
