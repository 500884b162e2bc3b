//! All literals of all rules, searched in one pass over a block.
//!
//! Literals with their owners enter, candidates leave. A kernel (`wide`) names the places where the four rarest bytes
//! of some literal may stand; `Needles` looks each place up by those bytes and compares the whole literal.

mod buckets;
mod needles;
mod wide;

use std::collections::BTreeMap;

use self::needles::Needles;
pub(super) use self::wide::Kernel;
use self::wide::Wide;
use super::Candidate;
use super::literal::Literal;

/// Finds literals; immutable.
#[derive(Debug)]
pub(super) struct Searcher {
    needles: Needles,
    /// None where there is nothing to find.
    wide: Option<Wide>,
}

impl Searcher {
    /// `literals` with the ascending numbers of the patterns that own them; `kernel` one of `Kernel::available()`.
    pub(super) fn new(literals: &BTreeMap<Literal, Vec<u32>>, kernel: Kernel) -> Searcher {
        let needles = Needles::new(literals);
        let wide = (!literals.is_empty()).then(|| Wide::new(kernel, &needles.windows()));
        Searcher { needles, wide }
    }

    /// Appends the candidates of `block`, ascending and without doubles.
    pub(super) fn scan(&self, block: &[u8], out: &mut Vec<Candidate>) {
        if let Some(wide) = &self.wide {
            wide.scan(block, |at| self.needles.check(block, at, out));
        }
    }
}
