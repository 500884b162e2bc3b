//! The command line as people type it: what each command prints, and the exit code it ends with.

use crate::support::{Folder, code, command, count, err, logtally, logtally_fed, out, parse};
use std::io::Write;

const LOG: &str = "\
2026-11-20 12:00:00,123 ERROR shop.db connection timed out after 30s
2026-11-20 12:00:01,000 INFO shop.api ready
2026-11-20 12:00:02,000 ERROR shop.api unhandled
Traceback (most recent call last):
  File \"/srv/shop/api.py\", line 3, in handle
    raise ValueError(1)
ValueError: 1
2026-11-20 12:00:03,000 WARNING shop.api connection timed out after 2s
";
const RULES: &str = "\
group: shop
rules:
  - name: db_timeout
    match: 'timed out after (?P<seconds>[0-9.]+)s'
    tests:
      - {line: '2026-11-20 12:00:00,123 ERROR shop timed out after 1s', expect: {match: true, level: error}}
      - {line: 'all good', expect: {match: false}}
  - name: never
    match: 'a thing that is not there'
";
const LEVELS: [&str; 8] = ["trace", "debug", "info", "notice", "warning", "error", "critical", "unknown"];

fn shop() -> Folder {
    let folder = Folder::new();
    folder.write("app.log", LOG);
    folder.write("shop.yml", RULES);
    folder
}

/// Runs and holds the exit code against what is expected.
#[track_caller]
fn ends(args: &[&str], expected: i32) -> (String, String) {
    let output = logtally(args);
    assert_eq!(code(&output), expected, "{args:?}: {}", err(&output));
    (out(&output), err(&output))
}

#[test]
fn bad_usage_is_2_and_says_what_to_do() {
    let (stdout, stderr) = ends(&[], 2);
    assert!(stdout.is_empty() && stderr.contains("hint:") && stderr.contains("/var/log/"), "{stderr}");
    for args in [
        &["--no-such-flag"][..],
        &["run", "--from", "middle", "x.log"],
        &["count"],
        &["count", "--threads", "many", "x.log"],
        &["count", "--threads", "0", "x.log"],
        &["count", "--output", "xml", "x.log"],
        &["run", "--log.level", "loud", "x.log"],
        &["run", "--web.telemetry-path", "metrics", "x.log"],
        &["run", "--web.telemetry-path", "/-/healthy", "x.log"],
        &["run", "--web.listen-address", "nowhere at all", "--storage.path", "none", "x.log"],
        &["run", "--web.listen-address", "127.0.0.1:99999", "--storage.path", "none", "x.log"],
        &["run", "-c", "/no/such/config.yml"],
        &["count", "--rules", "/no/such/rules.yml", "x.log"],
        &["count", "--rules", "builtin:nothing", "x.log"],
    ] {
        let (stdout, stderr) = ends(args, 2);
        assert!(stdout.is_empty() && stderr.to_lowercase().contains("error"), "{args:?}: {stderr}");
    }
}

#[test]
fn help_and_version_are_answers() {
    let (help, _) = ends(&["--help"], 0);
    for word in ["run", "count", "check", "explain", "dashboard", "alerts", "healthcheck"] {
        assert!(help.contains(&format!("\n  {word}")), "{word} in {help}");
        let (own, _) = ends(&[word, "--help"], 0);
        assert!(own.contains("Usage:"), "{own}");
    }
    let (version, _) = ends(&["--version"], 0);
    assert!(version.starts_with(concat!("logtally ", env!("CARGO_PKG_VERSION"), " (")), "{version}");
    let (run, _) = ends(&["run", "--help"], 0);
    let run = run.split_whitespace().collect::<Vec<_>>().join(" ");
    for flag in [
        "--config.file",
        "--rules",
        "--web.listen-address",
        "--web.config.file",
        "--web.telemetry-path",
        "--web.enable-lifecycle",
        "--storage.path",
        "--from",
        "--path.procfs",
        "--path.sysfs",
        "--path.rootfs",
        "--collector.textfile.directory",
        "--log.level",
        "--log.format",
    ] {
        let twin = format!("LOGTALLY_{}", flag[2..].to_uppercase().replace(['.', '-'], "_"));
        assert!(run.contains(&format!(" {flag} ")), "{flag}");
        assert!(run.contains(&format!("[env: {twin}=")), "{twin}");
    }
}

#[test]
fn count_as_json_has_exactly_this_shape() {
    let folder = shop();
    let app = folder.at("app.log");
    let told = count(&["--rules", &folder.at("shop.yml"), &app]);
    let keys: Vec<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["files", "lines", "bytes", "events", "levels", "patterns", "elapsed_seconds"]);
    let levels: Vec<&str> = told["levels"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(levels, LEVELS);
    assert_eq!(told["files"], 1);
    assert_eq!(told["lines"], LOG.lines().count());
    assert_eq!(told["bytes"], LOG.len());
    assert_eq!(told["events"], 4);
    assert_eq!(told["levels"]["error"], 2);
    assert_eq!(told["levels"]["info"], 1);
    assert_eq!(told["levels"]["warning"], 1);
    assert_eq!(told["patterns"], serde_json::json!({"db_timeout": 2, "never": 0}));
    assert!(told["elapsed_seconds"].as_f64().unwrap() >= 0.0);
}

#[test]
fn count_reads_a_file_as_the_input_that_names_it() {
    let folder = Folder::new();
    let log = folder.write("odd.log", "1|E|disk full\n2|I|all good\n");
    let other = folder.write("other.log", "1|E|disk full\n");
    let config = folder.write(
        "logtally.yml",
        "inputs:\n  - {name: odd, include: [odd.log], format: {regex: '^\\d\\|(?P<level>[EI])\\|(?P<message>.*)$'}}\nrules: []\n",
    );
    let told = count(&["-c", &config, &log, &other]);
    assert_eq!((&told["levels"]["error"], &told["levels"]["info"]), (&1.into(), &1.into()));
    assert_eq!(told["levels"]["unknown"], 1, "{told}");
    assert_eq!(told["files"], 2);
    let explained = ends(&["explain", "-c", &config, &log], 0).0;
    assert!(explained.contains("level=error"), "{explained}");
}

#[test]
fn count_in_its_other_forms_says_the_same() {
    let folder = shop();
    let (rules, app) = (folder.at("shop.yml"), folder.at("app.log"));
    let with = |output: &str| ends(&["count", "--rules", &rules, "--output", output, &app], 0).0;
    let table = with("table");
    for words in [&["error", "2"][..], &["info", "1"], &["db_timeout", "2"]] {
        let row = |line: &str| line.split_whitespace().take(2).eq(words.iter().copied());
        assert!(table.lines().any(row), "{words:?} in {table}");
    }
    let csv = with("csv");
    let rows = [
        "kind,name,count",
        "total,lines,8",
        "total,events,4",
        "level,error,2",
        "level,critical,0",
        "pattern,db_timeout,2",
        "pattern,never,0",
    ];
    rows.iter().for_each(|row| assert!(csv.lines().any(|line| line == *row), "{row} in {csv}"));
    let text = parse(&with("prometheus"));
    assert_eq!(text.sum("log_events_total", &[]), 4.0);
    assert_eq!(text.one("log_events_total", &[("level", "error"), ("path", &app)]), 2.0);
    assert_eq!(text.sum("log_pattern_events_total", &[("pattern", "db_timeout")]), 2.0);
    assert_eq!(text.one("log_exceptions_total", &[("exception", "ValueError")]), 1.0);
    let open = with("openmetrics");
    assert!(open.ends_with("# EOF\n") && open.contains("# TYPE log_events counter\n"), "{open}");
}

#[test]
fn a_csv_field_with_a_comma_is_quoted() {
    let folder = Folder::new();
    let rules = folder.write("odd.yml", "group: odd\nrules:\n  - name: 'a, \"b\"'\n    match: x\n");
    let log = folder.write("a.log", "INFO:a:x\n");
    let output = logtally(&["count", "--rules", &rules, "--output", "csv", &log]);
    if code(&output) == 0 {
        assert!(out(&output).contains("pattern,\"a, \"\"b\"\"\",1\n"), "{}", out(&output));
    } else {
        // Names that need quoting may be refused altogether.
        assert_eq!(code(&output), 2);
    }
}

/// The log, compressed in every way that `count` reads.
fn packed(folder: &Folder) -> Vec<String> {
    let gz = {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        writer.write_all(LOG.as_bytes()).unwrap();
        writer.finish().unwrap()
    };
    let bz2 = {
        let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
        writer.write_all(LOG.as_bytes()).unwrap();
        writer.finish().unwrap()
    };
    let xz = {
        let mut writer = liblzma::write::XzEncoder::new(Vec::new(), 6);
        writer.write_all(LOG.as_bytes()).unwrap();
        writer.finish().unwrap()
    };
    vec![
        folder.write("app.log.gz", gz),
        folder.write("app.log.bz2", bz2),
        folder.write("app.log.xz", xz),
        folder.write("app.log.zst", zstd::encode_all(LOG.as_bytes(), 3).unwrap()),
    ]
}

#[test]
fn archives_count_as_what_is_in_them() {
    let folder = shop();
    let rules = folder.at("shop.yml");
    let mut plain = count(&["--rules", &rules, &folder.at("app.log")]);
    plain["elapsed_seconds"] = 0.into();
    let mut archives = packed(&folder);
    // Two archives one after the other are one archive, as `cat a.gz b.gz` makes it.
    let twice: Vec<u8> =
        [std::fs::read(&archives[0]).unwrap(), std::fs::read(&archives[0]).unwrap()].concat();
    for archive in &archives {
        let mut told = count(&["--rules", &rules, archive]);
        told["elapsed_seconds"] = 0.into();
        assert_eq!(told, plain, "{archive}");
    }
    let doubled = count(&["--rules", &rules, &folder.write("twice.log.gz", twice)]);
    assert_eq!(doubled["lines"], 2 * LOG.lines().count());
    archives.push(folder.at("app.log"));
    let files: Vec<&str> = archives.iter().map(String::as_str).collect();
    let all = count(&[&["--rules", &rules], &files[..]].concat());
    assert_eq!(all["files"], 5);
    assert_eq!(all["events"], 20);
    assert_eq!(all["patterns"]["db_timeout"], 10);
}

#[test]
fn a_broken_archive_fails_and_the_others_are_counted() {
    let folder = shop();
    let archives = packed(&folder);
    for archive in &archives {
        let bytes = std::fs::read(archive).unwrap();
        std::fs::write(archive, &bytes[..bytes.len() - 12]).unwrap();
        let app = folder.at("app.log");
        let output = logtally(&["count", "--output", "json", archive, &app]);
        assert_eq!(code(&output), 1, "{archive}");
        assert!(err(&output).contains(archive.as_str()), "{}", err(&output));
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(told["levels"]["error"].as_u64().unwrap() >= 2, "{told}");
    }
}

#[test]
fn standard_input_folders_and_globs_are_counted() {
    let folder = Folder::new();
    for name in ["logs/a.log", "logs/b.log", "logs/deep/c.log"] {
        folder.write(name, LOG);
    }
    folder.write("logs/image.png", [0u8, 159, 146, 150, 0, 1, 2, 3]);
    assert_eq!(count(&[&folder.at("logs")])["files"], 2, "a folder means the logs directly in it");
    assert_eq!(count(&[&folder.at("logs/*.log")])["files"], 2);
    assert_eq!(count(&[&folder.at("logs/**/*.log")])["files"], 3);
    let twice = count(&[&folder.at("logs/a.log"), &folder.at("logs/*.log")]);
    assert_eq!(twice["files"], 2, "a file named twice counts once");
    for (input, lines) in [(LOG, 8), ("", 0), ("INFO:a:no newline at the end", 1)] {
        let output = logtally_fed(&["count", "--output", "json", "-"], input.as_bytes());
        assert_eq!(code(&output), 0, "{}", err(&output));
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["lines"], lines);
        assert_eq!(told["bytes"], input.len());
    }
}

#[test]
fn a_missing_file_fails_and_the_others_are_counted() {
    let folder = shop();
    let app = folder.at("app.log");
    for missing in [folder.at("gone.log"), folder.at("gone-*.log"), folder.at("gone.log.gz")] {
        let output = logtally(&["count", "--output", "json", &missing, &app]);
        assert_eq!(code(&output), 1, "{missing}");
        assert!(err(&output).contains(&missing), "{}", err(&output));
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        assert_eq!(told["events"], 4, "{missing}: {told}");
    }
}

#[test]
fn threads_change_nothing_but_the_time() {
    let folder = Folder::new();
    let rules = folder.write("shop.yml", RULES);
    // Large enough to be split, with events over the seams.
    let big: String = (0..90_000)
        .map(|at| if at % 7 == 0 { LOG.to_owned() } else { format!("INFO:m:tick {at}\n") })
        .collect();
    let path = folder.write("big.log", &big);
    let mut told: Vec<serde_json::Value> =
        ["1", "2", "3", "7"].iter().map(|n| count(&["--threads", n, "--rules", &rules, &path])).collect();
    told.iter_mut().for_each(|told| told["elapsed_seconds"] = 0.into());
    assert_eq!(told[0]["lines"], big.lines().count());
    assert_eq!(told[0]["bytes"], big.len());
    told.iter().for_each(|more| assert_eq!(more, &told[0]));
}

#[test]
fn check_runs_the_tests_that_rules_carry() {
    let folder = shop();
    let rules = folder.at("shop.yml");
    let (stdout, _) = ends(&["check", &rules], 0);
    assert!(stdout.contains("2 rules") && stdout.contains("2 tests"), "{stdout}");
    ends(&["check"], 0);
    ends(&["check", "builtin:python"], 0);
    // Packs that are in force only where they are named; their own tests run.
    ends(&["check", "builtin:access", "builtin:ntp"], 0);
    let bad = folder.write("bad.yml", RULES.replace("match: false", "match: true"));
    let (_, stderr) = ends(&["check", &bad], 1);
    assert!(stderr.contains("bad.yml:7:") && stderr.contains("db_timeout"), "{stderr}");
    let broken = folder.write("broken.yml", RULES.replace("(?P<seconds>", "(?P<seconds"));
    let (_, stderr) = ends(&["check", &broken], 2);
    assert!(stderr.contains("broken.yml:4:"), "{stderr}");
    let (json, _) = ends(&["check", "--format", "json", &bad], 1);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["errors"], &json["problems"][0]["line"]), (&1.into(), &7.into()), "{json}");
    let config = folder.write("logtally.yml", "inputs:\n  - {name: a, include: [x.log], format: pythn}\n");
    let (_, stderr) = ends(&["check", "-c", &config], 2);
    assert!(stderr.contains("logtally.yml:2:") && stderr.contains("did you mean"), "{stderr}");
}

#[test]
fn explain_says_what_each_line_is() {
    let folder = shop();
    let rules = folder.at("shop.yml");
    let (text, _) = ends(&["explain", "--rules", &rules, &folder.at("app.log")], 0);
    for words in [
        "format=python",
        "level=error",
        "level=warning",
        "match    shop/db_timeout",
        "belongs to the event above",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
    let strict =
        folder.write("strict.yml", RULES.replace("    tests:", "    levels: [critical]\n    tests:"));
    let output = logtally_fed(&["explain", "--rules", &strict], LOG.as_bytes());
    assert_eq!(code(&output), 0);
    assert!(out(&output).contains("the level is error and the rule wants critical"), "{}", out(&output));
    let (_, stderr) = ends(&["explain", &folder.at("gone.log")], 1);
    assert!(stderr.contains("gone.log"), "{stderr}");
}

#[test]
fn dashboard_and_alerts_are_made_for_the_rules_in_force() {
    let folder = shop();
    let alert = "    alert: {when: 'rate > 0.1', for: 5m, severity: warning}\n";
    let rules = folder.write("alert.yml", format!("{RULES}{alert}"));
    let (board, _) = ends(&["dashboard", "--rules", &rules], 0);
    let board: serde_json::Value = serde_json::from_str(&board).unwrap();
    assert!(board["panels"].as_array().is_some_and(|panels| !panels.is_empty()), "{board}");
    let (alerts, _) = ends(&["alerts", "--rules", &rules], 0);
    let alerts: serde_json::Value = serde_yaml::from_str(&alerts).unwrap();
    assert!(alerts.to_string().contains("never"), "{alerts}");
    ends(&["alerts", "-c", "/no/such.yml"], 2);
    // Of the shipped packs those stand open that were named; the software of the others may not be here.
    for (given, open) in [
        (&["--rules", &rules][..], &["Events", "shop"][..]),
        (&["--rules", &rules, "--rules", "builtin"], &["Events", "shop"]),
        (&["--rules", "builtin", "--rules", "builtin:python"], &["Events", "python"]),
        (&[], &["Events"]),
    ] {
        let (board, _) = ends(&[&["dashboard"], given].concat(), 0);
        let board: serde_json::Value = serde_json::from_str(&board).unwrap();
        let rows = board["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] == "row");
        let (folded, shown): (Vec<_>, Vec<_>) = rows.partition(|row| row["collapsed"] == true);
        let titles: Vec<_> = shown.iter().map(|row| row["title"].as_str().unwrap()).collect();
        assert_eq!(titles, open, "{given:?}");
        let packs = !given.contains(&rules.as_str()) || given.contains(&"builtin");
        assert_eq!(folded.len() > 10, packs, "{given:?}");
        assert!(folded.iter().all(|row| !row["panels"].as_array().unwrap().is_empty()), "{given:?}");
    }
}

#[test]
fn healthcheck_fails_where_nobody_answers() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let (_, stderr) = ends(&["healthcheck", "--web.listen-address", &address], 1);
    assert!(stderr.contains(&address) && stderr.contains("hint:"), "{stderr}");
}

#[test]
fn a_flag_wins_over_its_environment_twin() {
    let folder = shop();
    let other = folder.write("other.yml", "group: other\nrules:\n  - {name: other, match: ready}\n");
    let ask = |env: &[(&str, &str)], args: &[&str]| -> serde_json::Value {
        let app = folder.at("app.log");
        let mut command = command(&[&["count", app.as_str()], args].concat());
        let output = command.envs(env.iter().copied()).output().unwrap();
        assert_eq!(code(&output), 0, "{}", err(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let json = ("LOGTALLY_OUTPUT", "json");
    let by_env = ask(&[json, ("LOGTALLY_RULES", &folder.at("shop.yml"))], &[]);
    assert_eq!(by_env["patterns"], serde_json::json!({"db_timeout": 2, "never": 0}));
    let by_flag = ask(
        &[("LOGTALLY_OUTPUT", "csv"), ("LOGTALLY_RULES", &folder.at("shop.yml"))],
        &["--output", "json", "--rules", &other],
    );
    assert_eq!(by_flag["patterns"], serde_json::json!({"other": 1}));
    // Rules of the config and of the flags add up.
    let config = folder.write("c.yml", "rules: [shop.yml]\nhost: off\n");
    let both = ask(&[json, ("LOGTALLY_CONFIG_FILE", &config)], &["--rules", &other]);
    assert_eq!(both["patterns"], serde_json::json!({"db_timeout": 2, "never": 0, "other": 1}));
    let none = folder.write("none.yml", "rules: []\n");
    assert_eq!(ask(&[json], &["-c", &none])["patterns"], serde_json::json!({}));
    let mut bad = command(&["count", &folder.at("app.log")]);
    assert_eq!(code(&bad.env("LOGTALLY_OUTPUT", "xml").output().unwrap()), 2);
}

#[test]
fn a_closed_pipe_is_no_disaster() {
    use std::process::Stdio;
    let mut child = command(&["dashboard"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 0, "{}", err(&output));
}
