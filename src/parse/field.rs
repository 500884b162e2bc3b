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
        let value = lookup(text, 0, path.as_bytes())?;
        return Some((value.from, value.to, value.string && value.escaped));
    }
    if let Some((from, to)) = access::field(text, path) {
        return Some((from, to, false));
    }
    logfmt::lookup(text, path.as_bytes())
}

/// The value at `path`, whose parts may hold dots themselves; strings still escaped.
fn lookup(text: &[u8], at: usize, path: &[u8]) -> Option<json::Value> {
    let mut pairs = json::Pairs::new(text, at)?;
    while let Some(pair) = pairs.step() {
        let key = &text[pair.key.0..pair.key.1];
        if key == path {
            return Some(pair.value);
        }
        if let Some(rest) = path.strip_prefix(key)
            && let Some(rest) = rest.strip_prefix(b".")
            && let Some(value) = lookup(text, pair.value.from, rest)
        {
            return Some(value);
        }
    }
    None
}
