//! What came of one or more seeds of a scenario.

use replisim_engine::{Digest, Label};
use replisim_measure::{Findings, Leaf, Quantile};
use replisim_scenario::{Loaded, Statistic};

use crate::places::Places;
use crate::run::RunResult;
use crate::statistics::{self, Interval};
use crate::verdict::{Judgement, judge};
use crate::warning::{Warning, warnings};

/// The results of a scenario over its seeds.
#[derive(Clone, Debug)]
pub struct Study {
    /// The scenario.
    pub loaded: Loaded,
    /// One result for each seed, in the order of the seeds.
    pub runs: Vec<RunResult>,
    /// All runs together.
    pub merged: Findings,
    /// What became of the expectations.
    pub judgements: Vec<Judgement>,
    /// What to know before trusting the numbers.
    pub warnings: Vec<Warning>,
    /// Who is where.
    pub places: Places,
}

/// A number, as far as it is known; nanoseconds for durations.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Figure {
    /// It is this.
    Value(f64),
    /// Censored samples could make it larger.
    AtLeast(f64),
}

impl Figure {
    /// The number, bound or not.
    pub fn number(self) -> f64 {
        match self {
            Figure::Value(value) | Figure::AtLeast(value) => value,
        }
    }
}

impl From<Quantile> for Figure {
    fn from(quantile: Quantile) -> Figure {
        match quantile {
            Quantile::Value(value) => Figure::Value(value as f64),
            Quantile::Above(value) => Figure::AtLeast(value as f64),
        }
    }
}

impl Study {
    /// Puts runs of one scenario together; none without runs.
    pub fn new(loaded: &Loaded, runs: Vec<RunResult>) -> Option<Study> {
        let mut merged = runs.first()?.findings.clone();
        runs[1..].iter().for_each(|run| merged.merge(&run.findings));
        let judgements = loaded.scenario.expect.iter().map(|expectation| judge(expectation, &runs)).collect();
        let places = Places::of(loaded);
        let warnings = warnings(loaded, &runs, &merged);
        Some(Study { loaded: loaded.clone(), runs, merged, judgements, warnings, places })
    }

    /// The digest of the run; of several, the hash of their digests in the order of the seeds.
    pub fn digest(&self) -> String {
        match &self.runs[..] {
            [run] => run.digest.to_string(),
            runs => {
                let mut digest = Digest::new();
                for run in runs {
                    digest.absorb_label(Label::of(&run.digest.to_string()));
                }
                digest.to_string()
            }
        }
    }

    /// The 95 % interval of a statistic of `slug` over the seeds; none for a single seed.
    pub fn interval(
        &self,
        slug: &str,
        scope: Option<(&str, &str)>,
        statistic: Statistic,
    ) -> Option<Interval> {
        let values: Vec<f64> = self
            .runs
            .iter()
            .filter_map(|run| figure(run.findings.leaf(slug, scope)?, statistic))
            .filter_map(|figure| if let Figure::Value(value) = figure { Some(value) } else { None })
            .collect();
        if values.len() < self.runs.len() {
            return None; // a seed without a value says nothing of the setting
        }
        statistics::interval(&values, statistic)
    }

    /// Number of events of all runs.
    pub fn events(&self) -> u64 {
        self.runs.iter().map(|run| run.events).sum()
    }
}

/// A statistic of a value; none where it does not apply or there are no samples.
pub fn figure(leaf: &Leaf, statistic: Statistic) -> Option<Figure> {
    match (leaf, statistic) {
        (Leaf::Distribution(samples), Statistic::Mean) => match samples.mean() {
            Some(mean) => Some(Figure::Value(mean)),
            // With censored samples in it the mean is at least that of the samples and the bounds.
            None if samples.count() > samples.count_censored() => {
                Some(Figure::AtLeast(samples.sum() as f64 / samples.count() as f64))
            }
            None => None,
        },
        (Leaf::Distribution(samples), Statistic::Quantile(q)) => samples.quantile(q).map(Figure::from),
        (Leaf::Distribution(samples), Statistic::Max) => samples.max().map(Figure::from),
        (Leaf::Distribution(samples), Statistic::Min) => samples.min().map(|min| Figure::Value(min as f64)),
        (Leaf::TimeWeighted(value), Statistic::Mean) => value.mean().map(Figure::Value),
        (Leaf::TimeWeighted(value), Statistic::Quantile(q)) => {
            value.quantile(q).map(|q| Figure::Value(q as f64))
        }
        (Leaf::TimeWeighted(value), Statistic::Max) => value.max().map(|max| Figure::Value(max as f64)),
        (Leaf::TimeWeighted(value), Statistic::Min) => {
            value.quantile(0.0).map(|min| Figure::Value(min as f64))
        }
        (Leaf::Count { count, .. }, Statistic::Count) => Some(Figure::Value(*count as f64)),
        (Leaf::Count { count, of: Some(of) }, Statistic::Share) if *of > 0 => {
            Some(Figure::Value(*count as f64 / *of as f64))
        }
        (Leaf::Rate { count, nanos }, Statistic::Count) if *nanos > 0 => {
            Some(Figure::Value(*count as f64 * 1e9 / *nanos as f64))
        }
        _ => None,
    }
}
