//! What containers and terminals wrap around a line: CRI's and Docker's records, and colour codes.

use crate::parse::{steps, time};
use std::borrow::Cow;

/// A line as its program wrote it.
pub(super) struct Inner<'a> {
    pub(super) text: Cow<'a, [u8]>,
    /// Where `text` begins in the line, if it stands there as it is.
    pub(super) offset: Option<usize>,
    pub(super) wrapper: Wrapper,
    /// The stream was standard error.
    pub(super) stderr: bool,
    /// The program's line goes on in the next record of this stream.
    pub(super) partial: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrapper {
    None,
    Cri,
    Docker,
}

/// Takes wrapper and colours off.
pub(super) fn unwrap(line: &[u8]) -> Inner<'_> {
    wrapped(line).unwrap_or_else(|| uncoloured(bare(line)))
}

/// The same for a line that holds no escape byte (0x1b).
pub(super) fn unwrap_plain(line: &[u8]) -> Inner<'_> {
    wrapped(line).unwrap_or_else(|| bare(line))
}

fn wrapped(line: &[u8]) -> Option<Inner<'_>> {
    let inner = match line.first()? {
        b'0'..=b'9' => cri(line),
        b'{' => docker(line),
        _ => None,
    };
    // Docker writes the escape byte as `\u001b`.
    inner.map(uncoloured)
}

fn bare(line: &[u8]) -> Inner<'_> {
    Inner {
        text: Cow::Borrowed(line),
        offset: Some(0),
        wrapper: Wrapper::None,
        stderr: false,
        partial: false,
    }
}

fn uncoloured(mut inner: Inner<'_>) -> Inner<'_> {
    if memchr::memchr(0x1b, &inner.text).is_some() {
        inner.text = Cow::Owned(uncolour(&inner.text));
        inner.offset = None;
    }
    inner
}

/// Kubernetes' `2026-11-20T12:00:00.000000000Z stdout F text`.
fn cri(line: &[u8]) -> Option<Inner<'_>> {
    if line.get(10) != Some(&b'T') {
        return None;
    }
    let end = time::iso(line, 0)?;
    let rest = line.get(end..)?;
    let stderr = rest.starts_with(b" stderr ");
    if !stderr && !rest.starts_with(b" stdout ") {
        return None;
    }
    let tags = rest.get(8..)?;
    let length = memchr::memchr(b' ', tags).unwrap_or(tags.len());
    let partial = match tags[..length].split(|b| *b == b':').next()? {
        b"F" => false,
        b"P" => true,
        _ => return None,
    };
    let from = (end + 8 + length + 1).min(line.len());
    Some(Inner {
        text: Cow::Borrowed(&line[from..]),
        offset: Some(from),
        wrapper: Wrapper::Cri,
        stderr,
        partial,
    })
}

/// Docker's `{"log":"text\n","stream":"stdout","time":"…"}`, also from those who copy it with blanks between its parts.
fn docker(line: &[u8]) -> Option<Inner<'_>> {
    let rest = parts(line, [b"{", b"\"log\"", b":", b"\""])?;
    let from = line.len() - rest.len();
    let mut end = 0;
    let mut escaped = false;
    // A record that ends a line ends with an escaped newline; without one the line goes on in the next record.
    let mut newline = false;
    loop {
        let length = memchr::memchr2(b'"', b'\\', rest.get(end..)?);
        steps::passed(length.unwrap_or(rest.len() - end));
        end += length?;
        if rest[end] == b'"' {
            break;
        }
        newline = rest[end..].starts_with(b"\\n\"");
        escaped |= !newline && !rest[end..].starts_with(b"\\r\\n\"");
        end += 2;
    }
    let stream = rest.get(end..)?;
    let stream = parts(stream, [b"\"", b",", b""])?;
    let name = parts(stream, [b"\"stream\"", b":", b""]);
    let stderr = name.is_some_and(|name| name.starts_with(b"\"stderr\""));
    if !stderr
        && !name.is_some_and(|name| name.starts_with(b"\"stdout\""))
        && parts(stream, [b"\"attrs\"", b":"]).is_none()
    {
        return None;
    }
    let partial = !newline;
    let mut text = &rest[..if newline { end - 2 } else { end }];
    if !escaped {
        text = text.strip_suffix(b"\\r").unwrap_or(text);
    }
    let wrapper = Wrapper::Docker;
    if !escaped {
        return Some(Inner { text: Cow::Borrowed(text), offset: Some(from), wrapper, stderr, partial });
    }
    let mut plain = Vec::with_capacity(text.len());
    crate::parse::escape::unescape(text, &mut plain);
    if plain.last() == Some(&b'\r') {
        plain.pop();
    }
    Some(Inner { text: Cow::Owned(plain), offset: None, wrapper, stderr, partial })
}

/// What comes after the parts of a record that `text` begins with; blanks may stand between them.
fn parts<'a, const N: usize>(text: &'a [u8], parts: [&[u8]; N]) -> Option<&'a [u8]> {
    parts.into_iter().try_fold(text, |rest, part| {
        let blanks = rest.iter().take(2).take_while(|b| **b == b' ').count();
        rest[blanks..].strip_prefix(part)
    })
}

/// The text without terminal control sequences.
pub(super) fn uncolour(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(0x1b, rest) {
        steps::passed(at);
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let length = match rest.first() {
            Some(b'[') => {
                rest.iter().skip(1).position(|b| (0x40..=0x7e).contains(b)).map_or(rest.len(), |n| n + 2)
            }
            Some(b']') => memchr::memchr(7, &rest[..rest.len().min(256)]).map_or(1, |n| n + 1),
            Some(_) => 1,
            None => 0,
        };
        steps::passed(length);
        rest = &rest[length..];
    }
    out.extend_from_slice(rest);
    out
}
