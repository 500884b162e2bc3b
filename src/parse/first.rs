//! Lines that begin with their level: `ERROR:name:text`, `INFO:     text`, `[WARN] text`, `info: Category[0]`,
//! and the layouts that put the timestamp behind it.

use crate::level::Level;
use crate::parse::bracket;
use crate::parse::format::Format;
use crate::parse::glog;
use crate::parse::head::{Head, Trust, skip_blanks};
use crate::parse::message;
use crate::parse::time;
use crate::parse::word;

/// The header of a line whose first word is a level.
pub(super) fn word(text: &[u8]) -> Option<Head> {
    let letters = text.iter().take(14).take_while(|b| b.is_ascii_alphabetic()).count();
    let word = &text[..letters];
    if word == b"http" {
        return http(text);
    }
    let level = word::level(word)?;
    let upper = word::is_upper(word);
    let rest = &text[letters..];
    match rest.first() {
        Some(b'(') if !upper => scoped(text, letters, level),
        Some(b':') => colon(text, letters, level, upper),
        Some(b' ' | b'\t') => blank(text, letters, level, upper),
        Some(b'[' | b'|' | b',' | b'(') if upper => {
            if let Some(head) = dated(text, letters, level) {
                return Some(head);
            }
            Some(Head::new(Format::LevelFirst, Some(level), message::after_level(text, letters)).weak())
        }
        _ => None,
    }
}

/// Zig's scope behind the level: `error(gpa): text`.
fn scoped(text: &[u8], letters: usize, level: Level) -> Option<Head> {
    let close = bracket::closing(text, letters)?;
    let scope = text[letters + 1..close].iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let head = Head::new(Format::LevelFirst, Some(level), close + 3);
    (scope && text[close..].starts_with(b"): "))
        .then(|| Head { trust: trust(level, false), without: 0, ..head }.weak())
}

/// winston's level for requests; Go's server begins what it says in the same way, so that other lines must agree.
fn http(text: &[u8]) -> Option<Head> {
    let head =
        Head { trust: Trust::Doubtful, without: 0, ..Head::new(Format::LevelFirst, Some(Level::Info), 6) };
    text.starts_with(b"http: ").then(|| head.weak())
}

/// How far a level in front of a text is believed.
fn trust(level: Level, upper: bool) -> Trust {
    match (upper, level < Level::Warning) {
        (true, _) => Trust::Sure,
        (false, true) => Trust::Likely,
        (false, false) => Trust::Doubtful,
    }
}

fn colon(text: &[u8], letters: usize, level: Level, upper: bool) -> Option<Head> {
    let rest = &text[letters + 1..];
    let head = |format, message| Head::new(format, Some(level), message);
    if upper && !rest.first().is_some_and(|b| matches!(b, b' ' | b'\t')) {
        let name =
            rest.iter().take(120).take_while(|b| b.is_ascii_alphanumeric() || b"._-".contains(b)).count();
        // The name may fill a column.
        let end = skip_blanks(rest, name);
        if name > 0 && rest.get(end) == Some(&b':') {
            return Some(head(Format::Basic, letters + end + 2));
        }
    }
    if let Some(head) = dated(text, letters + 1, level) {
        return upper.then_some(head);
    }
    if upper && rest.starts_with(b"  ") && letters + 1 + skip_blanks(rest, 0) == 10 {
        return Some(head(Format::Uvicorn, 10));
    }
    // What git, Go and rustc say by themselves is no logger's.
    let said = matches!(&text[..letters], b"panic" | b"note" | b"fatal");
    if said || !matches!(rest.first(), None | Some(b' ' | b'\t')) {
        return None;
    }
    let message = skip_blanks(text, letters + 1);
    if !upper && is_category(rest) {
        return Some(head(Format::Dotnet, message));
    }
    Some(Head { trust: trust(level, upper), without: 0, ..head(Format::LevelFirst, message) }.weak())
}

/// .NET's ` Category.Name[0]`.
fn is_category(rest: &[u8]) -> bool {
    let Some(rest) = rest.strip_prefix(b" ").and_then(|r| r.strip_suffix(b"]")) else { return false };
    let Some(open) = memchr::memrchr(b'[', rest) else { return false };
    open + 1 < rest.len() && !rest[..open].contains(&b' ') && rest[open + 1..].iter().all(u8::is_ascii_digit)
}

fn blank(text: &[u8], letters: usize, level: Level, upper: bool) -> Option<Head> {
    if let Some(head) = dated(text, letters, level) {
        return Some(head);
    }
    let message = message::after_level(text, letters);
    let at = skip_blanks(text, letters);
    let apart = matches!(text.get(at), Some(b'-' | b'|' | b'[' | b':'));
    if !upper {
        return None;
    }
    let trust = match apart {
        true => Trust::Sure,
        false if message::goes_on(&text[letters..]) => Trust::Doubtful,
        false => Trust::Likely,
    };
    Some(Head { trust, without: 0, ..Head::new(Format::LevelFirst, Some(level), message) }.weak())
}

/// A level with a timestamp behind it.
pub(super) fn dated(text: &[u8], at: usize, level: Level) -> Option<Head> {
    let mut at = skip_blanks(text, at);
    let open = text.get(at) == Some(&b'[');
    at += usize::from(open);
    if let [b'-' | b'|' | b'@', b' ', ..] = text.get(at..)? {
        at += 2;
    }
    let Some(stamp) = time::stamp(text, at) else {
        // Cassandra's thread stands before the timestamp.
        let thread = bracket::closing(text, at.checked_sub(1).filter(|_| open)?)?;
        let end = time::iso(text, skip_blanks(text, thread + 1))?;
        return Some(Head::new(Format::Plain, Some(level), message::after_level(text, end)));
    };
    let close = stamp.end + usize::from(open && text.get(stamp.end) == Some(&b']'));
    Some(Head::new(Format::Plain, Some(level), message::after_level(text, close)))
}

/// The header of a line that begins with a bracket that holds no timestamp.
pub(super) fn bracket(text: &[u8]) -> Option<Head> {
    let close = bracket::closing(text, 0)?;
    let content = &text[1..close];
    if let Some(head) = letter(text, content, close) {
        return Some(head);
    }
    // Open Liberty fills its levels to eight bytes; one of them is a word of its own.
    let level = if content == b"AUDIT   " { Level::Info } else { bracket::bracket_level(content)?? };
    if let Some(head) = dated(text, close + 1, level) {
        return Some(head);
    }
    Some(Head::new(Format::LevelFirst, Some(level), message::after_level(text, close + 1)).weak())
}

/// The header of a line that begins with a level in capitals inside `<>` or `()`, the timestamp behind it.
pub(super) fn enclosed(text: &[u8]) -> Option<Head> {
    let close = bracket::closing(text, 0).filter(|close| *close < 12)?;
    let content = &text[1..close];
    let level = word::header(content).filter(|_| word::is_upper(content))?;
    dated(text, close + 1, level)
}

/// Tornado's and Jupyter's `[I 261120 12:00:00 web:1] text`, and Chromium's `[1120/120000.123:ERROR:file.cc(1)] text`.
fn letter(text: &[u8], content: &[u8], close: usize) -> Option<Head> {
    let message = skip_blanks(text, close + 1);
    if let [letter, b' ', ..] = content
        && letter.is_ascii_uppercase()
        && time::stamp(content, 2).is_some()
    {
        return Some(Head::new(Format::Plain, Some(word::letter(*letter)?), message));
    }
    if let Some(head) = glog::glog(&text[1..]) {
        // PyTorch puts the whole of glog's header in brackets.
        return Some(Head::new(Format::Glog, head.level, message));
    }
    if let [letter @ (b'I' | b'W' | b'E' | b'F'), b' ', place @ ..] = content {
        // And its older `[W socket.cpp:601] text`.
        let line = place.iter().rev().take_while(|b| b.is_ascii_digit()).count();
        let file = place[..place.len() - line].strip_suffix(b":")?;
        let named = line > 0 && file.contains(&b'.') && !file.contains(&b' ');
        return named.then(|| Head::new(Format::Glog, word::letter(*letter), message));
    }
    if !content.first()?.is_ascii_digit() {
        return None;
    }
    let mut parts = content.rsplit(|b| *b == b':');
    let file = parts.next()?;
    let level = parts.next()?;
    let sure = file.last() == Some(&b')') && word::is_upper(level);
    sure.then(|| word::level(level)).flatten().map(|level| Head::new(Format::Glog, Some(level), message))
}
