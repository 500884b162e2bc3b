//! File systems of other kinds: full ones, bound ones, ones that tell nothing of writes, and ones that fail to read.
//!
//! Each stands in a mount namespace of its own, held by a process that ends with the test. Where the machine does not
//! allow that, a test says that it was skipped.

use super::judge::{Judge, Numbers, sum};
use super::schedule::Subject;
use super::server::{PATIENCE, Server};
use super::trouble::{append, counted, failing, frozen, working};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A mount namespace.
struct Space {
    holder: Child,
    enter: Vec<String>,
}

impl Space {
    /// Made by shell commands that end with a process that says `ready` and lives until its input ends.
    fn new(test: &str, commands: &str) -> Option<Space> {
        let is_root = rustix::process::geteuid().is_root();
        let mut command = Command::new("unshare");
        // Others may make one where they are root in a user namespace.
        command.args(if is_root { &["-m"][..] } else { &["-r", "-m"] });
        command.args(["sh", "-c", commands]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let holder = command.stderr(Stdio::piped()).spawn();
        let Ok(mut holder) = holder.inspect_err(|error| eprintln!("skipped {test}: no unshare: {error}"))
        else {
            return None;
        };
        let mut said = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut said).unwrap();
        if said.trim() != "ready" {
            let output = holder.wait_with_output().unwrap();
            eprintln!("skipped {test}: {}", String::from_utf8_lossy(&output.stderr).trim());
            return None;
        }
        let pid = holder.id().to_string();
        let user: &[&str] = if is_root { &[] } else { &["-U", "--preserve-credentials"] };
        let enter = ["nsenter", "-t", &pid, "-m"].iter().chain(user).map(|part| (*part).to_owned()).collect();
        Some(Space { holder, enter })
    }

    /// Where a path of the namespace is for us.
    fn inside(&self, path: &Path) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{}", self.holder.id(), path.display()))
    }

    /// Runs shell commands in it.
    fn run(&self, commands: &str) -> bool {
        let mut command = Command::new(&self.enter[0]);
        command.args(&self.enter[1..]).args(["sh", "-c", commands]).status().unwrap().success()
    }

    fn server(&self, dir: &Path, logs: &str) -> Server {
        let mut server = Server::of(dir);
        let config =
            format!("inputs: [{{name: one, include: ['{}/{logs}']}}]\nrules: []\nhost: off\n", dir.display());
        fs::write(dir.join("logtally.yml"), config).unwrap();
        server.enter.clone_from(&self.enter);
        server.start();
        server.scrape();
        server
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

fn until(server: &mut Server, judge: &mut Judge, what: &str, holds: impl Fn(&Numbers) -> bool) -> Numbers {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let numbers = server.scrape();
        judge.see(&numbers).unwrap();
        if holds(&numbers) {
            return numbers;
        }
        assert!(Instant::now() < deadline, "in vain: {what}\n{}", server.log().join("\n"));
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// Fills a file system to the last byte.
fn fill(path: &Path) {
    let mut file = fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
    for size in [1 << 16, 1 << 12, 1] {
        while file.write_all(&vec![b'x'; size]).is_ok() {}
    }
}

#[test]
fn on_a_full_file_system_no_counter_goes_down_over_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    fs::create_dir(&state).unwrap();
    let commands = format!("mount -t tmpfs -o size=4m tmpfs '{}' && echo ready && exec cat", state.display());
    let Some(space) = Space::new("a full file system", &commands) else { return };
    let mut server = space.server(dir.path(), "*.log");
    let mut judge = Judge::default();
    append(&dir.path().join("a.log"), 0..10);
    counted(&mut server, &mut judge, 10);
    let filler = space.inside(&state).join("filler");
    fill(&filler);
    // So many new files that the store has to grow.
    let mut lines = 10;
    (0..2000).for_each(|file| append(&dir.path().join(format!("{file}.log")), 0..1));
    lines += 2000;
    until(&mut server, &mut judge, "a commit that fails", |numbers| numbers["logtally_store_up{}"] == 0.0);
    failing(&mut server);
    let before = server.scrape();
    judge.see(&before).unwrap();
    frozen(&mut server, &mut judge, sum(&before, "log_events_total") as u32);
    server.kill();
    append(&dir.path().join("a.log"), 10..15);
    lines += 5;
    // Still full when it comes back: it shows what is durable.
    server.start();
    judge.see(&server.scrape()).unwrap();
    fs::remove_file(filler).unwrap();
    counted(&mut server, &mut judge, lines);
    working(&mut server);
}

#[test]
fn on_a_file_system_that_turns_read_only_nothing_is_shown_that_is_not_durable() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().display();
    fs::create_dir(dir.path().join("state")).unwrap();
    let mount = format!("mount -o loop,errors=remount-ro '{at}/disk' '{at}/state'");
    let commands = format!(
        "truncate -s 32M '{at}/disk' && mkfs.ext4 -q -F '{at}/disk' && {mount} && echo ready && exec cat"
    );
    let Some(space) = Space::new("a file system that turns read-only", &commands) else { return };
    let mut server = space.server(dir.path(), "*.log");
    let mut judge = Judge::default();
    append(&dir.path().join("a.log"), 0..10);
    counted(&mut server, &mut judge, 10);
    // As the kernel does after an error of the disk.
    if !space.run(&format!("mount -o remount,abort '{at}/state'")) {
        return eprintln!("skipped a file system that turns read-only: this one cannot be aborted");
    }
    append(&dir.path().join("a.log"), 10..30);
    failing(&mut server);
    frozen(&mut server, &mut judge, 10);
    server.kill();
    assert!(space.run(&format!("umount '{at}/state' && {mount}")));
    server.start();
    counted(&mut server, &mut judge, 30);
}

#[test]
fn a_bound_folder_counts_as_any_other() {
    let dir = tempfile::tempdir().unwrap();
    let (real, view) = (dir.path().join("real"), dir.path().join("view"));
    fs::create_dir(&real).unwrap();
    fs::create_dir(&view).unwrap();
    let commands =
        format!("mount --bind '{}' '{}' && echo ready && exec cat", real.display(), view.display());
    let Some(space) = Space::new("a bound folder", &commands) else { return };
    let mut server = space.server(dir.path(), "view/*.log");
    rotates_behind_its_back(&mut server, &real);
}

#[test]
fn behind_an_overlay_that_tells_nothing_everything_counts() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    ["layers", "view"].iter().for_each(|name| fs::create_dir(at(name)).unwrap());
    let commands = format!(
        "cd '{}' && mount -t tmpfs tmpfs layers && mkdir layers/lower layers/upper layers/work &&
         mount -t overlay overlay -o lowerdir=layers/lower,upperdir=layers/upper,workdir=layers/work view &&
         echo ready && exec cat",
        dir.path().display()
    );
    let Some(space) = Space::new("an overlay", &commands) else { return };
    let mut server = space.server(dir.path(), "view/*.log");
    let mut judge = Judge::default();
    // What is renamed under an overlay it goes on showing under its old name for as long as it likes: only writes.
    let log = space.inside(&at("layers/upper")).join("a.log");
    for turn in 0..5 {
        append(&log, turn * 10..turn * 10 + 10);
        counted(&mut server, &mut judge, turn * 10 + 10);
        if turn == 2 {
            server.kill();
            server.start();
        }
    }
}

/// Writes, rotates, deletes and kills, all where the server does not look.
fn rotates_behind_its_back(server: &mut Server, real: &Path) {
    let mut judge = Judge::default();
    let (log, old) = (real.join("a.log"), real.join("a.log.1"));
    append(&log, 0..10);
    counted(server, &mut judge, 10);
    append(&log, 10..20);
    fs::rename(&log, &old).unwrap();
    append(&log, 0..5);
    append(&old, 20..25);
    counted(server, &mut judge, 30);
    server.kill();
    append(&log, 5..10);
    fs::rename(&log, &old).unwrap();
    append(&log, 0..1);
    server.start();
    let numbers = counted(server, &mut judge, 36);
    assert_eq!(sum(&numbers, "logtally_lost_bytes_total"), 0.0);
}

/// A folder behind FUSE, written to from elsewhere, as one on NFS is.
fn remote(test: &str, dir: &Path) -> Option<Space> {
    ["real", "view"].iter().for_each(|name| fs::create_dir(dir.join(name)).unwrap());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exactly_once/passthrough.py");
    let commands = format!("cd '{}' && exec python3 '{}' real view fault", dir.display(), script.display());
    Space::new(test, &commands)
}

#[test]
fn a_folder_written_to_by_others_is_polled() {
    let dir = tempfile::tempdir().unwrap();
    let Some(space) = remote("a folder written to by others", dir.path()) else { return };
    let mut server = space.server(dir.path(), "view/*.log");
    rotates_behind_its_back(&mut server, &dir.path().join("real"));
}

#[test]
fn what_cannot_be_read_for_a_while_is_told_and_counts_later() {
    let dir = tempfile::tempdir().unwrap();
    let Some(space) = remote("a file that cannot be read", dir.path()) else { return };
    let mut server = space.server(dir.path(), "view/*.log");
    let mut judge = Judge::default();
    let (log, old) = (dir.path().join("real/a.log"), dir.path().join("real/a.log.1"));
    append(&log, 0..10);
    counted(&mut server, &mut judge, 10);
    fs::write(dir.path().join("fault"), "").unwrap();
    append(&log, 10..30);
    let errors = "logtally_file_errors_total{input=one,reason=read}";
    until(&mut server, &mut judge, "an error of reading", |numbers| numbers[errors] > 0.0);
    // A file that appears, one that moves, and a crash: all while nothing can be read.
    append(&dir.path().join("real/b.log"), 0..7);
    until(&mut server, &mut judge, "another", |numbers| numbers[errors] > 1.0);
    fs::rename(&log, &old).unwrap();
    append(&log, 0..3);
    server.kill();
    server.start();
    let numbers = until(&mut server, &mut judge, "an error after the kill", |numbers| numbers[errors] > 2.0);
    assert_eq!(sum(&numbers, "log_events_total"), 10.0);
    fs::remove_file(dir.path().join("fault")).unwrap();
    let numbers = counted(&mut server, &mut judge, 40);
    assert_eq!(sum(&numbers, "logtally_lost_bytes_total"), 0.0);
}
