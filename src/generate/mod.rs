//! Dashboards, alerts and the metric reference, made from the catalog and from the user's own rules.
//!
//! [`dashboards`] are the shipped ones, [`dashboard`] is the one of a config; [`alerts()`] is one rule file of the
//! shipped alerts and of those that rules carry. Output depends on the input alone, byte for byte.

mod alerts;
mod board;
mod custom;
mod detail;
mod exporter;
mod host;
mod logs;
mod panel;
mod reference;
mod style;

#[cfg(test)]
mod tests;

pub use crate::rules::WhenError;
pub use alerts::{Options, alerts};
pub use reference::reference;

use crate::tally::exposition::Kind;
use serde_json::Value;

/// A group of rules: a row of the dashboard, a group of alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// The group's name.
    pub name: String,
    /// Its rules, in the order of the file.
    pub rules: Vec<Rule>,
    /// A shipped pack that nobody named: its software may not be here, so its row is folded.
    pub unasked: bool,
}

/// A rule, as far as what it exposes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// The rule's name: the value of the label `pattern`.
    pub name: String,
    /// The labels it lists.
    pub labels: Vec<String>,
    /// The metrics it defines.
    pub metrics: Vec<Metric>,
    /// The alert it asks for.
    pub alert: Option<Alert>,
}

/// A metric that a rule defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// The full name, with `_total` for counters.
    pub name: String,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// The base unit, where there is one: `seconds` (or `s`), `bytes`, `ratio`.
    pub unit: Option<String>,
    /// What it means; may be empty.
    pub help: String,
    /// Its own labels besides `input`, the input's labels and `path`.
    pub labels: Vec<String>,
    /// A histogram of which Prometheus may hold the sparse form, the explicit buckets, or both.
    pub native: bool,
}

/// The alert that a rule asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The condition, such as `rate > 0.1`; see the `when` module.
    pub when: String,
    /// How long it must hold, as Prometheus writes durations; empty for at once.
    pub hold: String,
    /// The label `severity`.
    pub severity: String,
}

/// The shipped dashboards: file names and contents.
pub fn dashboards() -> Vec<(&'static str, Value)> {
    vec![
        ("logs.json", logs::board().json()),
        ("log-detail.json", detail::board().json()),
        ("host.json", host::board().json()),
        ("exporter.json", exporter::board().json()),
    ]
}

/// The dashboard of a config: an overview, then a row for each group of rules with a panel for each metric.
/// Rows of packs that nobody named come last and folded.
pub fn dashboard(groups: &[Group]) -> Value {
    custom::board(groups).json()
}

/// A dashboard as it is written to a file: indented, with a line feed at the end.
pub fn pretty(dashboard: &Value) -> String {
    // The alternate form of a JSON value is its indented text; it cannot fail, unlike a writer.
    format!("{dashboard:#}\n")
}
