//! The counters: streams of dense numbers, series born of label values, and the guard over their number.

pub mod exposition;
pub mod spec;
pub mod template;
pub mod units;
