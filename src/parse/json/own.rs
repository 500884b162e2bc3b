//! Writers whose levels mean what no other's do, known by how their records begin.

use super::member;
use crate::level::Level;
use crate::parse::word;

/// Whether a record is Nextcloud's or ownCloud's.
pub(super) fn is_nextcloud(text: &[u8]) -> bool {
    text.starts_with(b"{\"reqId\":\"")
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
    let own = text.starts_with(b"{\"type\":\"log\",\"@timestamp\":\"");
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
