//! What is pushed: to a receiver of our own that answers as it is told to, and to real databases whose queries must
//! return what was written, also after an outage.

use crate::support::{Database, Exporter, Folder, ask, code, err, free_address, logtally, until};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Instant;

const ERROR: &str = "2026-11-20 12:00:00,000 ERROR shop payment declined by acme\n";

/// A request that the receiver got.
#[derive(Clone, Debug)]
struct Request {
    at: Instant,
    head: String,
    body: Vec<u8>,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn is_v2(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.contains("v2"))
    }
}

/// A receiver on loopback that answers with what `script` says of the number and content of a request.
struct Receiver {
    address: String,
    got: Arc<Mutex<Vec<Request>>>,
}

type Script = dyn Fn(usize, &Request) -> String + Send + Sync;

impl Receiver {
    fn start(script: impl Fn(usize, &Request) -> String + Send + Sync + 'static) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let got = Arc::new(Mutex::new(Vec::new()));
        let (seen, script): (_, Arc<Script>) = (got.clone(), Arc::new(script));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (seen, script) = (seen.clone(), script.clone());
                std::thread::spawn(move || converse(&stream, &seen, &*script));
            }
        });
        Receiver { address, got }
    }

    fn got(&self) -> Vec<Request> {
        self.got.lock().unwrap().clone()
    }

    fn wait(&self, what: &str, good: impl Fn(&[Request]) -> bool) -> Vec<Request> {
        until(what, || {
            let got = self.got();
            good(&got).then_some(got)
        })
    }
}

fn converse(stream: &TcpStream, seen: &Mutex<Vec<Request>>, script: &Script) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            (reader.read_line(&mut head).ok()? > 0).then_some(())?;
        }
        let mut request = Request { at: Instant::now(), head, body: Vec::new() };
        request.body = vec![0; request.header("content-length")?.parse().ok()?];
        reader.read_exact(&mut request.body).ok()?;
        let answer = {
            let mut seen = seen.lock().unwrap();
            seen.push(request.clone());
            script(seen.len(), &request)
        };
        let (status, body) = answer.split_once("\n\n").unwrap_or((&answer, ""));
        let head = status.replace('\n', "\r\n");
        write!(&*stream, "HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).ok()?;
    }
}

const WRITTEN: &str = "204 No Content\nX-Prometheus-Remote-Write-Samples-Written: 1";

/// An exporter that follows app.log of the folder and pushes as `push` says.
fn pusher(folder: &Folder, push: &str) -> Exporter {
    folder.append("app.log", "");
    let rules = "group: shop\nrules:\n  - {name: declined, match: 'declined by (?P<bank>\\w+)', labels: {bank: '${bank}'}}\n";
    folder.write("rules.yml", rules);
    let config = format!(
        "host: off\nrules: [rules.yml]\ninputs: [{{name: shop, include: [app.log]}}]\npush:\n  - {{interval: 150ms, {push}}}\n"
    );
    let config = folder.write("logtally.yml", config);
    Exporter::start_with(&["-c", &config, "--storage.path", &folder.at("store")], &[])
}

fn metric(exporter: &Exporter, name: &str) -> f64 {
    exporter.scrape().sum(&format!("logtally_push_{name}"), &[])
}

#[test]
fn a_receiver_of_2_0_gets_2_0_with_what_the_config_says() {
    let receiver = Receiver::start(|_, _| WRITTEN.to_owned());
    let folder = Folder::new();
    folder.write("password", "hush\n");
    let exporter = pusher(
        &folder,
        &format!(
            "url: 'http://{}/api/v1/write?key=hidden', headers: {{X-Scope-OrgID: shop}}, basic_auth: {{username: u, password_file: password}}",
            receiver.address
        ),
    );
    let got = receiver.wait("three requests", |got| got.len() >= 3);
    for request in &got {
        assert!(request.head.starts_with("POST /api/v1/write?key=hidden HTTP/1.1\r\n"), "{}", request.head);
        assert!(request.is_v2());
        assert_eq!(request.header("x-prometheus-remote-write-version"), Some("2.0.0"));
        assert_eq!(request.header("content-encoding"), Some("snappy"));
        assert_eq!(request.header("x-scope-orgid"), Some("shop"));
        assert_eq!(request.header("authorization"), Some("Basic dTpodXNo"));
        assert!(request.header("user-agent").unwrap().starts_with("logtally/"));
    }
    receiver.wait("the logs' series", |got| {
        let message = snap::raw::Decoder::new().decompress_vec(&got.last().unwrap().body).unwrap();
        message.windows(16).any(|part| part == b"log_events_total")
    });
    // No secret is on the page, in the metrics or in the log.
    let shown =
        [exporter.get("/").text(), exporter.get("/api/v1/status").text(), exporter.get("/metrics").text()];
    for text in shown.iter().chain([&exporter.log().join("\n")]) {
        assert!(!text.contains("hush") && !text.contains("key=hidden"), "{text}");
    }
    assert!(metric(&exporter, "sent_samples_total") > 0.0);
    assert!(metric(&exporter, "last_success_timestamp_seconds") > 1.6e9);
    // A new password needs no reload.
    folder.write("password", "anew");
    receiver.wait("the new password", |got| {
        got.last().unwrap().header("authorization") == Some("Basic dTphbmV3")
    });
}

#[test]
fn what_fails_for_a_while_is_sent_again_in_order_and_what_is_refused_is_not() {
    let receiver = Receiver::start(|number, _| match number {
        1 => "503 Service Unavailable\nRetry-After: 1".to_owned(),
        2 => "429 Too Many Requests".to_owned(),
        3 => "500 Internal Server Error".to_owned(),
        5 => "400 Bad Request\n\nout of bounds".to_owned(),
        _ => "204 No Content".to_owned(),
    });
    let folder = Folder::new();
    let exporter =
        pusher(&folder, &format!("url: 'http://{}/', protocol: remote_write_v1", receiver.address));
    let got = receiver.wait("six requests", |got| got.len() >= 6);
    assert!(got[..4].iter().all(|request| request.body == got[0].body), "the same until it is taken");
    assert!((got[1].at - got[0].at).as_millis() >= 1000, "Retry-After is honoured");
    assert_ne!(got[5].body, got[4].body, "what is refused is not sent again");
    assert!(got.iter().all(|request| request.header("x-prometheus-remote-write-version") == Some("0.1.0")));
    until("the count of the refusal", || (metric(&exporter, "failed_samples_total") > 0.0).then_some(()));
    assert_eq!(metric(&exporter, "retries_total"), 3.0);
    assert_eq!(metric(&exporter, "dropped_samples_total"), 0.0);
    let log = exporter.log().join("\n");
    assert!(log.contains("push refused") && log.contains("out of bounds"), "{log}");
}

#[test]
fn a_receiver_of_1_0_is_found_out_whether_it_says_so_or_not() {
    for answer in ["415 Unsupported Media Type", "400 Bad Request", "204 No Content"] {
        let receiver = Receiver::start(move |_, request| match request.is_v2() {
            true => answer.to_owned(),
            false => "204 No Content".to_owned(),
        });
        let folder = Folder::new();
        let exporter = pusher(&folder, &format!("url: 'http://{}/'", receiver.address));
        let got = receiver.wait("requests in 1.0", |got| got.len() >= 4);
        assert!(got[0].is_v2() && got[1..].iter().all(|request| !request.is_v2()), "{answer}");
        until("the samples", || (metric(&exporter, "sent_samples_total") > 0.0).then_some(()));
        assert_eq!(metric(&exporter, "failed_samples_total"), 0.0, "{answer}");
    }
}

#[test]
fn a_full_queue_drops_the_oldest_and_counts_it() {
    let receiver = Receiver::start(|_, _| "503 Service Unavailable".to_owned());
    let folder = Folder::new();
    // Thousands of series, so that a few cuts fill the smallest queue.
    let lines: String = (0..1500).map(|bank| ERROR.replace("acme", &format!("bank{bank}"))).collect();
    let exporter = pusher(&folder, &format!("url: 'http://{}/', queue_bytes: 64KiB", receiver.address));
    folder.append("app.log", lines);
    until("dropped samples", || (metric(&exporter, "dropped_samples_total") > 0.0).then_some(()));
    assert!(metric(&exporter, "queue_bytes") <= 65_536.0);
    assert!(exporter.get("/api/v1/status").text().contains("503"), "the page warns");
}

#[test]
fn the_end_sends_what_is_left_and_does_not_wait_for_the_deaf() {
    let receiver = Receiver::start(|_, _| WRITTEN.to_owned());
    let folder = Folder::new();
    let mut exporter = pusher(&folder, &format!("url: 'http://{}/', name: good", receiver.address));
    receiver.wait("a request", |got| !got.is_empty());
    let before = receiver.got().len();
    let (status, took) = exporter.stop();
    assert!(status.success() && took.as_secs_f64() < 5.0, "{took:?}");
    assert!(receiver.got().len() > before, "a last cut");

    // One that takes connections and says nothing.
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = Folder::new();
    let mut exporter = pusher(&folder, &format!("url: 'http://{}/'", deaf.local_addr().unwrap()));
    let _connection = deaf.accept().unwrap();
    let (status, took) = exporter.stop();
    assert!(status.success() && took.as_secs_f64() < 5.0, "{took:?}");
}

#[test]
fn a_reload_changes_receivers_and_their_counters_go_on() {
    let first = Receiver::start(|_, _| WRITTEN.to_owned());
    let second = Receiver::start(|_, _| WRITTEN.to_owned());
    let folder = Folder::new();
    let exporter = pusher(&folder, &format!("url: 'http://{}/', name: a", first.address));
    first.wait("a request", |got| got.len() >= 2);
    until("a count", || (metric(&exporter, "sent_samples_total") > 0.0).then_some(()));
    let before = metric(&exporter, "sent_samples_total");
    let config = std::fs::read_to_string(folder.path("logtally.yml")).unwrap();
    folder.write("logtally.yml", config.replace(&first.address, &second.address));
    exporter.signal(rustix::process::Signal::HUP);
    second.wait("a request to the new receiver", |got| got.len() >= 2);
    let after = first.got().len();
    second.wait("more", |got| got.len() >= 5);
    assert!(first.got().len() <= after + 1, "the old one hears nothing any more");
    assert!(metric(&exporter, "sent_samples_total") >= before);
    folder.write("logtally.yml", config.split("push:").next().unwrap());
    exporter.signal(rustix::process::Signal::HUP);
    until("the end of pushing", || {
        let log = exporter.log().join("\n");
        log.contains("push: 0 targets").then_some(())
    });
}

/// Decodes a message with the generated code of OpenTelemetry, and gives `name{attributes} value` lines.
const DECODER: &str = r#"
import gzip, sys
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
request = ExportMetricsServiceRequest.FromString(gzip.decompress(sys.stdin.buffer.read()))
def text(pairs):
    return ','.join(sorted(f'{p.key}={p.value.string_value}' for p in pairs))
for resource in request.resource_metrics:
    print('resource', text(resource.resource.attributes))
    for scope in resource.scope_metrics:
        print('scope', scope.scope.name)
        for m in scope.metrics:
            kind = m.WhichOneof('data')
            data = getattr(m, kind)
            how = [getattr(data, 'aggregation_temporality', 0), getattr(data, 'is_monotonic', False)]
            for p in data.data_points:
                value = [p.count, p.sum, list(p.bucket_counts), list(p.explicit_bounds)] if kind == 'histogram' else [p.count, p.sum, p.scale, p.zero_count, p.positive.offset, list(p.positive.bucket_counts), p.zero_threshold == 2.0 ** -128] if kind == 'exponential_histogram' else p.as_double
                print(m.name, kind, how, m.unit, text(p.attributes), p.time_unix_nano > 10**18, value)
"#;

#[test]
fn otlp_is_read_by_opentelemetrys_own_code() {
    let receiver = Receiver::start(|_, _| "200 OK\nContent-Type: application/x-protobuf".to_owned());
    let folder = Folder::new();
    let exporter = pusher(
        &folder,
        &format!(
            "url: 'http://{}/v1/metrics', protocol: otlp, labels: {{instance: host-1, zone: eu}}",
            receiver.address
        ),
    );
    folder.append("app.log", ERROR);
    until("the event", || {
        (exporter.scrape().sum("log_events_total", &[("level", "error")]) == 1.0).then_some(())
    });
    let count = receiver.got().len();
    let got = receiver.wait("two more", |got| got.len() >= count + 2);
    let last = got.last().unwrap();
    assert_eq!(last.header("content-type"), Some("application/x-protobuf"));
    let read = decode_otlp(&last.body);
    let app = folder.at("app.log");
    let event = format!("log_events_total sum [2, True]  input=shop,level=error,path={app},zone=eu True 1.0");
    for want in ["service.instance.id=host-1,service.name=logtally", "scope logtally", &event] {
        assert!(read.contains(want), "{want}\nis not in\n{read}");
    }
    let histogram = read.lines().find(|line| line.starts_with("logtally_commit_seconds")).unwrap();
    assert!(
        histogram.contains("histogram [2, False] s zone=eu True [") && histogram.contains("0.0005"),
        "{read}"
    );
    assert!(read.contains("log_file_size_bytes gauge [0, False] By"), "{read}");
}

#[test]
fn otlp_carries_exponential_histograms_to_who_takes_them() {
    let receiver = Receiver::start(|_, _| "200 OK\nContent-Type: application/x-protobuf".to_owned());
    let folder = Folder::new();
    folder.write("app.log", "");
    let rules = "group: shop\nrules:\n  - name: wait\n    match: 'wait (?P<s>[0-9.]+)s'\n    metrics:\n      - {type: histogram, name: wait_seconds, value: '${s}', unit: s, native: true}\n";
    folder.write("rules.yml", rules);
    let config = format!(
        "host: off\nrules: [rules.yml]\ninputs: [{{name: shop, include: [app.log], path_label: none}}]\npush:\n  - {{url: 'http://{}/', protocol: otlp, interval: 150ms, send_native_histograms: true}}\n",
        receiver.address
    );
    let exporter = Exporter::start(&["-c", &folder.write("logtally.yml", config)]);
    exporter.scrape_until("the log is followed", |s| !s.lines("log_lines_total").is_empty());
    let line = |value| format!("2026-11-20 12:00:00,000 INFO shop wait {value}s\n");
    folder.append("app.log", [line("1"), line("1"), line("0.7"), line("1.25"), line("0")].concat());
    // Scale and zeros; the first bucket ends at 2^(-4/8), that of 1 is four later, that of 1.25 another three.
    let want = "wait_seconds exponential_histogram [2, False] s input=shop True [5, 3.95, 3, 1, -5, [1, 0, 0, 0, 2, 0, 0, 1], True]";
    until("all values", || {
        let got = receiver.got();
        let read = decode_otlp(&got.last()?.body);
        assert!(!read.contains("wait_seconds histogram"), "one name, one type: {read}");
        read.contains(want).then_some(())
    });
}

fn decode_otlp(body: &[u8]) -> String {
    let python = std::env::var("LOGTALLY_TEST_PYTHON").unwrap_or_else(|_| ".venv/bin/python".to_owned());
    let mut command = Command::new(python);
    command.args(["-c", DECODER]).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(body).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the message is not what OpenTelemetry reads");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_receiver_behind_tls_is_known_by_its_certificate() {
    let folder = Folder::new();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    folder.write("cert.pem", made.cert.pem());
    folder.write("key.pem", made.signing_key.serialize_pem());
    // Another exporter's port speaks TLS and answers 404 or 405: enough to see who trusts whom.
    let web = folder.write("web.yml", "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n");
    let app = folder.write("other.log", "");
    let server = Exporter::start(&["--web.config.file", &web, &app]);
    let port = server.address.trim_start_matches("https://").rsplit(':').next().unwrap().to_owned();
    for (tls, want) in [
        ("", "certificate"),
        ("tls: {ca_file: cert.pem}, ", "push refused"),
        ("tls: {insecure_skip_verify: true}, ", "push refused"),
    ] {
        let exporter = pusher(&folder, &format!("{tls}url: 'https://localhost:{port}/'"));
        until(want, || exporter.log().iter().any(|line| line.contains(want)).then_some(()));
    }
}

#[test]
fn a_certificate_that_is_none_stops_the_start() {
    let folder = Folder::new();
    folder.write("ca.pem", "nothing\n");
    let config = "inputs: []\npush: [{url: 'https://localhost/', tls: {ca_file: ca.pem}}]\n";
    let config = folder.write("logtally.yml", config);
    let output =
        logtally(&["run", "-c", &config, "--storage.path", "none", "--web.listen-address", "127.0.0.1:0"]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("ca.pem holds no certificate"), "{}", err(&output));
    let check = logtally(&["check", "-c", &config]);
    assert!(code(&check) == 2 && err(&check).contains("ca.pem holds no certificate"), "{}", err(&check));
}

/// What logtally counts must be what the database holds.
fn same_numbers(exporter: &Exporter, database: &Database) {
    until("the same numbers in both", || {
        let scrape = exporter.scrape();
        let results = database.results("{__name__=~\"log_.*_total\",job=\"logtally\"}");
        let stored: f64 =
            results.iter().map(|r| r["value"][1].as_str().unwrap().parse::<f64>().unwrap()).sum();
        let (mut counted, mut series) = (0.0, 0);
        for name in [
            "log_events_total",
            "log_lines_total",
            "log_bytes_total",
            "log_pattern_events_total",
            "log_exceptions_total",
        ] {
            counted += scrape.sum(name, &[]);
            series += scrape.matching(name, &[]).count();
        }
        (stored == counted && results.len() == series).then_some(())
    });
}

#[test]
fn prometheus_holds_what_was_counted_also_after_an_outage() {
    let (folder, address) = (Folder::new(), free_address());
    let start = || Database::prometheus(&folder, &address, "{}", &["--web.enable-remote-write-receiver"]);
    let prometheus = start();
    // Debian's version takes 1.0 alone, and answers 2.0 as if all were well.
    let exporter =
        pusher(&folder, &format!("url: 'http://{address}/api/v1/write', labels: {{instance: host-1}}"));
    prometheus.wait_for("sum(log_events_total{instance=\"host-1\"})", 0.0);
    folder.append("app.log", ERROR);
    prometheus.wait_for("sum(log_events_total{level=\"error\",job=\"logtally\"})", 1.0);
    let increase = "sum(increase(log_pattern_events_total{bank=\"acme\"}[5m])) > 0.9";
    until("an increase by the first event", || prometheus.query(increase));
    let log = exporter.log().join("\n");
    assert!(log.contains("remote write 1.0 only"), "{log}");

    prometheus.stop();
    let mut sent = metric(&exporter, "queue_bytes");
    for round in 0..5 {
        folder.append("app.log", ERROR.repeat(round + 1));
        until("more in the queue", || {
            let now = metric(&exporter, "queue_bytes");
            (now > sent).then(|| sent = now)
        });
    }
    let prometheus = start();
    prometheus.wait_for("sum(log_events_total{level=\"error\"})", 16.0);
    same_numbers(&exporter, &prometheus);
    // The outage is no hole: every step of it is there, at its own time.
    let changes = prometheus.query("sum(changes(log_events_total{level=\"error\"}[5m]))").unwrap();
    assert!(changes >= 6.0, "{changes} changes");
    assert_eq!(metric(&exporter, "dropped_samples_total"), 0.0);
    assert_eq!(metric(&exporter, "failed_samples_total"), 0.0);
}

#[test]
fn no_counter_goes_down_over_kills() {
    let (folder, address) = (Folder::new(), free_address());
    let prometheus = Database::prometheus(&folder, &address, "{}", &["--web.enable-remote-write-receiver"]);
    let push = format!("url: 'http://{address}/api/v1/write'");
    let mut exporter = pusher(&folder, &push);
    exporter.scrape_until("the file", |scrape| scrape.has("log_lines_total", &[]));
    let mut written = 0;
    for round in 1..=4 {
        folder.append("app.log", ERROR.repeat(round));
        written += round;
        // Killed as soon as the receiver has heard of it: what it was told must be in the store.
        let query = "sum(log_events_total{level=\"error\"})";
        until("the first of the round", || {
            (prometheus.query(query)? > (written - round) as f64).then_some(())
        });
        exporter.kill();
        exporter = pusher(&folder, &push);
    }
    prometheus.wait_for("sum(log_events_total{level=\"error\"})", written as f64);
    same_numbers(&exporter, &prometheus);
    for name in ["log_events_total", "log_lines_total", "log_bytes_total", "log_pattern_events_total"] {
        assert_eq!(prometheus.query(&format!("sum(resets({name}[10m]))")), Some(0.0), "{name}");
    }
}

#[test]
fn what_leaves_goes_stale_at_once() {
    let (folder, address) = (Folder::new(), free_address());
    let prometheus = Database::prometheus(&folder, &address, "{}", &["--web.enable-remote-write-receiver"]);
    let exporter = pusher(&folder, &format!("url: 'http://{address}/api/v1/write'"));
    prometheus.wait_for("count(log_lines_total)", 1.0);
    let config = std::fs::read_to_string(folder.path("logtally.yml")).unwrap();
    folder.write("logtally.yml", config.replace("[{name: shop, include: [app.log]}]", "[]"));
    exporter.signal(rustix::process::Signal::HUP);
    until("no series", || prometheus.query("count(log_lines_total)").is_none().then_some(()));
}

#[test]
fn victoria_metrics_holds_what_was_counted() {
    let (folder, address) = (Folder::new(), free_address());
    let database = Database::victoria(&folder, &address);
    let exporter = pusher(&folder, &format!("url: 'http://{address}/api/v1/write'"));
    folder.append("app.log", ERROR.repeat(3));
    exporter
        .scrape_until("the events", |scrape| scrape.sum("log_events_total", &[("level", "error")]) == 3.0);
    // Whoever asks for series before they are there is told so for a while longer: the database remembers the answer.
    let events = metric(&exporter, "sent_samples_total");
    until("two more pushes", || (metric(&exporter, "sent_samples_total") > events + 200.0).then_some(()));
    let query = "sum(last_over_time(log_events_total{level=\"error\"}[5m]))";
    until("the events in the database", || {
        ask(&address, "GET", "/internal/force_flush", &[]);
        (database.query(query) == Some(3.0)).then_some(())
    });
    assert_eq!(metric(&exporter, "failed_samples_total"), 0.0);
}
