//! Where the message begins after a plain header: behind thread, logger and separators, never behind words that may
//! be the message's own.

use crate::parse::bracket::closing;
use crate::parse::bytes::Bytes;
use crate::parse::head::skip_blanks;
use crate::parse::opening;
use crate::parse::token::Kinds;

/// Fields that may stand between level and message.
const MOST_FIELDS: usize = 6;

/// Whether the word behind a blank goes on with a sentence that the level's word begins: `INFO is a word`.
pub(super) fn goes_on(rest: &[u8]) -> bool {
    let Some(rest) = rest.strip_prefix(b" ") else { return false };
    let length = rest.iter().take(6).take_while(|b| b.is_ascii_lowercase()).count();
    let word = rest.get(length) == Some(&b' ');
    // Flask's `ERROR in module: text`.
    let next = rest.get(length + 1..).unwrap_or_default();
    let name = next.iter().take(60).take_while(|b| b.is_ascii_alphanumeric() || b"._".contains(b)).count();
    if next.get(name) == Some(&b':') {
        return false;
    }
    let words: [&[u8]; 14] = [
        b"in", b"is", b"are", b"was", b"were", b"of", b"at", b"on", b"and", b"or", b"has", b"may", b"can",
        b"means",
    ];
    word && words.contains(&&rest[..length])
}

/// Passes over blanks and the separators that stand between fields.
pub(super) fn after_separators(text: &[u8], mut at: usize) -> usize {
    while let Some(byte) = text.get(at) {
        match byte {
            b' ' | b'\t' | b'|' | b':' | b',' | b';' => at += 1,
            b'-' if text.get(at + 1) == Some(&b' ') => at += 1,
            _ => break,
        }
    }
    at
}

/// Passes over the rest of a bracket that the level stands in.
pub(super) fn after_bracket(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    memchr::memchr(b']', rest).map_or(at, |n| at + n + 1)
}

/// The message's place, `at` standing right behind the level.
pub(super) fn after_level(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b']' | b')' | b'>')) {
        at += 1;
    }
    if text.get(at) == Some(&b'/') {
        at += text[at..].iter().take_while(|b| !matches!(b, b' ' | b']')).count();
    }
    if text.get(at) == Some(&b'[') {
        // Columns in brackets, one right behind the other.
        return after_groups(text, at, &[b"["]);
    }
    let start = after_separators(text, at);
    if text.get(start..).is_some_and(|rest| rest.starts_with(b"in ")) {
        // Flask's `ERROR in module: text`.
        let name = text[start + 3..]
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
            .count();
        if text[start + 3 + name..].starts_with(b": ") {
            return start + name + 5;
        }
    }
    if text.get(start..).is_some_and(opening::is_two_words) {
        // Two words are no logger with a separator behind.
        return start;
    }
    behind_logger(text, start).unwrap_or(start)
}

/// The place behind columns that bars join without blanks: `|name|12|text`.
pub(super) fn after_bars(text: &[u8], at: usize) -> usize {
    let mut at = at;
    for _ in 0..4 {
        let Some(rest) = text.get(at..).and_then(|rest| rest.strip_prefix(b"|")) else { break };
        static COLUMN: Bytes = Bytes::words_and(b"._-$:", false);
        let length = rest.iter().take(64).take_while(|b| COLUMN.has(**b)).count();
        if rest.get(length) != Some(&b'|') {
            break;
        }
        at += length + 1;
    }
    at
}

/// The message behind groups in brackets that begin as one of `starts`.
pub(super) fn after_groups(text: &[u8], at: usize, starts: &[&[u8]]) -> usize {
    let mut at = skip_blanks(text, at);
    while let Some(rest) = text.get(at..)
        && starts.iter().any(|start| rest.starts_with(start))
        && let Some(close) = closing(text, at)
    {
        at = skip_blanks(text, close + 1);
    }
    at
}

/// The message behind a column: a word with at least two blanks after it.
pub(super) fn after_column(text: &[u8], at: usize) -> usize {
    let at = skip_blanks(text, at);
    let rest = text.get(at..).unwrap_or_default();
    let length = rest.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
    let wide = length > 0 && rest.get(length..).is_some_and(|rest| rest.starts_with(b"  "));
    if wide { skip_blanks(text, at + length) } else { at }
}

/// The place behind `[thread] logger - `, `logger: `, `123 --- [thread] logger : ` and their like.
fn behind_logger(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    let mut words = 0;
    let mut brackets = 0;
    let mut name: &[u8] = &[];
    for _ in 0..MOST_FIELDS {
        let rest = text.get(at..)?;
        match rest.first()? {
            b'[' | b'(' | b'<' => {
                at = closing(text, at)? + 1;
                brackets += 1;
            }
            b'-' if rest.starts_with(b"--- ") => {
                let end = memchr::memmem::find(rest.get(..rest.len().min(200))?, b" : ")?;
                return Some(at + end + 3);
            }
            // A second word is none of a header.
            first if words == 1 && first.is_ascii_alphabetic() => return None,
            _ => {
                let token = KINDS.token(rest);
                let length = token.length;
                let word = &rest[..length];
                let ends = word.last() == Some(&b':');
                let word = word.strip_suffix(b":").unwrap_or(word);
                let number = token.is_all(1) || ends && word.iter().all(|b| b.is_ascii_digit() || *b == b'#');
                if !number {
                    words += 1;
                    name = word;
                }
                if word.is_empty() || words > 1 || !token.is_all(0) {
                    return None;
                }
                at += length;
                if ends {
                    let sure = brackets > 0 || words == 0 || looks_like_logger(name);
                    return (sure && !is_error(name)).then(|| skip_blanks(text, at));
                }
            }
        }
        let next = skip_blanks(text, at);
        if words == 1
            && brackets > 0
            && text.get(at) == Some(&b' ')
            && name.iter().filter(|b| **b == b'.').count() > 2
        {
            // Tomcat's class and method, with no more than a blank behind.
            return Some(next);
        }
        let behind = text.get(next..)?;
        match behind {
            [b'-', b' ', ..] | [b'|', ..] | [b':', ..] => {
                let end = after_separators(text, next);
                return if words == 0 { behind_logger_word(text, end).or(Some(end)) } else { Some(end) };
            }
            _ => at = next,
        }
    }
    None
}

/// One more logger after a separator, as in `INFO | name:func:12 - message` behind a thread.
fn behind_logger_word(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let length = rest.iter().take_while(|b| is_name(**b)).count();
    let name = &rest[..length];
    let separated = rest.get(length..)?.starts_with(b" - ") && looks_like_logger(name);
    separated.then(|| after_separators(text, at + length))
}

/// Words up to a blank, a bar or an opening bracket: whether they may be a logger's name, whether they are a number.
static KINDS: Kinds = Kinds::new(b" \t|[", [&NAME, &Bytes::of(b"0123456789#")]);
const NAME: Bytes = Bytes::words_and(b"._-$:/@#<>~*", true);

fn is_name(byte: u8) -> bool {
    static TABLE: Bytes = NAME;
    TABLE.has(byte)
}

/// Names that only a logger has: `a.b.C`, `a.C$D`, `pkg::module`, `some_module`.
fn looks_like_logger(name: &[u8]) -> bool {
    let (mut dots, mut colons, mut dollar, mut pair, mut last) = (0, 0, false, false, 0);
    let mut before = 0;
    for (at, byte) in name.iter().enumerate() {
        match byte {
            b'.' => (dots, last) = (dots + 1, at + 1),
            b':' => {
                colons += 1;
                pair |= before == b':';
            }
            b'$' => dollar = true,
            _ => {}
        }
        before = *byte;
    }
    let last = name.get(last);
    let class = dots > 0 && last.is_some_and(u8::is_ascii_uppercase);
    dots > 1 && !last.is_some_and(u8::is_ascii_digit) || class || dollar || pair || colons == 2
}

/// Names of error types begin messages, not headers.
fn is_error(name: &[u8]) -> bool {
    [&b"Error"[..], b"Exception", b"error", b"Throwable"].iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn two_words_are_no_logger(text in "[a-zA-Z][a-z.$:/é-]{0,13} [a-z][ -~]{0,30}") {
            if opening::is_two_words(text.as_bytes()) {
                prop_assert_eq!(behind_logger(text.as_bytes(), 0), None);
            }
        }
    }
}
