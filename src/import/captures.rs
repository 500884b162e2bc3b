//! Captures of an expression as text: what one holds, what it becomes when its value is known, marks around it.

use regex_syntax::ast::{Ast, GroupKind, RepetitionKind, RepetitionRange, Span, parse::Parser};

/// A byte before, and one after, the capture that [`mark`] marks; neither occurs in text.
pub(super) const OPEN: u8 = 0xF8;
/// See [`OPEN`].
pub(super) const CLOSE: u8 = 0xF9;

/// A change of the text: a span and what stands there instead.
type Edit = (usize, usize, String);

/// What stands inside the capture.
pub(super) fn content(regex: &str, id: &str) -> Option<String> {
    let ast = Parser::new().parse(regex).ok()?;
    let (_, inner) = find(&ast, id)?;
    Some(regex[inner.start.offset..inner.end.offset].to_owned())
}

/// The expression with `content` in the capture, which then takes part in every match: branches beside it are left out.
/// `None` where it repeats, for then only its last turn counts.
pub(super) fn restrict(regex: &str, id: &str, content: &str) -> Option<String> {
    let ast = Parser::new().parse(regex).ok()?;
    let mut edits = Vec::new();
    narrow(&ast, id, content, &mut edits)?.then(|| apply(regex, edits))
}

/// The expression with [`OPEN`] and [`CLOSE`] around the capture.
pub(super) fn mark(regex: &str, id: &str) -> Option<String> {
    let ast = Parser::new().parse(regex).ok()?;
    let (outer, _) = find(&ast, id)?;
    let (start, end) = (outer.start.offset, outer.end.offset);
    Some(apply(regex, vec![(start, start, format!("\\x{OPEN:X}")), (end, end, format!("\\x{CLOSE:X}"))]))
}

/// Where the expression begins or ends in a capture that takes all characters of a class, says so: no further one stands
/// there. The engine's greed makes it true, and written down it holds for expressions that are made of this one.
pub(super) fn closed(regex: &str, id: &str) -> String {
    let borders = || -> Option<String> {
        let ast = Parser::new().parse(regex).ok()?;
        let (outer, inner) = find_group(&ast, id)?;
        let Ast::Repetition(repetition) = inner else { return None };
        let open_ended = matches!(
            repetition.op.kind,
            RepetitionKind::ZeroOrMore
                | RepetitionKind::OneOrMore
                | RepetitionKind::Range(RepetitionRange::AtLeast(_))
        );
        let (first, last) = (outer.start.offset == 0, outer.end.offset == regex.len());
        let span = repetition.ast.span();
        let class = &regex[span.start.offset..span.end.offset];
        match &*repetition.ast {
            _ if !open_ended || !repetition.greedy => None,
            Ast::Dot(_) => last.then(|| format!("{regex}$")),
            Ast::ClassPerl(_) | Ast::ClassBracketed(_) => {
                let before = if first { format!("(?:^|[^{class}])") } else { String::new() };
                let after = if last { format!("(?:[^{class}]|$)") } else { String::new() };
                Some(format!("{before}{regex}{after}"))
            }
            _ => None,
        }
    };
    borders().unwrap_or_else(|| regex.to_owned())
}

/// Whether the capture holds any text at all: `.*` or `.+`.
pub(super) fn is_anything(content: &str) -> bool {
    matches!(content, ".*" | ".+" | ".*?" | ".+?")
}

/// Gives the captures their names for good, and makes the others plain groups.
pub(super) fn name(regex: &str, named: &[(String, String)]) -> String {
    let mut out = String::new();
    let mut rest = regex;
    while let Some(at) = rest.find("(?P<k") {
        out.push_str(&rest[..at]);
        let end = rest[at..].find('>').map_or(rest.len(), |end| at + end + 1);
        let id = &rest[at + 4..end - 1];
        match named.iter().find(|(known, _)| known == id) {
            Some((_, name)) => out.push_str(&format!("(?P<{name}>")),
            None => out.push_str("(?:"),
        }
        rest = &rest[end..];
    }
    out + rest
}

/// The branches of a capture that is a choice of plain words.
pub(super) fn words(content: &str) -> Option<Vec<String>> {
    let plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    let words: Vec<String> = content.split('|').map(str::to_owned).collect();
    (words.iter().all(|word| !word.is_empty() && plain(word))).then_some(words)
}

fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(start, _, _)| *start);
    let mut out = text.to_owned();
    for (start, end, new) in edits.iter().rev() {
        out.replace_range(*start..*end, new);
    }
    out
}

fn is(kind: &GroupKind, id: &str) -> bool {
    matches!(kind, GroupKind::CaptureName { name, .. } if name.name == id)
}

/// The spans of the capture and of what is inside it.
fn find(ast: &Ast, id: &str) -> Option<(Span, Span)> {
    find_group(ast, id).map(|(outer, inner)| (outer, *inner.span()))
}

fn find_group<'a>(ast: &'a Ast, id: &str) -> Option<(Span, &'a Ast)> {
    match ast {
        Ast::Group(group) if is(&group.kind, id) => Some((group.span, &group.ast)),
        Ast::Group(group) => find_group(&group.ast, id),
        Ast::Repetition(repetition) => find_group(&repetition.ast, id),
        Ast::Alternation(list) => list.asts.iter().find_map(|ast| find_group(ast, id)),
        Ast::Concat(list) => list.asts.iter().find_map(|ast| find_group(ast, id)),
        _ => None,
    }
}

/// Collects the edits; whether the capture is below this node, `None` where it cannot be done.
fn narrow(ast: &Ast, id: &str, content: &str, edits: &mut Vec<Edit>) -> Option<bool> {
    match ast {
        Ast::Group(group) if is(&group.kind, id) => {
            let span = group.ast.span();
            edits.push((span.start.offset, span.end.offset, content.to_owned()));
            Some(true)
        }
        Ast::Group(group) => narrow(&group.ast, id, content, edits),
        Ast::Concat(list) => below(&list.asts, id, content, edits).map(|found| found.is_some()),
        Ast::Alternation(list) => {
            let Some(span) = below(&list.asts, id, content, edits)? else { return Some(false) };
            edits.push((list.span.start.offset, span.start.offset, String::new()));
            edits.push((span.end.offset, list.span.end.offset, String::new()));
            Some(true)
        }
        Ast::Repetition(repetition) => {
            let found = narrow(&repetition.ast, id, content, edits)?;
            match repetition.op.kind {
                _ if !found => {}
                RepetitionKind::ZeroOrOne => {
                    let span = repetition.op.span;
                    edits.push((span.start.offset, span.end.offset, String::new()));
                }
                _ => return None,
            }
            Some(found)
        }
        _ => Some(false),
    }
}

fn below(asts: &[Ast], id: &str, content: &str, edits: &mut Vec<Edit>) -> Option<Option<Span>> {
    for ast in asts {
        if narrow(ast, id, content, edits)? {
            return Some(Some(*ast.span()));
        }
    }
    Some(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_is_narrowed_and_its_rivals_go() {
        assert_eq!(restrict("a (?P<k1k>\\d+) b", "k1k", "7").unwrap(), "a (?P<k1k>7) b");
        assert_eq!(restrict("((?P<k1k>\\d+)|-) b", "k1k", "7").unwrap(), "((?P<k1k>7)) b");
        assert_eq!(restrict("x(-(?P<k1k>\\d+))?y", "k1k", "7").unwrap(), "x(-(?P<k1k>7))y");
        assert_eq!(restrict("(?:(?P<k1k>\\d) )+", "k1k", "7"), None);
        assert_eq!(restrict("a|b(?P<k1k>c)", "k1k", "d").unwrap(), "b(?P<k1k>d)");
        assert_eq!(content("a(?P<k1k>b|c)", "k1k").unwrap(), "b|c");
    }

    #[test]
    fn marks_and_ends() {
        assert_eq!(mark("a(?P<k1k>b)c", "k1k").unwrap(), "a\\xF8(?P<k1k>b)\\xF9c");
        assert_eq!(closed("a(?P<k1k>\\d+)", "k1k"), "a(?P<k1k>\\d+)(?:[^\\d]|$)");
        assert_eq!(closed("a(?P<k1k>\\d+) ", "k1k"), "a(?P<k1k>\\d+) ");
        assert_eq!(closed("(?P<k1k>\\d+) ", "k1k"), "(?:^|[^\\d])(?P<k1k>\\d+) ");
        assert_eq!(closed("a(?P<k1k>.*)", "k1k"), "a(?P<k1k>.*)$");
        assert_eq!(closed("a(?P<k1k>\\d{3})", "k1k"), "a(?P<k1k>\\d{3})");
    }

    #[test]
    fn names_are_given_at_the_end() {
        let named = [("k2k".to_owned(), "status".to_owned())];
        assert_eq!(name("(?P<k1k>a)(?P<k2k>b)", &named), "(?:a)(?P<status>b)");
        assert_eq!(words("GET|POST").unwrap(), ["GET", "POST"]);
        assert_eq!(words("GET|P.*"), None);
    }
}
