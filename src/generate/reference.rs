//! The reference of metrics, made from the catalog.

use crate::tally::catalog::{ALL, Entry, Scope};
use crate::tally::exposition::Kind;
use std::fmt::Write as _;

const SECTIONS: [(Scope, &str, &str); 4] = [
    (
        Scope::Stream,
        "Logs",
        "One series per followed file and set of labels. Besides the labels below each carries `input`, the labels of the input's configuration, and `path` unless `path_label: none`. Rules add families of their own, which carry the same and the labels they list.",
    ),
    (Scope::Exporter, "The exporter", "Whether everything is read, counted and kept."),
    (
        Scope::Host,
        "The host",
        "Besides these, the host is served as `node_*` under the names, types and labels of node_exporter. `host: off` removes them all.",
    ),
    (
        Scope::Process,
        "The process",
        "The exporter's own process, under the names that every Prometheus client uses.",
    ),
];

/// `docs/metrics.md`.
pub fn reference() -> String {
    let mut out = String::from(
        "# Metrics\n\nThis page is generated from the catalog in `src/tally/catalog.rs`.\n\n\
         Counters never go down while their series is exposed, not even over a crash. Label values that are known\n\
         beforehand stand at 0 from the start; a series of other values is exposed at 0 once before its first value, so\n\
         `increase()` sees the first event. Past `limits.series_per_metric`, further label sets are counted in one series\n\
         whose rule-given labels are `__other__`.\n",
    );
    for (scope, title, text) in SECTIONS {
        let _infallible = write!(
            out,
            "\n## {title}\n\n{text}\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n"
        );
        for entry in ALL.iter().filter(|e| e.scope == scope) {
            out += &row(entry);
        }
    }
    out += "\n## Known label values\n\n| label | of | values |\n|---|---|---|\n";
    for (entry, label) in ALL.iter().flat_map(|e| e.labels.iter().map(move |l| (e, l))) {
        if !label.values.is_empty() {
            let values: Vec<_> = label.values.iter().map(|v| format!("`{v}`")).collect();
            let _infallible = writeln!(out, "| `{}` | `{}` | {} |", label.name, entry.name, values.join(" "));
        }
    }
    out
}

fn row(entry: &Entry) -> String {
    let kind = match entry.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
        Kind::Untyped => "untyped",
    };
    let labels: Vec<_> = entry.labels.iter().map(|l| format!("`{}`", l.name)).collect();
    format!("| `{}` | {kind} | {} | {} |\n", entry.name, labels.join(" "), entry.help)
}
