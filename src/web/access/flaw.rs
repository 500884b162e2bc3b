//! `serde_yaml`'s errors in plain words: the place, what was found, what was meant.

use std::path::Path;

use serde_yaml::Error;

use crate::error::{Place, Problem};
use crate::rules::yaml::suggestion;

/// The problem that an error of `file` is.
pub(super) fn problem(file: &Path, error: &Error) -> Problem {
    let (line, column) = error.location().map_or((0, 0), |at| (at.line(), at.column()));
    let place = Place::new(file, line, column);
    let text = error.to_string();
    // The place is told by itself.
    let text = match text.rfind(" at line ") {
        Some(at) if text[at..].lines().count() == 1 => &text[..at],
        _ => &text,
    };
    let text = plain(text);
    if let Some((path, found, allowed)) = unknown_field(&text) {
        let found: String = found.chars().take(60).collect();
        let problem = Problem::error(place, format!("{path}unknown key `{found}`"));
        return match suggestion(&found, allowed.iter().copied()) {
            Some(hint) => problem.hint(hint),
            None => problem,
        };
    }
    match text.split_once('\n') {
        Some((message, hint)) if !hint.is_empty() => Problem::error(place, message).hint(hint),
        Some((message, _)) => Problem::error(place, message),
        None => Problem::error(place, text),
    }
}

/// The path before it, the key, and the keys that are known, of serde's message on an unknown field.
fn unknown_field(text: &str) -> Option<(&str, &str, Vec<&str>)> {
    let at = text.find("unknown field `")?;
    let rest = &text[at + "unknown field `".len()..];
    let end = rest.rfind("`, expected ").map(|_| rest.find("`, expected "))??;
    let (found, rest) = (&rest[..end], &rest[end + 1..]);
    let allowed = rest.split('`').skip(1).step_by(2).collect();
    Some((&text[..at], found, allowed))
}

/// Serde's words for kinds of values, as users would say them.
fn plain(text: &str) -> String {
    let text = match text.split_once("duplicate field ") {
        Some((path, field)) => format!("{path}{field} stands twice"),
        None => text.to_owned(),
    };
    let Some(at) = text.find("invalid type: ") else { return text };
    let (path, rest) = text.split_at(at);
    let rest = &rest["invalid type: ".len()..];
    let Some((found, expected)) = rest.rsplit_once(", expected ") else { return text };
    let found = match found.split_once(' ') {
        _ if found == "sequence" => "a list".to_owned(),
        _ if found == "map" => "a mapping".to_owned(),
        _ if found == "unit value" => "nothing".to_owned(),
        Some(("string", value)) => format!("the text {}", value.chars().take(60).collect::<String>()),
        Some(("integer", value)) => format!("the number {value}"),
        Some(("floating", value)) => format!("the number {}", value.trim_start_matches("point ")),
        Some(("boolean", value)) => value.to_owned(),
        _ => found.to_owned(),
    };
    let expected = match expected {
        "u32" => "a whole number",
        "a boolean" => "true or false",
        "a string" => "a text",
        other => other,
    };
    format!("{path}found {found}, expected {expected}")
}
