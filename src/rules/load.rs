//! Sources in, a rule set out: files, folders, shipped packs and texts, with all their problems together.

use super::builtin;
use super::group::Compiler;
use super::yaml::{suggestion, text_of};
use super::{Group, RuleSet};
use crate::error::{Place, Problem, Severity};
use std::path::{Path, PathBuf};

/// Where rules come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A rule file, or a folder whose `*.yml` and `*.yaml` files are taken in the order of their names.
    Path(PathBuf),
    /// A shipped pack: `python`; or all of them: an empty name or `all`.
    Builtin(String),
    /// A text that is no file, with a name for messages.
    Text {
        /// The name.
        name: String,
        /// The rules.
        text: String,
    },
}

impl Source {
    /// Every shipped pack: what is in force where no rules are given.
    pub fn builtin() -> Source {
        Source::Builtin(String::new())
    }

    /// What the user wrote: `builtin`, `builtin:NAME` or a path.
    pub fn parse(text: &str) -> Source {
        match text.strip_prefix("builtin:") {
            Some(name) => Source::Builtin(name.to_owned()),
            None if text == "builtin" => Source::builtin(),
            None => Source::Path(PathBuf::from(text)),
        }
    }
}

/// One rule text with the name that messages give it.
pub(super) struct Text {
    pub(super) name: String,
    pub(super) text: String,
}

/// Reads and checks all rules. Errors come all at once, with the warnings after them; a rule set carries warnings only.
pub fn load(sources: &[Source]) -> Result<RuleSet, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut compiler = Compiler::default();
    let mut seen = std::collections::HashSet::new();
    for source in sources {
        for text in texts(source, &mut problems) {
            // The same file by two flags is still one file.
            if seen.insert(text.name.clone()) {
                compiler.add(&text.name, &text.text);
            }
        }
    }
    let (groups, found): (Vec<Group>, Vec<Problem>) = compiler.finish();
    problems.extend(found);
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        problems.sort_by_key(|problem| problem.severity == Severity::Warning);
        return Err(problems);
    }
    Ok(RuleSet { groups, warnings: problems })
}

/// The texts of a source; what cannot be read is a problem.
pub(super) fn texts(source: &Source, problems: &mut Vec<Problem>) -> Vec<Text> {
    match source {
        Source::Text { name, text } => vec![Text { name: name.clone(), text: text.clone() }],
        Source::Builtin(name) if name.is_empty() || name == "all" => {
            builtin::PACKS.iter().map(pack_text).collect()
        }
        Source::Builtin(name) => {
            match builtin::PACKS.iter().chain(builtin::OPT_IN).find(|(known, _)| known == name) {
                Some(pack) => vec![pack_text(pack)],
                None => {
                    let place = Place::new(format!("builtin:{name}"), 0, 0);
                    let problem = Problem::error(place, format!("there is no shipped rule pack `{name}`"));
                    let hint = suggestion(name, builtin_names_iter());
                    problems.push(Problem { hint, ..problem });
                    Vec::new()
                }
            }
        }
        Source::Path(path) => files(path, problems).iter().filter_map(|file| read(file, problems)).collect(),
    }
}

fn builtin_names_iter() -> impl Iterator<Item = &'static str> + Clone {
    builtin::PACKS.iter().chain(builtin::OPT_IN).map(|(name, _)| *name)
}

fn pack_text((name, text): &(&str, &str)) -> Text {
    Text { name: format!("builtin:{name}"), text: (*text).to_owned() }
}

fn files(path: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_path_buf()];
    }
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => {
            let message = format!("this folder of rules cannot be read: {error}");
            problems.push(Problem::error(Place::new(path, 0, 0), message).hint("check its permissions"));
            return Vec::new();
        }
    };
    let is_rules = |path: &PathBuf| {
        path.is_file() && path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml")
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_rules).collect();
    files.sort();
    if files.is_empty() {
        let message = "this folder holds no rule files, which end in .yml or .yaml";
        let hint = "check the path, or give the files that end otherwise by their names";
        problems.push(Problem::warning(Place::new(path, 0, 0), message).hint(hint));
    }
    files
}

fn read(file: &Path, problems: &mut Vec<Problem>) -> Option<Text> {
    match text_of(file, "rule file", "check the path; shipped packs are named `builtin:NAME`") {
        Ok(text) => Some(Text { name: file.display().to_string(), text }),
        Err(problem) => {
            problems.push(problem);
            None
        }
    }
}
