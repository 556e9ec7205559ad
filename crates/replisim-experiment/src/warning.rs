//! What the reader must know before trusting the numbers: each warning names its cause and what to do about it.

use std::fmt;

use replisim_measure::{Findings, Leaf};
use replisim_scenario::Loaded;

use crate::run::RunResult;

/// A caveat that belongs beside the numbers.
#[derive(Clone, PartialEq, Debug)]
pub enum Warning {
    /// Nothing but the primary serves reads.
    AllReadsAtPrimary,
    /// Quantiles of a measure are only bounded, because samples were cut short: slug, how many, of how many.
    Censored(&'static str, u64, u64),
    /// Reads of a workload take long because of where its clients are: workload, typical latency in ms.
    DistantReads(String, f64),
    /// A p99 rests on few samples: slug, how many.
    FewSamples(&'static str, u64),
}

/// Fewer samples than this say little about a p99.
const FEW: u64 = 100;
/// A read that takes longer than this, in milliseconds, has crossed an ocean or a continent.
const DISTANT_MS: f64 = 10.0;

pub(crate) fn warnings(loaded: &Loaded, runs: &[RunResult], merged: &Findings) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let by_primary = |run: &RunResult| {
        let served = &run.findings.reads_served;
        let elsewhere =
            served.iter().enumerate().any(|(i, n)| *n > 0 && run.primary.is_none_or(|p| p.index() != i));
        !elsewhere && served.iter().sum::<u64>() > 0
    };
    if loaded.scenario.topology.nodes.len() > 1 && runs.iter().all(by_primary) {
        warnings.push(Warning::AllReadsAtPrimary);
    }
    for measure in &merged.measures {
        let Some(Leaf::Distribution(samples)) = &measure.all else { continue };
        if samples.count_censored() > 0 {
            warnings.push(Warning::Censored(measure.info.slug, samples.count_censored(), samples.count()));
        }
        // Only where people look at a p99; a script has few samples by nature.
        let sampled = measure.info.slug == "staleness_ms" && !loaded.scenario.workload.is_empty();
        if sampled && (1..FEW).contains(&samples.count()) {
            warnings.push(Warning::FewSamples(measure.info.slug, samples.count()));
        }
    }
    for workload in &loaded.scenario.workload {
        let leaf = merged.leaf("read_latency_ms", Some(("workload", &workload.name)));
        if let Some(Leaf::Distribution(samples)) = leaf {
            let median = samples.quantile(0.5).map_or(0.0, |q| crate::Figure::from(q).number() / 1e6);
            if median > DISTANT_MS {
                warnings.push(Warning::DistantReads(workload.name.clone(), median));
            }
        }
    }
    warnings
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::AllReadsAtPrimary => f.write_str(
                "all reads were served by the primary: staleness is 0 by construction; to see replicas, set a workload's `read-from`",
            ),
            Warning::Censored(slug, censored, of) => write!(
                f,
                "{slug}: {censored} of {of} samples were cut short by the end of the run or another fault; quantiles they could \
                 change are printed as `> x`, and there is no mean; a longer `settle` may help",
            ),
            Warning::DistantReads(workload, ms) => write!(
                f,
                "reads of `{workload}` take {ms:.0} ms, nearly all of it the way to the node that serves them: staleness is judged \
                 as of the invocation",
            ),
            Warning::FewSamples(slug, n) => {
                write!(f, "{slug} has {n} samples: fewer than {FEW} say little about a p99; run longer or use `--seeds`")
            }
        }
    }
}
