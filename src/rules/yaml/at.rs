//! Values that remember where they were written, and mappings in the order they were written.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// How a text is written, which decides where its bytes stand in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "YAML's own words")]
pub enum Style {
    #[default]
    Plain,
    Single,
    Double,
    /// After `|`.
    Block,
    /// After `>`.
    Folded,
}

/// Where a value starts: its line, its column in characters (both from 1), and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "said above")]
pub struct Spot {
    pub line: u32,
    pub column: u32,
    pub style: Style,
}

impl Spot {
    /// The start of a file.
    pub const START: Spot = Spot { line: 1, column: 1, style: Style::Plain };

    /// The line and column of byte `offset` of a value, given the file's text. Exact for texts on one line and for
    /// blocks after `|`; for the rest the value's start.
    pub fn of_byte(self, source: &str, value: &str, offset: usize) -> (usize, usize) {
        let start = (self.line as usize, self.column as usize);
        let before = value.get(..offset).unwrap_or(value);
        let Some(first) = source.lines().nth(self.line as usize - 1) else { return start };
        match self.style {
            Style::Plain if first.chars().skip(start.1 - 1).collect::<String>().starts_with(before) => {
                (start.0, start.1 + before.chars().count())
            }
            Style::Single if !before.contains('\n') => {
                (start.0, start.1 + 1 + before.chars().map(|c| if c == '\'' { 2 } else { 1 }).sum::<usize>())
            }
            Style::Double => {
                let written = first.chars().skip(start.1);
                (start.0, start.1 + 1 + double_quoted_width(written, before.chars().count()))
            }
            // The place of a block is that of its first line's text, and all its lines are indented alike.
            Style::Block => {
                let within = before.rsplit('\n').next().unwrap_or(before).chars().count();
                (start.0 + before.matches('\n').count(), start.1 + within)
            }
            Style::Plain | Style::Single | Style::Folded => start,
        }
    }
}

/// Characters that the first `count` characters of a double-quoted text take as written.
fn double_quoted_width(mut written: impl Iterator<Item = char>, count: usize) -> usize {
    let mut width = 0;
    for _ in 0..count {
        match written.next() {
            None => break,
            Some('\\') => {
                let more = match written.next() {
                    Some('x') => 2,
                    Some('u') => 4,
                    Some('U') => 8,
                    _ => 0,
                };
                for _ in 0..more {
                    written.next();
                }
                width += 2 + more;
            }
            Some(_) => width += 1,
        }
    }
    width
}

/// A value and where it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it starts.
    pub spot: Spot,
}

/// The name and fields by which a value asks [`super::de`] for its place.
pub(super) const AT: &str = "$at";
pub(super) const AT_FIELDS: &[&str] = &["$spot", "$value"];

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Take<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Take<T> {
            type Value = At<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value with its place")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<At<T>, A::Error> {
                let missing = || serde::de::Error::custom("a value without its place");
                let (line, column, style) = seq.next_element::<(u32, u32, u32)>()?.ok_or_else(missing)?;
                let value = seq.next_element()?.ok_or_else(missing)?;
                let style = match style {
                    1 => Style::Single,
                    2 => Style::Double,
                    3 => Style::Block,
                    4 => Style::Folded,
                    _ => Style::Plain,
                };
                Ok(At { value, spot: Spot { line, column, style } })
            }
        }
        deserializer.deserialize_struct(AT, AT_FIELDS, Take(PhantomData))
    }
}

/// A mapping with keys of the user's own, in the order they were written.
#[derive(Clone, Debug)]
pub struct Pairs<T>(pub Vec<(At<String>, T)>);

impl<T> Default for Pairs<T> {
    fn default() -> Pairs<T> {
        Pairs(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Take<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Take<T> {
            type Value = Pairs<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<T>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    pairs.push(entry);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Take(PhantomData))
    }
}

/// One value or a list of them.
#[derive(Clone, Debug)]
pub struct Many<T>(pub Vec<T>);

/// The name by which a list asks [`super::de`] to take a single value for a list of one.
pub(super) const MANY: &str = "$many";

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Take<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Take<T> {
            type Value = Many<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or a list of them")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Many<T>, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = seq.next_element()? {
                    values.push(value);
                }
                Ok(Many(values))
            }
        }
        deserializer.deserialize_struct(MANY, &[], Take(PhantomData))
    }
}
