//! Lines with a timestamp in numbers and a level in capitals: what the grammar of `plain` does behind a known beginning.
//!
//! Up to the level the grammar's steps depend on the beginning alone: nothing that it looks at reaches further, since
//! brackets close before it and no level word begins as a zone, `AM` or `PM` does.

use super::letters::LevelWord;
use super::shape::{LONGEST, Shape};
use crate::level::Level;
use crate::parse::format::Format;
use crate::parse::head::{Head, skip_blanks};
use crate::parse::message;
use crate::parse::{bracket, opening, plain, time};

/// The layout around the level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    format: Format,
    /// A bar stands before the level: whatever follows, the layout is Loguru's.
    bar: bool,
    /// A bracket stands behind the level, which makes the layout log4j's.
    bracket: bool,
    /// Where the message would begin without the level.
    without: usize,
}

impl Layout {
    /// The header of a line that begins with the shape, its level word ending at `end`.
    #[inline]
    pub(super) fn head(&self, line: &[u8], word: LevelWord, end: usize) -> Option<Head> {
        if !word.upper {
            return None;
        }
        let start = match self.two_words(line, end) {
            Some(start) => start,
            None => self.message(line, end)?,
        };
        Some(self.found(word.level, start))
    }

    /// The header with this level and place of the message.
    pub(super) fn found(&self, level: Level, start: usize) -> Head {
        Head { without: self.without, ..Head::new(self.format, Some(level), start) }
    }

    /// Where the message begins behind a level that ends at `end`, whatever stands there, unless it tells another layout.
    #[inline]
    pub(super) fn message(&self, line: &[u8], end: usize) -> Option<usize> {
        let next = *line.get(end)?;
        if self.bar {
            if !matches!(next, b' ' | b'|') {
                return None;
            }
        } else {
            // Behind blanks a letter, or the bracket: no number or sign that would tell another layout.
            let after = *line.get(skip_blanks(line, end))?;
            let same = if self.bracket { after == b'[' } else { after.is_ascii_alphabetic() };
            if next != b' ' || !same {
                return None;
            }
        }
        Some(message::after_level(line, end))
    }
}

impl Layout {
    /// The format that lines of this layout are of.
    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// Where the message begins if one blank stands behind the level and then two plain words: no logger's name with a
    /// separator behind it, and nothing that would tell another layout.
    #[inline(always)]
    pub(super) fn two_words(&self, line: &[u8], end: usize) -> Option<usize> {
        let rest = line.get(end + 1..)?;
        let plain = !self.bar
            && !self.bracket
            && line[end] == b' '
            && opening::is_two_words(rest)
            && !rest.starts_with(b"in ");
        plain.then_some(end + 1)
    }
}

/// The beginning of a line up to its level word, if only that decides how the word is taken.
pub(super) fn learn(line: &[u8]) -> Option<(Shape, Layout)> {
    let open = usize::from(line.first() == Some(&b'['));
    if !line.get(open)?.is_ascii_digit() {
        return None;
    }
    let stamp = time::stamp(line, open).filter(|stamp| stamp.shape == time::Shape::Date)?;
    let found = plain::level_word(line, stamp, open == 1)?;
    // Numbers in front of a single letter are Android's, and ask for another grammar; in front of the level they are
    // passed over, whatever they are.
    let mut digits = open..stamp.end;
    if line.get(skip_blanks(line, stamp.end))?.is_ascii_digit() {
        let numbers = line[stamp.end..found.at].iter().all(|b| b.is_ascii_digit() || *b == b' ');
        digits.end = numbers.then_some(found.at)?;
    }
    let format = found.head.format;
    let known = matches!(
        format,
        Format::Python | Format::Plain | Format::Loguru | Format::Log4j | Format::Tracing | Format::Spring
    );
    let closed = (stamp.end..found.at)
        .filter(|at| matches!(line[*at], b'[' | b'(' | b'<'))
        .all(|at| bracket::closing(line, at).is_some_and(|close| close < found.at));
    if !known || !closed || found.at > LONGEST {
        return None;
    }
    let bar = format == Format::Loguru;
    let word = line[found.at..].iter().take_while(|b| b.is_ascii_alphabetic()).count();
    let bracket = line.get(skip_blanks(line, found.at + word)) == Some(&b'[');
    let shape = Shape::new(&line[..found.at], std::slice::from_ref(&digits))?;
    Some((shape, Layout { format, bar, bracket, without: found.head.without }))
}
