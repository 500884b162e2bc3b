//! The tests that rules carry, as data: running them takes parsing and matching, which is not done here.

use super::group::level;
use super::raw::{RawRule, RawTest};
use super::sink::Sink;
use super::yaml::{At, Pairs, Spot, suggestion};
use crate::error::Place;
use crate::level::Level;
use crate::parse::Format;

/// A line and what a rule must make of it.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleTest {
    /// Lines of a log, joined by line feeds: one event of one or several lines, or several events.
    pub line: String,
    /// The format to read it in; without one it is detected.
    pub format: Option<String>,
    /// What must hold, and nothing else.
    pub expect: Expect,
    /// Where the test was written.
    pub place: Place,
}

/// What a test expects; what is not there is not looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expect {
    /// Whether the rule matches.
    pub matches: Option<bool>,
    /// The event's level.
    pub level: Option<Level>,
    /// Values of the rule's labels.
    pub labels: Vec<(String, String)>,
    /// Values of the rule's metrics, in base units.
    pub values: Vec<(String, f64)>,
}

/// The names that a rule's tests may use: as written, so that a label refused for another reason is not missed here.
pub(super) struct Names {
    labels: Vec<String>,
    metrics: Vec<String>,
}

impl Names {
    pub(super) fn of(rule: &RawRule) -> Names {
        let labels = rule.labels.iter().flat_map(|labels| &labels.0).map(|(name, _)| name.value.clone());
        let metrics = rule.metrics.iter().flatten().map(|metric| metric.value.name.value.clone());
        Names { labels: labels.collect(), metrics: metrics.collect() }
    }
}

pub(super) fn compile(
    raw: Vec<At<RawTest>>,
    next_rule: Option<Spot>,
    names: &Names,
    sink: &mut Sink<'_>,
) -> Vec<RuleTest> {
    let mut tests = Vec::with_capacity(raw.len());
    let mut raw = raw.into_iter().peekable();
    while let Some(At { value: test, spot }) = raw.next() {
        let next = raw.peek().map(|next| next.spot).or(next_rule);
        let At { value: expect, spot: expect_spot } = test.expect;
        // What is refused below was expected as well.
        let nothing = expect.matches.is_none()
            && expect.level.is_none()
            && expect.labels.iter().all(|labels| labels.0.is_empty())
            && expect.values.iter().all(|values| values.0.is_empty());
        let labels = named(expect.labels, "label", &names.labels, sink);
        let values = named(expect.values, "metric", &names.metrics, sink);
        for (_, value) in values.iter().filter(|(_, value)| !value.value.is_finite()) {
            sink.error(value.spot, "no metric has this value", "write a finite number, in base units");
        }
        let values: Vec<(String, f64)> =
            values.into_iter().map(|(name, value)| (name, value.value)).collect();
        let level = expect.level.and_then(|name| level(&name, sink));
        if nothing && sink.is_whole(spot, next) {
            sink.error(
                expect_spot,
                "the test expects nothing",
                "write `expect: {match: true}` or `{match: false}`",
            );
        }
        if expect.matches == Some(false) && !(labels.is_empty() && values.is_empty()) {
            let message = "the test expects no match, and labels or values of one";
            sink.error(expect_spot, message, "leave `match: false` out, or the labels and values");
        }
        let expect = Expect { matches: expect.matches, level, labels, values };
        let format = test.format.map(|format| known_format(format, sink));
        let line = match (test.line, test.lines) {
            (Some(line), None) => {
                if line.value.trim().is_empty() {
                    let next = "write a line of a log; a rule never sees empty ones";
                    sink.error(line.spot, "the test's line is empty", next);
                }
                line.value
            }
            (None, Some(lines)) if !lines.value.is_empty() => lines.value.join("\n"),
            (None, Some(lines)) => {
                sink.error(lines.spot, "the test has no line", "write the lines of a log, one after another");
                continue;
            }
            (Some(_), Some(lines)) => {
                sink.error(lines.spot, "a test has `line` or `lines`, found both", "keep one of them");
                continue;
            }
            (None, None) => {
                if sink.is_whole(spot, next) {
                    sink.error(spot, "the test has no line", "add `line: '…'`, or `lines:` for several");
                }
                continue;
            }
        };
        tests.push(RuleTest { line, format, expect, place: sink.place(spot) });
    }
    tests
}

/// The name of a format, which must be one.
fn known_format(name: At<String>, sink: &mut Sink<'_>) -> String {
    if name.value != "auto" && Format::from_name(&name.value).is_none() {
        let hint = suggestion(&name.value, Format::ALL.iter().map(|format| format.as_str()));
        let message = format!("unknown format `{}`", name.value.escape_debug());
        sink.error(name.spot, message, hint.unwrap_or_default());
    }
    name.value
}

/// Pairs whose names must be the rule's.
fn named<T>(pairs: Option<Pairs<T>>, what: &str, names: &[String], sink: &mut Sink<'_>) -> Vec<(String, T)> {
    let mut good = Vec::new();
    for (name, value) in pairs.unwrap_or_default().0 {
        if names.contains(&name.value) {
            good.push((name.value, value));
        } else {
            let hint = suggestion(&name.value, names.iter().map(String::as_str));
            let hint = hint.unwrap_or_else(|| format!("add it to the rule's {what}s, or leave it out"));
            sink.error(name.spot, format!("the rule has no {what} `{}`", name.value.escape_debug()), hint);
        }
    }
    good
}
