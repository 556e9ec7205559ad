//! Which charts there are, and what they show.

use replisim_experiment::measure::{Distribution, Leaf, Series as TimeSeries};
use replisim_experiment::{PlaceLink, Study};
use replisim_scenario::scenario::fault_name;

use crate::chart::{Axis, Band, Chart, LineChart, Link, NetworkMap, PlaceOnMap, Series, Stroke, Unit};

/// All charts of a study, each with the stem of its file name. Charts over time show the first seed.
pub fn charts(study: &Study) -> Vec<(&'static str, Chart)> {
    let mut charts = Vec::new();
    if let Some(series) = &study.series {
        charts.push(("lag", Chart::Lines(lag(study, series))));
        charts.push(("staleness", Chart::Lines(staleness(study, series))));
    }
    charts.push(("staleness_ccdf", Chart::Lines(staleness_ccdf(study))));
    charts.push(("t_visibility", Chart::Lines(visibility(study))));
    charts.push(("convergence_cdf", Chart::Lines(convergence_cdf(study))));
    charts.push(("topology", Chart::Network(topology(study))));
    charts
}

fn over_time(study: &Study, title: &str, what: &str, y: &str) -> LineChart {
    let scenario = &study.loaded.scenario;
    let bands = scenario.faults.iter().map(|entry| {
        let from = entry.at.seconds();
        let to = entry.lasts.map_or(scenario.duration.seconds(), |lasts| from + lasts.seconds());
        Band { from, to: to.min(scenario.duration.seconds()), label: fault_name(entry) }
    });
    let seeds = match &study.runs[..] {
        [run] => format!("seed {}", run.seed),
        runs => format!("seed {} of {}", runs[0].seed, runs.len()),
    };
    LineChart {
        title: title.to_owned(),
        subtitle: format!("{} · {seeds} · {what}", scenario.name),
        x: Axis::linear("simulated time", Unit::Seconds).within(0.0, scenario.duration.seconds()),
        y: Axis::linear(y, Unit::Milliseconds),
        series: Vec::new(),
        bands: bands.collect(),
        marks: Vec::new(),
    }
}

fn lag(study: &Study, series: &TimeSeries) -> LineChart {
    let what = format!("largest value in each {}", series.slices.width);
    let mut chart =
        over_time(study, "Replication lag of each replica", &what, "age of the oldest missing write");
    let primary = study.runs.first().and_then(|run| run.primary);
    for (i, (name, lag)) in study.merged.roster.members.iter().zip(&series.lag).enumerate() {
        if primary.is_some_and(|primary| primary.index() == i) {
            continue; // it applies every write as it commits it
        }
        let points = (0..series.slices.count).map(|slice| {
            let seen = lag.seen[slice] > 0;
            (series.slices.start(slice).seconds(), if seen { lag.max[slice] as f64 / 1e6 } else { f64::NAN })
        });
        chart.series.push(Series::staircase(name.clone(), points.collect()));
    }
    chart
}

fn staleness(study: &Study, series: &TimeSeries) -> LineChart {
    let what = format!("stalest read in each {}", series.slices.width);
    let mut chart = over_time(study, "How stale reads were", &what, "staleness of the stalest read");
    for (name, staleness) in study.merged.roster.clients.iter().zip(&series.staleness) {
        if staleness.reads.iter().all(|reads| *reads == 0) {
            continue;
        }
        let points = (0..series.slices.count).map(|slice| {
            let read = staleness.reads[slice] > 0;
            (
                series.slices.start(slice).seconds(),
                if read { staleness.max[slice] as f64 / 1e6 } else { f64::NAN },
            )
        });
        let mut series = Series::staircase(name.clone(), points.collect());
        if staleness.reads.iter().filter(|reads| **reads > 0).count() <= FEW {
            series = points_only(series);
        }
        chart.series.push(series);
    }
    chart
}

/// So few points are shown one by one: a line through them would tell a story that nobody measured.
const FEW: usize = 60;

fn points_only(series: Series) -> Series {
    Series { step: false, style: Stroke::Points, ..series }
}

fn distribution_chart(study: &Study, title: &str, what: &str, x: &str, y: Axis) -> LineChart {
    let runs = study.runs.len();
    let seeds = if runs == 1 { format!("seed {}", study.runs[0].seed) } else { format!("{runs} seeds") };
    LineChart {
        title: title.to_owned(),
        subtitle: format!("{} · {seeds} · {what}", study.loaded.scenario.name),
        x: Axis::log(x, Unit::Milliseconds),
        y,
        series: Vec::new(),
        bands: Vec::new(),
        marks: Vec::new(),
    }
}

fn staleness_ccdf(study: &Study) -> LineChart {
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

fn visibility(study: &Study) -> LineChart {
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

fn convergence_cdf(study: &Study) -> LineChart {
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

/// With more places than this, only links from the first are labelled.
const MANY: usize = 6;

fn topology(study: &Study) -> NetworkMap {
    let places = &study.places;
    let label = |link: &PlaceLink| {
        let (there, back) = (Unit::Milliseconds.write(link.there.millis()), link.back.millis());
        let back = Unit::Milliseconds.write(back);
        if there == back { there } else { format!("{there} / {back}") }
    };
    let links = places.links.iter().filter(|link| places.places.len() <= MANY || link.a == 0);
    NetworkMap {
        title: "Who is where, and how far apart".to_owned(),
        subtitle: format!("{} · mean round trips", study.loaded.scenario.name),
        links: links.map(|link| Link { a: link.a, b: link.b, label: label(link) }).collect(),
        places: places
            .places
            .iter()
            .map(|place| PlaceOnMap {
                name: place.name.clone(),
                nodes: place.nodes.clone(),
                clients: place.clients.clone(),
            })
            .collect(),
    }
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
