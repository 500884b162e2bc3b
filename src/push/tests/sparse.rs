//! Histograms in their sparse form: to whom they are sent, and what is read back.

use super::*;
use crate::tally::exposition::Detail;
use crate::tally::native::{Native, ZERO_THRESHOLD};

/// Of `wait_seconds`, values of both signs and a zero; `None` for one without a sparse form.
struct Waits(Option<Vec<f64>>);

impl Source for Waits {
    fn visit(&self, to: &mut dyn Visit) {
        let mut native = Native::default();
        self.0.iter().flatten().for_each(|value| native.observe(*value));
        let count = self.0.as_ref().map_or(3, Vec::len) as u64;
        let (name, kind) = ("wait_seconds".into(), Kind::Histogram);
        to.family(&Desc { name, help: "".into(), kind, unit: None });
        let buckets = Buckets { bounds: &[0.5], counts: &[count, 0], sum: 1.25 };
        let detail = Detail { native: self.0.as_ref().map(|_| &native), ..Detail::default() };
        to.detailed(&Head::new([("db", "a")]), &[], Value::Histogram(buckets), detail);
    }
}

fn waits(values: Option<&[f64]>) -> Part {
    Part { source: Box::new(Waits(values.map(<[f64]>::to_vec))), from_zero: true }
}

const VALUES: [f64; 6] = [1.0, 1.0, 0.7, 8.0, -2.0, 0.0];

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(sint32, tag = 1)]
    offset: i32,
    #[prost(uint32, tag = 2)]
    length: u32,
}

#[derive(Clone, PartialEq, Message)]
struct Histogram {
    #[prost(uint64, tag = 1)]
    count: u64,
    #[prost(double, tag = 3)]
    sum: f64,
    #[prost(sint32, tag = 4)]
    schema: i32,
    #[prost(double, tag = 5)]
    zero_threshold: f64,
    #[prost(uint64, tag = 6)]
    zero_count: u64,
    #[prost(message, repeated, tag = 8)]
    negative_spans: Vec<Span>,
    #[prost(sint64, repeated, tag = 9)]
    negative_deltas: Vec<i64>,
    #[prost(message, repeated, tag = 11)]
    positive_spans: Vec<Span>,
    #[prost(sint64, repeated, tag = 12)]
    positive_deltas: Vec<i64>,
    #[prost(int64, tag = 15)]
    timestamp: i64,
}

#[derive(Clone, PartialEq, Message)]
struct V1Series {
    #[prost(message, repeated, tag = 1)]
    labels: Vec<super::decoded::Label>,
    #[prost(message, repeated, tag = 2)]
    samples: Vec<super::decoded::Sample>,
    #[prost(message, repeated, tag = 4)]
    histograms: Vec<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
struct V1 {
    #[prost(message, repeated, tag = 1)]
    timeseries: Vec<V1Series>,
}

#[derive(Clone, PartialEq, Message)]
struct V2Series {
    #[prost(uint32, repeated, tag = 1)]
    labels_refs: Vec<u32>,
    #[prost(message, repeated, tag = 2)]
    samples: Vec<super::decoded::Sample>,
    #[prost(message, repeated, tag = 3)]
    histograms: Vec<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
struct V2 {
    #[prost(string, repeated, tag = 4)]
    symbols: Vec<String>,
    #[prost(message, repeated, tag = 5)]
    timeseries: Vec<V2Series>,
}

fn want() -> Histogram {
    // 0.7 is in the bucket -4, 1 in 0, 8 in 24; -2 in 8 of the others.
    let span = |offset, length| Span { offset, length };
    Histogram {
        count: 6,
        sum: 1.25,
        schema: 3,
        zero_threshold: ZERO_THRESHOLD,
        zero_count: 1,
        negative_spans: vec![span(8, 1)],
        negative_deltas: vec![1],
        positive_spans: vec![span(-4, 1), span(3, 1), span(23, 1)],
        positive_deltas: vec![1, 1, -1],
        timestamp: 1500,
    }
}

/// The sparse samples of the two messages, and how many series of plain numbers are beside them.
fn sent(cut: &super::super::record::Cut) -> (Vec<Histogram>, usize) {
    let batch = Batch { at: cut.at, points: &cut.points, labels: &[] };
    let one = V1::decode(batch.v1().as_slice()).unwrap();
    let two = V2::decode(batch.v2().as_slice()).unwrap();
    let sparse: Vec<Histogram> = one.timeseries.iter().flat_map(|series| series.histograms.clone()).collect();
    let again: Vec<Histogram> = two.timeseries.iter().flat_map(|series| series.histograms.clone()).collect();
    // A stale marker is no number, and not equal to itself.
    assert_eq!(format!("{sparse:?}"), format!("{again:?}"));
    for series in one.timeseries.iter().filter(|series| !series.histograms.is_empty()) {
        let labels: Vec<&str> = series.labels.iter().map(|label| label.value.as_str()).collect();
        assert_eq!((labels, series.samples.len()), (vec!["wait_seconds", "a"], 0));
    }
    for series in two.timeseries.iter().filter(|series| !series.histograms.is_empty()) {
        let labels: Vec<&str> =
            series.labels_refs.iter().map(|at| two.symbols[*at as usize].as_str()).collect();
        assert_eq!((labels, series.samples.len()), (vec!["__name__", "wait_seconds", "db", "a"], 0));
    }
    (sparse, one.timeseries.iter().filter(|series| !series.samples.is_empty()).count())
}

#[test]
fn both_versions_of_remote_write_carry_both_forms_to_who_takes_them() {
    let cut = Recorder::new(true).record(&[waits(Some(&VALUES))], 1500);
    assert_eq!(sent(&cut), (vec![want()], 4));
    let (series, point) = &cut.points[0];
    assert_eq!(point.samples(series), 5);
    let without = Recorder::new(false).record(&[waits(Some(&VALUES))], 1500);
    assert_eq!(sent(&without), (vec![], 4));
    assert!(cut.bytes() > without.bytes());
}

#[test]
fn they_are_born_at_zero_and_end() {
    let mut recorder = Recorder::new(true);
    recorder.record(&[], 500);
    let (born, _) = sent(&recorder.record(&[waits(Some(&VALUES))], 1500));
    let empty =
        Histogram { schema: 3, zero_threshold: ZERO_THRESHOLD, timestamp: 1500, ..Histogram::default() };
    assert_eq!(born, [empty]);
    assert_eq!(sent(&recorder.record(&[waits(Some(&VALUES))], 1500)).0, [want()]);
    let (ends, numbers) = sent(&recorder.record(&[], 3000));
    assert_eq!((ends.len(), ends[0].sum.to_bits(), ends[0].timestamp, numbers), (1, STALE, 2999, 4));
}

#[test]
fn where_the_form_is_taken_away_its_series_ends_and_the_others_go_on() {
    let mut recorder = Recorder::new(true);
    recorder.record(&[waits(Some(&VALUES))], 1000);
    recorder.trust_next();
    let cut = recorder.record(&[waits(None)], 2000);
    let (ends, numbers) = sent(&cut);
    // Those of the other form end a moment before they go on.
    assert_eq!((ends.len(), ends[0].sum.to_bits(), numbers), (1, STALE, 8));
}
