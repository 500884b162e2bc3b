//! What scrapes must satisfy: the truth in the end, and the laws of counters on the way.

use super::world::{Content, Truth};
use std::collections::{BTreeMap, BTreeSet};

/// The series of one scrape: name and sorted labels, value.
pub(super) type Numbers = BTreeMap<String, f64>;

/// Series of the logs in text format.
pub(super) fn read(text: &str) -> Numbers {
    let mut numbers = Numbers::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let mut labels: Vec<String> = labels
            .trim_end_matches('}')
            .split("\",")
            .filter(|label| !label.is_empty())
            .map(|label| label.trim_end_matches('"').replacen("=\"", "=", 1))
            .collect();
        labels.sort();
        let value = value.parse().unwrap_or_else(|_| panic!("a number in {line}"));
        let old = numbers.insert(format!("{name}{{{}}}", labels.join(",")), value);
        assert!(old.is_none(), "a series twice: {line}");
    }
    numbers
}

fn is_counter(series: &str) -> bool {
    let name = series.split('{').next().unwrap_or_default();
    ["_total", "_bucket", "_count", "_sum"].iter().any(|end| name.ends_with(end))
}

fn of_logs(series: &str) -> bool {
    series.starts_with("log_") || series.starts_with("shop_")
}

/// The sum of a metric's series.
pub(super) fn sum(numbers: &Numbers, name: &str) -> f64 {
    let start = format!("{name}{{");
    numbers.iter().filter(|(series, _)| series.starts_with(&start)).map(|(_, value)| value).sum()
}

/// Watches one exporter over all its lives.
#[derive(Default)]
pub(super) struct Judge {
    last: Numbers,
    ever: BTreeSet<String>,
    scrapes: u32,
}

impl Judge {
    /// Takes the next scrape: no counter goes down, and what is new begins at zero.
    pub(super) fn see(&mut self, numbers: &Numbers) -> Result<(), String> {
        for (series, value) in numbers.iter().filter(|(series, _)| is_counter(series) && of_logs(series)) {
            // What a rule that came back counted before it went may be forgotten.
            let renewed = *value == 0.0 && series.contains("pattern=extra");
            if let Some(last) = self.last.get(series).filter(|last| *last > value && !renewed) {
                return Err(format!("{series} went down from {last} to {value}"));
            }
            if self.scrapes > 0 && !self.ever.contains(series) && *value != 0.0 {
                return Err(format!("{series} is born at {value}"));
            }
        }
        for (series, last) in &self.last {
            let gone = is_counter(series) && of_logs(series) && !numbers.contains_key(series);
            if gone && !series.contains("pattern=extra") {
                return Err(format!("{series} was at {last} and is gone"));
            }
        }
        self.ever.extend(numbers.keys().cloned());
        self.last.clone_from(numbers);
        self.scrapes += 1;
        Ok(())
    }
}

/// A counter of the logs without the labels that no truth holds, and the path that it counts under.
fn placed(series: &str) -> Option<(String, &str)> {
    let (name, labels) = series.split_once('{').unwrap();
    let labels: Vec<&str> = labels.trim_end_matches('}').split(',').collect();
    let path = labels.iter().find_map(|label| label.strip_prefix("path=")).unwrap_or_default();
    let rest = |label: &&&str| !label.starts_with("path=") && !label.starts_with("team=");
    let rest: Vec<&str> = labels.iter().filter(rest).copied().collect();
    let counts = is_counter(series) && of_logs(series) && !rest.contains(&"pattern=extra");
    counts.then(|| (format!("{name}{{{}}}", rest.join(",")), path))
}

/// What differs between the truth and a scrape, whatever the paths.
pub(super) fn differences(truth: &Truth, numbers: &Numbers) -> Vec<String> {
    let mut found = Truth::new();
    for (series, value) in numbers {
        if let Some((series, _)) = placed(series) {
            *found.entry(series).or_default() += value;
        }
    }
    let all: BTreeSet<&String> = truth.keys().chain(found.keys()).collect();
    let value = |of: &Truth, series: &str| of.get(series).copied().unwrap_or_default();
    all.into_iter()
        .filter(|series| value(truth, series) != value(&found, series))
        .map(|series| {
            format!("{series}: {} counted, {} written", value(&found, series), value(truth, series))
        })
        .collect()
}

/// What counts under a path that its content was not first seen under. A content that moved before it was certainly seen
/// may stand under any of its names: of each series, what must stand under a path and what may.
pub(super) fn misplaced(contents: &[Content], numbers: &Numbers) -> Vec<String> {
    let mut bounds: BTreeMap<(String, String), (f64, f64)> = BTreeMap::new();
    for content in contents {
        for (series, value) in &content.truth {
            for path in &content.paths {
                let label = match series.contains("input=two") {
                    true => path.file_name().unwrap().to_string_lossy(),
                    false => path.to_string_lossy(),
                };
                let (least, most) = bounds.entry((series.clone(), label.into_owned())).or_default();
                *least += if content.paths.len() == 1 { *value } else { 0.0 };
                *most += value;
            }
        }
    }
    let mut found: BTreeMap<(String, String), f64> = BTreeMap::new();
    for (series, value) in numbers {
        if let Some((series, path)) = placed(series) {
            *found.entry((series, path.to_owned())).or_default() += value;
        }
    }
    let all: BTreeSet<&(String, String)> = bounds.keys().chain(found.keys()).collect();
    let mut misplaced = Vec::new();
    for at in all {
        let (least, most) = bounds.get(at).copied().unwrap_or_default();
        let value = found.get(at).copied().unwrap_or_default();
        if value < least || value > most {
            misplaced.push(format!("{} under {}: {value}, not {least} to {most}", at.0, at.1));
        }
    }
    misplaced
}
