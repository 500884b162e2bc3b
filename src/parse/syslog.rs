//! syslog: RFC 3164 and 5424, with and without PRI, journald's short output, `kern.info` and macOS's `<Notice>` fields.
//!
//! Without a severity in the header a line's level is unknown, whatever words its message holds.

use crate::level::Level;
use crate::parse::format::Format;
use crate::parse::head::{Head, skip_blanks};
use crate::parse::steps;
use crate::parse::time::{self, Shape};
use crate::parse::word;

/// The header of a line that begins with `<PRI>`, or `None`.
pub(super) fn priority(text: &[u8]) -> Option<Head> {
    let digits = text.get(1..)?.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 || digits > 3 || text.get(digits + 1) != Some(&b'>') {
        return None;
    }
    let number = word::parse_number(&text[1..=digits])?;
    let level = (number < 192).then(|| word::syslog(number))?;
    let at = digits + 2;
    let head = versioned(text, at).or_else(|| bsd(text, at)).or_else(|| {
        let stamp = time::stamp(text, at)?;
        Some(Head::new(Format::Syslog, None, behind_tag(text, skip_word(text, stamp.end)).0))
    });
    let head = head.unwrap_or_else(|| Head::new(Format::Syslog, None, behind_tag(text, at).0));
    Some(Head { level: Some(level), ..head })
}

/// RFC 5424 behind its PRI: `1 2003-10-11T22:14:15Z host app pid id [data] message`.
pub(super) fn versioned(text: &[u8], at: usize) -> Option<Head> {
    let rest = text.get(at..)?;
    if !rest.starts_with(b"1 ") {
        return None;
    }
    let mut end = if rest.starts_with(b"1 - ") { at + 3 } else { time::iso(text, at + 2)? };
    for _ in 0..4 {
        end = skip_word(text, end);
    }
    end = skip_blanks(text, end);
    match text.get(end) {
        Some(b'-') => end += 1,
        Some(b'[') => {
            while text.get(end) == Some(&b'[') {
                end = data_end(text, end)?;
            }
        }
        _ => {}
    }
    end = skip_blanks(text, end);
    if text.get(end..).is_some_and(|rest| rest.starts_with(b"\xef\xbb\xbf")) {
        end += 3;
    }
    Some(Head::new(Format::Syslog, None, end))
}

/// The end of one element of structured data; its values may hold escaped quotes and brackets.
fn data_end(text: &[u8], at: usize) -> Option<usize> {
    let mut quoted = false;
    let mut i = at;
    while let Some(byte) = text.get(i) {
        match byte {
            b'\\' if quoted => i += 1,
            b'"' => quoted = !quoted,
            b']' if !quoted => return Some(i + 1),
            _ => {}
        }
        i += 1;
        steps::passed(1);
    }
    None
}

/// RFC 3164: `Nov 20 12:00:00 host tag[pid]: message`.
pub(super) fn bsd(text: &[u8], at: usize) -> Option<Head> {
    let stamp = time::stamp(text, at).filter(|stamp| stamp.shape == Shape::Bsd)?;
    Some(behind_stamp(text, stamp.end))
}

/// A line whose timestamp of the old shape ends at `end`.
pub(super) fn behind_stamp(text: &[u8], end: usize) -> Head {
    let host = skip_blanks(text, end);
    // A relay with Cisco's colon, or a program that logs without a host.
    let at = if word_at(text, host).last() == Some(&b':') { host } else { skip_word(text, host) };
    let at = skip_blanks(text, at);
    if let Some(level) = facility(word_at(text, at)) {
        let message = behind_tag(text, skip_word(text, at)).0;
        return Head::new(Format::Syslog, Some(level), message);
    }
    if let Some(level) = facility(word_at(text, host)) {
        return Head::new(Format::Syslog, Some(level), behind_tag(text, at).0);
    }
    tagged(text, at)
}

/// A line whose tag begins at `at`, or has ended there.
pub(super) fn tagged(text: &[u8], at: usize) -> Head {
    let tag = skip_blanks(text, at);
    if text.get(tag..).is_some_and(|rest| rest.starts_with(b"haproxy"))
        && let Some(head) = crate::parse::access::haproxy(text, behind_tag(text, at).0)
    {
        return head;
    }
    let (message, level) = behind_tag(text, at);
    let level = level.or_else(|| cisco(word_at(text, tag)));
    Head::new(Format::Syslog, level, message)
}

/// `kern.info`: OpenWrt's, busybox's and rsyslog's `facility.severity`.
pub(super) fn facility(word: &[u8]) -> Option<Level> {
    let dot = memchr::memchr(b'.', word)?;
    let (facility, severity) = (&word[..dot], &word[dot + 1..]);
    let known = matches!(
        facility,
        b"kern"
            | b"user"
            | b"mail"
            | b"daemon"
            | b"auth"
            | b"syslog"
            | b"lpr"
            | b"news"
            | b"uucp"
            | b"cron"
            | b"authpriv"
            | b"ftp"
            | b"security"
            | b"console"
    ) || facility.starts_with(b"local") && facility.len() == 6;
    known.then(|| word::level(severity)).flatten()
}

/// `%LINK-3-UPDOWN:`, the mnemonic of Cisco's devices, with its severity in the middle.
pub(super) fn cisco(word: &[u8]) -> Option<Level> {
    let mut parts = word.strip_prefix(b"%")?.strip_suffix(b":")?.split(|b| *b == b'-');
    let severity = parts.nth(1)?;
    match severity {
        [digit @ b'0'..=b'7'] => Some(word::syslog(u32::from(digit - b'0'))),
        _ => None,
    }
}

/// The place behind `tag[pid]: `, and the level of macOS's `<Error>` between tag and colon.
fn behind_tag(text: &[u8], at: usize) -> (usize, Option<Level>) {
    let at = skip_blanks(text, at);
    let rest = text.get(at..).unwrap_or_default();
    let length = rest.iter().take(128).position(|b| matches!(b, b' ' | b'\t')).unwrap_or(rest.len().min(128));
    if length > 0 && rest.get(length - 1) == Some(&b':') {
        return (skip_blanks(text, at + length), None);
    }
    let next = skip_blanks(text, at + length);
    if text.get(next) == Some(&b'<')
        && let Some(close) = crate::parse::bracket::closing(text, next)
        && text.get(close + 1) == Some(&b':')
        && let Some(level) = word::level(&text[next + 1..close])
    {
        return (skip_blanks(text, close + 2), Some(level));
    }
    (at, None)
}

fn word_at(text: &[u8], at: usize) -> &[u8] {
    let rest = text.get(at..).unwrap_or_default();
    &rest[..rest.iter().position(|b| *b == b' ').unwrap_or(rest.len())]
}

fn skip_word(text: &[u8], at: usize) -> usize {
    let at = skip_blanks(text, at);
    at + word_at(text, at).len()
}
