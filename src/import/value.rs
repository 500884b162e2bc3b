//! YAML of other programs: values of any shape, each with its line.

use crate::error::Problem;
use crate::rules::yaml::{self, At};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    /// A text, a number or a truth value, as it would be written.
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// A value and its line, from 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

/// Reads a text.
pub(super) fn read(file: &str, text: &str) -> Result<Node, Vec<Problem>> {
    match yaml::read::<Node>(file, text) {
        (Some(node), problems) if problems.is_empty() => Ok(node),
        (_, problems) => Err(problems),
    }
}

impl Node {
    /// The value of a key; a null is none.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let found = self.entries().iter().find(|(name, _)| name == key).map(|(_, node)| node);
        found.filter(|node| node.value != Value::Null)
    }

    pub(super) fn entries(&self) -> &[(String, Node)] {
        if let Value::Map(entries) = &self.value { entries } else { &[] }
    }

    pub(super) fn list(&self) -> &[Node] {
        if let Value::List(list) = &self.value { list } else { &[] }
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The text of a key.
    pub(super) fn word(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// Whether a key is true.
    pub(super) fn is(&self, key: &str) -> bool {
        self.word(key) == Some("true")
    }

    /// The texts of a key that holds one or a list of them.
    pub(super) fn words(&self, key: &str) -> Vec<String> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let one = node.text().map(str::to_owned);
        one.into_iter().chain(node.list().iter().filter_map(|node| node.text().map(str::to_owned))).collect()
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        let At { value, spot } = At::<Value>::deserialize(deserializer)?;
        Ok(Node { line: spot.line as usize, value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        struct Take;
        impl<'de> Visitor<'de> for Take {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }
            fn visit_bool<E>(self, on: bool) -> Result<Value, E> {
                Ok(Value::Text(on.to_string()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
                Ok(Value::Text(number.to_string()))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
                Ok(Value::Text(number.to_string()))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
                Ok(Value::Text(number.to_string()))
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_none<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                let mut list = Vec::new();
                while let Some(node) = seq.next_element()? {
                    list.push(node);
                }
                Ok(Value::List(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Value::Map(entries))
            }
        }
        deserializer.deserialize_any(Take)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_any_shape_keep_their_lines() {
        let node = read("f", "a: 1\nb:\n  - x\n  - {c: true}\nd:\n").unwrap();
        assert_eq!(node.word("a"), Some("1"));
        assert_eq!(node.words("b"), ["x"]);
        assert!(node.get("b").unwrap().list()[1].is("c"));
        assert_eq!(node.get("b").unwrap().list()[1].line, 4);
        assert_eq!(node.get("d"), None);
        assert!(read("f", "a: [").is_err());
    }
}
