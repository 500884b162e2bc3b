//! What the user wrote in `logtally.yml`: every key optional, unknown keys refused with a suggestion.

use crate::rules::yaml::{At, Pairs};
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    pub(super) storage: Option<At<String>>,
    pub(super) inputs: Option<Vec<RawInput>>,
    pub(super) rules: Option<Vec<At<String>>>,
    pub(super) limits: RawLimits,
    pub(super) host: Option<At<RawHost>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawInput {
    pub(super) name: At<String>,
    pub(super) include: At<Vec<At<String>>>,
    #[serde(default)]
    pub(super) exclude: Vec<At<String>>,
    #[serde(default)]
    pub(super) labels: Pairs<At<String>>,
    pub(super) path_label: Option<At<String>>,
    pub(super) path_labels: Option<At<String>>,
    pub(super) format: Option<At<RawFormat>>,
    pub(super) multiline: Option<At<RawMultiline>>,
    pub(super) rules: Option<Vec<At<String>>>,
    #[serde(default)]
    pub(super) keyword_levels: bool,
    #[serde(default = "yes")]
    pub(super) access_levels: bool,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum RawFormat {
    Named(String),
    Custom(RawCustom),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCustom {
    pub(super) regex: Option<String>,
    pub(super) grok: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum RawMultiline {
    Named(String),
    Start(RawStart),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStart {
    pub(super) start: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLimits {
    pub(super) series_per_metric: Option<At<u64>>,
    pub(super) line_bytes: Option<At<RawSize>>,
    pub(super) event_lines: Option<At<u64>>,
    pub(super) files: Option<At<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum RawSize {
    Bytes(u64),
    Text(String),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum RawHost {
    /// `off` is a string or, in YAML 1.1, a boolean.
    Switch(bool),
    Word(String),
    On(RawHostOptions),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawHostOptions {
    pub(super) interval: Option<String>,
    pub(super) collectors: Option<Vec<String>>,
    pub(super) processes: Vec<RawProcessGroup>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProcessGroup {
    pub(super) name: String,
    #[serde(rename = "match")]
    pub(super) matching: String,
}
