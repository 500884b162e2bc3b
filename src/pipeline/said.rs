//! What a match says: the texts of its captures and of the event's fields, by name.

use crate::parse::{Memory, Parser};
use regex::bytes::Captures;
use std::borrow::Cow;
use std::cell::RefCell;

/// Captures first, then fields of the line that the match stands in.
pub(super) struct Said<'a, 'f> {
    pub(super) parser: &'a Parser,
    pub(super) captures: Option<Captures<'a>>,
    pub(super) line: Option<(&'a Memory, &'a [u8])>,
    pub(super) field: RefCell<&'f mut Vec<u8>>,
}

impl Said<'_, '_> {
    /// The text of that name; none where the match lacks it.
    pub(super) fn of(&self, name: &str) -> Option<Cow<'_, str>> {
        if let Some(text) = self.captures.as_ref().and_then(|captures| captures.name(name)) {
            return Some(String::from_utf8_lossy(text.as_bytes()));
        }
        let (memory, line) = self.line?;
        let mut field = self.field.borrow_mut();
        let value = self.parser.field(memory, line, name, &mut field)?;
        Some(Cow::Owned(String::from_utf8_lossy(value).into_owned()))
    }
}
