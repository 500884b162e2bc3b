//! Hints from the kernel: which files were written to, and whether folders changed.
//!
//! Where the system tells nothing every wait just takes its time, which is polling: right, only later.

#[cfg(all(target_os = "linux", not(logtally_portable)))]
mod inotify;
#[cfg(any(test, not(all(target_os = "linux", not(logtally_portable)))))]
mod polling;

use std::collections::HashSet;
use std::path::PathBuf;

#[cfg(all(target_os = "linux", not(logtally_portable)))]
pub use inotify::{Waker, Watch};
#[cfg(not(all(target_os = "linux", not(logtally_portable))))]
pub use polling::{Waker, Watch};

/// What happened while waiting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// Files came, went or were renamed: list anew.
    pub dirs_changed: bool,
    /// Files that were written to.
    pub modified: HashSet<PathBuf>,
    /// Events were lost: anything may have been written to.
    pub all: bool,
    /// Another thread asked for attention.
    pub woken: bool,
}

/// What came of a wish to watch folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Folders that tell nothing, or not all: others write there, over a network. They need polling.
    pub blind: Vec<PathBuf>,
    /// Some were not watched before: what happened in them until now was told to nobody, so list once more.
    pub added: bool,
}
