//! What the page shows, gathered from everything that runs.

use super::build::Built;
use super::numbers::Reloads;
use super::{REVISION, VERSION};
use crate::error::Problem;
use crate::follow::{Clock, Follow, Shard};
use crate::level::Level;
use crate::tally::rows::FILE_ERRORS;
use crate::tally::samples::Sample;
use crate::web::status::{Config, File, Input, Levels, Rule, Status, Store, Totals, Warning};
use std::collections::BTreeMap;
use std::path::Path;

/// Files that are listed at most.
const FILES: usize = 500;
/// Files that cannot be read that are listed at most, for each input.
const UNREADABLE: usize = 100;

pub(super) fn of(
    follow: &Follow,
    built: &Built,
    host: Option<crate::web::status::Host>,
    reloads: &Reloads,
) -> Status {
    let mut status = Status {
        version: VERSION.to_owned(),
        revision: REVISION.to_owned(),
        now: Clock::read().wall,
        host,
        samples: built.config.samples.is_some(),
        config: config(built, reloads),
        store: store(follow),
        ..Status::default()
    };
    let mut matched: Matched = BTreeMap::new();
    follow.look(|shard| {
        let input = input(shard);
        add(&mut status.totals, &input.totals);
        files(shard, &mut status.files);
        let tally = shard.tally();
        let numbers = tally.last_matches().iter().zip(tally.rule_seconds()).zip(tally.samples());
        for ((rule, count), ((last, seconds), sample)) in tally.rule_totals().into_iter().zip(numbers) {
            let matched = matched.entry(rule).or_default();
            matched.events += count;
            matched.last = matched.last.max(*last);
            matched.seconds += seconds;
            let at = |sample: &Option<Sample>| sample.as_ref().map_or(0.0, |sample| sample.at);
            if at(sample) > at(&matched.sample) {
                matched.sample.clone_from(sample);
            }
        }
        warn_of(shard, &mut status.warnings);
        status.inputs.push(input);
    });
    status.rules = rules(built, &matched);
    warn_of_state(&status.store, reloads, &built.warnings, &mut status.warnings);
    status.trim(FILES);
    status
}

/// The sums over all inputs.
pub(super) fn totals(follow: &Follow) -> Totals {
    let mut totals = Totals::default();
    follow.look(|shard| add(&mut totals, &totals_of(shard)));
    totals
}

fn input(shard: &Shard) -> Input {
    Input { name: shard.input().to_owned(), files: shard.file_count(), totals: totals_of(shard) }
}

fn totals_of(shard: &Shard) -> Totals {
    let mut totals = Totals::default();
    for (_, stream) in shard.tally().streams() {
        let numbers = &stream.numbers;
        let events = numbers.levels.iter().sum();
        let one =
            Totals { lines: numbers.lines, bytes: numbers.bytes, events, levels: Levels(numbers.levels) };
        add(&mut totals, &one);
    }
    totals
}

fn add(sum: &mut Totals, more: &Totals) {
    sum.lines += more.lines;
    sum.bytes += more.bytes;
    sum.events += more.events;
    sum.levels.0.iter_mut().zip(more.levels.0).for_each(|(sum, more)| *sum += more);
}

fn files(shard: &Shard, out: &mut Vec<File>) {
    let streams: BTreeMap<usize, _> = shard.tally().streams().collect();
    for file in shard.files() {
        let stream = file.stream.and_then(|at| streams.get(&at));
        out.push(File {
            path: file.path.display().to_string(),
            input: shard.input().to_owned(),
            format: file.format.to_owned(),
            levels: Levels(stream.map_or([0; Level::ALL.len()], |stream| stream.numbers.levels)),
            size: file.size,
            unread: file.unread,
            last_event: stream.map(|stream| stream.numbers.last_event).filter(|at| *at > 0.0),
            error: None,
        });
    }
    let failing: Vec<(&Path, &str)> = shard.failing().collect();
    for (path, reason) in failing.into_iter().take(UNREADABLE) {
        let (path, error) = (path.display().to_string(), Some(format!("cannot be read: {reason}")));
        match out.iter_mut().find(|file| file.path == path && file.input == shard.input()) {
            Some(file) => file.error = error,
            None => {
                let input = shard.input().to_owned();
                out.push(File { path, input, format: "unknown".to_owned(), error, ..File::default() });
            }
        }
    }
}

/// What each rule did, by group and name.
type Matched = BTreeMap<(String, String), Work>;

/// What a rule did.
#[derive(Clone, Debug, Default)]
struct Work {
    events: u64,
    last: f64,
    seconds: f64,
    sample: Option<Sample>,
}

fn rules(built: &Built, matched: &Matched) -> Vec<Rule> {
    let rule = |rule: &crate::rules::Rule| {
        let work = matched.get(&(rule.group.clone(), rule.name.clone())).cloned().unwrap_or_default();
        Rule {
            group: rule.group.clone(),
            name: rule.name.clone(),
            events: work.events,
            last_match: Some(work.last).filter(|at| *at > 0.0),
            seconds: work.seconds,
            sample: work.sample.map(|sample| sample.text),
        }
    };
    built.rules.rules().map(rule).collect()
}

fn config(built: &Built, reloads: &Reloads) -> Config {
    Config {
        file: built.config.file.as_ref().map(|file| file.display().to_string()),
        text: built.config.text.clone(),
        loaded: reloads.loaded,
        error: reloads.error.clone(),
    }
}

fn store(follow: &Follow) -> Store {
    let state = follow.store_state();
    let bytes =
        state.path.as_ref().and_then(|path| std::fs::metadata(path).ok()).map_or(0, |meta| meta.len());
    Store {
        path: state.path.map(|path| path.display().to_string()),
        bytes,
        committed: state.committed,
        commit_seconds: state.last_seconds,
        error: state.error,
    }
}

fn warn_of(shard: &Shard, out: &mut Vec<Warning>) {
    let (counters, input) = (shard.tally().counters(), shard.input());
    let mut warn = |count: u64, what: String, next: &str| {
        if count > 0 {
            out.push(Warning { what, next: next.to_owned(), since: None, count });
        }
    };
    for (reason, count) in FILE_ERRORS.iter().zip(counters.errors) {
        let (what, next) = unread(reason);
        let mut failing: Vec<&Path> =
            shard.failing().filter(|(_, why)| why == reason).map(|(path, _)| path).collect();
        failing.sort();
        let who = match failing[..] {
            [] => format!("files of input {input}"),
            [one] => one.display().to_string(),
            [first, ..] => format!("{} and {} more of input {input}", first.display(), failing.len() - 1),
        };
        warn(count, format!("{who} {what}"), next);
    }
    let lost: u64 = counters.lost.iter().sum();
    warn(
        lost,
        format!("bytes of input {input} were lost"),
        "let the rotator rename files, not truncate them",
    );
    for (metric, count) in &counters.overflow {
        let next = "drop a label, map its values, or raise limits.series_per_metric";
        warn(*count, format!("{metric} has more series than allowed"), next);
    }
    for (metric, count) in &counters.value_errors {
        warn(
            *count,
            format!("{metric}: captured values were no numbers"),
            "check the rule with logtally explain",
        );
    }
}

/// What it means that files could not be read for this reason, and what to do about it.
fn unread(reason: &str) -> (&'static str, &'static str) {
    match reason {
        "permission" => (
            "may not be read by logtally's user",
            "put that user into the file's group (ls -l shows it), or give it CAP_DAC_READ_SEARCH",
        ),
        "missing" => (
            "were gone before they could be read",
            "nothing to do, unless it goes on; logtally's log names them",
        ),
        "read" => ("failed while they were read", "check the disk or the mount"),
        _ => ("could not be opened", "look for “cannot be read” in logtally's log, which names them"),
    }
}

fn warn_of_state(store: &Store, reloads: &Reloads, problems: &[Problem], out: &mut Vec<Warning>) {
    let mut warn = |what: String, next: &str| {
        out.push(Warning { what, next: next.to_owned(), since: None, count: 1 });
    };
    if let Some(error) = &store.error {
        warn(
            format!("counts are not durable: {error}"),
            "free space or mend the folder; counting goes on, scrapes show what was durable last",
        );
    }
    if reloads.error.is_some() {
        warn("the last reload failed, the old config stays".to_owned(), "see the config below");
    }
    warn_of_problems(problems, out);
}

pub(super) fn warn_of_problems(problems: &[Problem], out: &mut Vec<Warning>) {
    out.extend(problems.iter().map(|problem| Warning {
        what: format!("{}: {}", problem.place, problem.message),
        next: problem.hint.clone().unwrap_or_default(),
        since: None,
        count: 1,
    }));
}

/// What changes from one config to another, in words.
pub(super) fn difference(old: &Built, new: &Built) -> String {
    let rules = |built: &Built| -> Vec<(String, String)> {
        built
            .rules
            .rules()
            .map(|rule| (format!("{}/{}", rule.group, rule.name), format!("{:?}", rule.pattern)))
            .collect()
    };
    let inputs = |built: &Built| -> Vec<(String, String)> {
        built.config.inputs.iter().map(|input| (input.name.clone(), format!("{input:?}"))).collect()
    };
    let mut said = Vec::new();
    for (kind, old, new) in [("rules", rules(old), rules(new)), ("inputs", inputs(old), inputs(new))] {
        let count = |a: &[(String, String)], b: &[(String, String)]| {
            a.iter().filter(|(name, _)| !b.iter().any(|(other, _)| other == name)).count()
        };
        let changed = |(name, text): &&(String, String)| old.iter().any(|(n, t)| n == name && t != text);
        let (added, removed) = (count(&new, &old), count(&old, &new));
        let changed = new.iter().filter(changed).count();
        said.push(format!("{kind}: {added} added, {removed} removed, {changed} changed"));
    }
    if old.config.host != new.config.host {
        said.push(if new.config.host.is_some() {
            "host: changed".to_owned()
        } else {
            "host: off".to_owned()
        });
    }
    if old.config.push != new.config.push {
        said.push(format!("push: {} targets", new.config.push.len()));
    }
    said.join("; ")
}
