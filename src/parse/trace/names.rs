//! Names of exception types: where one stands at the start of a text, and which names are an error's.

use crate::parse::bytes::Bytes;

/// The length of the type's name at the start of `text`, where a colon, or nothing, follows it.
pub(in crate::parse) fn type_name(text: &[u8]) -> Option<usize> {
    let first = *text.first()?;
    if !(first.is_ascii_alphabetic() || first == b'_' || first >= 0x80 || first == b'\\') {
        return None;
    }
    static PART: Bytes = Bytes::words_and(b"_.$<>\\+`", true);
    let part = |b: &u8| PART.has(*b);
    let mut length = text.iter().take(256).take_while(|b| part(b)).count();
    while text.get(length..)?.starts_with(b"::") && text.get(length + 2).is_some_and(part) {
        length += 2 + text[length + 2..].iter().take(256).take_while(|b| part(b)).count();
        if length > 512 {
            return None;
        }
    }
    let name = &text[..length];
    if name.ends_with(b".") {
        return None;
    }
    match text.get(length..)? {
        [b':'] | [b':', b' ' | b'\t', ..] => Some(length),
        [] | [b'\r'] => (is_dotted(name) || first.is_ascii_uppercase()).then_some(length),
        _ => None,
    }
}

pub(super) fn is_dotted(name: &[u8]) -> bool {
    name.iter().any(|b| matches!(b, b'.' | b'\\' | b':' | b'$'))
}

fn last_part(name: &[u8]) -> &[u8] {
    name.rsplit(|b| matches!(b, b'.' | b'\\' | b':' | b'$')).next().unwrap_or_default()
}

/// A name that is an error's: its last part is a class whose name says so.
pub(super) fn is_error_class(name: &[u8]) -> bool {
    [&b"Exception"[..], b"Error", b"Throwable"].iter().any(|end| name.ends_with(end))
        && last_part(name).first().is_some_and(u8::is_ascii_uppercase)
}

/// A name that is an error's, or a class with its package.
pub(super) fn is_class(name: &[u8]) -> bool {
    let last = last_part(name);
    is_error_class(name)
        || is_dotted(name) && name.len() > last.len() && last.first().is_some_and(u8::is_ascii_uppercase)
}

/// Whether a line begins with an error's name and a colon: what follows is its message, whatever it looks like.
pub(in crate::parse) fn is_error_line(text: &[u8]) -> bool {
    type_name(text).is_some_and(|length| length < text.len() && is_error_class(&text[..length]))
}

/// A name behind words that announce a type: a class by its capital, whatever its name ends with.
pub(super) fn is_thrown(name: &[u8]) -> bool {
    last_part(name).first().is_some_and(|b| b.is_ascii_uppercase() || *b >= 0x80)
}

/// As [`type_name`] for a class, also with Node's code behind it: `TypeError [ERR_X]: text`.
pub(super) fn coded_type(text: &[u8]) -> Option<usize> {
    let length = match type_name(text) {
        Some(length) => length,
        None => {
            let length = memchr::memmem::find(text.get(..text.len().min(160))?, b" [")?;
            let code = text[length + 2..].iter().take(80).position(|b| *b == b']')?;
            let colon = text[length + 2 + code..].starts_with(b"]:");
            let name =
                text[..length].iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'$'));
            (colon && name && length > 0).then_some(length)?
        }
    };
    is_thrown(&text[..length]).then_some(length)
}
