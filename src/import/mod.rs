//! Configs of other programs in, logtally's YAML out: mtail's programs, grok_exporter's and promtail's configs.
//!
//! A text goes in; rules, inputs and remarks come out, and nothing is read or written here. What has an exact equivalent
//! is converted in silence. What differs in something that a person should know is a warning; what has no equivalent,
//! or only one that can count otherwise, is an error with its line, so that nothing is lost without a word.
//!
//! [`mtail`] reads a language, [`grok_exporter`] and [`promtail`] read YAML; [`go`] turns Go's expressions into ours,
//! [`proof`] says whether two expressions hold for the same lines, [`write`](mod@write) prints rules that people keep.

mod captures;
mod go;
mod grok_exporter;
mod merge;
mod mtail;
mod names;
mod numbers;
mod promtail;
mod proof;
mod template;
mod value;
mod way;
mod write;

use crate::error::{Place, Problem, Severity};
use crate::rules::Source;

/// Stands in the inputs for the path of the rule file, until that is known.
pub const RULES_PLACE: &str = "rules.yml";

/// A program whose configs can be converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// google/mtail: programs in its own language.
    Mtail,
    /// fstab/grok_exporter: YAML of config versions 2 and 3.
    GrokExporter,
    /// Grafana's promtail: YAML with pipeline stages.
    Promtail,
}

/// What a config became.
#[derive(Clone, Debug, Default)]
pub struct Converted {
    /// A rule file, which the inputs name [`RULES_PLACE`].
    pub rules: String,
    /// Further rule files, where several inputs have rules of their own: each with its name, as the inputs give it.
    pub more: Vec<(String, String)>,
    /// The inputs of a `logtally.yml`; empty where the config names no files.
    pub inputs: String,
    /// Warnings for what to know, errors for what was not converted or counts otherwise, in the order of their lines.
    pub remarks: Vec<Problem>,
}

impl Converted {
    /// Whether everything has an exact equivalent.
    pub fn is_complete(&self) -> bool {
        self.remarks.iter().all(|remark| remark.severity == Severity::Warning)
    }
}

/// Converts the text of a config; `file` is named in remarks, and its stem becomes the name of the group.
///
/// # Errors
/// The text is no such config: what is wrong with it, and where.
pub fn convert(peer: Peer, file: &str, text: &str) -> Result<Converted, Vec<Problem>> {
    let mut converted = match peer {
        Peer::Mtail => mtail::convert(file, text),
        Peer::GrokExporter => grok_exporter::convert(file, text),
        Peer::Promtail => promtail::convert(file, text),
    }?;
    converted.remarks.sort_by_key(|remark| (remark.place.line, remark.place.column));
    converted.remarks.dedup();
    Ok(converted)
}

/// Why the rules' own check refuses a rule, and what it advises; `None` where it does not.
fn refusal(group: &str, patterns: &[(String, String)], rule: &write::Rule) -> Option<(String, String)> {
    let text = write::group(&[], group, patterns, std::slice::from_ref(rule));
    let problems = crate::rules::load(&[Source::Text { name: "rule".to_owned(), text }]).err()?;
    let error = problems.into_iter().find(|problem| problem.severity == Severity::Error)?;
    Some((error.message, error.hint.unwrap_or_else(|| "write it by hand".to_owned())))
}

/// Collects remarks of one file.
#[derive(Debug)]
struct Remarks {
    file: String,
    list: Vec<Problem>,
}

impl Remarks {
    fn new(file: &str) -> Remarks {
        Remarks { file: file.to_owned(), list: Vec::new() }
    }

    /// Something to know of what was converted.
    fn note(&mut self, line: usize, message: impl Into<String>, hint: &str) {
        self.list.push(Problem::warning(Place::new(&self.file, line, 0), message).hint(hint));
    }

    /// Something that was not converted, or counts otherwise.
    fn lost(&mut self, line: usize, message: impl Into<String>, hint: &str) {
        self.list.push(Problem::error(Place::new(&self.file, line, 0), message).hint(hint));
    }
}
