//! Headers whose level is one letter or sign: glog and klog, Android's logcat, Ruby's Logger, Redis; and the two
//! machine formats around them, dmesg and auditd, and the supercomputers' RAS lines.

use crate::level::Level;
use crate::parse::format::Format;
use crate::parse::front;
use crate::parse::head::{Head, skip_blanks};
use crate::parse::message;
use crate::parse::time::{self, Shape};
use crate::parse::word;

/// glog and klog: `I1120 12:00:00.000000  1 file.go:1] text`, also with a year.
pub(super) fn glog(text: &[u8]) -> Option<Head> {
    let level = match text.first()? {
        b'I' => Level::Info,
        b'W' => Level::Warning,
        b'E' => Level::Error,
        b'F' => Level::Critical,
        b'D' => Level::Debug,
        b'V' => Level::Trace,
        _ => return None,
    };
    if let Some(head) = meteor(text, level) {
        return Some(head);
    }
    let digits = text.get(1..10)?.iter().take_while(|b| b.is_ascii_digit()).count();
    if !matches!(digits, 4 | 6 | 8) || text.get(digits + 1) != Some(&b' ') {
        return None;
    }
    // Before its start-up is done, Abseil writes `E0000 00:00:1700000000.123456`.
    let early = text.get(1..12).is_some_and(|rest| rest == b"0000 00:00:");
    let end = match time::stamp(text, digits + 2).filter(|s| s.shape == Shape::Clock) {
        Some(stamp) => stamp.end,
        None if early => digits + 2,
        None => return None,
    };
    let rest = text.get(end..)?;
    if digits == 6 {
        return cockroach(text, end).map(|message| Head::new(Format::Glog, Some(level), message));
    }
    let close = memchr::memchr(b']', rest.get(..rest.len().min(200))?)?;
    Some(Head::new(Format::Glog, Some(level), skip_blanks(text, end + close + 1)))
}

/// Meteor's `I20261120-12:00:00.123(0) text`.
fn meteor(text: &[u8], level: Level) -> Option<Head> {
    if text.get(9) != Some(&b'-') || !text[1..9].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let stamp = time::stamp(text, 10).filter(|stamp| stamp.shape == Shape::Clock)?;
    let zone = text.get(stamp.end..)?.iter().take(6).position(|b| *b == b' ')?;
    text[stamp.end..].starts_with(b"(").then(|| Head::new(Format::Glog, Some(level), stamp.end + zone + 1))
}

/// CockroachDB's place behind a timestamp of six digits: ` 12 3@server/node.go:34  text`.
fn cockroach(text: &[u8], end: usize) -> Option<usize> {
    let at = skip_blanks(text, end);
    let number = text.get(at..)?.iter().take_while(|b| b.is_ascii_digit()).count();
    let place = skip_blanks(text, at + number);
    let rest = text.get(place..)?;
    let length = rest.iter().take(120).position(|b| *b == b' ')?;
    let line = rest[..length].iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let named = line > 0 && line < length && rest[length - line - 1] == b':';
    (number > 0 && named).then(|| skip_blanks(text, place + length))
}

/// logcat's brief and tag forms: `W/Tag( 123): text`, `E/Tag: text`.
pub(super) fn brief(text: &[u8]) -> Option<Head> {
    if let Some(head) = process(text) {
        return Some(head);
    }
    let [letter @ (b'V' | b'D' | b'I' | b'W' | b'E' | b'F' | b'A'), b'/', rest @ ..] = text else {
        return None;
    };
    let tag = rest.iter().take(64).position(|b| matches!(b, b'(' | b':'))?;
    let colon = if rest[tag] == b'(' {
        let close = tag + rest.get(tag..)?.iter().take(16).position(|b| *b == b')')?;
        close + 1
    } else {
        tag
    };
    if tag == 0 || rest.get(colon) != Some(&b':') {
        return None;
    }
    Some(Head::new(Format::Android, word::letter(*letter), skip_blanks(text, colon + 3)))
}

/// logcat's process and thread forms, `I( 4242) text  (Tag)`, `W( 4242: 4243) text`, and ESP-IDF's `I (1234) tag: text`.
fn process(text: &[u8]) -> Option<Head> {
    let [letter @ (b'V' | b'D' | b'I' | b'W' | b'E' | b'F' | b'A'), rest @ ..] = text else { return None };
    let spaced = rest.strip_prefix(b" (");
    let inner = spaced.or_else(|| rest.strip_prefix(b"("))?;
    let close = inner.iter().take(20).position(|b| *b == b')')?;
    let numbers = inner[..close].iter().all(|b| b.is_ascii_digit() || matches!(b, b' ' | b':'));
    let message = text.len() - inner.len() + close + 2;
    let number = numbers && close > 0 && inner[close - 1].is_ascii_digit();
    // A letter and a number in parentheses may begin a sentence; a tag and a colon behind them do not.
    let tag = text.get(message..)?.split(|b| *b == b' ').next()?;
    let tagged = spaced.is_none() || tag.len() > 1 && tag.contains(&b':');
    (number && tagged && inner[close..].starts_with(b") "))
        .then(|| Head::new(Format::Android, word::letter(*letter), skip_blanks(text, message)))
}

/// logcat's threadtime and time forms behind the timestamp: `1702  2395 D Tag: text`, `D/Tag( 1702): text`.
pub(super) fn logcat(text: &[u8], end: usize) -> Option<Head> {
    let mut at = skip_blanks(text, end);
    for step in 0..4 {
        let rest = text.get(at..)?;
        if let [letter, b' ', ..] = rest
            && letter.is_ascii_uppercase()
        {
            let level = word::letter(*letter)?;
            let tag = skip_blanks(text, at + 2);
            let rest = text.get(tag..)?;
            let colon = memchr::memmem::find(rest.get(..rest.len().min(120))?, b": ");
            let message = colon.map_or(tag, |n| skip_blanks(text, tag + n + 1));
            return Some(Head::new(Format::Android, Some(level), message));
        }
        if rest.get(1) == Some(&b'/') {
            let head = brief(rest)?;
            return match head.place {
                crate::parse::head::Place::From(n) => Some(Head::new(Format::Android, head.level, at + n)),
                _ => None,
            };
        }
        let digits = rest.iter().take_while(|b| b.is_ascii_digit() || **b == b'-').count();
        let digits = match digits {
            // The user's name, in some variants.
            0 if step == 0 => rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count(),
            digits => digits,
        };
        if digits == 0 || rest.get(digits) != Some(&b' ') {
            return None;
        }
        at = skip_blanks(text, at + digits);
    }
    None
}

/// Ruby's Logger: `I, [2026-11-20T12:00:00.000000 #1]  INFO -- prog: text`.
pub(super) fn ruby(text: &[u8]) -> Option<Head> {
    let [letter @ (b'D' | b'I' | b'W' | b'E' | b'F' | b'A'), b',', b' ', b'[', ..] = text else {
        return None;
    };
    let stamp = time::stamp(text, 4)?;
    let rest = text.get(stamp.end..)?;
    let dashes = memchr::memmem::find(rest.get(..rest.len().min(60))?, b" -- ")?;
    let at = stamp.end + dashes + 4;
    let rest = text.get(at..)?;
    let colon = memchr::memmem::find(rest.get(..rest.len().min(80))?, b": ").unwrap_or(0);
    let level = if *letter == b'A' { Level::Unknown } else { word::letter(*letter)? };
    Some(Head::new(
        Format::Ruby,
        Some(level),
        skip_blanks(text, at + colon + usize::from(colon + 1 < rest.len())),
    ))
}

/// Redis and Valkey: `123:M 20 Nov 2026 12:00:00.123 # text`.
pub(super) fn redis(text: &[u8]) -> Option<Head> {
    let digits = text.iter().take(8).take_while(|b| b.is_ascii_digit()).count();
    if digits > 0 && text[digits..].starts_with(b":signal-handler (") {
        return Some(Head::new(Format::Redis, None, digits + 1));
    }
    let [b':', b'M' | b'S' | b'C' | b'X', b' ', ..] = text.get(digits..)? else { return None };
    let stamp = time::stamp(text, digits + 3)?;
    let [b' ', sign, b' ', ..] = text.get(stamp.end..)? else { return None };
    let level = front::redis_sign(*sign)?;
    (digits > 0).then(|| Head::new(Format::Redis, Some(level), stamp.end + 3))
}

/// The kernel's ring buffer: `[    1.234567] text`, and `dmesg -x`'s `kern  :info  : [ 1.2] text`.
pub(super) fn dmesg(text: &[u8]) -> Option<Head> {
    let rest = text.strip_prefix(b"[")?;
    let blanks = skip_blanks(rest, 0);
    let rest = rest.get(blanks..)?;
    let seconds = rest.iter().take(9).take_while(|b| b.is_ascii_digit()).count();
    if seconds == 0 || seconds > 7 || rest.get(seconds) != Some(&b'.') {
        return None;
    }
    let fraction = rest[seconds + 1..].iter().take(7).take_while(|b| b.is_ascii_digit()).count();
    if fraction != 6 || rest.get(seconds + 7) != Some(&b']') {
        return None;
    }
    Some(Head::new(Format::Dmesg, None, skip_blanks(text, 1 + blanks + seconds + 8)))
}

/// `dmesg -x`: the facility and the level in front.
pub(super) fn dmesg_level(text: &[u8]) -> Option<Head> {
    if !matches!(text.first(), Some(b'k' | b'u' | b'd' | b's' | b'a')) {
        return None;
    }
    let head = text.get(..text.len().min(24))?;
    let mut parts = head.split(|b| *b == b':');
    let facility = parts.next()?.trim_ascii_end();
    let level = parts.next()?.trim_ascii_end();
    let known = matches!(facility, b"kern" | b"user" | b"daemon" | b"syslog" | b"auth" | b"authpriv");
    let level = known.then(|| word::level(level)).flatten()?;
    let open = memchr::memchr(b'[', text)?;
    let close = memchr::memchr(b']', text)?;
    (open < 24).then(|| Head::new(Format::Dmesg, Some(level), skip_blanks(text, close + 1)))
}

/// The audit daemon: `type=SYSCALL msg=audit(1364481363.243:24287): …`, without any level.
pub(super) fn auditd(text: &[u8]) -> Option<Head> {
    let at = memchr::memmem::find(text.get(..text.len().min(160))?, b" msg=audit(")?;
    let rest = &text[at..];
    let close = memchr::memmem::find(rest.get(..rest.len().min(60))?, b"):")?;
    Some(Head::new(Format::Auditd, None, skip_blanks(text, at + close + 2)))
}

/// Lines of the supercomputers' logs: `- 1117838570 2005.06.03 NODE …`, then either
/// `2005-06-03-15.42.50.363779 NODE RAS KERNEL INFO text` or a syslog line.
pub(super) fn ras(text: &[u8]) -> Option<Head> {
    let label = memchr::memchr(b' ', text.get(..text.len().min(24))?)?;
    let epoch = text.get(label + 1..label + 11)?;
    let date = text.get(label + 11..label + 23)?;
    if !epoch.iter().all(u8::is_ascii_digit)
        || date[0] != b' '
        || date[5] != b'.'
        || date[8] != b'.'
        || date[11] != b' '
    {
        return None;
    }
    let mut at = label + 23;
    at = skip_blanks(text, at + word_length(text, at));
    let stamp = time::stamp(text, at)?;
    if stamp.shape == Shape::Bsd {
        let head = crate::parse::syslog::behind_stamp(text, stamp.end);
        return Some(Head { level: None, format: Format::Ras, ..head });
    }
    at = skip_blanks(text, stamp.end);
    // Node, type, facility, level.
    for _ in 0..3 {
        at = skip_blanks(text, at + word_length(text, at));
    }
    let length = word_length(text, at);
    let level = text.get(at..at + length).and_then(word::level);
    let message = if level.is_some() { message::after_separators(text, at + length) } else { at };
    Some(Head::new(Format::Ras, level, message))
}

fn word_length(text: &[u8], at: usize) -> usize {
    text.get(at..).unwrap_or_default().iter().take_while(|b| **b != b' ').count()
}
