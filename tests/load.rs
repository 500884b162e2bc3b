//! What must hold while much goes on: reloads in the middle of writing, and labels that take any value.

use crate::support::{Exporter, Folder, Scrape};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc;

const RULES: &str = r"group: shop
rules:
  - name: order
    match: 'order (?P<id>\d+) of (?P<user>\w+)'
    labels: {user: '${user}'}
    metrics:
      - {type: counter, name: order_items_total, value: '${id}'}
  - name: job
    start: 'job (?P<id>\d+) begins'
    end: 'job (?P<id>\d+) ends'
    key: '${id}'
    metrics:
      - {type: counter, name: job_seconds_total, value: '${duration}', unit: s}
";
const OTHER: &str = "  - {name: other, match: 'order [0-9]+ of'}\n";

/// Six lines: an order, and a job that takes two seconds and goes over them.
fn round(number: u64) -> String {
    let minute = number / 60 % 60;
    format!(
        "2026-11-20 12:{minute:02}:00,000 INFO shop job {number} begins\n\
         2026-11-20 12:{minute:02}:01,000 INFO shop order 3 of ann\n\
         Traceback (most recent call last):\n  File \"a.py\", line 1, in a\nKeyError: 'a'\n\
         2026-11-20 12:{minute:02}:02,000 INFO shop job {number} ends\n"
    )
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn reloads_under_load_lose_nothing_and_count_nothing_twice() {
    const RELOADS: usize = 60;
    const ROUNDS: usize = 40;
    let folder = Folder::new();
    let rules = folder.write("rules.yml", RULES);
    let log = folder.path("app.log");
    append(&log, "");
    let store = folder.at("store");
    let args = ["--storage.path", &store, "--rules", &rules, "--web.enable-lifecycle", "--from", "beginning"];
    let config = folder.write("logtally.yml", "host: off\n");
    let exporter = Exporter::start_with(&[&args[..], &["-c", &config, log.to_str().unwrap()]].concat(), &[]);
    let (go, gone) = mpsc::channel();
    let rounds = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut rounds = 0;
            // Some rounds beside each reload.
            for () in gone {
                for _ in 0..ROUNDS {
                    // Cut anywhere, so that reloads meet pieces of lines, open events and open spans.
                    let text = round(rounds);
                    let (head, tail) = text.split_at(rounds as usize * 7 % text.len());
                    append(&log, head);
                    append(&log, tail);
                    rounds += 1;
                }
            }
            rounds
        });
        for reload in 0..RELOADS {
            go.send(()).unwrap();
            let more = if reload % 2 == 0 { OTHER } else { "" };
            folder.write("rules.yml", RULES.to_owned() + more);
            assert_eq!(exporter.ask("POST", "/-/reload", &[]).status, 200);
        }
        drop(go);
        writer.join().unwrap()
    });
    let wanted = rounds as f64;
    exporter.scrape_until("all lines", |s| s.sum("log_lines_total", &[]) == 6.0 * wanted);
    // Series that came since the last scrape stood at 0 in that one.
    let scrape = exporter.scrape();
    let patterns = |name: &str| scrape.sum("log_pattern_events_total", &[("pattern", name)]);
    assert_eq!(scrape.sum("log_events_total", &[]), 3.0 * wanted);
    // The last traceback counts when its event has ended, as it has by the line behind it.
    assert_eq!(scrape.sum("log_exceptions_total", &[("exception", "KeyError")]), wanted);
    assert_eq!((patterns("order"), patterns("job")), (wanted, wanted));
    assert_eq!(scrape.sum("order_items_total", &[]), 3.0 * wanted);
    assert_eq!(scrape.sum("job_seconds_total", &[]), 2.0 * wanted);
    assert_eq!(scrape.sum("logtally_spans_dropped_total", &[]), 0.0);
    assert_eq!(scrape.sum("logtally_lost_bytes_total", &[]), 0.0);
}

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
    let rules = folder.write("rules.yml", RULES.replace("${user}", "${user}-${id}"));
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
    append(&log, &orders(0, 10_000));
    read(10_000);
    let before = resident(&exporter);
    append(&log, &orders(10_000, 60_000));
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
