//! What the loss of the primary would cost, and what clients notice of faults: availability and throughput.
//!
//! Shares and rates of a few operations are noise. Slices are joined until each holds about fifty operations, as far
//! as that leaves a curve.

use replisim_experiment::Study;
use replisim_experiment::measure::{Series as TimeSeries, series::Slices};

use super::{gauge, over_time};
use crate::chart::{Axis, LineChart, Series, Unit};

pub(super) fn exposure(study: &Study, series: &TimeSeries) -> LineChart {
    let what = format!("largest number in each {}", series.slices.width);
    let y = Axis::linear("acknowledged writes that its successor lacks", Unit::Count);
    let mut chart = over_time(study, "What losing the primary now would cost", &what, y);
    chart.series.push(gauge("writes", &series.slices, &series.exposure.writes));
    chart
}

pub(super) fn availability(study: &Study, series: &TimeSeries) -> LineChart {
    let kinds = ["reads", "writes"].into_iter().zip(&series.availability);
    let kinds: Vec<_> = kinds.filter(|(_, kind)| kind.scheduled.iter().any(|count| *count > 0)).collect();
    let joined = Joined::of(&series.slices, kinds.iter().map(|(_, kind)| &kind.scheduled[..]));
    let what = format!("operations scheduled in each {}", joined.width());
    // A little more than all, or a curve at 100 % would run along the captions.
    let y = Axis::linear("share that ended ok in time", Unit::Share).within(0.0, 1.05);
    let mut chart = over_time(study, "Availability: how many operations succeeded", &what, y);
    for (name, kind) in kinds {
        let points = joined.points(|slices| {
            let [scheduled, ok] = [&kind.scheduled, &kind.ok].map(|counts| sum(counts, &slices));
            (scheduled > 0).then(|| ok as f64 / scheduled as f64)
        });
        chart.series.push(Series::staircase(name.to_owned(), points));
    }
    chart
}

pub(super) fn throughput(study: &Study, series: &TimeSeries) -> LineChart {
    let clients = study.merged.roster.clients.iter().zip(&series.operations);
    let clients: Vec<_> = clients.filter(|(_, ops)| ops.ok.iter().any(|count| *count > 0)).collect();
    let joined = Joined::of(&series.slices, clients.iter().map(|(_, ops)| &ops.ok[..]));
    let what = format!("operations scheduled in each {} that ended ok", joined.width());
    let y = Axis::linear("ok operations per second", Unit::PerSecond);
    let mut chart = over_time(study, "Throughput", &what, y);
    let end = study.loaded.scenario.duration.seconds();
    for (name, ops) in clients {
        let points = joined.points(|slices| {
            let till = series.slices.start(slices.end).seconds().min(end);
            let seconds = till - series.slices.start(slices.start).seconds();
            (seconds > 0.0).then(|| sum(&ops.ok, &slices) as f64 / seconds)
        });
        chart.series.push(Series::staircase(name.clone(), points));
    }
    chart
}

fn sum(counts: &[u64], slices: &std::ops::Range<usize>) -> u64 {
    counts[slices.clone()].iter().sum()
}

/// Neighbouring slices, a few at a time.
struct Joined<'a> {
    slices: &'a Slices,
    factor: usize,
}

impl<'a> Joined<'a> {
    /// So many at a time that each curve has enough operations in each.
    fn of<'b>(slices: &'a Slices, curves: impl Iterator<Item = &'b [u64]>) -> Joined<'a> {
        let fewest = curves.map(|counts| counts.iter().sum()).min().unwrap_or(0);
        Joined { slices, factor: factor(slices.count, fewest) }
    }

    fn width(&self) -> String {
        self.slices.start(self.factor).since(self.slices.start(0)).to_string()
    }

    /// A staircase of the values of all joined slices, up to the end of the last; nothing where there is no value.
    fn points(&self, value: impl Fn(std::ops::Range<usize>) -> Option<f64>) -> Vec<(f64, f64)> {
        let count = self.slices.count;
        let starts = (0..count).step_by(self.factor);
        let steps = starts.map(|from| (from, value(from..count.min(from + self.factor)).unwrap_or(f64::NAN)));
        let end = (count, f64::NAN);
        steps.chain([end]).map(|(slice, value)| (self.slices.start(slice).seconds(), value)).collect()
    }
}

/// How many of `slices` to join, for `operations` in all of them.
fn factor(slices: usize, operations: u64) -> usize {
    const ENOUGH: u64 = 50;
    const STEPS_MIN: usize = 30;
    let wanted = (ENOUGH * slices as u64).div_ceil(operations.max(1)) as usize;
    let factors = [1, 2, 5, 10, 20, 50].into_iter();
    let mut allowed = factors.filter(|factor| *factor == 1 || slices / factor >= STEPS_MIN);
    allowed.clone().find(|factor| *factor >= wanted).or(allowed.next_back()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_joined_until_they_hold_enough_operations_and_never_into_too_few() {
        for (slices, operations, joined) in [
            (600, 600 * 60, 1),
            (600, 600 * 30, 2),
            (600, 600 * 9, 10),
            (600, 600, 20), // 50 would leave 12 steps
            (600, 0, 20),
            (50, 50, 1),
            (0, 0, 1),
        ] {
            assert_eq!(factor(slices, operations), joined, "{operations} operations in {slices} slices");
        }
    }
}
