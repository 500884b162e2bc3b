//! Rules and inputs as YAML that people keep: one style, comments where they help, texts quoted so that they stay texts.

/// A rule to write.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rule {
    /// Lines of a comment above it.
    pub(super) comment: Vec<String>,
    pub(super) name: String,
    /// Expressions of which any may match.
    pub(super) any: Vec<String>,
    /// Of a rule with two ends, of which `any` is the second one: the first.
    pub(super) opening: Option<Opening>,
    /// They are grok.
    pub(super) grok: bool,
    pub(super) not: Vec<String>,
    /// What it looks at: `line`, `message` or `field.NAME`.
    pub(super) target: String,
    pub(super) labels: Vec<(String, Label)>,
    pub(super) metrics: Vec<Metric>,
}

/// What begins a span.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Opening {
    /// Expressions of which any may match.
    pub(super) any: Vec<String>,
    /// A template of what both ends capture.
    pub(super) key: String,
    /// How long the end may take.
    pub(super) timeout: String,
}

/// A label: its template, and how its value is mapped.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Label {
    pub(super) value: String,
    pub(super) map: Vec<(String, String)>,
}

/// A metric of a rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Metric {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) help: Option<String>,
    pub(super) value: Option<String>,
    pub(super) unit: Option<&'static str>,
    pub(super) action: Option<&'static str>,
    pub(super) buckets: Vec<String>,
}

/// An input to write.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) include: Vec<String>,
    pub(super) exclude: Vec<String>,
    pub(super) labels: Vec<(String, String)>,
    pub(super) format: Option<String>,
    /// `off`, or the expression that starts an event.
    pub(super) multiline: Option<String>,
    /// The groups that apply.
    pub(super) rules: Vec<String>,
}

/// A rule file.
pub(super) fn group(head: &[&str], name: &str, patterns: &[(String, String)], rules: &[Rule]) -> String {
    let mut out: String = head.iter().map(|line| format!("# {line}\n")).collect();
    out.push_str(&format!("group: {}\n", plain(name)));
    if !patterns.is_empty() {
        out.push_str("patterns:\n");
        for (name, text) in patterns {
            out.push_str(&format!("  {}: {}\n", plain(name), quoted(text)));
        }
    }
    if rules.is_empty() {
        out.push_str("rules: []\n");
        return out;
    }
    out.push_str("rules:\n");
    for (at, rule) in rules.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        one(rule, &mut out);
    }
    out
}

fn one(rule: &Rule, out: &mut String) {
    for line in &rule.comment {
        out.push_str(&format!("  # {line}\n"));
    }
    out.push_str(&format!("  - name: {}\n", plain(&rule.name)));
    if rule.target != "message" {
        out.push_str(&format!("    in: {}\n", plain(&rule.target)));
    }
    match &rule.opening {
        Some(opening) => {
            list("start", &opening.any, out);
            list("end", &rule.any, out);
            out.push_str(&format!("    key: {}\n    timeout: {}\n", quoted(&opening.key), opening.timeout));
        }
        None => list(if rule.grok { "grok" } else { "match" }, &rule.any, out),
    }
    list("not", &rule.not, out);
    if !rule.labels.is_empty() {
        out.push_str("    labels:\n");
        for (name, label) in &rule.labels {
            out.push_str(&format!("      {}: {}\n", plain(name), shown(label)));
        }
    }
    if !rule.metrics.is_empty() {
        out.push_str("    metrics:\n");
        for metric in &rule.metrics {
            out.push_str(&format!("      - {{{}}}\n", keys(metric)));
        }
    }
}

fn list(key: &str, texts: &[String], out: &mut String) {
    match texts {
        [] => {}
        [only] => out.push_str(&format!("    {key}: {}\n", quoted(only))),
        several => {
            out.push_str(&format!("    {key}:\n"));
            for text in several {
                out.push_str(&format!("      - {}\n", quoted(text)));
            }
        }
    }
}

fn shown(label: &Label) -> String {
    if label.map.is_empty() {
        return quoted(&label.value);
    }
    let pairs: Vec<String> =
        label.map.iter().map(|(from, to)| format!("{}: {}", quoted(from), quoted(to))).collect();
    format!("{{value: {}, map: {{{}}}}}", quoted(&label.value), pairs.join(", "))
}

fn keys(metric: &Metric) -> String {
    let mut keys = vec![format!("type: {}", metric.kind), format!("name: {}", plain(&metric.name))];
    keys.extend(metric.help.as_ref().map(|help| format!("help: {}", quoted(help))));
    keys.extend(metric.value.as_ref().map(|value| format!("value: {}", quoted(value))));
    keys.extend(metric.unit.map(|unit| format!("unit: {unit}")));
    keys.extend(metric.action.map(|action| format!("action: {action}")));
    if !metric.buckets.is_empty() {
        keys.push(format!("buckets: [{}]", metric.buckets.join(", ")));
    }
    keys.join(", ")
}

/// The inputs of a `logtally.yml` that uses the rule files `rules`.
pub(super) fn inputs(head: &[&str], rules: &[&str], inputs: &[Input]) -> String {
    let mut out: String = head.iter().map(|line| format!("# {line}\n")).collect();
    out.push_str("inputs:\n");
    for input in inputs {
        out.push_str(&format!("  - name: {}\n", plain(&input.name)));
        flow("include", &input.include, &mut out);
        flow("exclude", &input.exclude, &mut out);
        if !input.labels.is_empty() {
            let pairs: Vec<String> = input
                .labels
                .iter()
                .map(|(name, value)| format!("{}: {}", plain(name), quoted(value)))
                .collect();
            out.push_str(&format!("    labels: {{{}}}\n", pairs.join(", ")));
        }
        if let Some(format) = &input.format {
            out.push_str(&format!("    format: {format}\n"));
        }
        match input.multiline.as_deref() {
            None => {}
            Some("off") => out.push_str("    multiline: off\n"),
            Some(start) => out.push_str(&format!("    multiline: {{start: {}}}\n", quoted(start))),
        }
        flow("rules", &input.rules, &mut out);
    }
    let rules: Vec<String> = rules.iter().map(|rules| quoted(rules)).collect();
    out.push_str(&format!("rules: [{}]\n", rules.join(", ")));
    out
}

fn flow(key: &str, texts: &[String], out: &mut String) {
    if !texts.is_empty() {
        let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
        out.push_str(&format!("    {key}: [{}]\n", texts.join(", ")));
    }
}

/// A word as it is, where YAML cannot take it for anything else.
fn plain(text: &str) -> String {
    let word = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let letter = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
    let other = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let meant = other.contains(&text.to_ascii_lowercase().as_str());
    if word && letter && !meant { text.to_owned() } else { quoted(text) }
}

/// A text in quotes: single ones, in which nothing is escaped, where it fits on one line.
fn quoted(text: &str) -> String {
    if !text.chars().any(|c| c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_they_were() {
        for text in ["", "it's", "a\tb", "no", "on", "7", "x: y", "a\\d\"", "\u{7f}", "#", "é\u{2028}"] {
            for written in [plain(text), quoted(text)] {
                let back: serde_yaml::Value = serde_yaml::from_str(&written).unwrap();
                assert_eq!(back.as_str(), Some(text), "{written}");
            }
        }
        assert_eq!(plain("db_timeout"), "db_timeout");
    }
}
