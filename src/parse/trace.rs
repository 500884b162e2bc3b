//! Stack traces: which lines belong to one, and which exception type they name.
//!
//! A small state walks over the lines that have no header. Python names the outermost exception last, so each one
//! found replaces the one before; everybody else names it first.

use crate::event::Exception;
use crate::parse::bytes::Bytes;
use crate::parse::opening;
use serde::{Deserialize, Serialize};

/// Where in a stack trace the file stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Trace {
    #[default]
    None,
    /// Inside Python's frames; the type's line is still to come.
    Python,
    /// Behind the line of the type.
    PythonEnd,
    /// Behind `During handling of …`: another traceback follows.
    PythonChain,
    /// Inside an exception group.
    Group,
    /// Behind the group's own type.
    GroupEnd,
    /// Inside a traceback drawn in a box.
    Box,
    /// Frames of Java, .NET, Node, Ruby or PHP.
    Stack,
    /// Node's excerpt of the source, before its error.
    Excerpt,
    /// A Go panic and its goroutines.
    Go,
    /// Behind Rust's `panicked at`: its message follows.
    RustMessage,
    /// Behind that message.
    Rust,
}

/// What a line without a header is to the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// It belongs to the trace above.
    Inside,
    /// It begins a trace.
    Start,
    /// It is neither.
    Other,
}

/// The answer for one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) trace: Trace,
    pub(super) part: Part,
    pub(super) exception: Exception,
}

impl Step {
    fn inside(trace: Trace) -> Step {
        Step { trace, part: Part::Inside, exception: Exception::None }
    }

    fn start(trace: Trace) -> Step {
        Step { trace, part: Part::Start, exception: Exception::None }
    }
}

const TRACEBACK: &[u8] = b"Traceback (most recent call last)";
const GROUP: &[u8] = b"+ Exception Group Traceback (most recent call last)";

/// Takes one line that is not blank and has no header.
pub(super) fn step(trace: Trace, text: &[u8]) -> Step {
    let indented = matches!(text.first(), Some(b' ' | b'\t'));
    match trace {
        Trace::Python | Trace::Group | Trace::GroupEnd | Trace::Box => python(trace, text, indented),
        Trace::PythonEnd | Trace::PythonChain => python_end(trace, text, indented),
        Trace::Stack if indented && !text.trim_ascii_start().starts_with(GROUP) || is_stack_line(text) => {
            Step::inside(Trace::Stack)
        }
        Trace::Excerpt if indented => Step::inside(Trace::Excerpt),
        Trace::Excerpt => match begin(text, indented) {
            Step { trace: Trace::Stack, exception, .. } => Step { exception, ..Step::inside(Trace::Stack) },
            other => other,
        },
        Trace::Go if is_go_line(text, indented) => Step::inside(Trace::Go),
        Trace::RustMessage => Step::inside(Trace::Rust),
        Trace::Rust if indented || text.starts_with(b"note: ") || text.starts_with(b"stack backtrace:") => {
            Step::inside(Trace::Rust)
        }
        _ => begin(text, indented),
    }
}

fn python(trace: Trace, text: &[u8], indented: bool) -> Step {
    if indented && text.trim_ascii_start().starts_with(GROUP) && trace != Trace::GroupEnd {
        return Step::inside(Trace::Group);
    }
    if trace == Trace::Group
        && let Some(rest) = text.strip_prefix(b"  | ")
        && let Some(length) = type_name(rest)
    {
        return named(4, length, Trace::GroupEnd);
    }
    let frame = match trace {
        Trace::Box => text.starts_with(b"\xe2\x94") || text.starts_with(b"\xe2\x95"),
        Trace::Python => text.first() == Some(&b'>') || text.starts_with(TRACEBACK),
        _ => false,
    };
    if indented || frame {
        return Step::inside(trace);
    }
    if matches!(trace, Trace::Python | Trace::Box)
        && let Some(length) = type_name(text)
    {
        return named(0, length, Trace::PythonEnd);
    }
    python_end(Trace::PythonEnd, text, indented)
}

fn named(from: u32, length: usize, trace: Trace) -> Step {
    let to = from.saturating_add(u32::try_from(length).unwrap_or(0));
    Step { exception: Exception::Replace(from..to), ..Step::inside(trace) }
}

fn python_end(trace: Trace, text: &[u8], indented: bool) -> Step {
    let chained = text.starts_with(b"During handling of the above")
        || text.starts_with(b"The above exception was the direct");
    if chained {
        return Step::inside(Trace::PythonChain);
    }
    if trace == Trace::PythonChain {
        let next = begin(text, indented);
        if matches!(next.trace, Trace::Python | Trace::Group | Trace::Box) {
            return Step::inside(next.trace);
        }
        return Step::inside(trace);
    }
    if indented && !text.trim_ascii_start().starts_with(GROUP) {
        return Step::inside(trace);
    }
    begin(text, indented)
}

/// A line outside of any trace.
fn begin(text: &[u8], indented: bool) -> Step {
    if indented {
        let rest = text.trim_ascii_start();
        return if rest.starts_with(GROUP) {
            Step::start(Trace::Group)
        } else if text.starts_with(b"  File \"") && memchr::memmem::find(text, b"\", line ").is_some() {
            Step::start(Trace::Python)
        } else if is_stack_line(rest) {
            Step::inside(Trace::Stack)
        } else if let Some(length) = type_name(rest).filter(|n| is_error_class(&rest[..*n])) {
            // .NET indents the whole event.
            Step { exception: keep(text.len() - rest.len(), length), ..Step::inside(Trace::Stack) }
        } else {
            Step { part: Part::Other, ..Step::start(Trace::None) }
        };
    }
    if text.starts_with(TRACEBACK) {
        return Step::start(Trace::Python);
    }
    if is_stack_line(text) {
        return Step::inside(Trace::Stack);
    }
    if text.starts_with(b"\xe2\x95\xad") && memchr::memmem::find(text, TRACEBACK).is_some() {
        return Step::start(Trace::Box);
    }
    if is_excerpt(text) {
        return Step::start(Trace::Excerpt);
    }
    let (exception, trace) = first_line(text);
    if trace != Trace::None {
        return Step { exception, ..Step::start(trace) };
    }
    match type_name(text) {
        Some(length) if is_class(&text[..length]) => {
            Step { exception: keep(0, length), ..Step::start(Trace::Stack) }
        }
        _ => Step { part: Part::Other, ..Step::start(Trace::None) },
    }
}

/// What the first line of a trace names where it may also be a logged event's message.
#[inline]
pub(super) fn first_line(text: &[u8]) -> (Exception, Trace) {
    if opening::word(text).is_some() && is_no_phrase(text) {
        (Exception::None, Trace::None)
    } else {
        first_words(text)
    }
}

/// The first bytes of the phrases that begin with a word and a blank.
const PHRASES: [&[u8; 4]; 9] =
    [b"Trac", b"fata", b"thre", b"Exce", b"Unha", b"Unca", b"PHP ", b"Fata", b"Fast"];

/// Of a text that begins with a word and a blank: no phrase of a trace begins so. Ruby's lines end with the type in
/// parentheses.
#[inline(always)]
pub(super) fn is_no_phrase(text: &[u8]) -> bool {
    let may_be = matches!(text.first(), Some(b'T' | b'f' | b't' | b'E' | b'U' | b'P' | b'F'));
    let begins = may_be && PHRASES.iter().any(|phrase| text.starts_with(*phrase));
    !begins && text.last() != Some(&b')')
}

fn first_words(text: &[u8]) -> (Exception, Trace) {
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
            (keep(0, length), Trace::Stack)
        }
        _ => (Exception::None, Trace::None),
    }
}

/// A trace that begins with words of its own.
fn phrase(text: &[u8]) -> Option<(Exception, Trace)> {
    if text.starts_with(TRACEBACK) {
        return Some((Exception::None, Trace::Python));
    }
    if text.starts_with(b"panic: ") {
        return Some((keep(0, 5), Trace::Go));
    }
    if text.starts_with(b"fatal error: ") {
        return Some((keep(0, 11), Trace::Go));
    }
    if text.starts_with(b"thread '")
        && let Some(at) = memchr::memmem::find(text, b" panicked at ")
    {
        // The old form carries its message in quotes on the same line.
        let old = text[at + 13..].starts_with(b"'");
        return Some((keep(at + 1, 5), if old { Trace::Rust } else { Trace::RustMessage }));
    }
    let (from, length) = announced(text)?;
    Some((keep(from, length), Trace::Stack))
}

fn keep(from: usize, length: usize) -> Exception {
    match (u32::try_from(from), u32::try_from(from + length)) {
        (Ok(from), Ok(to)) => Exception::Keep(from..to),
        _ => Exception::None,
    }
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
    is_class(&text[at..at + length]).then_some((at, length))
}

/// `file.rb:12:in 'f': text (Type)`.
fn ruby(text: &[u8]) -> Option<(usize, usize)> {
    let inner = text.strip_suffix(b")")?;
    memchr::memmem::find(text.get(..text.len().min(300))?, b".rb:")?;
    memchr::memmem::find(text, b":in ")?;
    let open = memchr::memrchr(b'(', inner)? + 1;
    let length = type_name(&inner[open..])?;
    (open + length == inner.len() && inner[open].is_ascii_uppercase()).then_some((open, length))
}

/// Lines that only stand below an exception of Java, .NET, Node, Ruby or PHP; `text` without its indent or with.
fn is_stack_line(text: &[u8]) -> bool {
    let rest = text.trim_ascii_start();
    let indented = rest.len() < text.len();
    [
        &b"Caused by: "[..],
        b"Suppressed: ",
        b"Wrapped by: ",
        b"---> ",
        b"--- End of ",
        b"Stack trace:",
        b"[CIRCULAR REFERENCE",
    ]
    .iter()
    .any(|start| rest.starts_with(start))
        || (rest.starts_with(b"at ") || rest.starts_with(b"from ")) && (indented || rest.ends_with(b")"))
        || rest.starts_with(b"... ") && rest.ends_with(b"more")
        || rest.starts_with(b"thrown in ")
        || matches!(rest, [b'#', digit, b' ' | b'0'..=b'9', ..] if digit.is_ascii_digit())
        || rest.starts_with(b"Node.js v")
}

fn is_excerpt(text: &[u8]) -> bool {
    let Some(colon) = memchr::memrchr(b':', text) else { return false };
    let (file, line) = (&text[..colon], &text[colon + 1..]);
    let script = [&b".js"[..], b".ts", b".mjs", b".cjs"].iter().any(|end| file.ends_with(end));
    (script || file.starts_with(b"node:internal/")) && !line.is_empty() && line.iter().all(u8::is_ascii_digit)
}

fn is_go_line(text: &[u8], indented: bool) -> bool {
    indented
        || [
            &b"goroutine "[..],
            b"created by ",
            b"exit status ",
            b"[signal ",
            b"panic: ",
            b"runtime stack:",
            b"main.",
        ]
        .iter()
        .any(|start| text.starts_with(start))
        || text.ends_with(b")")
        || text.len() < 40 && memchr::memmem::find(text, b"    0x").is_some()
}

/// The length of the type's name at the start of `text`, where a colon, or nothing, follows it.
pub(super) fn type_name(text: &[u8]) -> Option<usize> {
    let first = *text.first()?;
    if !(first.is_ascii_alphabetic() || first == b'_' || first >= 0x80 || first == b'\\') {
        return None;
    }
    static PART: Bytes = Bytes::words_and(b"_.$<>\\+`", true);
    let part = |b: &u8| PART.has(*b);
    let mut length = text.iter().take(256).take_while(|b| part(b)).count();
    while text.get(length..)?.starts_with(b"::") && text.get(length + 2).is_some_and(part) {
        length += 2 + text[length + 2..].iter().take(256).take_while(|b| part(b)).count();
        if length > 512 {
            return None;
        }
    }
    let name = &text[..length];
    if name.ends_with(b".") {
        return None;
    }
    match text.get(length..)? {
        [b':'] | [b':', b' ' | b'\t', ..] => Some(length),
        [] | [b'\r'] => (is_dotted(name) || first.is_ascii_uppercase()).then_some(length),
        _ => None,
    }
}

fn is_dotted(name: &[u8]) -> bool {
    name.contains(&b'.') || name.contains(&b'\\') || name.contains(&b':')
}

fn last_part(name: &[u8]) -> &[u8] {
    name.rsplit(|b| matches!(b, b'.' | b'\\' | b':' | b'$')).next().unwrap_or_default()
}

/// A name that is an error's: its last part is a class whose name says so.
fn is_error_class(name: &[u8]) -> bool {
    let last = last_part(name);
    last.first().is_some_and(u8::is_ascii_uppercase)
        && [&b"Exception"[..], b"Error", b"Throwable"].iter().any(|end| last.ends_with(end))
}

/// A name that is an error's, or a class with its package.
fn is_class(name: &[u8]) -> bool {
    let last = last_part(name);
    is_error_class(name)
        || is_dotted(name) && name.len() > last.len() && last.first().is_some_and(u8::is_ascii_uppercase)
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
