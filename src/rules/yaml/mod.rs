//! YAML with places: text in, a serde type out, and every problem with its line and column at once.
//!
//! [`tree`] reads the text into nodes that know where they stand, [`de`] lets serde take them and goes on after an
//! error, [`At`] keeps a value's place for checks that come later, [`near`] suggests what was meant.

mod at;
mod de;
mod file;
mod flaw;
mod near;
mod schema;
mod tree;

pub use at::{At, Many, Pairs, Spot, Style};
pub use file::text_of;
pub use near::{nearest, suggestion};
pub use schema::{many_words, schema_of, words};

use crate::error::{Place, Problem};
use serde::de::DeserializeOwned;

/// More problems of one file than this are not listed; the first ones are what a person mends first.
pub const MAX_PROBLEMS: usize = 100;

/// Reads a YAML text. The value is there when the text could be understood apart from the problems reported:
/// what is wrong is left out of it.
pub fn read<T: DeserializeOwned>(file: &str, text: &str) -> (Option<T>, Vec<Problem>) {
    let mut problems = Vec::new();
    let value = match tree::parse(text, &mut problems) {
        Ok(root) => de::read(&root, &mut problems),
        Err(flaw) => {
            problems.push(flaw);
            None
        }
    };
    problems.sort_by_key(|flaw| (flaw.spot.line, flaw.spot.column));
    problems.dedup();
    problems.truncate(MAX_PROBLEMS);
    let problems = problems.into_iter().map(|flaw| flaw.into_problem(file)).collect();
    (value, problems)
}

/// A problem in a text whose file is not known here.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Flaw {
    spot: Spot,
    message: String,
    hint: Option<String>,
}

impl Flaw {
    fn new(spot: Spot, message: impl Into<String>) -> Flaw {
        Flaw { spot, message: message.into(), hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Flaw {
        self.hint = Some(hint.into());
        self
    }

    fn into_problem(self, file: &str) -> Problem {
        let place = Place::new(file, self.spot.line as usize, self.spot.column as usize);
        Problem { hint: self.hint, ..Problem::error(place, self.message) }
    }
}

#[cfg(test)]
mod tests;
