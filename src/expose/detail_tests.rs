//! Exemplars and births of series, in the formats that have a place for them.

use super::tests::{Walk, Wire, all, desc, encoded, fields, messages, only, text};
use super::*;
use crate::tally::exemplar::Exemplar;
use crate::tally::exposition::{Buckets, Detail, Head, Kind, Value, Visit};

fn traced(trace: &str, value: f64, bucket: usize) -> Exemplar {
    Exemplar { trace_id: trace.into(), value, at: 1_700_000_000.123_456, bucket }
}

fn walk(to: &mut dyn Visit) {
    let head = Head::new([("input", "shop")]);
    let created = Some(1_600_000_000.5);
    let wait = Buckets { bounds: &[0.1, 1.0], counts: &[1, 2, 3], sum: 9.0 };
    let one = [traced("a\"b\\c", 1.0, 0)];
    to.family(&desc("log_pattern_events_total", "", Kind::Counter, None));
    to.detailed(&head, &[("level", "error")], Value::Int(3), Detail { exemplars: &one, created });
    to.detailed(&head, &[("level", "info")], Value::Int(0), Detail { exemplars: &[], created });
    to.family(&desc("odd", "No counter for OpenMetrics.", Kind::Counter, None));
    to.detailed(&Head::default(), &[], Value::Float(2.5), Detail { exemplars: &one, created });
    to.family(&desc("pool_size", "", Kind::Gauge, None));
    to.detailed(&head, &[], Value::Float(2.5), Detail { exemplars: &one, created });
    to.family(&desc("wait_seconds", "", Kind::Histogram, Some("seconds")));
    let two = [traced("t1", 0.5, 1), traced("t2", 7.0, 2)];
    to.detailed(&head, &[], Value::Histogram(wait), Detail { exemplars: &two, created });
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
