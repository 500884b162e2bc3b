use super::*;
use regex::Regex;

fn compiled(text: &str) -> Regex {
    Regex::new(&expand(text, &[]).unwrap()).unwrap()
}

fn whole(name: &str) -> Regex {
    compiled(&format!("^%{{{name}}}$"))
}

#[test]
fn every_standard_name_compiles_and_none_is_there_twice() {
    let mut seen = HashSet::new();
    for (name, _) in names::NAMES {
        assert!(seen.insert(name), "{name}");
        let expanded =
            expand(&format!("%{{{name}}}"), &[]).unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
        let hir = regex_syntax::parse(&expanded).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!crate::rules::tests::matches_newline(&hir), "{name} can match a line feed");
    }
}

#[test]
fn names_mean_what_their_users_expect() {
    let yes_and_no: &[(&str, &[&str], &[&str])] = &[
        ("IPV4", &["0.0.0.0", "255.255.255.255", "10.1.2.3"], &["256.1.1.1", "1.2.3", "1.2.3.4.5"]),
        (
            "IPV6",
            &["::", "::1", "fe80::1%eth0", "2001:db8:0:0:0:0:2:1", "2001:db8::2:1", "::ffff:10.0.0.1", "1::"],
            &["1:2:3", ":::", "12345::", "1.2.3.4", "g::1"],
        ),
        ("IP", &["::1", "127.0.0.1"], &["localhost"]),
        ("HOSTNAME", &["web-1", "a.b.example.com", "db_1.local", "x."], &["-a", ".a", "a b", ""]),
        ("NUMBER", &["1", "-1.5", "+.5", "10.25"], &["1.", "x", "1e5", ""]),
        ("INT", &["0", "-12", "+3"], &["1.5", ""]),
        ("WORD", &["abc", "a_1"], &["a b", "a-b", ""]),
        ("NOTSPACE", &["a-b/c"], &["a b"]),
        ("DATA", &["", "a b"], &[]),
        ("QUOTEDSTRING", &[r#""a b""#, r#""a \" b""#, "'x'", "`y`", r#""""#], &[r#""a"#, "a"]),
        ("UUID", &["123e4567-e89b-12d3-a456-426614174000"], &["123e4567e89b12d3a456426614174000"]),
        ("MAC", &["00:1A:2b:3c:4d:5e", "00-1A-2b-3c-4d-5e", "001a.2b3c.4d5e"], &["00:1A:2b:3c:4d"]),
        ("PATH", &["/var/log/x.log", "/", r"C:\Temp\a b.txt"], &["var/log"]),
        ("URI", &["https://u@example.com:8443/a/b?x=1&y=[2]", "ftp://10.0.0.1/x"], &["example.com/a"]),
        ("URIPATHPARAM", &["/a/b.html?q=1", "/"], &["a"]),
        (
            "TIMESTAMP_ISO8601",
            &["2026-11-20T12:00:00Z", "2026-11-20 12:00:00,123", "2026-11-20T12:00:00.5+01:00"],
            &["20.11.2026"],
        ),
        ("HTTPDATE", &["20/Nov/2026:12:00:00 +0000"], &["2026-11-20"]),
        ("SYSLOGTIMESTAMP", &["Nov 20 12:00:00", "Nov  2 02:00:00"], &["20 Nov"]),
        ("DATESTAMP", &["20/11/2026 12:00:00", "11-20-2026 12:00:00"], &["2026"]),
        ("LOGLEVEL", &["WARN", "warning", "Error", "err", "CRITICAL", "emerg"], &["loud"]),
        ("EMAILADDRESS", &["a.b+c@example.com"], &["a.b"]),
        ("POSINT", &["1", "20"], &["0", "-1"]),
        ("JAVACLASS", &["org.acme.Main$Inner"], &["org acme"]),
        ("SYSLOGPROG", &["sshd[123]", "postfix/smtpd[9]", "kernel"], &["a b"]),
    ];
    for (name, yes, no) in yes_and_no {
        let regex = whole(name);
        for text in *yes {
            assert!(regex.is_match(text), "{name} {text}");
        }
        for text in *no {
            assert!(!regex.is_match(text), "{name} {text}");
        }
    }
}

#[test]
fn the_apache_formats_name_their_fields() {
    let regex = compiled("%{COMBINEDAPACHELOG}");
    let line = r#"203.0.113.9 - frank [20/Nov/2026:13:55:36 -0700] "GET /a.gif?x=1 HTTP/1.1" 200 2326 "https://example.com/" "Mozilla/5.0 (X11)""#;
    let captures = regex.captures(line).unwrap();
    for (name, value) in [
        ("clientip", "203.0.113.9"),
        ("ident", "-"),
        ("auth", "frank"),
        ("timestamp", "20/Nov/2026:13:55:36 -0700"),
        ("verb", "GET"),
        ("request", "/a.gif?x=1"),
        ("httpversion", "1.1"),
        ("response", "200"),
        ("bytes", "2326"),
        ("referrer", "https://example.com/"),
        ("agent", "Mozilla/5.0 (X11)"),
    ] {
        assert_eq!(captures.name(name).map(|m| m.as_str()), Some(value), "{name}");
    }
    let odd = r#"::1 - - [20/Nov/2026:13:55:36 -0700] "\x16\x03" 400 - "-" "-""#;
    let captures = regex.captures(odd).unwrap();
    assert_eq!(captures.name("rawrequest").map(|m| m.as_str()), Some(r"\x16\x03"));
    assert!(captures.name("bytes").is_none());
}

#[test]
fn own_names_fields_and_types() {
    let own = [("ORDERID", r"[A-Z]{2}-\d{6}"), ("ORDER", "order %{ORDERID:order}"), ("INT", "n")];
    let expanded = expand("%{ORDER} of %{NUMBER:bytes:float} %{IP:[client][ip]} %{INT}", &own).unwrap();
    let captures = Regex::new(&expanded).unwrap();
    let captures = captures.captures("order AB-123456 of 1.5 10.0.0.1 n").unwrap();
    assert_eq!(&captures["order"], "AB-123456");
    assert_eq!(&captures["client.ip"], "10.0.0.1");
    assert_eq!(expand(r"100\%{x", &[]).unwrap(), r"100\%{x");
}

#[test]
fn what_cannot_be_expanded_is_refused_with_its_place() {
    let own = [("A", "%{B}"), ("B", "x%{A}")];
    for (text, at, words) in [
        ("ab %{IPP:x}", 3, "unknown grok name `IPP`"),
        ("%{A}", 0, "A > B > A"),
        ("%{INT:a} %{INT:a}", 9, "captured twice"),
        ("%{INT:a:long}", 0, "unknown grok type `long`"),
        ("%{INT:1a}", 0, "cannot name a capture"),
        ("é %{INT", 3, "without its"),
        ("%{}", 0, "unknown grok name"),
    ] {
        let refusal = expand(text, &own).unwrap_err();
        assert_eq!(refusal.at, at, "{text}");
        assert!(refusal.message.contains(words), "{text}: {}", refusal.message);
    }
    assert_eq!(expand("%{IPP}", &[]).unwrap_err().hint.as_deref(), Some("did you mean `IP`?"));
}

#[test]
fn names_that_double_themselves_are_bounded() {
    let texts: Vec<(String, String)> =
        (0..40).map(|i| (format!("N{i}"), format!("%{{N{}}}%{{N{}}}", i + 1, i + 1))).collect();
    let mut own: Vec<(&str, &str)> =
        texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    own.push(("N40", "x"));
    assert!(expand("%{N0}", &own).unwrap_err().message.contains("more than"));
}
