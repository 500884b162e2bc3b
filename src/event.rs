//! What one line says: the noun that `parse` hands to `pipeline`.
//!
//! A line starts an event or continues the one above it. Nothing here owns text: offsets point into the line.

use crate::level::Level;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What a line is to the events of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// The first line of an event.
    Start,
    /// A further line of the open event; without an open event, a line that is counted and nothing else.
    Continuation,
}

/// Where an event's message stands in its first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// From this offset to the end of the line.
    From(u32),
    /// These bytes of the line, as they are.
    Within(Range<u32>),
    /// It must be decoded first (escapes, colour codes): ask the parser for it.
    Decode,
}

/// An exception type that a line names, as a range of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exception {
    /// None is named here.
    None,
    /// The type that counts for the event unless a later line names another (Python prints the outermost last).
    Replace(Range<u32>),
    /// The type that counts for the event unless one was named before (Java prints the outermost first).
    Keep(Range<u32>),
}

/// One line, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Start or continuation.
    pub role: Role,
    /// The event's level; meaningless for a continuation.
    pub level: Level,
    /// Where the message stands; for a continuation the whole line.
    pub message: Message,
    /// The exception type that this line names.
    pub exception: Exception,
}
