//! The counters: streams of dense numbers, series born of label values, and the guard over their number.

pub mod catalog;
pub mod exposition;
pub mod spec;
