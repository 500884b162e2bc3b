//! Words of a header, measured in one pass: how long they are, and of which bytes they consist.

use crate::parse::bytes::Bytes;

/// What ends a word, and which bytes its readers ask for: a table, one look-up a byte.
pub(super) struct Kinds([u8; 256]);

const STOP: u8 = 1;
const OUTSIDE: [u8; 2] = [2, 4];

/// A measured word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) length: usize,
    seen: u8,
}

impl Kinds {
    /// Words end before one of `stops`; of each it is told whether all of its bytes are in the first set, and in the second.
    pub(super) const fn new(stops: &[u8], sets: [&Bytes; 2]) -> Kinds {
        let mut kinds = [0; 256];
        let mut i = 0;
        while i < 256 {
            let first = if sets[0].has(i as u8) { 0 } else { OUTSIDE[0] };
            let second = if sets[1].has(i as u8) { 0 } else { OUTSIDE[1] };
            kinds[i] = first | second;
            i += 1;
        }
        let mut i = 0;
        while i < stops.len() {
            kinds[stops[i] as usize] |= STOP;
            i += 1;
        }
        Kinds(kinds)
    }

    /// The word that `text` begins with.
    #[inline(always)]
    pub(super) fn token(&self, text: &[u8]) -> Token {
        let (mut length, mut seen) = (0, 0);
        // Four at a time as far as no word ends.
        for [a, b, c, d] in text.as_chunks::<4>().0 {
            let kind = |byte: &u8| self.0[usize::from(*byte)];
            let kinds = kind(a) | kind(b) | kind(c) | kind(d);
            if kinds & STOP != 0 {
                break;
            }
            seen |= kinds;
            length += 4;
        }
        for byte in &text[length..] {
            let kind = self.0[usize::from(*byte)];
            if kind & STOP != 0 {
                break;
            }
            seen |= kind;
            length += 1;
        }
        Token { length, seen }
    }
}

impl Token {
    /// Whether every byte is in the set of this number.
    pub(super) const fn is_all(self, set: usize) -> bool {
        self.seen & OUTSIDE[set] == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_what_several_passes_say(text in "[a-z0-9.:|]{0,6}[a-z0-9 |(é.]{0,6}") {
            static KINDS: Kinds = Kinds::new(b" |(", [&Bytes::words_and(b"", false), &Bytes::of(b"019.")]);
            let text = text.as_bytes();
            let length = text.iter().take_while(|b| !b" |(".contains(b)).count();
            let token = KINDS.token(text);
            prop_assert_eq!(token.length, length);
            prop_assert_eq!(token.is_all(0), text[..length].iter().all(u8::is_ascii_alphanumeric));
            prop_assert_eq!(token.is_all(1), text[..length].iter().all(|b| b"019.".contains(b)));
        }
    }
}
