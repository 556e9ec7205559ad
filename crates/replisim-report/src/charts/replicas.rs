//! What replicas lack: their lag and their differences over time, and how long writes take to reach them.

use replisim_experiment::Study;
use replisim_experiment::measure::{Leaf, Series as TimeSeries};

use super::{by_slice, distribution_chart, gauge, over_time};
use crate::chart::{Axis, LineChart, Series, Unit};

pub(super) fn lag(study: &Study, series: &TimeSeries) -> LineChart {
    let what = format!("largest value in each {}", series.slices.width);
    let y = Axis::linear("age of the oldest missing write", Unit::Milliseconds);
    let mut chart = over_time(study, "Replication lag of each replica", &what, y);
    let primary = study.runs.first().and_then(|run| run.primary);
    for (i, (name, lag)) in study.merged.roster.members.iter().zip(&series.lag).enumerate() {
        let never = lag.max.iter().all(|lag| *lag == 0);
        if never && primary.is_some_and(|primary| primary.index() == i) {
            continue; // while it is the primary, it applies every write as it commits it
        }
        let points =
            by_slice(&series.slices, |slice| (lag.seen[slice] > 0).then(|| lag.max[slice] as f64 / 1e6));
        chart.series.push(Series::staircase(name.clone(), points));
    }
    chart
}

pub(super) fn divergence(study: &Study, series: &TimeSeries) -> LineChart {
    let what = format!("largest number in each {}", series.slices.width);
    let y = Axis::linear("keys", Unit::Count);
    let mut chart = over_time(study, "On how many keys live replicas differ", &what, y);
    chart.series.push(gauge("keys", &series.slices, &series.divergence));
    chart
}

pub(super) fn convergence_cdf(study: &Study) -> LineChart {
    let y = Axis::linear("share of writes", Unit::Share).within(0.0, 1.0);
    let mut chart = distribution_chart(
        study,
        "How long writes take to be everywhere",
        "from commit to the last owner, and to each replica",
        "time since the commit",
        y,
    );
    let all = study.merged.leaf("convergence_ms", None).map(|leaf| ("all owners".to_owned(), leaf));
    let nodes = study.merged.measure("replication_delay_ms").and_then(|measure| measure.scopes.first());
    let nodes = nodes.iter().flat_map(|(_, nodes)| nodes).map(|(name, leaf)| (name.clone(), leaf));
    // The whole comes last, so that a node has the same colour in every chart.
    for (name, leaf) in nodes.chain(all) {
        let Leaf::Distribution(samples) = leaf else { continue };
        let steps = samples.cumulative().into_iter().map(|(ns, share)| (ns as f64 / 1e6, share));
        let first = samples.min().map(|ns| (ns as f64 / 1e6, 0.0)); // where the curve rises from
        chart.series.push(Series::staircase(name, first.into_iter().chain(steps).collect()));
    }
    chart
}
