//! Lines that begin with a timestamp of a known shape: where it ends need not be found again, and what stands behind it
//! is left to the grammar.

use super::headers::{COUNTS, Headers};
use super::patience::Worth;
use super::shape::Shape;
use crate::parse::format::Format;
use crate::parse::head::{Head, skip_blanks};
use crate::parse::time::{self, Shape as Kind, Stamp};
use crate::parse::{glog, plain, requests};

/// Shapes that are remembered at a time.
const MOST_SHAPES: usize = 4;

/// The timestamps that lines began with.
#[derive(Clone, Debug, Default)]
pub(super) struct Stamps {
    known: Vec<Stamped>,
    /// The one that fitted last.
    last: usize,
    /// Where the next one is put when all places are taken.
    next: usize,
    /// How many there have been.
    count: u32,
    headers: Headers,
}

impl Stamps {
    /// The header of a line that begins with one of them, as `detect::head` gives it; `None` says nothing.
    #[inline]
    pub(super) fn head(&mut self, line: &[u8]) -> Option<Head> {
        if let Some(head) = self.remembered(line, line.len()) {
            return Some(*head);
        }
        self.found(line)
    }

    /// As [`Stamps::head`], for a line whose header is none of those that were met before.
    pub(super) fn found(&mut self, line: &[u8]) -> Option<Head> {
        let stamped = self.known.get_mut(self.last)?;
        match stamped.head(line) {
            Some(head) => {
                if stamped.worth.spends() {
                    stamped.remember(line, &mut self.headers, &head);
                }
                Some(head)
            }
            None => self.other(line),
        }
    }

    /// The header of a line that ends at `end`, where just this one was met before behind the last timestamp; `text` may
    /// go on.
    #[inline(always)]
    pub(super) fn remembered(&mut self, text: &[u8], end: usize) -> Option<&Head> {
        let stamped = self.known.get_mut(self.last)?;
        if !stamped.worth.allows() {
            return None;
        }
        let head = stamped.remembered(text, end, &self.headers);
        if head.is_some() {
            stamped.worth.pays();
        }
        head
    }

    #[inline(never)]
    fn other(&mut self, line: &[u8]) -> Option<Head> {
        let find = |(n, stamped): (usize, &Stamped)| Some((n, stamped.head(line)?));
        let (last, head) = self.known.iter().enumerate().find_map(find)?;
        self.last = last;
        Some(head)
    }

    /// Remembers the header of a line that another way has found.
    pub(super) fn note(&mut self, line: &[u8], head: &Head) {
        if let Some(stamped) = self.known.get_mut(self.last)
            && stamped.stamp.shape != Kind::MonthDay
            && stamped.worth.spends()
            && stamped.fits(line)
        {
            stamped.remember(line, &mut self.headers, head);
        }
    }

    /// Learns the timestamp of a line whose header is `head`.
    pub(super) fn learn(&mut self, line: &[u8], head: &Head) {
        // The line itself is the first to prove it.
        let Some(new) = Stamped::of(line).filter(|new| new.head(line) == Some(*head)) else { return };
        if self.known.iter().any(|known| known.shape == new.shape && known.stamp == new.stamp) {
            return;
        }
        self.count = self.count.wrapping_add(1);
        let new = Stamped { number: self.count, ..new };
        if self.known.len() < MOST_SHAPES {
            self.last = self.known.len();
            self.known.push(new);
        } else {
            self.last = self.next;
            self.known[self.next] = new;
            self.next = (self.next + 1) % MOST_SHAPES;
        }
    }
}

/// A timestamp at the beginning of a line, with the byte behind it.
#[derive(Clone, Debug)]
struct Stamped {
    number: u32,
    /// How many words the last headers had, each number once.
    words: [u8; COUNTS],
    worth: Worth,
    shape: Shape,
    stamp: Stamp,
    /// It stands in a bracket.
    bracketed: bool,
    /// It begins with the name of a day or a month.
    named: bool,
    /// The byte behind it.
    behind: u8,
}

impl Stamped {
    /// The timestamp of a line, where nothing but its shape and what follows decides how the line is taken.
    fn of(line: &[u8]) -> Option<Stamped> {
        let bracketed = *line.first()? == b'[';
        let from = usize::from(bracketed);
        let stamp = time::stamp(line, from)?;
        let behind = *line.get(stamp.end)?;
        let named = !line[from].is_ascii_digit();
        let plain = matches!(stamp.shape, Kind::Date | Kind::Clock | Kind::Epoch | Kind::MonthDay);
        // What other grammars are known by: a month's name behind a day, BIND's dashes.
        let text = &line[from..stamp.end];
        let month =
            !named && text.iter().any(u8::is_ascii_alphabetic) && time::iso(text, 0) != Some(text.len());
        let dashed = text.get(2) == Some(&b'-') && text.get(6) == Some(&b'-');
        // Behind a colon a digit would be a fraction.
        let colon = behind == b':' && line.get(stamp.end + 1) == Some(&b' ');
        if !plain || month || dashed || !colon && !matches!(behind, b' ' | b'\t' | b']' | b'|') {
            return None;
        }
        // The century of a year behind the time of day decides whether it is one.
        let digits = from..stamp.end - if named { 4 } else { 0 };
        let known = stamp.end + 1 + usize::from(colon);
        let shape = Shape::new(&line[..known], std::slice::from_ref(&digits))?;
        Some(Stamped {
            number: 0,
            words: [0; COUNTS],
            worth: Worth::default(),
            shape,
            stamp,
            bracketed,
            named,
            behind,
        })
    }

    /// The header of a line, if it begins so and no other grammar than that of timestamps has a say.
    #[inline]
    fn head(&self, line: &[u8]) -> Option<Head> {
        let end = self.stamp.end;
        if !self.fits(line) {
            return None;
        }
        if self.bracketed {
            return plain::fields(line, self.stamp, true);
        }
        if self.named {
            return plain::fields(line, self.stamp, false);
        }
        let next = *line.get(skip_blanks(line, end))?;
        if next < b' ' {
            return None;
        }
        if (self.stamp.shape == Kind::MonthDay || self.stamp.shape == Kind::Date && next.is_ascii_digit())
            && let Some(head) = glog::logcat(line, end)
        {
            return Some(head);
        }
        let head = plain::fields(line, self.stamp, false)?;
        if head.level.is_some() || head.format != Format::Plain || !self.may_be_request(line) {
            return Some(head);
        }
        requests::behind_stamp(line, self.stamp).or(Some(head))
    }

    /// Whether a line begins with the timestamp, and with nothing that tells of other grammars than that of timestamps.
    #[inline(always)]
    fn fits(&self, line: &[u8]) -> bool {
        if !self.shape.fits(line) || self.may_go_on(line) && !self.ends_here(line) {
            return false;
        }
        let rest = &line[self.stamp.end..];
        if self.bracketed {
            // Django's requests, and WebSphere's columns.
            let columns = || [10, 24, 26].iter().all(|at| rest.get(*at) == Some(&b' '));
            return !matches!(rest, [b']', b' ', b'"', ..]) && !columns();
        }
        // A container's record.
        !rest.starts_with(b" std")
    }

    /// The header of a line, where just this one was met before.
    #[inline(always)]
    fn remembered<'a>(&mut self, text: &[u8], end: usize, headers: &'a Headers) -> Option<&'a Head> {
        if self.words[0] == 0 || self.stamp.shape == Kind::MonthDay || !self.fits(text.get(..end)?) {
            return None;
        }
        headers.find(text, (self.stamp.end, end), self.number, &mut self.words)
    }

    fn remember(&mut self, line: &[u8], headers: &mut Headers, head: &Head) {
        // Where each line has another header, remembering them is of no use.
        if (head.level.is_some() || head.format == Format::Syslog)
            && let Some(words) = headers.keep(line, self.stamp.end, self.number, head)
            && !self.words.contains(&words)
        {
            self.words = [words, self.words[0], self.words[1]];
        }
    }

    /// Whether more of the timestamp might follow: a zone, a half of the day, a year.
    #[inline(always)]
    fn may_go_on(&self, line: &[u8]) -> bool {
        let Some([first, second, third, fourth]) =
            line.get(self.stamp.end + 1..).and_then(|rest| rest.first_chunk())
        else {
            return true;
        };
        self.behind == b' '
            && match first {
                b'A'..=b'Z' => {
                    *second == b'M'
                        || matches!(third, b'T' | b'C') && matches!(second, b'S' | b'E' | b'D' | b'M' | b'T')
                        || (*third, *fourth) == (b'S', b'T')
                }
                b'+' | b'-' => second.is_ascii_digit(),
                _ => self.named && first.is_ascii_digit(),
            }
    }

    #[inline(never)]
    fn ends_here(&self, line: &[u8]) -> bool {
        time::stamp(line, usize::from(self.bracketed)) == Some(self.stamp)
    }

    /// Whether a line without a level might be the record of a request: one ends with a number, or quotes the request.
    #[inline(always)]
    fn may_be_request(&self, line: &[u8]) -> bool {
        if self.stamp.shape == Kind::Epoch {
            let next = line.get(skip_blanks(line, self.stamp.end));
            return next.is_some_and(|next| next.is_ascii_digit() || *next == b'-');
        }
        let word = line.iter().rev().find(|byte| !byte.is_ascii_digit());
        let number = word == Some(&b' ') && line.last() != Some(&b' ');
        self.behind == b' ' && (number || memchr::memchr(b'"', &line[self.stamp.end..]).is_some())
    }
}
