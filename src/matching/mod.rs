//! Which rules match: a block of bytes in, candidates out, and one rule confirmed on one text.

pub mod pattern;
