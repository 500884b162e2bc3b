//! When the system fails: no room, no store, no descriptors, too much to read at once.

use super::judge::{Judge, Numbers, sum};
use super::schedule::Subject;
use super::server::{FAILS, PATIENCE, Server};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

pub(super) fn append(path: &Path, lines: std::ops::Range<u32>) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    let text: String = lines.map(|n| format!("2026-11-20 12:00:00,123 ERROR shop.db boom #{n}\n")).collect();
    file.write_all(text.as_bytes()).unwrap();
}

pub(super) fn server(dir: &Path, before: &'static str) -> Server {
    let mut server = server_unasked(dir, before);
    server.scrape();
    server
}

pub(super) fn server_unasked(dir: &Path, before: &'static str) -> Server {
    let config =
        format!("inputs: [{{name: one, include: ['{}/*.log']}}]\nrules: []\nhost: off\n", dir.display());
    std::fs::write(dir.join("logtally.yml"), config).unwrap();
    let mut server = Server::of(dir);
    server.before = before;
    server.start();
    server
}

pub(super) fn counted(server: &mut Server, judge: &mut Judge, lines: u32) -> Numbers {
    let wanted = f64::from(lines);
    let numbers = server.settle(judge, &|numbers| sum(numbers, "log_events_total") >= wanted).unwrap();
    assert_eq!(sum(&numbers, "log_events_total"), wanted, "{}", server.log().join("\n"));
    numbers
}

pub(super) fn failing(server: &mut Server) {
    let deadline = Instant::now() + PATIENCE;
    let numbers = loop {
        let numbers = server.scrape();
        if numbers["logtally_store_up{}"] == 0.0 {
            break numbers;
        }
        assert!(Instant::now() < deadline, "{}", server.log().join("\n"));
    };
    assert!(numbers["logtally_commit_failures_total{}"] >= 1.0);
    let (status, said) = server.get("/-/ready");
    assert_eq!(status, 503, "{said}");
    assert!(said.contains("store"), "{said}");
}

pub(super) fn working(server: &mut Server) {
    let deadline = Instant::now() + PATIENCE;
    while server.scrape()["logtally_store_up{}"] != 1.0 {
        assert!(Instant::now() < deadline, "{}", server.log().join("\n"));
    }
    assert_eq!(server.get("/-/ready").0, 200);
}

/// Scrapes while commits fail: nothing that is not durable is shown, so all is as it was.
pub(super) fn frozen(server: &mut Server, judge: &mut Judge, lines: u32) {
    for _ in 0..3 {
        let numbers = server.scrape();
        judge.see(&numbers).unwrap();
        assert_eq!(sum(&numbers, "log_events_total"), f64::from(lines), "{}", server.log().join("\n"));
        assert_eq!(sum(&numbers, "log_lines_total"), f64::from(lines));
    }
}

#[test]
fn without_room_nothing_is_shown_that_a_crash_could_take_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = server(dir.path(), FAILS);
    let mut judge = Judge::default();
    append(&dir.path().join("a.log"), 0..10);
    counted(&mut server, &mut judge, 10);
    server.fail(true);
    append(&dir.path().join("a.log"), 10..30);
    failing(&mut server);
    frozen(&mut server, &mut judge, 10);
    server.kill();
    append(&dir.path().join("a.log"), 30..35);
    server.start();
    counted(&mut server, &mut judge, 35);
}

#[test]
fn with_room_again_everything_is_shown_and_what_is_new_begins_at_zero() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = server(dir.path(), FAILS);
    let mut judge = Judge::default();
    append(&dir.path().join("a.log"), 0..10);
    counted(&mut server, &mut judge, 10);
    server.fail(true);
    append(&dir.path().join("a.log"), 10..30);
    append(&dir.path().join("new.log"), 0..7);
    failing(&mut server);
    frozen(&mut server, &mut judge, 10);
    server.fail(false);
    counted(&mut server, &mut judge, 37);
    working(&mut server);
    server.kill();
    append(&dir.path().join("new.log"), 7..10);
    server.start();
    counted(&mut server, &mut judge, 40);
}

#[test]
fn without_room_from_the_first_scrape_on_all_begins_at_zero() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = server_unasked(dir.path(), FAILS);
    server.fail(true);
    let mut judge = Judge::default();
    append(&dir.path().join("a.log"), 0..10);
    for _ in 0..3 {
        let numbers = server.scrape();
        judge.see(&numbers).unwrap();
        assert_eq!(numbers["logtally_store_up{}"], 0.0);
        assert!(!numbers.keys().any(|series| series.starts_with("log_")), "{numbers:?}");
    }
    server.fail(false);
    counted(&mut server, &mut judge, 10);
}

#[test]
fn an_input_that_comes_while_the_store_fails_waits_for_a_reload_that_can_read_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = server(dir.path(), FAILS);
    let mut judge = Judge::default();
    append(&dir.path().join("a.log"), 0..10);
    counted(&mut server, &mut judge, 10);
    server.fail(true);
    append(&dir.path().join("a.log"), 10..30);
    failing(&mut server);
    let both = format!(
        "inputs: [{{name: one, include: ['{at}/*.log']}}, {{name: two, include: ['{at}/*.txt']}}]\nrules: []\nhost: off\n",
        at = dir.path().display()
    );
    std::fs::write(dir.path().join("logtally.yml"), both).unwrap();
    append(&dir.path().join("b.txt"), 0..5);
    let reload = |server: &mut Server, said: &str| {
        server.signal(rustix::process::Signal::HUP);
        server.until(said, |server| server.log().iter().any(|line| line.contains(said)).then_some(()));
    };
    reload(&mut server, "config not reloaded");
    frozen(&mut server, &mut judge, 10);
    server.fail(false);
    counted(&mut server, &mut judge, 30);
    reload(&mut server, "config reloaded");
    // A file that stood there before its input was known is read from its end.
    server.settle(&mut judge, &|numbers| sum(numbers, "logtally_files") == 2.0).unwrap();
    append(&dir.path().join("b.txt"), 5..10);
    counted(&mut server, &mut judge, 35);
}

#[test]
fn a_store_that_is_taken_away_is_made_anew_with_everything() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = server(dir.path(), "");
    let mut judge = Judge::default();
    append(&dir.path().join("a.log"), 0..10);
    append(&dir.path().join("b.log"), 0..10);
    counted(&mut server, &mut judge, 20);
    std::fs::remove_dir_all(dir.path().join("state")).unwrap();
    append(&dir.path().join("a.log"), 10..30);
    counted(&mut server, &mut judge, 40);
    working(&mut server);
    server.kill();
    append(&dir.path().join("b.log"), 10..15);
    server.start();
    counted(&mut server, &mut judge, 45);
}

#[test]
fn another_file_in_the_place_of_the_store_is_told_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = server(dir.path(), "");
    let mut judge = Judge::default();
    append(&dir.path().join("a.log"), 0..10);
    counted(&mut server, &mut judge, 10);
    let file = dir.path().join("state/logtally.redb");
    std::fs::rename(&file, dir.path().join("away")).unwrap();
    std::fs::write(&file, "mine").unwrap();
    append(&dir.path().join("a.log"), 10..20);
    failing(&mut server);
    frozen(&mut server, &mut judge, 10);
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    std::fs::rename(dir.path().join("away"), &file).unwrap();
    counted(&mut server, &mut judge, 20);
    working(&mut server);
    server.kill();
    server.start();
    counted(&mut server, &mut judge, 20);
}

#[test]
fn few_descriptors_are_enough_for_many_files() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = server(dir.path(), "ulimit -n 96");
    let mut judge = Judge::default();
    let mut lines = 0;
    for turn in 0..3 {
        for file in 0..300 {
            append(&dir.path().join(format!("{file}.log")), turn..turn + 1);
            lines += 1;
        }
        let numbers = counted(&mut server, &mut judge, lines);
        assert_eq!(
            numbers["logtally_file_errors_total{input=one,reason=open}"],
            0.0,
            "{}",
            server.log().join("\n")
        );
        if turn == 1 {
            server.kill();
            server.start();
        }
    }
}

#[test]
fn much_to_read_keeps_neither_scrapes_nor_the_end_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = server(dir.path(), "");
    let text: String =
        (0..5000).map(|n| format!("2026-11-20 12:00:00,123 INFO shop.db boom #{n:09}\n")).collect();
    for file in 0..60 {
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(dir.path().join(format!("{file}.log")))
            .unwrap();
        (0..5).for_each(|_| file.write_all(text.as_bytes()).unwrap());
    }
    let mut seen = Vec::new();
    let started = Instant::now();
    while seen.len() < 5 || (seen.last() < Some(&1.5e6) && seen.len() < 20) {
        let asked = Instant::now();
        seen.push(sum(&server.scrape(), "log_lines_total"));
        assert!(asked.elapsed() < Duration::from_secs(3), "a scrape took {:?}", asked.elapsed());
    }
    eprintln!("{seen:?} lines after {:?}", started.elapsed());
    server.stop();
    server.start();
    let mut judge = Judge::default();
    counted(&mut server, &mut judge, 1_500_000);
}
