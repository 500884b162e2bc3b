//! The x86 kernels. All that is unsafe here: unaligned loads and the calls behind feature detection.

use std::arch::x86_64::*;

use super::super::buckets::{Sets, WIDTH};
use super::Kernel;

/// Lookup tables of eight buckets.
#[derive(Debug)]
pub(super) struct Group {
    /// Buckets by the low and by the high half of a byte, for each position.
    low: [[u8; 16]; WIDTH],
    high: [[u8; 16]; WIDTH],
    /// Buckets by the low seven bits of a byte.
    seven: [[u8; 128]; WIDTH],
}

impl Group {
    pub(super) fn new(sets: &Sets, number: usize) -> Group {
        let mut group = Group { low: [[0; 16]; WIDTH], high: [[0; 16]; WIDTH], seven: [[0; 128]; WIDTH] };
        for (position, set) in sets.iter().enumerate() {
            for (byte, buckets) in set.iter().enumerate() {
                let bits = (buckets >> (8 * number)) as u8;
                group.low[position][byte & 15] |= bits;
                group.high[position][byte >> 4] |= bits;
                group.seven[position][byte & 127] |= bits;
            }
        }
        group
    }
}

/// Places that one step looks at, at most.
const STEP: usize = 64;

/// Reports the places in `block`, ascending.
pub(super) fn scan(kernel: Kernel, groups: &[Group], block: &[u8], place: &mut impl FnMut(usize)) {
    let done = steps(kernel, groups, block, place);
    let rest = &block[done..];
    if rest.is_empty() {
        return;
    }
    // Less than a step with its window is left: once more over a copy with zeros behind it.
    let mut padded = [0; 2 * STEP + WIDTH - 1];
    padded[..rest.len()].copy_from_slice(rest);
    let padded = &padded[..rest.len().next_multiple_of(STEP) + WIDTH - 1];
    steps(kernel, groups, padded, &mut |at| {
        if at < rest.len() {
            place(done + at);
        }
    });
}

/// Reports the places of whole steps and returns how many bytes those were: all but fewer than `STEP + WIDTH - 1`.
#[expect(unsafe_code, reason = "functions with target features are safe to call only after detection")]
fn steps(kernel: Kernel, groups: &[Group], block: &[u8], place: &mut impl FnMut(usize)) -> usize {
    // SAFETY: `Wide::new` takes only kernels of `Kernel::available`, which detects these features.
    unsafe {
        match (kernel, groups) {
            (Kernel::Avx512, [a]) => avx512([a], block, place),
            (Kernel::Avx512, [a, b]) => avx512([a, b], block, place),
            (Kernel::Avx512, [a, b, c, d]) => avx512([a, b, c, d], block, place),
            (_, [a]) => avx2([a], block, place),
            (_, [a, b]) => avx2([a, b], block, place),
            (_, [a, b, c, d]) => avx2([a, b, c, d], block, place),
            _ => unreachable!("`Wide::new` makes one, two or four groups"),
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn avx2<const G: usize>(groups: [&Group; G], block: &[u8], place: &mut impl FnMut(usize)) -> usize {
    let low = groups.map(|g| g.low.map(|table| _mm256_broadcastsi128_si256(load16(&table))));
    let high = groups.map(|g| g.high.map(|table| _mm256_broadcastsi128_si256(load16(&table))));
    let half = _mm256_set1_epi8(15);
    let zero = _mm256_setzero_si256();
    let mut at = 0;
    while let Some(text) = block.get(at..).and_then(<[u8]>::first_chunk::<{ 32 + WIDTH - 1 }>) {
        let mut shared = [_mm256_set1_epi8(-1); G];
        for position in 0..WIDTH {
            let Some(bytes) = text[position..].first_chunk::<32>() else { break };
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
        let mut places = !(_mm256_movemask_epi8(_mm256_cmpeq_epi8(any, zero)) as u32);
        while places != 0 {
            place(at + places.trailing_zeros() as usize);
            places &= places - 1;
        }
        at += 32;
    }
    at
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn avx512<const G: usize>(groups: [&Group; G], block: &[u8], place: &mut impl FnMut(usize)) -> usize {
    let tables = groups.map(|g| {
        g.seven.each_ref().map(|table| {
            let (first, second) = table.split_at(64);
            [first, second].map(|half| half.first_chunk().map_or(_mm512_setzero_si512(), |t| load64(t)))
        })
    });
    let mut at = 0;
    while let Some(text) = block.get(at..).and_then(<[u8]>::first_chunk::<{ 64 + WIDTH - 1 }>) {
        let mut shared = [_mm512_set1_epi8(-1); G];
        for position in 0..WIDTH {
            let Some(bytes) = text[position..].first_chunk::<64>() else { break };
            let bytes = load64(bytes);
            for g in 0..G {
                let [first, second] = tables[g][position];
                shared[g] = _mm512_and_si512(shared[g], _mm512_permutex2var_epi8(first, bytes, second));
            }
        }
        let any = shared.iter().fold(_mm512_setzero_si512(), |all, s| _mm512_or_si512(all, *s));
        let mut places = _mm512_test_epi8_mask(any, any);
        while places != 0 {
            place(at + places.trailing_zeros() as usize);
            places &= places - 1;
        }
        at += 64;
    }
    at
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
