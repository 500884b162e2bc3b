//! Rules with a start and an end: a match begins a span or ends one, and only an end counts.

use super::carry::Open;
use super::event::Piece;
use super::said::Said;
use super::spans::{Spans, Started, When};
use super::{Carry, Into, Pipeline};
use crate::level::Level;
use crate::parse::{Memory, Moment};
use crate::tally::span::{DURATION, Drop, KEY_BYTES, Span, duration_text};
use crate::tally::spec::LABEL_CHARS;
use crate::tally::template::Lookup;
use std::borrow::Cow;
use std::cell::RefCell;

impl Pipeline {
    /// Takes the match of expression `which` of a rule that pairs. One event may end a span and begin the next.
    #[expect(clippy::too_many_arguments, reason = "the parts of a carry and of a scratch, borrowed apart")]
    pub(super) fn pair(
        &self,
        pattern: u32,
        which: usize,
        open: &mut Open,
        piece: Piece<'_>,
        line: Option<(&Memory, &[u8])>,
        into: &mut Into<'_>,
        field: &mut Vec<u8>,
    ) {
        let plan = into.tally.plan().clone();
        let Some(span) = &plan.rules[pattern as usize].span else { return };
        let level = open.level.unwrap_or(Level::Unknown);
        let when = When { written: open.moment, read: Moment::read_at(into.now) };
        let mut drops = Vec::new();
        let captures = |which| self.scanner.captures(pattern, which, piece.hay, piece.start);
        if which < span.starts {
            let said =
                Said { parser: &self.parser, captures: captures(which), line, field: RefCell::new(field) };
            let ended = key(span, &|name| said.of(name)).and_then(|key| {
                open.spans.end(pattern, &key, when, span.timeout, &mut |drop| drops.push(drop))
            });
            if let Some((started, nanos)) = ended {
                let lookup = |name: &str| match name {
                    DURATION => Some(Cow::Owned(duration_text(nanos))),
                    _ => said.of(name).or_else(|| of_start(&started, name)),
                };
                let traced = into.tally.takes_exemplars() && self.may_name_trace(pattern, line);
                let trace = if traced { said.trace() } else { None };
                into.tally.hit(into.stream, pattern as usize, level, &lookup, trace.as_deref());
            }
        }
        let begins = span.starts.max(which)..self.scanner.expressions(pattern);
        if let Some(captures) = begins.into_iter().find_map(captures) {
            let said =
                Said { parser: &self.parser, captures: Some(captures), line, field: RefCell::new(field) };
            begin(span, pattern, &mut open.spans, when, &|name| said.of(name), &mut drops);
        }
        drops.into_iter().for_each(|drop| into.tally.spans_dropped(pattern as usize, drop, 1));
    }

    /// The file has ended for good: the open event counts what it waits for, spans that are open do not end any more.
    pub fn end_file(&self, carry: &mut Carry, into: &mut Into<'_>, scratch: &mut super::Scratch) {
        self.flush(carry, into, scratch);
        if let Some(open) = &mut carry.open {
            for (rule, count) in open.spans.drain() {
                into.tally.spans_dropped(rule as usize, Drop::Unfinished, count);
            }
        }
        *carry = carry.between_events();
    }
}

/// Begins a span, whatever the rule may want of its start kept with it.
fn begin(
    span: &Span,
    rule: u32,
    spans: &mut Spans,
    when: When,
    said: &Lookup<'_, '_>,
    drops: &mut Vec<Drop>,
) {
    let Some(key) = key(span, said) else { return drops.push(Drop::Key) };
    let bounded = |text: Cow<'_, str>| text.chars().take(LABEL_CHARS).collect::<String>();
    let kept = span.kept.iter().filter_map(|name| Some((name.clone(), bounded(said(name)?)))).collect();
    spans.begin(rule, &key, Started { when, kept }, span.timeout, &mut |drop| drops.push(drop));
}

/// The key of a match; none where it lacks a name of the key, or is too long to be kept.
pub fn key(span: &Span, said: &Lookup<'_, '_>) -> Option<String> {
    let mut key = String::new();
    if span.key.names().any(|name| said(name).is_none()) {
        return None;
    }
    span.key.render(said, &mut key);
    (key.len() <= KEY_BYTES).then_some(key)
}

fn of_start<'a>(started: &'a Started, name: &str) -> Option<Cow<'a, str>> {
    started.kept.iter().find(|(kept, _)| kept == name).map(|(_, text)| Cow::Borrowed(text.as_str()))
}
