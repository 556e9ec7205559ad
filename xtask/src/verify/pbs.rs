//! Probabilistically bounded staleness: the table of the paper, and rows beyond it that an [oracle](super::wars) answers.

use std::collections::BTreeMap;

use super::Effort;
use super::row::{Estimate, Row, Table, Unit, least_error};
use super::simulate::{Job, Outcome, RESOLUTION};
use super::wars::{self, Delays, Quorums};

/// Of the paper's table: model, scenario, and what to change in it.
const MODELS: [(&str, &str, &[&str]); 4] = [
    ("LNKD-SSD", "papers/pbs-lnkd-ssd", &[]),
    ("LNKD-DISK", "papers/pbs-lnkd-disk", &[]),
    ("YMMR", "papers/pbs-ymmr", &[]),
    ("YMMR(alpha3.5)", "papers/pbs-ymmr", &[WRITE_SHAPE]),
];
const WRITE_SHAPE: &str = "network.default.kinds.replicate.latency.mixture[0].law.pareto.shape=3.5";

/// Beyond the table: scenario, N, R, W.
const BEYOND: [Beyond; 9] = [
    ("WAN", WAN, wars::WAN, quorums(3, 1, 1)),
    ("WAN", WAN, wars::WAN, quorums(3, 1, 2)),
    ("WAN", WAN, wars::WAN, quorums(3, 2, 1)),
    ("WAN", WAN, wars::WAN, quorums(3, 2, 2)),
    ("WAN", WAN, wars::WAN, quorums(3, 3, 1)),
    ("LNKD-SSD", "papers/pbs-lnkd-ssd", wars::LNKD_SSD, quorums(5, 2, 1)),
    ("LNKD-DISK", "papers/pbs-lnkd-disk", wars::LNKD_DISK, quorums(5, 2, 2)),
    ("LNKD-DISK", "papers/pbs-lnkd-disk", wars::LNKD_DISK, quorums(2, 1, 1)),
    ("YMMR", "papers/pbs-ymmr", wars::YMMR, quorums(5, 3, 1)),
];
type Beyond = (&'static str, &'static str, Delays, Quorums);
const WAN: &str = "papers/pbs-wan";

/// Of latencies; as numbers and as the files call them.
const QUANTILES: [(f64, &str); 2] = [(0.5, "p50"), (0.999, "p99_9")];
/// Trials behind a line of `pbs.csv`.
const TRIALS: f64 = 20e6;
/// How much is run at first.
const FAST: Size = Size { seeds: 4, writes: 10_000.0, share: "100%" };
const FULL: Size = Size { seeds: 32, writes: 1e6, share: "33.34%" };
/// An error from a short run is itself not exact.
const MARGIN: f64 = 1.3;
/// No more than this: a few rows of rare events would take hours.
const MOST_GROWTH: f64 = 4.0;
/// Writes a second, and seconds of warm-up, in the scenarios.
const RATE: f64 = 500.0;
const WARMUP: f64 = 1.0;
/// Reads come so long after an acknowledgement, in milliseconds. By definition they miss what was acknowledged before.
const OFFSETS: [f64; 3] = [0.0, 5.0, 10.0];
/// The followers of the scenarios: one at each offset, or one in each region.
const BY_OFFSET: [&str; 3] = ["first", "second", "third"];
const BY_REGION: [&str; 3] = ["east", "west", "europe"];
/// The share of reads that is stale at the time called t-visibility.
const STALE: f64 = 1e-3;

const fn quorums(copies: usize, read: usize, write: usize) -> Quorums {
    Quorums { copies, read, write }
}

/// How much is run: seeds, the writes of all together, and after which share of them each reader reads.
#[derive(Clone, Copy, Debug)]
struct Size {
    seeds: usize,
    writes: f64,
    share: &'static str,
}

/// A line of the table: what is simulated, and what is known of it.
struct Case {
    name: String,
    scenario: &'static str,
    set: Vec<String>,
    readers: [&'static str; 3],
    /// Whether it is the first of its model: of the others the time is left out where it has to be fast.
    is_first: bool,
    first_seed: u64,
    /// Latencies in milliseconds: p50 and p99.9.
    reads: [Estimate; 2],
    writes: [Estimate; 2],
    /// At [`OFFSETS`].
    fresh: [Estimate; 3],
    /// 0 where enough reads are fresh at once; none where nobody says.
    t_visibility: Option<Estimate>,
}

/// The paper's table.
pub(crate) fn table(effort: Effort) -> Result<Table, String> {
    let path = crate::root().join("xtask/data/pbs.csv");
    let mut reader =
        csv::ReaderBuilder::new().comment(Some(b'#')).from_path(path).map_err(|error| error.to_string())?;
    let mut cases = Vec::new();
    for (i, record) in (0..).zip(reader.deserialize()) {
        let record: BTreeMap<String, String> = record.map_err(|error| error.to_string())?;
        cases.push(published(&record, 1 + i * 1_000)?);
    }
    compare(
        "Probabilistically bounded staleness: the paper's table",
        "Reference: `ref_*` of `xtask/data/pbs.csv`, a Monte Carlo of the model of Bailis et al. (VLDB 2012, table 4), 20 million \
         trials a row, N = 3. Every write has a fresh key and no message waits for another, so operations are independent.",
        cases,
        effort,
    )
}

/// Rows that the paper does not print.
pub(crate) fn beyond(effort: Effort) -> Result<Table, String> {
    let cases = (0..).zip(BEYOND).map(|(i, row)| answered(row, 100_001 + i * 1_000, effort)).collect();
    compare(
        "Probabilistically bounded staleness: across regions, and other N",
        "Reference: a brute-force Monte Carlo of the same model, `xtask/src/verify/wars.rs`, with its own random numbers.",
        cases,
        effort,
    )
}

fn compare(heading: &str, words: &str, cases: Vec<Case>, effort: Effort) -> Result<Table, String> {
    let mut table =
        Table { heading: heading.to_owned(), words: words.to_owned(), rows: Vec::new(), operations: 0 };
    for case in cases {
        eprintln!("  {}", case.name);
        let known = table.rows.len();
        case.compare(effort, &mut table)?;
        if effort == Effort::Full {
            table.rows[known..].iter().for_each(|row| eprint!("    {}", row.line()));
        }
    }
    Ok(table)
}

/// The case of a line of `pbs.csv`.
fn published(record: &BTreeMap<String, String>, first_seed: u64) -> Result<Case, String> {
    let number = |column: &str| record.get(column).and_then(|cell| cell.parse::<f64>().ok());
    let known = |column: &str| number(column).ok_or_else(|| format!("pbs.csv has no {column} in {record:?}"));
    let known_within = |column: &str| {
        let error = known(&format!("{column}_se"))?;
        Ok::<_, String>(Estimate { value: known(&format!("{column}_ms"))?, error, runs: None })
    };
    // Of a median no error is printed: it is small beside ours.
    let median = |column: &str| Ok::<_, String>(Estimate::exact(known(column)?));
    let share = |column: &str| {
        let value = known(column)?;
        Ok::<_, String>(Estimate { value, error: least_error(value, TRIALS), runs: None })
    };
    let model = &record["model"];
    let found = MODELS.iter().find(|(name, ..)| name == model);
    let (_, scenario, set) = found.ok_or_else(|| format!("pbs.csv: no scenario for {model}"))?;
    let (read, write) = (known("R")? as usize, known("W")? as usize);
    let always = Estimate::exact(1.0);
    let overlap = read + write > 3;
    Ok(Case {
        name: format!("{model}, R={read} W={write}"),
        scenario,
        set: set.iter().map(|set| (*set).to_owned()).chain(levels(read, write)).collect(),
        readers: BY_OFFSET,
        is_first: read == 1 && write == 1,
        first_seed,
        reads: [median("ref_read_p50_ms")?, known_within("ref_read_p999")?],
        writes: [median("ref_write_p50_ms")?, known_within("ref_write_p999")?],
        fresh: match overlap {
            true => [always; 3],
            false => {
                [share("ref_p_fresh_at_0")?, share("ref_p_fresh_at_5ms")?, share("ref_p_fresh_at_10ms")?]
            }
        },
        t_visibility: known_within("ref_t_visibility_p999").ok(),
    })
}

/// A case that the oracle answers.
fn answered((model, scenario, delays, quorums): Beyond, first_seed: u64, effort: Effort) -> Case {
    let Quorums { copies, read, write } = quorums;
    let trials = if effort == Effort::Full { 4_000_000 } else { 400_000 };
    let answers = delays.simulate(quorums, trials, first_seed);
    let nodes: String = (1..=copies).map(|i| format!("n{i}: here, ")).collect();
    let other_nodes = [format!("topology.nodes={{ {nodes}}}"), format!("protocol.quorum.copies={copies}")];
    let always = Estimate::exact(1.0);
    Case {
        name: format!("{model}, N={copies} R={read} W={write}"),
        scenario,
        set: levels(read, write).into_iter().chain(other_nodes.into_iter().filter(|_| copies != 3)).collect(),
        readers: if delays.regions_apart.is_some() { BY_REGION } else { BY_OFFSET },
        is_first: read == 1 && write == 1,
        first_seed,
        reads: [0.5, 0.999].map(|q| answers.read_latency(q)),
        writes: [0.5, 0.999].map(|q| answers.write_latency(q)),
        fresh: OFFSETS.map(|t| if read + write > copies { always } else { answers.fresh(t) }),
        t_visibility: Some(answers.t_visibility(1.0 - STALE)),
    }
}

fn levels(read: usize, write: usize) -> [String; 2] {
    [format!("protocol.quorum.read={read}"), format!("protocol.quorum.write={write}")]
}

impl Case {
    fn compare(&self, effort: Effort, table: &mut Table) -> Result<(), String> {
        let mut add = |(rows, operations): (Vec<Row>, u64)| {
            table.rows.extend(rows);
            table.operations += operations;
        };
        add(self.sized(effort, |size| self.latencies_and_freshness(size))?);
        if let Some(known) = self.t_visibility.filter(|known| known.value > 0.0)
            && (effort == Effort::Full || self.is_first)
        {
            add(self.sized(effort, |size| self.t_visibility(known, size))?);
        }
        Ok(())
    }

    /// Rows, from as many operations as the effort asks for.
    fn sized(
        &self,
        effort: Effort,
        rows: impl Fn(Size) -> Result<(Vec<Row>, u64), String>,
    ) -> Result<(Vec<Row>, u64), String> {
        if effort == Effort::Fast {
            return rows(FAST);
        }
        let first = rows(FULL)?;
        let factor = first.0.iter().map(growth).fold(1.0, f64::max);
        if factor > 1.0 { rows(Size { writes: factor * FULL.writes, ..FULL }) } else { Ok(first) }
    }

    /// Latencies, and how many reads are fresh at each offset.
    fn latencies_and_freshness(&self, size: Size) -> Result<(Vec<Row>, u64), String> {
        let mut outcomes = Vec::new();
        let mut stale = Vec::new();
        if self.readers == BY_OFFSET {
            outcomes.push(self.run(OFFSETS, [true; 3], size, 0)?);
            for reader in self.readers {
                stale.push(outcomes[0].share("stale_reads", Some(("workload", reader)))?);
            }
        } else {
            for (run, offset) in (0..).zip(OFFSETS) {
                let (share, outcome) = self.stale_at(offset, size, run)?;
                stale.push(share);
                outcomes.push(outcome);
            }
        }
        let mut rows = Vec::new();
        for (what, slug, known) in
            [("read", "read_latency_ms", self.reads), ("write", "write_latency_ms", self.writes)]
        {
            for (quantile, reference) in QUANTILES.into_iter().zip(known) {
                let name = quantile.1.replace('_', ".");
                let ours = outcomes[0].quantile(slug, quantile)?;
                let slack = RESOLUTION * reference.value;
                rows.push(self.row(
                    format!("{what} latency {name}"),
                    Unit::Milliseconds,
                    reference,
                    ours,
                    slack,
                ));
            }
        }
        for ((stale, offset), reference) in stale.into_iter().zip(OFFSETS).zip(self.fresh) {
            let never = reference == Estimate::exact(1.0) && stale.value == 0.0;
            let error = if never { 0.0 } else { stale.error };
            let ours = Estimate { value: 1.0 - stale.value, error, ..stale };
            rows.push(self.row(
                format!("fresh {offset} ms after the ack"),
                Unit::Share,
                reference,
                ours,
                0.0,
            ));
        }
        Ok((rows, outcomes.iter().map(Outcome::operations).sum()))
    }

    /// Three runs: most reads at the known answer, for the share that is stale there, and the others 20 % before and
    /// after it, for how fast that share falls; between them it is a line in logarithms.
    fn t_visibility(&self, known: Estimate, size: Size) -> Result<(Vec<Row>, u64), String> {
        let mut operations = 0;
        let mut stale = |at: f64, part: f64, run: u64| {
            let size = Size { writes: part * size.writes, ..size };
            let (share, outcome) = self.stale_at(at * known.value, size, run)?;
            operations += outcome.operations();
            let found = (libm::log(share.value), share.error / share.value);
            if share.value > 0.0 { Ok(found) } else { Err(format!("{}: no stale read", self.name)) }
        };
        let (middle, middle_error) = stale(1.0, 1.0, 3)?;
        let (before, before_error) = stale(0.8, 0.25, 4)?;
        let (after, after_error) = stale(1.2, 0.25, 5)?;
        let width = libm::log(1.2 / 0.8);
        let slope = (after - before) / width;
        let slope_error = libm::sqrt(before_error * before_error + after_error * after_error) / width;
        let off = (libm::log(STALE) - middle) / slope;
        let value = known.value * libm::exp(off);
        let relative = libm::hypot(middle_error, off * slope_error) / slope.abs();
        let ours = Estimate { value, error: value * relative, runs: None };
        let name = "t-visibility, 99.9 % fresh".to_owned();
        Ok((vec![self.row(name, Unit::Milliseconds, known, ours, 0.0)], operations))
    }

    /// The share of reads that are stale so long after an acknowledgement; from every region if there are several.
    fn stale_at(&self, offset: f64, size: Size, run: u64) -> Result<(Estimate, Outcome), String> {
        let first = Some(("workload", self.readers[0]));
        let (take_part, scope) =
            if self.readers == BY_REGION { ([true; 3], None) } else { ([true, false, false], first) };
        let outcome = self.run([offset; 3], take_part, size, run)?;
        Ok((outcome.share("stale_reads", scope)?, outcome))
    }

    /// Runs the scenario with its three readers at these offsets, or with the first alone, which then reads after
    /// every write.
    fn run(&self, offsets: [f64; 3], take_part: [bool; 3], size: Size, run: u64) -> Result<Outcome, String> {
        let Size { seeds, writes, share } = size;
        let seconds = WARMUP + (writes / seeds as f64 / RATE).ceil();
        let mut set = self.set.clone();
        set.push(format!("duration={seconds}s"));
        let alone = take_part != [true; 3];
        for ((reader, offset), takes_part) in self.readers.into_iter().zip(offsets).zip(take_part) {
            let nanos = ((offset * 1e6).round() as u64).max(1);
            let share = if !takes_part {
                "0%"
            } else if alone {
                "100%"
            } else {
                share
            };
            let path = format!("workload.{reader}.arrivals.read-after-ack");
            set.push(format!("{path}.after.constant={nanos}ns"));
            set.push(format!("{path}.share={share}"));
        }
        let job = Job { scenario: self.scenario, set, first_seed: self.first_seed + 100 * run, seeds };
        if seeds == FULL.seeds { job.run_kept() } else { job.run() }
    }

    fn row(&self, measure: String, unit: Unit, reference: Estimate, ours: Estimate, slack: f64) -> Row {
        Row { case: self.name.clone(), measure, unit, reference, ours, slack }
    }
}

/// How many times as many operations it takes for the tolerance of a row to be at most 3 %. Where the reference's own
/// interval is nearly as wide as that, no number of ours would do: then ours is made small beside it.
fn growth(row: &Row) -> f64 {
    let (goal, given) = (0.029 * row.reference.value - row.slack, row.reference.half_width());
    let left = libm::sqrt((goal * goal - given * given).max(0.0)).max(given / 2.0);
    let ratio = row.ours.half_width() / left;
    if ratio > 1.0 { (MARGIN * ratio * ratio).min(MOST_GROWTH) } else { 1.0 }
}
