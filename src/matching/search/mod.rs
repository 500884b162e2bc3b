//! All literals of all rules, searched in one pass over a block.
//!
//! Literals with their owners enter, candidates leave. A vector kernel (`wide`) names the places where the four
//! rarest bytes of some literal may stand; `Needles` looks each place up by those bytes and compares the whole
//! literal. Without the vector instructions an Aho-Corasick automaton (`portable`) gives the same candidates.

mod buckets;
mod needles;
mod portable;
mod wide;

use std::collections::BTreeMap;

use self::needles::Needles;
use self::portable::Portable;
pub(super) use self::wide::Kernel;
use super::Candidate;
use super::literal::Literal;

/// Finds literals; immutable.
#[derive(Debug)]
pub(super) struct Searcher {
    needles: Needles,
    engine: Engine,
}

#[derive(Debug)]
enum Engine {
    /// No literals at all.
    Idle,
    Wide(wide::Wide),
    Portable(Box<Portable>),
}

impl Searcher {
    /// `owners` are ascending pattern numbers. `kernel`: none for the portable automaton.
    pub(super) fn new(literals: &BTreeMap<Literal, Vec<u32>>, kernel: Option<Kernel>) -> Searcher {
        let needles = Needles::new(literals);
        let engine = match kernel {
            _ if literals.is_empty() => Engine::Idle,
            Some(kernel) => Engine::Wide(wide::Wide::new(kernel, needles.windows())),
            // An automaton that grows too large is replaced by the kernel that needs no vector instructions.
            None => Portable::new(literals.keys()).map_or_else(
                || Engine::Wide(wide::Wide::new(Kernel::Bytes, needles.windows())),
                |p| Engine::Portable(Box::new(p)),
            ),
        };
        Searcher { needles, engine }
    }

    /// Appends the candidates of `block`, ascending and without doubles.
    pub(super) fn scan(&self, block: &[u8], out: &mut Vec<Candidate>) {
        match &self.engine {
            Engine::Idle => {}
            Engine::Wide(wide) => wide.scan(block, |at| self.needles.check(block, at, out)),
            Engine::Portable(portable) => {
                portable.scan(block, |needle, start| self.needles.compare(needle, block, start, out));
                out.sort_unstable();
                out.dedup();
            }
        }
    }
}
