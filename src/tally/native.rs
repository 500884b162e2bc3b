//! The sparse form of a histogram: buckets whose bounds grow by a constant factor, as Prometheus' native histograms
//! have them.
//!
//! Values go in, counts by bucket index come out; count and sum are those of the explicit buckets beside it. With
//! schema `s` the bucket `i` holds what is above `2^((i-1)/2^s)` and at most `2^(i/2^s)`; negative values mirror that.
//! A coarser schema merges neighbours, so every index is that of the finest schema, halved and rounded up.

use serde::{Deserialize, Serialize};

/// The schema that every histogram begins with: 8 buckets for each power of two, each 9 % wider than the one before.
pub const FINEST: i8 = 3;
/// The coarsest schema there is: 16 powers of two in a bucket.
pub const COARSEST: i8 = -4;
/// Buckets of one histogram, positive and negative ones together; where they would be more, the schema becomes
/// coarser. At [`COARSEST`] all numbers there are fit into fewer.
pub const MAX_BUCKETS: usize = 160;
/// What is at most so far from 0 counts as 0: 2^-128, a bound of every schema, and the usual one of client libraries.
pub const ZERO_THRESHOLD: f64 = f64::from_bits((EXPONENT_BIAS - 128) << MANTISSA_BITS);

const MANTISSA_BITS: u32 = f64::MANTISSA_DIGITS - 1;
const EXPONENT_BIAS: u64 = 1023;
/// The upper bounds of the buckets in a power of two, for numbers of 0.5 to 1: 2^(k/8 - 1). Some are an ulp or two
/// beside the nearest number there is: so are Prometheus' own, and a value belongs where the server says it does.
const BOUNDS: [f64; 1 << FINEST] = [
    0.5,
    0.545_253_866_332_628_8,
    0.594_603_557_501_360_5,
    0.648_419_777_325_504_8,
    0.707_106_781_186_547_5,
    0.771_105_412_703_970_4,
    0.840_896_415_253_714_4,
    0.917_004_043_204_671_1,
];

/// A bucket: its index and how many values it holds.
pub type Bucket = (i16, u64);

/// The buckets of a histogram that hold anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Native {
    schema: i8,
    zero: u64,
    positive: Vec<Bucket>,
    negative: Vec<Bucket>,
}

impl Default for Native {
    fn default() -> Native {
        Native { schema: FINEST, zero: 0, positive: Vec::new(), negative: Vec::new() }
    }
}

impl Native {
    /// What explicit buckets tell of values that were counted before there was a sparse form: each value at its upper
    /// bound, those above all bounds right after the last. Count for count the same, as precise as they are.
    pub fn of_buckets(bounds: &[f64], counts: &[u64]) -> Native {
        let mut native = Native::default();
        let beyond = bounds.last().copied().unwrap_or_default().next_up();
        for (bound, count) in bounds.iter().copied().chain([beyond]).zip(counts) {
            native.add(bound, *count);
        }
        native
    }

    /// Counts a value. One that is no number is in no bucket; infinite ones are in the bucket after the largest number's.
    pub fn observe(&mut self, value: f64) {
        self.add(value, 1);
    }

    /// Adds what another one counted, at the coarser schema of the two.
    pub fn absorb(&mut self, other: &Native) {
        while self.schema > other.schema {
            self.coarsen();
        }
        self.zero = self.zero.saturating_add(other.zero);
        let steps = (other.schema - self.schema) as u32;
        for (mine, theirs) in [(&mut self.positive, &other.positive), (&mut self.negative, &other.negative)] {
            theirs.iter().for_each(|(index, count)| put(mine, coarser(*index, steps), *count));
        }
        self.bound();
    }

    /// The resolution, [`COARSEST`] to [`FINEST`].
    pub fn schema(&self) -> i8 {
        self.schema
    }

    /// Values no further from 0 than [`ZERO_THRESHOLD`].
    pub fn zero(&self) -> u64 {
        self.zero
    }

    /// Buckets of positive values, ascending.
    pub fn positive(&self) -> &[Bucket] {
        &self.positive
    }

    /// Buckets of negative values by their distance from 0, ascending.
    pub fn negative(&self) -> &[Bucket] {
        &self.negative
    }

    /// Bytes that its buckets take, beside itself.
    pub fn heap_bytes(&self) -> usize {
        (self.positive.capacity() + self.negative.capacity()) * size_of::<Bucket>()
    }

    /// Whether this is a sparse form of so many values: what a server would refuse is none.
    pub fn is_of(&self, total: u64) -> bool {
        let sides = [&self.positive, &self.negative];
        let ascending = |side: &Vec<Bucket>| side.is_sorted_by(|a, b| a.0 < b.0);
        let counts = sides.into_iter().flatten().map(|(_, count)| *count);
        (COARSEST..=FINEST).contains(&self.schema)
            && sides.into_iter().all(ascending)
            && sides.into_iter().map(Vec::len).sum::<usize>() <= MAX_BUCKETS
            && counts.fold(self.zero, u64::saturating_add) == total
    }

    fn add(&mut self, value: f64, count: u64) {
        if count == 0 || value.is_nan() {
            return;
        }
        if value.abs() <= ZERO_THRESHOLD {
            self.zero = self.zero.saturating_add(count);
            return;
        }
        let index = coarser(finest_index(value.abs()), (FINEST - self.schema) as u32);
        put(if value > 0.0 { &mut self.positive } else { &mut self.negative }, index, count);
        self.bound();
    }

    fn bound(&mut self) {
        while self.positive.len() + self.negative.len() > MAX_BUCKETS && self.schema > COARSEST {
            self.coarsen();
        }
    }

    /// Merges each two neighbours.
    fn coarsen(&mut self) {
        self.schema -= 1;
        for side in [&mut self.positive, &mut self.negative] {
            side.iter_mut().for_each(|(index, _)| *index = coarser(*index, 1));
            side.dedup_by(|later, first| {
                let same = later.0 == first.0;
                if same {
                    first.1 = first.1.saturating_add(later.1);
                }
                same
            });
        }
    }
}

fn put(side: &mut Vec<Bucket>, index: i16, count: u64) {
    match side.binary_search_by_key(&index, |(known, _)| *known) {
        Ok(at) => side[at].1 = side[at].1.saturating_add(count),
        Err(at) => side.insert(at, (index, count)),
    }
}

/// The bucket at [`FINEST`] of a number above [`ZERO_THRESHOLD`], which no subnormal one is.
fn finest_index(value: f64) -> i16 {
    // As `frexp` splits it: a mantissa of 0.5 to 1 and the power of two that it is multiplied by.
    let bits = value.to_bits();
    let exponent = (bits >> MANTISSA_BITS) as i16 - (EXPONENT_BIAS as i16 - 1);
    let half = (EXPONENT_BIAS - 1) << MANTISSA_BITS;
    let mantissa = f64::from_bits(bits & ((1 << MANTISSA_BITS) - 1) | half);
    let step = BOUNDS.partition_point(|bound| *bound < mantissa) as i16;
    // Infinity has the bits of the power of two after the largest number, whose bucket ends just there.
    (exponent - 1) * BOUNDS.len() as i16 + step + i16::from(value.is_infinite())
}

/// The index of the same bucket where the schema is coarser by so many steps.
fn coarser(index: i16, steps: u32) -> i16 {
    // The upper bound is part of a bucket, hence rounded up.
    (index + ((1 << steps) - 1)) >> steps
}

#[cfg(test)]
mod tests;
