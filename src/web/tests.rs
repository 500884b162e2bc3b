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
    fn scrape(&self) -> Result<Box<dyn Source>, ScrapeError> {
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
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<std::io::Result<()>>,
}

fn start(backend: Fake, options: Options) -> Server {
    let listeners = bind(&["127.0.0.1:0".to_owned()]).unwrap();
    let address = listeners[0].address().unwrap();
    let backend = Arc::new(backend);
    let (stop, stopped) = oneshot::channel();
    let serving = serve(listeners, Arc::clone(&backend) as Arc<dyn Backend>, options, async {
        let _ = stopped.await;
    });
    Server { address, backend, stop: Some(stop), task: tokio::spawn(serving) }
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

#[test]
fn scrapes_at_once_are_bounded() {
    let options = Options { max_requests: 2, ..Options::default() };
    with(Fake::default(), options, async |server| {
        server.backend.hold(true);
        let mut first = Vec::new();
        for n in 1..=2 {
            let mut stream = server.connect().await;
            stream.write_all(request("GET", "/metrics", "").as_bytes()).await.unwrap();
            first.push(stream);
            until("a scrape", || server.backend.scraping.load(Ordering::SeqCst) == n).await;
        }
        let third = server.get("/metrics", "").await;
        assert!(status_of(&third) == "503" && third.contains("--web.max-requests=2"), "{third}");
        assert_eq!(status_of(&server.get("/-/healthy", "").await), "200");
        server.backend.hold(false);
        for mut stream in first {
            let mut answer = String::new();
            timeout(LONG, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
            assert_eq!(status_of(&answer), "200");
        }
        assert_eq!(status_of(&server.get("/metrics", "").await), "200");
    });
}

#[test]
fn readers_that_stall_make_room_for_others() {
    let options = Options { max_requests: 2, ..Options::default() };
    with(Fake { samples: 400_000, ..Fake::default() }, options, async |server| {
        let mut stalled = Vec::new();
        for _ in 0..2 {
            let mut stream = server.connect().await;
            stream.write_all(request("GET", "/metrics", "").as_bytes()).await.unwrap();
            stalled.push(stream);
        }
        until("both scrape", || server.backend.scraping.load(Ordering::SeqCst) == 2).await;
        let deadline = Instant::now() + LONG;
        // The stalled ones have a moment's grace, in which others are told to come back.
        loop {
            let answer = server.get("/metrics", "accept-encoding: zstd\r\n").await;
            if status_of(&answer) == "200" {
                break;
            }
            assert!(Instant::now() < deadline, "{answer}");
        }
    });
}

#[test]
fn slow_clients_are_dropped() {
    let options = Options {
        header_timeout: Duration::from_millis(100),
        write_timeout: Duration::from_millis(100),
        ..Options::default()
    };
    with(Fake { samples: 1_000_000, ..Fake::default() }, options, async |server| {
        assert_eq!(server.send("").await, "", "no head at all");
        assert_eq!(server.send("GET / HT").await, "", "half a head");
        // A head that trickles in is cut just so.
        let mut stream = server.connect().await;
        let begun = Instant::now();
        stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        let mut byte = [0; 1];
        while timeout(Duration::from_millis(10), stream.read(&mut byte)).await.is_err() {
            let _ = stream.write_all(b"a: b\r\n").await;
            assert!(begun.elapsed() < LONG, "still open");
        }
        // Who does not read a large answer is cut off inside it.
        let mut stream = server.connect().await;
        stream.write_all(request("GET", "/metrics", "").as_bytes()).await.unwrap();
        until("the scrape", || server.backend.scraping.load(Ordering::SeqCst) == 1).await;
        until("its end", || server.backend.idle()).await;
        let mut answer = Vec::new();
        let _ = timeout(LONG, stream.read_to_end(&mut answer)).await.unwrap();
        assert!(!answer.ends_with(b"0\r\n\r\n"), "{} bytes", answer.len());
    });
}

impl Fake {
    /// Whether nobody but the server and the test holds this backend: no scrape is under way.
    fn idle(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) == 2
    }
}

#[test]
fn a_kept_connection_outlives_the_header_timeout() {
    let options = Options { header_timeout: Duration::from_millis(50), ..Options::default() };
    with(Fake::default(), options, async |server| {
        let mut stream = server.connect().await;
        for _ in 0..2 {
            stream.write_all(b"GET /-/healthy HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
            let mut answer = Vec::new();
            while !answer.ends_with(b"healthy.\n") {
                let n = timeout(LONG, stream.read_buf(&mut answer)).await.unwrap().unwrap();
                assert!(n > 0, "closed after {:?}", String::from_utf8_lossy(&answer));
            }
            let mut byte = [0; 1];
            timeout(Duration::from_millis(150), stream.read(&mut byte)).await.expect_err("closed while idle");
        }
    });
    let options = Options { idle_timeout: Duration::from_millis(50), ..Options::default() };
    with(Fake::default(), options, async |server| {
        let answer = server.send("GET /-/healthy HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert_eq!(status_of(&answer), "200");
    });
}

#[test]
fn garbage_and_giants_are_refused() {
    with(Fake::default(), Options::default(), async |server| {
        let big = format!("GET / HTTP/1.1\r\nhost: x\r\nbig: {}\r\n\r\n", "x".repeat(100_000));
        let answer = server.send(big).await;
        assert!(answer.is_empty() || status_of(&answer) == "431", "{answer}");
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(500));
        let answer = server.send(many).await;
        assert!(answer.is_empty() || status_of(&answer) == "431", "{answer}");
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000));
        let answer = server.send(long).await;
        assert!(answer.is_empty() || matches!(status_of(&answer), "414" | "431"), "{answer}");
        for garbage in [
            &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
            b"\0\0\0\0\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ] {
            let answer = server.send(garbage).await;
            assert!(answer.is_empty() || status_of(&answer) == "400", "{answer}");
        }
        assert_eq!(status_of(&server.get("/-/healthy", "").await), "200");
    });
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    with(Fake { samples: 2, ..Fake::default() }, Options::default(), async |server| {
        let one = "GET /-/healthy HTTP/1.1\r\nhost: x\r\n\r\nGET /metrics HTTP/1.1\r\nhost: x\r\n\r\n";
        let answer = server.send(format!("{one}{one}{}", request("GET", "/nowhere", ""))).await;
        assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 4, "{answer}");
        assert!(answer.ends_with("\n") && answer.contains("404 Not Found"), "{answer}");
    });
}

#[test]
fn at_the_connection_limit_the_longest_idle_one_goes() {
    let options = Options { max_connections: 2, ..Options::default() };
    with(Fake::default(), options, async |server| {
        let mut idle = server.connect().await;
        for _ in 0..5 {
            assert_eq!(status_of(&server.get("/-/healthy", "").await), "200");
        }
        let _second = server.connect().await;
        assert_eq!(status_of(&server.get("/-/healthy", "").await), "200");
        let mut byte = [0; 1];
        assert!(matches!(timeout(LONG, idle.read(&mut byte)).await.unwrap(), Ok(0) | Err(_)));
    });
}

#[test]
fn it_stops_at_once_with_idle_connections_and_in_time_with_busy_ones() {
    with(Fake::default(), Options::default(), async |server| {
        let _idle = server.connect().await;
        let mut kept = server.connect().await;
        kept.write_all(b"GET /-/healthy HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        kept.read_u8().await.unwrap();
        assert!(server.finish().await < Duration::from_secs(2));
    });
    let options = Options { grace: Duration::from_millis(100), ..Options::default() };
    with(Fake::default(), options, async |server| {
        server.backend.hold(true);
        let mut busy = server.connect().await;
        busy.write_all(request("GET", "/metrics", "").as_bytes()).await.unwrap();
        until("the scrape", || server.backend.scraping.load(Ordering::SeqCst) == 1).await;
        let backend = Arc::clone(&server.backend);
        assert!(server.finish().await < Duration::from_secs(2));
        backend.hold(false);
    });
}

#[test]
fn a_request_in_flight_is_answered_before_the_stop() {
    with(Fake { samples: 10, ..Fake::default() }, Options::default(), async |server| {
        server.backend.hold(true);
        let mut busy = server.connect().await;
        busy.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        until("the scrape", || server.backend.scraping.load(Ordering::SeqCst) == 1).await;
        let backend = Arc::clone(&server.backend);
        let stopping = tokio::spawn(server.finish());
        backend.hold(false);
        let mut answer = String::new();
        timeout(LONG, busy.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert!(status_of(&answer) == "200" && answer.ends_with("0\r\n\r\n"), "{answer}");
        stopping.await.unwrap();
    });
}
