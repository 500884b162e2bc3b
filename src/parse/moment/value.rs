//! The value of a timestamp whose shape is known, digit by digit.

use super::{Cycle, DAY, Moment, SECOND};
use crate::parse::time::Shape;

/// A number since 1970, in seconds or parts of them as its size says.
pub(super) fn epoch(text: &[u8]) -> Option<Moment> {
    let whole = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let scale = match whole {
        9..=10 => SECOND,
        12..=13 => 1_000_000,
        15..=16 => 1_000,
        18..=19 => 1,
        _ => return None,
    };
    let mut nanos = number(&text[..whole])?.checked_mul(scale)?;
    if let Some(fraction) = text[whole..].strip_prefix(b".") {
        let mut part = scale;
        for digit in fraction {
            part /= 10;
            nanos += part * i64::from(digit.is_ascii_digit().then(|| digit - b'0')?);
        }
    } else if whole < text.len() {
        return None;
    }
    Some(Moment { nanos, cycle: Cycle::Never })
}

pub(super) fn number(digits: &[u8]) -> Option<i64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// What a whole timestamp of that shape says.
pub(super) fn value(text: &[u8], shape: Shape) -> Option<Moment> {
    let mut walk = Walk { text, at: 0 };
    match shape {
        Shape::Epoch => epoch(text),
        Shape::Clock => Some(Moment { nanos: walk.clock()?.rem_euclid(DAY), cycle: Cycle::Day }),
        _ if text.first()?.is_ascii_digit() => numeric(&mut walk),
        _ => named(&mut walk),
    }
}

/// A day as far as it is known.
pub(super) struct Date {
    pub(super) year: Option<i64>,
    pub(super) month: i64,
    pub(super) day: i64,
}

impl Date {
    /// The moment of that day so many nanoseconds after its midnight.
    pub(super) fn at(self, clock: i64) -> Option<Moment> {
        let (year, cycle) = match self.year {
            Some(year @ 0..70) => (2000 + year, Cycle::Never),
            Some(year @ 70..100) => (1900 + year, Cycle::Never),
            Some(year @ 1700..2200) => (year, Cycle::Never),
            Some(_) => return None,
            // A year without a 29th of February, which then counts as the 1st of March.
            None => (1970, Cycle::Year),
        };
        let good = (1..=12).contains(&self.month) && (1..=31).contains(&self.day);
        good.then(|| Moment { nanos: days(year, self.month, self.day) * DAY + clock, cycle })
    }
}

/// Days since 1970 in the Gregorian calendar; months of a year that begins in March make leap days its last.
pub(super) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

/// Timestamps that begin with a number.
fn numeric(walk: &mut Walk<'_>) -> Option<Moment> {
    let digits = walk.text.iter().take_while(|b| b.is_ascii_digit()).count();
    if let 6 | 8 = digits {
        let date =
            Date { year: Some(walk.exactly(digits - 4)?), month: walk.exactly(2)?, day: walk.exactly(2)? };
        walk.separators();
        return date.at(walk.clock()?);
    }
    let first = walk.number()?;
    let separator = walk.take();
    let (second, named) = match walk.month() {
        Some(month) => (month, true),
        None => (walk.number()?, false),
    };
    let mut third = None;
    let clock = named && separator == b' ' && walk.text.get(walk.at + 3) == Some(&b':');
    if walk.peek() == separator && !clock {
        walk.at += 1;
        let from = walk.at;
        third = walk.number().map(|number| (number, walk.at - from));
    }
    let (year, month, day) = match third {
        _ if named => (third.map(|(year, _)| year), second, first),
        None => (None, first, second),
        Some((year, 4)) if separator == b'.' || first > 12 => (Some(year), second, first),
        Some((year, 4)) => (Some(year), first, second),
        Some((day, _)) => (Some(first), second, day),
    };
    walk.separators();
    Date { year, month, day }.at(walk.clock()?)
}

/// Timestamps that begin with the name of a day or a month.
fn named(walk: &mut Walk<'_>) -> Option<Moment> {
    let mut month = walk.month();
    if month.is_none() {
        // A day's name, or a zone's.
        walk.at += walk.text.iter().take_while(|b| b.is_ascii_alphabetic()).count();
        walk.separators();
        month = walk.month();
    }
    let Some(month) = month else {
        // `Fri, 20 Nov 2026 12:00:00`
        let day = walk.number()?;
        walk.separators();
        let month = walk.month()?;
        walk.separators();
        let year = Some(walk.number()?);
        walk.separators();
        return Date { year, month, day }.at(walk.clock()?);
    };
    walk.separators();
    let day = walk.number()?;
    walk.separators();
    let digits = walk.text[walk.at..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut year = None;
    if digits == 4 {
        year = walk.number();
        walk.separators();
    }
    let clock = walk.clock()?;
    if year.is_none() && walk.peek() == b' ' && walk.text.len() - walk.at == 5 {
        walk.at += 1;
        year = walk.exactly(4);
    }
    Date { year, month, day }.at(clock)
}

/// Walks over a timestamp whose shape is known.
pub(super) struct Walk<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
}

impl Walk<'_> {
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn take(&mut self) -> u8 {
        let byte = self.peek();
        self.at += 1;
        byte
    }

    fn separators(&mut self) {
        while matches!(self.peek(), b' ' | b',' | b'-' | b'/' | b'T' | b't' | b'_' | b':') {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Option<i64> {
        let rest = self.text.get(self.at..)?;
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        self.exactly(digits)
    }

    pub(super) fn exactly(&mut self, digits: usize) -> Option<i64> {
        let found = number(self.text.get(self.at..self.at + digits)?)?;
        self.at += digits;
        Some(found)
    }

    fn month(&mut self) -> Option<i64> {
        let names: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
        let name = self.text.get(self.at..self.at + 3)?;
        let month = names.chunks_exact(3).position(|known| known == name)?;
        self.at += 3;
        Some(month as i64 + 1)
    }

    /// Nanoseconds since midnight in UTC, which the zone may put outside of the day.
    pub(super) fn clock(&mut self) -> Option<i64> {
        let digits =
            self.text[self.at.min(self.text.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
        let (mut hour, minute, second);
        if digits == 6 {
            (hour, minute, second) = (self.exactly(2)?, self.exactly(2)?, self.exactly(2)?);
        } else {
            hour = self.number()?;
            self.at += 1;
            minute = self.number()?;
            second = match self.peek() {
                b':' | b'.' => {
                    self.at += 1;
                    self.number()?
                }
                _ => 0,
            };
        }
        let nanos = self.fraction();
        let blank = usize::from(self.peek() == b' ');
        if let Some([half @ (b'A' | b'P'), b'M', ..]) = self.text.get(self.at + blank..) {
            hour = hour % 12 + if *half == b'P' { 12 } else { 0 };
            self.at += blank + 2;
        }
        if hour > 24 || minute > 59 || second > 60 {
            return None;
        }
        Some((hour * 3600 + minute * 60 + second - self.zone()) * SECOND + nanos)
    }

    fn fraction(&mut self) -> i64 {
        let mut nanos = 0;
        if matches!(self.peek(), b'.' | b',' | b':')
            && self.text.get(self.at + 1).is_some_and(u8::is_ascii_digit)
        {
            self.at += 1;
            let mut part = SECOND;
            while self.peek().is_ascii_digit() {
                part /= 10;
                nanos += part * i64::from(self.take() - b'0');
            }
        }
        nanos
    }

    /// Seconds that the zone is ahead of UTC; 0 for names, which are the same from line to line but for summer time.
    fn zone(&mut self) -> i64 {
        let rest = self.text.get(self.at..).unwrap_or_default().trim_ascii_start();
        let [sign @ (b'+' | b'-'), a, b, rest @ ..] = rest else { return 0 };
        let two = |a: &u8, b: &u8| number(&[*a, *b]).unwrap_or(0);
        let minutes = match rest {
            [b':', c, d, ..] | [c, d, ..] => two(c, d),
            _ => 0,
        };
        let seconds = two(a, b) * 3600 + minutes * 60;
        self.at = self.text.len();
        if *sign == b'-' { -seconds } else { seconds }
    }
}
