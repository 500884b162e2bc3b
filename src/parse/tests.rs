//! The whole room: the samples of every format, random bytes, random cuts, and the laws of order.

mod real;
mod work;

use super::*;
use proptest::prelude::*;
use serde::Deserialize;
use std::path::PathBuf;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    format: String,
    lines: Vec<Expected>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    line: String,
    level: Option<String>,
    role: Option<String>,
    message: Option<String>,
    exception: Option<String>,
}

pub(super) fn parser() -> Parser {
    Parser::new(&Options::default()).unwrap()
}

fn samples() -> Vec<(PathBuf, Sample)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/formats");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "yml"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let sample = serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            (path, sample)
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn slice(line: &[u8], range: &std::ops::Range<u32>) -> String {
    String::from_utf8_lossy(&line[range.start as usize..range.end as usize]).into_owned()
}

fn message(parser: &Parser, memory: &Memory, line: &[u8], found: &Line) -> String {
    let mut scratch = Vec::new();
    match &found.message {
        Message::From(from) => slice(line, &(*from..line.len() as u32)),
        Message::Within(range) => slice(line, range),
        Message::Decode => String::from_utf8_lossy(parser.message(memory, line, &mut scratch)).into_owned(),
    }
}

fn exception(line: &[u8], found: &Line) -> Option<String> {
    match &found.exception {
        Exception::None => None,
        Exception::Replace(range) | Exception::Keep(range) => Some(slice(line, range)),
    }
}

#[test]
fn every_sample_is_understood() {
    let parser = parser();
    let samples = samples();
    assert!(samples.len() > 30, "{} samples", samples.len());
    let mut wrong = Vec::new();
    for (path, sample) in samples {
        let mut memory = Memory::default();
        for (n, expected) in sample.lines.iter().enumerate() {
            let line = expected.line.as_bytes();
            let found = parser.line(&mut memory, line);
            let start = expected.role.as_deref().unwrap_or("start") == "start";
            let mut right =
                (found.role == Role::Start) == start && exception(line, &found) == expected.exception;
            if start {
                right &= Some(found.level.as_str()) == expected.level.as_deref();
                right &=
                    expected.message.as_ref().is_none_or(|m| *m == message(&parser, &memory, line, &found));
            }
            if !right {
                wrong.push(format!("{} line {}: {:?}\n  {found:?}", path.display(), n + 1, expected.line));
            }
        }
        if memory.format().as_str() != sample.format {
            wrong.push(format!("{}: format {}", path.display(), memory.format().as_str()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A file may be split at a strong start: from there on the roles are the same whatever stood before.
#[test]
fn a_strong_start_starts_after_anything() {
    let parser = parser();
    let samples = samples();
    let lines: Vec<&str> = samples.iter().flat_map(|(_, s)| &s.lines).map(|l| l.line.as_str()).collect();
    for (_, before) in &samples {
        let mut memory = Memory::default();
        for line in &before.lines {
            parser.line(&mut memory, line.line.as_bytes());
        }
        for line in &lines {
            let mut memory = memory.clone();
            if parser.starts_event(&memory, line.as_bytes()) {
                assert_eq!(parser.line(&mut memory, line.as_bytes()).role, Role::Start, "{line}");
            }
        }
    }
}

#[test]
fn memory_survives_the_checkpoint_and_stays_small() {
    assert!(size_of::<Memory>() <= 64);
    let parser = parser();
    for (path, sample) in samples() {
        let mut memory = Memory::default();
        let mut restored = Memory::default();
        for line in &sample.lines {
            let a = parser.line(&mut memory, line.line.as_bytes());
            let b = parser.line(&mut restored, line.line.as_bytes());
            assert_eq!(a, b, "{}", path.display());
            let row = postcard::to_allocvec(&(&memory, memory.places())).unwrap();
            let (rest, places): (Memory, Places) = postcard::from_bytes(&row).unwrap();
            restored = rest.with_places(places);
            assert_eq!(restored, memory);
        }
    }
}

pub(super) fn in_bounds(line: &[u8], found: &Line) {
    let inside = |range: &std::ops::Range<u32>| range.start <= range.end && range.end as usize <= line.len();
    match &found.message {
        Message::From(from) => assert!(*from as usize <= line.len()),
        Message::Within(range) => assert!(inside(range)),
        Message::Decode => {}
    }
    match &found.exception {
        Exception::None => {}
        Exception::Replace(range) | Exception::Keep(range) => assert!(inside(range) && !range.is_empty()),
    }
}

fn exercise(lines: &[Vec<u8>]) {
    let parser = parser();
    let mut memory = Memory::default();
    let mut scratch = Vec::new();
    for line in lines {
        parser.explain(&memory, line);
        let found = parser.line(&mut memory, line);
        in_bounds(line, &found);
        parser.message(&memory, line, &mut scratch);
        parser.field(&memory, line, "log.level", &mut scratch);
        parser.field(&memory, line, "path", &mut scratch);
        parser.starts_event(&memory, line);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_taken(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..120), 0..20)) {
        exercise(&lines);
    }

    #[test]
    fn log_like_bytes_are_taken(lines in prop::collection::vec("[\\[\\]{}()<>\":|, \\-=\\\\/0-9TZIEWR.#\u{1b}aelv+]{0,60}", 0..20)) {
        exercise(&lines.into_iter().map(String::into_bytes).collect::<Vec<_>>());
    }

    #[test]
    fn cut_and_joined_samples_are_taken(picks in prop::collection::vec((any::<prop::sample::Index>(), 0usize..200, any::<prop::sample::Index>(), 0usize..200), 1..20)) {
        let samples = samples_once();
        let lines: Vec<Vec<u8>> = picks
            .iter()
            .map(|(a, to, b, from)| {
                let (a, b) = (a.get(samples), b.get(samples));
                let mut line = a[..(*to).min(a.len())].to_vec();
                line.extend_from_slice(&b[(*from).min(b.len())..]);
                line
            })
            .collect();
        exercise(&lines);
    }
}

pub(super) fn samples_once() -> &'static [Vec<u8>] {
    static LINES: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
    LINES.get_or_init(|| {
        samples().into_iter().flat_map(|(_, s)| s.lines).map(|line| line.line.into_bytes()).collect()
    })
}

fn levels(options: &Options, lines: &[&str]) -> Vec<&'static str> {
    let parser = Parser::new(options).unwrap();
    let mut memory = Memory::default();
    lines
        .iter()
        .map(|line| {
            let found = parser.line(&mut memory, line.as_bytes());
            if found.role == Role::Start { found.level.as_str() } else { "-" }
        })
        .collect()
}

#[test]
fn options_change_what_they_say() {
    let access = "::1 - - [10/Oct/2026:13:55:36 +0000] \"GET / HTTP/1.1\" 502 0";
    let off = Options { access_levels: false, ..Options::default() };
    assert_eq!(levels(&off, &[access]), ["unknown"]);
    let json = r#"{"time":"x","request":{"method":"GET","uri":"/"},"status":502}"#;
    assert_eq!(levels(&off, &[json]), ["unknown"]);
    assert_eq!(levels(&Options::default(), &[json]), ["error"]);
    let words = Options { keyword_levels: true, ..Options::default() };
    assert_eq!(
        levels(&words, &["an Error here", "nothing", "Nov 20 12:00:00 h a[1]: warning: x"]),
        ["error", "unknown", "warning"]
    );
    let start = Options { multiline: Multiline::Start("^>".into()), ..Options::default() };
    assert_eq!(levels(&start, &["> a", "b", "ERROR:root:x", "> c"]), ["unknown", "-", "-", "unknown"]);
    let single = Options { multiline: Multiline::Off, ..Options::default() };
    assert_eq!(levels(&single, &["ERROR:root:x", "  indented", ""]), ["error", "unknown", "-"]);
    let custom = Options {
        format: FormatChoice::Custom("^!(?P<level>[a-z]+) (?P<message>.*)".into()),
        ..Options::default()
    };
    assert_eq!(levels(&custom, &["!warn x", "more", "!gold y"]), ["warning", "-", "unknown"]);
    assert!(Parser::new(&Options { multiline: Multiline::Start("(".into()), ..Options::default() }).is_err());
}

#[test]
fn a_trace_at_the_head_of_a_declared_file_is_an_event() {
    let python = Options { format: FormatChoice::Named(Format::Python), ..Options::default() };
    let lines = ["stray", "Traceback (most recent call last):", "  File \"x.py\", line 1", "ValueError: x"];
    assert_eq!(levels(&python, &lines), ["-", "unknown", "-", "-"]);
}

/// What a core that begins in the middle of a file knows of its layout is what the file's beginning has shown.
#[test]
fn the_layout_of_an_even_file_settles() {
    let parser = parser();
    for line in [
        "2026-11-20 12:00:00,1 INFO a",
        "INFO:a:b",
        "{\"level\":\"info\",\"msg\":\"x\"}",
        "Nov 20 12:00:00 h a[1]: x",
        "words only",
    ] {
        let mut memory = Memory::default();
        for _ in 0..100 {
            parser.line(&mut memory, line.as_bytes());
        }
        let settled = memory.clone();
        parser.line(&mut memory, line.as_bytes());
        parser.line(&mut memory, b"  a continuation");
        assert!(memory.layout_eq(&settled), "{line}");
    }
}

#[test]
fn a_level_where_a_sentence_may_begin_needs_lines_that_agree() {
    let auto = Options::default();
    let mut plain = vec!["2026/11/20 12:00:00 listening", "2026/11/20 12:00:00 Error: refused"];
    plain.push("2026/11/20 12:00:00 warning about x");
    assert_eq!(levels(&auto, &plain), ["unknown"; 3]);
    let lower = ["2026/11/20 12:00:00 info up", "2026/11/20 12:00:00 error down"];
    assert_eq!(levels(&auto, &lower), ["info", "error"]);
}

#[test]
fn a_file_that_changes_its_ways_is_followed() {
    let auto = Options::default();
    let lines = [
        "2026-11-20 12:00:00,1 INFO a",
        "[INFO] one",
        "[WARN] two",
        "[INFO] three",
        "[ERROR] four",
        "[INFO] five",
        "continued",
    ];
    assert_eq!(levels(&auto, &lines), ["info", "-", "-", "-", "error", "info", "-"]);
}

#[test]
fn a_place_of_its_own_outlives_long_traces() {
    let mut lines = ["::INFO:: a", "::WARN:: b"].repeat(4);
    lines.extend(["  at x.y(z)"; 100]);
    lines.push("::ERROR:: c");
    let levels = levels(&Options::default(), &lines);
    assert_eq!(levels[3..8], ["warning", "info", "warning", "info", "warning"]);
    assert_eq!(levels[8..108], ["-"; 100]);
    assert_eq!(levels[108], "error");
}

#[test]
fn fields_of_structured_lines() {
    let parser = parser();
    let memory = Memory::default();
    let mut scratch = Vec::new();
    let mut field = |line: &str, path: &str| {
        parser
            .field(&memory, line.as_bytes(), path, &mut scratch)
            .map(|v| String::from_utf8_lossy(v).into_owned())
    };
    let json = r#"{"a":{"b":{"c":7}},"ok":true,"s":"x\ny","log.level":"info"}"#;
    assert_eq!(field(json, "a.b.c").as_deref(), Some("7"));
    assert_eq!(field(json, "ok").as_deref(), Some("true"));
    assert_eq!(field(json, "s").as_deref(), Some("x\ny"));
    assert_eq!(field(json, "log.level").as_deref(), Some("info"));
    assert_eq!(field(json, "a.c"), None);
    assert_eq!(field("level=info msg=\"a \\\"b\\\"\" n=3", "msg").as_deref(), Some("a \"b\""));
    assert_eq!(field("level=info n=3", "n").as_deref(), Some("3"));
    let access = "1.2.3.4 - u [10/Oct/2026:13:55:36 +0000] \"GET /x HTTP/1.1\" 502 7 \"r\" \"agent x\"";
    for (path, value) in
        [("status", "502"), ("path", "/x"), ("user_agent", "agent x"), ("client", "1.2.3.4"), ("user", "u")]
    {
        assert_eq!(field(access, path).as_deref(), Some(value));
    }
}
