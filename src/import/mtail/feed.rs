//! What an action feeds: its metric, labels and value become a rule, with what holds on the way there.

use super::super::names;
use super::super::way::{Joined, Way};
use super::super::write::{Label, Opening, Rule};
use super::action::{self, Value};
use super::convert::Convert;
use super::draft::{Draft, given};
use super::memory::Opened;
use super::tree::{Declared, Expr};

/// Rules that one program may become.
const MOST_RULES: usize = 1000;

/// An action upon a metric or variable.
#[derive(Clone, Debug)]
pub(super) struct Feed {
    pub(super) line: usize,
    pub(super) declared: Declared,
    pub(super) keys: Vec<Expr>,
    /// `++`, `--`, `=` or `+=`.
    pub(super) sign: &'static str,
    pub(super) value: Option<Expr>,
}

impl Feed {
    /// What it reads: the keys and the value.
    pub(super) fn values(&self) -> impl Iterator<Item = &Expr> {
        self.keys.iter().chain(&self.value)
    }
}

type Refused = (String, &'static str);
/// Labels by name, and the names that their captures would like to have.
type Labels = (Vec<(String, Label)>, Vec<(String, String)>);

impl Convert<'_> {
    /// Makes a rule of an action, or says why there is none; with `opened` it is the end of a span.
    pub(super) fn feed(&mut self, feed: &Feed, way: &Way, opened: Option<&Opened>) {
        if let Err((message, hint)) = self.update(feed, way, opened) {
            let message = format!("{message}; `{}` is not fed here", feed.declared.name);
            self.remarks.lost(feed.line, message, hint);
        }
    }

    fn update(&mut self, feed: &Feed, way: &Way, opened: Option<&Opened>) -> Result<(), Refused> {
        let line = feed.line;
        let value = feed.value.as_ref().map_or(Ok(Value::One), |expr| action::value(expr, way))?;
        let mut metric = {
            let name = self.renamed.get(&feed.declared.name).cloned().unwrap_or_default();
            action::metric(name, &feed.declared, feed.sign, &value)?
        };
        let (labels, mut wanted) = self.labels(feed, way)?;
        if let Value::Capture { id, doubt, .. } = &value {
            wanted.push((id.clone(), "value".to_owned()));
            if let Some(doubt) = doubt {
                self.remarks.lost(line, doubt.clone(), "write `/ 1000.0` there if nothing is to be dropped");
            }
        }
        wanted.extend(opened.iter().flat_map(|opened| &opened.ids).map(|id| (id.clone(), "key".to_owned())));
        let used: Vec<&str> = wanted.iter().map(|(id, _)| id.as_str()).collect();
        let any = self.joined(way, &used)?;
        metric.value = match &value {
            Value::One => None,
            Value::Constant(number) => Some(number.clone()),
            Value::Capture { id, .. } => Some(format!("${{{id}}}")),
            Value::Elapsed => Some("${duration}".to_owned()),
        };
        let mut not = way.absent.clone();
        if let Some(opened) = opened {
            for doubt in opened.doubts(line, &any, &not) {
                self.remarks.lost(line, doubt, "check whether such lines occur in your logs");
            }
            not.extend(opened.not.iter().filter(|other| !way.absent.contains(other)).cloned());
        }
        let opening = opened.map(|opened| Opening {
            any: opened.any.clone(),
            key: opened.key.clone(),
            timeout: opened.timeout.clone(),
        });
        let rule = Rule {
            comment: vec![format!("line {line}")],
            any,
            opening,
            not,
            target: "line".to_owned(),
            labels,
            metrics: vec![metric],
            ..Rule::default()
        };
        self.add(Draft { rule, given: given(way, &wanted) });
        Ok(())
    }

    fn labels(&mut self, feed: &Feed, way: &Way) -> Result<Labels, Refused> {
        let Feed { line, declared, keys, .. } = feed;
        if keys.len() != declared.keys.len() {
            let message =
                format!("`{}` has {} keys, found {}", declared.name, declared.keys.len(), keys.len());
            return Err((message, "give it a key for each name after `by`"));
        }
        let (mut labels, mut wanted) = (Vec::new(), Vec::new());
        for (key, expr) in declared.keys.iter().zip(keys) {
            let (name, changed) = names::label(key);
            if changed {
                let message = format!("the label `{key}` becomes `{name}`");
                let hint = "log metrics carry a label of that name already, or it is no good name";
                self.remarks.note(*line, message, hint);
            }
            if matches!(expr, Expr::Call(call, _) if call == "getfilename") {
                let message = format!("the key `{key}` of getfilename() is left out");
                self.remarks.note(*line, message, "the label `path` names the file already");
                continue;
            }
            let found = action::label(expr, way)?;
            if let Some(doubt) = found.doubt {
                self.remarks.lost(*line, doubt, "map the values by `map:` in the label");
            }
            wanted.extend(found.used.into_iter().map(|id| (id, name.clone())));
            labels.push((name, found.label));
        }
        Ok((labels, wanted))
    }

    /// One expression, or several of which any may match, for a way; where they are not exact, that is told.
    pub(super) fn joined(&mut self, way: &Way, used: &[&str]) -> Result<Vec<String>, Refused> {
        let Some(Joined { any, doubt }) = way.join(used) else {
            let message = "two expressions on the way here are both bound to the line's start or end";
            return Err((message.to_owned(), "write one expression for both by hand"));
        };
        if let Some((line, doubt)) = doubt {
            let message = format!(
                "expressions that a line matches both are converted as one behind the other; {doubt}"
            );
            self.remarks.lost(line, message, "check whether such lines occur in your logs");
        }
        Ok(any)
    }

    /// Adds a rule; what matches the same under the same labels is one rule with several metrics.
    fn add(&mut self, draft: Draft) {
        let same = |known: &&mut Draft| {
            let (a, b) = (&known.rule, &draft.rule);
            let clash =
                a.metrics.iter().any(|metric| b.metrics.iter().any(|other| other.name == metric.name));
            (&a.any, &a.opening, &a.not, &a.labels) == (&b.any, &b.opening, &b.not, &b.labels) && !clash
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
