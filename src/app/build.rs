//! From a config to what runs: the rules compiled, a pipeline for each input.

use crate::config::{Config, Input};
use crate::discover::Globs;
use crate::error::{Place, Problem};
use crate::matching::Scanner;
use crate::matching::pattern::Pattern;
use crate::parse::Parser;
use crate::pipeline::{Limits, Pipeline};
use crate::rules::{self, Rule, RuleSet};
use crate::tally::guard::Guard;
use crate::tally::plan::Plan;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An input with its pipeline.
#[derive(Clone, Debug)]
pub struct Feed {
    /// Its settings.
    pub input: Arc<Input>,
    /// Bytes in, counts out.
    pub pipeline: Arc<Pipeline>,
    /// What its rules count.
    pub plan: Arc<Plan>,
}

/// Everything that a config says, ready to run.
#[derive(Debug)]
pub struct Built {
    /// The config it was built of.
    pub config: Config,
    /// The rules in force.
    pub rules: RuleSet,
    /// One per input.
    pub feeds: Vec<Feed>,
    /// Bounds the series of all inputs.
    pub guard: Arc<Guard>,
    /// Warnings that the user should see.
    pub warnings: Vec<Problem>,
}

/// Which input a file belongs to.
#[derive(Debug)]
pub struct Owners<'a> {
    by_path: HashMap<PathBuf, &'a Feed>,
}

impl Owners<'_> {
    /// The first input that names the file.
    pub fn of(&self, path: &Path) -> Option<&Feed> {
        self.by_path.get(&std::path::absolute(path).ok()?).copied()
    }
}

impl Built {
    /// Lists the files of all inputs. A pattern that cannot be listed names nothing.
    pub fn owners(&self) -> Owners<'_> {
        let mut by_path = HashMap::new();
        for feed in &self.feeds {
            let Ok(globs) = Globs::new(&feed.input.include, &feed.input.exclude) else { continue };
            for found in globs.list().files {
                let path = std::path::absolute(&found.path).unwrap_or(found.path);
                by_path.entry(path).or_insert(feed);
            }
        }
        Owners { by_path }
    }
}

/// Builds all pipelines.
///
/// # Errors
/// All problems of the rules and inputs at once.
pub fn build(config: Config) -> Result<Built, Vec<Problem>> {
    let rules = rules::load(&config.rules)?;
    let warnings = rules.warnings.clone();
    let mut problems = Vec::new();
    let mut feeds: Vec<Feed> = Vec::new();
    for input in &config.inputs {
        match feed(&config, input, &rules, &feeds) {
            Ok(feed) => feeds.push(feed),
            Err(more) => problems.extend(more),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let guard = Arc::new(Guard::new(config.series_per_metric));
    Ok(Built { config, rules, feeds, guard, warnings })
}

/// A feed for files that no config names, with all rules in force.
///
/// # Errors
/// As [`build`].
pub fn feed(config: &Config, input: &Input, rules: &RuleSet, known: &[Feed]) -> Result<Feed, Vec<Problem>> {
    let place = || Place::new(format!("input {}", input.name), 0, 0);
    let parser = Parser::new(&input.parse).map_err(|message| vec![Problem::error(place(), message)])?;
    let limits = Limits { line_bytes: config.line_bytes, event_lines: config.event_lines };
    // Inputs with the same rules share what was compiled.
    let twin = known.iter().find(|feed| feed.input.groups == input.groups);
    let (scanner, plan, patterns) = match twin {
        Some(feed) => (feed.pipeline.shared_scanner(), feed.plan.clone(), patterns(&chosen(rules, input)?)),
        None => compile(&chosen(rules, input)?, config.rules_given, config.native_histograms)?,
    };
    let pipeline = Pipeline::new(parser, scanner, &patterns, limits).with_samples(config.samples.clone());
    let pipeline = Arc::new(pipeline);
    Ok(Feed { input: Arc::new(input.clone()), pipeline, plan })
}

/// The rules that apply to an input.
fn chosen<'a>(rules: &'a RuleSet, input: &Input) -> Result<Vec<&'a Rule>, Vec<Problem>> {
    let all: Vec<&Rule> = rules.rules().collect();
    let Some(groups) = &input.groups else { return Ok(all) };
    let known: Vec<&str> = rules.groups.iter().map(|group| group.name.as_str()).collect();
    let unknown = groups.iter().enumerate().filter(|(_, group)| !known.contains(&group.as_str()));
    let problems: Vec<Problem> = unknown
        .map(|(at, group)| {
            let unplaced = || Place::new(format!("input {}", input.name), 0, 0);
            let place = input.group_places.get(at).cloned().unwrap_or_else(unplaced);
            let hint = match rules::yaml::suggestion(group, known.iter().copied()) {
                Some(guess) => guess,
                None if known.is_empty() => "no rules are in force: add some with `rules:`".to_owned(),
                None => format!("groups in force are {}", known.join(", ")),
            };
            Problem::error(place, format!("no rule group is named '{group}'")).hint(hint)
        })
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(all.into_iter().filter(|rule| groups.contains(&rule.group)).collect())
}

fn patterns(rules: &[&Rule]) -> Vec<Pattern> {
    rules.iter().map(|rule| rule.pattern.clone()).collect()
}

type Compiled = (Arc<Scanner>, Arc<Plan>, Vec<Pattern>);

/// Compiles rules into one scanner and one plan, rule `i` being pattern `i`; `declare` and `native` as in [`Plan`].
///
/// # Errors
/// Expressions that the engine refuses, at the place of their rule.
pub fn compile(rules: &[&Rule], declare: bool, native: bool) -> Result<Compiled, Vec<Problem>> {
    let patterns = patterns(rules);
    let scanner = Scanner::new(&patterns).map_err(|errors| {
        let problem = |error: &crate::matching::PatternError| {
            Problem::error(rules[error.pattern].place.clone(), error.message.clone())
        };
        errors.iter().map(problem).collect::<Vec<_>>()
    })?;
    let counted = rules.iter().map(|rule| rule.counted.clone()).collect();
    let plan = Plan::with_native(counted, declare, native);
    Ok((Arc::new(scanner), Arc::new(plan), patterns))
}
