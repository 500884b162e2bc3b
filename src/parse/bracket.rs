//! Fields in brackets: where they end and the level they may hold.

use crate::level::Level;
use crate::parse::bytes::Bytes;
use crate::parse::swar::{equal, first};
use crate::parse::word;

/// The longest field in brackets that can stand before a level.
const LONGEST_FIELD: usize = 200;

/// The bracket that closes the one at `open`, nested ones skipped; `None` where none stands there, or the field is too long.
pub(super) fn closing(text: &[u8], open: usize) -> Option<usize> {
    let (left, right) = match text.get(open)? {
        b'(' => (b'(', b')'),
        b'<' => (b'<', b'>'),
        b'[' => (b'[', b']'),
        _ => return None,
    };
    // Most hold no bracket of their own.
    let most = text.len().min(open + LONGEST_FIELD);
    let next = first(text, open + 1, most, |text| equal(text, left) | equal(text, right))?;
    if text[next] == right {
        return Some(next);
    }
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

/// The bracket that closes the one at `open`, where the field holds no level in any way that one may be written: it has
/// neither blanks nor separators, no bracket of its own, and does not look like a level's word.
#[inline]
pub(super) fn plain_field(text: &[u8], open: usize) -> Option<usize> {
    const PLAIN: Bytes = Bytes::words_and(b"._-$@+=,*%&~^!?;'", true);
    static TABLE: Bytes = PLAIN;
    if text.get(open) != Some(&b'[') {
        return None;
    }
    let content = text.get(open + 1..)?;
    let length = content.iter().take(LONGEST_FIELD - 2).take_while(|b| TABLE.has(**b)).count();
    let content = &content[..length];
    let closed = text.get(open + 1 + length) == Some(&b']') && length > 1;
    let traced = length == 6 && content.starts_with(b"trace");
    let level = content == b"System" || word::level(content).is_some() || dashed(content).is_some();
    (closed && !traced && !level).then_some(open + 1 + length)
}

/// The level in front of Duplicati's tag, `Warning-Duplicati.Library.Main-Reason`, and the letter between dashes that
/// one of spdlog's patterns has, `---W---`.
fn dashed(content: &[u8]) -> Option<Level> {
    if let [b'-', b'-', b'-', letter, b'-', b'-', b'-'] = content {
        return word::letter(*letter).filter(|_| letter.is_ascii_uppercase());
    }
    let length = content.iter().take(12).position(|b| *b == b'-')?;
    let (word, tag) = content.split_at(length);
    let titled =
        word.first()?.is_ascii_uppercase() && tag.get(1)?.is_ascii_uppercase() && tag.contains(&b'.');
    if titled { word::header(word) } else { None }
}

/// The level in a bracketed field: alone, or as the first or last part of one like `core:error` and `ERROR/Main`.
/// MySQL's `[System]` and Ruby's `[ANY]` are levels too.
pub(super) fn bracket_level(content: &[u8]) -> Option<Option<Level>> {
    let content = content.trim_ascii();
    if let [letter @ (b'D' | b'I' | b'W' | b'E' | b'F' | b'C')] = content {
        return Some(word::letter(*letter));
    }
    // ONNX' `[W:onnxruntime:, x.cc:1 f]`.
    if let [letter @ (b'V' | b'I' | b'W' | b'E' | b'F'), b':', rest @ ..] = content
        && rest.contains(&b':')
    {
        return Some(word::letter(*letter));
    }
    if let Some(level) = dashed(content) {
        return Some(Some(level));
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
    // Twisted's namespace stands before a `#`, which a channel's name begins with.
    let is_part = |b: &u8| matches!(b, b':' | b'/' | b'|' | b'#');
    let last = content.rsplit(is_part).next()?;
    if last.len() < content.len() && content[0] != b'#' {
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
