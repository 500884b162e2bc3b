//! The real binary as a server on a free port: started, scraped, signalled, and killed when the test is over.

use super::{Answer, PATIENCE, Scrape, ask, command, parse};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

/// A running exporter.
pub(crate) struct Exporter {
    child: Child,
    /// Where it serves.
    pub(crate) address: String,
    log: Arc<Mutex<Vec<String>>>,
}

/// Tries until something is there; fails after [`PATIENCE`].
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for: {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

impl Exporter {
    /// Starts `logtally run` with these arguments, in memory only and without the host, and waits until it serves.
    pub(crate) fn start(args: &[&str]) -> Exporter {
        Exporter::start_with(&[&["--storage.path", "none"], args].concat(), &[])
    }

    /// Starts `logtally run` with nothing but these arguments and variables on a free port.
    pub(crate) fn start_with(args: &[&str], env: &[(&str, &str)]) -> Exporter {
        let mut command = command(&[&["run"], args].concat());
        command.envs(env.iter().copied());
        Exporter::start_command(command)
    }

    /// Starts a command that is `logtally run` already, on a free port.
    pub(crate) fn start_command(mut command: Command) -> Exporter {
        command.args(["--web.listen-address", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (say, said) = mpsc::channel();
        let (stderr, lines) = (child.stderr.take().unwrap(), log.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some(address) = address_in(&line) {
                    let _ = say.send(address);
                }
                lines.lock().unwrap().push(line);
            }
        });
        let mut exporter = Exporter { child, address: String::new(), log };
        match said.recv_timeout(PATIENCE) {
            Ok(address) => exporter.address = address,
            Err(_) => panic!("it does not serve: {:?}", exporter.log()),
        }
        exporter
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it said so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// One request.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        ask(&self.address, method, path, headers)
    }

    /// One GET.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[])
    }

    /// One scrape, read strictly.
    pub(crate) fn scrape(&self) -> Scrape {
        let answer = self.get("/metrics");
        assert_eq!(answer.status, 200, "{}", answer.text());
        parse(&answer.text())
    }

    /// Scrapes until a scrape satisfies.
    pub(crate) fn scrape_until(&self, what: &str, good: impl Fn(&Scrape) -> bool) -> Scrape {
        let mut last = None;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let scrape = self.scrape();
            if good(&scrape) {
                return scrape;
            }
            last = Some(scrape);
            std::thread::park_timeout(Duration::from_millis(10));
        }
        let logs: Vec<_> = last.iter().flat_map(|scrape| scrape.lines("log_")).collect();
        panic!("waited in vain for: {what}\n{}\n{}", logs.join("\n"), self.log().join("\n"));
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.child.id() as i32).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Asks it to stop, and says how it ended and how long that took.
    pub(crate) fn stop(&mut self) -> (ExitStatus, Duration) {
        let asked = Instant::now();
        self.signal(rustix::process::Signal::TERM);
        let status = until("the end after SIGTERM", || self.child.try_wait().unwrap());
        (status, asked.elapsed())
    }

    /// Kills it without a word.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.kill();
        let log = self.log();
        let panicked = log.iter().any(|line| line.contains("panicked at"));
        if panicked && !std::thread::panicking() {
            panic!("the exporter panicked: {}", log.join("\n"));
        }
    }
}

fn address_in(line: &str) -> Option<String> {
    let serving = line.contains("msg=serving ") || line.contains("\"msg\":\"serving\"");
    let after = line.split_once("address=").or_else(|| line.split_once("\"address\":\""));
    let address = after.filter(|_| serving)?.1.trim_start_matches('"');
    let end = address.find([' ', '"']).unwrap_or(address.len());
    Some(address[..end].trim_start_matches("http://").to_owned())
}
