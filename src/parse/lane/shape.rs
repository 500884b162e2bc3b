//! The beginning of a line as a pattern of bytes: some must be just these, some may be any digit. Compared thirty-two
//! bytes at a time.

use std::ops::Range;

/// The longest beginning that is remembered.
pub(super) const LONGEST: usize = 96;

/// Machine words that are compared at once, which the compiler turns into vectors.
const GROUP: usize = 4;

/// Some bytes of a shape, eight in a machine word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Group {
    /// The bytes; `0` stands for any digit.
    text: [u64; GROUP],
    /// 6 where any digit fits: what lifts ten and more to sixteen.
    lift: [u64; GROUP],
    /// The bits that must come out as zero: all, the upper half where any digit fits, none behind the end.
    mask: [u64; GROUP],
}

/// The first bytes of lines that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    groups: Vec<Group>,
    length: usize,
}

impl Shape {
    /// The shape of `text` in whose ranges `digits` any digit may stand for another; `None` where it is too long.
    pub(super) fn new(text: &[u8], digits: &[Range<usize>]) -> Option<Shape> {
        if text.len() > LONGEST {
            return None;
        }
        let free = |at: usize| text[at].is_ascii_digit() && digits.iter().any(|range| range.contains(&at));
        let mut groups = vec![Group::default(); text.len().div_ceil(8 * GROUP)];
        for (at, byte) in text.iter().enumerate() {
            let (byte, lift, mask) = if free(at) { (b'0', 6, 0xf0) } else { (*byte, 0, 0xff) };
            let (group, word, shift) = (&mut groups[at / (8 * GROUP)], at / 8 % GROUP, 8 * (at % 8));
            group.text[word] |= u64::from(byte) << shift;
            group.lift[word] |= lift << shift;
            group.mask[word] |= mask << shift;
        }
        Some(Shape { groups, length: text.len() })
    }

    /// How many bytes it describes.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Whether `line` begins so.
    #[inline(always)]
    pub(super) fn fits(&self, line: &[u8]) -> bool {
        // The shortest way for a date, a time and a level, as most lines begin.
        if let ([group], Some(bytes)) = (&self.groups[..], line.first_chunk()) {
            return group.wrong(bytes) == 0;
        }
        let (chunks, rest) = line.as_chunks::<{ 8 * GROUP }>();
        if chunks.len() < self.groups.len() {
            return line.len() >= self.length && self.fits_short(chunks, rest);
        }
        let mut wrong = 0;
        for (group, bytes) in self.groups.iter().zip(chunks) {
            wrong |= group.wrong(bytes);
        }
        wrong == 0
    }

    /// As [`Shape::fits`], for a line that ends within the shape's last group, though not within the shape.
    fn fits_short(&self, chunks: &[[u8; 8 * GROUP]], rest: &[u8]) -> bool {
        let mut last = [0; 8 * GROUP];
        last[..rest.len()].copy_from_slice(rest);
        let chunks = chunks.iter().chain([&last]);
        self.groups.iter().zip(chunks).all(|(group, bytes)| group.wrong(bytes) == 0)
    }
}

impl Group {
    /// Bits that should not be there; 0 where the bytes fit.
    #[inline(always)]
    fn wrong(&self, bytes: &[u8; 8 * GROUP]) -> u64 {
        let (words, _) = bytes.as_chunks::<8>();
        let mut wrong = [0; GROUP];
        for n in 0..GROUP {
            // A digit differs from `0` by 0 to 9: neither that nor 6 more reaches the upper half of its byte. A byte
            // whose sum runs over into the next is wrong by itself.
            let other = u64::from_le_bytes(words[n]) ^ self.text[n];
            wrong[n] = (other | other.wrapping_add(self.lift[n])) & self.mask[n];
        }
        wrong[0] | wrong[1] | wrong[2] | wrong[3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_fit_digits_where_they_are_free_and_nothing_else_does() {
        let text = b"2026-11-20 12:00:00,123 7 ";
        let shape = Shape::new(text, &[0..23, 24..24]).unwrap();
        for behind in [0, 1, 5, 6, 7, 40] {
            let padded = |line: &[u8]| [line, &b" ".repeat(behind)].concat();
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
        }
        assert!(!shape.fits(b"2026-11-20 12:00"));
        assert!(Shape::new(&[b'x'; LONGEST + 1], &[]).is_none());
    }
}
