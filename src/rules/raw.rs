//! Rules as they are written: the keys of a rule file and their shapes, before anything is checked against the world.

use super::yaml::{At, Many, Pairs};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use std::fmt;

/// A rule file.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, expecting = "a rule file: a mapping with `group` and `rules`")]
pub(super) struct RawGroup {
    pub(super) group: Option<At<String>>,
    #[serde(default)]
    pub(super) patterns: Pairs<At<String>>,
    pub(super) rules: Option<Vec<At<RawRule>>>,
}

/// One rule.
#[derive(Debug, serde::Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a rule: a mapping with `name` and `match`, `grok` or `start` and `end`"
)]
pub(super) struct RawRule {
    pub(super) name: Option<At<String>>,
    #[serde(rename = "match")]
    pub(super) matches: Option<At<Many<At<String>>>>,
    pub(super) grok: Option<At<Many<At<String>>>>,
    pub(super) start: Option<At<Many<At<String>>>>,
    pub(super) end: Option<At<Many<At<String>>>>,
    pub(super) key: Option<At<String>>,
    pub(super) timeout: Option<At<String>>,
    pub(super) not: Option<Many<At<String>>>,
    pub(super) levels: Option<At<Many<At<String>>>>,
    #[serde(rename = "in")]
    pub(super) target: Option<At<String>>,
    #[serde(default)]
    pub(super) labels: Option<Pairs<RawLabel>>,
    #[serde(default)]
    pub(super) metrics: Option<Vec<At<RawMetric>>>,
    pub(super) alert: Option<At<RawAlert>>,
    #[serde(default)]
    pub(super) tests: Option<Vec<At<RawTest>>>,
}

/// A label: its template, or a mapping with more.
#[derive(Debug)]
pub(super) struct RawLabel {
    pub(super) value: At<String>,
    pub(super) map: Pairs<At<String>>,
    pub(super) default: Option<String>,
    pub(super) values: Vec<String>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct LongLabel {
    value: At<String>,
    #[serde(default)]
    map: Option<Pairs<At<String>>>,
    default: Option<String>,
    #[serde(default)]
    values: Option<Many<String>>,
}

impl<'de> Deserialize<'de> for RawLabel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Take;
        impl<'de> Visitor<'de> for Take {
            type Value = (Option<String>, Option<LongLabel>);
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a label: `'${capture}'`, or a mapping with `value`")
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok((Some(text.to_owned()), None))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                LongLabel::deserialize(MapAccessDeserializer::new(map)).map(|long| (None, Some(long)))
            }
        }
        struct Short(Option<String>, Option<LongLabel>);
        impl<'de> Deserialize<'de> for Short {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Take).map(|(text, long)| Short(text, long))
            }
        }
        let At { value: Short(text, long), spot } = At::<Short>::deserialize(deserializer)?;
        Ok(match long {
            Some(long) => RawLabel {
                value: long.value,
                map: long.map.unwrap_or_default(),
                default: long.default,
                values: long.values.map(|values| values.0).unwrap_or_default(),
            },
            None => RawLabel {
                value: At { value: text.unwrap_or_default(), spot },
                map: Pairs::default(),
                default: None,
                values: Vec::new(),
            },
        })
    }
}

/// The types that rules can feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawType {
    Counter,
    Gauge,
    Histogram,
}

/// What a gauge does with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawAction {
    Set,
    Inc,
    Dec,
    Min,
    Max,
}

/// A metric of a rule.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, expecting = "a metric: a mapping with `type` and `name`")]
pub(super) struct RawMetric {
    #[serde(rename = "type")]
    pub(super) kind: At<RawType>,
    pub(super) name: At<String>,
    pub(super) help: Option<At<String>>,
    pub(super) value: Option<At<String>>,
    pub(super) unit: Option<At<String>>,
    pub(super) action: Option<At<RawAction>>,
    pub(super) buckets: Option<At<Vec<At<String>>>>,
}

/// The alert of a rule.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, expecting = "an alert: a mapping with `when`")]
pub(super) struct RawAlert {
    pub(super) when: At<String>,
    #[serde(rename = "for")]
    pub(super) hold: Option<At<String>>,
    pub(super) severity: Option<At<String>>,
}

/// A test of a rule.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, expecting = "a test: a mapping with `line` or `lines`, and `expect`")]
pub(super) struct RawTest {
    pub(super) line: Option<At<String>>,
    pub(super) lines: Option<At<Vec<String>>>,
    pub(super) format: Option<At<String>>,
    pub(super) expect: At<RawExpect>,
}

/// What a test expects.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, expecting = "a mapping with `match`, `level`, `labels` or `values`")]
pub(super) struct RawExpect {
    #[serde(rename = "match")]
    pub(super) matches: Option<bool>,
    pub(super) level: Option<At<String>>,
    #[serde(default)]
    pub(super) labels: Option<Pairs<String>>,
    #[serde(default)]
    pub(super) values: Option<Pairs<At<f64>>>,
}
