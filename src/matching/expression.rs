//! One expression of a rule: compiled, and what its syntax tree tells about it.

use regex::bytes::{Captures, Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Capture, Class, Hir, HirKind, Look};
use std::sync::OnceLock;

use super::extract::{self, Required};

/// Bytes that a compiled expression may take, so that no rule eats the memory of all.
pub const COMPILED_BYTES: usize = 4 << 20;
/// Bytes of an expression's lazily built automaton, per thread that uses it.
const CACHE_BYTES: usize = 1 << 20;
/// Where literals of an expression are estimated to stand more often per byte than this, they save nothing.
const USELESS_SHARE: f32 = 1.0 / 60.0;

/// Expressions that weigh less than this are far below [`COMPILED_BYTES`], so that they need not be compiled to know.
const SURELY_SMALL: usize = 2000;

/// An expression. It is compiled when the first text is tried on it: of many rules few ever see one.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    pub(super) source: String,
    /// Compiled, once it was needed.
    regex: OnceLock<Option<Regex>>,
    /// The names of its captures, in their order.
    pub(super) captures: Vec<String>,
    /// The literals to look for, or why there are none.
    pub(super) literals: Result<Required, String>,
    /// A match can hold a newline.
    pub(super) newline: bool,
    /// Nothing matches it.
    pub(super) never: bool,
    /// The expression without its Unicode word boundaries, where it has some: matches wherever the expression does,
    /// and stays fast on text beyond ASCII.
    pub(super) relaxed: Option<String>,
}

/// What is wrong with an expression: the message and the byte where it is.
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) offset: Option<usize>,
}

impl Expression {
    pub(super) fn new(source: &str) -> Result<Expression, Fault> {
        let hir = ParserBuilder::new().utf8(false).build().parse(source).map_err(|e| fault(&e))?;
        let regex = OnceLock::new();
        if !is_surely_small(&hir) {
            let built = build(source).map_err(|e| unbuildable(&e))?;
            // It is new: there is nothing yet.
            let _ = regex.set(Some(built));
        }
        let mut captures = Vec::new();
        collect_captures(&hir, &mut captures);
        let required = extract::required(&hir);
        let never = required.as_ref().is_some_and(|r| r.literals.is_empty());
        let literals = usable(required);
        let relaxed = hir.properties().look_set().contains_word_unicode().then(|| relax(&hir).to_string());
        let source = source.to_owned();
        Ok(Expression { source, regex, captures, literals, newline: can_match_newline(&hir), never, relaxed })
    }
}

/// Why an expression has to be tried on every line; none where a literal tells the lines that it may match, and where it
/// is no expression.
pub fn slow_reason(source: &str) -> Option<String> {
    let hir = ParserBuilder::new().utf8(false).build().parse(source).ok()?;
    usable(extract::required(&hir)).err()
}

impl Expression {
    /// The compiled expression. One that is surely small always compiles; if one ever should not, nothing matches it.
    fn regex(&self) -> Option<&Regex> {
        self.regex.get_or_init(|| build(&self.source).ok()).as_ref()
    }

    /// Whether it matches in `hay[start..]`; look-arounds see all of `hay`. `start` is at most `hay.len()`.
    pub(super) fn is_match_at(&self, hay: &[u8], start: usize) -> bool {
        self.regex().is_some_and(|regex| regex.is_match_at(hay, start))
    }

    /// The captures of the leftmost match in `hay[start..]`, under the same terms.
    pub(super) fn captures_at<'h>(&self, hay: &'h [u8], start: usize) -> Option<Captures<'h>> {
        self.regex()?.captures_at(hay, start)
    }
}

fn build(source: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(source).size_limit(COMPILED_BYTES).dfa_size_limit(CACHE_BYTES).build()
}

/// Whether an expression is far below what may be compiled.
pub fn is_surely_small(hir: &Hir) -> bool {
    weight(hir) <= SURELY_SMALL
}

/// A measure of how large an expression compiles to: bytes and ranges, times what repeats them.
fn weight(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(Class::Unicode(class)) => class.ranges().len(),
        HirKind::Class(Class::Bytes(class)) => class.ranges().len(),
        HirKind::Capture(capture) => weight(&capture.sub).saturating_add(2),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(1) as usize;
            weight(&repetition.sub).saturating_add(1).saturating_mul(times)
        }
        HirKind::Concat(subs) | HirKind::Alternation(subs) => {
            subs.iter().fold(subs.len(), |sum, sub| sum.saturating_add(weight(sub)))
        }
    }
}

/// The names of captures, in their order.
pub fn collect_captures(hir: &Hir, out: &mut Vec<String>) {
    match hir.kind() {
        HirKind::Capture(capture) => {
            out.extend(capture.name.as_deref().map(str::to_owned));
            collect_captures(&capture.sub, out);
        }
        HirKind::Repetition(repetition) => collect_captures(&repetition.sub, out),
        HirKind::Concat(subs) | HirKind::Alternation(subs) => {
            subs.iter().for_each(|sub| collect_captures(sub, out));
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => {}
    }
}

fn fault(error: &regex_syntax::Error) -> Fault {
    match error {
        regex_syntax::Error::Parse(e) => {
            Fault { message: e.kind().to_string(), offset: Some(e.span().start.offset) }
        }
        regex_syntax::Error::Translate(e) => {
            Fault { message: e.kind().to_string(), offset: Some(e.span().start.offset) }
        }
        other => Fault { message: other.to_string(), offset: None },
    }
}

fn unbuildable(error: &regex::Error) -> Fault {
    let message = match error {
        regex::Error::CompiledTooBig(limit) => format!(
            "the compiled expression would take more than {} MiB; use smaller counts in {{…}} or ASCII classes, such \
             as [0-9A-Za-z_] for \\w",
            limit >> 20
        ),
        other => other.to_string(),
    };
    Fault { message, offset: None }
}

fn usable(required: Option<Required>) -> Result<Required, String> {
    let Some(required) = required else {
        return Err("no fixed text stands in everything it matches".to_owned());
    };
    if required.share <= USELESS_SHARE {
        return Ok(required);
    }
    let texts: Vec<String> = required.literals.iter().map(|l| format!("`{}`", l.display())).collect();
    Err(format!("its only fixed text, {}, stands nearly everywhere in logs", texts.join(" or ")))
}

fn can_match_newline(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.contains(&b'\n'),
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().any(|r| (r.start()..=r.end()).contains(&'\n'))
        }
        HirKind::Class(Class::Bytes(class)) => {
            class.ranges().iter().any(|r| (r.start()..=r.end()).contains(&b'\n'))
        }
        HirKind::Repetition(repetition) => can_match_newline(&repetition.sub),
        HirKind::Capture(capture) => can_match_newline(&capture.sub),
        HirKind::Concat(subs) | HirKind::Alternation(subs) => subs.iter().any(can_match_newline),
    }
}

/// Unicode word boundaries make the lazy automaton give up on text beyond ASCII; dropping them only adds matches.
fn relax(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Look(
            Look::WordUnicode
            | Look::WordUnicodeNegate
            | Look::WordStartUnicode
            | Look::WordEndUnicode
            | Look::WordStartHalfUnicode
            | Look::WordEndHalfUnicode,
        ) => Hir::empty(),
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => hir.clone(),
        HirKind::Repetition(repetition) => Hir::repetition(repetition.with(grouped(relax(&repetition.sub)))),
        HirKind::Capture(capture) => relax(&capture.sub),
        HirKind::Concat(subs) => Hir::concat(subs.iter().map(relax).collect()),
        HirKind::Alternation(subs) => Hir::alternation(subs.iter().map(relax).collect()),
    }
}

/// The printer of syntax trees sets no group around a repetition that is repeated: `(?:x+)?` would become `x+?`.
fn grouped(hir: Hir) -> Hir {
    Hir::capture(Capture { index: 1, name: None, sub: Box::new(hir) })
}
