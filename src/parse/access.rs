//! Access logs: Common and Combined, with a virtual host in front, and HAProxy's HTTP lines. The level is the status's.

use crate::level::Level;
use crate::parse::format::Format;
use crate::parse::head::Head;
use crate::parse::steps;
use crate::parse::time::{self, Shape};

/// The parts of a Common Log Format line, as ranges.
pub(super) struct Access {
    pub(super) client: (usize, usize),
    pub(super) user: (usize, usize),
    pub(super) time: (usize, usize),
    pub(super) request: (usize, usize),
    pub(super) status: (usize, usize),
    pub(super) size: (usize, usize),
    pub(super) rest: usize,
}

/// How far into a line its timestamp may stand.
const LONGEST_PREFIX: usize = 256;

/// Takes an access line apart; `None` for any other line.
pub(super) fn parts(text: &[u8]) -> Option<Access> {
    let head = text.get(..text.len().min(LONGEST_PREFIX))?;
    let open = memchr::memchr_iter(b'[', head).find(|at| *at > 0 && head[at - 1] == b' ')?;
    let stamp = time::stamp(text, open + 1).filter(|s| matches!(s.shape, Shape::Clf | Shape::Date))?;
    if text.get(stamp.end) != Some(&b']') {
        return None;
    }
    let mut words = head[..open].split(|b| *b == b' ').filter(|w| !w.is_empty());
    let client = words.next()?;
    let user = words.next_back().unwrap_or(client);
    let quote = stamp.end + 2;
    if text.get(stamp.end + 1..quote + 1) != Some(b" \"") {
        return None;
    }
    let end = quoted_end(text, quote + 1)?;
    let status = (end + 2, end + 5);
    let digits = text.get(status.0..status.1)?;
    if !digits.iter().all(u8::is_ascii_digit) || text.get(status.1).is_some_and(|b| *b != b' ') {
        return None;
    }
    let size = status.1 + 1;
    let rest = text.get(size..).unwrap_or_default();
    let size_end = size + memchr::memchr(b' ', rest).unwrap_or(rest.len());
    Some(Access {
        client: (0, client.len()),
        user: (open - 1 - user.len(), open - 1),
        time: (open + 1, stamp.end),
        request: (quote + 1, end),
        status,
        size: (size.min(text.len()), size_end.min(text.len())),
        rest: size_end.min(text.len()),
    })
}

pub(super) fn quoted_end(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let length = memchr::memchr2(b'"', b'\\', text.get(at..)?);
        steps::passed(length.unwrap_or(text.len() - at));
        at += length?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// The level of an HTTP status.
pub(super) fn status_level(status: &[u8]) -> Level {
    match status.first() {
        Some(b'5') => Level::Error,
        Some(b'4') => Level::Warning,
        _ => Level::Info,
    }
}

/// The header of an access line; the message begins with the request.
pub(super) fn head(text: &[u8]) -> Option<Head> {
    let parts = parts(text)?;
    let level = status_level(&text[parts.status.0..parts.status.1]);
    Some(Head::new(Format::Access, Some(level), parts.request.0 - 1))
}

/// Access lines without the Common Log Format's brackets around the time, or without a time: uvicorn's below gunicorn
/// (`127.0.0.1:1 - "GET / HTTP/1.1" 200`) and php-fpm's (`127.0.0.1 -  20/Nov/2026:12:00:00 +0000 "GET /" 200`).
pub(super) fn bare(text: &[u8]) -> Option<Head> {
    let head = text.get(..text.len().min(LONGEST_PREFIX))?;
    let quote = memchr::memchr(b'"', head)?;
    let client = memchr::memchr(b' ', head)?;
    let address = head[..client].iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b'.' | b':'));
    let between = head.get(client..quote)?.strip_prefix(b" - ")?;
    let time = between.trim_ascii_start();
    let dated = || time::stamp(time, 0).is_some_and(|s| s.shape == Shape::Clf && s.end + 1 == time.len());
    if !address || !(time.is_empty() || dated()) {
        return None;
    }
    quoted_request(text, quote)
}

/// The header of a line whose request stands in quotes from `quote` on, its status behind.
pub(super) fn quoted_request(text: &[u8], quote: usize) -> Option<Head> {
    let end = quoted_end(text, quote + 1)?;
    let rest = text.get(end + 1..)?.strip_prefix(b" ")?;
    // Envoy writes 0 where there was no answer.
    let status = rest.get(..if rest.starts_with(b"0 ") { 1 } else { 3 })?;
    let ends = rest.get(status.len()).is_none_or(|b| *b == b' ');
    (ends && status.iter().all(u8::is_ascii_digit))
        .then(|| Head::new(Format::Access, Some(status_level(status)), quote))
}

/// The level of HAProxy's HTTP line, whose message begins at `at`: the status is the first three-digit word behind
/// the timers `10/0/30/69/109`.
pub(super) fn haproxy(text: &[u8], at: usize) -> Option<Head> {
    let rest = text.get(at..)?;
    let open = memchr::memmem::find(rest.get(..rest.len().min(64))?, b" [")? + at + 2;
    let stamp = time::stamp(text, open).filter(|s| s.shape == Shape::Clf)?;
    let mut words = text.get(stamp.end..)?.split(|b| *b == b' ').skip(1);
    let timers = words.by_ref().take(4).find(|w| w.iter().filter(|b| **b == b'/').count() == 4)?;
    let status = words.next()?;
    let http = timers.first().is_some_and(|b| b.is_ascii_digit() || *b == b'-')
        && status.len() == 3
        && status.iter().all(u8::is_ascii_digit);
    http.then(|| Head::new(Format::Haproxy, Some(status_level(status)), at))
}

/// The value of a named field: the names of nginx and of Apache's modules.
pub(super) fn field(text: &[u8], name: &str) -> Option<(usize, usize)> {
    let parts = parts(text)?;
    let request = &text[parts.request.0..parts.request.1];
    let word = |n: usize| -> Option<(usize, usize)> {
        let from =
            request.split(|b| *b == b' ').take(n).map(|w| w.len() + 1).sum::<usize>() + parts.request.0;
        let length = request.split(|b| *b == b' ').nth(n)?.len();
        Some((from, from + length))
    };
    match name {
        "client" | "remote_addr" | "clientip" | "host" => Some(parts.client),
        "user" | "remote_user" | "auth" => Some(parts.user),
        "time" | "time_local" | "timestamp" => Some(parts.time),
        "request" => Some(parts.request),
        "method" | "request_method" | "verb" => word(0),
        "path" | "uri" | "request_uri" | "url" => word(1),
        "protocol" | "http_version" | "server_protocol" => word(2),
        "status" | "response" => Some(parts.status),
        "bytes" | "size" | "body_bytes_sent" => Some(parts.size),
        "referer" | "http_referer" | "referrer" => quoted(text, parts.rest, 0),
        "agent" | "user_agent" | "http_user_agent" => quoted(text, parts.rest, 1),
        _ => None,
    }
}

fn quoted(text: &[u8], from: usize, skip: usize) -> Option<(usize, usize)> {
    let mut at = from;
    for n in 0..=skip {
        let open = at + memchr::memchr(b'"', text.get(at..)?)? + 1;
        let end = quoted_end(text, open)?;
        if n == skip {
            return Some((open, end));
        }
        at = end + 1;
    }
    None
}
