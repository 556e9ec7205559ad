//! Which key an operation is about.

use rand::Rng;
use replisim_engine::Share;
use replisim_engine::random::{below, open_unit};
use replisim_observe::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::writes::Way;

/// A law over keys. All workloads share the keys 0, 1, 2 …
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Keys {
    /// Each of `count` keys equally often.
    Uniform(Count),
    /// Key of rank i with probability proportional to `1 / i^theta` (rank 1 is key 0); YCSB uses theta = 0.99.
    Zipf(Zipf),
    /// A few hot keys, the first ones, take most of the operations; within and outside of them all are equal.
    HotSpot(HotSpot),
    /// Every write takes the next of `count` keys, in turn: a fresh one as long as they last. A read, a delete and a
    /// compare-and-set are of one of those that this workload has written, each equally often.
    Sequence(Count),
    /// Every `add` takes the next of `count` keys, in turn; all else is about those that this workload has added, the
    /// newest first: the i-th newest with probability proportional to `1 / i^theta`. YCSB's workload D.
    Latest(Zipf),
}

/// How many keys.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Count {
    /// The number of keys.
    pub count: u32,
}

/// A zipf law.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Zipf {
    /// The number of keys.
    pub count: u32,
    /// How uneven: 0 is uniform.
    pub theta: f64,
}

/// A hot spot.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct HotSpot {
    /// The number of keys.
    pub count: u32,
    /// The share of the keys that is hot, to the nearest whole key.
    pub hot: Share,
    /// The share of the operations that is about them.
    pub operations: Share,
}

impl HotSpot {
    /// How many keys are hot.
    fn hot_keys(&self) -> u32 {
        (f64::from(self.count) * self.hot.get()).round() as u32
    }
}

impl Default for HotSpot {
    fn default() -> HotSpot {
        HotSpot { count: 1_000, hot: Share::new(0.2), operations: Share::new(0.8) }
    }
}

impl Default for Count {
    fn default() -> Count {
        Count { count: 1_000 }
    }
}

impl Default for Zipf {
    fn default() -> Zipf {
        Zipf { count: 1_000, theta: 0.99 }
    }
}

impl Default for Keys {
    fn default() -> Keys {
        Keys::Uniform(Count::default())
    }
}

/// The most keys a workload may have: a zipf law keeps a table of them.
pub const MOST_KEYS: u32 = 10_000_000;

impl Keys {
    /// The number of keys.
    pub fn count(&self) -> u32 {
        match self {
            Keys::Uniform(Count { count })
            | Keys::Sequence(Count { count })
            | Keys::HotSpot(HotSpot { count, .. })
            | Keys::Latest(Zipf { count, .. })
            | Keys::Zipf(Zipf { count, .. }) => *count,
        }
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Keys::Uniform(_) => "uniform",
            Keys::Zipf(_) => "zipf",
            Keys::HotSpot(_) => "hot-spot",
            Keys::Sequence(_) => "sequence",
            Keys::Latest(_) => "latest",
        }
    }

    /// The field that is wrong and why, if one is.
    pub fn problem(&self) -> Option<(String, String)> {
        let (field, message) = match self {
            _ if self.count() == 0 => ("count", "there must be at least one key".to_owned()),
            _ if self.count() > MOST_KEYS => ("count", format!("at most {MOST_KEYS} keys")),
            Keys::Zipf(Zipf { theta, .. }) | Keys::Latest(Zipf { theta, .. })
                if !(0.0..=10.0).contains(theta) =>
            {
                ("theta", "must lie between 0 and 10".to_owned())
            }
            Keys::HotSpot(spot) if spot.hot_keys() == 0 => ("hot", "no key would be hot".to_owned()),
            Keys::HotSpot(spot) if spot.hot_keys() == spot.count => {
                ("hot", "every key would be hot: that is `uniform`".to_owned())
            }
            _ => return None,
        };
        Some((format!("{}.{field}", self.name()), message))
    }
}

/// Draws keys.
#[derive(Clone, Debug)]
pub(crate) enum KeySampler {
    Uniform(u32),
    Table(RankTable),
    /// How many keys are hot, how many are not, and the share of operations on the hot ones.
    HotSpot(u32, u32, f64),
    /// How many there are, and how often one has been taken.
    Sequence(u32, u64),
    /// Sums of weights by rank, and how often a key has been added.
    Latest(Vec<f64>, u64),
}

impl KeySampler {
    pub(crate) fn new(keys: &Keys) -> KeySampler {
        match keys {
            Keys::Uniform(Count { count }) => KeySampler::Uniform(*count),
            Keys::Zipf(zipf) => {
                let mut table = zipf.sums();
                let sum = table.last().copied().unwrap_or(1.0);
                table.iter_mut().for_each(|cumulative| *cumulative /= sum);
                KeySampler::Table(RankTable::new(table))
            }
            Keys::HotSpot(spot) => {
                let hot = spot.hot_keys();
                KeySampler::HotSpot(hot, spot.count - hot, spot.operations.get())
            }
            Keys::Sequence(Count { count }) => KeySampler::Sequence(*count, 0),
            Keys::Latest(zipf) => KeySampler::Latest(zipf.sums(), 0),
        }
    }

    /// The key of the next operation: a read, or a write in some way.
    pub(crate) fn sample(&mut self, way: Option<Way>, rng: &mut impl Rng) -> Key {
        match self {
            KeySampler::Uniform(count) => Key(below(rng, u64::from(*count)) as u32),
            KeySampler::Table(table) => Key(table.rank(open_unit(rng))),
            KeySampler::HotSpot(hot, cold, operations) => match open_unit(rng) < *operations {
                true => Key(below(rng, u64::from(*hot)) as u32),
                false => Key(*hot + below(rng, u64::from(*cold)) as u32),
            },
            KeySampler::Sequence(count, taken) => match way {
                None | Some(Way::Delete | Way::CompareAndSet) => {
                    Key(below(rng, (*taken).clamp(1, u64::from(*count))) as u32)
                }
                Some(_) => next(taken, *count),
            },
            KeySampler::Latest(sums, added) if way == Some(Way::Add) => next(added, sums.len() as u32),
            KeySampler::Latest(sums, added) => {
                let there = (*added).clamp(1, sums.len() as u64) as usize;
                let newest = (*added).saturating_sub(1);
                let back = u64::from(rank(&sums[..there], open_unit(rng) * sums[there - 1]));
                Key(((newest - back.min(newest)) % sums.len() as u64) as u32)
            }
        }
    }
}

/// The next of `count` keys, in turn.
fn next(taken: &mut u64, count: u32) -> Key {
    *taken += 1;
    Key(((*taken - 1) % u64::from(count)) as u32)
}

/// Cumulative probabilities by rank: exact for every theta, one number a draw. A guide (Chen & Asau 1974) leaves a few
/// ranks to search.
#[derive(Clone, Debug)]
pub(crate) struct RankTable {
    cumulative: Vec<f64>,
    /// For each of `2^k` equal parts of the interval from 0 to 1: the rank of its beginning; and the last rank. A power of
    /// two, so that which part a number lies in is exact. Fewer than there are ranks: all parts are drawn equally often, so
    /// they should stay in the cache.
    guide: Vec<u32>,
}

impl RankTable {
    fn new(cumulative: Vec<f64>) -> RankTable {
        let parts = (cumulative.len() / 4).next_power_of_two();
        let beginnings = (0..parts).map(|part| rank(&cumulative, part as f64 / parts as f64));
        let guide = beginnings.chain([cumulative.len() as u32 - 1]).collect();
        RankTable { cumulative, guide }
    }

    #[inline]
    fn rank(&self, u: f64) -> u32 {
        let part = (u * (self.guide.len() - 1) as f64) as usize;
        let (first, last) = (self.guide[part], self.guide[part + 1]);
        first + rank(&self.cumulative[first as usize..=last as usize], u)
    }
}

/// The first place whose cumulative weight is above `u`.
fn rank(cumulative: &[f64], u: f64) -> u32 {
    cumulative.partition_point(|upto| *upto <= u).min(cumulative.len() - 1) as u32
}

impl Zipf {
    /// The sum of the weights of the first 1, 2, 3 … ranks.
    fn sums(&self) -> Vec<f64> {
        let mut sum = 0.0;
        let weights = (1..=self.count).map(|rank| {
            sum += libm::pow(f64::from(rank), -self.theta);
            sum
        });
        weights.collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use replisim_engine::Streams;

    use super::*;

    #[test]
    fn keys_come_as_often_as_their_law_says() {
        const DRAWS: u32 = 200_000;
        let spot = HotSpot { count: 20, hot: Share::new(0.2), operations: Share::new(0.8) };
        for keys in [
            Keys::Uniform(Count { count: 20 }),
            Keys::Zipf(Zipf { count: 20, theta: 0.99 }),
            Keys::HotSpot(spot),
            Keys::Latest(Zipf { count: 20, theta: 0.99 }),
        ] {
            let mut sampler = KeySampler::new(&keys);
            let mut stream = Streams::new(5).named("keys");
            // Of 33 adds the last 20 are there: keys 13 to 19 the second time, 12 the newest.
            (0..33).for_each(|_| _ = sampler.sample(Some(Way::Add), &mut stream));
            let mut seen = [0u32; 20];
            (0..DRAWS).for_each(|_| seen[sampler.sample(None, &mut stream).index()] += 1);
            let weight = |key: usize| match keys {
                Keys::Uniform(_) | Keys::Sequence(_) => 1.0,
                Keys::Zipf(Zipf { theta, .. }) => libm::pow(key as f64 + 1.0, -theta),
                Keys::HotSpot(_) => {
                    if key < 4 {
                        0.8 / 4.0
                    } else {
                        0.2 / 16.0
                    }
                }
                Keys::Latest(Zipf { theta, .. }) => libm::pow(((12 + 20 - key) % 20) as f64 + 1.0, -theta),
            };
            let total: f64 = (0..20).map(weight).sum();
            for (key, count) in seen.iter().enumerate() {
                let p = weight(key) / total;
                let error = (p * (1.0 - p) / f64::from(DRAWS)).sqrt();
                let share = f64::from(*count) / f64::from(DRAWS);
                assert!((share - p).abs() < 4.5 * error, "{keys:?}: key {key} came {share}, not {p}");
            }
        }
    }

    /// The keys that come in a hundred reads.
    fn read(sampler: &mut KeySampler, stream: &mut impl Rng) -> BTreeSet<u32> {
        (0..100).map(|_| sampler.sample(None, stream).0).collect()
    }

    #[test]
    fn the_guide_leads_to_the_rank_that_a_search_of_all_finds() {
        let mut stream = Streams::new(5).named("keys");
        for (count, theta) in [(1, 0.99), (2, 0.0), (20, 0.99), (1_000, 0.5), (1_025, 10.0), (100_000, 1.2)] {
            let KeySampler::Table(table) = KeySampler::new(&Keys::Zipf(Zipf { count, theta })) else {
                panic!("a table")
            };
            let edges =
                table.cumulative.iter().take(100).flat_map(|edge| [edge.next_down(), *edge, edge.next_up()]);
            let edges: Vec<f64> = edges.filter(|u| *u < 1.0).collect();
            for u in edges.into_iter().chain((0..10_000).map(|_| open_unit(&mut stream))) {
                assert_eq!(table.rank(u), rank(&table.cumulative, u), "{count} keys, theta {theta}, u = {u}");
            }
        }
    }

    #[test]
    fn a_sequence_gives_every_write_the_next_key_and_reads_what_it_has_written() {
        let mut sampler = KeySampler::new(&Keys::Sequence(Count { count: 3 }));
        let mut stream = Streams::new(5).named("keys");
        assert_eq!(sampler.sample(None, &mut stream).0, 0, "nothing is written");
        let mut write = |sampler: &mut KeySampler, way| sampler.sample(Some(way), &mut stream).0;
        let ways = [Way::Put, Way::ReadModifyWrite];
        assert_eq!(ways.map(|way| write(&mut sampler, way)), [0, 1]);
        assert_eq!(read(&mut sampler, &mut Streams::new(6).named("keys")), [0, 1].into());
        assert!(write(&mut sampler, Way::Delete) < 2, "one that is there");
        let ways = [Way::Put, Way::Add, Way::SetAdd];
        assert_eq!(ways.map(|way| write(&mut sampler, way)), [2, 0, 1], "they begin again");
        assert_eq!(read(&mut sampler, &mut Streams::new(6).named("keys")), [0, 1, 2].into());
    }

    #[test]
    fn latest_knows_only_what_was_added_and_only_adds_move_it_on() {
        let mut sampler = KeySampler::new(&Keys::Latest(Zipf { count: 50, theta: 0.5 }));
        let mut stream = Streams::new(5).named("keys");
        assert_eq!(read(&mut sampler, &mut stream), [0].into(), "nothing is added");
        for newest in 0..4 {
            assert_eq!(sampler.sample(Some(Way::Add), &mut stream), Key(newest));
            assert!(sampler.sample(Some(Way::Put), &mut stream).0 <= newest);
            assert_eq!(read(&mut sampler, &mut stream), (0..=newest).collect(), "after {newest}");
        }
    }
}
