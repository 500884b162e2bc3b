//! Prometheus remote write, 2.0 and 1.0: points go in, an uncompressed protobuf message comes out.
//!
//! Message and field numbers: `io.prometheus.write.v2.Request` and `prometheus.WriteRequest` of the specifications.
//! Histograms become the series that a scrape shows: cumulative `_bucket`, `_sum`, `_count`; and, for who takes it, one
//! in the sparse form.

use super::record::{Point, Series};
use crate::expose::wire::{LENGTH, VARINT, bytes, double, key, varint};
use crate::expose::{bound, sparse};
use crate::tally::exposition::{Desc, Kind};
use crate::tally::native::Native;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// What ends a series: a NaN of its own.
pub(super) const STALE: u64 = 0x7ff0_0000_0000_0002;

/// Points of one moment and the labels that all of them get.
pub(super) struct Batch<'a> {
    /// Milliseconds since the epoch.
    pub(super) at: i64,
    /// What to send.
    pub(super) points: &'a [(Arc<Series>, Point)],
    /// Labels that series get which do not have them.
    pub(super) labels: &'a [(String, String)],
}

/// A series of the wire: labels sorted by name, with `__name__`.
struct Row<'a> {
    labels: &'a [(&'a str, Cow<'a, str>)],
    family: &'a Desc,
    sample: Sample<'a>,
    at: i64,
}

/// What a series holds at one moment.
enum Sample<'a> {
    Number(f64),
    /// Count, sum and buckets; without these it has ended.
    Sparse(u64, f64, Option<&'a Native>),
}

impl Batch<'_> {
    /// The message of 1.0.
    pub(super) fn v1(&self) -> Vec<u8> {
        let (mut out, mut series, mut inner) = (Vec::new(), Vec::new(), Vec::new());
        self.rows(&mut |row| {
            series.clear();
            for (name, value) in row.labels {
                inner.clear();
                bytes(&mut inner, 1, name.as_bytes());
                bytes(&mut inner, 2, value.as_bytes());
                bytes(&mut series, 1, &inner);
            }
            sample(&mut series, &mut inner, row, 4);
            bytes(&mut out, 1, &series);
        });
        out
    }

    /// The message of 2.0.
    pub(super) fn v2(&self) -> Vec<u8> {
        let mut symbols = Symbols::new();
        let (mut all, mut series, mut inner) = (Vec::new(), Vec::new(), Vec::new());
        self.rows(&mut |row| {
            series.clear();
            inner.clear();
            for (name, value) in row.labels {
                varint(&mut inner, symbols.of(name));
                varint(&mut inner, symbols.of(value));
            }
            bytes(&mut series, 1, &inner);
            sample(&mut series, &mut inner, row, 3);
            metadata(&mut inner, row.family, &mut symbols);
            bytes(&mut series, 5, &inner);
            bytes(&mut all, 5, &series);
        });
        let mut out = symbols.encoded();
        out.append(&mut all);
        out
    }

    /// Walks the series of all points.
    fn rows(&self, to: &mut dyn FnMut(&Row<'_>)) {
        for (series, point) in self.points {
            self.series(series, point, to);
        }
    }

    fn series(&self, series: &Series, point: &Point, to: &mut dyn FnMut(&Row<'_>)) {
        let family = &*series.family;
        let at = point.time(self.at);
        let stale = f64::from_bits(STALE);
        let mut put = |part: &str, le: Option<f64>, sample: Sample<'_>| {
            let labels = self.labels_of(series, part, le);
            to(&Row { labels: &labels, family, sample, at });
        };
        let mut row = |part: &str, le: Option<f64>, value: f64| put(part, le, Sample::Number(value));
        match point {
            Point::Number(value) => row("", None, *value),
            Point::Gone if family.kind != Kind::Histogram => row("", None, stale),
            Point::Gone => {
                let bounds = series.bounds.iter().copied().chain([f64::INFINITY]);
                bounds.for_each(|bound| row("_bucket", Some(bound), stale));
                row("_sum", None, stale);
                row("_count", None, stale);
                if series.native {
                    put("", None, Sample::Sparse(0, stale, None));
                }
            }
            Point::Histogram(buckets) => {
                let bounds = series.bounds.iter().copied().chain([f64::INFINITY]);
                let mut count = 0_u64;
                for (bound, n) in bounds.zip(&buckets.counts) {
                    count = count.saturating_add(*n);
                    row("_bucket", Some(bound), count as f64);
                }
                row("_sum", None, buckets.sum);
                row("_count", None, count as f64);
                if let Some(native) = &buckets.native {
                    put("", None, Sample::Sparse(count, buckets.sum, Some(native)));
                }
            }
        }
    }

    /// Sorted by name, each name once: a series' own label wins over one that all get. An empty label is none.
    fn labels_of<'a>(
        &'a self,
        series: &'a Series,
        part: &str,
        le: Option<f64>,
    ) -> Vec<(&'a str, Cow<'a, str>)> {
        let name = &*series.family.name;
        let name = if part.is_empty() { Cow::Borrowed(name) } else { Cow::Owned(format!("{name}{part}")) };
        let mut labels = vec![("__name__", name)];
        labels.extend(series.labels.iter().map(|(name, value)| (&**name, Cow::Borrowed(&**value))));
        labels.extend(le.map(|le| ("le", Cow::Owned(bound(le)))));
        labels.extend(self.labels.iter().map(|(name, value)| (name.as_str(), Cow::Borrowed(value.as_str()))));
        labels.retain(|(_, value)| !value.is_empty());
        labels.sort_by_key(|(name, _)| *name);
        labels.dedup_by_key(|(name, _)| *name);
        labels
    }
}

/// The one sample of a series. Both versions number its fields alike, but not where a series has its `histograms`.
fn sample(series: &mut Vec<u8>, inner: &mut Vec<u8>, row: &Row<'_>, histograms: u64) {
    inner.clear();
    let (field, time) = match &row.sample {
        Sample::Number(value) => {
            double(inner, 1, *value);
            (2, 2)
        }
        Sample::Sparse(count, sum, buckets) => {
            histogram(inner, *count, *sum, *buckets);
            (histograms, 15)
        }
    };
    key(inner, time, VARINT);
    varint(inner, row.at as u64);
    bytes(series, field, inner);
}

fn histogram(out: &mut Vec<u8>, count: u64, sum: f64, native: Option<&Native>) {
    key(out, 1, VARINT);
    varint(out, count);
    double(out, 3, sum);
    native.inspect(|native| sparse::form(out, native, 4));
}

fn metadata(out: &mut Vec<u8>, family: &Desc, symbols: &mut Symbols) {
    out.clear();
    let kind = match family.kind {
        Kind::Untyped => 0,
        Kind::Counter => 1,
        Kind::Gauge => 2,
        Kind::Histogram => 3,
    };
    let help = symbols.of(&family.help);
    let unit = symbols.of(family.unit.as_deref().unwrap_or_default());
    for (field, value) in [(1, kind), (3, help), (4, unit)] {
        key(out, field, VARINT);
        varint(out, value);
    }
}

/// The texts of a message, each once.
struct Symbols {
    index: HashMap<Box<str>, u64>,
    encoded: Vec<u8>,
}

impl Symbols {
    /// The first one is empty, as the specification wants it.
    fn new() -> Symbols {
        let mut symbols = Symbols { index: HashMap::new(), encoded: Vec::new() };
        symbols.of("");
        symbols
    }

    fn of(&mut self, text: &str) -> u64 {
        if let Some(at) = self.index.get(text) {
            return *at;
        }
        let at = self.index.len() as u64;
        self.index.insert(text.into(), at);
        key(&mut self.encoded, 4, LENGTH);
        varint(&mut self.encoded, text.len() as u64);
        self.encoded.extend_from_slice(text.as_bytes());
        at
    }

    fn encoded(self) -> Vec<u8> {
        self.encoded
    }
}
