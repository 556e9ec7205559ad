//! The `nodes:` of a topology: each a name and a place, or a row of so many nodes at one place.
//!
//! A row is expanded where it is read, so that everything after knows nodes only. `n: { count: 3, at: us/a }` stands for
//! n1, n2 and n3 there, in its place of the order.

use std::fmt;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

/// The most nodes of a row.
const MOST_IN_A_ROW: u32 = 10_000;

/// What may stand for a node: its place; or `count` nodes `at` a place, called by the name and a number from 1 on.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code)] // it is only there for the schema
pub(crate) enum NodeSettings {
    /// The place of the node.
    Place(String),
    /// So many nodes there.
    Row(Row),
}

/// Several nodes at one place, called by the name and a number from 1 on.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Row {
    /// How many nodes.
    count: u32,
    /// Where they are.
    at: String,
}

/// Reads nodes, rows expanded.
pub(crate) fn expanded<'de, D: Deserializer<'de>>(from: D) -> Result<IndexMap<String, String>, D::Error> {
    from.deserialize_map(AllNodes)
}

struct AllNodes;

impl<'de> Visitor<'de> for AllNodes {
    type Value = IndexMap<String, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut nodes = IndexMap::new();
        while let Some(name) = map.next_key::<String>()? {
            map.next_value_seed(Named { name, nodes: &mut nodes })?;
        }
        Ok(nodes)
    }
}

/// What stands under a name.
struct Named<'a> {
    name: String,
    nodes: &'a mut IndexMap<String, String>,
}

impl Named<'_> {
    fn add<E: Error>(&mut self, name: String, place: &str) -> Result<(), E> {
        match self.nodes.insert(name, place.to_owned()) {
            None => Ok(()),
            Some(_) => Err(E::custom(format!("`{}` makes a node whose name another has", self.name))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Named<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Named<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a place, or `{ count, at }`")
    }

    fn visit_str<E: Error>(mut self, place: &str) -> Result<(), E> {
        self.add(self.name.clone(), place)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, map: A) -> Result<(), A::Error> {
        let Row { count, at } = Row::deserialize(MapAccessDeserializer::new(map))?;
        if !(1..=MOST_IN_A_ROW).contains(&count) {
            let message = format!("{count} nodes in a row: it must be from 1 to {MOST_IN_A_ROW}");
            return Err(A::Error::custom(message));
        }
        (1..=count).try_for_each(|number| self.add(format!("{}{number}", self.name), &at))
    }
}
