//! Many lines in a row by the shortest way: most of a log is plain lines of one layout, and what is asked of each of
//! them is little enough that the way from line to line costs as much as the answer.

use super::dated::Layout;
use super::shape::Shape;
use super::{Grammar, Lane, letters};
use crate::level::Level;
use crate::parse::format::Format;
use crate::parse::trace;
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

impl Lane {
    /// The format of the lines that a run would take.
    #[inline]
    pub(in crate::parse) fn run_format(&self) -> Option<Format> {
        match self.entries.get(self.last)?.grammar {
            Grammar::Dated(layout) => Some(layout.format()),
            _ => None,
        }
    }

    /// Takes lines as long as [`Lane::two_words`] would tell them and no phrase of a trace stands in them, and counts
    /// their levels.
    #[cfg_attr(
        target_arch = "x86_64",
        expect(unsafe_code, reason = "wider registers for the loop that most lines of a log pass")
    )]
    pub(in crate::parse) fn run(&self, stretch: Stretch<'_>, levels: &mut [u64; 8]) -> Option<Run> {
        let entry = self.entries.get(self.last)?;
        let Grammar::Dated(layout) = entry.grammar else { return None };
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
        {
            // SAFETY: the processor has the features that the function is compiled for.
            return unsafe { run_wide(&entry.shape, layout, stretch, levels) };
        }
        run_by(&entry.shape, layout, stretch, levels)
    }
}

/// As [`run_by`], compiled for processors of the last ten years.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn run_wide(shape: &Shape, layout: Layout, stretch: Stretch<'_>, levels: &mut [u64; 8]) -> Option<Run> {
    run_by(shape, layout, stretch, levels)
}

#[inline(always)]
fn run_by(shape: &Shape, layout: Layout, stretch: Stretch<'_>, levels: &mut [u64; 8]) -> Option<Run> {
    let Stretch { block, mut start, ends, before, line_bytes } = stretch;
    let mut found = None;
    for (n, &end) in ends.iter().enumerate() {
        let next = end as usize + 1;
        let mut end = end as usize;
        // What is compared may reach behind the line: its end is a byte that fits nothing, neither a shape nor a word
        // nor a blank.
        let Some(text) = block.get(start..) else { break };
        if end >= before || !shape.fits(text) {
            break;
        }
        let Some((level, length)) = letters::capitals(text, shape.len()) else { break };
        let Some(at) = layout.two_words(text, shape.len() + length) else { break };
        if block[end - 1] == b'\r' {
            end -= 1;
        }
        let message = start + at..end;
        if end - start > line_bytes || !trace::is_no_phrase(&block[message.clone()]) {
            break;
        }
        levels[level.index()] += 1;
        found = Some((n + 1, level, message));
        start = next;
    }
    found.map(|(lines, level, message)| Run { lines, level, message })
}
