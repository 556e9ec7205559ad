//! What others saw of real systems, and the scenarios that show the same: the anomaly, its cause and its rough size. No
//! digits are to be met here: the real workloads, machines and versions are not known well enough.

use super::Effort;
use super::row::{Estimate, Row, Table, Unit};
use super::simulate::{Job, Scope};

/// An outcome.
struct Outcome {
    /// Below `scenarios/`.
    scenario: &'static str,
    /// What was seen, by whom.
    case: &'static str,
    /// A count of a whole (`lost_updates` of all writes …), given as a share.
    slug: &'static str,
    scope: Scope<'static>,
    reference: f64,
    /// How rough the size is.
    tolerance: f64,
}

const SEEDS: usize = 10;

const OUTCOMES: &[Outcome] = &[
    Outcome {
        scenario: "incidents/redis-sentinel",
        case: "Redis Sentinel cut in two (Jepsen 2013): 1126 of 1998 writes lost",
        slug: "lost_writes",
        scope: None,
        reference: 0.5636,
        tolerance: 0.15,
    },
    Outcome {
        scenario: "incidents/riak-last-writer-wins",
        case: "Riak, last writer wins, no fault (Jepsen 2013): 1434 of 2000 set-adds lost",
        slug: "lost_updates",
        scope: None,
        reference: 0.717,
        tolerance: 0.15,
    },
];

/// The outcomes.
pub(crate) fn table(_: Effort) -> Result<Table, String> {
    let mut table = Table {
        heading: "Outcomes".to_owned(),
        words: "Reference: what was seen of real systems; each scenario names the source. Ours: the scenario as it stands. Of \
                these, the rough size is to be met."
            .to_owned(),
        rows: Vec::new(),
        operations: 0,
    };
    for (i, Outcome { scenario, case, slug, scope, reference, tolerance }) in (0..).zip(OUTCOMES) {
        let job = Job { scenario, set: Vec::new(), first_seed: 300_001 + 1_000 * i, seeds: SEEDS };
        let outcome = job.run()?;
        table.operations += outcome.operations();
        table.rows.push(Row {
            case: (*case).to_owned(),
            measure: format!("{slug}, `{scenario}`"),
            unit: Unit::Share,
            reference: Estimate::exact(*reference),
            ours: outcome.share(slug, *scope)?,
            slack: *tolerance,
        });
    }
    Ok(table)
}
