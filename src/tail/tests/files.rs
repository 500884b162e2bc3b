//! Files as such: links, folders, failures to open, hints, and how many there are.

use super::*;

#[test]
fn equal_beginnings_are_two_files() {
    let mut w = World::new(all_logs);
    w.append("syslog.log", "same\nsame\n");
    w.append("messages.log", "same\nsame\n");
    w.append("empty.log", "");
    w.append("one.log", "same\n");
    w.step();
    w.restart();
    w.append("syslog.log", "1\n");
    w.append("messages.log", "2\n");
    w.append("empty.log", "same\n");
    w.step();
    w.expect(&["same", "same", "same", "same", "same", "same", "1", "2"]);
    assert_eq!(w.label_of("2"), "messages.log");
}

#[test]
fn symlinks_that_swap() {
    let mut w = World::new(|name| name == "current.log");
    w.append("app-1.txt", "1\n");
    let link = w.path("current.log");
    std::os::unix::fs::symlink(w.path("app-1.txt"), &link).unwrap();
    w.step();
    let mut old = w.append("app-1.txt", "2\n");
    w.append("app-2.txt", "3\n");
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(w.path("app-2.txt"), &link).unwrap();
    w.step();
    old.write_all(b"4\n").unwrap();
    w.wait();
    w.restart();
    w.wait();
    w.expect(&["1", "2", "3", "4"]);
    assert_eq!(w.label_of("4"), "current.log");
}

#[test]
fn hard_links_are_one_content() {
    let mut w = World::new(all_logs);
    w.append("a.log", "1\n");
    fs::hard_link(w.path("a.log"), w.path("b.log")).unwrap();
    w.step();
    w.append("b.log", "2\n");
    w.restart();
    w.step();
    w.remove("a.log");
    w.append("b.log", "3\n");
    w.wait();
    w.append("b.log", "4\n");
    w.step();
    w.expect(&["1", "2", "3", "4"]);
    assert_eq!(w.label_of("4"), "a.log");
}

#[test]
fn a_folder_that_appears_later_and_is_replaced() {
    let mut w = World::new(all_logs);
    w.step();
    fs::create_dir(w.path("sub")).unwrap();
    w.append("sub/app.log", "1\n");
    w.step();
    w.rename("sub", "old");
    fs::create_dir(w.path("sub")).unwrap();
    w.append("sub/app.log", "2\n");
    w.append("old/app.log", "3\n");
    w.step();
    fs::remove_dir_all(w.path("old")).unwrap();
    w.wait();
    w.restart();
    w.wait();
    w.expect(&["1", "2", "3"]);
    assert_eq!(w.lost(), 0);
}

#[test]
fn beginning_or_end_of_what_stood_there_before() {
    let mut w = World::new(all_logs);
    w.append("a.log", "old\nhalf a ");
    w.sync_from(true, From::End);
    w.drain();
    w.append("a.log", "line\nnew\n");
    w.append("b.log", "whole\n");
    w.step();
    w.restart();
    w.append("c.log", "while down\n");
    w.step();
    w.expect(&["half a line", "new", "whole", "while down"]);
}

#[test]
fn what_is_no_regular_file_never_blocks() {
    let mut w = World::new(all_logs);
    let fifo = w.path("fifo.log");
    let kind = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, kind, rustix::fs::Mode::from_raw_mode(0o600), 0).unwrap();
    let listed = Listed {
        path: fifo,
        input: "default".into(),
        dev: 1,
        ino: 1,
        size: 9,
        changed: (0, 0),
        archive: false,
        target: None,
    };
    let gone = Listed { path: w.path("gone.log"), ino: 2, ..listed.clone() };
    for _ in 0..3 {
        let listing = [listed.clone(), gone.clone()];
        w.tailer.sync(&listing, false, From::End, w.now, &mut w.facts, &mut w.sink);
    }
    assert_eq!(w.count(&What::Failed(OpenReason::Other)), 1);
    assert_eq!(w.count(&What::Failed(OpenReason::Missing)), 1);
    assert_eq!(w.count(&What::FailedAgain(OpenReason::Other)), 2);
    assert_eq!(w.count(&What::FailedAgain(OpenReason::Missing)), 2);
}

#[test]
fn few_descriptors_are_enough() {
    let options = Options { max_open: 5, block: 4096, ..Options::default() };
    let mut w = World::with(all_logs, options);
    let mut wanted = Vec::new();
    for turn in 0..5 {
        for file in 0..40 {
            let line = format!("{file}-{turn}");
            w.append(&format!("{file}.log"), format!("{line}\n"));
            wanted.push(line);
        }
        w.step();
        w.step();
        let syncs = (0..100).take_while(|_| w.tailer.is_crowded() && (w.step(), true).1).count();
        assert!(syncs < 100 && w.tailer.open_files() <= 5, "{syncs}");
        w.step();
    }
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    w.expect(&wanted);
}

#[test]
fn a_file_of_two_inputs_counts_in_each() {
    let mut w = World::new(all_logs);
    w.append("app.log", "1\n");
    let mut listing = w.listing();
    listing.push(Listed { input: "second".into(), ..listing[0].clone() });
    for _ in 0..2 {
        w.tailer.sync(&listing, false, From::End, w.now, &mut w.facts, &mut w.sink);
        w.drain();
        w.restart();
    }
    w.expect(&["1", "1"]);
}

#[test]
fn permission_denied_or_vanished_is_told_once_and_read_when_it_can_be() {
    let mut w = World::new(all_logs);
    let listed = w.append("app.log", "1\n").metadata().unwrap();
    let listing = w.listing();
    w.rename("app.log", "hidden");
    for _ in 0..3 {
        w.tailer.sync(&listing, false, From::End, w.now, &mut w.facts, &mut w.sink);
    }
    assert_eq!(w.count(&What::Failed(OpenReason::Missing)), 1);
    w.rename("hidden", "app.log");
    assert_eq!(w.listing()[0].ino, listed.ino());
    w.step();
    w.expect(&["1"]);
}

#[test]
fn hints_read_one_file_and_rows_are_given_once() {
    let mut w = World::new(all_logs);
    w.append("a.log", "1\n");
    w.append("b.log", "2\n");
    w.step();
    assert_eq!(w.tailer.changed().len(), 2);
    assert!(w.tailer.changed().is_empty());
    w.append("a.log", "3\n");
    w.append("b.log", "4\n");
    assert!(w.tailer.poke(&w.path("b.log")) && !w.tailer.poke(&w.path("c.log")));
    w.tailer.hot_round(w.now, &mut w.sink, &mut w.facts);
    w.expect(&["1", "2", "4"]);
    let rows = w.tailer.changed();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].1.as_ref().unwrap().offset, 4);
    assert_eq!(w.tailer.files().map(|file| file.unread).sum::<u64>(), 0);
    w.drain();
    w.expect(&["1", "2", "3", "4"]);
}

#[test]
fn ended_contents_are_forgotten_in_the_end() {
    let options = Options { remembered: 3, ..Options::default() };
    let mut w = World::with(only_app, options);
    for i in 0..8 {
        w.append("app.log", format!("{i}\n"));
        w.step();
        w.remove("app.log");
        w.wait();
        w.commit();
    }
    assert_eq!(w.sink.lines.len(), 8);
    assert_eq!(w.stored.len(), 3);
    assert!(w.sink.open.is_empty());
}

/// Prints what idle files cost: `cargo test --lib tail::tests::files::measure -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a check"]
fn measure_10000_idle_files() {
    let resident = || {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        status.lines().find(|line| line.starts_with("VmRSS")).unwrap().to_owned()
    };
    let before = resident();
    let mut w = World::with(all_logs, Options::default());
    (0..10_000).for_each(|i| drop(w.append(&format!("service-{i}.log"), format!("line of {i}\n"))));
    let listing = w.listing();
    let timed = |name: &str, work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        println!("{name}: {:?}", start.elapsed());
    };
    let (now, mut sink, mut facts) = (w.now, Counted::default(), Vec::new());
    let tailer = &mut w.tailer;
    timed("first sync", &mut || tailer.sync(&listing, false, From::End, now, &mut facts, &mut sink));
    timed("first round", &mut || assert!(!tailer.round(now, &mut sink, &mut facts).backlog));
    timed("round over all", &mut || assert!(!tailer.round(now, &mut sink, &mut facts).backlog));
    timed("sync", &mut || tailer.sync(&listing, false, From::End, now, &mut facts, &mut sink));
    let mut later = now + Duration::from_secs(20);
    tailer.round(later, &mut sink, &mut facts);
    timed("one second of rounds every 50 ms, idle", &mut || {
        for _ in 0..20 {
            later += Duration::from_millis(50);
            tailer.round(later, &mut sink, &mut facts);
        }
    });
    println!("{before} before, {} after; {} open", resident(), tailer.open_files());
    assert_eq!(sink.lines.len(), 10_000);
}

#[test]
fn a_round_ends_when_much_was_read_and_goes_on_with_the_next_file() {
    let options = Options { block: 1024, round: 2048, ..Options::default() };
    let mut w = World::with(all_logs, options);
    let text: String = (0..300).map(|n| format!("line {n} of a long file\n")).collect();
    for file in 0..5 {
        w.append(&format!("{file}.log"), &text);
    }
    w.sync();
    (0..3).for_each(|_| assert!(w.round().read < 4096));
    let begun: BTreeSet<String> = w.sink.lines.iter().map(|(label, _)| label.clone()).collect();
    assert_eq!(begun.len(), 5, "each had a turn");
    w.drain();
    assert_eq!(w.sink.lines.len(), 1500);
}

/// Two quiet files that nothing is told of, long after their last line.
fn quiet_files() -> World {
    let mut w = World::with(all_logs, Options { idle_check: Duration::from_secs(10), ..Options::default() });
    w.append("a.log", "a1\n");
    w.append("b.log", "b1\n");
    w.step();
    for _ in 0..4 {
        w.now += Duration::from_secs(6);
        w.step();
    }
    w.expect(&["a1", "b1"]);
    w
}

#[test]
fn a_listing_that_sees_a_change_in_a_quiet_file_has_it_read_at_once() {
    let mut w = quiet_files();
    w.append("b.log", "b2\n");
    w.round();
    w.expect(&["a1", "b1"]);
    w.sync();
    w.tailer.hot_round(w.now, &mut w.sink, &mut w.facts);
    w.expect(&["a1", "b1", "b2"]);
}

#[test]
fn a_quiet_file_is_looked_at_without_listings_too() {
    let mut w = quiet_files();
    w.append("a.log", "a2\n");
    // No longer ago than one and a half checks.
    w.now += Duration::from_secs(15);
    w.round();
    w.round();
    w.expect(&["a1", "a2", "b1"]);
}
