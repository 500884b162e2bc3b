//! Sparse buckets as the messages of Prometheus write them: spans of neighbours, and each count as its difference to
//! the one before.

use super::wire::{VARINT, bytes, double, key, varint};
use crate::tally::native::{Bucket, Native, ZERO_THRESHOLD};

/// Empty buckets between two others are written out if they are no more than this: a new span takes more bytes.
const MAX_GAP: i32 = 2;

/// Appends the sparse form. Exposition and remote write number its fields alike, from `schema` on.
pub(crate) fn form(out: &mut Vec<u8>, native: &Native, schema: u64) {
    key(out, schema, VARINT);
    varint(out, zigzag(native.schema().into()));
    double(out, schema + 1, ZERO_THRESHOLD);
    key(out, schema + 2, VARINT);
    varint(out, native.zero());
    buckets(out, native.negative(), schema + 4, schema + 5);
    buckets(out, native.positive(), schema + 7, schema + 8);
}

/// Appends the buckets of one sign, in the two fields that the message has for spans and for differences.
fn buckets(out: &mut Vec<u8>, side: &[Bucket], spans: u64, differences: u64) {
    let mut deltas = Vec::with_capacity(2 * side.len());
    let (mut next, mut before) = (0_i32, 0_u64);
    let mut put = |count: u64| {
        varint(&mut deltas, zigzag((count as i64).wrapping_sub(before as i64)));
        before = count;
    };
    let mut open: Option<(i32, u64)> = None;
    for (index, count) in side {
        let gap = i32::from(*index) - next;
        match &mut open {
            Some((_, length)) if gap <= MAX_GAP => {
                (0..gap).for_each(|_| put(0));
                *length += gap as u64 + 1;
            }
            _ => {
                let ended = open.replace((gap, 1));
                ended.inspect(|ended| span(out, spans, *ended));
            }
        }
        put(*count);
        next = i32::from(*index) + 1;
    }
    open.inspect(|last| span(out, spans, *last));
    if !deltas.is_empty() {
        bytes(out, differences, &deltas);
    }
}

/// The distance from the span before, or of the first one from 0, and how many buckets follow.
fn span(out: &mut Vec<u8>, field: u64, (offset, length): (i32, u64)) {
    let mut body = Vec::with_capacity(8);
    key(&mut body, 1, VARINT);
    varint(&mut body, zigzag(offset.into()));
    key(&mut body, 2, VARINT);
    varint(&mut body, length);
    bytes(out, field, &body);
}

/// Signed numbers as protobuf's `sint` types have them: small ones of either sign are short.
pub(crate) fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)) as u64
}
