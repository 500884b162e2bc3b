//! Expressions, checked before they are compiled for good: where they are broken and what to write instead, which
//! captures they have, and what they cost.

use crate::matching::{COMPILED_BYTES, collect_captures, is_surely_small};
use regex_syntax::ast::ErrorKind;
use regex_syntax::hir::{Hir, HirKind, Look};

/// What a good expression is like.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// Its named captures.
    pub(super) captures: Vec<String>,
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
    if text.len() > LONGEST {
        return Err(Refusal {
            at: 0,
            message: format!("an expression of {} bytes, at most {LONGEST} are allowed", text.len()),
            hint: Some("write what the texts have in common, or several rules".to_owned()),
        });
    }
    let hir = regex_syntax::ParserBuilder::new()
        .utf8(false)
        .build()
        .parse(text)
        .map_err(|error| refusal(&error))?;
    if !is_surely_small(&hir) {
        compile(text)?;
    }
    let mut captures = Vec::new();
    collect_captures(&hir, &mut captures);
    let shortest = hir.properties().minimum_len();
    Ok(Facts {
        captures,
        matches_all: shortest == Some(0) && hir.properties().look_set().is_empty(),
        matches_none: shortest.is_none() || anchored_apart(&hir),
    })
}

/// The longest expression, in bytes; grok may become as much.
const LONGEST: usize = 256 * 1024;

fn compile(text: &str) -> Result<(), Refusal> {
    let built = regex::bytes::RegexBuilder::new(text).size_limit(COMPILED_BYTES).build();
    built.map(drop).map_err(|error| match error {
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
        ErrorKind::EscapeUnexpectedEof => "a backslash that stands for itself is written `\\\\`",
        ErrorKind::EscapeHexEmpty | ErrorKind::EscapeHexInvalid | ErrorKind::EscapeHexInvalidDigit => {
            "a character is written by its number, such as `\\x1b` or `\\x{20ac}`"
        }
        ErrorKind::ClassRangeLiteral => "a dash that stands for itself is written `\\-`",
        ErrorKind::ClassEscapeInvalid => "within brackets write characters, ranges, or classes such as `\\d`",
        ErrorKind::CaptureLimitExceeded | ErrorKind::NestLimitExceeded(_) => {
            "write it flatter, or as a list of several expressions"
        }
        ErrorKind::DecimalEmpty | ErrorKind::DecimalInvalid => {
            "a count is at most 4294967295, and most often far less; a brace that stands for itself is `\\{`"
        }
        ErrorKind::FlagDuplicate { .. }
        | ErrorKind::FlagRepeatedNegation { .. }
        | ErrorKind::FlagDanglingNegation
        | ErrorKind::FlagUnexpectedEof => "flags are written `(?i)` or `(?i-s)`, each once",
        ErrorKind::GroupNameUnexpectedEof => "close the name: `(?P<name>…)`",
        ErrorKind::FlagUnrecognized => "flags are written `(?i)`; a capture is `(?P<name>…)`",
        _ => "see docs.rs/regex for what may be written",
    })
}

/// Whether the beginning is asked for behind a text, or the end before one, in every match: nothing is found then.
fn anchored_apart(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Concat(subs) => {
            let takes = |sub: &Hir| sub.properties().minimum_len().is_none_or(|length| length > 0);
            let behind = |at: usize| subs[..at].iter().any(takes);
            let before = |at: usize| subs[at + 1..].iter().any(takes);
            subs.iter().enumerate().any(|(at, sub)| {
                let (first, last) = (sub.properties().look_set_prefix(), sub.properties().look_set_suffix());
                (first.contains(Look::Start) && behind(at))
                    || (last.contains(Look::End) && before(at))
                    || anchored_apart(sub)
            })
        }
        HirKind::Alternation(subs) => subs.iter().all(anchored_apart),
        HirKind::Capture(capture) => anchored_apart(&capture.sub),
        HirKind::Repetition(repetition) => repetition.min > 0 && anchored_apart(&repetition.sub),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_tell_the_extremes() {
        assert!(check("x*").unwrap().matches_all);
        assert!(check(r"[^\s\S]").unwrap().matches_none);
        assert!(!check("^$").unwrap().matches_all);
        for never in ["abc^d", "abc$d", "(a|b)^", "a(?:^b|^c)", r"x\Ay", "(?:b$)+c", "(?:a^)|(?:$b)"] {
            assert!(check(never).unwrap().matches_none, "{never}");
        }
        for some in ["^abc$", "a?^b", "a*$b?", "(?:^|a)b", "a(?:$|b)", "(?m)a$\n^b", "(?:a^)?b", "a^|b"] {
            assert!(!check(some).unwrap().matches_none, "{some}");
        }
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
