//! Records of requests that are not written in the Common Log Format: Django's and Envoy's with the time alone in
//! brackets, uWSGI's, gin's, Squid's, IIS's, and those of Amazon's balancers and buckets. The level is the status's.

use crate::parse::access::{quoted_request, status_level};
use crate::parse::format::Format;
use crate::parse::head::{Head, skip_blanks};
use crate::parse::time::{self, Shape, Stamp};

const METHODS: [&[u8]; 8] = [b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"PROPFIND"];

/// How far into a line its request may begin.
const LONGEST_HEAD: usize = 400;

/// `[20/Nov/2026 12:00:00] "GET / HTTP/1.1" 200 1`, `[2026-11-20T12:00:00.000Z] "GET / HTTP/1.1" 200 - 0 12`; the timestamp
/// ends at `end`.
pub(super) fn bracketed(text: &[u8], end: usize) -> Option<Head> {
    text.get(end..)?.starts_with(b"] \"").then(|| quoted_request(text, end + 2)).flatten()
}

/// gin's `[GIN] 2026/11/20 - 12:00:00 | 200 |  1.2ms | 10.0.0.1 | GET "/"`.
pub(super) fn gin(text: &[u8]) -> Option<Head> {
    let stamp = text.starts_with(b"[GIN] ").then(|| time::stamp(text, 6)).flatten()?;
    let rest =
        text.get(stamp.end..)?.strip_prefix(b" | ").or_else(|| text[stamp.end..].strip_prefix(b" |"))?;
    let from = skip_blanks(rest, 0);
    let status = whole_status(rest.get(from..)?.split(|b| matches!(b, b' ' | b'|')).next()?)?;
    Some(Head::new(Format::Access, Some(status_level(status)), text.len() - rest.len() + from))
}

/// uWSGI's `[pid: 1|app: 0|req: 1/1] 10.0.0.1 () {…} [date] GET / => generated 2 bytes in 3 msecs (HTTP/1.1 200) …`.
pub(super) fn uwsgi(text: &[u8]) -> Option<Head> {
    text.strip_prefix(b"[pid: ")?;
    let end = memchr::memmem::rfind(text, b" => generated ")?;
    let rest = &text[end..];
    let open = memchr::memmem::find(rest, b" (HTTP/")?;
    let status = rest.get(open + 7..)?.split(|b| *b == b' ').nth(1)?.strip_suffix(b")")?;
    let level = status_level(whole_status(status)?);
    // The request stands behind the date.
    let date = memchr::memmem::find(text.get(..LONGEST_HEAD.min(end))?, b"} [").map_or(0, |at| at + 3);
    let request = memchr::memchr(b']', &text[date..end]).map_or(0, |at| skip_blanks(text, date + at + 1));
    Some(Head::new(Format::Access, Some(level), request))
}

/// A record of a request behind a timestamp in numbers.
pub(super) fn behind_stamp(text: &[u8], stamp: Stamp) -> Option<Head> {
    if stamp.shape == Shape::Epoch {
        return squid(text, stamp.end);
    }
    if text.get(stamp.end) != Some(&b' ') {
        return None;
    }
    // Only numbers end them.
    let numbered = text.last().is_some_and(u8::is_ascii_digit);
    if numbered && let Some(head) = iis(text, stamp.end) {
        return Some(head);
    }
    balanced_behind(text, stamp.end)
}

/// Squid's `1700000000.123   45 10.0.0.1 TCP_MISS/200 123 GET http://host/ - HIER_DIRECT/10.0.0.2 text/html`.
fn squid(text: &[u8], end: usize) -> Option<Head> {
    let mut words = text.get(end..)?.split(|b| *b == b' ').filter(|word| !word.is_empty());
    let taken = words.next()?;
    words.next()?;
    let result = words.next()?;
    let slash = memchr::memchr(b'/', result)?;
    let code = result[..slash].iter().all(|b| b.is_ascii_uppercase() || *b == b'_');
    let numeric = taken.iter().all(|b| b.is_ascii_digit() || *b == b'-');
    let level = status_level(
        whole_status(&result[slash + 1..]).or((&result[slash + 1..] == b"000").then_some(b"0"))?,
    );
    (slash > 0 && code && numeric).then(|| Head::new(Format::Access, Some(level), skip_blanks(text, end)))
}

/// IIS's fields as they are by default: `… GET /path query 443 user 10.0.0.1 agent referer 200 0 0 15`.
fn iis(text: &[u8], end: usize) -> Option<Head> {
    let rest = text.get(end..)?;
    let mut first = rest.split(|b| *b == b' ').skip(1).take(5);
    first.find(|word| METHODS.contains(word))?;
    let numeric = |word: &&[u8]| !word.is_empty() && word.iter().all(u8::is_ascii_digit);
    let mut last = rest.rsplit(|b| *b == b' ').take_while(numeric);
    let (mut numbers, mut count) = ([&b""[..]; 8], 0);
    for slot in &mut numbers {
        let Some(word) = last.next() else { break };
        *slot = word;
        count += 1;
    }
    // Status, its two parts, then the time taken, with bytes sent and received before it.
    let status = match count {
        3 => numbers[2],
        4 => numbers[3],
        6 => numbers[5],
        _ => return None,
    };
    Some(Head::new(Format::Access, Some(status_level(whole_status(status)?)), skip_blanks(text, end)))
}

/// Behind a word, as Amazon's application balancers put the protocol: `https 2026-11-20T12:00:00.000000Z app/…`; or the
/// records of buckets, whose owner and name stand before the time.
pub(super) fn balanced(text: &[u8]) -> Option<Head> {
    let word = memchr::memchr(b' ', text.get(..text.len().min(100))?)?;
    match time::iso(text, word + 1) {
        Some(end) => balanced_behind(text, end),
        None => bucket(text),
    }
}

/// An Amazon balancer's record: three times in seconds, and the balancer's and the target's status behind them.
fn balanced_behind(text: &[u8], end: usize) -> Option<Head> {
    let head = text.get(end..text.len().min(end + LONGEST_HEAD))?;
    let quote = memchr::memchr(b'"', head)?;
    let mut words = head[..quote].split(|b| *b == b' ').skip(1);
    // The balancer, the client and the target.
    words.nth(2)?;
    let seconds = |word: &[u8]| {
        word == b"-1" || word.contains(&b'.') && word.iter().all(|b| b.is_ascii_digit() || *b == b'.')
    };
    let timed = seconds(words.next()?) && seconds(words.next()?) && seconds(words.next()?);
    let status = whole_status(words.next()?)?;
    timed.then(|| Head::new(Format::Access, Some(status_level(status)), end + quote))
}

/// `owner bucket [20/Nov/2026:12:00:00 +0000] 10.0.0.1 user id REST.GET.OBJECT key "GET /key HTTP/1.1" 200 …`.
fn bucket(text: &[u8]) -> Option<Head> {
    let head = text.get(..text.len().min(LONGEST_HEAD))?;
    let open = memchr::memmem::find(head, b" [")? + 2;
    let stamp = time::stamp(text, open).filter(|stamp| stamp.shape == Shape::Clf)?;
    let quote = stamp.end + memchr::memchr(b'"', head.get(stamp.end..)?)?;
    let between = &head[stamp.end..quote];
    let request = between.starts_with(b"] ") && between.ends_with(b" ");
    request.then(|| quoted_request(text, quote)).flatten()
}

/// Requests without quotes, with the time they took: morgan's `GET /cart 502 1.2 ms - 7`, its `10.0.0.1 - GET /cart
/// HTTP/1.1 502 7 - 1.2 ms`, Koa's `  --> GET /cart 502 1ms 7b`.
pub(super) fn unquoted(text: &[u8]) -> Option<Head> {
    let line = text.get(..text.len().min(LONGEST_HEAD))?;
    let mut at = skip_blanks(line, 0);
    // The client and its user, or the arrow.
    for n in 0..3 {
        let word = line[at..].split(|b| *b == b' ').next()?;
        if METHODS.contains(&word) {
            break;
        }
        let fits = n == 0 && is_address(word) || n == 2 || matches!(word, b"-" | b"-->" | b"xxx");
        at = fits.then(|| skip_blanks(line, at + word.len()))?;
    }
    let method = line[at..].split(|b| *b == b' ').next()?;
    if !METHODS.contains(&method) || !line[at + method.len()..].starts_with(b" /") {
        return None;
    }
    let mut words = line[at..].split(|b| *b == b' ').skip(2);
    let mut status = words.next()?;
    if status.starts_with(b"HTTP/") {
        status = words.next()?;
    }
    let status = whole_status(status)?;
    let timed = words.take(4).any(|word| word.ends_with(b"ms") || word == b"s");
    timed.then(|| Head::new(Format::Access, Some(status_level(status)), at))
}

fn is_address(word: &[u8]) -> bool {
    word.len() > 2 && word.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b'.' | b':'))
}

fn whole_status(word: &[u8]) -> Option<&[u8]> {
    matches!(word, [b'1'..=b'5', a, b] if a.is_ascii_digit() && b.is_ascii_digit()).then_some(word)
}
