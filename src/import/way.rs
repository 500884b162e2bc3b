//! The way to what counts: what must be found in a line, what must not, and the captures that are known there.

use super::captures::{self, closed, content, is_anything, mark, restrict};
use super::go::Go;
use super::merge;
use super::proof::{Verdict, covers, settles};

/// Expressions that one rule may need for two that a line must match in any order.
const MOST_FORMS: usize = 6;
/// Parts of an expression's end that the next one may begin in.
const LONGEST_END: usize = 3;

/// What holds at a place of a program or pipeline.
#[derive(Clone, Debug, Default)]
pub(super) struct Way {
    /// Expressions that are found in the line, from the outermost block to the innermost, with their lines.
    pub(super) found: Vec<(String, usize)>,
    /// Expressions that are not.
    pub(super) absent: Vec<String>,
    /// Names and numbers of captures, and their names in the expressions; the innermost last.
    pub(super) captures: Vec<(String, String)>,
    /// Of mtail: the numbers of the blocks that `next` enters, the innermost last.
    pub(super) wrapped: Vec<usize>,
    /// Of mtail: variables that were set on the way, with the numbers of their values where those are known.
    pub(super) set: Vec<(String, Option<usize>)>,
}

/// The ways on from a capture's value: where it is the wanted one, and where it is not.
#[derive(Debug)]
pub(super) struct Folded {
    pub(super) yes: Way,
    pub(super) no: Way,
    /// Why it is not exact.
    pub(super) doubt: Option<String>,
}

/// Expressions for a way, and what is wrong with them.
pub(super) struct Joined {
    pub(super) any: Vec<String>,
    /// Why it is not exact, with the line of the program that it comes from.
    pub(super) doubt: Option<(usize, String)>,
}

impl Way {
    /// The way on, where an expression is found.
    pub(super) fn with(&self, go: &Go, line: usize) -> Way {
        let mut way = self.clone();
        if !holds_always(&go.regex) {
            way.found.push((go.regex.clone(), line));
        }
        way.captures.extend(go.captures.iter().cloned());
        way
    }

    /// The way on, where an expression is not found.
    pub(super) fn without(&self, regex: &str) -> Way {
        let mut way = self.clone();
        way.absent.push(regex.to_owned());
        way
    }

    /// The capture of a name or number, as the innermost expression has it.
    pub(super) fn capture(&self, name: &str) -> Option<&str> {
        self.captures.iter().rev().find(|(known, _)| known == name).map(|(_, id)| id.as_str())
    }

    /// The expression that holds a capture: its place among those found.
    pub(super) fn holder(&self, id: &str) -> Option<usize> {
        self.found.iter().position(|(regex, _)| regex.contains(&format!("(?P<{id}>")))
    }

    /// The ways with the content of a capture known to be `inner`, and known not to be. `None` where the capture repeats.
    pub(super) fn fold(&self, at: usize, id: &str, inner: &str) -> Option<Folded> {
        let regex = closed(&self.found[at].0, id);
        let narrowed = restrict(&regex, id, inner)?;
        let good = captures::name(inner, &[]);
        // What a greedy expression for blanks leaves does not begin with one.
        let blanks = ["\\s+", "\\s*", " +"].map(|blanks| format!("{blanks}(?P<{id}>"));
        let rest = blanks.iter().any(|blanks| regex.contains(blanks))
            && content(&regex, id).is_some_and(|held| is_anything(&held));
        let read = rest.then(|| restrict(&regex, id, "(?:\\S.*)?")).flatten().unwrap_or(regex);
        let doubt = match mark(&read, id).map(|marked| settles(&narrowed, &marked, &good)) {
            Some(Verdict::Holds) => None,
            Some(Verdict::Fails(line)) => Some(format!(
                "in a line such as {line:?} the compared text can be read in two places, and only the first one counts there"
            )),
            _ => Some("the expression is too large to prove that the comparison is exact".to_owned()),
        };
        let mut yes = self.clone();
        yes.found[at].0.clone_from(&narrowed);
        Some(Folded { yes, no: self.without(&narrowed), doubt })
    }

    /// One expression, or several of which any holds, for all that are found. `used` are the captures that are needed.
    pub(super) fn join(&self, used: &[&str]) -> Option<Joined> {
        let needed = |regex: &str| used.iter().any(|id| regex.contains(&format!("(?P<{id}>")));
        let all: Vec<&str> = self.found.iter().map(|(regex, _)| regex.as_str()).collect();
        let mut left: Vec<&(String, usize)> = Vec::new();
        for (at, one) in self.found.iter().enumerate() {
            let said = |other: &(String, usize)| covers(&[&other.0], &[&one.0]) == Verdict::Holds;
            let others = left.iter().copied().chain(&self.found[at + 1..]);
            if needed(&one.0) || !others.into_iter().any(said) {
                left.push(one);
            }
        }
        let Some(((first, _), rest)) = left.split_first() else {
            return Some(Joined { any: vec!["^".to_owned()], doubt: None });
        };
        let mut any = vec![first.clone()];
        for (next, _) in rest {
            any = any.iter().flat_map(|one| forms(one, next, used)).collect();
            any.truncate(MOST_FORMS);
        }
        if any.is_empty() {
            return None;
        }
        if rest.is_empty() {
            return Some(Joined { any, doubt: None });
        }
        let line = left.last().map_or(0, |(_, line)| *line);
        let texts: Vec<&str> = any.iter().map(String::as_str).collect();
        let doubt = match covers(&all, &texts) {
            Verdict::Holds => None,
            Verdict::Fails(example) => {
                Some((line, format!("a line such as {example:?} counts there and not here")))
            }
            Verdict::Unknown => Some((line, "the expressions are too large to prove it".to_owned())),
        };
        Some(Joined { any, doubt })
    }
}

/// Whether an expression is found in every line.
pub(super) fn holds_always(regex: &str) -> bool {
    ["", "^", "$", ".*", "^.*$"].contains(&regex)
}

/// One expression for two: the one behind the other, in the orders that are possible, or the one within the other.
fn forms(one: &str, other: &str, used: &[&str]) -> Vec<String> {
    let mut forms = Vec::new();
    if !bound_left(other) && !bound_right(one) {
        forms.push(behind(one, other, used));
    }
    if !bound_left(one) && !bound_right(other) {
        forms.push(behind(other, one, used));
    }
    if forms.iter().all(|form| covers(&[one, other], &[form]) != Verdict::Holds) {
        let merged = merge::prefixed(one, other)
            .or_else(|| merge::prefixed(other, one))
            .or_else(|| merge::word(one, other));
        forms.extend(merged);
    }
    forms
}

/// One expression and later another. Where the second may begin within the end of the first, as ` connect` after `:\s+`,
/// that end may be left out; it is, where that is proven to hold for no other lines.
fn behind(one: &str, other: &str, used: &[&str]) -> String {
    let (first, second) = (whole(open_ended(one, used)), whole(other));
    let simple = format!("{first}.*?{second}");
    let parts = merge::parts(&first);
    let mut best = None;
    for cut in (1..parts.len()).rev().take(LONGEST_END) {
        let (head, end) = (parts[..cut].concat(), parts[cut..].concat());
        if used.iter().any(|id| end.contains(&format!("(?P<{id}>"))) {
            break;
        }
        if covers(&[&format!("{head}{second}")], &[one]) != Verdict::Holds {
            continue;
        }
        let form = format!("{head}(?:{end}.*?)?{second}");
        if covers(&[one, other], &[&form]) == Verdict::Holds {
            return form;
        }
        best.get_or_insert(form);
    }
    match covers(&[one, other], &[&simple]) {
        Verdict::Holds => simple,
        _ => best.unwrap_or(simple),
    }
}

fn bound_left(regex: &str) -> bool {
    regex.starts_with('^')
}

fn bound_right(regex: &str) -> bool {
    regex.ends_with('$') && !regex.ends_with("\\$")
}

/// The expression without the rest of the line at its end, where nobody needs it.
fn open_ended<'a>(regex: &'a str, used: &[&str]) -> &'a str {
    let plain = regex.strip_suffix(".*").filter(|head| !head.ends_with('\\')).unwrap_or(regex);
    let Some(at) = regex.rfind("(?P<k") else { return plain };
    let (head, tail) = regex.split_at(at);
    match tail[4..].split_once('>') {
        Some((id, ".*)")) if !used.contains(&id) => head,
        _ => plain,
    }
}

fn whole(regex: &str) -> String {
    let choice = matches!(
        regex_syntax::ast::parse::Parser::new().parse(regex),
        Ok(regex_syntax::ast::Ast::Alternation(_))
    );
    if choice { format!("(?:{regex})") } else { regex.to_owned() }
}

/// The final text of an expression, with the captures that are needed under their names.
pub(super) fn named(regex: &str, names: &[(String, String)]) -> String {
    super::go::ours(&captures::name(regex, names))
}
