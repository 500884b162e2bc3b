//! What the types of this room are to a JSON Schema: as the reader takes them, so that an editor refuses nothing that
//! is understood.

use super::{At, Many, Pairs};
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use std::borrow::Cow;

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T: JsonSchema> JsonSchema for Many<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("ManyOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one.clone(), { "type": "array", "items": one }] })
    }
}

impl<T: JsonSchema> JsonSchema for Pairs<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("PairsOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<T>() })
    }
}

/// The JSON Schema of a type that [`read`](super::read) reads.
pub fn schema_of<T: JsonSchema>(title: &str) -> Value {
    let settings = SchemaSettings::draft07();
    let mut schema = settings.with_transform(TextsMayBeNumbers).into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), json!(title));
    schema.to_value()
}

/// One of these words.
pub fn words<'a>(all: impl IntoIterator<Item = &'a str>) -> Schema {
    json_schema!({ "type": "string", "enum": all.into_iter().collect::<Vec<_>>() })
}

/// One of these words, or a list of them.
pub fn many_words<'a>(all: impl IntoIterator<Item = &'a str>) -> Schema {
    let one = words(all);
    json_schema!({ "anyOf": [one.clone(), { "type": "array", "items": one }] })
}

/// Where a text is wanted the reader takes `9100` and `true` for one; numbers keep their range but lose the names that
/// Rust has for their widths.
#[derive(Clone, Debug)]
struct TextsMayBeNumbers;

impl Transform for TextsMayBeNumbers {
    fn transform(&mut self, schema: &mut Schema) {
        schema.remove("format");
        let is_free = schema.get("enum").is_none() && schema.get("const").is_none();
        if let Some(kind) = schema.get_mut("type").filter(|_| is_free) {
            let mut kinds: Vec<Value> = match kind.take() {
                Value::Array(kinds) => kinds,
                one => vec![one],
            };
            if kinds.contains(&json!("string")) && !kinds.contains(&json!("boolean")) {
                kinds.extend([json!("number"), json!("boolean")]);
            }
            *kind = if kinds.len() == 1 { kinds.remove(0) } else { Value::Array(kinds) };
        }
        transform_subschemas(self, schema);
    }
}
