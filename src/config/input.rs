//! One input: which files, under which labels, read in which way.

use super::raw::{Either, RawFormat, RawInput, RawMultiline, RawStart};
use super::ready::Problems;
use crate::discover::Globs;
use crate::error::Place;
use crate::parse::{self, Format, FormatChoice, Multiline};
use crate::rules::yaml::{At, suggestion};
use crate::tally::exposition::Head;
use crate::tally::stream::StreamKey;
use regex::Regex;
use std::path::{Path, PathBuf};

/// What the `path` label says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathLabel {
    /// The whole path.
    #[default]
    Full,
    /// The file's name.
    Name,
    /// There is no `path` label.
    None,
}

/// A named set of files that share settings.
#[derive(Clone, Debug)]
pub struct Input {
    /// The `input` label.
    pub name: String,
    /// Files, globs and folders.
    pub include: Vec<PathBuf>,
    /// Globs of files to leave out.
    pub exclude: Vec<PathBuf>,
    /// Labels added to every metric of the input.
    pub labels: Vec<(String, String)>,
    /// What the `path` label says.
    pub path_label: PathLabel,
    /// Named groups of this expression become labels, from the path.
    pub path_labels: Option<Regex>,
    /// How lines are understood.
    pub parse: parse::Options,
    /// Rule groups that apply; all where it is `None`.
    pub groups: Option<Vec<String>>,
    /// Where each of the groups was named.
    pub group_places: Vec<Place>,
}

impl Input {
    /// An input of these files with default settings.
    pub fn of_files(name: &str, include: Vec<PathBuf>) -> Input {
        Input {
            name: name.to_owned(),
            include,
            exclude: Vec::new(),
            labels: Vec::new(),
            path_label: PathLabel::default(),
            path_labels: None,
            parse: parse::Options::default(),
            groups: None,
            group_places: Vec::new(),
        }
    }

    /// The stream that a file under this path belongs to.
    pub fn stream_key(&self, path: &Path) -> StreamKey {
        let text = path.to_string_lossy();
        let mut labels = Vec::new();
        if let Some(captures) = self.path_labels.as_ref().and_then(|regex| regex.captures(&text)) {
            let names = self.path_labels.iter().flat_map(Regex::capture_names).flatten();
            let value = |name| captures.name(name).map_or("", |m| m.as_str());
            labels.extend(names.map(|name| (name.to_owned(), value(name).to_owned())));
        }
        let name = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match self.path_label {
            PathLabel::Full => labels.push(("path".to_owned(), text.into_owned())),
            PathLabel::Name => labels.push(("path".to_owned(), name())),
            PathLabel::None => {}
        }
        StreamKey { labels }
    }

    /// All labels of a stream: the input, its labels, and the stream's own.
    pub fn head(&self, key: &StreamKey) -> Head {
        let input = ("input".to_owned(), self.name.clone());
        Head::new(std::iter::once(input).chain(self.labels.iter().cloned()).chain(key.labels.iter().cloned()))
    }
}

/// Labels that inputs must not give: metrics carry them already.
const TAKEN: [&str; 10] =
    ["input", "path", "level", "pattern", "exception", "le", "quantile", "metric", "reason", "instance"];

pub(super) fn ready(raw: RawInput, base: &Path, problems: &mut Problems) -> Input {
    let at = |path: &At<String>| base.join(&path.value);
    let exclude: Vec<At<String>> = raw.exclude.map(|list| list.0).unwrap_or_default();
    if raw.name.value.is_empty() {
        problems.error(&raw.name, "an input needs a name", "it becomes the label input=\"…\"");
    }
    bounded("an input's name", &raw.name, problems);
    if raw.include.value.0.is_empty() {
        problems.error(&raw.include, "include names no file", "list files, globs or folders");
    }
    for path in &raw.include.value.0 {
        check_glob(path, &Globs::new(&[at(path)], &[]), problems);
    }
    for path in &exclude {
        check_glob(path, &Globs::new(&[], &[excluded(base, &path.value)]), problems);
    }
    let labels: Vec<&str> = raw.labels.0.iter().map(|(name, _)| name.value.as_str()).collect();
    for (name, value) in &raw.labels.0 {
        check_label(name, problems);
        bounded("a label's value", value, problems);
    }
    let places =
        raw.rules.iter().flat_map(|groups| &groups.0).map(|group| problems.place(group.spot)).collect();
    let path_labels = raw.path_labels.and_then(|text| path_regex(&text, &labels, problems));
    Input {
        include: raw.include.value.0.iter().map(at).collect(),
        exclude: exclude.iter().map(|path| excluded(base, &path.value)).collect(),
        labels: raw.labels.0.into_iter().map(|(name, value)| (name.value, value.value)).collect(),
        path_label: raw.path_label.map_or(PathLabel::Full, |word| path_label(&word, problems)),
        path_labels,
        parse: parse::Options {
            format: raw.format.map_or(FormatChoice::Auto, |format| format_choice(format, problems)),
            multiline: raw.multiline.map_or(Multiline::Auto, |text| multiline(text, problems)),
            keyword_levels: raw.keyword_levels,
            access_levels: raw.access_levels,
        },
        group_places: places,
        groups: raw.rules.map(|groups| groups.0.into_iter().map(|group| group.value).collect()),
        name: raw.name.value,
    }
}

/// Longer names and values make every series of an input as long, in characters.
const LONGEST: usize = 1024;

fn bounded(what: &str, text: &At<String>, problems: &mut Problems) {
    let length = text.value.chars().count();
    if length > LONGEST {
        let message = format!("{what} of {length} characters, at most {LONGEST} are allowed");
        problems.error(text, message, "every series carries it: shorten it");
    }
}

/// `**/x` matches below any folder; other relative globs stand beside the config file.
fn excluded(base: &Path, pattern: &str) -> PathBuf {
    if pattern.starts_with("**") { PathBuf::from(pattern) } else { base.join(pattern) }
}

fn check_glob(path: &At<String>, understood: &Result<Globs, String>, problems: &mut Problems) {
    match understood {
        _ if path.value.trim().is_empty() => {
            problems.error(path, "this names no file", "write a file, a glob or a folder");
        }
        _ if path.value.contains('\0') => {
            problems.error(path, "no path holds a NUL", "write a file, a glob or a folder");
        }
        Ok(_) => {}
        Err(message) => {
            problems.error(path, message, "write * ? [abc] {a,b} or **, and [[] for a bracket itself")
        }
    }
}

fn check_label(name: &At<String>, problems: &mut Problems) {
    let text = &name.value;
    let valid = !text.is_empty()
        && !text.starts_with("__")
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !valid {
        let message = format!("'{text}' is no label name");
        problems.error(name, message, "use letters, digits and underscores, and begin with a letter");
    } else if TAKEN.contains(&text.as_str()) {
        problems.error(
            name,
            format!("the label '{text}' is taken by logtally itself"),
            "choose another name",
        );
    }
}

fn path_regex(text: &At<String>, labels: &[&str], problems: &mut Problems) -> Option<Regex> {
    match Regex::new(&text.value) {
        Ok(regex) => {
            let names: Vec<String> = regex.capture_names().flatten().map(str::to_owned).collect();
            if names.is_empty() {
                problems.error(
                    text,
                    "path_labels has no named group",
                    "name what becomes a label: (?P<service>[^/]+)",
                );
            }
            for name in names {
                if labels.contains(&name.as_str()) {
                    let message = format!("`labels` gives the label '{name}' already");
                    problems.error(text, message, "choose another name for the group");
                }
                check_label(&At { value: name, spot: text.spot }, problems);
            }
            Some(regex)
        }
        Err(error) => {
            refuse_regex(text, "path_labels", &error, problems);
            None
        }
    }
}

/// The part of a regex error that says what is wrong, without the picture above it.
pub(super) fn last_line(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

fn path_label(word: &At<String>, problems: &mut Problems) -> PathLabel {
    match word.value.as_str() {
        "full" => PathLabel::Full,
        "name" => PathLabel::Name,
        "none" => PathLabel::None,
        other => {
            problems.error(word, format!("path_label is '{other}'"), "allowed are full, name and none");
            PathLabel::Full
        }
    }
}

fn refuse_regex(text: &At<String>, what: &str, error: &regex::Error, problems: &mut Problems) {
    let message = format!("{what} is no regular expression: {}", last_line(error));
    problems.error(text, message, "see https://docs.rs/regex/#syntax for what may be written");
}

fn format_choice(format: At<RawFormat>, problems: &mut Problems) -> FormatChoice {
    let custom = match format.value {
        Either::Word(name) if name == "auto" => return FormatChoice::Auto,
        Either::Word(name) => match Format::from_name(&name) {
            Some(format) => return FormatChoice::Named(format),
            None => {
                let hint = suggestion(&name, Format::ALL.iter().map(|format| format.as_str()));
                let message = format!("unknown format '{name}'");
                problems.error_at(format.spot, message, hint.unwrap_or_default());
                return FormatChoice::Auto;
            }
        },
        Either::Map(custom) => custom,
    };
    match (custom.regex, custom.grok) {
        (Some(text), None) => {
            if let Err(error) = Regex::new(&text.value) {
                refuse_regex(&text, "the format", &error, problems);
            }
            FormatChoice::Custom(text.value)
        }
        (None, Some(grok)) => match crate::rules::grok_to_regex(&grok.value) {
            Ok(regex) => FormatChoice::Custom(regex),
            Err((message, hint)) => {
                problems.error(&grok, message, &hint);
                FormatChoice::Auto
            }
        },
        _ => {
            let message = "a format is either a regex or a grok expression".to_owned();
            let hint = "write format: {regex: '…'} or format: {grok: '…'}".to_owned();
            problems.error_at(format.spot, message, hint);
            FormatChoice::Auto
        }
    }
}

fn multiline(text: At<RawMultiline>, problems: &mut Problems) -> Multiline {
    match text.value {
        Either::Word(word) if word == "auto" => Multiline::Auto,
        Either::Word(word) if word == "off" => Multiline::Off,
        Either::Word(word) => {
            let hint = "allowed are auto, off and {start: REGEX}".to_owned();
            problems.error_at(text.spot, format!("multiline is '{word}'"), hint);
            Multiline::Auto
        }
        Either::Map(RawStart { start }) => {
            match Regex::new(&start.value) {
                Ok(_) if start.value.is_empty() => {
                    let hint = "write what the first line of an event is like, or multiline: off";
                    problems.error(&start, "multiline's start is empty, every line would be an event", hint);
                }
                Ok(_) => {}
                Err(error) => refuse_regex(&start, "multiline's start", &error, problems),
            }
            Multiline::Start(start.value)
        }
    }
}
