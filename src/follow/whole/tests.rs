//! A file cut into stretches anywhere has the numbers that it has when it is read from front to back.

use super::*;
use crate::level::Levels;
use crate::matching::Scanner;
use crate::matching::pattern::{Pattern, Target};
use crate::parse::{self, Parser};
use crate::pipeline::Limits;
use crate::tally::spec::Counted;
use proptest::prelude::*;
use std::io::Write;

const LINES: [&str; 12] = [
    "2026-11-20 12:00:00,123 INFO shop.db started",
    "2026-11-20 12:00:01,123 ERROR shop.db it was lost",
    "Traceback (most recent call last):",
    "  File \"x.py\", line 1, in lost",
    "KeyError: 'lost'",
    "",
    "{\"level\":\"error\",\"msg\":\"lost\"}",
    "WARNING:root:lost and found",
    "words and nothing else",
    "Nov 20 12:00:00 host app[1]: lost",
    "lost",
    "[ERROR] lost",
];

fn pattern(number: usize, any: &str) -> Pattern {
    let name = format!("test/{number}");
    Pattern { name, any: vec![any.into()], not: None, levels: Levels::ALL, target: Target::Message }
}

/// The numbers of a tally that do not depend on when it was filled.
#[derive(Debug, PartialEq)]
struct Numbers {
    lines: u64,
    bytes: u64,
    levels: [u64; 8],
    patterns: Vec<(String, u64)>,
}

fn numbers(tally: &Tally) -> Numbers {
    let stream = &tally.streams().next().unwrap().1.numbers;
    let patterns = tally.pattern_totals();
    Numbers { lines: stream.lines, bytes: stream.bytes, levels: stream.levels, patterns }
}

fn counted(options: &Options<'_>, item: &Item, length: u64) -> Tally {
    let rules = rules(options, options.pipeline, item);
    let Ok(Prepared::Plain(mut plain)) = prepare(options, item) else { panic!("a plain file") };
    let mut scratch = Scratch::default();
    for job in cuts(0, plain.size, length) {
        let Job::Stretch { from, to, .. } = job else { continue };
        let from = if from == 0 {
            From::Here(0, Carry::default())
        } else {
            From::After(from, plain.outlook.clone())
        };
        plain.parts.push(Some(chunk::count(&rules, &plain.file, from, to, &mut scratch, &|_| {})));
    }
    let mut tally = Tally::new(options.input, options.plan.clone(), Arc::new(Guard::new(usize::MAX)));
    join(&rules, plain, &mut tally).unwrap();
    tally
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn stretches_count_what_the_whole_counts(
        mostly in 0..LINES.len(),
        picks in proptest::collection::vec((any::<bool>(), 0..LINES.len()), 1..120),
        lengths in proptest::collection::vec(1..900u64, 4),
        ended: bool,
    ) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let lines: Vec<&str> =
            picks.iter().map(|(other, at)| LINES[if *other { *at } else { mostly }]).collect();
        write!(file, "{}{}", lines.join("\n"), if ended { "\n" } else { "" }).unwrap();
        let patterns = [pattern(0, "lost"), pattern(1, "^lost$"), pattern(2, r"lost\nTraceback")];
        let parser = Parser::new(&parse::Options::default()).unwrap();
        let scanner = Arc::new(Scanner::new(&patterns).unwrap());
        let pipeline = Pipeline::new(parser, scanner, &patterns, Limits::default());
        let counts = |at| Counted {
            group: "test".into(),
            name: format!("r{at}"),
            labels: Vec::new(),
            metrics: Vec::new(),
            levels: Levels::ALL,
            span: None,
        };
        let plan = Arc::new(Plan::new((0..patterns.len()).map(counts).collect(), false));
        let options =
            Options { pipeline: &pipeline, plan, input: "test", line_bytes: 1 << 20, threads: 1, now: 0.0 };
        let item =
            Item { path: file.path().to_owned(), key: StreamKey::default(), head: Head::default() };
        let whole = numbers(&counted(&options, &item, u64::MAX));
        for length in lengths {
            prop_assert_eq!(&numbers(&counted(&options, &item, length)), &whole, "{}", lines.join("\n"));
        }
    }
}
