//! PHP's own errors: `PHP Warning:  text in FILE on line N`, in its log, on standard error and as `php` shows them.

use crate::level::Level;
use crate::parse::format::Format;
use crate::parse::head::{Head, skip_blanks};

const KINDS: [(Level, &[u8]); 11] = [
    (Level::Critical, b"Fatal error:"),
    (Level::Critical, b"Parse error:"),
    (Level::Error, b"Recoverable fatal error:"),
    (Level::Critical, b"Core error:"),
    (Level::Critical, b"Compile error:"),
    (Level::Warning, b"Warning:"),
    (Level::Warning, b"Core warning:"),
    (Level::Warning, b"Compile warning:"),
    (Level::Notice, b"Notice:"),
    (Level::Notice, b"Deprecated:"),
    (Level::Notice, b"Strict Standards:"),
];

/// The header whose words `PHP Kind:` begin at `at`.
pub(super) fn behind(text: &[u8], at: usize) -> Option<Head> {
    let rest = text.get(at..)?.strip_prefix(b"PHP ")?;
    let (level, words) = KINDS.iter().find(|(_, words)| rest.starts_with(words))?;
    Some(Head::new(Format::Php, Some(*level), skip_blanks(text, at + 4 + words.len())))
}

/// The header of a line that begins with `PHP Kind:`, or with `Kind:` alone and ends as PHP's errors do.
pub(super) fn head(text: &[u8]) -> Option<Head> {
    if !matches!(text.first()?, b'P' | b'F' | b'R' | b'C' | b'W' | b'N' | b'D' | b'S') {
        return None;
    }
    if let Some(head) = behind(text, 0) {
        return Some(head);
    }
    let (level, words) = KINDS.iter().find(|(_, words)| text.starts_with(words))?;
    let message = skip_blanks(text, words.len());
    let uncaught = text[message..].starts_with(b"Uncaught ");
    (uncaught || ends_with_place(text)).then(|| Head::new(Format::Php, Some(*level), message))
}

/// ` on line N` at the end.
fn ends_with_place(text: &[u8]) -> bool {
    let digits = text.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    digits > 0 && text[..text.len() - digits].ends_with(b" on line ")
}

/// The class in Monolog's `"exception":"[object] (Class(code: 0): …`.
pub(super) fn monolog_exception(text: &[u8], message: usize) -> Option<(usize, usize)> {
    const MARK: &[u8] = b"\"exception\":\"[object] (";
    let from = message + memchr::memmem::find(text.get(message..)?, MARK)? + MARK.len();
    let length = text[from..].iter().take(256).position(|b| *b == b'(')?;
    (length > 0).then_some((from, from + length))
}
