//! Files that are cut, and the copies that are made of them before.

use super::*;

#[test]
fn a_file_cut_in_place_begins_anew() {
    let mut w = World::new(only_app);
    w.append("app.log", "first line\nsecond line\n");
    w.step();
    w.truncate("app.log");
    w.append("app.log", "1\n");
    w.step();
    w.expect(&["first line", "second line", "1"]);
    assert_eq!(w.count(&What::Truncated), 1);
    w.wait();
    assert_eq!(w.lost(), 0);
}

#[test]
fn a_file_cut_and_refilled_past_the_offset_begins_anew() {
    for same_beginning in [false, true] {
        let mut w = World::new(only_app);
        w.append("app.log", "header\nsecond line\n");
        w.step();
        w.truncate("app.log");
        w.append("app.log", if same_beginning { "header\n" } else { "other\n" });
        w.append("app.log", "a longer text than before\nand more\n");
        w.step();
        let head = if same_beginning { "header" } else { "other" };
        w.expect(&["header", "second line", head, "a longer text than before", "and more"]);
        assert_eq!(w.count(&What::Truncated), 1);
        w.wait();
        assert_eq!(w.lost(), 0);
    }
}

#[test]
fn what_was_cut_away_unread_is_lost_with_its_bytes() {
    let mut w = World::new(only_app);
    w.append("app.log", "one\ntail without end");
    w.step();
    w.truncate("app.log");
    w.wait();
    w.expect(&["one"]);
    assert_eq!(w.lost(), 16);
    assert!(w.facts.iter().any(|f| f.what == What::Lost { bytes: 16, reason: LostReason::Truncated }));
}

#[test]
fn a_copy_made_before_the_cut_gives_the_unread_tail() {
    for glob in [all_logs, only_app] {
        let mut w = World::new(glob);
        w.append("app.log", "1\n2\n");
        w.step();
        w.append("app.log", "3\n4\n");
        w.copy("app.log", "app.log.1");
        w.truncate("app.log");
        w.append("app.log", "5\n");
        w.wait();
        w.expect(&["1", "2", "3", "4", "5"]);
        assert_eq!(w.lost(), 0);
        assert_eq!(w.label_of("4"), "app.log");
    }
}

#[test]
fn a_copy_seen_before_the_cut_is_not_counted() {
    let mut w = World::new(all_logs);
    w.append("app.log", "a longer first line\n2\n");
    w.step();
    w.append("app.log.1", "");
    w.step();
    w.copy("app.log", "app.log.1");
    w.step();
    w.append("app.log", "3\n");
    w.step();
    w.expect(&["a longer first line", "2", "3"]);
    w.truncate("app.log");
    w.append("app.log", "4\n");
    w.wait();
    w.restart();
    w.wait();
    w.expect(&["a longer first line", "2", "3", "4"]);
    w.append("app.log", "5\n");
    w.copy("app.log", "app.log.2");
    w.truncate("app.log");
    w.append("app.log", "6\n");
    w.wait();
    w.expect(&["a longer first line", "2", "3", "4", "5", "6"]);
}

#[test]
fn a_copy_of_a_file_that_is_not_open_is_known() {
    let options = Options { max_open: 1, ..Options::default() };
    let mut w = World::with(all_logs, options);
    w.append("app.log", "first\n");
    w.step();
    w.append("other.log", "other\n");
    w.step();
    w.copy("app.log", "app.log.1");
    w.step();
    w.append("app.log", "second\n");
    w.wait();
    w.truncate("app.log");
    w.append("app.log", "third\n");
    w.wait();
    w.expect(&["first", "other", "second", "third"]);
}

#[test]
fn a_file_that_is_no_copy_after_all_is_read_from_its_start() {
    let mut w = World::new(all_logs);
    w.append("worker.log", "same header\n");
    w.append("worker.log", "1\n");
    w.step();
    w.append("worker.1.log", "same header\n");
    w.step();
    w.expect(&["same header", "1"]);
    w.append("worker.1.log", "2\n");
    w.step();
    w.expect(&["same header", "1", "same header", "2"]);
}
