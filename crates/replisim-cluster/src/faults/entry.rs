//! An entry of the schedule of faults, as it stands in a scenario.

use std::fmt;

use replisim_engine::Duration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{FaultKind, KEYS};

/// One entry of the schedule: `{ at: 20s, partition: { isolate: [r2] }, for: 10s }`.
#[derive(Clone, PartialEq, Debug)]
pub struct FaultEntry {
    /// When it begins.
    pub at: Duration,
    /// How long it lasts. Not given: until the clients stop; nodes that are down then stay down.
    pub lasts: Option<Duration>,
    /// What the results call it.
    pub name: Option<String>,
    /// Leave it out, instead of an error, where the protocol cannot obey it.
    pub if_supported: bool,
    /// What happens.
    pub kind: FaultKind,
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
                let (mut at, mut lasts, mut name, mut if_supported, mut kind) =
                    (None, None, None, None, None);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "at" => at = Some(map.next_value()?),
                        "for" => lasts = Some(map.next_value()?),
                        "name" => name = Some(map.next_value()?),
                        "if-supported" => if_supported = Some(map.next_value()?),
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
                    if_supported: if_supported.unwrap_or(false),
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
        if self.if_supported {
            map.serialize_entry("if-supported", &true)?;
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
        let described = |mut schema: Schema, about: &str| {
            schema.insert("description".to_owned(), about.into());
            schema
        };
        let mut properties = serde_json_map([
            ("at", described(duration.clone(), "When it begins, from the start of the run.")),
            (
                "for",
                described(
                    duration,
                    "How long it lasts. Not given: until the clients stop; nodes that are down then stay down.",
                ),
            ),
            ("name", described(json_schema!({ "type": "string" }), "What the results call it.")),
            (
                "if-supported",
                described(
                    json_schema!({ "type": "boolean", "default": false }),
                    "Leave it out, instead of an error, where the protocol cannot obey it.",
                ),
            ),
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
