//! Exemplars from a log line to a real Prometheus, by OpenMetrics and by protobuf.

use crate::support::{Database, Exporter, Folder, ask, free_address, until};
use serde_json::Value;

const RULES: &str = "group: shop
rules:
  - name: declined
    match: 'declined after (?P<seconds>[0-9.]+)s'
    metrics:
      - {type: histogram, name: declined_seconds, value: '${seconds}', unit: s, buckets: [0.1, 1]}
      - {type: counter, name: declined_wait_seconds_total, value: '${seconds}', unit: s}
      - {type: gauge, name: declined_last_seconds, value: '${seconds}', unit: s}
  - name: refused
    match: 'refused \\[(?P<traceID>\\w*)\\] by (?P<bank>\\w+)'
    labels: {bank: '${bank}'}
";

const OPENMETRICS: (&str, &str) = ("Accept", "application/openmetrics-text;version=1.0.0");

fn declined(seconds: &str, trace: &str) -> String {
    format!("{{\"level\":\"error\",\"msg\":\"declined after {seconds}s\",\"trace_id\":\"{trace}\"}}\n")
}

fn exporter(folder: &Folder) -> Exporter {
    folder.write("app.log", "");
    let rules = folder.write("rules.yml", RULES);
    let exporter = Exporter::start(&["--rules", &rules, &folder.at("app.log")]);
    exporter.scrape_until("the log is followed", |s| !s.lines("log_lines_total").is_empty());
    exporter
}

/// Lines of an OpenMetrics scrape that have an exemplar: name and labels without input and path, the exemplar.
fn exemplars(exporter: &Exporter) -> Vec<(String, String, f64)> {
    let text = exporter.ask("GET", "/metrics", &[OPENMETRICS]).text();
    let split = |line: &str| {
        let (sample, exemplar) = line.split_once(" # ").filter(|_| !line.starts_with('#'))?;
        let (series, value) = sample.rsplit_once("} ").unwrap();
        let (name, labels) = series.split_once('{').unwrap();
        let of_file = |label: &str| label.starts_with("input=") || label.starts_with("path=");
        let own: Vec<&str> = labels.split(',').filter(|label| !of_file(label)).collect();
        let [labels, added, at] = exemplar.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let sample = format!("{name}{{{}}} {value}", own.join(","));
        Some((sample, format!("{labels} {added}"), at.parse().unwrap()))
    };
    text.lines().filter_map(split).collect()
}

#[test]
fn lines_with_a_trace_leave_it_where_they_were_counted() {
    let folder = Folder::new();
    let exporter = exporter(&folder);
    let lines = [
        declined("0.5", "aaa1"),
        declined("0.75", "aaa2"),
        declined("8", "aaa3"),
        "{\"level\":\"error\",\"msg\":\"declined after 0.0625s\"}\n".to_owned(),
        "2026-11-20 12:00:00,000 ERROR shop refused [bbb1] by acme\n".to_owned(),
        "2026-11-20 12:00:00,000 ERROR shop refused [] by acme\n".to_owned(),
    ];
    folder.append("app.log", lines.concat());
    // The series of a bank that nobody knew before is at 0 for one scrape, and has no exemplar there.
    let found = until("all exemplars", || {
        let found = exemplars(&exporter);
        (found.len() >= 5).then_some(found)
    });
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    assert!(found.iter().all(|(_, _, at)| (now - 600.0..=now + 1.0).contains(at)), "{found:?}");
    let found: Vec<(&str, &str)> = found.iter().map(|(a, b, _)| (a.as_str(), b.as_str())).collect();
    assert_eq!(
        found,
        [
            ("declined_seconds_bucket{le=\"1.0\"} 3", "{trace_id=\"aaa2\"} 0.75"),
            ("declined_seconds_bucket{le=\"+Inf\"} 4", "{trace_id=\"aaa3\"} 8"),
            ("declined_wait_seconds_total{} 9.3125", "{trace_id=\"aaa3\"} 8"),
            ("log_pattern_events_total{pattern=\"declined\",level=\"error\"} 4", "{trace_id=\"aaa3\"} 1"),
            (
                "log_pattern_events_total{pattern=\"refused\",level=\"error\",bank=\"acme\"} 2",
                "{trace_id=\"bbb1\"} 1"
            ),
        ]
    );
    let plain = exporter.get("/metrics").text();
    let samples = plain.lines().filter(|line| !line.starts_with('#'));
    samples.for_each(|line| assert!(!line.contains(" # ") && !line.contains("trace_id"), "{line}"));
}

/// `[trace, value]` of each exemplar that Prometheus has of a query, sorted.
fn stored(prometheus: &Database, query: &str) -> Vec<(String, String)> {
    let escaped: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let path = format!("/api/v1/query_exemplars?query={escaped}&start={}&end={}", now - 3600, now + 3600);
    let answer = ask(&prometheus.address, "GET", &path, &[]).json();
    assert_eq!(answer["status"], "success", "{answer}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut all: Vec<(String, String)> = answer["data"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|series| series["exemplars"].as_array().unwrap())
        .map(|exemplar| (text(&exemplar["labels"]["trace_id"]), text(&exemplar["value"])))
        .collect();
    all.sort();
    all
}

fn prometheus_has_them(features: &str) {
    let folder = Folder::new();
    let exporter = exporter(&folder);
    let config = format!(
        "global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}\nscrape_configs:\n  - job_name: logtally\n    static_configs: [{{targets: ['{}']}}]\n",
        exporter.address
    );
    let feature = format!("--enable-feature={features}");
    let prometheus = Database::prometheus(&folder, &free_address(), &config, &[&feature]);
    prometheus.wait_for("up", 1.0);
    folder.append("app.log", [declined("0.5", "aaa1"), declined("8", "aaa2")].concat());
    until("exemplars of the histogram", || {
        (stored(&prometheus, "declined_seconds_bucket").len() >= 2).then_some(())
    });
    let of = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    };
    assert_eq!(stored(&prometheus, "declined_seconds_bucket"), of(&[("aaa1", "0.5"), ("aaa2", "8")]));
    assert_eq!(stored(&prometheus, "log_pattern_events_total{pattern='declined'}"), of(&[("aaa2", "1")]));
    assert_eq!(stored(&prometheus, "declined_wait_seconds_total"), of(&[("aaa2", "8")]));
    folder.append("app.log", declined("0.9", "aaa3"));
    until("the next exemplar", || {
        let all = stored(&prometheus, "log_pattern_events_total{pattern='declined'}");
        (all == of(&[("aaa2", "1"), ("aaa3", "1")])).then_some(())
    });
    prometheus.wait_for("up", 1.0);
}

#[test]
fn prometheus_stores_them_from_openmetrics() {
    prometheus_has_them("exemplar-storage");
}

/// With native histograms on, Prometheus asks for protobuf first.
#[test]
fn prometheus_stores_them_from_protobuf() {
    prometheus_has_them("exemplar-storage,native-histograms");
}

#[test]
fn births_are_told_on_demand_and_survive_a_restart() {
    let folder = Folder::new();
    folder.write("app.log", "");
    let rules = folder.write("rules.yml", RULES);
    let (store, log) = (folder.at("store"), folder.at("app.log"));
    let start = |flag: &[&str]| {
        let args = ["--storage.path", &store, "--rules", &rules, &log];
        Exporter::start_with(&[&args, flag].concat(), &[])
    };
    let births = |exporter: &Exporter| -> Vec<String> {
        exporter.scrape_until("the log is followed", |s| !s.lines("log_lines_total").is_empty());
        let text = exporter.ask("GET", "/metrics", &[OPENMETRICS]).text();
        text.lines().filter(|line| line.contains("_created")).map(str::to_owned).collect()
    };
    let mut exporter = start(&["--web.enable-created-timestamps"]);
    let first = births(&exporter);
    for name in ["log_events_created{", "log_lines_created{", "declined_seconds_created{"] {
        assert!(first.iter().any(|line| line.starts_with(name)), "{name}: {first:?}");
    }
    exporter.stop();
    let mut exporter = start(&["--web.enable-created-timestamps"]);
    assert_eq!(births(&exporter), first);
    exporter.stop();
    assert_eq!(births(&start(&[])), [""; 0]);
}
