//! Promtail's stages one by one: the counts of what they become, against a truth written by hand, and what is told of
//! those that have no equivalent.

use super::{Values, counted, counted_as, import};
use crate::support::Folder;

/// Converts stages, counts lines with them, and gives what the remarks and the inputs say beside the values.
fn run(stages: &str, lines: &[&str], format: &str, multiline: &str) -> (Values, String, String) {
    let folder = Folder::new();
    let (config, log) = (folder.path("stages.yml"), folder.path("app.log"));
    let head = "scrape_configs:\n  - job_name: t\n    static_configs:\n      - targets: [localhost]\n        labels: {__path__: /var/log/a.log}\n    pipeline_stages:\n";
    let indented: String = stages.lines().map(|line| format!("      {}\n", line.trim_end())).collect();
    std::fs::write(&config, format!("{head}{indented}")).unwrap();
    std::fs::write(&log, lines.join("\n") + "\n").unwrap();
    let (_, remarks) = import(&folder, "promtail", &config);
    let values = match multiline {
        "off" => counted(&folder, &log, format),
        start => counted_as(&folder, &log, format, start),
    };
    (values, remarks, std::fs::read_to_string(folder.path("logtally.yml")).unwrap())
}

/// Compares all values but the histograms' buckets.
#[track_caller]
fn assert_values(values: &Values, expected: &[(&str, f64)]) {
    let found: Vec<(String, f64)> = values
        .iter()
        .filter(|(series, _)| !series.contains("_bucket"))
        .map(|(series, value)| (series.replace("promtail_custom_", ""), *value))
        .collect();
    let expected: Vec<(String, f64)> =
        expected.iter().map(|(series, value)| ((*series).to_owned(), *value)).collect();
    assert_eq!(found, expected);
}

#[test]
fn logfmt() {
    let stages = r#"
- logfmt: {mapping: {took: duration, status: , route: http_route}}
- labels: {route: }
- metrics:
    took_seconds: {type: Histogram, source: took, config: {buckets: [0.1, 1]}}
    failed_total: {type: Counter, source: status, config: {value: "500", action: inc}}
"#;
    let lines = [
        "level=info http_route=/pay duration=200ms status=200",
        "level=error http_route=/pay duration=1.5s status=500 msg=\"took long\"",
        "level=info http_route=/ask duration=0.05 status=200",
        "level=info msg=\"status=500 only in the text\"",
        "level=info http_route=/ask status=500",
    ];
    let (values, remarks, inputs) = run(stages, &lines, "logfmt", "off");
    assert!(!remarks.contains("error:") && inputs.contains("format: logfmt"), "{remarks} {inputs}");
    assert_values(
        &values,
        &[
            ("failed{route=\"/ask}", 1.0),
            ("failed{route=\"/pay}", 1.0),
            ("took_seconds_count{route=\"/ask}", 1.0),
            ("took_seconds_count{route=\"/pay}", 2.0),
            ("took_seconds_sum{route=\"/ask}", 0.05),
            ("took_seconds_sum{route=\"/pay}", 1.7),
        ],
    );
}

const PAID: &str = r"
- regex: {expression: '^paid (?P<cents>\d+) by (?P<who>\w+)'}
- labels: {who: }
- metrics:
    cents_total: {type: Counter, source: cents, config: {action: add}}
    paid_total: {type: Counter, source: who, config: {action: inc}}
";

#[test]
fn cri() {
    let lines = [
        "2026-11-20T12:00:00.1Z stdout F paid 250 by ann",
        "2026-11-20T12:00:00.2Z stderr F paid 50 by bob",
        "2026-11-20T12:00:00.3Z stdout F not paid 9 by ann",
        "2026-11-20T12:00:00.4Z stdout F paid 1 by ann",
    ];
    let (values, remarks, inputs) = run(&format!("- cri: {{}}{PAID}"), &lines, "cri", "off");
    assert!(remarks.contains("`cri` becomes the input's `format:`, without the label `stream`"), "{remarks}");
    assert!(!remarks.contains("error:") && inputs.contains("format: cri"), "{remarks} {inputs}");
    let expected = [
        ("cents{who=\"ann}", 251.0),
        ("cents{who=\"bob}", 50.0),
        ("paid{who=\"ann}", 2.0),
        ("paid{who=\"bob}", 1.0),
    ];
    assert_values(&values, &expected);
}

#[test]
fn docker() {
    let lines = [
        r#"{"log":"paid 250 by ann\n","stream":"stdout","time":"2026-11-20T12:00:00.1Z"}"#,
        r#"{"log":"paid 50 by bob\n","stream":"stderr","time":"2026-11-20T12:00:00.2Z"}"#,
        r#"{"log":"not paid 9 by ann\n","stream":"stdout","time":"2026-11-20T12:00:00.3Z"}"#,
    ];
    let (values, remarks, inputs) = run(&format!("- docker: {{}}{PAID}"), &lines, "docker", "off");
    assert!(!remarks.contains("error:") && inputs.contains("format: docker"), "{remarks} {inputs}");
    let expected = [
        ("cents{who=\"ann}", 250.0),
        ("cents{who=\"bob}", 50.0),
        ("paid{who=\"ann}", 1.0),
        ("paid{who=\"bob}", 1.0),
    ];
    assert_values(&values, &expected);
}

#[test]
fn multiline() {
    let stages = r"
- multiline: {firstline: '^\d{4}-\d\d-\d\d ', max_wait_time: 3s}
- regex: {expression: 'refund (?P<cents>\d+)'}
- metrics:
    refunds_total: {type: Counter, source: cents, config: {action: inc}}
    cents_total: {type: Counter, source: cents, config: {action: add}}
    blocks_total: {type: Counter, config: {match_all: true, action: inc}}
";
    let lines = [
        "2026-11-20 12:00:00 order",
        "  refund 10",
        "  refund 20",
        "2026-11-20 12:00:01 refund 5",
        "2026-11-20 12:00:02 nothing",
        "  at all",
    ];
    let start = r"{start: '^\d{4}-\d\d-\d\d '}";
    let (values, remarks, inputs) = run(stages, &lines, "auto", start);
    assert!(inputs.contains(&format!("multiline: {start}")), "{inputs}");
    assert!(remarks.contains("warning: `multiline` becomes the input's"), "{remarks}");
    // The first refund of each block, as one expression over all of it finds it.
    assert_values(&values, &[("blocks{}", 3.0), ("cents{}", 15.0), ("refunds{}", 2.0)]);
}

#[test]
fn timestamp_and_pack_change_no_count_of_what_stands_before() {
    let stages = r"
- regex: {expression: '^(?P<time>\S+) (?P<op>\w+) took (?P<took>\d+)s'}
- timestamp: {source: time, format: RFC3339}
- labels: {op: , kind: op}
- metrics:
    took_seconds: {type: Histogram, source: took, config: {buckets: [1, 10]}}
- pack: {labels: [op]}
- metrics:
    packed_total: {type: Counter, source: took, config: {action: inc}}
- regex: {expression: '^\S+ \w+ took (?P<again>\d+)'}
- metrics:
    again_total: {type: Counter, source: again, config: {action: inc}}
";
    let lines = [
        "2026-11-20T12:00:00Z pay took 3s",
        "2020-11-20T12:00:00Z pay took 4s",
        "2026-11-20T12:00:00Z ask took 5s",
        "no time took 6s",
        "nothing",
    ];
    let (values, remarks, _) = run(stages, &lines, "auto", "off");
    for told in [
        "warning: `timestamp` is left out",
        "warning: `pack` is left out",
        "error: `again` comes from a line that a stage changed",
    ] {
        assert!(remarks.contains(told), "{told}: {remarks}");
    }
    let expected = [
        ("packed{kind=\"ask}", 1.0),
        ("packed{kind=\"pay}", 2.0),
        ("packed{kind=\"time}", 1.0),
        ("took_seconds_count{kind=\"ask op=\"ask}", 1.0),
        ("took_seconds_count{kind=\"pay op=\"pay}", 2.0),
        ("took_seconds_count{kind=\"time op=\"time}", 1.0),
        ("took_seconds_sum{kind=\"ask op=\"ask}", 5.0),
        ("took_seconds_sum{kind=\"pay op=\"pay}", 7.0),
        ("took_seconds_sum{kind=\"time op=\"time}", 6.0),
    ];
    assert_values(&values, &expected);
}

#[test]
fn drops_by_age_and_length_are_told_and_drop_nothing() {
    let stages = r"
- regex: {expression: '^(?P<op>pay|ask) '}
- drop: {older_than: 24h}
- drop: {longer_than: 16}
- drop: {expression: 'health'}
- metrics:
    ops_total: {type: Counter, source: op, config: {action: inc}}
";
    let lines = ["pay 1", "ask 2", "ask 2 of a length that is more", "pay health", "none"];
    let (values, remarks, _) = run(stages, &lines, "auto", "off");
    assert!(remarks.contains("stages.yml:9: error: `older_than` has no equivalent"), "{remarks}");
    assert!(remarks.contains("stages.yml:10: error: `longer_than` has no equivalent"), "{remarks}");
    assert_eq!(remarks.matches(": error:").count(), 2, "{remarks}");
    assert_values(&values, &[("ops{}", 3.0)]);
}
