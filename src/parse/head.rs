//! What a format's own header says of a line: the noun between the families and the parser.

use crate::level::Level;
use crate::parse::format::Format;

/// How sure a header makes it that the line begins an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strength {
    /// Whatever stands before it.
    Strong,
    /// Only where the file is known to be written so, or where nothing is known.
    Weak,
    /// A record that belongs to the one above it (PostgreSQL's `STATEMENT:`).
    Part,
}

/// How sure the level's place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Only a format puts a word so.
    Sure,
    /// A sentence may begin so too; it needs lines that agree.
    Likely,
    /// As `Likely`, and messages do often begin with this word: not believed without evidence.
    Doubtful,
    /// Only where the lines above, most of them, had their level at a place like this.
    Agreed,
}

/// Where the message stands, before the decision how to hand it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// From here to the end.
    From(usize),
    /// Between these two.
    Within(usize, usize),
    /// Between these two, with escapes to decode.
    Escaped(usize, usize),
}

impl Place {
    /// The bytes of `text` that the place names, still escaped.
    pub(super) fn of(self, text: &[u8]) -> &[u8] {
        let (from, to) = match self {
            Place::From(from) => (from, text.len()),
            Place::Within(from, to) | Place::Escaped(from, to) => (from, to),
        };
        text.get(from..to).unwrap_or_default()
    }
}

/// A header, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) format: Format,
    pub(super) level: Option<Level>,
    pub(super) trust: Trust,
    pub(super) strength: Strength,
    pub(super) place: Place,
    /// Where the message begins if the level is not believed.
    pub(super) without: usize,
    /// An exception type that the header's own fields name, as a range.
    pub(super) exception: Option<(usize, usize)>,
    /// The level is that of an access record's status.
    pub(super) by_status: bool,
}

impl Head {
    /// A strong header whose level, if any, is sure.
    pub(super) fn new(format: Format, level: Option<Level>, message: usize) -> Head {
        Head {
            format,
            level,
            trust: Trust::Sure,
            strength: Strength::Strong,
            place: Place::From(message),
            without: message,
            exception: None,
            by_status: false,
        }
    }

    /// The same, but weak.
    pub(super) fn weak(self) -> Head {
        Head { strength: Strength::Weak, ..self }
    }
}

/// The position of the first byte at or after `at` that is no blank.
pub(super) fn skip_blanks(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count()
}
