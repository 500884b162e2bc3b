//! The x86 kernels. All that is unsafe here: unaligned loads and the calls behind feature detection.
//!
//! A kernel only notes its places, without a branch that depends on the text; what becomes of them is asked later, for
//! many steps at once. So a place costs no register that holds a table, and no mispredicted branch among the lookups.

use std::arch::x86_64::*;

use super::super::buckets::{Sets, WIDTH};
use super::Kernel;

/// Lookup tables of eight buckets.
#[derive(Debug)]
pub(super) struct Group {
    /// Buckets by the low and by the high half of a byte, for each position.
    low: [[u8; 16]; WIDTH],
    high: [[u8; 16]; WIDTH],
    /// Buckets by six bits of a byte, as `SIX` has them.
    six: [[u8; 64]; WIDTH],
}

impl Group {
    pub(super) fn new(sets: &Sets, number: usize) -> Group {
        let mut group = Group { low: [[0; 16]; WIDTH], high: [[0; 16]; WIDTH], six: [[0; 64]; WIDTH] };
        for (position, set) in sets.iter().enumerate() {
            for (byte, buckets) in set.iter().enumerate() {
                let bits = (buckets >> (8 * number)) as u8;
                group.low[position][byte & 15] |= bits;
                group.high[position][byte >> 4] |= bits;
                group.six[position][six(byte)] |= bits;
            }
        }
        group
    }
}

/// The matrix over bits that takes six of a byte: the lower five, and whether the two above them differ. So small letters
/// share a place with control characters only, digits and signs with capitals: one of the two is rare in any log.
const SIX: u64 = 0x0102_0408_1060_0000;

/// What `SIX` makes of a byte.
fn six(byte: usize) -> usize {
    byte & 31 | (byte >> 1 ^ byte) & 32
}

/// Places that one step looks at.
const STEP: usize = 64;

/// Bytes behind a step that it looks at, at most: the kernels load whole words.
const BEHIND: usize = 8;

/// Steps whose places are noted before they are asked for.
const STEPS: usize = 64;

/// Shorter texts are not worth a step more for the sake of cache lines.
const ALIGNED: usize = 16 * STEP;

/// The places of some steps.
struct Noted {
    /// A bit for each place of a step.
    places: [u64; STEPS],
    /// A bit for each step that has places.
    steps: u64,
}

impl Noted {
    /// Notes which of the first `count` steps have places.
    #[inline(always)]
    fn sum_up(&mut self, count: usize) {
        let bit = |(step, places): (usize, &u64)| u64::from(*places != 0) << step;
        let steps = self.places.iter().enumerate();
        // All of them at once by vectors; of a few each is still on its way to the cache.
        self.steps = if count == STEPS {
            steps.map(bit).fold(0, |all, bit| all | bit)
        } else {
            steps.take(count).map(bit).fold(0, |all, bit| all | bit)
        };
    }

    #[inline(always)]
    fn each(&self, mut place: impl FnMut(usize)) {
        let mut steps = self.steps;
        while steps != 0 {
            let step = steps.trailing_zeros() as usize;
            let mut places = self.places[step];
            while places != 0 {
                place(step * STEP + places.trailing_zeros() as usize);
                places &= places - 1;
            }
            steps &= steps - 1;
        }
    }
}

/// Reports the places in `block`, ascending.
#[inline]
pub(super) fn scan(kernel: Kernel, groups: &[Group], block: &[u8], place: &mut impl FnMut(usize)) {
    let mut noted = Noted { places: [0; STEPS], steps: 0 };
    let mut done = 0;
    let head = block.as_ptr().align_offset(STEP);
    if (1..STEP).contains(&head)
        && let Some(text) = block.get(..ALIGNED).and_then(|text| text.get(..STEP + BEHIND))
    {
        // One step up to where cache lines begin: a load that crosses into another line takes three times as long.
        steps(kernel, groups, text, &mut noted);
        noted.each(|at| {
            if at < head {
                place(at);
            }
        });
        done = head;
    }
    while block.len() >= done + STEP + BEHIND {
        let bytes = (block.len() - done - BEHIND).min(STEPS * STEP) / STEP * STEP;
        steps(kernel, groups, &block[done..done + bytes + BEHIND], &mut noted);
        noted.each(|at| place(done + at));
        done += bytes;
    }
    let rest = &block[done..];
    if rest.is_empty() {
        return;
    }
    // Less than a step with its window is left: once more over a copy with zeros behind it.
    let mut padded = [0; 2 * STEP + BEHIND];
    padded[..rest.len()].copy_from_slice(rest);
    steps(kernel, groups, &padded[..rest.len().next_multiple_of(STEP) + BEHIND], &mut noted);
    noted.each(|at| {
        if at < rest.len() {
            place(done + at);
        }
    });
}

/// Notes the places of `text`: at most `STEPS` whole steps and `BEHIND` bytes behind them.
#[expect(unsafe_code, reason = "functions with target features are safe to call only after detection")]
fn steps(kernel: Kernel, groups: &[Group], text: &[u8], noted: &mut Noted) {
    // SAFETY: `Wide::new` takes only kernels of `Kernel::available`, which detects these features.
    unsafe {
        match (kernel, groups) {
            (Kernel::Avx512, [a]) => avx512([a], text, noted),
            (Kernel::Avx512, [a, b]) => avx512([a, b], text, noted),
            (Kernel::Avx512, [a, b, c, d]) => avx512([a, b, c, d], text, noted),
            (_, [a]) => avx2([a], text, noted),
            (_, [a, b]) => avx2([a, b], text, noted),
            (_, [a, b, c, d]) => avx2([a, b, c, d], text, noted),
            _ => unreachable!("`Wide::new` makes one, two or four groups"),
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn avx2<const G: usize>(groups: [&Group; G], mut rest: &[u8], noted: &mut Noted) {
    let low = groups.map(|g| g.low.map(|table| _mm256_broadcastsi128_si256(load16(&table))));
    let high = groups.map(|g| g.high.map(|table| _mm256_broadcastsi128_si256(load16(&table))));
    let half = _mm256_set1_epi8(15);
    let zero = _mm256_setzero_si256();
    let mut count = 0;
    for noted in &mut noted.places {
        let Some(text) = rest.first_chunk::<{ STEP + BEHIND }>() else { break };
        let mut places = 0;
        for part in 0..2 {
            let mut shared = [_mm256_set1_epi8(-1); G];
            for position in 0..WIDTH {
                let Some(bytes) = text[32 * part + position..].first_chunk::<32>() else { break };
                let bytes = load32(bytes);
                let lows = _mm256_and_si256(bytes, half);
                let highs = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), half);
                for g in 0..G {
                    let takes = _mm256_and_si256(
                        _mm256_shuffle_epi8(low[g][position], lows),
                        _mm256_shuffle_epi8(high[g][position], highs),
                    );
                    shared[g] = _mm256_and_si256(shared[g], takes);
                }
            }
            let any = shared.iter().fold(zero, |all, s| _mm256_or_si256(all, *s));
            let none = _mm256_movemask_epi8(_mm256_cmpeq_epi8(any, zero)).cast_unsigned();
            places |= u64::from(!none) << (32 * part);
        }
        *noted = places;
        rest = &rest[STEP..];
        count += 1;
    }
    noted.sum_up(count);
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,gfni")]
fn avx512<const G: usize>(groups: [&Group; G], mut rest: &[u8], noted: &mut Noted) {
    let tables = groups.map(|g| g.six.each_ref().map(|table| load64(table)));
    let matrix = _mm512_set1_epi64(SIX as i64);
    let mut count = 0;
    for noted in &mut noted.places {
        let Some(text) = rest.first_chunk::<{ STEP + BEHIND }>() else { break };
        let [first, later] = [0, 8].map(|from| match text[from..].first_chunk::<64>() {
            Some(bytes) => _mm512_gf2p8affine_epi64_epi8::<0>(load64(bytes), matrix),
            None => _mm512_setzero_si512(),
        });
        // The bytes of a position follow those of the one before it: eight of them, and one from the next eight.
        let bits = [
            first,
            _mm512_shrdi_epi64::<8>(first, later),
            _mm512_shrdi_epi64::<16>(first, later),
            _mm512_shrdi_epi64::<24>(first, later),
        ];
        let shared = tables.map(|table| {
            let takes = |position: usize| _mm512_permutexvar_epi8(bits[position], table[position]);
            let pair = _mm512_and_si512(takes(0), takes(1));
            _mm512_and_si512(pair, _mm512_and_si512(takes(2), takes(3)))
        });
        let any = shared.iter().fold(_mm512_setzero_si512(), |all, s| _mm512_or_si512(all, *s));
        *noted = _mm512_test_epi8_mask(any, any);
        rest = &rest[STEP..];
        count += 1;
    }
    noted.sum_up(count);
}

#[inline]
#[target_feature(enable = "sse2")]
#[expect(unsafe_code, reason = "a load through a pointer; the array has the size of the vector")]
fn load16(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: 16 readable bytes, no alignment asked for.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
#[expect(unsafe_code, reason = "a load through a pointer; the array has the size of the vector")]
fn load32(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: 32 readable bytes, no alignment asked for.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
#[expect(unsafe_code, reason = "a load through a pointer; the array has the size of the vector")]
fn load64(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: 64 readable bytes, no alignment asked for.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}
