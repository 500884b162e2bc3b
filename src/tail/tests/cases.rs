//! One test for each way in which files are rotated, cut, moved or damaged.

use super::*;

#[test]
fn lines_count_when_their_end_has_arrived() {
    let mut w = World::new(only_app);
    w.append("app.log", "one\ntwo\r\nthr");
    w.step();
    w.expect(&["one", "two"]);
    for byte in b"ee" {
        w.append("app.log", [*byte]);
        w.step();
    }
    w.expect(&["one", "two"]);
    w.append("app.log", "\nfour\n");
    w.step();
    w.expect(&["one", "two", "three", "four"]);
}

#[test]
fn rename_and_create_with_a_writer_that_reopens_late() {
    let mut w = World::new(only_app);
    let mut old = w.append("app.log", "1\n");
    w.step();
    w.rename("app.log", "app.log.1");
    old.write_all(b"2\n").unwrap();
    w.append("app.log", "3\n");
    w.step();
    old.write_all(b"4\n").unwrap();
    w.rename("app.log.1", "app.log.2");
    w.step();
    old.write_all(b"5\n6").unwrap();
    w.now += Duration::from_secs(9);
    w.step();
    w.expect(&["1", "2", "3", "4", "5"]);
    w.wait();
    w.expect(&["1", "2", "3", "4", "5", "6"]);
    assert_eq!(w.lost(), 0);
    assert_eq!(w.count(&What::Rotated), 1);
    assert_eq!(w.label_of("6"), "app.log");
}

#[test]
fn delete_and_create() {
    let mut w = World::new(only_app);
    let mut old = w.append("app.log", "1\n");
    w.step();
    old.write_all(b"2\n").unwrap();
    w.remove("app.log");
    w.append("app.log", "3\n");
    w.step();
    old.write_all(b"4\n").unwrap();
    w.wait();
    w.expect(&["1", "2", "3", "4"]);
    assert_eq!(w.lost(), 0);
}

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
fn a_rotated_name_in_the_glob_is_known_content() {
    let mut w = World::new(all_logs);
    w.append("app.log", "1\n");
    w.step();
    for i in 2..8 {
        for n in (1..i).rev() {
            let name = format!("app.log.{n}");
            if w.path(&name).exists() {
                w.rename(&name, &format!("app.log.{}", n + 1));
            }
        }
        w.append("app.log", format!("{i}a\n"));
        w.rename("app.log", "app.log.1");
        w.append("app.log", format!("{i}\n"));
        if i % 3 == 0 {
            w.restart();
        }
        w.step();
    }
    w.wait();
    w.restart();
    w.wait();
    w.expect(&["1", "2a", "2", "3a", "3", "4a", "4", "5a", "5", "6a", "6", "7a", "7"]);
    assert!(w.sink.lines.iter().all(|(label, _)| label == "app.log"));
    w.append("app.log.3", "late\n");
    w.step();
    assert_eq!(w.label_of("late"), "app.log");
    assert_eq!(w.lost(), 0);
}

#[test]
fn several_rotations_while_down() {
    for glob in [all_logs, only_app] {
        let mut w = World::new(glob);
        w.append("app.log", "1\n");
        w.step();
        w.commit();
        w.append("app.log", "2\n");
        w.step();
        w.rename("app.log", "app.log.1");
        w.append("app.log", "3\n");
        w.rename("app.log.1", "app.log.2");
        w.rename("app.log", "app.log.1");
        w.append("app.log", "4\n");
        w.crash();
        w.wait();
        // A file that came and went by other names while nobody looked belongs to the listing's glob or not at all.
        let three: &[&str] = if glob("app.log.1") { &["1", "2", "3", "4"] } else { &["1", "2", "4"] };
        w.expect(three);
        assert_eq!(w.lost(), 0);
    }
}

#[test]
fn compressed_while_down() {
    for glob in [all_logs, only_app] {
        for name in ["app.log.1.gz", "app.log-20261120.gz", "app.2026-11-20_10-00-00_000001.log.gz"] {
            let mut w = World::new(glob);
            w.append("app.log", "1\n2\n");
            w.step();
            w.commit();
            w.append("app.log", "3\n4");
            w.rename("app.log", "app.log.1");
            w.gzip("app.log.1", name);
            w.append("app.log", "5\n");
            w.crash();
            w.wait();
            w.expect(&["1", "2", "3", "4", "5"]);
            assert_eq!(w.label_of("4"), "app.log");
            w.restart();
            w.wait();
            w.expect(&["1", "2", "3", "4", "5"]);
            assert_eq!(w.lost(), 0);
        }
    }
}

#[test]
fn gone_while_down_with_unread_bytes_is_a_loss() {
    let mut w = World::new(only_app);
    w.append("app.log", "1\nrest");
    w.step();
    w.commit();
    w.remove("app.log");
    w.append("app.log", "2\n");
    w.crash();
    w.wait();
    w.expect(&["1", "2"]);
    assert!(w.facts.iter().any(|f| f.what == What::Lost { bytes: 4, reason: LostReason::RotatedUnread }));
}

#[test]
fn an_inode_used_again_after_a_restart_is_a_new_file() {
    for same_beginning in [false, true] {
        let mut w = World::new(only_app);
        w.append("app.log", "header\nold\n");
        w.step();
        w.restart();
        // The same inode with other bytes is what a reused inode looks like.
        w.truncate("app.log");
        w.append("app.log", if same_beginning { "header\nnew and longer\n" } else { "new\n" });
        w.wait();
        let new: &[&str] = if same_beginning {
            &["header", "old", "header", "new and longer"]
        } else {
            &["header", "old", "new"]
        };
        w.expect(new);
    }
}

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
fn long_lines_give_their_head() {
    let options = Options { block: 1024, line_bytes: 3000, ..Options::default() };
    let mut w = World::with(only_app, options);
    w.append("app.log", format!("a\n{}", "x".repeat(9000)));
    w.drain();
    w.step();
    w.expect(&["a"]);
    w.append("app.log", "yyy\nb\n");
    w.step();
    w.expect(&["a", &"x".repeat(3001), "b"]);
    assert_eq!(w.sink.skipped, 9003 - 3001);
    w.append("app.log", format!("{}\nc\n", "z".repeat(2500)));
    w.step();
    w.expect(&["a", &"x".repeat(3001), "b", &"z".repeat(2500), "c"]);
}

#[test]
fn holes_and_runs_of_nul_are_passed() {
    let mut w = World::new(only_app);
    let file = w.append("app.log", "1\n");
    w.step();
    file.set_len(1 << 36).unwrap();
    w.append("app.log", "\n2\n");
    w.step();
    assert!(w.sink.lines.iter().any(|(_, line)| line == "2"));
    assert_eq!(w.sink.lines.len(), 3);
    assert!(w.sink.skipped > (1 << 36) - (2 << 20));
    w.append("app.log", [&[0; 100][..], b"3\n"].concat());
    w.step();
    assert_eq!(w.sink.lines.len(), 4);
}

#[test]
fn byte_order_marks_and_utf16() {
    let mut w = World::new(all_logs);
    let little = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    w.append("le.log", b"\xff");
    w.append("bom.log", b"\xef\xbb");
    w.step();
    w.append("le.log", [b"\xfe".to_vec(), little("ein Ċ\nzw")].concat());
    w.append("be.log", [b"\xfe\xff".to_vec(), big("drei\nv")].concat());
    w.append("bom.log", b"\xbfutf8\n");
    w.step();
    w.expect(&["ein Ċ", "drei", "utf8"]);
    w.restart();
    w.append("le.log", &little("ei\n")[..3]);
    w.append("be.log", big("ier\n"));
    w.step();
    w.append("le.log", &little("ei\n")[3..]);
    w.step();
    w.expect(&["ein Ċ", "zwei", "drei", "vier", "utf8"]);
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
fn every_compression_and_long_lines_in_it() {
    let pack = |text: &[u8], ending: &str| -> Vec<u8> {
        let mut out = Vec::new();
        match ending {
            "gz" => {
                flate2::read::GzEncoder::new(text, flate2::Compression::fast()).read_to_end(&mut out).unwrap()
            }
            "zst" => zstd::stream::read::Encoder::new(text, 1).unwrap().read_to_end(&mut out).unwrap(),
            "bz2" => {
                bzip2::read::BzEncoder::new(text, bzip2::Compression::fast()).read_to_end(&mut out).unwrap()
            }
            _ => liblzma::read::XzEncoder::new(text, 1).read_to_end(&mut out).unwrap(),
        };
        out
    };
    for ending in ["gz", "zst", "bz2", "xz"] {
        let options = Options { block: 1024, line_bytes: 3000, ..Options::default() };
        let mut w = World::with(only_app, options);
        w.append("app.log", "1\n2\nhalf");
        w.step();
        w.commit();
        let lines: String = (3..300).map(|i| format!("{i}\n")).collect();
        w.append("app.log", format!(" and half\n{}\n{lines}{}", "x".repeat(9000), "end"));
        // Compressed in two parts, as `gzip -c >>` would.
        let text = fs::read(w.path("app.log")).unwrap();
        let (front, back) = text.split_at(text.len() / 2);
        let packed = [pack(front, ending), pack(back, ending)].concat();
        fs::write(w.path(&format!("app.log.1.{ending}")), packed).unwrap();
        w.remove("app.log");
        w.crash();
        w.wait();
        let long = "x".repeat(3001);
        let numbers: Vec<String> = (3..300).map(|i| i.to_string()).collect();
        let mut wanted = vec!["1", "2", "half and half", &long, "end"];
        wanted.extend(numbers.iter().map(String::as_str));
        w.expect(&wanted);
        assert_eq!((w.sink.skipped, w.lost()), (9000 - 3001, 0), "{ending}");
        let saved = w.stored.values().next().unwrap().clone();
        w.commit();
        let done = w.stored.values().next().unwrap();
        assert_eq!((done.offset, done.state), (text.len() as u64, State::Done), "was {saved:?}");
    }
}

#[test]
fn a_damaged_archive_is_counted_as_far_as_it_goes() {
    let mut w = World::new(only_app);
    w.append("app.log", "1\n2\n");
    w.step();
    let lines: String = (0..40_000).map(|i| format!("line {i} {}\n", i * 7919 % 10_007)).collect();
    w.append("app.log", &lines);
    w.round();
    w.commit();
    let size = fs::metadata(w.path("app.log")).unwrap().len();
    w.gzip("app.log", "app.log.1.gz");
    let packed = fs::read(w.path("app.log.1.gz")).unwrap();
    fs::write(w.path("app.log.1.gz"), &packed[..packed.len() / 2]).unwrap();
    w.crash();
    w.wait();
    let read: u64 = w.sink.lines.iter().map(|(_, line)| line.len() as u64 + 1).sum();
    assert!(read > size / 4 && read < size, "{read} of {size}");
    let lost = What::Lost { bytes: size - read, reason: LostReason::Decode };
    assert!(w.facts.iter().any(|fact| fact.what == lost), "{:?}", w.facts);
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

/// Prints what idle files cost: `cargo test --lib tail::tests::cases::measure -- --ignored --nocapture`.
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
fn a_writer_at_full_speed_that_rotates_all_the_while() {
    let mut w = World::with(all_logs, Options { block: 16 << 10, ..Options::default() });
    let dir = w.dir.path().to_path_buf();
    let writer = std::thread::spawn(move || {
        let path = |n: u32| if n == 0 { dir.join("app.log") } else { dir.join(format!("app.log.{n}")) };
        for turn in 0..12_u32 {
            let mut file = OpenOptions::new().append(true).create(true).open(path(0)).unwrap();
            for line in 0..1500 {
                file.write_all(format!("{}\n", turn * 1500 + line).as_bytes()).unwrap();
                if line == 1200 && turn < 11 {
                    (0..turn).rev().for_each(|n| fs::rename(path(n + 1), path(n + 2)).unwrap());
                    fs::rename(path(0), path(1)).unwrap();
                }
            }
        }
    });
    let mut rounds = 0;
    while !writer.is_finished() {
        w.sync();
        w.round();
        rounds += 1;
        if rounds % 7 == 0 {
            w.restart();
        }
    }
    writer.join().unwrap();
    w.wait();
    let mut found: Vec<u32> = w.sink.lines.iter().map(|(_, line)| line.parse().unwrap()).collect();
    found.sort_unstable();
    assert!(found.iter().copied().eq(0..18_000), "{} lines; {:?}", found.len(), w.facts);
    assert_eq!(w.lost(), 0);
}

#[test]
fn an_inode_that_goes_to_another_content_leaves_the_ended_one() {
    let mut w = World::new(all_logs);
    w.append("app.log", "one\ntwo\n");
    w.step();
    w.rename("app.log", "gone");
    w.wait();
    w.wait();
    // The ended content is still known by its inode; that inode turns up with other bytes.
    w.truncate("gone");
    w.rename("gone", "app.log");
    w.append("app.log", "three\n");
    w.wait();
    w.commit();
    let mut owners = HashMap::new();
    for saved in w.stored.values().filter(|saved| saved.ino != 0) {
        *owners.entry((saved.dev, saved.ino)).or_insert(0) += 1;
    }
    assert!(owners.values().all(|owners| *owners == 1), "{:?}", w.stored);
    w.restart();
    w.append("app.log", "four\n");
    w.wait();
    w.expect(&["one", "two", "three", "four"]);
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
