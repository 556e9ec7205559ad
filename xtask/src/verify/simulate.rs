//! Runs the command and reads what it writes. Nothing of ours is linked in here: what is held against the references is
//! what a user gets.
//!
//! Every run is of several seeds; errors come from the seeds, for what one run gives is correlated.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use serde_json::Value;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::row::{Estimate, error_of, least_error};

/// A scenario with changes, and how often it is run.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Job {
    /// Below `scenarios/`, without the ending.
    pub(crate) scenario: &'static str,
    pub(crate) set: Vec<String>,
    pub(crate) first_seed: u64,
    pub(crate) seeds: usize,
}

/// What came out.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    seeds: usize,
    summary: Value,
    /// The columns of `seeds.csv`: a value of each seed.
    each: BTreeMap<String, Vec<f64>>,
    /// The rows of `distributions.csv`.
    distributions: Vec<[String; 5]>,
}

/// A workload, a node … or the whole.
pub(crate) type Scope<'a> = Option<(&'a str, &'a str)>;

/// The histograms' resolution.
pub(crate) const RESOLUTION: f64 = 1e-3;

impl Job {
    /// All seeds together.
    pub(crate) fn run(&self) -> Result<Outcome, String> {
        self.run_in("all")
    }

    /// The same, and its results stay: one that the same command has finished before is not run again, so a long table
    /// that was stopped goes on where it was.
    pub(crate) fn run_kept(&self) -> Result<Outcome, String> {
        let command = fs::read(command()).map_err(|error| format!("target/ci/replisim: {error}"))?;
        let mut hasher = DefaultHasher::new();
        (command, self).hash(&mut hasher);
        let folder = format!("kept/{:016x}", hasher.finish());
        self.outcome(&out(&folder)).or_else(|_| self.run_in(&folder))
    }

    /// Every seed by itself, for what is only told of a whole run.
    pub(crate) fn run_each(&self) -> Result<Vec<Outcome>, String> {
        let seeds: Vec<u64> = (self.first_seed..self.first_seed + self.seeds as u64).collect();
        let run = |seeds: &[u64], folder: &str| -> Result<Vec<Outcome>, String> {
            let one = |seed: &u64| Job { first_seed: *seed, seeds: 1, ..self.clone() }.run_in(folder);
            seeds.iter().map(one).collect()
        };
        let (half, rest) = seeds.split_at(seeds.len() / 2);
        thread::scope(|scope| {
            let half = scope.spawn(|| run(half, "half"));
            let rest = run(rest, "rest")?;
            let half = half.join().map_err(|_| "a thread panicked".to_owned())??;
            Ok(half.into_iter().chain(rest).collect())
        })
    }

    fn run_in(&self, folder: &str) -> Result<Outcome, String> {
        let out = out(folder);
        let mut command = Command::new(command());
        command.current_dir(crate::root());
        command.args(["run", &format!("scenarios/{}.yaml", self.scenario), "--quiet", "--no-charts"]);
        command.args(["--seed", &self.first_seed.to_string()]);
        if self.seeds > 1 {
            command.args(["--seeds", &self.seeds.to_string()]);
        }
        command.arg("--out").arg(&out).args(["--set", "expect=[]", "--set", "answer=\"\""]);
        self.set.iter().for_each(|set| _ = command.args(["--set", set]));
        let status = command.status().map_err(|error| format!("target/ci/replisim: {error}"))?;
        if !status.success() {
            return Err(format!("{} with {:?}: {status}", self.scenario, self.set));
        }
        self.outcome(&out)
    }

    /// Reads what a run has written.
    fn outcome(&self, out: &Path) -> Result<Outcome, String> {
        let read = |name: &str| {
            fs::read_to_string(out.join(name)).map_err(|error| format!("{}/{name}: {error}", out.display()))
        };
        Ok(Outcome {
            seeds: self.seeds,
            summary: serde_json::from_str(&read("summary.json")?).map_err(|error| error.to_string())?,
            each: if self.seeds > 1 { columns(&read("seeds.csv")?)? } else { BTreeMap::new() },
            distributions: rows(&read("distributions.csv")?)?,
        })
    }
}

fn command() -> PathBuf {
    crate::target().join("ci/replisim")
}

fn out(folder: &str) -> PathBuf {
    crate::target().join("verify").join(folder)
}

impl Outcome {
    /// How many operations clients made in all.
    pub(crate) fn operations(&self) -> u64 {
        self.summary["accounting"]["operations"].as_u64().unwrap_or_default()
    }

    fn leaf(&self, slug: &str, scope: Scope<'_>) -> &Value {
        let scopes = &self.summary["measures"][slug]["scope"];
        scope.map_or(&scopes["all"], |(kind, name)| &scopes[kind][name])
    }

    /// How many of how many.
    pub(crate) fn count_of(&self, slug: &str, scope: Scope<'_>) -> Result<(u64, u64), String> {
        let leaf = self.leaf(slug, scope);
        let numbers = leaf["count"].as_u64().zip(leaf["of"].as_u64()).filter(|(_, of)| *of > 0);
        numbers.ok_or_else(|| format!("no share of {slug} {scope:?}"))
    }

    /// A share. Its error is that of the seeds, where there are enough events in them for it to be trusted, and never
    /// less than if every trial were independent.
    pub(crate) fn share(&self, slug: &str, scope: Scope<'_>) -> Result<Estimate, String> {
        let (count, of) = self.count_of(slug, scope)?;
        let value = count as f64 / of as f64;
        let independent = least_error(value, of as f64);
        match self.error_of_mean(slug, scope).filter(|_| self.are_enough(count.min(of - count) as f64)) {
            Some(error) => Ok(Estimate { value, error: error.max(independent), runs: Some(self.seeds) }),
            None => Ok(Estimate { value, error: independent, runs: None }),
        }
    }

    /// Whether so many events, in all seeds, are enough for the seeds to tell the error.
    fn are_enough(&self, events: f64) -> bool {
        self.seeds >= 30 && events >= 30.0 * self.seeds as f64
    }

    /// The mean of samples of all seeds.
    pub(crate) fn mean(&self, slug: &str, scope: Scope<'_>) -> Result<Estimate, String> {
        let value = self.number(slug, scope, "mean")?;
        let error = self.error_of_mean(slug, scope).ok_or_else(|| format!("no error of {slug} {scope:?}"))?;
        Ok(Estimate { value, error, runs: Some(self.seeds) })
    }

    /// A statistic, such as `max`, of the samples of all seeds, where it leaves nothing to chance.
    pub(crate) fn number(&self, slug: &str, scope: Scope<'_>, statistic: &str) -> Result<f64, String> {
        let number = self.leaf(slug, scope)[statistic].as_f64();
        number.ok_or_else(|| format!("no {statistic} of {slug} {scope:?} in {}", self.leaf(slug, scope)))
    }

    /// A quantile of the samples of all seeds. The same holds for its error.
    pub(crate) fn quantile(&self, slug: &str, (q, name): (f64, &str)) -> Result<Estimate, String> {
        let value = self.number(slug, None, name)?;
        let n = self.number(slug, None, "n")?;
        let independent = self.error_of_quantile(slug, q, n)?;
        if self.are_enough(n * (1.0 - q)) {
            let error = error_of(self.each(&format!("{slug}_{name}"))?);
            return Ok(Estimate { value, error: error.max(independent), runs: Some(self.seeds) });
        }
        Ok(Estimate { value, error: independent, runs: None })
    }

    /// The standard error of a quantile of `n` independent samples: that of the share below it, by how steep the quantile
    /// function is between its neighbours (in the logarithm of the share above, in which tails are nearly straight).
    fn error_of_quantile(&self, slug: &str, q: f64, n: f64) -> Result<f64, String> {
        let rows = self.distributions.iter().filter(|row| row[0] == slug && row[1] == "all");
        let points = rows.filter_map(|row| Some((row[3].parse::<f64>().ok()?, row[4].parse::<f64>().ok()?)));
        let points: Vec<(f64, f64)> = points.filter(|(share, _)| *share < 1.0).collect();
        let below = points.iter().rfind(|(share, _)| *share < q);
        let above = points.iter().find(|(share, _)| *share > q);
        let (below, above) = below.zip(above).ok_or_else(|| format!("no neighbours of {q} of {slug}"))?;
        let steepness = (above.1 - below.1) / libm::log((1.0 - below.0) / (1.0 - above.0));
        Ok(libm::sqrt(q / (1.0 - q) / n) * steepness)
    }

    /// The mean over the seeds of something that has one value in each: a count, or a statistic (`slug_max`).
    pub(crate) fn per_seed(&self, column: &str) -> Result<Estimate, String> {
        let values = self.each(column)?;
        let value = values.iter().sum::<f64>() / values.len() as f64;
        Ok(Estimate { value, error: error_of(values), runs: Some(self.seeds) })
    }

    /// The share of samples that do not exceed `value`, of whole numbers.
    pub(crate) fn at_most(&self, slug: &str, scope: Scope<'_>, value: u64) -> f64 {
        let (kind, name) = scope.unwrap_or(("all", ""));
        let rows = self.distributions.iter().filter(|row| row[0] == slug && row[1] == kind && row[2] == name);
        let below = rows.filter(|row| row[4].parse::<f64>().is_ok_and(|found| found <= value as f64));
        below.filter_map(|row| row[3].parse().ok()).fold(0.0, f64::max)
    }

    fn each(&self, column: &str) -> Result<&[f64], String> {
        self.each
            .get(column)
            .map(Vec::as_slice)
            .ok_or_else(|| format!("seeds.csv has no {column} everywhere"))
    }

    /// From the 95 % interval that the summary gives.
    fn error_of_mean(&self, slug: &str, scope: Scope<'_>) -> Option<f64> {
        let ends = &self.leaf(slug, scope)["ci95"];
        let width = ends[1].as_f64()? - ends[0].as_f64()?;
        let t = StudentsT::new(0.0, 1.0, self.seeds as f64 - 1.0).ok()?.inverse_cdf(0.975);
        Some(width / 2.0 / t)
    }
}

/// The columns of a CSV file whose cells are all numbers.
fn columns(text: &str) -> Result<BTreeMap<String, Vec<f64>>, String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let mut columns: BTreeMap<usize, Vec<f64>> = (0..header.len()).map(|i| (i, Vec::new())).collect();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        columns.retain(|i, values| {
            record[*i].parse().is_ok_and(|value| {
                values.push(value);
                true
            })
        });
    }
    Ok(columns.into_iter().map(|(i, values)| (header[i].to_owned(), values)).collect())
}

fn rows(text: &str) -> Result<Vec<[String; 5]>, String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().collect::<Result<_, _>>().map_err(|error| error.to_string())
}
