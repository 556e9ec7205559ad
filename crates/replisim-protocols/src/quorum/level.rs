//! Consistency levels: how many of the copies of a key, and in which regions, must have answered.
//!
//! The names and rules are Cassandra's. Counts are of the copies of one key; "local" is the coordinator's region.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::ring::Copies;
use crate::protocol::CommitRule;

/// How many copies an operation takes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Level {
    /// Writes: one copy, or a hint for one.
    Any,
    /// One copy.
    One,
    /// One copy in the coordinator's region.
    LocalOne,
    /// More than half of the copies.
    Quorum,
    /// More than half of the copies in the coordinator's region.
    LocalQuorum,
    /// More than half of the copies in every region that has some.
    EachQuorum,
    /// All copies.
    All,
    /// So many copies.
    Exactly(u32),
}

const NAMES: [(&str, Level); 7] = [
    ("any", Level::Any),
    ("one", Level::One),
    ("local-one", Level::LocalOne),
    ("quorum", Level::Quorum),
    ("local-quorum", Level::LocalQuorum),
    ("each-quorum", Level::EachQuorum),
    ("all", Level::All),
];

/// Sets of copies of one key are bits, by place in its preference list.
pub(super) type Places = u64;

impl Level {
    /// Whether the copies at `answered` are enough.
    pub(super) fn satisfied(self, copies: &Copies<'_>, answered: Places) -> bool {
        let of = |places: Places| (answered & places).count_ones();
        match self {
            Level::EachQuorum => copies.regions().all(|places| of(places) >= majority(places)),
            Level::LocalOne | Level::LocalQuorum => of(copies.local()) >= self.needed(copies),
            _ => of(copies.all()) >= self.needed(copies),
        }
    }

    /// Whether one more answer from `place` would help.
    pub(super) fn lacks(self, copies: &Copies<'_>, answered: Places, place: u32) -> bool {
        let of = |places: Places| (answered & places).count_ones();
        match self {
            Level::EachQuorum => {
                let region = copies.region_of(place);
                of(region) < majority(region)
            }
            Level::LocalOne | Level::LocalQuorum => {
                copies.local() >> place & 1 == 1 && of(copies.local()) < self.needed(copies)
            }
            _ => of(copies.all()) < self.needed(copies),
        }
    }

    /// How the copy at `place` counts towards the commit of a write; not at all if its region is of no matter.
    pub(super) fn commit_rule(self, copies: &Copies<'_>, place: u32) -> Option<CommitRule> {
        let is_local = copies.local() >> place & 1 == 1;
        let one_class = CommitRule { class: 0, needed: self.needed(copies), classes: 1 };
        match self {
            Level::EachQuorum => {
                let region = copies.region_of(place);
                let classes = copies.regions().count() as u32;
                Some(CommitRule { class: region.trailing_zeros(), needed: majority(region), classes })
            }
            Level::LocalOne | Level::LocalQuorum => is_local.then_some(one_class),
            _ => Some(one_class),
        }
    }

    /// The level of a read that meets every write acknowledged at `self`, at least `least`: as many copies as lack the
    /// write, and one.
    pub(super) fn meets(self, copies: &Copies<'_>, least: Level) -> Level {
        let all = copies.all().count_ones();
        let written = match self {
            Level::Any => 0,
            // Whoever coordinated the write may be of another region.
            Level::LocalQuorum => copies.regions().map(majority).min().unwrap_or_default(),
            _ => self.needed(copies),
        };
        let enough = (all - written.min(all) + 1).min(all);
        Level::Exactly(enough.max(least.needed(copies)))
    }

    fn needed(self, copies: &Copies<'_>) -> u32 {
        match self {
            Level::Any | Level::One | Level::LocalOne => 1,
            Level::Exactly(n) => n,
            Level::Quorum => majority(copies.all()),
            Level::LocalQuorum => majority(copies.local()),
            Level::EachQuorum => copies.regions().map(majority).sum(),
            Level::All => copies.all().count_ones(),
        }
    }
}

fn majority(places: Places) -> u32 {
    places.count_ones() / 2 + 1
}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self, NAMES.iter().find(|(_, level)| level == self)) {
            (Level::Exactly(n), _) => serializer.serialize_u32(*n),
            (_, name) => serializer.serialize_str(name.map_or("", |(name, _)| name)),
        }
    }
}

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Level, D::Error> {
        struct Level_;
        const EXPECTED: &[&str] =
            &["any", "one", "local-one", "quorum", "local-quorum", "each-quorum", "all", "a number"];

        impl Visitor<'_> for Level_ {
            type Value = Level;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of copies, or a level such as `quorum`")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Level, E> {
                u32::try_from(number)
                    .map(Level::Exactly)
                    .map_err(|_| E::custom("more copies than there can be"))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Level, E> {
                let named = NAMES.iter().find(|(name, _)| *name == text).map(|(_, level)| *level);
                let number = || text.parse().ok().map(Level::Exactly);
                named.or_else(number).ok_or_else(|| E::unknown_variant(text, EXPECTED))
            }
        }
        deserializer.deserialize_any(Level_)
    }
}

impl JsonSchema for Level {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Level".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names = NAMES.map(|(name, _)| name);
        json_schema!({
            "description": "How many copies: a number, or a level by name.",
            "anyOf": [{ "type": "integer", "minimum": 1 }, { "enum": names }]
        })
    }
}
