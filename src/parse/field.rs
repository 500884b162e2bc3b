//! Named fields of structured lines.

use crate::parse::wrap;
use crate::parse::{Memory, Parser, access, escape, json, logfmt};
use std::borrow::Cow;

impl Parser {
    /// The value of `path` in a JSON line (parts joined by dots), a logfmt line or an access line; numbers and
    /// booleans are their text, nested objects their JSON.
    pub fn field<'a>(
        &self,
        _memory: &Memory,
        line: &'a [u8],
        path: &str,
        scratch: &'a mut Vec<u8>,
    ) -> Option<&'a [u8]> {
        let inner = wrap::unwrap(line);
        let (from, to, escaped) = find(&inner.text, path)?;
        match inner.text {
            Cow::Borrowed(text) if !escaped => text.get(from..to),
            ref text => {
                scratch.clear();
                let value = text.get(from..to)?;
                if escaped {
                    escape::unescape(value, scratch);
                } else {
                    scratch.extend_from_slice(value);
                }
                Some(scratch)
            }
        }
    }
}

fn find(text: &[u8], path: &str) -> Option<(usize, usize, bool)> {
    if text.first() == Some(&b'{') {
        let value = json::lookup(text, 0, path.as_bytes())?;
        return Some((value.from, value.to, value.string && value.escaped));
    }
    if let Some((from, to)) = access::field(text, path) {
        return Some((from, to, false));
    }
    logfmt::lookup(text, path.as_bytes())
}
