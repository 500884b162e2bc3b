//! What all panels share: the colours of levels and of good and bad, and the short forms of queries.
//!
//! A query is written with marks, which [`promql`] replaces, so that every selector asks the same variables.

use crate::tally::catalog::LEVELS;
use serde_json::{Value, json};

pub(super) const GREEN: &str = "#73BF69";
pub(super) const BLUE: &str = "#5794F2";
pub(super) const ORANGE: &str = "#FF9830";
pub(super) const RED: &str = "#F2495C";
pub(super) const PURPLE: &str = "#B877D9";
pub(super) const GREY: &str = "#8E9BA8";
pub(super) const CYAN: &str = "#4FC3D9";
const SLATE: &str = "#6B7A8C";

/// The colour of a level, the same on every panel.
pub(super) fn level_colour(level: &str) -> &'static str {
    match level {
        "trace" => SLATE,
        "debug" => BLUE,
        "info" => GREEN,
        "notice" => CYAN,
        "warning" => ORANGE,
        "error" => RED,
        "critical" => PURPLE,
        _ => GREY,
    }
}

/// Overrides that colour the series named like levels.
pub(super) fn level_overrides() -> Vec<Value> {
    LEVELS.iter().map(|level| colour_override(level, level_colour(level))).collect()
}

/// An override that gives the series `name` a fixed colour.
pub(super) fn colour_override(name: &str, colour: &str) -> Value {
    json!({
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
    })
}

/// Value mappings that colour cells holding a level's name.
pub(super) fn level_mappings() -> Value {
    let options: serde_json::Map<String, Value> = LEVELS
        .iter()
        .enumerate()
        .map(|(index, level)| {
            ((*level).to_owned(), json!({"color": level_colour(level), "index": index, "text": level}))
        })
        .collect();
    json!([{"type": "value", "options": options}])
}

/// The marks a selector may begin with and what they ask for; a longer list of labels after a mark is kept.
const MARKS: [(&str, &str); 6] = [
    ("{@path", r#"{job=~"$job",instance=~"$instance",input=~"$input",path=~"$path""#),
    (
        "{@pattern",
        r#"{job=~"$job",instance=~"$instance",input=~"$input",pattern=~"$pattern",level=~"$level""#,
    ),
    ("{@level", r#"{job=~"$job",instance=~"$instance",input=~"$input",level=~"$level""#),
    ("{@input", r#"{job=~"$job",instance=~"$instance",input=~"$input""#),
    ("{@", r#"{job=~"$job",instance=~"$instance""#),
    ("[@]", "[$__rate_interval]"),
];

/// A query with its marks replaced: `{@}` asks for job and instance, `{@input}`, `{@level}`, `{@pattern}` and
/// `{@path}` for the dashboard's further variables as well, `[@]` is the rate interval.
pub(super) fn promql(marked: &str) -> String {
    MARKS.iter().fold(marked.to_owned(), |query, (mark, meaning)| query.replace(mark, meaning))
}

/// The letters A, B, … of a panel's queries; after Z come Z1, Z2, ….
pub(super) fn ref_id(index: usize) -> String {
    match u8::try_from(index) {
        Ok(i) if i < 26 => char::from(b'A' + i).to_string(),
        _ => format!("Z{}", index - 25),
    }
}

/// The data source that every panel, variable and annotation names.
pub(super) fn datasource() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_matchers() {
        assert_eq!(
            promql("rate(a{@}[@])"),
            r#"rate(a{job=~"$job",instance=~"$instance"}[$__rate_interval])"#
        );
        assert_eq!(
            promql(r#"a{@input,reason="x"}"#),
            r#"a{job=~"$job",instance=~"$instance",input=~"$input",reason="x"}"#
        );
        assert!(!promql("a{@path} b{@pattern} c{@level}").contains('@'));
    }

    #[test]
    fn each_level_has_its_own_colour() {
        let colours: std::collections::BTreeSet<_> = LEVELS.iter().map(|l| level_colour(l)).collect();
        assert_eq!(colours.len(), LEVELS.len());
        assert_eq!((ref_id(0), ref_id(25), ref_id(26)), ("A".into(), "Z".into(), "Z1".into()));
    }
}
