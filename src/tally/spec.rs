//! What a rule counts: its labels and its metrics, ready to be evaluated on a match.
//!
//! `rules` builds these once from what the user wrote; the tally asks them for label texts and values of each match.
//! Captures and fields come in through a lookup, so that nothing here knows expressions, lines or formats.

use super::span::Span;
use super::template::{Lookup, Template};
use super::units::{self, Unit, ValueError};
use crate::level::Levels;
use regex::Regex;
use std::collections::HashSet;

/// No label value is longer than this, in characters.
pub const LABEL_CHARS: usize = 128;

/// The counting half of a rule.
#[derive(Clone, Debug)]
pub struct Counted {
    /// The rule group's name.
    pub group: String,
    /// The rule's name: the `pattern` label.
    pub name: String,
    /// Labels of `log_pattern_events_total` and of every metric of the rule, in the order they were written.
    pub labels: Vec<Label>,
    /// Metrics beside `log_pattern_events_total`.
    pub metrics: Vec<Metric>,
    /// Levels that the rule looks at: the ones whose series stand at 0 from the start.
    pub levels: Levels,
    /// The rule counts spans: from a start to its end.
    pub span: Option<Span>,
}

/// A label: a text made of captures, mapped to few values where the rule says so.
#[derive(Clone, Debug)]
pub struct Label {
    /// The label's name.
    pub name: String,
    template: Template,
    map: Vec<(Regex, String)>,
    default: Option<String>,
    declared: Vec<String>,
    known: Vec<String>,
    free: bool,
}

impl Label {
    /// A label with its mapping. `map` is tried in order, its replacements may refer to groups of their own
    /// expression as `$1` or `${name}`; `default` stands where nothing fits; `values` are known beforehand.
    pub fn new(
        name: String,
        template: Template,
        map: Vec<(Regex, String)>,
        default: Option<String>,
        values: Vec<String>,
    ) -> Label {
        let mut label =
            Label { name, template, map, default, declared: values, known: Vec::new(), free: false };
        let mut known: Vec<&str> = label.declared.iter().map(String::as_str).collect();
        let mut fixed = String::new();
        if let Some(constant) = label.template.constant() {
            label.finish(constant, &mut fixed);
            known.push(&fixed);
        } else {
            let closed = label.default.is_some() && !(label.map.is_empty() && label.declared.is_empty());
            let literal = |to: &&str| !to.contains('$');
            label.free = !closed || !label.map.iter().all(|(_, to)| literal(&to.as_str()));
            if closed {
                known.extend(label.map.iter().map(|(_, to)| to.as_str()).filter(literal));
                known.extend(label.default.as_deref());
            }
        }
        let mut seen = HashSet::new();
        let known =
            known.into_iter().map(bounded).filter(|value| seen.insert(*value)).map(str::to_owned).collect();
        Label { known, ..label }
    }

    /// Appends the label's value for one match: filled in, mapped, trimmed, at most [`LABEL_CHARS`] characters.
    pub fn render(&self, lookup: &Lookup<'_, '_>, out: &mut String) {
        if let (Some(name), true) = (self.template.only_name(), self.map.is_empty()) {
            let text = lookup(name).unwrap_or_default();
            self.finish(&text, out);
            return;
        }
        let mut text = String::new();
        self.template.render(lookup, &mut text);
        self.finish(&text, out);
    }

    /// Values that the label can take and that are known without any line: those to stand at 0 from the start.
    pub fn known_values(&self) -> &[String] {
        &self.known
    }

    /// Whether a line can bring a value that [`Label::known_values`] lacks.
    pub fn is_free(&self) -> bool {
        self.free
    }

    /// The template, for checks of the names that it refers to.
    pub fn template(&self) -> &Template {
        &self.template
    }

    fn finish(&self, text: &str, out: &mut String) {
        let text = text.trim();
        for (pattern, to) in &self.map {
            if !to.contains('$') {
                if pattern.is_match(text) {
                    return out.push_str(bounded(to));
                }
            } else if let Some(captures) = pattern.captures(text) {
                let mut expanded = String::new();
                captures.expand(to, &mut expanded);
                return out.push_str(bounded(&expanded));
            }
        }
        match &self.default {
            Some(default) if self.falls_back(text) => out.push_str(bounded(default)),
            _ => out.push_str(bounded(text)),
        }
    }

    /// Whether the default stands for a text that no mapping fitted: always where there is a mapping; else for all but
    /// the declared values; with neither, for nothing at all.
    fn falls_back(&self, text: &str) -> bool {
        if !self.map.is_empty() {
            true
        } else if !self.declared.is_empty() {
            !self.declared.iter().any(|value| value == text)
        } else {
            text.is_empty()
        }
    }
}

fn bounded(text: &str) -> &str {
    let text = text.trim();
    let end = text.char_indices().nth(LABEL_CHARS).map_or(text.len(), |(at, _)| at);
    text[..end].trim_end()
}

/// A metric that a rule feeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// The full name, with `_total` for counters.
    pub name: String,
    /// One sentence for `# HELP`; a default stands where the rule gives none.
    pub help: String,
    /// Type, with what belongs to it.
    pub kind: MetricKind,
    /// The unit of bare numbers; its base is the unit of the metric.
    pub unit: Option<Unit>,
    /// What the value is read from; without it, 1.
    pub value: Option<Template>,
    /// Whether a histogram has a sparse form as well; as the config says where it is not said.
    pub native: Option<bool>,
}

/// The types that rules can feed.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricKind {
    /// Goes up by the value.
    Counter,
    /// Goes up, down or to the value.
    Gauge(Action),
    /// Observes the value; ascending, finite upper bounds.
    Histogram(Vec<f64>),
}

/// What a gauge does with a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Action {
    #[default]
    Set,
    Inc,
    Dec,
    Min,
    Max,
}

impl Metric {
    /// The value of one match in base units: finite, and not negative for counters.
    pub fn value(&self, lookup: &Lookup<'_, '_>) -> Result<f64, ValueError> {
        let Some(template) = &self.value else { return Ok(1.0) };
        let value = match template.only_name() {
            Some(name) => units::parse(&lookup(name).unwrap_or_default(), self.unit)?,
            None => {
                let mut text = String::new();
                template.render(lookup, &mut text);
                units::parse(&text, self.unit)?
            }
        };
        match self.kind {
            MetricKind::Counter if value < 0.0 => Err(ValueError::Negative),
            _ => Ok(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    fn label(template: &str, map: &[(&str, &str)], default: Option<&str>, values: &[&str]) -> Label {
        Label::new(
            "l".to_owned(),
            Template::parse(template).unwrap(),
            map.iter().map(|(from, to)| (Regex::new(from).unwrap(), (*to).to_owned())).collect(),
            default.map(str::to_owned),
            values.iter().map(|value| (*value).to_owned()).collect(),
        )
    }

    fn with(label: &Label, text: &str) -> String {
        let mut out = String::new();
        label.render(&|name| (name == "x").then(|| Cow::Owned(text.to_owned())), &mut out);
        out
    }

    #[test]
    fn a_map_is_tried_in_order_and_its_default_stands_for_the_rest() {
        let status = label("${x}", &[("^5..$", "5xx"), ("^[45]", "4xx")], Some("other"), &["2xx", "5xx"]);
        for (text, value) in [("503", "5xx"), ("404", "4xx"), ("5", "4xx"), ("200", "other"), ("", "other")] {
            assert_eq!(with(&status, text), value, "{text}");
        }
        assert_eq!(status.known_values(), ["2xx", "5xx", "4xx", "other"]);
        assert!(!status.is_free());
        let open = label("${x}", &[("^5..$", "5xx")], None, &[]);
        assert_eq!(with(&open, "200"), "200");
        assert!(open.is_free());
        let class = label("${x}", &[("^([1-5])..$", "${1}xx")], Some("other"), &[]);
        assert_eq!(with(&class, "301"), "3xx");
        assert!(class.is_free());
    }

    #[test]
    fn without_a_map_a_default_stands_for_what_is_missing_or_undeclared() {
        let method = label("${x}", &[], Some("other"), &["GET", "POST"]);
        assert_eq!(with(&method, "GET"), "GET");
        assert_eq!(with(&method, "BREW"), "other");
        assert!(!method.is_free());
        let declared = label("${x}", &[], None, &["GET"]);
        assert_eq!(with(&declared, "BREW"), "BREW");
        assert!(declared.is_free());
        assert_eq!(declared.known_values(), ["GET"]);
        let named = label("${x}", &[], Some("none"), &[]);
        assert_eq!(with(&named, ""), "none");
        assert_eq!(with(&named, "a"), "a");
    }

    #[test]
    fn values_are_trimmed_and_bounded_in_characters() {
        let plain = label("<${x}>", &[], None, &[]);
        assert_eq!(with(&label("${x}", &[], None, &[]), "  a b \n"), "a b");
        assert_eq!(with(&plain, &"\u{e9}".repeat(300)).chars().count(), LABEL_CHARS);
        assert_eq!(with(&label("${y}", &[], None, &[]), "a"), "");
    }

    #[test]
    fn a_text_without_names_is_known() {
        let fixed = label("db", &[], None, &[]);
        assert_eq!(fixed.known_values(), ["db"]);
        assert!(!fixed.is_free());
    }

    #[test]
    fn values_are_in_base_units_and_counters_refuse_what_is_negative() {
        let metric = |kind, value: Option<&str>| Metric {
            name: "m".to_owned(),
            help: String::new(),
            kind,
            unit: Unit::from_name("ms"),
            value: value.map(|value| Template::parse(value).unwrap()),
            native: None,
        };
        let lookup = |name: &str| (name == "x").then_some(Cow::Borrowed("-12"));
        assert_eq!(metric(MetricKind::Counter, None).value(&lookup), Ok(1.0));
        assert_eq!(metric(MetricKind::Counter, Some("${x}")).value(&lookup), Err(ValueError::Negative));
        assert_eq!(metric(MetricKind::Gauge(Action::Set), Some("${x}")).value(&lookup), Ok(-0.012));
        assert_eq!(metric(MetricKind::Gauge(Action::Set), Some("${x}s")).value(&lookup), Ok(-12.0));
        assert_eq!(metric(MetricKind::Counter, Some("${y}")).value(&lookup), Err(ValueError::Missing));
    }
}
