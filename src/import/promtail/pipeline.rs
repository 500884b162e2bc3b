//! The stages of a pipeline in their order: what each one extracts, drops, or feeds.

use super::super::Remarks;
use super::super::go::{Go, Ids, translate};
use super::super::names;
use super::super::value::Node;
use super::super::way::Way;
use super::super::write::{Input, Rule};
use super::metric;
use super::selector::{Selector, parse};
use std::collections::HashMap;

/// Stages within stages that are read.
const DEEPEST: usize = 20;

/// Where an extracted name comes from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// A capture of an expression over the line.
    Line(Go, String),
    /// A field of a structured line.
    Field(String),
    /// A capture of an expression over a field.
    OfField(String, Go, String),
    /// Something that rules cannot follow.
    Made(&'static str),
}

/// What is known at a stage.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) extracted: HashMap<String, Source>,
    /// Labels and the extracted names they come from.
    pub(super) labels: Vec<(String, String)>,
    pub(super) way: Way,
    /// What rules look at: the line, or the message within a wrapper.
    pub(super) target: &'static str,
    /// The line was changed by a stage: expressions after it cannot be converted.
    changed: bool,
}

/// The rules of a job, each with the line of its metric.
pub(super) fn rules(job: &Node, input: &mut Input, remarks: &mut Remarks) -> Vec<(usize, Rule)> {
    let mut walk = Walk { input, remarks, ids: Ids::default(), rules: Vec::new(), depth: 0 };
    let mut state = State { target: "line", ..State::default() };
    walk.stages(job.get("pipeline_stages").map_or(&[][..], Node::list), &mut state);
    walk.rules
}

struct Walk<'a> {
    input: &'a mut Input,
    remarks: &'a mut Remarks,
    ids: Ids,
    rules: Vec<(usize, Rule)>,
    depth: usize,
}

const NO_COUNT: &str = "it shapes what goes to Loki and changes no count";

impl Walk<'_> {
    fn stages(&mut self, stages: &[Node], state: &mut State) {
        self.depth += 1;
        for stage in stages {
            for (kind, node) in stage.entries() {
                let line = if node.line == 0 { stage.line } else { node.line };
                self.stage(kind, node, line, state);
            }
        }
        self.depth -= 1;
    }

    fn stage(&mut self, kind: &str, node: &Node, line: usize, state: &mut State) {
        match kind {
            "regex" => self.regex(node, line, state),
            "json" => self.fields("expressions", "json", node, line, state),
            "logfmt" => self.fields("mapping", "logfmt", node, line, state),
            "cri" | "docker" => {
                self.input.format = Some(kind.to_owned());
                state.target = "message";
                let hint = "promtail adds `stream`, and joins what the runtime cut before it looks at it";
                let message = format!("`{kind}` becomes the input's `format:`, without the label `stream`");
                self.remarks.note(line, message, hint);
            }
            "multiline" => match node.word("firstline") {
                Some(first) => {
                    self.input.multiline = Some(first.to_owned());
                    let hint = "an event counts once per rule, and an expression looks at each of its lines";
                    self.remarks.note(line, "`multiline` becomes the input's", hint);
                }
                None => self.remarks.lost(line, "`multiline` needs `firstline`", "see docs/configuration.md"),
            },
            "labels" => {
                for (name, source) in node.entries() {
                    let source = source.text().unwrap_or(name).to_owned();
                    state.labels.retain(|(known, _)| known != name);
                    state.labels.push((name.clone(), source));
                }
            }
            "labeldrop" => state.labels.retain(|(name, _)| !texts(node).contains(name)),
            "labelallow" => state.labels.retain(|(name, _)| texts(node).contains(name)),
            "static_labels" => self.static_labels(node, line),
            "metrics" => {
                for (name, node) in node.entries() {
                    self.rules
                        .extend(metric::rule(name, node, state, self.remarks).map(|rule| (node.line, rule)));
                }
            }
            "match" => self.matching(node, line, state),
            "drop" => self.drop(node, line, state),
            "template" => {
                let source = node.word("source").unwrap_or_default().to_owned();
                state.extracted.insert(source, Source::Made("a template"));
            }
            "replace" => {
                if let Some(source) = node.word("source") {
                    state.extracted.insert(source.to_owned(), Source::Made("`replace`"));
                } else {
                    state.changed = true;
                }
            }
            "output" => state.changed = true,
            "timestamp" | "tenant" | "structured_metadata" | "non_indexed_labels" | "decolorize" => {
                self.remarks.note(line, format!("`{kind}` is left out"), NO_COUNT);
            }
            "pack" => {
                // What follows sees JSON in the line's place, and no labels that are in there.
                let packed = node.get("labels").map(texts).unwrap_or_default();
                state.labels.retain(|(name, _)| !packed.contains(name));
                state.changed = true;
                self.remarks.note(line, "`pack` is left out", NO_COUNT);
            }
            "sampling" | "limit" => {
                let hint = "logtally counts every line; take the factor out of your queries";
                self.remarks.lost(line, format!("`{kind}` has no equivalent"), hint);
            }
            other => {
                self.remarks.lost(line, format!("the stage `{other}` has no equivalent"), "see docs/rules.md")
            }
        }
    }

    fn go(&mut self, text: &str, line: usize) -> Option<Go> {
        match translate(text, &mut self.ids) {
            Ok(go) => Some(go),
            Err(why) => {
                let hint = "write it in the syntax of docs.rs/regex";
                self.remarks.lost(line, format!("`{text}` has no equivalent: {why}"), hint);
                None
            }
        }
    }

    fn regex(&mut self, node: &Node, line: usize, state: &mut State) {
        let Some(text) = node.word("expression") else {
            return self.remarks.lost(line, "`regex` needs an `expression`", "see promtail's documentation");
        };
        let Some(go) = self.go(text, line) else { return };
        let source = node.word("source");
        let base = source.map(|source| state.extracted.get(source).cloned());
        let named: Vec<(String, String)> = go
            .captures
            .iter()
            .filter(|(name, _)| !name.starts_with(|c: char| c.is_ascii_digit()))
            .cloned()
            .collect();
        for (name, id) in named {
            let from = match &base {
                None if state.changed => Source::Made("a line that a stage changed"),
                None => Source::Line(go.clone(), id),
                Some(Some(Source::Field(field))) => Source::OfField(field.clone(), go.clone(), id),
                Some(_) => Source::Made("an expression over what another one captured"),
            };
            state.extracted.insert(name, from);
        }
    }

    /// Fields of JSON and logfmt.
    fn fields(&mut self, key: &str, format: &str, node: &Node, line: usize, state: &mut State) {
        if node.word("source").is_some() {
            for (name, _) in node.get(key).map_or(&[][..], Node::entries) {
                state.extracted.insert(name.clone(), Source::Made("a text within a field"));
            }
            return;
        }
        if self.input.format.is_none() {
            self.input.format = Some(format.to_owned());
        }
        for (name, path) in node.get(key).map_or(&[][..], Node::entries) {
            let path = path.text().filter(|path| !path.is_empty()).unwrap_or(name);
            let plain = path.split('.').all(|part| {
                !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
            });
            let from = match plain {
                true => Source::Field(path.to_owned()),
                false => Source::Made("a path with more than names and dots"),
            };
            state.extracted.insert(name.clone(), from);
        }
        if node.is("drop_malformed") {
            self.remarks.note(
                line,
                "`drop_malformed` is left out",
                "rules over fields count structured lines only",
            );
        }
    }

    fn static_labels(&mut self, node: &Node, line: usize) {
        if self.depth > 1 {
            let hint = "give the files an input of their own, with `labels:`";
            return self.remarks.lost(line, "`static_labels` within `match` have no equivalent", hint);
        }
        for (name, value) in node.entries() {
            let pair = (names::label(name).0, value.text().unwrap_or_default().to_owned());
            self.input.labels.retain(|(known, _)| *known != pair.0);
            self.input.labels.push(pair);
        }
    }

    fn matching(&mut self, node: &Node, line: usize, state: &mut State) {
        let selector = node.word("selector").unwrap_or_default();
        let drops = node.word("action") == Some("drop");
        let Some((labels, filters)) = self.selector(selector, line) else { return };
        let mut inner = state.clone();
        for (name, sign, value) in labels {
            let known =
                self.input.labels.iter().find(|(label, _)| *label == name).map(|(_, value)| value.clone());
            match known {
                Some(known) if (sign == "=") == (known == value) => {}
                // The stage never applies to these files.
                Some(_) => return,
                None if self.by_label(&name, sign, &value, &mut inner, line) => {}
                None => {
                    let message = format!(
                        "the selector asks for `{name}`, whose value is not known before the line is read"
                    );
                    let hint = "write the rules of this stage by hand";
                    return self.remarks.lost(line, message, hint);
                }
            }
        }
        let before = inner.way.absent.len() + inner.way.found.len();
        for (positive, text) in &filters {
            let Some(go) = self.go(text, line) else { return };
            inner.way = if *positive { inner.way.with(&go, line) } else { inner.way.without(&go.regex) };
        }
        if drops {
            let only = filters.len() == 1 && before == state.way.absent.len() + state.way.found.len();
            match (only, filters.first()) {
                (true, Some((true, text))) => {
                    if let Some(go) = self.go(text, line) {
                        state.way = state.way.without(&go.regex);
                    }
                }
                (true, Some((false, text))) => {
                    if let Some(go) = self.go(text, line) {
                        state.way = state.way.with(&go, line);
                    }
                }
                _ => self.remarks.lost(
                    line,
                    "several conditions to drop have no equivalent",
                    "write them to `not:` by hand",
                ),
            }
            return;
        }
        if self.depth > DEEPEST {
            return self.remarks.lost(line, "stages within one another without end", "cut the pipeline");
        }
        self.stages(node.get("stages").map_or(&[][..], Node::list), &mut inner);
        // What the inner stages extract is there for later ones, but only for lines that the selector took.
        for name in inner.extracted.keys() {
            if !state.extracted.contains_key(name) {
                state.extracted.insert(name.clone(), Source::Made("a stage that not every line reaches"));
            }
        }
    }

    /// A condition on a label that was captured from the line. True where it could be folded.
    fn by_label(&mut self, name: &str, sign: &str, value: &str, inner: &mut State, line: usize) -> bool {
        let source = inner.labels.iter().find(|(label, _)| label == name).map(|(_, source)| source.clone());
        let Some(Source::Line(go, id)) = source.and_then(|source| inner.extracted.get(&source).cloned())
        else {
            return false;
        };
        if sign != "=" {
            return false;
        }
        let way = inner.way.with(&go, line);
        let Some(folded) = way.holder(&id).and_then(|at| way.fold(at, &id, &regex::escape(value))) else {
            return false;
        };
        if let Some(doubt) = folded.doubt {
            self.remarks.lost(line, doubt, "check whether such lines occur in your logs");
        }
        inner.way = folded.yes;
        true
    }

    /// `{app="x"} |= "text" !~ "expression"` as labels, and filters with whether they must hold.
    fn selector(&mut self, text: &str, line: usize) -> Option<Selector> {
        let parsed = parse(text);
        if parsed.is_none() {
            let hint = "rules know `=` on labels and the line filters |= != |~ !~";
            self.remarks.lost(line, format!("the selector {text} has no equivalent"), hint);
        }
        parsed
    }

    fn drop(&mut self, node: &Node, line: usize, state: &mut State) {
        for key in ["older_than", "longer_than"] {
            if let Some(node) = node.get(key) {
                let hint = "rules look neither at the age nor at the length of a line";
                return self.remarks.lost(node.line, format!("`{key}` has no equivalent"), hint);
            }
        }
        let sources = node.words("source");
        match (sources.as_slice(), node.word("expression"), node.word("value")) {
            ([], Some(text), None) if !state.changed => {
                if let Some(go) = self.go(text, line) {
                    state.way = state.way.without(&go.regex);
                }
            }
            ([source], None, Some(value)) => {
                let Some(Source::Line(go, id)) = state.extracted.get(source).cloned() else {
                    let hint = "write the value to `not:` of the rules by hand";
                    return self.remarks.lost(line, format!("`drop` by `{source}` has no equivalent"), hint);
                };
                let way = state.way.with(&go, line);
                let folded = way.holder(&id).and_then(|at| way.fold(at, &id, &regex::escape(value)));
                match folded {
                    Some(folded) => {
                        let veto = folded.no.absent.last().cloned().unwrap_or_default();
                        state.way = state.way.without(&veto);
                        if let Some(doubt) = folded.doubt {
                            self.remarks.lost(line, doubt, "check whether such lines occur in your logs");
                        }
                    }
                    None => {
                        self.remarks.lost(line, "this `drop` has no equivalent", "write it to `not:` by hand")
                    }
                }
            }
            _ => self.remarks.lost(
                line,
                "this `drop` has no equivalent",
                "write it to `not:` of the rules by hand",
            ),
        }
    }
}

fn texts(node: &Node) -> Vec<String> {
    let keys = node.entries().iter().map(|(key, _)| key.clone());
    keys.chain(node.list().iter().filter_map(|node| node.text().map(str::to_owned))).collect()
}
