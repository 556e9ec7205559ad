//! A `serde` deserialiser over a [`Node`] tree, for types as `serde` derives them.
//!
//! Its rules are the ones of the scenario language: an empty value means all defaults wherever a list or map is
//! expected, one scalar stands for a list of one, and a variant is a map with one key or, with all defaults, the bare
//! name. Each position is a [`Cursor`], which knows the path that led to it, so any error is placed at once.
//!
//! Types that buffer their input (`untagged`, `flatten`, internal tags) can be read, but `serde` hides from us what
//! goes on inside of them: their errors are placed at the whole value.

mod access;
mod cursor;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use self::access::{Choice, One};
use self::cursor::{Cursor, Path};
use super::failure::Failure;
use super::node::{Node, Value, shortened};
use super::problem::Problem;

/// Reads a tree as a `T`.
pub fn from_node<'a, T: Deserialize<'a>>(node: &'a Node) -> Result<T, Problem> {
    let root = Cursor { value: &node.value, origin: node.origin, path: &Path::Root };
    T::deserialize(root).map_err(|failure| failure.at(node.origin, root.path).into_problem())
}

impl<'a> Deserializer<'a> for Cursor<'a, '_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Failure> {
        let result = match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(value) => match (u64::try_from(*value), i64::try_from(*value)) {
                (Ok(value), _) => visitor.visit_u64(value),
                (_, Ok(value)) => visitor.visit_i64(value),
                _ => visitor.visit_i128(*value),
            },
            Value::Float(value) => visitor.visit_f64(*value),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::List(items) => self.visit_list(items, visitor),
            Value::Map(_) => self.visit_entries(visitor, &[]),
        };
        result.map_err(|failure| failure.at(self.origin, self.path))
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Failure> {
        let result = match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        };
        result.map_err(|failure| failure.at(self.origin, self.path))
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self).map_err(|failure| failure.at(self.origin, self.path))
    }

    fn deserialize_seq<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.value {
            Value::List(items) => self.visit_list(items, visitor),
            Value::Null => self.visit_list(&[], visitor),
            Value::Map(_) => {
                let failure = self.fail("expected a list, found a map");
                Err(if self.origin.is_override() { failure } else { failure.help("put `- ` before an item") })
            }
            _ => visitor.visit_seq(One(Some(self))).map_err(|failure| failure.at(self.origin, self.path)),
        }
    }

    fn deserialize_map<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.value {
            Value::Null | Value::Map(_) => self.visit_entries(visitor, &[]),
            other => Err(self.fail(format!("expected a map, found {}", other.in_words()))),
        }
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        if let Value::Map(_) | Value::Null = self.value {
            return self.visit_entries(visitor, fields);
        }
        let failure = self.fail(format!("expected a map, found {}", self.value.in_words()));
        Err(failure.help(match (fields, self.value.as_written()) {
            ([field], Some(text)) => format!("write `{{ {field}: {text} }}`"),
            _ => self.its_fields(fields),
        }))
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _: &'static str,
        choices: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let choice = match self.value {
            // `latency: 10ms`: a value without the choice that it belongs to.
            Value::String(text) if text.starts_with(|c: char| c.is_ascii_digit()) => {
                return Err(self.unchosen(&format!("`{}`", shortened(text)), choices).word(text));
            }
            Value::String(tag) => Choice { tag, origin: self.origin, content: None, path: self.path },
            Value::Map(entries) => match entries.as_slice() {
                [(key, node)] => {
                    Choice { tag: &key.text, origin: key.origin, content: Some(node), path: self.path }
                }
                [] => return Err(self.unchosen("an empty map", choices)),
                _ => return Err(self.ambiguous(entries, choices)),
            },
            other => {
                let failure = self.unchosen(&other.in_words(), choices);
                return Err(match (other, other.as_written()) {
                    (Value::Null, _) => failure.help("what belongs to it stands further in than its name"),
                    (_, Some(text)) => failure.word(text),
                    _ => failure,
                });
            }
        };
        visitor.visit_enum(choice).map_err(|failure| failure.at(self.origin, self.path))
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        <V: Visitor<'a>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        tuple tuple_struct identifier
    }
}
