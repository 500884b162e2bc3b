//! Whole headers that were met before: what stands between a timestamp and the message, byte by byte but for the digits
//! of numbers, and what the grammar found in it.
//!
//! The grammar would find the same again behind any timestamp of that shape. All it looks at is the header itself, which
//! ends behind the level and whatever brackets and names it passed over, and how the message begins: that this tells
//! nothing is asked of each line. Which digits a number has tells nothing either, unless it touches a letter (`DEBUG1`,
//! `trace8`, `LOG5`, `0x`) or an angle bracket (`<0.12.0>`), or belongs to a mnemonic (`%SYS-5-CONFIG:`).

use crate::parse::bracket::closing;
use crate::parse::detect;
use crate::parse::format::Format;
use crate::parse::head::{Head, Place, Strength, Trust, skip_blanks};
use crate::parse::opening;
use crate::parse::swar::{bits, equal, first};

/// The longest header that is remembered.
const LONGEST: usize = 96;
/// Words that a header may have, and one more.
const MOST_WORDS: u8 = 16;
/// How many numbers of words are tried.
pub(super) const COUNTS: usize = 3;
/// Headers that are remembered at a time.
const PLACES: usize = 1024;

/// The headers, each at the place of its number or at that place's neighbour; the eldest of three of a number is lost.
#[derive(Clone, Debug, Default)]
pub(super) struct Headers {
    /// Empty until there is something to remember.
    places: Vec<Header>,
}

#[derive(Clone, Copy, Debug)]
struct Header {
    text: Masked,
    length: usize,
    /// The timestamp before it.
    stamp: u32,
    ends: Ends,
    head: Head,
}

/// What may follow a header so that it is no more of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// A message that [`is_plain`] or begins as [`is_no_logger`] says.
    Open,
    /// The same but for names with a colon: what is remembered holds a bracket that the message begins with.
    Bracket,
    /// Anything that [`is_apart`]: it ends by itself, and not even a name with a separator would be taken for a part of it.
    Closed,
}

impl Ends {
    #[inline(always)]
    fn before(self, message: &[u8]) -> bool {
        match self {
            Ends::Closed => is_apart(message),
            Ends::Open => is_plain(message) || is_no_logger(message),
            Ends::Bracket => is_plain(message),
        }
    }

    /// How the header of a line ends that reaches to the first of these places, and where what is remembered ends.
    fn of(line: &[u8], end: usize, head: &Head) -> Option<(Ends, usize)> {
        if line.get(end) == Some(&b'[') {
            let behind = skip_blanks(line, closing(line, end)? + 1);
            return is_plain(&line[behind..]).then_some((Ends::Bracket, behind));
        }
        let open = head.level.is_some() && Ends::Open.before(&line[end..]);
        let closed = || is_apart(&line[end..]) && is_closed(&line[..end], head);
        let ends = if open { Ends::Open } else { Ends::Closed };
        (open || closed()).then_some((ends, end))
    }
}

/// The bytes in which a header may stand, the one before it first.
type Near = [u8; LONGEST + 2];

/// A header with a zero for each digit that tells nothing, eight bytes in a machine word.
type Masked = [u64; LONGEST / 8];

/// The bytes from `from - 1` on, filled up with blanks.
#[inline(always)]
fn near<'a>(text: &'a [u8], from: usize, room: &'a mut Near) -> Option<&'a Near> {
    let rest = text.get(from.checked_sub(1)?..)?;
    Some(match rest.first_chunk() {
        Some(near) => near,
        None => {
            room[..rest.len()].copy_from_slice(rest);
            room
        }
    })
}

/// Where words begin behind blanks, a bit for each byte of the header; but for the first.
#[inline(always)]
fn begins(near: &Near) -> u128 {
    let mut blanks = 0;
    for (n, bytes) in near[1..].as_chunks::<8>().0.iter().enumerate() {
        blanks |= u128::from(bits(u64::from_le_bytes(*bytes), b' ')) << (8 * n);
    }
    let begins = !blanks & (blanks << 1);
    if blanks & 1 == 0 { begins } else { begins & begins.wrapping_sub(1) }
}

/// Bytes that are masked at once.
const GROUP: usize = 32;

#[inline(always)]
fn masked(near: &Near) -> Masked {
    let mut masked = [0; LONGEST / 8];
    for (group, words) in masked.as_chunks_mut::<{ GROUP / 8 }>().0.iter_mut().enumerate() {
        let Some(from) = near[group * GROUP..].first_chunk::<{ GROUP + 2 }>() else { continue };
        let mut to = [0; GROUP];
        for at in 0..GROUP {
            let (before, byte, behind) = (from[at], from[at + 1], from[at + 2]);
            let letter =
                ((before | 0x20).wrapping_sub(b'a') < 26) | ((behind | 0x20).wrapping_sub(b'a') < 26);
            let free = (byte.wrapping_sub(b'0') < 10) & !(letter | (before == b'<'));
            to[at] = if free { b'0' } else { byte };
        }
        for (word, bytes) in words.iter_mut().zip(to.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
    }
    masked
}

/// The first `length` bytes of a masked text, and their number.
#[inline(always)]
fn cut(masked: &Masked, length: usize, stamp: u32) -> (Masked, usize) {
    let mut text = [0; LONGEST / 8];
    let mut number = u64::from(stamp);
    for (at, word) in masked[..length / 8].iter().enumerate() {
        text[at] = *word;
        number = mixed(number, *word);
    }
    if let Some(last) = text.get_mut(length / 8) {
        *last = masked[length / 8] & ((1 << (8 * (length % 8))) - 1);
        number = mixed(number, *last);
    }
    (text, (number >> (u64::BITS - PLACES.ilog2())) as usize)
}

#[inline(always)]
fn mixed(number: u64, word: u64) -> u64 {
    (number.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95)
}

/// Whether a message begins so that nothing of it can be taken for a part of the header: with a word that is no class,
/// and behind a blank a word, a path, or a number that is no column. Or it is no more than one short word.
#[inline(always)]
fn is_plain(message: &[u8]) -> bool {
    let Some(end) = opening::word(message) else {
        return message.len() < 16 && !message.is_empty() && message.iter().all(u8::is_ascii_alphabetic);
    };
    let second = &message[end + 1..];
    let apart = match second.first() {
        Some(b'/') => true,
        Some(b'0'..=b'9') => {
            let digits = second.iter().take_while(|byte| byte.is_ascii_digit()).count();
            match second.get(digits..) {
                Some([b' ', next, ..]) => next.is_ascii_alphabetic(),
                Some([next, ..]) => next.is_ascii_alphabetic(),
                _ => false,
            }
        }
        Some(next) => next.is_ascii_alphabetic(),
        None => false,
    };
    let dots = || message[..end].iter().filter(|byte| **byte == b'.').count();
    apart && !message.starts_with(b"in ") && dots() < 3
}

/// Whether a message begins with a letter or a quote, and its first word, which is not all of it, holds a sign that
/// stands in no logger's name, or is such a name as a message may begin with before a colon: its last part is no class,
/// and it has two parts at most.
#[inline(always)]
fn is_no_logger(message: &[u8]) -> bool {
    const NAME: u8 = 0;
    const SIGN: u8 = 1;
    const OTHER: u8 = 2;
    static KINDS: [u8; 256] = {
        let mut kinds = [OTHER; 256];
        let signs = b"=\"'{}!?%&;+,^\\";
        let mut at = 0;
        while at < 256 {
            let byte = at as u8;
            if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' {
                kinds[at] = NAME;
            }
            at += 1;
        }
        at = 0;
        while at < signs.len() {
            kinds[signs[at] as usize] = SIGN;
            at += 1;
        }
        kinds
    };
    if !message.first().is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'"' | b'\'')) {
        return false;
    }
    let mut parts = 1;
    for (at, byte) in message.iter().take(40).enumerate() {
        match (KINDS[usize::from(*byte)], byte) {
            (NAME, _) => {}
            (SIGN, _) => {
                return first(message, at, message.len().min(80), |text| equal(text, b' ')).is_some();
            }
            (_, b'.') if parts == 1 && message.get(at + 1).is_some_and(u8::is_ascii_lowercase) => parts = 2,
            (_, b':') => {
                return matches!(message[at..], [_, b' ', next, ..] if next.is_ascii_alphanumeric());
            }
            _ => return false,
        }
    }
    false
}

/// Whether what follows a header that ends by itself is no more of it, whatever it is called.
#[inline(always)]
fn is_apart(message: &[u8]) -> bool {
    let first = message.first();
    first.is_some_and(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'"' | b'\'' | b'/' | b'=' | b'#' | b'_')
    })
}

impl Headers {
    /// What was found in the header that begins at `from`, behind the timestamp `stamp`, and has as many words as one of
    /// `words` says; that one goes to the front. The line ends at `end`; `text` may go on.
    #[inline(always)]
    pub(super) fn find(
        &self,
        text: &[u8],
        (from, end): (usize, usize),
        stamp: u32,
        words: &mut [u8; COUNTS],
    ) -> Option<&Head> {
        if self.places.is_empty() {
            return None;
        }
        let mut room = [b' '; LONGEST + 2];
        let near = near(text, from, &mut room)?;
        let (begins, masked) = (begins(near), masked(near));
        for n in 0..COUNTS {
            let Some(length) = nth(begins, words[n]) else { continue };
            let Some(message) = text.get(from + length..end) else { continue };
            let (text, place) = cut(&masked, length, stamp);
            let fits = |known: &Header| known.stamp == stamp && known.length == length && known.text == text;
            let mut known = &self.places[place];
            if !fits(known) {
                known = &self.places[place ^ 1];
                if !fits(known) {
                    continue;
                }
            }
            if known.ends.before(message) {
                words.swap(0, n);
                return Some(&known.head);
            }
        }
        None
    }

    /// Remembers what was found in the header that begins at `from`; gives the number of its words.
    pub(super) fn keep(&mut self, line: &[u8], from: usize, stamp: u32, head: &Head) -> Option<u8> {
        let Place::From(end) = head.place else { return None };
        let sure = head.trust == Trust::Sure && head.strength == Strength::Strong;
        let text = line.get(from..end).filter(|text| text.len() <= LONGEST)?;
        // .NET's word for an error is only one in front of a category, with which the message begins.
        let before = text.trim_ascii_end().ends_with(b"fail:");
        if !sure || before || is_far(head, text) || head.exception.is_some() || head.by_status {
            return None;
        }
        let (ends, end) = Ends::of(line, end, head).filter(|(_, end)| end - from <= LONGEST)?;
        let mut room = [b' '; LONGEST + 2];
        let near = near(line, from, &mut room)?;
        let length = end - from;
        let words = (1..MOST_WORDS).find(|count| nth(begins(near), *count) == Some(length))?;
        let (text, place) = cut(&masked(near), length, stamp);
        let new = Header { text, length, stamp, ends, head: *head };
        if self.places.is_empty() {
            let none = Header { length: 0, ..new };
            self.places = vec![none; PLACES];
        }
        self.places[place ^ 1] = self.places[place];
        self.places[place] = new;
        Some(words)
    }
}

/// Where the word begins that stands behind `count` others; `None` where there is none, and behind no others.
#[inline(always)]
fn nth(mut begins: u128, count: u8) -> Option<usize> {
    for _ in 1..count {
        begins &= begins.wrapping_sub(1);
    }
    (begins != 0 && count > 0).then_some(begins.trailing_zeros() as usize)
}

/// Whether the grammar looks further than into the header: into the message, or at digits that it would mask.
fn is_far(head: &Head, text: &[u8]) -> bool {
    let far = match head.format {
        Format::Php | Format::Haproxy | Format::Logfmt | Format::Access | Format::Android => true,
        // HAProxy's lines are requests.
        Format::Syslog => memchr::memmem::find(text, b"haproxy").is_some() || head.level.is_some(),
        _ => head.level.is_none(),
    };
    far || memchr::memchr(b'%', text).is_some()
}

/// Whether a header ends by itself: whatever might go on with it does not.
fn is_closed(header: &[u8], head: &Head) -> bool {
    const MOST: usize = 2 * LONGEST;
    // Windows' columns.
    if head.format == Format::Cbs || header.len() > MOST {
        return false;
    }
    let goes_on: [&[u8]; 2] = [b"a.b.C: some text", b"a.b.C - some text"];
    let mut line = [b' '; MOST + 20];
    line[..header.len()].copy_from_slice(header);
    goes_on.iter().all(|message| {
        let end = header.len() + message.len();
        line[header.len()..end].copy_from_slice(message);
        detect::head(&line[..end]) == Some(*head)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::detect;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

        /// What one line's header held it holds behind any other message that begins plainly.
        #[test]
        fn a_header_holds_whatever_message_follows(
            open in "(|\\[)",
            fields in proptest::collection::vec(
                "(\\[[0-9]{2,4}\\]|<0\\.[0-9]{1,3}\\.0>|LOG[0-9]\\[[0-9]\\]:|DEBUG[0-9]:|\\[trace[0-9]\\]|D[0-9]|In\\(14\\)|cpu[0-9]:12\\)INFO:|0x7f|%S-[0-9]-X:|a\\.py:[0-9]{2}|\\[[a-z-]{1,9}[0-9]?\\]|\\([a-z. ]{1,8}\\)|INFO|WARN|ERROR|info|error:|E|I\\||LOG:|shop\\.web|a\\.b\\.C|a\\.b\\.c\\.D|a::b|c\\$d|[a-z]{1,7}:?|-|---|:|\\||[0-9]{1,4}|#12|main\\.go:[0-9]|\\[MY-1\\]|us=1|x=1)",
                1..7,
            ),
            between in "( |  |\\| | : )",
            digits in proptest::collection::vec(0..10u8, 8),
            messages in proptest::collection::vec(
                "((GET|in|shop|[a-z]{1,5}\\.[a-zA-Z]{1,5}: |a=1|\"a|it's|org\\.shop\\.a\\.B|[a-zA-Z]{1,9}|[a-z]{1,4}[.:$/-][a-z:]{1,6})( |: | - |  )(/a|[0-9]{1,4}[a-z:#, -]?|[a-z]{1,5}:?|[-:|\\[(])[ :-]{0,3}[a-z:-]{0,9} [a-z -]{0,20}|[a-z]{1,9})",
                2..6,
            ),
        ) {
            let close = if open.is_empty() { "" } else { "]" };
            let header = format!("{open}2026-11-20 12:00:00,123{close} {}{between}", fields.join(" "));
            let mut headers = Headers::default();
            let from = 23 + open.len();
            for (n, message) in messages.iter().enumerate() {
                let mut line = format!("{header}{message}").into_bytes();
                // The same header with other numbers.
                let numbers = line[from..header.len()].iter_mut().filter(|byte| byte.is_ascii_digit());
                for (digit, other) in numbers.zip(&digits[n..]) {
                    *digit = b'0' + other;
                }
                let line = &line[..];
                let head = detect::head(line);
                let found = (1..MOST_WORDS).find_map(|n| headers.find(line, (from, line.len()), 1, &mut [n; COUNTS]).copied());
                if let Some(found) = found {
                    prop_assert_eq!(Some(found), head, "{}", String::from_utf8_lossy(line));
                }
                if let Some(head) = head {
                    headers.keep(line, from, 1, &head);
                }
            }
        }
    }
}
