//! A real Prometheus scrapes the real binary while a log is written: what its queries return is what was written.

use crate::support::{Database, Exporter, Folder, free_address, until};

#[test]
fn queries_return_what_was_written() {
    let folder = Folder::new();
    folder.write("app.log", "");
    let rules = "group: shop\nrules:\n  - {name: declined, match: 'declined by (?P<bank>\\w+)', labels: {bank: '${bank}'}}\n";
    let rules = folder.write("rules.yml", rules);
    let exporter = Exporter::start(&["--rules", &rules, &folder.at("app.log")]);
    let config = format!(
        "global: {{scrape_interval: 100ms, scrape_timeout: 100ms}}\nscrape_configs:\n  - job_name: logtally\n    static_configs: [{{targets: ['{}']}}]\n",
        exporter.address
    );
    let prometheus = Database::prometheus(&folder, &free_address(), &config, &[]);
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
