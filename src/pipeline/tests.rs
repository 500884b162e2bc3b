//! The pipeline against a naive reference: each rule on each event as the header of `mod.rs` defines it, and any cuts.

use super::*;
use crate::level::Levels;
use crate::parse::{self, Memory};
use crate::tally::exposition::Head;
use crate::tally::guard::Guard;
use crate::tally::plan::Plan;
use crate::tally::spec::Counted;
use crate::tally::stream::StreamKey;
use proptest::prelude::*;
use regex::bytes::Regex;

const EXPRESSIONS: [&str; 24] = [
    "timeout",
    "(?i)TIMEOUT",
    "^timeout",
    "lost$",
    "^lost$",
    "(?m)^lost",
    "(?m)after$",
    r"timeout\s+after",
    r"after\nlost",
    "(?s)timeout.*lost",
    "timeout.*lost",
    r"\bkey\b",
    r"key=\S+",
    r"status=(?P<status>5\d\d)\b",
    "",
    r"\d{3}",
    "größe",
    r"(?-u:\xff)lost",
    "timeout|lost|key",
    r"\A(?:lost|timeout)",
    r"timeout\z",
    "a\"b",
    r"^\s+at ",
    "[kK]ey[^\n]after",
];
const TEXTS: [&[u8]; 14] = [
    b"timeout after 30s",
    b"lost",
    b"TIMEOUT key=7",
    b"key after",
    b"status=503 for \"a\"",
    b"status=200",
    "größe 12".as_bytes(),
    b"\xffl\xff lost",
    b"\xfflost",
    b"timeout  after",
    b"timeout and all was lost",
    b"nothing",
    b"KeyError: key",
    b"\x1b[31mlost\x1b[0m",
];
const FURTHER: [&[u8]; 9] = [
    b"  at lost(key)",
    b"lost",
    b"Traceback (most recent call last):",
    b"  File \"x.py\", line 12, in timeout",
    b"KeyError: 'timeout'",
    b"",
    b"\tat a.b.C(D.java:1)",
    b"after",
    b"  \x1b[1mtimeout\x1b[0m after",
];
const FIELDS: [&str; 4] = ["msg", "key", "a.b", "status"];

/// Numbers that follow from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % end
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

fn pattern(random: &mut Random, number: usize) -> Pattern {
    let any = (0..1 + random.below(2)).map(|_| random.of(&EXPRESSIONS).to_owned()).collect();
    let not = (random.below(4) == 0).then(|| random.of(&EXPRESSIONS[..20]).to_owned());
    let levels = match random.below(3) {
        0 => [random.of(&Level::ALL), random.of(&Level::ALL)].into_iter().collect(),
        _ => Levels::ALL,
    };
    let target = match random.below(6) {
        0 => Target::Line,
        1 => Target::Field(random.of(&FIELDS).to_owned()),
        _ => Target::Message,
    };
    Pattern { name: format!("test/{number}"), any, not, levels, target }
}

/// One line of a log, with its end.
fn line(random: &mut Random, layout: usize) -> Vec<u8> {
    let text = random.of(&TEXTS);
    let level = random.of(&["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]);
    let seconds = format!("{:02}", random.below(60));
    let quoted = String::from_utf8_lossy(text).replace('"', "\\\"").replace('\x1b', "\\u001b");
    let further = random.below(4) == 0;
    let mut line = match layout {
        _ if further => random.of(&FURTHER).to_vec(),
        0 => [format!("2026-11-20 12:00:{seconds},123 {level} shop.db ").as_bytes(), text].concat(),
        1 => [format!("2026-11-20 12:00:{seconds},123 {level} ").as_bytes(), text].concat(),
        2 => {
            let escaped = random.of(&["", "\\n", "\\u00e9", " a\\\"b"]);
            let key = random.of(&["key", "none"]);
            format!(r#"{{"ts":1700000{seconds},"level":"{level}","msg":"{quoted}{escaped}","{key}":"lost","a":{{"b":"timeout"}}}}"#)
                .into_bytes()
        }
        3 => format!("time=2026-11-20T12:00:{seconds}Z level={level} msg=\"{quoted}\" status=503 key=lost")
            .into_bytes(),
        4 => [format!("{level}:shop.db:").as_bytes(), text].concat(),
        5 => [format!("2026-11-20 12:00:{seconds}.123 | {level:<8} | a:b:1 - ").as_bytes(), text].concat(),
        6 => format!(
            r#"{{"log":"{level}: {quoted}\n","stream":"stdout","time":"2026-11-20T12:00:{seconds}Z"}}"#
        )
        .into_bytes(),
        _ => text.to_vec(),
    };
    line.extend_from_slice(random.of(&[&b"\n"[..], b"\n", b"\n", b"\r\n"]));
    line
}

fn log(random: &mut Random, lines: usize) -> Vec<Vec<u8>> {
    let mut layout = random.below(8);
    (0..lines)
        .map(|_| {
            if random.below(12) == 0 {
                layout = random.below(8);
            }
            line(random, layout)
        })
        .collect()
}

/// A rule as the reference tries it.
struct Naive {
    pattern: Pattern,
    any: Vec<Regex>,
    not: Option<Regex>,
    spans: bool,
}

impl Naive {
    fn matches(&self, hay: &[u8], start: usize) -> bool {
        self.any.iter().any(|regex| regex.is_match_at(hay, start))
            && !self.not.as_ref().is_some_and(|regex| regex.is_match_at(hay, start))
    }
}

/// An event as its lines come.
#[derive(Default)]
struct Event {
    level: Option<Level>,
    lines: u32,
    text: Vec<u8>,
    matched: Vec<bool>,
}

#[derive(Debug, Default, PartialEq)]
struct Counts {
    levels: [u64; 8],
    rules: Vec<u64>,
}

fn naive(parser: &Parser, rules: &[Naive], lines: &[Vec<u8>], limits: Limits) -> Counts {
    let mut counts = Counts { rules: vec![0; rules.len()], ..Counts::default() };
    let mut memory = Memory::default();
    let mut event: Option<Event> = None;
    let mut scratch = Vec::new();
    for line in lines {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = &line[..line.len().min(limits.line_bytes)];
        let seen = parser.line(&mut memory, line);
        if seen.role == Role::Start {
            end(rules, event.take(), &mut counts);
            counts.levels[seen.level.index()] += 1;
            event = Some(Event {
                level: Some(seen.level),
                matched: vec![false; rules.len()],
                ..Event::default()
            });
        }
        let Some(event) = &mut event else { continue };
        event.lines += 1;
        if event.lines > limits.event_lines {
            continue;
        }
        let message = match &seen.message {
            Message::From(from) => line[*from as usize..].to_vec(),
            Message::Within(range) => line[range.start as usize..range.end as usize].to_vec(),
            Message::Decode => parser.message(&memory, line, &mut scratch).to_vec(),
        };
        let first = seen.role == Role::Start;
        let hay = if first { message.clone() } else { [b"\n", &message[..]].concat() };
        event.text.extend_from_slice(&hay);
        for (at, rule) in rules.iter().enumerate() {
            let level = event.level.is_some_and(|level| rule.pattern.levels.contains(level));
            let matches = match &rule.pattern.target {
                _ if !level || rule.spans || event.matched[at] => continue,
                Target::Message => rule.matches(&hay, usize::from(!first)),
                Target::Line => rule.matches(line, 0),
                Target::Field(_) if !first => false,
                Target::Field(path) => {
                    let mut scratch = Vec::new();
                    parser.field(&memory, line, path, &mut scratch).is_some_and(|text| rule.matches(text, 0))
                }
            };
            event.matched[at] = matches;
            counts.rules[at] += u64::from(matches);
        }
    }
    end(rules, event, &mut counts);
    counts
}

/// An event's end: the rules that span lines see all of it.
fn end(rules: &[Naive], event: Option<Event>, counts: &mut Counts) {
    let Some(event) = event else { return };
    let wanted = |rule: &Naive| event.level.is_some_and(|level| rule.pattern.levels.contains(level));
    for (at, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.spans && wanted(rule)) {
        counts.rules[at] += u64::from(rule.matches(&event.text, 0));
    }
}

fn piped(pipeline: &Pipeline, blocks: &[Vec<u8>], rules: usize) -> Counts {
    let counted = |at| Counted {
        group: "test".into(),
        name: format!("r{at:02}"),
        labels: Vec::new(),
        metrics: Vec::new(),
        levels: Levels::ALL,
        span: None,
    };
    let counted = (0..rules).map(counted).collect();
    let mut tally = Tally::new("test", Arc::new(Plan::new(counted, false)), Arc::new(Guard::new(usize::MAX)));
    let stream = tally.stream(&StreamKey::default(), Head::default, false);
    let (mut carry, mut scratch) = (Carry::default(), Scratch::default());
    let mut into = Into { tally: &mut tally, stream, now: 0.0, clock: None };
    for block in blocks {
        pipeline.feed(&mut carry, block, block.len() as u64, &mut into, &mut scratch);
    }
    pipeline.flush(&mut carry, &mut into, &mut scratch);
    let levels = tally.streams().map(|(_, stream)| stream.numbers.levels).next().unwrap_or_default();
    Counts { levels, rules: tally.pattern_totals().into_iter().map(|(_, count)| count).collect() }
}

/// The lines in blocks of some lines each.
fn cut(lines: &[Vec<u8>], random: &mut Random, most: usize) -> Vec<Vec<u8>> {
    let mut blocks: Vec<Vec<u8>> = vec![Vec::new()];
    let mut left = 1 + random.below(most);
    for line in lines {
        if left == 0 {
            blocks.push(Vec::new());
            left = 1 + random.below(most);
        }
        blocks.last_mut().unwrap().extend_from_slice(line);
        left -= 1;
    }
    blocks
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn counts_are_those_of_each_rule_on_each_event(seed: u64, rules in 0..7usize, lines in 0..40usize) {
        let random = &mut Random(seed);
        let patterns: Vec<Pattern> = (0..rules).map(|number| pattern(random, number)).collect();
        let lines = log(random, lines);
        let limits = Limits { line_bytes: 100, event_lines: 4 };
        let parser = || Parser::new(&parse::Options::default()).unwrap();
        let scanner = Arc::new(Scanner::new(&patterns).unwrap());
        let rules: Vec<Naive> = patterns
            .iter()
            .enumerate()
            .map(|(at, pattern)| Naive {
                any: pattern.any.iter().map(|any| Regex::new(any).unwrap()).collect(),
                not: pattern.not.as_ref().map(|not| Regex::new(not).unwrap()),
                spans: scanner.spans_lines(at as u32),
                pattern: pattern.clone(),
            })
            .collect();
        let expected = naive(&parser(), &rules, &lines, limits);
        let pipeline = Pipeline::new(parser(), scanner, &patterns, limits);
        for most in [1, 3, 100] {
            let blocks = cut(&lines, random, most);
            let found = piped(&pipeline, &blocks, patterns.len());
            let text = String::from_utf8_lossy(&lines.concat()).into_owned();
            prop_assert_eq!(&found, &expected, "{:#?}\n{}", patterns, text);
        }
    }
}

/// Only Python names the type that counts last: everyone else's counts at its line.
#[test]
fn an_exception_counts_when_the_line_that_names_it_arrives() {
    let pipeline = Pipeline::new(
        Parser::new(&parse::Options::default()).unwrap(),
        Arc::new(Scanner::new(&[]).unwrap()),
        &[],
        Limits { line_bytes: 100, event_lines: 9 },
    );
    let java = "12:00:00.123 [main] ERROR a.B - failed\njava.lang.IllegalStateException: x\n";
    let python = "Traceback (most recent call last):\n  File \"x.py\", line 1, in f\nValueError: x\n";
    for (block, waits) in [
        (java, false),
        ("panic: x\n", false),
        ("{\"level\":\"error\",\"error.type\":\"A\"}\n", false),
        (python, true),
    ] {
        let plan = Arc::new(Plan::new(Vec::new(), false));
        let mut tally = Tally::new("test", plan, Arc::new(Guard::new(usize::MAX)));
        let stream = tally.stream(&StreamKey::default(), Head::default, false);
        let (mut carry, mut scratch) = (Carry::default(), Scratch::default());
        let mut into = Into { tally: &mut tally, stream, now: 0.0, clock: None };
        pipeline.feed(&mut carry, block.as_bytes(), block.len() as u64, &mut into, &mut scratch);
        let counted = |carry: &Carry| carry.open.as_ref().map(|open| open.exception == carry::Named::Counted);
        assert_eq!(counted(&carry), Some(!waits), "{block}");
        assert_eq!(pipeline.flush(&mut carry, &mut into, &mut scratch), waits, "{block}");
        assert_eq!(counted(&carry), Some(true), "{block}");
    }
}

#[test]
fn a_line_of_each_rule_is_kept_once_a_second_and_redacted() {
    let fail = Pattern { any: vec!["failed".to_owned()], ..pattern(&mut Random(1), 0) };
    let fail = Pattern { not: None, target: Target::Message, levels: Levels::ALL, ..fail };
    let patterns = [fail];
    let scanner = Arc::new(Scanner::new(&patterns).unwrap());
    let parser = Parser::new(&parse::Options::default()).unwrap();
    let off = Pipeline::new(parser, scanner, &patterns, Limits::default());
    let on = off.for_thread().with_samples(Some(Arc::new(crate::redact::Redactor::new(&[]).unwrap())));
    let feed = |pipeline: &Pipeline,
                tally: &mut Tally,
                now: f64,
                clock: Option<fn() -> std::time::Instant>,
                line: &str| {
        let stream = tally.stream(&StreamKey::default(), Head::default, false);
        tally.set_now(now);
        let mut into = Into { tally, stream, now, clock };
        let (mut carry, mut scratch) = (Carry::default(), Scratch::default());
        pipeline.feed(&mut carry, line.as_bytes(), line.len() as u64, &mut into, &mut scratch);
        let sample = tally.samples()[0].clone();
        sample.map(|sample| (sample.at, sample.text))
    };
    let counted = Counted {
        group: "a".into(),
        name: "b".into(),
        labels: Vec::new(),
        metrics: Vec::new(),
        levels: Levels::ALL,
        span: None,
    };
    let tally = || {
        let plan = Plan::new(vec![counted.clone()], false);
        Tally::new("test", Arc::new(plan), Arc::new(Guard::new(usize::MAX)))
    };
    let clock: Option<fn() -> std::time::Instant> = Some(std::time::Instant::now);
    let mut one = tally();
    let first = Some((10.0, "ERROR failed password=[redacted]".to_owned()));
    assert_eq!(feed(&on, &mut one, 9.0, clock, "INFO fine\n"), None);
    assert_eq!(feed(&on, &mut one, 10.0, clock, "ERROR failed password=x\n"), first);
    assert_eq!(feed(&on, &mut one, 10.9, clock, "ERROR failed again\n"), first);
    assert_eq!(
        feed(&on, &mut one, 11.0, clock, "ERROR failed later\n"),
        Some((11.0, "ERROR failed later".to_owned()))
    );
    assert_eq!(
        feed(&on, &mut one, 5.0, clock, "ERROR failed back\n"),
        Some((5.0, "ERROR failed back".to_owned()))
    );
    assert_eq!(feed(&off, &mut tally(), 10.0, clock, "ERROR failed\n"), None);
    assert_eq!(feed(&on, &mut tally(), 10.0, None, "ERROR failed\n"), None);
}
