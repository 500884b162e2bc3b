//! Writers whose levels mean what no other's do, known by how their records begin.

use super::{Pairs, member};
use crate::level::Level;
use crate::parse::word;

/// Whether a record is Nextcloud's or ownCloud's.
pub(super) fn is_nextcloud(text: &[u8]) -> bool {
    begins(text, &[("reqId", None)])
}

/// Whether the first keys of an object are these, with strings as values.
fn begins(text: &[u8], keys: &[(&str, Option<&str>)]) -> bool {
    let Some(mut pairs) = Pairs::new(text, 0) else { return false };
    keys.iter().all(|(key, value)| {
        pairs.step().is_some_and(|pair| {
            let is = |from: usize, to: usize, wanted: &str| text.get(from..to) == Some(wanted.as_bytes());
            let has_value = value.is_none_or(|wanted| is(pair.value.from, pair.value.to, wanted));
            is(pair.key.0, pair.key.1, key) && pair.value.string && has_value
        })
    })
}

/// Their levels, numbers that begin with the least.
pub(super) fn nextcloud(digit: u8) -> Option<Level> {
    Some(match digit {
        b'0' => Level::Debug,
        b'1' => Level::Info,
        b'2' => Level::Warning,
        b'3' => Level::Error,
        b'4' => Level::Critical,
        _ => return None,
    })
}

/// Kibana's level before its version 8, one of its tags.
pub(super) fn kibana(text: &[u8]) -> Option<Level> {
    let own = begins(text, &[("type", Some("log")), ("@timestamp", None)]);
    let tags = own.then(|| member(text, 0, b"tags")).flatten()?;
    let mut tags = text[tags.from..tags.to].split(|b| matches!(b, b'[' | b']' | b','));
    tags.find_map(|tag| word::level(tag.strip_prefix(b"\"")?.strip_suffix(b"\"")?))
}

/// MySQL's error log as JSON, by its priority, which is only one beside an error's code.
pub(super) fn mysql(text: &[u8]) -> Option<Level> {
    let priority = member(text, 0, b"prio")?;
    member(text, 0, b"err_code")?;
    Some(match &text[priority.from..priority.to] {
        b"0" | b"3" => Level::Info,
        b"1" => Level::Error,
        b"2" => Level::Warning,
        _ => return None,
    })
}
