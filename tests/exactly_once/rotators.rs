//! The tools that people rotate with: logrotate, Python's handlers, Loguru. The exporter is killed between and during.

use super::Random;
use super::judge::{Judge, sum};
use super::schedule::Subject;
use super::server::Server;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A program that writes as many lines as it is told to.
struct Writer {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Lines are 100 bytes long and a rotation comes about every 400 of them.
const SCRIPT: &str = r##"
import logging, logging.handlers, sys
kind, path = sys.argv[1:3]
if kind.startswith("loguru"):
    from loguru import logger
    logger.remove()
    logger.add(path, format="{time:YYYY-MM-DD HH:mm:ss.SSS} | {level: <8} | shop:f:1 - boom {message}",
               rotation=40_000, retention=4, compression=kind.split("-")[1] if "-" in kind else None)
    say = logger.info
else:
    handlers = logging.handlers
    handler = {
        "size": lambda: handlers.RotatingFileHandler(path, maxBytes=40_000, backupCount=4),
        "time": lambda: handlers.TimedRotatingFileHandler(path, when="S", interval=1, backupCount=4),
        "watched": lambda: handlers.WatchedFileHandler(path),
        "plain": lambda: logging.FileHandler(path),
    }[kind]()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s shop.db boom %(message)s"))
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)
    say = logging.info
number = 0
for ask in sys.stdin:
    for _ in range(int(ask)):
        number += 1
        say(f"#{number:06} {'x' * 45}")
    print("done", flush=True)
"##;

impl Writer {
    fn new(kind: &str, path: &Path) -> Writer {
        let python = std::env::var_os("LOGTALLY_TEST_PYTHON")
            .map(PathBuf::from)
            .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python"));
        let mut command = Command::new(&python);
        command.args(["-c", SCRIPT, kind]).arg(path).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| {
            panic!("{}: {error}; `make prepare` makes it, or set LOGTALLY_TEST_PYTHON", python.display())
        });
        let (ask, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Writer { child, ask, answers }
    }

    fn write(&mut self, lines: u64) {
        writeln!(self.ask, "{lines}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert_eq!(answer, "done\n", "the writer failed; see its error above");
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An exporter over `app*`, what was written, and what scrapes have shown.
struct Case {
    dir: tempfile::TempDir,
    server: Server,
    judge: Judge,
    lines: u64,
    random: Random,
}

impl Case {
    fn new(seed: u64) -> Case {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().display();
        let config = format!("inputs: [{{name: one, include: ['{at}/logs/app*']}}]\nrules: []\nhost: off\n");
        std::fs::write(dir.path().join("logtally.yml"), config).unwrap();
        std::fs::create_dir(dir.path().join("logs")).unwrap();
        let mut server = Server::of(dir.path());
        server.start();
        server.scrape();
        Case { dir, server, judge: Judge::default(), lines: 0, random: Random::new(seed) }
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("logs/app.log")
    }

    fn rotated(&self) -> usize {
        std::fs::read_dir(self.dir.path().join("logs")).unwrap().count() - 1
    }

    fn settle(&mut self) {
        if !self.server.is_up() {
            self.server.start();
        }
        let wanted = self.lines as f64;
        let numbers = self
            .server
            .settle(&mut self.judge, &|numbers| sum(numbers, "log_lines_total") >= wanted)
            .unwrap();
        let names: Vec<_> = std::fs::read_dir(self.dir.path().join("logs")).unwrap().flatten().collect();
        let log = self.server.log().join("\n");
        assert_eq!(sum(&numbers, "log_lines_total"), wanted, "lines; {names:?}\n{log}");
        assert_eq!(sum(&numbers, "log_events_total"), wanted, "events\n{log}");
        assert_eq!(sum(&numbers, "logtally_lost_bytes_total"), 0.0, "nothing is told lost\n{log}");
    }

    /// Some lines, and before or after them perhaps a crash; never more than one rotation without a look, and none of a
    /// file that nobody ever saw: what is in an archive then, nobody can know.
    fn turn(&mut self, writer: &mut Writer) {
        writer.write(1);
        self.lines += 1;
        self.settle();
        let crash = self.random.below(4);
        if crash == 0 {
            self.server.kill();
        }
        let lines = 1 + self.random.below(350);
        writer.write(lines);
        self.lines += lines;
        if crash == 1 {
            self.server.kill();
        }
    }
}

fn handler(kind: &str, seed: u64) {
    let mut case = Case::new(seed);
    let mut writer = Writer::new(kind, &case.log());
    let (mut turns, mut most) = (0, 0);
    while turns < 14 || (most < 4 && turns < 3000) {
        case.turn(&mut writer);
        (turns, most) = (turns + 1, most.max(case.rotated()));
    }
    assert!(most >= 3, "{kind} rotated");
    case.settle();
}

#[test]
fn python_rotates_by_size() {
    handler("size", 1);
}

#[test]
fn python_rotates_by_time() {
    handler("time", 2);
}

#[test]
fn loguru_rotates_and_deletes() {
    handler("loguru", 3);
}

#[test]
fn loguru_rotates_and_compresses() {
    for (seed, ending) in ["gz", "bz2", "xz"].into_iter().enumerate() {
        handler(&format!("loguru-{ending}"), 4 + seed as u64);
    }
}

/// `kind`: who writes; a plain writer does not notice that its file was moved, so that it needs copytruncate.
fn logrotate(kind: &str, options: &str, seed: u64) {
    let mut case = Case::new(seed);
    let mut writer = Writer::new(kind, &case.log());
    let conf = case.dir.path().join("logrotate.conf");
    let text = format!("{} {{\n rotate 5\n missingok\n {options}\n}}\n", case.log().display());
    std::fs::write(&conf, text).unwrap();
    // Others may not write the configuration: logrotate insists.
    std::fs::set_permissions(&conf, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    for _ in 0..8 {
        case.turn(&mut writer);
        if options.contains("dateext") {
            // Two files of one second would have one name; logrotate's clock is some milliseconds late.
            let now = || std::time::UNIX_EPOCH.elapsed().unwrap();
            let before = now().as_secs();
            while now().as_secs() == before || now().subsec_millis() < 50 {
                case.settle();
            }
        }
        let mut command = Command::new("logrotate");
        command.env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin");
        let output = command.args(["-f", "-s"]).arg(case.dir.path().join("state.txt")).arg(&conf).output();
        let output = output.expect("logrotate runs: install Debian's package `logrotate`");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }
    assert!(case.rotated() >= 3, "it rotated: {}", case.rotated());
    case.turn(&mut writer);
    case.settle();
}

#[test]
fn logrotate_moves_and_creates() {
    logrotate("watched", "create", 11);
    logrotate("watched", "nocreate", 12);
}

#[test]
fn logrotate_copies_and_truncates() {
    logrotate("plain", "copytruncate", 13);
}

#[test]
fn logrotate_compresses() {
    logrotate("watched", "create\n compress", 14);
    logrotate("watched", "create\n compress\n delaycompress", 15);
    logrotate("plain", "copytruncate\n compress", 16);
}

#[test]
fn logrotate_names_by_date() {
    logrotate("watched", "create\n dateext\n dateformat -%Y%m%d-%H%M%S%s", 17);
    logrotate("watched", "create\n dateext\n dateformat .%s\n compress", 18);
}
