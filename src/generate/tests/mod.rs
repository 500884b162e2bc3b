//! What we ship is tested as data: dashboards, alerts and the reference, against the catalog and `promtool`.

mod boards;
mod names;
mod rules;

use super::{Alert, Group, Metric, Rule};
use crate::tally::exposition::Kind;
use std::path::PathBuf;

/// A path inside the project.
fn project(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Compares a generated text with its file; with `UPDATE=1` in the environment writes the file.
fn same_as_file(path: &str, made: &str) {
    let file = project(path);
    if std::env::var_os("UPDATE").is_some_and(|v| v == "1") {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, made).unwrap();
    }
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(there == made, "{path} is not what the catalog makes; run the test again with UPDATE=1");
}

/// Groups as a user's config may have them, with names that need quoting.
fn groups() -> Vec<Group> {
    let metric = |name: &str, kind, unit: Option<&str>, labels: &[&str]| Metric {
        name: name.into(),
        kind,
        unit: unit.map(Into::into),
        help: "What it \"means\"".into(),
        labels: labels.iter().map(|l| (*l).to_owned()).collect(),
        native: false,
    };
    let native = |metric| Metric { native: true, ..metric };
    let alert = |when: &str| Some(Alert { when: when.into(), hold: "5m".into(), severity: "warning".into() });
    vec![
        Group {
            name: "shop".into(),
            rules: vec![
                Rule {
                    name: "db_timeout".into(),
                    labels: vec!["db".into()],
                    metrics: vec![
                        metric("db_timeout_seconds", Kind::Histogram, Some("seconds"), &["db"]),
                        metric("db_bytes_total", Kind::Counter, None, &[]),
                        metric("db_pool_size", Kind::Gauge, None, &["db"]),
                    ],
                    alert: alert("p99(db_timeout_seconds) > 30"),
                },
                Rule {
                    name: "o'dd \"name\" {{{ .x }} \\ a.b\u{1}\t".into(),
                    alert: alert("rate > 0.1"),
                    ..Rule::default()
                },
                Rule {
                    name: "wait".into(),
                    metrics: vec![native(metric("db_wait_seconds", Kind::Histogram, Some("seconds"), &[]))],
                    alert: alert("avg > 3"),
                    ..Rule::default()
                },
                Rule { name: "quiet".into(), ..Rule::default() },
            ],
            unasked: false,
        },
        Group {
            name: "pack".into(),
            rules: vec![Rule {
                name: "burst".into(),
                metrics: vec![metric("pack_bytes_total", Kind::Counter, Some("bytes"), &[])],
                ..Rule::default()
            }],
            unasked: true,
        },
        Group {
            name: "web".into(),
            rules: vec![Rule { name: "slow".into(), alert: alert("share[1h] > 5%"), ..Rule::default() }],
            unasked: false,
        },
        Group { name: "empty".into(), ..Group::default() },
    ]
}
