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

/// What node-mixin (of node_exporter's `docs/node-mixin`) records with its defaults: names and expressions.
const RECORDED: [(&str, &str); 11] = [
    (
        "instance:node_num_cpu:sum",
        r#"count without (cpu, mode) (node_cpu_seconds_total{job="node",mode="idle"})"#,
    ),
    (
        "instance:node_cpu_utilisation:rate5m",
        r#"1 - avg without (cpu) (sum without (mode) (rate(node_cpu_seconds_total{job="node",mode=~"idle|iowait|steal"}[5m])))"#,
    ),
    (
        "instance:node_load1_per_cpu:ratio",
        r#"node_load1{job="node"} / instance:node_num_cpu:sum{job="node"}"#,
    ),
    (
        "instance:node_memory_utilisation:ratio",
        r#"1 - ((node_memory_MemAvailable_bytes{job="node"} or (node_memory_Buffers_bytes{job="node"} + node_memory_Cached_bytes{job="node"} + node_memory_MemFree_bytes{job="node"} + node_memory_Slab_bytes{job="node"})) / node_memory_MemTotal_bytes{job="node"})"#,
    ),
    ("instance:node_vmstat_pgmajfault:rate5m", r#"rate(node_vmstat_pgmajfault{job="node"}[5m])"#),
    (
        "instance_device:node_disk_io_time_seconds:rate5m",
        r#"rate(node_disk_io_time_seconds_total{job="node",device!=""}[5m])"#,
    ),
    (
        "instance_device:node_disk_io_time_weighted_seconds:rate5m",
        r#"rate(node_disk_io_time_weighted_seconds_total{job="node",device!=""}[5m])"#,
    ),
    (
        "instance:node_network_receive_bytes_excluding_lo:rate5m",
        r#"sum without (device) (rate(node_network_receive_bytes_total{job="node",device!="lo"}[5m]))"#,
    ),
    (
        "instance:node_network_transmit_bytes_excluding_lo:rate5m",
        r#"sum without (device) (rate(node_network_transmit_bytes_total{job="node",device!="lo"}[5m]))"#,
    ),
    (
        "instance:node_network_receive_drop_excluding_lo:rate5m",
        r#"sum without (device) (rate(node_network_receive_drop_total{job="node",device!="lo"}[5m]))"#,
    ),
    (
        "instance:node_network_transmit_drop_excluding_lo:rate5m",
        r#"sum without (device) (rate(node_network_transmit_drop_total{job="node",device!="lo"}[5m]))"#,
    ),
];

/// Every expression must give series out of this one binary; a memory that falls back to its `or` must still add up.
#[test]
fn everything_that_node_mixin_records_has_series() {
    let folder = Folder::new();
    folder.write("app.log", "");
    let rules: Vec<_> =
        RECORDED.iter().map(|(record, expr)| serde_json::json!({"record": record, "expr": expr})).collect();
    let group = serde_json::json!({"groups": [{"name": "node", "interval": "200ms", "rules": rules}]});
    let exporter = Exporter::start(&[&folder.at("app.log")]);
    let rules = folder.write("recorded.yml", group.to_string());
    let config = format!(
        "global: {{scrape_interval: 100ms, scrape_timeout: 100ms}}\nrule_files: ['{rules}']\nscrape_configs:\n  - job_name: node\n    static_configs: [{{targets: ['{}']}}]\n",
        exporter.address
    );
    let prometheus = Database::prometheus(&folder, &free_address(), &config, &[]);
    for (record, expr) in RECORDED {
        let number = |query: String| prometheus.query(&query).filter(|value| value.is_finite());
        until(&format!("{record}: {expr}"), || number(format!("sum({record})")));
    }
    let cpus = std::fs::read_to_string("/proc/stat").unwrap();
    let cpus = cpus.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu ")).count();
    assert_eq!(prometheus.query("instance:node_num_cpu:sum"), Some(cpus as f64));
    let share = prometheus.query("instance:node_memory_utilisation:ratio").unwrap();
    assert!((0.0..=1.0).contains(&share), "{share} of the memory is used");
    let parts = "node_memory_Buffers_bytes + node_memory_Cached_bytes + node_memory_MemFree_bytes + node_memory_Slab_bytes";
    assert!(prometheus.query(parts).is_some_and(|bytes| bytes > 1e6));
}
