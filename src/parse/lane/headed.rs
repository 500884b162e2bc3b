//! Short headers around a level that is not a word of its own between blanks, or around none: what the grammar would do
//! behind a known beginning, spelled out for these few.

use super::shape::Shape;
use super::{Grammar, bare, letters, syslog};
use crate::level::Level;
use crate::parse::access::status_level;
use crate::parse::bytes::Bytes;
use crate::parse::format::Format;
use crate::parse::head::{Head, Strength, Trust, skip_blanks};
use crate::parse::swar::{equal, first};
use crate::parse::{message, opening, time};

/// The most bytes of klog's thread, file and line that are looked at.
const LONGEST_PLACE: usize = 180;
/// The most bytes of client and users in front of an access line's time.
const LONGEST_CLIENT: usize = 100;
/// The longest name between the colons of `LEVEL:name:message`, as in `first`.
const LONGEST_NAME: usize = 120;

/// What stands around a level with which a line begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    /// `INFO: text`
    Colon,
    /// `[INFO] text`
    Bracket,
    /// `INFO text`
    Blank,
    /// `INFO - text`, and others with a separator
    Apart,
    /// `INFO:     text`, in a column of ten bytes
    Column,
}

impl First {
    /// The one of a line with this header.
    pub(super) fn of(line: &[u8], head: &Head) -> Option<First> {
        let all = [First::Colon, First::Bracket, First::Blank, First::Apart, First::Column];
        let fits = |first: &First| {
            let found =
                first.find(line).map(|(level, at)| first.head(Head::new(first.format(), Some(level), at)));
            found == Some(*head)
        };
        all.into_iter().find(fits)
    }

    pub(super) fn format(self) -> Format {
        if self == First::Column { Format::Uvicorn } else { Format::LevelFirst }
    }

    /// How sure the level is.
    pub(super) fn trust(self) -> Trust {
        if self == First::Blank { Trust::Likely } else { Trust::Sure }
    }

    /// The header, of which level and message are known.
    pub(super) fn head(self, head: Head) -> Head {
        let without = if matches!(self, First::Bracket | First::Column) { head.without } else { 0 };
        let strength = if self == First::Column { Strength::Strong } else { Strength::Weak };
        Head { trust: self.trust(), without, strength, ..head }
    }

    #[inline(always)]
    fn find(self, line: &[u8]) -> Option<(Level, usize)> {
        let open = usize::from(self == First::Bracket);
        if open == 1 && line.first() != Some(&b'[') {
            return None;
        }
        let word = letters::at(line, open).filter(|word| word.upper || open == 1)?;
        let end = open + word.length;
        let rest = &line[end..];
        let next = skip_blanks(line, end + usize::from(!matches!(self, First::Blank | First::Apart)));
        let one = matches!(rest, [_, b' ', next, ..] if !matches!(next, b' ' | b'\t'));
        let apart = matches!(line.get(next), Some(b'-' | b'|' | b':'));
        let fits = match self {
            First::Colon => rest[0] == b':' && one,
            First::Bracket => rest[0] == b']' && one,
            First::Column => rest[0] == b':' && rest.starts_with(b":  ") && next == 10,
            First::Blank => rest[0] == b' ' && !apart && !message::goes_on(rest),
            First::Apart => rest[0] == b' ' && apart,
        };
        if !fits || bare::is_dated_behind_level(line, next) {
            return None;
        }
        let message = match self {
            First::Colon | First::Column => next,
            // Two words are no logger with a separator behind.
            First::Bracket | First::Blank
                if line.get(next..).is_some_and(opening::is_two_words)
                    && !line[next..].starts_with(b"in ") =>
            {
                next
            }
            First::Bracket => message::after_level(line, end + 1),
            First::Blank | First::Apart => message::after_level(line, end),
        };
        Some((word.level, message))
    }
}

/// The level that a line's header says, if it says one, and where its message begins: for the grammars of this file,
/// whose known beginning is `shape`.
#[inline(always)]
pub(super) fn find(grammar: Grammar, shape: &Shape, line: &[u8]) -> Option<(Option<Level>, usize)> {
    match grammar {
        Grammar::Glog => return glog(shape, line).map(|(level, at)| (Some(level), at)),
        Grammar::Access => return access(shape, line).map(|(level, at)| (Some(level), at)),
        Grammar::Syslog(layout) => return syslog::find(shape, line, layout),
        Grammar::First(first) => return first.find(line).map(|(level, at)| (Some(level), at)),
        _ if !shape.fits(line) => return None,
        _ => {}
    }
    let word = letters::at(line, shape.len())?;
    let end = shape.len() + word.length;
    let at = match grammar {
        Grammar::Bracket(format) => behind_bracket(line, end, format)?,
        Grammar::Basic if word.upper => behind_name(line, end)?,
        _ => return None,
    };
    Some((Some(word.level), at))
}

/// `I1120 12:00:00.000000  1 file.go:1] text`; the shape is that of the timestamp behind the letter.
#[inline(always)]
fn glog(shape: &Shape, line: &[u8]) -> Option<(Level, usize)> {
    let level = match line.first()? {
        b'I' => Level::Info,
        b'W' => Level::Warning,
        b'E' => Level::Error,
        b'F' => Level::Critical,
        _ => return None,
    };
    if !shape.fits(&line[1..]) {
        return None;
    }
    let at = 1 + shape.len();
    let close = first(line, at, line.len().min(at + LONGEST_PLACE), |t| equal(t, b']'))?;
    Some((level, skip_blanks(line, close + 1)))
}

/// `10.0.0.1 - - [20/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 5`; the shape is that of the time in brackets with the
/// quote behind it.
#[inline(always)]
fn access(shape: &Shape, line: &[u8]) -> Option<(Level, usize)> {
    let open = first(line, 0, line.len().min(LONGEST_CLIENT), |t| equal(t, b'['))?;
    let client = line.iter().position(|b| !b.is_ascii_digit() && *b != b'.')?;
    let dots = line[..client].iter().filter(|b| **b == b'.').count();
    // Only what has four numbers begins with no timestamp.
    let address = dots == 3 && line[0] != b'.' && line[client] == b' ';
    if !address || line[open - 1] != b' ' || !shape.fits(line.get(open..)?) {
        return None;
    }
    let request = open + shape.len();
    let end = first(line, request, line.len(), |t| equal(t, b'"') | equal(t, b'\\'))?;
    let [b'"', b' ', status @ .., last] = line.get(end..end + 6)? else { return None };
    let plain = *last == b' ' && status.iter().all(u8::is_ascii_digit);
    plain.then(|| (status_level(status), request - 1))
}

/// The beginning of klog's lines behind the letter.
pub(super) fn of_glog(line: &[u8]) -> Option<Shape> {
    let date = line.get(1..)?.iter().take_while(|b| b.is_ascii_digit()).count();
    let stamp = time::stamp(line, date + 2).filter(|stamp| stamp.shape == time::Shape::Clock)?;
    let digits = line[date + 2..stamp.end].iter().take_while(|b| **b != b' ').count();
    let text = line.get(1..date + 2 + digits + 1)?;
    text.ends_with(b" ").then(|| Shape::new(text, std::slice::from_ref(&(0..text.len())))).flatten()
}

/// The time of access lines in its brackets, with the quote behind it.
pub(super) fn of_access(line: &[u8]) -> Option<Shape> {
    let open = memchr::memchr(b'[', &line[..line.len().min(LONGEST_CLIENT)])?;
    let stamp = time::stamp(line, open + 1).filter(|stamp| stamp.shape == time::Shape::Clf)?;
    let text = line.get(open..stamp.end + 3)?;
    text.ends_with(b"] \"").then(|| Shape::new(text, std::slice::from_ref(&(0..text.len())))).flatten()
}

/// Where the message begins behind `:name:` at `at`.
#[inline(always)]
fn behind_name(line: &[u8], at: usize) -> Option<usize> {
    static NAME: Bytes = Bytes::words_and(b"._-", false);
    let rest = line.get(at..)?.strip_prefix(b":")?;
    let length = rest.iter().take(LONGEST_NAME).take_while(|b| NAME.has(**b)).count();
    (length > 0 && rest.get(length) == Some(&b':')).then_some(at + length + 2)
}

/// Where the message begins behind the bracket that closes at `at`, if only the format decides.
#[inline(always)]
fn behind_bracket(line: &[u8], at: usize, format: Format) -> Option<usize> {
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
