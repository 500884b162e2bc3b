//! The real binary as a child process.

use super::judge::{Judge, Numbers, read};
use super::schedule::{Amid, Subject, config, rules};
use rustix::process::Signal;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The longest that anything may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A write beyond the limit on file sizes is an error, and not the end.
pub(super) const FAILS: &str = "trap '' XFSZ";

/// A life of the exporter.
struct Life {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
}

/// An exporter with its config, rules and store in a folder.
pub(super) struct Server {
    dir: PathBuf,
    life: Option<Life>,
    /// Shell commands before each start.
    pub(super) before: &'static str,
    /// What puts a command where the server is to run; nothing: here.
    pub(super) enter: Vec<String>,
    /// What all lives said.
    said: Vec<String>,
}

impl Server {
    /// Over a folder, with the config and rules of the schedules.
    pub(super) fn new(dir: &Path) -> Server {
        std::fs::write(dir.join("logtally.yml"), config(dir, dir)).unwrap();
        std::fs::write(dir.join("rules.yml"), rules(false)).unwrap();
        let mut server = Server::of(dir);
        server.before = FAILS;
        server
    }

    /// Over a folder with a config.
    pub(super) fn of(dir: &Path) -> Server {
        Server { dir: dir.to_path_buf(), life: None, before: "", enter: Vec::new(), said: Vec::new() }
    }

    /// Its process id, while it runs.
    pub(super) fn pid(&self) -> Option<rustix::process::Pid> {
        self.life.as_ref().map(|life| rustix::process::Pid::from_child(&life.child))
    }

    /// Its log, over all lives.
    pub(super) fn log(&self) -> Vec<String> {
        let now = self.life.iter().flat_map(|life| life.log.lock().unwrap().clone());
        self.said.iter().cloned().chain(now).collect()
    }

    pub(super) fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            rustix::process::kill_process(pid, signal).unwrap();
        }
    }

    pub(super) fn until<T>(&mut self, what: &str, mut look: impl FnMut(&mut Server) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(Instant::now() < deadline, "waited in vain for {what}\n{}", self.log().join("\n"));
            std::thread::park_timeout(Duration::from_millis(3));
        }
    }

    fn bury(&mut self) {
        if let Some(mut life) = self.life.take() {
            let _ = life.child.wait();
            let log = life.log.lock().unwrap().clone();
            let panic = log.iter().find(|line| line.contains("panicked at"));
            assert!(panic.is_none(), "{panic:?}");
            self.said.push("---".into());
            self.said.extend(log);
        }
    }

    fn set_rules(&self, extra: bool) {
        // Whole, since it may be starting just now.
        std::fs::write(self.dir.join("rules.fresh"), rules(extra)).unwrap();
        std::fs::rename(self.dir.join("rules.fresh"), self.dir.join("rules.yml")).unwrap();
    }

    /// Waits for the end that it was asked for.
    fn ends(&mut self) {
        let asked = Instant::now();
        let status = self.until("the end", |server| server.life.as_mut()?.child.try_wait().unwrap());
        assert!(asked.elapsed() < Duration::from_secs(5), "it stops within five seconds");
        assert!(status.success(), "{status}: {}", self.log().join("\n"));
        self.bury();
    }

    /// Where it serves, once it does.
    fn address(&mut self) -> String {
        self.until("an address", |server| {
            let life = server.life.as_mut().expect("it runs");
            let ended = life.child.try_wait().unwrap();
            let log = life.log.lock().unwrap().clone();
            assert!(ended.is_none(), "it ended: {log:?}");
            let line = log.iter().find(|line| line.contains("msg=serving"))?;
            let address = line.split_once("address=http://")?.1.split(' ').next()?;
            Some(address.to_owned())
        })
    }

    /// One GET.
    pub(super) fn get(&mut self, path: &str) -> (u16, String) {
        let address = self.address();
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let start = answer.lines().next().unwrap_or_default();
        assert!(read.is_ok(), "GET {path}: {read:?} after {} bytes that begin with {start:?}", answer.len());
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
        assert!(!head.to_ascii_lowercase().contains("chunked"), "HTTP/1.0 knows no chunks");
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }
}

impl Subject for Server {
    fn is_up(&self) -> bool {
        self.life.is_some()
    }

    fn start(&mut self) {
        let enter: Vec<&str> = self.enter.iter().map(String::as_str).chain(["sh", "-c"]).collect();
        let mut command = Command::new(enter[0]);
        command.args(&enter[1..]).arg(format!("{}\nexec \"$0\" \"$@\"", self.before));
        command.arg(env!("CARGO_BIN_EXE_logtally"));
        let own = std::env::vars_os().map(|(key, _)| key);
        own.filter(|key| key.to_string_lossy().starts_with("LOGTALLY_")).for_each(|key| {
            command.env_remove(key);
        });
        command.args(["run", "--web.listen-address", "127.0.0.1:0", "--log.level", "debug"]);
        command.arg("--config.file").arg(self.dir.join("logtally.yml"));
        command.arg("--storage.path").arg(self.dir.join("state"));
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = log.clone();
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).for_each(|line| lines.lock().unwrap().push(line));
        });
        self.life = Some(Life { child, log });
    }

    fn kill(&mut self) {
        if let Some(life) = &mut self.life {
            life.child.kill().unwrap();
        }
        self.bury();
    }

    fn stop(&mut self) {
        if self.life.is_none() {
            return;
        }
        // Asked before it listens to signals, it just ends.
        self.address();
        self.signal(Signal::TERM);
        self.ends();
    }

    fn reload_amid(&mut self, extra: bool, amid: Amid) {
        self.set_rules(extra);
        if self.life.is_none() {
            return;
        }
        self.address();
        match amid {
            Amid::Stop => [Signal::HUP, Signal::TERM].into_iter().for_each(|signal| self.signal(signal)),
            Amid::Stopped => [Signal::TERM, Signal::HUP].into_iter().for_each(|signal| self.signal(signal)),
            Amid::Kill(millis) => {
                self.signal(Signal::HUP);
                self.breathe(millis);
                return self.kill();
            }
        }
        self.ends();
    }

    fn reload(&mut self, extra: bool) {
        self.set_rules(extra);
        if self.life.is_none() {
            return;
        }
        let loads = |server: &Server| {
            let life = server.life.as_ref().expect("it runs");
            life.log.lock().unwrap().iter().filter(|line| line.contains("config reloaded")).count()
        };
        self.get("/-/healthy");
        let before = loads(self);
        self.signal(Signal::HUP);
        self.until("a reload", |server| (loads(server) > before).then_some(()));
    }

    fn fail(&mut self, failing: bool) {
        use rustix::process::{Resource, Rlimit, prlimit};
        if self.life.is_some() {
            // Not while it starts: without a store it would not.
            self.address();
            let limit = Rlimit { current: failing.then_some(0), maximum: None };
            prlimit(self.pid(), Resource::Fsize, limit).unwrap();
        }
    }

    fn scrape(&mut self) -> Numbers {
        let (status, text) = self.get("/metrics");
        assert_eq!(status, 200, "{text}");
        read(&text)
    }

    fn breathe(&mut self, millis: u64) {
        // Not to wait for anything: only for the order of things to differ.
        std::thread::park_timeout(Duration::from_millis(millis));
    }

    fn settle(&mut self, judge: &mut Judge, done: &dyn Fn(&Numbers) -> bool) -> Result<Numbers, String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let numbers = self.scrape();
            judge.see(&numbers)?;
            if done(&numbers) || Instant::now() > deadline {
                return Ok(numbers);
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut life) = self.life.take() {
            let _ = life.child.kill();
            let _ = life.child.wait();
        }
    }
}
