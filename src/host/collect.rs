//! What every collector is: something that reads its files at a tick and fills a batch of families.
//!
//! A collector also leaves the few facts that the burst histograms are fed from.

use std::cell::OnceCell;
use std::time::{Instant, SystemTime};

use super::batch::Batch;
use super::source::{self, Failure, Roots};

/// One reading: the time of it, where the files are, and where facts go.
pub(crate) struct Tick<'a> {
    /// Monotonic time of this tick.
    pub(crate) now: Instant,
    /// The wall clock at this tick.
    pub(crate) wall: SystemTime,
    /// Stand-ins for `/proc`, `/sys` and `/`.
    pub(crate) roots: &'a Roots,
    /// What the histograms of bursts want to know.
    pub(crate) facts: &'a mut Facts,
    /// `/proc/stat` of this tick, which two collectors want and which is long on large machines.
    pub(crate) stat: &'a OnceCell<Result<String, Failure>>,
    /// Whether another collector has a family of this name.
    pub(crate) taken: &'a dyn Fn(&str) -> bool,
    /// Something that a person should know although the reading is a success.
    pub(crate) remark: &'a mut Option<String>,
}

impl Tick<'_> {
    /// The text of `/proc/stat`, read once per tick.
    pub(crate) fn stat_text(&self) -> Result<&str, Failure> {
        let read = self.stat.get_or_init(|| source::read(&self.roots.proc("stat")));
        read.as_deref().map_err(Clone::clone)
    }
}

/// Raw numbers of one tick from which utilisation is computed; counters are since boot.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Facts {
    /// Seconds that CPUs were busy, and seconds that went by, summed over CPUs.
    pub(crate) cpu: Option<(f64, f64)>,
    /// Share of the memory in use, 0 to 1.
    pub(crate) memory_used: Option<f64>,
    /// Seconds that each disk was busy.
    pub(crate) disks: Vec<(String, f64)>,
    /// Bytes received and sent by each network device.
    pub(crate) networks: Vec<(String, f64, f64)>,
}

/// One source of families.
pub(crate) trait Collect: Send {
    /// Reads now. After a failure what is in the batch is thrown away.
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure>;
}
