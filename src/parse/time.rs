//! The shapes of timestamps. A position in a line comes in, the end of the timestamp that stands there goes out.
//!
//! Only the shape is looked at, never the value: a wrong month is still a timestamp.

/// Which kind of timestamp it was; some formats are known by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Year, month and day in numbers, and a time.
    Date,
    /// `Nov 20 12:00:00`, the old syslog's.
    Bsd,
    /// `Nov 20, 2026 12:00:00 PM`, `java.util.logging`'s.
    Jul,
    /// `20/Nov/2026:12:00:00 +0000`, the access logs'.
    Clf,
    /// `MM-DD HH:MM:SS.fff`, Android's.
    MonthDay,
    /// Only a time of day.
    Clock,
    /// Seconds or milliseconds since 1970.
    Epoch,
}

/// A timestamp's end and shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) end: usize,
    pub(super) shape: Shape,
}

/// Walks over bytes; every method that fails leaves the caller with `None`.
struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn byte(&mut self, byte: u8) -> Option<()> {
        (self.peek() == byte).then(|| self.at += 1)
    }

    fn any(&mut self, bytes: &[u8]) -> Option<u8> {
        let byte = self.peek();
        (self.at < self.text.len() && bytes.contains(&byte)).then(|| {
            self.at += 1;
            byte
        })
    }

    fn digits(&mut self, least: usize, most: usize) -> Option<usize> {
        let from = self.at;
        while self.at - from < most && self.peek().is_ascii_digit() {
            self.at += 1;
        }
        let n = self.at - from;
        (n >= least && !self.peek().is_ascii_digit()).then_some(n)
    }

    fn month(&mut self) -> Option<()> {
        let name = self.text.get(self.at..self.at + 3)?;
        is_month(name).then(|| self.at += 3)
    }

    /// What stands between date and time: Suricata, gin and Nest put more than a blank there.
    fn between(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        for wide in [&b" -- "[..], b" - ", b", "] {
            if rest.starts_with(wide) {
                self.at += wide.len();
                return Some(());
            }
        }
        self.any(b" :T-")?;
        if self.peek() == b' ' {
            self.at += 1;
        }
        Some(())
    }

    /// `H:MM:SS` with an optional fraction, AM or PM and zone.
    fn clock(&mut self) -> Option<()> {
        self.digits(1, 2)?;
        let between = self.any(b":.")?;
        self.digits(1, 2)?;
        if self.any(&[between]).is_some() {
            self.digits(1, 2)?;
        } else if between == b'.' {
            return None;
        }
        self.fraction();
        self.half_of_day();
        self.zone();
        Some(())
    }

    fn fraction(&mut self) {
        let next = self.text.get(self.at + 1).copied().unwrap_or(0);
        if matches!(self.peek(), b'.' | b',' | b':') && next.is_ascii_digit() {
            self.at += 1;
            while self.peek().is_ascii_digit() {
                self.at += 1;
            }
            // Bravura's `.258.7085`.
            if self.peek() == b'.' && self.text.get(self.at + 1).is_some_and(u8::is_ascii_digit) {
                self.at += 1;
                while self.peek().is_ascii_digit() {
                    self.at += 1;
                }
            }
        }
    }

    fn half_of_day(&mut self) {
        let space = usize::from(self.peek() == b' ');
        if let Some([b'A' | b'P', b'M', rest @ ..]) = self.text.get(self.at + space..)
            && !rest.first().is_some_and(u8::is_ascii_alphanumeric)
        {
            self.at += space + 2;
        }
    }

    fn zone(&mut self) {
        if matches!(self.peek(), b'Z' | b'z') {
            self.at += 1;
            return;
        }
        let space = usize::from(self.peek() == b' ');
        let rest = self.text.get(self.at + space..).unwrap_or_default();
        let length = match rest {
            [b'+' | b'-', a, b, b':', c, d, ..] if [a, b, c, d].iter().all(|x| x.is_ascii_digit()) => 6,
            [b'+' | b'-', a, b, c, d, ..] if [a, b, c, d].iter().all(|x| x.is_ascii_digit()) => 5,
            [b'+' | b'-', a, b, ..] if space == 0 && a.is_ascii_digit() && b.is_ascii_digit() => 3,
            _ => zone_name(rest),
        };
        if length == 0 {
            return;
        }
        if !rest.get(length).is_some_and(u8::is_ascii_alphanumeric) {
            self.at += space + length;
        }
    }
}

/// The length of a zone's name, 0 where none of the common ones stands.
fn zone_name(text: &[u8]) -> usize {
    match text {
        [b'U', b'T', b'C', ..] | [b'G', b'M', b'T', ..] => 3,
        [b'C' | b'E' | b'P' | b'M' | b'B' | b'J' | b'I', b'S' | b'E' | b'D', b'T', ..] => 3,
        [b'C' | b'E', b'E', b'S', b'T', ..] => 4,
        _ => 0,
    }
}

fn is_month(name: &[u8]) -> bool {
    matches!(
        name,
        b"Jan"
            | b"Feb"
            | b"Mar"
            | b"Apr"
            | b"May"
            | b"Jun"
            | b"Jul"
            | b"Aug"
            | b"Sep"
            | b"Oct"
            | b"Nov"
            | b"Dec"
    )
}

fn is_day(name: &[u8]) -> bool {
    matches!(name, b"Mon" | b"Tue" | b"Wed" | b"Thu" | b"Fri" | b"Sat" | b"Sun")
}

/// The timestamp that begins at `at`; its end stands before any separator.
pub(super) fn stamp(text: &[u8], at: usize) -> Option<Stamp> {
    let first = *text.get(at)?;
    let mut cursor = Cursor { text, at };
    let shape = if first.is_ascii_digit() {
        if let Some(end) = iso(text, at) {
            return Some(Stamp { end, shape: Shape::Date });
        }
        numeric(&mut cursor)?
    } else if first.is_ascii_uppercase() {
        named(&mut cursor)?
    } else {
        return None;
    };
    let after = cursor.peek();
    (!after.is_ascii_alphanumeric()).then_some(Stamp { end: cursor.at, shape })
}

/// `YYYY-MM-DD HH:MM:SS` and its like, the commonest of all, with its fraction and zone.
pub(super) fn iso(text: &[u8], at: usize) -> Option<usize> {
    let head: &[u8; 19] = text.get(at..at + 19)?.try_into().ok()?;
    let dashed = head[4] == head[7] && matches!(head[4], b'-' | b'/' | b'.');
    let colons = head[13] == head[16] && matches!(head[13], b':' | b'.');
    if !dashed || !colons || !matches!(head[10], b' ' | b'T' | b'-' | b'_' | b':' | b't') {
        return None;
    }
    let mut digits = true;
    for i in [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18] {
        digits &= head[i].is_ascii_digit();
    }
    if !digits {
        return None;
    }
    let mut cursor = Cursor { text, at: at + 19 };
    cursor.fraction();
    cursor.half_of_day();
    cursor.zone();
    (!cursor.peek().is_ascii_alphanumeric()).then_some(cursor.at)
}

fn numeric(c: &mut Cursor<'_>) -> Option<Shape> {
    let from = c.at;
    let n = c.digits(1, 19)?;
    match (n, c.peek()) {
        (8, b'-' | b' ' | b'T') => {
            c.at += 1;
            if c.digits(6, 6).is_some() {
                c.fraction();
                c.zone();
            } else {
                c.at = from + 9;
                c.clock()?;
            }
            Some(Shape::Date)
        }
        (6, b' ') => {
            c.at += 1;
            if c.peek() == b' ' {
                c.at += 1;
            }
            let time = c.at;
            if c.digits(6, 6).is_none() {
                c.at = time;
                c.clock()?;
            }
            Some(Shape::Date)
        }
        (10, b'.') => {
            c.fraction();
            Some(Shape::Epoch)
        }
        (10 | 13, b' ' | b']' | b'\t' | 0) => Some(Shape::Epoch),
        (1 | 2, b':') => {
            c.at = from;
            c.clock()?;
            // A clock without seconds is too little to know a line by, but for Go's `1:34PM`.
            let kitchen = c.text[from..c.at].ends_with(b"M") && !c.text[from..c.at].contains(&b' ');
            (c.at - from >= 7 || kitchen).then_some(Shape::Clock)
        }
        (1 | 2 | 4, b'/' | b'-' | b'.' | b' ') => dated(c, n),
        // Minecraft Forge's `20Nov2026 12:00:00.123`.
        (2, b'A'..=b'Z') => {
            c.month()?;
            c.digits(4, 4)?;
            c.byte(b' ')?;
            c.clock()?;
            Some(Shape::Date)
        }
        _ => None,
    }
}

/// Dates that begin with a day, a month or a short year; the cursor stands on the first separator.
fn dated(c: &mut Cursor<'_>, first: usize) -> Option<Shape> {
    let separator = c.peek();
    c.at += 1;
    let named = c.month().is_some();
    if !named {
        if separator == b' ' {
            return None;
        }
        c.digits(1, 2)?;
    }
    // Redis once wrote `30 May 10:03:19`.
    let clock = named && separator == b' ' && matches!(c.text.get(c.at..), Some([b' ', _, _, b':', ..]));
    let whole = !clock && c.byte(separator).is_some();
    if whole {
        c.digits(1, 4)?;
    } else if first == 4 {
        return None;
    }
    // `11/20 12:00:00`, a month and a day, only with seconds.
    let yearless = !whole && !named && separator == b'/';
    let short = c.peek() == b' ' && !named && !whole;
    if yearless && c.peek() != b' ' {
        return None;
    }
    let clf = c.peek() == b':' && named;
    c.between()?;
    let before = c.at;
    c.clock()?;
    // Without seconds only behind a date that is nothing else.
    if c.at - before < 7 && !(first == 4 || short && separator == b'-') {
        return None;
    }
    Some(if clf {
        Shape::Clf
    } else if short && separator == b'-' && first == 2 {
        Shape::MonthDay
    } else {
        Shape::Date
    })
}

/// Timestamps that begin with the name of a day or a month.
fn named(c: &mut Cursor<'_>) -> Option<Shape> {
    // Monit writes the zone first.
    let rest = c.text.get(c.at..)?;
    let zone = zone_name(rest);
    if zone > 0 && rest.get(zone) == Some(&b' ') && rest.get(zone + 1..zone + 4).is_some_and(is_month) {
        c.at += zone + 1;
    }
    let name = c.text.get(c.at..c.at + 3)?;
    let day = is_day(name);
    if day {
        c.at += 3;
        c.byte(b',');
        c.byte(b' ')?;
        if c.peek().is_ascii_digit() {
            c.digits(1, 2)?;
            c.any(b" -")?;
            c.month()?;
            c.any(b" -")?;
            c.digits(2, 4)?;
            c.byte(b' ')?;
            c.clock()?;
            return Some(Shape::Date);
        }
    }
    c.month()?;
    // Nextflow's `Mar-18`.
    let dashed = c.byte(b'-').is_some();
    if !dashed {
        c.byte(b' ')?;
        c.byte(b' ');
    }
    c.digits(1, 2)?;
    let comma = c.byte(b',').is_some();
    c.byte(b' ')?;
    let year = c.at;
    if c.digits(4, 4).is_some() {
        c.any(b" ,")?;
        c.byte(b' ');
        c.clock()?;
        return Some(if comma { Shape::Jul } else { Shape::Date });
    }
    c.at = year;
    let clock = c.at;
    c.clock()?;
    if c.at - clock < 7 {
        return None;
    }
    if let [b' ', a, b, d, e, ..] = c.text.get(c.at..).unwrap_or_default()
        && [a, b, d, e].iter().all(|x| x.is_ascii_digit())
        && !c.text.get(c.at + 5).is_some_and(u8::is_ascii_alphanumeric)
        && (day && matches!(a, b'1' | b'2') || c.text.get(c.at + 5) == Some(&b']'))
    {
        c.at += 5;
        return Some(Shape::Date);
    }
    Some(if day || dashed { Shape::Date } else { Shape::Bsd })
}

#[cfg(test)]
mod tests;
