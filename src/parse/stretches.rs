//! Many lines at a time: those that begin an event and have nothing that any rule looks at, and those that go on with one.

use crate::level::Level;
use crate::parse::format::Format;
use crate::parse::memory::Open;
use crate::parse::options::Start;
use crate::parse::trace::Trace;
use crate::parse::{Lane, Memory, Parser, Run, Stretch, lane};

impl Parser {
    /// Takes the first lines of a stretch that the lane knows the shortest way for, and counts their levels: what
    /// [`Parser::line_by`] would say of each, for all at once. No escape byte (0x1b) stands in the stretch.
    #[inline]
    pub fn run(
        &self,
        lane: &mut Lane,
        memory: &mut Memory,
        stretch: Stretch<'_>,
        levels: &mut [u64; 8],
    ) -> Option<Run> {
        let any = self.custom.is_none() && self.named.is_none() && !self.keyword_levels;
        let auto = any && matches!(self.start, Start::Auto);
        if !auto {
            return None;
        }
        if memory.takes_sentences()
            && let (lines @ 1.., message) = stretch.count(lane::is_sentence)
        {
            // What `bare` would do with each.
            levels[Level::Unknown.index()] += lines as u64;
            memory.begin(Open::Bare, Trace::None);
            return Some(Run { lines, level: Level::Unknown, message });
        }
        let settled = memory.settled()?;
        if !self.access_levels && matches!(settled.format, Format::Access | Format::Haproxy) {
            return None;
        }
        let run = lane.run(stretch, settled, levels)?;
        // What `begin` would do with the header of each.
        memory.begin(Open::Headed, Trace::None);
        Some(run)
    }

    /// How many lines of a stretch, from the first on, go on with the open event and change nothing: what
    /// [`Parser::line_by`] would say of each. No escape byte (0x1b) stands in the stretch.
    pub fn further(&self, memory: &Memory, stretch: Stretch<'_>) -> usize {
        let auto = self.custom.is_none() && self.named.is_none() && matches!(self.start, Start::Auto);
        if !auto || !memory.goes_on() {
            return 0;
        }
        let (trace, fresh) = (memory.trace, memory.trace == Trace::None);
        let goes_on = |line: &[u8]| match line.first() {
            None => true,
            Some(b' ' | b'\t') if fresh => lane::is_indented_sentence(line),
            Some(b' ' | b'\t') => lane::is_frame(line, trace),
            Some(byte) => fresh && byte.is_ascii_alphabetic() && lane::is_sentence(line),
        };
        stretch.count(goes_on).0
    }
}
