//! Stack traces: which lines belong to one, and which exception type they name.
//!
//! A small state walks over the lines that have no header. Python names the outermost exception last, so each one
//! found replaces the one before; everybody else names it first.

mod first;
mod lines;
mod names;

pub(super) use first::{first_line, is_no_phrase};
pub(super) use lines::{is_excerpt, is_stack_line};
pub(super) use names::{is_error_line, type_name};

use crate::event::Exception;
use crate::parse::steps;
use first::first_words;
use lines::{is_go_line, is_rust_line};
use names::{coded_type, is_class, is_error_class};
use serde::{Deserialize, Serialize};

/// Where in a stack trace the file stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Trace {
    #[default]
    None,
    /// Inside Python's frames; the type's line is still to come.
    Python,
    /// Behind the line of the type.
    PythonEnd,
    /// Behind `During handling of …`: another traceback follows.
    PythonChain,
    /// Inside an exception group.
    Group,
    /// Behind the group's own type.
    GroupEnd,
    /// Inside a traceback drawn in a box.
    Box,
    /// Frames of Java, .NET, Node, Ruby or PHP.
    Stack,
    /// Node's excerpt of the source, before its error.
    Excerpt,
    /// A Go panic and its goroutines.
    Go,
    /// Behind Rust's `panicked at`: its message follows.
    RustMessage,
    /// Behind that message.
    Rust,
    /// Behind a type's line that frames may follow; its message may go on before them.
    Named,
    /// Behind a type that words announced, so that frames must follow: so many lines may be its message's.
    StackMessage(u8),
    /// Behind Go's `panic: ` or `fatal error: `: so many lines may be its message's.
    GoMessage(u8),
}

/// What a line without a header is to the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// It belongs to the trace above.
    Inside,
    /// It begins a trace.
    Start,
    /// It is neither.
    Other,
}

/// The answer for one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) trace: Trace,
    pub(super) part: Part,
    pub(super) exception: Exception,
}

impl Trace {
    /// Words of its own say that a program ends here, or a thread: an event, whatever was logged before.
    pub(super) fn is_announced(self) -> bool {
        matches!(
            self,
            Trace::Excerpt | Trace::Go | Trace::GoMessage(_) | Trace::StackMessage(_) | Trace::RustMessage
        )
    }
}

impl Step {
    fn inside(trace: Trace) -> Step {
        Step { trace, part: Part::Inside, exception: Exception::None }
    }

    fn start(trace: Trace) -> Step {
        Step { trace, part: Part::Start, exception: Exception::None }
    }
}

/// Lines that the message of an announced exception may have behind its first one.
const MOST_MESSAGE: u8 = 8;

const TRACEBACK: &[u8] = b"Traceback (most recent call last)";
const GROUP: &[u8] = b"+ Exception Group Traceback (most recent call last)";

/// Takes one line that is not blank and has no header.
pub(super) fn step(trace: Trace, text: &[u8]) -> Step {
    steps::passed(text.len());
    let indented = matches!(text.first(), Some(b' ' | b'\t'));
    match trace {
        Trace::Python | Trace::Group | Trace::GroupEnd | Trace::Box => python(trace, text, indented),
        Trace::PythonEnd | Trace::PythonChain => python_end(trace, text, indented),
        Trace::Stack
            if indented && !text.trim_ascii_start().starts_with(GROUP)
                || text == b"}"
                || is_stack_line(text) =>
        {
            Step::inside(Trace::Stack)
        }
        Trace::Named => match begin(text, indented) {
            Step { part: Part::Other, .. } if indented => Step::inside(Trace::Stack),
            Step { part: Part::Other, .. } => Step { trace, part: Part::Other, exception: Exception::None },
            step => step,
        },
        Trace::StackMessage(left) => message(text, indented, left, Trace::Stack, Trace::StackMessage),
        Trace::GoMessage(left) => message(text, indented, left, Trace::Go, Trace::GoMessage),
        Trace::Excerpt if indented => Step::inside(Trace::Excerpt),
        Trace::Excerpt => thrown(text),
        Trace::Go if text.starts_with(b"fatal error: ") => {
            Step { exception: keep(0, 11), ..Step::inside(Trace::GoMessage(MOST_MESSAGE)) }
        }
        Trace::Go if is_go_line(text, indented) => Step::inside(Trace::Go),
        Trace::RustMessage => Step::inside(Trace::Rust),
        Trace::Rust if indented || is_rust_line(text) => Step::inside(Trace::Rust),
        _ => begin(text, indented),
    }
}

/// A line between an announced exception and its first frame.
fn message(text: &[u8], indented: bool, left: u8, frames: Trace, more: fn(u8) -> Trace) -> Step {
    let framed = match frames {
        Trace::Go => text.starts_with(b"goroutine ") || text.starts_with(b"runtime stack:"),
        _ => is_stack_line(text) || indented,
    };
    let announced = || !matches!(first_words(text).1, Trace::None | Trace::Stack | Trace::Named);
    match left.checked_sub(1) {
        _ if framed => Step::inside(frames),
        Some(left) if !announced() => Step::inside(more(left)),
        _ => begin(text, indented),
    }
}

/// Node's error below the excerpt of its source, or whatever else was thrown.
fn thrown(text: &[u8]) -> Step {
    if let (exception @ Exception::Keep(_), Trace::Stack) = first_words(text) {
        return Step { exception, ..Step::inside(Trace::Stack) };
    }
    let exception = coded_type(text).map_or(Exception::None, |length| keep(0, length));
    Step { exception, ..Step::inside(Trace::StackMessage(MOST_MESSAGE)) }
}

fn python(trace: Trace, text: &[u8], indented: bool) -> Step {
    if indented && text.trim_ascii_start().starts_with(GROUP) && trace != Trace::GroupEnd {
        return Step::inside(Trace::Group);
    }
    if trace == Trace::Group
        && let Some(rest) = text.strip_prefix(b"  | ")
        && let Some(length) = type_name(rest)
    {
        return named(4, length, Trace::GroupEnd);
    }
    let frame = match trace {
        Trace::Box => text.starts_with(b"\xe2\x94") || text.starts_with(b"\xe2\x95"),
        Trace::Python => text.first() == Some(&b'>') || text.starts_with(TRACEBACK),
        _ => false,
    };
    if indented || frame {
        return Step::inside(trace);
    }
    if matches!(trace, Trace::Python | Trace::Box)
        && let Some(length) = type_name(text)
    {
        return named(0, length, Trace::PythonEnd);
    }
    python_end(Trace::PythonEnd, text, indented)
}

fn named(from: u32, length: usize, trace: Trace) -> Step {
    let to = from.saturating_add(u32::try_from(length).unwrap_or(0));
    Step { exception: Exception::Replace(from..to), ..Step::inside(trace) }
}

fn python_end(trace: Trace, text: &[u8], indented: bool) -> Step {
    let chained = text.starts_with(b"During handling of the above")
        || text.starts_with(b"The above exception was the direct");
    if chained {
        return Step::inside(Trace::PythonChain);
    }
    if trace == Trace::PythonChain {
        let next = begin(text, indented);
        if matches!(next.trace, Trace::Python | Trace::Group | Trace::Box) {
            return Step::inside(next.trace);
        }
        return Step::inside(trace);
    }
    if indented && !text.trim_ascii_start().starts_with(GROUP) {
        return Step::inside(trace);
    }
    begin(text, indented)
}

/// A line outside of any trace.
fn begin(text: &[u8], indented: bool) -> Step {
    if indented {
        let rest = text.trim_ascii_start();
        return if rest.starts_with(GROUP) {
            Step::start(Trace::Group)
        } else if text.starts_with(b"  File \"") && memchr::memmem::find(text, b"\", line ").is_some() {
            Step::start(Trace::Python)
        } else if is_stack_line(rest) {
            Step::inside(Trace::Stack)
        } else if let Some(length) = type_name(rest).filter(|n| is_error_class(&rest[..*n])) {
            // .NET indents the whole event.
            Step { exception: keep(text.len() - rest.len(), length), ..Step::inside(Trace::Stack) }
        } else {
            Step { part: Part::Other, ..Step::start(Trace::None) }
        };
    }
    if text.starts_with(TRACEBACK) {
        return Step::start(Trace::Python);
    }
    if is_stack_line(text) {
        return Step::inside(Trace::Stack);
    }
    if text.starts_with(b"\xe2\x95\xad") && memchr::memmem::find(text, TRACEBACK).is_some() {
        return Step::start(Trace::Box);
    }
    // What Julia's loggers draw below a message.
    if text.starts_with("│ ".as_bytes()) || text.starts_with("└ @ ".as_bytes()) {
        return Step::inside(Trace::Stack);
    }
    if is_excerpt(text) {
        return Step::start(Trace::Excerpt);
    }
    if text.starts_with(b"note: run with `RUST_BACKTRACE") || text == b"stack backtrace:" {
        return Step::inside(Trace::Rust);
    }
    if text.starts_with(b"#<Thread:") && memchr::memmem::find(text, b" terminated with exception").is_some() {
        return Step::start(Trace::Excerpt);
    }
    if text.starts_with(b"runtime: goroutine stack exceeds ") {
        return Step::start(Trace::Go);
    }
    let (exception, trace) = first_line(text);
    if trace != Trace::None {
        return Step { exception, ..Step::start(trace) };
    }
    match type_name(text) {
        Some(length) if is_class(&text[..length]) => {
            Step { exception: keep(0, length), ..Step::start(Trace::Named) }
        }
        _ => Step { part: Part::Other, ..Step::start(Trace::None) },
    }
}

fn keep(from: usize, length: usize) -> Exception {
    match (u32::try_from(from), u32::try_from(from + length)) {
        (Ok(from), Ok(to)) => Exception::Keep(from..to),
        _ => Exception::None,
    }
}
