//! What replicas lack: their lag and their differences over time, and how long writes take to reach them.

use replisim_experiment::Study;
use replisim_experiment::measure::{Leaf, Quantile, Series as TimeSeries};

use super::{by_slice, distribution_chart, gauge, over_time};
use crate::chart::{Axis, LineChart, Series, Unit};

/// More replicas than this are too many curves to tell apart, and so many of them are shown then.
const MOST_CURVES: usize = 24;
const SHOWN: usize = 11;

pub(super) fn lag(study: &Study, series: &TimeSeries) -> LineChart {
    let what = format!("largest value in each {}", series.slices.width);
    let y = Axis::linear("age of the oldest missing write", Unit::Milliseconds);
    let mut chart = over_time(study, "Replication lag of each replica", &what, y);
    let mut curves = Vec::new();
    let primary = study.runs.first().and_then(|run| run.primary);
    for (i, (name, lag)) in study.merged.roster.members.iter().zip(&series.lag).enumerate() {
        let never = lag.max.iter().all(|lag| *lag == 0);
        if never && primary.is_some_and(|primary| primary.index() == i) {
            continue; // while it is the primary, it applies every write as it commits it
        }
        let points =
            by_slice(&series.slices, |slice| (lag.seen[slice] > 0).then(|| lag.max[slice] as f64 / 1e6));
        let worst = lag.max.iter().copied().max().unwrap_or_default();
        curves.push((worst, Series::staircase(name.clone(), points)));
    }
    add_the_worst(&mut chart, curves);
    chart
}

/// Adds the curves, each with how bad it is; of more than can be told apart the worst, in their order.
fn add_the_worst(chart: &mut LineChart, curves: Vec<(u64, Series)>) {
    let count = curves.len();
    let mut ranked: Vec<(usize, (u64, Series))> = curves.into_iter().enumerate().collect();
    if count > MOST_CURVES {
        ranked.sort_by_key(|(i, (worst, _))| (std::cmp::Reverse(*worst), *i));
        ranked.truncate(SHOWN);
        ranked.sort_by_key(|(i, _)| *i);
        chart.subtitle += &format!(" · the {SHOWN} worst of {count}");
    }
    chart.series.extend(ranked.into_iter().map(|(_, (_, series))| series));
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
    let curve = |(name, leaf): (String, &Leaf)| {
        let Leaf::Distribution(samples) = leaf else { return None };
        let steps = samples.cumulative().into_iter().map(|(ns, share)| (ns as f64 / 1e6, share));
        let first = samples.min().map(|ns| (ns as f64 / 1e6, 0.0)); // where the curve rises from
        let worst = match samples.max() {
            Some(Quantile::Value(worst)) => worst.max(0) as u64,
            Some(Quantile::Above(_)) => u64::MAX,
            None => 0,
        };
        Some((worst, Series::staircase(name, first.into_iter().chain(steps).collect())))
    };
    add_the_worst(&mut chart, nodes.filter_map(curve).collect());
    // The whole comes last, so that a node has the same colour in every chart.
    chart.series.extend(all.and_then(curve).map(|(_, series)| series));
    chart
}
