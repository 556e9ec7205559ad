//! What goes wrong, and when. A fault is a set of changes to the stage that can be undone; to add one, write its file
//! and its line in the table below.

use std::fmt;

use replisim_engine::Duration;
use replisim_network::{Network, Partition, PartitionId, Site};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

mod partition;

pub use partition::PartitionFault;

/// One entry of the schedule: `{ at: 20s, partition: { isolate: [r2] }, for: 10s }`.
#[derive(Clone, PartialEq, Debug)]
pub struct FaultEntry {
    /// When it begins.
    pub at: Duration,
    /// How long it lasts; until the clients stop if not given.
    pub lasts: Option<Duration>,
    /// What the results call it.
    pub name: Option<String>,
    /// What happens.
    pub kind: FaultKind,
}

/// What a fault does. The configuration of each fault implements this.
pub trait Fault {
    /// The nodes it names, each with the path of the name below the fault.
    fn nodes_named(&self) -> Vec<(String, &str)>;

    /// What is wrong with its settings, if something is: path below the fault, message.
    fn problem(&self) -> Option<(String, String)>;

    /// Who does what to whom, in a few words for charts.
    fn label(&self) -> String;

    /// Makes it happen; returns what has to be undone when it ends.
    fn begin(&self, hands: &mut Hands<'_>) -> Vec<Undo>;
}

/// What a fault can lay its hands on.
pub struct Hands<'a> {
    pub(crate) network: &'a mut Network,
    pub(crate) nodes: &'a [String],
}

/// A change that a fault made and its end undoes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Undo {
    /// Heal this partition.
    Heal(PartitionId),
}

impl Hands<'_> {
    /// The node called `name`.
    pub fn node(&self, name: &str) -> Option<Site> {
        self.nodes.iter().position(|other| other == name).map(|i| Site(i as u32))
    }

    /// All nodes.
    pub fn nodes(&self) -> impl Iterator<Item = Site> + use<> {
        (0..self.nodes.len() as u32).map(Site)
    }

    /// The sites of all clients.
    pub fn clients(&self) -> impl Iterator<Item = Site> + use<> {
        (self.nodes.len() as u32..self.network.sites().len() as u32).map(Site)
    }

    /// Whether two sites are in the same zone.
    pub fn same_zone(&self, a: Site, b: Site) -> bool {
        self.network.sites()[a.index()].place == self.network.sites()[b.index()].place
    }

    /// Begins a partition.
    pub fn cut(&mut self, partition: Partition) -> Undo {
        Undo::Heal(self.network.cut(partition))
    }
}

/// Makes the table of faults: the enum, its names in YAML, and the way through it.
macro_rules! faults {
    ($($(#[$doc:meta])* $name:literal => $variant:ident($config:ty),)*) => {
        /// The kinds of fault.
        #[derive(Clone, PartialEq, Debug)]
        pub enum FaultKind {
            $($(#[$doc])* $variant($config),)*
        }

        impl FaultKind {
            /// Their names in YAML.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// Name in YAML.
            pub fn name(&self) -> &'static str {
                match self { $(FaultKind::$variant(_) => $name,)* }
            }

            /// What it does.
            pub fn fault(&self) -> &dyn Fault {
                match self { $(FaultKind::$variant(fault) => fault,)* }
            }

            fn next_value<'de, A: MapAccess<'de>>(name: &str, map: &mut A) -> Option<Result<FaultKind, A::Error>> {
                match name {
                    $($name => Some(map.next_value().map(FaultKind::$variant)),)*
                    _ => None,
                }
            }

            fn serialize_entry<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
                match self { $(FaultKind::$variant(fault) => map.serialize_entry($name, fault),)* }
            }

            fn schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
                vec![$(($name, generator.subschema_for::<$config>())),*]
            }
        }

        /// All keys of an entry, for messages.
        const KEYS: &[&str] = &["at", "for", "name", $($name),*];
    };
}

faults! {
    /// Some nodes are cut off from the others.
    "partition" => Partition(PartitionFault),
}

// By hand and not derived: the name of the fault stands beside `at` and `for`, and serde's `flatten` would lose the
// place of an error within it.
impl<'de> Deserialize<'de> for FaultEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<FaultEntry, D::Error> {
        struct Entry;
        impl<'de> Visitor<'de> for Entry {
            type Value = FaultEntry;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a fault: `at`, one kind of fault, and `for`")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FaultEntry, A::Error> {
                let (mut at, mut lasts, mut name, mut kind) = (None, None, None, None);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "at" => at = Some(map.next_value()?),
                        "for" => lasts = Some(map.next_value()?),
                        "name" => name = Some(map.next_value()?),
                        other => match FaultKind::next_value(other, &mut map) {
                            Some(value) if kind.is_none() => kind = Some(value?),
                            Some(_) => {
                                return Err(A::Error::custom(
                                    "an entry has one kind of fault; make it two entries",
                                ));
                            }
                            None => return Err(A::Error::unknown_field(other, KEYS)),
                        },
                    }
                }
                Ok(FaultEntry {
                    at: at.ok_or_else(|| A::Error::missing_field("at"))?,
                    lasts,
                    name,
                    kind: kind.ok_or_else(|| {
                        A::Error::custom(format!(
                            "says no fault; the kinds are: {}",
                            FaultKind::NAMES.join(", ")
                        ))
                    })?,
                })
            }
        }
        deserializer.deserialize_struct("FaultEntry", KEYS, Entry)
    }
}

impl Serialize for FaultEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("at", &self.at)?;
        self.kind.serialize_entry(&mut map)?;
        if let Some(lasts) = &self.lasts {
            map.serialize_entry("for", lasts)?;
        }
        if let Some(name) = &self.name {
            map.serialize_entry("name", name)?;
        }
        map.end()
    }
}

impl JsonSchema for FaultEntry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FaultEntry".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let duration = generator.subschema_for::<Duration>();
        let mut properties = serde_json_map([
            ("at", duration.clone()),
            ("for", duration),
            ("name", json_schema!({ "type": "string" })),
        ]);
        let mut one_of = Vec::new();
        for (name, schema) in FaultKind::schemas(generator) {
            properties.insert(name.to_owned(), schema.into());
            one_of.push(json_schema!({ "required": [name] }));
        }
        json_schema!({
            "description": "A fault of the schedule: when, what, for how long (until the clients stop if not given).",
            "type": "object",
            "properties": properties,
            "required": ["at"],
            "oneOf": one_of,
            "additionalProperties": false,
        })
    }
}

/// A JSON object out of schemas; `schemars` re-exports no constructor for it.
fn serde_json_map<const N: usize>(
    entries: [(&str, Schema); N],
) -> serde_json::Map<String, serde_json::Value> {
    entries.into_iter().map(|(name, schema)| (name.to_owned(), schema.into())).collect()
}
