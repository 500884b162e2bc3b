//! The vector kernels: where may a window of some literal begin?
//!
//! Byte sets enter (`buckets`), places leave, ascending. For each place and each of four bytes a table gives the
//! buckets that take the byte; where the four answers share a bucket, the place is reported. False places are
//! allowed, missed ones are not. AVX2 looks up half bytes (32 places at once), AVX-512 with GFNI six bits of each byte (64).

use super::buckets::{Sets, WIDTH, spread};

/// Which instructions a scan uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Kernel {
    /// No vectors: one table lookup per byte.
    Bytes,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// What Ice Lake and Zen 4 brought: AVX-512 with VBMI, VBMI2 and GFNI. Processors that have less of it lower their
    /// clock for all else where registers this wide are used.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Kernel {
    /// The fastest that this machine can run.
    pub(in super::super) fn best() -> Kernel {
        Kernel::available().first().copied().unwrap_or(Kernel::Bytes)
    }

    /// The kernels that this machine can run, the fastest first.
    pub(in super::super) fn available() -> Vec<Kernel> {
        let mut kernels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let wide = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vbmi")
                && is_x86_feature_detected!("avx512vbmi2")
                && is_x86_feature_detected!("gfni");
            if wide {
                kernels.push(Kernel::Avx512);
            }
            if is_x86_feature_detected!("avx2") {
                kernels.push(Kernel::Avx2);
            }
        }
        kernels.push(Kernel::Bytes);
        kernels
    }

    /// How many groups of eight buckets so many windows are spread over: a group costs a little at every byte of text,
    /// windows that share a bucket let more false places through. One, two or four.
    fn groups(self, windows: usize) -> usize {
        let (one, two) = match self {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 | Kernel::Avx2 => (32, 256),
            Kernel::Bytes => (0, 0),
        };
        if windows <= one {
            1
        } else if windows <= two {
            2
        } else {
            4
        }
    }
}

/// Tables of one set of literals for one kernel.
#[derive(Debug)]
pub(super) struct Wide {
    kernel: Kernel,
    sets: Box<Sets>,
    #[cfg(target_arch = "x86_64")]
    tables: Vec<x86::Group>,
}

impl Wide {
    /// `kernel` must be one of `Kernel::available()`; another is replaced by the one that runs everywhere.
    pub(super) fn new(kernel: Kernel, windows: &[Vec<(u8, u8)>]) -> Wide {
        let kernel = if Kernel::available().contains(&kernel) { kernel } else { Kernel::Bytes };
        Wide::with_groups(kernel, windows, kernel.groups(windows.len()))
    }

    fn with_groups(kernel: Kernel, windows: &[Vec<(u8, u8)>], groups: usize) -> Wide {
        let sets = spread(windows, groups * 8);
        Wide {
            kernel,
            #[cfg(target_arch = "x86_64")]
            tables: (0..groups).map(|g| x86::Group::new(&sets, g)).collect(),
            sets,
        }
    }

    /// Calls `place` for each place where a window may begin, in ascending order.
    #[inline]
    pub(super) fn scan(&self, block: &[u8], mut place: impl FnMut(usize)) {
        match self.kernel {
            Kernel::Bytes => self.scan_bytes(block, &mut place),
            #[cfg(target_arch = "x86_64")]
            kernel => x86::scan(kernel, &self.tables, block, &mut place),
        }
    }

    /// The places one by one; past the end of the block any byte fits.
    fn scan_bytes(&self, block: &[u8], place: &mut impl FnMut(usize)) {
        for at in 0..block.len() {
            let window = &block[at..block.len().min(at + WIDTH)];
            let shared = window
                .iter()
                .zip(self.sets.iter())
                .fold(u32::MAX, |all, (b, set)| all & set[usize::from(*b)]);
            if shared != 0 {
                place(at);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// A window: bytes in either case where they are letters, or exactly.
    fn window() -> impl Strategy<Value = Vec<(u8, u8)>> {
        let letter = (b'a'..=b'h').prop_map(|byte| (byte, 0x20));
        let other =
            prop_oneof![Just(b'a'), Just(b'A'), Just(b'!'), Just(b'5'), Just(0), Just(0xe1), any::<u8>()];
        vec(prop_oneof![1 => letter, 3 => other.prop_map(|byte| (byte, 0))], 1..=WIDTH)
    }

    fn stands(window: &[(u8, u8)], text: &[u8]) -> bool {
        text.len() >= window.len() && window.iter().zip(text).all(|((byte, fold), b)| b | fold == *byte)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_kernel_misses_a_window_or_names_a_place_twice(
            windows in vec(window(), 1..40),
            fill in any::<u8>(),
            length in prop_oneof![0usize..300, 1000usize..1200, 4000usize..4400, 8000usize..13_000],
            stood in vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..60),
            from in 0usize..64,
        ) {
            let mut text = vec![fill; length + from];
            for (which, at) in stood {
                let at = at.index(text.len() + 1);
                let spelled: Vec<u8> = which.get(&windows).iter().map(|(byte, fold)| byte & !(fold & at as u8)).collect();
                let room = spelled.len().min(text.len() - at);
                text[at..at + room].copy_from_slice(&spelled[..room]);
            }
            let block = &text[from.min(text.len())..];
            let truth: Vec<usize> =
                (0..block.len()).filter(|at| windows.iter().any(|w| stands(w, &block[*at..]))).collect();
            for kernel in Kernel::available() {
                for groups in [1, 2, 4] {
                    let mut places = Vec::new();
                    Wide::with_groups(kernel, &windows, groups).scan(block, |at| places.push(at));
                    prop_assert!(places.is_sorted_by(|a, b| a < b), "{kernel:?}, {groups} groups: {places:?}");
                    prop_assert!(places.last().is_none_or(|at| *at < block.len()), "{kernel:?}, {groups} groups");
                    let missed = truth.iter().find(|at| places.binary_search(at).is_err());
                    prop_assert_eq!(missed, None, "{:?}, {} groups", kernel, groups);
                }
            }
        }
    }
}
