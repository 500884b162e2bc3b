//! What `sysinfo` gives on every system: load, boot time, memory, file systems, networks.
//!
//! On Linux the load and the boot time come from here; elsewhere this is all there is of `node_*`.

use sysinfo::System;

/// Load averages of 1, 5 and 15 minutes.
pub(crate) fn load() -> Option<[f64; 3]> {
    let load = System::load_average().ok()?;
    Some([load.one, load.five, load.fifteen])
}

/// Seconds since 1970 at which the machine started.
pub(crate) fn boot_time() -> Option<f64> {
    System::boot_time().ok().map(|seconds| seconds as f64)
}
