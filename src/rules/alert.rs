//! The alert of a rule: `rate > 0.1` and how long it must hold.

use super::raw::RawAlert;
use super::sink::Sink;
use super::when::{Measured, Metric, When, is_duration};
use super::yaml::At;
use crate::tally::exposition::Kind;
use crate::tally::spec::{self, MetricKind};

/// The Prometheus alert that a rule becomes.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// When it fires, as written; it is understood.
    pub when: String,
    /// How long it must hold before it fires, as Prometheus writes durations; empty for at once.
    pub hold: String,
    /// The `severity` label.
    pub severity: String,
}

const NEXT: &str =
    "write such as `rate > 0.1` (events per second) or `increase[1h] > 10` (events in an hour)";

pub(super) fn compile(
    raw: At<RawAlert>,
    name: &str,
    metrics: &[spec::Metric],
    sink: &mut Sink<'_>,
) -> Option<Alert> {
    let raw = raw.value;
    let metrics: Vec<Metric<'_>> = metrics.iter().map(measured).collect();
    let rule = Measured { name, metrics: &metrics };
    let when = match When::parse(&raw.when.value).and_then(|when| when.promql(&rule)) {
        Ok(_) => Some(raw.when.value),
        Err(error) => {
            sink.error(raw.when.spot, error.to_string(), NEXT);
            None
        }
    };
    let mut hold = Some(String::new());
    if let Some(text) = raw.hold {
        hold = (text.value.trim() == "0s" || is_duration(&text.value)).then(|| text.value.clone());
        if hold.is_none() {
            let message = format!("`{}` is no duration", text.value.escape_debug());
            sink.error(text.spot, message, "write such as `30s`, `5m` or `1h30m`");
        }
    }
    let severity = raw.severity.map_or(Some("warning".to_owned()), |severity| {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if severity.value.is_empty() || !severity.value.chars().all(good) {
            let message = format!("`{}` is no severity", severity.value.escape_debug());
            sink.error(severity.spot, message, "write one word, such as info, warning or critical");
            return None;
        }
        Some(severity.value)
    });
    Some(Alert { when: when?, hold: hold?, severity: severity? })
}

fn measured(metric: &spec::Metric) -> Metric<'_> {
    let kind = match metric.kind {
        MetricKind::Counter => Kind::Counter,
        MetricKind::Gauge(_) => Kind::Gauge,
        MetricKind::Histogram(_) => Kind::Histogram,
    };
    // Whether the condition can be measured does not depend on the form.
    Metric { name: &metric.name, kind, native: false }
}
