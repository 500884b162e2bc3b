//! Lines of the old syslog, with and without a priority in front: a timestamp of a known shape, a host, a tag.

use super::shape::Shape;
use crate::level::Level;
use crate::parse::head::skip_blanks;
use crate::parse::swar::{equal, first};
use crate::parse::{syslog, time, word};

/// The longest host or tag that is looked at, as in `syslog`.
const LONGEST: usize = 128;

/// What is known of such lines besides the shape of their timestamp and the blank behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// A priority stands before it.
    priority: bool,
    /// The shape ends before the host, which may be any; else behind it.
    hosts: bool,
}

/// The level that the priority says, if there is one, and where the message begins.
#[inline(always)]
pub(super) fn find(shape: &Shape, line: &[u8], layout: Layout) -> Option<(Option<Level>, usize)> {
    let (level, at) = if layout.priority { self::priority(line)? } else { (None, 0) };
    if !shape.fits(line.get(at..)?) {
        return None;
    }
    let mut tag = at + shape.len();
    if layout.hosts {
        tag = host(line, tag)?;
    }
    if !line.get(tag)?.is_ascii_alphabetic() {
        return None;
    }
    let end = blank(line, tag).filter(|end| line[*end] == b' ')?;
    let message = skip_blanks(line, end);
    // Another layout begins behind the tag, or a Cisco device's mnemonic, which holds a level.
    if !is_tag(line, tag, end) || matches!(line.get(message), Some(b'[' | b'%' | b'<')) {
        return None;
    }
    Some((level, if line[end - 1] == b':' { message } else { tag }))
}

#[inline(always)]
fn blank(line: &[u8], from: usize) -> Option<usize> {
    first(line, from, line.len().min(from + LONGEST), |text| equal(text, b' ') | equal(text, b'\t'))
}

/// Where the tag begins behind the host at `from`.
#[inline(always)]
fn host(line: &[u8], from: usize) -> Option<usize> {
    let end = blank(line, from).filter(|end| line[*end] == b' ')?;
    is_host(line, from, end).then_some(end + 1)
}

/// The level of a line's priority, and where that ends.
#[inline(always)]
fn priority(line: &[u8]) -> Option<(Option<Level>, usize)> {
    let (number, at) = match line {
        [b'<', a, b'>', ..] => ([b'0', b'0', *a], 3),
        [b'<', a, b, b'>', ..] => ([b'0', *a, *b], 4),
        [b'<', a, b, c, b'>', ..] => ([*a, *b, *c], 5),
        _ => return None,
    };
    let digits = number.iter().all(u8::is_ascii_digit);
    let number = number.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit.wrapping_sub(b'0')));
    (digits && number < 192).then(|| (Some(word::syslog(number)), at))
}

/// Whether a word cannot be but a host: no level, no tag of a program that names no host, no facility, no pair.
#[inline(always)]
fn is_host(line: &[u8], from: usize, end: usize) -> bool {
    let name = &line[from..end];
    let [first, .., last] = name else { return false };
    let small = first.is_ascii_lowercase() || first.is_ascii_digit();
    let letters = || name.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    let plain = small || first.is_ascii_uppercase() && word::level(&name[..letters()]).is_none();
    let pair = memchr::memchr(b'=', name).is_some();
    plain && !pair && !matches!(last, b':' | b']') && is_no_facility(line, from, end)
}

#[inline(always)]
fn is_no_facility(line: &[u8], from: usize, end: usize) -> bool {
    // A facility's name has at most eight letters.
    let dot = first(line, from, end.min(from + 9), |text| equal(text, b'.'));
    dot.is_none() || syslog::facility(&line[from..end]).is_none()
}

/// Whether a word is a program's name, perhaps with its process in brackets and a colon: none that tells a level or
/// another layout.
#[inline(always)]
fn is_tag(line: &[u8], from: usize, end: usize) -> bool {
    let name = &line[from..end];
    // HAProxy's lines are requests; Kerberos' tags end with a level.
    let known = name[0] == b'h' && name.starts_with(b"haproxy") || name.ends_with(b"):");
    // F5's severity stands where the tag is looked for.
    let known = known || word::level(name).is_some();
    let closed = name.ends_with(b"]:") || first(line, from, end, |text| equal(text, b'[')).is_none();
    !known && closed && is_no_facility(line, from, end)
}

/// The beginning of a line of the old syslog, with its host unless it may be of one of many `hosts`.
pub(super) fn of(line: &[u8], hosts: bool) -> Option<(Shape, Layout)> {
    let priority = line.first() == Some(&b'<');
    let from = if priority { self::priority(line)?.1 } else { 0 };
    let stamp = time::stamp(line, from).filter(|stamp| stamp.shape == time::Shape::Bsd)?;
    if line.get(stamp.end) != Some(&b' ') {
        return None;
    }
    let end = if hosts { stamp.end + 1 } else { host(line, stamp.end + 1)? };
    let digits = 0..stamp.end - from;
    let shape = Shape::new(&line[from..end], std::slice::from_ref(&digits))?;
    Some((shape, Layout { priority, hosts }))
}
