//! What the tests of the whole program share: the real binary, run once or kept running, HTTP by hand, a strict
//! reader of the text format, and folders that clean up after themselves.

mod exporter;
mod http;
mod prometheus;
pub(crate) mod shrink;
mod text;

pub(crate) use exporter::{Exporter, until};
pub(crate) use http::{Answer, ask};
pub(crate) use prometheus::{Database, free_address};
pub(crate) use text::{Scrape, parse};

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The longest that any test waits for something that must come.
pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// A command of the real binary that sees nothing of the caller's own settings.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logtally"));
    let own = std::env::vars_os().map(|(key, _)| key);
    own.filter(|key| key.to_string_lossy().starts_with("LOGTALLY_")).for_each(|key| {
        command.env_remove(key);
    });
    command.env_remove("STATE_DIRECTORY").args(args).stdin(Stdio::null());
    command
}

/// Runs the real binary to its end, which must come by itself.
pub(crate) fn logtally(args: &[&str]) -> Output {
    let mut command = command(args);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    let (done, waits) = std::sync::mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        let late = waits.recv_timeout(4 * PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout);
        late.then(|| rustix::process::kill_process(pid, rustix::process::Signal::KILL));
        late
    });
    let output = child.wait_with_output().unwrap();
    drop(done);
    assert!(!watch.join().unwrap(), "it does not end: {args:?}");
    output
}

/// Runs the real binary with bytes on its standard input.
pub(crate) fn logtally_fed(args: &[&str], input: &[u8]) -> Output {
    let mut command = command(args);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || {
        // It may end without reading everything.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output
}

/// What a command wrote to standard output.
pub(crate) fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What a command wrote to standard error.
pub(crate) fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The exit code; a death by a signal or a panic fails the test.
pub(crate) fn code(output: &Output) -> i32 {
    let said = err(output);
    assert!(!said.contains("panicked at"), "a panic: {said}");
    output.status.code().unwrap_or_else(|| panic!("killed by a signal: {said}"))
}

/// What `count --output json` says of these arguments.
pub(crate) fn count(args: &[&str]) -> serde_json::Value {
    let output = logtally(&[&["count", "--output", "json"], args].concat());
    assert_eq!(code(&output), 0, "{}", err(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A folder of a test's own.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    /// A new, empty folder.
    pub(crate) fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    /// Where a file of this name is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The same as text, for command lines.
    pub(crate) fn at(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        self.at(name)
    }

    /// Appends to a file, creating it where it is missing.
    pub(crate) fn append(&self, name: &str, bytes: impl AsRef<[u8]>) {
        append(&self.path(name), bytes);
    }
}

/// Appends to a file, creating it where it is missing.
pub(crate) fn append(path: &Path, bytes: impl AsRef<[u8]>) {
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(bytes.as_ref()).unwrap();
}

/// A file of the project.
pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Whether golden files are to be written anew.
pub(crate) fn updating() -> bool {
    std::env::var_os("UPDATE").is_some_and(|value| value == "1")
}

/// Compares a text with a golden file; with `UPDATE=1` writes the file.
pub(crate) fn same_as_file(path: &Path, made: &str) {
    if updating() {
        std::fs::write(path, made).unwrap();
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        there == made,
        "{} differs (UPDATE=1 writes it anew). It says\n{there}\nand this was made\n{made}",
        path.display()
    );
}

/// A random generator whose seed is printed, so that a failure can be run again with `SEED=…`.
pub(crate) struct Random(u64);

impl Random {
    /// Seeded from `SEED`, else from the clock.
    pub(crate) fn new(what: &str) -> Random {
        let given = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
        let now = || std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
        let seed = given.unwrap_or_else(now);
        eprintln!("{what}: SEED={seed}");
        Random::seeded(seed)
    }

    /// Seeded.
    pub(crate) fn seeded(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % end as u64) as usize
    }

    /// One of a list.
    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}
