//! An entry of the schedule of faults, as it stands in a scenario: at a given time, or again and again at random.
//!
//! What breaks down at random works for a time drawn from an exponential law of mean `mtbf`, is broken for one of mean
//! `mttr`, and so on: an alternating renewal process, which is broken for mttr ÷ (mtbf + mttr) of the time. Left out:
//! wear (a rate that grows with age), and breakdowns that others cause.

use std::fmt;

use replisim_engine::Duration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{FaultKind, KEYS};

/// One entry of the schedule: `{ at: 20s, partition: { isolate: [r2] }, for: 10s }`, or
/// `{ crash: { nodes: [r1, r2] }, mtbf: 10m, mttr: 30s }`.
#[derive(Clone, PartialEq, Debug)]
pub struct FaultEntry {
    /// When it begins; where it comes at random, it does not before.
    pub at: Duration,
    /// Whether it comes again and again, and how often.
    pub breakdowns: Option<Breakdowns>,
    /// How long it lasts. Not given: until the clients stop; nodes that are down then stay down.
    pub lasts: Option<Duration>,
    /// What the results call it.
    pub name: Option<String>,
    /// Leave it out, instead of an error, where the protocol cannot obey it.
    pub if_supported: bool,
    /// What happens.
    pub kind: FaultKind,
}

/// How often something breaks down by itself, and how long repairs take; both times are exponential.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Breakdowns {
    /// The mean time from one repair to the next failure.
    pub mtbf: Duration,
    /// The mean time to repair.
    pub mttr: Duration,
}

impl FaultEntry {
    /// The entry for each of the nodes that break down by themselves; the entry itself where it is about all at once.
    pub fn each(self) -> Vec<FaultEntry> {
        let kinds = if self.breakdowns.is_some() { self.kind.fault().each() } else { Vec::new() };
        if kinds.len() < 2 {
            return vec![self];
        }
        let name = |kind: &FaultKind| Some(format!("{}: {}", self.name.as_ref()?, kind.fault().label()));
        kinds.into_iter().map(|kind| FaultEntry { name: name(&kind), kind, ..self.clone() }).collect()
    }

    /// Whether it ends before the clients stop.
    pub fn ends(&self) -> bool {
        self.lasts.is_some() || self.breakdowns.is_some()
    }
}

// By hand and not derived: the name of the fault stands beside `at` and `for`, and serde's `flatten` would lose the
// place of an error within it.
impl<'de> Deserialize<'de> for FaultEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<FaultEntry, D::Error> {
        struct Entry;
        impl<'de> Visitor<'de> for Entry {
            type Value = FaultEntry;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a fault: `at`, one kind of fault, and `for`; or one kind of fault, `mtbf` and `mttr`",
                )
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FaultEntry, A::Error> {
                let (mut at, mut lasts, mut mtbf, mut mttr) = (None, None, None, None);
                let (mut name, mut if_supported, mut kind) = (None, None, None);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "at" => at = Some(map.next_value()?),
                        "for" => lasts = Some(map.next_value()?),
                        "mtbf" => mtbf = Some(map.next_value()?),
                        "mttr" => mttr = Some(map.next_value()?),
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
                let breakdowns = match (mtbf, mttr) {
                    (None, None) => None,
                    (Some(mtbf), Some(mttr)) => Some(Breakdowns { mtbf, mttr }),
                    (None, _) => return Err(A::Error::missing_field("mtbf")),
                    (_, None) => return Err(A::Error::missing_field("mttr")),
                };
                let at = at.or(breakdowns.map(|_| Duration::ZERO));
                Ok(FaultEntry {
                    at: at.ok_or_else(|| A::Error::missing_field("at"))?,
                    breakdowns,
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
        if self.breakdowns.is_none() || self.at != Duration::ZERO {
            map.serialize_entry("at", &self.at)?;
        }
        self.kind.serialize_entry(&mut map)?;
        if let Some(lasts) = &self.lasts {
            map.serialize_entry("for", lasts)?;
        }
        if let Some(Breakdowns { mtbf, mttr }) = &self.breakdowns {
            map.serialize_entry("mtbf", mtbf)?;
            map.serialize_entry("mttr", mttr)?;
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
        let of = |schema: &Schema, description: &str| {
            let mut schema = schema.clone();
            schema.insert("description".to_owned(), description.into());
            schema
        };
        let duration = generator.subschema_for::<Duration>();
        let (string, boolean) =
            (json_schema!({ "type": "string" }), json_schema!({ "type": "boolean", "default": false }));
        let mut properties = serde_json_map([
            ("at", of(&duration, "When it begins. With `mtbf`: it does not come before (0s unless given).")),
            (
                "for",
                of(
                    &duration,
                    "How long it lasts: until the clients stop unless given; nodes that are down stay down.",
                ),
            ),
            (
                "mtbf",
                of(
                    &duration,
                    "In place of `at`: it comes again and again, after an exponential time of this mean. Where it names `nodes`, each breaks down by itself.",
                ),
            ),
            (
                "mttr",
                of(&duration, "In place of `for`: it is repaired after an exponential time of this mean."),
            ),
            ("name", of(&string, "What the results call it; who does what to whom unless given.")),
            (
                "if-supported",
                of(&boolean, "Leave it out, instead of an error, where the protocol has no such thing."),
            ),
        ]);
        let mut one_of = Vec::new();
        for (name, schema) in FaultKind::schemas(generator) {
            properties.insert(name.to_owned(), schema.into());
            one_of.push(json_schema!({ "required": [name] }));
        }
        json_schema!({
            "description": "A fault of the schedule: when, what, for how long; or how often it comes at random, and how long a repair takes.",
            "type": "object",
            "properties": properties,
            "if": { "not": { "required": ["mtbf"] } },
            "then": { "required": ["at"] },
            "dependentRequired": { "mtbf": ["mttr"], "mttr": ["mtbf"] },
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
