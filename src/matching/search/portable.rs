//! Literal search with an Aho-Corasick automaton: for machines without the vector instructions, and as the
//! reference in tests.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

use super::super::literal::Literal;

/// An automaton over all literals without regard to case; the caller compares exactly.
#[derive(Debug)]
pub(super) struct Portable(AhoCorasick);

impl Portable {
    /// None where the automaton would exceed the crate's limits.
    pub(super) fn new<'a>(literals: impl Iterator<Item = &'a Literal>) -> Option<Portable> {
        let bytes = literals.map(|l| l.atoms().map(|a| a.byte).collect::<Vec<u8>>());
        let builder = AhoCorasickBuilder::new()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(bytes)
            .ok()?;
        Some(Portable(builder))
    }

    /// Calls `found(literal number, its start)` for every literal that stands in `block`, overlapping or not.
    pub(super) fn scan(&self, block: &[u8], mut found: impl FnMut(usize, usize)) {
        for hit in self.0.find_overlapping_iter(block) {
            found(hit.pattern().as_usize(), hit.start());
        }
    }
}
