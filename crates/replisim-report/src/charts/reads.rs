//! What reads saw: how stale they were, over time and all together, and when writes became visible to them.

use replisim_experiment::Study;
use replisim_experiment::measure::{Distribution, Leaf, Series as TimeSeries};

use super::{FEW, by_slice, distribution_chart, over_time, points_only};
use crate::chart::{Axis, LineChart, Series, Unit};

pub(super) fn staleness(study: &Study, series: &TimeSeries) -> LineChart {
    let what = format!("stalest read in each {}", series.slices.width);
    let y = Axis::linear("staleness of the stalest read", Unit::Milliseconds);
    let mut chart = over_time(study, "How stale reads were", &what, y);
    for (name, staleness) in study.merged.roster.clients.iter().zip(&series.staleness) {
        let slices_with_reads = staleness.reads.iter().filter(|reads| **reads > 0).count();
        if slices_with_reads == 0 {
            continue;
        }
        let points = by_slice(&series.slices, |slice| {
            (staleness.reads[slice] > 0).then(|| staleness.max[slice] as f64 / 1e6)
        });
        let series = Series::staircase(name.clone(), points);
        chart.series.push(if slices_with_reads <= FEW { points_only(series) } else { series });
    }
    chart
}

pub(super) fn staleness_ccdf(study: &Study) -> LineChart {
    let y = Axis::log("share of reads staler than that", Unit::Share);
    let mut what = "every ok read counts, fresh ones as 0".to_owned();
    let workloads = study.merged.measure("staleness_ms").and_then(|measure| measure.scopes.first());
    let mut series = Vec::new();
    for (name, leaf) in workloads.iter().flat_map(|(_, workloads)| workloads) {
        let Leaf::Distribution(samples) = leaf else { continue };
        let points = staler_than(samples);
        if !points.is_empty() {
            series.push(Series::staircase(name.clone(), points));
        }
    }
    if series.is_empty() {
        what = "no read was stale".to_owned();
    }
    let mut chart = distribution_chart(study, "How many reads are staler than …", &what, "staleness", y);
    chart.series = series;
    chart
}

/// Pairs (staleness in ms, share of samples above it): a staircase from 0, where it is the share of stale reads, down
/// to the largest value, above which there is nothing. Empty if no read was stale.
fn staler_than(samples: &Distribution) -> Vec<(f64, f64)> {
    let (fresh, stale): (Vec<_>, Vec<_>) = samples.cumulative().into_iter().partition(|(ns, _)| *ns <= 0);
    let Some((least, _)) = stale.first() else { return Vec::new() };
    let share = 1.0 - fresh.last().map_or(0.0, |(_, share)| *share);
    // The point just before the first step makes room for the first level on a logarithmic axis.
    let level = [(0.0, share), (0.9 * *least as f64 / 1e6, share)];
    let steps = stale.into_iter().map(|(ns, below)| (ns as f64 / 1e6, 1.0 - below));
    level.into_iter().chain(steps).collect()
}

pub(super) fn visibility(study: &Study) -> LineChart {
    let y = Axis::linear("share of reads that show it", Unit::Share).within(0.0, 1.0);
    let what = "of the write acknowledged last before each read";
    let mut chart = distribution_chart(
        study,
        "t-visibility: when a write becomes visible",
        what,
        "time since its ack",
        y,
    );
    for (name, visibility) in &study.merged.visibility {
        // A handful of reads says nothing about a share.
        let curve = visibility.curve();
        let few = curve.iter().map(|point| point.reads).sum::<u64>() <= FEW as u64;
        let points: Vec<(f64, f64)> = curve
            .iter()
            .filter(|point| point.reads >= 20 || few)
            .map(|point| ((point.from + point.to) as f64 / 2e6, point.fresh as f64 / point.reads as f64))
            .collect();
        if !points.is_empty() {
            let series = Series::line(name.clone(), points);
            chart.series.push(if few { points_only(series) } else { series });
        }
    }
    chart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_staler_reads_is_a_staircase_from_the_share_of_stale_ones_to_nothing() {
        for (samples_ms, expected) in [
            (&[][..], &[][..]),
            (&[0, 0], &[]),
            (&[0, 0, 0, 500], &[(0.0, 0.25), (450.0, 0.25), (500.0, 0.0)]),
            (&[500], &[(0.0, 1.0), (450.0, 1.0), (500.0, 0.0)]),
            (&[0, 100, 100, 200], &[(0.0, 0.75), (90.0, 0.75), (100.0, 0.25), (200.0, 0.0)]),
        ] {
            let mut samples = Distribution::default();
            samples_ms.iter().for_each(|ms| samples.record(ms * 1_000_000));
            let found = staler_than(&samples);
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-3 * b; // the resolution of the histogram
            let right = found.len() == expected.len()
                && found.iter().zip(expected).all(|(a, b)| close(a.0, b.0) && close(a.1, b.1));
            assert!(right, "{samples_ms:?}: {found:?}, not {expected:?}");
        }
    }
}
