//! Which rules match: a block of bytes in, candidates out, and one rule confirmed on one text.
//!
//! ```text
//! expression ─► extract (literals every match holds, chosen by model) ─► search ─► Candidate ─► confirm (regex)
//!            └► residual (rules without such literals: one set per text) ──────────────────────┘
//! ```

mod expression;
mod extract;
mod literal;
mod model;
pub mod pattern;
mod residual;
mod scanner;
mod search;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

pub use expression::{COMPILED_BYTES, collect_captures, is_surely_small, slow_reason};
pub use scanner::{Candidate, Part, PatternError, Scanner};
