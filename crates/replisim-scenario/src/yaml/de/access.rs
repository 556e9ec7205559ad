//! How `serde` is handed the parts of a value: items, entries, keys, and the choice that an enum is.

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::super::failure::Failure;
use super::super::node::{Key, Node, Origin, Value};
use super::cursor::{Cursor, Path};

/// The items of a list.
pub(super) struct Items<'a, 'p> {
    pub(super) items: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
    pub(super) path: &'p Path<'p>,
}

impl<'a> SeqAccess<'a> for Items<'a, '_> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, Failure> {
        let Some((index, node)) = self.items.next() else { return Ok(None) };
        let path = Path::Item { above: self.path, index };
        let item = Cursor { value: &node.value, origin: node.origin, path: &path };
        seed.deserialize(item).map(Some).map_err(|failure| failure.at(node.origin, &path))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// A scalar in the place of a list.
pub(super) struct One<'a, 'p>(pub(super) Option<Cursor<'a, 'p>>);

impl<'a> SeqAccess<'a> for One<'a, '_> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, Failure> {
        self.0.take().map(|item| seed.deserialize(item)).transpose()
    }
}

/// The entries of a map.
pub(super) struct Entries<'a, 'p> {
    pub(super) entries: std::slice::Iter<'a, (Key, Node)>,
    pub(super) current: Option<&'a (Key, Node)>,
    pub(super) path: &'p Path<'p>,
}

impl<'a> MapAccess<'a> for Entries<'a, '_> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Failure> {
        self.current = self.entries.next();
        let Some((key, _)) = self.current else { return Ok(None) };
        let path = Path::Key { above: self.path, text: &key.text, origin: key.origin };
        seed.deserialize(Text(&key.text)).map(Some).map_err(|failure| failure.at(key.origin, &path))
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Failure> {
        let Some((key, node)) = self.current.take() else {
            return Err(Failure::custom("a value was asked for before its key"));
        };
        let path = Path::Key { above: self.path, text: &key.text, origin: key.origin };
        let value = content(key.origin, Some(node), &path);
        seed.deserialize(value).map_err(|failure| match value.value {
            // `{ p:us }` is the key `p:us` without a value.
            Value::Null if key.text.contains(':') => {
                failure.at(value.origin, &path).or_help(|| "put a space after the `:`".to_owned())
            }
            _ => failure.at(value.origin, &path),
        })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// What stands below a key, or below the bare name of a variant. Nothing cannot be pointed at, so its key is.
fn content<'a, 'p>(key: Origin, node: Option<&'a Node>, path: &'p Path<'p>) -> Cursor<'a, 'p> {
    match node {
        Some(Node { origin, value }) if *value != Value::Null => Cursor { value, origin: *origin, path },
        _ => Cursor { value: &Value::Null, origin: key, path },
    }
}

/// A key of a map or the name of a variant: text that may also be read as a number, where the type asks for one.
struct Text<'a>(&'a str);

macro_rules! number_keys {
    ($($method:ident: $type:ty, $visit:ident;)*) => {$(
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Failure> {
            match self.0.parse::<$type>() {
                Ok(number) => visitor.$visit(number),
                Err(_) => visitor.visit_borrowed_str(self.0),
            }
        }
    )*};
}

impl<'a> Deserializer<'a> for Text<'a> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_enum(IntoDeserializer::<Failure>::into_deserializer(self.0))
    }

    number_keys! {
        deserialize_u8: u8, visit_u8;
        deserialize_u16: u16, visit_u16;
        deserialize_u32: u32, visit_u32;
        deserialize_u64: u64, visit_u64;
        deserialize_i32: i32, visit_i32;
        deserialize_i64: i64, visit_i64;
    }

    forward_to_deserialize_any! {
        <V: Visitor<'a>>
        bool i8 i16 i128 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple tuple_struct map
        struct identifier ignored_any
    }
}

/// A variant: its name and what stands below it.
pub(super) struct Choice<'a, 'p> {
    pub(super) tag: &'a str,
    pub(super) origin: Origin,
    pub(super) content: Option<&'a Node>,
    pub(super) path: &'p Path<'p>,
}

impl<'a, 'p> EnumAccess<'a> for Choice<'a, 'p> {
    type Error = Failure;
    type Variant = Choice<'a, 'p>;

    fn variant_seed<V: DeserializeSeed<'a>>(self, seed: V) -> Result<(V::Value, Choice<'a, 'p>), Failure> {
        let variant =
            seed.deserialize(Text(self.tag)).map_err(|failure| failure.at(self.origin, self.path))?;
        Ok((variant, self))
    }
}

impl<'a> Choice<'a, '_> {
    /// Hands the content to one of the deserialiser's methods. A bare name has the content "nothing".
    fn read<T>(self, read: impl FnOnce(Cursor<'a, '_>) -> Result<T, Failure>) -> Result<T, Failure> {
        let path = Path::Key { above: self.path, text: self.tag, origin: self.origin };
        let value = content(self.origin, self.content, &path);
        read(value).map_err(|failure| failure.at(value.origin, &path))
    }
}

impl<'a> VariantAccess<'a> for Choice<'a, '_> {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        let tag = self.tag;
        self.read(|content| match content.value {
            Value::Null => Ok(()),
            Value::Map(entries) if entries.is_empty() => Ok(()),
            other => Err(content.fail(format!("`{tag}` has no settings, found {}", other.in_words()))),
        })
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, Failure> {
        self.read(|content| seed.deserialize(content))
    }

    fn tuple_variant<V: Visitor<'a>>(self, length: usize, visitor: V) -> Result<V::Value, Failure> {
        self.read(|content| content.deserialize_tuple(length, visitor))
    }

    fn struct_variant<V: Visitor<'a>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.read(|content| content.deserialize_struct("", fields, visitor))
    }
}
