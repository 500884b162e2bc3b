//! No secret of any kind survives, wherever it stands; what is no secret stays readable.

use super::*;
use proptest::prelude::*;
use std::sync::LazyLock;

static REDACTOR: LazyLock<Redactor> =
    LazyLock::new(|| Redactor::new(&[r"CUST-\d+", "(?i)projekt \\w+"]).unwrap());

/// A text with a secret in it, and the parts of it that must not be seen.
fn hidden(text: &str, parts: &[&str]) {
    let shown = REDACTOR.sample(text.as_bytes());
    for part in parts {
        assert!(!shown.contains(part), "{part} of {text} is in {shown}");
    }
    assert!(shown.len() <= SAMPLE_BYTES);
}

/// The check digit that makes a number a card's.
fn with_check(digits: &str) -> String {
    let good = |digit: &u8| {
        let sum: u32 = digits
            .bytes()
            .chain([*digit])
            .rev()
            .enumerate()
            .map(|(at, byte)| {
                let value = u32::from(byte - b'0') * (1 + at as u32 % 2);
                value / 10 + value % 10
            })
            .sum();
        sum.is_multiple_of(10)
    };
    format!("{digits}{}", (b'0'..=b'9').find(good).unwrap() as char)
}

/// Secrets that carry their sign in themselves, with the part that must go.
fn by_looks() -> impl Strategy<Value = (String, String)> {
    fn same(secret: String) -> (String, String) {
        (secret.clone(), secret)
    }
    prop_oneof![
        "[A-Za-z0-9._~+/-]{10,60}"
            .prop_filter("no word", |t| t.len() > 14)
            .prop_map(|t| (format!("Bearer {t}"), t)),
        "eyJ[A-Za-z0-9_-]{17,60}\\.eyJ[A-Za-z0-9_-]{17,90}\\.[A-Za-z0-9_-]{20,86}".prop_map(same),
        "(AKIA|ASIA)[A-Z0-9]{16}".prop_map(same),
        "(ghp|gho|ghs)_[A-Za-z0-9]{36}".prop_map(same),
        "xoxb-[0-9]{10,12}-[A-Za-z0-9]{24}".prop_map(same),
        "sk_live_[A-Za-z0-9]{24}".prop_map(same),
        "[0-9a-f]{32,128}".prop_map(same),
        "[A-Za-z0-9+/]{43,90}={0,2}".prop_map(same),
        "[a-z]{2,9}[._+][a-z0-9]{1,9}@[a-z]{2,9}\\.(com|example|co\\.uk)".prop_map(same),
        "(4[0-9]{14}|5[1-5][0-9]{13}|222[1-9][0-9]{11}|3[47][0-9]{12}|6011[0-9]{11})"
            .prop_map(|d| same(with_check(&d))),
        "4[0-9]{14}".prop_map(|d| {
            let card = with_check(&d);
            same(
                card.as_bytes()
                    .chunks(4)
                    .map(|four| std::str::from_utf8(four).unwrap())
                    .collect::<Vec<_>>()
                    .join(" "),
            )
        }),
        "[A-Za-z0-9+/]{40,64}".prop_map(|key| {
            (format!("-----BEGIN RSA PRIVATE KEY-----\\n{key}\\n-----END RSA PRIVATE KEY-----"), key)
        }),
        ("[a-z]{2,8}", "[!-~&&[^\"'<>@]]{3,20}").prop_map(|(user, pass)| (
            format!("postgres://{user}:{pass}@db.internal:5432/shop"),
            format!(":{pass}@")
        )),
        "[0-9]{4,12}".prop_map(|n| same(format!("CUST-{n}"))),
    ]
}

const NAMES: [&str; 26] = [
    "password",
    "Password",
    "passwd",
    "db_password",
    "DB-PASSWORD",
    "userPassword",
    "pwd",
    "secret",
    "client_secret",
    "SECRET_KEY",
    "aws_secret_access_key",
    "api_key",
    "apikey",
    "API-Key",
    "x-api-key",
    "api key",
    "token",
    "access_token",
    "refreshToken",
    "auth",
    "session_id",
    "passphrase",
    "private_key",
    "credentials",
    "AccountKey",
    "otp",
];

/// A name and a value as programs write them; `Q` is the value.
const FORMS: [&str; 22] = [
    "N=Q",
    "N: Q",
    "N:Q",
    "N = Q",
    "N => Q",
    "N='Q'",
    "N=\"Q\"",
    "\"N\":\"Q\"",
    "\"N\": \"Q\"",
    "'N': 'Q'",
    "{\"N\":\"Q\",\"x\":1}",
    "{\\\"N\\\":\\\"Q\\\",\\\"x\\\":1}",
    "{\\\\\\\"N\\\\\\\":\\\\\\\"Q\\\\\\\"}",
    "?user=bob&N=Q&page=2",
    "N=b'Q'",
    "N: Some(\"Q\")",
    "--N=Q",
    "N%3DQ",
    "\x1b[32mN\x1b[0m=\x1b[1mQ\x1b[0m",
    "X-N: Q",
    "N: [Q]",
    "{N:Q}",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn secrets_known_by_their_looks_do_not_survive(
        (text, secret) in by_looks(),
        before in "(|[a-z ]{0,20}[ ,;:=(\\[\"'])",
        after in "(|[ ,;)\\]\"'][a-z ]{0,20})",
    ) {
        let line = format!("2026-11-20 12:00:00,123 ERROR shop.db {before}{text}{after}");
        let shown = REDACTOR.sample(line.as_bytes());
        prop_assert!(!shown.contains(&secret), "{line}\n{shown}");
        // Nor does most of it.
        let half: String = secret.chars().skip(secret.len() / 4).take(secret.len() / 2).collect();
        prop_assert!(half.len() < 8 || !shown.contains(&half), "{line}\n{shown}");
    }

    #[test]
    fn secrets_known_by_their_names_do_not_survive(
        name in prop::sample::select(&NAMES[..]),
        form in prop::sample::select(&FORMS[..]),
        secret in "[A-Za-z0-9!#$%*+./:;<=>?@^_|~-]{6,30}",
        before in "(|[a-z ]{0,20}[ ,;(])",
        after in "(|[ ,;)][a-z ]{0,20})",
    ) {
        let line = format!("{before}{}{after}", form.replace('N', name).replace('Q', &secret));
        let shown = REDACTOR.sample(line.as_bytes());
        prop_assert!(!shown.contains(&secret[1..]), "{line}\n{shown}");
    }

    #[test]
    fn quoted_values_with_blanks_and_quotes_do_not_survive(
        name in prop::sample::select(&NAMES[..]),
        secret in "[a-z]{4,8}[ ,;&][a-z]{4,8}",
        quote in "['\"`]",
    ) {
        for text in [
            format!("{name}={quote}{secret}{quote} user=bob"),
            format!("{name}={quote}{secret}\\{quote}{secret}{quote} user=bob"),
            format!("{name}={quote}{secret} and no end"),
            format!("<{name}>{secret}</{name}> user=bob"),
            format!("<{name} kind={quote}x{quote}>{secret}</{name}> user=bob"),
        ] {
            let shown = REDACTOR.sample(text.as_bytes());
            prop_assert!(!shown.contains(&secret[5..]), "{text}\n{shown}");
            prop_assert!(shown.contains("user=bob") || !text.contains("user=bob"), "{text}\n{shown}");
        }
    }

    #[test]
    fn any_bytes_are_taken(line in prop::collection::vec(any::<u8>(), 0..3000)) {
        let shown = REDACTOR.sample(&line);
        prop_assert!(shown.len() <= SAMPLE_BYTES && !shown.contains(char::is_control));
    }

    #[test]
    fn a_long_line_is_cut_where_no_secret_is(fill in 1900usize..2200, key in "[a-z]{30}") {
        let line = format!("token {}password={key} {}", "x ".repeat(fill / 2), "y".repeat(3000));
        let shown = REDACTOR.sample(line.as_bytes());
        prop_assert!(!shown.contains(&key[..6]));
        // Here all before the cut is black, so that the cut itself would be seen.
        let line = format!("{} {key}", "cookie=\"".to_owned() + &"z ".repeat(fill / 2) + "\"");
        prop_assert!(line.len() <= WINDOW || !REDACTOR.sample(line.as_bytes()).contains(&key[..6]));
    }
}

#[test]
fn plain_lines_stay_as_they_are() {
    for line in [
        "2026-11-20 12:00:00,123 ERROR shop.db request 000000017 timed out after 30s",
        r#"{"time":"2026-11-20T12:00:00.123456Z","level":"error","msg":"disk full","path":"/var/lib/postgresql/16/main","code":28}"#,
        r#"203.0.113.9 - - [20/Nov/2026:12:00:00 +0000] "GET /shop/items/17?page=2&sort=price HTTP/1.1" 502 157 "-" "curl/8.4.0""#,
        "Nov 20 12:00:00 web1 sshd[811]: Failed password for root from 203.0.113.9 port 50022 ssh2",
        "I1120 12:00:00.123456 4711 server.go:42] starting at port 8080, epoch 1763719200123, nanos 1763719200123456789",
        "java.lang.IllegalStateException: org.springframework.beans.factory.support.AbstractBeanDefinitionReader failed",
        "    at com.example.shop.AbstractSingletonProxyFactoryBeanImplementation.createInstance(Factory.java:1280)",
        "reading /usr/local/share/applications/example-application/configuration/defaults-2026-11-20.yml took 3.5 s",
        "password is required",
        "basic authentication failed",
        "Bearer token expired",
        "digest mismatch",
        "bypass: 3 passed=17 compass=north",
        "naïve café über 日本語 ✓",
        "order 4111-1111-1111-1112 is no card",
        "user@localhost logged in",
        "monkey: see, keyboard: do",
    ] {
        assert_eq!(REDACTOR.sample(line.as_bytes()), line.trim());
    }
}

#[test]
fn what_stands_beside_a_secret_stays() {
    for (line, shown) in [
        (
            "login user=bob password=hunter2 from=203.0.113.9",
            "login user=bob password=[redacted] from=203.0.113.9",
        ),
        (r#"{"user":"bob","password":"x\"y z","n":1}"#, r#"{"user":"bob","password":[redacted],"n":1}"#),
        ("GET /login?token=abc&page=2 HTTP/1.1", "GET /login?token=[redacted]&page=2 HTTP/1.1"),
        ("mysql --password hunter2 -h db", "mysql --password [redacted] -h db"),
        ("Authorization: Basic Ym9iOmh1bnRlcjI=", "Authorization: [redacted]"),
        ("sent Basic Ym9iOmh1bnRlcjI= to web1", "sent Basic [redacted] to web1"),
        ("curl -H 'Cookie: a=b; c=d' http://web1/", "curl -H 'Cookie: [redacted]' http://web1/"),
        ("redis://:hun/ter@2@cache:6379/0 is down", "redis://[redacted]@cache:6379/0 is down"),
        ("mail to bob@example.org: refused", "mail to [e-mail]: refused"),
        ("card 4111 1111 1111 1111 declined", "card [redacted] declined"),
        ("key AKIAIOSFODNN7EXAMPLE used", "key [redacted] used"),
        ("the password is hunter2", "the password is [redacted]"),
        ("order of CUST-17 and Projekt Eule", "order of [redacted] and [redacted]"),
        ("a\tb\u{202e}c\x1b[31mred\x1b[0m\x07", "a b cred"),
    ] {
        assert_eq!(REDACTOR.sample(line.as_bytes()), shown);
    }
}

#[test]
fn long_lines_are_cut_at_a_character() {
    let shown = REDACTOR.sample("ä ".repeat(5000).as_bytes());
    assert!(shown.ends_with('…') && shown.len() <= SAMPLE_BYTES && shown.len() > SAMPLE_BYTES - 8);
    hidden(&"z".repeat(5000), &["z"]);
    hidden("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADAN\nBgkqhkiG", &["MIIE", "Bgkq"]);
}

#[test]
fn own_expressions_are_checked() {
    let bad = Redactor::new(&["fine", "a(", "x*"]).unwrap_err();
    assert_eq!(bad.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [1, 2]);
    assert!(bad[1].1.contains("empty"));
}
