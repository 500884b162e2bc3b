//! Alert files: `promtool` accepts them, every alert is shown firing and not firing, and has its runbook.

use super::super::{Options, alerts};
use super::names::{is_known, metric_names};
use super::{groups, project};
use serde_yaml::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const FILES: [&str; 3] = ["logs", "exporter", "host"];
const RUNBOOKS: &str = "https://github.com/logtally/logtally/blob/main/";

fn promtool(args: &[&str], folder: &Path) {
    let done = Command::new("promtool")
        .args(args)
        .current_dir(folder)
        .output()
        .expect("promtool must be on the PATH: install Debian's package `prometheus`");
    let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "promtool {}: {said}", args.join(" "));
}

fn yaml(path: &str) -> Value {
    serde_yaml::from_str(&std::fs::read_to_string(project(path)).unwrap())
        .unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn list<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    value[key].as_sequence().map(|s| s.iter().collect()).unwrap_or_default()
}

fn rules(file: &Value) -> Vec<&Value> {
    list(file, "groups").into_iter().flat_map(|g| list(g, "rules")).collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

#[test]
fn promtool_accepts_the_files() {
    for file in FILES {
        promtool(
            &["check", "rules", "--lint=all", "--lint-fatal", &format!("{file}.yml")],
            &project("rules/alerts"),
        );
    }
}

#[test]
fn alerts_fire_when_they_should_and_only_then() {
    for file in FILES {
        promtool(&["test", "rules", &format!("{file}_test.yml")], &project("rules/alerts"));
    }
}

#[test]
fn every_alert_says_what_it_is_and_where_help_stands() {
    for file in FILES {
        for rule in
            rules(&yaml(&format!("rules/alerts/{file}.yml"))).iter().filter(|r| r["alert"].is_string())
        {
            let name = text(rule, "alert");
            let notes = &rule["annotations"];
            assert!(["critical", "warning", "info"].contains(&text(&rule["labels"], "severity")), "{name}");
            assert!(
                !text(notes, "summary").contains("{{") && text(notes, "summary").ends_with('.'),
                "{name}"
            );
            assert!(text(notes, "description").len() > 30, "{name}");
            let page = text(notes, "runbook_url").strip_prefix(RUNBOOKS).unwrap_or_default();
            assert_eq!(page, format!("docs/runbooks/{name}.md"));
            let runbook = std::fs::read_to_string(project(page)).unwrap_or_else(|e| panic!("{page}: {e}"));
            assert!(runbook.starts_with(&format!("# {name}\n")), "{page}");
            for part in ["## Meaning", "## Impact", "## Diagnosis", "## Mitigation"] {
                assert!(runbook.contains(part), "{page} has no {part}");
            }
        }
    }
}

#[test]
fn every_runbook_is_of_an_alert() {
    let mut names: BTreeSet<String> = ["LogRule".to_owned(), "README".to_owned()].into();
    for file in FILES {
        let file = yaml(&format!("rules/alerts/{file}.yml"));
        names.extend(rules(&file).iter().filter_map(|r| r["alert"].as_str()).map(str::to_owned));
    }
    for page in std::fs::read_dir(project("docs/runbooks")).unwrap() {
        let page = page.unwrap().path();
        assert!(
            names.contains(page.file_stem().unwrap().to_str().unwrap()),
            "{} is of no alert",
            page.display()
        );
    }
}

/// The lines of a page's `promql` blocks.
fn queries(page: &str) -> Vec<&str> {
    page.split("```promql\n")
        .skip(1)
        .flat_map(|block| block.split("```").next().unwrap_or_default().lines())
        .collect()
}

#[test]
fn the_queries_of_runbooks_can_be_asked() {
    let mut made = String::from("groups:\n- name: all\n  rules:\n");
    for page in std::fs::read_dir(project("docs/runbooks")).unwrap() {
        let page = page.unwrap().path();
        for query in queries(&std::fs::read_to_string(&page).unwrap()) {
            for name in metric_names(query) {
                let placeholder = !name.contains(|c: char| c.is_ascii_lowercase());
                assert!(
                    placeholder || is_known(&name) || name.starts_with("input:"),
                    "{}: {name}",
                    page.display()
                );
            }
            // Each needs a name of its own for the linter.
            made += &format!("  - {{record: 'a:b{}', expr: {query:?}}}\n", made.len());
        }
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("all.yml"), &made).unwrap();
    promtool(&["check", "rules", "all.yml"], folder.path());
}

#[test]
fn every_rule_reads_what_exists() {
    for file in FILES {
        let file = yaml(&format!("rules/alerts/{file}.yml"));
        let recorded: BTreeSet<_> =
            rules(&file).iter().filter_map(|r| r["record"].as_str().map(str::to_owned)).collect();
        for rule in rules(&file) {
            for name in metric_names(text(rule, "expr")) {
                assert!(
                    is_known(&name) || recorded.contains(&name),
                    "{name} in {}{}",
                    text(rule, "alert"),
                    text(rule, "record")
                );
            }
        }
    }
}

/// Alerts of one severity that a test file shows firing, and those that it shows silent.
fn shown(file: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut firing, mut silent) = (BTreeSet::new(), BTreeSet::new());
    let tests = yaml(&format!("rules/alerts/{file}_test.yml"));
    for test in list(&tests, "tests").into_iter().flat_map(|t| list(t, "promql_expr_test")) {
        let expr = text(test, "expr");
        let Some(name) = expr.split("alertname=\"").nth(1).and_then(|r| r.split('"').next()) else {
            continue;
        };
        let into = if list(test, "exp_samples").is_empty() { &mut silent } else { &mut firing };
        into.insert(name.to_owned());
    }
    (firing, silent)
}

#[test]
fn every_alert_is_shown_firing_and_silent() {
    for file in FILES {
        let (firing, silent) = shown(file);
        for rule in rules(&yaml(&format!("rules/alerts/{file}.yml"))) {
            let Some(name) = rule["alert"].as_str() else { continue };
            assert!(firing.contains(name), "{file}_test.yml never shows {name} firing");
            assert!(silent.contains(name), "{file}_test.yml never shows {name} silent");
        }
    }
}

#[test]
fn the_alerts_of_a_config_are_one_file_that_promtool_accepts() {
    let folder = tempfile::tempdir().unwrap();
    let made = alerts(&groups(), Options { host: true }).unwrap();
    std::fs::write(folder.path().join("all.yml"), &made).unwrap();
    promtool(&["check", "rules", "--lint=all", "--lint-fatal", "all.yml"], folder.path());
    let file: Value = serde_yaml::from_str(&made).unwrap();
    let names: Vec<_> = rules(&file).iter().filter_map(|r| r["alert"].as_str().map(str::to_owned)).collect();
    for name in ["LogShopDbTimeout", "LogWebSlow", "LogSilent", "LogtallyDown", "HostMemoryLow"] {
        assert!(names.iter().any(|n| n == name), "{name} is missing");
    }
    assert!(!alerts(&groups(), Options { host: false }).unwrap().contains("HostMemoryLow"));
}

#[test]
fn conditions_that_are_not_understood_are_all_reported() {
    let mut groups = groups();
    groups[0].rules[0].alert.as_mut().unwrap().when = "speed > 1".into();
    groups[2].rules[0].alert.as_mut().unwrap().hold = "soon".into();
    let problems = alerts(&groups, Options { host: true }).unwrap_err();
    let where_: Vec<_> = problems.iter().map(|(group, rule, _)| format!("{group}/{rule}")).collect();
    assert_eq!(where_, ["shop/db_timeout", "web/slow"]);
}
