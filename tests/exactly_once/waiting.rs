//! What waits for a store that fails is bounded: past the bound reading pauses, and goes on when the store works.

use super::model::feeds;
use super::server::PATIENCE;
use super::trouble::append;
use logtally::follow::{Follow, Options, Viewer};
use logtally::notice::{Format, Log, Severity};
use logtally::store::Store;
use logtally::tally::guard::Guard;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Lines that are counted, durable or not.
fn lines(follow: &Follow) -> u64 {
    let of = |shard: &logtally::follow::Shard| -> u64 {
        shard.tally().streams().map(|(_, stream)| stream.numbers.lines).sum()
    };
    follow.peek(of).iter().sum()
}

/// Scrapes until it holds.
fn until(follow: &Follow, what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}; {:?}", follow.store_state());
        follow.scrape(Viewer::Passer);
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

#[test]
fn reading_pauses_when_too_much_waits_for_the_store() {
    let dir = tempfile::tempdir().unwrap();
    ["a", "b"].iter().for_each(|folder| std::fs::create_dir(dir.path().join(folder)).unwrap());
    let log = |name: &str| dir.path().join("b").join(name);
    let store = Store::open(&dir.path().join("state")).unwrap();
    let options = Options { waiting: 60, ..Options::default() };
    let said = Arc::new(Log::new(Severity::Error, Format::Logfmt, Box::new(std::io::sink())));
    let feeds = feeds(dir.path(), false);
    let follow = Follow::new(feeds, Arc::new(Guard::new(2000)), Some(store), options, said).unwrap();
    let follow = Arc::new(follow);
    follow.start();
    until(&follow, "the first listing", || follow.is_caught_up());
    append(&log("first.log"), 0..10);
    until(&follow, "ten lines", || lines(&follow) == 10);
    let (file, away) = (dir.path().join("state/logtally.redb"), dir.path().join("away"));
    std::fs::rename(&file, &away).unwrap();
    std::fs::write(&file, "mine").unwrap();
    (0..60).for_each(|n| append(&log(&format!("{n}.log")), 0..1));
    until(&follow, "too much that waits", || follow.store_state().waiting > 60);
    let paused = lines(&follow);
    assert!(paused > 10, "it read on at first: {paused}");
    append(&log("first.log"), 10..20);
    // Each scrape reads on before it answers, unless reading pauses.
    (0..5).for_each(|_| drop(follow.scrape(Viewer::Passer)));
    assert_eq!(lines(&follow), paused);
    std::fs::rename(&away, &file).unwrap();
    until(&follow, "everything", || lines(&follow) == 80);
    assert_eq!(follow.store_state().waiting, 0);
    follow.stop();
}
