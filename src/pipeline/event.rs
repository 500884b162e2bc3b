//! One event under its rules: each line as it comes, and what waits for the event's end.

use super::carry::{Named, Open};
use super::said::Said;
use super::{Carry, Into, Pipeline, Scratch, TEXT_BYTES};
use crate::event::{Exception, Line, Message, Role};
use crate::level::Level;
use crate::matching::Candidate;
use crate::matching::pattern::Target;
use crate::parse::Memory;
use std::cell::RefCell;

/// A line within its block, and the candidates that stand in it.
pub(super) struct Place<'a> {
    pub(super) block: &'a [u8],
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) candidates: &'a [Candidate],
}

impl Place<'_> {
    fn line(&self) -> &[u8] {
        &self.block[self.start..self.end]
    }

    /// A field's value may be written with escapes, so that no literal of a rule stands in the line.
    pub(super) fn has_escapes(&self) -> bool {
        memchr::memchr(b'\\', self.line()).is_some()
    }
}

/// A text that a rule is tried on: `hay[start..]`, with what stands before it for `^` and `\b`.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) hay: &'a [u8],
    pub(super) start: usize,
}

impl Pipeline {
    /// Looks at one line of the open event.
    pub(super) fn look(
        &self,
        carry: &mut Carry,
        seen: &Line,
        place: &Place<'_>,
        into: &mut Into<'_>,
        scratch: &mut Scratch,
    ) {
        let Carry { memory, open } = carry;
        let Some(open) = open else { return };
        open.lines += 1;
        if open.lines > self.limits.event_lines {
            return;
        }
        name_exception(open, seen, place.line(), into);
        if self.is_quiet(place, seen) {
            return;
        }
        let mut message = std::mem::take(&mut scratch.message);
        self.look_at_message(memory, open, seen, place, &mut message, into, scratch);
        scratch.message = message;
        if self.lines {
            let piece = (place.start, Piece { hay: place.line(), start: 0 });
            let is_line = |target: &Target| *target == Target::Line;
            self.try_candidates(memory, open, place, place.candidates, piece, &is_line, into, scratch);
        }
        if self.fields && seen.role == Role::Start {
            self.look_at_fields(memory, open, place, into, scratch);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a carry and of a scratch, borrowed apart")]
    fn look_at_message(
        &self,
        memory: &Memory,
        open: &mut Open,
        seen: &Line,
        place: &Place<'_>,
        decoded: &mut Vec<u8>,
        into: &mut Into<'_>,
        scratch: &mut Scratch,
    ) {
        let line = place.line();
        let is_message = |target: &Target| *target == Target::Message;
        let (from, to) = match &seen.message {
            Message::Within(range) => (range.start as usize, range.end as usize),
            Message::From(from) => (*from as usize, line.len()),
            Message::Decode => {
                let text = self.parser.message(memory, line, decoded);
                self.keep_text(open, text);
                return self.look_at_copy(memory, open, place, seen.role, text, into, scratch);
            }
        };
        self.keep_text(open, &line[from..to]);
        let (at, piece) = if seen.role == Role::Start {
            (place.start + from, Piece { hay: &line[from..to], start: 0 })
        } else if (from, to) == (0, line.len()) && place.start > 0 && place.block[place.start - 1] == b'\n' {
            // The line feed before it is part of what look-around sees, so that `^` does not match here.
            (place.start - 1, Piece { hay: &place.block[place.start - 1..place.end], start: 1 })
        } else {
            return self.look_at_copy(memory, open, place, seen.role, &line[from..to], into, scratch);
        };
        self.try_candidates(memory, open, place, place.candidates, (at, piece), &is_message, into, scratch);
    }

    /// A message that does not stand in the block as rules have to see it.
    #[expect(clippy::too_many_arguments, reason = "the parts of a carry and of a scratch, borrowed apart")]
    fn look_at_copy(
        &self,
        memory: &Memory,
        open: &mut Open,
        place: &Place<'_>,
        role: Role,
        message: &[u8],
        into: &mut Into<'_>,
        scratch: &mut Scratch,
    ) {
        let is_message = |target: &Target| *target == Target::Message;
        let mut text = std::mem::take(&mut scratch.text);
        text.clear();
        if role == Role::Continuation {
            text.push(b'\n');
        }
        let start = text.len();
        text.extend_from_slice(message);
        let mut candidates = std::mem::take(&mut scratch.decoded);
        self.scanner.scan(&text, &mut candidates);
        let piece = Piece { hay: &text, start };
        self.try_candidates(memory, open, place, &candidates, (0, piece), &is_message, into, scratch);
        scratch.decoded = candidates;
        scratch.text = text;
    }

    /// Tries the rules whose literals stand in a piece, and those without literals. `origin` is where `piece.hay`
    /// starts in what the candidates' positions count from.
    #[expect(clippy::too_many_arguments, reason = "the parts of a carry and of a scratch, borrowed apart")]
    fn try_candidates(
        &self,
        memory: &Memory,
        open: &mut Open,
        place: &Place<'_>,
        candidates: &[Candidate],
        (origin, piece): (usize, Piece<'_>),
        of: &dyn Fn(&Target) -> bool,
        into: &mut Into<'_>,
        scratch: &mut Scratch,
    ) {
        scratch.tried.resize(self.patterns.len(), 0);
        scratch.piece += 1;
        let within = origin + piece.start..origin + piece.hay.len();
        for candidate in candidates {
            let pattern = candidate.pattern as usize;
            if within.contains(&(candidate.at as usize))
                && of(&self.patterns[pattern].target)
                && scratch.tried[pattern] != scratch.piece
            {
                scratch.tried[pattern] = scratch.piece;
                self.try_rule(memory, open, place, candidate.pattern, piece, into, &mut scratch.field);
            }
        }
        if self.scanner.has_residual() {
            let mut residual = std::mem::take(&mut scratch.residual);
            residual.clear();
            self.scanner.residual(piece.hay, piece.start, &mut residual);
            residual.extend_from_slice(&self.unseen);
            for &pattern in residual.iter().filter(|&&pattern| of(&self.patterns[pattern as usize].target)) {
                self.try_rule(memory, open, place, pattern, piece, into, &mut scratch.field);
            }
            scratch.residual = residual;
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a carry and of a scratch, borrowed apart")]
    fn try_rule(
        &self,
        memory: &Memory,
        open: &mut Open,
        place: &Place<'_>,
        pattern: u32,
        piece: Piece<'_>,
        into: &mut Into<'_>,
        field: &mut Vec<u8>,
    ) {
        if open.matched.contains(pattern) || !self.wants(pattern, open) {
            return;
        }
        if self.patterns[pattern as usize].spans_lines {
            open.pending.insert(pattern);
            return;
        }
        if let Some(which) = self.confirm(pattern, piece, into) {
            open.matched.insert(pattern);
            let line = Some((memory, place.line()));
            self.count(pattern, which, open, piece, line, into, field);
        }
    }

    /// Confirms a rule on a text, and tells the tally what that took where it is wanted.
    fn confirm(&self, pattern: u32, piece: Piece<'_>, into: &mut Into<'_>) -> Option<usize> {
        let started = into.clock.map(|clock| (clock, clock()));
        let which = self.scanner.confirm(pattern, piece.hay, piece.start);
        if let Some((clock, started)) = started {
            into.tally.spent(pattern as usize, clock() - started);
        }
        which
    }

    /// Rules that look at a field: it may be escaped in the line, so that only its decoded text decides.
    fn look_at_fields(
        &self,
        memory: &Memory,
        open: &mut Open,
        place: &Place<'_>,
        into: &mut Into<'_>,
        scratch: &mut Scratch,
    ) {
        let escaped = place.has_escapes();
        for (at, rule) in self.patterns.iter().enumerate() {
            let Target::Field(path) = &rule.target else { continue };
            let pattern = at as u32;
            let hinted = escaped || rule.residual || place.candidates.iter().any(|c| c.pattern == pattern);
            if !hinted || open.matched.contains(pattern) || !self.wants(pattern, open) {
                continue;
            }
            let mut text = std::mem::take(&mut scratch.text);
            if let Some(value) = self.parser.field(memory, place.line(), path, &mut text) {
                let piece = Piece { hay: value, start: 0 };
                self.try_rule(memory, open, place, pattern, piece, into, &mut scratch.field);
            }
            scratch.text = text;
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a carry and of a scratch, borrowed apart")]
    fn count(
        &self,
        pattern: u32,
        which: usize,
        open: &mut Open,
        piece: Piece<'_>,
        line: Option<(&Memory, &[u8])>,
        into: &mut Into<'_>,
        field: &mut Vec<u8>,
    ) {
        let level = open.level.unwrap_or(Level::Unknown);
        if let (Some(redactor), Some(_)) = (&self.samples, into.clock)
            && into.tally.wants_sample(pattern as usize)
        {
            let shown = line.map_or(&piece.hay[piece.start..], |(_, line)| line);
            into.tally.keep_sample(pattern as usize, redactor.sample(shown));
        }
        let counted = &into.tally.plan().rules[pattern as usize];
        if counted.span.is_some() {
            return self.pair(pattern, which, open, piece, line, into, field);
        }
        let plain = counted.labels.is_empty() && counted.metrics.is_empty();
        let traced = into.tally.takes_exemplars() && self.may_name_trace(pattern, line);
        if plain && !traced {
            into.tally.hit(into.stream, pattern as usize, level, &|_| None, None);
            return;
        }
        let captures = self.scanner.captures(pattern, which, piece.hay, piece.start);
        let said = Said { parser: &self.parser, captures, line, field: RefCell::new(field) };
        let trace = if traced { said.trace() } else { None };
        into.tally.hit(into.stream, pattern as usize, level, &|name| said.of(name), trace.as_deref());
    }

    /// Keeps a line of the open event's text for the rules that span lines.
    pub(super) fn keep_text(&self, open: &mut Open, line: &[u8]) {
        if !self.spans_lines {
            return;
        }
        if open.lines > 1 {
            open.text.push(b'\n');
        }
        let room = TEXT_BYTES.saturating_sub(open.text.len());
        open.text.extend_from_slice(&line[..line.len().min(room)]);
    }

    /// Ends the open event: rules that span lines see its whole text, its exception type counts.
    pub(super) fn close(&self, carry: &mut Carry, into: &mut Into<'_>, scratch: &mut Scratch) {
        let Some(open) = &mut carry.open else { return };
        if let Named::Type(name) = &open.exception {
            into.tally.exception(into.stream, name);
            open.exception = Named::Counted;
        }
        if open.pending.is_empty() {
            return;
        }
        let pending = std::mem::take(&mut open.pending);
        let text = std::mem::take(&mut open.text);
        for pattern in pending.iter() {
            let piece = Piece { hay: &text, start: 0 };
            if let Some(which) = self.confirm(pattern, piece, into) {
                open.matched.insert(pattern);
                self.count(pattern, which, open, piece, None, into, &mut scratch.field);
            }
        }
        open.text = text;
    }

    /// Counts what waits for the end of the open event: it has been quiet for long enough, or its file has ended.
    /// Returns whether anything was waiting.
    pub fn flush(&self, carry: &mut Carry, into: &mut Into<'_>, scratch: &mut Scratch) -> bool {
        let waited = carry.waits();
        if waited {
            self.close(carry, into, scratch);
        }
        waited
    }
}

/// Counts the exception type that a line names, where no later line can name another for the event; else remembers it.
fn name_exception(open: &mut Open, seen: &Line, line: &[u8], into: &mut Into<'_>) {
    let (range, replace) = match &seen.exception {
        Exception::None => return,
        Exception::Replace(range) => (range, true),
        Exception::Keep(range) => (range, false),
    };
    if open.exception == Named::Counted || (!replace && open.exception != Named::None) {
        return;
    }
    let name = String::from_utf8_lossy(&line[range.start as usize..range.end as usize]);
    if replace {
        open.exception = Named::Type(name.into_owned());
    } else {
        into.tally.exception(into.stream, &name);
        open.exception = Named::Counted;
    }
}
