//! Expressions, checked before they are compiled for good: where they are broken and what to write instead, which
//! captures they have, and what they cost.

use regex_syntax::ast::ErrorKind;
use regex_syntax::hir::{Class, Hir, HirKind};

/// What a good expression is like.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// Its named captures.
    pub(super) captures: Vec<String>,
    /// Letters of the longest text that every match contains, in one case or the other.
    pub(super) literal: usize,
    /// It matches the empty text wherever that is.
    pub(super) matches_all: bool,
    /// No text matches it.
    pub(super) matches_none: bool,
}

/// Why an expression is refused.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    /// Byte offset in the expression.
    pub(super) at: usize,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// Checks an expression in the syntax of the `regex` crate.
pub(super) fn check(text: &str) -> Result<Facts, Refusal> {
    let hir = regex_syntax::ParserBuilder::new()
        .utf8(false)
        .build()
        .parse(text)
        .map_err(|error| refusal(&error))?;
    if weight(&hir) > SURELY_SMALL {
        compile(text)?;
    }
    let mut captures = Vec::new();
    collect_captures(&hir, &mut captures);
    let shortest = hir.properties().minimum_len();
    Ok(Facts {
        captures,
        literal: required(&hir).longest,
        matches_all: shortest == Some(0) && hir.properties().look_set().is_empty(),
        matches_none: shortest.is_none(),
    })
}

/// Expressions lighter than this are far below the engine's limit of 10 MB, so that they need not be compiled to know.
const SURELY_SMALL: usize = 2000;

/// A measure of how large an expression compiles to: bytes and ranges, times what repeats them.
fn weight(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(Class::Unicode(class)) => class.ranges().len(),
        HirKind::Class(Class::Bytes(class)) => class.ranges().len(),
        HirKind::Capture(capture) => weight(&capture.sub).saturating_add(2),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(1) as usize;
            weight(&repetition.sub).saturating_add(1).saturating_mul(times)
        }
        HirKind::Concat(subs) | HirKind::Alternation(subs) => {
            subs.iter().fold(subs.len(), |sum, sub| sum.saturating_add(weight(sub)))
        }
    }
}

fn compile(text: &str) -> Result<(), Refusal> {
    regex::bytes::RegexBuilder::new(text).build().map(drop).map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => Refusal {
            at: 0,
            message: "the expression compiles to more than the engine allows".to_owned(),
            hint: Some(
                "make repetitions such as `{1000}` smaller, and use `[a-z]` or `(?-u:\\w)` in place of `\\w`"
                    .to_owned(),
            ),
        },
        other => Refusal { at: 0, message: format!("bad expression: {other}"), hint: None },
    })
}

fn refusal(error: &regex_syntax::Error) -> Refusal {
    let (at, message, hint) = match error {
        regex_syntax::Error::Parse(error) => {
            (error.span().start.offset, worded(error.kind()), hint(error.kind()))
        }
        regex_syntax::Error::Translate(error) => {
            let hint = "write the characters out, such as `[a-z]`, or a class of the engine, such as `\\w` or `\\p{Greek}`";
            (error.span().start.offset, error.kind().to_string(), Some(hint))
        }
        other => (0, other.to_string(), None),
    };
    Refusal { at, message: format!("bad expression: {message}"), hint: hint.map(str::to_owned) }
}

fn worded(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::UnsupportedLookAround => "the engine has no look-around".to_owned(),
        ErrorKind::UnsupportedBackreference => "the engine has no backreferences".to_owned(),
        kind => kind.to_string(),
    }
}

/// The next step for the mistakes that people make most.
fn hint(kind: &ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::UnsupportedLookAround => {
            "match the text around it too and capture what you need; what must not be there goes to `not:`"
        }
        ErrorKind::UnsupportedBackreference => "capture both parts; a `\\` before a digit needs doubling",
        ErrorKind::GroupUnclosed | ErrorKind::GroupUnopened => {
            "a bracket that stands for itself is written `\\(` or `\\)`"
        }
        ErrorKind::ClassUnclosed => "a bracket that stands for itself is written `\\[`",
        ErrorKind::RepetitionMissing => {
            "what repeats stands before it; to match the character itself write `\\*`, `\\+`, `\\?`"
        }
        ErrorKind::RepetitionCountUnclosed
        | ErrorKind::RepetitionCountDecimalEmpty
        | ErrorKind::RepetitionCountInvalid => "a brace that stands for itself is written `\\{`",
        ErrorKind::EscapeUnrecognized => {
            "only letters with a meaning follow a backslash, such as `\\d`, `\\S` or `\\b`"
        }
        ErrorKind::GroupNameInvalid | ErrorKind::GroupNameEmpty => {
            "a capture is written `(?P<name>…)`, its name in letters, digits and `_`"
        }
        ErrorKind::GroupNameDuplicate { .. } => "give each capture a name of its own",
        ErrorKind::ClassRangeInvalid => "turn the range round, or write `\\-` for a dash",
        ErrorKind::FlagUnrecognized => "flags are written `(?i)`; a capture is `(?P<name>…)`",
        _ => return None,
    })
}

fn collect_captures(hir: &Hir, out: &mut Vec<String>) {
    match hir.kind() {
        HirKind::Capture(capture) => {
            out.extend(capture.name.as_deref().map(str::to_owned));
            collect_captures(&capture.sub, out);
        }
        HirKind::Repetition(repetition) => collect_captures(&repetition.sub, out),
        HirKind::Concat(subs) | HirKind::Alternation(subs) => {
            subs.iter().for_each(|sub| collect_captures(sub, out))
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => {}
    }
}

/// Literal text in every match: the longest run of it, and whether the whole expression is literal.
#[derive(Clone, Copy)]
struct Required {
    longest: usize,
    whole: Option<usize>,
}

fn required(hir: &Hir) -> Required {
    let exactly = |n| Required { longest: n, whole: Some(n) };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => exactly(0),
        HirKind::Literal(literal) => exactly(literal.0.len()),
        HirKind::Class(class) if is_one_letter(class) => exactly(1),
        HirKind::Class(_) => Required { longest: 0, whole: None },
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min == 0 => Required { longest: 0, whole: None },
        HirKind::Repetition(repetition) => Required { whole: None, ..required(&repetition.sub) },
        HirKind::Alternation(subs) => {
            Required { longest: subs.iter().map(|sub| required(sub).longest).min().unwrap_or(0), whole: None }
        }
        HirKind::Concat(subs) => {
            let (mut longest, mut run, mut whole) = (0, 0, true);
            for sub in subs.iter().map(required) {
                match sub.whole {
                    Some(n) => run += n,
                    None => {
                        longest = longest.max(run);
                        run = 0;
                        whole = false;
                    }
                }
                longest = longest.max(sub.longest).max(run);
            }
            Required { longest, whole: whole.then_some(longest) }
        }
    }
}

/// A class that is one letter in both cases, as `(?i)` and `[Oo]` make them.
fn is_one_letter(class: &Class) -> bool {
    let mut letters = OneLetter::default();
    match class {
        Class::Unicode(class) => class.iter().all(|range| letters.add(range.start(), range.end())),
        Class::Bytes(class) => {
            class.iter().all(|range| letters.add(range.start().into(), range.end().into()))
        }
    }
}

#[derive(Default)]
struct OneLetter(Option<char>);

impl OneLetter {
    /// Adds a range; false when it brings in a second letter.
    fn add(&mut self, start: char, end: char) -> bool {
        let folded = match start {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            c => c.to_ascii_lowercase(),
        };
        start == end && *self.0.get_or_insert(folded) == folded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> usize {
        check(text).unwrap().literal
    }

    #[test]
    fn required_literals_are_measured_as_the_scanner_can_use_them() {
        assert_eq!(literal("timed out after (?P<s>[0-9.]+)s"), 16);
        assert_eq!(literal("(?i)out of memory"), 13);
        assert_eq!(literal("[Oo]ut of memory"), 13);
        assert_eq!(literal("abc|defgh"), 3);
        assert_eq!(literal("(?:abc)?d+"), 1);
        assert_eq!(literal(r"^\d+$"), 0);
        assert_eq!(literal("a(?:bc|d)e"), 1);
    }

    #[test]
    fn facts_tell_the_extremes() {
        assert!(check("x*").unwrap().matches_all);
        assert!(check(r"[^\s\S]").unwrap().matches_none);
        assert!(!check("^$").unwrap().matches_all);
        assert_eq!(check("(?P<a>x)|(?<b.c>y)").unwrap().captures, ["a", "b.c"]);
    }

    #[test]
    fn refusals_point_at_the_byte() {
        for (text, at) in
            [("a(b", 1), ("ab)", 2), ("x(?=y)", 1), (r"(a)\1", 3), ("[a", 0), ("*a", 0), (r"\y", 0)]
        {
            let refusal = check(text).unwrap_err();
            assert_eq!(refusal.at, at, "{text}: {}", refusal.message);
            assert!(refusal.hint.is_some(), "{text}: {}", refusal.message);
        }
        for light in [r"(?:\S{10}){9}[a-z]{200}", r"\w\d", "(?:abc|def){100}"] {
            assert!(compile(light).is_ok(), "{light}");
        }
        assert!(check(r"\w{500}{500}").unwrap_err().message.contains("more than the engine allows"));
    }
}
