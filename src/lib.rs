//! logtally: counts the events of log files by level and by pattern, exactly once.
//!
//! The folders draw the data path; imports only go to a lower floor (`tests/layering.rs` keeps it so).

pub mod error;
pub mod event;
pub mod level;

pub mod discover;
pub mod frame;
pub mod matching;
pub mod parse;
pub mod redact;
pub mod store;
pub mod tail;
pub mod tally;

pub mod expose;
pub mod host;
pub mod notice;
pub mod pipeline;
pub mod rules;

pub mod push;

pub mod config;
pub mod follow;
pub mod generate;
pub mod import;
pub mod web;

pub mod app;
pub mod cli;
