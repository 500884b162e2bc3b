//! Logs whose exact content is known, in every format of Python's loggers and the like: `count`, on one thread and on
//! several, and a scrape of `run` say that content, and so each other.

use crate::support::{Exporter, Folder, Random, count};
use std::collections::BTreeMap;
use std::fmt::Write;

const FORMATS: [&str; 5] = ["python", "basic", "loguru", "json", "logfmt"];
const LEVELS: [&str; 5] = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];
const RULES: &str = r"
group: shop
rules:
  - {name: timeout, match: 'timed out after (?P<seconds>\d+(?:\.\d+)?)s'}
  - {name: http_5xx, match: 'status=(?P<status>5\d\d)\b', labels: {status: '${status}'}}
  - {name: killed, match: '[Oo]ut of memory|MemoryError'}
  - {name: exception, match: '\b[A-Z]\w+(?:Error|Exception)\b'}
  - {name: full, match: 'queue (?P<queue>\S+) is full', labels: {queue: '${queue}'}}
  - {name: bad_full, match: 'queue \S+ is full', levels: [error, critical]}
  - {name: tenant, match: 'tenant', not: 'tenant 7\b'}
";

/// What a corpus holds.
#[derive(Default)]
struct Truth {
    text: String,
    lines: u64,
    levels: BTreeMap<String, u64>,
    patterns: BTreeMap<&'static str, u64>,
    exceptions: BTreeMap<String, u64>,
}

impl Truth {
    fn add(&mut self, pattern: &'static str) {
        *self.patterns.entry(pattern).or_default() += 1;
    }
}

/// A message and the rules that it is for.
fn message(random: &mut Random) -> (String, Vec<&'static str>) {
    let n = random.below(1000);
    match random.below(14) {
        0 => (format!("connection timed out after {}.{}s", n % 60, n % 10), vec!["timeout"]),
        1 => (format!("GET /orders/{n} status=50{} duration={n}ms", n % 5), vec!["http_5xx"]),
        2 => ("worker killed: Out of memory".to_owned(), vec!["killed"]),
        3 => (format!("unhandled MemoryError at {n}"), vec!["killed", "exception"]),
        4 => (format!("queue emails-{} is full", n % 12), vec!["full"]),
        5 => (
            format!("upstream answered tenant {}", n % 10),
            if n % 10 == 7 { vec![] } else { vec!["tenant"] },
        ),
        6 => (format!("größe {n} — naïve Σ 日本"), vec![]),
        // Near misses: each holds a rule's words and not its match.
        7 => (format!("timed out after lunch, status=200, queue is full, {n}"), vec![]),
        8 => ("ERROR in the text is no level: FATAL CRITICAL".to_owned(), vec![]),
        _ => (format!("job {n} finished in {} ms status=200", n * 3), vec![]),
    }
}

fn shape(format: &str, at: usize, level: &str, name: &str, message: &str) -> String {
    let time = format!("{:02}:{:02}:{:02}", at / 3600 % 24, at / 60 % 60, at % 60);
    let (ms, low) = (at * 7 % 1000, level.to_lowercase());
    match format {
        "python" => format!("2026-11-20 {time},{ms:03} {level} {name} {message}"),
        "basic" => format!("{level}:{name}:{message}"),
        "loguru" => format!("2026-11-20 {time}.{ms:03} | {level:<8} | {name}:handle:{at} - {message}"),
        "json" => serde_json::json!({"timestamp": format!("2026-11-20T{time}.{ms:03}Z"), "level": low, "logger": name, "message": message}).to_string(),
        _ => format!("time=2026-11-20T{time}.{ms:03}Z level={low} logger={name} msg=\"{message}\""),
    }
}

/// A corpus with tracebacks where the format has them.
fn corpus(format: &str, events: usize, random: &mut Random) -> Truth {
    let mut truth = Truth::default();
    for at in 0..events {
        let level = *random.pick(&LEVELS);
        let name = *random.pick(&["shop.api", "shop.cart", "worker"]);
        let (message, mut rules) = message(random);
        writeln!(truth.text, "{}", shape(format, at, level, name, &message)).unwrap();
        *truth.levels.entry(level.to_lowercase()).or_default() += 1;
        truth.lines += 1;
        let traces = matches!(format, "python" | "basic" | "loguru");
        if traces && random.below(20) == 0 {
            let exception = *random.pick(&["ValueError", "KeyError", "TimeoutException"]);
            let deep = 1 + random.below(40);
            truth.text.push_str("Traceback (most recent call last):\n");
            for line in 0..deep {
                writeln!(truth.text, "  File \"/srv/shop/a.py\", line {line}, in handle\n    call({line})")
                    .unwrap();
            }
            writeln!(truth.text, "{exception}: bad input {at}").unwrap();
            truth.lines += 2 + 2 * deep as u64;
            *truth.exceptions.entry(exception.to_owned()).or_default() += 1;
            if !rules.contains(&"exception") {
                rules.push("exception");
            }
        }
        if rules.contains(&"full") && matches!(level, "ERROR" | "CRITICAL") {
            rules.push("bad_full");
        }
        rules.into_iter().for_each(|rule| truth.add(rule));
    }
    truth
}

fn agree(format: &str, truth: &Truth, told: &serde_json::Value) {
    assert_eq!(told["lines"], truth.lines, "{format}");
    assert_eq!(told["bytes"], truth.text.len(), "{format}");
    for (level, told) in told["levels"].as_object().unwrap() {
        assert_eq!(told, truth.levels.get(level).unwrap_or(&0), "{format}: {level}");
    }
    for (pattern, told) in told["patterns"].as_object().unwrap() {
        assert_eq!(told, truth.patterns.get(pattern.as_str()).unwrap_or(&0), "{format}: {pattern}");
    }
}

fn judge(events: usize, seed: &mut Random) {
    for format in FORMATS {
        let folder = Folder::new();
        let rules = folder.write("rules.yml", RULES);
        let truth = corpus(format, events, seed);
        let path = folder.write("app.log", &truth.text);
        for threads in ["1", "2", "5"] {
            agree(format, &truth, &count(&["--rules", &rules, "--threads", threads, &path]));
        }
        let exporter = Exporter::start(&["--from", "beginning", "--rules", &rules, &path]);
        exporter.scrape_until("all lines", |s| s.sum("log_lines_total", &[]) == truth.lines as f64);
        // Values of series that the first scrape gave birth to come with the next.
        let patterns: u64 = truth.patterns.values().sum();
        let scrape = exporter.scrape_until("all patterns", |s| {
            s.sum("log_pattern_events_total", &[]) >= patterns as f64
                && s.sum("log_exceptions_total", &[]) >= truth.exceptions.values().sum::<u64>() as f64
        });
        assert_eq!(scrape.sum("log_bytes_total", &[]), truth.text.len() as f64, "{format}");
        for (level, events) in &truth.levels {
            assert_eq!(
                scrape.one("log_events_total", &[("level", level)]),
                *events as f64,
                "{format}: {level}"
            );
        }
        assert_eq!(scrape.sum("log_events_total", &[]), events as f64, "{format}");
        for (pattern, events) in &truth.patterns {
            let told = scrape.sum("log_pattern_events_total", &[("pattern", pattern)]);
            assert_eq!(told, *events as f64, "{format}: {pattern}");
        }
        for (exception, events) in &truth.exceptions {
            let told = scrape.one("log_exceptions_total", &[("exception", exception)]);
            assert_eq!(told, *events as f64, "{format}: {exception}");
        }
    }
}

#[test]
fn small_corpora_of_many_shapes_count_right() {
    let mut random = Random::new("small corpora");
    for events in [1, 2, 40, 700] {
        judge(events, &mut random);
    }
}

#[test]
fn corpora_larger_than_a_block_count_right() {
    judge(60_000, &mut Random::new("large corpora"));
}

#[test]
fn files_of_several_formats_side_by_side_count_right() {
    let mut random = Random::new("side by side");
    let folder = Folder::new();
    let rules = folder.write("rules.yml", RULES);
    let truths: Vec<Truth> = FORMATS.iter().map(|format| corpus(format, 300, &mut random)).collect();
    for (format, truth) in FORMATS.iter().zip(&truths) {
        folder.write(&format!("logs/{format}.log"), &truth.text);
    }
    let told = count(&["--rules", &rules, &folder.at("logs")]);
    assert_eq!(told["files"], 5);
    assert_eq!(told["events"], 1500);
    let sum = |of: &dyn Fn(&Truth) -> u64| truths.iter().map(of).sum::<u64>();
    assert_eq!(told["lines"], sum(&|truth| truth.lines));
    for level in LEVELS.map(str::to_lowercase) {
        let known = sum(&|truth| truth.levels.get(&level).copied().unwrap_or(0));
        assert_eq!(told["levels"][&level], known, "{level}");
    }
    for pattern in ["timeout", "full", "bad_full", "tenant", "exception"] {
        let known = sum(&|truth| truth.patterns.get(pattern).copied().unwrap_or(0));
        assert_eq!(told["patterns"][pattern], known, "{pattern}");
    }
}
