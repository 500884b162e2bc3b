//! A metric of promtail and its source as a rule.

use super::super::value::Node;
use super::super::way::{Joined, Way, named};
use super::super::write::{Label, Metric, Rule};
use super::super::{Remarks, names};
use super::pipeline::{Source, State};

/// What a rule looks for, and how captures and fields are written in its templates.
struct Found {
    any: Vec<String>,
    not: Vec<String>,
    target: String,
    /// Names of captures, by their numbers.
    names: Vec<(String, String)>,
    value: String,
}

/// The rule of a metric, or a remark why there is none.
pub(super) fn rule(name: &str, node: &Node, state: &State, remarks: &mut Remarks) -> Option<Rule> {
    let empty = Node { line: node.line, value: super::super::value::Value::Null };
    let config = node.get("config").unwrap_or(&empty);
    let kind = match node.word("type").unwrap_or_default().to_ascii_lowercase().as_str() {
        "counter" => "counter",
        "gauge" => "gauge",
        "histogram" => "histogram",
        other => {
            remarks.lost(
                node.line,
                format!("the type `{other}` is unknown"),
                "allowed are Counter, Gauge and Histogram",
            );
            return None;
        }
    };
    if config.is("count_entry_bytes") {
        remarks.lost(
            node.line,
            format!("`{name}` counts bytes of lines"),
            "log_bytes_total does so for every file",
        );
        return None;
    }
    let (metric, uses_value) = shape(name, kind, node, config, remarks)?;
    let source = node.word("source").unwrap_or(name);
    let found = match config.is("match_all") {
        true => whole_lines(state, node.line, remarks)?,
        false => extracted(source, config.word("value"), state, node.line, remarks)?,
    };
    let labels = labels(state, &found, node.line, remarks);
    let metric = Metric { value: uses_value.then(|| found.value.clone()), ..metric };
    Some(Rule {
        name: names::word(metric.name.trim_start_matches("promtail_custom_").trim_end_matches("_total")),
        any: found.any,
        not: found.not,
        target: found.target,
        labels,
        metrics: vec![metric],
        ..Rule::default()
    })
}

/// Name, type and action; and whether it takes the source's value.
fn shape(
    name: &str,
    kind: &'static str,
    node: &Node,
    config: &Node,
    remarks: &mut Remarks,
) -> Option<(Metric, bool)> {
    let old = format!("{}{name}", node.word("prefix").unwrap_or("promtail_custom_"));
    let (name, changed) = names::metric(&old, kind);
    if changed {
        let hint = "Prometheus' rules of naming are kept; queries need the new name";
        remarks.note(node.line, format!("`{old}` becomes `{name}`"), hint);
    }
    if let Some(node) = node.get("max_idle_duration") {
        let hint = "series stay until their file is gone for an hour";
        remarks.note(node.line, "`max_idle_duration` is left out", hint);
    }
    let metric =
        Metric { kind, name, help: node.word("description").map(str::to_owned), ..Metric::default() };
    let action = config.word("action").unwrap_or_default().to_ascii_lowercase();
    match (kind, action.as_str()) {
        ("counter", "inc") => Some((metric, false)),
        ("counter", "add") => Some((metric, true)),
        ("gauge", "set") => Some((metric, true)),
        ("gauge", "inc") => Some((Metric { action: Some("inc"), ..metric }, false)),
        ("gauge", "dec") => Some((Metric { action: Some("dec"), ..metric }, false)),
        ("gauge", "add") => Some((Metric { action: Some("inc"), ..metric }, true)),
        ("gauge", "sub") => Some((Metric { action: Some("dec"), ..metric }, true)),
        ("histogram", _) => {
            let list = config.get("buckets").map_or(&[][..], Node::list);
            let buckets = list.iter().filter_map(|node| node.text().map(str::to_owned)).collect();
            Some((Metric { buckets, ..metric }, true))
        }
        (_, action) => {
            let hint = "a counter knows inc and add; a gauge set, inc, dec, add and sub";
            remarks.lost(node.line, format!("a {kind} knows no action `{action}`"), hint);
            None
        }
    }
}

fn whole_lines(state: &State, line: usize, remarks: &mut Remarks) -> Option<Found> {
    remarks.note(line, "`match_all` counts every line", "log_lines_total does so for every file already");
    joined(&state.way, None, state, line, remarks)
}

/// What is found where a name was extracted, and holds `wanted` where that is given.
fn extracted(
    source: &str,
    wanted: Option<&str>,
    state: &State,
    line: usize,
    remarks: &mut Remarks,
) -> Option<Found> {
    match state.extracted.get(source) {
        Some(Source::Line(go, id)) => {
            let mut way = state.way.with(go, line);
            if let (Some(wanted), Some(at)) = (wanted, way.holder(id)) {
                let Some(folded) = way.fold(at, id, &regex::escape(wanted)) else {
                    remarks.lost(
                        line,
                        format!("`value: {wanted}` of a repeated capture"),
                        "write it out by hand",
                    );
                    return None;
                };
                if let Some(doubt) = folded.doubt {
                    remarks.lost(line, doubt, "check whether such lines occur in your logs");
                }
                way = folded.yes;
            }
            joined(&way, Some((id, source)), state, line, remarks)
        }
        Some(Source::Field(field)) => {
            let any = wanted.map_or("^".to_owned(), |wanted| format!("^{}$", regex::escape(wanted)));
            of_field(field, any, Vec::new(), format!("${{{field}}}"), state, line, remarks)
        }
        Some(Source::OfField(field, go, id)) => {
            let mut way = Way::default().with(go, line);
            if let (Some(wanted), Some(at)) = (wanted, way.holder(id)) {
                way = way.fold(at, id, &regex::escape(wanted))?.yes;
            }
            let names = vec![(id.clone(), source.to_owned())];
            let any = named(&way.found.first()?.0, &names);
            of_field(field, any, names, format!("${{{source}}}"), state, line, remarks)
        }
        Some(Source::Made(by)) => {
            let message = format!("`{source}` comes from {by}, which rules cannot follow");
            remarks.lost(line, message, "capture the value from the line by one expression");
            None
        }
        None => {
            let message = format!("nothing extracts `{source}` before this stage");
            remarks.lost(line, message, "check `source`, and the order of the stages");
            None
        }
    }
}

fn of_field(
    field: &str,
    any: String,
    names: Vec<(String, String)>,
    value: String,
    state: &State,
    line: usize,
    remarks: &mut Remarks,
) -> Option<Found> {
    if !state.way.found.is_empty() || !state.way.absent.is_empty() {
        let message = "a rule looks at a field or at the line, and conditions above ask for both";
        remarks.lost(line, message, "write the condition for the field by hand");
        return None;
    }
    Some(Found { any: vec![any], not: Vec::new(), target: format!("field.{field}"), names, value })
}

fn joined(
    way: &Way,
    capture: Option<(&String, &str)>,
    state: &State,
    line: usize,
    remarks: &mut Remarks,
) -> Option<Found> {
    // Captures that become labels are needed too.
    let mut names: Vec<(String, String)> =
        capture.into_iter().map(|(id, name)| (id.clone(), name.to_owned())).collect();
    for (_, source) in &state.labels {
        if let Some(Source::Line(_, id)) = state.extracted.get(source)
            && way.holder(id).is_some()
            && !names.iter().any(|(known, _)| known == id)
        {
            names.push((id.clone(), source.clone()));
        }
    }
    let used: Vec<&str> = names.iter().map(|(id, _)| id.as_str()).collect();
    let Some(Joined { any, doubt }) = way.join(&used) else {
        let message = "two expressions are both bound to the line's start or end";
        remarks.lost(line, message, "write one expression for both by hand");
        return None;
    };
    if let Some((line, doubt)) = doubt {
        let message =
            format!("expressions that a line matches both are converted as one behind the other; {doubt}");
        remarks.lost(line, message, "check whether such lines occur in your logs");
    }
    let value = capture.map_or_else(String::new, |(_, name)| format!("${{{name}}}"));
    Some(Found {
        any: any.iter().map(|regex| named(regex, &names)).collect(),
        not: way.absent.iter().map(|regex| named(regex, &[])).collect(),
        target: state.target.to_owned(),
        names,
        value,
    })
}

fn labels(state: &State, found: &Found, line: usize, remarks: &mut Remarks) -> Vec<(String, Label)> {
    let mut labels = Vec::new();
    for (old, source) in &state.labels {
        let value = match state.extracted.get(source) {
            Some(Source::Line(_, id) | Source::OfField(_, _, id)) => {
                found.names.iter().find(|(known, _)| known == id).map(|(_, name)| format!("${{{name}}}"))
            }
            Some(Source::Field(field)) => Some(format!("${{{field}}}")),
            Some(Source::Made(_)) | None => None,
        };
        let (name, changed) = names::label(old);
        match value {
            Some(value) => {
                if changed {
                    let hint = "log metrics carry a label of that name already";
                    remarks.note(line, format!("the label `{old}` becomes `{name}`"), hint);
                }
                labels.push((name, Label { value, map: Vec::new() }));
            }
            None => {
                let message =
                    format!("the label `{old}` comes from another expression than the value and is left out");
                remarks.lost(line, message, "capture both by one expression");
            }
        }
    }
    labels
}
