//! Every way through a program's blocks to an action becomes a rule.

use super::super::go::Ids;
use super::super::way::{Joined, Way};
use super::super::write::{Label, Rule};
use super::super::{Remarks, names};
use super::action::{self, Value};
use super::condition::{Conditions, Ways};
use super::draft::{Draft, given};
use super::look::{exported, has_effect, is_of_file, name_of};
use super::tree::{Declared, Expr, Kind, Stmt};
use std::collections::HashMap;

/// Rules that one program may become.
const MOST_RULES: usize = 1000;

/// The rules of a program.
pub(super) fn rules(program: &[Stmt], remarks: &mut Remarks) -> Vec<Rule> {
    let mut convert = Convert {
        ids: Ids::default(),
        consts: HashMap::new(),
        declared: HashMap::new(),
        blocks: HashMap::new(),
        wrapped: Vec::new(),
        renamed: HashMap::new(),
        drafts: Vec::new(),
        remarks,
        depth: 0,
    };
    convert.declarations(program);
    convert.rename(program);
    convert.list(program, vec![Way::default()]);
    let mut rules: Vec<Rule> = Vec::new();
    for draft in convert.drafts {
        let rule = draft.finish(|name| rules.iter().any(|rule| rule.name == name));
        rules.push(rule);
    }
    rules
}

struct Convert<'a> {
    ids: Ids,
    consts: HashMap<String, String>,
    declared: HashMap<String, Declared>,
    blocks: HashMap<String, Vec<Stmt>>,
    /// Blocks that decorators were put around.
    wrapped: Vec<Vec<Stmt>>,
    /// Names of metrics that were changed and told.
    renamed: HashMap<String, String>,
    drafts: Vec<Draft>,
    remarks: &'a mut Remarks,
    depth: usize,
}

impl Convert<'_> {
    /// Metrics and blocks may be declared anywhere; they hold for the whole program.
    fn declarations(&mut self, list: &[Stmt]) {
        for stmt in list {
            match &stmt.kind {
                Kind::Declare(declared) => {
                    if declared.limit {
                        let hint = "limits.series_per_metric bounds the series of every metric";
                        self.remarks.note(stmt.line, "`limit` is left out", hint);
                    }
                    if declared.hidden || declared.kind == "text" {
                        let what = format!(
                            "`{}` is remembered from line to line; rules see one line",
                            declared.name
                        );
                        let hint = "see the remarks where it is used";
                        self.remarks.note(stmt.line, what, hint);
                    }
                    self.declared.insert(declared.name.clone(), declared.clone());
                }
                Kind::If(_, then, other) => {
                    self.declarations(then);
                    self.declarations(other.as_deref().unwrap_or_default());
                }
                Kind::Otherwise(block) | Kind::Define(_, block) | Kind::Decorate(_, block) => {
                    self.declarations(block)
                }
                _ => {}
            }
        }
    }

    /// Names for the metrics. Those that can stay come first, so that none is taken by one that must change.
    fn rename(&mut self, list: &[Stmt]) {
        let mut declared = Vec::new();
        exported(list, &mut declared);
        declared.sort_by_key(|(line, declared)| (name_of(declared).1, *line));
        for (line, declared) in declared {
            let (old, changed, name) = {
                let (old, changed, name) = name_of(declared);
                let taken = self.renamed.values().any(|taken| *taken == name);
                match taken {
                    true => {
                        let by = format!("{old}_by_{}", declared.keys.join("_"));
                        (old, true, names::metric(&by, &declared.kind).0)
                    }
                    false => (old, changed, name),
                }
            };
            if changed {
                let message = format!("`{old}` becomes `{name}`");
                self.remarks.note(
                    line,
                    message,
                    "Prometheus' rules of naming are kept; queries need the new name",
                );
            }
            self.renamed.insert(declared.name.clone(), name);
        }
    }

    fn list(&mut self, list: &[Stmt], mut ways: Vec<Way>) {
        self.depth += 1;
        // Where no condition of this block held so far; `None` once one could not be converted.
        let mut none = Some(ways.clone());
        let asks = list.iter().any(|stmt| matches!(stmt.kind, Kind::Otherwise(_)));
        for stmt in list {
            match &stmt.kind {
                Kind::If(condition, then, other) => {
                    if let Some(rest) = self.branch(stmt.line, condition, then, other.as_deref(), &ways) {
                        ways = rest;
                    }
                    if asks {
                        none = none.and_then(|none| self.none(stmt.line, condition, &none));
                    }
                }
                Kind::Otherwise(block) => match none.clone() {
                    Some(none) => self.list(block, none),
                    None => self.remarks.lost(
                        stmt.line,
                        "`otherwise` depends on a condition above that has no equivalent",
                        "write its rules by hand",
                    ),
                },
                kind => self.simple(stmt.line, kind, &ways),
            }
        }
        self.depth -= 1;
    }

    fn simple(&mut self, line: usize, kind: &Kind, ways: &[Way]) {
        match kind {
            Kind::Const(name, parts) => {
                let conditions = Conditions { consts: &self.consts, ids: &mut self.ids, line };
                match conditions.text(parts) {
                    Ok(text) => drop(self.consts.insert(name.clone(), text)),
                    Err((message, hint)) => self.remarks.lost(line, message, hint),
                }
            }
            Kind::Define(name, block) => drop(self.blocks.insert(name.clone(), block.clone())),
            Kind::Decorate(name, block) => self.decorate(line, name, block, ways),
            Kind::Next => {
                for way in ways {
                    let mut way = way.clone();
                    if let Some(block) = way.wrapped.pop().and_then(|at| self.wrapped.get(at).cloned()) {
                        self.list(&block, vec![way]);
                    }
                }
            }
            Kind::Do(expr) => {
                for way in ways {
                    self.act(line, expr, way);
                }
            }
            Kind::Stop => self.remarks.lost(
                line,
                "`stop` here has no equivalent",
                "give the rules that must not count these lines a `not:`",
            ),
            Kind::Delete => {
                self.remarks.note(
                    line,
                    "`del` is left out",
                    "series of files that are gone leave by themselves",
                );
            }
            Kind::Declare(_) | Kind::If(..) | Kind::Otherwise(_) => {}
        }
    }

    fn decorate(&mut self, line: usize, name: &str, block: &[Stmt], ways: &[Way]) {
        let Some(around) = self.blocks.get(name).cloned() else {
            let hint = "define it above, by `def`";
            return self.remarks.lost(line, format!("the decorator `@{name}` is not defined"), hint);
        };
        if self.depth > 40 {
            return self.remarks.lost(
                line,
                "decorators within one another without end",
                "take the circle out",
            );
        }
        self.wrapped.push(block.to_vec());
        let at = self.wrapped.len() - 1;
        for way in ways {
            let mut way = way.clone();
            way.wrapped.push(at);
            self.list(&around, vec![way]);
        }
    }

    /// A condition with its blocks. After a block that ends in `stop`, only the other ways go on: they are returned.
    fn branch(
        &mut self,
        line: usize,
        condition: &Expr,
        then: &[Stmt],
        other: Option<&[Stmt]>,
        ways: &[Way],
    ) -> Option<Vec<Way>> {
        let stops = self.depth == 1 && matches!(then.last(), Some(Stmt { kind: Kind::Stop, .. }));
        if !stops && !has_effect(then) && !other.is_some_and(has_effect) {
            return None;
        }
        let then = if stops { &then[..then.len() - 1] } else { then };
        if is_of_file(condition) {
            self.remarks.lost(
                line,
                "a condition on the file's name stands outside of rules: its block counts in every file",
                "put these rules into a group of their own, and name it in `rules:` of the input with those files",
            );
            self.list(then, ways.to_vec());
            return None;
        }
        let mut rest = Vec::new();
        for way in ways {
            let mut conditions = Conditions { consts: &self.consts, ids: &mut self.ids, line };
            let Ways { yes, no, doubts } = match conditions.ways(condition, way) {
                Ok(ways) => ways,
                Err((message, hint)) => {
                    self.remarks.lost(line, format!("{message}; its block is left out"), hint);
                    return None;
                }
            };
            for doubt in doubts {
                self.remarks.lost(line, doubt, "check whether such lines occur in your logs");
            }
            self.list(then, yes);
            if let Some(other) = other {
                self.list(other, no.clone());
            }
            rest.extend(no);
        }
        stops.then_some(rest)
    }

    /// The ways on which a condition does not hold either; its doubts were told with its block.
    fn none(&mut self, line: usize, condition: &Expr, ways: &[Way]) -> Option<Vec<Way>> {
        let mut none = Vec::new();
        for way in ways {
            let mut conditions = Conditions { consts: &self.consts, ids: &mut self.ids, line };
            none.extend(conditions.ways(condition, way).ok()?.no);
        }
        Some(none)
    }

    fn act(&mut self, line: usize, expr: &Expr, way: &Way) {
        let (name, keys, sign, value) = match expr {
            Expr::Step(sign, inner) => match &**inner {
                Expr::Name(name, keys) => (name, keys, *sign, None),
                _ => return self.no_action(line),
            },
            Expr::Binary(sign @ ("=" | "+="), target, value) => match &**target {
                Expr::Name(name, keys) => (name, keys, *sign, Some(&**value)),
                _ => return self.no_action(line),
            },
            Expr::Call(name, _) if name == "strptime" || name == "settime" => {
                let hint = "Prometheus stamps a scrape's samples itself; nothing needs to be done";
                return self.remarks.note(line, format!("{name}() is left out"), hint);
            }
            _ => return self.no_action(line),
        };
        let Some(declared) = self.declared.get(name).cloned() else {
            let hint = "declare it above";
            return self.remarks.lost(line, format!("`{name}` is not declared"), hint);
        };
        if declared.hidden || declared.kind == "text" {
            let message = format!("`{name}` is remembered from line to line and has no equivalent");
            let hint = "capture what is needed in the line that counts it";
            return self.remarks.lost(line, message, hint);
        }
        if let Err((message, hint)) = self.update(line, &declared, keys, sign, value, way) {
            self.remarks.lost(line, format!("{message}; `{name}` is not fed here"), hint);
        }
    }

    fn no_action(&mut self, line: usize) {
        self.remarks.lost(line, "this action has no equivalent", "see docs/rules.md for what rules can do");
    }

    fn update(
        &mut self,
        line: usize,
        declared: &Declared,
        keys: &[Expr],
        sign: &str,
        value: Option<&Expr>,
        way: &Way,
    ) -> Result<(), (String, &'static str)> {
        let value = value.map_or(Ok(Value::One), |expr| action::value(expr, way))?;
        let mut metric = {
            let name = self.renamed.get(&declared.name).cloned().unwrap_or_default();
            action::metric(name, declared, sign, &value)?
        };
        if keys.len() != declared.keys.len() {
            let message =
                format!("`{}` has {} keys, found {}", declared.name, declared.keys.len(), keys.len());
            return Err((message, "give it a key for each name after `by`"));
        }
        let mut labels: Vec<(String, Label)> = Vec::new();
        let mut wanted: Vec<(String, String)> = Vec::new();
        for (key, expr) in declared.keys.iter().zip(keys) {
            let (name, changed) = names::label(key);
            if changed {
                let message = format!("the label `{key}` becomes `{name}`");
                self.remarks.note(
                    line,
                    message,
                    "log metrics carry a label of that name already, or it is no good name",
                );
            }
            if matches!(expr, Expr::Call(call, _) if call == "getfilename") {
                let message = format!("the key `{key}` of getfilename() is left out");
                self.remarks.note(line, message, "the label `path` names the file already");
                continue;
            }
            let found = action::label(expr, way)?;
            if let Some(doubt) = found.doubt {
                self.remarks.lost(line, doubt, "map the values by `map:` in the label");
            }
            wanted.extend(found.used.into_iter().map(|id| (id, name.clone())));
            labels.push((name, found.label));
        }
        if let Value::Capture { id, .. } = &value {
            wanted.push((id.clone(), "value".to_owned()));
        }
        let used: Vec<&str> = wanted.iter().map(|(id, _)| id.as_str()).collect();
        let Some(Joined { any, doubt }) = way.join(&used) else {
            let message = "two expressions on the way here are both bound to the line's start or end";
            return Err((message.to_owned(), "write one expression for both by hand"));
        };
        if let Some((line, doubt)) = doubt {
            let message = format!(
                "expressions that a line matches both are converted as one behind the other; {doubt}"
            );
            self.remarks.lost(line, message, "check whether such lines occur in your logs");
        }
        metric.value = match &value {
            Value::One => None,
            Value::Constant(number) => Some(number.clone()),
            Value::Capture { id, .. } => Some(format!("${{{id}}}")),
        };
        let rule = Rule {
            comment: vec![format!("line {line}")],
            any,
            not: way.absent.clone(),
            target: "line".to_owned(),
            labels,
            metrics: vec![metric],
            ..Rule::default()
        };
        self.add(Draft { rule, given: given(way, &wanted) });
        Ok(())
    }

    /// Adds a rule; what matches the same under the same labels is one rule with several metrics.
    fn add(&mut self, draft: Draft) {
        let same = |known: &&mut Draft| {
            let (a, b) = (&known.rule, &draft.rule);
            let clash =
                a.metrics.iter().any(|metric| b.metrics.iter().any(|other| other.name == metric.name));
            (&a.any, &a.not, &a.labels) == (&b.any, &b.not, &b.labels) && !clash
        };
        if let Some(known) = self.drafts.iter_mut().find(same) {
            known.rule.metrics.extend(draft.rule.metrics);
            known.given.extend(draft.given);
        } else if self.drafts.len() < MOST_RULES {
            self.drafts.push(draft);
        } else {
            self.remarks.lost(0, "the program becomes more rules than are written", "cut it into several");
        }
    }
}
