//! What is fuzzed: a name, where its inputs grow from, the words of its language, and what is done with an input.
//! `run` returns a number that stands for the outcome: inputs with a new one are kept.

use crate::stretches::stretches;
use logtally::event::{Exception, Line, Message, Role};
use logtally::frame;
use logtally::parse::{Format, FormatChoice, Lane, Memory, Options, Parser};
use logtally::{config, expose, rules, web};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

pub struct Target {
    pub name: &'static str,
    pub words: &'static [&'static str],
    pub seeds: fn() -> Vec<Vec<u8>>,
    pub run: fn(&[u8]) -> u64,
}

const TARGETS: &[Target] = &[
    Target { name: "parse", words: WORDS, seeds: logs, run: parse },
    Target { name: "unwrap", words: WORDS, seeds: wrapped, run: parse },
    Target { name: "trace", words: TRACES, seeds: traces, run: parse },
    Target { name: "json", words: JSON, seeds: json, run: parse },
    Target { name: "stretches", words: WORDS, seeds: logs, run: stretches },
    Target { name: "stretches-traces", words: TRACES, seeds: traces, run: stretches },
    Target { name: "stretches-json", words: JSON, seeds: json, run: stretches },
    Target { name: "stretches-wrapped", words: WORDS, seeds: wrapped, run: stretches },
    Target { name: "declared", words: WORDS, seeds: logs, run: declared },
    Target { name: "frame", words: &["\n", "\r\n", "\0\0\0", "\x1b[31m", "x"], seeds: logs, run: framed },
    Target { name: "rules", words: RULES, seeds: packs, run: rule_file },
    Target { name: "grok", words: GROK, seeds: grok_seeds, run: grok },
    Target { name: "accept", words: ACCEPT, seeds: accept_seeds, run: accept },
    Target { name: "web-config", words: WEB, seeds: web_configs, run: web_config },
    Target { name: "config", words: RULES, seeds: configs, run: config_file },
];

pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

pub fn names() -> Vec<&'static str> {
    TARGETS.iter().map(|target| target.name).collect()
}

const WORDS: &[&str] = &[
    "2026-11-20 12:00:00,123 ",
    "Nov 20 12:00:00 ",
    "20/Nov/2026:12:00:00 +0000",
    "12:00:00.123",
    "1795176000.123",
    "INFO",
    "ERROR ",
    "warning: ",
    "FATAL",
    " - ",
    " | ",
    "[ERROR]",
    "[main] ",
    "level=error ",
    "msg=\"x\" ",
    "host app[1]: ",
    "<11>1 ",
    "PHP Fatal error:  ",
    "####<",
    "> <",
    "type=AVC msg=audit(1.2:3): ",
    "I1120 12:00:00.1 1 a.go:1] ",
    "E, [2026-11-20T12:00:00.1 #1] ERROR -- : ",
    "1:M 20 Nov 2026 12:00:00.1 # ",
    "\"GET / HTTP/1.1\" 502 1 ",
    "+2",
    "\n",
    "LOG:  ",
    "STATEMENT:  ",
    " on line 1",
    "__CURSOR=s=1\nMESSAGE=x\n",
    "PRIORITY=3\n",
    "name : ERROR    ",
    "[name] [info] ",
    "npm warn ",
    "12 silly ",
    "E (12) tag: ",
    "[ W 2026-11-20 12:00:00.1 1/2 ]: ",
    "(app:12): G-WARNING **: ",
    "[1]{2}[3] 2026-11-20 12:00:00 e ",
    "\u{250c} Error: ",
    "GET /a 200 1 ms - 2",
    "-> ^",
    "%%01A/4/B ",
    ".rb:1:in `f': x (E)",
];
const TRACES: &[&str] = &[
    "Traceback (most recent call last):\n",
    "  File \"x.py\", line 1, in f\n",
    "ValueError: x\n",
    "KeyboardInterrupt\n",
    "During handling of the above exception, another exception occurred:\n",
    "The above exception was the direct cause of the following exception:\n",
    "  + Exception Group Traceback (most recent call last):\n",
    "  | ExceptionGroup: g (1 sub-exception)\n",
    "  +-+---------------- 1 ----------------\n",
    "    | ",
    "Exception in thread \"main\" a.B: x\n",
    "\tat a.b(C.java:1)\n",
    "Caused by: a.B: c\n",
    "\t... 3 more\n",
    "panic: x\n",
    "goroutine 1 [running]:\n",
    "fatal error: x\n",
    "thread 'a' panicked at x.rs:1:2:\n",
    "stack backtrace:\n",
    "note: run with `RUST_BACKTRACE=1`\n",
    "/a/b.js:1\n",
    "    ^\n",
    "TypeError [E]: x\n",
    "    at f (x.js:1:2)\n",
    "Node.js v20\n",
    "PHP Fatal error:  Uncaught A: x\n",
    "#0 {main}\n",
    "  thrown in x on line 1\n",
    "a.rb:1:in `f': x (A::B)\n",
    "\tfrom a.rb:1\n",
    "Unhandled exception. A.B: x\n",
    " ---> ",
    "\n",
    "2026-11-20 12:00:00,123 ERROR ",
    "ERROR x\n",
    "::",
    "$",
];
const JSON: &[&str] = &[
    "{\"log\":\"",
    "\\n\",\"stream\":\"stderr\",\"time\":\"x\"}",
    "{",
    "}",
    "[",
    "]",
    "\"level\":\"error\",",
    "\"level\":50,",
    "\"msg\":\"x\",",
    "\"message\":{",
    "\"err\":{\"type\":\"A\",\"stack\":\"A: x\\n    at f\"},",
    "\"status\":502,",
    "\"request\":{\"method\":\"GET\"},",
    "\"time\":\"2026-11-20T12:00:00Z\",",
    "\"exc_info\":\"Traceback (most recent call last):\\nE: x\",",
    "\\\"",
    "\\u00e9",
    "\\",
    "\"",
    ":",
    ",",
    "\"context\":{\"exception\":{\"class\":\"A\"}},",
    "\"http\":{\"response\":{\"status_code\":404}},",
    "a.b=1 ",
    "level=\"err\\\"or\" ",
];
const RULES: &[&str] = &[
    "group: a\n",
    "rules:\n",
    "  - name: b\n",
    "    match: 'c'\n",
    "    grok: '%{IP:d}'\n",
    "    labels: {e: '${d}'}\n",
    "    metrics:\n",
    "      - {type: counter, name: f_total}\n",
    "    tests:\n",
    "      - line: g\n",
    "        expect: {match: true}\n",
    "inputs:\n",
    "&a ",
    "*a ",
    "<<: ",
    "? ",
    "!!str ",
    "|\n",
    ">-\n",
    "---\n",
    "{",
    "}",
    "[",
    "]",
    "'",
    "\"",
    ": ",
    "- ",
    "#",
    "\t",
    "    alert: {when: 'rate > 0.1'}\n",
    "limits: {series_per_metric: 1}\n",
    "1e999",
    "0x10",
    "~",
    "🦀",
];
const GROK: &[&str] = &[
    "%{",
    "}",
    ":",
    "IP",
    "NUMBER:a:int",
    "TIMESTAMP_ISO8601",
    "GREEDYDATA",
    "COMBINEDAPACHELOG",
    "(?<a>",
    "(?P<b>",
    ")",
    "\\",
    "[",
    "]",
    "*",
    "{3}",
    "|",
    "%",
];
const ACCEPT: &[&str] = &[
    "text/plain",
    "application/openmetrics-text",
    ";version=0.0.4",
    ";version=1.0.0",
    ";q=0.5",
    ";q=",
    "*/*",
    ",",
    "gzip",
    "zstd",
    "identity",
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
    "\"",
    " ",
    ";escaping=allow-utf-8",
];
const WEB: &[&str] = &[
    "tls_server_config:\n",
    "  cert_file: a\n",
    "  min_version: TLS12\n",
    "basic_auth_users:\n",
    "  a: $2y$04$\n",
    "http_server_config:\n",
    "  headers: {X-Frame-Options: deny}\n",
    "rate_limit:\n",
    "  interval: 1s\n",
    "  burst: 0\n",
    "client_allowed_sans: [a]\n",
    "'",
    ": ",
    "- ",
    "\n",
    "&a ",
    "*a ",
];

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The files below a folder, cut into pieces of a few lines.
fn files(folder: &str, ending: &str, lines: usize) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(repository(folder)).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path()).filter(|path| path.to_string_lossy().ends_with(ending));
    let mut paths: Vec<_> = paths.collect();
    paths.sort();
    let text: Vec<_> = paths.iter().filter_map(|path| std::fs::read(path).ok()).collect();
    text.iter()
        .flat_map(|text| {
            let rows: Vec<_> = text.split_inclusive(|b| *b == b'\n').collect();
            rows.chunks(lines).map(<[_]>::concat).collect::<Vec<_>>()
        })
        .collect()
}

fn logs() -> Vec<Vec<u8>> {
    files("tests/fixtures/producers/logs", ".log", 4)
}

fn traces() -> Vec<Vec<u8>> {
    files("tests/fixtures/producers/logs", ".log", 20)
}

fn json() -> Vec<Vec<u8>> {
    logs().into_iter().filter(|log| log.starts_with(b"{") || log.contains(&b'=')).collect()
}

fn wrapped() -> Vec<Vec<u8>> {
    let docker = |text: &[u8]| {
        let text =
            String::from_utf8_lossy(text).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        format!("{{\"log\":\"{text}\",\"stream\":\"stdout\",\"time\":\"2026-11-20T12:00:00.1Z\"}}\n")
            .into_bytes()
    };
    let cri = |text: &[u8]| [b"2026-11-20T12:00:00.123456789Z stderr P ", text].concat();
    let whole = |text: &[u8]| {
        let lines = text.split_inclusive(|b| *b == b'\n');
        lines.flat_map(|line| [b"2026-11-20T12:00:00.123456789Z stdout F ", line].concat()).collect()
    };
    logs().iter().flat_map(|log| [docker(log), cri(log), whole(log)]).collect()
}

fn packs() -> Vec<Vec<u8>> {
    let mut seeds = files("rules/patterns", ".yml", 40);
    seeds.extend(files("tests/fixtures/bad-rules", ".yml", 200));
    seeds
}

fn configs() -> Vec<Vec<u8>> {
    let mut seeds = files("tests/fixtures/bad-config", ".yml", 200);
    seeds.push(b"inputs:\n  - {name: a, include: [/x]}\n".to_vec());
    seeds
}

fn web_configs() -> Vec<Vec<u8>> {
    let mut seeds = files("tests/fixtures/web-config", ".yml", 200);
    seeds.push(b"http_server_config:\n  headers: {X-Frame-Options: deny}\n".to_vec());
    seeds
}

fn grok_seeds() -> Vec<Vec<u8>> {
    GROK.iter()
        .map(|word| word.as_bytes().to_vec())
        .chain([b"%{IP:client} %{WORD:method}".to_vec()])
        .collect()
}

fn accept_seeds() -> Vec<Vec<u8>> {
    ACCEPT.iter().map(|word| word.as_bytes().to_vec()).collect()
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn check(line: &[u8], found: &Line) {
    let inside = |range: &std::ops::Range<u32>| range.start <= range.end && range.end as usize <= line.len();
    assert!(match &found.message {
        Message::From(from) => *from as usize <= line.len(),
        Message::Within(range) => inside(range),
        Message::Decode => true,
    });
    assert!(match &found.exception {
        Exception::None => true,
        Exception::Replace(range) | Exception::Keep(range) => inside(range) && !range.is_empty(),
    });
}

/// All that is asked of a line; the short way says what the long one says.
fn lines(options: &Options, input: &[u8]) -> u64 {
    let Ok(parser) = Parser::new(options) else { return 0 };
    let (mut memory, mut short, mut lane) = (Memory::default(), Memory::default(), Lane::default());
    let mut scratch = Vec::new();
    let mut outcome = DefaultHasher::new();
    for line in input.split(|b| *b == b'\n').take(64) {
        let explained = parser.explain(&memory, line);
        let starts = parser.starts_event(&memory, line);
        let found = parser.line(&mut memory, line);
        check(line, &found);
        assert!(!starts || found.role == Role::Start, "a strong start starts");
        let by = parser.line_by(&mut lane, &mut short, line, !line.contains(&0x1b));
        assert_eq!((&by, &short), (&found, &memory), "both ways say the same");
        parser.message(&memory, line, &mut scratch);
        for path in ["level", "a.b", "status", "request.method"] {
            parser.field(&memory, line, path, &mut scratch);
        }
        let exception = std::mem::discriminant(&found.exception);
        let message = std::mem::discriminant(&found.message);
        (explained.format, explained.why, found.level.as_str(), exception, message).hash(&mut outcome);
    }
    outcome.finish()
}

fn parse(input: &[u8]) -> u64 {
    lines(&Options::default(), input)
}

/// The same with a format that is declared.
fn declared(input: &[u8]) -> u64 {
    let at = usize::from(input.first().copied().unwrap_or(0)) % Format::ALL.len();
    let format = FormatChoice::Named(Format::ALL[at]);
    lines(&Options { format, keyword_levels: at % 2 == 0, ..Options::default() }, input)
}

fn framed(input: &[u8]) -> u64 {
    let mut ends = frame::Ends::default();
    ends.find(input);
    let mut at = 0;
    let mut count = 0;
    for span in frame::lines(input, &ends, 100) {
        assert!(
            at <= span.start && span.start <= span.end && span.end <= span.next && span.next <= input.len()
        );
        assert!(!input[span.start..span.end].contains(&b'\n') && span.end - span.start <= 100);
        at = span.next;
        count += 1;
    }
    assert_eq!(at, input.len());
    hash(count)
}

fn text(input: &[u8]) -> String {
    String::from_utf8_lossy(input).into_owned()
}

fn problems(problems: &[logtally::error::Problem]) -> u64 {
    let words = problems.iter().flat_map(|problem| {
        let message = problem.to_string();
        message.split(|c: char| !c.is_ascii_lowercase()).take(12).map(str::to_owned).collect::<Vec<_>>()
    });
    hash(words.collect::<Vec<_>>())
}

fn rule_file(input: &[u8]) -> u64 {
    let source = rules::Source::Text { name: "fuzz".into(), text: text(input) };
    match rules::load(std::slice::from_ref(&source)) {
        Ok(set) => hash(set.groups.len()),
        Err(found) => {
            rules::render(&found, &[source]);
            problems(&found)
        }
    }
}

fn grok(input: &[u8]) -> u64 {
    match rules::grok_to_regex(&text(input)) {
        Ok(regex) => hash(regex.len()),
        Err(message) => hash(message),
    }
}

fn accept(input: &[u8]) -> u64 {
    let text = text(input);
    hash((format!("{:?}", expose::negotiate(Some(&text))), format!("{:?}", expose::encoding(Some(&text)))))
}

fn file(name: &str, input: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("logtally-fuzz-{name}-{}.yml", std::process::id()));
    std::fs::write(&path, input).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path
}

fn web_config(input: &[u8]) -> u64 {
    match web::Gate::open(Some(&file("web", input))) {
        Ok(gate) => hash(gate.is_tls()),
        Err(found) => problems(&found),
    }
}

fn config_file(input: &[u8]) -> u64 {
    let given = config::Given { config: Some(file("config", input)), ..config::Given::default() };
    match config::load(&given) {
        Ok(_) => 0,
        Err(found) => problems(&found),
    }
}
