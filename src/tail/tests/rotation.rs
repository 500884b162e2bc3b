//! Files that are renamed, deleted or compressed, while we look and while we do not.

use super::*;

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
