//! Two expressions for the same words as one. It is guessed from their texts and kept only where it is proven to hold for
//! lines that both hold for.

use super::captures::{content, restrict};
use super::proof::{Verdict, covers};
use regex_syntax::ast::{Ast, parse::Parser};

/// The parts of an expression that follow one another.
pub(super) fn parts(regex: &str) -> Vec<String> {
    match &Parser::new().parse(regex) {
        Ok(Ast::Concat(list)) => {
            let text = |ast: &Ast| regex[ast.span().start.offset..ast.span().end.offset].to_owned();
            list.asts.iter().map(text).collect()
        }
        _ => vec![regex.to_owned()],
    }
}

/// Of `close "[^"]+" read (\d+)` and `close "/home/([^/]+)/.+"`, which begin alike: the first with the second's words
/// in the place where they differ.
pub(super) fn prefixed(one: &str, other: &str) -> Option<String> {
    let (a, b) = (parts(one), parts(other));
    // The first may have more in front.
    let front =
        (0..a.len()).find(|at| a[*at..].iter().zip(&b).take(2).filter(|(a, b)| a == b).count() == 2)?;
    let same = a[front..].iter().zip(&b).take_while(|(a, b)| a == b).count();
    for end in (front + same..=a.len()).rev() {
        for tail in 0..=b.len() - same {
            let close = &b[b.len() - tail..];
            if !a[end..].starts_with(close) {
                continue;
            }
            let middle = b[same..b.len() - tail].concat();
            let merged = a[..front + same].concat() + &middle + &a[end..].concat();
            if is_sound(&merged, one, other) && covers(&[one, other], &[&merged]) == Verdict::Holds {
                return Some(merged);
            }
        }
    }
    None
}

/// Of `^… (?P<state>conn=.) …$` and ` conn=X `: the first with the second's word in the capture that takes it.
pub(super) fn word(one: &str, other: &str) -> Option<String> {
    let text = other.trim();
    if text.is_empty() || text.chars().any(|c| c != '-' && regex_syntax::is_meta_character(c)) {
        return None;
    }
    let ids = one.split("(?P<").skip(1).filter_map(|rest| rest.split('>').next());
    let takes = |id: &&str| {
        let held = content(one, id).unwrap_or_default();
        let whole = regex::bytes::Regex::new(&format!("(?-u)^(?:{held})$"));
        whole.is_ok_and(|whole| whole.is_match(text.as_bytes()))
    };
    let merged = ids.filter(takes).filter_map(|id| restrict(one, id, text));
    merged.into_iter().find(|merged| is_sound(merged, one, other))
}

fn is_sound(merged: &str, one: &str, other: &str) -> bool {
    covers(&[merged], &[one]) == Verdict::Holds && covers(&[merged], &[other]) == Verdict::Holds
}
