//! How most messages and logger names begin: a plain word, a blank, mostly another word. Told by a few machine words, so
//! that the grammars behind it are only asked where the text begins otherwise.

use crate::parse::swar::{blanks, equal};

const fn stops(text: u64) -> u64 {
    blanks(text) | equal(text, b':') | equal(text, b'|') | equal(text, b'[')
}

/// Where the first word of `text` ends, if it begins with a letter, is shorter than sixteen bytes, has a blank behind it
/// and holds no colon, bar, opening bracket or control byte. Never where one of this fails; nothing is said of texts of
/// less than seventeen bytes.
#[inline(always)]
pub(super) fn word(text: &[u8]) -> Option<usize> {
    let bytes = text.first_chunk::<17>()?;
    let (words, _) = bytes.as_chunks::<8>();
    let [first, second] = [words[0], words[1]];
    let marks =
        (u128::from(stops(u64::from_le_bytes(second))) << 64) | u128::from(stops(u64::from_le_bytes(first)));
    // Sixteen where there is none; which of the two words it is in is not to be guessed.
    let end = (marks.trailing_zeros() / 8) as usize;
    (end < 16 && bytes[0].is_ascii_alphabetic() && bytes[end] == b' ').then_some(end)
}

/// Whether `text` begins with such a word and goes on with a letter behind the blank.
#[inline(always)]
pub(super) fn is_two_words(text: &[u8]) -> bool {
    word(text).is_some_and(|end| text.get(end + 1).is_some_and(u8::is_ascii_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spelled_out(text: &[u8]) -> Option<usize> {
        let stop = |b: &u8| *b <= b' ' || matches!(b, b':' | b'|' | b'[');
        let end = text.iter().position(stop)?;
        (text.len() > 16 && end < 16 && text[end] == b' ' && text[0].is_ascii_alphabetic()).then_some(end)
    }

    #[test]
    fn plain_openings_are_known() {
        assert!(is_two_words(b"shop.orders GET /api/v1"));
        assert!(is_two_words(b"cache hit key=session:1"));
        for text in [
            &b"KeyError: bad input is"[..],
            b"a  b is more than 17 bytes",
            b"1 b is more than 17 bytes",
            b"a b",
        ] {
            assert!(!is_two_words(text));
        }
    }

    /// One byte for each of the first 256 characters.
    fn latin(text: String) -> Vec<u8> {
        text.chars().map(|c| c as u8).collect()
    }

    proptest! {
        #[test]
        fn it_is_what_it_says(
            head in "[a-z .:|\\[\\t\\x00\\x21\\x1f\\u{80}-\\u{ff}]{0,20}".prop_map(latin),
            tail in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            let text = [head, tail].concat();
            prop_assert_eq!(word(&text), spelled_out(&text));
            let letter = spelled_out(&text).is_some_and(|end| text[end + 1].is_ascii_alphabetic());
            prop_assert_eq!(is_two_words(&text), letter);
        }
    }
}
