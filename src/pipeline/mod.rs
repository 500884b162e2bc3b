//! Bytes in, counts out: the one way from a block of a log to its numbers, the same for `run`, `count` and `explain`.
//!
//! Pure: no I/O, no clock, no lock, and no allocation for a line that no rule matches. Literals are searched over the
//! whole block at once; lines are walked by their ends, the level is read at the place the format puts it, and only
//! where a literal stands is its rule confirmed on the text it looks at.
//!
//! What a rule that looks at the message sees: of an event's first line its message, of each further line that line,
//! as it comes; `^` is the start of the message, `$` the end of the line. A rule that can match a line feed sees the
//! whole message of the event at its end, at most [`TEXT_BYTES`] of it. A rule with a start and an end remembers its starts
//! in the file's carry, by key, and counts the event that ends one.

mod carry;
mod event;
mod pair;
mod said;
mod spans;
mod trace;

#[cfg(test)]
mod span_tests;
#[cfg(test)]
mod tests;

pub use carry::{Carry, Saved};
pub use pair::key;
pub use spans::{Spans, Started, When};

use crate::event::{Exception, Line, Message, Role};
use crate::frame;
use crate::level::Level;
use crate::matching::pattern::{Pattern, Target};
use crate::matching::{Candidate, Scanner};
use crate::parse::{Lane, Parser, Stretch};
use crate::redact::Redactor;
use crate::tally::{Block, Tally};
use carry::Open;
use event::Place;
use std::sync::Arc;
use std::time::Instant;

/// How much of an event's text rules that span lines get to see.
pub const TEXT_BYTES: usize = 64 * 1024;

/// Limits on what one line and one event may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a line that are looked at.
    pub line_bytes: usize,
    /// Lines of an event that are looked at.
    pub event_lines: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { line_bytes: 1 << 20, event_lines: 500 }
    }
}

/// The stages of one input, joined. Immutable and shared by threads.
#[derive(Debug)]
pub struct Pipeline {
    parser: Parser,
    scanner: Arc<Scanner>,
    patterns: Vec<Rule>,
    /// Some rule spans lines, so that the text of open events is kept.
    spans_lines: bool,
    /// Some rule looks at raw lines.
    lines: bool,
    /// Some rule looks at fields.
    fields: bool,
    /// Some rule has no literal: it is tried on every line.
    residual: bool,
    /// No rule has to look at lines without candidates, so that plain ones may be taken many at a time.
    runs: bool,
    /// Rules that no single line can tell of: they span lines and have no literal.
    unseen: Vec<u32>,
    /// Makes lines that rules matched fit to be shown, where that is wanted.
    samples: Option<Arc<Redactor>>,
    limits: Limits,
}

/// What the pipeline asks of a pattern at each candidate, without going to the scanner.
#[derive(Clone, Debug)]
struct Rule {
    levels: crate::level::Levels,
    target: Target,
    spans_lines: bool,
    /// It has no literal to look for.
    residual: bool,
    /// A capture of it holds the event's trace.
    traced: bool,
}

/// Buffers that are used again from block to block; one per thread.
#[derive(Debug, Default)]
pub struct Scratch {
    lane: Lane,
    ends: frame::Ends,
    candidates: Vec<Candidate>,
    decoded: Vec<Candidate>,
    residual: Vec<u32>,
    message: Vec<u8>,
    field: Vec<u8>,
    text: Vec<u8>,
    /// Per pattern, the piece of text it was last tried on.
    tried: Vec<u64>,
    piece: u64,
}

/// Where a block's numbers go.
pub struct Into<'a> {
    /// The input's tally.
    pub tally: &'a mut Tally,
    /// The stream within it.
    pub stream: usize,
    /// Now, in seconds since the epoch.
    pub now: f64,
    /// What rules' confirmations are timed with, where their cost is wanted.
    pub clock: Option<fn() -> Instant>,
}

impl Pipeline {
    /// Joins the stages. `patterns` are the ones that `scanner` was built of, in the same order.
    pub fn new(parser: Parser, scanner: Arc<Scanner>, patterns: &[Pattern], limits: Limits) -> Pipeline {
        let rule = |(at, p): (usize, &Pattern)| Rule {
            levels: p.levels,
            target: p.target.clone(),
            spans_lines: scanner.spans_lines(at as u32),
            residual: scanner.slow_reason(at as u32).is_some(),
            traced: trace::has_capture(&scanner, at as u32),
        };
        let patterns: Vec<Rule> = patterns.iter().enumerate().map(rule).collect();
        let spans_lines = patterns.iter().any(|rule| rule.spans_lines);
        let fields = patterns.iter().any(|rule| matches!(rule.target, Target::Field(_)));
        let lines = patterns.iter().any(|rule| rule.target == Target::Line);
        let residual = scanner.has_residual();
        let runs = !residual && !fields;
        let unseen = (0u32..).zip(&patterns).filter(|(_, rule)| rule.spans_lines && rule.residual);
        let unseen = unseen.map(|(at, _)| at).collect();
        Pipeline {
            parser,
            scanner,
            patterns,
            spans_lines,
            lines,
            fields,
            residual,
            runs,
            unseen,
            samples: None,
            limits,
        }
    }

    /// The same, keeping a line for each rule that it matched, redacted. Only where [`Into::clock`] is given, for that
    /// is where somebody may look.
    #[must_use]
    pub fn with_samples(self, samples: Option<Arc<Redactor>>) -> Pipeline {
        Pipeline { samples, ..self }
    }

    /// The same with regex caches of its own: threads that share caches wait for each other.
    #[must_use]
    pub fn for_thread(&self) -> Pipeline {
        Pipeline {
            parser: self.parser.clone(),
            scanner: Arc::new(Scanner::clone(&self.scanner)),
            patterns: self.patterns.clone(),
            unseen: self.unseen.clone(),
            samples: self.samples.clone(),
            ..*self
        }
    }

    /// Counts a block of complete lines (only the last may lack its end, where the file has ended for good).
    /// `bytes` is what the block took in its file: more than it holds where a line was cut or decoded.
    pub fn feed(
        &self,
        carry: &mut Carry,
        block: &[u8],
        bytes: u64,
        into: &mut Into<'_>,
        scratch: &mut Scratch,
    ) {
        let mut candidates = std::mem::take(&mut scratch.candidates);
        if self.scanner.is_empty() {
            candidates.clear();
        } else {
            self.scanner.scan(block, &mut candidates);
        }
        let mut ends = std::mem::take(&mut scratch.ends);
        ends.find(block);
        let plain = !ends.escapes();
        let times = into.tally.plan().has_spans();
        if let Some(open) = carry.open.as_mut().filter(|open| !open.spans.is_empty()) {
            let plan = into.tally.plan();
            open.spans.retain(|rule| plan.rules[rule as usize].span.is_some());
        }
        let mut counts = Block { bytes, ..Block::default() };
        // The last event, as long as nothing about it but its level has to be kept.
        let mut quiet: Option<Quiet> = None;
        let mut at = 0;
        let mut lines = frame::lines(block, &ends, self.limits.line_bytes);
        loop {
            if plain && self.runs {
                let free = candidates.get(at).map_or(block.len(), |c| c.at as usize);
                if let Some(run) = self.run(carry, block, &mut lines, free, &mut counts, &mut scratch.lane) {
                    if carry.waits() {
                        self.close(carry, into, scratch);
                    }
                    quiet = Some(run);
                }
                if !self.spans_lines
                    && self.further(carry, block, &mut lines, free, &mut counts, &mut quiet, times)
                {
                    continue;
                }
            }
            let Some(span) = lines.next() else { break };
            counts.lines += 1;
            counts.truncated += u64::from(span.truncated);
            let from = at;
            while candidates.get(at).is_some_and(|c| (c.at as usize) < span.next) {
                at += 1;
            }
            let line = &block[span.start..span.end];
            let seen = self.parser.line_by(&mut scratch.lane, &mut carry.memory, line, plain);
            let place = Place { block, start: span.start, end: span.end, candidates: &candidates[from..at] };
            if seen.role == Role::Start {
                if carry.waits() {
                    self.close(carry, into, scratch);
                }
                counts.levels[seen.level.index()] += 1;
                quiet = self.quiet(&place, &seen);
                if quiet.is_some() {
                    continue;
                }
                open(carry, seen.level);
                if let Some(open) = carry.open.as_mut().filter(|_| times) {
                    open.moment = self.parser.moment(line);
                }
            } else if let Some(quiet) = quiet.take() {
                self.open_quiet(carry, &quiet, block, times);
            }
            if carry.open.is_some() {
                self.look(carry, &seen, &place, into, scratch);
            }
        }
        if let Some(quiet) = quiet {
            self.open_quiet(carry, &quiet, block, times);
        }
        scratch.ends = ends;
        scratch.candidates = candidates;
        into.tally.add(into.stream, &counts, into.now);
    }

    /// Takes the plain lines that come next, as far as they end before `before`.
    #[inline]
    fn run(
        &self,
        carry: &mut Carry,
        block: &[u8],
        lines: &mut frame::Lines<'_>,
        before: usize,
        counts: &mut Block,
        lane: &mut Lane,
    ) -> Option<Quiet> {
        let line_bytes = self.limits.line_bytes;
        let stretch = Stretch { block, start: lines.at(), ends: lines.ends(), before, line_bytes };
        let run = self.parser.run(lane, &mut carry.memory, stretch, &mut counts.levels)?;
        lines.skip_lines(run.lines);
        counts.lines += run.lines as u64;
        Some(Quiet { level: run.level, message: (run.message.start, run.message.end) })
    }

    /// Takes the lines that go on with the open event and tell no rule anything, as far as they end before `before`;
    /// whether there were any.
    #[expect(clippy::too_many_arguments, reason = "what a block's walk has, borrowed apart")]
    #[inline]
    fn further(
        &self,
        carry: &mut Carry,
        block: &[u8],
        lines: &mut frame::Lines<'_>,
        before: usize,
        counts: &mut Block,
        quiet: &mut Option<Quiet>,
        times: bool,
    ) -> bool {
        let line_bytes = self.limits.line_bytes;
        let stretch = Stretch { block, start: lines.at(), ends: lines.ends(), before, line_bytes };
        let count = self.parser.further(&carry.memory, stretch);
        if count == 0 {
            return false;
        }
        if let Some(quiet) = quiet.take() {
            self.open_quiet(carry, &quiet, block, times);
        }
        if let Some(open) = &mut carry.open {
            open.lines = open.lines.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        }
        lines.skip_lines(count);
        counts.lines += count as u64;
        true
    }

    /// Whether a line starts an event whatever stands before it: where a large file may be cut.
    pub fn starts_event(&self, carry: &Carry, line: &[u8]) -> bool {
        self.parser.starts_event(&carry.memory, line)
    }

    /// The parser of this pipeline.
    pub fn parser(&self) -> &Parser {
        &self.parser
    }

    /// The scanner of this pipeline.
    pub fn scanner(&self) -> &Scanner {
        &self.scanner
    }

    /// The scanner, to be shared with another pipeline of the same rules.
    pub fn shared_scanner(&self) -> Arc<Scanner> {
        self.scanner.clone()
    }

    /// Whether an event of this level interests a rule at all.
    fn wants(&self, pattern: u32, open: &Open) -> bool {
        let rule = &self.patterns[pattern as usize];
        open.level.is_none_or(|level| rule.levels.contains(level))
    }

    /// The event that this line begins, if nothing in it can concern a rule and it names no exception.
    #[inline]
    fn quiet(&self, place: &Place<'_>, seen: &Line) -> Option<Quiet> {
        if !place.candidates.is_empty() || self.residual || seen.exception != Exception::None {
            return None;
        }
        let message = match &seen.message {
            Message::From(from) => (*from as usize, place.end - place.start),
            Message::Within(range) => (range.start as usize, range.end as usize),
            Message::Decode if self.scanner.is_empty() => (0, 0),
            Message::Decode => return None,
        };
        if self.fields && place.has_escapes() {
            return None;
        }
        Some(Quiet { level: seen.level, message: (place.start + message.0, place.start + message.1) })
    }

    /// Opens an event that was quiet so far: further lines may follow.
    fn open_quiet(&self, carry: &mut Carry, quiet: &Quiet, block: &[u8], times: bool) {
        open(carry, quiet.level);
        if let Some(open) = &mut carry.open {
            open.lines = 1;
            if times {
                let (from, to) = quiet.message;
                let start = memchr::memrchr(b'\n', &block[..from]).map_or(0, |at| at + 1);
                let end = memchr::memchr(b'\n', &block[to..]).map_or(block.len(), |at| to + at);
                open.moment = self.parser.moment(block[start..end].trim_ascii_end());
            }
            self.keep_text(open, &block[quiet.message.0..quiet.message.1]);
        }
    }

    /// Whether nothing in this line can concern any rule, without looking closer.
    fn is_quiet(&self, place: &Place<'_>, seen: &Line) -> bool {
        place.candidates.is_empty()
            && !self.residual
            && !self.spans_lines
            && (self.scanner.is_empty() || (seen.message != Message::Decode && !self.fields))
    }
}

/// An event of one line so far that no rule has to look at.
struct Quiet {
    level: Level,
    /// Where its message stands in the block.
    message: (usize, usize),
}

fn open(carry: &mut Carry, level: Level) {
    let open = carry.open.get_or_insert_default();
    open.level = Some(level);
    open.matched.clear();
    open.pending.clear();
    open.lines = 0;
    open.exception = carry::Named::None;
    open.text.clear();
    open.moment = None;
}
