//! The families that one collector hands over: typed numbers with labels in, `prometheus` families out.
//!
//! The crate has no constant metrics, so they are built from its plain model by hand, once per reading; a
//! scrape only copies them.

use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType, Untyped,
};

/// Families under construction. Series of one name may come in any order; they end up in one family.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    families: Vec<MetricFamily>,
}

impl Batch {
    /// One gauge series.
    pub(crate) fn gauge(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: f64) {
        let mut metric = labelled(labels);
        metric.set_gauge(gauge(value));
        self.push(name, help, MetricType::GAUGE, metric);
    }

    /// One counter series.
    pub(crate) fn counter(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: f64) {
        let mut metric = labelled(labels);
        let mut counter = Counter::default();
        counter.set_value(value);
        metric.set_counter(counter);
        self.push(name, help, MetricType::COUNTER, metric);
    }

    /// One untyped series, as node_exporter gives kernel numbers of which it does not know the kind.
    pub(crate) fn untyped(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: f64) {
        let mut metric = labelled(labels);
        set_untyped(&mut metric, value);
        self.push(name, help, MetricType::UNTYPED, metric);
    }

    /// One histogram series: `buckets` are (upper bound, cumulative count) without `+Inf`.
    pub(crate) fn histogram(
        &mut self,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        buckets: &[(f64, u64)],
        sum: f64,
        count: u64,
    ) {
        let mut metric = labelled(labels);
        metric.set_histogram(histogram(buckets, sum, count));
        self.push(name, help, MetricType::HISTOGRAM, metric);
    }

    /// A whole family that is complete already; nothing is added to it later.
    pub(crate) fn family(&mut self, family: MetricFamily) {
        self.families.push(family);
    }

    /// The families in the order of their first series.
    pub(crate) fn into_families(self) -> Vec<MetricFamily> {
        self.families
    }

    fn push(&mut self, name: &str, help: &str, kind: MetricType, metric: Metric) {
        // From the end: collectors mostly add to the family that they opened last.
        if let Some(family) = self.families.iter_mut().rev().find(|family| family.name() == name) {
            family.mut_metric().push(metric);
            return;
        }
        let mut family = MetricFamily::default();
        family.set_name(name.to_owned());
        family.set_help(help.to_owned());
        family.set_field_type(kind);
        family.set_metric(vec![metric]);
        self.families.push(family);
    }
}

/// A metric that carries `labels`, sorted by name as the exposition wants them.
pub(crate) fn labelled<N: AsRef<str>, V: AsRef<str>>(labels: &[(N, V)]) -> Metric {
    let mut pairs: Vec<LabelPair> = labels
        .iter()
        .map(|(name, value)| {
            let mut pair = LabelPair::default();
            pair.set_name(name.as_ref().to_owned());
            pair.set_value(value.as_ref().to_owned());
            pair
        })
        .collect();
    pairs.sort_by(|a, b| a.name().cmp(b.name()));
    Metric::from_label(pairs)
}

/// A gauge value.
pub(crate) fn gauge(value: f64) -> Gauge {
    let mut gauge = Gauge::default();
    gauge.set_value(value);
    gauge
}

/// A histogram from cumulative buckets.
pub(crate) fn histogram(buckets: &[(f64, u64)], sum: f64, count: u64) -> Histogram {
    let mut histogram = Histogram::default();
    histogram.set_bucket(
        buckets
            .iter()
            .map(|&(bound, cumulative)| {
                let mut bucket = Bucket::default();
                bucket.set_upper_bound(bound);
                bucket.set_cumulative_count(cumulative);
                bucket
            })
            .collect(),
    );
    histogram.set_sample_sum(sum);
    histogram.set_sample_count(count);
    histogram
}

/// Sets the value of an untyped metric; the gauge slot carries it too, for encoders that read only that.
#[expect(deprecated, reason = "the plain model marks its untyped setters so, and has no others")]
pub(crate) fn set_untyped(metric: &mut Metric, value: f64) {
    let mut untyped = Untyped::default();
    untyped.set_value(value);
    metric.set_untyped(untyped);
    metric.set_gauge(gauge(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_of_one_name_share_a_family_and_labels_are_sorted() {
        let mut batch = Batch::default();
        batch.counter("a_total", "A.", &[("z", "1"), ("b", "2")], 1.0);
        batch.gauge("g", "G.", &[], 2.0);
        batch.counter("a_total", "A.", &[("z", "2"), ("b", "2")], 3.0);
        let families = batch.into_families();
        assert_eq!(families.len(), 2);
        assert_eq!(families[0].get_metric().len(), 2);
        let names: Vec<&str> = families[0].get_metric()[0].get_label().iter().map(LabelPair::name).collect();
        assert_eq!(names, ["b", "z"]);
        assert_eq!(families[0].get_metric()[1].get_counter().get_value(), 3.0);
    }
}
