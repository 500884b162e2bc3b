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
    let mut rules: Vec<Rule> = Vec::new();
    let mut inputs: Vec<Input> = Vec::new();
    let mut counting = 0;
    for job in jobs {
        let mut input = input(job, &mut remarks);
        let found = pipeline::rules(job, &mut input, &mut remarks);
        counting += usize::from(!found.is_empty());
        if counting > 1 && !found.is_empty() {
            let hint = "cut the config into one file for each job, so that each becomes a group, and convert them one by one";
            remarks.lost(
                job.line,
                "rules of several jobs in one group count in the files of all of them",
                hint,
            );
        }
        input.rules.extend((!found.is_empty()).then(|| group.clone()));
        for (line, mut rule) in found {
            rule.name = names::unique(&rule.name, |name| rules.iter().any(|rule| rule.name == name));
            match super::refusal(&group, &[], &rule) {
                None => rules.push(rule),
                Some((message, hint)) => remarks.lost(line, format!("not converted: {message}"), &hint),
            }
        }
        input.name = names::unique(&input.name, |name| inputs.iter().any(|input| input.name == name));
        inputs.extend((!input.include.is_empty()).then_some(input));
    }
    let head = ["Converted from a promtail config by `logtally import promtail`."];
    let inputs = if inputs.is_empty() { String::new() } else { write::inputs(&head, RULES_PLACE, &inputs) };
    Ok(Converted { rules: write::group(&head, &group, &[], &rules), inputs, remarks: remarks.list })
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
