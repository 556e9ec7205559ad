//! How soon a copy that was cut off has what it missed, when nobody reads.

use crate::support::answers::{MS, runs, samples};

const ONE_WAY_MS: i64 = 10;

/// `c` is cut off for two seconds, in which one key is written; how long after that it has it, over forty seeds.
fn recoveries(quorum: &str) -> Vec<i64> {
    let yaml = format!(
        "duration: 20s\ntopology: {{ nodes: {{ a: A, b: B, c: C }} }}\n\
         network: {{ default: {{ latency: {{ constant: {ONE_WAY_MS}ms }}, ordered: false }} }}\n\
         protocol: {{ quorum: {{ timeout: 500ms, {quorum} }} }}\nclients: {{ alice: A }}\n\
         script: [{{ at: 1500ms, client: alice, put: k }}]\n\
         faults: [{{ at: 1s, partition: {{ isolate: [c] }}, for: 2s }}]\n"
    );
    let recovery = |run: &replisim_experiment::RunResult| {
        samples(&run.findings, "recovery_convergence_ms", None).min().expect("a recovery")
    };
    runs(&yaml, 1..41).iter().map(recovery).collect()
}

#[test]
fn a_hint_arrives_within_an_interval_of_the_heal_and_one_way() {
    let found = recoveries("handoff-every: 1s");
    let (least, most) = (found.iter().min().unwrap(), found.iter().max().unwrap());
    assert!(*most <= (1_000 + ONE_WAY_MS) * MS, "{most}");
    assert!(*least < 200 * MS && *most > 800 * MS, "the phase of the interval is drawn: {least} to {most}");
}

#[test]
fn trees_find_what_is_missing_within_an_interval_for_each_peer() {
    // Roots, trees, keys, copies; or a question for copies on top.
    let found = recoveries("hints: none, anti-entropy: { every: 1s, leaves: 64 }");
    let most = found.iter().max().unwrap();
    assert!(*most <= (2 * 1_000 + 5 * ONE_WAY_MS) * MS, "{most}");
}
