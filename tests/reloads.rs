//! Reloads under load: rules go from one set to another, broken ones among them, by SIGHUP and over HTTP, while lines are
//! written and files rotated. What all sets have in common counts the truth.

use crate::support::{Exporter, Folder, Random, Scrape, append, until};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

/// What all sets have.
const COMMON: [&str; 3] = [
    r"  - name: order
    match: 'order (?P<id>\d+) of (?P<user>\w+)'
    labels: {user: '${user}'}
    metrics:
      - {type: counter, name: order_items_total, value: '${id}'}
",
    r"  - name: job
    start: 'job (?P<id>\d+) begins'
    end: 'job (?P<id>\d+) ends'
    key: '${id}'
    metrics:
      - {type: counter, name: job_seconds_total, value: '${duration}', unit: s}
",
    r"  - name: whole
    match: 'Traceback(?s:.)*KeyError'
    metrics:
      - {type: histogram, name: whole_length, value: '7', buckets: [5, 10]}
",
];

/// What one set has and another has not, or has otherwise.
const CHANGING: [&str; 5] = [
    "",
    "  - {name: other, match: 'order [0-9]+ of'}\n",
    "  - name: took\n    match: 'order (?P<n>\\d+)'\n    metrics: [{type: histogram, name: took_items, value: '${n}', buckets: [1, 5]}]\n",
    "  - name: took\n    match: 'order (?P<n>\\d+)'\n    metrics: [{type: histogram, name: took_items, value: '${n}', buckets: [2, 4, 8]}]\n",
    "  - name: took\n    match: 'order (?P<n>\\d+) of (?P<user>\\w+)'\n    labels: {user: '${user}'}\n    metrics: [{type: gauge, name: took_items, value: '${n}'}]\n",
];

/// What no set may have; each is refused in another place.
const BROKEN: [&str; 6] = [
    "  - {name: bad, match: 'a(b'}\n",
    "  - {name: order, match: 'twice'}\n",
    "  - {name: bad, mach: 'a'}\n",
    "  - {name: bad, match: 'a', metrics: [{type: gauge, name: order_items_total}]}\n",
    "  - {name: bad, match: [\n",
    "  - {name: bad, match: '\u{1}'}\n",
];

/// A set of rules that is good or bad, below so many empty lines; the common ones stand in any order.
fn rules(random: &mut Random, good: bool, below: usize) -> String {
    let mut common = COMMON.to_vec();
    let mut text = "\n".repeat(below) + "group: shop\nrules:\n";
    let more = if good { *random.pick(&CHANGING) } else { *random.pick(&BROKEN) };
    let at = random.below(4);
    for number in 0..4 {
        if number == at && good {
            text += more;
        }
        if number < 3 {
            text += common.remove(random.below(common.len()));
        }
    }
    if good { text } else { text + more }
}

/// Six lines: an order, and a job that takes two seconds and goes over them.
fn round(number: u64) -> String {
    let minute = number / 60 % 60;
    let user = ["ann", "bob", "eve"][number as usize % 3];
    format!(
        "2026-11-20 12:{minute:02}:00,000 INFO shop job {number} begins\n\
         2026-11-20 12:{minute:02}:01,000 INFO shop order 3 of {user}\n\
         Traceback (most recent call last):\n  File \"a.py\", line 1, in a\nKeyError: 'a'\n\
         2026-11-20 12:{minute:02}:02,000 INFO shop job {number} ends\n"
    )
}

/// Two logs that are written to and rotated.
struct Logs {
    paths: [PathBuf; 2],
    random: Random,
    rounds: u64,
    rotations: u64,
}

impl Logs {
    /// Some rounds, cut anywhere, so that reloads meet pieces of lines, open events and open spans.
    fn write(&mut self) {
        for _ in 0..20 {
            let path = &self.paths[self.random.below(2)];
            let text = round(self.rounds);
            let (head, tail) = text.split_at(self.random.below(text.len()));
            append(path, head);
            append(path, tail);
            self.rounds += 1;
        }
        // Between two events: what a new file begins with cannot belong to one of another file.
        if self.random.below(5) == 0 {
            let path = &self.paths[self.random.below(2)];
            std::fs::rename(path, path.with_extension(format!("log.{}", self.rotations))).unwrap();
            append(path, "");
            self.rotations += 1;
        }
    }
}

/// Counters that all sets have.
fn kept(scrape: &Scrape) -> BTreeMap<&str, f64> {
    let ours = |series: &str| {
        let changing = ["took", "pattern=\"other\""].iter().any(|name| series.contains(name));
        let counter = ["_total{", "_count{", "_sum{"].iter().any(|end| series.contains(end));
        counter && !changing && !series.starts_with("logtally_") && !series.starts_with("process_")
    };
    scrape
        .series
        .iter()
        .filter(|(series, _)| ours(series))
        .map(|(series, value)| (&**series, *value))
        .collect()
}

/// Writes a file whole.
fn replace(path: &Path, text: &str) {
    let fresh = path.with_extension("fresh");
    std::fs::write(&fresh, text).unwrap();
    std::fs::rename(&fresh, path).unwrap();
}

/// Reloads once, in one way or the other, and looks at what is said of it.
fn reload(exporter: &Exporter, by_signal: bool, good: bool) {
    if !by_signal {
        let answer = exporter.ask("POST", "/-/reload", &[]);
        assert_eq!(answer.status, if good { 200 } else { 500 }, "{}", answer.text());
        assert_eq!(answer.text().contains("rules.yml:"), !good, "{}", answer.text());
        return;
    }
    // When it was loaded, or why it was not.
    let told = || exporter.get("/api/v1/status").json()["config"].clone();
    let before = told();
    exporter.signal(Signal::HUP);
    let after = until("a reload by a signal", || Some(told()).filter(|after| *after != before));
    assert_eq!(after["error"].is_null(), good, "{after}");
}

/// Tells others that it is over, also where an assertion ends it.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How many reloads: `LOGTALLY_TEST_RELOADS`, else a few that take a second or two.
fn reloads() -> usize {
    std::env::var("LOGTALLY_TEST_RELOADS").ok().and_then(|number| number.parse().ok()).unwrap_or(60)
}

#[test]
fn reloads_under_load_lose_nothing_and_count_nothing_twice() {
    let mut random = Random::new("reloads under load");
    let folder = Folder::new();
    let path = folder.path("rules.yml");
    replace(&path, &rules(&mut random, true, 0));
    let store = folder.at("store");
    let config = folder.write("logtally.yml", "host: off\n");
    let glob = folder.at("logs/*.log*");
    let paths = ["a.log", "b.log"].map(|name| PathBuf::from(folder.write(&format!("logs/{name}"), "")));
    let args = [
        "-c",
        &config,
        "--storage.path",
        &store,
        "--rules",
        path.to_str().unwrap(),
        "--web.enable-lifecycle",
    ];
    let exporter = Exporter::start_with(&[&args[..], &["--from", "beginning", &glob]].concat(), &[]);
    let mut logs =
        Logs { paths, random: Random::seeded(random.below(usize::MAX) as u64), rounds: 0, rotations: 0 };
    let (go, gone) = mpsc::channel();
    let over = AtomicBool::new(false);
    let mut refused = 0;
    std::thread::scope(|scope| {
        let logs = &mut logs;
        let writer = scope.spawn(move || gone.iter().for_each(|()| logs.write()));
        let end = End(&over);
        // Nothing that stays may ever go down.
        let scraper = scope.spawn(|| {
            let mut before = exporter.scrape();
            while !over.load(Ordering::Relaxed) {
                let scrape = exporter.scrape();
                let now = kept(&scrape);
                for (series, value) in kept(&before) {
                    let stays = now.get(series).is_some_and(|now| *now >= value);
                    assert!(stays, "{series} was {value} and is {:?}", now.get(series));
                }
                before = scrape;
            }
        });
        for number in 0..reloads() {
            go.send(()).unwrap();
            let good = random.below(4) > 0;
            replace(&path, &rules(&mut random, good, number));
            reload(&exporter, random.below(2) == 0, good);
            refused += usize::from(!good);
        }
        drop(go);
        writer.join().unwrap();
        drop(end);
        scraper.join().unwrap();
    });
    replace(&path, &rules(&mut random, true, 0));
    reload(&exporter, false, true);
    eprintln!(
        "{} reloads, {refused} refused, {} rounds, {} rotations",
        reloads(),
        logs.rounds,
        logs.rotations
    );
    judge(&exporter, &logs);
}

fn judge(exporter: &Exporter, logs: &Logs) {
    let wanted = logs.rounds as f64;
    // What waits for the end of an event counts within a second without more.
    exporter.scrape_until("all lines and events", |s| {
        s.sum("log_lines_total", &[]) == 6.0 * wanted
            && s.sum("log_pattern_events_total", &[("pattern", "whole")]) >= wanted
    });
    // Series that came since the last scrape stood at 0 in that one.
    let scrape = exporter.scrape();
    let patterns = |name: &str| scrape.sum("log_pattern_events_total", &[("pattern", name)]);
    assert_eq!(scrape.sum("log_events_total", &[]), 3.0 * wanted);
    assert_eq!(scrape.sum("log_exceptions_total", &[("exception", "KeyError")]), wanted);
    assert_eq!((patterns("order"), patterns("job"), patterns("whole")), (wanted, wanted, wanted));
    assert_eq!(scrape.sum("order_items_total", &[]), 3.0 * wanted);
    assert_eq!(scrape.sum("job_seconds_total", &[]), 2.0 * wanted);
    assert_eq!(scrape.sum("whole_length_count", &[]), wanted);
    assert_eq!(scrape.sum("whole_length_sum", &[]), 7.0 * wanted);
    // A file that came and was renamed while a reload was on its way is first seen under its later name.
    assert!(scrape.sum("logtally_rotations_total", &[]) <= logs.rotations as f64);
    for lost in ["logtally_spans_dropped_total", "logtally_lost_bytes_total", "logtally_value_errors_total"] {
        assert_eq!(scrape.sum(lost, &[]), 0.0, "{lost}");
    }
}
