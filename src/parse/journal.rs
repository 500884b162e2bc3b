//! journald's export format: a record is lines of `FIELD=value` from `__CURSOR=` to a blank line, its severity one of them.
//!
//! The level is known at `PRIORITY=`, so the event begins there, or at the blank line where the record has none; the
//! lines before belong to it no less, but are passed over as those above a level always are.

use crate::event::{Exception, Line, Message, Role};
use crate::level::Level;
use crate::parse::continuation;
use crate::parse::format::Format;
use crate::parse::head::Head;
use crate::parse::memory::{Memory, Open};
use crate::parse::trace::Trace;
use crate::parse::word;

const FIRST: &[u8] = b"__CURSOR=";

/// What a line of a record is; `None` where no record is open and none begins, or the line is no field.
#[inline]
pub(super) fn line(memory: &mut Memory, text: &[u8]) -> Option<Line> {
    let inside = matches!(memory.open, Open::Record | Open::Recorded);
    if inside || text.starts_with(FIRST) { field(memory, text) } else { None }
}

fn field(memory: &mut Memory, text: &[u8]) -> Option<Line> {
    if text.starts_with(FIRST) {
        memory.learn(&Head::new(Format::Export, None, 0));
        memory.begin(Open::Record, Trace::None);
        return Some(continuation(Exception::None));
    }
    if !is_field(text) {
        return None;
    }
    match text.strip_prefix(b"PRIORITY=") {
        Some([digit @ b'0'..=b'7']) if memory.open == Open::Record => {
            Some(begun(memory, word::syslog(u32::from(digit - b'0'))))
        }
        _ => Some(continuation(Exception::None)),
    }
}

/// Whether a line may be a record's: a name in capitals, and its value.
pub(super) fn is_field(text: &[u8]) -> bool {
    let name = text.iter().take(64).take_while(|b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'_')).count();
    name > 0 && text.get(name) == Some(&b'=')
}

/// A blank line: the end of a record, which is an event though it had no severity.
pub(super) fn blank(memory: &mut Memory) -> Line {
    let open = memory.open;
    let line =
        if open == Open::Record { begun(memory, Level::Unknown) } else { continuation(Exception::None) };
    if matches!(open, Open::Record | Open::Recorded) {
        memory.begin(Open::Headed, Trace::None);
    }
    line
}

fn begun(memory: &mut Memory, level: Level) -> Line {
    memory.begin(Open::Recorded, Trace::None);
    Line { role: Role::Start, level, message: Message::From(0), exception: Exception::None }
}
