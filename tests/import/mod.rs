//! Configs of other programs converted: the counts of the converted rules are those of the program itself, every
//! converted file passes `check`, and what has no equivalent is told with its line.

mod stages;

use crate::support::{Folder, code, err, logtally, out, project};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Values by metric and labels, without what the two programs write differently: names of counters end in `_total` in
/// one of them, the other adds `prog`; zeros may stand or not.
type Values = BTreeMap<String, f64>;

fn fixture(path: &str) -> PathBuf {
    project(&format!("tests/fixtures/import/{path}"))
}

fn values(text: &str, own: bool) -> Values {
    let samples = text.lines().filter(|line| !line.starts_with('#') && line.contains(' '));
    samples.filter_map(|line| sample(line, own)).collect()
}

fn sample(line: &str, own: bool) -> Option<(String, f64)> {
    let (series, value) = line.rsplit_once(' ')?;
    let value: f64 = value.parse().unwrap();
    let (name, labels) =
        series.split_once('{').map_or((series, ""), |(name, rest)| (name, rest.trim_end_matches('}')));
    if value == 0.0 || (own && (name.starts_with("log_") || name.starts_with("logtally_"))) {
        return None;
    }
    let mut labels: Vec<&str> = labels.split("\",").map(|label| label.trim_end_matches('"')).collect();
    labels.retain(|label| !["", "prog", "input", "path"].contains(&label.split('=').next().unwrap()));
    labels.sort_unstable();
    Some((format!("{}{{{}}}", name.replace("_total", ""), labels.join(" ")), value))
}

/// Converts a file in a folder; rules go to `rules.yml`, inputs to `logtally.yml`. Exit code and remarks come back.
fn import(folder: &Folder, peer: &str, file: &Path) -> (i32, String) {
    let (rules, inputs) = (folder.path("rules.yml"), folder.path("logtally.yml"));
    let args = [
        "import",
        peer,
        file.to_str().unwrap(),
        "--output",
        rules.to_str().unwrap(),
        "--inputs",
        inputs.to_str().unwrap(),
    ];
    let output = logtally(&args);
    let checked = logtally(&["check", rules.to_str().unwrap()]);
    assert_eq!(code(&checked), 0, "{}: {}", file.display(), err(&checked));
    (code(&output), err(&output))
}

/// What the converted rules count in a log, line by line.
fn counted(folder: &Folder, log: &Path, format: &str) -> Values {
    counted_as(folder, log, format, "off")
}

/// The same with events that begin as `multiline` says.
fn counted_as(folder: &Folder, log: &Path, format: &str, multiline: &str) -> Values {
    let (path, config) = (log.display(), folder.path("count.yml"));
    let text = format!(
        "inputs:\n  - {{name: t, include: ['{path}'], multiline: {multiline}, format: {format}}}\nrules: ['{}']\n",
        folder.path("rules.yml").display()
    );
    std::fs::write(&config, text).unwrap();
    let output =
        logtally(&["count", "-c", config.to_str().unwrap(), "-o", "prometheus", log.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    values(&out(&output), true)
}

fn mtail(folder: &Folder, program: &Path, log: &Path) -> Values {
    let output = Command::new("mtail")
        .args(["--one_shot", "--one_shot_format", "prometheus", "--log_dir"])
        .arg(folder.path(""))
        .arg("--progs")
        .arg(program)
        .arg("--logs")
        .arg(log)
        .output()
        .unwrap_or_else(|error| panic!("mtail: {error}; .ci/prepare installs it"));
    let values = values(&String::from_utf8(output.stdout).unwrap(), false);
    assert!(!values.is_empty(), "{}: {}", program.display(), String::from_utf8_lossy(&output.stderr));
    values
}

/// Programs in the manner of those that people run, with the number of remarks that are errors: corner cases that the
/// proof finds, and what is remembered from line to line.
const PROGRAMS: [(&str, usize); 9] = [
    ("access", 0),
    ("backup", 1),
    ("calls", 1),
    ("cases", 1),
    ("clock", 0),
    ("leases", 2),
    ("locals", 1),
    ("mailer", 2),
    ("rides", 0),
];

#[test]
fn converted_programs_count_what_mtail_counts() {
    for (name, expected) in PROGRAMS {
        let folder = Folder::new();
        let program = fixture(&format!("mtail/{name}.mtail"));
        let log = fixture(&format!("mtail/{name}.log"));
        let (code, remarks) = import(&folder, "mtail", &program);
        assert_eq!(remarks.matches(": error:").count(), expected, "{name}: {remarks}");
        assert_eq!(code, i32::from(expected > 0), "{name}: {remarks}");
        let mut ours = counted(&folder, &log, "auto");
        // Two names of one program would be one here; the converted one says by what it is divided.
        ours = ours
            .into_iter()
            .map(|(series, value)| (series.replace("begun_by_verb", "begun"), value))
            .collect();
        assert_eq!(ours, mtail(&folder, &program, &log), "{name}");
    }
}

#[test]
fn a_metric_renamed_and_a_state_are_told_with_their_lines() {
    let folder = Folder::new();
    let (code, remarks) = import(&folder, "mtail", &fixture("mtail/backup.mtail"));
    assert_eq!(code, 1);
    assert!(remarks.contains("backup.mtail:14: error: `since` is remembered from line to line"), "{remarks}");
    assert!(remarks.contains("backup.mtail:4: warning: `moved` becomes `moved_total`"), "{remarks}");
    assert!(remarks.contains("hint:") && remarks.trim_end().ends_with("to know"), "{remarks}");
}

#[test]
fn what_is_no_pair_of_a_start_and_an_end_is_refused_with_the_reason() {
    let folder = Folder::new();
    let (code, remarks) = import(&folder, "mtail", &fixture("mtail/kept.mtail"));
    assert_eq!(code, 1);
    for told in [
        "36: error: `never` is not deleted behind it, so a second end counts again; `never_deleted_total` is not",
        "37: error: `given` is also deleted in line 51, where nothing is counted",
        "38: error: `number`, set in line 23, is not the time of its line",
        "39: error: what is remembered here is no time and no text of a start",
        "40: error: of several keys one can hold a blank",
        "41: error: `who` has no key that this line has in common with a start",
        "42: error: `place`, set in line 31, is not set beside the start",
        "56: error: a line such as \"start 0stop 0\" is the start and the end of one span there",
        "21: error: `never` is remembered from line to line and has no equivalent",
        "17: warning: `at` is kept by rules with `start:`, `end:` and `key:`",
    ] {
        assert!(remarks.contains(&format!("kept.mtail:{told}")), "{told}: {remarks}");
    }
    let rules = std::fs::read_to_string(folder.path("rules.yml")).unwrap();
    assert_eq!(rules.matches("- name:").count(), 1, "{rules}");
}

#[test]
fn spans_have_fractions_of_seconds_and_nothing_without_a_start() {
    let folder = Folder::new();
    let program = fixture("mtail/calls.mtail");
    import(&folder, "mtail", &program);
    let log = folder.path("calls.log");
    let lines = [
        "2026-11-20T12:00:00.750Z east call 1 from ann of 512",
        "2026-11-20T12:00:02.250Z east call 1 ended",
        "2026-11-20T12:00:03.000Z east call 2 ended",
    ];
    std::fs::write(&log, lines.join("\n") + "\n").unwrap();
    let (ours, theirs) = (counted(&folder, &log, "auto"), mtail(&folder, &program, &log));
    let (ann, nobody) = ("call_time{caller=\"ann outcome=\"ended}", "call_time{outcome=\"ended}");
    assert_eq!((ours.get(ann), theirs.get(ann)), (Some(&1.5), Some(&2.0)), "{ours:?} {theirs:?}");
    // There, the time since 1970.
    assert_eq!(ours.get(nobody), None, "{ours:?}");
    assert!(
        theirs.iter().any(|(series, value)| series.starts_with("call_time") && *value > 1e9),
        "{theirs:?}"
    );
    assert_eq!(ours.get("calls{outcome=\"ended}"), Some(&2.0));
}

#[test]
fn grok_exporters_metrics_count_the_truth() {
    let folder = Folder::new();
    let (code, remarks) = import(&folder, "grok_exporter", &fixture("grok_exporter/v3.yml"));
    assert_eq!(code, 1, "{remarks}");
    for told in [
        "v3.yml:43: error: the summary `waiting_seconds` becomes a histogram",
        "v3.yml:51: error: `delete_match` has no equivalent",
        "v3.yml:53: error: the label {{gsub",
        "v3.yml:54: error: not converted: ",
        "v3.yml:4: warning: `readall` is a flag here",
        "`order_bytes` becomes `order_bytes_total`",
    ] {
        assert!(remarks.contains(told), "{told}: {remarks}");
    }
    let log = folder.path("shop.log");
    std::fs::write(
        &log,
        "order AB-123456 paid\norder AB-123457 paid size=10\norder XY-000001 sent in parts size=32\norder ab-1 paid\n\
         queue=3\nqueue=4.5\ntook 7ms\ntook 2500ms\nuser bob logged in\nwaited 2s\n",
    )
    .unwrap();
    let expected = [
        ("orders{state=\"paid}", 2.0),
        ("orders{state=\"sent}", 1.0),
        ("order_bytes{}", 42.0),
        ("queue_length{}", 4.5),
        ("queue_sum{}", 7.5),
        ("request_seconds_sum{ok=\"no}", 2.5),
        ("request_seconds_count{ok=\"yes}", 1.0),
        ("waiting_seconds_sum{}", 2.0),
        ("users{}", 1.0),
    ];
    let ours = counted(&folder, &log, "auto");
    for (series, value) in expected {
        assert_eq!(ours.get(series), Some(&value), "{series}: {ours:?}");
    }
    let inputs = std::fs::read_to_string(folder.path("logtally.yml")).unwrap();
    assert!(
        inputs.contains("include: ['/var/log/shop/*.log']") && inputs.contains("rules: ['rules.yml']"),
        "{inputs}"
    );
    assert!(!std::fs::read_to_string(folder.path("rules.yml")).unwrap().contains("UNUSED"));
}

#[test]
fn the_old_version_of_grok_exporter_is_read_too() {
    let folder = Folder::new();
    let (code, remarks) = import(&folder, "grok_exporter", &fixture("grok_exporter/v2.yml"));
    assert_eq!(code, 1, "{remarks}");
    assert!(remarks.contains("`type: stdin` has no equivalent"), "{remarks}");
    let log = folder.path("a.log");
    std::fs::write(&log, "hello bob\nhello ann\nhello bob\n").unwrap();
    assert_eq!(counted(&folder, &log, "auto").get("hello{who=\"bob}"), Some(&2.0));
}

#[test]
fn promtails_stages_count_the_truth() {
    let folder = Folder::new();
    let (code, remarks) = import(&folder, "promtail", &fixture("promtail/shop.yml"));
    assert_eq!(code, 1, "{remarks}");
    assert_eq!(remarks.matches(": error:").count(), 1, "{remarks}");
    assert!(remarks.contains("`made` comes from a template"), "{remarks}");
    let log = folder.path("shop.log");
    std::fs::write(
        &log,
        "t INFO pay took 45ms status=200\nt ERROR pay took 2s status=500\nt INFO ask took 1ms status=200\n\
         t INFO health-check took 1ms status=200\nt INFO pay took soon status=200\nrefund of 250 cents\n",
    )
    .unwrap();
    let ours = counted(&folder, &log, "auto");
    let expected = [
        ("promtail_custom_requests{op=\"pay severity=\"ERROR}", 1.0),
        ("promtail_custom_requests{op=\"ask severity=\"INFO}", 1.0),
        ("shop_failed{op=\"pay severity=\"ERROR}", 1.0),
        ("shop_took_seconds_sum{op=\"pay severity=\"ERROR}", 2.0),
        ("shop_took_seconds_sum{op=\"pay severity=\"INFO}", 0.045),
        ("shop_refund_cents{}", 250.0),
    ];
    for (series, value) in expected {
        assert_eq!(ours.get(series), Some(&value), "{series}: {ours:?}");
    }
    assert!(!ours.keys().any(|series| series.contains("never") || series.contains("health")), "{ours:?}");
    let inputs = std::fs::read_to_string(folder.path("logtally.yml")).unwrap();
    assert!(
        inputs.contains("exclude: ['/var/log/shop/debug.log']") && inputs.contains("labels: {env: 'prod'}"),
        "{inputs}"
    );
}

#[test]
fn promtails_fields_count_the_truth() {
    let folder = Folder::new();
    let (code, remarks) = import(&folder, "promtail", &fixture("promtail/fields.yml"));
    assert_eq!(code, 1, "{remarks}");
    assert!(remarks.contains("`odd` comes from a path with more than names and dots"), "{remarks}");
    let log = folder.path("a.log");
    let lines = [
        r#"{"level":"error","msg":"a","http":{"took":"200ms"}}"#,
        r#"{"level":"info","msg":"b","http":{"took":0.5}}"#,
        r#"{"level":"info","msg":"c"}"#,
    ];
    std::fs::write(&log, lines.join("\n") + "\n").unwrap();
    let ours = counted(&folder, &log, "json");
    assert_eq!(ours.get("promtail_custom_took_seconds_sum{severity=\"error}"), Some(&0.2), "{ours:?}");
    assert_eq!(ours.get("promtail_custom_took_seconds_count{severity=\"info}"), Some(&1.0), "{ours:?}");
    assert_eq!(ours.get("promtail_custom_errors{severity=\"error}"), Some(&1.0), "{ours:?}");
    assert_eq!(ours.get("promtail_custom_all{severity=\"info}"), Some(&2.0), "{ours:?}");
}

#[test]
fn promtails_jobs_have_a_file_of_rules_each() {
    let folder = Folder::new();
    let (code_of, remarks) = import(&folder, "promtail", &fixture("promtail/jobs.yml"));
    assert_eq!(code_of, 0, "{remarks}");
    assert!(remarks.contains("a file of their own, rules-mail.yml"), "{remarks}");
    let config = folder.path("logtally.yml");
    let inputs = std::fs::read_to_string(&config).unwrap();
    for told in ["rules: ['jobs']", "rules: ['jobs_mail']", "rules: ['rules.yml', 'rules-mail.yml']"] {
        assert!(inputs.contains(told), "{told}: {inputs}");
    }
    let checked = logtally(&["check", "-c", config.to_str().unwrap()]);
    assert_eq!(code(&checked), 0, "{}", err(&checked));
    // On standard output there is place for one.
    let file = fixture("promtail/jobs.yml");
    let output = logtally(&["import", "promtail", file.to_str().unwrap()]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("give --output rules.yml"), "{}", err(&output));
}

#[test]
fn what_is_no_such_config_is_2_and_says_where() {
    let folder = Folder::new();
    for (peer, text, place) in [
        ("mtail", "counter x\n/a {\n", "bad.txt:2"),
        ("mtail", "counter x\n/a/ {\n", "bad.txt:3"),
        ("grok_exporter", "inputs: []\n", "bad.txt:1"),
        ("grok_exporter", "a: [\n", "bad.txt:"),
        ("promtail", "a: 1\n", "bad.txt:1"),
    ] {
        folder.write("bad.txt", text);
        let path = folder.path("bad.txt");
        let output = logtally(&["import", peer, path.to_str().unwrap()]);
        assert_eq!(code(&output), 2, "{peer}: {}", err(&output));
        assert!(out(&output).is_empty() && err(&output).contains(place), "{peer}: {}", err(&output));
    }
    let output = logtally(&["import", "promtail", "/no/such/file"]);
    assert_eq!(code(&output), 2);
    let output = logtally(&["import", "fluentd", "x"]);
    assert!(code(&output) == 2 && err(&output).contains("grok_exporter"), "{}", err(&output));
}

#[test]
fn without_flags_inputs_follow_the_rules_as_a_comment() {
    let output = logtally(&["import", "promtail", fixture("promtail/shop.yml").to_str().unwrap()]);
    let text = out(&output);
    assert!(
        text.contains("\n# The inputs, for a logtally.yml:\n") && text.contains("\n#   - name: shop\n"),
        "{text}"
    );
}
