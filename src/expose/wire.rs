//! The wire form of protobuf: varints, doubles and length-prefixed fields appended to a buffer.

/// A varint follows.
pub(crate) const VARINT: u64 = 0;
/// Eight bytes follow.
pub(crate) const FIXED64: u64 = 1;
/// A length and as many bytes follow.
pub(crate) const LENGTH: u64 = 2;

/// Appends a number, seven bits a byte.
pub(crate) fn varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Appends a field's number and the form of what follows.
pub(crate) fn key(out: &mut Vec<u8>, field: u64, wire: u64) {
    varint(out, field << 3 | wire);
}

/// Appends a field of bytes, text or an encoded message.
pub(crate) fn bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    key(out, field, LENGTH);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a field of a double.
pub(crate) fn double(out: &mut Vec<u8>, field: u64, x: f64) {
    key(out, field, FIXED64);
    out.extend_from_slice(&x.to_le_bytes());
}

/// Bytes that a varint takes.
pub(crate) fn varint_len(n: usize) -> usize {
    (usize::BITS - (n | 1).leading_zeros()).div_ceil(7) as usize
}
