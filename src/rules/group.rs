//! From a rule file as written to rules ready for use; all that can be wrong with one is found here.
//!
//! What holds across files (a group's rule names, metrics of one name) is kept by the [`Compiler`] over all of them.

use super::raw::{RawExpression, RawGroup, RawRule};
use super::sink::Sink;
use super::yaml::{At, Pairs, Spot, nearest, read};
use super::{Group, Rule, alert, expression, grok, label, metric, names, pairing, test};
use crate::error::{Place, Problem};
use crate::level::{Level, Levels};
use crate::matching::pattern::{Pattern, Target};
use crate::matching::slow_reason;
use crate::tally::spec::Counted;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Checks files one by one and remembers what must agree between them.
#[derive(Default)]
pub(super) struct Compiler {
    groups: Vec<Group>,
    problems: Vec<Problem>,
    /// Where each rule of each group was defined.
    rules: HashMap<(String, String), Place>,
    /// Where each pattern was defined, to find rules that match the same.
    patterns: HashMap<String, (String, Place)>,
    metrics: metric::Families,
}

impl Compiler {
    /// Adds a rule file.
    pub(super) fn add(&mut self, file: &str, text: &str) {
        let (raw, problems) = read::<RawGroup>(file, text);
        let broken = problems.iter().map(|problem| (problem.place.line, problem.place.column)).collect();
        let mut sink = Sink { file, text, problems, broken };
        if let Some(raw) = raw {
            self.group(raw, &mut sink);
        }
        sink.problems.sort_by_key(|problem| (problem.place.line, problem.place.column));
        self.problems.append(&mut sink.problems);
    }

    /// All groups and all problems.
    pub(super) fn finish(self) -> (Vec<Group>, Vec<Problem>) {
        (self.groups, self.problems)
    }

    fn group(&mut self, raw: RawGroup, sink: &mut Sink<'_>) {
        let group = match raw.group {
            Some(group) => {
                let fault = names::rule("group", &group.value);
                fault.map(|fault| sink.fault(group.spot, fault));
                group
            }
            None => {
                if sink.is_whole(Spot::START, None) {
                    sink.error(
                        Spot::START,
                        "`group` is missing",
                        "add `group: NAME`, the name of these rules",
                    );
                }
                At { value: String::new(), spot: Spot::START }
            }
        };
        let own = own_patterns(&raw.patterns, sink);
        if raw.rules.is_none() && sink.is_whole(Spot::START, None) {
            sink.error(group.spot, "the group has no `rules`", "add a list `rules:`, `[]` for none");
        }
        let mut raw_rules = raw.rules.unwrap_or_default().into_iter().peekable();
        let mut rules = Vec::new();
        while let Some(raw_rule) = raw_rules.next() {
            let next = raw_rules.peek().map(|next| next.spot);
            rules.extend(self.rule(&group.value, raw_rule, next, &own, sink));
        }
        let place = sink.place(group.spot);
        match self.groups.iter_mut().find(|known| known.name == group.value) {
            Some(known) => known.rules.append(&mut rules),
            None => self.groups.push(Group { name: group.value, rules, place }),
        }
    }

    /// One rule. Its parts are all checked, also where one of them keeps it from being made.
    fn rule(
        &mut self,
        group: &str,
        raw: At<RawRule>,
        next: Option<Spot>,
        own: &grok::Own<'_>,
        sink: &mut Sink<'_>,
    ) -> Option<Rule> {
        let At { value: mut raw, spot } = raw;
        let whole = sink.is_whole(spot, next);
        let name = raw.name.take();
        match &name {
            Some(name) => self.name(group, name, sink),
            None if whole => {
                sink.error(spot, "`name` is missing", "add `name: WORD`, the rule's `pattern` label")
            }
            None => {}
        }
        let span = pairing::compile(&raw, spot, whole, own, sink);
        let matched = match &span {
            None => expressions(&raw, spot, whole, own, sink),
            Some(span) => span.as_ref().map(|paired| (paired.any.clone(), paired.captures.clone())),
        };
        let levels = levels(&raw, sink);
        let target = target(&raw, sink);
        let not = veto(&raw, own, sink);
        let named = test::Names::of(&raw);
        let captures = matched.as_ref().map_or(&[][..], |(_, captures)| captures);
        let labels = label::compile(raw.labels.unwrap_or_default(), captures, sink);
        let metrics =
            metric::compile(raw.metrics.unwrap_or_default(), &labels, captures, &mut self.metrics, sink);
        let called = name.as_ref().map_or("", |name| name.value.as_str());
        let alert = raw.alert.and_then(|alert| alert::compile(alert, called, &metrics, sink));
        let tests = test::compile(raw.tests.unwrap_or_default(), next, &named, sink);
        let (At { value: name, spot }, (any, _)) = (name?, matched?);
        let pattern = Pattern { name: format!("{group}/{name}"), any, not, levels, target };
        self.twin(&pattern, spot, sink);
        let span = span.flatten().map(|paired| paired.into_span(&labels, &metrics));
        let counted = Counted { group: group.to_owned(), name: name.clone(), labels, metrics, levels, span };
        let place = sink.place(spot);
        Some(Rule { group: group.to_owned(), name, pattern, counted, alert, tests, place })
    }

    /// A rule's name, which its group must not have yet.
    fn name(&mut self, group: &str, name: &At<String>, sink: &mut Sink<'_>) {
        if let Some(fault) = names::rule("rule", &name.value) {
            sink.fault(name.spot, fault);
        }
        match self.rules.entry((group.to_owned(), name.value.clone())) {
            Entry::Vacant(new) => drop(new.insert(sink.place(name.spot))),
            Entry::Occupied(first) => {
                let first = first.get();
                let message = format!("the group `{group}` has a rule `{}` already, at {first}", name.value);
                sink.error(name.spot, message, "give each rule of a group a name of its own");
            }
        }
    }

    /// Two rules that match the same events are most often one that was copied.
    fn twin(&mut self, pattern: &Pattern, spot: Spot, sink: &mut Sink<'_>) {
        let Pattern { name, any, not, levels, target } = pattern;
        let key = format!("{any:?} {not:?} {levels:?} {target:?}");
        let here = (name.clone(), sink.place(spot));
        let (first, place) = self.patterns.entry(key).or_insert_with(|| here.clone());
        if (&*first, &*place) != (&here.0, &here.1) {
            let message = format!("this rule matches the same events as `{first}` at {place}");
            sink.warning(spot, message, "remove one, or put what differs into `match:`, `levels:` or `in:`");
        }
    }
}

/// The grok names of the group, each checked alone.
fn own_patterns<'a>(raw: &'a Pairs<At<String>>, sink: &mut Sink<'_>) -> Vec<(&'a str, &'a str)> {
    let pairs = &raw.0;
    let own: Vec<(&str, &str)> =
        pairs.iter().map(|(name, text)| (name.value.as_str(), text.value.as_str())).collect();
    for (name, text) in pairs {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '-';
        if name.value.is_empty() || !name.value.chars().all(good) {
            let message = format!("`{}` cannot name a grok pattern", name.value.escape_debug());
            sink.error(name.spot, message, "write capital letters, digits and `_`, such as `ORDERID`");
        }
        // A circle is found from wherever a rule enters it; here it would be reported once for each of its names.
        if let Ok(expanded) = grok::expand(&text.value, &own) {
            if let Err(refusal) = expression::check(&expanded) {
                let at = if expanded == text.value { refusal.at } else { 0 };
                sink.error_at(text, at, refusal.message, refusal.hint);
            }
        } else if let Err(refusal) = grok::expand(&text.value, &own) {
            sink.error_at(text, refusal.at, refusal.message, refusal.hint);
        }
    }
    own
}

/// The expressions of a rule and the captures of all of them; `None` when there is nothing to match with.
fn expressions(
    raw: &RawRule,
    spot: Spot,
    whole: bool,
    own: &grok::Own<'_>,
    sink: &mut Sink<'_>,
) -> Option<(Vec<String>, Vec<String>)> {
    let (list, is_grok) = match (&raw.matches, &raw.grok) {
        (Some(_), Some(grok)) => {
            sink.error(grok.spot, "a rule has `match` or `grok`, found both", "keep one of them");
            return None;
        }
        (Some(list), None) => (list, false),
        (None, Some(list)) => (list, true),
        (None, None) => {
            if whole {
                let what = "a rule needs `match` or `grok`, or `start` and `end`";
                sink.error(spot, what, "add `match: 'text or expression'`");
            }
            return None;
        }
    };
    if list.value.0.is_empty() {
        sink.error_of_whole(list.spot, "the list of expressions is empty", "write at least one expression");
        return None;
    }
    let (mut any, mut captures, mut good) = (Vec::new(), Vec::new(), true);
    for text in &list.value.0 {
        match one(text, is_grok, own, sink) {
            Some((expression, facts)) => {
                advise(text, &expression, &facts, sink);
                any.push(expression);
                captures.extend(facts.captures);
            }
            None => good = false,
        }
    }
    good.then_some((any, captures))
}

/// Expands and checks one expression.
pub(super) fn one(
    text: &At<String>,
    is_grok: bool,
    own: &grok::Own<'_>,
    sink: &mut Sink<'_>,
) -> Option<(String, expression::Facts)> {
    if text.value.trim().is_empty() {
        sink.error(
            text.spot,
            "the expression is empty and would match every event",
            "write what to look for",
        );
        return None;
    }
    let expanded = match is_grok {
        false => text.value.clone(),
        true => match grok::expand(&text.value, own) {
            Ok(expanded) => expanded,
            Err(refusal) => {
                sink.error_at(text, refusal.at, refusal.message, refusal.hint);
                return None;
            }
        },
    };
    match expression::check(&expanded) {
        Ok(facts) => Some((expanded, facts)),
        Err(refusal) => {
            let at = if expanded == text.value { refusal.at } else { 0 };
            sink.error_at(text, at, refusal.message, refusal.hint);
            None
        }
    }
}

/// What works, but not as well as it could. `expression` is what the text became.
pub(super) fn advise(text: &At<String>, expression: &str, facts: &expression::Facts, sink: &mut Sink<'_>) {
    if facts.matches_none {
        sink.warning(
            text.spot,
            "no text can match this expression",
            "look for a class that excludes everything, and for `^` and `$` in the middle",
        );
    } else if facts.matches_all {
        sink.warning(text.spot, "this expression matches every event", "write what an event must contain");
    } else if !sink.is_shipped()
        && let Some(reason) = slow_reason(expression)
    {
        let hint = "add a word that always stands in the lines you mean, three or more letters, outside of (…)? and (…)*, \
                    or filter by `levels:`";
        sink.warning(text.spot, format!("slow, for it is tried on every event: {reason}"), hint);
    }
}

/// One expression for the veto, which may be a list.
fn veto(raw: &RawRule, own: &grok::Own<'_>, sink: &mut Sink<'_>) -> Option<String> {
    let list = &raw.not.as_ref()?.0;
    let mut good = Vec::new();
    for RawExpression { text, is_grok } in list {
        if let Some((expression, facts)) = one(text, *is_grok, own, sink) {
            if facts.matches_all {
                let message = "this veto matches every event: the rule never counts";
                sink.warning(text.spot, message, "write what an event must not contain");
            }
            good.push(expression);
        }
    }
    match good.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        several => Some(several.iter().map(|text| format!("(?:{text})")).collect::<Vec<_>>().join("|")),
    }
}

fn levels(raw: &RawRule, sink: &mut Sink<'_>) -> Levels {
    let Some(list) = &raw.levels else { return Levels::ALL };
    if list.value.0.is_empty() {
        sink.error(
            list.spot,
            "no level is listed: the rule would never match",
            "leave `levels` out for all of them",
        );
    }
    let mut levels = Levels::NONE;
    for name in &list.value.0 {
        match level(name, sink) {
            Some(level) => levels = levels.with(level),
            None => continue,
        }
    }
    levels
}

/// One of the eight levels by its name; other words for them are told, not taken.
pub(super) fn level(name: &At<String>, sink: &mut Sink<'_>) -> Option<Level> {
    let found = Level::from_name(&name.value);
    if found.is_none() {
        let all = Level::ALL.map(Level::as_str);
        let meant = match name.value.to_ascii_lowercase().as_str() {
            "warn" => Some("warning"),
            "err" => Some("error"),
            "information" | "success" => Some("info"),
            "fatal" | "crit" | "emerg" | "emergency" | "alert" | "panic" | "severe" => Some("critical"),
            other => nearest(other, all),
        };
        let hint = match meant {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("allowed: {}", all.join(", ")),
        };
        sink.error(name.spot, format!("unknown level `{}`", name.value.escape_debug()), hint);
    }
    found
}

fn target(raw: &RawRule, sink: &mut Sink<'_>) -> Target {
    let Some(text) = &raw.target else { return Target::Message };
    match text.value.as_str() {
        "message" => Target::Message,
        "line" => Target::Line,
        other => match other.strip_prefix("field.").filter(|name| !name.split('.').any(str::is_empty)) {
            Some(name) => Target::Field(name.to_owned()),
            None => {
                let hint = match nearest(other, ["message", "line", "field."]) {
                    Some(word) if word != "field." => format!("did you mean `{word}`?"),
                    _ => "a field of a structured event is written `field.NAME`".to_owned(),
                };
                let message =
                    format!("`in` is message, line or field.NAME, found `{}`", other.escape_debug());
                sink.error(text.spot, message, hint);
                Target::Message
            }
        },
    }
}
