//! The tests of the whole program, as its users meet it: one binary, a module for each side of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stderr, reason = "seeds are printed, so that a failure can be run again")]

mod bad_input;
mod cli;
mod config;
mod corpora;
mod deployment;
mod exactly_once;
mod exemplars;
mod host;
mod host_peer;
mod import;
mod layering;
mod load;
mod native;
mod packs;
mod page;
mod producers;
mod prometheus;
mod push;
mod reloads;
mod schema;
mod scrape;
mod spans;
mod supervisor;
mod support;
mod web_config;
