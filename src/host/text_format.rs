//! Reads the Prometheus text format 0.0.4, as other programs leave it in files: text in, families out, or one error.
//!
//! Strict where a scrape would break: a file is taken whole or not at all. Timestamps are refused, since the
//! exporter would serve old samples as new ones.

use std::collections::{BTreeMap, HashSet};

use prometheus::proto::{Counter, Metric, MetricFamily, MetricType, Quantile, Summary};

use super::batch::{gauge, histogram, labelled, set_untyped};

/// Label names and values of a sample, in the file's order.
type Labels = Vec<(String, String)>;

/// One family while its lines come in.
#[derive(Debug, Default)]
struct Open {
    help: Option<String>,
    kind: Option<MetricType>,
    series: BTreeMap<Labels, Series>,
}

/// The samples of one label set; a plain metric has only `value`.
#[derive(Debug, Default)]
struct Series {
    value: Option<f64>,
    sum: Option<f64>,
    count: Option<f64>,
    /// By `le` or `quantile`.
    parts: Vec<(f64, f64)>,
}

/// The families of a text, sorted by name; a family without help has an empty one.
///
/// # Errors
/// The first line that is wrong, with its number.
pub(crate) fn parse(text: &str) -> Result<Vec<MetricFamily>, String> {
    let mut open: BTreeMap<String, Open> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_matches([' ', '\t', '\r']);
        let result = match line.strip_prefix('#') {
            _ if line.is_empty() => Ok(()),
            Some(comment) => take_comment(comment, &mut open),
            None => take_sample(line, &mut open),
        };
        result.map_err(|what| format!("line {}: {what}", number + 1))?;
    }
    let families: Vec<MetricFamily> = open
        .into_iter()
        .filter(|(_, family)| !family.series.is_empty())
        .map(close)
        .collect::<Result<_, _>>()?;
    check_names(&families)?;
    Ok(families)
}

/// A histogram `a` and a counter `a_count` would write the same sample twice.
fn check_names(families: &[MetricFamily]) -> Result<(), String> {
    let names: HashSet<&str> = families.iter().map(MetricFamily::name).collect();
    for family in families {
        let suffixes: &[&str] = match family.get_field_type() {
            MetricType::HISTOGRAM => &["_bucket", "_sum", "_count"],
            MetricType::SUMMARY => &["_sum", "_count"],
            _ => &[],
        };
        if let Some(suffix) =
            suffixes.iter().find(|suffix| names.contains(format!("{}{suffix}", family.name()).as_str()))
        {
            return Err(format!(
                "{}{suffix} is both a metric and a part of {}",
                family.name(),
                family.name()
            ));
        }
    }
    Ok(())
}

fn take_comment(comment: &str, open: &mut BTreeMap<String, Open>) -> Result<(), String> {
    let mut fields = comment.trim_start().splitn(2, [' ', '\t']);
    let (word, rest) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default().trim_start());
    if word != "HELP" && word != "TYPE" {
        return Ok(());
    }
    let (name, rest) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
    if !is_name(name, true) {
        return Err(format!("{name:?} is no metric name"));
    }
    let family = open.entry(name.to_owned()).or_default();
    if word == "HELP" {
        if family.help.is_some() {
            return Err(format!("second HELP for {name}"));
        }
        family.help = Some(unescape(rest.trim_start(), false)?);
        return Ok(());
    }
    if family.kind.is_some() || !family.series.is_empty() {
        return Err(format!("TYPE of {name} comes twice or after its samples"));
    }
    family.kind = Some(match rest.trim() {
        "counter" => MetricType::COUNTER,
        "gauge" => MetricType::GAUGE,
        "histogram" => MetricType::HISTOGRAM,
        "summary" => MetricType::SUMMARY,
        "untyped" => MetricType::UNTYPED,
        other => return Err(format!("unknown type {other:?}")),
    });
    Ok(())
}

fn take_sample(line: &str, open: &mut BTreeMap<String, Open>) -> Result<(), String> {
    let end = line.find([' ', '\t', '{']).ok_or_else(|| format!("no value in {line:?}"))?;
    let (name, rest) = line.split_at(end);
    if !is_name(name, true) {
        return Err(format!("{name:?} is no metric name"));
    }
    let rest = rest.trim_start();
    let (mut labels, rest) = match rest.strip_prefix('{') {
        Some(inner) => take_labels(inner)?,
        None => (Labels::new(), rest),
    };
    let mut fields = rest.split_ascii_whitespace();
    let value =
        fields.next().and_then(|field| field.parse().ok()).ok_or_else(|| format!("no number in {line:?}"))?;
    if fields.next().is_some() {
        return Err("timestamps are not supported".to_owned());
    }
    let (family, part) = owner(name, open);
    let bound = match part {
        Part::Bucket => Some(take_bound(&mut labels, "le")?),
        Part::Value if open.get(&family).is_some_and(|known| known.kind == Some(MetricType::SUMMARY)) => {
            Some(take_bound(&mut labels, "quantile")?)
        }
        _ => None,
    };
    labels.sort();
    let series = open.entry(family).or_default().series.entry(labels).or_default();
    let slot = match (part, bound) {
        (_, Some(bound)) => {
            if series.parts.iter().any(|part| part.0.total_cmp(&bound).is_eq()) {
                return Err(format!("{name} comes twice with the same labels"));
            }
            series.parts.push((bound, value));
            return Ok(());
        }
        (Part::Sum, _) => &mut series.sum,
        (Part::Count, _) => &mut series.count,
        _ => &mut series.value,
    };
    if slot.replace(value).is_some() {
        return Err(format!("{name} comes twice with the same labels"));
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Value,
    Bucket,
    Sum,
    Count,
}

/// `a_sum` belongs to `a` where that is a histogram or a summary, and is a metric of its own elsewhere.
fn owner(name: &str, open: &BTreeMap<String, Open>) -> (String, Part) {
    for (suffix, part) in [("_bucket", Part::Bucket), ("_sum", Part::Sum), ("_count", Part::Count)] {
        let Some(family) = name.strip_suffix(suffix) else { continue };
        match open.get(family).and_then(|known| known.kind) {
            Some(MetricType::HISTOGRAM) => return (family.to_owned(), part),
            Some(MetricType::SUMMARY) if part != Part::Bucket => return (family.to_owned(), part),
            _ => {}
        }
    }
    (name.to_owned(), Part::Value)
}

fn take_bound(labels: &mut Labels, name: &str) -> Result<f64, String> {
    let at = labels
        .iter()
        .position(|(label, _)| label == name)
        .ok_or_else(|| format!("label {name} is missing"))?;
    let (_, text) = labels.remove(at);
    text.parse()
        .ok()
        .filter(|bound: &f64| !bound.is_nan())
        .ok_or_else(|| format!("{name}={text:?} is no number"))
}

/// Labels up to the closing brace, and what follows it.
fn take_labels(text: &str) -> Result<(Labels, &str), String> {
    let mut labels = Labels::new();
    let mut rest = text.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((labels, after));
        }
        let (name, after) = rest.split_once('=').ok_or("a label without `=`")?;
        let name = name.trim_end();
        if !is_name(name, false) || name == "__name__" {
            return Err(format!("{name:?} is no label name"));
        }
        if labels.iter().any(|(known, _)| known == name) {
            return Err(format!("label {name} comes twice"));
        }
        let value =
            after.trim_start().strip_prefix('"').ok_or_else(|| format!("value of {name} is not quoted"))?;
        let end = closing_quote(value).ok_or_else(|| format!("value of {name} does not end"))?;
        labels.push((name.to_owned(), unescape(&value[..end], true)?));
        rest = value[end + 1..].trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None if rest.starts_with('}') => {}
            None => return Err(format!("after the label {name} a comma or a brace is wanted")),
        }
    }
}

/// Position of the first quote that no backslash protects.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

fn unescape(text: &str, quotes: bool) -> Result<String, String> {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => plain.push('\n'),
            Some('\\') => plain.push('\\'),
            Some('"') if quotes => plain.push('"'),
            other => return Err(format!("unknown escape \\{}", other.map(String::from).unwrap_or_default())),
        }
    }
    Ok(plain)
}

/// Metric names may hold colons, label names may not.
fn is_name(name: &str, colons: bool) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || (colons && byte == b':');
    !name.is_empty() && !name.as_bytes()[0].is_ascii_digit() && name.bytes().all(good)
}

fn close((name, open): (String, Open)) -> Result<MetricFamily, String> {
    let kind = open.kind.unwrap_or(MetricType::UNTYPED);
    let mut metrics = Vec::with_capacity(open.series.len());
    for (labels, series) in open.series {
        let mut metric = labelled(&labels);
        fill(&mut metric, kind, series).map_err(|what| format!("{name}: {what}"))?;
        metrics.push(metric);
    }
    let mut family = MetricFamily::default();
    family.set_name(name);
    family.set_help(open.help.unwrap_or_default());
    family.set_field_type(kind);
    family.set_metric(metrics);
    Ok(family)
}

fn fill(metric: &mut Metric, kind: MetricType, mut series: Series) -> Result<(), String> {
    series.parts.sort_by(|a, b| a.0.total_cmp(&b.0));
    match kind {
        MetricType::HISTOGRAM => return fill_histogram(metric, &series),
        MetricType::SUMMARY => {
            let mut summary = Summary::default();
            summary.set_sample_count(count(series.count.unwrap_or(0.0))?);
            summary.set_sample_sum(series.sum.unwrap_or(0.0));
            let quantiles = series.parts.iter().map(|(at, value)| {
                let mut quantile = Quantile::default();
                quantile.set_quantile(*at);
                quantile.set_value(*value);
                quantile
            });
            summary.set_quantile(quantiles.collect());
            metric.set_summary(summary);
            return Ok(());
        }
        _ => {}
    }
    let value = series.value.ok_or("a series without a value")?;
    match kind {
        MetricType::COUNTER => {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        }
        MetricType::GAUGE => metric.set_gauge(gauge(value)),
        _ => set_untyped(metric, value),
    }
    Ok(())
}

fn fill_histogram(metric: &mut Metric, series: &Series) -> Result<(), String> {
    if series.value.is_some() {
        return Err("a histogram with a sample that is no bucket, sum or count".to_owned());
    }
    let mut buckets = Vec::with_capacity(series.parts.len());
    for (bound, cumulative) in &series.parts {
        let cumulative = count(*cumulative)?;
        if buckets.last().is_some_and(|(_, below)| *below > cumulative) {
            return Err(format!("the bucket {bound} holds less than the one below"));
        }
        buckets.push((*bound, cumulative));
    }
    let all = match buckets.last() {
        Some((bound, all)) if *bound == f64::INFINITY => *all,
        _ => count(series.count.ok_or("a histogram without a count")?)?,
    };
    if series.count.is_some_and(|given| given != all as f64)
        || buckets.last().is_some_and(|last| last.1 > all)
    {
        return Err("count and buckets do not agree".to_owned());
    }
    buckets.retain(|(bound, _)| bound.is_finite());
    metric.set_histogram(histogram(&buckets, series.sum.unwrap_or(0.0), all));
    Ok(())
}

fn count(value: f64) -> Result<u64, String> {
    // The cast saturates; what is no whole number of events is refused before it.
    if value >= 0.0 && value.fract() == 0.0 && value.is_finite() {
        Ok(value as u64)
    } else {
        Err(format!("{value} is no count"))
    }
}

#[cfg(test)]
#[path = "text_format_tests.rs"]
mod tests;
