//! Fill of the connection tracking table; machines without the module have none.

use super::batch::Batch;
use super::collect::{Collect, Tick};
use super::source::{self, Failure};

/// `node_nf_conntrack_entries`, `node_nf_conntrack_entries_limit`.
#[derive(Debug, Default)]
pub(crate) struct Conntrack;

impl Collect for Conntrack {
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
        for (file, name, help) in [
            (
                "nf_conntrack_count",
                "node_nf_conntrack_entries",
                "Number of currently allocated flow entries for connection tracking.",
            ),
            (
                "nf_conntrack_max",
                "node_nf_conntrack_entries_limit",
                "Maximum size of connection tracking table.",
            ),
        ] {
            let text = source::read_optional(&tick.roots.proc(&format!("sys/net/netfilter/{file}")))?;
            out.gauge(name, help, &[], source::number(text.trim(), file)?);
        }
        Ok(())
    }
}
