//! A brute-force Monte Carlo of the paper's model, WARS (Bailis et al. 2012): an answer of its own for rows that nobody has
//! printed. It shares nothing with the simulator, neither code nor random numbers.
//!
//! A write reaches each of N replicas after W and its acknowledgement takes A; it is done when the w-th is back. A read
//! begins t later, reaches them after R, and the answers take S; the first r count. The read is stale if the write
//! reached none of those before the read did.

use super::row::{Estimate, error_of, least_error};

/// A mixture: weight and law of each part.
pub(crate) type Mixture = &'static [(f64, Law)];

/// A law of a delay in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Law {
    Pareto { least: f64, shape: f64 },
    Exponential { rate: f64 },
}

/// The delays of one of the paper's systems.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delays {
    /// Of a write on its way to a replica.
    pub(crate) write: Mixture,
    /// Of the acknowledgement, the read and its answer.
    pub(crate) other: Mixture,
    /// On top of all, one way, between the regions; each replica is in a region of its own.
    pub(crate) regions_apart: Option<f64>,
}

/// N, R and W.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Quorums {
    pub(crate) copies: usize,
    pub(crate) read: usize,
    pub(crate) write: usize,
}

/// What the model says: of all trials, and of each of [`BATCHES`] batches of them for the error.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    all: Samples,
    batches: Vec<Samples>,
}

/// Sorted latencies, and how long after the acknowledgement a read would have been fresh.
#[derive(Clone, Debug, Default)]
struct Samples {
    reads: Vec<f64>,
    writes: Vec<f64>,
    fresh_from: Vec<f64>,
}

const BATCHES: usize = 32;

const SSD: Mixture =
    &[(0.9122, Law::Pareto { least: 0.235, shape: 10.0 }), (0.0878, Law::Exponential { rate: 1.66 })];
const DISK: Mixture =
    &[(0.38, Law::Pareto { least: 1.05, shape: 1.51 }), (0.62, Law::Exponential { rate: 0.183 })];
const YMMR_WRITE: Mixture =
    &[(0.939, Law::Pareto { least: 3.0, shape: 3.35 }), (0.061, Law::Exponential { rate: 0.0028 })];
const YMMR_OTHER: Mixture =
    &[(0.982, Law::Pareto { least: 1.5, shape: 3.8 }), (0.018, Law::Exponential { rate: 0.0217 })];

pub(crate) const LNKD_SSD: Delays = Delays { write: SSD, other: SSD, regions_apart: None };
pub(crate) const LNKD_DISK: Delays = Delays { write: DISK, other: SSD, regions_apart: None };
pub(crate) const YMMR: Delays = Delays { write: YMMR_WRITE, other: YMMR_OTHER, regions_apart: None };
pub(crate) const WAN: Delays = Delays { write: DISK, other: SSD, regions_apart: Some(75.0) };

/// Splitmix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In (0, 1).
    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn delay(&mut self, mixture: Mixture) -> f64 {
        let mut left = self.unit();
        let part = mixture.iter().find(|(weight, _)| {
            left -= weight;
            left < 0.0
        });
        let u = self.unit();
        match part.unwrap_or(&mixture[0]).1 {
            Law::Pareto { least, shape } => least * libm::pow(u, -1.0 / shape),
            Law::Exponential { rate } => -libm::log(u) / rate,
        }
    }
}

impl Delays {
    /// So many trials.
    pub(crate) fn simulate(&self, quorums: Quorums, trials: usize, seed: u64) -> Answers {
        let mut random = Random(seed);
        let per_batch = trials.div_ceil(BATCHES);
        let batches: Vec<Samples> =
            (0..BATCHES).map(|_| self.batch(quorums, per_batch, &mut random).sorted()).collect();
        let mut all = Samples::default();
        for batch in &batches {
            all.reads.extend(&batch.reads);
            all.writes.extend(&batch.writes);
            all.fresh_from.extend(&batch.fresh_from);
        }
        Answers { all: all.sorted(), batches }
    }

    fn batch(&self, quorums: Quorums, trials: usize, random: &mut Random) -> Samples {
        let Quorums { copies, read, write } = quorums;
        let mut samples = Samples::default();
        let (mut acked, mut arrives, mut answers) =
            (vec![0.0; copies], vec![0.0; copies], vec![(0.0, 0.0); copies]);
        for _ in 0..trials {
            let (writer, reader) = (random.next() as usize % copies, random.next() as usize % copies);
            for i in 0..copies {
                let away = |place: usize| self.regions_apart.filter(|_| place != i).unwrap_or(0.0);
                arrives[i] = random.delay(self.write) + away(writer);
                acked[i] = arrives[i] + random.delay(self.other) + away(writer);
                let asked = random.delay(self.other) + away(reader);
                let answered = asked + random.delay(self.other) + away(reader);
                // As long after the invocation of the write as the read must begin to find it here.
                answers[i] = (answered, arrives[i] - asked);
            }
            acked.sort_by(f64::total_cmp);
            answers.sort_by(|a, b| a.0.total_cmp(&b.0));
            let done = acked[write - 1];
            let earliest = answers[..read].iter().map(|answer| answer.1).fold(f64::INFINITY, f64::min);
            samples.writes.push(done);
            samples.reads.push(answers[read - 1].0);
            samples.fresh_from.push((earliest - done).max(0.0));
        }
        samples
    }
}

impl Samples {
    fn sorted(mut self) -> Samples {
        for samples in [&mut self.reads, &mut self.writes, &mut self.fresh_from] {
            samples.sort_unstable_by(f64::total_cmp);
        }
        self
    }
}

impl Answers {
    pub(crate) fn read_latency(&self, quantile: f64) -> Estimate {
        self.estimate(|samples| at(&samples.reads, quantile))
    }

    pub(crate) fn write_latency(&self, quantile: f64) -> Estimate {
        self.estimate(|samples| at(&samples.writes, quantile))
    }

    /// How long after the acknowledgement so large a share of reads is fresh.
    pub(crate) fn t_visibility(&self, share: f64) -> Estimate {
        self.estimate(|samples| at(&samples.fresh_from, share))
    }

    /// The share of reads that are fresh if they begin `t` after the acknowledgement.
    pub(crate) fn fresh(&self, t: f64) -> Estimate {
        let found = self.estimate(|samples| {
            samples.fresh_from.partition_point(|from| *from <= t) as f64 / samples.fresh_from.len() as f64
        });
        Estimate { error: found.error.max(least_error(found.value, self.all.reads.len() as f64)), ..found }
    }

    /// The value is that of all trials: a far quantile of a batch would be biased.
    fn estimate(&self, of: impl Fn(&Samples) -> f64) -> Estimate {
        let values: Vec<f64> = self.batches.iter().map(&of).collect();
        Estimate { value: of(&self.all), error: error_of(&values), runs: Some(values.len()) }
    }
}

fn at(sorted: &[f64], quantile: f64) -> f64 {
    let rank = (quantile * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oracle_agrees_with_the_published_reference() {
        let quorums = Quorums { copies: 3, read: 1, write: 1 };
        // pbs.csv: LNKD-SSD and LNKD-DISK, R = W = 1.
        for (delays, read_p50, write_p50, t, fresh) in [
            (LNKD_SSD, 0.48892, 0.488923, 1.97085, 0.973546),
            (LNKD_DISK, 0.488928, 1.50481, 52.5278, 0.436843),
        ] {
            let answers = delays.simulate(quorums, 1_000_000, 1);
            for (found, expected) in [
                (answers.read_latency(0.5), read_p50),
                (answers.write_latency(0.5), write_p50),
                (answers.t_visibility(0.999), t),
                (answers.fresh(0.0), fresh),
            ] {
                let off = (found.value - expected).abs();
                assert!(
                    off < found.half_width() && found.half_width() < 0.08 * expected,
                    "{found:?}: {expected}"
                );
            }
        }
    }

    #[test]
    fn quorums_that_overlap_are_always_fresh() {
        let answers = YMMR.simulate(Quorums { copies: 5, read: 3, write: 3 }, 10_000, 2);
        assert_eq!(answers.t_visibility(1.0).value, 0.0);
    }
}
