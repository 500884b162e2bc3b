//! The scanner against the plain reading: every expression on every line. Rules and texts are random and made so
//! that near misses are likely; the seed of a failure is printed by proptest.

use proptest::collection::vec;
use proptest::prelude::*;
use regex::bytes::Regex;

use super::pattern::{Pattern, Target};
use super::sample::{Choices, WORDS, expression, parsed, sample};
use super::scanner::{Candidate, Part, Scanner};
use super::search::Kernel;
use crate::level::Levels;

fn pattern(any: &[&str], not: Option<&str>) -> Pattern {
    Pattern {
        name: "test/rule".to_owned(),
        any: any.iter().map(|s| (*s).to_owned()).collect(),
        not: not.map(str::to_owned),
        levels: Levels::ALL,
        target: Target::Message,
    }
}

fn scanner(sources: &[&str]) -> Scanner {
    let patterns: Vec<Pattern> = sources.iter().map(|s| pattern(&[s], None)).collect();
    Scanner::new(&patterns).unwrap()
}

/// All scanners that must agree: one for each kernel that this machine can run.
fn scanners(patterns: &[Pattern]) -> Vec<Scanner> {
    let kernels = Kernel::available().into_iter();
    kernels.map(|kernel| Scanner::with_kernel(patterns, kernel).unwrap()).collect()
}

/// Which patterns match each line, read plainly.
fn naive(patterns: &[Pattern], block: &[u8]) -> Vec<(usize, u32, usize)> {
    let compiled: Vec<(Vec<Regex>, Option<Regex>)> = patterns
        .iter()
        .map(|p| {
            let any = p.any.iter().map(|s| Regex::new(s).unwrap()).collect();
            (any, p.not.as_ref().map(|s| Regex::new(s).unwrap()))
        })
        .collect();
    let mut found = Vec::new();
    for (number, line) in block.split(|&b| b == b'\n').enumerate() {
        for (pattern, (any, not)) in (0u32..).zip(&compiled) {
            let Some(which) = any.iter().position(|r| r.is_match(line)) else { continue };
            if !not.as_ref().is_some_and(|r| r.is_match(line)) {
                found.push((number, pattern, which));
            }
        }
    }
    found
}

/// The same through candidates and the residual set.
fn scanned(scanner: &Scanner, block: &[u8]) -> Vec<(usize, u32, usize)> {
    let mut candidates = Vec::new();
    scanner.scan(block, &mut candidates);
    assert!(candidates.windows(2).all(|two| two[0] < two[1]), "ascending, without doubles: {candidates:?}");
    let mut found = Vec::new();
    let mut start = 0;
    for (number, line) in block.split(|&b| b == b'\n').enumerate() {
        let end = start + line.len();
        let here: Vec<Candidate> =
            candidates.iter().filter(|c| (start..end).contains(&(c.at as usize))).copied().collect();
        for candidate in &here {
            let pattern = candidate.pattern;
            assert!(scanner.slow_reason(pattern).is_none(), "residual patterns have no candidates");
        }
        let mut patterns: Vec<u32> = here.iter().map(|c| c.pattern).collect();
        scanner.residual(line, 0, &mut patterns);
        patterns.sort_unstable();
        patterns.dedup();
        let confirmed = patterns.into_iter().filter_map(|p| Some((number, p, scanner.confirm(p, line, 0)?)));
        found.extend(confirmed);
        start = end + 1;
    }
    found
}

fn agrees(patterns: &[Pattern], block: &[u8]) {
    let truth = naive(patterns, block);
    let mut first: Option<Vec<Candidate>> = None;
    for scanner in scanners(patterns) {
        assert_eq!(scanned(&scanner, block), truth, "{patterns:?} on {:?}", block.escape_ascii().to_string());
        let mut candidates = Vec::new();
        scanner.scan(block, &mut candidates);
        assert_eq!(*first.get_or_insert_with(|| candidates.clone()), candidates, "all kernels agree");
    }
}

fn rule() -> impl Strategy<Value = Pattern> {
    (vec(expression(), 1..3), prop::option::weighted(0.2, expression())).prop_map(|(any, not)| Pattern {
        name: "random/rule".to_owned(),
        any,
        not,
        levels: Levels::ALL,
        target: Target::Message,
    })
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => prop::sample::select(&WORDS[..]).prop_map(|w| w.as_bytes().to_vec()),
        2 => prop::sample::select(&WORDS[..]).prop_map(|w| w.to_uppercase().into_bytes()),
        2 => prop::sample::select(&[
            "\n", " ", "\u{212a}", "di\u{17f}k", "5", "77", "αβ", "\r\n", "d", "\u{0}", "í", "_",
        ][..]).prop_map(|w| w.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..4),
        1 => (prop::sample::select(&[b'x', b'd', b' ', b'\n'][..]), 0usize..90).prop_map(|(b, n)| vec![b; n]),
    ]
}

/// Pieces, and between them texts that the rules' own expressions match but for their look-arounds.
fn rules_and_text(most: usize) -> impl Strategy<Value = (Vec<Pattern>, Vec<u8>)> {
    let own = (any::<prop::sample::Index>(), vec(any::<u32>(), 1..6));
    (vec(rule(), 1..most), vec((prop::option::of(own), piece()), 0..30)).prop_map(|(rules, pieces)| {
        let sources: Vec<&String> = rules.iter().flat_map(|r| r.any.iter().chain(&r.not)).collect();
        let mut text = Vec::new();
        for (own, piece) in pieces {
            if let Some((index, numbers)) = own {
                sample(&parsed(sources[index.index(sources.len())]), &mut Choices::new(&numbers), &mut text);
            }
            text.extend(piece);
        }
        (rules, text)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_rules_match_as_the_plain_reading_says((rules, text) in rules_and_text(8)) {
        agrees(&rules, &text);
    }

    #[test]
    fn a_match_over_lines_has_a_candidate_in_its_text((rules, text) in rules_and_text(2)) {
        let scanner = Scanner::new(&rules).unwrap();
        let mut candidates = Vec::new();
        scanner.scan(&text, &mut candidates);
        let mut residual = Vec::new();
        scanner.residual(&text, 0, &mut residual);
        if scanner.confirm(0, &text, 0).is_some() {
            prop_assert!(!candidates.is_empty() || !residual.is_empty(), "{rules:?}");
            let crosses = rules[0].any.iter().any(|s| {
                Regex::new(s).unwrap().find_iter(&text).any(|m| m.as_bytes().contains(&b'\n'))
            });
            prop_assert!(!crosses || scanner.spans_lines(0), "{rules:?}");
        }
    }

    #[test]
    fn from_a_later_start_the_look_arounds_still_see_what_is_before((rules, text) in rules_and_text(2), at in any::<prop::sample::Index>()) {
        let rule = &rules[0];
        let start = at.index(text.len() + 1);
        let scanner = Scanner::new(&rules).unwrap();
        let regexes: Vec<Regex> = rule.any.iter().map(|s| Regex::new(s).unwrap()).collect();
        let vetoed = rule.not.as_ref().is_some_and(|s| Regex::new(s).unwrap().is_match_at(&text, start));
        let truth = regexes.iter().position(|r| r.is_match_at(&text, start)).filter(|_| !vetoed);
        prop_assert_eq!(scanner.confirm(0, &text, start), truth);
        if truth.is_some() && scanner.has_residual() {
            let mut residual = Vec::new();
            scanner.residual(&text, start, &mut residual);
            prop_assert_eq!(residual, [0]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn many_literals_are_all_found(words in vec("[a-f=]{1,9}", 1..300), texts in vec("[a-fA-F= \n]{0,12}", 0..30)) {
        let rules: Vec<Pattern> = words.iter().map(|w| pattern(&[w], None)).collect();
        let mut block = texts.concat().into_bytes();
        for word in words.iter().step_by(3) {
            block.extend_from_slice(word.as_bytes());
        }
        agrees(&rules, &block);
    }
}

#[test]
fn tricky_cases_match_as_the_plain_reading_says() {
    let rules = [
        r"(?i)disk full",
        r"(?i)\bkilo",
        r"(?i)straße",
        r"^Traceback",
        r"(?m)^at ",
        r"done$",
        r"a|b|",
        r"",
        r"[^\s\S]",
        r"foo[^\s\S]|bar",
        r"x{3,5}y",
        r"(?:ab){2,}",
        r"(?s)begin.*end",
        "two\nlines",
        r"[Oo]ut of memory|MemoryError",
        r"status=(?P<status>5\d\d)\b",
        r"\b429\b.*rate limit",
        r"(?i-u)\xffk",
        r"(?-u:\xff\xfe)+",
        r"é+",
        r"(?i)É",
        r"\x00\x00",
        r"(a(b(c(d)?)?)?)?e",
        r"(?:foo|bar)(?:baz|qux)",
        r"(?:foo\d|bar\d)baz",
        r"(?:[ab][cd]){4}",
        r"\bk\b",
        r"(?:a{3}){3}",
        r"[kK]ernel",
        r"(?i)s",
        r"(?:|error)",
        r"(?:retry|retrying) \d",
        r"$",
        r"(?:warn\n|fail\n)x",
        r"(?i)ſ",
        r"\b(?:(?:disk)+)?",
    ];
    let texts: [&[u8]; 24] = [
        b"DISK FULL",
        "DI\u{17f}K FULL".as_bytes(),
        "dis\u{212a} full disk ful".as_bytes(),
        "\u{212a}ILO kilo akilo".as_bytes(),
        "STRASSE straße STRAßE STRA\u{1e9e}E".as_bytes(),
        b"Traceback\n Traceback\nat at \n at",
        b"done\r\ndone\nnot done",
        b"",
        b"\n\n\n",
        b"two\nlines",
        b"xxy xxxy xxxxxxxy",
        b"ababab abba",
        b"begin\nend\nbegin end",
        b"Out of memory out of memor MemoryError",
        b"status=500 status=50 status=5000 status=499",
        b"429 x rate limit 1429 rate limit",
        b"\xffk\xffK\xff\xfe\xff\xfe\xe9",
        "éé É e\u{301}".as_bytes(),
        b"\0\0\0",
        b"foobaz barqux foo1baz bar2baz",
        b"acbdacbd acacac",
        b"k kk aaaaaaaaa aaaaaaaa",
        "ſſ S kernel \u{212a}ernel".as_bytes(),
        b"warn\nx fail\nx retry 1 retrying 2",
    ];
    let mut block = texts.join(&b'\n');
    let patterns: Vec<Pattern> = rules.iter().map(|r| pattern(&[r], None)).collect();
    agrees(&patterns, &block);
    for text in texts {
        agrees(&patterns, text);
    }
    let pairs: Vec<Pattern> =
        rules.iter().zip(&rules[1..]).map(|(a, b)| pattern(&[a, b], Some("50 |kk"))).collect();
    agrees(&pairs, &block);
    // At every distance from the end of the vectors' steps.
    let (scanners, truth) = (scanners(&patterns[..6]), naive(&patterns[..6], &block));
    for _ in 0..130 {
        block.insert(0, b'.');
        assert!(scanners.iter().all(|s| scanned(s, &block) == truth));
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once_with_its_place() {
    let patterns = [
        pattern(&["ok", "a(b"], Some("[z-a]")),
        pattern(&["fine"], None),
        pattern(&[r"(?:\w{200}){200}"], None),
    ];
    let faults = Scanner::new(&patterns).unwrap_err();
    let places: Vec<_> = faults.iter().map(|f| (f.pattern, f.part, f.offset)).collect();
    assert_eq!(places, [(0, Part::Any(1), Some(1)), (0, Part::Not, Some(1)), (2, Part::Any(0), None)]);
    assert!(faults[0].message.contains("unclosed group"), "{}", faults[0].message);
    assert!(faults[2].message.contains("MiB"), "{}", faults[2].message);
}

#[test]
fn rules_without_a_literal_are_named_with_a_reason() {
    let rules = scanner(&[r"\d+ \w+", r"\w+", "deadlock", r"(?:error)?", r"(?i)panic", "[^\\s\\S]"]);
    let slow: Vec<bool> = (0..6).map(|p| rules.slow_reason(p).is_some()).collect();
    assert_eq!(slow, [true, true, false, true, false, false]);
    assert!(rules.slow_reason(0).unwrap().contains("` `"), "{:?}", rules.slow_reason(0));
    assert!(rules.never_matches(5) && !rules.never_matches(0));
}

#[test]
fn residual_patterns_are_appended_to_what_is_there() {
    let rules = Scanner::new(&[pattern(&[r"\d+", r"\w+"], None), pattern(&["deadlock"], None)]).unwrap();
    let mut out = vec![1, 0];
    rules.residual(b"a 1", 0, &mut out);
    assert_eq!(out, [1, 0, 0]);
    rules.residual(b"a 1", 3, &mut out);
    rules.residual(b"a 1", 4, &mut out);
    assert_eq!(out, [1, 0, 0]);
}

#[test]
fn what_can_hold_a_newline_spans_lines() {
    let rules = scanner(&["a.b", r"a\sb", "(?s)a.b", "[^x]y", "(?m)^a$", r"a\nb", r"a\x20b", r"\S+"]);
    let spans: Vec<bool> = (0..8).map(|p| rules.spans_lines(p)).collect();
    assert_eq!(spans, [false, true, true, true, false, true, false, false]);
    let on_lines = Pattern { target: Target::Line, ..pattern(&[r"a\sb"], None) };
    assert!(!Scanner::new(&[on_lines]).unwrap().spans_lines(0));
    assert!(Scanner::new(&[pattern(&["ab"], Some(r"c\sd"))]).unwrap().spans_lines(0));
}

#[test]
fn captures_come_from_the_expression_that_matched() {
    let rules =
        Scanner::new(&[pattern(&[r"took (?P<ms>\d+)", r"(?P<ms>\d+) of (?P<all>\d+)"], Some("test"))])
            .unwrap();
    assert_eq!(rules.capture_names(0), ["ms", "all"]);
    let hay = b"3 of 7";
    let which = rules.confirm(0, hay, 0).unwrap();
    assert_eq!(which, 1);
    assert_eq!(&rules.captures(0, which, hay, 0).unwrap()["all"], b"7");
    assert_eq!(rules.confirm(0, b"took 5 in test", 0), None);
    assert_eq!(rules.confirm(0, hay, 7), None);
    assert_eq!(rules.confirm(9, hay, 0), None);
}

#[test]
fn one_place_names_all_its_owners() {
    let rules = scanner(&["deadlock detected", "deadlock", "deadlock detected on \\w+", "(?i)DEADLOCK"]);
    let mut out = Vec::new();
    rules.scan(b"a deadlock detected on x", &mut out);
    let mut patterns: Vec<u32> = out.iter().map(|c| c.pattern).collect();
    patterns.sort_unstable();
    assert_eq!(patterns, [0, 1, 2, 3]);
}
