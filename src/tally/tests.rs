//! The laws of exposition, the guard, and what survives the store, on a tally by itself.

use super::cut::Cut;
use super::exposition::{Desc, Head, Source, Value, Visit};
use super::guard::Guard;
use super::plan::Plan;
use super::rows::{InputRow, Rows};
use super::spec::{Counted, Label, Metric, MetricKind};
use super::stream::StreamKey;
use super::template::Template;
use super::{Block, OTHER, Tally};
use crate::level::{Level, Levels};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

mod sparse;

const ERROR: usize = Level::Error.index();

fn label(name: &str, values: &[&str]) -> Label {
    let template = Template::parse(&format!("${{{name}}}")).unwrap();
    Label::new(name.to_owned(), template, Vec::new(), None, values.iter().map(|v| (*v).to_owned()).collect())
}

fn rule(name: &str, labels: Vec<Label>, metrics: Vec<Metric>) -> Counted {
    Counted {
        group: "g".into(),
        name: name.into(),
        labels,
        metrics,
        levels: Levels::NONE.with(Level::Error),
        span: None,
    }
}

fn metric(name: &str, kind: MetricKind) -> Metric {
    let value = Some(Template::parse("${v}").unwrap());
    Metric { name: name.into(), help: "Help.".into(), kind, unit: None, value, native: None }
}

struct Bench {
    tally: Tally,
    guard: Arc<Guard>,
    stream: usize,
    cuts: u32,
}

fn key() -> StreamKey {
    StreamKey { labels: vec![("path".into(), "/a".into())] }
}

fn bench(rules: Vec<Counted>, limit: usize, declare: bool) -> Bench {
    let guard = Arc::new(Guard::new(limit));
    let mut tally = Tally::new("in", Arc::new(Plan::new(rules, declare)), guard.clone());
    let stream = tally.stream(&key(), || Head::new([("input", "in"), ("path", "/a")]), false);
    Bench { tally, guard, stream, cuts: 0 }
}

impl Bench {
    fn hit(&mut self, rule: usize, values: &[(&str, &str)]) {
        let find =
            |name: &str| values.iter().find(|(n, _)| *n == name).map(|(_, v)| Cow::Owned((*v).to_owned()));
        let trace = values.iter().find(|(n, _)| *n == "trace").map(|(_, v)| *v);
        self.tally.hit(self.stream, rule, Level::Error, &find, trace);
    }

    fn scrape(&mut self) -> BTreeMap<String, f64> {
        let mut seen = Seen::default();
        self.cut().visit(&mut seen);
        seen.samples
    }

    fn cut(&mut self) -> Cut {
        self.cuts += 1;
        Cut::new(vec![self.tally.cut(self.cuts, 1)], self.cuts, &self.guard)
    }

    /// The same numbers under new rules, by way of the store.
    fn reborn(&mut self, rules: Vec<Counted>) -> Bench {
        let rows: Rows = self.tally.take_rows();
        let guard = Arc::new(Guard::new(1000));
        let mut tally = Tally::new("in", Arc::new(Plan::new(rules, false)), guard.clone());
        if let Some(counters) = &rows.input {
            tally.restore_counters(counters);
        }
        for (id, row) in &rows.streams {
            tally.restore_stream(&id.stream, row.as_ref().unwrap(), || Head::new([("path", "/a")]));
        }
        for (id, row) in &rows.series {
            tally.restore_series(id, row.as_ref().unwrap());
        }
        Bench { tally, guard, stream: 0, cuts: 0 }
    }
}

/// Samples by name and labels; a histogram by its count and sum. Families must come sorted, each once.
#[derive(Default)]
struct Seen {
    family: String,
    samples: BTreeMap<String, f64>,
}

impl Visit for Seen {
    fn family(&mut self, desc: &Desc) {
        assert!(*desc.name > *self.family, "{} after {}", desc.name, self.family);
        self.family = desc.name.to_string();
    }

    fn sample(&mut self, head: &Head, more: &[(&str, &str)], value: Value<'_>) {
        let fixed =
            head.pairs().iter().map(|(n, v)| (&**n, &**v)).filter(|(n, _)| !matches!(*n, "input" | "path"));
        let labels: Vec<String> =
            fixed.chain(more.iter().copied()).map(|(n, v)| format!("{n}={v}")).collect();
        let name = format!("{} {}", self.family, labels.join(" "));
        let number = match value {
            Value::Int(number) => number as f64,
            Value::Float(number) => number,
            Value::Histogram(buckets) => {
                self.samples.insert(format!("{name}#sum"), buckets.sum);
                buckets.counts.iter().sum::<u64>() as f64
            }
        };
        assert!(self.samples.insert(name.clone(), number).is_none(), "{name} twice");
    }
}

fn pattern(name: &str, more: &str) -> String {
    format!("log_pattern_events_total pattern={name} level=error{more}")
}

#[test]
fn what_is_known_beforehand_stands_at_zero() {
    let methods = vec![label("method", &["GET", "POST"])];
    let mut bench = bench(vec![rule("plain", vec![], vec![]), rule("http", methods, vec![])], 100, true);
    let first = bench.scrape();
    assert_eq!(first.get(&pattern("plain", "")), Some(&0.0));
    assert_eq!(first.get(&pattern("http", " method=POST")), Some(&0.0));
    assert_eq!(first.iter().filter(|(name, _)| name.starts_with("log_events_total")).count(), 8);
    bench.hit(0, &[]);
    bench.hit(1, &[("method", "GET")]);
    let next = bench.scrape();
    assert_eq!(next[&pattern("plain", "")], 1.0, "no waiting where the series stood there");
    assert_eq!(next[&pattern("http", " method=GET")], 1.0);
}

#[test]
fn what_nobody_knew_is_shown_at_zero_for_one_scrape() {
    let mut bench = bench(vec![rule("db", vec![label("db", &[])], vec![])], 100, true);
    bench.hit(0, &[("db", "orders")]);
    bench.hit(0, &[("db", "orders")]);
    assert_eq!(bench.scrape()[&pattern("db", " db=orders")], 0.0);
    assert_eq!(bench.scrape()[&pattern("db", " db=orders")], 2.0);
}

#[test]
fn whoever_looked_before_sees_each_birth_at_zero_once() {
    let db = pattern("db", " db=orders");
    let wait = metric("wait_seconds", MetricKind::Histogram(vec![1.0]));
    let mut bench = bench(vec![rule("db", vec![label("db", &[])], vec![wait])], 100, true);
    bench.cut();
    bench.hit(0, &[("db", "orders"), ("v", "3")]);
    let (born, next) = (bench.cut(), bench.cut());
    let shown = |cut: &Cut, since| {
        let mut seen = Seen::default();
        cut.clone().since(since).visit(&mut seen);
        (seen.samples[&db], seen.samples["wait_seconds db=orders"])
    };
    assert_eq!([shown(&born, 1), shown(&born, 0), shown(&born, 2)], [(0.0, 0.0), (0.0, 0.0), (1.0, 1.0)]);
    // One who has not seen that cut sees in the next one what it showed.
    assert_eq!([shown(&next, 2), shown(&next, 1), shown(&next, 3)], [(1.0, 1.0), (0.0, 0.0), (1.0, 1.0)]);
}

#[test]
fn a_file_that_appears_is_shown_at_zero_for_one_scrape() {
    let mut bench = bench(vec![rule("plain", vec![], vec![])], 100, true);
    bench.scrape();
    let late = StreamKey { labels: vec![("path".into(), "/b".into())] };
    let at = bench.tally.stream(&late, || Head::new([("file", "b")]), true);
    let mut block = Block { lines: 3, bytes: 30, ..Block::default() };
    block.levels[ERROR] = 3;
    bench.tally.add(at, &block, 1.0);
    bench.tally.hit(at, 0, Level::Error, &|_| None, None);
    let first = bench.scrape();
    assert_eq!(first["log_events_total file=b level=error"], 0.0);
    assert_eq!(first["log_lines_total file=b"], 0.0);
    assert_eq!(first["log_pattern_events_total file=b pattern=plain level=error"], 0.0);
    let next = bench.scrape();
    assert_eq!(next["log_events_total file=b level=error"], 3.0);
    assert_eq!(next["log_pattern_events_total file=b pattern=plain level=error"], 1.0);
}

#[test]
fn past_the_limit_sums_stay_right() {
    let mut bench = bench(vec![rule("db", vec![label("db", &[])], vec![])], 3, true);
    for n in 0..1000 {
        bench.hit(0, &[("db", &format!("db{}", n % 100))]);
    }
    bench.scrape();
    let shown = bench.scrape();
    let of_rule = |(name, _): &(&String, &f64)| name.starts_with("log_pattern_events_total");
    assert_eq!(shown.iter().filter(of_rule).map(|(_, count)| count).sum::<f64>(), 1000.0);
    assert_eq!(shown.iter().filter(of_rule).count(), 4);
    assert_eq!(shown[&pattern("db", &format!(" db={OTHER}"))], 970.0);
    assert_eq!(shown["logtally_series_overflow_total metric=log_pattern_events_total"], 970.0);
    assert_eq!(shown["logtally_series metric=log_pattern_events_total"], 3.0);
}

#[test]
fn values_that_are_no_numbers_are_counted_and_not_added() {
    let seconds = metric("wait_seconds", MetricKind::Histogram(vec![1.0, 10.0]));
    let mut bench = bench(vec![rule("wait", vec![], vec![seconds])], 100, true);
    for value in ["5", "much", "0.5", "100"] {
        bench.hit(0, &[("v", value)]);
    }
    let shown = bench.scrape();
    assert_eq!((shown["wait_seconds "], shown["wait_seconds #sum"]), (3.0, 105.5));
    assert_eq!(shown["logtally_value_errors_total metric=wait_seconds"], 1.0);
    assert_eq!(shown[&pattern("wait", "")], 4.0, "the event counts all the same");
}

#[test]
fn numbers_survive_the_store_and_a_new_order_of_rules() {
    let rules = || {
        let sum = metric("moved_total", MetricKind::Counter);
        vec![rule("plain", vec![], vec![]), rule("db", vec![label("db", &[])], vec![sum])]
    };
    let mut bench = bench(rules(), 100, false);
    bench.tally.add(0, &Block { lines: 7, bytes: 70, levels: [1; 8], truncated: 2 }, 5.0);
    bench.hit(0, &[]);
    bench.hit(1, &[("db", "x"), ("v", "2.5")]);
    bench.scrape();
    let before = bench.scrape();
    let turned = rules().into_iter().rev().collect();
    let mut after = bench.reborn(turned);
    assert_eq!(after.scrape(), before);
    assert_eq!(before[&pattern("db", " db=x")], 1.0);
    assert_eq!(before["moved_total db=x"], 2.5);
}

#[test]
fn a_rule_whose_labels_changed_starts_anew() {
    let mut bench = bench(vec![rule("db", vec![label("db", &[])], vec![])], 100, false);
    bench.hit(0, &[("db", "x")]);
    let mut after = bench.reborn(vec![rule("db", vec![label("host", &[])], vec![])]);
    assert_eq!(after.scrape().keys().filter(|name| name.starts_with("log_pattern")).count(), 0);
}

#[test]
fn a_histogram_with_other_buckets_starts_anew() {
    let wait = |bounds: &[f64]| {
        vec![rule("wait", vec![], vec![metric("wait_seconds", MetricKind::Histogram(bounds.to_vec()))])]
    };
    for (before, after) in
        [(&[1.0][..], &[1.0, 2.0, 4.0][..]), (&[1.0, 2.0, 4.0], &[1.0]), (&[1.0, 2.0], &[1.0, 3.0])]
    {
        let mut bench = bench(wait(before), 100, false);
        bench.hit(0, &[("v", "0.5")]);
        bench.scrape();
        let mut after = bench.reborn(wait(after));
        after.hit(0, &[("v", "100")]);
        after.scrape();
        assert_eq!(after.scrape()["wait_seconds "], 1.0);
    }
}

#[test]
fn a_stream_that_retires_leaves_with_its_series() {
    let mut bench = bench(vec![rule("db", vec![label("db", &[])], vec![])], 1, false);
    bench.hit(0, &[("db", "x")]);
    bench.tally.take_rows();
    bench.tally.retire(0);
    assert!(bench.scrape().keys().all(|name| !name.starts_with("log_") || name.ends_with("total ")));
    let rows = bench.tally.take_rows();
    assert!(rows.streams[0].1.is_none() && rows.series[0].1.is_none());
    bench.stream = bench.tally.stream(&key(), Head::default, false);
    bench.hit(0, &[("db", "y")]);
    bench.scrape();
    assert_eq!(bench.scrape()[&pattern("db", " db=y")], 1.0, "the guard has room again");
}

#[test]
fn two_tallies_add_up() {
    let rules = || vec![rule("plain", vec![], vec![]), rule("db", vec![label("db", &[])], vec![])];
    let (mut one, mut two) = (bench(rules(), 100, false), bench(rules(), 100, false));
    for bench in [&mut one, &mut two] {
        bench.tally.add(
            0,
            &Block { lines: 2, bytes: 9, levels: [0, 0, 1, 0, 0, 1, 0, 0], truncated: 1 },
            1.0,
        );
        bench.hit(0, &[]);
        bench.hit(1, &[("db", "x")]);
    }
    two.hit(1, &[("db", "y")]);
    one.tally.absorb(&two.tally);
    one.tally.settle();
    let shown = one.scrape();
    assert_eq!(shown["log_lines_total "], 4.0);
    assert_eq!(shown["log_events_total level=error"], 2.0);
    assert_eq!(shown[&pattern("plain", "")], 2.0);
    assert_eq!((shown[&pattern("db", " db=x")], shown[&pattern("db", " db=y")]), (2.0, 1.0));
    assert_eq!(shown["logtally_truncated_lines_total "], 2.0);
}

#[test]
fn zeros_of_a_part_take_no_room_from_what_counted() {
    let rules = || vec![rule("x", vec![label("kind", &["a", "b", "c", "d"])], vec![])];
    let mut all = bench(rules(), 2, true);
    let mut part = bench(rules(), 1000, true);
    part.hit(0, &[("kind", "d")]);
    all.tally.absorb(&part.tally);
    all.tally.settle();
    let shown = all.scrape();
    assert_eq!(shown[&pattern("x", " kind=d")], 1.0);
    assert!(shown.keys().all(|series| !series.contains(OTHER)), "{shown:?}");
}

#[test]
fn counters_of_stores_without_spans_are_read() {
    let row = InputRow { rotations: 3, ..InputRow::default() };
    let mut bytes = postcard::to_stdvec(&row).unwrap();
    // The empty list that an earlier version did not write.
    assert_eq!(bytes.pop(), Some(0));
    assert_eq!(postcard::from_bytes::<InputRow>(&bytes).unwrap(), row);
}

#[test]
fn births_survive_the_store_and_are_unknown_to_older_ones() {
    let rules = || vec![rule("db", vec![label("db", &[])], vec![])];
    let guard = Arc::new(Guard::new(9));
    let mut tally = Tally::new("in", Arc::new(Plan::new(rules(), false)), guard.clone());
    tally.set_now(7.0);
    let stream = tally.stream(&key(), Head::default, false);
    tally.cut(1, 1);
    tally.set_now(9.0);
    let mut bench = Bench { tally, guard, stream, cuts: 0 };
    bench.hit(0, &[("db", "x")]);
    let rows = bench.tally.export();
    let (stream, series) = (rows.streams[0].1.clone().unwrap(), rows.series[0].1.clone().unwrap());
    assert_eq!((stream.created, series.created), (7.0, 9.0));
    let mut after = bench.reborn(rules());
    after.tally.restore_stream(&key(), &stream, Head::default);
    let again = after.tally.export();
    assert_eq!(again.streams[0].1.as_ref().unwrap().created, 7.0);
    // An earlier version wrote all but the eight bytes at the end.
    let mut old = postcard::to_stdvec(&series).unwrap();
    old.truncate(old.len() - 8);
    let read: super::rows::SeriesRow = postcard::from_bytes(&old).unwrap();
    assert_eq!((read.number, read.created), (series.number, 0.0));
    let mut old = postcard::to_stdvec(&stream).unwrap();
    old.truncate(old.len() - 8);
    assert_eq!(postcard::from_bytes::<super::rows::StreamRow>(&old).unwrap().created, 0.0);
}
