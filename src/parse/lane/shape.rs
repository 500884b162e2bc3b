//! The beginning of a line as a pattern of bytes: some must be just these, some may be any digit. Compared eight bytes
//! at a time.

use std::ops::Range;

/// The longest beginning that is remembered.
pub(super) const LONGEST: usize = 96;

/// Eight bytes of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Word {
    /// The bytes; `0` stands for any digit.
    text: u64,
    /// 6 where any digit fits: what lifts ten and more to sixteen.
    lift: u64,
    /// The bits that must come out as zero: all, the upper half where any digit fits, none behind the end.
    mask: u64,
}

/// The first bytes of lines that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    words: Vec<Word>,
    length: usize,
}

impl Shape {
    /// The shape of `text` in whose ranges `digits` any digit may stand for another; `None` where it is too long.
    pub(super) fn new(text: &[u8], digits: &[Range<usize>]) -> Option<Shape> {
        if text.len() > LONGEST {
            return None;
        }
        let free = |at: usize| text[at].is_ascii_digit() && digits.iter().any(|range| range.contains(&at));
        let mut words = Vec::with_capacity(text.len().div_ceil(8));
        for (n, bytes) in text.chunks(8).enumerate() {
            let mut word = Word { text: 0, lift: 0, mask: 0 };
            for (i, byte) in bytes.iter().enumerate() {
                let (byte, lift, mask) = if free(n * 8 + i) { (b'0', 6, 0xf0) } else { (*byte, 0, 0xff) };
                word.text |= u64::from(byte) << (8 * i);
                word.lift |= lift << (8 * i);
                word.mask |= mask << (8 * i);
            }
            words.push(word);
        }
        Some(Shape { words, length: text.len() })
    }

    /// How many bytes it describes.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Whether `line` begins so. Lines that end before the shape's last eight bytes do may be told no.
    #[inline]
    pub(super) fn fits(&self, line: &[u8]) -> bool {
        let (chunks, _) = line.as_chunks::<8>();
        if chunks.len() < self.words.len() {
            return false;
        }
        let mut wrong = 0;
        for (word, bytes) in self.words.iter().zip(chunks) {
            // A digit differs from `0` by 0 to 9: neither that nor 6 more reaches the upper half of its byte. A byte
            // whose sum runs over into the next is wrong by itself.
            let other = u64::from_le_bytes(*bytes) ^ word.text;
            wrong |= (other | other.wrapping_add(word.lift)) & word.mask;
        }
        wrong == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_fit_digits_where_they_are_free_and_nothing_else_does() {
        let text = b"2026-11-20 12:00:00,123 7 ";
        let shape = Shape::new(text, &[0..23, 24..24]).unwrap();
        let padded = |line: &[u8]| [line, b"        "].concat();
        assert!(shape.fits(&padded(text)));
        for at in 0..text.len() {
            for byte in 0..=255u8 {
                let mut line = padded(text);
                line[at] = byte;
                let free = text[at].is_ascii_digit() && at < 23;
                let expected = byte == text[at] || free && byte.is_ascii_digit();
                assert_eq!(shape.fits(&line), expected, "{byte} at {at}");
            }
        }
        assert!(!shape.fits(b"2026-11-20 12:00"));
        assert!(Shape::new(&[b'x'; LONGEST + 1], &[]).is_none());
    }
}
