//! Serde's errors in plain words: what was found, what is expected, what was meant.

use super::Spot;
use super::near::{nearest, suggestion};
use serde::de::{self, Unexpected};
use std::fmt;

/// Serde's error, with the innermost value that it happened in.
#[derive(Debug, Default)]
pub(super) struct Error {
    pub(super) message: String,
    pub(super) hint: Option<String>,
    pub(super) at: Option<(usize, Spot)>,
    pub(super) missing: Option<&'static str>,
    /// It follows from one that was reported already.
    pub(super) silent: bool,
}

impl Error {
    pub(super) fn of(message: impl Into<String>) -> Error {
        Error { message: message.into(), ..Error::default() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Error {
        Error::of(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Error {
        let expected = plain(expected);
        let hint = Some(how_to_write(&expected, found).to_owned());
        Error { hint, ..Error::of(format!("found {}, expected {expected}", described(found))) }
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn de::Expected) -> Error {
        <Error as de::Error>::invalid_type(found, expected)
    }

    fn unknown_variant(found: &str, expected: &'static [&'static str]) -> Error {
        let message = format!("found `{}`, allowed: {}", shorten(found), expected.join(", "));
        let hint = nearest(found, expected.iter().copied()).map_or("choose one of them".to_owned(), meant);
        Error { hint: Some(hint), ..Error::of(message) }
    }

    fn unknown_field(found: &str, expected: &'static [&'static str]) -> Error {
        let hint = suggestion(found, expected.iter().copied());
        Error { hint, ..Error::of(format!("unknown key `{}`", shorten(found))) }
    }

    fn missing_field(field: &'static str) -> Error {
        let hint = Some(format!("add `{field}:` to this mapping"));
        Error { missing: Some(field), hint, ..Error::of(format!("`{field}` is missing")) }
    }
}

fn meant(word: &str) -> String {
    format!("did you mean `{word}`?")
}

fn described(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Map => "a mapping".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Unit => "nothing".to_owned(),
        Unexpected::Str(text) => format!("the text `{}`", shorten(text)),
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("the number {value}"),
        Unexpected::Signed(value) => format!("the number {value}"),
        Unexpected::Float(value) => format!("the number {value}"),
        other => other.to_string(),
    }
}

fn plain(expected: &dyn de::Expected) -> String {
    match expected.to_string().as_str() {
        "a string" => "a text".to_owned(),
        "f64" | "f32" => "a number".to_owned(),
        "u64" | "u32" | "usize" | "u16" | "u8" => "a whole number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        // Serde names a type of ours where a mapping with certain keys belongs.
        other if other.starts_with("struct ") => "a mapping".to_owned(),
        other => other.to_owned(),
    }
}

/// The next step for a value of the wrong shape.
fn how_to_write(expected: &str, found: Unexpected<'_>) -> &'static str {
    let empty = found == Unexpected::Unit;
    match expected {
        "a list" if empty => "leave the key out, or write `[]` for an empty list",
        "a list" if found == Unexpected::Map => "begin each entry of the list with `- `",
        "a list" => "write `[one, other]`, or each entry in a line of its own after `- `",
        "a mapping" => "write `key: value` in lines of their own, indented alike",
        "a text" if empty => "write a text behind it, or leave it out",
        "a text" => "write one text; between single quotes everything is one",
        "a whole number" => "write digits alone, such as 100",
        "a number" => "write digits, with a point where there is a fraction, such as 0.5",
        "true or false" => "write `true` or `false` without quotes, or leave the key out",
        other if other.starts_with("a label") => "a fixed text needs quotes here: `'7'`",
        other if other.contains("size") => "write a number and its unit, such as `64KiB`",
        _ => "write its keys in lines of their own, indented alike, or between `{` and `}`",
    }
}

/// Long or many-lined texts make unreadable messages.
pub(super) fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}
