//! logfmt: `time=… level=info msg="…"`. Pairs are walked from the left; a bare key is a pair without a value.

use crate::level::Level;
use crate::parse::bytes::Bytes;
use crate::parse::format::Format;
use crate::parse::head::{Head, Place, Strength, Trust, skip_blanks};
use crate::parse::{json, steps, word};

/// Values in single quotes are looked through so far.
const LONGEST_SINGLE: usize = 512;

/// A pair: key and value ranges, quotes left out.
pub(super) struct Pair {
    pub(super) key: (usize, usize),
    pub(super) value: (usize, usize),
    escaped: bool,
    pub(super) quoted: bool,
}

/// The pair that begins at `at`, and the place behind it; `None` where no `key=` stands.
pub(super) fn pair(text: &[u8], at: usize) -> Option<(Pair, usize)> {
    let rest = text.get(at..)?;
    let length = rest.iter().take_while(|b| is_key(**b)).count();
    steps::passed(length);
    if length == 0 || rest.get(length) != Some(&b'=') {
        return None;
    }
    let key = (at, at + length);
    let from = at + length + 1;
    if text.get(from) == Some(&b'"') {
        let mut end = from + 1;
        let mut escaped = false;
        loop {
            let Some(length) = memchr::memchr2(b'"', b'\\', text.get(end..)?) else {
                steps::passed(text.len() - end);
                return None;
            };
            steps::passed(length);
            end += length;
            if text[end] == b'"' {
                break;
            }
            escaped = true;
            end += 2;
        }
        return Some((Pair { key, value: (from + 1, end), escaped, quoted: true }, end + 1));
    }
    let value = text.get(from..)?;
    if value.first() == Some(&b'\'')
        && let Some(length) = single(value)
    {
        // As structlog's renderer of pairs quotes, which are Python's.
        let pair = Pair { key, value: (from + 1, from + length), escaped: false, quoted: true };
        return Some((pair, from + length + 1));
    }
    let length = memchr::memchr2(b' ', b'\t', value).unwrap_or(value.len());
    steps::passed(length);
    Some((Pair { key, value: (from, from + length), escaped: false, quoted: false }, from + length))
}

/// The place of the single quote that ends `value`, which begins with one.
fn single(value: &[u8]) -> Option<usize> {
    let head = &value[..value.len().min(LONGEST_SINGLE)];
    let end =
        memchr::memchr_iter(b'\'', head).skip(1).find(|at| matches!(value.get(at + 1), None | Some(b' ')));
    steps::passed(end.unwrap_or(head.len()));
    end
}

fn is_key(byte: u8) -> bool {
    static KEY: Bytes = Bytes::words_and(b"_.-@/", false);
    KEY.has(byte)
}

fn place(pair: &Pair) -> Place {
    let (from, to) = pair.value;
    if pair.escaped { Place::Escaped(from, to) } else { Place::Within(from, to) }
}

/// What a key is to us.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Level,
    /// PowerDNS' name of a level, beside a number that is none; SonicWall's number.
    Priority,
    Message,
    Time,
    ErrorType,
    Stack,
    Other,
}

/// The key's meaning.
pub(super) fn key(name: &[u8]) -> Key {
    match name {
        b"level" | b"lvl" | b"severity" | b"loglevel" | b"log.level" | b"log_level" | b"levelname" => {
            Key::Level
        }
        b"prio" | b"pri" => Key::Priority,
        b"msg" | b"message" | b"event" => Key::Message,
        b"time" | b"ts" | b"t" | b"timestamp" | b"at" => Key::Time,
        b"error.type" | b"exc_type" | b"exception.type" => Key::ErrorType,
        b"exception" | b"exc_info" | b"stack" | b"stacktrace" | b"stack_trace" => Key::Stack,
        _ => Key::Other,
    }
}

/// The header of a logfmt line: it begins with a pair and has a level, or a time and a message.
pub(super) fn head(text: &[u8]) -> Option<Head> {
    walk(text, 0, None, false)
}

/// Goes on at `at`, the pairs before it having shown `level`, and a `time` or not.
pub(super) fn walk(text: &[u8], at: usize, level: Option<Level>, time: bool) -> Option<Head> {
    let mut first = at == 0;
    let (mut at, mut level, mut time) = (skip_blanks(text, at), level, time);
    let (mut message, mut exception, mut alone) = (None, None, false);
    while at < text.len() {
        let Some((pair, end)) = pair(text, at) else {
            if first {
                return None;
            }
            // A bare key, or text between the pairs: on to the next blank.
            let rest = &text[at..];
            at = skip_blanks(text, at + memchr::memchr(b' ', rest).unwrap_or(rest.len()).max(1));
            continue;
        };
        // A pair and nothing else is rather a setting.
        alone |= first && end == text.len();
        first = false;
        let value = &text[pair.value.0..pair.value.1];
        match key(&text[pair.key.0..pair.key.1]) {
            Key::Level => level = level.or_else(|| word::value(value)),
            Key::Priority => {
                let number = word::parse_number(value).filter(|n| *n < 8).map(word::syslog);
                level = word::level(value).or(number).or(level);
            }
            Key::Message if message.is_none() => message = Some(place(&pair)),
            // Heroku's and l2met's `at=error`.
            Key::Time if pair.value.1 - pair.value.0 < 9 && level.is_none() => {
                level = word::header(value);
                time |= level.is_none();
            }
            Key::Time => time = true,
            Key::ErrorType => exception = Some(pair.value),
            Key::Stack if exception.is_none() => {
                let found = json::stack_type(value);
                exception = found.map(|(from, to)| (pair.value.0 + from, pair.value.0 + to));
            }
            Key::Message | Key::Stack | Key::Other => {}
        }
        if message.is_some() && level.is_some_and(|level| level < Level::Warning) {
            break;
        }
        at = skip_blanks(text, end);
    }
    if level.is_none() && !(time && message.is_some()) || alone {
        return None;
    }
    let strength = if time || message.is_some() { Strength::Strong } else { Strength::Weak };
    let place = message.unwrap_or(Place::From(0));
    Some(Head {
        format: Format::Logfmt,
        level,
        trust: Trust::Sure,
        strength,
        place,
        without: 0,
        exception,
        by_status: false,
    })
}

/// The message among the pairs behind `at`.
pub(super) fn message(text: &[u8], at: usize) -> Option<Place> {
    let mut at = skip_blanks(text, at);
    while let Some((pair, end)) = pair(text, at) {
        if matches!(&text[pair.key.0..pair.key.1], b"msg" | b"message") {
            return Some(place(&pair));
        }
        at = skip_blanks(text, end);
    }
    None
}

/// The value of the key `name`, and whether it has escapes.
pub(super) fn lookup(text: &[u8], name: &[u8]) -> Option<(usize, usize, bool)> {
    let mut at = skip_blanks(text, 0);
    while at < text.len() {
        match pair(text, at) {
            Some((pair, end)) => {
                if &text[pair.key.0..pair.key.1] == name {
                    return Some((pair.value.0, pair.value.1, pair.escaped && pair.quoted));
                }
                at = skip_blanks(text, end);
            }
            None => {
                let rest = &text[at..];
                at = skip_blanks(text, at + memchr::memchr(b' ', rest).unwrap_or(rest.len()).max(1));
            }
        }
    }
    None
}
