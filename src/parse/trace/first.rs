//! The first line of a trace where words of its own announce it, also as a logged event's message.

use super::names::{is_dotted, is_error_class, is_thrown, type_name};
use super::{MOST_MESSAGE, TRACEBACK, Trace, keep};
use crate::event::Exception;
use crate::parse::opening;

/// What the first line of a trace names where it may also be a logged event's message.
#[inline]
pub(in crate::parse) fn first_line(text: &[u8]) -> (Exception, Trace) {
    if opening::word(text).is_some() && is_no_phrase(text) {
        (Exception::None, Trace::None)
    } else {
        first_words(text)
    }
}

/// The first bytes of the phrases that begin with a word and a blank.
const PHRASES: [&[u8; 4]; 11] =
    [b"Trac", b"fata", b"thre", b"Exce", b"Unha", b"Unca", b"PHP ", b"Fata", b"Fast", b"Proc", b"Erro"];

/// Of a text that begins with a word and a blank: no phrase of a trace begins so. Ruby's lines end with the type in
/// parentheses.
#[inline(always)]
pub(in crate::parse) fn is_no_phrase(text: &[u8]) -> bool {
    let may_be = matches!(text.first(), Some(b'T' | b'f' | b't' | b'E' | b'U' | b'P' | b'F'));
    let begins = may_be && PHRASES.iter().any(|phrase| text.starts_with(*phrase));
    !begins && text.last() != Some(&b')')
}

pub(super) fn first_words(text: &[u8]) -> (Exception, Trace) {
    match text.first() {
        Some(b'T' | b'p' | b'f' | b't' | b'E' | b'U' | b'P' | b'F') => {
            if let Some(found) = phrase(text) {
                return found;
            }
        }
        None => return (Exception::None, Trace::None),
        _ => {}
    }
    if let Some((from, length)) = ruby(text) {
        return (keep(from, length), Trace::Stack);
    }
    match type_name(text) {
        Some(length) if is_error_class(&text[..length]) && is_dotted(&text[..length]) => {
            (keep(0, length), Trace::Named)
        }
        _ => (Exception::None, Trace::None),
    }
}

/// A trace that begins with words of its own.
fn phrase(text: &[u8]) -> Option<(Exception, Trace)> {
    if text.starts_with(TRACEBACK) {
        return Some((Exception::None, Trace::Python));
    }
    if is_python_announcement(text) {
        return Some((Exception::None, Trace::Python));
    }
    if text.starts_with(b"panic: ") {
        return Some((keep(0, 5), Trace::GoMessage(MOST_MESSAGE)));
    }
    if text.starts_with(b"fatal error: ") {
        return Some((keep(0, 11), Trace::GoMessage(MOST_MESSAGE)));
    }
    if text.starts_with(b"thread '")
        && let Some(at) = memchr::memmem::find(text, b" panicked at ")
    {
        // The old form carries its message in quotes on the same line.
        let old = text[at + 13..].starts_with(b"'");
        return Some((keep(at + 1, 5), if old { Trace::Rust } else { Trace::RustMessage }));
    }
    let (from, length) = announced(text)?;
    Some((keep(from, length), Trace::StackMessage(MOST_MESSAGE)))
}

/// What Python says before the traceback of a thread, a process, or code that nobody can catch errors of.
fn is_python_announcement(text: &[u8]) -> bool {
    if text.starts_with(b"Exception ignored in: ") {
        return true;
    }
    let Some(words) = text.strip_suffix(b":") else { return false };
    words.starts_with(b"Exception in thread ") && !words.contains(&b'"')
        || words.starts_with(b"Error in atexit.")
        || words.strip_prefix(b"Process ").is_some_and(|name| !name.is_empty() && !name.contains(&b' '))
}

/// `Exception in thread "main" TYPE: …`, `Unhandled exception. TYPE: …`, `Uncaught TYPE: …`.
fn announced(text: &[u8]) -> Option<(usize, usize)> {
    let at = if text.starts_with(b"Exception in thread \"") {
        memchr::memmem::find(text.get(..text.len().min(200))?, b"\" ")? + 2
    } else if let Some(at) =
        [&b"Unhandled exception. "[..], b"Unhandled Exception: ", b"Uncaught ", b"Uncaught exception: "]
            .iter()
            .filter(|words| text.starts_with(words))
            .map(|words| words.len())
            .next_back()
    {
        at
    } else {
        // PHP's message, also inside nginx's `FastCGI sent in stderr: "PHP message: …`.
        if ![&b"PHP "[..], b"Fatal ", b"FastCGI "].iter().any(|words| text.starts_with(words)) {
            return None;
        }
        let at = memchr::memmem::find(text.get(..text.len().min(100))?, b"error:  Uncaught ")?;
        at + 17
    };
    let length = type_name(&text[at..])?;
    is_thrown(&text[at..at + length]).then_some((at, length))
}

/// `file.rb:12:in 'f': text (Type)`.
fn ruby(text: &[u8]) -> Option<(usize, usize)> {
    let inner = text.strip_suffix(b")")?;
    let open = memchr::memrchr(b'(', inner)? + 1;
    inner.get(open).filter(|byte| byte.is_ascii_uppercase())?;
    let length = type_name(&inner[open..])?;
    memchr::memmem::find(text.get(..text.len().min(300))?, b".rb:")?;
    memchr::memmem::find(text, b":in ")?;
    (open + length == inner.len()).then_some((open, length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_plain_opening_begins_no_trace(
            text in "(fatal|panic|thread|Traceback|Exception|Uncaught|PHP|a\\.B|KeyError|x::y|é)[: ]{1,2}[a-z('(:]{1,9}[ -~]{0,30}"
        ) {
            prop_assert_eq!(first_line(text.as_bytes()), first_words(text.as_bytes()));
        }
    }
}
