//! syslog: RFC 3164 and 5424, with and without PRI, journald's short output, `kern.info` and macOS's `<Notice>` fields.
//!
//! Without a severity in the header a line's level is unknown, whatever words its message holds.

use crate::level::Level;
use crate::parse::format::Format;
use crate::parse::head::{Head, Trust, skip_blanks};
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
    // Cisco's colon behind a zone.
    let end = end + usize::from(text.get(end) == Some(&b':'));
    let host = skip_blanks(text, end);
    if let Some(head) = without_host(text, host) {
        return head;
    }
    // A relay with Cisco's colon, or a program that logs without a host.
    let at = if word_at(text, host).last() == Some(&b':') { host } else { skip_word(text, host) };
    let at = skip_blanks(text, at);
    if let Some(level) = facility(word_at(text, at)) {
        let message = behind_tag(text, skip_word(text, at)).0;
        return Head::new(Format::Syslog, Some(level), message);
    }
    let word = word_at(text, at);
    if matches!(word, b"emerg" | b"alert" | b"crit" | b"err" | b"warning" | b"notice" | b"info" | b"debug")
        && matches!(word_at(text, skip_blanks(text, at + word.len())), [.., b']', b':'])
    {
        // F5's severity stands between host and tag.
        let level = word::level(word);
        return Head { level, ..tagged(text, at + word.len()) };
    }
    let relay = word_at(text, host);
    let relay = relay.strip_prefix(b"<").and_then(|word| word.strip_suffix(b">")).unwrap_or(relay);
    if let Some(level) = facility(relay) {
        return Head::new(Format::Syslog, Some(level), behind_tag(text, at).0);
    }
    tagged(text, at)
}

/// A line whose tag begins at `at`, or has ended there.
pub(super) fn tagged(text: &[u8], at: usize) -> Head {
    let tag = skip_blanks(text, at);
    let (message, level) = behind_tag(text, tag);
    let head = said(text, tag, message);
    if level.is_some() { Head { level, ..head } } else { head }
}

/// What a program says from `message` on, its tag beginning at `tag`.
pub(super) fn said(text: &[u8], tag: usize, message: usize) -> Head {
    if text.get(tag..).is_some_and(|rest| rest.starts_with(b"haproxy"))
        && let Some(head) = crate::parse::access::haproxy(text, message)
    {
        return head;
    }
    let level = cisco(word_at(text, tag)).or_else(|| cisco(word_at(text, message)));
    Head::new(Format::Syslog, level, message)
}

/// Programs that write their own files with syslog's timestamp, no host behind it, and a level in a place of their own.
fn without_host(text: &[u8], at: usize) -> Option<Head> {
    let rest = text.get(at..)?;
    let name = rest.iter().take(128).position(|b| matches!(b, b' ' | b'\t'))?;
    let word = at + name + 1;
    let rest = text.get(word..)?;
    let letters = rest.iter().take(14).take_while(|b| b.is_ascii_alphabetic()).count();
    let level = word::header(&rest[..letters])?;
    let next = rest.get(letters)?;
    // Prosody's columns; Unbound's process and thread.
    let column = text[word - 1] == b'\t' && *next == b'\t';
    let threaded = *next == b':' && is_threaded(&text[at..word - 1]);
    // Dovecot's `imap: Error: text`.
    let titled = text[word - 2] == b':' && *next == b':' && is_titled(&rest[..letters]);
    let trust = if titled { Trust::Likely } else { Trust::Sure };
    let head = Head::new(Format::Plain, Some(level), skip_blanks(text, word + letters + 1));
    let without = if titled { word } else { head.without };
    (column || threaded || titled).then_some(Head { trust, without, ..head })
}

/// Unbound's `unbound[12:0]`, process and thread.
pub(super) fn is_threaded(name: &[u8]) -> bool {
    let Some(inner) = name.strip_suffix(b"]") else { return false };
    let Some(open) = memchr::memchr(b'[', inner) else { return false };
    let mut numbers = inner[open + 1..].split(|b| *b == b':');
    let number =
        |part: Option<&[u8]>| part.is_some_and(|p| !p.is_empty() && p.iter().all(u8::is_ascii_digit));
    number(numbers.next()) && number(numbers.next()) && numbers.next().is_none()
}

/// A capital, then small letters.
pub(super) fn is_titled(word: &[u8]) -> bool {
    let [first, rest @ ..] = word else { return false };
    first.is_ascii_uppercase() && rest.iter().all(u8::is_ascii_lowercase)
}

/// Corosync's and Pacemaker's own files: `[12] host corosync notice  [MAIN  ] text`, `[12] host  crmd:   error: text`,
/// `host pacemakerd  [12] (main)  notice: text`.
pub(super) fn cluster(text: &[u8], end: usize) -> Option<Head> {
    let mut at = skip_blanks(text, end);
    let first = text.get(at) == Some(&b'[');
    if first {
        at = skip_blanks(text, process(text, at)?);
    }
    at = skip_blanks(text, skip_word(text, at));
    let name = at;
    at = skip_word(text, name);
    if !first {
        // The process stands in a column of its own, or touches a name that fills its column.
        let touches = memchr::memchr(b'[', &text[name..at]);
        at = skip_blanks(text, process(text, touches.map_or(skip_blanks(text, at), |open| name + open))?);
        let length = text.get(at..)?.strip_prefix(b"(")?.iter().take(80).position(|b| *b == b')')?;
        at += length + 2;
    }
    at = skip_blanks(text, at);
    let rest = text.get(at..)?;
    let letters = rest.iter().take(9).take_while(|b| b.is_ascii_lowercase()).count();
    let level = word::header(&rest[..letters])?;
    let column = rest[letters..].starts_with(b": ")
        || first && rest[letters..].starts_with(b" ") && {
            rest.get(skip_blanks(rest, letters)) == Some(&b'[')
        };
    let message = skip_blanks(text, at + letters + usize::from(rest.get(letters) == Some(&b':')));
    column.then(|| Head::new(Format::Plain, Some(level), message))
}

/// The end of `[12]`.
fn process(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?.strip_prefix(b"[")?;
    let digits = rest.iter().take(10).take_while(|b| b.is_ascii_digit()).count();
    (digits > 0 && rest.get(digits) == Some(&b']')).then_some(at + digits + 2)
}

/// `kern.info`: OpenWrt's, busybox's and rsyslog's `facility.severity`.
pub(super) fn facility(word: &[u8]) -> Option<Level> {
    // The longest names have eight letters.
    let dot = word.iter().take(9).position(|b| *b == b'.')?;
    let (facility, severity) = (&word[..dot], &word[dot + 1..]);
    let level = word::level(severity)?;
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
    known.then_some(level)
}

/// `%LINK-3-UPDOWN:`, the mnemonic of Cisco's devices, with its severity in the middle.
pub(super) fn cisco(word: &[u8]) -> Option<Level> {
    if let Some(rest) = word.strip_prefix(b"%%") {
        // Huawei's and H3C's `%%01IFNET/4/LINK_STATE`.
        return match rest.split(|b| *b == b'/').nth(1)? {
            [digit @ b'0'..=b'7'] => Some(word::syslog(u32::from(digit - b'0'))),
            _ => None,
        };
    }
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
        return (skip_blanks(text, at + length), kerberos(&rest[..length]));
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

/// Kerberos' servers put the level behind the process: `krb5kdc[12](info):`.
fn kerberos(tag: &[u8]) -> Option<Level> {
    let inner = tag.strip_suffix(b"):")?;
    let open = memchr::memmem::rfind(inner, b"](")?;
    word::level(&inner[open + 2..])
}

fn word_at(text: &[u8], at: usize) -> &[u8] {
    let rest = text.get(at..).unwrap_or_default();
    &rest[..rest.iter().position(|b| *b == b' ').unwrap_or(rest.len())]
}

fn skip_word(text: &[u8], at: usize) -> usize {
    let at = skip_blanks(text, at);
    at + word_at(text, at).len()
}
