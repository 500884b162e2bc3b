//! Host metrics under node_exporter's names, sampled by one thread, and what happens between two scrapes.
//!
//! `/proc`, `/sys` and a few system calls go in at each tick; a [`Snapshot`] comes out, which a
//! `prometheus::Registry` asks at each scrape. A scrape reads no file. One collector is one file with one parser
//! over text; `docs/host-metrics.md` tells which family comes from where.

mod batch;
mod bursts;
mod cgroup;
mod collect;
mod conntrack;
mod cpu;
mod disk;
mod entropy;
mod filefd;
mod filesystem;
mod groups;
mod hwmon;
mod load;
mod memory;
mod mounts;
mod netclass;
mod netstat;
mod network;
mod os;
mod own;
mod portable;
mod pressure;
mod probe;
mod processes;
mod run;
mod sampler;
mod snapshot;
mod sockstat;
mod source;
mod stat;
mod text_format;
mod textfile;
mod thermal;
mod timex;
mod vmstat;

use std::path::PathBuf;
use std::time::Duration;

pub use own::OwnProcess;
pub use run::{Order, run};
pub use sampler::{Host, Note};
pub use snapshot::Snapshot;

/// The names of all collectors, as the config lists them.
pub const COLLECTORS: &[&str] = &[
    "cpu",
    "memory",
    "load",
    "disk",
    "filesystem",
    "network",
    "pressure",
    "vmstat",
    "stat",
    "filefd",
    "conntrack",
    "timex",
    "sockstat",
    "netstat",
    "entropy",
    "hwmon",
    "thermal",
    "processes",
    "os",
    // Last, so that a family of ours wins over one that a file brings.
    "textfile",
];

/// What the host part is told from outside.
#[derive(Debug, Clone)]
pub struct Options {
    /// Time between two ticks; a second sees what a scrape cannot.
    pub interval: Duration,
    /// The collectors that run, by their names in [`COLLECTORS`].
    pub collectors: Vec<String>,
    /// Stands for `/proc`.
    pub procfs: PathBuf,
    /// Stands for `/sys`.
    pub sysfs: PathBuf,
    /// Stands for `/`: mount points are looked up under it, and it is cut off their names.
    pub rootfs: PathBuf,
    /// Folder of `*.prom` files that other programs write.
    pub textfile: Option<PathBuf>,
    /// Processes whose use is summed up by group, in the order in which the rules are tried.
    pub processes: Vec<ProcessGroup>,
}

/// A set of processes that is watched as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessGroup {
    /// The value of the label `group`.
    pub name: String,
    /// Regex over the command line (arguments joined by blanks), or over the name where there is none.
    pub matching: String,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            interval: Duration::from_secs(1),
            collectors: COLLECTORS.iter().map(|name| (*name).to_owned()).collect(),
            procfs: "/proc".into(),
            sysfs: "/sys".into(),
            rootfs: "/".into(),
            textfile: None,
            processes: Vec::new(),
        }
    }
}

#[cfg(test)]
#[cfg(all(target_os = "linux", not(logtally_portable)))]
mod tests;
#[cfg(test)]
#[cfg(not(all(target_os = "linux", not(logtally_portable))))]
#[path = "elsewhere_tests.rs"]
mod tests;
