//! What is recorded and encoded, read back by a decoder that is not ours.

use super::queue::Queue;
use super::record::{Part, Point, Recorder};
use super::remote::{Batch, STALE};
use crate::tally::exposition::{Buckets, Desc, Head, Kind, Source, Value, Visit};
use prost::Message;

/// Samples by family: name, type, labels, value.
type Row = (&'static str, Kind, Vec<(&'static str, &'static str)>, f64);

/// Fixed numbers; a histogram's value is its sum, with two observations at most 0.5, one at most 1, one above.
struct Fixed(Vec<Row>);

impl Source for Fixed {
    fn visit(&self, to: &mut dyn Visit) {
        for family in self.0.chunk_by(|a, b| a.0 == b.0) {
            let (name, kind) = (family[0].0, family[0].1);
            let unit = name.contains("_seconds").then(|| "seconds".into());
            to.family(&Desc { name: name.into(), help: format!("Help of {name}.").into(), kind, unit });
            for (_, _, labels, value) in family {
                let buckets = Buckets { bounds: &[0.5, 1.0], counts: &[2, 1, 1], sum: *value };
                let value =
                    if kind == Kind::Histogram { Value::Histogram(buckets) } else { Value::Float(*value) };
                to.sample(&Head::new(labels.iter().copied()), &[], value);
            }
        }
    }
}

fn part(rows: &[Row]) -> Part {
    Part { source: Box::new(Fixed(rows.to_vec())), from_zero: true }
}

fn counter(level: &'static str, value: f64) -> Row {
    ("log_events_total", Kind::Counter, vec![("level", level), ("input", "shop")], value)
}

const HISTOGRAM: fn(f64) -> Row = |sum| ("wait_seconds", Kind::Histogram, vec![("db", "a")], sum);

fn values(recorder: &mut Recorder, rows: &[Row], at: i64) -> Vec<(String, Point)> {
    let cut = recorder.record(&[part(rows)], at);
    let name = |series: &super::record::Series| {
        let labels: Vec<String> = series.labels.iter().map(|(_, value)| value.to_string()).collect();
        format!("{} {}", series.family.name, labels.join(","))
    };
    cut.points.iter().map(|(series, point)| (name(series), point.clone())).collect()
}

#[test]
fn the_first_cut_is_as_it_is_and_later_births_are_at_0() {
    let mut recorder = Recorder::new(false);
    let error = || "log_events_total error,shop".to_owned();
    let info = || "log_events_total info,shop".to_owned();
    assert_eq!(values(&mut recorder, &[counter("error", 7.0)], 1), [(error(), Point::Number(7.0))]);
    let two = [counter("error", 8.0), counter("info", 3.0)];
    assert_eq!(values(&mut recorder, &two, 2), [(error(), Point::Number(8.0)), (info(), Point::Number(0.0))]);
    assert_eq!(values(&mut recorder, &two, 3), [(error(), Point::Number(8.0)), (info(), Point::Number(3.0))]);
    let gauge = ("depth", Kind::Gauge, vec![], 5.0);
    let all = [counter("error", 8.0), counter("info", 3.0), gauge];
    assert_eq!(values(&mut recorder, &all, 4)[2].1, Point::Number(5.0), "gauges are not born at 0");
    let Point::Histogram(born) = values(&mut recorder, &[HISTOGRAM(9.0)], 5).pop().unwrap().1 else {
        panic!()
    };
    assert_eq!((born.counts.iter().sum::<u64>(), born.sum), (0, 0.0));
    recorder.trust_next();
    let again = values(&mut recorder, &[counter("trace", 4.0)], 6);
    assert_eq!(again.last().unwrap().1, Point::Number(4.0));
}

#[test]
fn what_leaves_is_gone_once_and_born_anew() {
    let mut recorder = Recorder::new(false);
    values(&mut recorder, &[counter("error", 7.0)], 1);
    let gone = ("log_events_total error,shop".to_owned(), Point::Gone);
    assert_eq!(values(&mut recorder, &[], 2), [gone]);
    assert_eq!(values(&mut recorder, &[], 3), []);
    assert_eq!(values(&mut recorder, &[counter("error", 2.0)], 4)[0].1, Point::Number(0.0));
}

#[test]
fn of_two_families_of_one_name_the_first_counts() {
    let mut recorder = Recorder::new(false);
    let cut = recorder.record(&[part(&[counter("error", 1.0)]), part(&[counter("info", 2.0)])], 1);
    assert_eq!(cut.points.len(), 1);
}

#[test]
fn a_full_queue_drops_the_oldest() {
    let mut recorder = Recorder::new(false);
    let mut cut = |at| recorder.record(&[part(&[counter("error", 1.0), HISTOGRAM(1.0)])], at);
    let bytes = cut(0).bytes();
    let mut queue = Queue::new(2 * bytes);
    assert_eq!((queue.push(cut(1)), queue.push(cut(2))), (0, 0));
    let first = queue.front().unwrap();
    queue.advance(first.id, 1);
    // The histogram of the first cut is left: two bounds, the infinite one, sum and count.
    assert_eq!(queue.push(cut(3)), 5);
    assert_eq!(queue.front().unwrap().cut.at, 2);
    // What was dropped while it was on its way changes nothing.
    queue.advance(first.id, 1);
    assert_eq!((queue.front().unwrap().done, queue.bytes()), (0, 2 * bytes));
    for _ in 0..2 {
        let front = queue.front().unwrap();
        queue.advance(front.id, 1);
        queue.advance(front.id, 1);
    }
    assert!(queue.front().is_none() && queue.bytes() == 0);
    let mut small = Queue::new(1);
    assert_eq!((small.push(cut(4)), small.front().unwrap().cut.at), (0, 4));
}

mod sparse;

mod decoded {
    //! The messages of the specifications.
    use prost::Message;

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Label {
        #[prost(string, tag = 1)]
        pub(super) name: String,
        #[prost(string, tag = 2)]
        pub(super) value: String,
    }
    #[derive(Clone, Copy, PartialEq, Message)]
    pub(super) struct Sample {
        #[prost(double, tag = 1)]
        pub(super) value: f64,
        #[prost(int64, tag = 2)]
        pub(super) timestamp: i64,
    }
    #[derive(Clone, PartialEq, Message)]
    pub(super) struct V1Series {
        #[prost(message, repeated, tag = 1)]
        pub(super) labels: Vec<Label>,
        #[prost(message, repeated, tag = 2)]
        pub(super) samples: Vec<Sample>,
    }
    #[derive(Clone, PartialEq, Message)]
    pub(super) struct WriteRequest {
        #[prost(message, repeated, tag = 1)]
        pub(super) timeseries: Vec<V1Series>,
    }
    #[derive(Clone, Copy, PartialEq, Message)]
    pub(super) struct Metadata {
        #[prost(int32, tag = 1)]
        pub(super) kind: i32,
        #[prost(uint32, tag = 3)]
        pub(super) help_ref: u32,
        #[prost(uint32, tag = 4)]
        pub(super) unit_ref: u32,
    }
    #[derive(Clone, PartialEq, Message)]
    pub(super) struct V2Series {
        #[prost(uint32, repeated, tag = 1)]
        pub(super) labels_refs: Vec<u32>,
        #[prost(message, repeated, tag = 2)]
        pub(super) samples: Vec<Sample>,
        #[prost(message, optional, tag = 5)]
        pub(super) metadata: Option<Metadata>,
    }
    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Request {
        #[prost(string, repeated, tag = 4)]
        pub(super) symbols: Vec<String>,
        #[prost(message, repeated, tag = 5)]
        pub(super) timeseries: Vec<V2Series>,
    }
}

fn external() -> Vec<(String, String)> {
    [("job", "logtally"), ("input", "not this one"), ("zone", ""), ("Ä", "ü")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

/// A counter, a histogram, and a counter that is gone.
fn cut() -> super::record::Cut {
    let mut recorder = Recorder::new(false);
    recorder.record(&[part(&[counter("info", 1.0)])], 500);
    recorder.trust_next();
    recorder.record(&[part(&[counter("error", 7.0), HISTOGRAM(2.5)])], 1500)
}

const WANT: &str = r#"{__name__="log_events_total",input="shop",job="logtally",level="info",Ä="ü"} stale @1499
{__name__="log_events_total",input="shop",job="logtally",level="error",Ä="ü"} 7 @1500
{__name__="wait_seconds_bucket",db="a",input="not this one",job="logtally",le="0.5",Ä="ü"} 2 @1500
{__name__="wait_seconds_bucket",db="a",input="not this one",job="logtally",le="1.0",Ä="ü"} 3 @1500
{__name__="wait_seconds_bucket",db="a",input="not this one",job="logtally",le="+Inf",Ä="ü"} 4 @1500
{__name__="wait_seconds_sum",db="a",input="not this one",job="logtally",Ä="ü"} 2.5 @1500
{__name__="wait_seconds_count",db="a",input="not this one",job="logtally",Ä="ü"} 4 @1500"#;

fn line<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>, sample: &decoded::Sample) -> String {
    let labels: Vec<String> = labels.map(|(name, value)| format!("{name}={value:?}")).collect();
    let value = match sample.value.to_bits() {
        STALE => "stale".to_owned(),
        _ => sample.value.to_string(),
    };
    format!("{{{}}} {value} @{}", labels.join(","), sample.timestamp)
}

#[test]
fn remote_write_1_reads_back() {
    let (cut, labels) = (cut(), external());
    let message = Batch { at: cut.at, points: &cut.points, labels: &labels }.v1();
    let request = decoded::WriteRequest::decode(message.as_slice()).unwrap();
    let lines: Vec<String> = request
        .timeseries
        .iter()
        .map(|series| {
            assert_eq!(series.samples.len(), 1);
            let labels = series.labels.iter().map(|label| (label.name.as_str(), label.value.as_str()));
            line(labels, &series.samples[0])
        })
        .collect();
    assert_eq!(lines.join("\n"), WANT);
}

#[test]
fn remote_write_2_reads_back_with_metadata() {
    let (cut, labels) = (cut(), external());
    let message = Batch { at: cut.at, points: &cut.points, labels: &labels }.v2();
    let request = decoded::Request::decode(message.as_slice()).unwrap();
    let symbol = |at: u32| request.symbols[at as usize].as_str();
    assert_eq!(symbol(0), "");
    let lines: Vec<String> = request
        .timeseries
        .iter()
        .map(|series| {
            assert_eq!(series.samples.len(), 1);
            let labels = series.labels_refs.chunks(2).map(|pair| (symbol(pair[0]), symbol(pair[1])));
            line(labels, &series.samples[0])
        })
        .collect();
    assert_eq!(lines.join("\n"), WANT);
    let told: Vec<_> = request.timeseries.iter().map(|series| series.metadata.unwrap()).collect();
    let of = |at: usize| (told[at].kind, symbol(told[at].help_ref), symbol(told[at].unit_ref));
    assert_eq!(of(1), (1, "Help of log_events_total.", ""));
    assert_eq!(of(2), (3, "Help of wait_seconds.", "seconds"));
    // A receiver of 1.0 that takes it for its own finds nothing in it, instead of something wrong.
    assert_eq!(decoded::WriteRequest::decode(message.as_slice()).unwrap().timeseries, []);
}
