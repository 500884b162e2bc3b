//! One Prometheus rule file: the shipped recording rules and alerts, then those that the user's rules ask for.

use super::{Alert, Group, Rule};
use crate::rules::{Measured, Metric, When, WhenError, is_duration};
use std::fmt::Write as _;

/// The shipped files, in the order they are printed.
const LOGS: &str = include_str!("../../rules/alerts/logs.yml");
const EXPORTER: &str = include_str!("../../rules/alerts/exporter.yml");
const HOST: &str = include_str!("../../rules/alerts/host.yml");
/// Where the pages stand that alerts link to.
const RUNBOOKS: &str = "https://github.com/logtally/logtally/blob/main/docs/runbooks";

/// What the rule file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether the host is served, so that its alerts make sense.
    pub host: bool,
}

/// The rule file as YAML. Conditions that are not understood are all returned, each with its group and rule.
pub fn alerts(groups: &[Group], options: Options) -> Result<String, Vec<(String, String, WhenError)>> {
    let mut out = String::from(
        "# Recording rules and alerts of logtally. Load this file with `rule_files` in prometheus.yml.\ngroups:\n",
    );
    out += groups_of(LOGS);
    out += groups_of(EXPORTER);
    if options.host {
        out += groups_of(HOST);
    }
    let mut problems = Vec::new();
    for group in groups {
        let mut rules = String::new();
        for rule in &group.rules {
            let Some(alert) = &rule.alert else { continue };
            match one(group, rule, alert) {
                Ok(text) => rules += &text,
                Err(error) => problems.push((group.name.clone(), rule.name.clone(), error)),
            }
        }
        if !rules.is_empty() {
            let name = yaml(&format!("logtally.rules.{}", group.name));
            let _infallible = write!(out, "\n  - name: {name}\n    rules:\n{rules}");
        }
    }
    if problems.is_empty() { Ok(out) } else { Err(problems) }
}

/// A shipped file without its head.
fn groups_of(file: &str) -> &str {
    file.split_once("\ngroups:\n").map_or("", |(_, groups)| groups)
}

/// One alert. Every text of the user is quoted.
fn one(group: &Group, rule: &Rule, alert: &Alert) -> Result<String, WhenError> {
    let metrics: Vec<Metric<'_>> =
        rule.metrics.iter().map(|m| Metric { name: &m.name, kind: m.kind, native: m.native }).collect();
    let expr = When::parse(&alert.when)?.promql(&Measured { name: &rule.name, metrics: &metrics })?;
    let hold = if alert.hold.is_empty() { "0s" } else { &alert.hold };
    if hold != "0s" && !is_duration(hold) {
        return Err(WhenError::of(format!("`for: {hold}` is no duration; write it like `5m`")));
    }
    let summary = format!("Rule {} of group {} meets its condition.", rule.name, group.name);
    let about = format!(
        "{} is met by rule {} on {{{{ $labels.instance }}}}, input {{{{ $labels.input }}}}: it is now {{{{ $value | humanize }}}}.",
        plain(&alert.when),
        plain(&rule.name)
    );
    let fields = [
        ("      - alert: ", yaml(&alert_name(&group.name, &rule.name))),
        ("        expr: ", yaml(&expr)),
        ("        for: ", hold.to_owned()),
        ("        labels:\n          severity: ", yaml(&alert.severity)),
        ("          pattern: ", yaml(&plain(&rule.name))),
        ("        annotations:\n          summary: ", yaml(&plain(&summary))),
        ("          description: ", yaml(&about)),
        ("          runbook_url: ", format!("{RUNBOOKS}/LogRule.md")),
    ];
    Ok(fields.iter().map(|(key, value)| format!("{key}{value}\n")).collect())
}

/// Text of the user inside a template, where two braces would begin an action.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '{' && out.ends_with('{') {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// Text as YAML; its double quotes take JSON's strings as they are.
fn yaml(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// `Log` and the words of group and rule, each with a capital.
fn alert_name(group: &str, rule: &str) -> String {
    let mut name = String::from("Log");
    for word in group.split(not_word).chain(rule.split(not_word)) {
        let mut chars = word.chars();
        if let Some(first) = chars.next() {
            name.push(first.to_ascii_uppercase());
            name.push_str(chars.as_str());
        }
    }
    name
}

fn not_word(c: char) -> bool {
    !c.is_ascii_alphanumeric()
}
