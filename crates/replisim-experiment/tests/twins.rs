//! Whole random runs: the streaming measures equal their brute-force twins to the nanosecond, and everything adds up.

mod support;

use replisim_engine::random::below;
use replisim_engine::{Stream, Streams};
use replisim_experiment::run::observe;
use replisim_measure::{Measures, twin};
use replisim_observe::Record;
use support::load;

/// A small scenario out of a seed: few operations, so that the twins, which take n² and more, stay quick.
fn random_scenario(stream: &mut Stream) -> String {
    let mut draw = |n: u64| below(stream, n);
    let nodes = 2 + draw(3);
    let law = |kind: u64, ms: u64| match kind {
        0 => format!("{{ constant: {ms}ms }}"),
        1 => format!("{{ exponential: {{ mean: {ms}ms }} }}"),
        _ => format!("{{ uniform: {{ least: 0ms, most: {ms}ms }} }}"),
    };
    let place = |i: u64| format!("place{i}");
    let mut yaml = String::from("duration: 1s\nsettle: 3s\n");
    yaml += &format!("warmup: {}ms\ntopology:\n  nodes:\n", draw(3) * 100);
    for i in 0..nodes {
        yaml += &format!("    n{i}: {}\n", place(i));
    }
    yaml += &format!("network:\n  same-zone: {{ latency: {} }}\n", law(draw(3), draw(5)));
    yaml +=
        &format!("  default: {{ latency: {}, ordered: {} }}\n", law(draw(3), 1 + draw(120)), draw(2) == 0);
    let (ship, heartbeat) = ([0, 0, 30, 200][draw(4) as usize], 20 + draw(200));
    yaml += &format!(
        "protocol: {{ primary-backup: {{ ship-every: {ship}ms, heartbeat: {heartbeat}ms }} }}\nworkload:\n"
    );
    let keys = 1 + draw(3);
    for w in 0..1 + draw(3) {
        let from = ["primary", "nearest", "random", "{ node: n1 }"][draw(4) as usize];
        let consistency = ["eventual", "eventual", "strong"][draw(3) as usize];
        yaml += &format!(
            "  - {{ name: w{w}, at: {}, arrivals: {{ {}: {}/s }}, reads: {}%, keys: {{ uniform: {{ count: {keys} }} }}, \
             read-from: {from}, consistency: {consistency}, timeout: {}ms }}\n",
            place(draw(nodes)),
            ["poisson", "fixed"][draw(2) as usize],
            3 + draw(12),
            draw(101),
            50 + draw(800),
        );
    }
    for f in 0..draw(3) {
        yaml += &format!(
            "{}  - {{ at: {}ms, for: {}ms, partition: {{ isolate: [n{}], in-flight: {}, with-clients: {} }} }}\n",
            if f == 0 { "faults:\n" } else { "" },
            draw(900),
            1 + draw(600),
            draw(nodes),
            ["deliver", "drop"][draw(2) as usize],
            draw(2) == 0,
        );
    }
    yaml
}

#[test]
fn measures_of_random_runs_equal_their_twins() {
    for seed in 0..1_000 {
        let yaml = random_scenario(&mut Streams::new(seed).named("scenario"));
        let loaded = load(&yaml);
        let scenario = &loaded.scenario;
        let watchers = (Measures::new(scenario.roster(), scenario.window()), Vec::<Record>::new());
        let ((measures, records), _) = observe(&loaded, seed, watchers, &()).unwrap();
        let findings = measures.finish();
        let found = twin::disagreements(&findings, &records, scenario.window());
        assert!(found.is_empty(), "seed {seed}:\n{yaml}\n{}", found.join("\n"));
        assert!(findings.accounting.holds(), "seed {seed}:\n{yaml}\n{:?}", findings.accounting);
    }
}

#[test]
fn what_must_be_kept_does_not_grow_with_the_length_of_a_run() {
    let yaml = |seconds: u64| {
        format!(
            "duration: {seconds}s\ntopology: {{ nodes: {{ p: a, r: b }}, rtts: [{{ between: [a, b], rtt: 40ms }}] }}\n\
             protocol: primary-backup\nworkload:\n  - {{ name: w, at: a, arrivals: {{ poisson: 500/s }}, reads: 50% }}\n"
        )
    };
    let peak = |seconds| {
        let loaded = load(&yaml(seconds));
        let run = replisim_experiment::run::run_seed(&loaded, 1, &()).unwrap();
        assert!(run.findings.accounting.committed > 200 * seconds);
        run.findings.accounting.backlog_peak_writes
    };
    // 250 writes a second, each under way for 20 ms.
    let (short, long) = (peak(20), peak(200));
    assert!(short <= 40 && long <= 40, "{short} and {long} records at a time");
}
