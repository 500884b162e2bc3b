//! The shipped packs against logs of the programs they are for, whose events were known when they were written.

use crate::support::{Folder, err, logtally, out, parse, project, same_as_file};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const PACKS: [&str; 4] = ["builtin", "builtin:access", "builtin:ntp", "builtin:sessions"];

#[test]
fn each_event_counts_once_and_by_the_rule_for_it() {
    let logs = logs();
    assert!(logs.len() > 20, "{logs:?}");
    // Zeros of what the packs know beforehand would take the place of series with a value.
    let folder = Folder::new();
    let config = folder.write("logtally.yml", "limits: {series_per_metric: 1000000}\n");
    let mut args = vec!["count", "--output", "prometheus", "--config.file", &config];
    args.extend(PACKS.iter().flat_map(|pack| ["--rules", pack]));
    args.extend(logs.iter().map(|log| log.to_str().unwrap()));
    let output = logtally(&args);
    assert!(output.status.success(), "{}", err(&output));
    let scrape = parse(&out(&output));
    for log in &logs {
        let truth = log.with_extension("truth");
        let told = told(&scrape.series, log);
        same_as_file(&truth, &format!("{}{told}", head(&truth)));
    }
}

fn logs() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(project("tests/fixtures/packs")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut logs: Vec<_> = paths.filter(|path| path.extension().is_some_and(|end| end == "log")).collect();
    logs.sort();
    logs
}

/// What a truth says of the log in words: its first lines.
fn head(truth: &Path) -> String {
    let text = std::fs::read_to_string(truth).unwrap_or_default();
    text.lines().take_while(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect()
}

/// What the rules counted and measured in one file: all that is not 0, whatever the level.
fn told(series: &BTreeMap<String, f64>, log: &Path) -> String {
    let path = format!("path=\"{}\"", log.display());
    let mut sums = BTreeMap::<String, f64>::new();
    for (series, value) in series.iter().filter(|(series, _)| series.contains(&path)) {
        let (name, labels) = series.trim_end_matches('}').split_once('{').unwrap();
        let theirs = !["log_", "logtally_"].iter().any(|own| name.starts_with(own));
        if name != "log_pattern_events_total" && !theirs || name.ends_with("_bucket") {
            continue;
        }
        let own = ["input=", "level=", "path="];
        let kept: Vec<_> =
            labels.split('\u{1}').filter(|label| !own.iter().any(|own| label.starts_with(own))).collect();
        let name = if theirs { name } else { "events" };
        *sums.entry(format!("{name}{{{}}}", kept.join(","))).or_default() += value;
    }
    let lines = sums.iter().filter(|(_, sum)| **sum != 0.0);
    lines.map(|(series, sum)| format!("{series} {}\n", (sum * 1e9).round() / 1e9)).collect()
}
