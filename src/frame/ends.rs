//! Where the lines of a block end, found for the whole block at once: 64 bytes a step, without a branch for each line.

/// What begins a terminal's control sequence.
const ESCAPE: u8 = 0x1b;

/// Bytes of one step.
const STEP: usize = 64;

/// The line ends of a block; the buffer is used again from block to block.
#[derive(Clone, Debug, Default)]
pub struct Ends {
    /// Positions of `\n`; more room than ends, so that a step writes without asking.
    places: Vec<u32>,
    count: usize,
    escapes: bool,
}

impl Ends {
    /// Finds the ends of `block` (under 4 GiB).
    #[cfg_attr(
        target_arch = "x86_64",
        expect(unsafe_code, reason = "half the time of this search, which every byte passes")
    )]
    pub fn find(&mut self, block: &[u8]) {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            // Not used, but processors without it lower their clock for all else where registers are this wide.
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("popcnt")
        {
            // SAFETY: the processor has the features that the function is compiled for.
            return unsafe { self.find_widest(block) };
        }
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("popcnt")
        {
            // SAFETY: the processor has the features that the function is compiled for.
            return unsafe { self.find_wide(block) };
        }
        self.find_by(block, masks);
    }

    /// As [`Ends::find`], compiled for processors of the last ten years.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,popcnt")]
    fn find_wide(&mut self, block: &[u8]) {
        self.find_by(block, |step| wide_masks(step));
    }

    /// As [`Ends::find`], sixty-four bytes at a time.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,bmi1,popcnt")]
    fn find_widest(&mut self, block: &[u8]) {
        self.find_by(block, |step| widest_masks(step));
    }

    #[inline(always)]
    fn find_by(&mut self, block: &[u8], masks: impl Fn(&[u8; STEP]) -> (u64, bool)) {
        (self.count, self.escapes) = (0, false);
        let (steps, rest) = block.as_chunks::<STEP>();
        let mut at = 0;
        for step in steps {
            self.take(masks(step), at);
            at += STEP as u32;
        }
        let mut last = [0; STEP];
        last[..rest.len()].copy_from_slice(rest);
        self.take(masks(&last), at);
    }

    /// The positions of the ends, ascending.
    pub fn places(&self) -> &[u32] {
        &self.places[..self.count]
    }

    /// Whether the block holds an escape byte (0x1b).
    pub fn escapes(&self) -> bool {
        self.escapes
    }

    #[inline(always)]
    fn take(&mut self, (mut ends, escapes): (u64, bool), at: u32) {
        if self.places.len() < self.count + STEP {
            self.places.resize(self.places.len() * 2 + STEP, 0);
        }
        self.escapes |= escapes;
        let number = ends.count_ones() as usize;
        let room = &mut self.places[self.count..self.count + STEP];
        // Mostly one or two lines end here: those are written whether they do or not.
        for place in &mut room[..2] {
            *place = at + ends.trailing_zeros();
            ends &= ends.wrapping_sub(1);
        }
        let mut next = 2;
        while ends != 0 {
            room[next] = at + ends.trailing_zeros();
            ends &= ends - 1;
            next += 1;
        }
        self.count += number;
    }
}

/// A bit for each `\n` of the step, and whether an escape stands in it.
#[cfg(target_arch = "x86_64")]
#[inline]
#[expect(unsafe_code, reason = "functions with target features are safe to call only where those are there")]
fn masks(step: &[u8; STEP]) -> (u64, bool) {
    // SAFETY: every x86-64 processor has SSE2.
    unsafe { masks_of_vectors(step) }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "sse2")]
fn masks_of_vectors(step: &[u8; STEP]) -> (u64, bool) {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8};
    let (parts, _) = step.as_chunks::<16>();
    let mut ends = 0;
    let mut escapes = _mm_set1_epi8(0);
    for (n, part) in parts.iter().enumerate() {
        let (low, high) = part.split_at(8);
        let half = |bytes: &[u8]| bytes.first_chunk().map_or(0, |bytes| i64::from_le_bytes(*bytes));
        let text = _mm_set_epi64x(half(high), half(low));
        let mask = _mm_movemask_epi8(_mm_cmpeq_epi8(text, _mm_set1_epi8(b'\n' as i8)));
        ends |= u64::from(mask as u16) << (16 * n);
        escapes = _mm_or_si128(escapes, _mm_cmpeq_epi8(text, _mm_set1_epi8(ESCAPE as i8)));
    }
    (ends, _mm_movemask_epi8(escapes) != 0)
}

/// As [`masks`], thirty-two bytes at a time.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn wide_masks(step: &[u8; STEP]) -> (u64, bool) {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set_epi64x,
        _mm256_set1_epi8,
    };
    let (words, _) = step.as_chunks::<8>();
    let word = |n: usize| i64::from_le_bytes(words[n]);
    let half = |n: usize| -> __m256i { _mm256_set_epi64x(word(n + 3), word(n + 2), word(n + 1), word(n)) };
    let (low, high) = (half(0), half(4));
    let bits = |text: __m256i| {
        let equal = _mm256_cmpeq_epi8(text, _mm256_set1_epi8(b'\n' as i8));
        u64::from(_mm256_movemask_epi8(equal).cast_unsigned())
    };
    let escape = _mm256_set1_epi8(ESCAPE as i8);
    let escapes = _mm256_or_si256(_mm256_cmpeq_epi8(low, escape), _mm256_cmpeq_epi8(high, escape));
    (bits(low) | bits(high) << 32, _mm256_movemask_epi8(escapes) != 0)
}

/// As [`masks`], all bytes at once.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
#[expect(unsafe_code, reason = "a load through a pointer: of eight words the compiler makes shuffles")]
fn widest_masks(step: &[u8; STEP]) -> (u64, bool) {
    use std::arch::x86_64::{_mm512_cmpeq_epi8_mask, _mm512_loadu_si512, _mm512_set1_epi8};
    // SAFETY: 64 readable bytes, no alignment asked for.
    let text = unsafe { _mm512_loadu_si512(step.as_ptr().cast()) };
    let equal = |byte: u8| _mm512_cmpeq_epi8_mask(text, _mm512_set1_epi8(byte as i8));
    (equal(b'\n'), equal(ESCAPE) != 0)
}

/// A bit for each `\n` of the step, and whether an escape stands in it.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn masks(step: &[u8; STEP]) -> (u64, bool) {
    let bit = |(n, byte): (usize, &u8)| u64::from(*byte == b'\n') << n;
    let ends = step.iter().enumerate().map(bit).fold(0, |all, bit| all | bit);
    (ends, step.iter().fold(false, |seen, byte| seen | (*byte == ESCAPE)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Finds the ends by AVX2 where the processor has it: where it has more, `find` takes another way.
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "the call behind feature detection")]
    fn find_by_avx2(ends: &mut Ends, block: &[u8]) {
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("popcnt")
        {
            // SAFETY: the processor has the features that the function is compiled for.
            unsafe { ends.find_wide(block) };
        } else {
            ends.find(block);
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn find_by_avx2(ends: &mut Ends, block: &[u8]) {
        ends.find(block);
    }

    proptest! {
        #[test]
        fn ends_are_where_line_feeds_are(
            first in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'x'), any::<u8>()], 0..300),
            second in proptest::collection::vec(prop_oneof![3 => Just(b'y'), 1 => Just(b'\n')], 0..300),
        ) {
            let mut ends = Ends::default();
            for block in [first, second] {
                let naive: Vec<u32> = (0..block.len() as u32).filter(|at| block[*at as usize] == b'\n').collect();
                let ways: [fn(&mut Ends, &[u8]); 3] =
                    [|ends, block| ends.find_by(block, masks), find_by_avx2, |ends, block| ends.find(block)];
                for way in ways {
                    way(&mut ends, &block);
                    prop_assert_eq!(ends.places(), &naive);
                    prop_assert_eq!(ends.escapes(), block.contains(&0x1b));
                }
            }
        }
    }
}
