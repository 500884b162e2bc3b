//! Short headers around a level that is not a word of its own between blanks, or around none: what the grammar would do
//! behind a known beginning, spelled out for these few.

use super::shape::Shape;
use crate::parse::bytes::Bytes;
use crate::parse::format::Format;
use crate::parse::head::skip_blanks;
use crate::parse::swar::{equal, first};
use crate::parse::{message, syslog, time};

/// The longest tag that is looked at, as in `syslog`.
const LONGEST_TAG: usize = 128;
/// The longest name between the colons of `LEVEL:name:message`, as in `first`.
const LONGEST_NAME: usize = 120;

/// Where the message begins behind `:name:` at `at`.
#[inline(always)]
pub(super) fn behind_name(line: &[u8], at: usize) -> Option<usize> {
    static NAME: Bytes = Bytes::words_and(b"._-", false);
    let rest = line.get(at..)?.strip_prefix(b":")?;
    let length = rest.iter().take(LONGEST_NAME).take_while(|b| NAME.has(**b)).count();
    (length > 0 && rest.get(length) == Some(&b':')).then_some(at + length + 2)
}

/// Where the message begins behind the bracket that closes at `at`, if only the format decides.
#[inline(always)]
pub(super) fn behind_bracket(line: &[u8], at: usize, format: Format) -> Option<usize> {
    let rest = line.get(at..)?.strip_prefix(b"]")?;
    match format {
        Format::ApacheError => Some(message::after_groups(line, at + 1, &[b"[pid ", b"[tid "])),
        // Another layout has no number there.
        Format::NginxError if !rest.get(1).is_some_and(u8::is_ascii_digit) => None,
        _ => Some(message::after_level(line, at + 1)),
    }
}

/// Where the message would begin if the level in brackets behind `length` bytes were not believed, which it always is.
pub(super) fn without(line: &[u8], length: usize) -> usize {
    let open = usize::from(line.first() == Some(&b'['));
    let stamp = time::stamp(&line[..length], open);
    stamp.map_or(0, |stamp| message::after_separators(line, stamp.end + open))
}

/// Where the message begins behind the tag at `at` of a line that ends at `end`, if it is a plain one, which says nothing
/// of a level or of another layout.
#[inline(always)]
pub(super) fn behind_tag(line: &[u8], at: usize, end: usize) -> Option<usize> {
    if !line.get(at)?.is_ascii_alphabetic() || line[at] == b'h' {
        return None;
    }
    let stops = |t| equal(t, b' ') | equal(t, b'\t') | equal(t, b'.');
    let blank = first(line, at, end.min(at + LONGEST_TAG), stops)?;
    (line[blank] != b'.' && line[blank - 1] == b':').then(|| skip_blanks(line, blank))
}

/// The beginning of a line of the old syslog up to its tag.
pub(super) fn of_syslog(line: &[u8]) -> Option<Shape> {
    let stamp = time::stamp(line, 0).filter(|stamp| stamp.shape == time::Shape::Bsd)?;
    let host = skip_blanks(line, stamp.end);
    let length = line.get(host..)?.iter().position(|b| *b == b' ')?;
    let name = &line[host..host + length];
    if name.ends_with(b":") || syslog::facility(name).is_some() {
        return None;
    }
    let digits = 0..stamp.end;
    Shape::new(&line[..skip_blanks(line, host + length)], std::slice::from_ref(&digits))
}

/// The beginning of a line up to a level in brackets, with nothing between it and the timestamp but numbers in brackets.
pub(super) fn of_bracket(line: &[u8]) -> Option<Shape> {
    let open = usize::from(line.first() == Some(&b'['));
    let stamp = time::stamp(line, open)?;
    let mut at = stamp.end;
    if open == 1 {
        at = line.get(at..)?.starts_with(b"]").then_some(at + 1)?;
    }
    loop {
        let rest = line.get(at..)?.strip_prefix(b" [")?;
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            break;
        }
        at = rest.get(digits..)?.starts_with(b"]").then_some(at + 2 + digits + 1)?;
    }
    let digits = 0..at;
    Shape::new(&line[..at + 2], std::slice::from_ref(&digits))
}
