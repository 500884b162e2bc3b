//! What the user wrote in `logtally.yml`: every key optional, unknown keys refused with a suggestion.

use crate::rules::yaml::{At, Many, Pairs};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor, value::MapAccessDeserializer};
use std::fmt;
use std::marker::PhantomData;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    pub(super) storage: Option<At<String>>,
    pub(super) inputs: Option<Vec<RawInput>>,
    pub(super) rules: Option<Many<At<String>>>,
    pub(super) limits: RawLimits,
    pub(super) host: Option<At<RawHost>>,
    pub(super) samples: Option<At<RawSwitch>>,
    pub(super) redact: Option<Many<At<String>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawInput {
    pub(super) name: At<String>,
    pub(super) include: At<Many<At<String>>>,
    pub(super) exclude: Option<Many<At<String>>>,
    #[serde(default)]
    pub(super) labels: Pairs<At<String>>,
    pub(super) path_label: Option<At<String>>,
    pub(super) path_labels: Option<At<String>>,
    pub(super) format: Option<At<RawFormat>>,
    pub(super) multiline: Option<At<RawMultiline>>,
    pub(super) rules: Option<Many<At<String>>>,
    #[serde(default)]
    pub(super) keyword_levels: bool,
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCustom {
    pub(super) regex: Option<At<String>>,
    pub(super) grok: Option<At<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStart {
    pub(super) start: At<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLimits {
    pub(super) series_per_metric: Option<At<u64>>,
    pub(super) line_bytes: Option<At<RawSize>>,
    pub(super) event_lines: Option<At<u64>>,
    pub(super) files: Option<At<u64>>,
}

/// A size: a number of bytes, or a text with a unit.
#[derive(Debug)]
pub(super) enum RawSize {
    Bytes(u64),
    Text(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawHostOptions {
    pub(super) interval: Option<At<String>>,
    pub(super) collectors: Option<Many<At<String>>>,
    pub(super) processes: Vec<RawProcessGroup>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProcessGroup {
    pub(super) name: At<String>,
    #[serde(rename = "match")]
    pub(super) matching: At<String>,
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
