//! What the service manager is told, as sd_notify(3) says: ready, reloading, stopping, and that the readers still work.
//!
//! The protocol is a datagram of `KEY=VALUE` lines to the socket in `$NOTIFY_SOCKET`; without it nothing happens.

use rustix::time::{ClockId, clock_gettime};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often readiness is looked at before it is there.
const POLL: Duration = Duration::from_millis(100);
/// How often more time is asked for while files are caught up with, and how much.
const EXTEND: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(30)];
/// An idle reader goes round twice a second; below this nobody is stuck.
const PATIENT: Duration = Duration::from_secs(2);

/// The way to the service manager.
pub(super) struct Supervisor {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
    ready: AtomicBool,
}

/// A name in the abstract space, which Linux alone has.
#[cfg(all(target_os = "linux", not(logtally_portable)))]
fn abstract_address(name: &[u8]) -> std::io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt;
    SocketAddr::from_abstract_name(name)
}

#[cfg(not(all(target_os = "linux", not(logtally_portable))))]
fn abstract_address(_name: &[u8]) -> std::io::Result<SocketAddr> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// What is watched over.
pub(super) trait Watched {
    /// Whether all is caught up and the store works; the error says what is missing.
    fn ready(&self) -> Result<(), String>;
    /// How long the slowest reader has not come round; no end where one has ended.
    fn silence(&self) -> Duration;
}

impl Supervisor {
    /// The service manager that the environment names; a log line for the caller where it cannot be reached.
    ///
    /// # Errors
    /// What is wrong with the socket; going on without a service manager is right then.
    pub(super) fn from_env() -> Result<Supervisor, String> {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let text = |name: &str| variable(name)?.into_string().ok();
        let Some(name) = variable("NOTIFY_SOCKET") else { return Ok(Supervisor::none()) };
        let watchdog =
            watchdog(text("WATCHDOG_USEC").as_deref(), text("WATCHDOG_PID").as_deref(), std::process::id());
        Supervisor::at(&name, watchdog).map_err(|error| format!("{}: {error}", name.display()))
    }

    /// Nobody to tell.
    pub(super) fn none() -> Supervisor {
        Supervisor { socket: None, watchdog: None, ready: AtomicBool::new(false) }
    }

    /// `name`: a path, or after an `@` a name in the abstract space.
    fn at(name: &OsStr, watchdog: Option<Duration>) -> std::io::Result<Supervisor> {
        let address = match name.as_bytes() {
            [b'@', rest @ ..] => abstract_address(rest)?,
            _ => SocketAddr::from_pathname(name)?,
        };
        let socket = UnixDatagram::unbound()?;
        // A manager that does not read must not hold us up.
        socket.set_nonblocking(true)?;
        Ok(Supervisor { socket: Some((socket, address)), watchdog, ready: AtomicBool::new(false) })
    }

    fn tell(&self, text: &str) {
        if let Some((socket, address)) = &self.socket {
            // There is nobody to tell that nobody can be told.
            let _ = socket.send_to_addr(text.as_bytes(), address);
        }
    }

    /// A reload has begun. Before the first readiness nothing is said: what follows would mean readiness.
    pub(super) fn reloading(&self) {
        if self.ready.load(SeqCst) {
            let now = clock_gettime(ClockId::Monotonic);
            let micros = now.tv_sec as i128 * 1_000_000 + now.tv_nsec as i128 / 1000;
            self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={micros}\nSTATUS=Reloading the config"));
        }
    }

    /// A reload is over.
    pub(super) fn reloaded(&self, good: bool) {
        if self.ready.load(SeqCst) {
            let status =
                if good { "Following" } else { "The config was refused, the one before is in force" };
            self.tell(&format!("READY=1\nSTATUS={status}"));
        }
    }

    /// The end has begun.
    pub(super) fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=Stopping");
    }

    /// Tells when all is ready, and from then on that the readers work, until `stop` hangs up.
    pub(super) fn supervise(&self, watched: &dyn Watched, stop: &Receiver<()>) {
        if self.socket.is_none() {
            return;
        }
        let mut extended: Option<Instant> = None;
        loop {
            let wait = match self.ready.load(SeqCst) {
                false => {
                    self.look(watched, &mut extended);
                    POLL
                }
                true => {
                    let Some(every) = self.watchdog else { return };
                    if watched.silence() < every.max(PATIENT) {
                        self.tell("WATCHDOG=1");
                    }
                    every
                }
            };
            if stop.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }

    /// Tells of readiness, or asks for more time: how long there is to read nobody knows beforehand.
    fn look(&self, watched: &dyn Watched, extended: &mut Option<Instant>) {
        match watched.ready() {
            Ok(()) => {
                self.tell("READY=1\nSTATUS=Following");
                self.ready.store(true, SeqCst);
            }
            Err(why) if extended.is_none_or(|at| at.elapsed() >= EXTEND[0]) => {
                *extended = Some(Instant::now());
                if watched.silence() < EXTEND[1] {
                    let status = format!("Not ready: {}", why.replace('\n', " "));
                    self.tell(&format!("EXTEND_TIMEOUT_USEC={}\nSTATUS={status}", EXTEND[1].as_micros()));
                }
            }
            Err(_) => {}
        }
    }
}

/// How often the watchdog is to hear of us: at half of its time. `pid`: the process that it means, where it says so.
fn watchdog(micros: Option<&str>, pid: Option<&str>, own: u32) -> Option<Duration> {
    let micros: u64 = micros?.parse().ok().filter(|micros| *micros > 0)?;
    let ours = pid.is_none_or(|pid| pid.parse() == Ok(own));
    ours.then_some(Duration::from_micros(micros / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::mpsc;

    struct Fake {
        ready: AtomicBool,
        silence: Mutex<Duration>,
    }

    impl Watched for Fake {
        fn ready(&self) -> Result<(), String> {
            if self.ready.load(SeqCst) { Ok(()) } else { Err("catching\nup".to_owned()) }
        }
        fn silence(&self) -> Duration {
            *self.silence.lock().unwrap()
        }
    }

    fn next(manager: &UnixDatagram) -> Option<String> {
        let mut bytes = [0; 512];
        let length = manager.recv(&mut bytes).ok()?;
        Some(String::from_utf8(bytes[..length].to_vec()).unwrap())
    }

    #[test]
    fn a_stuck_reader_silences_the_watchdog() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let supervisor = Supervisor::at(path.as_os_str(), Some(Duration::from_millis(5))).unwrap();
        let fake = Fake { ready: AtomicBool::new(false), silence: Mutex::default() };
        let (stop, stopped) = mpsc::channel();
        let (supervisor, fake) = (&supervisor, &fake);
        std::thread::scope(|scope| {
            scope.spawn(move || supervisor.supervise(fake, &stopped));
            assert_eq!(
                next(&manager).unwrap(),
                "EXTEND_TIMEOUT_USEC=30000000\nSTATUS=Not ready: catching up"
            );
            supervisor.reloading();
            supervisor.reloaded(true);
            fake.ready.store(true, SeqCst);
            assert_eq!(next(&manager).unwrap(), "READY=1\nSTATUS=Following", "no reload before it");
            assert_eq!(next(&manager).unwrap(), "WATCHDOG=1");
            *fake.silence.lock().unwrap() = Duration::MAX;
            // What was under way when the reader got stuck still comes; then nothing does.
            manager.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
            while next(&manager).is_some() {}
            *fake.silence.lock().unwrap() = Duration::ZERO;
            manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            assert_eq!(next(&manager).unwrap(), "WATCHDOG=1");
            drop(stop);
        });
    }

    #[test]
    fn the_watchdog_means_this_process_or_none() {
        let half = Some(Duration::from_secs(15));
        assert_eq!(watchdog(Some("30000000"), None, 7), half);
        assert_eq!(watchdog(Some("30000000"), Some("7"), 7), half);
        assert_eq!(watchdog(Some("30000000"), Some("8"), 7), None);
        for micros in [None, Some(""), Some("0"), Some("soon")] {
            assert_eq!(watchdog(micros, None, 7), None, "{micros:?}");
        }
    }

    #[test]
    fn a_reader_that_cannot_go_on_falls_silent() {
        use crate::{app, config, follow, notice};
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("app.log");
        std::fs::write(&file, "").unwrap();
        let given = config::Given { files: vec![file], ..Default::default() };
        let built = app::build::build(config::load(&given).unwrap()).unwrap();
        let feeds = app::run::feeds(&built).unwrap();
        let log =
            notice::Log::new(notice::Severity::Error, notice::Format::Logfmt, Box::new(std::io::sink()));
        let guard = built.guard.clone();
        let follow = follow::Follow::new(feeds, guard, None, follow::Options::default(), log.into());
        let follow = std::sync::Arc::new(follow.unwrap());
        follow.start();
        let until = |what: &str, good: &dyn Fn() -> bool| {
            let deadline = Instant::now() + Duration::from_secs(20);
            while !good() {
                assert!(Instant::now() < deadline, "waited in vain until {what}");
                std::thread::park_timeout(Duration::from_millis(5));
            }
        };
        // Whoever looks at an input holds it: its reader has to wait.
        follow.peek(|_| until("it is silent", &|| follow.silence() > Duration::from_millis(900)));
        until("it goes on", &|| follow.silence() < Duration::from_millis(600));
        follow.stop();
    }
}
