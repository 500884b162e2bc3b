//! What a line says: its role, level, message and exception, by the format of its file.
//!
//! A line comes in with the memory of its file; a `Line` goes out. One universal grammar (`detect`) finds the
//! header of a line by itself; the memory decides only what depends on other lines: whether a weak header or a
//! doubtful level is believed, and whether a line without a header continues the event above. So the result depends
//! on the lines alone, never on how they were read.

mod access;
mod bracket;
mod bytes;
mod detect;
mod enclosed;
mod escape;
mod explain;
mod field;
mod first;
mod format;
mod front;
mod glog;
mod head;
mod headless;
mod journal;
mod json;
mod keyword;
mod lane;
mod logfmt;
mod memory;
mod message;
mod moment;
mod opening;
mod options;
mod php;
mod place;
mod plain;
mod program;
mod record;
mod requests;
mod server;
mod steps;
mod stretches;
mod swar;
mod syslog;
mod time;
mod token;
mod trace;
mod undated;
mod word;
mod wrap;

#[cfg(test)]
mod tests;

pub use explain::Explained;
pub use format::Format;
pub use lane::{Lane, Run, Stretch};
pub use memory::Memory;
pub use moment::Moment;
pub use options::{FormatChoice, Multiline, Options};
pub use place::Places;

use crate::event::{Exception, Line, Message, Role};
use crate::level::Level;
use format::Kind;
use head::{Head, Place, Strength, Trust};
use memory::Open;
use options::Start;
use trace::{Part, Trace};
use wrap::{Inner, Wrapper};

/// Understands the lines of one input's files; immutable, one for all of them.
#[derive(Clone, Debug)]
pub struct Parser {
    custom: Option<regex::bytes::Regex>,
    named: Option<Format>,
    start: Start,
    keyword_levels: bool,
    access_levels: bool,
}

impl Parser {
    /// Builds the parser of an input; the error is a sentence about the regex that is wrong.
    pub fn new(options: &Options) -> Result<Parser, String> {
        let (custom, named) = options.format.compile()?;
        Ok(Parser {
            custom,
            named,
            start: options.multiline.compile()?,
            keyword_levels: options.keyword_levels,
            access_levels: options.access_levels,
        })
    }

    /// Understands the next line of a file (without its `\n` and a `\r` before it).
    pub fn line(&self, memory: &mut Memory, line: &[u8]) -> Line {
        self.inner_line(memory, line, wrap::unwrap(line))
    }

    fn inner_line(&self, memory: &mut Memory, line: &[u8], inner: Inner<'_>) -> Line {
        if let Some(format) = self.named {
            memory.seed(format);
        }
        if inner.wrapper != Wrapper::None && self.continues_partial(memory, &inner) {
            return continuation(Exception::None).within(&inner, line);
        }
        let found = self.text(memory, &inner.text);
        if matches!(inner.offset, Some(0)) { found } else { found.within(&inner, line) }
    }

    /// As [`Parser::line`], by a shorter way where the lane knows one: for the lines of a file one after another.
    /// `plain` promises that the line holds no escape byte (0x1b).
    #[inline]
    pub fn line_by(&self, lane: &mut Lane, memory: &mut Memory, line: &[u8], plain: bool) -> Line {
        if !plain || self.custom.is_some() || !matches!(self.start, Start::Auto) {
            return self.line(memory, line);
        }
        if record::concerns(memory, line) {
            return self.line_and_learn(lane, memory, line);
        }
        if self.named.is_none()
            && !self.keyword_levels
            && let Some((format, level, start)) = lane.two_words(line)
            && memory.is_settled_on(format)
            && trace::is_no_phrase(&line[start..])
        {
            // What `begin` would do with this header.
            memory.begin(Open::Headed, Trace::None);
            let message = Message::From(start as u32);
            return Line { role: Role::Start, level, message, exception: Exception::None };
        }
        if let Some(head) = lane.head(line).map(|head| self.without_status(head))
            && self.accepts(&head)
        {
            if let Some(format) = self.named {
                memory.seed(format);
            }
            return self.headed(memory, line, head);
        }
        self.line_and_learn(lane, memory, line)
    }

    #[inline(never)]
    fn line_and_learn(&self, lane: &mut Lane, memory: &mut Memory, line: &[u8]) -> Line {
        let inner = wrap::unwrap_plain(line);
        if inner.wrapper != Wrapper::None {
            if let Some(format) = self.named {
                memory.seed(format);
            }
            if self.continues_partial(memory, &inner) {
                return continuation(Exception::None).within(&inner, line);
            }
            lane.learn_record(line);
            return self.text_by(lane, memory, &inner.text).within(&inner, line);
        }
        let found = self.inner_line(memory, line, inner);
        if found.role == Role::Start {
            lane.learn(line, || detect::head(line));
        }
        found
    }

    /// As [`Parser::text`], by way of the lane.
    fn text_by(&self, lane: &mut Lane, memory: &mut Memory, text: &[u8]) -> Line {
        if !record::concerns(memory, text)
            && let Some(head) = lane.head(text).map(|head| self.without_status(head))
            && self.accepts(&head)
        {
            return self.headed(memory, text, head);
        }
        let found = self.text(memory, text);
        if found.role == Role::Start {
            lane.learn(text, || detect::head(text));
        }
        found
    }

    /// Whether a container's record goes on with the line that the stream's last record began.
    fn continues_partial(&self, memory: &mut Memory, inner: &Inner<'_>) -> bool {
        let bit = 1 << u8::from(inner.stderr);
        let continues = memory.partial & bit != 0;
        memory.partial = if inner.partial { memory.partial | bit } else { memory.partial & !bit };
        continues
    }

    fn text(&self, memory: &mut Memory, text: &[u8]) -> Line {
        if text.iter().all(|b| b.is_ascii_whitespace()) {
            return journal::blank(memory);
        }
        match &self.start {
            Start::Auto
                if self.custom.is_none() && self.named.is_none_or(|named| named == Format::Export) =>
            {
                if let Some(line) = journal::line(memory, text).or_else(|| record::line(memory, text)) {
                    return line;
                }
            }
            Start::Auto => {}
            Start::Off => return self.begin_with(memory, text),
            Start::Regex(regex) if regex.is_match(text) => return self.begin_with(memory, text),
            Start::Regex(_) => {
                let step = trace::step(memory.trace, text);
                memory.trace = step.trace;
                return continuation(step.exception);
            }
        }
        match self.head(text) {
            Some(head) => self.headed(memory, text, head),
            None => self.headless(memory, text),
        }
    }

    /// A line with a header of its own, as far as that is believed.
    fn headed(&self, memory: &mut Memory, text: &[u8], head: Head) -> Line {
        match head.strength {
            Strength::Part => {
                memory.dated = head.format == Format::Jul;
                memory.learn(&head);
                continuation(Exception::None)
            }
            Strength::Weak
                if !memory.dated
                    // No line of a trace has a timestamp, or a level in a column.
                    && (head.format != Format::Plain && trace::step(memory.trace, text).part == Part::Inside
                        || memory.trace == Trace::Named && head.trust != Trust::Sure
                        || !memory.takes_weak(&head)) =>
            {
                self.headless(memory, text)
            }
            _ => self.begin(memory, text, head),
        }
    }

    /// The line's own header, by the format that was chosen.
    fn head(&self, text: &[u8]) -> Option<Head> {
        if let Some(regex) = &self.custom {
            return options::custom_head(regex, text);
        }
        let head = detect::head(text).filter(|head| self.accepts(head))?;
        Some(self.without_status(head))
    }

    /// The header without the level that a status gives, where that is not wanted.
    fn without_status(&self, head: Head) -> Head {
        let status = head.by_status || matches!(head.format, Format::Access | Format::Haproxy);
        Head { level: head.level.filter(|_| self.access_levels || !status), ..head }
    }

    /// Whether a header is one of the format that was named, where its records have no other.
    fn accepts(&self, head: &Head) -> bool {
        self.named.is_none_or(|named| named.kind() != Kind::Record || named == head.format)
    }

    /// An event that its header begins.
    fn begin(&self, memory: &mut Memory, text: &[u8], mut head: Head) -> Line {
        if memory.dated {
            head.format = Format::Jul;
        }
        memory.learn(&head);
        let mut level = memory.believe(&head);
        let doubted = level == Level::Unknown || memory.is_active();
        if doubted
            && memory.may_place(head.format)
            && let Some(found) = memory.place(text, head.without)
        {
            (level, head.place, head.trust) = (found.level, found.place, Trust::Sure);
        }
        if level == Level::Unknown && head.trust != Trust::Sure {
            head.place = Place::From(head.without);
        }
        let message = head.place.of(text);
        if level == Level::Unknown && self.keyword_levels {
            level = keyword::level(message).unwrap_or(level);
        }
        let (mut exception, trace) = trace::first_line(message);
        if let Exception::Keep(range) | Exception::Replace(range) = &mut exception {
            let from = match head.place {
                Place::From(from) | Place::Within(from, _) | Place::Escaped(from, _) => from as u32,
            };
            *range = range.start + from..range.end + from;
        }
        if let Some((from, to)) = head.exception {
            exception = Exception::Keep(from as u32..to as u32);
        }
        memory.begin(Open::Headed, trace);
        let message = match head.place {
            Place::From(from) => Message::From(from as u32),
            Place::Within(from, to) => Message::Within(from as u32..to as u32),
            Place::Escaped(..) => Message::Decode,
        };
        Line { role: Role::Start, level, message, exception }
    }

    /// A line that starts an event by the config's word, with whatever its header says.
    fn begin_with(&self, memory: &mut Memory, text: &[u8]) -> Line {
        match self.head(text) {
            Some(head) => self.begin(memory, text, head),
            None => self.bare(memory, text, trace::step(trace::Trace::None, text)),
        }
    }

    /// Whether a line starts an event whatever stands before it: a place where a file may be split.
    pub fn starts_event(&self, _memory: &Memory, line: &[u8]) -> bool {
        let inner = wrap::unwrap(line);
        if inner.wrapper != Wrapper::None {
            // A record may go on with the line of the one before.
            return false;
        }
        let text: &[u8] = &inner.text;
        match &self.start {
            Start::Regex(regex) => !text.trim_ascii().is_empty() && regex.is_match(text),
            Start::Off => !text.trim_ascii().is_empty(),
            Start::Auto => {
                let strong = |head: Head| head.strength == Strength::Strong;
                // What is indented may be a line of a record, and a record's first line is none of an event.
                let inside = matches!(text.first(), Some(b' ' | b'\t')) || record::is_verbose(text);
                !inside && !journal::is_field(text) && self.head(text).is_some_and(strong)
            }
        }
    }

    /// The message of a line for which [`Parser::line`] returned [`Message::Decode`].
    pub fn message<'a>(&self, _memory: &Memory, line: &'a [u8], scratch: &'a mut Vec<u8>) -> &'a [u8] {
        let inner = wrap::unwrap(line);
        let place = self.head(&inner.text).map_or(Place::From(0), |head| head.place);
        let text = place.of(&inner.text);
        scratch.clear();
        match place {
            Place::Escaped(..) => escape::unescape(text, scratch),
            _ => scratch.extend_from_slice(text),
        }
        scratch
    }
}

fn continuation(exception: Exception) -> Line {
    Line { role: Role::Continuation, level: Level::Unknown, message: Message::From(0), exception }
}

impl Line {
    /// Moves what was found in the inner text to its place in the whole line.
    fn within(self, inner: &Inner<'_>, line: &[u8]) -> Line {
        let end = inner.offset.map_or(0, |offset| offset + inner.text.len());
        let to_end = end == line.len();
        let shift = inner.offset.unwrap_or(0) as u32;
        let message = match (inner.offset, self.message) {
            (None, _) | (_, Message::Decode) => Message::Decode,
            (Some(_), Message::From(from)) if to_end => Message::From(from + shift),
            (Some(_), Message::From(from)) => Message::Within(from + shift..end as u32),
            (Some(_), Message::Within(range)) => Message::Within(range.start + shift..range.end + shift),
        };
        let moved = |range: std::ops::Range<u32>| match inner.offset {
            Some(_) => Some(range.start + shift..range.end + shift),
            None => {
                let name = inner.text.get(range.start as usize..range.end as usize)?;
                let at = memchr::memmem::find(line, name)? as u32;
                Some(at..at + name.len() as u32)
            }
        };
        let exception = match self.exception {
            Exception::None => Exception::None,
            Exception::Replace(range) => moved(range).map_or(Exception::None, Exception::Replace),
            Exception::Keep(range) => moved(range).map_or(Exception::None, Exception::Keep),
        };
        Line { message, exception, ..self }
    }
}
