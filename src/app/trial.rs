//! The tests that rules carry, run through the same pipeline as a log.

use super::build::{Built, compile};
use crate::error::Problem;
use crate::level::Level;
use crate::parse::{self, Format, FormatChoice, Parser};
use crate::pipeline::{Carry, Into, Limits, Pipeline, Scratch};
use crate::rules::{Rule, RuleTest};
use crate::tally::exposition::Head;
use crate::tally::guard::Guard;
use crate::tally::series::{Metric, Number};
use crate::tally::stream::StreamKey;
use crate::tally::{Tally, plan::Plan};
use std::sync::Arc;

/// Runs all tests of all rules: how many there were, and what failed, at the place of the test.
pub fn run(built: &Built) -> (usize, Vec<Problem>) {
    let mut count = 0;
    let mut failures = Vec::new();
    for rule in built.rules.rules() {
        let Ok((scanner, plan, patterns)) = compile(&[rule], false, false) else { continue };
        for test in &rule.tests {
            count += 1;
            let parser = match parser(test) {
                Ok(parser) => parser,
                Err(message) => {
                    failures.push(Problem::error(test.place.clone(), message));
                    continue;
                }
            };
            let pipeline = Pipeline::new(parser, scanner.clone(), &patterns, Limits::default());
            failures.extend(judge(rule, test, &feed(&pipeline, &plan, test)));
        }
    }
    (count, failures)
}

fn parser(test: &RuleTest) -> Result<Parser, String> {
    let format = match test.format.as_deref() {
        None | Some("auto") => FormatChoice::Auto,
        Some(name) => {
            FormatChoice::Named(Format::from_name(name).ok_or_else(|| format!("unknown format '{name}'"))?)
        }
    };
    Parser::new(&parse::Options { format, ..parse::Options::default() })
}

fn feed(pipeline: &Pipeline, plan: &Arc<Plan>, test: &RuleTest) -> Tally {
    let mut tally = Tally::new("test", plan.clone(), Arc::new(Guard::new(usize::MAX)));
    let stream = tally.stream(&StreamKey::default(), Head::default, false);
    let (mut carry, mut scratch) = (Carry::default(), Scratch::default());
    let mut into = Into { tally: &mut tally, stream, now: 0.0, clock: None };
    let text = format!("{}\n", test.line.trim_end_matches('\n'));
    pipeline.feed(&mut carry, text.as_bytes(), text.len() as u64, &mut into, &mut scratch);
    pipeline.flush(&mut carry, &mut into, &mut scratch);
    tally
}

/// What of a test does not hold.
fn judge(rule: &Rule, test: &RuleTest, tally: &Tally) -> Vec<Problem> {
    let mut failures = Vec::new();
    let mut fail = |message: String, hint: &str| {
        let message = format!("rule '{}': {message}", rule.name);
        failures.push(Problem::error(test.place.clone(), message).hint(hint));
    };
    let matched = tally.pattern_totals().iter().any(|(_, count)| *count > 0);
    let wanted = test
        .expect
        .matches
        .unwrap_or(matched || !test.expect.labels.is_empty() || !test.expect.values.is_empty());
    let levels = levels(tally);
    if matched != wanted {
        let (is, should) = if matched { ("matches", "must not") } else { ("does not match", "must") };
        let said: Vec<&str> = levels.iter().map(|level| level.as_str()).collect();
        let hint = format!("the line's level is {}; see `logtally explain`", said.join(", "));
        fail(format!("it {is} and {should}: {}", test.line), &hint);
        return failures;
    }
    if let Some(level) = test.expect.level.filter(|level| !levels.contains(level)) {
        let said: Vec<&str> = levels.iter().map(|level| level.as_str()).collect();
        fail(
            format!("the level is {}, expected {}", said.join(", "), level.as_str()),
            "mend the test, or set `format:`",
        );
    }
    for (name, want) in &test.expect.labels {
        let have = label(tally, name);
        if have.as_deref() != Some(want) {
            fail(format!("label {name} is {have:?}, expected {want:?}"), "check the capture and its map");
        }
    }
    for (name, want) in &test.expect.values {
        let have = value(tally, name);
        if have.is_none_or(|have| (have - want).abs() > 1e-9 * want.abs().max(1.0)) {
            fail(
                format!("{name} is {have:?}, expected {want}"),
                "values are in base units: seconds, bytes, ratios",
            );
        }
    }
    failures
}

fn levels(tally: &Tally) -> Vec<Level> {
    let counted = |level: &Level| tally.streams().any(|(_, stream)| stream.numbers.levels[level.index()] > 0);
    Level::ALL.into_iter().filter(counted).collect()
}

fn label(tally: &Tally, name: &str) -> Option<String> {
    let counted = |number: &Number| matches!(number, Number::Count(count) if *count > 0);
    tally
        .series()
        .filter(|series| matches!(series.metric, Metric::Pattern(_)) && counted(series.number))
        .find_map(|series| series.labels.iter().find(|(known, _)| *known == name))
        .map(|(_, value)| value.into_owned())
}

/// What a metric of the rule was given: a counter's sum, a gauge, or the sum of a histogram.
fn value(tally: &Tally, name: &str) -> Option<f64> {
    let plan = tally.plan();
    let of = |metric| matches!(metric, Metric::Rule(family, _) if plan.families[family].name == name);
    let values: Vec<f64> = tally
        .series()
        .filter(|series| of(series.metric))
        .map(|series| match series.number {
            Number::Count(count) => *count as f64,
            Number::Sum(value) | Number::Gauge(value) | Number::Histogram(_, value) => *value,
        })
        .collect();
    (!values.is_empty()).then(|| values.iter().sum())
}
