//! A distribution of samples: count, mean and extremes exact, quantiles from a histogram.
//!
//! Samples are whole numbers with a sign (nanoseconds or versions). A sample may be *right-censored*: known only to be
//! at least so large. Censored samples count, but no mean is given with one among them, and a quantile that they could
//! change is given as a lower bound.

use hdrhistogram::Histogram;

/// Decimal digits that histograms keep: a relative error of at most 0.1 %.
pub const DIGITS: u8 = 3;
/// The same for the histograms of single nodes, where there are more than 64: at most 1 %.
pub const COARSE_DIGITS: u8 = 2;

/// A mergeable distribution.
#[derive(Clone, Debug)]
pub struct Distribution {
    digits: u8,
    /// Samples ≥ 0, and the sizes of samples < 0. Made when needed: an empty histogram is not small.
    positive: Option<Histogram<u64>>,
    negative: Option<Histogram<u64>>,
    /// Lower bounds of censored samples.
    censored: Option<Histogram<u64>>,
    sum: i128,
    min: i64,
    max: i64,
}

/// A quantile, as far as it is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quantile {
    /// It is this, within the relative error of the histogram.
    Value(i64),
    /// Censored samples could change it; it is at least this.
    Above(i64),
}

impl Default for Distribution {
    fn default() -> Self {
        Distribution::new(DIGITS)
    }
}

impl Distribution {
    /// An empty distribution whose quantiles keep `digits` decimal digits.
    pub fn new(digits: u8) -> Distribution {
        Distribution {
            digits,
            positive: None,
            negative: None,
            censored: None,
            sum: 0,
            min: i64::MAX,
            max: i64::MIN,
        }
    }

    /// Adds a sample.
    #[inline]
    pub fn record(&mut self, value: i64) {
        let histogram = if value >= 0 { &mut self.positive } else { &mut self.negative };
        let histogram = histogram.get_or_insert_with(|| empty(self.digits));
        histogram.record(value.unsigned_abs()).expect("a histogram that resizes");
        self.sum += i128::from(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Adds a sample of which only a lower bound is known.
    pub fn record_censored(&mut self, at_least: u64) {
        let censored = self.censored.get_or_insert_with(|| empty(self.digits));
        censored.record(at_least).expect("a histogram that resizes");
    }

    /// Number of samples, censored ones included.
    pub fn count(&self) -> u64 {
        self.count_known() + self.count_censored()
    }

    /// Number of censored samples.
    pub fn count_censored(&self) -> u64 {
        count(&self.censored)
    }

    /// The sum of the samples that are known.
    pub fn sum(&self) -> i128 {
        self.sum
    }

    /// The mean; none without samples or with a censored one.
    pub fn mean(&self) -> Option<f64> {
        (self.count_censored() == 0 && self.count() > 0).then(|| self.sum as f64 / self.count() as f64)
    }

    /// The smallest sample.
    pub fn min(&self) -> Option<i64> {
        (self.count_known() > 0).then_some(self.min)
    }

    /// The largest sample.
    pub fn max(&self) -> Option<Quantile> {
        self.quantile(1.0)
    }

    /// The smallest value that at least the share `q` of the samples does not exceed.
    pub fn quantile(&self, q: f64) -> Option<Quantile> {
        let n = self.count();
        if n == 0 {
            return None;
        }
        let rank = rank(q, n);
        let Some(censored) = &self.censored else {
            return Some(Quantile::Value(self.value_at(&self.positive, rank)));
        };
        // The truth lies between treating censored samples as their bounds and as infinite.
        let mut lowest = self.positive.clone().unwrap_or_else(|| empty(self.digits));
        lowest.add(censored).expect("histograms of one kind, which resize");
        let lowest = self.value_at_uncapped(Some(&lowest), rank);
        if rank > self.count_known() {
            return Some(Quantile::Above(lowest));
        }
        let highest = self.value_at_uncapped(self.positive.as_ref(), rank);
        Some(if highest == lowest { Quantile::Value(highest.min(self.max)) } else { Quantile::Above(lowest) })
    }

    /// Takes in all samples of `other`.
    pub fn merge(&mut self, other: &Distribution) {
        let merge = |mine: &mut Option<Histogram<u64>>, theirs: &Option<Histogram<u64>>| {
            if let Some(theirs) = theirs {
                mine.get_or_insert_with(|| empty(self.digits)).add(theirs).expect("histograms resize");
            }
        };
        merge(&mut self.positive, &other.positive);
        merge(&mut self.negative, &other.negative);
        merge(&mut self.censored, &other.censored);
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Pairs (value, share of samples that do not exceed it), for a chart: one for each occupied bucket. Censored
    /// samples are in the whole, but never below a value.
    pub fn cumulative(&self) -> Vec<(i64, f64)> {
        let n = self.count() as f64;
        let mut below = 0;
        let mut points = Vec::new();
        if let Some(negative) = &self.negative {
            let mut buckets: Vec<_> =
                negative.iter_recorded().map(|v| (v.value_iterated_to(), v.count_at_value())).collect();
            buckets.reverse();
            for (value, count) in buckets {
                below += count;
                points.push((-(value as i64), below as f64 / n));
            }
        }
        for bucket in self.positive.iter().flat_map(|h| h.iter_recorded()) {
            below += bucket.count_at_value();
            points.push(((bucket.value_iterated_to() as i64).min(self.max), below as f64 / n));
        }
        points
    }

    /// Pairs (upper end of a bucket, number of known samples ≥ 0 in it). Two distributions of as many digits have the
    /// same buckets.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (u64, u64)> {
        let buckets = self.positive.iter().flat_map(|h| h.iter_recorded());
        buckets.map(|bucket| (bucket.value_iterated_to(), bucket.count_at_value()))
    }

    fn count_known(&self) -> u64 {
        count(&self.positive) + count(&self.negative)
    }

    /// Without censored samples: the first and the last are known exactly.
    fn value_at(&self, positive: &Option<Histogram<u64>>, rank: u64) -> i64 {
        match rank {
            rank if rank == self.count_known() => self.max,
            1 => self.min,
            rank => self.value_at_uncapped(positive.as_ref(), rank).clamp(self.min, self.max),
        }
    }

    /// The value of the `rank`-th smallest sample, counted from 1; the upper end of its bucket.
    fn value_at_uncapped(&self, positive: Option<&Histogram<u64>>, rank: u64) -> i64 {
        let negatives = count(&self.negative);
        match (&self.negative, positive) {
            (Some(negative), _) if rank <= negatives => -(at_rank(negative, negatives - rank + 1) as i64),
            (_, Some(positive)) => at_rank(positive, rank - negatives) as i64,
            _ => 0,
        }
    }
}

/// The rank, from 1, of the sample that is the `q` quantile of `n`.
pub(crate) fn rank(q: f64, n: u64) -> u64 {
    ((q * n as f64).ceil() as u64).clamp(1, n)
}

fn at_rank(histogram: &Histogram<u64>, rank: u64) -> u64 {
    // Half a rank below, so that rounding in the division cannot lead to the next sample.
    histogram.value_at_quantile((rank as f64 - 0.5) / histogram.len() as f64)
}

fn count(histogram: &Option<Histogram<u64>>) -> u64 {
    histogram.as_ref().map_or(0, Histogram::len)
}

fn empty(digits: u8) -> Histogram<u64> {
    Histogram::new(digits).expect("a valid number of digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distribution(samples: &[i64], censored: &[u64]) -> Distribution {
        let mut distribution = Distribution::default();
        samples.iter().for_each(|sample| distribution.record(*sample));
        censored.iter().for_each(|bound| distribution.record_censored(*bound));
        distribution
    }

    #[test]
    fn quantiles_are_the_samples_of_that_rank() {
        let d = distribution(&[-7, -3, 0, 4, 9], &[]);
        for (q, value) in
            [(0.0, -7), (0.2, -7), (0.21, -3), (0.4, -3), (0.5, 0), (0.8, 4), (0.99, 9), (1.0, 9)]
        {
            assert_eq!(d.quantile(q), Some(Quantile::Value(value)), "{q}");
        }
        assert_eq!((d.mean(), d.min(), d.count()), (Some(0.6), Some(-7), 5));
        assert_eq!(Distribution::default().quantile(0.5), None);
    }

    #[test]
    fn large_samples_keep_three_digits_and_the_extremes_exactly() {
        let d = distribution(&[1, 9_999_999_937], &[]);
        assert_eq!(d.max(), Some(Quantile::Value(9_999_999_937)));
        let d = distribution(&[-9_999_999_937, -1_234_567_891], &[]);
        assert_eq!(d.max(), Some(Quantile::Value(-1_234_567_891)));
        assert_eq!(d.quantile(0.0), Some(Quantile::Value(-9_999_999_937)));
        let d = distribution(&[123_456_789, 987_654_321], &[]);
        let Some(Quantile::Value(median)) = d.quantile(0.5) else { panic!("known") };
        assert!((median - 123_456_789).abs() <= 123_457, "{median}");
    }

    #[test]
    fn censored_samples_bound_what_they_could_change() {
        use Quantile::*;
        let d = distribution(&[1, 2, 3, 4], &[3, 10]);
        // In order: 1 2 3 [≥3] 4 [≥10], where a bracket may move to the right.
        for (q, quantile) in
            [(0.3, Value(2)), (0.5, Value(3)), (0.66, Above(3)), (0.8, Above(4)), (1.0, Above(10))]
        {
            assert_eq!(d.quantile(q), Some(quantile), "{q}");
        }
        assert_eq!((d.mean(), d.count(), d.count_censored()), (None, 6, 2));
    }

    #[test]
    fn merging_is_the_same_as_recording_together() {
        let mut a = distribution(&[-5, 3, 1_000_000], &[7]);
        a.merge(&distribution(&[2, 8], &[]));
        let b = distribution(&[-5, 3, 1_000_000, 2, 8], &[7]);
        assert_eq!((a.count(), a.sum(), a.min()), (b.count(), b.sum(), b.min()));
        for i in 0..=20 {
            assert_eq!(a.quantile(f64::from(i) / 20.0), b.quantile(f64::from(i) / 20.0));
        }
    }
}
