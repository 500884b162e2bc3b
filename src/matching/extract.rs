//! From an expression's syntax tree to the literals that any match must contain.
//!
//! Every rule here must be sound: a set is only ever offered where each match of the expression contains one of its
//! literals entirely. Look-arounds count as empty, so sets may promise too much, never too little. No literal holds
//! a newline, for blocks are looked at line by line in the end.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use super::literal::{Literal, minimized};
use super::model;

/// The most strings that are kept while they are joined; beyond it a run is cut.
const JOINED: usize = 16;
/// The most literals that stand for one expression.
const OFFERED: usize = 64;
/// Characters of a class that are worth spelling out.
const CLASS: usize = 8;
/// Bytes of a literal; longer runs are cut.
const LENGTH: usize = 48;
/// Copies of a repeated part that are spelled out.
const COPIES: u32 = 6;
/// What each further literal costs the searcher, in occurrences per byte.
const PER_LITERAL: f32 = 1e-5;
/// A literal of so many bytes costs twice a very long one: the model knows little about rare words, length is safer.
const SHORT: f32 = 8.0;
/// Weight of a false start of the searcher against a line that goes to the regex.
const FALSE_START: f32 = 0.1;

/// Literals of which each match contains at least one. Empty: nothing can match.
#[derive(Clone, Debug)]
pub(super) struct Required {
    pub(super) literals: Vec<Literal>,
    /// Estimated occurrences per byte of log text.
    pub(super) share: f32,
    cost: f32,
}

/// The best required literals of an expression, or none where it has none at all.
pub(super) fn required(hir: &Hir) -> Option<Required> {
    facts(hir).best
}

/// What is known about the text that a part of an expression matches.
#[derive(Clone)]
struct Facts {
    /// All the strings it can match, where they are few.
    exact: Option<Vec<Literal>>,
    /// Each match begins with one of these (with the empty one where nothing is known).
    prefix: Vec<Literal>,
    /// Each match ends with one of these.
    suffix: Vec<Literal>,
    best: Option<Required>,
}

impl Facts {
    fn unknown() -> Facts {
        Facts { exact: None, prefix: nothing(), suffix: nothing(), best: None }
    }

    fn exact(set: Vec<Literal>) -> Facts {
        let best = offer(&set);
        Facts { exact: Some(set), prefix: Vec::new(), suffix: Vec::new(), best }
    }

    fn starts(&self) -> &[Literal] {
        self.exact.as_deref().unwrap_or(&self.prefix)
    }

    fn ends(&self) -> &[Literal] {
        self.exact.as_deref().unwrap_or(&self.suffix)
    }
}

fn nothing() -> Vec<Literal> {
    vec![Literal::default()]
}

fn offer(set: &[Literal]) -> Option<Required> {
    if set.iter().any(Literal::is_empty) || set.len() > OFFERED {
        return None;
    }
    let literals = minimized(set.to_vec());
    let share: f32 = literals.iter().map(|l| model::share(l.as_slice())).sum();
    let window = |l: &Literal| {
        let (from, width) = best_window(l);
        model::share(l.slice(from, width))
    };
    let starts: f32 = literals.iter().map(window).sum();
    let places: f32 = literals.iter().map(|l| 1.0 + SHORT / l.len() as f32).sum();
    let cost = share + FALSE_START * starts + PER_LITERAL * places;
    Some(Required { literals, share, cost })
}

/// Where the rarest four bytes of a literal stand: offset and width (fewer where it is shorter).
fn best_window(literal: &Literal) -> (usize, usize) {
    rarest_window(literal, |_| 1.0)
}

/// The same where each four bytes, at an offset, are so many times as costly as they are common.
pub(super) fn rarest_window(literal: &Literal, cost: impl Fn(usize) -> f32) -> (usize, usize) {
    let width = literal.len().min(4);
    let mut best = (0, f32::INFINITY);
    for from in 0..=literal.len() - width {
        let share = model::share(literal.slice(from, width)) * cost(from);
        if share < best.1 {
            best = (from, share);
        }
    }
    (best.0, width)
}

fn better(one: Option<Required>, other: Option<Required>) -> Option<Required> {
    match (one, other) {
        (Some(a), Some(b)) => Some(if b.cost < a.cost { b } else { a }),
        (a, b) => a.or(b),
    }
}

fn facts(hir: &Hir) -> Facts {
    match hir.kind() {
        HirKind::Alternation(branches) => alternation(branches),
        HirKind::Class(class) => Facts::exact_or_unknown(spelled(class)),
        _ => {
            let mut parts = Vec::new();
            flatten(hir, &mut parts);
            sequence(&parts)
        }
    }
}

impl Facts {
    fn exact_or_unknown(set: Option<Vec<Literal>>) -> Facts {
        set.map_or_else(Facts::unknown, Facts::exact)
    }
}

/// The parts of a concatenation in their order, through groups and repetitions.
fn flatten(hir: &Hir, parts: &mut Vec<Facts>) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => {
            for (i, piece) in literal.0.split(|&b| b == b'\n').enumerate() {
                if i > 0 {
                    parts.push(Facts::unknown());
                }
                parts.extend(piece.chunks(LENGTH).map(|text| Facts::exact(vec![Literal::plain(text)])));
            }
        }
        HirKind::Capture(capture) => flatten(&capture.sub, parts),
        HirKind::Concat(subs) => subs.iter().for_each(|sub| flatten(sub, parts)),
        HirKind::Class(_) | HirKind::Alternation(_) => parts.push(facts(hir)),
        HirKind::Repetition(repetition) => repeated(repetition, parts),
    }
}

fn repeated(repetition: &Repetition, parts: &mut Vec<Facts>) {
    let inner = facts(&repetition.sub);
    if repetition.min == 0 {
        let optional = inner.exact.filter(|set| repetition.max == Some(1) && set.len() < JOINED);
        parts.push(Facts::exact_or_unknown(optional.map(|mut set| {
            if !set.iter().any(Literal::is_empty) {
                set.push(Literal::default());
            }
            set
        })));
        return;
    }
    let copies = repetition.min.min(COPIES);
    parts.extend((0..copies).map(|_| inner.clone()));
    if repetition.max != Some(copies) {
        // What stands between the first copies and the last one is open; the last one joins what follows.
        parts.push(Facts::unknown());
        parts.push(inner);
    }
}

/// Joins what stands side by side into runs and keeps the best of all runs and all parts.
fn sequence(parts: &[Facts]) -> Facts {
    let mut run = nothing();
    let mut prefix: Option<Vec<Literal>> = None;
    let mut best = None;
    for part in parts {
        if let Some(set) = &part.exact {
            if set.len() > 1 {
                best = better(best, offer(&run));
            }
            if let Some(longer) = joined(&run, set) {
                run = longer;
                continue;
            }
            best = better(best, offer(&run));
            prefix.get_or_insert(run);
            run = set.clone();
            continue;
        }
        let whole = joined(&run, &part.prefix);
        best = better(best, better(offer(&run), better(whole.as_deref().and_then(offer), part.best.clone())));
        prefix.get_or_insert(whole.unwrap_or(run));
        run = part.suffix.clone();
    }
    best = better(best, offer(&run));
    match prefix {
        None => Facts { exact: Some(run), prefix: Vec::new(), suffix: Vec::new(), best },
        Some(prefix) => Facts { exact: None, prefix, suffix: run, best },
    }
}

/// Each of `left` followed by each of `right`, where that stays small.
fn joined(left: &[Literal], right: &[Literal]) -> Option<Vec<Literal>> {
    let longest = |set: &[Literal]| set.iter().map(Literal::len).max().unwrap_or(0);
    if left.len() * right.len() > JOINED || longest(left) + longest(right) > LENGTH {
        return None;
    }
    let mut set: Vec<Literal> = left.iter().flat_map(|l| right.iter().map(move |r| l.then(r))).collect();
    set.sort();
    set.dedup();
    Some(set)
}

fn alternation(branches: &[Hir]) -> Facts {
    let branches: Vec<Facts> = branches.iter().map(facts).collect();
    let exact: Option<Vec<&[Literal]>> = branches.iter().map(|b| b.exact.as_deref()).collect();
    if let Some(set) = exact.and_then(|sets| union(sets.into_iter(), JOINED)) {
        return Facts::exact(set);
    }
    let bests: Option<Vec<&[Literal]>> =
        branches.iter().map(|b| b.best.as_ref().map(|best| best.literals.as_slice())).collect();
    Facts {
        exact: None,
        prefix: union(branches.iter().map(Facts::starts), JOINED).unwrap_or_else(nothing),
        suffix: union(branches.iter().map(Facts::ends), JOINED).unwrap_or_else(nothing),
        best: bests.and_then(|sets| union(sets.into_iter(), OFFERED)).and_then(|set| offer(&set)),
    }
}

fn union<'a>(sets: impl Iterator<Item = &'a [Literal]>, most: usize) -> Option<Vec<Literal>> {
    let mut all = Vec::new();
    for set in sets {
        if all.len() + set.len() > most {
            return None;
        }
        all.extend_from_slice(set);
    }
    all.sort();
    all.dedup();
    Some(all)
}

/// The strings of a small class; both cases of an ASCII letter become one.
fn spelled(class: &Class) -> Option<Vec<Literal>> {
    let characters: Vec<Vec<u8>> = match class {
        Class::Unicode(class) => {
            let all = class.ranges().iter().flat_map(|r| r.start()..=r.end()).take(CLASS + 1);
            all.map(|c| c.to_string().into_bytes()).collect()
        }
        Class::Bytes(class) => {
            let all = class.ranges().iter().flat_map(|r| r.start()..=r.end()).take(CLASS + 1);
            all.map(|b| vec![b]).collect()
        }
    };
    if characters.len() > CLASS || characters.iter().any(|c| c == b"\n") {
        return None;
    }
    let mut set = Vec::new();
    for character in &characters {
        let [byte] = character[..] else {
            set.push(Literal::plain(character));
            continue;
        };
        let other = byte ^ 0x20;
        let both = byte.is_ascii_alphabetic() && characters.iter().any(|c| c[..] == [other]);
        if !both {
            set.push(Literal::plain(&[byte]));
        } else if byte.is_ascii_lowercase() {
            let mut folded = Literal::default();
            folded.push(byte, 0x20);
            set.push(folded);
        }
    }
    Some(set)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use regex::bytes::Regex;

    use super::super::sample::{Choices, expression, parsed, sample};
    use super::*;

    fn stands_in(literal: &Literal, text: &[u8]) -> bool {
        literal.is_empty()
            || text.windows(literal.len()).any(|w| w.iter().zip(literal.atoms()).all(|(b, a)| a.fits(*b)))
    }

    fn chosen(source: &str) -> Vec<String> {
        required(&parsed(source)).map_or_else(Vec::new, |r| r.literals.iter().map(Literal::display).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_match_contains_a_required_literal(source in expression(), numbers in vec(vec(any::<u32>(), 1..6), 12)) {
            let (hir, regex) = (parsed(&source), Regex::new(&source).unwrap());
            let (required, exact) = (required(&hir), facts(&hir).exact);
            for numbers in &numbers {
                let mut text = b"-".to_vec();
                sample(&hir, &mut Choices::new(numbers), &mut text);
                for found in regex.find_iter(&text).chain(regex.find_iter(&text[1..])) {
                    let found = found.as_bytes();
                    if let Some(required) = &required {
                        let one = required.literals.iter().any(|l| !l.is_empty() && stands_in(l, found));
                        prop_assert!(one, "{:?} has none of {:?}", found.escape_ascii().to_string(), required);
                    }
                    if let Some(all) = &exact {
                        prop_assert!(all.iter().any(|l| l.len() == found.len() && stands_in(l, found)), "{:?}", all);
                    }
                }
            }
            let mut all = required.iter().flat_map(|r| &r.literals).flat_map(Literal::atoms);
            prop_assert!(all.all(|a| a.byte != b'\n'), "a newline in {:?}", required);
        }
    }

    #[test]
    fn long_and_rare_literals_are_chosen() {
        let table: [(&str, &[&str]); 12] = [
            (r"status=(?P<status>5\d\d)\b", &["status=5"]),
            (r"\b429\b.*rate limit", &["rate limit"]),
            (r"[Oo]ut of memory|MemoryError", &["MemoryError", "out of memory"]),
            (r"payment (?P<id>[0-9a-f-]{36}) declined", &[" declined"]),
            (r"certificate (?:has )?expired", &["certificate "]),
            (r"(?:ab|cd)+xyz", &["abxyz", "cdxyz"]),
            (r"(?:foo\d|bar\d)baz", &["baz"]),
            (r"\d+", &[]),
            (r"(?:panic)?", &[]),
            (r"one\ntwo three", &["two three"]),
            (r"[^\s\S]|never mind", &["never mind"]),
            (r"status=(?:4\d\d|5\d\d)", &["status=4", "status=5"]),
        ];
        for (source, literals) in table {
            assert_eq!(chosen(source), literals, "{source}");
        }
    }

    #[test]
    fn nested_repetitions_and_long_texts_stay_small() {
        let long = format!("{}(?:a{{6}}){{6}}", "word ".repeat(2000));
        let literals = required(&parsed(&long)).unwrap().literals;
        assert!(literals.len() == 1 && literals[0].len() <= LENGTH);
        let nested = (0..12).fold("ab?".to_owned(), |inner, _| format!("(?:{inner}){{2}}"));
        assert!(required(&parsed(&nested)).unwrap().literals.len() <= OFFERED);
    }
}
