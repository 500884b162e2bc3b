//! The encoders against outside referees and against each other.

use std::borrow::Cow;
use std::io::Write;
use std::process::{Command, Stdio};

use prometheus::{
    Gauge, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry, TextEncoder,
};

use super::*;
use crate::tally::exposition::{Buckets, Desc, Head, Kind, Value, Visit};

/// A source written down as a walk.
pub(super) struct Walk(pub(super) fn(&mut dyn Visit));

impl Source for Walk {
    fn visit(&self, to: &mut dyn Visit) {
        (self.0)(to);
    }
}

pub(super) fn desc(name: &'static str, help: &'static str, kind: Kind, unit: Option<&'static str>) -> Desc {
    Desc { name: name.into(), help: help.into(), kind, unit: unit.map(Cow::Borrowed) }
}

pub(super) fn encoded(format: impl Into<Style>, source: &dyn Source) -> Vec<u8> {
    let mut all = Vec::new();
    encode(format, source, &mut |chunk| {
        assert!(!chunk.is_empty());
        all.extend_from_slice(&chunk);
    });
    all
}

pub(super) fn text(format: impl Into<Style>, source: &dyn Source) -> String {
    String::from_utf8(encoded(format, source)).unwrap()
}

fn nothing(_: &mut dyn Visit) {}

fn sample_walk(to: &mut dyn Visit) {
    let app = Head::new([("input", "shop"), ("path", "/var/log/\"a\"\\b\n.log")]);
    to.family(&desc("log_events_total", "Events by level.\nA \\ and a \".", Kind::Counter, None));
    to.sample(&app, &[("level", "error")], Value::Int(9_007_199_254_740_993));
    to.sample(&app, &[("level", "in\"fo")], Value::Int(0));
    to.family(&desc("log_file_size_bytes", "Size of the file.", Kind::Gauge, Some("bytes")));
    to.sample(&Head::default(), &[], Value::Float(1.5e300));
    to.family(&desc("log_nothing", "Never written.", Kind::Gauge, None));
    to.family(&desc("log_wait_seconds", "Waiting time.", Kind::Histogram, Some("seconds")));
    to.sample(
        &app,
        &[],
        Value::Histogram(Buckets { bounds: &[0.00001, 1.0, 1e6], counts: &[1, 2, 0, 4], sum: 12.5 }),
    );
    to.sample(&app, &[("x", "y")], Value::Int(3));
    to.family(&desc("log_word", "Of no known type.", Kind::Untyped, None));
    to.sample(&Head::default(), &[("a", "b")], Value::Float(f64::NEG_INFINITY));
}

const GOLDEN_TEXT: &str = r#"# HELP log_events_total Events by level.\nA \\ and a ".
# TYPE log_events_total counter
log_events_total{input="shop",path="/var/log/\"a\"\\b\n.log",level="error"} 9007199254740993
log_events_total{input="shop",path="/var/log/\"a\"\\b\n.log",level="in\"fo"} 0
# HELP log_file_size_bytes Size of the file.
# TYPE log_file_size_bytes gauge
log_file_size_bytes 1.5e+300
# HELP log_wait_seconds Waiting time.
# TYPE log_wait_seconds histogram
log_wait_seconds_bucket{input="shop",path="/var/log/\"a\"\\b\n.log",le="0.00001"} 1
log_wait_seconds_bucket{input="shop",path="/var/log/\"a\"\\b\n.log",le="1"} 3
log_wait_seconds_bucket{input="shop",path="/var/log/\"a\"\\b\n.log",le="1000000"} 3
log_wait_seconds_bucket{input="shop",path="/var/log/\"a\"\\b\n.log",le="+Inf"} 7
log_wait_seconds_sum{input="shop",path="/var/log/\"a\"\\b\n.log"} 12.5
log_wait_seconds_count{input="shop",path="/var/log/\"a\"\\b\n.log"} 7
# HELP log_word Of no known type.
# TYPE log_word untyped
log_word{a="b"} -Inf
"#;

#[test]
fn text_is_as_written_down() {
    assert_eq!(text(Format::Text, &Walk(sample_walk)), GOLDEN_TEXT);
}

#[test]
fn openmetrics_differs_where_it_must() {
    let want = GOLDEN_TEXT
        .replace(
            "# HELP log_events_total Events by level.\\nA \\\\ and a \".",
            "# HELP log_events Events by level.\\nA \\\\ and a \\\".",
        )
        .replace("# TYPE log_events_total", "# TYPE log_events")
        .replace("bytes gauge\n", "bytes gauge\n# UNIT log_file_size_bytes bytes\n")
        .replace("seconds histogram\n", "seconds histogram\n# UNIT log_wait_seconds seconds\n")
        .replace("untyped", "unknown")
        .replace("le=\"0.00001\"", "le=\"1e-05\"")
        .replace("le=\"1\"", "le=\"1.0\"")
        .replace("le=\"1000000\"", "le=\"1e+06\"");
    assert_eq!(text(Format::OpenMetrics, &Walk(sample_walk)), want + "# EOF\n");
    assert_eq!(text(Format::OpenMetrics, &Walk(nothing)), "# EOF\n");
    assert_eq!(text(Format::Text, &Walk(nothing)), "");
}

#[test]
fn openmetrics_announces_no_name_twice() {
    let walk = |to: &mut dyn Visit| {
        let none = Head::default();
        to.family(&desc("jobs", "Now.", Kind::Gauge, None));
        to.sample(&none, &[], Value::Int(1));
        to.family(&desc("jobs_total", "Ever.", Kind::Counter, None));
        to.sample(&none, &[], Value::Int(2));
        to.family(&desc("odd", "A counter without its ending.", Kind::Counter, None));
        to.sample(&none, &[], Value::Int(3));
        to.family(&desc("late_seconds_total", "Its unit is found.", Kind::Counter, Some("seconds")));
        to.sample(&none, &[], Value::Int(4));
        to.family(&desc("wrong", "Its unit is not in its name.", Kind::Gauge, Some("bytes")));
        to.sample(&none, &[], Value::Int(5));
    };
    let text = text(Format::OpenMetrics, &Walk(walk));
    assert!(text.contains("# TYPE jobs gauge\njobs 1\n"), "{text}");
    assert!(text.contains("# TYPE jobs_total unknown\njobs_total 2\n"), "{text}");
    assert!(text.contains("# TYPE odd unknown\nodd 3\n"), "{text}");
    assert!(
        text.contains("# TYPE late_seconds counter\n# UNIT late_seconds seconds\nlate_seconds_total 4\n")
    );
    assert!(text.contains("# TYPE wrong gauge\nwrong 5\n"), "{text}");
}

/// A registry with every type that the prometheus crate has.
fn registry() -> Registry {
    let registry = Registry::new();
    let requests =
        IntCounterVec::new(Opts::new("app_requests_total", "Requests \\ all."), &["code", "how"]).unwrap();
    requests.with_label_values(&["200", "a\"b\\c\nd"]).inc_by(7);
    requests.with_label_values(&["500", ""]).inc();
    let load = Gauge::new("app_load_ratio", "Load.").unwrap();
    load.set(0.1 + 0.2);
    let waits = HistogramVec::new(
        HistogramOpts::new("app_wait_seconds", "Waits.").buckets(vec![0.1, 0.5, 2.5]),
        &["db"],
    )
    .unwrap();
    for x in [0.05, 0.1, 0.4, 3.0, 100.0] {
        waits.with_label_values(&["main"]).observe(x);
    }
    let up = IntCounter::new("zz_up_total", "Last.").unwrap();
    registry.register(Box::new(requests)).unwrap();
    registry.register(Box::new(load)).unwrap();
    registry.register(Box::new(waits)).unwrap();
    registry.register(Box::new(up)).unwrap();
    registry
}

#[test]
fn a_registry_reads_as_its_own_encoder_writes_it() {
    let families = registry().gather();
    let want = TextEncoder::new().encode_to_string(&families).unwrap();
    let merged = Merged::new(Box::new(Walk(nothing)), &[], &families);
    assert_eq!(text(Format::Text, &merged), want);
    assert_eq!(merged.dropped(), 0);
}

#[test]
fn sources_interleave_by_name_and_names_stand_once() {
    let main = |to: &mut dyn Visit| {
        for name in ["app_requests_total", "log_a", "log_c"] {
            to.family(&desc(name, "Main.", Kind::Gauge, None));
            to.sample(&Head::default(), &[], Value::Int(1));
        }
    };
    let host = |to: &mut dyn Visit| {
        for name in ["app_wait_seconds_sum", "log_b", "log_c", "zzz"] {
            to.family(&desc(name, "Host.", Kind::Gauge, None));
            to.sample(&Head::new([("cpu", "0")]), &[("mode", "user")], Value::Float(2.0));
        }
    };
    let merged = Merged::new(Box::new(Walk(main)), &[&Walk(host), &Walk(host)], &registry().gather());
    let text = text(Format::Text, &merged);
    let names: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix("# TYPE ")).collect();
    let want = [
        "app_load_ratio gauge",
        "app_requests_total gauge",
        "app_wait_seconds histogram",
        "log_a gauge",
        "log_b gauge",
        "log_c gauge",
        "zz_up_total counter",
        "zzz gauge",
    ];
    assert_eq!(names, want);
    assert!(text.contains("log_b{cpu=\"0\",mode=\"user\"} 2\n"), "{text}");
    // The host twice (4), log_c, app_requests_total, and the gauge that took a histogram's series name.
    assert_eq!(merged.dropped(), 7);
}

/// A family of as many samples as asked for.
struct Many(usize, Vec<Head>);

impl Many {
    fn new(samples: usize) -> Many {
        let head =
            |i| Head::new([("input", "shop".into()), ("path", format!("/var/log/shop/service-{i}/app.log"))]);
        Many(samples, (0..samples.div_ceil(8)).map(head).collect())
    }
}

impl Source for Many {
    fn visit(&self, to: &mut dyn Visit) {
        to.family(&desc("log_events_total", "Events.", Kind::Counter, None));
        for i in 0..self.0 {
            let level = crate::level::Level::ALL[i % 8].as_str();
            to.sample(&self.1[i / 8], &[("team", "checkout"), ("level", level)], Value::Int(i as u64 * 7919));
        }
    }
}

#[test]
fn chunks_stay_small_and_make_the_whole() {
    let many = Many::new(20_000);
    for format in [Format::Text, Format::OpenMetrics, Format::Protobuf] {
        let limit = if format == Format::Protobuf { 2 << 20 } else { CHUNK + 4096 };
        let mut sizes = Vec::new();
        encode(format, &many, &mut |chunk| sizes.push(chunk.len()));
        assert!(sizes.iter().all(|size| (1..=limit).contains(size)), "{format:?}: {sizes:?}");
    }
    let text = text(Format::Text, &many);
    assert_eq!(text.lines().count(), 20_002);
    assert!(text.ends_with("level=\"unknown\"} 158372081\n"), "{}", &text[text.len() - 200..]);
}

/// Fields of a protobuf message: number, and a varint, eight bytes or a slice.
#[derive(Debug, PartialEq, Clone)]
pub(super) enum Wire<'a> {
    Varint(u64),
    Double(f64),
    Bytes(&'a [u8]),
}

fn read_varint(from: &mut &[u8]) -> u64 {
    let mut n = 0;
    for shift in (0..).step_by(7) {
        let byte = from[0];
        *from = &from[1..];
        n |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    n
}

fn take<'a>(from: &mut &'a [u8], n: usize) -> &'a [u8] {
    let (head, tail) = from.split_at(n);
    *from = tail;
    head
}

pub(super) fn fields(mut from: &[u8]) -> Vec<(u64, Wire<'_>)> {
    let mut fields = Vec::new();
    while !from.is_empty() {
        let key = read_varint(&mut from);
        let value = match key & 7 {
            0 => Wire::Varint(read_varint(&mut from)),
            1 => Wire::Double(f64::from_le_bytes(take(&mut from, 8).try_into().unwrap())),
            2 => {
                let len = read_varint(&mut from) as usize;
                Wire::Bytes(take(&mut from, len))
            }
            wire => panic!("wire type {wire}"),
        };
        fields.push((key >> 3, value));
    }
    fields
}

pub(super) fn all(from: &[u8], field: u64) -> Vec<Wire<'_>> {
    fields(from).into_iter().filter(|(n, _)| *n == field).map(|(_, v)| v).collect()
}

pub(super) fn only(from: &[u8], field: u64) -> &[u8] {
    match all(from, field).as_slice() {
        [Wire::Bytes(bytes)] => bytes,
        other => panic!("field {field}: {other:?}"),
    }
}

pub(super) fn messages(mut from: &[u8]) -> Vec<&[u8]> {
    let mut messages = Vec::new();
    while !from.is_empty() {
        let len = read_varint(&mut from) as usize;
        messages.push(take(&mut from, len));
    }
    messages
}

#[test]
fn protobuf_says_the_same() {
    let out = encoded(Format::Protobuf, &Walk(sample_walk));
    let families = messages(&out);
    let names: Vec<&[u8]> = families.iter().map(|f| only(f, 1)).collect();
    assert_eq!(names, [&b"log_events_total"[..], b"log_file_size_bytes", b"log_wait_seconds", b"log_word"]);
    let types: Vec<Wire<'_>> = families.iter().flat_map(|f| all(f, 3)).collect();
    assert_eq!(types, [0, 1, 4, 3].map(Wire::Varint));
    assert_eq!(only(families[1], 5), b"bytes");

    let Wire::Bytes(first) = all(families[0], 4)[0] else { panic!("no metric") };
    let labels: Vec<(&[u8], &[u8])> = all(first, 1)
        .into_iter()
        .map(|l| match l {
            Wire::Bytes(pair) => (only(pair, 1), only(pair, 2)),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(labels[1], (&b"path"[..], &b"/var/log/\"a\"\\b\n.log"[..]));
    assert_eq!(labels[2], (&b"level"[..], &b"error"[..]));
    assert_eq!(all(only(first, 3), 1), [Wire::Double(9_007_199_254_740_992.0)]);

    let Wire::Bytes(wait) = all(families[2], 4)[0] else { panic!("no metric") };
    let histogram = only(wait, 7);
    assert_eq!(all(histogram, 1), [Wire::Varint(7)]);
    assert_eq!(all(histogram, 2), [Wire::Double(12.5)]);
    let buckets: Vec<Vec<(u64, Wire<'_>)>> = all(histogram, 3)
        .into_iter()
        .map(|b| match b {
            Wire::Bytes(bytes) => fields(bytes),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(buckets[1], [(1, Wire::Varint(3)), (2, Wire::Double(1.0))]);
    assert_eq!(buckets.len(), 3);
}

#[test]
fn protobuf_splits_a_huge_family_into_messages_of_one_name() {
    let out = encoded(Format::Protobuf, &Many::new(100_000));
    let messages = messages(&out);
    assert!(messages.len() > 1);
    assert!(messages.iter().all(|m| only(m, 1) == b"log_events_total"));
    assert_eq!(messages.iter().map(|m| all(m, 4).len()).sum::<usize>(), 100_000);
}

/// Debian's package `prometheus` brings promtool; without it this test fails, for it would prove nothing.
#[test]
fn promtool_finds_nothing_to_say() {
    let walk = |to: &mut dyn Visit| {
        let head = Head::new([("input", "shop"), ("path", "/a \"b\" \\ \n c")]);
        to.family(&desc("log_bytes_total", "Bytes read.", Kind::Counter, Some("bytes")));
        to.sample(&head, &[], Value::Int(u64::MAX));
        to.family(&desc("log_wait_seconds", "Waits \\ all\nof them.", Kind::Histogram, Some("seconds")));
        to.sample(
            &head,
            &[("x", "")],
            Value::Histogram(Buckets { bounds: &[0.001, 2.0, 1e9], counts: &[0, 1, 2, 3], sum: 1e300 }),
        );
    };
    let merged = Merged::new(Box::new(Walk(walk)), &[], &registry().gather());
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool, from Debian's package prometheus");
    promtool.stdin.take().unwrap().write_all(&encoded(Format::Text, &merged)).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.trim().is_empty(), "{}: {said}", output.status);
}
