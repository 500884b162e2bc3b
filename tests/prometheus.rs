//! A real Prometheus scrapes the real binary while a log is written: what its queries return is what was written.

use crate::support::{Exporter, Folder, ask, until};
use std::process::{Child, Command, Stdio};

/// A Prometheus that scrapes one exporter ten times a second.
struct Prometheus {
    child: Child,
    address: String,
}

impl Prometheus {
    fn start(folder: &Folder, target: &str) -> Prometheus {
        let config = format!(
            "global: {{scrape_interval: 100ms, scrape_timeout: 100ms}}\nscrape_configs:\n  - job_name: logtally\n    static_configs: [{{targets: ['{target}']}}]\n"
        );
        let config = folder.write("prometheus.yml", config);
        // Prometheus does not tell which port it was given, so it gets one that was free a moment ago.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let child = Command::new("prometheus")
            .arg(format!("--config.file={config}"))
            .arg(format!("--storage.tsdb.path={}", folder.at("tsdb")))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus is there: `make prepare` installs it");
        let prometheus = Prometheus { child, address };
        until("Prometheus", || {
            std::net::TcpStream::connect(&prometheus.address).ok()?;
            (ask(&prometheus.address, "GET", "/-/ready", &[]).status == 200).then_some(())
        });
        prometheus
    }

    /// The value of a query with one result; `None` where it has none.
    fn query(&self, query: &str) -> Option<f64> {
        let escaped: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let answer = ask(&self.address, "GET", &format!("/api/v1/query?query={escaped}"), &[]).json();
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        let results = answer["data"]["result"].as_array().unwrap().clone();
        assert!(results.len() <= 1, "{query}: {answer}");
        results.first().map(|result| result["value"][1].as_str().unwrap().parse().unwrap())
    }

    #[track_caller]
    fn wait_for(&self, query: &str, value: f64) {
        until(&format!("{query} = {value}"), || (self.query(query) == Some(value)).then_some(()));
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn queries_return_what_was_written() {
    let folder = Folder::new();
    folder.write("app.log", "");
    let rules = "group: shop\nrules:\n  - {name: declined, match: 'declined by (?P<bank>\\w+)', labels: {bank: '${bank}'}}\n";
    let rules = folder.write("rules.yml", rules);
    let exporter = Exporter::start(&["--rules", &rules, &folder.at("app.log")]);
    let prometheus = Prometheus::start(&folder, &exporter.address);
    prometheus.wait_for("up", 1.0);
    prometheus.wait_for("sum(log_events_total)", 0.0);
    folder.append("app.log", "2026-11-20 12:00:00,000 ERROR shop payment declined by acme\n");
    prometheus.wait_for("sum(log_events_total{level=\"error\"})", 1.0);
    // The first event of a label value that nobody knew before shows as an increase.
    let increase = "sum(increase(log_pattern_events_total{bank=\"acme\"}[5m])) > 0.9";
    until("an increase by the first event", || prometheus.query(increase));
    let mut written = 1;
    for round in 0..20 {
        let lines = "2026-11-20 12:00:01,000 INFO shop ready\n2026-11-20 12:00:01,000 ERROR shop down\n"
            .repeat(round);
        folder.append("app.log", &lines);
        written += round;
    }
    prometheus.wait_for("sum(log_events_total{level=\"error\"})", written as f64);
    prometheus.wait_for("sum(log_events_total{level=\"info\"})", written as f64 - 1.0);
    prometheus.wait_for("sum(log_lines_total)", 2.0 * written as f64 - 1.0);
    assert_eq!(prometheus.query("sum(logtally_lost_bytes_total)"), Some(0.0));
    assert!(prometheus.query("count(node_cpu_seconds_total)").is_some_and(|series| series >= 8.0));
    assert!(
        prometheus.query("max_over_time(up[1m]) - min_over_time(up[1m])") == Some(0.0),
        "no scrape failed"
    );
}
