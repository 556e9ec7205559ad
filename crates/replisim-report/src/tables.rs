//! The CSV files: long form, one header line, slugs with their statistic as column names.

use replisim_experiment::measure::series::{ExposureSeries, GaugeSeries};
use replisim_experiment::measure::{Leaf, MeasureInfo, Series, Unit};
use replisim_experiment::{Figure, STATISTICS, Study, quantiles};
use replisim_scenario::Statistic;

use crate::number::{cell, in_unit};
use crate::report::File;

/// All CSV files of a study.
pub fn tables(study: &Study) -> Vec<File> {
    let mut files = Vec::new();
    if study.runs.len() == 1 {
        if let Some(series) = &study.series {
            files.push(lag(study, series));
            files.push(staleness(study, series));
            files.push(operations(study, series));
            files.push(availability(series));
            files.push(exposure(series));
            files.push(divergence(series));
        }
    } else {
        files.push(seeds(study));
    }
    files.push(visibility(study));
    files.push(distributions(study));
    files
}

struct Table(csv::Writer<Vec<u8>>);

impl Table {
    fn new(header: &[&str]) -> Table {
        let mut table = Table(csv::Writer::from_writer(Vec::new()));
        table.row(header);
        table
    }

    fn row(&mut self, cells: impl IntoIterator<Item = impl AsRef<[u8]>>) {
        self.0.write_record(cells).expect("rows of one length, into memory");
    }

    fn file(self, name: &str) -> File {
        File { name: name.to_owned(), content: self.0.into_inner().expect("flushing memory") }
    }
}

fn seconds(series: &Series, slice: usize) -> String {
    cell(series.slices.start(slice).seconds())
}

fn lag(study: &Study, series: &Series) -> File {
    let header = ["time_s", "node", "lag_ms_mean", "lag_ms_max", "lag_versions_mean", "lag_versions_max"];
    let mut table = Table::new(&header);
    for (name, lag) in study.merged.roster.members.iter().zip(&series.lag) {
        for slice in (0..series.slices.count).filter(|slice| lag.seen[*slice] > 0) {
            let seen = lag.seen[slice] as f64;
            table.row([
                seconds(series, slice),
                name.clone(),
                cell(lag.twice_integral[slice] as f64 / 2.0 / seen / 1e6),
                cell(lag.max[slice] as f64 / 1e6),
                cell(lag.versions_integral[slice] as f64 / seen),
                cell(lag.versions_max[slice] as f64),
            ]);
        }
    }
    table.file("lag.csv")
}

fn staleness(study: &Study, series: &Series) -> File {
    let header = ["time_s", "workload", "reads", "stale_reads", "staleness_ms_mean", "staleness_ms_max"];
    let mut table = Table::new(&header);
    for (name, staleness) in study.merged.roster.clients.iter().zip(&series.staleness) {
        for slice in (0..series.slices.count).filter(|slice| staleness.reads[*slice] > 0) {
            table.row([
                seconds(series, slice),
                name.clone(),
                staleness.reads[slice].to_string(),
                staleness.stale[slice].to_string(),
                cell(staleness.sum[slice] as f64 / staleness.reads[slice] as f64 / 1e6),
                cell(staleness.max[slice] as f64 / 1e6),
            ]);
        }
    }
    table.file("staleness.csv")
}

fn operations(study: &Study, series: &Series) -> File {
    let mut table = Table::new(&["time_s", "workload", "ok", "failed", "unknown"]);
    for (name, ops) in study.merged.roster.clients.iter().zip(&series.operations) {
        for slice in 0..series.slices.count {
            let counts = [ops.ok[slice], ops.failed[slice], ops.unknown[slice]];
            if counts != [0, 0, 0] {
                let [ok, failed, unknown] = counts.map(|count| count.to_string());
                table.row([seconds(series, slice), name.clone(), ok, failed, unknown]);
            }
        }
    }
    table.file("operations.csv")
}

fn availability(series: &Series) -> File {
    let mut table = Table::new(&["time_s", "kind", "scheduled", "ok", "availability"]);
    for (name, kind) in ["read", "write"].into_iter().zip(&series.availability) {
        for slice in (0..series.slices.count).filter(|slice| kind.scheduled[*slice] > 0) {
            let (scheduled, ok) = (kind.scheduled[slice], kind.ok[slice]);
            table.row([
                seconds(series, slice),
                name.to_owned(),
                scheduled.to_string(),
                ok.to_string(),
                cell(ok as f64 / scheduled as f64),
            ]);
        }
    }
    table.file("availability.csv")
}

/// No rows where there is no primary.
fn exposure(series: &Series) -> File {
    let header = [
        "time_s",
        "rpo_writes_mean",
        "rpo_writes_max",
        "rpo_bytes_mean",
        "rpo_bytes_max",
        "rpo_age_ms_mean",
        "rpo_age_ms_max",
    ];
    let mut table = Table::new(&header);
    let ExposureSeries { writes, bytes, age } = &series.exposure;
    for slice in (0..series.slices.count).filter(|slice| writes.seen[*slice] > 0) {
        let parts = [(writes, 1.0), (bytes, 1.0), (age, 1e6)];
        let values = parts.into_iter().flat_map(|(gauge, unit)| mean_and_max(gauge, slice, unit));
        table.row([seconds(series, slice)].into_iter().chain(values));
    }
    table.file("exposure.csv")
}

fn divergence(series: &Series) -> File {
    let mut table = Table::new(&["time_s", "divergence_keys_mean", "divergence_keys_max"]);
    let keys = &series.divergence;
    for slice in (0..series.slices.count).filter(|slice| keys.seen[*slice] > 0) {
        table.row([seconds(series, slice)].into_iter().chain(mean_and_max(keys, slice, 1.0)));
    }
    table.file("divergence.csv")
}

/// Time-weighted mean and maximum in a slice, as multiples of `unit`.
fn mean_and_max(gauge: &GaugeSeries, slice: usize, unit: f64) -> [String; 2] {
    let mean = gauge.twice_integral[slice] as f64 / 2.0 / gauge.seen[slice] as f64;
    [mean, gauge.max[slice] as f64].map(|value| cell(value / unit))
}

fn visibility(study: &Study) -> File {
    let mut table =
        Table::new(&["workload", "since_ack_ms_from", "since_ack_ms_to", "reads", "t_visibility"]);
    for (name, visibility) in &study.merged.visibility {
        for point in visibility.curve() {
            table.row([
                name.clone(),
                cell(point.from as f64 / 1e6),
                cell(point.to as f64 / 1e6),
                point.reads.to_string(),
                cell(point.fresh as f64 / point.reads as f64),
            ]);
        }
    }
    table.file("t_visibility.csv")
}

/// Quantiles of every distribution, fine enough to draw its curve; of versions, every step of it.
fn distributions(study: &Study) -> File {
    let mut table = Table::new(&["measure", "scope", "name", "quantile", "value"]);
    for measure in &study.merged.measures {
        let whole = measure.all.iter().map(|leaf| ("all", "", leaf));
        let parts = measure
            .scopes
            .iter()
            .flat_map(|(kind, values)| values.iter().map(move |(name, leaf)| (*kind, name.as_str(), leaf)));
        for (kind, name, leaf) in whole.chain(parts) {
            for (q, value) in QUANTILES.into_iter().zip(quantiles(leaf, &QUANTILES)) {
                let shown = cell(in_unit(value.number(), measure.info.unit));
                let shown = if matches!(value, Figure::AtLeast(_)) { format!(">{shown}") } else { shown };
                table.row([measure.info.slug, kind, name, &cell(q), &shown]);
            }
            // Whole numbers of versions, or attempts, have few values: with every step, what share of reads misses k of them.
            if let (Leaf::Distribution(samples), Unit::Versions | Unit::Attempts) = (leaf, measure.info.unit)
            {
                for (value, share) in samples.cumulative() {
                    table.row([measure.info.slug, kind, name, &cell(share), &cell(value as f64)]);
                }
            }
        }
    }
    table.file("distributions.csv")
}

#[rustfmt::skip]
const QUANTILES: [f64; 22] = [
    0.0, 0.01, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9999, 1.0,
];

/// One row a seed: every statistic of every measure of the whole run.
fn seeds(study: &Study) -> File {
    let mut header = vec!["seed".to_owned(), "digest".to_owned(), "events".to_owned()];
    let columns: Vec<_> =
        study.merged.measures.iter().filter_map(|m| Some((m.info, m.all.as_ref()?))).collect();
    for (info, leaf) in &columns {
        match leaf {
            Leaf::Count { .. } | Leaf::Rate { .. } => header.push(info.slug.to_owned()),
            _ => header.extend(STATISTICS.iter().map(|(name, _)| format!("{}_{name}", info.slug))),
        }
    }
    let mut table = Table::new(&header.iter().map(String::as_str).collect::<Vec<_>>());
    let column = |info: &MeasureInfo, statistic| {
        let figures = study.figures.of_each(info.slug, None, statistic).into_iter();
        figures.map(|figure| figure.map_or(String::new(), |figure| show(figure, info.unit))).collect()
    };
    let columns: Vec<Vec<String>> = columns
        .iter()
        .flat_map(|(info, leaf)| match leaf {
            Leaf::Count { .. } | Leaf::Rate { .. } => vec![column(info, Statistic::Count)],
            _ => STATISTICS.iter().map(|(_, statistic)| column(info, *statistic)).collect(),
        })
        .collect();
    for (i, run) in study.runs.iter().enumerate() {
        let head = [run.seed.to_string(), run.digest.to_string(), run.events.to_string()];
        table.row(head.iter().chain(columns.iter().map(|column| &column[i])));
    }
    table.file("seeds.csv")
}

fn show(figure: Figure, unit: Unit) -> String {
    let value = cell(in_unit(figure.number(), unit));
    if matches!(figure, Figure::AtLeast(_)) { format!(">{value}") } else { value }
}
