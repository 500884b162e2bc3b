//! Rules as they are written: the keys of a rule file and their shapes, before anything is checked against the world.

use super::yaml::{At, Many, Pairs, many_words, schema_of, words};
use crate::level::Level;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::json;
use std::borrow::Cow;
use std::fmt;

/// A rule file.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a rule file: a mapping with `group` and `rules`")]
#[schemars(rename = "RuleFile")]
pub(super) struct RawGroup {
    /// The name of these rules, by which inputs choose them.
    #[schemars(required)]
    pub(super) group: Option<At<String>>,
    /// Own names for `grok`: `{ORDERID: '[A-Z]{2}-[0-9]{6}'}`.
    #[serde(default)]
    pub(super) patterns: Pairs<At<String>>,
    /// The rules.
    #[schemars(required)]
    pub(super) rules: Option<Vec<At<RawRule>>>,
}

/// One rule.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a rule: a mapping with `name` and `match`, `grok` or `start` and `end`"
)]
#[schemars(rename = "Rule", transform = ways_to_match)]
pub(super) struct RawRule {
    /// The rule's name: its `pattern` label.
    #[schemars(required)]
    pub(super) name: Option<At<String>>,
    /// A regular expression that the event must match, or a list of which any may; not anchored.
    #[serde(rename = "match")]
    pub(super) matches: Option<At<Many<At<String>>>>,
    /// The same with the names of Logstash: `%{IP:client}`.
    pub(super) grok: Option<At<Many<At<String>>>>,
    /// With `end`: the line where a time begins; a regular expression, `{grok: …}`, or a list.
    pub(super) start: Option<At<Many<RawExpression>>>,
    /// With `start`: the line where the time ends, which is `${duration}`; this event counts.
    pub(super) end: Option<At<Many<RawExpression>>>,
    /// With `start` and `end`: what both lines have in common, such as `${id}`.
    pub(super) key: Option<At<String>>,
    /// With `start` and `end`: how long a start waits for its end, such as `10m`; 1h without it.
    pub(super) timeout: Option<At<String>>,
    /// A veto: where this matches, the rule does not.
    pub(super) not: Option<Many<RawExpression>>,
    /// Only events of these levels.
    #[serde(default)]
    #[schemars(schema_with = "levels")]
    pub(super) levels: Option<At<Many<At<String>>>>,
    /// What is looked at: `message` (default), `line`, or `field.NAME` of structured events.
    #[serde(default)]
    #[schemars(schema_with = "target")]
    #[serde(rename = "in")]
    pub(super) target: Option<At<String>>,
    /// Labels made of captures and fields: `{db: '${db}'}`.
    #[serde(default)]
    pub(super) labels: Option<Pairs<RawLabel>>,
    /// Metrics beside the count of events.
    #[serde(default)]
    pub(super) metrics: Option<Vec<At<RawMetric>>>,
    /// A Prometheus alert in the output of `logtally alerts`.
    pub(super) alert: Option<At<RawAlert>>,
    /// Lines and what the rule must make of them; `logtally check` runs them.
    #[serde(default)]
    pub(super) tests: Option<Vec<At<RawTest>>>,
}

/// An expression, as a text or as `{grok: …}`.
#[derive(Debug)]
pub(super) struct RawExpression {
    pub(super) text: At<String>,
    pub(super) is_grok: bool,
}

#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Grok")]
struct Grok {
    /// An expression with the names of Logstash: `%{IP:client}`.
    grok: At<String>,
}

impl<'de> Deserialize<'de> for RawExpression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        enum Written {
            Text(String),
            Grok(Grok),
        }
        struct Take;
        impl<'de> Visitor<'de> for Take {
            type Value = Written;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an expression, or a mapping with `grok`")
            }
            fn visit_str<E>(self, text: &str) -> Result<Written, E> {
                Ok(Written::Text(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Written, A::Error> {
                Grok::deserialize(MapAccessDeserializer::new(map)).map(Written::Grok)
            }
        }
        impl<'de> Deserialize<'de> for Written {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Take)
            }
        }
        let At { value, spot } = At::<Written>::deserialize(deserializer)?;
        Ok(match value {
            Written::Text(value) => RawExpression { text: At { value, spot }, is_grok: false },
            Written::Grok(grok) => RawExpression { text: grok.grok, is_grok: true },
        })
    }
}

impl JsonSchema for RawExpression {
    fn schema_name() -> Cow<'static, str> {
        "Expression".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, generator.subschema_for::<Grok>()] })
    }
}

/// A label: its template, or a mapping with more.
#[derive(Debug)]
pub(super) struct RawLabel {
    pub(super) value: At<String>,
    pub(super) map: Pairs<At<String>>,
    pub(super) default: Option<String>,
    pub(super) values: Vec<String>,
}

#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LongLabel")]
struct LongLabel {
    /// Text with captures: `${status}`.
    value: At<String>,
    /// Expressions and what stands for the values that they match, tried in order.
    #[serde(default)]
    map: Option<Pairs<At<String>>>,
    /// What stands for all other values.
    default: Option<String>,
    /// Values that are known beforehand and exposed at 0 from the start.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "MetricType")]
pub(super) enum RawType {
    Counter,
    Gauge,
    Histogram,
}

/// What a gauge does with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Action")]
pub(super) enum RawAction {
    Set,
    Inc,
    Dec,
    Min,
    Max,
}

/// A metric of a rule.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a metric: a mapping with `type` and `name`")]
#[schemars(rename = "Metric")]
pub(super) struct RawMetric {
    /// Counter, gauge or histogram.
    #[serde(rename = "type")]
    pub(super) kind: At<RawType>,
    /// The full name: with its base unit, and `_total` for counters.
    pub(super) name: At<String>,
    /// One sentence for people.
    pub(super) help: Option<At<String>>,
    /// Where the value comes from: `${seconds}`; units such as `12ms` or `3.4KiB` are read.
    pub(super) value: Option<At<String>>,
    /// The unit of a bare number, such as `ms`, `s`, `B`, `KiB` or `%`.
    pub(super) unit: Option<At<String>>,
    /// What a gauge does with the value; `set` without it.
    pub(super) action: Option<At<RawAction>>,
    /// Ascending upper bounds of a histogram, in base units or with a unit.
    pub(super) buckets: Option<At<Vec<At<String>>>>,
    /// Whether a histogram has a sparse form as well, which Prometheus takes by protobuf; as `native_histograms` of the
    /// config says without it.
    pub(super) native: Option<At<bool>>,
}

/// The alert of a rule.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an alert: a mapping with `when`")]
#[schemars(rename = "Alert")]
pub(super) struct RawAlert {
    /// Such as `rate > 0.1` or `increase[1h] > 10`.
    pub(super) when: At<String>,
    /// How long it must hold, such as `5m`.
    #[serde(rename = "for")]
    pub(super) hold: Option<At<String>>,
    /// One word; `warning` without it.
    pub(super) severity: Option<At<String>>,
}

/// A test of a rule.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a test: a mapping with `line` or `lines`, and `expect`")]
#[schemars(rename = "Test", transform = line_or_lines)]
pub(super) struct RawTest {
    /// A line of a log; `\\n` in double quotes for an event of several.
    pub(super) line: Option<At<String>>,
    /// Lines that stand one after another in a log.
    pub(super) lines: Option<At<Vec<String>>>,
    /// The format, where one line does not show it.
    pub(super) format: Option<At<String>>,
    /// What must hold.
    pub(super) expect: At<RawExpect>,
}

/// What a test expects.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping with `match`, `level`, `labels` or `values`")]
#[schemars(rename = "Expect")]
pub(super) struct RawExpect {
    /// Whether the rule matches.
    #[serde(rename = "match")]
    pub(super) matches: Option<bool>,
    /// The event's level.
    #[serde(default)]
    #[schemars(schema_with = "level")]
    pub(super) level: Option<At<String>>,
    /// Values of the rule's labels.
    #[serde(default)]
    pub(super) labels: Option<Pairs<String>>,
    /// Values of the rule's metrics in base units.
    #[serde(default)]
    pub(super) values: Option<Pairs<At<f64>>>,
}

impl JsonSchema for RawLabel {
    fn schema_name() -> Cow<'static, str> {
        "Label".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, generator.subschema_for::<LongLabel>()] })
    }
}

fn level(_: &mut SchemaGenerator) -> Schema {
    words(Level::ALL.map(Level::as_str))
}

fn levels(_: &mut SchemaGenerator) -> Schema {
    many_words(Level::ALL.map(Level::as_str))
}

fn target(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^(message|line|field\\..+)$" })
}

/// Which keys a rule has to have beside its name.
fn ways_to_match(schema: &mut Schema) {
    let ways =
        json!([{ "required": ["match"] }, { "required": ["grok"] }, { "required": ["start", "end", "key"] }]);
    schema.insert("oneOf".to_owned(), ways);
}

fn line_or_lines(schema: &mut Schema) {
    schema.insert("oneOf".to_owned(), json!([{ "required": ["line"] }, { "required": ["lines"] }]));
}

/// The JSON Schema of a rule file, for editors.
pub(super) fn schema() -> serde_json::Value {
    schema_of::<RawGroup>("Rules of logtally")
}
