//! Many lines in a row by the shortest way: most of a log is plain lines of one layout, and what is asked of each of
//! them is little enough that the way from line to line costs as much as the answer.

use super::dated::Layout;
use super::patience::Patience;
use super::shape::Shape;
use super::stamped::Stamps;
use super::tail::{Tail, Tails};
use super::{Entry, Grammar, Lane, headed, letters};
use crate::event::Exception;
use crate::level::Level;
use crate::parse::format::Format;
use crate::parse::head::{Head, Place, Strength, Trust};
use crate::parse::trace::{self, Trace};
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
    /// No trace is open, of which a line with a weak header might be.
    pub(in crate::parse) fresh: bool,
}

impl Settled {
    /// The level and the place of the message of a line with this header, if all it changes is the open event.
    #[inline]
    fn takes(self, head: &Head, start: usize, end: usize) -> Option<(Level, Range<usize>)> {
        let strong = match head.strength {
            Strength::Strong => true,
            Strength::Weak => self.fresh,
            Strength::Part => false,
        };
        let sure = head.trust == Trust::Sure && (self.bare || head.level.is_some());
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

impl Lane {
    /// Takes lines as long as they fit the entry that fitted last and no trace begins in them, and counts their levels.
    pub(in crate::parse) fn run(
        &mut self,
        stretch: Stretch<'_>,
        settled: Settled,
        levels: &mut [u64; 8],
    ) -> Option<Run> {
        let at = self.last;
        let known = self.entries.get(at).filter(|entry| entry.format() == settled.format);
        let grammar = known.map(|entry| entry.grammar);
        if !matches!(grammar, Some(Grammar::Json { .. } | Grammar::Logfmt { .. })) {
            let Lane { entries, last, stamps, patience, .. } = self;
            let rest = Rest { entries, last, stamps, patience, settled };
            return match (grammar, entries.get(at)) {
                (Some(Grammar::Dated(layout)), Some(entry)) => {
                    run_dated(&entry.shape, layout, rest, stretch, levels)
                }
                (Some(grammar), Some(entry)) => run_headed(&entry.shape, grammar, rest, stretch, levels),
                _ => run_rest(rest, stretch, levels),
            };
        }
        let entry = self.entries.get_mut(at)?;
        let run = run_pairs(&entry.shape, &mut entry.tails, stretch, levels);
        let taken = run.as_ref().map_or(0, |run| run.lines);
        if let Some(&end) = stretch.ends.get(taken).filter(|end| (**end as usize) < stretch.before) {
            let start = if taken > 0 { stretch.ends[taken - 1] as usize + 1 } else { stretch.start };
            let line = &stretch.block[start..end as usize];
            entry.learn_tail(line.strip_suffix(b"\r").unwrap_or(line));
        }
        run
    }
}

impl Entry {
    /// Learns the tail of a line that ended a run, if it has one.
    fn learn_tail(&mut self, line: &[u8]) {
        if !self.tails.patience.is_due() || !self.shape.fits(line) {
            return;
        }
        let Some(word) = letters::at(line, self.shape.len()) else { return };
        let end = self.shape.len() + word.length;
        let tail = match self.grammar {
            Grammar::Json { .. } => Tail::of_json(line, end),
            Grammar::Logfmt { .. } => Tail::of_logfmt(line, end),
            _ => None,
        };
        let Some(tail) = tail else { return };
        // The line itself is the first to prove it.
        let place = tail.message(line, end, line.len()).map(|at| Place::Within(at.start, at.end));
        if self.head(line).is_some_and(|head| Some(head.place) == place && head.level == Some(word.level)) {
            self.tails.keep(tail);
        }
    }
}

/// Compiles a run a second time, for processors of the last ten years, and takes that where it can.
macro_rules! wide {
    ($name:ident, $wide:ident, $narrow:ident, ($($argument:ident: $kind:ty),*)) => {
        #[cfg_attr(
            target_arch = "x86_64",
            expect(unsafe_code, reason = "wider registers for the loop that most lines of a log pass")
        )]
        fn $name($($argument: $kind),*) -> Option<Run> {
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
            {
                // SAFETY: the processor has the features that the function is compiled for.
                return unsafe { $wide($($argument),*) };
            }
            $narrow($($argument),*)
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,bmi1,bmi2")]
        fn $wide($($argument: $kind),*) -> Option<Run> {
            $narrow($($argument),*)
        }
    };
}

wide!(run_dated, run_dated_wide, run_dated_by,
    (shape: &Shape, layout: Layout, rest: Rest<'_>, stretch: Stretch<'_>, levels: &mut [u64; 8]));
wide!(run_headed, run_headed_wide, run_headed_by,
    (shape: &Shape, grammar: Grammar, rest: Rest<'_>, stretch: Stretch<'_>, levels: &mut [u64; 8]));
wide!(run_rest, run_rest_wide, run_rest_by, (rest: Rest<'_>, stretch: Stretch<'_>, levels: &mut [u64; 8]));
wide!(run_pairs, run_pairs_wide, run_pairs_by,
    (shape: &Shape, tails: &mut Tails, stretch: Stretch<'_>, levels: &mut [u64; 8]));

/// What is asked of each line of a run. Not a closure: one would be compiled without the wide registers of its caller.
trait Plain {
    /// The level and the place of the message of the line that stands at `start..end`, if a run may take it.
    fn line(&mut self, block: &[u8], start: usize, end: usize) -> Option<(Level, Range<usize>)>;
}

#[inline(always)]
fn run_dated_by(
    shape: &Shape,
    layout: Layout,
    rest: Rest<'_>,
    stretch: Stretch<'_>,
    levels: &mut [u64; 8],
) -> Option<Run> {
    stretch.run(levels, Dated { shape, layout, rest })
}

struct Dated<'a> {
    shape: &'a Shape,
    layout: Layout,
    rest: Rest<'a>,
}

impl Plain for Dated<'_> {
    #[inline(always)]
    fn line(&mut self, block: &[u8], start: usize, end: usize) -> Option<(Level, Range<usize>)> {
        let found = self.known(block, start, end);
        if found.is_some() { found } else { self.rest.line(block, start, end) }
    }
}

impl Dated<'_> {
    #[inline(always)]
    fn known(&self, block: &[u8], start: usize, end: usize) -> Option<(Level, Range<usize>)> {
        // What is compared may reach behind the line: its end is a byte that fits nothing, neither a shape nor a word
        // nor a blank.
        let text = block.get(start..)?;
        if !self.shape.fits(text) {
            return None;
        }
        let (level, length) = letters::capitals(text, self.shape.len())?;
        let behind = self.shape.len() + length;
        if let Some(at) = self.layout.two_words(text, behind) {
            let message = start + at..end;
            return trace::is_no_phrase(block.get(message.clone())?).then_some((level, message));
        }
        let message = start + self.layout.message(block.get(start..end)?, behind)?..end;
        names_none(block, &message).then_some((level, message))
    }
}

#[inline(always)]
fn run_rest_by(rest: Rest<'_>, stretch: Stretch<'_>, levels: &mut [u64; 8]) -> Option<Run> {
    stretch.run(levels, rest)
}

/// The lines that do not fit the entry: those of the other entries, and those of which only the timestamp's shape is
/// known.
struct Rest<'a> {
    entries: &'a [Entry],
    last: &'a mut usize,
    stamps: &'a mut Stamps,
    patience: &'a mut Patience,
    settled: Settled,
}

impl Plain for Rest<'_> {
    #[inline(always)]
    fn line(&mut self, block: &[u8], start: usize, end: usize) -> Option<(Level, Range<usize>)> {
        if let Some(head) = self.stamps.remembered(block.get(start..)?, end - start) {
            let (level, message) = self.settled.takes(head, start, end)?;
            return names_none(block, &message).then_some((level, message));
        }
        self.new(block, start, end)
    }
}

impl Rest<'_> {
    /// A line whose header is none of those that were met before.
    #[inline(never)]
    fn new(&mut self, block: &[u8], start: usize, end: usize) -> Option<(Level, Range<usize>)> {
        let line = block.get(start..end)?;
        let head = match self.other(line) {
            Some(head) => {
                self.stamps.note(line, &head);
                head
            }
            // Where it is time, the line is left to be learnt from.
            None if self.patience.lets_pass() => self.stamps.found(line)?,
            None => return None,
        };
        let (level, message) = self.settled.takes(&head, start, end)?;
        names_none(block, &message).then_some((level, message))
    }

    fn other(&mut self, line: &[u8]) -> Option<Head> {
        let find = |(n, entry): (usize, &Entry)| Some((n, entry.head(line)?));
        let (n, head) = self.entries.iter().enumerate().find_map(find)?;
        *self.last = n;
        Some(head)
    }
}

#[inline(always)]
fn run_headed_by(
    shape: &Shape,
    grammar: Grammar,
    rest: Rest<'_>,
    stretch: Stretch<'_>,
    levels: &mut [u64; 8],
) -> Option<Run> {
    stretch.run(levels, Headed { shape, grammar, rest })
}

struct Headed<'a> {
    shape: &'a Shape,
    grammar: Grammar,
    rest: Rest<'a>,
}

impl Plain for Headed<'_> {
    #[inline(always)]
    fn line(&mut self, block: &[u8], start: usize, end: usize) -> Option<(Level, Range<usize>)> {
        let found = self.known(block, start, end);
        if found.is_some() { found } else { self.rest.line(block, start, end) }
    }
}

impl Headed<'_> {
    #[inline(always)]
    fn known(&self, block: &[u8], start: usize, end: usize) -> Option<(Level, Range<usize>)> {
        let (level, at) = headed::find(self.grammar, self.shape, block.get(start..end)?)?;
        if level.is_none() && !self.rest.settled.bare {
            return None;
        }
        let message = start + at..end;
        names_none(block, &message).then_some((level.unwrap_or(Level::Unknown), message))
    }
}

#[inline(always)]
fn run_pairs_by(
    shape: &Shape,
    tails: &mut Tails,
    stretch: Stretch<'_>,
    levels: &mut [u64; 8],
) -> Option<Run> {
    stretch.run(levels, Pairs { shape, tails })
}

struct Pairs<'a> {
    shape: &'a Shape,
    tails: &'a mut Tails,
}

impl Plain for Pairs<'_> {
    #[inline(always)]
    fn line(&mut self, block: &[u8], start: usize, end: usize) -> Option<(Level, Range<usize>)> {
        if !self.shape.fits(block.get(start..)?) {
            return None;
        }
        let at = start + self.shape.len();
        let word = letters::at(block, at)?;
        let message = self.tails.message(block, at + word.length, end)?;
        names_none(block, &message).then_some((word.level, message))
    }
}

/// Whether a message begins no trace and names no exception.
#[inline(always)]
fn names_none(block: &[u8], message: &Range<usize>) -> bool {
    let found = block.get(message.clone()).map(trace::first_line);
    matches!(found, Some((Exception::None, Trace::None)))
}

impl Stretch<'_> {
    /// Takes lines as long as `plain` gives a level and a message for one.
    #[inline(always)]
    fn run(&self, levels: &mut [u64; 8], mut plain: impl Plain) -> Option<Run> {
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
            if end - start > self.line_bytes {
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
