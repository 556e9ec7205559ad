//! What came of one or more seeds of a scenario.

use replisim_engine::{Digest, Label};
use replisim_measure::series::Series;
use replisim_measure::{Findings, Leaf, Quantile};
use replisim_observe::Member;
use replisim_scenario::{Loaded, Statistic, Subject};

use crate::figures::Figures;
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
    /// Which runs it is made of, in the order of the seeds.
    pub runs: Vec<Run>,
    /// All runs together.
    pub merged: Findings,
    /// The time series of the first run.
    pub series: Option<Series>,
    /// What each seed gave.
    pub figures: Figures,
    /// What became of the expectations.
    pub judgements: Vec<Judgement>,
    /// What to know before trusting the numbers.
    pub warnings: Vec<Warning>,
    /// Who is where.
    pub places: Places,
}

/// A run, without what was measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// The seed.
    pub seed: u64,
    /// The fingerprint of the whole run.
    pub digest: Digest,
    /// How many events happened.
    pub events: u64,
    /// The member that takes all writes, if the protocol has one.
    pub primary: Option<Member>,
    /// Orders of operators that came to nothing.
    pub ignored_orders: u32,
}

/// A study in the making, to which runs are added in the order of their seeds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gathering {
    runs: Vec<Run>,
    merged: Option<Findings>,
    series: Option<Series>,
    figures: Figures,
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

impl Gathering {
    /// Takes in the next run and keeps of it what a study needs: its size does not grow with that of a run.
    pub(crate) fn add(&mut self, loaded: &Loaded, run: RunResult) {
        let RunResult { seed, digest, mut findings, events, primary, ignored_orders, .. } = run;
        self.runs.push(Run { seed, digest, events, primary, ignored_orders });
        self.figures.add(&findings, &loaded.scenario.expect);
        match &mut self.merged {
            None => {
                self.series = findings.series.take();
                self.merged = Some(findings);
            }
            Some(merged) => merged.merge(&findings),
        }
    }

    /// The study; none without runs.
    pub(crate) fn finish(self, loaded: &Loaded) -> Option<Study> {
        let Gathering { runs, merged, series, figures } = self;
        let merged = merged?;
        let judge = |expectation| judge(expectation, &figures, &merged);
        let judgements = loaded.scenario.expect.iter().map(judge).collect();
        let warnings = warnings(loaded, &runs, &merged);
        let places = Places::of(loaded);
        Some(Study { loaded: loaded.clone(), runs, merged, series, figures, judgements, warnings, places })
    }
}

impl Study {
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
        let figures = self.figures.of_each(slug, scope, statistic).into_iter();
        let values =
            figures.map(|figure| if let Some(Figure::Value(value)) = figure { Some(value) } else { None });
        // A seed without a value says nothing of the setting.
        let values: Vec<f64> = values.collect::<Option<_>>()?;
        statistics::interval(&values, statistic, trials(&self.merged, slug, scope))
    }

    /// Number of events of all runs.
    pub fn events(&self) -> u64 {
        self.runs.iter().map(|run| run.events).sum()
    }
}

/// Of how many things all runs together counted some, if the measure counts such.
pub(crate) fn trials(merged: &Findings, slug: &str, scope: Option<(&str, &str)>) -> Option<u64> {
    match merged.leaf(slug, scope)? {
        Leaf::Count { of, .. } => *of,
        _ => None,
    }
}

/// A figure of a run, or of several merged, if it has one.
pub fn figure_of(findings: &Findings, subject: &Subject) -> Option<Figure> {
    figure(findings.leaf(subject.measure.slug, subject.scope())?, subject.statistic)
}

/// Quantiles of a value at these shares, in ascending order, for as many as it has any.
pub fn quantiles(leaf: &Leaf, shares: &[f64]) -> Vec<Figure> {
    match leaf {
        Leaf::TimeWeighted(value) => {
            value.quantiles(shares).into_iter().map(|value| Figure::Value(value as f64)).collect()
        }
        _ => shares.iter().filter_map(|share| figure(leaf, Statistic::Quantile(*share))).collect(),
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
