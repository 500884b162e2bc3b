//! Builds, starts, stops, reloads: everything below this is put together here.

mod backend;
pub mod build;
mod glance;
mod hosting;
mod metrics;
mod numbers;
mod pushing;
mod run;
mod status;
mod supervisor;
pub mod trial;

pub use pushing::check_push;
pub use run::{Load, Options, run};

/// What `--version` prints after the name.
pub const VERSION_LINE: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("LOGTALLY_REVISION"),
    ", rustc ",
    env!("LOGTALLY_RUSTC"),
    ")"
);
/// The version alone.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The source revision it was built from.
pub const REVISION: &str = env!("LOGTALLY_REVISION");
/// The compiler that built it.
pub const RUSTC: &str = env!("LOGTALLY_RUSTC");
