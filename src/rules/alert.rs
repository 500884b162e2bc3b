//! The alert of a rule: `rate > 0.1` and how long it must hold.

use super::group::Sink;
use super::raw::RawAlert;
use super::yaml::At;

/// What the alert looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Events per second.
    Rate,
    /// Events within the window.
    Increase,
}

/// How it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Comparison {
    Above,
    AtLeast,
    Below,
    AtMost,
    Equal,
    NotEqual,
}

impl Comparison {
    /// PromQL's operator.
    pub const fn operator(self) -> &'static str {
        match self {
            Comparison::Above => ">",
            Comparison::AtLeast => ">=",
            Comparison::Below => "<",
            Comparison::AtMost => "<=",
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
        }
    }
}

/// When an alert fires.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// What it looks at.
    pub measure: Measure,
    /// The window in seconds, where one is given.
    pub window: Option<u64>,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub threshold: f64,
}

/// The Prometheus alert that a rule becomes.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// When it fires.
    pub when: Condition,
    /// Seconds that it must hold before it fires.
    pub hold: u64,
    /// The `severity` label.
    pub severity: String,
}

const NEXT: &str =
    "write such as `rate > 0.1` (events per second) or `increase[1h] > 10` (events in an hour)";

pub(super) fn compile(raw: At<RawAlert>, sink: &mut Sink<'_>) -> Option<Alert> {
    let raw = raw.value;
    let when = match condition(&raw.when.value) {
        Ok(when) => Some(when),
        Err(message) => {
            sink.error(raw.when.spot, message, NEXT);
            None
        }
    };
    let mut hold = Some(0);
    if let Some(text) = &raw.hold {
        hold = seconds(&text.value);
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

/// Reads `rate > 0.1`, `rate[10m] >= 1`, `increase[1h] > 10`.
fn condition(text: &str) -> Result<Condition, String> {
    let shown = text.trim().escape_debug().to_string();
    let at = text.find(['<', '>', '=', '!']).ok_or_else(|| format!("`{shown}` compares nothing"))?;
    let (left, rest) = (text[..at].trim(), &text[at..]);
    let (word, window) = match left.strip_suffix(']').and_then(|left| left.split_once('[')) {
        Some((word, window)) => {
            let window = seconds(window).filter(|window| *window > 0);
            (
                word.trim_end(),
                Some(window.ok_or_else(|| format!("`{shown}` has a window that is no duration"))?),
            )
        }
        None => (left, None),
    };
    let measure = match word {
        "rate" => Measure::Rate,
        "increase" | "count" => Measure::Increase,
        other => {
            return Err(format!("an alert looks at rate or increase, found `{}`", other.escape_debug()));
        }
    };
    let operators = [
        (">=", Comparison::AtLeast),
        ("<=", Comparison::AtMost),
        ("==", Comparison::Equal),
        ("!=", Comparison::NotEqual),
        (">", Comparison::Above),
        ("<", Comparison::Below),
    ];
    let found =
        operators.into_iter().find_map(|(word, comparison)| Some((comparison, rest.strip_prefix(word)?)));
    let (comparison, number) =
        found.ok_or_else(|| format!("`{shown}` compares by none of > >= < <= == !="))?;
    let threshold = number.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    let threshold = threshold.ok_or_else(|| format!("`{}` is no number", number.trim().escape_debug()))?;
    Ok(Condition { measure, window, comparison, threshold })
}

/// A duration as Prometheus writes it, in whole seconds.
fn seconds(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut sum: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().ok()?;
        let unit = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let factor = match &rest[digits..digits + unit] {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            "w" => 604_800,
            "y" => 31_536_000,
            _ => return None,
        };
        sum = sum.checked_add(number.checked_mul(factor)?)?;
        rest = &rest[digits + unit..];
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read() {
        let rate =
            |comparison, threshold| Condition { measure: Measure::Rate, window: None, comparison, threshold };
        assert_eq!(condition("rate > 0.1"), Ok(rate(Comparison::Above, 0.1)));
        assert_eq!(condition("rate<=3"), Ok(rate(Comparison::AtMost, 3.0)));
        let counted = condition("increase[1h30m] >= 10").unwrap();
        assert_eq!(
            (counted.measure, counted.window, counted.threshold),
            (Measure::Increase, Some(5400), 10.0)
        );
        for bad in
            ["", "rate", "rate > x", "rates > 1", "rate[x] > 1", "rate ! 1", "rate > inf", "rate[0s] > 1"]
        {
            assert!(condition(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_are_prometheus_own() {
        assert_eq!(seconds("5m"), Some(300));
        assert_eq!(seconds("1d12h"), Some(129_600));
        for bad in ["", "5", "m", "5 m", "5q", "99999999999999999999s", "9999999999999999999w"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
