//! What a scraper sees of the real binary: names, values, formats, the three laws of counters, signals and reloads.

use crate::support::{
    Exporter, Folder, Scrape, ask, code, err, logtally, parse, project, same_as_file, until,
};
use rustix::process::Signal;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

const LOG: &str = "\
2026-11-20 12:00:00,123 ERROR shop.db connection timed out after 30s
2026-11-20 12:00:01,000 INFO shop.api ready
2026-11-20 12:00:02,000 ERROR shop.api unhandled
Traceback (most recent call last):
  File \"/srv/shop/api.py\", line 3, in handle
    raise ValueError(1)
ValueError: 1
2026-11-20 12:00:03,000 WARNING shop.api payment declined by \"acme\"
";
const RULES: &str = r#"
group: shop
rules:
  - name: db_timeout
    match: 'timed out after (?P<seconds>[0-9.]+)s'
    metrics:
      - {type: histogram, name: db_timeout_seconds, help: Time until the database was given up, value: '${seconds}', unit: s, buckets: [1, 10, 60]}
  - name: declined
    match: 'payment declined by "(?P<bank>\w+)"'
    labels: {bank: '${bank}'}
  - name: never
    match: 'a thing that is not there'
"#;
const LEVELS: [&str; 8] = ["trace", "debug", "info", "notice", "warning", "error", "critical", "unknown"];

/// A shop with its log and rules, read from the beginning; neither host nor store.
fn shop(folder: &Folder, more: &[&str]) -> Exporter {
    folder.write("app.log", LOG);
    folder.write("shop.yml", RULES);
    let config = "rules: [shop.yml]\nhost: off\ninputs:\n  - name: shop\n    include: [app.log]\n    labels: {team: pay}\n    path_label: name\n";
    let config = folder.write("logtally.yml", config);
    Exporter::start(&[&["-c", &config, "--from", "beginning"], more].concat())
}

fn lines(scrape: &Scrape) -> f64 {
    scrape.sum("log_lines_total", &[])
}

fn promtool(text: &str) {
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is there: `make prepare` installs it");
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && err(&output).is_empty(), "{}", err(&output));
}

/// Times and durations become fixed, so that two runs give the same text.
fn steady(text: &str) -> String {
    let moving = ["_timestamp_seconds", "logtally_build_info", "logtally_rule_seconds_total", "process_"];
    let fixed = |line: &str| match line.rsplit_once(' ') {
        Some((series, _)) if !line.starts_with('#') && moving.iter().any(|part| line.contains(part)) => {
            format!("{} …\n", series.split('{').next().unwrap_or(series))
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(fixed).collect()
}

#[test]
fn the_scrape_of_a_fixed_log_is_golden() {
    let folder = Folder::new();
    let exporter = shop(&folder, &[]);
    exporter.scrape_until("everything read", |scrape| lines(scrape) == 8.0);
    let answer = exporter.get("/metrics");
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"), "{answer:?}");
    let ours = |line: &&str| line.split(' ').any(|word| word.starts_with("log") || word.starts_with("db_"));
    let text: String = answer.text().lines().filter(ours).map(|line| format!("{line}\n")).collect();
    promtool(&text);
    same_as_file(&project("tests/fixtures/scrape.txt"), &steady(&text));
}

#[test]
fn what_is_known_beforehand_stands_at_zero() {
    let folder = Folder::new();
    folder.write("app.log", "");
    let exporter = Exporter::start(&["--rules", &folder.write("r.yml", RULES), &folder.at("app.log")]);
    let sampled =
        |scrape: &Scrape| scrape.sum("node_cpu_seconds_total", &[]) > 0.0 && scrape.has("node_load1", &[]);
    let scrape = exporter.scrape_until("the file and the host", |scrape| {
        scrape.has("log_lines_total", &[]) && sampled(scrape)
    });
    for level in LEVELS {
        assert_eq!(scrape.one("log_events_total", &[("level", level), ("input", "default")]), 0.0);
    }
    for reason in ["missing", "permission", "open", "read", "other"] {
        assert_eq!(scrape.one("logtally_file_errors_total", &[("reason", reason)]), 0.0);
    }
    for reason in ["truncated", "rotated_unread", "decode"] {
        assert_eq!(scrape.one("logtally_lost_bytes_total", &[("reason", reason)]), 0.0);
    }
    assert_eq!(scrape.sum("log_pattern_events_total", &[("pattern", "never")]), 0.0);
    assert!(scrape.has("log_pattern_events_total", &[("pattern", "never"), ("level", "error")]));
    assert_eq!(scrape.one("db_timeout_seconds_count", &[]), 0.0);
    assert_eq!(scrape.sum("logtally_files", &[]), 1.0);
}

#[test]
fn counters_never_go_down_and_are_born_at_zero() {
    let folder = Folder::new();
    let exporter = shop(&folder, &[]);
    let mut last = exporter.scrape_until("everything read", |scrape| lines(scrape) == 8.0);
    let mut born = 0;
    let mut rounds = 8.0;
    for round in 0..40 {
        let bank = if round < 20 { format!("bank{round}") } else { "bank1".to_owned() };
        let exception = if round % 10 == 3 { format!("Odd{round}Error") } else { "KeyError".to_owned() };
        folder.append(
            "app.log",
            format!(
                "2026-11-20 12:01:00,000 ERROR shop payment declined by \"{bank}\"\nTraceback (most recent call last):\n  File \"x.py\", line 1, in f\n    g()\n{exception}: 1\n"
            ),
        );
        rounds += 5.0;
        loop {
            let next = exporter.scrape();
            for (series, value) in &next.series {
                let family = series.split('{').next().unwrap();
                let counts = next.kind(series) == "counter" || family.ends_with("_bucket");
                if !counts || !family.starts_with("log_") {
                    continue;
                }
                match last.series.get(series) {
                    Some(before) => assert!(value >= before, "{series} went from {before} to {value}"),
                    None => {
                        assert_eq!(*value, 0.0, "{series} was born above zero");
                        born += 1;
                    }
                }
            }
            last.series
                .keys()
                .for_each(|series| assert!(next.series.contains_key(series), "{series} is gone"));
            let all = lines(&next) == rounds;
            last = next;
            if all {
                break;
            }
        }
    }
    assert!(born > 15, "new label values were seen: {born}");
    // The type of the last traceback may still change until the event has ended.
    let last = exporter.scrape_until("the last birth and the last exception", |scrape| {
        let declined = scrape.sum("log_pattern_events_total", &[("pattern", "declined")]);
        declined == 41.0 && scrape.sum("log_exceptions_total", &[]) == 41.0
    });
    assert_eq!(last.one("log_pattern_events_total", &[("bank", "bank1"), ("level", "error")]), 21.0);
}

#[test]
fn each_of_two_scrapers_sees_a_birth_at_zero_whoever_looks_in_between() {
    let folder = Folder::new();
    let exporter = shop(&folder, &[]);
    exporter.scrape_until("everything read", |scrape| lines(scrape) == 8.0);
    let scraper = |agent: &str| {
        let who = [("User-Agent", agent), ("X-Prometheus-Scrape-Timeout-Seconds", "10")];
        parse(&exporter.ask("GET", "/metrics", &who).text())
    };
    let acme = |scrape: &Scrape| {
        let labels = [("bank", "acme"), ("level", "error")];
        scrape
            .has("log_pattern_events_total", &labels)
            .then(|| scrape.one("log_pattern_events_total", &labels))
    };
    assert_eq!([acme(&scraper("Prometheus/2.42.0")), acme(&scraper("vm_promscrape"))], [None, None]);
    folder.append("app.log", "2026-11-20 12:01:00,000 ERROR shop payment declined by \"acme\"\n");
    // Somebody opens the page of numbers, twice.
    let looked: Vec<_> = (0..2).map(|_| acme(&exporter.scrape())).collect();
    assert_eq!(looked, [Some(0.0), Some(1.0)]);
    for agent in ["Prometheus/2.42.0", "vm_promscrape"] {
        assert_eq!([acme(&scraper(agent)), acme(&scraper(agent))], [Some(0.0), Some(1.0)], "{agent}");
    }
    assert_eq!(acme(&exporter.scrape()), Some(1.0));
}

#[test]
fn past_the_limit_sums_stay_right() {
    let folder = Folder::new();
    let many: String = (0..500).map(|at| format!("ERROR:shop:payment declined by \"bank{at}\"\n")).collect();
    folder.write("app.log", &many);
    folder.write("shop.yml", RULES);
    let config = folder.write("c.yml", "limits: {series_per_metric: 100}\nrules: [shop.yml]\nhost: off\n");
    let exporter = Exporter::start(&["-c", &config, "--from", "beginning", &folder.at("app.log")]);
    let declined = [("pattern", "declined")];
    let scrape =
        exporter.scrape_until("all events", |s| s.sum("log_pattern_events_total", &declined) == 500.0);
    assert!(scrape.matching("log_pattern_events_total", &declined).count() <= 101 + LEVELS.len());
    let other = scrape.sum("log_pattern_events_total", &[("bank", "__other__")]);
    assert!(other >= 390.0, "{other}");
    assert_eq!(
        scrape.sum("logtally_series_overflow_total", &[("metric", "log_pattern_events_total")]),
        other
    );
}

#[test]
fn formats_are_negotiated() {
    let folder = Folder::new();
    let exporter = shop(&folder, &[]);
    exporter.scrape_until("everything read", |scrape| lines(scrape) == 8.0);
    let accepting = |accept: &str| exporter.ask("GET", "/metrics", &[("Accept", accept)]);
    let open = accepting("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5");
    assert!(open.header("content-type").starts_with("application/openmetrics-text; version=1.0.0"));
    assert!(open.text().ends_with("# EOF\n") && open.text().contains("\n# TYPE log_events counter\n"));
    let plain = accepting("application/openmetrics-text;version=1.0.0;q=0.1,text/plain;version=0.0.4;q=0.9");
    assert!(plain.header("content-type").starts_with("text/plain"), "{:?}", plain.headers);
    let proto = accepting(
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
    );
    assert!(proto.header("content-type").contains("application/vnd.google.protobuf"));
    let names = families(&proto.body);
    let text = exporter.scrape();
    let known: Vec<&str> = text.families.keys().map(String::as_str).collect();
    assert!(names.iter().filter(|name| name.starts_with("log_")).count() >= 7, "{names:?}");
    names.iter().for_each(|name| assert!(known.contains(&name.as_str()), "{name}"));
}

/// The names in delimited protobuf: length, then a message whose field 1 is the family's name.
fn families(mut bytes: &[u8]) -> Vec<String> {
    fn varint(bytes: &mut &[u8]) -> usize {
        let (mut value, mut shift) = (0, 0);
        loop {
            let (first, rest) = bytes.split_first().expect("a varint ends");
            *bytes = rest;
            value |= usize::from(first & 0x7f) << shift;
            shift += 7;
            if first & 0x80 == 0 {
                return value;
            }
        }
    }
    let mut names = Vec::new();
    while !bytes.is_empty() {
        let length = varint(&mut bytes);
        let (mut message, rest) = bytes.split_at(length);
        assert_eq!(varint(&mut message), 0x0a, "field 1 of a family, the name, comes first");
        let length = varint(&mut message);
        names.push(String::from_utf8(message[..length].to_vec()).unwrap());
        bytes = rest;
    }
    names
}

#[test]
fn answers_are_compressed_as_asked() {
    let folder = Folder::new();
    let exporter = shop(&folder, &[]);
    exporter.scrape_until("everything read", |scrape| lines(scrape) == 8.0);
    let plain = exporter.get("/metrics");
    assert_eq!(plain.header("content-encoding"), "");
    let gzip = exporter.ask("GET", "/metrics", &[("Accept-Encoding", "gzip")]);
    assert_eq!(gzip.header("content-encoding"), "gzip");
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(&gzip.body[..]).read_to_string(&mut text).unwrap();
    assert_eq!(steady(&text).lines().count(), steady(&plain.text()).lines().count());
    assert!(gzip.body.len() < plain.body.len() / 2);
    let zstd = exporter.ask("GET", "/metrics", &[("Accept-Encoding", "zstd")]);
    assert_eq!(zstd.header("content-encoding"), "zstd");
    let text = String::from_utf8(zstd::decode_all(&zstd.body[..]).unwrap()).unwrap();
    assert!(text.contains("log_lines_total"));
    let refused = exporter.ask("GET", "/metrics", &[("Accept-Encoding", "gzip;q=0, identity")]);
    assert_eq!(refused.header("content-encoding"), "");
}

#[test]
fn other_paths_answer() {
    let folder = Folder::new();
    let exporter = shop(&folder, &[]);
    assert_eq!(exporter.get("/-/healthy").status, 200);
    until("readiness", || (exporter.get("/-/ready").status == 200).then_some(()));
    let health = logtally(&["healthcheck", "--web.listen-address", &exporter.address]);
    assert_eq!(code(&health), 0, "{}", err(&health));
    exporter.scrape_until("everything read", |scrape| lines(scrape) == 8.0);
    let status = exporter.get("/api/v1/status").json();
    assert_eq!(status["totals"]["lines"], 8, "{status}");
    assert_eq!(status["inputs"][0]["name"], "shop");
    assert_eq!(status["files"][0]["format"], "python");
    assert_eq!(status["totals"]["levels"]["error"], 2);
    let page = exporter.get("/");
    assert!(page.status == 200 && page.header("content-type").starts_with("text/html"));
    assert_eq!(exporter.get("/nothing").status, 404);
    assert_eq!(exporter.ask("DELETE", "/metrics", &[]).status, 405);
    let head = exporter.ask("HEAD", "/-/healthy", &[]);
    assert_eq!(head.status, 200);
}

#[test]
fn another_telemetry_path_is_served() {
    let folder = Folder::new();
    let exporter = shop(&folder, &["--web.telemetry-path", "/numbers"]);
    assert_eq!(exporter.get("/metrics").status, 404);
    assert!(exporter.get("/numbers").text().contains("log_lines_total"));
    assert!(exporter.get("/").text().contains("href=\"numbers\""), "{}", exporter.get("/").text());
}

#[test]
fn what_appears_later_is_followed_from_its_beginning() {
    let folder = Folder::new();
    folder.write("old.log", LOG);
    let glob = folder.at("*.log");
    let exporter = Exporter::start(&[&glob, &folder.at("late/app.log"), "--rules", "builtin:python"]);
    let scrape = exporter.scrape_until("the old file", |scrape| scrape.sum("logtally_files", &[]) == 1.0);
    assert_eq!(lines(&scrape), 0.0, "what stood there before the first start is not read");
    assert_eq!(
        scrape.sum("logtally_file_errors_total", &[]),
        1.0,
        "the missing path is told: {:?}",
        scrape.lines("logtally_file_err")
    );
    folder.write("new.log", LOG);
    folder.write("late/app.log", LOG);
    folder.append("old.log", "2026-11-20 12:00:04,000 CRITICAL shop down\n");
    let scrape = exporter.scrape_until("everything new", |scrape| lines(scrape) == 17.0);
    assert_eq!(scrape.one("log_lines_total", &[("path", &folder.at("old.log"))]), 1.0);
    assert_eq!(scrape.sum("log_events_total", &[("level", "critical")]), 1.0);
    assert_eq!(scrape.one("log_lines_total", &[("path", &folder.at("late/app.log"))]), 8.0);
    // Half a line does not count.
    folder.append("old.log", "2026-11-20 12:00:05,000 CRITICAL half");
    folder.append("new.log", "2026-11-20 12:00:05,000 INFO whole\n");
    let scrape = exporter.scrape_until("the whole line", |scrape| lines(scrape) >= 18.0);
    assert_eq!(scrape.sum("log_events_total", &[("level", "critical")]), 1.0);
    folder.append("old.log", " done\n");
    let scrape = exporter.scrape_until("its end", |scrape| lines(scrape) == 19.0);
    assert_eq!(scrape.sum("log_events_total", &[("level", "critical")]), 2.0);
}

#[test]
fn it_stops_in_time_with_exit_code_0() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = Folder::new();
        let mut exporter = shop(&folder, &[]);
        // A client that says nothing must not hold it up.
        let idle = std::net::TcpStream::connect(&exporter.address).unwrap();
        exporter.signal(signal);
        let (status, took) = exporter.stop();
        assert_eq!(status.code(), Some(0), "{:?}", exporter.log());
        assert!(took.as_secs_f64() < 5.0, "it took {took:?}");
        drop(idle);
    }
}

#[test]
fn a_new_config_is_taken_over_or_refused_as_a_whole() {
    let folder = Folder::new();
    let exporter = shop(&folder, &["--web.enable-lifecycle"]);
    exporter.scrape_until("everything read", |scrape| lines(scrape) == 8.0);
    folder.write("shop.yml", RULES.replace("never", "hardly_ever"));
    let answer = exporter.ask("POST", "/-/reload", &[]);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let scrape = exporter.scrape();
    assert!(
        scrape.has("log_pattern_events_total", &[("pattern", "hardly_ever")]),
        "{:?}",
        scrape.lines("log_p")
    );
    assert_eq!(lines(&scrape), 8.0, "nothing is read twice");
    assert_eq!(scrape.sum("log_pattern_events_total", &[("pattern", "db_timeout")]), 1.0);
    // A broken config changes nothing, and is told.
    folder.write("logtally.yml", "inputs: [oops\n");
    assert_eq!(exporter.ask("PUT", "/-/reload", &[]).status, 500);
    let scrape = exporter.scrape();
    assert_eq!(scrape.one("logtally_config_last_reload_successful", &[]), 0.0);
    assert_eq!(lines(&scrape), 8.0);
    // The signal does the same.
    let config = "rules: [shop.yml]\nhost: off\ninputs:\n  - {name: shop, include: [app.log, more.log], labels: {team: pay}, path_label: name}\n";
    folder.write("logtally.yml", config);
    folder.write("more.log", "INFO:a:b\n");
    exporter.signal(Signal::HUP);
    let good = |scrape: &Scrape| {
        lines(scrape) == 9.0 && scrape.one("logtally_config_last_reload_successful", &[]) == 1.0
    };
    exporter.scrape_until("the new file", good);
}

#[test]
fn reloads_by_request_need_leave() {
    let folder = Folder::new();
    let exporter = shop(&folder, &[]);
    let answer = exporter.ask("POST", "/-/reload", &[]);
    assert!([403, 404, 405].contains(&answer.status), "{answer:?}");
}

#[test]
fn the_environment_and_the_file_are_used_where_no_flag_is_given() {
    let folder = Folder::new();
    folder.write("app.log", LOG);
    folder.write("c.yml", "storage: from-file\nhost: off\ninputs:\n  - {name: a, include: [app.log]}\n");
    let config = folder.at("c.yml");
    let stored = |name: &str| folder.path(name).read_dir().is_ok_and(|mut files| files.next().is_some());
    drop(Exporter::start_with(&["-c", &config], &[]));
    assert!(stored("from-file"));
    let by_env = folder.at("from-env");
    let exporter = Exporter::start_with(
        &[],
        &[
            ("LOGTALLY_CONFIG_FILE", &config),
            ("LOGTALLY_STORAGE_PATH", &by_env),
            ("LOGTALLY_FROM", "beginning"),
            ("LOGTALLY_LOG_FORMAT", "json"),
        ],
    );
    exporter.scrape_until("everything read", |scrape| lines(scrape) == 8.0);
    assert!(stored("from-env"));
    assert!(exporter.log().iter().all(|line| line.starts_with('{')), "{:?}", exporter.log());
    drop(exporter);
    let by_flag = folder.at("from-flag");
    drop(Exporter::start_with(
        &["-c", &config, "--storage.path", &by_flag],
        &[("LOGTALLY_STORAGE_PATH", &folder.at("unused"))],
    ));
    assert!(stored("from-flag") && !stored("unused"));
}

#[test]
fn all_addresses_are_served() {
    let folder = Folder::new();
    let exporter = shop(&folder, &["--web.listen-address", "127.0.0.2:0"]);
    let served = |line: &String| {
        line.split_once("address=").map(|(_, rest)| rest.split(' ').next().unwrap().to_owned())
    };
    let addresses: Vec<String> = until("two addresses", || {
        let found: Vec<String> = exporter.log().iter().filter_map(served).collect();
        (found.len() == 2).then_some(found)
    });
    for address in addresses {
        assert_eq!(ask(address.trim_start_matches("http://"), "GET", "/-/healthy", &[]).status, 200);
    }
}
