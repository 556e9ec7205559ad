//! The figures of every seed: all that intervals, verdicts and `seeds.csv` need of a run, so that its histograms and
//! series can go once they are merged. A figure takes 16 bytes, a run some megabytes.

use std::collections::BTreeMap;

use replisim_measure::{Findings, Leaf};
use replisim_scenario::{Expectation, Statistic, Subject};

use crate::study::{Figure, figure};

/// The statistics of a distribution, by their names in files.
pub const STATISTICS: [(&str, Statistic); 6] = [
    ("mean", Statistic::Mean),
    ("p50", Statistic::Quantile(0.5)),
    ("p90", Statistic::Quantile(0.9)),
    ("p99", Statistic::Quantile(0.99)),
    ("p99_9", Statistic::Quantile(0.999)),
    ("max", Statistic::Max),
];

/// A table of figures: a row for each seed, a column for each statistic of a value.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Figures {
    seeds: usize,
    columns: BTreeMap<Value, Vec<Column>>,
}

/// A slug, and the kind and name of the scope.
type Value = (&'static str, Option<(&'static str, String)>);

#[derive(Clone, PartialEq, Debug)]
struct Column {
    statistic: Statistic,
    /// By seed; may end early where later seeds have no figure.
    figures: Vec<Option<Figure>>,
}

impl Figures {
    /// Takes in the next seed: every statistic of whole runs, what stands for each part, and what is expected.
    pub(crate) fn add(&mut self, findings: &Findings, expected: &[Expectation]) {
        for measure in &findings.measures {
            let slug = measure.info.slug;
            if let Some(leaf) = &measure.all {
                STATISTICS.iter().for_each(|(_, statistic)| self.enter((slug, None), leaf, *statistic));
                self.enter_central((slug, None), leaf);
            }
            for (kind, values) in &measure.scopes {
                for (name, leaf) in values {
                    self.enter_central((slug, Some((kind, name.clone()))), leaf);
                }
            }
        }
        for Subject { measure, statistic, scope } in expected.iter().map(|expectation| &expectation.subject) {
            let Some(found) = findings.measure(measure.slug) else { continue };
            let scoped = |(kind, name): &(String, String)| {
                let (kind, parts) = found.scopes.iter().find(|(other, _)| other == kind)?;
                let (name, leaf) = parts.iter().find(|(other, _)| other == name)?;
                Some((Some((*kind, name.clone())), leaf))
            };
            let leaf = match scope {
                None => found.all.as_ref().map(|leaf| (None, leaf)),
                Some(scope) => scoped(scope),
            };
            if let Some((scope, leaf)) = leaf {
                self.enter((measure.slug, scope), leaf, *statistic);
            }
        }
        self.seeds += 1;
    }

    /// The figure of each seed, in the order of the seeds.
    pub fn of_each(
        &self,
        slug: &str,
        scope: Option<(&str, &str)>,
        statistic: Statistic,
    ) -> Vec<Option<Figure>> {
        let scope = scope.map(|(kind, name)| (kind, name.to_owned()));
        let columns = self.columns.get(&(slug, scope)).into_iter().flatten();
        let column = columns.into_iter().find(|column| column.statistic == statistic);
        let mut figures = column.map_or(Vec::new(), |column| column.figures.clone());
        figures.resize(self.seeds, None);
        figures
    }

    /// What stands for a value where there is room for one number.
    fn enter_central(&mut self, value: Value, leaf: &Leaf) {
        let central: &[Statistic] = match leaf {
            // The largest sample is known, if only as a bound, wherever there is a sample.
            Leaf::Distribution(_) => &[Statistic::Mean, Statistic::Max],
            Leaf::TimeWeighted(_) => &[Statistic::Mean],
            Leaf::Count { .. } | Leaf::Rate { .. } => &[Statistic::Count, Statistic::Share],
        };
        central.iter().for_each(|statistic| self.enter(value.clone(), leaf, *statistic));
    }

    fn enter(&mut self, value: Value, leaf: &Leaf, statistic: Statistic) {
        let Some(figure) = figure(leaf, statistic) else { return };
        let columns = self.columns.entry(value).or_default();
        let known = columns.iter().position(|column| column.statistic == statistic);
        let i = known.unwrap_or_else(|| {
            columns.push(Column { statistic, figures: Vec::new() });
            columns.len() - 1
        });
        let column = &mut columns[i];
        if column.figures.len() <= self.seeds {
            column.figures.resize(self.seeds, None);
            column.figures.push(Some(figure));
        }
    }
}
