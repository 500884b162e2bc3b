//! Lines that have no header in any grammar and say nothing of a trace, told by how they begin: sentences, and what is
//! indented inside a stack trace.
//!
//! All of this is true of the text alone, whatever its file is like. What is said here is less than the grammars could
//! say: of many a line without a header nothing is known.

use crate::parse::head::skip_blanks;
use crate::parse::swar::{blanks, equal, first};
use crate::parse::trace::{self, Trace};
use crate::parse::{opening, php, program, time, word};

/// How far grammars look for a bracket, as in `requests`.
const BRACKETS: usize = 400;
/// How far they look for colons in pairs, as in `front`.
const COLONS: usize = 100;
/// Of a text of fewer bytes `opening` says nothing.
const SHORT: usize = 17;
/// The longest word in front of a level, as in `undated`.
const LONGEST_WORD: usize = 60;

/// Whether a line that no container wrote has no header and is neither inside of a trace nor its beginning, where none is
/// open.
#[inline]
pub(in crate::parse) fn is_sentence(text: &[u8]) -> bool {
    let mut room = [b' '; SHORT];
    if text.len() < SHORT {
        // Of short texts `opening` says nothing.
        room[..text.len()].copy_from_slice(text);
        if text.iter().all(u8::is_ascii_lowercase) {
            return text.len() > 1 && word::level(text).is_none();
        }
    }
    let Some(end) = opening::word(if text.len() < SHORT { &room } else { text }) else { return false };
    let (name, second) = (&text[..end], end + 1);
    is_plain_word(name)
        && text
            .get(second)
            .is_some_and(|next| next.is_ascii_alphanumeric() || matches!(next, b'/' | b'"' | b'\''))
        && !is_known(text, name)
        && !is_dated(text, second)
        && !has_level(text, second)
        && memchr::memchr(b'[', &text[..text.len().min(BRACKETS)]).is_none()
        && !has_pair_of_colons(&text[..text.len().min(COLONS)])
        && trace::is_no_phrase(text)
        && !trace::is_stack_line(text)
        && !(text.last().is_some_and(u8::is_ascii_digit) && trace::is_excerpt(text))
}

/// Whether an indented line has no header, or none that is believed inside of this trace, and belongs to it without
/// changing where the trace stands.
#[inline]
pub(in crate::parse) fn is_frame(text: &[u8], trace: Trace) -> bool {
    matches!(trace, Trace::Python | Trace::Stack) && is_indented(text).is_some_and(|next| next != b'+')
}

/// Whether an indented line has no header and is neither inside of a trace nor its beginning, where none is open.
#[inline]
pub(in crate::parse) fn is_indented_sentence(text: &[u8]) -> bool {
    let Some(next) = is_indented(text).filter(u8::is_ascii_alphabetic) else { return false };
    let rest = text.trim_ascii_start();
    opening::word(rest).is_some()
        && !rest.starts_with(b"File \"")
        && next != b'+'
        && !trace::is_stack_line(text)
}

/// The first byte of an indented line behind its blanks, if it cannot have a header.
#[inline(always)]
fn is_indented(text: &[u8]) -> Option<u8> {
    if text.first() == Some(&b'\t') {
        return text.iter().take(16).copied().find(|byte| !matches!(byte, b' ' | b'\t'));
    }
    let at = text.iter().take(12).take_while(|byte| **byte == b' ').count();
    let next = *text.get(at)?;
    let framed = at == 2 && text[at..].starts_with(b"File \"");
    // A capital may begin a level in a column, but none that small letters follow.
    let titled = next.is_ascii_uppercase() && text.get(at + 1).is_some_and(u8::is_ascii_lowercase);
    let deep = (3..11).contains(&at)
        && (next > b' ' && !next.is_ascii_uppercase() && !next.is_ascii_digit() || titled);
    (framed || deep).then_some(next)
}

#[inline(always)]
fn is_plain_word(name: &[u8]) -> bool {
    let letters = name.iter().fold(true, |all, byte| all & byte.is_ascii_alphabetic());
    name.len() > 1 && letters && word::level(name).is_none()
}

/// Whether a line begins with a word that other grammars look for, `name` being the first.
#[inline(always)]
fn is_known(text: &[u8], name: &[u8]) -> bool {
    match name[0] {
        b'A'..=b'Z' => {
            let php = matches!(name[0], b'P' | b'F' | b'R' | b'C' | b'W' | b'N' | b'D' | b'S');
            let method = matches!(name[0], b'G' | b'P' | b'H' | b'D' | b'O')
                && name.iter().all(u8::is_ascii_uppercase);
            method
                || php
                    && matches!(text[name.len() + 1], b'e' | b'w' | b'f' | b'S')
                    && php::head(text).is_some()
                || name[0] <= b'F' && name.iter().all(u8::is_ascii_hexdigit)
        }
        first => {
            let npms = matches!(first, b'n' | b'g' | b'l') && (name == b"npm" || program::is_npms(name));
            let tool = npms || name.starts_with(b"lxc") || name == b"xxx";
            tool || name == b"stack" || first <= b'f' && name.iter().all(u8::is_ascii_hexdigit)
        }
    }
}

/// Whether a timestamp may stand at the beginning or behind the first word, which ends before `second`.
#[inline(always)]
fn is_dated(text: &[u8], second: usize) -> bool {
    let next = text[second];
    let named =
        second < 7 && text[0].is_ascii_uppercase() && (next.is_ascii_uppercase() || next.is_ascii_digit());
    named && time::stamp(text, 0).is_some()
        || next.is_ascii_digit()
            && (time::iso(text, second).is_some()
                || text[second..].iter().take(10).all(u8::is_ascii_digit) && text.len() > second + 9)
}

/// Whether a level may stand as the second word or the third.
#[inline(always)]
fn has_level(text: &[u8], second: usize) -> bool {
    if is_level(text, second) {
        return true;
    }
    let most = text.len().min(second + LONGEST_WORD + 1);
    let stops = |text| blanks(text) | equal(text, b':') | equal(text, b'|');
    let mut from = second;
    while let Some(at) = first(text, from, most, stops) {
        match (text[at], text.get(at + 1)) {
            (b':', Some(b' ')) => return !goes_on(text, at + 2) || is_level(text, at + 2),
            (b':', _) => from = at + 1,
            (b' ', _) => return !goes_on(text, at + 1) || is_level(text, at + 1),
            _ => return true,
        }
    }
    // No name ends there.
    false
}

/// Whether a word goes on without what might be passed over in front of another.
#[inline(always)]
fn goes_on(text: &[u8], at: usize) -> bool {
    !matches!(text.get(at), Some(b' ' | b'\t' | b':' | b'-' | b'|' | b'(' | b'<' | b'{' | b'['))
}

#[inline(always)]
fn is_level(text: &[u8], at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default();
    if !rest.first().is_some_and(u8::is_ascii_uppercase) || rest.get(1).is_some_and(u8::is_ascii_lowercase) {
        return false;
    }
    let letters = rest.iter().take(14).take_while(|byte| byte.is_ascii_uppercase()).count();
    word::level(&rest[..letters]).is_some()
}

#[inline(always)]
fn has_pair_of_colons(text: &[u8]) -> bool {
    let mut from = 0;
    while let Some(at) = first(text, from, text.len(), |text| equal(text, b':')) {
        if text.get(at + 1) == Some(&b':') {
            return true;
        }
        from = at + 1;
    }
    false
}

/// Whether a timestamp or a bracket may stand at `at`, behind a level with which a line begins, as in `first`.
#[inline(always)]
pub(super) fn is_dated_behind_level(text: &[u8], at: usize) -> bool {
    let at = match text.get(at..) {
        Some([b'-' | b'|' | b'@', b' ', ..]) => at + 2,
        _ => at,
    };
    match text.get(at) {
        Some(next) if next.is_ascii_uppercase() || next.is_ascii_digit() => time::stamp(text, at).is_some(),
        Some(next) => *next == b'[' || skip_blanks(text, at) != at,
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Exception;
    use crate::parse::head::Strength;
    use crate::parse::tests::samples_once;
    use crate::parse::trace::Part;
    use crate::parse::{detect, journal, wrap};
    use proptest::prelude::*;

    fn other(text: &[u8], trace: Trace) -> bool {
        let step = trace::step(trace, text);
        step.part == Part::Other && step.trace == Trace::None && step.exception == Exception::None
    }

    /// That what is said of a text holds.
    fn holds(text: &[u8]) -> bool {
        let shown = String::from_utf8_lossy(text);
        let whole = wrap::unwrap_plain(text).wrapper == wrap::Wrapper::None;
        let (sentence, indented) = (is_sentence(text), is_indented_sentence(text));
        if sentence || indented {
            assert_eq!(detect::head(text), None, "{shown}");
            assert!(other(text, Trace::None) && whole && !text.starts_with(b"__CURSOR="), "{shown}");
        }
        for trace in [Trace::Python, Trace::Stack] {
            if is_frame(text, trace) {
                let step = trace::step(trace, text);
                assert!(
                    step.part == Part::Inside && step.trace == trace && step.exception == Exception::None
                );
                let strong = detect::head(text).is_some_and(|head| head.strength != Strength::Weak);
                assert!(!strong && whole && !text.trim_ascii().is_empty(), "{shown}");
            }
        }
        sentence || indented
    }

    #[test]
    fn plain_lines_are_told() {
        for text in [
            "Loading the model from disk",
            "step 12 of 100 is done now",
            "epoch 3 loss=0.123 accuracy=0.99",
            "Handling batch: 414 of 1",
            "      Request finished in 12 ms",
        ] {
            assert!(holds(text.as_bytes()), "{text}");
        }
        assert!(!journal::is_field(b"Loading the model"));
        for text in ["    return self.x(1)", "  File \"/srv/a.py\", line 1, in f", "\tat a.b.C(C.java:12)"] {
            assert!(is_frame(text.as_bytes(), Trace::Python), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

        #[test]
        fn samples_are_told_right(
            pick in any::<prop::sample::Index>(),
            words in proptest::collection::vec("(|[a-z]{2,6} |[A-Z][a-z]{1,5} |shop: |[ ]{1,12}|\\t)", 0..3),
            from in any::<prop::sample::Index>(),
        ) {
            let line = pick.get(samples_once());
            let cut = line[from.index(line.len() + 1)..].to_vec();
            for text in [line.clone(), [words.concat().as_bytes(), line].concat(), cut.clone(), [words.concat().as_bytes(), &cut].concat()] {
                if !text.contains(&0x1b) {
                    holds(&text);
                }
            }
        }

        #[test]
        fn sentences_are_told_right(
            blanks in "(|||| {1,12}|\\t)",
            words in proptest::collection::vec(
                "([a-z]{1,6}|[A-Z]{1,5}|[A-Z][a-z]{1,6}|INFO|ERROR|error|Warning|GET|POST|PHP|npm|warn|lxc|stack|at|from|Caused|Nov|Mon|UTC|20|12:00:00|2026-11-20|2026-11-20T12:00:00Z|1795176000|10\\.0\\.0\\.1|a=b|level=error|face|xxx|RAS|KERNEL|by:|backtrace:|Uncaught|Traceback|fatal|panic|KeyError|a\\.B|x\\.js:12|Foo::Bar|::|/a|200|12ms|-|--|\\||:|\\[1\\]|\\(x\\)|\\[INFO\\]|line 3|on|\"GET / HTTP/1.1\"|é|,)",
                2..9,
            ),
            between in proptest::collection::vec("( | | | | |  |:|: | - |\\||::|\\t)", 9),
        ) {
            let text: String = words.iter().zip(&between).map(|(word, between)| format!("{word}{between}")).collect();
            holds(format!("{blanks}{text}").as_bytes());
            holds(format!("{blanks}{text}").trim_end().as_bytes());
        }
    }
}
