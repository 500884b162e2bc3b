//! Names that Prometheus and this program accept: of rules, groups, labels and metrics.

use crate::tally::units::{Base, Unit};

/// Labels that every log metric carries already, or that Prometheus keeps.
const RESERVED_LABELS: &[&str] = &["input", "path", "pattern", "level", "le", "quantile"];

/// Log families of the program's own.
const OWN_FAMILIES: &[&str] = &[
    "log_events_total",
    "log_lines_total",
    "log_bytes_total",
    "log_pattern_events_total",
    "log_exceptions_total",
    "log_last_event_timestamp_seconds",
    "log_file_size_bytes",
    "log_file_unread_bytes",
];

/// Ends of names that are no base unit, with the base unit to use.
const OTHER_UNITS: &[(&str, &str)] = &[
    ("milliseconds", "seconds"),
    ("microseconds", "seconds"),
    ("nanoseconds", "seconds"),
    ("ms", "seconds"),
    ("us", "seconds"),
    ("ns", "seconds"),
    ("minutes", "seconds"),
    ("hours", "seconds"),
    ("days", "seconds"),
    ("kilobytes", "bytes"),
    ("megabytes", "bytes"),
    ("gigabytes", "bytes"),
    ("kb", "bytes"),
    ("mb", "bytes"),
    ("gb", "bytes"),
    ("kib", "bytes"),
    ("mib", "bytes"),
    ("percent", "ratio"),
    ("percentage", "ratio"),
];

/// What is wrong with a name: a sentence, a hint, and whether it is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) refused: bool,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

fn refused(message: String, hint: impl Into<String>) -> Option<Fault> {
    Some(Fault { refused: true, message, hint: Some(hint.into()) })
}

fn advised(message: String, hint: impl Into<String>) -> Option<Fault> {
    Some(Fault { refused: false, message, hint: Some(hint.into()) })
}

fn is_word(name: &str, first: impl Fn(char) -> bool, rest: impl Fn(char) -> bool) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(first) && chars.all(rest) && name.len() <= 100
}

/// A rule's or a group's name.
pub(super) fn rule(what: &str, name: &str) -> Option<Fault> {
    let good =
        is_word(name, |c| c.is_ascii_alphanumeric(), |c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if good {
        return None;
    }
    let hint = format!("write letters, digits and `_`, such as `{}`", snake(name, what));
    refused(format!("`{}` cannot name a {what}", name.escape_debug()), hint)
}

/// The name in snake case, or a word of ours where nothing of it is left.
fn snake(name: &str, what: &str) -> String {
    let mut spaced = String::new();
    for c in name.chars() {
        if c.is_uppercase() && spaced.ends_with(|before: char| before.is_lowercase()) {
            spaced.push('_');
        }
        spaced.push(c);
    }
    let lower = spaced.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let joined: String = words.join("_").chars().take(40).collect();
    match joined.chars().next() {
        None => format!("my_{what}"),
        Some(first) if first.is_ascii_digit() && what != "rule" && what != "group" => format!("_{joined}"),
        Some(_) => joined,
    }
}

/// A label's name.
pub(super) fn label(name: &str) -> Option<Fault> {
    if !is_word(name, |c| c.is_ascii_alphabetic() || c == '_', |c| c.is_ascii_alphanumeric() || c == '_') {
        let hint = format!("write letters, digits and `_`, such as `{}`", snake(name, "label"));
        return refused(format!("`{}` cannot name a label", name.escape_debug()), hint);
    }
    if name.starts_with("__") {
        return refused(
            format!("the label `{name}` is Prometheus' own, as all that start with `__`"),
            "leave the `__` out",
        );
    }
    if RESERVED_LABELS.contains(&name) {
        let hint = format!("call it something else, such as `{}`", renamed(name));
        return refused(format!("the label `{name}` is taken"), hint);
    }
    None
}

fn renamed(label: &str) -> &'static str {
    match label {
        "path" => "url_path",
        "level" => "severity",
        "input" => "source",
        "pattern" => "kind",
        _ => "part",
    }
}

/// A metric's name, with its type and unit. All faults, the refusals first.
pub(super) fn metric(name: &str, counter: bool, histogram: bool, unit: Option<Unit>) -> Vec<Fault> {
    let good =
        is_word(name, |c| c.is_ascii_alphabetic() || c == '_', |c| c.is_ascii_alphanumeric() || c == '_');
    if !good {
        let hint = format!("write letters, digits and `_`, such as `{}`", snake(name, "metric"));
        return refused(format!("`{}` cannot name a metric", name.escape_debug()), hint)
            .into_iter()
            .collect();
    }
    [taken(name), suffix(name, counter, histogram), style(name, unit)].into_iter().flatten().collect()
}

fn taken(name: &str) -> Option<Fault> {
    let own = OWN_FAMILIES.contains(&name) || name.starts_with("logtally_") || name.starts_with("node_");
    if own || name.starts_with("process_") {
        return refused(
            format!(
                "the metric name `{name}` is taken: logtally_, node_, process_ and the log_ families are the program's own"
            ),
            "start it with the name of what is logged",
        );
    }
    if name.starts_with("__") {
        return refused(format!("the metric name `{name}` starts with `__`"), "leave the `__` out");
    }
    if name.starts_with("log_") {
        return advised(
            format!("the metric name `{name}` starts with `log_`, as the program's own families do"),
            "start it with the name of what is logged",
        );
    }
    None
}

fn suffix(name: &str, counter: bool, histogram: bool) -> Option<Fault> {
    if counter && !name.ends_with("_total") {
        return refused(
            format!("the counter `{name}` must end in `_total`"),
            format!("name it `{name}_total`"),
        );
    }
    if let Some(stem) = name.strip_suffix("_total").filter(|_| !counter) {
        let hint = format!("name it `{stem}`");
        return refused(format!("`{name}` ends in `_total`, which is for counters"), hint);
    }
    for end in ["_bucket", "_sum", "_count", "_created", "_info"] {
        if let Some(stem) = name.strip_suffix(end) {
            let hint = format!("name it `{stem}`");
            let message = format!("`{name}` ends in `{end}`, which Prometheus adds itself");
            return if histogram || counter { refused(message, hint) } else { advised(message, hint) };
        }
    }
    None
}

fn style(name: &str, unit: Option<Unit>) -> Option<Fault> {
    if name.chars().any(|c| c.is_ascii_uppercase()) {
        return advised(
            format!("the metric name `{name}` has capital letters"),
            format!("name it `{}`", snake(name, "metric")),
        );
    }
    let stem = name.strip_suffix("_total").unwrap_or(name);
    let total = &name[stem.len()..];
    for (end, base) in OTHER_UNITS {
        if let Some(rest) = stem.strip_suffix(end).and_then(|rest| rest.strip_suffix('_')) {
            let hint = format!("name it `{rest}_{base}{total}`, values are in base units");
            return advised(format!("the metric name `{name}` names `{end}`, which is no base unit"), hint);
        }
    }
    let base = unit.map(|unit| unit.base).map(Base::name)?;
    if stem.ends_with(base) {
        return None;
    }
    let message = format!("the metric name `{name}` does not say its base unit, {base}");
    advised(message, format!("name it `{stem}_{base}{total}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_prometheus_refuses_are_refused_with_a_better_one() {
        let hint = |fault: Option<Fault>| fault.unwrap().hint.unwrap();
        assert!(hint(rule("rule", "DB timeout!")).ends_with("`db_timeout`"));
        assert!(hint(rule("rule", "")).ends_with("`my_rule`"));
        assert!(hint(label("user-id")).ends_with("`user_id`"));
        assert!(hint(label("path")).ends_with("`url_path`"));
        for good in ["db_timeout", "http-5xx", "5xx"] {
            assert_eq!(rule("rule", good), None, "{good}");
        }
        for bad in ["__name__", "le", "level", "a.b", "", "1a", "é"] {
            assert!(label(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn metric_names_follow_prometheus() {
        let seconds = Unit::from_name("ms");
        let faults = |name, counter, histogram, unit| -> Vec<bool> {
            metric(name, counter, histogram, unit).into_iter().map(|fault| fault.refused).collect()
        };
        assert_eq!(faults("db_timeout_seconds", false, true, seconds), [] as [bool; 0]);
        assert_eq!(faults("db_bytes_total", true, false, Unit::from_name("B")), [] as [bool; 0]);
        assert_eq!(faults("db_bytes", true, false, None), [true]);
        assert_eq!(faults("pool_total", false, false, None), [true]);
        assert_eq!(faults("latency_ms", false, true, seconds), [false]);
        assert_eq!(faults("latency", false, true, seconds), [false]);
        assert_eq!(faults("node_load1", false, false, None), [true]);
        assert_eq!(faults("log_events_total", true, false, None), [true]);
        assert_eq!(faults("size_bucket", false, true, None), [true]);
        assert_eq!(faults("a:b", false, false, None), [true]);
        assert_eq!(faults("a b", false, false, None), [true]);
    }
}
