//! YAML text in, a tree of nodes with their places out: aliases followed, merge keys merged, repeated keys refused.
//!
//! Bounded for hostile texts: in depth, and in how much aliases may repeat.

use super::Flaw;
use super::at::{Spot, Style};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

const MAX_DEPTH: usize = 64;
/// Nodes that aliases may bring in together; a text that needs more is an attack or a mistake.
const MAX_REPEATED: usize = 100_000;

/// One value with its place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) spot: Spot,
    pub(super) kind: Kind,
    /// Nodes in and under this one, for the alias budget.
    size: usize,
}

impl Node {
    /// A text.
    pub(super) fn text(text: String, spot: Spot) -> Node {
        Node { spot, kind: Kind::Scalar(text), size: 1 }
    }
}

#[derive(Debug)]
pub(super) enum Kind {
    Scalar(String),
    List(Vec<Rc<Node>>),
    Map(Vec<(Key, Rc<Node>)>),
}

/// A mapping's key.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) spot: Spot,
    pub(super) name: String,
}

/// A list or mapping that is still being read.
struct Open {
    spot: Spot,
    anchor: usize,
    key: Option<Key>,
    /// The lines of the keys so far.
    seen: HashMap<String, u32>,
    content: Content,
}

enum Content {
    List(Vec<Rc<Node>>),
    Map(Vec<(Key, Rc<Node>)>),
}

/// Reads the one document of `text`. Problems that leave a tree go to `flaws`; those that do not are the error.
pub(super) fn parse(text: &str, flaws: &mut Vec<Flaw>) -> Result<Rc<Node>, Flaw> {
    if let Some(flaw) = control_character(text) {
        return Err(flaw);
    }
    let mut reader = Reader { flaws, open: Vec::new(), anchors: HashMap::new(), repeated: 0, root: None };
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| scan_flaw(&error, text))?;
        if let Event::DocumentStart(_) = event {
            documents += 1;
            if documents > 1 {
                let message = "a second document starts here, one file is one document";
                return Err(
                    Flaw::new(spot(span, Style::Plain), message).hint("put it into a file of its own")
                );
            }
        }
        reader.take(event, span)?;
    }
    let empty = || Rc::new(Node::text(String::new(), Spot::START));
    Ok(reader.root.unwrap_or_else(empty))
}

struct Reader<'a> {
    flaws: &'a mut Vec<Flaw>,
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    repeated: usize,
    root: Option<Rc<Node>>,
}

impl Reader<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Flaw> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let spot = spot(span, Style::from(style));
                if let Some(Open { key: key @ None, content: Content::Map(_), .. }) = self.open.last_mut() {
                    *key = Some(Key { spot, name: text.into_owned() });
                    return Ok(());
                }
                self.put(Rc::new(Node::text(text.into_owned(), spot)), anchor);
            }
            Event::SequenceStart(anchor, _) => self.start(span, anchor, Content::List(Vec::new()))?,
            Event::MappingStart(anchor, _) => self.start(span, anchor, Content::Map(Vec::new()))?,
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor, span)?,
            _ => {}
        }
        Ok(())
    }

    fn start(&mut self, span: Span, anchor: usize, content: Content) -> Result<(), Flaw> {
        let spot = spot(span, Style::Plain);
        if let Some(Open { key: None, content: Content::Map(_), .. }) = self.open.last() {
            return Err(Flaw::new(spot, "a key must be a text, found a list or mapping")
                .hint("a text that starts with `[`, `{`, `*`, `&`, `!` or `%` needs single quotes"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(Flaw::new(spot, format!("nested more than {MAX_DEPTH} levels deep"))
                .hint("write it flatter, or put it between quotes if it is a text"));
        }
        self.open.push(Open { spot, anchor, key: None, seen: HashMap::new(), content });
        Ok(())
    }

    fn end(&mut self) {
        let Some(Open { spot, anchor, content, .. }) = self.open.pop() else { return };
        let kind = match content {
            Content::List(items) => Kind::List(items),
            Content::Map(entries) => Kind::Map(merge(entries)),
        };
        let size = 1 + match &kind {
            Kind::List(items) => items.iter().map(|node| node.size).sum::<usize>(),
            Kind::Map(entries) => entries.iter().map(|(_, node)| node.size).sum(),
            Kind::Scalar(_) => 0,
        };
        self.put(Rc::new(Node { spot, kind, size }), anchor);
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Flaw> {
        let spot = spot(span, Style::Plain);
        if let Some(Open { key: None, content: Content::Map(_), .. }) = self.open.last() {
            return Err(Flaw::new(spot, "a key must be a text, found an alias")
                .hint("a text that starts with `*` needs single quotes"));
        }
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return Err(Flaw::new(spot, "an alias of what is not complete yet")
                .hint("a text that starts with `*` needs single quotes"));
        };
        self.repeated = self.repeated.saturating_add(node.size);
        if self.repeated > MAX_REPEATED {
            return Err(Flaw::new(spot, format!("aliases repeat more than {MAX_REPEATED} values"))
                .hint("write the values out, or repeat fewer of them"));
        }
        self.put(node, 0);
        Ok(())
    }

    /// Puts a finished node where it belongs: into the innermost open list or mapping, or at the root.
    fn put(&mut self, node: Rc<Node>, anchor: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open { content: Content::List(items), .. }) => items.push(node),
            Some(Open { content: Content::Map(entries), key, seen, .. }) => {
                let Some(key) = key.take() else { return };
                match seen.get(&key.name) {
                    Some(line) if key.name != "<<" => {
                        let message = format!("`{}` is given twice, first in line {line}", key.name);
                        self.flaws.push(Flaw::new(key.spot, message).hint("keep one of them"));
                    }
                    _ => {
                        seen.insert(key.name.clone(), key.spot.line);
                        entries.push((key, node));
                    }
                }
            }
        }
    }
}

/// Resolves `<<: *other`: keys of the other mapping, unless given here.
fn merge(entries: Vec<(Key, Rc<Node>)>) -> Vec<(Key, Rc<Node>)> {
    if entries.iter().all(|(key, _)| key.name != "<<") {
        return entries;
    }
    let (merges, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(key, _)| key.name == "<<");
    let mut names: HashSet<String> = own.iter().map(|(key, _)| key.name.clone()).collect();
    for (key, node) in merges {
        let several = match &node.kind {
            Kind::List(nodes) => nodes.clone(),
            _ => vec![Rc::clone(&node)],
        };
        for node in several {
            match &node.kind {
                Kind::Map(others) => {
                    let new = others.iter().filter(|(other, _)| names.insert(other.name.clone()));
                    own.extend(new.cloned().collect::<Vec<_>>());
                }
                // Kept as it is: reported as an unknown key where it stands.
                _ => own.push((key.clone(), node)),
            }
        }
    }
    own
}

fn spot(span: Span, style: Style) -> Spot {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Spot { line: number(span.start.line().max(1)), column: number(span.start.col() + 1), style }
}

impl From<ScalarStyle> for Style {
    fn from(style: ScalarStyle) -> Style {
        match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            ScalarStyle::Literal => Style::Block,
            ScalarStyle::Folded => Style::Folded,
        }
    }
}

/// The first character that no YAML text holds; the parser would take a NUL for the end.
fn control_character(text: &str) -> Option<Flaw> {
    let bad = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r');
    let at = text.find(bad)?;
    let line = text[..at].matches('\n').count() + 1;
    let column = text[..at].chars().rev().take_while(|c| *c != '\n').count() + 1;
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let spot = Spot { line: number(line), column: number(column), style: Style::Plain };
    let found = text[at..].chars().next().unwrap_or_default();
    let flaw = Flaw::new(spot, format!("not YAML: the control character U+{:04X}", u32::from(found)));
    Some(flaw.hint("is this a rule file? In an expression write such a character as `\\x00`"))
}

/// A syntax error in the words of people who write rules.
fn scan_flaw(error: &ScanError, text: &str) -> Flaw {
    let at = error.marker();
    let place = spot(Span::empty(*at), Style::Plain);
    let info = error.info();
    if info.contains("escape") || info.contains("hexadecimal") {
        let (place, found) = bad_escape(text, place).unwrap_or((place, String::from("\\")));
        return Flaw::new(place, format!("`{found}` is no escape that YAML knows between double quotes"))
            .hint("write expressions between single quotes, where a backslash stands for itself");
    }
    if info.contains("tab") {
        return Flaw::new(place, "a tab in the indentation, YAML indents by spaces")
            .hint("replace tabs by spaces");
    }
    if info.contains("recursion") {
        return Flaw::new(place, "nested far too deep")
            .hint("write it flatter; a text that starts with `[` or `{` needs single quotes");
    }
    let flaw = Flaw::new(place, format!("not YAML: {info}"));
    if info.contains("unexpected character") || info.contains("directive") {
        flaw.hint("a text that starts with `%`, `@` or a backquote needs single quotes")
    } else if info.contains("unknown anchor") {
        flaw.hint("a text that starts with `*` needs single quotes")
    } else if info.contains("end of stream") {
        flaw.hint("a quote that is opened in this place is never closed")
    } else if info.contains("mapping values") || info.contains("':'") || info.contains("simple key") {
        flaw.hint("a text with `: ` or ` #` in it needs single quotes; keys of one mapping need the same indentation")
    } else {
        flaw.hint("check the indentation and the quotes in this line and the one above")
    }
}

/// The first bad escape at or after a place: where it stands and how it is written.
fn bad_escape(text: &str, from: Spot) -> Option<(Spot, String)> {
    let mut skip = from.column as usize - 1;
    for (row, line) in (from.line..).zip(text.lines().skip(from.line as usize - 1)) {
        let mut chars = (1..).zip(line.chars()).skip(std::mem::take(&mut skip));
        while let Some((column, c)) = chars.next() {
            if c != '\\' {
                continue;
            }
            let Some((_, next)) = chars.next() else { break };
            if !"0abt\tnvfre \"/\\N_LPxuU".contains(next) || "xuU".contains(next) {
                return Some((Spot { line: row, column, style: Style::Plain }, format!("\\{next}")));
            }
        }
    }
    None
}
