//! Exemplars and births of series, in the formats that have a place for them.

use super::tests::{Walk, Wire, all, desc, encoded, fields, messages, only, text};
use super::*;
use crate::tally::exemplar::Exemplar;
use crate::tally::exposition::{Buckets, Detail, Head, Kind, Value, Visit};
use crate::tally::native::Native;

fn traced(trace: &str, value: f64, bucket: usize) -> Exemplar {
    Exemplar { trace_id: trace.into(), value, at: 1_700_000_000.123_456, bucket }
}

fn walk(to: &mut dyn Visit) {
    let head = Head::new([("input", "shop")]);
    let created = Some(1_600_000_000.5);
    let wait = Buckets { bounds: &[0.1, 1.0], counts: &[1, 2, 3], sum: 9.0 };
    let one = [traced("a\"b\\c", 1.0, 0)];
    to.family(&desc("log_pattern_events_total", "", Kind::Counter, None));
    to.detailed(
        &head,
        &[("level", "error")],
        Value::Int(3),
        Detail { exemplars: &one, created, native: None },
    );
    to.detailed(&head, &[("level", "info")], Value::Int(0), Detail { exemplars: &[], created, native: None });
    to.family(&desc("odd", "No counter for OpenMetrics.", Kind::Counter, None));
    to.detailed(&Head::default(), &[], Value::Float(2.5), Detail { exemplars: &one, created, native: None });
    to.family(&desc("pool_size", "", Kind::Gauge, None));
    to.detailed(&head, &[], Value::Float(2.5), Detail { exemplars: &one, created, native: None });
    to.family(&desc("wait_seconds", "", Kind::Histogram, Some("seconds")));
    let two = [traced("t1", 0.5, 1), traced("t2", 7.0, 2)];
    to.detailed(&head, &[], Value::Histogram(wait), Detail { exemplars: &two, created, native: None });
    to.detailed(&head, &[("a", "b")], Value::Histogram(wait), Detail::default());
}

const GOLDEN: &str = r##"# TYPE log_pattern_events counter
log_pattern_events_total{input="shop",level="error"} 3 # {trace_id="a\"b\\c"} 1 1700000000.123
log_pattern_events_created{input="shop",level="error"} 1600000000.5
log_pattern_events_total{input="shop",level="info"} 0
log_pattern_events_created{input="shop",level="info"} 1600000000.5
# HELP odd No counter for OpenMetrics.
# TYPE odd unknown
odd 2.5
# TYPE pool_size gauge
pool_size{input="shop"} 2.5
# TYPE wait_seconds histogram
# UNIT wait_seconds seconds
wait_seconds_bucket{input="shop",le="0.1"} 1
wait_seconds_bucket{input="shop",le="1.0"} 3 # {trace_id="t1"} 0.5 1700000000.123
wait_seconds_bucket{input="shop",le="+Inf"} 6 # {trace_id="t2"} 7 1700000000.123
wait_seconds_sum{input="shop"} 9
wait_seconds_count{input="shop"} 6
wait_seconds_created{input="shop"} 1600000000.5
wait_seconds_bucket{input="shop",a="b",le="0.1"} 1
wait_seconds_bucket{input="shop",a="b",le="1.0"} 3
wait_seconds_bucket{input="shop",a="b",le="+Inf"} 6
wait_seconds_sum{input="shop",a="b"} 9
wait_seconds_count{input="shop",a="b"} 6
# EOF
"##;

#[test]
fn openmetrics_tells_exemplars_and_births_where_it_allows_them() {
    let style = Style { format: Format::OpenMetrics, created: true };
    assert_eq!(text(style, &Walk(walk)), GOLDEN);
}

#[test]
fn births_are_left_out_unless_wanted() {
    let without: String =
        GOLDEN.lines().filter(|line| !line.contains("_created")).map(|line| format!("{line}\n")).collect();
    assert_eq!(text(Format::OpenMetrics, &Walk(walk)), without);
}

#[test]
fn the_old_text_format_has_a_place_for_neither() {
    let text = text(Style { format: Format::Text, created: true }, &Walk(walk));
    assert!(!text.contains("trace_id") && !text.contains("_created"), "{text}");
    assert!(text.contains("log_pattern_events_total{input=\"shop\",level=\"error\"} 3\n"), "{text}");
}

/// The first metric of a family, and the field of it that holds its value.
fn value(family: &[u8], field: u64) -> &[u8] {
    let Wire::Bytes(metric) = all(family, 4)[0] else { panic!("no metric") };
    only(metric, field)
}

fn exemplar(of: &[u8]) -> (&[u8], f64, Vec<(u64, Wire<'_>)>) {
    let label = only(of, 1);
    assert_eq!(only(label, 1), b"trace_id");
    let [Wire::Double(value)] = all(of, 2)[..] else { panic!("no value") };
    (only(label, 2), value, fields(only(of, 3)))
}

fn at(seconds: u64, nanos: u64) -> Vec<(u64, Wire<'static>)> {
    vec![(1, Wire::Varint(seconds)), (2, Wire::Varint(nanos))]
}

#[test]
fn protobuf_says_the_same() {
    let out = encoded(Style { format: Format::Protobuf, created: true }, &Walk(walk));
    let families = messages(&out);
    let counter = value(families[0], 3);
    assert_eq!(all(counter, 1), [Wire::Double(3.0)]);
    assert_eq!(exemplar(only(counter, 2)), (&b"a\"b\\c"[..], 1.0, at(1_700_000_000, 123_000_000)));
    assert_eq!(fields(only(counter, 3)), at(1_600_000_000, 500_000_000));
    assert_eq!(fields(value(families[2], 2)), [(1, Wire::Double(2.5))], "a gauge has neither");

    let histogram = value(families[3], 7);
    assert_eq!(fields(only(histogram, 15)), at(1_600_000_000, 500_000_000));
    let buckets: Vec<&[u8]> = all(histogram, 3)
        .into_iter()
        .map(|bucket| match bucket {
            Wire::Bytes(bytes) => bytes,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(all(buckets[0], 3).is_empty());
    assert_eq!(exemplar(only(buckets[1], 3)).0, b"t1");
    assert_eq!(all(buckets[2], 1), [Wire::Varint(6)]);
    assert_eq!(all(buckets[2], 2), [Wire::Double(f64::INFINITY)], "repeated for its exemplar");
    assert_eq!(exemplar(only(buckets[2], 3)).1, 7.0);

    let out = encoded(Format::Protobuf, &Walk(walk));
    assert!(
        all(value(messages(&out)[0], 3), 3).is_empty() && all(value(messages(&out)[3], 7), 15).is_empty()
    );
}

/// Observations with a gap of 3 buckets (0.5 to 0.75), of one bucket and none, on either side of zero.
fn sparse_walk(to: &mut dyn Visit) {
    let mut native = Native::default();
    for (value, count) in [(0.5, 3), (0.54, 1), (0.75, 2), (0.9, 1), (1.0, 4), (-2.0, 2), (0.0, 5)] {
        (0..count).for_each(|_| native.observe(value));
    }
    let buckets = Buckets { bounds: &[0.5], counts: &[10, 8], sum: 9.25 };
    let two = [traced("t1", 0.5, 0), traced("t2", 1.0, 1)];
    to.family(&desc("wait_seconds", "", Kind::Histogram, None));
    let detail = Detail { exemplars: &two, created: None, native: Some(&native) };
    to.detailed(&Head::default(), &[], Value::Histogram(buckets), detail);
    let (none, empty) = (Native::default(), Buckets { bounds: &[0.5], counts: &[0, 0], sum: 0.0 });
    let detail = Detail { native: Some(&none), ..Detail::default() };
    to.detailed(&Head::default(), &[("a", "b")], Value::Histogram(empty), detail);
}

fn signed(n: u64) -> i64 {
    (n >> 1) as i64 ^ -((n & 1) as i64)
}

/// Spans and counts of one side.
fn side(histogram: &[u8], spans: u64, differences: u64) -> (Vec<(i64, u64)>, Vec<i64>) {
    let span = |span: Wire<'_>| match span {
        Wire::Bytes(body) => match fields(body)[..] {
            [(1, Wire::Varint(offset)), (2, Wire::Varint(length))] => (signed(offset), length),
            ref other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    let spans = all(histogram, spans).into_iter().map(span).collect();
    let mut counts = Vec::new();
    let mut count = 0;
    for byte in only(histogram, differences) {
        count += signed((*byte).into());
        counts.push(count);
    }
    (spans, counts)
}

#[test]
fn protobuf_has_both_forms_of_a_histogram() {
    let out = encoded(Format::Protobuf, &Walk(sparse_walk));
    let family = messages(&out)[0];
    let histogram = value(family, 7);
    assert_eq!(all(histogram, 1), [Wire::Varint(18)]);
    assert_eq!(all(histogram, 3).len(), 2, "explicit buckets, the infinite one for its exemplar");
    assert_eq!(all(histogram, 5), [Wire::Varint(6)], "3, as a signed number");
    assert_eq!(all(histogram, 6), [Wire::Double(2_f64.powi(-128))]);
    assert_eq!(all(histogram, 7), [Wire::Varint(5)]);
    assert_eq!(side(histogram, 9, 10), (vec![(8, 1)], vec![2]));
    // 0.75 is in the bucket -3, 0.9 in -1, so that one empty bucket is cheaper than another span.
    assert_eq!(side(histogram, 12, 13), (vec![(-8, 2), (3, 4)], vec![3, 1, 2, 0, 1, 4]));
    let exemplars: Vec<&[u8]> = all(histogram, 16)
        .into_iter()
        .map(|one| if let Wire::Bytes(one) = one { exemplar(one).0 } else { panic!("{one:?}") })
        .collect();
    assert_eq!(exemplars, [b"t1", b"t2"]);

    let Wire::Bytes(second) = all(family, 4)[1] else { panic!("no metric") };
    let empty = only(second, 7);
    assert_eq!(
        all(empty, 6),
        [Wire::Double(2_f64.powi(-128))],
        "which tells it from one that has no such form"
    );
    assert!(all(empty, 12).is_empty() && all(empty, 13).is_empty());
}

#[test]
fn other_formats_have_explicit_buckets_alone() {
    for format in [Format::Text, Format::OpenMetrics] {
        let lines = text(format, &Walk(sparse_walk));
        assert_eq!(lines.lines().filter(|line| line.starts_with("wait_seconds")).count(), 8, "{lines}");
    }
}
