//! JSON lines: one walk over the top-level keys that stops where level and message are known.
//!
//! Keys inside nested objects, keys inside strings and cut-off lines do not mislead it: it follows strings and
//! nesting exactly, and looks into a nested object only where a known writer puts the level or the message there.

mod access;
mod keys;
mod own;

pub(super) use keys::{Key, key};

use crate::event::Exception;
use crate::level::Level;
use crate::parse::format::Format;
use crate::parse::head::{Head, Place, Strength, Trust};
use crate::parse::swar::{self, equal};
use crate::parse::trace::{self, Trace};
use crate::parse::{steps, word};
use memchr::memchr2;

/// Lines of a stack trace inside a string that are looked at.
const MOST_TRACE_LINES: usize = 4000;

/// A value: its bytes, and whether it is a string (then without the quotes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) string: bool,
    pub(super) escaped: bool,
}

/// One pair of an object.
pub(super) struct Pair {
    pub(super) key: (usize, usize),
    pub(super) value: Value,
}

/// Steps over the pairs of one object; positions are those of the whole line.
pub(super) struct Pairs<'a> {
    text: &'a [u8],
    pub(super) at: usize,
    /// The object's closing brace was seen.
    pub(super) closed: bool,
}

impl<'a> Pairs<'a> {
    /// The pairs of the object whose brace stands at `at`.
    pub(super) fn new(text: &'a [u8], at: usize) -> Option<Pairs<'a>> {
        (text.get(at) == Some(&b'{')).then_some(Pairs { text, at: at + 1, closed: false })
    }

    /// The pairs behind the one that ends at `at`.
    pub(super) fn behind(text: &'a [u8], at: usize) -> Pairs<'a> {
        Pairs { text, at, closed: false }
    }

    fn blanks(&mut self) -> u8 {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        self.text.get(self.at).copied().unwrap_or(0)
    }

    /// The next pair; a pair that is cut off is none.
    pub(super) fn step(&mut self) -> Option<Pair> {
        if self.closed {
            return None;
        }
        let mut next = self.blanks();
        if next == b',' {
            self.at += 1;
            next = self.blanks();
        }
        if next == b'}' {
            self.at += 1;
            self.closed = true;
        }
        if next != b'"' {
            return None;
        }
        let (end, _) = string_end(self.text, self.at + 1)?;
        let key = (self.at + 1, end);
        self.at = end + 1;
        if self.blanks() != b':' {
            return None;
        }
        self.at += 1;
        let first = self.blanks();
        let from = self.at;
        let value = match first {
            b'"' => {
                let (end, escaped) = string_end(self.text, from + 1)?;
                self.at = end + 1;
                Value { from: from + 1, to: end, string: true, escaped }
            }
            b'{' | b'[' => {
                self.at = skip_nested(self.text, from)?;
                Value { from, to: self.at, string: false, escaped: false }
            }
            _ => {
                let ends =
                    |text| equal(text, b',') | equal(text, b'}') | equal(text, b' ') | equal(text, b'\t');
                self.at = swar::first(self.text, from, self.text.len(), ends)?;
                Value { from, to: self.at, string: false, escaped: false }
            }
        };
        Some(Pair { key, value })
    }
}

/// The end of the string whose first byte is at `from`, and whether it holds escapes.
fn string_end(text: &[u8], from: usize) -> Option<(usize, bool)> {
    let found = find_string_end(text, from);
    steps::passed(found.map_or(text.len(), |(end, _)| end).saturating_sub(from));
    found
}

#[inline(always)]
fn find_string_end(text: &[u8], from: usize) -> Option<(usize, bool)> {
    let mut at = from;
    let mut escaped = false;
    loop {
        // Short strings, nearly all keys, are nearer than a search pays for.
        let near = text.len().min(at + 32);
        at = match swar::first(text, at, near, |text| equal(text, b'"') | equal(text, b'\\')) {
            Some(at) => at,
            None => near + memchr2(b'"', b'\\', text.get(near..)?)?,
        };
        if text[at] == b'"' {
            return Some((at, escaped));
        }
        escaped = true;
        at += 2;
    }
}

/// The end of the object or array that begins at `from`.
fn skip_nested(text: &[u8], from: usize) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = from;
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => {
                steps::passed(1);
                depth += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at);
                }
            }
            b'"' => at = string_end(text, at)?.0 + 1,
            _ => {}
        }
    }
    None
}

/// `,"exc":"E"}`, the least that names an exception type.
const SHORTEST_EXCEPTION: usize = 12;

/// What the walk has gathered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    level: Option<Level>,
    named: bool,
    message: Option<Value>,
    rank: u8,
    time: bool,
    serilog: bool,
    exception: Option<(usize, usize)>,
}

impl Found {
    /// A level as a word in a string was found, and nothing else but times.
    pub(super) fn level_word(level: Level, time: bool, serilog: bool) -> Found {
        Found { level: Some(level), named: true, time, serilog, ..Found::default() }
    }

    fn level(&mut self, level: Option<Level>, named: bool) {
        if level.is_some() && (self.level.is_none() || named && !self.named) {
            self.level = level;
            self.named = named;
        }
    }

    fn message(&mut self, value: Value, rank: u8) {
        if value.string && (self.message.is_none() || rank < self.rank) {
            self.message = Some(value);
            self.rank = rank;
        }
    }

    /// Nothing in the `left` bytes of the line can change what was found: they are too few to name an exception.
    fn settled(&self, left: usize) -> bool {
        left < SHORTEST_EXCEPTION && self.message.is_some() && self.rank == 1 && self.named
    }
}

/// The header of a JSON line, or `None` where the line is no object. A cut-off object counts with what it shows.
pub(super) fn head(text: &[u8]) -> Option<Head> {
    walk(text, Pairs::new(text, 0)?, Found::default(), false)
}

/// Goes on over the pairs with what those before, if there were `any`, have shown.
pub(super) fn walk(text: &[u8], mut pairs: Pairs<'_>, mut found: Found, mut any: bool) -> Option<Head> {
    while let Some(pair) = pairs.step() {
        any = true;
        note(text, &pair, &mut found, 0);
        if found.settled(text.len() - pairs.at) {
            break;
        }
    }
    if !any && !pairs.closed {
        return None;
    }
    let own = found
        .level
        .or(found.serilog.then_some(Level::Info))
        .or_else(|| own::kibana(text))
        .or_else(|| own::mysql(text));
    let by_status = if own.is_none() { access::level(text) } else { None };
    let level = own.or(by_status);
    let place = match found.message {
        Some(v) if v.escaped => Place::Escaped(v.from, v.to),
        Some(v) => Place::Within(v.from, v.to),
        None => Place::From(0),
    };
    // A dump of data without level, time or message may as well be part of the event above it.
    let strong = level.is_some() || found.message.is_some() && found.time;
    let strength = if strong { Strength::Strong } else { Strength::Weak };
    Some(Head {
        format: Format::Json,
        level,
        trust: Trust::Sure,
        strength,
        place,
        without: 0,
        exception: found.exception,
        by_status: by_status.is_some(),
    })
}

fn note(text: &[u8], pair: &Pair, found: &mut Found, depth: u8) {
    let value = pair.value;
    let bytes = &text[value.from..value.to];
    let nested = !value.string && bytes.first() == Some(&b'{');
    match key(&text[pair.key.0..pair.key.1]) {
        Key::Level if nested => {
            if let Some(name) = member(text, value.from, b"name") {
                found.level(word::value(&text[name.from..name.to]), true);
            }
        }
        Key::Level if bytes.len() == 1 && !value.string && own::is_nextcloud(text) => {
            found.level(own::nextcloud(bytes[0]), true);
        }
        Key::Level => {
            // A number may yet be explained by a name that follows it (monolog, bunyan's relatives).
            found.level(word::value(bytes), value.string || bytes.len() == 2);
        }
        Key::LevelName if value.string => found.level(word::value(bytes), true),
        Key::LevelWord if value.string => found.level(word::level(bytes), true),
        Key::PythonNumber => found.level(word::parse_number(bytes).and_then(word::python_number), false),
        Key::OtelNumber => found.level(word::parse_number(bytes).and_then(word::otel), false),
        Key::SyslogNumber => {
            let number = word::parse_number(bytes).filter(|n| *n < 8).map(word::syslog);
            found.level(number.or_else(|| word::level(bytes)), false);
        }
        Key::Letter
            if value.string && matches!(bytes, [b'F' | b'E' | b'W' | b'I' | b'D'] | [b'D', b'1'..=b'5']) =>
        {
            found.level(word::letter(bytes[0]), true);
        }
        Key::Message(rank) => found.message(value, rank),
        Key::Nest if nested && depth == 0 => {
            let mut inner = Pairs::new(text, value.from);
            while let Some(pair) = inner.as_mut().and_then(Pairs::step) {
                note(text, &pair, found, 1);
            }
        }
        Key::Nest => found.message(value, 3),
        Key::Serilog => {
            found.serilog = true;
            found.time = true;
        }
        Key::Time => found.time = true,
        Key::ErrorType if value.string && found.exception.is_none() => {
            found.exception = (value.to > value.from).then_some((value.from, value.to));
        }
        Key::Stack | Key::ErrorType if found.exception.is_none() => {
            found.exception = exception(text, &value, nested);
        }
        Key::Error if nested && found.exception.is_none() => {
            found.exception = error_type(text, value.from);
        }
        Key::Context if nested && found.exception.is_none() => {
            // Roarr's level.
            let level = member(text, value.from, b"logLevel");
            found.level(level.and_then(|v| word::value(&text[v.from..v.to])), false);
            let inner = member(text, value.from, b"exception").filter(|inner| !inner.string);
            found.exception = inner.and_then(|inner| error_type(text, inner.from));
        }
        _ => {}
    }
}

/// The value of one member of the object at `at`.
fn member(text: &[u8], at: usize, name: &[u8]) -> Option<Value> {
    let mut pairs = Pairs::new(text, at)?;
    while let Some(pair) = pairs.step() {
        if &text[pair.key.0..pair.key.1] == name {
            return Some(pair.value);
        }
    }
    None
}

/// The type that an error's object names: pino's, bunyan's, ECS', monolog's, or structlog's in its list.
fn error_type(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let at = if text.get(at) == Some(&b'[') { at + 1 } else { at };
    [&b"type"[..], b"exc_type", b"class", b"name"].iter().find_map(|name| {
        let kind = member(text, at, name)?;
        (kind.string && kind.to > kind.from).then_some((kind.from, kind.to))
    })
}

/// The exception type that a stack trace in a string, or an error's object, names.
fn exception(text: &[u8], value: &Value, nested: bool) -> Option<(usize, usize)> {
    if nested || !value.string && text.get(value.from) == Some(&b'[') {
        return error_type(text, value.from);
    }
    let bytes = text.get(value.from..value.to).filter(|_| value.string)?;
    stack_type(bytes).map(|(a, b)| (value.from + a, value.from + b))
}

/// The exception type of a stack trace whose newlines are escaped.
pub(super) fn stack_type(bytes: &[u8]) -> Option<(usize, usize)> {
    // The walk over lines that any file's traces take, here over the lines of one string.
    let (mut from, mut trace, mut found) = (0, Trace::None, None);
    // A bare name is a type where frames follow at once.
    let mut first = None;
    for (n, line) in escaped_lines(bytes).take(MOST_TRACE_LINES).enumerate() {
        if !line.trim_ascii().is_empty() {
            let step = trace::step(trace, line);
            trace = step.trace;
            let place =
                |range: std::ops::Range<u32>| (from + range.start as usize, from + range.end as usize);
            match step.exception {
                Exception::Replace(range) => found = Some(place(range)),
                Exception::Keep(range) if found.is_none() => found = Some(place(range)),
                _ if n == 0 => first = trace::type_name(line),
                _ if n == 1 && found.is_none() && trace::is_stack_line(line) => {
                    found = first.map(|length| (0, length));
                }
                _ => {}
            }
        }
        steps::passed(line.len());
        from += line.len() + 2;
    }
    found
}

/// The lines of a text whose newlines are escaped; an escaped backslash before an `n` is none.
fn escaped_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut at = 0;
        while let Some(n) = memchr::memchr(b'\\', text.get(at..).unwrap_or_default()) {
            if text.get(at + n + 1) == Some(&b'n') {
                rest = text.get(at + n + 2..);
                return text.get(..at + n);
            }
            at += n + 2;
        }
        rest = None;
        Some(text)
    })
}
