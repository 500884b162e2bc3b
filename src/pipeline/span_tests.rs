//! Rules with a start and an end against a naive model: any lines, any cuts, any crashes.

use super::*;
use crate::level::Levels;
use crate::parse;
use crate::tally::exposition::Head;
use crate::tally::guard::Guard;
use crate::tally::plan::{Plan, rule_key};
use crate::tally::rows::Rows;
use crate::tally::series::{Metric, Number};
use crate::tally::span::{Drop, Span};
use crate::tally::spec::{self, Counted, MetricKind};
use crate::tally::stream::StreamKey;
use crate::tally::template::Template;
use crate::tally::units::Unit;
use proptest::prelude::*;
use std::collections::BTreeMap;

const TIMEOUT_MS: i64 = 10_000;

#[derive(Clone, Copy, Debug)]
enum What {
    /// The user who begins, and whether the key stands there.
    Begin(u8, bool),
    Finish(bool),
    /// Ends the span and begins the next.
    Turn,
    Noise,
}

/// A line: what it says of which key, how many milliseconds after the one before, and whether it only goes on with
/// the event above.
#[derive(Clone, Copy, Debug)]
struct Step {
    what: What,
    key: u8,
    after: i64,
    further: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let what = prop_oneof![
        4 => (0..3u8, prop::bool::weighted(0.95)).prop_map(|(user, keyed)| What::Begin(user, keyed)),
        4 => any::<bool>().prop_map(What::Finish),
        1 => Just(What::Turn),
        2 => Just(What::Noise),
    ];
    let after = prop_oneof![6 => 0..4000i64, 1 => -1500..0i64, 1 => 9000..12_000i64];
    (what, 0..4u8, after, prop::bool::weighted(0.15)).prop_map(|(what, key, after, further)| Step {
        what,
        key,
        after,
        further,
    })
}

fn text(step: &Step) -> String {
    match step.what {
        What::Begin(user, true) => format!("begin k{} by u{user}", step.key),
        What::Begin(user, false) => format!("begin by u{user}"),
        What::Finish(good) => format!("finish k{} {}", step.key, if good { "ok" } else { "bad" }),
        What::Turn => format!("turn k{}", step.key),
        What::Noise => "something else".to_owned(),
    }
}

/// The time as the layout shows it, in milliseconds since the first line's day began.
fn shown(layout: usize, ms: i64) -> i64 {
    match layout {
        0 => ms,
        1 => ms / 1000 * 1000,
        _ => 0,
    }
}

fn line(layout: usize, step: &Step, ms: i64) -> String {
    let text = text(step);
    if step.further {
        return format!("  {text}\n");
    }
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    let (seconds, ms) = (ms / 1000 % 60, ms % 1000);
    match layout {
        0 => format!("2026-11-20 {hours:02}:{minutes:02}:{seconds:02},{ms:03} INFO shop {text}\n"),
        1 => format!("Nov 20 {hours:02}:{minutes:02}:{seconds:02} host shop[7]: {text}\n"),
        _ => format!("INFO:shop:{text}\n"),
    }
}

/// What was counted: events and their milliseconds by outcome and user, and starts given up by reason.
#[derive(Debug, Default, PartialEq)]
struct Counts {
    events: BTreeMap<(String, String), (u64, i64)>,
    dropped: [u64; 5],
}

#[derive(Default)]
struct Model {
    /// Key, time and user, from the oldest on.
    open: Vec<(u8, i64, String)>,
    counts: Counts,
}

impl Model {
    fn take(&mut self, key: u8) -> Option<(i64, String)> {
        let at = self.open.iter().position(|(known, ..)| *known == key)?;
        let (_, began, user) = self.open.remove(at);
        Some((began, user))
    }

    fn expire(&mut self, now: i64) {
        while self.open.first().is_some_and(|(_, began, _)| now - began > TIMEOUT_MS) {
            self.open.remove(0);
            self.counts.dropped[Drop::Timeout as usize] += 1;
        }
    }

    fn finish(&mut self, key: u8, now: i64, outcome: &str) {
        let found = self.take(key);
        self.expire(now);
        match found {
            Some((began, _)) if now - began > TIMEOUT_MS => {
                self.counts.dropped[Drop::Timeout as usize] += 1;
            }
            Some((began, user)) => {
                let sum = self.counts.events.entry((outcome.to_owned(), user)).or_default();
                *sum = (sum.0 + 1, sum.1 + (now - began).max(0));
            }
            None => {}
        }
    }

    fn begin(&mut self, key: u8, now: i64, user: String) {
        self.expire(now);
        if self.take(key).is_some() {
            self.counts.dropped[Drop::Replaced as usize] += 1;
        }
        self.open.push((key, now, user));
    }

    fn run(layout: usize, steps: &[(Step, i64)]) -> Counts {
        let mut model = Model::default();
        let (mut matched, mut now, mut inside) = (false, 0, false);
        for (step, ms) in steps {
            if !step.further {
                (matched, now, inside) = (false, shown(layout, *ms), true);
            }
            if matched || !inside {
                continue;
            }
            matched = !matches!(step.what, What::Noise);
            match step.what {
                What::Begin(_, false) => model.counts.dropped[Drop::Key as usize] += 1,
                What::Begin(user, true) => model.begin(step.key, now, format!("u{user}")),
                What::Finish(good) => model.finish(step.key, now, if good { "ok" } else { "bad" }),
                What::Turn => {
                    model.finish(step.key, now, "");
                    model.begin(step.key, now, String::new());
                }
                What::Noise => {}
            }
        }
        model.counts.dropped[Drop::Unfinished as usize] += model.open.len() as u64;
        model.counts
    }
}

fn template(text: &str) -> Template {
    Template::parse(text).unwrap()
}

fn rule() -> (Pattern, Counted) {
    let any = [
        r"finish (?P<key>k\d) (?P<outcome>\w+)",
        r"turn (?P<key>k\d)",
        r"begin (?:(?P<key>k\d) )?by (?P<user>\w+)",
        r"turn (?P<key>k\d)",
    ];
    let pattern = Pattern {
        name: "test/timed".into(),
        any: any.map(str::to_owned).to_vec(),
        not: None,
        levels: Levels::ALL,
        target: Target::Message,
    };
    let label = |name: &str| {
        let text = template(&format!("${{{name}}}"));
        spec::Label::new(name.to_owned(), text, Vec::new(), None, Vec::new())
    };
    let metric = spec::Metric {
        name: "timed_seconds".into(),
        help: String::new(),
        kind: MetricKind::Histogram(vec![1.0]),
        unit: Unit::from_name("ms"),
        value: Some(template("${duration}")),
        native: None,
    };
    let span = Span {
        starts: 2,
        key: template("<${key}>"),
        timeout: TIMEOUT_MS as u64 * 1_000_000,
        kept: vec!["user".into()],
    };
    let counted = Counted {
        group: "test".into(),
        name: "timed".into(),
        labels: vec![label("outcome"), label("user")],
        metrics: vec![metric],
        levels: Levels::ALL,
        span: Some(span),
    };
    (pattern, counted)
}

/// What a commit holds.
struct Commit {
    carry: Vec<u8>,
    rows: Rows,
    at: usize,
}

struct World {
    pipeline: Pipeline,
    plan: Arc<Plan>,
    carry: Carry,
    tally: Tally,
    stream: usize,
    scratch: Scratch,
}

impl World {
    fn new() -> World {
        let (pattern, counted) = rule();
        let parser = Parser::new(&parse::Options::default()).unwrap();
        let scanner = Arc::new(Scanner::new(std::slice::from_ref(&pattern)).unwrap());
        let pipeline = Pipeline::new(parser, scanner, &[pattern], Limits::default());
        let plan = Arc::new(Plan::new(vec![counted], false));
        let (tally, stream) = World::tally(&plan);
        World { pipeline, plan, carry: Carry::default(), tally, stream, scratch: Scratch::default() }
    }

    fn tally(plan: &Arc<Plan>) -> (Tally, usize) {
        let mut tally = Tally::new("test", plan.clone(), Arc::new(Guard::new(usize::MAX)));
        let stream = tally.stream(&StreamKey::default(), Head::default, false);
        (tally, stream)
    }

    fn feed(&mut self, block: &str) {
        let mut into = Into { tally: &mut self.tally, stream: self.stream, now: 5.0, clock: None };
        self.pipeline.feed(
            &mut self.carry,
            block.as_bytes(),
            block.len() as u64,
            &mut into,
            &mut self.scratch,
        );
    }

    fn commit(&mut self, at: usize) -> Commit {
        let saved = self.carry.save(|at| rule_key(&self.plan.rules[at as usize]));
        Commit { carry: postcard::to_stdvec(&saved).unwrap(), rows: self.tally.export(), at }
    }

    /// Everything that was not committed is gone.
    fn crash(&mut self, commit: &Commit) {
        let saved = postcard::from_bytes(&commit.carry).unwrap();
        self.carry = Carry::restore(&saved, |name| self.plan.rule(name).map(|at| at as u32));
        (self.tally, self.stream) = World::tally(&self.plan);
        self.tally.restore_counters(commit.rows.input.as_ref().unwrap());
        for (id, row) in &commit.rows.streams {
            self.tally.restore_stream(&id.stream, row.as_ref().unwrap(), Head::default);
        }
        for (id, row) in &commit.rows.series {
            assert!(self.tally.restore_series(id, row.as_ref().unwrap()));
        }
    }

    fn end(mut self) -> Counts {
        let mut into = Into { tally: &mut self.tally, stream: self.stream, now: 5.0, clock: None };
        self.pipeline.end_file(&mut self.carry, &mut into, &mut self.scratch);
        let mut counts = Counts::default();
        for series in self.tally.series() {
            let label = |name: &str| {
                let found = series.labels.iter().find(|(known, _)| **known == *name);
                found.map_or(String::new(), |(_, value)| value.to_string())
            };
            let sum = counts.events.entry((label("outcome"), label("user"))).or_default();
            match (&series.metric, series.number) {
                (Metric::Pattern(_), Number::Count(count)) => sum.0 += count,
                (_, Number::Histogram(observed, seconds)) => {
                    sum.1 += (seconds * 1000.0).round() as i64;
                    assert!(observed.iter().sum::<u64>() > 0);
                }
                other => panic!("{other:?}"),
            }
        }
        if let Some((_, dropped)) = self.tally.counters().spans_dropped.first() {
            counts.dropped = *dropped;
        }
        counts
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn spans_are_those_of_a_naive_model_whatever_the_cuts_and_crashes(
        layout in 0..3usize,
        steps in prop::collection::vec(step(), 1..80),
        fates in prop::collection::vec((1..9usize, 0..6u8), 1..60),
    ) {
        let mut steps = steps;
        // Without an event above it, a further line would be one itself.
        steps[0].further = false;
        let mut ms = 36_000_000;
        let timed: Vec<(Step, i64)> = steps.iter().map(|step| {
            ms += if step.further { 0 } else { step.after };
            (*step, ms)
        }).collect();
        let lines: Vec<String> = timed.iter().map(|(step, ms)| line(layout, step, *ms)).collect();
        let mut world = World::new();
        let mut commit = world.commit(0);
        let mut at = 0;
        let mut fates = fates.iter().cycle();
        let mut crashes = 0;
        while at < lines.len() {
            let (length, fate) = fates.next().unwrap();
            let to = (at + length).min(lines.len());
            world.feed(&lines[at..to].concat());
            at = to;
            match fate {
                0 | 1 => commit = world.commit(at),
                2 if crashes < 20 => {
                    crashes += 1;
                    world.crash(&commit);
                    at = commit.at;
                }
                _ => {}
            }
        }
        prop_assert_eq!(world.end(), Model::run(layout, &timed), "{}", lines.concat());
    }
}

#[test]
fn rules_without_a_span_any_more_let_go_of_what_was_open() {
    let mut world = World::new();
    world.feed("2026-11-20 12:00:00,000 INFO shop begin k1 by u1\n");
    assert!(!world.carry.open.as_ref().unwrap().spans.is_empty());
    let (_, counted) = rule();
    world.plan = Arc::new(Plan::new(vec![Counted { span: None, ..counted }], false));
    (world.tally, world.stream) = World::tally(&world.plan);
    world.feed("2026-11-20 12:00:01,000 INFO shop other\n");
    assert!(world.carry.open.as_ref().unwrap().spans.is_empty());
}
