//! What goes wrong on real machines: each case is a clear error or a counter, never a panic, and the other files go on.

use crate::support::{Exporter, Folder, code, command, count, err, logtally, logtally_fed, out};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;

const GOOD: &str = "2026-11-20 12:00:00,000 INFO shop ready\n2026-11-20 12:00:01,000 ERROR shop failed\n";
const NO_RULES: &str = "group: none\nrules:\n  - {name: failed, match: failed}\n";
/// Somebody who is not root.
const NOBODY: u32 = 65534;

fn refused(output: &std::process::Output, words: &[&str]) {
    let said = err(output);
    assert_eq!(code(output), 2, "{said}");
    words.iter().for_each(|word| assert!(said.contains(word), "{word} in {said}"));
    assert!(out(output).is_empty());
}

#[test]
fn odd_files_do_not_stop_the_others() {
    let folder = Folder::new();
    let rules = folder.write("rules.yml", NO_RULES);
    folder.write("logs/good.log", GOOD);
    folder.write("logs/empty.log", "");
    folder.write("logs/nul.log", b"ERROR:a:b\0c\n\0\0\0\n".as_slice());
    folder.write("logs/latin.log", b"ERROR:shop:caf\xe9 \xff\xfe failed\nINFO:shop:\xc3\n".as_slice());
    let noise: Vec<u8> = (0..60_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    folder.write("logs/noise.log", &noise);
    folder.write("logs/feeds.log", "\n\n\r\n\n");
    folder.write("logs/folder.log/inner.txt", "x\n");
    symlink(folder.path("logs/circle.log"), folder.path("logs/circle.log")).unwrap();
    symlink(folder.path("gone"), folder.path("logs/dangling.log")).unwrap();
    let odd = folder.path("logs").join(OsStr::from_bytes(b"odd-\xff\xfe.log"));
    std::fs::write(odd, GOOD).unwrap();
    let glob = folder.at("logs/*.log");
    let exporter = Exporter::start(&["--from", "beginning", "--rules", &rules, &glob]);
    let scrape = exporter.scrape_until("all bytes", |s| {
        s.sum("log_events_total", &[("path", &folder.at("logs/good.log"))]) == 2.0
            && s.sum("log_lines_total", &[("path", &folder.at("logs/latin.log"))]) == 2.0
            && s.sum("log_bytes_total", &[("path", &folder.at("logs/noise.log"))]) > 0.0
    });
    let errors =
        |name: &str| scrape.sum("log_events_total", &[("path", &folder.at(name)), ("level", "error")]);
    assert_eq!((errors("logs/nul.log"), errors("logs/latin.log")), (1.0, 1.0));
    assert_eq!(scrape.sum("log_lines_total", &[("path", &folder.at("logs/feeds.log"))]), 4.0);
    assert_eq!(scrape.sum("log_pattern_events_total", &[("path", &folder.at("logs/latin.log"))]), 1.0);
    folder.append("logs/good.log", GOOD);
    exporter.scrape_until("the good file goes on", |s| {
        s.sum("log_events_total", &[("path", &folder.at("logs/good.log"))]) == 4.0
    });
    // `count` takes the same without a word.
    let told = count(&["--rules", &rules, &glob]);
    assert_eq!(told["levels"]["critical"], 0);
    assert!(told["levels"]["error"].as_u64().unwrap() >= 4, "{told}");
}

#[test]
fn nobody_reads_what_only_root_may() {
    let folder = Folder::new();
    std::fs::set_permissions(folder.path(""), PermissionsExt::from_mode(0o755)).unwrap();
    let secret = folder.write("secret.log", GOOD);
    folder.write("open.log", GOOD);
    let rules = folder.write("rules.yml", NO_RULES);
    let is_root = std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o000)).is_ok()
        && rustix::process::geteuid().is_root();
    // The build folder may be out of reach for others.
    let program = folder.path("logtally");
    std::fs::copy(env!("CARGO_BIN_EXE_logtally"), &program).unwrap();
    let mut counting = std::process::Command::new(&program);
    counting
        .args(["count", "--output", "json", "--rules", &rules, &secret, &folder.at("open.log")])
        .current_dir("/");
    if is_root {
        counting.uid(NOBODY).gid(NOBODY);
    }
    let output = counting.output().unwrap();
    assert_eq!(code(&output), 1, "{}", err(&output));
    assert!(
        err(&output).contains("secret.log") && err(&output).contains("Permission denied"),
        "{}",
        err(&output)
    );
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["files"], &told["events"]), (&1.into(), &2.into()));

    let mut running = std::process::Command::new(&program);
    let args = ["run", "--storage.path", "none", "--from", "beginning", "--rules", &rules];
    running.args(args).args([&secret, &folder.at("open.log")]).current_dir("/");
    if is_root {
        running.uid(NOBODY).gid(NOBODY);
    }
    let exporter = Exporter::start_command(running);
    let scrape = exporter.scrape_until("a counted refusal", |s| {
        s.sum("logtally_file_errors_total", &[("reason", "permission")]) >= 1.0
            && s.sum("log_events_total", &[]) == 2.0
    });
    assert_eq!(scrape.sum("logtally_files", &[]), 1.0);
    let told = |line: &String| line.contains("level=warn") && line.contains("secret.log");
    assert!(exporter.log().iter().any(told), "{:?}", exporter.log());
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o644)).unwrap();
    exporter.scrape_until("the file that may be read now", |s| s.sum("log_events_total", &[]) == 4.0);
}

#[test]
fn a_line_of_100_megabytes_is_counted_by_its_head() {
    let folder = Folder::new();
    let rules = folder.write("rules.yml", NO_RULES);
    let mut bytes = b"ERROR:shop:failed ".to_vec();
    bytes.resize(100_000_000, b'x');
    bytes.push(b'\n');
    bytes.extend_from_slice(b"INFO:shop:after\n");
    let long = folder.write("long.log", &bytes);
    let good = folder.write("good.log", GOOD);
    let exporter = Exporter::start(&["--from", "beginning", "--rules", &rules, &long, &good]);
    let scrape = exporter.scrape_until("both lines", |s| s.sum("log_lines_total", &[]) == 4.0);
    assert_eq!(scrape.one("log_bytes_total", &[("path", &long)]), bytes.len() as f64);
    assert_eq!(scrape.one("log_events_total", &[("path", &long), ("level", "error")]), 1.0);
    assert_eq!(scrape.one("log_events_total", &[("path", &long), ("level", "info")]), 1.0);
    assert_eq!(scrape.sum("log_pattern_events_total", &[("path", &long)]), 1.0);
    assert_eq!(scrape.one("logtally_truncated_lines_total", &[]), 1.0);
    let status = std::fs::read_to_string(format!("/proc/{}/status", exporter.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak < 100_000, "the line is not held in memory: {peak} KiB");
    drop(exporter);
    let told = count(&["--rules", &rules, &long]);
    assert_eq!((&told["lines"], &told["bytes"]), (&2.into(), &bytes.len().into()));
    assert_eq!((&told["levels"]["error"], &told["patterns"]["failed"]), (&1.into(), &1.into()), "{told}");
}

#[test]
fn a_pipe_among_the_files_holds_nobody_up() {
    let folder = Folder::new();
    let rules = folder.write("rules.yml", NO_RULES);
    folder.write("logs/a.log", GOOD);
    let fifo = folder.path("logs/pipe.log");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o644.into(), 0).unwrap();
    let exporter = Exporter::start(&[
        "--from",
        "beginning",
        "--rules",
        &rules,
        &folder.at("logs/*.log"),
        fifo.to_str().unwrap(),
    ]);
    exporter.scrape_until("the file beside it", |s| s.sum("log_events_total", &[]) == 2.0);
}

#[test]
fn an_archive_that_is_none_fails_alone() {
    let folder = Folder::new();
    let rules = folder.write("rules.yml", NO_RULES);
    let good = folder.write("good.log", GOOD);
    let heads: [(&str, &[u8]); 4] = [
        ("a.gz", &[0x1f, 0x8b, 8, 0]),
        ("a.zst", &[0x28, 0xb5, 0x2f, 0xfd]),
        ("a.bz2", b"BZh9"),
        ("a.xz", &[0xfd, b'7', b'z', b'X', b'Z', 0]),
    ];
    for (name, head) in heads {
        let fake = folder.write(name, [head, b"this is no archive, whatever it says\n"].concat());
        let output = logtally(&["count", "--output", "json", "--rules", &rules, &fake, &good]);
        assert_eq!(code(&output), 1, "{name}: {}", err(&output));
        assert!(err(&output).contains(name));
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["events"], 2, "{name}");
    }
    // The bytes decide, not the name.
    let plain = count(&["--rules", &rules, &folder.write("plain.gz", GOOD)]);
    assert_eq!(plain["events"], 2);
}

#[test]
fn a_config_that_cannot_be_read_is_refused() {
    let folder = Folder::new();
    refused(&logtally(&["run", "-c", &folder.at("gone.yml")]), &["gone.yml", "hint:"]);
    refused(&logtally(&["run", "-c", &folder.at("")]), &["hint:"]);
    let binary = folder.write("binary.yml", [0xff, 0xfe, 0, 1, 2]);
    refused(&logtally(&["run", "-c", &binary]), &["binary.yml"]);
    let bad = folder.write("bad.yml", "inputs:\n  - name: [\n");
    refused(&logtally(&["run", "-c", &bad]), &["bad.yml:"]);
    refused(&logtally(&["count", "-c", &bad, "x.log"]), &["bad.yml:"]);
}

#[test]
fn a_bad_rule_is_refused_with_its_place() {
    let folder = Folder::new();
    let good = folder.write("good.log", GOOD);
    let bad =
        folder.write("r.yml", "group: a\nrules:\n  - {name: b, match: 'x(y'}\n  - {name: c, mach: z}\n");
    for args in
        [&["count", "--rules", &bad, &good][..], &["run", "--storage.path", "none", "--rules", &bad, &good]]
    {
        // All problems at once.
        refused(&logtally(args), &["r.yml:3:", "r.yml:4:", "did you mean `match`?"]);
    }
}

#[test]
fn an_address_in_use_is_refused() {
    let folder = Folder::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let args = ["run", "--storage.path", "none", "--web.listen-address", &address, &folder.at("x.log")];
    refused(&logtally(&args), &[&address, "in use"]);
}

#[test]
fn a_store_that_is_no_store_is_refused() {
    let folder = Folder::new();
    let rules = folder.write("rules.yml", NO_RULES);
    let store = folder.at("store");
    let args = ["--rules", &rules, "--storage.path", &store, &folder.at("x.log")];
    let exporter = Exporter::start_with(&args, &[]);
    // A second one on the same store.
    let second = logtally(&[&["run", "--web.listen-address", "127.0.0.1:0"], &args[..]].concat());
    refused(&second, &["store", "hint:"]);
    drop(exporter);
    for file in std::fs::read_dir(&store).unwrap().map(|file| file.unwrap().path()) {
        if std::fs::metadata(&file).unwrap().len() > 0 {
            std::fs::write(&file, vec![0x5a; 20_000]).unwrap();
        }
    }
    let damaged = logtally(&[&["run", "--web.listen-address", "127.0.0.1:0"], &args[..]].concat());
    refused(&damaged, &["store"]);
    // A file where the folder should be.
    let file = folder.write("file", "x");
    let args = ["run", "--web.listen-address", "127.0.0.1:0", "--storage.path", &file, &folder.at("x.log")];
    refused(&logtally(&args), &["file"]);
}

#[test]
fn any_bytes_may_come_in() {
    let mut random = crate::support::Random::new("any bytes");
    let folder = Folder::new();
    let rules = folder.write("rules.yml", NO_RULES);
    let pieces: [&[u8]; 16] = [
        b"\n",
        b"\r\n",
        b"\0",
        b"\xff",
        b"{\"level\":\"",
        b"\"msg\":",
        b"}",
        b"level=error ",
        b"<34>1 ",
        b"Traceback (most recent call last):\n",
        b"  File \"x\", line 1\n",
        b"ERROR:",
        b"2026-11-20 12:00:00,000 ",
        b"\xe2\x80",
        b"ValueError: 1\n",
        b"\x1b[31mERROR\x1b[0m ",
    ];
    for _ in 0..12 {
        let bytes: Vec<u8> = (0..3000).flat_map(|_| random.pick(&pieces).iter().copied()).collect();
        let piped = logtally_fed(&["count", "--output", "json", "--rules", &rules, "-"], &bytes);
        assert_eq!(code(&piped), 0, "{}", err(&piped));
        let piped: serde_json::Value = serde_json::from_slice(&piped.stdout).unwrap();
        let path = folder.write("any.log", &bytes);
        let told = count(&["--rules", &rules, "--threads", "3", &path]);
        for key in ["lines", "bytes", "events", "levels", "patterns"] {
            assert_eq!(told[key], piped[key], "{key}");
        }
        let lines =
            bytes.iter().filter(|byte| **byte == b'\n').count() + usize::from(bytes.last() != Some(&b'\n'));
        assert_eq!((&told["lines"], &told["bytes"]), (&lines.into(), &bytes.len().into()));
        assert_eq!(code(&logtally_fed(&["explain", "--rules", &rules], &bytes)), 0);
    }
}

#[test]
fn a_standard_input_that_is_closed_is_empty() {
    let output = command(&["count", "--output", "json", "-"]).output().unwrap();
    assert_eq!(code(&output), 0);
}
