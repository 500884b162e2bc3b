//! grok_exporter's configs, versions 2 and 3: metrics become rules, the input becomes an input.

use super::value::{Node, read};
use super::write::{self, Input, Label, Metric, Rule};
use super::{Converted, RULES_PLACE, Remarks, names, template};
use crate::error::{Place, Problem};

/// Prometheus' default buckets, which grok_exporter uses.
const BUCKETS: [&str; 11] = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10"];

/// Converts a config.
pub(super) fn convert(file: &str, text: &str) -> Result<Converted, Vec<Problem>> {
    let root = read(file, text)?;
    if root.get("metrics").is_none_or(|metrics| metrics.list().is_empty()) {
        let hint = "it needs a list `metrics`; metrics in files of `imports` are converted file by file";
        return Err(vec![
            Problem::error(Place::new(file, 1, 0), "this is no grok_exporter config").hint(hint),
        ]);
    }
    let mut remarks = Remarks::new(file);
    let group = names::group(file);
    let mut input = input(&root, &mut remarks);
    input.rules.push(group.clone());
    let patterns = patterns(&root, &mut remarks);
    others(&root, &mut remarks);
    let mut rules: Vec<Rule> = Vec::new();
    for node in root.get("metrics").map_or(&[][..], Node::list) {
        if let Some(mut rule) = rule(node, &input, &mut remarks) {
            rule.name = names::unique(&rule.name, |name| rules.iter().any(|rule| rule.name == name));
            match super::refusal(&group, &patterns, &rule) {
                None => rules.push(rule),
                Some((message, hint)) => remarks.lost(node.line, format!("not converted: {message}"), &hint),
            }
        }
    }
    let used = |name: &str| {
        rules.iter().any(|rule| rule.any.iter().any(|any| any.contains(name)))
            || patterns.iter().any(|(_, text)| text.contains(name))
    };
    let patterns: Vec<_> = patterns.iter().filter(|(name, _)| used(&format!("%{{{name}"))).cloned().collect();
    let head = ["Converted from a grok_exporter config by `logtally import grok_exporter`."];
    let inputs = match input.include.is_empty() {
        true => String::new(),
        false => write::inputs(&head, &[RULES_PLACE], &[input]),
    };
    Ok(Converted {
        rules: write::group(&head, &group, &patterns, &rules),
        inputs,
        remarks: remarks.list,
        ..Converted::default()
    })
}

fn input(root: &Node, remarks: &mut Remarks) -> Input {
    let mut input = Input { name: "grok".to_owned(), multiline: Some("off".to_owned()), ..Input::default() };
    let Some(node) = root.get("input") else { return input };
    match node.word("type") {
        Some("file") | None => {
            input.include = node.words("path").into_iter().chain(node.words("paths")).collect();
        }
        Some("stdin") => {
            remarks.lost(
                node.line,
                "`type: stdin` has no equivalent",
                "follow the file, or use `logtally count -`",
            );
        }
        Some(other) => {
            let message = format!("`type: {other}` has no equivalent");
            remarks.lost(node.line, message, "write the lines to a file and follow it");
        }
    }
    if node.is("readall") {
        let hint = "start with `--from beginning` to count what is there before the first start";
        remarks.note(node.line, "`readall` is a flag here", hint);
    }
    if let Some(start) = node.word("line_delimiter").filter(|text| *text != "\\n") {
        input.multiline = Some(start.to_owned());
        let hint = "an event counts once per rule, and rules look at each of its lines";
        remarks.note(node.line, "`line_delimiter` becomes the start of an event", hint);
    }
    input
}

/// The grok names that the config defines.
fn patterns(root: &Node, remarks: &mut Remarks) -> Vec<(String, String)> {
    let mut patterns = Vec::new();
    if let Some(node) = root.get("grok").and_then(|grok| grok.get("patterns_dir")) {
        remarks.note(node.line, "`patterns_dir` is left out", KNOWN);
    }
    let old = root.get("grok").and_then(|grok| grok.get("additional_patterns"));
    let lists = [old, root.get("grok_patterns")];
    for node in lists.into_iter().flatten().flat_map(Node::list) {
        match node.text().and_then(|text| text.trim().split_once(char::is_whitespace)) {
            Some((name, text)) => patterns.push((name.to_owned(), text.trim().to_owned())),
            None => remarks.lost(
                node.line,
                "a grok pattern is `NAME expression`",
                "write it to `patterns:` by hand",
            ),
        }
    }
    patterns
}

const KNOWN: &str = "Logstash's standard names are known; write others to `patterns:` of the group";

fn others(root: &Node, remarks: &mut Remarks) {
    for node in root.get("imports").map_or(&[][..], Node::list) {
        match node.word("type") {
            Some("grok_patterns") => remarks.note(node.line, "imported grok patterns are left out", KNOWN),
            _ => remarks.lost(
                node.line,
                "imported metrics are not converted",
                "put them under `metrics:` of a config and convert that file too",
            ),
        }
    }
    if let Some(node) = root.get("server") {
        let hint = "see --web.listen-address and --web.config.file; logtally's own port is 10474";
        remarks.note(node.line, "`server` becomes flags", hint);
    }
}

fn rule(node: &Node, input: &Input, remarks: &mut Remarks) -> Option<Rule> {
    let line = node.line;
    let (Some(kind), Some(old), Some(text)) = (node.word("type"), node.word("name"), node.word("match"))
    else {
        remarks.lost(line, "a metric needs `type`, `name` and `match`", "see grok_exporter's CONFIG.md");
        return None;
    };
    let kind = match kind {
        "counter" => "counter",
        "gauge" => "gauge",
        "histogram" => "histogram",
        "summary" => {
            let hint = "histogram_quantile() gives the quantiles, over any time and all instances";
            remarks.lost(line, format!("the summary `{old}` becomes a histogram"), hint);
            "histogram"
        }
        other => {
            remarks.lost(
                line,
                format!("`type: {other}` is unknown"),
                "allowed are counter, gauge, histogram, summary",
            );
            return None;
        }
    };
    let (name, changed) = names::metric(old, kind);
    if changed {
        let hint = "Prometheus' rules of naming are kept; queries need the new name";
        remarks.note(line, format!("`{old}` becomes `{name}`"), hint);
    }
    let (value, unit) = value(node, remarks)?;
    let buckets = match node.get("buckets") {
        Some(list) => list.list().iter().filter_map(|node| node.text().map(str::to_owned)).collect(),
        None => BUCKETS.map(str::to_owned).to_vec(),
    };
    let metric = Metric {
        kind,
        help: node.word("help").map(str::to_owned),
        value,
        unit,
        action: (kind == "gauge" && node.is("cumulative")).then_some("inc"),
        buckets: if kind == "histogram" { buckets } else { Vec::new() },
        name,
    };
    unlike(node, input, remarks);
    Some(Rule {
        name: names::word(metric.name.trim_end_matches("_total")),
        any: vec![text.to_owned()],
        grok: text.contains("%{"),
        target: "line".to_owned(),
        labels: labels(node, remarks),
        metrics: vec![metric],
        ..Rule::default()
    })
}

/// What a metric has that rules have not.
fn unlike(node: &Node, input: &Input, remarks: &mut Remarks) {
    let paths: Vec<String> = node.words("path").into_iter().chain(node.words("paths")).collect();
    if !paths.is_empty() && paths != input.include {
        let message = format!("it counts in {} only; rules hold for all files of an input", paths.join(", "));
        let hint =
            "give these files an input of their own, and these rules a group that it names in `rules:`";
        remarks.lost(node.line, message, hint);
    }
    for key in ["delete_match", "delete_labels"] {
        if let Some(node) = node.get(key) {
            let hint =
                "counters stay, so that rate() is right; series of files that are gone leave by themselves";
            remarks.lost(node.line, format!("`{key}` has no equivalent"), hint);
        }
    }
    if let Some(node) = node.get("retention") {
        let hint = "series stay until their file is gone for an hour";
        remarks.note(node.line, "`retention` is left out", hint);
    }
}

fn value(node: &Node, remarks: &mut Remarks) -> Option<(Option<String>, Option<&'static str>)> {
    let Some(text) = node.word("value") else { return Some((None, None)) };
    match template::value(text) {
        Some((value, unit)) => Some((Some(value), unit)),
        None => {
            let line = node.get("value").map_or(node.line, |node| node.line);
            let hint = "export the captured value and calculate in PromQL";
            remarks.lost(line, format!("the value {text} has no equivalent"), hint);
            None
        }
    }
}

fn labels(node: &Node, remarks: &mut Remarks) -> Vec<(String, Label)> {
    let mut labels = Vec::new();
    for (old, node) in node.get("labels").map_or(&[][..], Node::entries) {
        let text = node.text().unwrap_or_default();
        if text.contains(".logfile") {
            let hint = if text.contains("base") {
                "`path_label: name` makes it the file's name"
            } else {
                "`path` holds it"
            };
            remarks.note(
                node.line,
                format!("the label `{old}` is left out: `path` names the file already"),
                hint,
            );
            continue;
        }
        let (name, changed) = names::label(old);
        if changed {
            let message = format!("the label `{old}` becomes `{name}`");
            remarks.note(node.line, message, "log metrics carry a label of that name already");
        }
        match template::label(text) {
            Some(label) => labels.push((name, label)),
            None => {
                let hint = "capture what becomes the label, or map its values by `map:`";
                remarks.lost(node.line, format!("the label {text} has no equivalent and is left out"), hint);
            }
        }
    }
    labels
}
