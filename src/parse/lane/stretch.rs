//! Lines one after another, and what a run of plain ones comes to.

use crate::level::Level;
use crate::parse::format::Format;
use crate::parse::head::{Head, Place, Strength, Trust};
use crate::parse::record;
use std::ops::Range;

/// Lines of a block that no rule looks at.
#[derive(Clone, Copy, Debug)]
pub struct Stretch<'a> {
    /// The block.
    pub block: &'a [u8],
    /// Where the first of the lines starts.
    pub start: usize,
    /// Where each of them ends: the place of its `\n`.
    pub ends: &'a [u32],
    /// Lines that end at this place or behind it are none of them.
    pub before: usize,
    /// The most bytes that are looked at of a line.
    pub line_bytes: usize,
}

/// What a run of plain lines came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// How many lines it took, from the first on; each began an event.
    pub lines: usize,
    /// The last line's level.
    pub level: Level,
    /// Where the last line's message stands in the block.
    pub message: Range<usize>,
}

/// What the file's memory has come to, where nothing more is learnt from further lines of its format.
#[derive(Clone, Copy, Debug)]
pub(in crate::parse) struct Settled {
    /// The file's format.
    pub(in crate::parse) format: Format,
    /// Nor is it from lines of it that have no level.
    pub(in crate::parse) bare: bool,
    /// Nor is it from lines of it whose level a sentence might begin with, and those are believed.
    pub(in crate::parse) agreed: bool,
    /// No trace is open, of which a line with a weak header might be.
    pub(in crate::parse) fresh: bool,
    /// No container's record holds the beginning of a line that another is to go on with.
    pub(in crate::parse) whole: bool,
}

impl Settled {
    /// The level and the place of the message of a line with this header, if all it changes is the open event.
    #[inline]
    pub(super) fn takes(self, head: &Head, start: usize, end: usize) -> Option<(Level, Range<usize>)> {
        let strong = match head.strength {
            Strength::Strong => true,
            Strength::Weak => self.fresh,
            Strength::Part => false,
        };
        let likely = head.trust == Trust::Likely && self.agreed && head.level.is_some();
        // A level that is known to be none, Ruby's `ANY`, may yet be shown by a place that lines have in common.
        let shown = head.level.is_some_and(|level| level != Level::Unknown);
        let sure = likely || head.trust == Trust::Sure && (self.bare || shown);
        if head.format != self.format || !strong || !sure || head.by_status || head.exception.is_some() {
            return None;
        }
        let message = match head.place {
            Place::From(from) => start + from..end,
            Place::Within(from, to) => start + from..start + to,
            Place::Escaped(..) => return None,
        };
        Some((head.level.unwrap_or(Level::Unknown), message))
    }
}

/// What is asked of each line of a run. Not a closure: one would be compiled without the wide registers of its caller.
pub(super) trait Plain {
    /// The level and the place of the message of the line that stands at `start..end`, if a run may take it.
    fn line(&mut self, block: &[u8], start: usize, end: usize) -> Option<(Level, Range<usize>)>;
}

impl Stretch<'_> {
    /// How many lines there are from the first on of which `plain` holds, and where the last of them stands. An empty
    /// one is asked about too.
    #[inline]
    pub(in crate::parse) fn count(&self, plain: impl Fn(&[u8]) -> bool) -> (usize, Range<usize>) {
        let (mut start, mut count, mut last) = (self.start, 0, self.start..self.start);
        for &end in self.ends {
            let end = end as usize;
            let line = self.block.get(start..end).filter(|_| end < self.before).unwrap_or(b"\0");
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.len() > self.line_bytes || !plain(line) {
                break;
            }
            count += 1;
            last = start..start + line.len();
            start = end + 1;
        }
        (count, last)
    }

    /// The first line, if there is one.
    pub(super) fn first(&self) -> Option<&[u8]> {
        let end = *self.ends.first()? as usize;
        self.block.get(self.start..end)
    }

    /// Takes lines as long as `plain` gives a level and a message for one.
    #[inline(always)]
    pub(super) fn run(&self, levels: &mut [u64; 8], mut plain: impl Plain) -> Option<Run> {
        let (mut start, mut found) = (self.start, None);
        for (n, &end) in self.ends.iter().enumerate() {
            let mut end = end as usize;
            let next = end + 1;
            if end >= self.before || end == start {
                break;
            }
            if self.block[end - 1] == b'\r' {
                end -= 1;
            }
            if end - start > self.line_bytes || record::is_verbose(&self.block[start..end]) {
                break;
            }
            let Some((level, message)) = plain.line(self.block, start, end) else { break };
            levels[level.index()] += 1;
            found = Some((n + 1, level, message));
            start = next;
        }
        found.map(|(lines, level, message)| Run { lines, level, message })
    }
}
