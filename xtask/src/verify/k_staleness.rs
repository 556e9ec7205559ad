//! How many of the last writes a read misses, if a write goes to W copies drawn at random, a read asks R, and nothing else
//! spreads anything: at least k with probability [C(N−W,R)/C(N,R)]^k (Bailis et al. 2012, §3.1).

use super::Effort;
use super::row::{Estimate, Row, Table, Unit, error_of, least_error};
use super::simulate::{Job, Scope};

/// N, R, W; the first few are run every time.
const CASES: [(u64, u64, u64); 8] =
    [(3, 1, 1), (5, 2, 2), (5, 1, 2), (3, 2, 2), (3, 1, 2), (3, 2, 1), (5, 2, 1), (5, 3, 3)];
/// Misses of at least so many writes.
const MISSED: [u64; 4] = [1, 2, 3, 5];

const SEEDS: usize = 32;
const READER: Scope<'_> = Some(("workload", "reader"));

/// The share of reads that miss at least k writes.
pub(crate) fn table(effort: Effort) -> Result<Table, String> {
    let (seconds, cases) = if effort == Effort::Full { (32, &CASES[..]) } else { (2, &CASES[..4]) };
    let mut table = Table {
        heading: "k-staleness of partial quorums".to_owned(),
        words: "Reference: the formula of Bailis et al. (VLDB 2012, §3.1), with random quorums and nothing that spreads writes \
                further. Quorums that overlap never miss anything. Ours: `scenarios/papers/k-staleness.yaml`."
            .to_owned(),
        rows: Vec::new(),
        operations: 0,
    };
    for (i, (n, r, w)) in (0..).zip(cases.iter().copied()) {
        let miss = choose(n - w, r) / choose(n, r);
        let nodes: String = (1..=n).map(|i| format!("n{i}: here, ")).collect();
        let set = vec![
            format!("topology.nodes={{ {nodes}}}"),
            format!("protocol.quorum.copies={n}"),
            format!("protocol.quorum.read={r}"),
            format!("protocol.quorum.write={w}"),
            format!("duration={}s", 1 + seconds),
        ];
        let outcomes =
            Job { scenario: "papers/k-staleness", set, first_seed: 200_001 + 1_000 * i, seeds: SEEDS }
                .run_each()?;
        table.operations += outcomes.iter().map(|outcome| outcome.operations()).sum::<u64>();
        let reads: Vec<u64> = outcomes
            .iter()
            .map(|it| it.count_of("stale_reads", READER).map(|(_, of)| of))
            .collect::<Result<_, _>>()?;
        let measures = if miss == 0.0 { &MISSED[..1] } else { &MISSED[..] };
        for k in measures {
            let missed: Vec<f64> =
                outcomes.iter().map(|it| 1.0 - it.at_most("staleness_versions", READER, k - 1)).collect();
            let value = missed.iter().sum::<f64>() / missed.len() as f64;
            let least = least_error(value, reads.iter().sum::<u64>() as f64);
            let error = if miss == 0.0 && value == 0.0 { 0.0 } else { error_of(&missed).max(least) };
            table.rows.push(Row {
                case: format!("N={n} R={r} W={w}"),
                measure: format!("reads that miss ≥ {k}"),
                unit: Unit::Share,
                reference: Estimate::exact(libm::pow(miss, *k as f64)),
                ours: Estimate { value, error, runs: Some(SEEDS) },
                slack: 0.0,
            });
        }
    }
    Ok(table)
}

/// How many ways there are to take `k` of `n`.
fn choose(n: u64, k: u64) -> f64 {
    (0..k).map(|i| (n as f64 - i as f64).max(0.0) / (i as f64 + 1.0)).product()
}
