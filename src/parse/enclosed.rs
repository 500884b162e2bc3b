//! Headers whose first field stands in a bracket of another kind, or with more in it than a level or a timestamp.

use crate::level::Level;
use crate::parse::bracket::closing;
use crate::parse::format::Format;
use crate::parse::head::{Head, skip_blanks};
use crate::parse::time::{self, Shape};
use crate::parse::{plain, syslog, undated, word};

/// What begins with a bracket and a blank: logcat's long form `[ 11-20 12:00:00.123  4242: 4243 I/Tag ]`, Passenger's
/// `[ N 2026-11-20 12:00:00.123 42/T1 a.cpp:12 ]: text`, Julia's `[ Info: text`.
pub(super) fn spaced(text: &[u8]) -> Option<Head> {
    let rest = text.strip_prefix(b"[ ")?;
    if let [letter, b' ', ..] = rest
        && letter.is_ascii_uppercase()
        && let Some(end) = time::iso(text, 4)
    {
        let close = end + memchr::memmem::find(text.get(end..text.len().min(end + 120))?, b" ]: ")?;
        return Some(Head::new(Format::Plain, Some(word::letter(*letter)?), skip_blanks(text, close + 3)));
    }
    if let Some(head) = undated::julia(rest, 2) {
        return Some(head);
    }
    let stamp = time::stamp(text, 2).filter(|stamp| stamp.shape == Shape::MonthDay)?;
    let tag = text.strip_suffix(b" ]")?;
    let slash = stamp.end + memchr::memchr(b'/', tag.get(stamp.end..)?)?;
    let level = word::letter(text[slash - 1])?;
    Some(Head::new(Format::Android, Some(level), slash + 1))
}

/// SAP HANA's `[12345]{-1}[-1/-1] 2026-11-20 12:00:00.123456 e Trace  file.cpp(12) : text`.
pub(super) fn grouped(text: &[u8]) -> Option<Head> {
    let mut at = closing(text, 0)? + 1;
    if text.get(at) != Some(&b'{') {
        return None;
    }
    at += text[at..].iter().take(20).position(|b| *b == b'}')? + 1;
    at = closing(text, at).filter(|_| text.get(at) == Some(&b'['))? + 1;
    let end = time::iso(text, skip_blanks(text, at))?;
    let [b' ', letter, b' ', ..] = text.get(end..)? else { return None };
    let level = word::letter(*letter).filter(|_| letter.is_ascii_lowercase())?;
    Some(Head::new(Format::Plain, Some(level), skip_blanks(text, end + 3)))
}

/// What begins with `(`: qBittorrent's `(W) 2026-11-20T12:00:00 - text`, GLib's `(app:4242): App-WARNING **: text`.
pub(super) fn parenthesis(text: &[u8]) -> Option<Head> {
    if let [b'(', letter, b')', b' ', ..] = text
        && let Some(end) = time::iso(text, 4)
    {
        // Its N is for what is normal.
        let level = if *letter == b'N' { Some(Level::Info) } else { word::letter(*letter) };
        let text = text.get(end..)?.starts_with(b" - ").then_some(end + 3);
        return text.map(|at| Head::new(Format::Plain, level, at));
    }
    glib(text, 0)
}

/// GLib's headers, its stars in front where there is no domain: `** (app:4242): WARNING **: 12:00:00.123: text`,
/// `** Message: 12:00:00.123: text`.
pub(super) fn glib(text: &[u8], at: usize) -> Option<Head> {
    let mut at = at;
    if text.get(at) == Some(&b'(') {
        let close = closing(text, at)?;
        let process = &text[at + 1..close];
        let number = process.iter().rev().take_while(|b| b.is_ascii_digit()).count();
        let named = number > 0 && process[..process.len() - number].ends_with(b":");
        at = (named && text[close + 1..].starts_with(b": ")).then_some(close + 3)?;
    }
    let rest = text.get(at..)?;
    let colon = rest.iter().take(60).position(|b| *b == b':')?;
    let name = rest[..colon].strip_suffix(b" **").unwrap_or(&rest[..colon]);
    let last = name.rsplit(|b| *b == b'-').next()?;
    let level = match last {
        b"Message" => Level::Info,
        _ => word::header(last).filter(|_| word::is_upper(last))?,
    };
    let message = skip_blanks(text, at + colon + 1);
    let stamp = time::stamp(text, message).filter(|stamp| stamp.shape == Shape::Clock);
    let message = stamp.map_or(message, |stamp| skip_blanks(text, text.len().min(stamp.end + 1)));
    Some(Head::new(Format::Plain, Some(level), message))
}

/// `<local0.info> text`: facility and severity as Citrix' devices put them.
pub(super) fn angle(text: &[u8]) -> Option<Head> {
    let close = closing(text, 0).filter(|close| *close < 20)?;
    let level = syslog::facility(&text[1..close])?;
    Some(Head::new(Format::Syslog, Some(level), skip_blanks(text, close + 1)))
}

/// RouterOS before its version 7: `nov/20/2026 12:00:00 system,info text`.
pub(super) fn router(text: &[u8]) -> Option<Head> {
    let [a, b, c, b'/', _, _, b'/', _, _, _, _, b' ', ..] = text else { return None };
    let date = [a, b, c].iter().all(|b| b.is_ascii_lowercase()) && text[7..11].iter().all(u8::is_ascii_digit);
    let stamp = time::stamp(text, 12).filter(|stamp| date && stamp.shape == Shape::Clock)?;
    plain::fields(text, time::Stamp { shape: Shape::Date, ..stamp }, false)
}
