//! Lines that no grammar finds a header in: they continue the event above, or are one.

use crate::event::{Line, Message, Role};
use crate::level::Level;
use crate::parse::format::{Format, Kind};
use crate::parse::head::Head;
use crate::parse::memory::{Memory, Open};
use crate::parse::place::Found;
use crate::parse::trace::{self, Part, Step};
use crate::parse::{Parser, continuation, keyword};

impl Parser {
    /// A line that has no header of its own.
    pub(super) fn headless(&self, memory: &mut Memory, text: &[u8]) -> Line {
        if memory.is_placed()
            && let Some(found) = memory.place_found(text)
        {
            return self.placed(memory, text, &found);
        }
        let step = trace::step(memory.trace, text);
        let indented = matches!(text.first(), Some(b' ' | b'\t'));
        let begins_below = step.part == Part::Start && !step.trace.is_announced();
        let belongs = memory.open != Open::None
            && match memory.kind() {
                Kind::Headed => true,
                Kind::Record => indented || step.part == Part::Inside || begins_below,
                Kind::Bare => step.part == Part::Inside || begins_below && memory.open == Open::Headed,
            };
        // A trace at the head of a file that is declared to have headers is still an event.
        let first = memory.open == Open::None && step.part == Part::Start;
        if belongs || memory.kind() == Kind::Headed && !first {
            memory.trace = step.trace;
            return continuation(step.exception);
        }
        if !memory.is_placed()
            && let Some(found) = memory.place(text, 0)
        {
            return self.placed(memory, text, &found);
        }
        self.bare(memory, text, step)
    }

    /// An event whose level stands at a place that the lines above have shown.
    fn placed(&self, memory: &mut Memory, text: &[u8], found: &Found) -> Line {
        let head = Head { place: found.place, ..Head::new(Format::Named, Some(found.level), 0) };
        self.begin(memory, text, head)
    }

    /// An event without any header.
    pub(super) fn bare(&self, memory: &mut Memory, text: &[u8], step: Step) -> Line {
        memory.learn_bare();
        memory.begin(Open::Bare, step.trace);
        let level = if self.keyword_levels { keyword::level(text) } else { None };
        Line {
            role: Role::Start,
            level: level.unwrap_or(Level::Unknown),
            message: Message::From(0),
            exception: step.exception,
        }
    }
}
