//! A consistent copy of the tallies for one scrape, walked family by family.
//!
//! Taking the cut marks newborn series as shown: this scrape shows them at 0, the next one their number (so that
//! `increase()` sees the first event).

use super::catalog::{self, Entry};
use super::exposition::{Buckets, Desc, Head, Kind, Source, Value, Visit};
use super::guard::Guard;
use super::plan::Plan;
use super::rows::{FILE_ERRORS, InputRow, LOST};
use super::series::{Metric, Number, Pairs};
use super::spec::MetricKind;
use super::{PATTERN_EVENTS, Tally};
use crate::level::Level;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One input's numbers at one moment.
#[derive(Debug)]
pub struct InputCut {
    head: Head,
    plan: Arc<Plan>,
    streams: Vec<StreamCut>,
    series: Vec<SeriesCut>,
    counters: InputRow,
    files: u64,
}

#[derive(Debug)]
struct StreamCut {
    head: Arc<Head>,
    lines: u64,
    bytes: u64,
    levels: [u64; 8],
    last_event: f64,
    size: u64,
    unread: u64,
    rules: Vec<[Option<u64>; 8]>,
}

#[derive(Debug)]
struct SeriesCut {
    head: Arc<Head>,
    metric: Metric,
    labels: Pairs,
    number: Number,
}

impl Tally {
    /// Copies all numbers; `files` is how many files the input follows.
    pub fn cut(&mut self, files: u64) -> InputCut {
        let plan = self.plan.clone();
        let streams = self.streams.iter_mut().flatten().map(|stream| stream.cut(&plan)).collect();
        let mut series = Vec::with_capacity(self.series.len());
        let mut shown = Vec::new();
        for (at, s) in self.series.iter().enumerate() {
            let Some(stream) = self.streams[s.key.stream].as_ref() else { continue };
            let number = if s.newborn { s.number.zero() } else { s.number.clone() };
            shown.extend(s.newborn.then_some(at));
            series.push(SeriesCut {
                head: stream.head.clone(),
                metric: s.key.metric,
                labels: s.key.labels.clone(),
                number,
            });
        }
        shown.into_iter().for_each(|at| self.series.shown(at));
        let head = Head::new([("input", self.input.as_str())]);
        InputCut { head, plan, streams, series, counters: self.counters.clone(), files }
    }
}

impl super::stream::Stream {
    fn cut(&mut self, plan: &Plan) -> StreamCut {
        let mut rules = Vec::new();
        if self.exposed || !self.rules.is_empty() {
            rules = plan.rules.iter().enumerate().map(|(at, rule)| self.show(at, rule)).collect();
        }
        let zero = std::mem::take(&mut self.newborn);
        self.dirty |= zero;
        let shown = |value: u64| if zero { 0 } else { value };
        if zero {
            rules.iter_mut().flatten().flatten().for_each(|value| *value = 0);
        }
        StreamCut {
            head: self.head.clone(),
            lines: shown(self.lines),
            bytes: shown(self.bytes),
            levels: self.levels.map(shown),
            last_event: self.last_event,
            size: self.size,
            unread: self.unread,
            rules,
        }
    }

    fn show(&mut self, at: usize, rule: &super::spec::Counted) -> [Option<u64>; 8] {
        if rule.labels.is_empty() { self.show_rule(at, rule.levels) } else { [None; 8] }
    }
}

/// The numbers of all inputs, and what the guard holds.
#[derive(Debug)]
pub struct Cut {
    inputs: Vec<InputCut>,
    held: Vec<(String, u64)>,
}

impl Cut {
    /// Joins the cuts of all inputs.
    pub fn new(inputs: Vec<InputCut>, guard: &Guard) -> Cut {
        Cut { inputs, held: guard.held() }
    }

    fn streams(&self, to: &mut dyn Visit, entry: &Entry, value: impl Fn(&StreamCut) -> u64) {
        to.family(&entry.desc());
        for stream in self.inputs.iter().flat_map(|input| &input.streams) {
            to.sample(&stream.head, &[], Value::Int(value(stream)));
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

    fn series<'a>(&'a self, of: impl Fn(&InputCut, Metric) -> bool + 'a) -> impl Iterator<Item = &'a SeriesCut> {
        self.inputs.iter().flat_map(move |input| {
            let of = |metric| of(input, metric);
            input.series.iter().filter(|s| of(s.metric)).collect::<Vec<_>>()
        })
    }

    fn events(&self, to: &mut dyn Visit) {
        to.family(&catalog::LOG_EVENTS.desc());
        for stream in self.inputs.iter().flat_map(|input| &input.streams) {
            for level in Level::ALL {
                let value = Value::Int(stream.levels[level.index()]);
                to.sample(&stream.head, &[("level", level.as_str())], value);
            }
        }
    }

    fn last_events(&self, to: &mut dyn Visit) {
        to.family(&catalog::LOG_LAST_EVENT_TIMESTAMP_SECONDS.desc());
        for stream in self.inputs.iter().flat_map(|input| &input.streams).filter(|s| s.last_event > 0.0) {
            to.sample(&stream.head, &[], Value::Float(stream.last_event));
        }
    }

    fn patterns(&self, to: &mut dyn Visit) {
        to.family(&catalog::LOG_PATTERN_EVENTS.desc());
        for input in &self.inputs {
            for stream in &input.streams {
                for (rule, levels) in input.plan.rules.iter().zip(&stream.rules) {
                    for (level, value) in Level::ALL.into_iter().zip(levels) {
                        let Some(value) = value else { continue };
                        let more = [("pattern", rule.name.as_str()), ("level", level.as_str())];
                        to.sample(&stream.head, &more, Value::Int(*value));
                    }
                }
            }
        }
        for s in self.series(|_, metric| matches!(metric, Metric::Pattern(_))) {
            s.show(to, &[]);
        }
    }

    /// The metrics that rules define, by name; of two inputs that define one, the first gives its help.
    fn rule_metrics(&self) -> BTreeMap<&str, (Desc, Vec<(&SeriesCut, &[f64])>)> {
        let mut families = BTreeMap::new();
        for input in &self.inputs {
            for family in &input.plan.families {
                families.entry(family.name.as_str()).or_insert_with(|| (desc(family), Vec::new()));
            }
            for s in &input.series {
                let Metric::Rule(family, _) = s.metric else { continue };
                let family = &input.plan.families[family];
                let bounds: &[f64] = match &family.kind {
                    MetricKind::Histogram(bounds) => bounds,
                    _ => &[],
                };
                if let Some((_, list)) = families.get_mut(family.name.as_str()) {
                    list.push((s, bounds));
                }
            }
        }
        families
    }

    fn held(&self, to: &mut dyn Visit) {
        to.family(&catalog::LOGTALLY_SERIES.desc());
        let none = Head::default();
        for (metric, held) in &self.held {
            to.sample(&none, &[("metric", metric)], Value::Int(*held));
        }
    }

    /// A counter labelled by metric, summed over the inputs; known metrics stand at 0.
    fn by_metric(&self, to: &mut dyn Visit, entry: &Entry, known: &[&str], of: fn(&InputRow) -> &[(String, u64)]) {
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

    fn own_metrics(&self, to: &mut dyn Visit) {
        let names = self.inputs.iter().flat_map(|input| &input.plan.families).map(|f| f.name.as_str());
        let with_values: Vec<&str> = names.collect();
        let all: Vec<&str> =
            with_values.iter().copied().chain([PATTERN_EVENTS, super::EXCEPTIONS]).collect();
        self.reasons(to, &catalog::LOGTALLY_FILE_ERRORS, FILE_ERRORS, |c| c.errors);
        self.inputs(to, &catalog::LOGTALLY_FILES, |input| input.files);
        self.reasons(to, &catalog::LOGTALLY_LOST_BYTES, LOST, |c| c.lost);
        self.inputs(to, &catalog::LOGTALLY_ROTATIONS, |input| input.counters.rotations);
        self.held(to);
        self.by_metric(to, &catalog::LOGTALLY_SERIES_OVERFLOW, &all, |c| &c.overflow);
        self.inputs(to, &catalog::LOGTALLY_TRUNCATED_LINES, |input| input.counters.truncated_lines);
        self.inputs(to, &catalog::LOGTALLY_TRUNCATIONS, |input| input.counters.truncations);
        self.by_metric(to, &catalog::LOGTALLY_VALUE_ERRORS, &with_values, |c| &c.value_errors);
    }
}

impl Source for Cut {
    fn visit(&self, to: &mut dyn Visit) {
        self.streams(to, &catalog::LOG_BYTES, |s| s.bytes);
        self.events(to);
        to.family(&catalog::LOG_EXCEPTIONS.desc());
        self.series(|_, metric| metric == Metric::Exceptions).for_each(|s| s.show(to, &[]));
        self.streams(to, &catalog::LOG_FILE_SIZE_BYTES, |s| s.size);
        self.streams(to, &catalog::LOG_FILE_UNREAD_BYTES, |s| s.unread);
        self.last_events(to);
        self.streams(to, &catalog::LOG_LINES, |s| s.lines);
        self.patterns(to);
        self.own_metrics(to);
        for (desc, list) in self.rule_metrics().into_values() {
            to.family(&desc);
            list.into_iter().for_each(|(s, bounds)| s.show(to, bounds));
        }
    }
}

impl SeriesCut {
    fn show(&self, to: &mut dyn Visit, bounds: &[f64]) {
        let more: Vec<(&str, &str)> = self.labels.iter().map(|(n, v)| (&**n, &**v)).collect();
        let value = match &self.number {
            Number::Count(count) => Value::Int(*count),
            Number::Sum(value) | Number::Gauge(value) => Value::Float(*value),
            Number::Histogram(counts, sum) => Value::Histogram(Buckets { bounds, counts, sum: *sum }),
        };
        to.sample(&self.head, &more, value);
    }
}

fn desc(family: &super::plan::Family) -> Desc {
    Desc {
        name: Cow::Owned(family.name.clone()),
        help: Cow::Owned(family.help.clone()),
        kind: match family.kind {
            MetricKind::Counter => Kind::Counter,
            MetricKind::Gauge(_) => Kind::Gauge,
            MetricKind::Histogram(_) => Kind::Histogram,
        },
        unit: family.unit.clone().map(Cow::Owned),
    }
}
