//! Where the problems of one rule file go, each with its place.

use super::names;
use super::yaml::{At, Spot};
use crate::error::{Place, Problem};

/// Collects problems of one file.
pub(super) struct Sink<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    pub(super) problems: Vec<Problem>,
    /// Where the text itself is broken: what is missing behind such a place may be there, but could not be read.
    pub(super) broken: Vec<(usize, usize)>,
}

impl Sink<'_> {
    /// Whether a value that begins at `from`, before `to`, was read without a problem.
    pub(super) fn is_whole(&self, from: Spot, to: Option<Spot>) -> bool {
        let start = (from.line as usize, from.column as usize);
        let end = to.map_or((usize::MAX, 0), |to| (to.line as usize, to.column as usize));
        !self.broken.iter().any(|place| (start..end).contains(place))
    }

    /// Whether this is a shipped pack: what could be better in one is for its tests, not for those who start the program.
    pub(super) fn is_shipped(&self) -> bool {
        self.file.starts_with("builtin:")
    }

    pub(super) fn place(&self, spot: Spot) -> Place {
        Place::new(self.file, spot.line as usize, spot.column as usize)
    }

    pub(super) fn error(&mut self, spot: Spot, message: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Problem::error(self.place(spot), message).hint(hint));
    }

    /// An error of what is missing in a line, unless something in it could not be read.
    pub(super) fn error_of_whole(&mut self, spot: Spot, message: &str, hint: &str) {
        if self.is_whole(spot, Some(Spot { line: spot.line + 1, column: 1, ..spot })) {
            self.error(spot, message, hint);
        }
    }

    pub(super) fn warning(&mut self, spot: Spot, message: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Problem::warning(self.place(spot), message).hint(hint));
    }

    /// An error at a byte of a text.
    pub(super) fn error_at(&mut self, text: &At<String>, byte: usize, message: String, hint: Option<String>) {
        let (line, column) = text.spot.of_byte(self.text, &text.value, byte);
        self.problems.push(Problem { hint, ..Problem::error(Place::new(self.file, line, column), message) });
    }

    /// A fault of a name; true when the name is refused.
    pub(super) fn fault(&mut self, spot: Spot, fault: names::Fault) -> bool {
        let place = self.place(spot);
        let problem = match fault.refused {
            true => Problem::error(place, fault.message),
            false => Problem::warning(place, fault.message),
        };
        self.problems.push(Problem { hint: fault.hint, ..problem });
        fault.refused
    }
}
