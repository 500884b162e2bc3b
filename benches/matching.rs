//! The scanner's throughput over a python log with few matches: alone, and with the lines found and confirmed.
//!
//! The corpus is generated; `LOGTALLY_CORPUS=file` takes a file's first 256 MiB instead. The rules are twenty that
//! services are commonly watched with; 200 are the same with other words.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot begin may stop")]

use std::sync::LazyLock;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use logtally::level::Levels;
use logtally::matching::pattern::{Pattern, Target};
use logtally::matching::{Candidate, Scanner};

const BLOCK: usize = 256 << 10;
const GENERATED: usize = 64 << 20;
const READ: usize = 256 << 20;

const RULES: [&str; 20] = [
    r"connection timed out after (?P<seconds>\d+(?:\.\d+)?)s",
    r"status=(?P<status>5\d\d)\b",
    r"[Oo]ut of memory|MemoryError",
    r"login failed for user (?P<user>\w+)",
    r"retry(?:ing)? \d+/\d+",
    r"deadlock detected",
    r"No space left on device",
    r"Name or service not known|Temporary failure in name resolution",
    r"Connection refused",
    r"slow query \((?P<ms>\d+) ms\)",
    r"\b(?P<exception>[A-Z]\w+(?:Error|Exception))\b",
    r"^Traceback \(most recent call last\)",
    r"[Pp]ermission denied",
    r"segfault at [0-9a-f]+",
    r"certificate (?:has )?expired",
    r"\b429\b.*rate limit",
    r"payment (?P<id>[0-9a-f-]{36}) declined",
    r"queue (?P<queue>\S+) is full",
    r"circuit breaker \S+ open(?:ed)?",
    r"banned (?P<ip>\d{1,3}(?:\.\d{1,3}){3})",
];

/// Other words for the variants of each rule, so that no two share their literals.
const WORDS: [&str; 9] =
    ["upload", "mailer", "tenant", "ledger", "webhook", "replica", "billing", "gateway", "snapshot"];

static CORPUS: LazyLock<Vec<u8>> = LazyLock::new(corpus);

fn main() {
    divan::main();
}

fn pattern(number: usize, source: String) -> Pattern {
    Pattern {
        name: format!("bench/{number}"),
        any: vec![source],
        not: None,
        levels: Levels::ALL,
        target: Target::Message,
    }
}

fn scanner(rules: usize) -> Scanner {
    let mut sources: Vec<String> = RULES.iter().map(|r| (*r).to_owned()).collect();
    for word in WORDS {
        let changed = |rule: &str| {
            let mut done = false;
            let new: Vec<String> = rule
                .split(' ')
                .map(|part| {
                    let plain = part.len() > 3 && part.bytes().all(|b| b.is_ascii_alphabetic());
                    if plain && !done {
                        done = true;
                        return format!("{word}{}", &part[part.len() - 2..]);
                    }
                    part.to_owned()
                })
                .collect();
            if done { new.join(" ") } else { format!("{word} {rule}") }
        };
        sources.extend(RULES.iter().map(|rule| changed(rule)));
    }
    let patterns: Vec<Pattern> =
        sources.into_iter().take(rules).enumerate().map(|(i, source)| pattern(i, source)).collect();
    Scanner::new(&patterns).unwrap()
}

/// A small xorshift; the same bytes on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

fn corpus() -> Vec<u8> {
    if let Ok(path) = std::env::var("LOGTALLY_CORPUS") {
        let mut bytes = std::fs::read(path).unwrap();
        bytes.truncate(READ);
        return bytes;
    }
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut text = String::with_capacity(GENERATED + 512);
    let mut line = 0u64;
    while text.len() < GENERATED {
        line += 1;
        let level = ["DEBUG", "INFO", "INFO", "INFO", "WARNING", "ERROR"][dice.below(6) as usize];
        let (a, b) = (dice.below(1_000_000), dice.below(900));
        let message = if dice.below(100) < 6 { loud(&mut dice, a, b) } else { quiet(&mut dice, a, b) };
        let (h, m, s) = (line / 3600 % 24, line / 60 % 60, line % 60);
        text.push_str(&format!("2026-11-20 {h:02}:{m:02}:{s:02},{b:03} {level} shop.orders {message}\n"));
    }
    text.into_bytes()
}

fn quiet(dice: &mut Dice, a: u64, b: u64) -> String {
    match dice.below(7) {
        0 => format!("GET /api/v1/orders/{a} status=200 duration={b}ms user={a}"),
        1 => format!("cache hit key=session:{a:08x} age={b}s"),
        2 => format!("job {a} finished in {b} ms worker=7"),
        3 => format!("user {a} viewed product {b} from 10.1.2.3"),
        4 => format!("connected to db-3.internal:5432 pool={b}/64"),
        5 => format!("published event order.created id={a:012x} partition={b} offset={a}"),
        _ => "scheduler tick: nothing to do".to_owned(),
    }
}

fn loud(dice: &mut Dice, a: u64, b: u64) -> String {
    match dice.below(8) {
        0 => format!("connection timed out after {b}.5s to db-3.internal:5432"),
        1 => format!("GET /api/v1/orders/{a} status=503 duration={b}ms"),
        2 => format!("login failed for user u{a} from 10.1.2.3"),
        3 => format!("slow query ({b} ms): select * from orders"),
        4 => format!("unhandled ValueError: bad input {a}"),
        5 => format!("open /var/lib/app/{a}: Permission denied"),
        6 => format!("upstream answered 429 for tenant {b}: rate limit reached"),
        _ => format!("queue emails-{b} is full"),
    }
}

fn blocks(corpus: &[u8], mut visit: impl FnMut(&[u8])) {
    let mut rest = corpus;
    while !rest.is_empty() {
        let cut = rest.len().min(BLOCK);
        let end = memchr::memrchr(b'\n', &rest[..cut]).map_or(cut, |i| i + 1);
        visit(&rest[..end]);
        rest = &rest[end..];
    }
}

#[divan::bench(args = [20, 200], sample_count = 20)]
fn scan(bencher: Bencher<'_, '_>, rules: usize) {
    let scanner = scanner(rules);
    let corpus = &*CORPUS;
    let mut out: Vec<Candidate> = Vec::new();
    bencher.counter(BytesCount::new(corpus.len())).bench_local(|| {
        let mut all = 0;
        blocks(corpus, |block| {
            scanner.scan(block, &mut out);
            all += out.len();
        });
        black_box(all)
    });
}

#[divan::bench(args = [20, 200], sample_count = 20)]
fn scan_lines_confirm(bencher: Bencher<'_, '_>, rules: usize) {
    let scanner = scanner(rules);
    let corpus = &*CORPUS;
    let mut out: Vec<Candidate> = Vec::new();
    let mut counts = vec![0u64; rules];
    bencher.counter(BytesCount::new(corpus.len())).bench_local(|| {
        let mut lines = 0u64;
        blocks(corpus, |block| {
            scanner.scan(block, &mut out);
            lines += count_block(&scanner, block, &out, &mut counts);
        });
        black_box(lines)
    });
}

/// Finds every line and counts the patterns that match on it, each once.
fn count_block(scanner: &Scanner, block: &[u8], candidates: &[Candidate], counts: &mut [u64]) -> u64 {
    let mut lines = 0;
    let mut start = 0;
    let mut next = candidates.iter().peekable();
    let mut seen: Vec<u32> = Vec::new();
    for end in memchr::memchr_iter(b'\n', block) {
        lines += 1;
        if next.peek().is_some_and(|c| (c.at as usize) < end) {
            seen.clear();
            while let Some(candidate) = next.next_if(|c| (c.at as usize) < end) {
                if seen.contains(&candidate.pattern) {
                    continue;
                }
                seen.push(candidate.pattern);
                if scanner.confirm(candidate.pattern, &block[start..end], 0).is_some() {
                    counts[candidate.pattern as usize] += 1;
                }
            }
        }
        start = end + 1;
    }
    lines
}
