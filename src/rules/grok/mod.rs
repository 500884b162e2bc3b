//! Grok to the one regex engine: `%{IP:client}` becomes a named group around what `IP` stands for.
//!
//! Text and a group's own names go in, an expression comes out; what is unknown, circular or captured twice is refused.

mod names;

use super::yaml::suggestion;
use std::collections::HashSet;

/// The most text that one grok expression may become; names in names could double it without end.
const MAX_EXPANDED: usize = 256 * 1024;

/// How deep names may stand in names: the standard ones go down to five.
const MAX_DEPTH: usize = 32;

/// Why a grok expression is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Byte offset in the text that was given.
    pub(super) at: usize,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// The names that a group defines itself: they win over the standard ones.
pub(super) type Own<'a> = [(&'a str, &'a str)];

/// Turns grok into an expression of the `regex` crate.
pub(super) fn expand(text: &str, own: &Own<'_>) -> Result<String, Refusal> {
    let mut run = Run { own, within: Vec::new(), captured: HashSet::new(), out: String::new() };
    run.text(text)?;
    Ok(run.out)
}

fn meaning<'a>(name: &str, own: &Own<'a>) -> Option<&'a str> {
    own.iter().chain(names::NAMES).find(|(known, _)| *known == name).map(|(_, text)| *text)
}

struct Run<'a> {
    own: &'a Own<'a>,
    /// The names being expanded, outermost first.
    within: Vec<String>,
    captured: HashSet<String>,
    out: String,
}

impl Run<'_> {
    fn text(&mut self, text: &str) -> Result<(), Refusal> {
        let mut done = 0;
        while let Some(at) = next_reference(text, done) {
            self.out.push_str(&text[done..at]);
            let inner = &text[at + 2..];
            let end = inner.find('}').ok_or_else(|| Refusal {
                at,
                message: "`%{` without its `}`".to_owned(),
                hint: Some("close it, or write `%\\{` for the text itself".to_owned()),
            })?;
            self.reference(&inner[..end]).map_err(|mut refusal| {
                refusal.at = at;
                refusal
            })?;
            done = at + 3 + end;
        }
        self.out.push_str(&text[done..]);
        if self.out.len() > MAX_EXPANDED {
            return Err(Refusal {
                at: 0,
                message: format!("it becomes an expression of more than {MAX_EXPANDED} bytes"),
                hint: Some("use fewer names that stand for other names".to_owned()),
            });
        }
        Ok(())
    }

    /// Expands what stands between `%{` and `}`: `NAME`, `NAME:field` or `NAME:field:type`.
    fn reference(&mut self, reference: &str) -> Result<(), Refusal> {
        let refuse = |message: String, hint: Option<String>| Err(Refusal { at: 0, message, hint });
        let mut parts = reference.splitn(3, ':');
        let (name, field, kind) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        let Some(meaning) = meaning(name, self.own) else {
            let known =
                self.own.iter().map(|(name, _)| *name).chain(names::NAMES.iter().map(|(name, _)| *name));
            let near = suggestion(name, known).filter(|hint| hint.starts_with("did"));
            let hint = near.unwrap_or_else(|| "define it under `patterns:` of this group".to_owned());
            return refuse(format!("unknown grok name `{name}`"), Some(hint));
        };
        if self.within.iter().any(|outer| outer == name) {
            let circle = format!("{} > {name}", self.within.join(" > "));
            let hint = Some("break the circle: let one of them stand for text".to_owned());
            return refuse(format!("the grok name `{name}` stands for itself: {circle}"), hint);
        }
        if self.within.len() >= MAX_DEPTH {
            let hint = Some("let one of them stand for text".to_owned());
            return refuse(format!("grok names stand in one another more than {MAX_DEPTH} deep"), hint);
        }
        // Values are read as numbers when they are used; the type is accepted since the names are written with it.
        match kind {
            None | Some("int" | "float" | "string") => {}
            Some(kind) => {
                let hint = Some("allowed: int, float, string".to_owned());
                return refuse(format!("unknown grok type `{kind}`"), hint);
            }
        }
        let open = match field {
            None => "(?:".to_owned(),
            Some(field) => {
                let field = group_name(field);
                if !is_group_name(&field) {
                    let hint = Some("letters, digits, `_` and dots, a letter first".to_owned());
                    return refuse(format!("`{field}` cannot name a capture"), hint);
                }
                if !self.captured.insert(field.clone()) {
                    let hint = Some("give each capture a name of its own".to_owned());
                    return refuse(format!("`{field}` is captured twice"), hint);
                }
                format!("(?P<{field}>")
            }
        };
        self.out.push_str(&open);
        self.within.push(name.to_owned());
        self.text(meaning)?;
        self.within.pop();
        self.out.push(')');
        Ok(())
    }
}

/// The next `%{` that is not the text `\%{`.
fn next_reference(text: &str, from: usize) -> Option<usize> {
    let mut from = from;
    loop {
        let at = from + text[from..].find("%{")?;
        let escapes = text[..at].bytes().rev().take_while(|b| *b == b'\\').count();
        if escapes % 2 == 0 {
            return Some(at);
        }
        from = at + 2;
    }
}

/// `[http][status]`, as later Logstash writes fields, is `http.status` here.
fn group_name(field: &str) -> String {
    match field.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
        Some(inner) => inner.replace("][", "."),
        None => field.to_owned(),
    }
}

fn is_group_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
}

#[cfg(test)]
mod tests;
