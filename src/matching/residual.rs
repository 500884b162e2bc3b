//! The rules without a literal: one set over all of them decides which may match a text.

use regex::bytes::{RegexSet, RegexSetBuilder};

use super::expression::Expression;

/// Bytes that the set may take compiled, and its lazily built automaton per thread.
const COMPILED_BYTES: usize = 16 << 20;
const CACHE_BYTES: usize = 4 << 20;

/// A set of expressions and the patterns that own them.
#[derive(Clone, Debug)]
pub(super) struct Residual {
    /// None where the set is empty or would be too large: then every owner may match.
    set: Option<RegexSet>,
    /// The owner of each expression of the set, ascending.
    owners: Vec<u32>,
    patterns: Vec<u32>,
}

impl Residual {
    /// `expressions` with their patterns, patterns ascending.
    pub(super) fn new(expressions: &[(u32, &Expression)]) -> Residual {
        let owners: Vec<u32> = expressions.iter().map(|(pattern, _)| *pattern).collect();
        let mut patterns = owners.clone();
        patterns.dedup();
        let sources = expressions.iter().map(|(_, e)| e.relaxed.as_deref().unwrap_or(&e.source));
        let set = RegexSetBuilder::new(sources)
            .size_limit(COMPILED_BYTES)
            .dfa_size_limit(CACHE_BYTES)
            .nest_limit(1000)
            .build()
            .ok()
            .filter(|_| !owners.is_empty());
        Residual { set, owners, patterns }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Appends the patterns that may match in `hay[start..]`, ascending.
    pub(super) fn matches(&self, hay: &[u8], start: usize, out: &mut Vec<u32>) {
        let Some(set) = &self.set else {
            out.extend_from_slice(&self.patterns);
            return;
        };
        // The question that needs no memory first: most texts match nothing.
        if !set.is_match_at(hay, start) {
            return;
        }
        let from = out.len();
        for expression in &set.matches_at(hay, start) {
            let owner = self.owners[expression];
            if out[from..].last() != Some(&owner) {
                out.push(owner);
            }
        }
    }
}
