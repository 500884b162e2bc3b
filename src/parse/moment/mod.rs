//! The moment that a line's own timestamp names, for rules that measure from one line to another.
//!
//! A timestamp without a zone is taken as UTC, so that only differences between lines of one file mean something.
//! Where it lacks the year or the day, it is a place in the year or the day, and differences go round its end.

#[cfg(test)]
mod tests;
mod value;

use crate::parse::head::Place;
use crate::parse::json::Pairs;
use crate::parse::time::{self, Shape, Stamp};
use crate::parse::wrap::{self, Wrapper};
use crate::parse::{Parser, access, logfmt};
use serde::{Deserialize, Serialize};
use value::{Date, Walk, epoch, number, value};

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;
/// How far into a header its timestamp may begin.
const LONGEST_HEADER: usize = 256;
/// Keys of JSON and logfmt that hold the time, by how often they are seen.
const KEYS: [&str; 10] = [
    "time",
    "timestamp",
    "ts",
    "@timestamp",
    "t",
    "@t",
    "datetime",
    "asctime",
    "eventTime",
    "record.time.timestamp",
];

/// When a line says that it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    nanos: i64,
    cycle: Cycle,
}

/// After what time a timestamp repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Cycle {
    Never,
    Year,
    Day,
}

impl Moment {
    /// A moment by the clock of whoever reads, in seconds since the epoch.
    pub fn read_at(seconds: f64) -> Moment {
        // Saturates beyond the years that nanoseconds can hold.
        Moment { nanos: (seconds * SECOND as f64) as i64, cycle: Cycle::Never }
    }

    /// Nanoseconds from `earlier` to here, 0 where that was later; `None` where the two cannot be compared.
    pub fn since(self, earlier: Moment) -> Option<u64> {
        if self.cycle != earlier.cycle {
            return None;
        }
        let cycle = match self.cycle {
            Cycle::Never => 0,
            Cycle::Year => 365 * DAY,
            Cycle::Day => DAY,
        };
        let mut nanos = self.nanos.saturating_sub(earlier.nanos);
        // Lines of several threads come slightly out of order; only a large step back is the end of the year or day.
        if nanos < -cycle / 2 {
            nanos += cycle;
        }
        Some(u64::try_from(nanos).unwrap_or(0))
    }
}

impl Parser {
    /// When the first line of an event says that it was written; `None` where it names no time.
    pub fn moment(&self, line: &[u8]) -> Option<Moment> {
        let inner = wrap::unwrap(line);
        let own = self.own_moment(&inner.text);
        own.or_else(|| match inner.wrapper {
            Wrapper::None => None,
            Wrapper::Cri => stamped(line, 0),
            Wrapper::Docker => field(line, "time"),
        })
    }

    fn own_moment(&self, text: &[u8]) -> Option<Moment> {
        if text.first() == Some(&b'{') {
            return KEYS.iter().find_map(|key| field(text, key));
        }
        let bracket = usize::from(text.first() == Some(&b'['));
        if let Some(stamp) = time::stamp(text, bracket) {
            return value(&text[bracket..stamp.end], stamp.shape);
        }
        let header = match self.head(text)?.place {
            Place::From(at) | Place::Within(at, _) | Place::Escaped(at, _) => at,
        };
        let header = &text[..header.min(text.len()).min(LONGEST_HEADER)];
        glog(header)
            .or_else(|| uptime(header))
            .or_else(|| access::parts(text).and_then(|parts| stamped(text, parts.time.0)))
            .or_else(|| KEYS.iter().find_map(|key| pair(text, key)))
            .or_else(|| within(text, header.len()))
    }
}

/// A timestamp that begins a word of the header.
fn within(text: &[u8], header: usize) -> Option<Moment> {
    let begins = |at: usize| {
        matches!(text[at - 1], b' ' | b'\t' | b'[' | b'(' | b'|' | b',' | b'>') && text[at] != b' '
    };
    (1..header).filter(|at| begins(*at)).find_map(|at| {
        let stamp = time::stamp(text, at).filter(|stamp| stamp.shape != Shape::Epoch)?;
        value(&text[at..stamp.end], stamp.shape)
    })
}

fn stamped(text: &[u8], at: usize) -> Option<Moment> {
    let Stamp { end, shape } = time::stamp(text, at)?;
    value(&text[at..end], shape)
}

/// The time under a key of a JSON object: a number since 1970, or a timestamp in a string.
fn field(text: &[u8], path: &str) -> Option<Moment> {
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let mut pairs = Pairs::new(text, 0)?;
    while let Some(pair) = pairs.step() {
        if &text[pair.key.0..pair.key.1] == key.as_bytes() {
            let inner = text.get(pair.value.from..pair.value.to)?;
            return match rest {
                Some(rest) => field(inner, rest),
                None => written(inner),
            };
        }
    }
    None
}

/// The time under a key of a logfmt line.
fn pair(text: &[u8], key: &str) -> Option<Moment> {
    let (from, to, _) = logfmt::lookup(text, key.as_bytes())?;
    written(text.get(from..to)?)
}

fn written(text: &[u8]) -> Option<Moment> {
    epoch(text).or_else(|| stamped(text, 0))
}

/// glog's and klog's `I1120 12:00:00.123456`, also with a year.
fn glog(text: &[u8]) -> Option<Moment> {
    let digits = text.get(1..)?.iter().take_while(|b| b.is_ascii_digit()).count();
    if !text[0].is_ascii_uppercase() || !matches!(digits, 4 | 6 | 8) || text.get(1 + digits) != Some(&b' ') {
        return None;
    }
    let mut walk = Walk { text, at: 1 };
    let year = if digits > 4 { Some(walk.exactly(digits - 4)?) } else { None };
    let (month, day) = (walk.exactly(2)?, walk.exactly(2)?);
    walk.at += 1;
    Some(Date { year, month, day }.at(walk.clock()?))?
}

/// The kernel's seconds since its start, `[   12.345678]`.
fn uptime(text: &[u8]) -> Option<Moment> {
    let inner = text.strip_prefix(b"[")?;
    let close = memchr::memchr(b']', inner)?;
    let inner = inner[..close].trim_ascii();
    let dot = memchr::memchr(b'.', inner)?;
    let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    (inner.len() - dot == 7 && digits(&inner[..dot]) && digits(&inner[dot + 1..])).then_some(())?;
    let seconds = number(&inner[..dot])?;
    let nanos = seconds.checked_mul(SECOND)?.checked_add(number(&inner[dot + 1..])? * 1000)?;
    Some(Moment { nanos, cycle: Cycle::Never })
}
