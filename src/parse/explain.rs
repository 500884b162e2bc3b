//! What was understood of a line, in words for people.

use crate::event::{Line, Role};
use crate::level::Level;
use crate::parse::format::Format;
use crate::parse::head::{Strength, Trust};
use crate::parse::wrap::{self, Wrapper};
use crate::parse::{Memory, Parser};

/// One line, explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The format of the line's own header, `Unknown` without one.
    pub format: Format,
    /// What `line` returns for it.
    pub line: Line,
    /// Why it is a start or a continuation, and why its level is believed or not.
    pub why: &'static str,
}

impl Parser {
    /// Explains the next line of a file whose memory before it is `memory`.
    pub fn explain(&self, memory: &Memory, line: &[u8]) -> Explained {
        let mut after = memory.clone();
        let found = self.line(&mut after, line);
        let inner = wrap::unwrap(line);
        let head = self.head(&inner.text);
        let format = match (head, inner.wrapper) {
            (Some(head), _) => head.format,
            (None, Wrapper::Cri) => Format::Cri,
            (None, Wrapper::Docker) => Format::Docker,
            (None, Wrapper::None) => Format::Unknown,
        };
        let why = match (found.role, head) {
            (Role::Continuation, _) if inner.text.trim_ascii().is_empty() => {
                "a blank line belongs to the event above"
            }
            (Role::Continuation, Some(head)) if head.strength == Strength::Part => {
                "its header says it belongs to an event"
            }
            (Role::Continuation, Some(_)) => "its header is too weak in a file of another layout",
            (Role::Continuation, None) => "no header: it belongs to the event above",
            (Role::Start, _)
                if found.level != Level::Unknown && head.is_none_or(|head| head.level.is_none()) =>
            {
                "the level stands where the lines above have it"
            }
            (Role::Start, None) => "no header, and the file's events have none or are one line each",
            (Role::Start, Some(head)) if head.level.is_none() => "its header has no level",
            (Role::Start, Some(head)) if head.trust == Trust::Sure => {
                "the level stands where its header puts it"
            }
            (Role::Start, Some(_)) if found.level == Level::Unknown => {
                "the first word may be the message's: other lines of the file have no level there"
            }
            (Role::Start, Some(_)) => "the level stands where the file's other lines have it",
        };
        Explained { format, line: found, why }
    }
}
