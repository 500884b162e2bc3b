//! Eight bytes compared at once: what the loops that run over every line are made of, on any processor.

const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The eighth bit of bytes equal to `byte`; exact for the first of them.
#[inline(always)]
pub(super) const fn equal(text: u64, byte: u8) -> u64 {
    let other = text ^ each(byte);
    other.wrapping_sub(each(1)) & !other & each(0x80)
}

/// The eighth bit of blanks and control bytes; exact for the first of them.
#[inline(always)]
pub(super) const fn blanks(text: u64) -> u64 {
    text.wrapping_sub(each(0x21)) & !text & each(0x80)
}

/// A bit for each of the eight bytes that is equal to `byte`.
#[inline(always)]
pub(super) const fn bits(text: u64, byte: u8) -> u8 {
    let other = text ^ each(byte);
    // Seven bits and a constant reach the eighth unless they are none.
    let differ = ((other & each(0x7f)) + each(0x7f)) | other | each(0x7f);
    // Each byte's eighth bit, moved to where the bytes' number says, in the uppermost byte.
    ((!differ >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
}

/// The first place from `from` to before `end` that `wanted` marks, which is given eight bytes at a time.
#[inline(always)]
pub(super) fn first(text: &[u8], mut from: usize, end: usize, wanted: impl Fn(u64) -> u64) -> Option<usize> {
    while from < end {
        let rest = text.get(from..)?;
        let mut bytes = [0; 8];
        match rest.first_chunk() {
            Some(chunk) => bytes = *chunk,
            None => bytes[..rest.len()].copy_from_slice(rest),
        }
        let marks = wanted(u64::from_le_bytes(bytes));
        if marks != 0 {
            let at = from + (marks.trailing_zeros() / 8) as usize;
            return (at < end).then_some(at);
        }
        from += 8;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_byte_has_its_bit(bytes in proptest::collection::vec(prop_oneof![Just(b' '), Just(b'!'), any::<u8>()], 8)) {
            let text = u64::from_le_bytes(bytes.clone().try_into().unwrap());
            let expected: u8 = (0..8).filter(|n| bytes[*n] == b' ').map(|n| 1u8 << n).sum();
            prop_assert_eq!(bits(text, b' '), expected);
        }
    }
}
