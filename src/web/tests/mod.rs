//! The server over real sockets on loopback, with clients good and bad.

use std::io::Read;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::status::Status;
use super::*;
use crate::tally::exposition::{Desc, Head, Kind, Value, Visit};

mod access;
mod clients;
mod identity;

/// A backend whose every answer a test can set.
#[derive(Default)]
struct Fake {
    samples: usize,
    panics: AtomicBool,
    /// While true, a scrape waits.
    held: Mutex<bool>,
    released: Condvar,
    scraping: AtomicUsize,
    not_ready: Option<String>,
    facts: Mutex<Vec<Fact>>,
}

impl Fake {
    fn hold(&self, held: bool) {
        *self.held.lock().unwrap() = held;
        self.released.notify_all();
    }
}

struct Numbers(usize, bool);

impl Source for Numbers {
    fn visit(&self, to: &mut dyn Visit) {
        to.family(&Desc {
            name: "log_events_total".into(),
            help: "Events.".into(),
            kind: Kind::Counter,
            unit: None,
        });
        for i in 0..self.0 {
            assert!(!(self.1 && i == 5_000), "half-way");
            to.sample(&Head::new([("n", i.to_string())]), &[], Value::Int(i as u64));
        }
    }
}

impl Backend for Fake {
    fn scrape(&self, _: Option<&str>) -> Result<Box<dyn Source>, ScrapeError> {
        self.scraping.fetch_add(1, Ordering::SeqCst);
        let mut held = self.held.lock().unwrap();
        while *held {
            held = self.released.wait(held).unwrap();
        }
        drop(held);
        let panics = self.panics.load(Ordering::SeqCst);
        assert!(!(panics && self.samples == 0), "at once");
        match self.samples {
            13 => Err(ScrapeError("the store is down".to_owned())),
            n => Ok(Box::new(Numbers(n, panics))),
        }
    }
    fn status(&self) -> Status {
        Status { version: "1.2.3".to_owned(), ..Status::default() }
    }
    fn ready(&self) -> Result<(), String> {
        self.not_ready.clone().map_or(Ok(()), Err)
    }
    fn healthy(&self) -> Result<(), String> {
        Ok(())
    }
    fn reload(&self) -> Result<String, String> {
        Ok("reloaded".to_owned())
    }
    fn note(&self, fact: Fact) {
        self.facts.lock().unwrap().push(fact);
    }
}

/// A running server.
struct Server {
    address: SocketAddr,
    backend: Arc<Fake>,
    gate: Gate,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<std::io::Result<()>>,
}

fn start(backend: Fake, options: Options) -> Server {
    let listeners = bind(&["127.0.0.1:0".to_owned()]).unwrap();
    let address = listeners[0].address().unwrap();
    let backend = Arc::new(backend);
    let gate = options.gate.clone();
    let (stop, stopped) = oneshot::channel();
    let serving = serve(listeners, Arc::clone(&backend) as Arc<dyn Backend>, options, async {
        let _ = stopped.await;
    });
    Server { address, backend, gate, stop: Some(stop), task: tokio::spawn(serving) }
}

const LONG: Duration = Duration::from_secs(20);

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes and reads until the server closes.
    async fn send(&self, bytes: impl AsRef<[u8]>) -> String {
        String::from_utf8_lossy(&self.send_raw(bytes).await).into_owned()
    }

    async fn send_raw(&self, bytes: impl AsRef<[u8]>) -> Vec<u8> {
        let mut stream = self.connect().await;
        // The server may close before it has read everything.
        let _ = stream.write_all(bytes.as_ref()).await;
        let mut answer = Vec::new();
        let _ = timeout(LONG, stream.read_to_end(&mut answer)).await.expect("the server closes");
        answer
    }

    async fn get(&self, path: &str, headers: &str) -> String {
        self.send(request("GET", path, headers)).await
    }

    async fn finish(mut self) -> Duration {
        let begun = Instant::now();
        self.stop.take().unwrap().send(()).unwrap();
        timeout(LONG, &mut self.task).await.expect("the server stops").unwrap().unwrap();
        begun.elapsed()
    }
}

fn request(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n")
}

fn status_of(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("")
}

fn split(answer: &[u8]) -> (String, &[u8]) {
    let at = answer.windows(4).position(|w| w == b"\r\n\r\n").expect("a head");
    (String::from_utf8_lossy(&answer[..at]).to_lowercase(), &answer[at + 4..])
}

/// A body without its chunk sizes; panics if the last chunk is missing.
fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let at = body.windows(2).position(|w| w == b"\r\n").expect("a chunk size");
        let size = usize::from_str_radix(std::str::from_utf8(&body[..at]).unwrap(), 16).unwrap();
        body = &body[at + 2..];
        if size == 0 {
            return out;
        }
        out.extend_from_slice(&body[..size]);
        body = &body[size + 2..];
    }
}

/// Waits for a condition that other tasks bring about.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::task::yield_now().await;
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Runs a test with a server of its own.
fn with<F: AsyncFnOnce(Server)>(backend: Fake, options: Options, test: F) {
    let runtime = runtime();
    runtime.block_on(async {
        test(start(backend, options)).await;
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
}

#[test]
fn a_wrong_path_is_told_the_right_ones() {
    let options = Options { telemetry_path: "/numbers".to_owned(), ..Options::default() };
    with(Fake::default(), options, async |server| {
        let answer = server.get("/metrics", "").await;
        assert!(answer.contains("404") && answer.contains("/numbers,"), "{answer}");
    });
}

#[test]
fn routes_answer_as_people_expect() {
    with(Fake::default(), Options::default(), async |server| {
        for (path, status, body) in [
            ("/-/healthy", "200", "logtally is healthy.\n"),
            ("/-/ready", "200", "logtally is ready.\n"),
            ("/api/v1/status", "200", "\"version\":\"1.2.3\""),
            ("/api/v1/status?x=y", "200", "\"version\":\"1.2.3\""),
            ("/", "200", "href=\"metrics\""),
            ("/assets/page.js", "200", ""),
            ("/assets/../Cargo.toml", "404", "Not found"),
            ("/metrics/", "404", "Not found"),
            ("/%00", "404", "Not found"),
            ("/-/reload", "403", "--web.enable-lifecycle"),
        ] {
            let answer = server.get(path, "").await;
            assert_eq!(status_of(&answer), status, "{path}: {answer}");
            assert!(answer.contains(body), "{path}: {answer}");
            assert!(answer.contains("content-security-policy: default-src 'none'"), "{path}: {answer}");
            assert!(answer.contains("x-content-type-options: nosniff"), "{path}: {answer}");
        }
    });
}

#[test]
fn methods_are_checked_and_head_has_no_body() {
    with(Fake { samples: 3, ..Fake::default() }, Options::default(), async |server| {
        for path in ["/", "/metrics", "/-/healthy", "/api/v1/status"] {
            let head = server.send(request("HEAD", path, "")).await;
            assert_eq!(status_of(&head), "200", "{head}");
            assert!(head.ends_with("\r\n\r\n"), "{head}");
            let post = server.send(request("POST", path, "content-length: 0\r\n")).await;
            assert_eq!(status_of(&post), "405", "{post}");
            assert!(post.contains("allow: GET, HEAD"), "{post}");
            assert_eq!(status_of(&server.send(request("BREW", path, "")).await), "405");
        }
        assert_eq!(server.backend.scraping.load(Ordering::SeqCst), 0, "HEAD asks for no numbers");
    });
}

#[test]
fn reload_needs_the_lifecycle_a_post_and_our_own_page() {
    let options = Options { enable_lifecycle: true, ..Options::default() };
    with(Fake::default(), options, async |server| {
        assert_eq!(status_of(&server.get("/-/reload", "").await), "405");
        for method in ["POST", "PUT"] {
            let answer = server.send(request(method, "/-/reload", "content-length: 0\r\n")).await;
            assert!(status_of(&answer) == "200" && answer.ends_with("reloaded\n"), "{answer}");
        }
        let foreign = "content-length: 0\r\nsec-fetch-site: cross-site\r\n";
        assert_eq!(status_of(&server.send(request("POST", "/-/reload", foreign)).await), "403");
    });
}

#[test]
fn scrapes_are_negotiated_and_compressed() {
    with(Fake { samples: 20_000, ..Fake::default() }, Options::default(), async |server| {
        let plain = server.send_raw(request("GET", "/metrics", "")).await;
        let (head, body) = split(&plain);
        assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
        assert!(head.contains("vary: accept, accept-encoding"), "{head}");
        let plain = unchunked(body);
        assert_eq!(plain.iter().filter(|b| **b == b'\n').count(), 20_002);

        let open =
            server.send_raw(request("GET", "/metrics", "accept: application/openmetrics-text\r\n")).await;
        let (head, body) = split(&open);
        assert!(
            head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"),
            "{head}"
        );
        assert!(unchunked(body).ends_with(b"# EOF\n"));

        let gzip = server.send_raw(request("GET", "/metrics", "accept-encoding: gzip\r\n")).await;
        let (head, body) = split(&gzip);
        assert!(head.contains("content-encoding: gzip"), "{head}");
        let mut out = Vec::new();
        flate2::read::GzDecoder::new(&*unchunked(body)).read_to_end(&mut out).unwrap();
        assert!(out == plain);

        let zstd = server.send_raw(request(
            "GET",
            "/metrics",
            "accept-encoding: gzip;q=0.5\r\naccept-encoding: zstd\r\n",
        ));
        let zstd = zstd.await;
        let (head, body) = split(&zstd);
        assert!(head.contains("content-encoding: zstd"), "{head}");
        assert!(zstd::decode_all(&*unchunked(body)).unwrap() == plain);
    });
}

#[test]
fn the_telemetry_path_moves() {
    let options = Options { telemetry_path: "/a\"b".to_owned(), ..Options::default() };
    with(Fake::default(), options, async |server| {
        assert_eq!(status_of(&server.get("/metrics", "").await), "404");
        assert!(server.get("/", "").await.contains("href=\"a&quot;b\""));
    });
}

#[test]
fn a_backend_that_fails_panics_or_is_not_ready_is_told() {
    with(Fake { samples: 13, ..Fake::default() }, Options::default(), async |server| {
        let answer = server.get("/metrics", "").await;
        assert!(status_of(&answer) == "503" && answer.contains("the store is down"), "{answer}");
    });
    let fake = Fake { panics: true.into(), not_ready: Some("2 files behind".to_owned()), ..Fake::default() };
    with(fake, Options::default(), async |server| {
        assert_eq!(status_of(&server.get("/metrics", "").await), "500");
        assert!(matches!(server.backend.facts.lock().unwrap()[..], [Fact::Panicked(_)]));
        let answer = server.get("/-/ready", "").await;
        assert!(status_of(&answer) == "503" && answer.contains("2 files behind"), "{answer}");
        assert_eq!(status_of(&server.get("/-/healthy", "").await), "200");
    });
}

#[test]
fn an_answer_that_breaks_off_does_not_look_whole() {
    with(
        Fake { samples: 50_000, panics: true.into(), ..Fake::default() },
        Options::default(),
        async |server| {
            let answer = server.send_raw(request("GET", "/metrics", "")).await;
            assert!(answer.starts_with(b"HTTP/1.1 200") && !answer.ends_with(b"0\r\n\r\n"));
            assert_eq!(status_of(&server.get("/-/healthy", "").await), "200");
        },
    );
}

#[test]
fn the_scrape_timeout_is_honoured() {
    with(Fake::default(), Options::default(), async |server| {
        server.backend.hold(true);
        let answer = server.get("/metrics", "X-Prometheus-Scrape-Timeout-Seconds: 0.2\r\n").await;
        assert!(status_of(&answer) == "503" && answer.contains("No numbers within 100ms"), "{answer}");
        server.backend.hold(false);
        for value in ["0", "-1", "nan", "1e400", "soon", ""] {
            let header = format!("X-Prometheus-Scrape-Timeout-Seconds: {value}\r\n");
            assert_eq!(status_of(&server.get("/metrics", &header).await), "200", "{value}");
        }
    });
}

impl Fake {
    /// Whether nobody but the server and the test holds this backend: no scrape is under way.
    fn idle(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) == 2
    }
}

#[test]
fn the_page_opens_with_a_history() {
    with(Fake::default(), Options::default(), async |server| {
        let deadline = Instant::now() + LONG;
        // The first sample is taken at the start.
        while !server.get("/api/v1/status?history", "").await.contains("\"history\":[[1") {
            assert!(Instant::now() < deadline, "never a sample");
        }
        assert!(!server.get("/api/v1/status", "").await.contains("history"));
    });
}

#[test]
fn every_file_that_the_page_names_is_served() {
    with(Fake::default(), Options::default(), async |server| {
        let page = include_str!("../assets/page.html");
        let mut files = 0;
        for part in page.split('"').filter(|part| part.starts_with("assets/")) {
            let answer = server.get(&format!("/{part}"), "").await;
            assert_eq!(status_of(&answer), "200", "{part}");
            files += 1;
        }
        assert!(files >= 6);
        assert!(
            !page.contains("://") && !page.contains("style=") && !page.contains("onclick"),
            "the policy forbids it"
        );
    });
}
