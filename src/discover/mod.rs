//! Finds the files that patterns name, and tells when their folders change.
//!
//! Patterns come in, listings go out: files by what they are behind all links, with errors and unmatched patterns as
//! values. [`Watch`] only hints when to look again; a listing never depends on it.

mod globs;
mod watch;

pub use globs::{Found, Globs, Listing};
pub use watch::{Hint, Waker, Watch};
