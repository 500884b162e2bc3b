//! Escapes of JSON and logfmt strings, decoded.

use crate::parse::steps;

/// Appends the string whose escapes are in `escaped`; what is no valid escape stays as it is.
pub(super) fn unescape(escaped: &[u8], out: &mut Vec<u8>) {
    let mut rest = escaped;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        steps::passed(at);
        out.extend_from_slice(&rest[..at]);
        let Some(&kind) = rest.get(at + 1) else {
            rest = &rest[at..];
            break;
        };
        let mut used = 2;
        match kind {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => out.push(b'\r'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'"' | b'\\' | b'/' | b'\'' => out.push(kind),
            b'u' => match unicode(&rest[at..]) {
                Some((c, length)) => {
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    used = length;
                }
                None => out.extend_from_slice(b"\\u"),
            },
            other => out.extend_from_slice(&[b'\\', other]),
        }
        rest = &rest[at + used..];
    }
    out.extend_from_slice(rest);
}

/// The character of `\uXXXX`, or of a pair of surrogates, and the escape's length.
fn unicode(text: &[u8]) -> Option<(char, usize)> {
    let unit = |at: usize| -> Option<u32> {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let high = unit(0)?;
    if (0xd800..0xdc00).contains(&high) {
        let low = unit(6).filter(|low| (0xdc00..0xe000).contains(low));
        return Some(match low {
            Some(low) => (char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))?, 12),
            None => (char::REPLACEMENT_CHARACTER, 6),
        });
    }
    Some((char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), 6))
}
