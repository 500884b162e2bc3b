//! The condition of a rule's alert: `MEASURE OPERATOR NUMBER`, and the PromQL that it means.
//!
//! Measures of the rule: `rate` (events a second), `increase` (events), `share` (of the input's events). Measures
//! of a metric that it defines: `rate(m)`, `increase(m)`, `value(m)`, `avg(m)`, `p99(m)`. A window may follow in
//! brackets (`increase[1h] > 5`; 5m without), a number may end in `%`.

use crate::tally::exposition::Kind;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Measure {
    Rate,
    Increase,
    Share,
    Value,
    Average,
    /// A quantile of 0 to 1.
    Quantile(f64),
}

/// A condition, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct When {
    measure: Measure,
    metric: Option<String>,
    window: String,
    operator: &'static str,
    limit: f64,
}

/// A rule, as far as a condition measures it.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// The rule's name.
    pub name: &'a str,
    /// The metrics that it defines.
    pub metrics: &'a [Metric<'a>],
}

/// A metric of a rule.
#[derive(Clone, Copy, Debug)]
pub struct Metric<'a> {
    /// The full name.
    pub name: &'a str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// A histogram of which Prometheus may hold the sparse form, the explicit buckets, or both.
    pub native: bool,
}

/// Why a condition is not understood, with what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WhenError(String);

impl WhenError {
    /// An error of this text.
    pub fn of(message: String) -> WhenError {
        WhenError(message)
    }
}

impl Metric<'_> {
    /// The expression that finds whichever form Prometheus holds; the sparse one, being the finer, goes first.
    fn either(&self, classic: String, sparse: String) -> String {
        if self.native { format!("({sparse} or {classic})") } else { classic }
    }
}

const OPERATORS: [&str; 6] = [">=", "<=", "==", "!=", ">", "<"];
const MEASURES: &str =
    "`rate`, `increase`, `share`, `value(METRIC)`, `avg(METRIC)` or a quantile like `p99(METRIC)`";

impl When {
    /// Reads a condition; the metrics it names are looked up by [`When::promql`].
    pub fn parse(text: &str) -> Result<When, WhenError> {
        let fail = |message: String| Err(WhenError(message));
        let Some((at, operator)) = OPERATORS
            .iter()
            .filter_map(|op| text.find(op).map(|at| (at, *op)))
            .min_by_key(|(at, op)| (*at, 2 - op.len()))
        else {
            return fail(format!("`{text}` compares nothing; write it like `rate > 0.1`"));
        };
        let number = text[at + operator.len()..].trim();
        let (digits, scale) = number.strip_suffix('%').map_or((number, 1.0), |n| (n.trim_end(), 0.01));
        let limit = match digits.parse::<f64>() {
            Ok(limit) if limit.is_finite() => limit * scale,
            _ => return fail(format!("`{number}` is no number")),
        };
        let (left, window) = split_suffix(text[..at].trim(), '[', ']');
        let (word, metric) = split_suffix(left.trim(), '(', ')');
        let window = window.unwrap_or("5m").trim();
        if !is_duration(window) {
            return fail(format!("`[{window}]` is no window; write it like `[5m]`"));
        }
        let Some(measure) = measure(word.trim()) else {
            return fail(format!("`{}` is no measure; allowed are {MEASURES}", word.trim()));
        };
        let metric = metric.map(|m| m.trim().to_owned());
        Ok(When { measure, metric, window: window.to_owned(), operator, limit })
    }

    /// The expression for a rule; an error where the measure needs a metric that the rule does not define.
    pub fn promql(&self, rule: &Measured<'_>) -> Result<String, WhenError> {
        let window = &self.window;
        let left = match (self.measure, self.metric(rule)?) {
            (Measure::Share, _) => {
                let all = format!("sum by (job, instance, input) (rate(log_events_total[{window}]))");
                format!("{} / ({all} > 0)", self.over("rate", &pattern_selector(rule)))
            }
            (Measure::Rate, None) => self.over("rate", &pattern_selector(rule)),
            (Measure::Increase, None) => self.over("increase", &pattern_selector(rule)),
            (Measure::Rate, Some(m)) => self.counted("rate", m),
            (Measure::Increase, Some(m)) => self.counted("increase", m),
            (Measure::Value, Some(m)) => {
                let most = if self.operator.starts_with('<') { "min" } else { "max" };
                format!("{most} by (job, instance, input) ({})", m.name)
            }
            (Measure::Average, Some(m)) if m.kind == Kind::Histogram => self.mean(m),
            (Measure::Average, Some(m)) => {
                format!("avg by (job, instance, input) (avg_over_time({}[{window}]))", m.name)
            }
            (Measure::Quantile(q), Some(m)) => {
                let buckets =
                    format!("sum by (job, instance, input, le) (rate({}_bucket[{window}]))", m.name);
                let sparse = self.over("rate", m.name);
                m.either(
                    format!("histogram_quantile({q}, {buckets})"),
                    format!("histogram_quantile({q}, {sparse})"),
                )
            }
            (Measure::Value | Measure::Average | Measure::Quantile(_), None) => {
                return Err(WhenError(format!("rule `{}` defines no metric that this measures", rule.name)));
            }
        };
        Ok(format!("{left} {} {}", self.operator, self.limit))
    }

    fn over(&self, function: &str, selector: &str) -> String {
        format!("sum by (job, instance, input) ({function}({selector}[{}]))", self.window)
    }

    /// How fast a counter grows, or the number of a histogram's observations.
    fn counted(&self, function: &str, m: &Metric<'_>) -> String {
        if m.kind != Kind::Histogram {
            return self.over(function, m.name);
        }
        let classic = self.over(function, &format!("{}_count", m.name));
        m.either(classic, format!("histogram_count({})", self.over(function, m.name)))
    }

    /// The mean of a histogram's observations.
    fn mean(&self, m: &Metric<'_>) -> String {
        let part = |part: &str| self.over("rate", &format!("{}{part}", m.name));
        let sparse = part("");
        m.either(
            format!("{} / ({} > 0)", part("_sum"), part("_count")),
            format!("histogram_sum({sparse}) / (histogram_count({sparse}) > 0)"),
        )
    }

    /// The metric that is meant: the named one, or the only one that the measure fits.
    fn metric<'r>(&self, rule: &Measured<'r>) -> Result<Option<&'r Metric<'r>>, WhenError> {
        let fits = |m: &&Metric<'_>| match self.measure {
            Measure::Rate | Measure::Increase => m.kind != Kind::Gauge,
            Measure::Value => m.kind == Kind::Gauge,
            Measure::Average => m.kind != Kind::Counter,
            Measure::Quantile(_) => m.kind == Kind::Histogram,
            Measure::Share => false,
        };
        let Some(name) = &self.metric else {
            if matches!(self.measure, Measure::Rate | Measure::Increase | Measure::Share) {
                return Ok(None);
            }
            let mut fitting = rule.metrics.iter().filter(fits);
            return match (fitting.next(), fitting.next()) {
                (Some(_), Some(_)) => Err(WhenError(format!(
                    "rule `{}` defines several metrics: name one in parentheses",
                    rule.name
                ))),
                (only, _) => Ok(only),
            };
        };
        match rule.metrics.iter().find(|m| m.name == *name) {
            Some(metric) if fits(&metric) => Ok(Some(metric)),
            Some(_) => Err(WhenError(format!("`{name}` has not the type that this measures"))),
            None => Err(WhenError(format!("rule `{}` defines no metric `{name}`", rule.name))),
        }
    }
}

fn pattern_selector(rule: &Measured<'_>) -> String {
    format!("log_pattern_events_total{{pattern={}}}", quoted(rule.name))
}

fn measure(word: &str) -> Option<Measure> {
    Some(match word {
        "rate" => Measure::Rate,
        "increase" => Measure::Increase,
        "share" => Measure::Share,
        "value" => Measure::Value,
        "avg" => Measure::Average,
        _ => {
            let digits = word.strip_prefix('p').filter(|d| !d.is_empty() && d.len() < 6)?;
            if !digits.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            // p99 is 0.99, p999 is 0.999: the digits stand after the point. p5 would be read as 0.5: use p50.
            Measure::Quantile(format!("0.{digits}").parse().ok().filter(|_| digits.len() >= 2)?)
        }
    })
}

/// `a(b)` as `a` and `b`; text without the brackets as it is.
fn split_suffix(text: &str, open: char, close: char) -> (&str, Option<&str>) {
    match text.strip_suffix(close).and_then(|t| t.split_once(open)) {
        Some((head, inside)) => (head, Some(inside)),
        None => (text, None),
    }
}

/// Whether Prometheus reads the text as a duration above zero, such as `90s` or `1h30m`.
pub fn is_duration(text: &str) -> bool {
    const UNITS: [&str; 7] = ["y", "w", "d", "h", "m", "s", "ms"];
    let (mut rest, mut from, mut above_zero) = (text, 0, false);
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let letters =
            rest[digits..].len() - rest[digits..].trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let Some(unit) = UNITS.iter().position(|u| *u == &rest[digits..digits + letters]) else {
            return false;
        };
        // Units stand from the largest to the smallest, each once.
        if digits == 0 || digits > 6 || unit < from {
            return false;
        }
        above_zero |= rest[..digits].bytes().any(|b| b != b'0');
        from = unit + 1;
        rest = &rest[digits + letters..];
    }
    above_zero
}

/// A PromQL string of any text.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Measured<'static> = Measured {
        name: "db_timeout",
        metrics: &[
            Metric { name: "wait_seconds", kind: Kind::Histogram, native: false },
            Metric { name: "pool", kind: Kind::Gauge, native: false },
            Metric { name: "got_bytes_total", kind: Kind::Counter, native: false },
        ],
    };

    fn means(text: &str) -> Result<String, String> {
        When::parse(text).and_then(|w| w.promql(&RULE)).map_err(|e| e.to_string())
    }

    #[test]
    fn conditions_become_promql() {
        let by = "sum by (job, instance, input)";
        for (text, expr) in [
            ("rate > 0.1", format!(r#"{by} (rate(log_pattern_events_total{{pattern="db_timeout"}}[5m])) > 0.1"#)),
            ("increase[1h]>=5", format!(r#"{by} (increase(log_pattern_events_total{{pattern="db_timeout"}}[1h])) >= 5"#)),
            ("share > 50%", format!(r#"{by} (rate(log_pattern_events_total{{pattern="db_timeout"}}[5m])) / ({by} (rate(log_events_total[5m])) > 0) > 0.5"#)),
            ("rate(got_bytes_total) > 1e6", format!("{by} (rate(got_bytes_total[5m])) > 1000000")),
            ("value < 2", "min by (job, instance, input) (pool) < 2".into()),
            ("avg(wait_seconds)[10m] > 3", String::new()),
            ("p99 > 1.5", "histogram_quantile(0.99, sum by (job, instance, input, le) (rate(wait_seconds_bucket[5m]))) > 1.5".into()),
        ] {
            let got = means(text).unwrap();
            if expr.is_empty() {
                assert!(got.contains("wait_seconds_sum[10m]") && got.ends_with("> 0) > 3"), "{got}");
            } else {
                assert_eq!(got, expr);
            }
        }
    }

    #[test]
    fn of_a_histogram_in_two_forms_either_is_found() {
        let metrics = [Metric { name: "wait_seconds", kind: Kind::Histogram, native: true }];
        let rule = Measured { name: "db_timeout", metrics: &metrics };
        let by = "sum by (job, instance, input)";
        let sparse = format!("{by} (rate(wait_seconds[5m]))");
        for (text, expr) in [
            (
                "p99 > 1.5",
                format!(
                    "(histogram_quantile(0.99, {sparse}) or histogram_quantile(0.99, sum by (job, instance, input, le) (rate(wait_seconds_bucket[5m])))) > 1.5"
                ),
            ),
            (
                "rate(wait_seconds) > 1",
                format!("(histogram_count({sparse}) or {by} (rate(wait_seconds_count[5m]))) > 1"),
            ),
            (
                "avg > 3",
                format!(
                    "(histogram_sum({sparse}) / (histogram_count({sparse}) > 0) or {by} (rate(wait_seconds_sum[5m])) / ({by} (rate(wait_seconds_count[5m])) > 0)) > 3"
                ),
            ),
        ] {
            assert_eq!(When::parse(text).unwrap().promql(&rule).unwrap(), expr);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, word) in [
            ("rate", "compares nothing"),
            ("rate > lots", "no number"),
            ("rate > inf", "no number"),
            ("speed > 1", "no measure"),
            ("p9 > 1", "no measure"),
            ("p > 1", "no measure"),
            ("rate[5x] > 1", "no window"),
            ("rate[] > 1", "no window"),
            ("value(wait_seconds) > 1", "not the type"),
            ("rate(nothing) > 1", "no metric `nothing`"),
            ("avg > 1", "several metrics"),
        ] {
            let error = means(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
        let bare = Measured { name: "x", metrics: &[] };
        assert!(When::parse("p99 > 1").unwrap().promql(&bare).is_err());
    }

    #[test]
    fn durations_are_those_of_prometheus() {
        for good in ["5m", "1h30m", "90s", "1d", "250ms", "1m1ms"] {
            assert!(is_duration(good), "{good}");
        }
        for bad in ["", "5", "m", "5min", "30m1h", "0s", "1m1m", "-5m", "5m ", "１m", "5µs"] {
            assert!(!is_duration(bad), "{bad}");
        }
    }
}
