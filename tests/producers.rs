//! Logs that real libraries wrote: levels, events and exception types are those that the program recorded itself.

use crate::support::{Folder, count, err, logtally, out, parse, project};
use std::process::Command;

/// The Python that `make prepare` set up.
fn python() -> std::path::PathBuf {
    let given = std::env::var_os("LOGTALLY_TEST_PYTHON").map(Into::into);
    given.unwrap_or_else(|| project(".venv/bin/python"))
}

fn written_by(library: &str) {
    let folder = Folder::new();
    let path = folder.at("app.log");
    let script = project("tests/fixtures/producers/write.py");
    let output = Command::new(python())
        .arg(script)
        .args([library, &path])
        .output()
        .expect("Python's libraries are there: `make prepare` installs them");
    assert!(output.status.success(), "{library}: {}", err(&output));
    let truth: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let rules =
        folder.write("rules.yml", "group: a\nrules:\n  - {name: failed, match: 'request \\d+ failed'}\n");
    let told = count(&["--rules", &rules, &path]);
    assert_eq!(told["events"], 400, "{library}: {told}");
    for (level, events) in told["levels"].as_object().unwrap() {
        let known = truth["levels"].get(level).unwrap_or(&serde_json::Value::from(0)).clone();
        assert_eq!(*events, known, "{library}: {level}");
    }
    let known: u64 = truth["exceptions"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(told["patterns"]["failed"], known, "{library}");
    let metrics = logtally(&["count", "--rules", &rules, "--output", "prometheus", &path]);
    let scrape = parse(&out(&metrics));
    for (exception, events) in truth["exceptions"].as_object().unwrap() {
        let told = scrape.sum("log_exceptions_total", &[("exception", exception)]);
        assert_eq!(told, events.as_f64().unwrap(), "{library}: {exception}");
    }
    assert_eq!(scrape.sum("log_exceptions_total", &[]), known as f64, "{library}");
}

#[test]
fn logging_with_a_format() {
    written_by("logging");
}

#[test]
fn logging_as_it_is() {
    written_by("logging-basic");
}

#[test]
fn loguru() {
    written_by("loguru");
}

#[test]
fn structlog_as_json() {
    written_by("structlog");
}

#[test]
fn python_json_logger() {
    written_by("python-json-logger");
}

/// More than sixty kinds of exceptions, each raised by a real Python: chains, groups, notes, messages of several lines.
fn raised_under(layout: &str) {
    let folder = Folder::new();
    let path = folder.at("app.log");
    let script = project("tests/fixtures/producers/raise.py");
    let output = Command::new(python()).arg(script).args([&path, layout]).output();
    let output = output.expect("Python's libraries are there: `make prepare` installs them");
    assert!(output.status.success(), "{layout}: {}", err(&output));
    let truth: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let metrics = logtally(&["count", "--rules", "builtin:python", "--output", "prometheus", &path]);
    let scrape = parse(&out(&metrics));
    let mut known = 0.0;
    for (exception, events) in truth["exceptions"].as_object().unwrap() {
        let told = scrape.sum("log_exceptions_total", &[("exception", exception)]);
        assert_eq!(told, events.as_f64().unwrap(), "{layout}: {exception}");
        known += told;
    }
    assert_eq!(scrape.sum("log_exceptions_total", &[]), known, "{layout}: no other type");
    assert_eq!(scrape.sum("log_events_total", &[]), truth["events"].as_f64().unwrap(), "{layout}: events");
}

#[test]
fn exceptions_logged_with_a_format() {
    raised_under("python");
}

#[test]
fn exceptions_logged_as_it_is() {
    raised_under("basic");
}

#[test]
fn exceptions_logged_by_loguru() {
    raised_under("loguru");
}

#[test]
fn exceptions_that_end_programs() {
    raised_under("bare");
}
