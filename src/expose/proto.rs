//! Prometheus' protobuf format: length-delimited `io.prometheus.client.MetricFamily` messages.
//!
//! The message is small and has not changed its numbers in ten years, so its wire form is written by hand: varints,
//! doubles and length-prefixed fields, no generated code. A length stands before what it measures, so a family is
//! held until its end; one that grows past [`SPLIT`] leaves in several messages of the same name, which a scraper
//! reads as one after the other.

use super::CHUNK;
use super::sparse;
use super::wire::{LENGTH, VARINT, bytes, double, key, varint, varint_len};
use crate::tally::exemplar::{Exemplar, LABEL};
use crate::tally::exposition::{Buckets, Desc, Detail, Head, Kind, Rendered, Run, Value, Visit};
use crate::tally::native::Native;

/// A family's message is closed when it has grown to this size, so that memory stays bounded and in the cache.
const SPLIT: usize = 1024 * 1024;

/// Encodes a walk; [`Encoder::finish`] ends it.
pub(super) struct Encoder<'s> {
    sink: &'s mut dyn FnMut(Vec<u8>),
    out: Vec<u8>,
    /// Name, help, type and unit of the present family, encoded.
    family: Vec<u8>,
    metrics: Vec<u8>,
    metric: Vec<u8>,
    /// The labels that the last metric shared with others, as text and encoded: the next one mostly has the same.
    head: (String, Vec<u8>),
    kind: Kind,
    /// Births of series are told.
    created: bool,
}

impl<'s> Encoder<'s> {
    pub(super) fn new(created: bool, sink: &'s mut dyn FnMut(Vec<u8>)) -> Encoder<'s> {
        let (out, family, metrics, metric, head) = Default::default();
        Encoder { sink, out, family, metrics, metric, head, kind: Kind::Untyped, created }
    }

    /// Writes what is left.
    pub(super) fn finish(mut self) {
        self.close();
        if !self.out.is_empty() {
            (self.sink)(std::mem::take(&mut self.out));
        }
    }

    /// Ends the present message; a family without samples is not announced.
    fn close(&mut self) {
        if self.metrics.is_empty() {
            return;
        }
        varint(&mut self.out, (self.family.len() + self.metrics.len()) as u64);
        self.out.extend_from_slice(&self.family);
        if self.metrics.len() < CHUNK {
            self.out.append(&mut self.metrics);
        } else {
            (self.sink)(std::mem::take(&mut self.out));
            (self.sink)(std::mem::take(&mut self.metrics));
        }
        if self.out.len() >= CHUNK {
            (self.sink)(std::mem::take(&mut self.out));
        }
    }

    /// Starts a metric with the labels that many share.
    fn head(&mut self, head: &Head) {
        let (text, encoded) = &mut self.head;
        if text != head.text() {
            text.clear();
            text.push_str(head.text());
            encoded.clear();
            head.pairs().iter().for_each(|(name, value)| label(encoded, name, value));
        }
        self.metric.clear();
        self.metric.extend_from_slice(encoded);
    }

    /// Ends a metric by its value.
    fn end(&mut self, value: Value<'_>, detail: Detail<'_>) {
        if !self.value(value, detail) {
            return;
        }
        bytes(&mut self.metrics, 4, &self.metric);
        if self.metrics.len() >= SPLIT {
            self.close();
        }
    }

    fn value(&mut self, value: Value<'_>, detail: Detail<'_>) -> bool {
        let created = detail.created.filter(|_| self.created);
        let metric = &mut self.metric;
        let number = match value {
            Value::Histogram(buckets) if self.kind == Kind::Histogram => {
                histogram(metric, &buckets, Detail { created, ..detail });
                return true;
            }
            value => number(value),
        };
        let (Some(number), Some(field)) = (number, field(self.kind)) else { return false };
        let mut more = Vec::new();
        if self.kind == Kind::Counter {
            detail.exemplars.first().inspect(|exemplar| push_exemplar(&mut more, 2, exemplar));
            created.inspect(|at| push_time(&mut more, 3, *at));
        }
        // One double, its key and eight bytes, before the rest.
        key(metric, field, LENGTH);
        varint(metric, 9 + more.len() as u64);
        double(metric, 1, number);
        metric.extend_from_slice(&more);
        true
    }
}

impl Visit for Encoder<'_> {
    fn family(&mut self, desc: &Desc) {
        self.close();
        self.kind = desc.kind;
        self.family.clear();
        bytes(&mut self.family, 1, desc.name.as_bytes());
        if !desc.help.is_empty() {
            bytes(&mut self.family, 2, desc.help.as_bytes());
        }
        key(&mut self.family, 3, VARINT);
        varint(
            &mut self.family,
            match desc.kind {
                Kind::Counter => 0,
                Kind::Gauge => 1,
                Kind::Untyped => 3,
                Kind::Histogram => 4,
            },
        );
        if let Some(unit) = &desc.unit {
            bytes(&mut self.family, 5, unit.as_bytes());
        }
    }

    fn sample(&mut self, head: &Head, more: &[(&str, &str)], value: Value<'_>) {
        self.detailed(head, more, value, Detail::default());
    }

    fn detailed(&mut self, head: &Head, more: &[(&str, &str)], value: Value<'_>, detail: Detail<'_>) {
        self.head(head);
        more.iter().for_each(|(name, value)| label(&mut self.metric, name, value));
        self.end(value, detail);
    }

    fn rendered(&mut self, head: &Head, more: Rendered<'_>, value: Value<'_>, detail: Detail<'_>) {
        self.head(head);
        more.iter().for_each(|(name, value)| label(&mut self.metric, name, &value));
        self.end(value, detail);
    }

    fn run(&mut self, head: &Head, run: Run<'_>) {
        let Some(field) = field(self.kind).filter(|_| !self.created) else {
            for ((more, value), created) in run.iter().zip(run.created()) {
                self.rendered(head, more, value, Detail { created, ..Detail::default() });
            }
            return;
        };
        self.head(head);
        let mut labels = Labels { text: "", ends: Vec::new(), from: self.metric.len() };
        for (more, value) in run.iter() {
            let Some(number) = number(value) else { continue };
            labels.turn(&mut self.metric, more);
            let out = &mut self.metrics;
            key(out, 4, LENGTH);
            varint(out, (self.metric.len() + 11) as u64);
            out.extend_from_slice(&self.metric);
            key(out, field, LENGTH);
            varint(out, 9);
            double(out, 1, number);
            if self.metrics.len() >= SPLIT {
                self.close();
            }
        }
    }
}

/// The encoded labels of the last series of a run. Those of the next one mostly begin alike: what is there stays.
struct Labels<'a> {
    text: &'a str,
    /// Where each pair ends in the text, and encoded.
    ends: Vec<(usize, usize)>,
    /// Where the first one begins, encoded.
    from: usize,
}

impl<'a> Labels<'a> {
    /// Makes them those of the next series; `out` ends in them.
    fn turn(&mut self, out: &mut Vec<u8>, more: Rendered<'a>) {
        let text = more.text();
        // Equal up to a pair's end means equal pairs up to there.
        let stays = |end: usize| text.as_bytes().get(..end) == self.text.as_bytes().get(..end);
        while self.ends.pop_if(|(end, _)| !stays(*end)).is_some() {}
        let (mut at, kept) = self.ends.last().copied().unwrap_or((0, self.from));
        out.truncate(kept);
        // From one pair to the next, over the comma between them.
        while let Some((name, value, rest)) = more.pair(at) {
            label(out, name, &value);
            at = rest;
            self.ends.push((at, out.len()));
        }
        self.text = text;
    }
}

/// A scalar as the wire has it.
fn number(value: Value<'_>) -> Option<f64> {
    match value {
        Value::Int(n) => Some(n as f64),
        Value::Float(x) => Some(x),
        Value::Histogram(_) => None,
    }
}

/// The field of a metric that holds a scalar of this kind.
fn field(kind: Kind) -> Option<u64> {
    match kind {
        Kind::Gauge => Some(2),
        Kind::Counter => Some(3),
        Kind::Untyped => Some(5),
        Kind::Histogram => None,
    }
}

fn label(out: &mut Vec<u8>, name: &str, value: &str) {
    let len = 2 + varint_len(name.len()) + name.len() + varint_len(value.len()) + value.len();
    // Most are short: every length takes one byte, and the keys (fields 1 and 2) are known.
    if len < 128 {
        out.extend_from_slice(&[0x0a, len as u8, 0x0a, name.len() as u8]);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(&[0x12, value.len() as u8]);
        out.extend_from_slice(value.as_bytes());
        return;
    }
    key(out, 1, LENGTH);
    varint(out, len as u64);
    bytes(out, 1, name.as_bytes());
    bytes(out, 2, value.as_bytes());
}

/// A time in seconds since the epoch, as `google.protobuf.Timestamp`.
fn push_time(out: &mut Vec<u8>, field: u64, seconds: f64) {
    let millis = (seconds * 1e3).round() as u64;
    let mut time = Vec::with_capacity(16);
    key(&mut time, 1, VARINT);
    varint(&mut time, millis / 1000);
    key(&mut time, 2, VARINT);
    varint(&mut time, millis % 1000 * 1_000_000);
    bytes(out, field, &time);
}

fn push_exemplar(out: &mut Vec<u8>, field: u64, exemplar: &Exemplar) {
    let mut body = Vec::with_capacity(96);
    label(&mut body, LABEL, &exemplar.trace_id);
    double(&mut body, 2, exemplar.value);
    push_time(&mut body, 3, exemplar.at);
    bytes(out, field, &body);
}

/// Field 7: count, sum and cumulative buckets. The infinite bucket is the count and is only repeated for its exemplar.
/// The sparse form shares count and sum.
fn histogram(metric: &mut Vec<u8>, buckets: &Buckets<'_>, detail: Detail<'_>) {
    let mut body = Vec::with_capacity(24 * buckets.counts.len() + 24);
    let total = buckets.counts.iter().fold(0_u64, |a, n| a.saturating_add(*n));
    key(&mut body, 1, VARINT);
    varint(&mut body, total);
    double(&mut body, 2, buckets.sum);
    let mut exemplars = detail.exemplars.iter().peekable();
    let mut count = 0_u64;
    let mut bucket = Vec::with_capacity(24);
    for (at, n) in buckets.counts.iter().enumerate() {
        count = count.saturating_add(*n);
        let exemplar = exemplars.next_if(|exemplar| exemplar.bucket == at);
        let bound = buckets.bounds.get(at).copied().unwrap_or(f64::INFINITY);
        if bound < f64::INFINITY || exemplar.is_some() {
            bucket.clear();
            key(&mut bucket, 1, VARINT);
            varint(&mut bucket, count);
            double(&mut bucket, 2, bound);
            exemplar.inspect(|exemplar| push_exemplar(&mut bucket, 3, exemplar));
            bytes(&mut body, 3, &bucket);
        }
    }
    detail.created.inspect(|at| push_time(&mut body, 15, *at));
    detail.native.inspect(|native| push_native(&mut body, native, detail.exemplars));
    bytes(metric, 7, &body);
}

/// The sparse form, with exemplars of its own: a receiver need not look for those of the explicit buckets. Without any
/// observation it is told apart by its threshold.
fn push_native(out: &mut Vec<u8>, native: &Native, exemplars: &[Exemplar]) {
    sparse::form(out, native, 5);
    exemplars.iter().for_each(|exemplar| push_exemplar(out, 16, exemplar));
}
