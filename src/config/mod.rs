//! The config: what the user wrote becomes what the program runs on, and all problems are reported at once.
//!
//! [`raw`] is the file as written; [`ready`] turns it, together with the flags, into the small `Options` of each room.

mod input;
mod push;
mod raw;
mod ready;
mod samples;
mod switch;
#[cfg(test)]
mod tests;

pub use input::{Input, PathLabel};
pub use raw::schema;
pub use ready::{Config, Given, HostChoice, Storage, load};
