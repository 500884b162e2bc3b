//! What must hold for labels that take any value: memory stays flat, sums stay exact, what goes over is counted.

use crate::support::{Exporter, Folder, Scrape, append};

const RULES: &str = r"group: shop
rules:
  - name: order
    match: 'order (?P<id>\d+) of (?P<user>\S+)'
    labels: {user: '${user}-${id}'}
    metrics:
      - {type: counter, name: order_items_total, value: '${id}'}
";

/// Resident memory in bytes, as the kernel says.
fn resident(exporter: &Exporter) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", exporter.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1024.0
}

#[test]
fn a_label_of_any_value_costs_no_memory_and_no_sum() {
    const LIMIT: u64 = 500;
    let folder = Folder::new();
    let rules = folder.write("rules.yml", RULES);
    let config = folder.write("logtally.yml", format!("host: off\nlimits: {{series_per_metric: {LIMIT}}}\n"));
    let log = folder.path("app.log");
    append(&log, "");
    let args = ["-c", &config, "--rules", &rules, "--from", "beginning", log.to_str().unwrap()];
    let exporter = Exporter::start(&args);
    let orders = |from: u64, to: u64| -> String {
        (from..to).map(|id| format!("2026-11-20 12:00:00,000 INFO shop order {id} of u{id}\n")).collect()
    };
    let read = |lines: u64| -> Scrape {
        exporter.scrape_until("all lines", |s| s.sum("log_lines_total", &[]) == lines as f64)
    };
    append(&log, orders(0, 10_000));
    read(10_000);
    let before = resident(&exporter);
    append(&log, orders(10_000, 60_000));
    let scrape = read(60_000);
    let grown = (resident(&exporter) - before) / 1048576.0;
    assert!(grown < 16.0, "{grown} MiB more");
    let sum: u64 = (0..60_000).sum();
    assert_eq!(scrape.sum("order_items_total", &[]), sum as f64);
    assert_eq!(scrape.sum("log_pattern_events_total", &[("pattern", "order")]), 60_000.0);
    let overflow = |name: &str| scrape.sum("logtally_series_overflow_total", &[("metric", name)]);
    assert!(overflow("order_items_total") >= (60_000 - LIMIT) as f64);
    assert_eq!(
        overflow("log_pattern_events_total"),
        scrape.sum("log_pattern_events_total", &[("user", "__other__")])
    );
    assert!(scrape.sum("logtally_series", &[("metric", "order_items_total")]) <= (LIMIT + 1) as f64);
}
