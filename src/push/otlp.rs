//! OTLP metrics: points go in, an `ExportMetricsServiceRequest` comes out, not compressed.
//!
//! Counters are cumulative monotonic sums, histograms keep their explicit buckets unless they are sent in the sparse form,
//! and names stay as Prometheus has them.
//! Field numbers: opentelemetry-proto 1.x, `metrics/v1/metrics.proto` and what it imports.

use super::record::{Point, Series};
use super::remote::Batch;
use crate::expose::sparse::zigzag;
use crate::expose::wire::{FIXED64, LENGTH, VARINT, bytes, double, key, varint};
use crate::tally::exposition::{Desc, Kind};
use crate::tally::native::{Bucket, ZERO_THRESHOLD};
use std::sync::Arc;

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`.
const CUMULATIVE: u64 = 2;
/// `DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK`: the series has ended.
const NO_VALUE: u64 = 1;
/// Labels that say who sends; everything else goes to the points.
const RESOURCE: [(&str, &str); 2] = [("job", "service.name"), ("instance", "service.instance.id")];

impl Batch<'_> {
    /// The message. `version` is logtally's own.
    pub(super) fn otlp(&self, version: &str) -> Vec<u8> {
        let mut resource = Vec::new();
        for (label, attribute) in RESOURCE {
            let given = self.labels.iter().find(|(name, _)| name == label).map(|(_, value)| value.as_str());
            let value = given.or((label == "job").then_some("logtally"));
            if let Some(value) = value {
                attribute_field(&mut resource, 1, attribute, value);
            }
        }
        attribute_field(&mut resource, 1, "service.version", version);
        let mut scope = Vec::new();
        bytes(&mut scope, 1, b"logtally");
        bytes(&mut scope, 2, version.as_bytes());
        let mut scope_metrics = Vec::new();
        bytes(&mut scope_metrics, 1, &scope);
        // Points of one family stand together, but for those that are gone. A metric has one type.
        let alike = |a: &Series, b: &Series| a.family.name == b.family.name && a.native == b.native;
        for points in self.points.chunk_by(|a, b| alike(&a.0, &b.0)) {
            bytes(&mut scope_metrics, 2, &self.metric(points));
        }
        let mut resource_metrics = Vec::new();
        bytes(&mut resource_metrics, 1, &resource);
        bytes(&mut resource_metrics, 2, &scope_metrics);
        let mut out = Vec::with_capacity(resource_metrics.len() + 8);
        bytes(&mut out, 1, &resource_metrics);
        out
    }

    /// Points of one family.
    fn metric(&self, points: &[(Arc<Series>, Point)]) -> Vec<u8> {
        let mut data = Vec::new();
        let Some((first, _)) = points.first() else { return data };
        let family = &*first.family;
        for (series, point) in points {
            let encoded = match family.kind {
                Kind::Histogram if series.native => self.exponential(series, point),
                Kind::Histogram => self.histogram(series, point),
                _ => self.number(series, point),
            };
            bytes(&mut data, 1, &encoded);
        }
        if matches!(family.kind, Kind::Counter | Kind::Histogram) {
            key(&mut data, 2, VARINT);
            varint(&mut data, CUMULATIVE);
        }
        if family.kind == Kind::Counter {
            key(&mut data, 3, VARINT);
            varint(&mut data, 1);
        }
        let mut metric = Vec::with_capacity(data.len() + 256);
        bytes(&mut metric, 1, family.name.as_bytes());
        bytes(&mut metric, 2, family.help.as_bytes());
        bytes(&mut metric, 3, unit(family).as_bytes());
        let field = match family.kind {
            Kind::Gauge | Kind::Untyped => 5,
            Kind::Counter => 7,
            Kind::Histogram if first.native => 10,
            Kind::Histogram => 9,
        };
        bytes(&mut metric, field, &data);
        metric
    }

    fn number(&self, series: &Series, point: &Point) -> Vec<u8> {
        let mut out = self.times(series, point);
        self.attributes(&mut out, 7, series);
        match point {
            Point::Number(value) => double(&mut out, 4, *value),
            _ => {
                key(&mut out, 8, VARINT);
                varint(&mut out, NO_VALUE);
            }
        }
        out
    }

    fn histogram(&self, series: &Series, point: &Point) -> Vec<u8> {
        let mut out = self.times(series, point);
        self.attributes(&mut out, 9, series);
        let Point::Histogram(buckets) = point else {
            key(&mut out, 10, VARINT);
            varint(&mut out, NO_VALUE);
            return out;
        };
        let count = buckets.counts.iter().fold(0_u64, |sum, n| sum.saturating_add(*n));
        fixed(&mut out, 4, count);
        double(&mut out, 5, buckets.sum);
        packed(&mut out, 6, buckets.counts.iter().map(|n| n.to_le_bytes()));
        packed(&mut out, 7, series.bounds.iter().map(|bound| bound.to_le_bytes()));
        out
    }

    /// A histogram in the sparse form alone: here a name has one type.
    fn exponential(&self, series: &Series, point: &Point) -> Vec<u8> {
        let mut out = self.times(series, point);
        self.attributes(&mut out, 1, series);
        let native = match point {
            Point::Histogram(buckets) => buckets.native.as_ref().map(|native| (buckets, native)),
            _ => None,
        };
        let Some((buckets, native)) = native else {
            key(&mut out, 10, VARINT);
            varint(&mut out, NO_VALUE);
            return out;
        };
        let count = buckets.counts.iter().fold(0_u64, |sum, n| sum.saturating_add(*n));
        fixed(&mut out, 4, count);
        double(&mut out, 5, buckets.sum);
        key(&mut out, 6, VARINT);
        varint(&mut out, zigzag(native.schema().into()));
        fixed(&mut out, 7, native.zero());
        dense(&mut out, 8, native.positive());
        dense(&mut out, 9, native.negative());
        double(&mut out, 14, ZERO_THRESHOLD);
        out
    }

    /// Start, where it is known, and time.
    fn times(&self, series: &Series, point: &Point) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        let nanos = |millis: i64| u64::try_from(millis).unwrap_or_default().saturating_mul(1_000_000);
        if series.born > 0 {
            fixed(&mut out, 2, nanos(series.born));
        }
        fixed(&mut out, 3, nanos(point.time(self.at)));
        out
    }

    fn attributes(&self, out: &mut Vec<u8>, field: u64, series: &Series) {
        let own = series.labels.iter().map(|(name, value)| (&**name, &**value));
        for (name, value) in own.clone().filter(|(_, value)| !value.is_empty()) {
            attribute_field(out, field, name, value);
        }
        for (name, value) in self.labels {
            let resource = RESOURCE.iter().any(|(label, _)| label == name);
            if !resource && !value.is_empty() && own.clone().all(|(known, _)| known != name) {
                attribute_field(out, field, name, value);
            }
        }
    }
}

/// Buckets without gaps; a bucket is known by its lower bound, so that its index is one less than Prometheus'.
fn dense(out: &mut Vec<u8>, field: u64, side: &[Bucket]) {
    let Some((first, _)) = side.first() else { return };
    let (mut body, mut counts, mut next) = (Vec::new(), Vec::with_capacity(2 * side.len()), *first);
    for (index, count) in side {
        (next..*index).for_each(|_| varint(&mut counts, 0));
        varint(&mut counts, *count);
        next = index + 1;
    }
    key(&mut body, 1, VARINT);
    varint(&mut body, zigzag(i64::from(*first) - 1));
    bytes(&mut body, 2, &counts);
    bytes(out, field, &body);
}

/// The unit in UCUM's letters, which is what OTLP speaks.
fn unit(family: &Desc) -> &str {
    match family.unit.as_deref() {
        Some("seconds") => "s",
        Some("bytes") => "By",
        Some("ratio") => "1",
        Some("bytes_per_second") => "By/s",
        Some(other) => other,
        None => "",
    }
}

/// A `KeyValue` with a text.
fn attribute_field(out: &mut Vec<u8>, field: u64, name: &str, value: &str) {
    let (mut pair, mut any) = (Vec::new(), Vec::new());
    bytes(&mut any, 1, value.as_bytes());
    bytes(&mut pair, 1, name.as_bytes());
    bytes(&mut pair, 2, &any);
    bytes(out, field, &pair);
}

fn fixed(out: &mut Vec<u8>, field: u64, n: u64) {
    key(out, field, FIXED64);
    out.extend_from_slice(&n.to_le_bytes());
}

fn packed(out: &mut Vec<u8>, field: u64, values: impl ExactSizeIterator<Item = [u8; 8]>) {
    key(out, field, LENGTH);
    varint(out, 8 * values.len() as u64);
    values.for_each(|value| out.extend_from_slice(&value));
}
