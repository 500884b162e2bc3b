//! Records that are written over many lines: JSON objects with a key a line, as log4j2's JSON layout and
//! `journalctl -o json-pretty` write them, and `journalctl -o verbose`.
//!
//! A record's event begins at the line that holds its level, or at the record's end where none did.

use crate::event::{Exception, Line, Message, Role};
use crate::level::Level;
use crate::parse::continuation;
use crate::parse::format::Format;
use crate::parse::head::{Head, skip_blanks};
use crate::parse::json::{Key, key};
use crate::parse::memory::{Memory, Open};
use crate::parse::trace::Trace;
use crate::parse::word;

/// What a line of such a record is; `None` where none is open and none begins, or the line is none of its.
#[inline]
pub(super) fn line(memory: &mut Memory, text: &[u8]) -> Option<Line> {
    if let Open::Fields { indent, seen } = memory.open {
        return inside(memory, text, indent, seen);
    }
    let json = text == b"{" && matches!(memory.format(), Format::Unknown | Format::Json);
    (json || is_verbose(text)).then(|| opened(memory))
}

/// Whether [`line()`] has to be asked about a line, whatever lanes know of it.
#[inline(always)]
pub(super) fn concerns(memory: &Memory, text: &[u8]) -> bool {
    matches!(memory.open, Open::Fields { .. }) || is_verbose(text)
}

/// The first line of one of `journalctl -o verbose`: the date, and the cursor in brackets.
#[inline]
pub(super) fn is_verbose(text: &[u8]) -> bool {
    matches!(text, [_, _, _, b' ', b'1'..=b'9', _, _, _, b'-', .., b']'])
        && text.len() > 60
        && memchr::memmem::find(&text[..60], b" [s=").is_some()
}

fn opened(memory: &mut Memory) -> Line {
    memory.begin(Open::Fields { indent: 0, seen: false }, Trace::None);
    continuation(Exception::None)
}

fn inside(memory: &mut Memory, text: &[u8], known: u8, seen: bool) -> Option<Line> {
    if is_verbose(text) {
        // The record above has ended, and had no priority.
        let line = if seen { None } else { Some(begun(memory, Format::Export, Level::Unknown)) };
        let next = opened(memory);
        return Some(line.unwrap_or(next));
    }
    let blanks = skip_blanks(text, 0);
    if blanks == 0 {
        if !matches!(text, b"}" | b"},") {
            // It was none.
            memory.begin(Open::None, Trace::None);
            return None;
        }
        let line = if seen { None } else { Some(begun(memory, Format::Json, Level::Unknown)) };
        memory.begin(Open::Headed, Trace::None);
        return Some(line.unwrap_or(continuation(Exception::None)));
    }
    let indent = u8::try_from(blanks).unwrap_or(u8::MAX);
    let first = if known == 0 { indent } else { known };
    if known == 0 && !(text[blanks] == b'"' || text[blanks].is_ascii_uppercase() || text[blanks] == b'_') {
        memory.begin(Open::None, Trace::None);
        return None;
    }
    memory.open = Open::Fields { indent: first, seen };
    let found = if indent == first && !seen { level(&text[blanks..]) } else { None };
    let Some((format, level)) = found else { return Some(continuation(Exception::None)) };
    let line = begun(memory, format, level);
    memory.open = Open::Fields { indent: first, seen: true };
    Some(line)
}

/// The level that a line of a record gives: `"level" : "ERROR",` or `PRIORITY=3`.
fn level(field: &[u8]) -> Option<(Format, Level)> {
    if let Some(value) = field.strip_prefix(b"PRIORITY=") {
        let [digit @ b'0'..=b'7'] = value else { return None };
        return Some((Format::Export, word::syslog(u32::from(digit - b'0'))));
    }
    let field = field.strip_prefix(b"\"")?;
    let (name, rest) = field.split_at(field.iter().take(20).position(|b| *b == b'"')?);
    let value = rest[1..].trim_ascii_start().strip_prefix(b":")?.trim_ascii();
    let value = value.strip_suffix(b",").unwrap_or(value).trim_ascii_end();
    let quoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    let text = quoted.unwrap_or(value);
    let number = word::parse_number(text);
    let level = match key(name) {
        Key::Level | Key::LevelName => word::value(text),
        Key::LevelWord => word::level(text),
        Key::PythonNumber => number.and_then(word::python_number),
        Key::OtelNumber => number.and_then(word::otel),
        Key::SyslogNumber => number.filter(|n| *n < 8).map(word::syslog).or_else(|| word::level(text)),
        _ => None,
    };
    level.map(|level| (Format::Json, level))
}

fn begun(memory: &mut Memory, format: Format, level: Level) -> Line {
    memory.learn(&Head::new(format, Some(level), 0));
    Line { role: Role::Start, level, message: Message::From(0), exception: Exception::None }
}
