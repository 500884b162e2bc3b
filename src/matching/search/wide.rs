//! The vector kernels: where may a window of some literal begin?
//!
//! Byte sets enter (`buckets`), places leave, ascending. For each place and each of four bytes a table gives the
//! buckets that take the byte; where the four answers share a bucket, the place is reported. False places are
//! allowed, missed ones are not. AVX2 looks up half bytes (32 places a step), AVX-512 VBMI seven bits (64 places).

use super::buckets::{Sets, WIDTH, spread};

/// Which instructions a scan uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Kernel {
    /// No vectors: one table lookup per byte.
    Bytes,
    #[cfg(target_arch = "x86_64")]
    Avx2,
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
                && is_x86_feature_detected!("avx512vbmi");
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
        let groups = match windows.len() {
            0..=8 => 1,
            9..=48 => 2,
            _ => 4,
        };
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
            Kernel::Avx2 | Kernel::Avx512 => x86::scan(self.kernel, &self.tables, block, &mut place),
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
