//! Entropy of the kernel's random pool from `/proc/sys/kernel/random`.

use super::batch::Batch;
use super::collect::{Collect, Tick};
use super::source::{self, Failure};

/// `node_entropy_available_bits`, `node_entropy_pool_size_bits`.
#[derive(Debug, Default)]
pub(crate) struct Entropy;

impl Collect for Entropy {
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
        for (file, name, help) in [
            ("entropy_avail", "node_entropy_available_bits", "Bits of available entropy."),
            ("poolsize", "node_entropy_pool_size_bits", "Bits of entropy pool."),
        ] {
            let text = source::read_optional(&tick.roots.proc(&format!("sys/kernel/random/{file}")))?;
            out.gauge(name, help, &[], source::number(text.trim(), file)?);
        }
        Ok(())
    }
}
