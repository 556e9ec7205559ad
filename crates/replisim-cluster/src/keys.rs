//! Which key an operation is about.

use rand::Rng;
use replisim_engine::random::{below, open_unit};
use replisim_observe::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A law over keys. All workloads share the keys 0, 1, 2 …
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Keys {
    /// Each of `count` keys equally often.
    Uniform(Count),
    /// Key of rank i with probability proportional to `1 / i^theta` (rank 1 is key 0); YCSB uses theta = 0.99.
    Zipf(Zipf),
    /// Every write takes the next of `count` keys, in turn: a fresh one as long as they last. A read is of one of those
    /// that this workload has written, each equally often.
    Sequence(Count),
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
            | Keys::Zipf(Zipf { count, .. }) => *count,
        }
    }

    /// The field that is wrong and why, if one is.
    pub fn problem(&self) -> Option<(&'static str, String)> {
        let name = match self {
            Keys::Uniform(_) => "uniform.count",
            Keys::Zipf(_) => "zipf.count",
            Keys::Sequence(_) => "sequence.count",
        };
        match self {
            _ if self.count() == 0 => Some((name, "there must be at least one key".to_owned())),
            _ if self.count() > MOST_KEYS => Some((name, format!("at most {MOST_KEYS} keys"))),
            Keys::Zipf(Zipf { theta, .. }) if !(0.0..=10.0).contains(theta) => {
                Some(("zipf.theta", "must lie between 0 and 10".to_owned()))
            }
            _ => None,
        }
    }
}

/// Draws keys.
#[derive(Clone, Debug)]
pub(crate) enum KeySampler {
    Uniform(u32),
    /// Cumulative probabilities by rank: exact for every theta, one number and a binary search a draw.
    Table(Vec<f64>),
    /// How many there are, and how often one has been taken.
    Sequence(u32, u64),
}

impl KeySampler {
    pub(crate) fn new(keys: &Keys) -> KeySampler {
        match keys {
            Keys::Uniform(Count { count }) => KeySampler::Uniform(*count),
            Keys::Zipf(Zipf { count, theta }) => {
                let mut sum = 0.0;
                let mut table: Vec<f64> = (1..=*count)
                    .map(|rank| {
                        sum += libm::pow(f64::from(rank), -theta);
                        sum
                    })
                    .collect();
                table.iter_mut().for_each(|cumulative| *cumulative /= sum);
                KeySampler::Table(table)
            }
            Keys::Sequence(Count { count }) => KeySampler::Sequence(*count, 0),
        }
    }

    /// The key of the next operation.
    pub(crate) fn sample(&mut self, is_read: bool, rng: &mut impl Rng) -> Key {
        match self {
            KeySampler::Uniform(count) => Key(below(rng, u64::from(*count)) as u32),
            KeySampler::Table(table) => {
                let u = open_unit(rng);
                let rank = table.partition_point(|cumulative| *cumulative <= u);
                Key(rank.min(table.len() - 1) as u32)
            }
            KeySampler::Sequence(count, taken) if is_read => {
                Key(below(rng, (*taken).clamp(1, u64::from(*count))) as u32)
            }
            KeySampler::Sequence(count, taken) => {
                *taken += 1;
                Key(((*taken - 1) % u64::from(*count)) as u32)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use replisim_engine::Streams;

    use super::*;

    #[test]
    fn keys_come_as_often_as_their_law_says() {
        const DRAWS: u32 = 200_000;
        for keys in [Keys::Uniform(Count { count: 20 }), Keys::Zipf(Zipf { count: 20, theta: 0.99 })] {
            let mut sampler = KeySampler::new(&keys);
            let mut stream = Streams::new(5).named("keys");
            let mut seen = [0u32; 20];
            (0..DRAWS).for_each(|_| seen[sampler.sample(true, &mut stream).index()] += 1);
            let weight = |rank: usize| match keys {
                Keys::Uniform(_) | Keys::Sequence(_) => 1.0,
                Keys::Zipf(Zipf { theta, .. }) => libm::pow(rank as f64 + 1.0, -theta),
            };
            let total: f64 = (0..20).map(weight).sum();
            for (rank, count) in seen.iter().enumerate() {
                let p = weight(rank) / total;
                let error = (p * (1.0 - p) / f64::from(DRAWS)).sqrt();
                let share = f64::from(*count) / f64::from(DRAWS);
                assert!((share - p).abs() < 4.5 * error, "{keys:?}: rank {rank} came {share}, not {p}");
            }
        }
    }

    #[test]
    fn a_sequence_gives_every_write_the_next_key_and_reads_what_it_has_written() {
        let mut sampler = KeySampler::new(&Keys::Sequence(Count { count: 3 }));
        let mut stream = Streams::new(5).named("keys");
        let mut sample = |is_read| sampler.sample(is_read, &mut stream).0;
        assert_eq!(sample(true), 0, "nothing is written");
        assert_eq!((0..2).map(|_| sample(false)).collect::<Vec<_>>(), [0, 1]);
        let read: std::collections::BTreeSet<u32> = (0..100).map(|_| sample(true)).collect();
        assert_eq!(read, [0, 1].into());
        assert_eq!((0..3).map(|_| sample(false)).collect::<Vec<_>>(), [2, 0, 1], "they begin again");
        let read: std::collections::BTreeSet<u32> = (0..100).map(|_| sample(true)).collect();
        assert_eq!(read, [0, 1, 2].into());
    }
}
