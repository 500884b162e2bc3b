//! The tests of the whole program, as its users meet it: one binary, a module for each side of it.

mod cli;
mod host;
mod host_peer;
mod layering;
mod scrape;
mod support;
