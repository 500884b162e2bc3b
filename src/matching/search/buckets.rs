//! Literals spread over buckets so that each bucket's byte masks let little log text pass.
//!
//! A bucket passes a place when each of four bytes is in the bucket's set for its position. Windows that look alike
//! share a bucket at little cost; the greedy choice below puts each where the estimated passes grow least.

use std::sync::LazyLock;

use super::super::model;

/// Positions of a window.
pub(super) const WIDTH: usize = 4;

/// For each byte and position, the buckets (as bits) that take it.
pub(super) type Sets = [[u32; 256]; WIDTH];

/// Shares of text bytes by low and high half, for kernels that look at the halves alone.
static SHARES: LazyLock<[f32; 256]> = LazyLock::new(|| std::array::from_fn(|b| model::byte_share(b as u8)));

#[derive(Clone, Default)]
struct Bucket {
    bytes: [Vec<u8>; WIDTH],
    /// Share of text bytes that pass each position.
    share: [f32; WIDTH],
    used: bool,
}

impl Bucket {
    fn passes(&self) -> f32 {
        if self.used { self.share.iter().product() } else { 0.0 }
    }

    fn with(&self, window: &[Vec<u8>; WIDTH]) -> [f32; WIDTH] {
        std::array::from_fn(|position| {
            let open = window[position].is_empty();
            let closed = self.used && self.bytes[position].is_empty();
            if open || closed {
                return 1.0;
            }
            let new = window[position].iter().filter(|b| !self.bytes[position].contains(b));
            let had = if self.used { self.share[position] } else { 0.0 };
            new.fold(had, |sum, b| sum + SHARES[usize::from(*b)])
        })
    }

    fn add(&mut self, window: &[Vec<u8>; WIDTH]) {
        self.share = self.with(window);
        for (bytes, new) in self.bytes.iter_mut().zip(window) {
            // A position without bytes takes any; it stays so.
            if new.is_empty() || (self.used && bytes.is_empty()) {
                bytes.clear();
            } else {
                bytes.extend(new);
                bytes.sort_unstable();
                bytes.dedup();
            }
        }
        self.used = true;
    }
}

/// The byte sets of `buckets` (at most 32) buckets that hold all `windows` (bytes and folds, up to four).
pub(super) fn spread(windows: &[Vec<(u8, u8)>], buckets: usize) -> Box<Sets> {
    let mut windows: Vec<[Vec<u8>; WIDTH]> = windows.iter().map(|w| spelled(w)).collect();
    windows.sort();
    windows.dedup();
    let mut all = vec![Bucket::default(); buckets];
    for window in &windows {
        let growth = |bucket: &Bucket| bucket.with(window).iter().product::<f32>() - bucket.passes();
        if let Some(best) = all.iter_mut().min_by(|a, b| growth(a).total_cmp(&growth(b))) {
            best.add(window);
        }
    }
    let mut sets = Box::new([[0; 256]; WIDTH]);
    for (number, bucket) in all.iter().enumerate().filter(|(_, b)| b.used) {
        for (set, bytes) in sets.iter_mut().zip(&bucket.bytes) {
            if bytes.is_empty() {
                set.iter_mut().for_each(|b| *b |= 1 << number);
            }
            bytes.iter().for_each(|&b| set[usize::from(b)] |= 1 << number);
        }
    }
    sets
}

/// The bytes that each position of a window takes; none where the window is shorter: any.
fn spelled(window: &[(u8, u8)]) -> [Vec<u8>; WIDTH] {
    std::array::from_fn(|position| match window.get(position) {
        None => Vec::new(),
        Some(&(byte, 0)) => vec![byte],
        Some(&(byte, fold)) => vec![byte, byte & !fold],
    })
}
