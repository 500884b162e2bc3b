//! What the user wrote in `logtally.yml`: every key optional, unknown keys refused with a suggestion.

use crate::host::COLLECTORS;
use crate::parse::Format;
use crate::rules::yaml::{At, Many, Pairs, many_words, schema_of, words};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor, value::MapAccessDeserializer};
use serde_json::json;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Config")]
pub(super) struct Raw {
    /// Where offsets and counts are kept: a folder, or `none`.
    pub(super) storage: Option<At<String>>,
    /// Sets of files that share settings.
    pub(super) inputs: Option<Vec<RawInput>>,
    /// Rule files, globs of them, `builtin` or `builtin:NAME`; `[]` for none.
    pub(super) rules: Option<Many<At<String>>>,
    /// Bounds of what is kept.
    pub(super) limits: RawLimits,
    /// Metrics of the host: `off`, `on`, or options.
    #[serde(default)]
    #[schemars(schema_with = "host")]
    pub(super) host: Option<At<RawHost>>,
    /// Receivers that numbers are sent to, where nothing can scrape.
    pub(super) push: Vec<RawPush>,
    /// Whether histograms of rules have a sparse form as well, which Prometheus takes by protobuf: `on` or `off` (the
    /// default). A metric's own `native` wins.
    #[schemars(schema_with = "switch")]
    pub(super) native_histograms: Option<At<RawSwitch>>,
    /// Whether the page shows a line of each rule: `on` (the default) or `off`.
    #[schemars(schema_with = "switch")]
    pub(super) samples: Option<At<RawSwitch>>,
    /// Expressions whose matches are blacked out of those lines, besides the usual secrets.
    pub(super) redact: Option<Many<At<String>>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Input")]
pub(super) struct RawInput {
    /// The label `input`.
    pub(super) name: At<String>,
    /// Files, globs and folders to read.
    pub(super) include: At<Many<At<String>>>,
    /// Files and globs to leave out.
    pub(super) exclude: Option<Many<At<String>>>,
    /// Labels added to every metric of this input.
    #[serde(default)]
    pub(super) labels: Pairs<At<String>>,
    /// What the `path` label holds.
    #[serde(default)]
    #[schemars(schema_with = "path_label")]
    pub(super) path_label: Option<At<String>>,
    /// An expression on paths whose named captures become labels.
    pub(super) path_labels: Option<At<String>>,
    /// The lines' format: `auto`, a name, `{regex: …}` or `{grok: …}`.
    #[serde(default)]
    #[schemars(schema_with = "format")]
    pub(super) format: Option<At<RawFormat>>,
    /// Where events begin: `auto`, `off` or `{start: REGEX}`.
    #[serde(default)]
    #[schemars(schema_with = "multiline")]
    pub(super) multiline: Option<At<RawMultiline>>,
    /// Groups of rules that apply; all without it.
    pub(super) rules: Option<Many<At<String>>>,
    /// Take the level from words of the message where the header has none.
    #[serde(default)]
    pub(super) keyword_levels: bool,
    /// Give lines of access logs a level by their status.
    #[serde(default = "yes")]
    pub(super) access_levels: bool,
}

fn yes() -> bool {
    true
}

/// A format's name, or an expression.
pub(super) type RawFormat = Either<RawCustom>;
/// A word, or where events start.
pub(super) type RawMultiline = Either<RawStart>;
/// `on` or `off`, which are booleans in YAML 1.1.
pub(super) type RawSwitch = Either<std::collections::BTreeMap<String, serde::de::IgnoredAny>>;
/// `on` and `off`, or options.
pub(super) type RawHost = Either<RawHostOptions>;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CustomFormat")]
pub(super) struct RawCustom {
    /// An expression with the captures `level` and `message`.
    pub(super) regex: Option<At<String>>,
    /// The same with the names of Logstash.
    pub(super) grok: Option<At<String>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Start")]
pub(super) struct RawStart {
    /// An expression that the first line of an event matches.
    pub(super) start: At<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Limits")]
pub(super) struct RawLimits {
    /// Past it further label sets go to one series.
    pub(super) series_per_metric: Option<At<u64>>,
    /// Bytes of a line that are looked at, such as `1MiB`.
    pub(super) line_bytes: Option<At<RawSize>>,
    /// Lines of an event that are looked at.
    pub(super) event_lines: Option<At<u64>>,
    /// Files followed at a time.
    pub(super) files: Option<At<u64>>,
}

/// A size: a number of bytes, or a text with a unit.
#[derive(Debug)]
pub(super) enum RawSize {
    Bytes(u64),
    Text(String),
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "HostOptions")]
pub(super) struct RawHostOptions {
    /// How often the host is sampled, such as `1s`.
    pub(super) interval: Option<At<String>>,
    /// Which metrics of the host; all without it.
    #[serde(default)]
    #[schemars(schema_with = "collectors")]
    pub(super) collectors: Option<Many<At<String>>>,
    /// Groups of processes to measure.
    pub(super) processes: Vec<RawProcessGroup>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProcessGroup")]
pub(super) struct RawProcessGroup {
    /// The label of the group.
    pub(super) name: At<String>,
    /// An expression on their command line.
    #[serde(rename = "match")]
    pub(super) matching: At<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Push")]
pub(super) struct RawPush {
    /// Where to send: the receiver's whole address.
    pub(super) url: At<String>,
    /// The label of this receiver in the exporter's own metrics; the address's host by default.
    pub(super) name: Option<At<String>>,
    /// `remote_write` (the default), `remote_write_v1` or `otlp`.
    #[serde(default)]
    #[schemars(schema_with = "protocol")]
    pub(super) protocol: Option<At<String>>,
    /// The time between two pushes, 15s by default.
    pub(super) interval: Option<At<String>>,
    /// How long an answer may take, 10s by default.
    pub(super) timeout: Option<At<String>>,
    /// Sent with each request.
    #[serde(default)]
    pub(super) headers: Pairs<At<String>>,
    pub(super) basic_auth: Option<At<RawBasicAuth>>,
    /// A file that holds the token of `Authorization: Bearer`.
    pub(super) bearer_token_file: Option<At<String>>,
    pub(super) tls: Option<RawPushTls>,
    /// The receiver takes native histograms: those of rules that have this form are sent in it, by remote write besides
    /// their explicit buckets.
    #[serde(default)]
    pub(super) send_native_histograms: bool,
    /// Labels added to every series.
    #[serde(default)]
    pub(super) labels: Pairs<At<String>>,
    /// The most memory that waiting samples may take; beyond it the oldest are dropped and counted.
    pub(super) queue_bytes: Option<At<RawSize>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BasicAuth")]
pub(super) struct RawBasicAuth {
    pub(super) username: At<String>,
    /// A file that holds the password.
    pub(super) password_file: At<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "PushTls")]
pub(super) struct RawPushTls {
    /// Certificates of the authorities that are trusted instead of the system's.
    pub(super) ca_file: Option<At<String>>,
    /// The client's certificate.
    pub(super) cert_file: Option<At<String>>,
    /// The client's key.
    pub(super) key_file: Option<At<String>>,
    /// The name that the receiver's certificate is to have.
    pub(super) server_name: Option<At<String>>,
    /// Trust any certificate.
    pub(super) insecure_skip_verify: bool,
}

/// A word or a mapping. Serde's own untagged enums would not say what is wrong inside the mapping.
#[derive(Debug)]
pub(super) enum Either<T> {
    Word(String),
    Map(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Either<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Take<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Take<T> {
            type Value = Either<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word or a mapping")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Either<T>, E> {
                Ok(Either::Word(text.to_owned()))
            }
            // `off` and its like are booleans in YAML 1.1.
            fn visit_bool<E: Error>(self, on: bool) -> Result<Either<T>, E> {
                Ok(Either::Word(if on { "on" } else { "off" }.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Either<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Either::Map)
            }
        }
        deserializer.deserialize_any(Take(PhantomData))
    }
}

impl<'de> Deserialize<'de> for RawSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Take;
        impl Visitor<'_> for Take {
            type Value = RawSize;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size such as 1MiB")
            }
            fn visit_u64<E: Error>(self, bytes: u64) -> Result<RawSize, E> {
                Ok(RawSize::Bytes(bytes))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<RawSize, E> {
                Ok(RawSize::Text(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Take)
    }
}

impl JsonSchema for RawSize {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text = json!({ "type": "string", "pattern": "^[0-9.]+ *[A-Za-z]*$" });
        json_schema!({ "anyOf": [{ "type": "integer", "minimum": 0 }, text] })
    }
}

/// One of these words, or a mapping; `off` and its like may be booleans.
fn word_or<T: JsonSchema>(all: &[&str], generator: &mut SchemaGenerator) -> Schema {
    let mapping = generator.subschema_for::<T>();
    json_schema!({ "anyOf": [words(all.iter().copied()), mapping] })
}

fn format(generator: &mut SchemaGenerator) -> Schema {
    let names = Format::ALL.iter().map(|format| format.as_str());
    word_or::<RawCustom>(&[&["auto"], &*names.collect::<Vec<_>>()].concat(), generator)
}

fn multiline(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = word_or::<RawStart>(&["auto", "off"], generator);
    switched(&mut schema, &[false]);
    schema
}

fn host(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = word_or::<RawHostOptions>(&["on", "off"], generator);
    switched(&mut schema, &[true, false]);
    schema
}

/// Lets booleans stand for `on` and `off`.
fn switched(schema: &mut Schema, values: &[bool]) {
    if let Some(serde_json::Value::Array(any)) = schema.get_mut("anyOf") {
        any.push(json!({ "enum": values }));
    }
}

fn collectors(_: &mut SchemaGenerator) -> Schema {
    many_words(COLLECTORS.iter().copied())
}

fn path_label(_: &mut SchemaGenerator) -> Schema {
    words(["full", "name", "none"])
}

fn switch(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [words(["on", "off"]), { "type": "boolean" }] })
}

fn protocol(_: &mut SchemaGenerator) -> Schema {
    words(["remote_write", "remote_write_v1", "otlp"])
}

/// The JSON Schema of the config, for editors.
pub fn schema() -> serde_json::Value {
    schema_of::<Raw>("Config of logtally")
}
