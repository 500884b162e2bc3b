//! Many lines in a row by the shortest way: most of a log is plain lines of one layout, and what is asked of each of
//! them is little enough that the way from line to line costs as much as the answer.

use super::dated::Layout;
use super::patience::Patience;
use super::records::{Records, Within};
use super::shape::Shape;
use super::stamped::Stamps;
use super::stretch::{Plain, Run, Settled, Stretch};
use super::tail::Tail;
use super::{Entry, Grammar, Lane, bare, headed, letters};
use crate::event::Exception;
use crate::level::Level;
use crate::parse::detect;
use crate::parse::head::{Head, Place, Trust};
use crate::parse::trace::{self, Trace};
use std::ops::Range;

impl Lane {
    /// Takes lines as long as they fit the entry that fitted last and no trace begins in them, and counts their levels.
    pub(in crate::parse) fn run(
        &mut self,
        stretch: Stretch<'_>,
        settled: Settled,
        levels: &mut [u64; 8],
    ) -> Option<Run> {
        let wrapped = match stretch.first()? {
            [b'{', b'"', b'l', b'o', b'g', ..] => true,
            line => line.get(10) == Some(&b'T') && line[0].is_ascii_digit(),
        };
        if wrapped
            && settled.whole
            && let Some(records) = self.records.take()
        {
            let run = self.run_by(Some(&records), stretch, settled, levels);
            self.records = Some(records);
            if run.is_some() {
                return run;
            }
        }
        self.run_by(None, stretch, settled, levels)
    }

    /// As [`Lane::run`]; of lines inside records, if there are any.
    fn run_by(
        &mut self,
        records: Option<&Records>,
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
                (grammar, entry) if let Some(records) = records => {
                    let known = entry.zip(grammar).map(|(entry, grammar)| (&entry.shape, grammar));
                    run_within(records, known, rest, stretch, levels)
                }
                (Some(Grammar::Dated(layout)), Some(entry)) => {
                    run_dated(&entry.shape, layout, rest, stretch, levels)
                }
                (Some(grammar), Some(entry)) => run_headed(&entry.shape, grammar, rest, stretch, levels),
                _ => run_rest(rest, stretch, levels),
            };
        }
        let entry = self.entries.get_mut(at)?;
        let run = match records {
            Some(records) => {
                let plain = Pairs { entry, settled };
                stretch.run(levels, Within { records, plain })
            }
            None => run_pairs(entry, settled, stretch, levels),
        };
        let taken = run.as_ref().map_or(0, |run| run.lines);
        if let Some(&end) = stretch.ends.get(taken).filter(|end| (**end as usize) < stretch.before) {
            let start = if taken > 0 { stretch.ends[taken - 1] as usize + 1 } else { stretch.start };
            let inner = match records {
                Some(records) => records.inner(stretch.block, start, end as usize),
                None => Some((start, end as usize)),
            };
            let line = inner.map_or(&b""[..], |(start, end)| &stretch.block[start..end]);
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
        let Some(word) = self.grammar.level(line, self.shape.len()) else { return };
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
wide!(run_within, run_within_wide, run_within_by,
    (records: &Records, known: Option<(&Shape, Grammar)>, rest: Rest<'_>, stretch: Stretch<'_>, levels: &mut [u64; 8]));
wide!(run_pairs, run_pairs_wide, run_pairs_by,
    (entry: &mut Entry, settled: Settled, stretch: Stretch<'_>, levels: &mut [u64; 8]));

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
fn run_within_by(
    records: &Records,
    known: Option<(&Shape, Grammar)>,
    rest: Rest<'_>,
    stretch: Stretch<'_>,
    levels: &mut [u64; 8],
) -> Option<Run> {
    match known {
        Some((shape, Grammar::Dated(layout))) => {
            stretch.run(levels, Within { records, plain: Dated { shape, layout, rest } })
        }
        Some((shape, grammar)) => {
            stretch.run(levels, Within { records, plain: Headed { shape, grammar, rest } })
        }
        None => stretch.run(levels, Within { records, plain: rest }),
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
        self.unmet(block, start, end)
    }
}

impl Rest<'_> {
    /// A line whose header is none of those that were met before.
    #[inline(never)]
    fn unmet(&mut self, block: &[u8], start: usize, end: usize) -> Option<(Level, Range<usize>)> {
        let line = block.get(start..end)?;
        let head = match self.other(line) {
            Some(head) => {
                self.stamps.note(line, &head);
                head
            }
            // Where it is time, the line is left to be learnt from.
            None if self.patience.lets_pass() => match self.stamps.found(line) {
                Some(head) => head,
                None => found(line)?,
            },
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
        let settled = self.rest.settled;
        if level.is_none() && !settled.bare {
            return None;
        }
        if let Grammar::First(first) = self.grammar
            && (!settled.fresh || first.trust() == Trust::Likely && !settled.agreed)
        {
            return None;
        }
        let message = start + at..end;
        names_none(block, &message).then_some((level.unwrap_or(Level::Unknown), message))
    }
}

#[inline(always)]
fn run_pairs_by(
    entry: &mut Entry,
    settled: Settled,
    stretch: Stretch<'_>,
    levels: &mut [u64; 8],
) -> Option<Run> {
    stretch.run(levels, Pairs { entry, settled })
}

struct Pairs<'a> {
    entry: &'a mut Entry,
    settled: Settled,
}

impl Plain for Pairs<'_> {
    #[inline(always)]
    fn line(&mut self, block: &[u8], start: usize, end: usize) -> Option<(Level, Range<usize>)> {
        let Entry { shape, tails, grammar } = &mut *self.entry;
        if shape.fits(block.get(start..)?) {
            let at = start + shape.len();
            if let Some(word) = grammar.level(block, at)
                && let Some(message) = tails.message(block, at + word.length, end)
            {
                return names_none(block, &message).then_some((word.level, message));
            }
        }
        self.other(block, start, end)
    }
}

impl Pairs<'_> {
    /// A line with other pairs than those that are remembered.
    #[inline(never)]
    fn other(&mut self, block: &[u8], start: usize, end: usize) -> Option<(Level, Range<usize>)> {
        // Where it is time, the line is left to be learnt from.
        if !self.entry.tails.patience.lets_pass() {
            return None;
        }
        let line = block.get(start..end)?;
        let head = match self.entry.head(line) {
            Some(head) => head,
            None => found(line)?,
        };
        let (level, message) = self.settled.takes(&head, start, end)?;
        names_none(block, &message).then_some((level, message))
    }
}

/// What the grammar finds in a line, unless it may be a container's or a journal's, or one that only goes on.
fn found(line: &[u8]) -> Option<Head> {
    let wrapped = match line.first()? {
        b' ' | b'\t' => true,
        b'A'..=b'Z' | b'a'..=b'z' => bare::is_sentence(line),
        b'{' => line.starts_with(b"{\"log\":"),
        b'0'..=b'9' => line.get(10) == Some(&b'T'),
        first => *first == b'_',
    };
    if wrapped { None } else { detect::head(line) }
}

/// Whether a message begins no trace and names no exception.
#[inline(always)]
fn names_none(block: &[u8], message: &Range<usize>) -> bool {
    let found = block.get(message.clone()).map(trace::first_line);
    matches!(found, Some((Exception::None, Trace::None)))
}
