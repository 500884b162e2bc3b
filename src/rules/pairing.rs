//! Rules with `start` and `end`: two lines that belong together by a key, and the time between them.

use super::group::{advise, one};
use super::raw::{RawExpression, RawRule};
use super::sink::Sink;
use super::yaml::{At, Many, Spot};
use super::{grok, label};
use crate::tally::span::{DURATION, Span};
use crate::tally::spec::{Label, Metric};
use crate::tally::template::Template;
use crate::tally::units::{self, Unit};

/// A start is given up after an hour, in seconds, where the rule says nothing else.
const TIMEOUT: f64 = 3600.0;
/// Longer timeouts, in seconds, are slips of the unit: ten years.
const LONGEST: f64 = 315_576_000.0;

/// Both ends of a rule, checked.
pub(super) struct Paired {
    /// The expressions of the end, then those of the start.
    pub(super) any: Vec<String>,
    /// The names that labels and values may use: captures of either end, and the duration.
    pub(super) captures: Vec<String>,
    starts: usize,
    of_end: Vec<String>,
    key: Template,
    timeout: u64,
}

/// The two ends of a rule that has any of their keys; `Some(None)` where they are not usable.
pub(super) fn compile(
    raw: &RawRule,
    spot: Spot,
    whole: bool,
    own: &grok::Own<'_>,
    sink: &mut Sink<'_>,
) -> Option<Option<Paired>> {
    let spots = [raw.start.as_ref().map(|at| at.spot), raw.end.as_ref().map(|at| at.spot)];
    let first = spots.into_iter().flatten().next();
    let Some(first) = first else {
        let only = [("key", &raw.key), ("timeout", &raw.timeout)];
        for (name, at) in only.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?.spot))) {
            let message = format!("`{name}` is for rules with `start` and `end`");
            sink.error(at, message, "leave it out, or give the rule a `start` and an `end`");
        }
        return None;
    };
    let mut good = true;
    for (name, other) in [("match", &raw.matches), ("grok", &raw.grok)] {
        if let Some(other) = other {
            let message = format!("a rule has `{name}`, or `start` and `end`, found both");
            sink.error(other.spot, message, "keep one of them, and make a second rule for the other");
            good = false;
        }
    }
    let missing = [
        (
            raw.start.is_none(),
            "`end` without `start`",
            "add `start: 'expression'`, the line where the time begins",
        ),
        (raw.end.is_none(), "`start` without `end`", "add `end: 'expression'`, the line where the time ends"),
        (
            raw.key.is_none(),
            "`key` is missing",
            "add `key: '${id}'`, which both lines capture; a fixed word where only one span is open at a time",
        ),
    ];
    for (_, message, next) in missing.into_iter().filter(|(missing, ..)| *missing) {
        good = false;
        if whole {
            sink.error(if message.starts_with("`key`") { spot } else { first }, message, next);
        }
    }
    let end = raw.end.as_ref().and_then(|list| side(list, own, sink));
    let start = raw.start.as_ref().and_then(|list| side(list, own, sink));
    let timeout = timeout(raw.timeout.as_ref(), sink);
    let key = raw.key.as_ref().and_then(|text| {
        let all: Vec<String> = [&end, &start].into_iter().flatten().flat_map(Side::captures).collect();
        let template = label::template(text, &all, sink)?;
        if text.value.trim().is_empty() {
            let next = "write `'${id}'`, which both lines capture; a fixed word where only one span is open at a time";
            sink.error(text.spot, "the key is empty", next);
            return None;
        }
        let fits = [("start", &start), ("end", &end)].map(|(name, side)| {
            side.as_ref().is_none_or(|side| side.captures_all(name, &template, &all, sink))
        });
        fits.iter().all(|fits| *fits).then_some(template)
    });
    let (Some(end), Some(start), Some(key), Some(timeout), true) = (end, start, key, timeout, good) else {
        return Some(None);
    };
    let of_end: Vec<String> = end.captures().collect();
    let captures = of_end.iter().cloned().chain(start.captures()).chain([DURATION.to_owned()]).collect();
    let starts = end.list.len();
    let any = end.list.into_iter().chain(start.list).map(|one| one.expression).collect();
    Some(Some(Paired { any, captures, starts, of_end, key, timeout }))
}

impl Paired {
    /// What the tally needs, with the names that have to be kept from the start.
    pub(super) fn into_span(self, labels: &[Label], metrics: &[Metric]) -> Span {
        let of_labels = labels.iter().flat_map(|label| label.template().names());
        let of_values = metrics.iter().filter_map(|metric| metric.value.as_ref()).flat_map(Template::names);
        let mut kept: Vec<String> = of_labels
            .chain(of_values)
            .filter(|name| *name != DURATION && !self.of_end.iter().any(|known| known == name))
            .map(str::to_owned)
            .collect();
        kept.sort();
        kept.dedup();
        Span { starts: self.starts, key: self.key, timeout: self.timeout, kept }
    }
}

/// The expressions of one end.
struct Side {
    list: Vec<One>,
}

struct One {
    expression: String,
    captures: Vec<String>,
    spot: Spot,
}

impl Side {
    fn captures(&self) -> impl Iterator<Item = String> {
        self.list.iter().flat_map(|one| one.captures.clone())
    }

    /// Whether each expression captures what the key takes from captures: else its lines would never find a partner.
    fn captures_all(&self, end: &str, key: &Template, all: &[String], sink: &mut Sink<'_>) -> bool {
        let mut good = true;
        for one in &self.list {
            let lacks = |name: &&str| {
                all.iter().any(|known| known == name) && !one.captures.iter().any(|known| known == name)
            };
            if let Some(name) = key.names().find(lacks) {
                let message = format!("this `{end}` does not capture `{name}`, which the key is made of");
                sink.error(one.spot, message, format!("capture it at both ends, such as `(?P<{name}>\\w+)`"));
                good = false;
            }
        }
        good
    }
}

fn side(list: &At<Many<RawExpression>>, own: &grok::Own<'_>, sink: &mut Sink<'_>) -> Option<Side> {
    if list.value.0.is_empty() {
        sink.error_of_whole(list.spot, "the list of expressions is empty", "write at least one expression");
        return None;
    }
    let mut all = Vec::new();
    for RawExpression { text, is_grok } in &list.value.0 {
        let Some((expression, facts)) = one(text, *is_grok, own, sink) else { continue };
        advise(text, &expression, &facts, sink);
        if facts.captures.iter().any(|name| name == DURATION) {
            let message = "a capture `duration` would hide the time from start to end, which has that name";
            sink.error(text.spot, message, "give the capture another name, such as `took`");
            continue;
        }
        all.push(One { expression, captures: facts.captures, spot: text.spot });
    }
    (all.len() == list.value.0.len()).then_some(Side { list: all })
}

/// Nanoseconds after which a start is given up.
fn timeout(text: Option<&At<String>>, sink: &mut Sink<'_>) -> Option<u64> {
    let Some(text) = text else { return Some((TIMEOUT * 1e9) as u64) };
    match units::parse(&text.value, Some(Unit::SECONDS)) {
        Ok(seconds) if seconds > 0.0 && seconds <= LONGEST => Some((seconds * 1e9) as u64),
        Ok(_) => {
            let message =
                format!("the timeout `{}` is not between 0 and ten years", text.value.escape_debug());
            sink.error(text.spot, message, "write such as `30s`, `10m` or `1h`");
            None
        }
        Err(error) => {
            let message = format!("`{}` is no timeout: {error}", text.value.escape_debug());
            sink.error(text.spot, message, "write such as `30s`, `10m` or `1h`");
            None
        }
    }
}
