//! Which charts there are, and what they show.
//!
//! - [`charts`]: the list, and which are left out;
//! - `reads`: staleness, t-visibility; `replicas`: lag, divergence, convergence; `failover`: exposure, availability,
//!   throughput; `topology`: the map;
//! - [`messages`](fn@messages): who sends what to whom, for the book.

mod failover;
mod messages;
mod reads;
mod replicas;
mod topology;

use replisim_experiment::Study;
use replisim_experiment::measure::Series as TimeSeries;
use replisim_experiment::measure::series::{GaugeSeries, Slices};
use replisim_scenario::scenario::{fault_name, is_instant};

pub use messages::messages;

use crate::chart::{Axis, Band, Chart, LineChart, Mark, Series, Stroke, Unit};

/// All charts of a study, each with the stem of its file name. Charts over time show the first seed.
pub fn charts(study: &Study) -> Vec<(&'static str, Chart)> {
    let mut charts = Vec::new();
    if let Some(series) = &study.series {
        charts.push(("lag", Chart::Lines(replicas::lag(study, series))));
        charts.push(("staleness", Chart::Lines(reads::staleness(study, series))));
        charts.extend(of_bad_days(study, series));
    }
    charts.push(("staleness_ccdf", Chart::Lines(reads::staleness_ccdf(study))));
    charts.push(("t_visibility", Chart::Lines(reads::visibility(study))));
    charts.push(("convergence_cdf", Chart::Lines(replicas::convergence_cdf(study))));
    charts.push(("topology", Chart::Network(topology::topology(study))));
    charts
}

/// Charts of what can go wrong. Each is left out where it has nothing to say: there is no fault in the scenario, and
/// never was anything exposed, different or unavailable. A single node has no successor to lack a write and no other
/// node to differ from.
fn of_bad_days(study: &Study, series: &TimeSeries) -> Vec<(&'static str, Chart)> {
    let faults = !study.loaded.scenario.faults.is_empty();
    let several = study.merged.roster.members.len() > 1;
    let ever = |gauge: &GaugeSeries| gauge.max.iter().any(|value| *value > 0);
    let has_primary = series.exposure.writes.seen.iter().any(|seen| *seen > 0);
    let failed = series.availability.iter().any(|kind| kind.ok != kind.scheduled);
    let mut charts = Vec::new();
    if several && has_primary && (faults || ever(&series.exposure.writes)) {
        charts.push(("exposure", Chart::Lines(failover::exposure(study, series))));
    }
    if several && (faults || ever(&series.divergence)) {
        charts.push(("divergence", Chart::Lines(replicas::divergence(study, series))));
    }
    if faults || failed {
        charts.push(("availability", Chart::Lines(failover::availability(study, series))));
        charts.push(("throughput", Chart::Lines(failover::throughput(study, series))));
    }
    charts
}

fn over_time(study: &Study, title: &str, what: &str, y: Axis) -> LineChart {
    let scenario = &study.loaded.scenario;
    let end = scenario.duration.seconds();
    let mut bands = Vec::new();
    let mut marks = Vec::new();
    for entry in scenario.faults.iter().filter(|entry| entry.breakdowns.is_none()) {
        let from = entry.at.seconds();
        if is_instant(entry) {
            marks.push(Mark::X(from, fault_name(entry)));
        } else {
            let to = entry.lasts.map_or(end, |lasts| from + lasts.seconds()).min(end);
            bands.push(Band { from, to, label: fault_name(entry) });
        }
    }
    // What came at random is known only from the run.
    for span in study.series.iter().flat_map(|series| &series.faults) {
        let entry = &scenario.faults[span.fault.index()];
        if entry.breakdowns.is_some() {
            let (from, to) = (span.from.seconds(), span.to.map_or(end, |to| to.seconds()));
            bands.push(Band { from, to, label: fault_name(entry) });
        }
    }
    let seeds = match &study.runs[..] {
        [run] => format!("seed {}", run.seed),
        runs => format!("seed {} of {}", runs[0].seed, runs.len()),
    };
    LineChart {
        title: title.to_owned(),
        subtitle: format!("{} · {seeds} · {what}", scenario.name),
        x: Axis::linear("simulated time", Unit::Seconds).within(0.0, end),
        y,
        series: Vec::new(),
        bands,
        marks,
    }
}

/// A point at the start of each slice; none where there is no value.
fn by_slice(slices: &Slices, value: impl Fn(usize) -> Option<f64>) -> Vec<(f64, f64)> {
    let point = |slice| (slices.start(slice).seconds(), value(slice).unwrap_or(f64::NAN));
    (0..slices.count).map(point).collect()
}

/// The largest value in each slice.
fn gauge(name: &str, slices: &Slices, gauge: &GaugeSeries) -> Series {
    let points = by_slice(slices, |slice| (gauge.seen[slice] > 0).then(|| gauge.max[slice] as f64));
    Series::staircase(name.to_owned(), points)
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
