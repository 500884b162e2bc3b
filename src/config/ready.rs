//! From what the user wrote, in the file and on the command line, to what the program runs on.

use super::input::{self, Input, last_line};
use super::push;
use super::raw::{Either, Raw, RawHost, RawHostOptions, RawLimits, RawProcessGroup, RawSize};
use super::samples;
use super::switch::switch;
use crate::error::{Place, Problem, Severity};
use crate::redact::Redactor;
use crate::rules::yaml::{self, At, Spot};
use crate::tally::units::{self, Unit};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What comes from the command line.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// `--config.file`.
    pub config: Option<PathBuf>,
    /// Files, globs and folders.
    pub files: Vec<PathBuf>,
    /// `--rules`.
    pub rules: Vec<String>,
    /// `--storage.path`.
    pub storage: Option<PathBuf>,
}

/// Where offsets and counters are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In this folder.
    Folder(PathBuf),
    /// In memory only.
    None,
}

/// The host's metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostChoice {
    /// Time between two samples.
    pub interval: Duration,
    /// Collectors to run; all where it is `None`.
    pub collectors: Option<Vec<String>>,
    /// Process groups: a name, and an expression over the command line.
    pub processes: Vec<(String, String)>,
}

/// What the program runs on.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it was read from.
    pub file: Option<PathBuf>,
    /// The file's text, without secrets.
    pub text: String,
    /// Where offsets and counters are kept.
    pub storage: Storage,
    /// What is followed.
    pub inputs: Vec<Input>,
    /// Rule files and packs in force.
    pub rules: Vec<crate::rules::Source>,
    /// Rules were asked for, by the config or a flag; otherwise the shipped packs are in force.
    pub rules_given: bool,
    /// Series of a metric that may be born of label values.
    pub series_per_metric: usize,
    /// Bytes of a line that are looked at.
    pub line_bytes: usize,
    /// Lines of an event that are looked at.
    pub event_lines: u32,
    /// Files followed at the same time.
    pub files: usize,
    /// The host's metrics, unless they are off.
    pub host: Option<HostChoice>,
    /// Receivers that numbers are sent to.
    pub push: Vec<crate::push::Target>,
    /// Histograms of rules have a sparse form unless their rule says otherwise.
    pub native_histograms: bool,
    /// Makes lines that rules matched fit to be shown, unless samples are off.
    pub samples: Option<Arc<Redactor>>,
    /// Neither files nor inputs were given: there is nothing to do.
    pub is_empty: bool,
}

/// Problems of one file as they are found.
pub(super) struct Problems {
    file: PathBuf,
    pub(super) list: Vec<Problem>,
}

impl Problems {
    pub(super) fn error<T>(&mut self, at: &At<T>, message: impl Into<String>, hint: &str) {
        self.error_at(at.spot, message.into(), hint.to_owned());
    }

    pub(super) fn error_at(&mut self, spot: Spot, message: String, hint: String) {
        let problem = Problem::error(self.place(spot), message);
        self.list.push(if hint.is_empty() { problem } else { problem.hint(hint) });
    }

    pub(super) fn place(&self, spot: Spot) -> Place {
        Place::new(&self.file, spot.line as usize, spot.column as usize)
    }
}

/// Reads the config file, if one is given, and joins it with the command line.
///
/// # Errors
/// All problems of the file at once, or the one that kept it from being read.
pub fn load(given: &Given) -> Result<Config, Vec<Problem>> {
    let Some(file) = &given.config else {
        return join(Raw::default(), given, Problems { file: PathBuf::new(), list: Vec::new() });
    };
    let text =
        yaml::text_of(file, "config", "check the path after --config.file").map_err(|why| vec![why])?;
    parse(file, &text, given)
}

/// Reads the text of a config file.
pub(super) fn parse(file: &Path, text: &str, given: &Given) -> Result<Config, Vec<Problem>> {
    let (raw, list) = yaml::read::<Option<Raw>>(&file.to_string_lossy(), text);
    let config = join(raw.flatten().unwrap_or_default(), given, Problems { file: file.to_path_buf(), list })?;
    let text = push::redacted(text, &config.push);
    Ok(Config { file: Some(file.to_path_buf()), text, ..config })
}

fn join(raw: Raw, given: &Given, mut problems: Problems) -> Result<Config, Vec<Problem>> {
    let base = problems.file.parent().map(Path::to_path_buf).unwrap_or_default();
    let is_empty = raw.inputs.is_none() && given.files.is_empty();
    let mut inputs: Vec<Input> = Vec::new();
    for raw in raw.inputs.into_iter().flatten() {
        if inputs.iter().any(|known| known.name == raw.name.value) {
            problems.error(
                &raw.name,
                format!("two inputs are named '{}'", raw.name.value),
                "give each its own name",
            );
        }
        inputs.push(input::ready(raw, &base, &mut problems));
    }
    if !given.files.is_empty() {
        match inputs.iter_mut().find(|known| known.name == "default") {
            Some(input) => input.include.extend(given.files.iter().cloned()),
            None => inputs.push(Input::of_files("default", given.files.clone())),
        }
    }
    let limits = limits(raw.limits, &mut problems);
    let host = raw.host.map_or(Some(HostChoice::all()), |raw| host(raw, &mut problems));
    let native_histograms = switch("native_histograms", raw.native_histograms, false, &mut problems);
    let samples = samples::ready(raw.samples, raw.redact, &mut problems);
    let rules_given = raw.rules.is_some() || !given.rules.is_empty();
    raw.storage.iter().for_each(|text| check_storage(text, &mut problems));
    let rules = rules(raw.rules.map(|list| list.0), &given.rules, &base, &mut problems);
    let push = push::ready(raw.push, &base, &mut problems);
    if problems.list.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(problems.list);
    }
    let storage = given.storage.clone().or_else(|| raw.storage.map(|text| stored_at(&base, &text.value)));
    Ok(Config {
        file: None,
        text: String::new(),
        storage: storage.map_or_else(default_storage, |path| match path.to_str() {
            Some("none") => Storage::None,
            _ => Storage::Folder(path),
        }),
        inputs,
        rules,
        rules_given,
        series_per_metric: limits.series_per_metric,
        line_bytes: limits.line_bytes,
        event_lines: limits.event_lines,
        files: limits.files,
        host,
        push,
        native_histograms,
        samples,
        is_empty,
    })
}

fn check_storage(text: &At<String>, problems: &mut Problems) {
    let hint = "write a folder, or none to count in memory only";
    match text.value.trim() {
        "" => problems.error(text, "storage names no folder", hint),
        word if ["true", "false", "on", "off", "yes", "no"].contains(&word.to_ascii_lowercase().as_str()) => {
            problems.error(text, format!("storage is '{word}', which is no folder"), hint);
        }
        path if path.contains('\0') => problems.error(text, "no path holds a NUL", hint),
        _ => {}
    }
}

fn stored_at(base: &Path, text: &str) -> PathBuf {
    if text == "none" { PathBuf::from(text) } else { base.join(text) }
}

fn default_storage() -> Storage {
    if let Some(folder) = std::env::var_os("STATE_DIRECTORY").filter(|folder| !folder.is_empty()) {
        return Storage::Folder(folder.into());
    }
    if rustix::process::geteuid().is_root() {
        return Storage::Folder("/var/lib/logtally".into());
    }
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/state"));
    match state.or_else(home) {
        Some(state) => Storage::Folder(state.join("logtally")),
        None => Storage::Folder("/var/lib/logtally".into()),
    }
}

struct Limits {
    series_per_metric: usize,
    line_bytes: usize,
    event_lines: u32,
    files: usize,
}

fn limits(raw: RawLimits, problems: &mut Problems) -> Limits {
    let mut number = |value: Option<At<u64>>, name: &str, default: u64, least: u64, most: u64| match value {
        None => default,
        Some(value) if (least..=most).contains(&value.value) => value.value,
        Some(value) => {
            problems.error(
                &value,
                format!("{name} is {}", value.value),
                &format!("allowed are {least} to {most}"),
            );
            default
        }
    };
    let series_per_metric = number(raw.series_per_metric, "series_per_metric", 2000, 1, 10_000_000) as usize;
    let event_lines = number(raw.event_lines, "event_lines", 500, 1, 1_000_000) as u32;
    let files = number(raw.files, "files", 20_000, 1, 10_000_000) as usize;
    let line_bytes = match raw.line_bytes {
        None => 1 << 20,
        Some(size) => line_bytes(&size, problems),
    };
    Limits { series_per_metric, line_bytes, event_lines, files }
}

fn line_bytes(size: &At<RawSize>, problems: &mut Problems) -> usize {
    let bytes = match &size.value {
        RawSize::Bytes(bytes) => Some(*bytes as f64),
        RawSize::Text(text) => units::parse(text, Some(Unit::BYTES)).ok(),
    };
    match bytes {
        Some(bytes) if (256.0..=268_435_456.0).contains(&bytes) => bytes as usize,
        _ => {
            problems.error(
                size,
                "line_bytes is no size of a line",
                "allowed are 256 to 256MiB, such as 1MiB",
            );
            1 << 20
        }
    }
}

impl HostChoice {
    fn all() -> HostChoice {
        HostChoice { interval: Duration::from_secs(1), collectors: None, processes: Vec::new() }
    }
}

fn host(raw: At<RawHost>, problems: &mut Problems) -> Option<HostChoice> {
    match raw.value {
        Either::Word(word) if word == "off" => None,
        Either::Word(word) if word == "on" => Some(HostChoice::all()),
        Either::Word(word) => {
            let hint = "write host: off, or host: {interval: 1s}".to_owned();
            problems.error_at(raw.spot, format!("host is '{word}'"), hint);
            None
        }
        Either::Map(options) => Some(host_options(options, problems)),
    }
}

fn host_options(options: RawHostOptions, problems: &mut Problems) -> HostChoice {
    let mut choice = HostChoice::all();
    if let Some(text) = options.interval {
        match units::parse(&text.value, Some(Unit::SECONDS)) {
            Ok(seconds) if (0.1..=3600.0).contains(&seconds) => {
                choice.interval = Duration::from_secs_f64(seconds)
            }
            _ => problems.error(
                &text,
                format!("the host's interval is '{}'", text.value),
                "allowed are 100ms to 1h, such as 1s",
            ),
        }
    }
    if let Some(collectors) = options.collectors {
        for name in &collectors.0 {
            if !crate::host::COLLECTORS.contains(&name.value.as_str()) {
                let hint = yaml::suggestion(&name.value, crate::host::COLLECTORS.iter().copied());
                let message = format!("unknown collector '{}'", name.value);
                problems.error(name, message, &hint.unwrap_or_default());
            }
        }
        choice.collectors = Some(collectors.0.into_iter().map(|name| name.value).collect());
    }
    for group in options.processes {
        process_group(group, &mut choice.processes, problems);
    }
    choice
}

fn process_group(group: RawProcessGroup, known: &mut Vec<(String, String)>, problems: &mut Problems) {
    if known.iter().any(|(name, _)| *name == group.name.value) {
        let message = format!("two process groups are named '{}'", group.name.value);
        problems.error(&group.name, message, "give each its own name");
    }
    if let Err(error) = regex::Regex::new(&group.matching.value) {
        let message = format!("match is no regular expression: {}", last_line(&error));
        problems.error(&group.matching, message, "see https://docs.rs/regex/#syntax for what may be written");
    }
    known.push((group.name.value, group.matching.value));
}

/// The rules in force: the config's list and the flags add up; without either, the shipped packs.
fn rules(
    listed: Option<Vec<At<String>>>,
    flags: &[String],
    base: &Path,
    problems: &mut Problems,
) -> Vec<crate::rules::Source> {
    use crate::rules::Source;
    if listed.is_none() && flags.is_empty() {
        return vec![Source::builtin()];
    }
    let mut sources = Vec::new();
    for item in listed.into_iter().flatten() {
        if let Some(name) = item.value.strip_prefix("builtin:")
            && let Err(hint) = crate::rules::known_builtin(name)
        {
            problems.error(&item, format!("there is no shipped rule pack `{name}`"), &hint);
            continue;
        }
        match rule_source(base, &item.value) {
            Ok(found) => sources.extend(found),
            Err((message, hint)) => problems.error(&item, message, hint),
        }
    }
    for item in flags {
        match rule_source(Path::new(""), item) {
            Ok(found) => sources.extend(found),
            Err((message, hint)) => {
                let place = Place::new("--rules", 0, 0);
                problems.list.push(Problem::error(place, message).hint(hint));
            }
        }
    }
    sources
}

fn rule_source(base: &Path, text: &str) -> Result<Vec<crate::rules::Source>, (String, &'static str)> {
    use crate::rules::Source;
    if text.trim().is_empty() {
        return Err(("this names no rules".to_owned(), "write a file, a folder, a glob, or builtin"));
    }
    if text == "builtin" || text.starts_with("builtin:") {
        return Ok(vec![Source::parse(text)]);
    }
    let path = base.join(text);
    let name = path.to_string_lossy();
    if !name.contains(['*', '?', '[', '{']) {
        return match path.exists() {
            true => Ok(vec![Source::Path(path)]),
            false => Err((format!("no such rule file or folder: {name}"), "check the path, or use builtin")),
        };
    }
    let globs = crate::discover::Globs::new(std::slice::from_ref(&path), &[])
        .map_err(|error| (error.to_string(), "write a glob such as rules/*.yml"))?;
    let mut found: Vec<PathBuf> = globs.list().files.into_iter().map(|file| file.path).collect();
    found.sort();
    if found.is_empty() {
        return Err((format!("no rule file matches {name}"), "check the glob"));
    }
    Ok(found.into_iter().map(Source::Path).collect())
}
