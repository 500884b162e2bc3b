//! Level words compared as one machine word: the word at a place in a line, its length and its level.

use crate::level::Level;
use crate::parse::word;

/// A level word at some place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LevelWord {
    pub(super) level: Level,
    pub(super) length: usize,
    /// All its letters are capitals.
    pub(super) upper: bool,
}

const WORDS: [(&[u8], Level); 16] = [
    (b"trace", Level::Trace),
    (b"debug", Level::Debug),
    (b"info", Level::Info),
    (b"notice", Level::Notice),
    (b"warn", Level::Warning),
    (b"warning", Level::Warning),
    (b"error", Level::Error),
    (b"critical", Level::Critical),
    (b"fatal", Level::Critical),
    (b"severe", Level::Critical),
    (b"success", Level::Info),
    (b"err", Level::Error),
    (b"crit", Level::Critical),
    (b"panic", Level::Critical),
    (b"alert", Level::Critical),
    (b"emerg", Level::Critical),
];

const BITS: u32 = 5;

const fn place(word: u64) -> usize {
    (word.wrapping_mul(0xa648_a7dd_0683_9eb9) >> (64 - BITS)) as usize
}

/// Each word at the place of its number; a level where none stands is never looked at, since no text packs to 0.
static TABLE: [(u64, Level); 1 << BITS] = {
    let mut table = [(0, Level::Unknown); 1 << BITS];
    let mut i = 0;
    while i < WORDS.len() {
        let (mut packed, mut n) = (0u64, 0);
        while n < WORDS[i].0.len() {
            packed |= (WORDS[i].0[n] as u64) << (8 * n);
            n += 1;
        }
        assert!(table[place(packed)].0 == 0, "two words share a place: take another multiplier");
        table[place(packed)] = (packed, WORDS[i].1);
        i += 1;
    }
    table
};

const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The level word that begins at `at` and ends at a byte that is no letter; `None` for any other word, for longer
/// ones, and near the end of the line.
#[inline]
pub(super) fn at(line: &[u8], at: usize) -> Option<LevelWord> {
    let text = u64::from_le_bytes(*line.get(at..)?.first_chunk::<8>()?);
    let lower = text | each(0x20);
    // Sums of seven bits and a constant reach the eighth bit where the letter is at least `a`, or above `z`.
    let seven = lower & each(0x7f);
    let from_a = seven + each(0x80 - b'a');
    let above_z = seven + each(0x7f - b'z');
    let others = !(from_a & !above_z & !text) & each(0x80);
    let length = (others.trailing_zeros() / 8) as usize;
    let inside = if length == 8 { u64::MAX } else { (1 << (8 * length)) - 1 };
    let packed = lower & inside;
    let (word, level) = TABLE[place(packed)];
    if word != packed || packed == 0 || length == 8 && line.get(at + 8)?.is_ascii_alphabetic() {
        return None;
    }
    Some(LevelWord { level, length, upper: text & each(0x20) & inside == 0 })
}

/// The level that a number of two digits stands for, as pino and bunyan write it, with a comma behind it.
#[inline]
pub(super) fn number(line: &[u8], at: usize) -> Option<LevelWord> {
    match line.get(at..at + 3)? {
        [tens @ b'1'..=b'9', ones @ b'0'..=b'9', b','] => {
            let level = word::number(u32::from(tens - b'0') * 10 + u32::from(ones - b'0'))?;
            Some(LevelWord { level, length: 2, upper: false })
        }
        _ => None,
    }
}

/// The level word in capitals that begins at `at` and ends at a blank, and its length; `None` for any other word, and
/// near the end of the text.
#[inline(always)]
pub(super) fn capitals(line: &[u8], at: usize) -> Option<(Level, usize)> {
    let bytes = line.get(at..)?.first_chunk::<9>()?;
    let text = u64::from_le_bytes(*bytes.first_chunk()?);
    let other = text ^ each(b' ');
    // The eighth bit of blanks; exact for the first of them.
    let blanks = other.wrapping_sub(each(1)) & !other & each(0x80);
    let (length, inside) = if blanks == 0 {
        (8, u64::MAX)
    } else {
        ((blanks.trailing_zeros() / 8) as usize, (blanks & blanks.wrapping_neg()).wrapping_sub(1) >> 7)
    };
    // Capitals and only they become the letters of the table by this bit: it was not set in them.
    let packed = (text | each(0x20)) & inside;
    let (word, level) = TABLE[place(packed)];
    let capitals = word == packed && packed != 0 && text & each(0x20) & inside == 0;
    (capitals && bytes[length] == b' ').then_some((level, length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_and_levels_are_those_of_the_full_table() {
        for (word, level) in WORDS {
            assert_eq!(word::level(word), Some(level));
            for end in [&b" x"[..], b"\": ", b"=\xff", b":", b"[", b"@", b"`", b"{", b"\0"] {
                let line = [word, end, b"        "].concat();
                let found = at(&line, 0);
                assert_eq!(
                    found,
                    Some(LevelWord { level, length: word.len(), upper: false }),
                    "{word:?}{end:?}"
                );
                let found = at(&line.to_ascii_uppercase(), 0);
                assert_eq!(found.map(|f| (f.level, f.upper)), Some((level, true)));
                let blank = end[0] == b' ';
                let length = word.len();
                assert_eq!(capitals(&line.to_ascii_uppercase(), 0), blank.then_some((level, length)));
                assert_eq!(capitals(&line, 0), None);
            }
        }
        assert_eq!(at(b"info", 0), None);
        assert_eq!(at(b"information    ", 0), None);
        assert_eq!(at(b"criticality    ", 0), None);
        assert_eq!(at(b"        ", 0), None);
    }

    #[test]
    fn numbers_are_those_of_the_grammar() {
        for n in 0..1000_u32 {
            let text = format!("{n},\"time\":1");
            let found = number(text.as_bytes(), 0);
            let want = word::value(n.to_string().as_bytes()).filter(|_| (10..100).contains(&n));
            assert_eq!(found.map(|found| (found.level, found.length)), want.map(|level| (level, 2)), "{n}");
        }
        for other in ["30}", "30.5,", "30", "3,", "-3,", "30 ,", "\"30\","] {
            assert_eq!(number(other.as_bytes(), 0), None, "{other}");
        }
    }

    /// One byte for each of the first 256 characters.
    fn latin(text: String) -> Vec<u8> {
        text.chars().map(|c| c as u8).collect()
    }

    proptest! {
        #[test]
        fn whatever_is_found_is_a_level_word(line in "[a-zA-Z]{0,9}[\\x00-\\u{ff}]{0,9}".prop_map(latin)) {
            let letters = line.iter().take_while(|b| b.is_ascii_alphabetic()).count();
            let upper = at(&line, 0).filter(|found| found.upper && line.get(found.length) == Some(&b' '));
            if line.len() > 8 {
                prop_assert_eq!(capitals(&line, 0), upper.map(|found| (found.level, found.length)));
            }
            if let Some(found) = at(&line, 0) {
                prop_assert_eq!(found.length, letters);
                prop_assert_eq!(word::level(&line[..letters]), Some(found.level));
                prop_assert_eq!(word::is_upper(&line[..letters]), found.upper);
            }
        }
    }
}
