//! Whole headers that were met before: what stands between a timestamp and the message, byte by byte, and what the
//! grammar found in it.
//!
//! The grammar would find the same again behind any timestamp of that shape. All it looks at is the header itself, which
//! ends behind the level and whatever brackets and names it passed over, and how the message begins: that this tells
//! nothing is asked of each line.

use crate::parse::format::Format;
use crate::parse::head::{Head, Place, Strength, Trust};
use crate::parse::opening;
use crate::parse::swar::{equal, first};

/// The longest header that is remembered.
const LONGEST: usize = 96;
/// Headers that are remembered at a time.
const PLACES: usize = 1024;

/// The headers, each at the place of its number; another of that number takes its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Headers {
    /// Empty until there is something to remember.
    places: Vec<Header>,
}

#[derive(Clone, Copy, Debug)]
struct Header {
    text: [u8; LONGEST],
    length: usize,
    /// The timestamp before it.
    stamp: u32,
    head: Head,
}

/// Where the word begins that stands behind so many others, if it is near.
#[inline(always)]
fn behind_words(line: &[u8], from: usize, words: usize) -> Option<usize> {
    let end = line.len().min(from + LONGEST + 1);
    let mut at = skip(line, from);
    for _ in 0..words {
        at = skip(line, first(line, at, end, |text| equal(text, b' '))?);
    }
    (at < end).then_some(at)
}

#[inline(always)]
fn skip(line: &[u8], mut at: usize) -> usize {
    while line.get(at) == Some(&b' ') {
        at += 1;
    }
    at
}

/// The number of a header's text.
#[inline(always)]
fn number(text: &[u8], stamp: u32) -> usize {
    let (words, rest) = text.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mut number = u64::from(stamp);
    for word in words.iter().chain([&last]) {
        number = (number.rotate_left(5) ^ u64::from_le_bytes(*word)).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    (number >> (u64::BITS - PLACES.ilog2())) as usize
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
    apart && memchr::memchr(b'.', &message[..end]).is_none() && !message.starts_with(b"in ")
}

impl Headers {
    /// What was found in the header of so many words that begins at `from`, behind the timestamp `stamp`.
    #[inline(always)]
    pub(super) fn find(&self, line: &[u8], from: usize, stamp: u32, words: usize) -> Option<&Head> {
        if self.places.is_empty() || words == 0 {
            return None;
        }
        let end = behind_words(line, from, words)?;
        let text = &line[from..end];
        let known = &self.places[number(text, stamp)];
        let same = known.stamp == stamp && known.text.get(..known.length) == Some(text);
        (same && is_plain(&line[end..])).then_some(&known.head)
    }

    /// Remembers what was found in the header that begins at `from`; gives the number of its words.
    pub(super) fn keep(&mut self, line: &[u8], from: usize, stamp: u32, head: &Head) -> Option<usize> {
        let Place::From(end) = head.place else { return None };
        // Those that look further into the message.
        let far = matches!(
            head.format,
            Format::Php
                | Format::Syslog
                | Format::Haproxy
                | Format::Logfmt
                | Format::Access
                | Format::Android
        );
        let sure = head.trust == Trust::Sure && head.strength == Strength::Strong && head.level.is_some();
        let text = line.get(from..end).filter(|text| text.len() <= LONGEST)?;
        if far || !sure || head.exception.is_some() || head.by_status || !is_plain(&line[end..]) {
            return None;
        }
        let words = text.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).count();
        if behind_words(line, from, words) != Some(end) {
            return None;
        }
        let empty = Header { text: [0; LONGEST], length: 0, stamp: 0, head: *head };
        if self.places.is_empty() {
            self.places = vec![empty; PLACES];
        }
        let mut new = Header { length: text.len(), stamp, ..empty };
        new.text[..text.len()].copy_from_slice(text);
        self.places[number(text, stamp)] = new;
        Some(words)
    }
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
                "(\\[[a-z-]{1,9}[0-9]?\\]|\\([a-z. ]{1,8}\\)|INFO|WARN|ERROR|info|error:|E|I\\||LOG:|shop\\.web|a\\.b\\.C|a\\.b\\.c\\.D|a::b|c\\$d|[a-z]{1,7}:?|-|---|:|\\||[0-9]{1,4}|#12|main\\.go:[0-9]|\\[MY-1\\]|us=1|x=1)",
                1..7,
            ),
            between in "( |  |\\| | : )",
            messages in proptest::collection::vec(
                "((GET|in|shop|org\\.shop\\.a\\.B|[a-zA-Z]{1,9}|[a-z]{1,4}[.:$/-][a-z:]{1,6})( |: | - |  )(/a|[0-9]{1,4}[a-z:#, -]?|[a-z]{1,5}:?|[-:|\\[(])[ :-]{0,3}[a-z:-]{0,9} [a-z -]{0,20}|[a-z]{1,9})",
                2..6,
            ),
        ) {
            let close = if open.is_empty() { "" } else { "]" };
            let header = format!("{open}2026-11-20 12:00:00,123{close} {}{between}", fields.join(" "));
            let mut headers = Headers::default();
            let from = 23 + open.len();
            for message in &messages {
                let line = format!("{header}{message}");
                let line = line.as_bytes();
                let head = detect::head(line);
                let number = line.get(skip(line, from + 1)).is_some_and(u8::is_ascii_digit);
                let found = (1..20).find_map(|words| headers.find(line, from, 1, words));
                if let Some(found) = found.filter(|_| !number) {
                    prop_assert_eq!(Some(*found), head, "{}", String::from_utf8_lossy(line));
                }
                if let Some(head) = head {
                    headers.keep(line, from, 1, &head);
                }
            }
        }
    }
}
