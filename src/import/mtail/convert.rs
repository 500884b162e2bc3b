//! Every way through a program's blocks to an action becomes a rule.

use super::super::go::Ids;
use super::super::way::Way;
use super::super::write::Rule;
use super::super::{Remarks, names};
use super::condition::{Conditions, Ways};
use super::draft::Draft;
use super::feed::Feed;
use super::local;
use super::look::{exported, has_effect, is_of_file, name_of, reads};
use super::memory::Memory;
use super::tree::{Declared, Expr, Kind, Stmt};
use std::collections::HashMap;

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
        memory: Memory::default(),
        values: Vec::new(),
        remarks,
        depth: 0,
    };
    convert.declarations(program);
    convert.rename(program);
    convert.list(program, vec![Way::default()]);
    convert.pair();
    let mut rules: Vec<Rule> = Vec::new();
    for draft in convert.drafts {
        let rule = draft.finish(|name| rules.iter().any(|rule| rule.name == name));
        rules.push(rule);
    }
    rules
}

pub(super) struct Convert<'a> {
    ids: Ids,
    consts: HashMap<String, String>,
    pub(super) declared: HashMap<String, Declared>,
    blocks: HashMap<String, Vec<Stmt>>,
    /// Blocks that decorators were put around.
    wrapped: Vec<Vec<Stmt>>,
    /// Names of metrics that were changed and told.
    pub(super) renamed: HashMap<String, String>,
    pub(super) drafts: Vec<Draft>,
    /// What is done with variables that are remembered from line to line.
    pub(super) memory: Memory,
    /// Values that variables are set to and read within one line.
    pub(super) values: Vec<Expr>,
    pub(super) remarks: &'a mut Remarks,
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
                    if declared.is_remembered() {
                        self.memory.declared(stmt.line, &declared.name);
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
                    match self.branch(stmt.line, condition, then, other.as_deref(), &ways) {
                        Some(rest) => ways = rest,
                        None => self.forget(&local::sets(std::slice::from_ref(stmt)), &mut ways),
                    }
                    if asks {
                        none = none.and_then(|none| self.none(stmt.line, condition, &none));
                    }
                }
                Kind::Otherwise(block) => {
                    match none.clone() {
                        Some(none) => self.list(block, none),
                        None => self.remarks.lost(
                            stmt.line,
                            "`otherwise` depends on a condition above that has no equivalent",
                            "write its rules by hand",
                        ),
                    }
                    self.forget(&local::sets(block), &mut ways);
                }
                kind => {
                    self.simple(stmt.line, kind, &ways);
                    self.note(kind, &mut ways);
                }
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
            Kind::Delete(Expr::Name(name, keys), after) if self.is_remembered(name) => {
                for way in ways {
                    self.memory.deleted(line, name, keys, after.as_deref(), way);
                }
            }
            Kind::Delete(..) => {
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
        let effect = |block: &[Stmt]| has_effect(block, &|name| self.is_remembered(name));
        if !stops && !effect(then) && !other.is_some_and(effect) {
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
        let (mut rest, mut split) = (Vec::new(), Some(Vec::new()));
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
            self.list(then, yes.clone());
            if let Some(other) = other {
                self.list(other, no.clone());
            }
            rest.extend(no.iter().cloned());
            // At the top, what follows is for other lines.
            let apart =
                (other.is_none() && !stops && self.depth > 1).then(|| self.split(then, yes, no)).flatten();
            split = split.zip(apart).map(|(split, apart): (Vec<Way>, _)| [split, apart].concat());
        }
        if stops {
            self.forget(&local::sets(then), &mut rest);
            return Some(rest);
        }
        split.filter(|split| !split.is_empty())
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
        let mut feed = Feed { line, declared, keys: keys.clone(), sign, value: value.cloned() };
        if feed.declared.is_remembered() {
            return self.memory.set(feed, way);
        }
        match self.filled(&feed, way) {
            Ok(filled) => feed = filled,
            Err(name) => {
                let message = format!(
                    "`{name}` is not set on every way here, and has the value of an earlier line then; such lines do not feed `{}` here",
                    feed.declared.name
                );
                return self.remarks.lost(line, message, "capture what is needed in the line that counts it");
            }
        }
        if feed.values().any(|expr| reads(expr, &|name| self.is_remembered(name))) {
            self.memory.read(feed, way);
        } else {
            self.feed(&feed, way, None);
        }
    }

    pub(super) fn is_remembered(&self, name: &str) -> bool {
        self.declared.get(name).is_some_and(Declared::is_remembered)
    }

    fn no_action(&mut self, line: usize) {
        self.remarks.lost(line, "this action has no equivalent", "see docs/rules.md for what rules can do");
    }
}
