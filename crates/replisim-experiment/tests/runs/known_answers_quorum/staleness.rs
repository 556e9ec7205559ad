//! Whether reads meet writes.

use replisim_experiment::RunResult;

use crate::support::answers::{runs, value};
use replisim_scenario::Statistic;

fn stale_share(read: u32, write: u32) -> Vec<f64> {
    let yaml = format!(
        "duration: 5s\ntopology: {{ nodes: {{ a: A, b: A, c: A, d: A, e: A }} }}\n\
         network: {{ default: {{ latency: {{ exponential: {{ mean: 20ms }} }}, ordered: false }} }}\n\
         protocol: {{ quorum: {{ read: {read}, write: {write}, read-repair: none, coordinator: client }} }}\n\
         workload:\n  - {{ name: w, at: A, arrivals: {{ poisson: 200/s }}, reads: 50%, \
         keys: {{ uniform: {{ count: 3 }} }} }}\n"
    );
    let share = |run: &RunResult| value(&run.findings, "stale_reads", None, Statistic::Share);
    runs(&yaml, 1..11).iter().map(share).collect()
}

#[test]
fn quorums_that_meet_are_never_stale_and_others_are() {
    for (read, write) in [(1, 5), (2, 4), (3, 3), (4, 2), (5, 1)] {
        assert!(stale_share(read, write).iter().all(|share| *share == 0.0), "{read} and {write} of 5");
    }
    for (read, write) in [(1, 1), (2, 2), (1, 4)] {
        assert!(stale_share(read, write).iter().any(|share| *share > 0.0), "{read} and {write} of 5");
    }
}
