//! For tests: random expressions, and texts that they match.

use proptest::collection::vec;
use proptest::prelude::*;
use regex::bytes::Regex;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// Words that share beginnings, ends and middles.
pub(super) const WORDS: [&str; 16] = [
    "disk",
    "disk full",
    "dis",
    "risk",
    "Error",
    "error",
    "status=5",
    "status=",
    "timed out",
    "out of",
    "kK",
    "naïve",
    "é",
    "ß",
    "x",
    "retrying",
];

fn leaf() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(&WORDS[..]).prop_map(regex::escape),
        2 => prop::sample::select(&[
            r"\d", r"\w", r"\s", r"\S", ".", "[a-f]", "[^x]", "[dD]", "[kK]", r"[\n ]", r"\p{Greek}", "[5-7]", r"\n",
            r"(?-u:\xff)", "(?s:.)", "[é-í]", "[A-C]", "[@`]", "a\nb", "[a-i]", "(?-u:[a-c\\xf0])", "[^\\s\\S]",
            "(?:aa|ab|ac|ad|ae|af|ag|ah|ai|aj|ak|al|am|an|ao|ap|aq|ar)",
        ][..]).prop_map(str::to_owned),
        1 => prop::sample::select(&["^", "$", r"\b", r"\B", "(?m:^)", "(?m:$)", r"\A", r"\z", "(?-u:\\b)", ""][..])
            .prop_map(str::to_owned),
    ]
}

/// An expression that compiles.
pub(super) fn expression() -> impl Strategy<Value = String> {
    let tree = leaf().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            4 => vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            2 => vec(inner.clone(), 1..4).prop_map(|parts| format!("(?:{})", parts.join("|"))),
            1 => inner.clone().prop_map(|part| format!("({part})")),
            2 => (inner.clone(), prop::sample::select(&["?", "*", "+", "{2}", "{1,3}", "+?", "{0}", "{7,}"][..]))
                .prop_map(|(part, times)| format!("(?:{part}){times}")),
            1 => (inner, prop::sample::select(&["i", "s", "m", "im", "x"][..]))
                .prop_map(|(part, flags)| format!("(?{flags}:{part})")),
        ]
    });
    tree.prop_filter("compiles", |source| Regex::new(source).is_ok())
}

pub(super) fn parsed(source: &str) -> Hir {
    ParserBuilder::new().utf8(false).build().parse(source).unwrap()
}

/// Numbers that decide between the branches of an expression; they begin anew when they are used up.
pub(super) struct Choices<'a> {
    numbers: &'a [u32],
    next: usize,
}

impl<'a> Choices<'a> {
    pub(super) fn new(numbers: &'a [u32]) -> Choices<'a> {
        Choices { numbers, next: 0 }
    }

    fn below(&mut self, n: usize) -> usize {
        self.next += 1;
        let number = self.numbers.get((self.next - 1) % self.numbers.len().max(1)).copied().unwrap_or(0);
        // Even short rows of numbers must not repeat themselves exactly.
        (number.wrapping_mul(0x9E37_79B9).rotate_left(self.next as u32 % 31) as usize >> 3) % n.max(1)
    }
}

/// Appends a text that `hir` matches, but for its look-arounds; nothing more once `out` is long.
pub(super) fn sample(hir: &Hir, choices: &mut Choices<'_>, out: &mut Vec<u8>) {
    if out.len() > 2000 {
        return;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.extend_from_slice(&literal.0),
        HirKind::Capture(capture) => sample(&capture.sub, choices, out),
        HirKind::Concat(subs) => subs.iter().for_each(|sub| sample(sub, choices, out)),
        HirKind::Alternation(subs) => sample(&subs[choices.below(subs.len())], choices, out),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(repetition.min + 2).min(repetition.min + 2);
            let times = repetition.min as usize + choices.below((most - repetition.min) as usize + 1);
            (0..times).for_each(|_| sample(&repetition.sub, choices, out));
        }
        HirKind::Class(Class::Unicode(class)) if !class.ranges().is_empty() => {
            let range = class.ranges()[choices.below(class.ranges().len())];
            let width = (range.end() as usize - range.start() as usize + 1).min(12);
            let code = range.start() as u32 + choices.below(width) as u32;
            let character = char::from_u32(code).unwrap_or(range.end());
            out.extend_from_slice(character.to_string().as_bytes());
        }
        HirKind::Class(Class::Bytes(class)) if !class.ranges().is_empty() => {
            let range = class.ranges()[choices.below(class.ranges().len())];
            out.push(range.start() + choices.below(range.len()) as u8);
        }
        HirKind::Class(_) => {}
    }
}
