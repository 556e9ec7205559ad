//! Time series: what a measure was in each of some six hundred slices of the run, for charts and CSV files.

use replisim_observe::{Duration, Fault, Member, Time};

use crate::availability::AvailabilitySeries;
use crate::samples::Samples;

/// Equal slices of the clients' time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slices {
    /// Length of a slice.
    pub width: Duration,
    /// How many there are.
    pub count: usize,
}

impl Slices {
    /// At most 600 slices of `duration`, of a width of 1, 2 or 5 times a power of ten.
    pub fn of(duration: Duration) -> Slices {
        let least = duration.nanos().div_ceil(600).max(1);
        let mut power = 1u64;
        let width = loop {
            match [1, 2, 5].map(|step| step * power).into_iter().find(|width| *width >= least) {
                Some(width) => break width,
                None => power *= 10,
            }
        };
        Slices { width: Duration::from_nanos(width), count: duration.nanos().div_ceil(width) as usize }
    }

    /// The slice that `at` lies in, if it lies in the clients' time.
    #[inline]
    pub fn index(&self, at: Time) -> Option<usize> {
        let i = (at.nanos() / self.width.nanos()) as usize;
        (i < self.count).then_some(i)
    }

    /// The beginning of slice `i`.
    pub fn start(&self, i: usize) -> Time {
        Time::from_nanos(self.width.nanos() * i as u64)
    }
}

/// So many faults are remembered one by one.
pub const MOST_FAULTS: usize = 1_000;

/// A fault, from its beginning to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FaultSpan {
    /// Which one.
    pub fault: Fault,
    /// When it began.
    pub from: Time,
    /// When it ended, if it did.
    pub to: Option<Time>,
}

/// All series of a run.
#[derive(Clone, PartialEq, Debug)]
pub struct Series {
    /// The slices that all share.
    pub slices: Slices,
    /// Lag, by node.
    pub lag: Vec<LagSeries>,
    /// Staleness, by client.
    pub staleness: Vec<StalenessSeries>,
    /// Outcomes, by client.
    pub operations: Vec<OperationSeries>,
    /// Acknowledged writes that the loss of the primary would cost, their bytes, and the age of the oldest.
    pub exposure: ExposureSeries,
    /// Keys whose live members differ.
    pub divergence: GaugeSeries,
    /// How many operations succeeded: reads, writes.
    pub availability: [AvailabilitySeries; 2],
    /// Who was rightfully promoted when, in order; of several groups without the first primary of each.
    pub promotions: Vec<(Time, Member)>,
    /// When faults began and ended, in the order of their beginnings: the first [`MOST_FAULTS`] of them.
    pub faults: Vec<FaultSpan>,
}

/// What the loss of the primary would cost, in each slice; nothing seen where there is no primary.
#[derive(Clone, PartialEq, Debug)]
pub struct ExposureSeries {
    /// Acknowledged writes that the next primary does not have.
    pub writes: GaugeSeries,
    /// Their bytes.
    pub bytes: GaugeSeries,
    /// Nanoseconds since the ack of the oldest.
    pub age: GaugeSeries,
}

/// Lag of one node in each slice.
#[derive(Clone, PartialEq, Debug)]
pub struct LagSeries {
    /// Integral of the lag over the slice, doubled so that it is whole; nanoseconds².
    pub twice_integral: Vec<u128>,
    /// The largest lag, in nanoseconds.
    pub max: Vec<u64>,
    /// Integral of the lag in versions over the slice; versions × nanoseconds.
    pub versions_integral: Vec<u128>,
    /// The largest lag in versions.
    pub versions_max: Vec<u64>,
    /// How much of each slice has been seen, in nanoseconds.
    pub seen: Vec<u64>,
}

/// Staleness of the ok reads that one client invoked in each slice.
#[derive(Clone, PartialEq, Debug)]
pub struct StalenessSeries {
    /// Ok reads.
    pub reads: Vec<u64>,
    /// Those that were stale.
    pub stale: Vec<u64>,
    /// Sum of their staleness, in nanoseconds.
    pub sum: Vec<u128>,
    /// The largest, in nanoseconds.
    pub max: Vec<u64>,
}

/// How the operations that one client scheduled in each slice ended.
#[derive(Clone, PartialEq, Debug)]
pub struct OperationSeries {
    /// Ok.
    pub ok: Vec<u64>,
    /// Certainly not done.
    pub failed: Vec<u64>,
    /// Unknown.
    pub unknown: Vec<u64>,
}

/// A quantity over time, in each slice.
#[derive(Clone, PartialEq, Debug)]
pub struct GaugeSeries {
    /// Integral over the slice, doubled so that it is whole; the unit × nanoseconds.
    pub twice_integral: Vec<u128>,
    /// The largest value.
    pub max: Vec<u64>,
    /// How much of each slice has been seen, in nanoseconds.
    pub seen: Vec<u64>,
}

impl GaugeSeries {
    pub(crate) fn new(slices: usize) -> GaugeSeries {
        GaugeSeries { twice_integral: vec![0; slices], max: vec![0; slices], seen: vec![0; slices] }
    }

    /// From `from` to `to` it was `value`.
    pub(crate) fn add_level(&mut self, slices: &Slices, from: Time, to: Time, value: u64) {
        self.add(slices, from, to, |_| value);
    }

    /// From `from` to `to` it was the time since `birth`; 0 if nothing has been born.
    pub(crate) fn add_age(&mut self, slices: &Slices, from: Time, to: Time, birth: Option<Time>) {
        self.add(slices, from, to, |at| birth.map_or(0, |birth| at.since(birth).nanos()));
    }

    fn add(&mut self, slices: &Slices, from: Time, to: Time, value: impl Fn(Time) -> u64) {
        let mut from = from;
        while from < to {
            let Some(i) = slices.index(from) else { return };
            let end = to.min(slices.start(i + 1));
            let (lasted, first, last) = (end.since(from).nanos(), value(from), value(end));
            self.twice_integral[i] += u128::from(lasted) * (u128::from(first) + u128::from(last));
            self.max[i] = self.max[i].max(last);
            self.seen[i] += lasted;
            from = end;
        }
    }
}

impl LagSeries {
    pub(crate) fn new(slices: usize) -> LagSeries {
        LagSeries {
            twice_integral: vec![0; slices],
            max: vec![0; slices],
            versions_integral: vec![0; slices],
            versions_max: vec![0; slices],
            seen: vec![0; slices],
        }
    }

    /// From `from` to `to` the lag grew with slope 1 from the age of `oldest` (was 0 if none is missing), and
    /// `versions` were missing.
    pub(crate) fn add(&mut self, slices: &Slices, from: Time, to: Time, oldest: Option<Time>, versions: u64) {
        let mut from = from;
        while from < to {
            let Some(i) = slices.index(from) else { return };
            let end = to.min(slices.start(i + 1));
            let lasted = end.since(from).nanos();
            if let Some(oldest) = oldest {
                let (a, b) = (u128::from(from.since(oldest).nanos()), u128::from(end.since(oldest).nanos()));
                self.twice_integral[i] += b * b - a * a;
                self.max[i] = self.max[i].max(b as u64);
            }
            self.versions_integral[i] += u128::from(versions) * u128::from(lasted);
            self.versions_max[i] = self.versions_max[i].max(versions);
            self.seen[i] += lasted;
            from = end;
        }
    }
}

impl StalenessSeries {
    pub(crate) fn new(slices: usize) -> StalenessSeries {
        StalenessSeries {
            reads: vec![0; slices],
            stale: vec![0; slices],
            sum: vec![0; slices],
            max: vec![0; slices],
        }
    }

    pub(crate) fn add(&mut self, slice: usize, staleness: u64) {
        self.reads[slice] += 1;
        self.stale[slice] += u64::from(staleness > 0);
        self.sum[slice] += u128::from(staleness);
        self.max[slice] = self.max[slice].max(staleness);
    }
}

impl OperationSeries {
    pub(crate) fn new(slices: usize) -> OperationSeries {
        OperationSeries { ok: vec![0; slices], failed: vec![0; slices], unknown: vec![0; slices] }
    }
}

/// How often reads reflected the write acknowledged last before them, by the time since that acknowledgement.
#[derive(Clone, Debug, Default)]
pub struct Visibility {
    /// Times of reads that did not reflect it: the few.
    pub(crate) missing: Samples,
    /// Times of all reads.
    pub(crate) all: Samples,
}

/// One point of the t-visibility curve.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct VisibilityPoint {
    /// Times from here, in nanoseconds …
    pub from: u64,
    /// … to here.
    pub to: u64,
    /// Reads with such a time.
    pub reads: u64,
    /// Those that reflected the write.
    pub fresh: u64,
}

impl Visibility {
    /// How many reads reflected it.
    pub fn fresh(&self) -> u64 {
        self.all.count() - self.missing.count()
    }

    /// The curve in ten steps per power of ten. Steps without reads are left out.
    pub fn curve(&self) -> Vec<VisibilityPoint> {
        // By bucket, not by sample: the reads of a bucket that miss it and all its reads lie in one step then.
        let (all, missing): (Vec<_>, Vec<_>) = (self.all.counts().collect(), self.missing.counts().collect());
        let mut points = Vec::new();
        let mut from = 0;
        for step in 0.. {
            let to = (1e4 * libm::pow(10.0, f64::from(step) / 10.0)) as u64; // from 10 µs on
            let count = |counts: &[(u64, u64)]| {
                counts.iter().filter(|(value, _)| from <= *value && *value < to).map(|(_, count)| count).sum()
            };
            let (reads, missing): (u64, u64) = (count(&all), count(&missing));
            if reads > 0 {
                points.push(VisibilityPoint { from, to, reads, fresh: reads - missing });
            }
            if all.last().is_none_or(|(value, _)| *value < to) {
                return points;
            }
            from = to;
        }
        points
    }

    /// Takes in what another run saw.
    pub fn merge(&mut self, other: &Visibility) {
        self.missing.merge(&other.missing);
        self.all.merge(&other.all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_round_and_at_most_six_hundred() {
        for (seconds, width_ms, count) in [(60, 100, 600), (61, 200, 305), (1, 2, 500), (3600, 10_000, 360)] {
            let slices = Slices::of(Duration::from_secs(seconds));
            assert_eq!((slices.width, slices.count), (Duration::from_millis(width_ms), count), "{seconds} s");
        }
        assert_eq!(Slices::of(Duration::ZERO).count, 0);
    }

    #[test]
    fn no_step_of_the_visibility_curve_has_more_fresh_reads_than_reads() {
        let mut visibility = Visibility::default();
        // Both lie in one bucket of the histogram, which crosses the end of a step (15 848 931 ns).
        [15_848_000, 15_849_100].iter().for_each(|time| visibility.all.record(*time));
        visibility.missing.record(15_849_100);
        [&mut visibility.all, &mut visibility.missing].into_iter().for_each(Samples::settle);
        let steps: Vec<_> = visibility.curve().iter().map(|point| (point.reads, point.fresh)).collect();
        assert_eq!(steps, [(2, 1)]);
    }

    #[test]
    fn a_ramp_is_spread_over_the_slices_it_crosses() {
        let slices = Slices { width: Duration::from_nanos(10), count: 3 };
        let mut series = LagSeries::new(3);
        let at = Time::from_nanos;
        series.add(&slices, at(0), at(5), None, 0);
        series.add(&slices, at(5), at(25), Some(at(5)), 2);
        assert_eq!(series.twice_integral, [25, 15 * 15 - 25, 400 - 225]);
        assert_eq!(series.max, [5, 15, 20]);
        assert_eq!(series.versions_integral, [10, 20, 10]);
        assert_eq!(series.seen, [10, 10, 5]);
    }
}
