//! A rule as the scanner needs it: expressions, veto, level filter, and what they look at.

use crate::level::Levels;

/// What a rule's expressions look at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Target {
    /// The event's message.
    #[default]
    Message,
    /// The raw line, without its end.
    Line,
    /// A field of a structured event, by its path (`a.b` reaches into nested JSON).
    Field(String),
}

/// A rule's matching half. Expressions are in the syntax of the `regex` crate and search, they are not anchored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// `group/rule`, for messages.
    pub name: String,
    /// Any of these matches; the first in this order that does gives the captures.
    pub any: Vec<String>,
    /// Where this matches what the rule looks at, the rule does not.
    pub not: Option<String>,
    /// Events of other levels are not looked at.
    pub levels: Levels,
    /// What the expressions look at.
    pub target: Target,
}
