//! The distribution of a quantity over time: each value weighs as long as it lasted.
//!
//! Two shapes add up: a *level* (the same value for a while) and a *ramp* (a value that grows by one nanosecond per
//! nanosecond, as the age of a missing write does). A ramp from `a` to `b` is kept as its two ends: the time spent
//! below any value `y` is the sum of `y − a` over the starts below `y`, less the sum of `y − b` over the ends below
//! `y`. With counts and sums per bucket that is exact at every bucket boundary, at a cost of two additions per ramp.

/// A mergeable time-weighted distribution of a value that is never negative.
#[derive(Clone, PartialEq, Debug)]
pub struct TimeWeighted {
    /// Buckets per power of two, as a power of two: the relative error is `2^-bits`.
    bits: u32,
    /// By bucket: time at levels in it. Apart from ramps: a value that ramps has few levels, and one that has levels no ramps.
    levels: Vec<u64>,
    /// By bucket.
    ramps: Vec<Ramps>,
    /// Total time.
    weight: u128,
    /// Twice the integral of the value over time (a ramp's integral may be half a unit).
    twice_integral: u128,
    max: u64,
}

/// The ramps that start or end in a bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Ramps {
    /// Starts less ends.
    count: i64,
    /// The sum of the starts less that of the ends, each counted from the lower bound of the bucket: that keeps the sum
    /// small. (A bucket of values of a day is 70 s wide and holds the ends of a
    /// hundred million ramps; a coarse one is eight times as wide, and holds an eighth.)
    sum: i64,
}

/// 1024 buckets per power of two: a relative error below 0.1 %.
pub const BITS: u32 = 10;
/// 128 buckets per power of two, for single nodes where there are many: below 1 %.
pub const COARSE_BITS: u32 = 7;

impl Default for TimeWeighted {
    fn default() -> Self {
        TimeWeighted::new(BITS)
    }
}

impl TimeWeighted {
    /// An empty distribution with `2^bits` buckets per power of two.
    pub fn new(bits: u32) -> TimeWeighted {
        TimeWeighted { bits, levels: Vec::new(), ramps: Vec::new(), weight: 0, twice_integral: 0, max: 0 }
    }

    /// The value was `value` for `lasted` nanoseconds.
    pub fn add_level(&mut self, value: u64, lasted: u64) {
        if lasted == 0 {
            return;
        }
        let i = self.index(value);
        *reach(&mut self.levels, i) += lasted;
        self.weight += u128::from(lasted);
        self.twice_integral += 2 * u128::from(value) * u128::from(lasted);
        self.max = self.max.max(value);
    }

    /// The value grew from `from` to `to` in `to − from` nanoseconds.
    pub fn add_ramp(&mut self, from: u64, to: u64) {
        if to <= from {
            return;
        }
        for (end, sign) in [(from, 1), (to, -1)] {
            let i = self.index(end);
            let offset = (end - self.lower_bound(i)) as i64;
            let ramps = reach(&mut self.ramps, i);
            ramps.count += sign;
            ramps.sum += sign * offset;
        }
        let (from, to) = (u128::from(from), u128::from(to));
        self.weight += to - from;
        self.twice_integral += to * to - from * from;
        self.max = self.max.max(to as u64);
    }

    /// Total time in nanoseconds.
    pub fn weight(&self) -> u128 {
        self.weight
    }

    /// The mean over time; none if no time has passed.
    pub fn mean(&self) -> Option<f64> {
        (self.weight > 0).then(|| self.twice_integral as f64 / 2.0 / self.weight as f64)
    }

    /// The largest value.
    pub fn max(&self) -> Option<u64> {
        (self.weight > 0).then_some(self.max)
    }

    /// Twice the integral of the value over time: what the mean is made of, exactly.
    pub fn twice_integral(&self) -> u128 {
        self.twice_integral
    }

    /// The smallest value that was not exceeded during at least the share `q` of the time, within the relative error.
    pub fn quantile(&self, q: f64) -> Option<u64> {
        self.quantiles(&[q]).pop()
    }

    /// The same for several shares, in ascending order, at the price of one. Nothing where no time has passed.
    pub fn quantiles(&self, shares: &[f64]) -> Vec<u64> {
        let mut below = self.below();
        let (mut last, mut found) = (None, Vec::with_capacity(shares.len()));
        for share in shares {
            let wanted = libm::ceil(share * self.weight as f64) as u128;
            while last.is_none_or(|(_, time)| time < wanted)
                && let Some(point) = below.next()
            {
                last = Some(point);
            }
            found.extend(last.map(|(value, _)| value.min(self.max)));
        }
        found
    }

    /// Pairs (value, share of the time at or below it), for a chart: one for each bucket in which something changes.
    pub fn cumulative(&self) -> Vec<(u64, f64)> {
        let whole = self.weight as f64;
        self.below().map(|(value, time)| (value.min(self.max), time as f64 / whole)).collect()
    }

    /// The share of the time during which the value was 0.
    pub fn share_at_zero(&self) -> Option<f64> {
        let zero = self.levels.first().copied().unwrap_or_default();
        (self.weight > 0).then(|| zero as f64 / self.weight as f64)
    }

    /// Takes in all of `other`, which must have as many buckets per power of two.
    pub fn merge(&mut self, other: &TimeWeighted) {
        assert_eq!(self.bits, other.bits, "distributions of one resolution");
        for (i, level) in other.levels.iter().enumerate().rev() {
            *reach(&mut self.levels, i) += level;
        }
        for (i, Ramps { count, sum }) in other.ramps.iter().enumerate().rev() {
            let mine = reach(&mut self.ramps, i);
            mine.count += count;
            mine.sum += sum;
        }
        self.weight += other.weight;
        self.twice_integral += other.twice_integral;
        self.max = self.max.max(other.max);
    }

    /// For each bucket: its largest value, and the exact time spent at or below it. Runs of equal times are left out.
    fn below(&self) -> impl Iterator<Item = (u64, u128)> {
        let (mut levels, mut ramps, mut ramp_sum, mut before) = (0u128, 0i128, 0i128, 0u128);
        (0..self.levels.len().max(self.ramps.len())).filter_map(move |i| {
            let level = self.levels.get(i).copied().unwrap_or_default();
            let Ramps { count, sum } = self.ramps.get(i).copied().unwrap_or_default();
            // With nothing beginning, ending or on its way no time is spent here.
            if ramps == 0 && (level, count, sum) == (0, 0, 0) {
                return None;
            }
            levels += u128::from(level);
            ramps += i128::from(count);
            ramp_sum += i128::from(count) * i128::from(self.lower_bound(i)) + i128::from(sum);
            let next = self.lower_bound(i + 1);
            let time = levels + (ramps * i128::from(next) - ramp_sum) as u128;
            let changes = time > before;
            before = time;
            changes.then_some((next - 1, time))
        })
    }

    /// Values below `2^bits` have a bucket each; above, every power of two is split into `2^bits`.
    fn index(&self, value: u64) -> usize {
        let octave = (64 - value.leading_zeros()).saturating_sub(self.bits + 1);
        ((octave as usize) << self.bits) + (value >> octave) as usize
    }

    fn lower_bound(&self, index: usize) -> u64 {
        let octave = (index >> self.bits).saturating_sub(1);
        ((index - (octave << self.bits)) as u64) << octave
    }
}

/// The place of an index, made if need be.
#[inline]
fn reach<T: Clone + Default>(places: &mut Vec<T>, i: usize) -> &mut T {
    if i >= places.len() {
        places.resize(i + 1, T::default());
    }
    &mut places[i]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_value_lies_in_its_bucket_and_buckets_are_narrow() {
        let weighted = TimeWeighted::default();
        for shift in 0..60 {
            for value in [(1u64 << shift) - 1, 1 << shift, (1 << shift) + 1, (1 << shift) + (1 << shift) / 3]
            {
                let i = weighted.index(value);
                let (low, next) = (weighted.lower_bound(i), weighted.lower_bound(i + 1));
                assert!(low <= value && value < next, "{value} in {low}..{next}");
                assert!((next - low - 1) * 1024 <= low, "bucket {low}..{next} is too wide");
            }
        }
    }

    #[derive(Clone, Debug)]
    enum Piece {
        Level(u64, u64),
        Ramp(u64, u64),
    }

    proptest! {
        #[test]
        fn it_agrees_with_counting_every_nanosecond(
            pieces in prop::collection::vec(
                prop_oneof![
                    (0u64..3_000, 0u64..50).prop_map(|(value, lasted)| Piece::Level(value, lasted)),
                    (0u64..3_000, 0u64..50).prop_map(|(from, lasted)| Piece::Ramp(from, lasted)),
                ],
                1..12,
            ),
            q in 0.01f64..1.0,
        ) {
            let mut weighted = TimeWeighted::new(4); // coarse, so that buckets matter
            // The value in the middle of each nanosecond, doubled so that it is whole.
            let mut doubled: Vec<u64> = Vec::new();
            for piece in pieces {
                match piece {
                    Piece::Level(value, lasted) => {
                        weighted.add_level(value, lasted);
                        doubled.extend((0..lasted).map(|_| 2 * value));
                    }
                    Piece::Ramp(from, lasted) => {
                        weighted.add_ramp(from, from + lasted);
                        doubled.extend((0..lasted).map(|i| 2 * (from + i) + 1));
                    }
                }
            }
            doubled.sort();
            prop_assert_eq!(weighted.weight(), doubled.len() as u128);
            prop_assert_eq!(weighted.twice_integral(), doubled.iter().map(|v| u128::from(*v)).sum::<u128>());
            if doubled.is_empty() {
                return Ok(());
            }
            let exact = doubled[(crate::distribution::rank(q, doubled.len() as u64) - 1) as usize] / 2;
            let quantile = weighted.quantile(q).unwrap();
            prop_assert!(
                weighted.index(quantile) == weighted.index(exact) || quantile == weighted.max().unwrap(),
                "{} is not in the bucket of {}", quantile, exact
            );
        }
    }
}
