//! Space and inodes of mounted file systems: the mount table and one guarded `statfs` each in, gauges out.

use std::path::PathBuf;

use super::batch::Batch;
use super::collect::{Collect, Tick};
use super::mounts::{self, Filters};
use super::probe::{Answer, Prober, Space};
use super::source::{self, Failure};

/// A figure of a file system: metric, help, and where it stands.
type Figure = (&'static str, &'static str, fn(&Space) -> f64);

const FIGURES: [Figure; 5] = [
    ("node_filesystem_size_bytes", "Filesystem size in bytes.", |space| space.size),
    ("node_filesystem_free_bytes", "Filesystem free space in bytes.", |space| space.free),
    ("node_filesystem_avail_bytes", "Filesystem space available to non-root users in bytes.", |space| {
        space.avail
    }),
    ("node_filesystem_files", "Filesystem total file nodes.", |space| space.files),
    ("node_filesystem_files_free", "Filesystem total free file nodes.", |space| space.files_free),
];

const ERROR_HELP: &str = "Whether an error occurred while getting statistics for the given device.";

/// `node_filesystem_*`.
#[derive(Debug, Default)]
pub(crate) struct Filesystem {
    filters: Filters,
    prober: Prober,
}

impl Collect for Filesystem {
    fn collect(&mut self, tick: &mut Tick<'_>, out: &mut Batch) -> Result<(), Failure> {
        // The first process sees the host's mounts also from inside a mount namespace; where it is hidden, ours do.
        let text = source::read(&tick.roots.proc("1/mounts"))
            .or_else(|_| source::read(&tick.roots.proc("self/mounts")))
            .or_else(|_| source::read(&tick.roots.proc("mounts")))?;
        let mounts = mounts::parse(&text, &tick.roots.rootfs.to_string_lossy(), &self.filters)?;
        let paths: Vec<PathBuf> = mounts.iter().map(|mount| tick.roots.root(&mount.point)).collect();
        for (mount, answer) in mounts.iter().zip(self.prober.probe(&paths)) {
            if answer == Answer::Pending {
                continue;
            }
            let labels = [
                ("device", mount.device.as_str()),
                ("fstype", mount.kind.as_str()),
                ("mountpoint", &mount.point),
            ];
            let error = f64::from(u8::from(answer == Answer::Error));
            out.gauge("node_filesystem_device_error", ERROR_HELP, &labels, error);
            let readonly = f64::from(u8::from(mount.readonly));
            out.gauge("node_filesystem_readonly", "Filesystem read-only status.", &labels, readonly);
            if let Answer::Space(space) = answer {
                for (name, help, figure) in FIGURES {
                    out.gauge(name, help, &labels, figure(&space));
                }
            }
        }
        Ok(())
    }
}
