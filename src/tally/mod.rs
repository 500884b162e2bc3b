//! The tally of one input: dense numbers per stream, series born of label values, and the guard over their number.
//!
//! Log series are not held by the `prometheus` crate's registry: its `*Vec` keys a child by a bare 64-bit hash of the
//! concatenated label values and never compares them, and walking 100,000 of its children costs hundreds of times
//! more than walking plain numbers. Events come in through [`Tally::add`] and [`Tally::hit`], a consistent copy for a
//! scrape leaves as a [`Cut`](cut::Cut), changed rows leave for the store.

mod birth;
pub mod catalog;
mod chunk;
mod chunks;
pub mod cut;
pub mod exemplar;
pub mod exposition;
pub mod guard;
mod hit;
mod keep;
pub mod native;
pub mod pairs;
pub mod plan;
pub mod rows;
pub mod samples;
pub mod series;
pub mod span;
pub mod spec;
pub mod stream;
pub mod template;
mod totals;
pub mod units;

use crate::level::Level;
use chunks::SeriesStore;
use exposition::Head;
use guard::Guard;
use keep::series_id;
use pairs::Pairs;
use plan::Plan;
use rows::{InputRow, Rows, StreamId};
use series::{Metric, Number};
use spec::{Action, MetricKind};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use stream::{Stream, StreamKey};

/// The metric that counts rules' matches.
pub const PATTERN_EVENTS: &str = "log_pattern_events_total";
/// The metric that counts exception types.
pub const EXCEPTIONS: &str = "log_exceptions_total";
/// What takes the place of rule-given label values past the guard.
pub const OTHER: &str = "__other__";

/// Lines, bytes and events of a block, added at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in `Stream`")]
pub struct Block {
    pub lines: u64,
    pub bytes: u64,
    pub levels: [u64; 8],
    /// Lines longer than the limit.
    pub truncated: u64,
}

/// The numbers of one input.
#[derive(Debug)]
pub struct Tally {
    input: String,
    plan: Arc<Plan>,
    guard: Arc<Guard>,
    streams: Vec<Option<Stream>>,
    by_key: HashMap<StreamKey, usize>,
    series: SeriesStore,
    counters: InputRow,
    counters_dirty: bool,
    removed: Rows,
    text: String,
    /// For each rule, when it last matched, in seconds since the epoch; 0 for never in this run.
    last_match: Vec<f64>,
    /// For each rule, a line that it matched; only where samples are wanted.
    samples: Vec<Option<samples::Sample>>,
    now: f64,
    /// For each rule, the seconds spent confirming it; kept in the counters' row by name.
    seconds: Vec<f64>,
}

impl Tally {
    /// An empty tally for the input of this name.
    pub fn new(input: &str, plan: Arc<Plan>, guard: Arc<Guard>) -> Tally {
        let plan_rules = plan.rules.len();
        Tally {
            input: input.to_owned(),
            plan,
            guard,
            streams: Vec::new(),
            by_key: HashMap::new(),
            series: SeriesStore::default(),
            counters: InputRow::default(),
            counters_dirty: true,
            removed: Rows::default(),
            text: String::new(),
            last_match: vec![0.0; plan_rules],
            samples: vec![None; plan_rules],
            now: 0.0,
            seconds: vec![0.0; plan_rules],
        }
    }

    /// The stream of this key; made where it is not there yet. `head` gives its labels, `newborn` says that nobody
    /// could know of it beforehand.
    pub fn stream(&mut self, key: &StreamKey, head: impl FnOnce() -> Head, newborn: bool) -> usize {
        if let Some(&at) = self.by_key.get(key) {
            return at;
        }
        let at = self.streams.len();
        let mut stream = Stream::new(key.clone(), Arc::new(head()), newborn);
        stream.created = self.now;
        stream.exposed = self.plan.declare && self.guard.expose(PATTERN_EVENTS, self.plan.known_series());
        self.streams.push(Some(stream));
        self.by_key.insert(key.clone(), at);
        if self.plan.declare {
            self.declare(at);
        }
        at
    }

    /// Adds what a block held. `now` is in seconds since the epoch.
    pub fn add(&mut self, stream: usize, block: &Block, now: f64) {
        if block.truncated > 0 {
            self.change_counters(|counters| counters.truncated_lines += block.truncated);
        }
        let Some(stream) = self.streams.get_mut(stream).and_then(Option::as_mut) else { return };
        let numbers = stream.change();
        numbers.lines += block.lines;
        numbers.bytes += block.bytes;
        numbers.levels.iter_mut().zip(block.levels).for_each(|(sum, more)| *sum += more);
        if block.levels != [0; 8] {
            numbers.last_event = now;
        }
    }

    /// Counts an exception type.
    pub fn exception(&mut self, stream: usize, name: &str) {
        self.text.clear();
        self.text.extend(name.chars().take(spec::LABEL_CHARS));
        let pairs = Pairs::from_iter([("exception", &self.text)]);
        let at = self.born(stream, Metric::Exceptions, pairs, Number::Count(0));
        self.increment(at);
    }

    fn increment(&mut self, at: usize) {
        if let Number::Count(count) = self.series.change(at) {
            *count += 1;
        }
    }

    /// Confirming a rule took this long.
    pub fn spent(&mut self, rule: usize, time: Duration) {
        self.seconds[rule] += time.as_secs_f64();
        self.counters_dirty = true;
    }

    /// Seconds spent confirming each rule.
    pub fn rule_seconds(&self) -> &[f64] {
        &self.seconds
    }

    /// What the time is, in seconds since the epoch, for what is counted from now on.
    pub fn set_now(&mut self, now: f64) {
        self.now = now;
    }

    /// Starts of a rule's spans were given up.
    pub fn spans_dropped(&mut self, rule: usize, why: span::Drop, count: u64) {
        let key = plan::rule_key(&self.plan.rules[rule]);
        self.change_counters(|counters| {
            *dropped(&mut counters.spans_dropped, &key, why as usize) += count;
        });
    }

    /// Changes the counters that belong to the input as a whole.
    pub fn change_counters(&mut self, change: impl FnOnce(&mut InputRow)) {
        change(&mut self.counters);
        self.counters_dirty = true;
    }

    /// Forgets what is known of all streams' files; they are told anew by [`Tally::add_file`] before a cut.
    pub fn clear_files(&mut self) {
        let streams = self.streams.iter_mut().flatten();
        streams.for_each(|stream| (stream.size, stream.unread, stream.format) = (0, 0, ""));
    }

    /// Adds a file of a stream: its size and unread part in bytes, and the format that it has shown.
    pub fn add_file(&mut self, stream: usize, size: u64, unread: u64, format: Option<&'static str>) {
        if let Some(stream) = self.streams.get_mut(stream).and_then(Option::as_mut) {
            stream.size += size;
            stream.unread += unread;
            stream.format = format.unwrap_or(stream.format);
        }
    }

    /// The streams, with their positions.
    pub fn streams(&self) -> impl Iterator<Item = (usize, &Stream)> {
        self.streams.iter().enumerate().filter_map(|(at, stream)| Some((at, stream.as_ref()?)))
    }

    /// The counters of the input as a whole.
    pub fn counters(&self) -> &InputRow {
        &self.counters
    }

    /// The rules it counts for.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Lets a stream and all its series leave.
    pub fn retire(&mut self, stream: usize) {
        let Some(gone) = self.streams.get_mut(stream).and_then(Option::take) else { return };
        self.by_key.remove(&gone.key);
        if gone.exposed {
            self.guard.withdraw(PATTERN_EVENTS, self.plan.known_series());
        }
        let mut ids = Vec::new();
        let mut names = Vec::new();
        let plan = self.plan.clone();
        self.series.retain(
            |s| s.stream != stream,
            |s| {
                ids.push((series_id(&self.input, &gone.key, &plan, s), None));
                names.push(metric_name(&plan, s.metric).to_owned());
            },
        );
        names.iter().for_each(|name| self.guard.release(name, 1));
        self.removed.series.extend(ids);
        self.removed.streams.push((StreamId { input: self.input.clone(), stream: gone.key }, None));
    }

    /// Adds all that another tally of the same plan counted, stream by stream.
    pub fn absorb(&mut self, other: &Tally) {
        for (at, stream) in other.streams() {
            let mine = self.stream(&stream.key, || (*stream.head).clone(), false);
            if let Some(target) = self.streams[mine].as_mut() {
                target.change().absorb(&stream.numbers);
            }
            for series in other.series.iter().filter(|s| s.stream == at) {
                let key = series.key();
                // What the other shows at 0 beforehand takes no room from what counted: it stands here too, or the limit of
                // such zeros is reached.
                if series.number.is_nothing_yet() && self.is_known_beforehand(mine, &key) {
                    continue;
                }
                let mine = self.born(mine, key.metric, key.labels, series.number.zero());
                self.series.absorb(mine, series);
            }
        }
        let more = other.counters();
        self.change_counters(|counters| {
            counters.truncated_lines += more.truncated_lines;
            counters.lost.iter_mut().zip(more.lost).for_each(|(sum, more)| *sum += more);
            for (name, count) in &more.value_errors {
                (0..*count).for_each(|_| bump(&mut counters.value_errors, name));
            }
            for (rule, counts) in &more.spans_dropped {
                let sums = counts.iter().enumerate();
                sums.for_each(|(why, more)| *dropped(&mut counters.spans_dropped, rule, why) += more);
            }
        });
    }
}

fn metric_name(plan: &Plan, metric: Metric) -> &str {
    match metric {
        Metric::Exceptions => EXCEPTIONS,
        Metric::Pattern(_) => PATTERN_EVENTS,
        Metric::Rule(family, _) => &plan.families[family].name,
    }
}

fn label_pairs<'a>(
    rule: &'a spec::Counted,
    values: &'a [String],
) -> impl Iterator<Item = (&'a str, &'a str)> {
    rule.labels.iter().zip(values).map(|(label, value)| (label.name.as_str(), value.as_str()))
}

fn pattern_pairs(rule: &spec::Counted, level: Level, values: &[String]) -> Pairs {
    let fixed = [("pattern", rule.name.as_str()), ("level", level.as_str())];
    fixed.into_iter().chain(label_pairs(rule, values)).collect()
}

fn empty(kind: &MetricKind) -> Number {
    match kind {
        MetricKind::Counter => Number::Sum(0.0),
        // The first value is the smallest and the largest so far.
        MetricKind::Gauge(Action::Min | Action::Max) => Number::Gauge(f64::NAN),
        MetricKind::Gauge(_) => Number::Gauge(0.0),
        MetricKind::Histogram(bounds) => Number::Histogram(vec![0; bounds.len() + 1], 0.0),
    }
}

/// Adds one under a name in a short list.
fn bump(counts: &mut Vec<(String, u64)>, name: &str) {
    match counts.iter_mut().find(|(known, _)| known == name) {
        Some((_, count)) => *count += 1,
        None => counts.push((name.to_owned(), 1)),
    }
}

/// The count of a rule's starts that were given up for a reason, in a short list.
fn dropped<'a>(counts: &'a mut Vec<(String, [u64; 5])>, rule: &str, why: usize) -> &'a mut u64 {
    let at = counts.iter().position(|(known, _)| known == rule).unwrap_or_else(|| {
        counts.push((rule.to_owned(), [0; 5]));
        counts.len() - 1
    });
    &mut counts[at].1[why]
}

#[cfg(test)]
mod tests;
