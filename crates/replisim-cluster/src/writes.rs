//! How the writing share of a workload writes: in one way, or in several by their shares.

use std::fmt;

use rand::Rng;
use replisim_engine::Share;
use replisim_engine::random::open_unit;
use schemars::JsonSchema;
use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

/// How the writing share of a workload writes: `put`, or shares that sum to 100 %, such as `{ put: 80%, delete: 20% }`.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Writes {
    /// Always in this way.
    One(Way),
    /// In several ways.
    Mix(WriteShares),
}

/// One way to write.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Blindly: a new value, whatever was there.
    #[default]
    Put,
    /// A delete, blindly.
    Delete,
    /// A put of a fresh key: the next of a `sequence`, or of `latest`.
    Add,
    /// A read, and as soon as its answer is there a write on the condition that nobody else has written since: two operations.
    CompareAndSet,
    /// A read, and as soon as its answer is there a write of what was made of it: two operations.
    ReadModifyWrite,
    /// The same, where the value is a set and each write adds a fresh element to what was read (with siblings: to the
    /// union of them all), as in Jepsen's tests of sets.
    SetAdd,
}

/// Which share of the writes is made in which way; together they are all.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct WriteShares {
    /// Blindly: a new value, whatever was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub put: Option<Share>,
    /// A delete, blindly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete: Option<Share>,
    /// A put of a fresh key: the next of a `sequence`, or of `latest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add: Option<Share>,
    /// A read, and then a write on the condition that nobody else has written since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compare_and_set: Option<Share>,
    /// A read, and then a write of what was made of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_modify_write: Option<Share>,
    /// A read, and then a write of that set with one more element.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_add: Option<Share>,
}

impl Default for Writes {
    fn default() -> Writes {
        Writes::One(Way::default())
    }
}

impl Writes {
    /// The ways that have a share, and the share of each.
    pub fn shares(&self) -> Vec<(Way, f64)> {
        let mix = match self {
            Writes::One(way) => return vec![(*way, 1.0)],
            Writes::Mix(mix) => mix,
        };
        let given = [
            (Way::Put, mix.put),
            (Way::Delete, mix.delete),
            (Way::Add, mix.add),
            (Way::CompareAndSet, mix.compare_and_set),
            (Way::ReadModifyWrite, mix.read_modify_write),
            (Way::SetAdd, mix.set_add),
        ];
        let given = given.into_iter().map(|(way, share)| (way, share.map_or(0.0, Share::get)));
        given.filter(|(_, share)| *share > 0.0).collect()
    }

    /// Whether some writes are made in this way.
    pub fn have(&self, way: Way) -> bool {
        self.shares().iter().any(|(other, _)| *other == way)
    }
}

impl Way {
    /// Whether it begins with a read.
    pub fn reads_first(self) -> bool {
        matches!(self, Way::CompareAndSet | Way::ReadModifyWrite | Way::SetAdd)
    }
}

/// A bare name, or a map of shares. Derived code would try one after the other and could not say what is wrong where.
impl<'de> Deserialize<'de> for Writes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Writes, D::Error> {
        deserializer.deserialize_any(NameOrShares)
    }
}

struct NameOrShares;

impl<'de> Visitor<'de> for NameOrShares {
    type Value = Writes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a way to write, such as `put`, or shares of several")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Writes, E> {
        Way::deserialize(StrDeserializer::new(name)).map(Writes::One)
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, name: &'de str) -> Result<Writes, E> {
        Way::deserialize(BorrowedStrDeserializer::new(name)).map(Writes::One)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Writes, A::Error> {
        WriteShares::deserialize(MapAccessDeserializer::new(map)).map(Writes::Mix)
    }
}

/// Draws ways to write; draws nothing where there is but one.
#[derive(Clone, Debug)]
pub(crate) struct WaySampler(Vec<(Way, f64)>);

impl WaySampler {
    pub(crate) fn new(writes: &Writes) -> WaySampler {
        let mut sum = 0.0;
        let cumulative = writes.shares().into_iter().map(|(way, share)| {
            sum += share;
            (way, sum)
        });
        WaySampler(cumulative.collect())
    }

    pub(crate) fn sample(&self, rng: &mut impl Rng) -> Way {
        match self.0.as_slice() {
            [] => Way::default(),
            [(only, _)] => *only,
            [ways @ .., (last, _)] => {
                let u = open_unit(rng);
                ways.iter().find(|(_, upto)| u < *upto).map_or(*last, |(way, _)| *way)
            }
        }
    }
}
