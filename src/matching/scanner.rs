//! All rules, ready to run: the literals of a block in one pass, then single rules on single texts.
//!
//! Patterns enter; candidates, confirmed matches and captures leave. `regex::bytes` with Unicode on says what a match
//! is: everything before `confirm` only leaves out texts that cannot match.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::bytes::Captures;
use thiserror::Error;

use super::expression::Expression;
use super::literal::Literal;
use super::pattern::{Pattern, Target};
use super::residual::Residual;
use super::search::{Kernel, Searcher};

/// A pattern may match in the text around `block[at]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// A byte of the literal that was found; the literal lies in the same line.
    pub at: u32,
    /// Index of the pattern.
    pub pattern: u32,
}

/// Which expression of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The expression of this index among those of which any may match.
    Any(usize),
    /// The veto.
    Not,
}

/// An expression that does not compile.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct PatternError {
    /// Index of the pattern.
    pub pattern: usize,
    /// Which of its expressions.
    pub part: Part,
    /// What is wrong.
    pub message: String,
    /// The byte of the expression where it is wrong, where that is known.
    pub offset: Option<usize>,
}

/// All patterns, compiled. Immutable and shared by threads; a clone is cheap and gives a thread its own regex caches,
/// which spares it the contention for shared ones.
#[derive(Clone, Debug)]
pub struct Scanner {
    rules: Vec<Rule>,
    searcher: Arc<Searcher>,
    residual: Residual,
}

#[derive(Clone, Debug)]
struct Rule {
    any: Vec<Expression>,
    not: Option<Expression>,
    slow: Option<String>,
    spans_lines: bool,
}

impl Scanner {
    /// Compiles all patterns; on failure tells everything that is wrong with any of them.
    pub fn new(patterns: &[Pattern]) -> Result<Scanner, Vec<PatternError>> {
        Scanner::with_kernel(patterns, Kernel::best())
    }

    pub(super) fn with_kernel(patterns: &[Pattern], kernel: Kernel) -> Result<Scanner, Vec<PatternError>> {
        let mut faults = Vec::new();
        let rules: Vec<Rule> =
            patterns.iter().enumerate().map(|(i, pattern)| compile(i, pattern, &mut faults)).collect();
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut literals: BTreeMap<Literal, Vec<u32>> = BTreeMap::new();
        let mut residual = Vec::new();
        for (number, rule) in (0u32..).zip(&rules) {
            if rule.slow.is_some() {
                residual.extend(rule.any.iter().map(|e| (number, e)));
                continue;
            }
            let sets = rule.any.iter().filter_map(|e| e.literals.as_ref().ok());
            let all = sets.flat_map(|set| set.literals.iter().cloned()).collect();
            for literal in super::literal::minimized(all) {
                literals.entry(literal).or_default().push(number);
            }
        }
        let searcher = Arc::new(Searcher::new(&literals, kernel));
        let residual = Residual::new(&residual);
        Ok(Scanner { rules, searcher, residual })
    }

    /// How many patterns there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// No patterns at all.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Candidates of `block` (under 4 GiB) into `out`, which is cleared first: by ascending place, then pattern,
    /// without doubles.
    ///
    /// For each range of `block` without `\n` and each pattern that is not residual and matches there, at least one
    /// candidate's literal lies in that range entirely.
    pub fn scan(&self, block: &[u8], out: &mut Vec<Candidate>) {
        out.clear();
        self.searcher.scan(block, out);
    }

    /// Whether there are patterns that `scan` cannot find: those need `residual` on each text.
    pub fn has_residual(&self) -> bool {
        !self.residual.is_empty()
    }

    /// Appends the residual patterns that may match in `hay[start..]`, ascending. Look-arounds see all of `hay`.
    /// May name patterns that do not match: `confirm` decides.
    pub fn residual(&self, hay: &[u8], start: usize, out: &mut Vec<u32>) {
        if self.has_residual() && start <= hay.len() {
            self.residual.matches(hay, start, out);
        }
    }

    /// Which expression of `pattern` is the first that matches in `hay[start..]`, if any does and the veto does not
    /// match there.
    ///
    /// `^` is the beginning of `hay`, not `start`, and `$` its end; with `(?m)` also around each `\n`.
    pub fn confirm(&self, pattern: u32, hay: &[u8], start: usize) -> Option<usize> {
        let rule = self.rules.get(pattern as usize)?;
        if start > hay.len() {
            return None;
        }
        let which = rule.any.iter().position(|e| e.is_match_at(hay, start))?;
        let vetoed = rule.not.as_ref().is_some_and(|not| not.is_match_at(hay, start));
        (!vetoed).then_some(which)
    }

    /// The captures of the leftmost match of one expression in `hay[start..]`.
    pub fn captures<'h>(
        &self,
        pattern: u32,
        which: usize,
        hay: &'h [u8],
        start: usize,
    ) -> Option<Captures<'h>> {
        let expression = self.rules.get(pattern as usize)?.any.get(which)?;
        if start > hay.len() {
            return None;
        }
        expression.captures_at(hay, start)
    }

    /// How many expressions a pattern has.
    pub fn expressions(&self, pattern: u32) -> usize {
        self.rules.get(pattern as usize).map_or(0, |rule| rule.any.len())
    }

    /// The names of the captures of all expressions of a pattern, each once, in their order.
    pub fn capture_names(&self, pattern: u32) -> Vec<&str> {
        let any = self.rules.get(pattern as usize).map_or(&[][..], |rule| &rule.any);
        let mut names = Vec::new();
        for name in any.iter().flat_map(|e| &e.captures).map(String::as_str) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// A match can go over a line's end, so the pattern must see whole events.
    pub fn spans_lines(&self, pattern: u32) -> bool {
        self.rules.get(pattern as usize).is_some_and(|rule| rule.spans_lines)
    }

    /// Why a pattern is residual, thus slow, and what to change; none where it is not.
    pub fn slow_reason(&self, pattern: u32) -> Option<String> {
        self.rules.get(pattern as usize)?.slow.clone()
    }

    /// Nothing can match the pattern.
    pub fn never_matches(&self, pattern: u32) -> bool {
        self.rules.get(pattern as usize).is_some_and(|rule| rule.any.iter().all(|e| e.never))
    }
}

fn compile(index: usize, pattern: &Pattern, faults: &mut Vec<PatternError>) -> Rule {
    let mut part = |part: Part, source: &str| match Expression::new(source) {
        Ok(expression) => Some(expression),
        Err(fault) => {
            let (message, offset) = (fault.message, fault.offset);
            faults.push(PatternError { pattern: index, part, message, offset });
            None
        }
    };
    let any: Vec<Expression> =
        pattern.any.iter().enumerate().filter_map(|(i, source)| part(Part::Any(i), source)).collect();
    let not = pattern.not.as_ref().and_then(|source| part(Part::Not, source));
    let slow = any.iter().zip(&pattern.any).find_map(|(expression, source)| {
        let reason = expression.literals.as_ref().err()?;
        Some(format!(
            "`{source}` is tried on every line: {reason}; add a word that always stands in the lines you mean, \
             three or more letters, outside of (…)? and (…)*"
        ))
    });
    let newline = any.iter().chain(&not).any(|e| e.newline);
    Rule { any, not, slow, spans_lines: pattern.target == Target::Message && newline }
}
