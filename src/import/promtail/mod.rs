//! promtail's configs: files and static labels become inputs, metrics of pipeline stages become rules.
//!
//! [`pipeline`] walks the stages in order and knows at each one where every extracted name comes from; [`metric`] makes a
//! rule of a metric and its source. What only shapes the entries that go to Loki has no part in counting.

mod metric;
mod pipeline;
mod selector;

use super::value::{Node, read};
use super::write::{self, Input, Rule};
use super::{Converted, RULES_PLACE, Remarks, names};
use crate::error::{Place, Problem};

/// Keys of discovery and of sources other than files.
const OTHER_SOURCES: [&str; 14] = [
    "journal",
    "syslog",
    "loki_push_api",
    "gcplog",
    "azure_event_hubs",
    "windows_events",
    "kafka",
    "gelf",
    "cloudflare",
    "heroku_drain",
    "consul_sd_configs",
    "consulagent_sd_configs",
    "docker_sd_configs",
    "file_sd_configs",
];

/// Converts a config, or the `pipeline_stages` of one.
pub(super) fn convert(file: &str, text: &str) -> Result<Converted, Vec<Problem>> {
    let root = read(file, text)?;
    let mut remarks = Remarks::new(file);
    let group = names::group(file);
    let jobs: Vec<&Node> = match root.get("scrape_configs") {
        Some(list) => list.list().iter().collect(),
        None if root.get("pipeline_stages").is_some() => vec![&root],
        None => {
            let hint = "it needs `scrape_configs`, or `pipeline_stages` alone";
            return Err(vec![
                Problem::error(Place::new(file, 1, 0), "this is no promtail config").hint(hint),
            ]);
        }
    };
    let mut files: Vec<RuleFile> = Vec::new();
    let mut inputs: Vec<Input> = Vec::new();
    for job in jobs {
        let mut input = input(job, &mut remarks);
        let found = pipeline::rules(job, &mut input, &mut remarks);
        input.name = names::unique(&input.name, |name| inputs.iter().any(|input| input.name == name));
        if !found.is_empty() {
            let file = RuleFile::new(&group, &input.name, files.is_empty());
            if !files.is_empty() {
                let message = format!("the rules of this job stand in a file of their own, {}", file.name);
                remarks.note(
                    job.line,
                    message,
                    "rules apply to inputs by their groups, one file is one group",
                );
            }
            input.rules.push(file.group.clone());
            files.push(file);
        }
        for (line, mut rule) in found {
            let Some(file) = files.last_mut() else { continue };
            rule.name = names::unique(&rule.name, |name| file.rules.iter().any(|rule| rule.name == name));
            match super::refusal(&file.group, &[], &rule) {
                None => file.rules.push(rule),
                Some((message, hint)) => remarks.lost(line, format!("not converted: {message}"), &hint),
            }
        }
        inputs.extend((!input.include.is_empty()).then_some(input));
    }
    let head = ["Converted from a promtail config by `logtally import promtail`."];
    let places: Vec<&str> = match files.as_slice() {
        [] => vec![RULES_PLACE],
        files => files.iter().map(|file| file.name.as_str()).collect(),
    };
    let inputs = if inputs.is_empty() { String::new() } else { write::inputs(&head, &places, &inputs) };
    let mut texts = files.iter().map(|file| write::group(&head, &file.group, &[], &file.rules));
    let rules = texts.next().unwrap_or_else(|| write::group(&head, &group, &[], &[]));
    let more = files.iter().skip(1).map(|file| file.name.clone()).zip(texts).collect();
    Ok(Converted { rules, more, inputs, remarks: remarks.list })
}

/// The rules of one job.
struct RuleFile {
    name: String,
    group: String,
    rules: Vec<Rule>,
}

impl RuleFile {
    /// The first file and its group are named after the config, others after their jobs as well.
    fn new(group: &str, job: &str, first: bool) -> RuleFile {
        let (name, group) = match first {
            true => (RULES_PLACE.to_owned(), group.to_owned()),
            false => (format!("rules-{job}.yml"), format!("{group}_{job}")),
        };
        RuleFile { name, group, rules: Vec::new() }
    }
}

/// The files of a job and the labels that they have from the start.
fn input(job: &Node, remarks: &mut Remarks) -> Input {
    let name = names::word(job.word("job_name").unwrap_or("promtail"));
    let mut input = Input { name, multiline: Some("off".to_owned()), ..Input::default() };
    for target in job.get("static_configs").map_or(&[][..], Node::list) {
        let labels = target.get("labels").map_or(&[][..], Node::entries);
        let mut own = Vec::new();
        for (name, node) in labels {
            let text = node.text().unwrap_or_default().to_owned();
            match name.as_str() {
                "__path__" => input.include.push(text),
                "__path_exclude__" => input.exclude.push(text),
                name if name.starts_with("__") => {}
                // Prometheus gives every series a `job` itself.
                "job" => {}
                name => own.push((names::label(name).0, text)),
            }
        }
        if !input.labels.is_empty() && input.labels != own {
            let hint = "give each target an input of its own, with its labels";
            remarks.lost(target.line, "targets of one job have different labels", hint);
        } else {
            input.labels = own;
        }
    }
    sources(job, remarks);
    input
}

fn sources(job: &Node, remarks: &mut Remarks) {
    for (key, node) in job.entries() {
        if key == "kubernetes_sd_configs" {
            let hint = "follow /var/log/pods/*/*/*.log, with path_labels for namespace, pod and container; see packaging/kubernetes";
            remarks.lost(node.line, "`kubernetes_sd_configs` has no equivalent", hint);
        } else if OTHER_SOURCES.contains(&key.as_str()) {
            remarks.lost(
                node.line,
                format!("`{key}` has no equivalent: logtally follows files"),
                "write to files, and follow them",
            );
        } else if key == "relabel_configs" {
            let hint = "write `labels:` or `path_labels:` of the input; a dropped target is one that `include` does not name";
            remarks.lost(node.line, "`relabel_configs` have no equivalent", hint);
        }
    }
}
