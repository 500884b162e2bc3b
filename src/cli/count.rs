//! `logtally count`: whole files once, totals out.

use super::args::{Common, Count, Output};
use super::exit::Exit;
use super::{print, report};
use crate::app::build::{self, Built, Feed};
use crate::config::{self, Given, Input};
use crate::discover::Globs;
use crate::error::{Place, Problem};
use crate::expose;
use crate::follow::whole::{self, Item, Outcome};
use crate::level::Level;
use crate::tally::Tally;
use crate::tally::cut::Cut;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

pub(super) fn run(args: &Count) -> Exit {
    let built = match load(&args.common) {
        Ok(built) => built,
        Err(problems) => return report(&problems),
    };
    let (paths, problems) = paths(&args.files);
    if !problems.is_empty() {
        report(&problems);
    }
    let batches = match batches(&built, paths) {
        Ok(batches) => batches,
        Err(problems) => return report(&problems),
    };
    let started = Instant::now();
    let bar = bar(batches.iter().flat_map(|batch| &batch.items));
    let outcomes = batches.iter().map(|batch| batch.count(args, &built, &bar)).collect();
    bar.finish_and_clear();
    let elapsed = started.elapsed();
    match show(args.output, &built, outcomes, elapsed) {
        Exit::Good if !problems.is_empty() => Exit::Failed,
        exit => exit,
    }
}

/// The files of one input.
struct Batch {
    feed: Feed,
    items: Vec<Item>,
}

impl Batch {
    fn count(&self, args: &Count, built: &Built, bar: &indicatif::ProgressBar) -> Outcome {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let options = whole::Options {
            pipeline: &self.feed.pipeline,
            plan: self.feed.plan.clone(),
            input: &self.feed.input.name,
            line_bytes: built.config.line_bytes,
            threads: args.threads.map_or_else(cores, usize::from),
            now: now(),
        };
        whole::count(&options, &self.items, built.guard.clone(), &|bytes| bar.inc(bytes))
    }
}

/// Each file with the input of the config that names it, so that it is read as `run` reads it; what none names is of
/// an input with default settings.
fn batches(built: &Built, paths: Vec<PathBuf>) -> Result<Vec<Batch>, Vec<Problem>> {
    let plain = Input::of_files("default", Vec::new());
    let plain = build::feed(&built.config, &plain, &built.rules, &built.feeds)?;
    let owners = built.owners();
    let mut batches: Vec<Batch> = Vec::new();
    for path in paths {
        let feed = owners.of(&path).unwrap_or(&plain);
        let item = item(&feed.input, path);
        match batches.iter_mut().find(|batch| batch.feed.input.name == feed.input.name) {
            Some(batch) => batch.items.push(item),
            None => batches.push(Batch { feed: feed.clone(), items: vec![item] }),
        }
    }
    Ok(batches)
}

fn load(common: &Common) -> Result<Built, Vec<Problem>> {
    let given = Given { config: common.config.clone(), rules: common.rules.clone(), ..Given::default() };
    build::build(config::load(&given)?)
}

fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

fn item(input: &Input, path: PathBuf) -> Item {
    let key = input.stream_key(&path);
    let head = input.head(&key);
    Item { path, key, head }
}

/// The files that the arguments name: a path as it is, a glob or a folder by what it matches; and what names nothing.
fn paths(files: &[PathBuf]) -> (Vec<PathBuf>, Vec<Problem>) {
    let mut paths = Vec::new();
    let mut problems = Vec::new();
    for file in files {
        if file.as_os_str() == "-" || is_plain(file) {
            paths.push(file.clone());
            continue;
        }
        match Globs::new(std::slice::from_ref(file), &[]) {
            Ok(globs) => {
                let mut found: Vec<PathBuf> =
                    globs.list().files.into_iter().map(|found| found.path).collect();
                found.sort();
                if found.is_empty() {
                    let place = Place::new(file, 0, 0);
                    let problem = Problem::error(place, "no file matches");
                    problems.push(
                        problem.hint("check the path; quote globs so that the shell leaves them alone"),
                    );
                }
                paths.extend(found);
            }
            Err(error) => problems.push(Problem::error(Place::new(file, 0, 0), error.to_string())),
        }
    }
    let mut seen = std::collections::HashSet::new();
    paths.retain(|path| seen.insert(path.clone()));
    (paths, problems)
}

/// A path that names one file, even one with glob letters in its name.
fn is_plain(path: &Path) -> bool {
    let text = path.to_string_lossy();
    path.is_file() || !(path.is_dir() || text.contains(['*', '?', '[', '{']))
}

fn bar<'a>(items: impl Iterator<Item = &'a Item>) -> indicatif::ProgressBar {
    if !std::io::stderr().is_terminal() {
        return indicatif::ProgressBar::hidden();
    }
    let size = |item: &Item| std::fs::metadata(&item.path).map_or(0, |meta| meta.len());
    let bar = indicatif::ProgressBar::new(items.map(size).sum());
    let style =
        indicatif::ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    bar.set_style(style.unwrap_or_else(|_| indicatif::ProgressStyle::default_bar()));
    bar
}

fn show(output: Output, built: &Built, mut outcomes: Vec<Outcome>, elapsed: Duration) -> Exit {
    let failed: Vec<_> = outcomes.iter().flat_map(|outcome| &outcome.failed).collect();
    for (path, error) in &failed {
        let place = Place::new(path, 0, 0);
        print::error(&Problem::error(place, format!("cannot read: {error}")).to_string());
    }
    let exit = if failed.is_empty() { Exit::Good } else { Exit::Failed };
    let files = outcomes.iter().map(|outcome| outcome.files).sum();
    let totals = Totals::of(outcomes.iter().map(|outcome| &outcome.tally), built);
    match output {
        Output::Json => print::out(&format!("{}\n", totals.json(files, elapsed))),
        Output::Table => print::out(&totals.table(files, elapsed)),
        Output::Csv => print::out(&totals.csv(files)),
        Output::Prometheus | Output::Openmetrics => {
            let format = match output {
                Output::Prometheus => expose::Format::Text,
                _ => expose::Format::OpenMetrics,
            };
            outcomes.iter_mut().for_each(|outcome| outcome.tally.settle());
            let cuts = outcomes.iter_mut().map(|outcome| outcome.tally.cut(1, outcome.files)).collect();
            let cut = Cut::new(cuts, 1, &built.guard);
            expose::encode(format, &cut, &mut |chunk| print::bytes(&chunk));
        }
    }
    exit
}

/// Everything that was counted, summed over the files.
struct Totals {
    lines: u64,
    bytes: u64,
    levels: [u64; 8],
    patterns: Vec<(String, u64)>,
}

impl Totals {
    /// The sums; every rule in force has its place, matched or not.
    fn of<'a>(tallies: impl Iterator<Item = &'a Tally>, built: &Built) -> Totals {
        let mut totals = Totals { lines: 0, bytes: 0, levels: [0; 8], patterns: Vec::new() };
        let mut counts: HashMap<String, u64> = HashMap::new();
        for tally in tallies {
            for (_, stream) in tally.streams() {
                totals.lines += stream.numbers.lines;
                totals.bytes += stream.numbers.bytes;
                totals.levels.iter_mut().zip(stream.numbers.levels).for_each(|(sum, more)| *sum += more);
            }
            for (name, count) in tally.pattern_totals() {
                *counts.entry(name).or_default() += count;
            }
        }
        for rule in built.rules.rules() {
            if !totals.patterns.iter().any(|(name, _)| *name == rule.name) {
                totals.patterns.push((rule.name.clone(), counts.remove(&rule.name).unwrap_or(0)));
            }
        }
        totals
    }

    fn events(&self) -> u64 {
        self.levels.iter().sum()
    }

    fn json(&self, files: u64, elapsed: Duration) -> Value {
        let levels: Map<String, Value> = Level::ALL
            .iter()
            .map(|level| (level.as_str().to_owned(), json!(self.levels[level.index()])))
            .collect();
        let patterns: Map<String, Value> =
            self.patterns.iter().map(|(name, count)| (name.clone(), json!(count))).collect();
        json!({
            "files": files, "lines": self.lines, "bytes": self.bytes, "events": self.events(),
            "levels": levels, "patterns": patterns, "elapsed_seconds": elapsed.as_secs_f64(),
        })
    }

    fn csv(&self, files: u64) -> String {
        let mut out = String::from("kind,name,count\n");
        let fixed =
            [("files", files), ("lines", self.lines), ("bytes", self.bytes), ("events", self.events())];
        fixed.iter().for_each(|(name, count)| out.push_str(&format!("total,{name},{count}\n")));
        for level in Level::ALL {
            out.push_str(&format!("level,{level},{}\n", self.levels[level.index()], level = level.as_str()));
        }
        self.patterns.iter().for_each(|(name, count)| out.push_str(&format!("pattern,{name},{count}\n")));
        out
    }

    fn table(&self, files: u64, elapsed: Duration) -> String {
        let seconds = elapsed.as_secs_f64().max(1e-9);
        let mut out = format!(
            "{files} file{}, {} lines, {} events, {} in {:.2} s ({}/s)\n\n",
            if files == 1 { "" } else { "s" },
            grouped(self.lines),
            grouped(self.events()),
            indicatif::HumanBytes(self.bytes),
            seconds,
            indicatif::HumanBytes((self.bytes as f64 / seconds) as u64),
        );
        let mut rows: Vec<(String, u64)> = Level::ALL
            .iter()
            .rev()
            .map(|level| (level.as_str().to_owned(), self.levels[level.index()]))
            .filter(|(_, count)| *count > 0)
            .collect();
        section(&mut out, "level", &rows, self.events());
        rows = self.patterns.iter().filter(|(_, count)| *count > 0).cloned().collect();
        rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        section(&mut out, "pattern", &rows, self.events());
        out
    }
}

fn section(out: &mut String, title: &str, rows: &[(String, u64)], whole: u64) {
    if rows.is_empty() {
        return;
    }
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).max(title.len());
    out.push_str(&format!("{title:<width$}  {:>14}  {:>7}\n", "events", "share"));
    for (name, count) in rows {
        let share = 100.0 * *count as f64 / whole.max(1) as f64;
        out.push_str(&format!("{name:<width$}  {:>14}  {share:>6.2}%\n", grouped(*count)));
    }
    out.push('\n');
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([0, 999, 1000, 1234567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
