//! Clients that are slow, many, garbled or in the way of a stop.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::*;

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
