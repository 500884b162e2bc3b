//! The metrics of a rule: Prometheus' rules of naming, and agreement of all metrics of one name.

use super::label;
use super::names;
use super::raw::{RawAction, RawMetric, RawType};
use super::sink::Sink;
use super::yaml::{At, suggestion};
use crate::error::Place;
use crate::tally::spec::{Action, Label, Metric, MetricKind};
use crate::tally::units::{self, Base, Unit};
use std::collections::HashMap;

const MAX_BUCKETS: usize = 200;
const UNITS: [&str; 19] = [
    "ns", "us", "ms", "s", "m", "h", "d", "B", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB", "%",
    "percent", "ratio",
];

/// The metrics that rules define, by name, as their first rule defined them.
#[derive(Default)]
pub(super) struct Families(HashMap<String, Family>);

struct Family {
    kind: &'static str,
    base: Option<Base>,
    help: Option<String>,
    buckets: Vec<f64>,
    labels: Vec<String>,
    native: Option<bool>,
    place: Place,
}

pub(super) fn compile(
    raw: Vec<At<RawMetric>>,
    labels: &[Label],
    captures: &[String],
    families: &mut Families,
    sink: &mut Sink<'_>,
) -> Vec<Metric> {
    let mut metrics: Vec<Metric> = Vec::with_capacity(raw.len());
    for metric in raw {
        let spot = metric.value.name.spot;
        let help = metric.value.help.as_ref().map(|help| help.value.clone());
        let Some(metric) = one(metric, captures, sink) else { continue };
        if metrics.iter().any(|other| other.name == metric.name) {
            let message = format!("the rule feeds `{}` twice", metric.name);
            sink.error(spot, message, "one match adds one value to a metric: keep one of them");
            continue;
        }
        let mut names: Vec<String> = labels.iter().map(|label| label.name.clone()).collect();
        names.sort();
        let family = Family {
            kind: kind_name(&metric.kind),
            base: metric.unit.map(|unit| unit.base),
            help,
            buckets: if let MetricKind::Histogram(buckets) = &metric.kind {
                buckets.clone()
            } else {
                Vec::new()
            },
            labels: names,
            native: metric.native,
            place: sink.place(spot),
        };
        agree(&metric.name, family, families, spot, sink);
        metrics.push(metric);
    }
    metrics
}

fn kind_name(kind: &MetricKind) -> &'static str {
    match kind {
        MetricKind::Counter => "counter",
        MetricKind::Gauge(_) => "gauge",
        MetricKind::Histogram(_) => "histogram",
    }
}

/// Compares with the first metric of the name.
fn agree(name: &str, new: Family, families: &mut Families, spot: super::yaml::Spot, sink: &mut Sink<'_>) {
    let Some(first) = families.0.get_mut(name) else {
        families.0.insert(name.to_owned(), new);
        return;
    };
    let unit = |base: Option<Base>| base.map_or("none", Base::name);
    let differences = [
        (first.kind != new.kind).then(|| format!("type {} there, {} here", first.kind, new.kind)),
        (first.base != new.base).then(|| format!("unit {} there, {} here", unit(first.base), unit(new.base))),
        (first.kind == new.kind && first.buckets != new.buckets).then(|| "other buckets".to_owned()),
        first
            .native
            .zip(new.native)
            .filter(|(there, here)| there != here)
            .map(|(there, here)| format!("native {there} there, {here} here")),
        (first.labels != new.labels)
            .then(|| format!("labels [{}] there, [{}] here", first.labels.join(", "), new.labels.join(", "))),
        (first.help.is_some() && new.help.is_some() && first.help != new.help)
            .then(|| "another help".to_owned()),
    ];
    let differences: Vec<String> = differences.into_iter().flatten().collect();
    if !differences.is_empty() {
        let message =
            format!("`{name}` is defined at {} and differs from it: {}", first.place, differences.join("; "));
        sink.error(spot, message, "metrics of one name agree in type, help, unit, buckets and labels");
    }
    first.native = first.native.or(new.native);
    // A help given once holds for all.
    if first.help.is_none() {
        first.help = new.help;
    }
}

fn one(raw: At<RawMetric>, captures: &[String], sink: &mut Sink<'_>) -> Option<Metric> {
    let At { value: raw, spot } = raw;
    let unit = raw.unit.as_ref().and_then(|text| unit(text, sink));
    let (counter, histogram) = (raw.kind.value == RawType::Counter, raw.kind.value == RawType::Histogram);
    let mut good = raw.unit.is_none() == unit.is_none();
    for fault in names::metric(&raw.name.value, counter, histogram, unit) {
        good &= !sink.fault(raw.name.spot, fault);
    }
    let value = raw.value.as_ref().and_then(|text| value(text, captures, counter, sink));
    good &= raw.value.is_none() == value.is_none();
    if let (Some(action), false) = (&raw.action, raw.kind.value == RawType::Gauge) {
        sink.error(action.spot, "`action` is for gauges", "leave it out, or use `type: gauge`");
        good = false;
    }
    if let (Some(buckets), false) = (&raw.buckets, histogram) {
        sink.error(buckets.spot, "`buckets` are for histograms", "leave them out, or use `type: histogram`");
        good = false;
    }
    if let (Some(native), false) = (&raw.native, histogram) {
        sink.error(native.spot, "`native` is for histograms", "leave it out, or use `type: histogram`");
        good = false;
    }
    let action = raw.action.map_or(Action::Set, |action| action_of(action.value));
    let needs_value =
        histogram || (raw.kind.value == RawType::Gauge && !matches!(action, Action::Inc | Action::Dec));
    if needs_value && raw.value.is_none() {
        let what = if histogram { "a histogram" } else { "a gauge that is not counted up or down" };
        sink.error(
            spot,
            format!("{what} needs a `value`"),
            "add `value: '${capture}'`, or `'${duration}'` in a rule with `start` and `end`",
        );
        good = false;
    }
    let kind = match raw.kind.value {
        RawType::Counter => MetricKind::Counter,
        RawType::Gauge => MetricKind::Gauge(action),
        RawType::Histogram => match raw.buckets {
            Some(buckets) => MetricKind::Histogram(bounds(buckets, unit, sink)?),
            None => MetricKind::Histogram(Base::buckets(
                unit.map(|u| u.base).or_else(|| base_of(&raw.name.value)),
            )),
        },
    };
    let help = raw.help.map_or_else(|| default_help(&raw.name.value), |help| help.value.trim().to_owned());
    let native = raw.native.map(|native| native.value);
    good.then_some(Metric { name: raw.name.value, help, kind, unit, value, native })
}

fn default_help(name: &str) -> String {
    format!("{}, from log events.", name.trim_end_matches("_total").replace('_', " "))
}

/// The base unit that a name says.
fn base_of(name: &str) -> Option<Base> {
    [Base::Seconds, Base::Bytes, Base::Ratio].into_iter().find(|base| name.ends_with(base.name()))
}

fn action_of(action: RawAction) -> Action {
    match action {
        RawAction::Set => Action::Set,
        RawAction::Inc => Action::Inc,
        RawAction::Dec => Action::Dec,
        RawAction::Min => Action::Min,
        RawAction::Max => Action::Max,
    }
}

fn unit(text: &At<String>, sink: &mut Sink<'_>) -> Option<Unit> {
    let unit = Unit::from_name(text.value.trim());
    if unit.is_none() {
        let hint = suggestion(&text.value, UNITS).unwrap_or_default();
        sink.error(text.spot, format!("unknown unit `{}`", text.value.escape_debug()), hint);
    }
    unit
}

fn value(
    text: &At<String>,
    captures: &[String],
    counter: bool,
    sink: &mut Sink<'_>,
) -> Option<crate::tally::template::Template> {
    let template = label::template(text, captures, sink)?;
    match template.constant().map(|constant| (constant, units::parse(constant, None))) {
        Some((constant, Err(error))) => {
            let message = format!("`{}` is no value: {error}", constant.escape_debug());
            sink.error(text.spot, message, "write `'${capture}'`, or a number with a unit such as `12ms`");
            return None;
        }
        Some((constant, Ok(value))) if counter && value < 0.0 => {
            let message = format!("a counter never goes down, and `{}` would", constant.escape_debug());
            sink.error(text.spot, message, "use `type: gauge` with `action: dec`");
            return None;
        }
        _ => {}
    }
    Some(template)
}

/// Ascending upper bounds in base units; a last `+Inf` is always there and may be written.
fn bounds(raw: At<Vec<At<String>>>, unit: Option<Unit>, sink: &mut Sink<'_>) -> Option<Vec<f64>> {
    let mut bounds: Vec<f64> = Vec::with_capacity(raw.value.len());
    let last = raw.value.len().saturating_sub(1);
    let base = unit.map(|unit| match unit.base {
        Base::Seconds => Unit::SECONDS,
        Base::Bytes => Unit::BYTES,
        Base::Ratio => Unit::RATIO,
    });
    for (i, text) in raw.value.iter().enumerate() {
        if i == last
            && i > 0
            && matches!(text.value.to_ascii_lowercase().as_str(), "+inf" | "inf" | ".inf" | "+.inf")
        {
            continue;
        }
        let bound = match units::parse(&text.value, base) {
            Ok(bound) => bound,
            Err(error) => {
                let message = format!("`{}` is no bucket: {error}", text.value.escape_debug());
                sink.error(text.spot, message, "write numbers in base units, or with a unit such as `100ms`");
                return None;
            }
        };
        if let Some(before) = bounds.last().filter(|before| **before >= bound) {
            let message = format!("buckets must ascend, found {bound} after {before}");
            sink.error(text.spot, message, "sort them and leave out what repeats");
            return None;
        }
        bounds.push(bound);
    }
    if bounds.is_empty() || bounds.len() > MAX_BUCKETS {
        let message = format!("found {} buckets, a histogram has 1 to {MAX_BUCKETS}", bounds.len());
        sink.error(raw.spot, message, "leave `buckets` out for the default ones");
        return None;
    }
    Some(bounds)
}
