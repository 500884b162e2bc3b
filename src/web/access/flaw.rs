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
    let text = text.replace("EOF while parsing a value", "the file ends too early");
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
