//! Serde over the tree, going on after an error.
//!
//! Serde stops at the first error. So the value it happened in is marked and the reading begun again without it, until
//! nothing is wrong any more: each round finds one more problem. Unknown keys are reported as they are met.

use super::at::{AT, MANY, Style};
use super::flaw::{Error, shorten};
use super::near::{nearest, suggestion};
use super::tree::{Kind, Node};
use super::{Flaw, MAX_PROBLEMS, Spot};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

/// Takes a value out of the tree, reporting all that is wrong with it.
pub(super) fn read<T: DeserializeOwned>(root: &Node, flaws: &mut Vec<Flaw>) -> Option<T> {
    let context = Context::default();
    loop {
        match T::deserialize(De { node: root, context: &context }) {
            Ok(value) => {
                flaws.append(&mut context.flaws.borrow_mut());
                return Some(value);
            }
            Err(error) => {
                let (id, spot) = error.at.unwrap_or((id(root), root.spot));
                if !error.silent {
                    context.flaws.borrow_mut().push(Flaw { spot, message: error.message, hint: error.hint });
                }
                let known = !context.bad.borrow_mut().insert(id);
                if known || id == self::id(root) || context.bad.borrow().len() > MAX_PROBLEMS {
                    flaws.append(&mut context.flaws.borrow_mut());
                    return None;
                }
            }
        }
    }
}

#[derive(Default)]
struct Context {
    /// Values that were reported and are passed over.
    bad: RefCell<HashSet<usize>>,
    flaws: RefCell<Vec<Flaw>>,
    unknown: RefCell<HashSet<(u32, u32)>>,
}

impl Context {
    fn is_bad(&self, node: &Node) -> bool {
        self.bad.borrow().contains(&id(node))
    }
}

/// Nodes live as long as the tree, so that their addresses tell them apart.
fn id(node: &Node) -> usize {
    std::ptr::from_ref(node).addr()
}

/// The error with the value it happened in, unless an inner one is known.
fn placed(mut error: Error, node: &Node, context: &Context) -> Error {
    if error.at.is_none() {
        error.at = Some((id(node), node.spot));
        if let (Some(field), Kind::Map(entries)) = (error.missing, &node.kind) {
            // Given but wrong, or given under a name that was reported as a slip: said once is enough.
            let given = |(key, node): &(super::tree::Key, Rc<Node>)| match key.name == field {
                true => context.is_bad(node),
                false => {
                    let unknown = context.unknown.borrow().contains(&(key.spot.line, key.spot.column));
                    unknown && nearest(&key.name, [field]).is_some()
                }
            };
            error.silent = entries.iter().any(given);
        }
    }
    error
}

#[derive(Clone, Copy)]
struct De<'a> {
    node: &'a Node,
    context: &'a Context,
}

impl<'a> De<'a> {
    fn child(self, node: &'a Node) -> De<'a> {
        De { node, context: self.context }
    }

    fn fix<T>(self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| placed(error, self.node, self.context))
    }

    fn plain(self) -> Option<&'a str> {
        match &self.node.kind {
            Kind::Scalar(text) if self.node.spot.style == Style::Plain => Some(text),
            _ => None,
        }
    }

    fn is_null(self) -> bool {
        self.plain().is_some_and(|text| matches!(text, "" | "~" | "null" | "Null" | "NULL"))
    }

    fn map<'de, V: Visitor<'de>>(
        self,
        fields: Option<&'static [&'static str]>,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let Kind::Map(entries) = &self.node.kind else { return self.any(visitor) };
        let mut taken = Vec::with_capacity(entries.len());
        for (key, node) in entries {
            if let Some(fields) = fields
                && !fields.contains(&key.name.as_str())
            {
                if self.context.unknown.borrow_mut().insert((key.spot.line, key.spot.column)) {
                    let flaw = Flaw::new(key.spot, format!("unknown key `{}`", shorten(&key.name)));
                    let hint = suggestion(&key.name, fields.iter().copied());
                    self.context.flaws.borrow_mut().push(Flaw { hint, ..flaw });
                }
            } else if !self.context.is_bad(node) {
                taken.push((key, &**node));
            }
        }
        visitor.visit_map(Entries { de: self, entries: taken.into_iter(), value: None })
    }

    fn any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.kind {
            Kind::Map(_) => self.map(None, visitor),
            Kind::List(items) => {
                let items: Vec<_> =
                    items.iter().map(|node| &**node).filter(|n| !self.context.is_bad(n)).collect();
                visitor.visit_seq(Items { de: self, items: items.into_iter() })
            }
            Kind::Scalar(text) => match self.plain().map_or(Plain::Text, resolve) {
                Plain::Null => visitor.visit_unit(),
                Plain::Bool(value) => visitor.visit_bool(value),
                Plain::Unsigned(value) => visitor.visit_u64(value),
                Plain::Signed(value) => visitor.visit_i64(value),
                Plain::Float(value) => visitor.visit_f64(value),
                Plain::Text => visitor.visit_str(text),
            },
        }
    }
}

/// What a text without quotes stands for.
enum Plain {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text,
}

fn resolve(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "true" | "True" | "TRUE" => return Plain::Bool(true),
        "false" | "False" | "FALSE" => return Plain::Bool(false),
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return Plain::Text;
    }
    if let Ok(value) = text.parse() {
        Plain::Unsigned(value)
    } else if let Ok(value) = text.parse() {
        Plain::Signed(value)
    } else {
        let infinite = match text.to_ascii_lowercase().as_str() {
            ".inf" | "+.inf" => Some(f64::INFINITY),
            "-.inf" => Some(f64::NEG_INFINITY),
            ".nan" => Some(f64::NAN),
            _ => None,
        };
        let number = || text.parse::<f64>().ok().filter(|value| value.is_finite());
        infinite.or_else(number).map_or(Plain::Text, Plain::Float)
    }
}

impl<'de> Deserializer<'de> for De<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.fix(self.any(visitor))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        // Where a text is wanted, `9100` and `true` are one; nothing at all is not.
        self.fix(match &self.node.kind {
            Kind::Scalar(text) if !self.is_null() => visitor.visit_str(text),
            _ => self.any(visitor),
        })
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_null() { visitor.visit_none() } else { self.fix(visitor.visit_some(self)) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.fix(visitor.visit_newtype_struct(self))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == AT {
            return self.fix(visitor.visit_seq(Placed { de: self, step: 0 }));
        }
        if name == MANY {
            return self.fix(match &self.node.kind {
                Kind::List(_) => self.any(visitor),
                _ => visitor.visit_seq(Items { de: self, items: vec![self.node].into_iter() }),
            });
        }
        if let Kind::List(_) = self.node.kind {
            return self.fix(Err(de::Error::invalid_type(Unexpected::Seq, &visitor)));
        }
        self.fix(self.map(Some(fields), visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.fix(match &self.node.kind {
            Kind::Scalar(text) => {
                visitor.visit_enum(IntoDeserializer::<Error>::into_deserializer(text.as_str()))
            }
            _ => self.any(visitor),
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple
        tuple_struct map ignored_any
    }
}

struct Items<'a> {
    de: De<'a>,
    items: std::vec::IntoIter<&'a Node>,
}

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.items.next().map(|node| seed.deserialize(self.de.child(node))).transpose()
    }
}

struct Entries<'a> {
    de: De<'a>,
    entries: std::vec::IntoIter<(&'a super::tree::Key, &'a Node)>,
    value: Option<&'a Node>,
}

impl<'de> de::MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some((key, node)) = self.entries.next() else { return Ok(None) };
        self.value = Some(node);
        let spot = Spot { style: Style::Single, ..key.spot };
        let text = Node::text(key.name.clone(), spot);
        // A key that cannot be read is a problem of the value it names: that is what can be left out.
        let read = seed.deserialize(De { node: &text, context: self.de.context });
        read.map(Some).map_err(|error| Error { at: Some((id(node), key.spot)), ..error })
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let node = self.value.take().ok_or_else(|| Error::of("a key without its value"))?;
        seed.deserialize(self.de.child(node))
    }
}

/// A value after its place: line, column and style.
struct Placed<'a> {
    de: De<'a>,
    step: u8,
}

impl<'de> de::SeqAccess<'de> for Placed<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.step += 1;
        match self.step {
            1 => {
                let Spot { line, column, style } = self.de.node.spot;
                let place = [line, column, style as u32].into_iter();
                let place = de::value::SeqDeserializer::<_, Error>::new(place);
                seed.deserialize(place).map(Some)
            }
            2 => seed.deserialize(self.de).map(Some),
            _ => Ok(None),
        }
    }
}
