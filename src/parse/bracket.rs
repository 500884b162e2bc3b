//! Fields in brackets: where they end and the level they may hold.

use crate::level::Level;
use crate::parse::word;

/// The longest field in brackets that can stand before a level.
const LONGEST_FIELD: usize = 200;

/// The bracket that closes the one at `open`, nested ones skipped; `None` where the field is too long.
pub(super) fn closing(text: &[u8], open: usize) -> Option<usize> {
    let (left, right) = match text.get(open)? {
        b'(' => (b'(', b')'),
        b'<' => (b'<', b'>'),
        _ => (b'[', b']'),
    };
    let mut depth = 0usize;
    for (i, byte) in text[open..].iter().take(LONGEST_FIELD).enumerate() {
        if *byte == left {
            depth += 1;
        } else if *byte == right {
            depth -= 1;
            if depth == 0 {
                return Some(open + i);
            }
        }
    }
    None
}

/// The level in a bracketed field: alone, or as the first or last part of one like `core:error` and `ERROR/Main`.
/// MySQL's `[System]` and Ruby's `[ANY]` are levels too.
pub(super) fn bracket_level(content: &[u8]) -> Option<Option<Level>> {
    let content = content.trim_ascii();
    if let [letter @ (b'D' | b'I' | b'W' | b'E' | b'F' | b'C')] = content {
        return Some(word::letter(*letter));
    }
    if content.len() > 60 || content.len() < 3 {
        return None;
    }
    if let Some(level) = word::level(content) {
        return Some(Some(level));
    }
    if content == b"System" {
        return Some(Some(Level::Info));
    }
    let is_part = |b: &u8| matches!(b, b':' | b'/' | b'|');
    let last = content.rsplit(is_part).next()?;
    if last.len() < content.len() {
        if let Some(level) = word::level(last.trim_ascii()) {
            return Some(Some(level));
        }
        let first = content.split(is_part).next()?.trim_ascii();
        if word::is_upper(first) {
            return word::level(first).map(Some);
        }
    }
    // Apache's trace1 to trace8.
    match last {
        [b't', b'r', b'a', b'c', b'e', b'1'..=b'8'] => Some(Some(Level::Trace)),
        _ => None,
    }
}
