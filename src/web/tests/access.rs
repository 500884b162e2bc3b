//! Certificates and passwords over real sockets: who comes in, and what the others see.

use rcgen::{ExtendedKeyUsagePurpose, SanType};

use super::identity::*;
use super::*;

const EVERYWHERE: [&str; 9] = [
    "/",
    "/metrics",
    "/-/healthy",
    "/-/ready",
    "/-/reload",
    "/api/v1/status",
    "/assets/page.js",
    "/nowhere",
    "/metrics/../-/healthy",
];

#[test]
fn without_the_right_password_there_is_nothing_but_401() {
    let authority = Authority::new();
    let place = Place::new(&authority, &users(&[("alice", "open sesame"), ("bob", "p:ä")]));
    with(Fake::default(), Options { enable_lifecycle: true, ..place.options() }, async |server| {
        let wrong = [
            String::new(),
            basic("alice", "wrong"),
            basic("alice", ""),
            basic("nobody", "open sesame"),
            basic("Alice", "open sesame"),
            basic("bob", "open sesame"),
            "authorization: Basic\r\n".to_owned(),
            "authorization: Basic !!!\r\n".to_owned(),
            "authorization: Bearer open sesame\r\n".to_owned(),
            format!("authorization: Digest x\r\n{}", basic("alice", "open sesame")),
        ];
        for path in EVERYWHERE {
            for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
                for headers in &wrong {
                    let answer = server.send(request(method, path, headers)).await;
                    assert_eq!(status_of(&answer), "401", "{method} {path} {headers}: {answer}");
                    assert!(answer.contains("www-authenticate: Basic realm="), "{answer}");
                    assert!(
                        answer.ends_with("\r\n\r\n") || answer.ends_with("\r\n\r\nUnauthorized.\n"),
                        "{answer}"
                    );
                }
            }
        }
        for good in [basic("alice", "open sesame"), basic("bob", "p:ä")] {
            for (path, status) in
                [("/", "200"), ("/metrics", "200"), ("/-/healthy", "200"), ("/nowhere", "404")]
            {
                assert_eq!(status_of(&server.get(path, &good).await), status, "{path}");
            }
        }
        assert_eq!(server.backend.scraping.load(Ordering::SeqCst), 2, "nobody else was given numbers");
        assert!(server.told(|fact| *fact == Fact::Denied) > 0);
    });
}

#[test]
fn users_change_without_a_restart() {
    let authority = Authority::new();
    let place = Place::new(&authority, &users(&[("alice", "one")]));
    with(Fake::default(), place.options(), async |server| {
        assert_eq!(status_of(&server.get("/", &basic("alice", "one")).await), "200");
        place.write("web.yml", &users(&[("alice", "two")]));
        server.becomes("200", &basic("alice", "two")).await;
        assert_eq!(status_of(&server.get("/", &basic("alice", "one")).await), "401");
        place.write("web.yml", "basic_auth_user: {}\n");
        server
            .hears(
                "the refusal",
                |fact| matches!(fact, Fact::AccessRefused(why) if why.contains("web.yml:1:1")),
            )
            .await;
        assert_eq!(status_of(&server.get("/", &basic("alice", "two")).await), "200", "the old one stays");
        assert!(server.gate.warnings()[0].message.contains("unknown key `basic_auth_user`"));
        server.looks_again().await;
        assert_eq!(server.told(|fact| matches!(fact, Fact::AccessRefused(_))), 1, "it is said once");
        std::fs::remove_file(place.path("web.yml")).unwrap();
        server
            .hears(
                "the loss",
                |fact| matches!(fact, Fact::AccessRefused(why) if why.contains("No such file")),
            )
            .await;
        assert_eq!(status_of(&server.get("/", "").await), "401", "a lost file opens no door");
        place.write("web.yml", "");
        server.becomes("200", "").await;
        assert!(server.gate.warnings().is_empty());
    });
}

#[test]
fn a_certificate_is_taken_over_without_a_restart_and_old_connections_end() {
    let (authority, other) = (Authority::new(), Authority::new());
    let place = Place::new(&authority, TLS);
    with(Fake { samples: 3, ..Fake::default() }, place.options(), async |server| {
        let (first, second) = (connector(&authority.pem, None), connector(&other.pem, None));
        let answer = server.secure(&first, "/metrics", "").await.unwrap();
        assert!(status_of(&answer) == "200" && answer.contains("log_events_total"), "{answer}");
        server.secure(&second, "/", "").await.expect_err("an unknown authority");
        let mut kept = server.handshake(&first).await.unwrap();
        kept.write_all(b"GET /-/healthy HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        kept.read_u8().await.unwrap();
        // The certificate alone does not fit the key: the pair before stays.
        let next = other.server();
        place.write("server.crt", &next.0);
        server
            .hears("half a pair", |fact| matches!(fact, Fact::AccessRefused(why) if why.contains("belong")))
            .await;
        server.secure(&first, "/", "").await.unwrap();
        place.write("server.key", &next.1);
        let deadline = Instant::now() + LONG;
        while server.secure(&second, "/", "").await.is_err() {
            assert!(Instant::now() < deadline, "never the new certificate");
        }
        server.secure(&first, "/", "").await.expect_err("the old certificate is gone");
        let mut rest = Vec::new();
        let _ = timeout(LONG, kept.read_to_end(&mut rest)).await.expect("the old connection ends");
        // From TLS to none, and back.
        place.write("web.yml", "");
        server.becomes("200", "").await;
        place.write("web.yml", TLS);
        server.becomes("", "").await;
    });
}

#[test]
fn only_the_right_certificate_gets_through_the_handshake() {
    let (authority, other) = (Authority::new(), Authority::new());
    let place = Place::new(&authority, MUTUAL);
    with(Fake::default(), place.options(), async |server| {
        let good = connector(&authority.pem, Some(&authority.signs(vec![dns("prometheus.example")])));
        let bad = [
            connector(&authority.pem, None),
            connector(&authority.pem, Some(&other.signs(vec![dns("prometheus.example")]))),
            connector(&authority.pem, Some(&self_signed(None))),
        ];
        for path in EVERYWHERE {
            for bad in &bad {
                let answer = server.secure(bad, path, "").await;
                assert!(answer.is_err(), "{path}: {answer:?}");
            }
            let answer = server.get(path, "").await;
            assert!(!answer.contains("HTTP/"), "{path} without TLS: {answer}");
        }
        assert_eq!(status_of(&server.secure(&good, "/metrics", "").await.unwrap()), "200");
    });
}

#[test]
fn client_policies_are_those_of_go() {
    let (authority, other) = (Authority::new(), Authority::new());
    let ours = authority.signs(Vec::new());
    let theirs = other.signs(Vec::new());
    let ca = "  client_ca_file: ca.crt\n";
    for (policy, none, good, strange) in [
        ("NoClientCert", true, true, true),
        ("RequestClientCert", true, true, true),
        ("RequireAnyClientCert", false, true, true),
        ("VerifyClientCertIfGiven", true, true, false),
        ("RequireAndVerifyClientCert", false, true, false),
    ] {
        let ca = if policy.contains("Verify") { ca } else { "" };
        let place = Place::new(&authority, &format!("{TLS}{ca}  client_auth_type: {policy}\n"));
        with(Fake::default(), place.options(), async |server| {
            for (identity, comes_in) in [(None, none), (Some(&ours), good), (Some(&theirs), strange)] {
                let answer = server.secure(&connector(&authority.pem, identity), "/-/healthy", "").await;
                assert_eq!(answer.is_ok(), comes_in, "{policy}: {answer:?}");
            }
        });
    }
}

#[test]
fn a_self_signed_client_is_its_own_authority() {
    let authority = Authority::new();
    for (usage, comes_in) in [
        (None, true),
        (Some(ExtendedKeyUsagePurpose::ClientAuth), true),
        (Some(ExtendedKeyUsagePurpose::ServerAuth), false),
    ] {
        let client = self_signed(usage);
        let place = Place::new(&authority, MUTUAL);
        place.write("ca.crt", &client.0);
        with(Fake::default(), place.options(), async |server| {
            let answer = server.secure(&connector(&authority.pem, Some(&client)), "/", "").await;
            assert_eq!(answer.is_ok(), comes_in, "{answer:?}");
            let other = self_signed(None);
            server.secure(&connector(&authority.pem, Some(&other)), "/", "").await.expect_err("a stranger");
        });
    }
}

#[test]
fn a_client_needs_one_of_the_allowed_names() {
    let authority = Authority::new();
    let allowed =
        "  client_allowed_sans: [prometheus.example, 10.0.0.1, '::1', ops@example.org, 'spiffe://x/y']\n";
    let place = Place::new(&authority, &format!("{MUTUAL}{allowed}"));
    with(Fake::default(), place.options(), async |server| {
        let address = |text: &str| SanType::IpAddress(text.parse().unwrap());
        let mail = |text: &str| SanType::Rfc822Name(text.try_into().unwrap());
        let uri = |text: &str| SanType::URI(text.try_into().unwrap());
        for (names, comes_in) in [
            (vec![dns("prometheus.example")], true),
            (vec![dns("other.example"), address("10.0.0.1")], true),
            (vec![address("::1")], true),
            (vec![mail("ops@example.org")], true),
            (vec![uri("spiffe://x/y")], true),
            (vec![], false),
            (vec![dns("prometheus.example.org")], false),
            (vec![dns("*.example")], false),
            (vec![address("10.0.0.2"), mail("root@example.org"), uri("spiffe://x/z")], false),
        ] {
            let said = format!("{names:?}");
            let client = connector(&authority.pem, Some(&authority.signs(names)));
            assert_eq!(server.secure(&client, "/", "").await.is_ok(), comes_in, "{said}");
        }
    });
}

#[test]
fn headers_and_the_rate_limit_of_the_config_hold() {
    let authority = Authority::new();
    let config = "http_server_config:\n  headers: {X-Frame-Options: sameorigin, \
                  Strict-Transport-Security: max-age=1}\nrate_limit: {interval: 1h, burst: 3}\n";
    let place = Place::new(&authority, config);
    with(Fake::default(), place.options(), async |server| {
        for n in 0..6 {
            let answer = server.get("/", "").await;
            assert_eq!(status_of(&answer), if n < 3 { "200" } else { "429" }, "{n}: {answer}");
            assert!(answer.contains("x-frame-options: sameorigin"), "{answer}");
            assert!(answer.contains("strict-transport-security: max-age=1"), "{answer}");
            assert!(answer.contains("x-content-type-options: nosniff"), "{answer}");
        }
    });
    let place =
        Place::new(&authority, &format!("rate_limit: {{interval: 1h, burst: 3}}\n{}", users(&[("a", "b")])));
    with(Fake::default(), place.options(), async |server| {
        assert_eq!(status_of(&server.get("/", &basic("a", "b")).await), "200");
        for n in 0..6 {
            let answer = server.get("/", &basic("a", "wrong")).await;
            assert_eq!(status_of(&answer), if n < 2 { "401" } else { "429" }, "{n}");
        }
        assert_eq!(
            status_of(&server.get("/", &basic("a", "b")).await),
            "200",
            "strangers took no token of ours"
        );
    });
}

#[test]
fn guessers_do_not_keep_a_good_client_waiting() {
    let authority = Authority::new();
    // A cost at which the guesses take real time.
    let hash = |password: &str| bcrypt::hash(password, 8).unwrap();
    let config = format!("basic_auth_users: {{good: '{}', late: '{}'}}\n", hash("word"), hash("other"));
    let place = Place::new(&authority, &config);
    with(Fake::default(), place.options(), async |server| {
        let server = Arc::new(server);
        assert_eq!(status_of(&server.get("/metrics", &basic("good", "word")).await), "200");
        let guessers: Vec<_> = (0..100)
            .map(|who| {
                let server = Arc::clone(&server);
                tokio::spawn(async move {
                    for n in 0.. {
                        let answer =
                            server.get("/metrics", &basic("good", &format!("guess {who} {n}"))).await;
                        assert_eq!(status_of(&answer), "401", "{answer}");
                    }
                })
            })
            .collect();
        until("many guesses", || server.told(|fact| *fact == Fact::Denied) > 3).await;
        for _ in 0..20 {
            let begun = Instant::now();
            assert_eq!(status_of(&server.get("/metrics", &basic("good", "word")).await), "200");
            assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        }
        // Also one who was never seen before: a hundred guesses would take far longer.
        let begun = Instant::now();
        assert_eq!(status_of(&server.get("/metrics", &basic("late", "other")).await), "200");
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
        for guesser in guessers {
            assert!(!guesser.is_finished(), "a guesser was let in");
            guesser.abort();
        }
    });
}

#[test]
fn garbage_on_the_tls_port_stalls_nobody() {
    let authority = Authority::new();
    let place = Place::new(&authority, MUTUAL);
    let options = Options { header_timeout: Duration::from_millis(300), ..place.options() };
    with(Fake { samples: 5, ..Fake::default() }, options, async |server| {
        let mut garbage = Vec::new();
        for n in 0..200_u32 {
            let mut stream = server.connect().await;
            let bytes: &[u8] = match n % 5 {
                // Silence, half a record, no TLS at all, a giant record, noise.
                0 => b"",
                1 => b"\x16\x03\x01\x02\x00\x01\x00\x01",
                2 => b"GET /metrics HTTP/1.1\r\n\r\n",
                3 => b"\x16\x03\x01\xff\xff\x01\x00\xff\xff",
                _ => &[0xa5; 3000],
            };
            let _ = stream.write_all(bytes).await;
            garbage.push(stream);
        }
        let good = connector(&authority.pem, Some(&authority.signs(Vec::new())));
        for _ in 0..10 {
            let begun = Instant::now();
            assert_eq!(status_of(&server.secure(&good, "/metrics", "").await.unwrap()), "200");
            assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        }
        for mut stream in garbage {
            let mut answer = Vec::new();
            let _ = timeout(LONG, stream.read_to_end(&mut answer)).await.expect("garbage is dropped");
            assert!(!String::from_utf8_lossy(&answer).contains("HTTP/"));
        }
        assert_eq!(server.backend.scraping.load(Ordering::SeqCst), 10);
    });
}

#[test]
fn an_open_door_to_others_is_told_once() {
    let authority = Authority::new();
    let exposed = |config: &str, address: &str| {
        let place = Place::new(&authority, config);
        let runtime = runtime();
        let told = runtime.block_on(async {
            let listeners = bind(&[address.to_owned(), address.to_owned()]).unwrap();
            let backend = Arc::new(Fake::default());
            serve(listeners, Arc::clone(&backend) as Arc<dyn Backend>, place.options(), async {})
                .await
                .unwrap();
            backend.facts.lock().unwrap().iter().filter(|fact| **fact == Fact::Exposed).count()
        });
        runtime.shutdown_timeout(Duration::from_secs(1));
        told
    };
    assert_eq!(exposed("", "0.0.0.0:0"), 1);
    assert_eq!(exposed(TLS, "0.0.0.0:0"), 1, "encryption keeps no stranger out");
    assert_eq!(exposed("", "127.0.0.1:0"), 0);
    assert_eq!(exposed(MUTUAL, "0.0.0.0:0"), 0);
    assert_eq!(exposed(&users(&[("a", "b")]), "0.0.0.0:0"), 0);
}
