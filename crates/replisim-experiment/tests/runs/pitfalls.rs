//! Mistakes that other simulators of replication make, each of which was seen in one of them: here a test is named after
//! each. `docs/known-answers.md` has the list, with those that are tested elsewhere.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::support::load;
use replisim_experiment::run::{observe, run_seed};
use replisim_experiment::{Progress, Verdict, run, verdict::overall};
use replisim_observe::{Observation, Record};

/// A primary `p`, two replicas, a client beside each region's nodes; every message takes 10 ms.
const BASE: &str = "
duration: 10s
settle: 20s
topology: { nodes: { p: east/a, r: west/a, q: west/b } }
clients: { alice: east/b, bob: west/a }
";

const TEN_MS: &str = "network: { default: { latency: { constant: 10ms }, ordered: false } }";

#[track_caller]
fn check(settings: &[&str], expect: &[&str]) {
    check_with(BASE, settings, expect);
}

#[track_caller]
fn check_five(settings: &[&str], expect: &[&str]) {
    check_with(FIVE_COPIES, settings, expect);
}

/// Runs a base with these settings; every expectation must hold, and none be undecided, over a few seeds.
#[track_caller]
fn check_with(base: &str, settings: &[&str], expect: &[&str]) {
    let expect: String = expect.iter().map(|row| format!("  - {row}\n")).collect();
    let yaml = format!("{base}{}\nexpect:\n{expect}", settings.join("\n"));
    for seed in 1..=5 {
        let study = run(&load(&yaml), &[seed], 1, &()).expect("a scenario that runs");
        let found: Vec<String> = study
            .judgements
            .iter()
            .map(|j| format!("{:?}: {} ({:?})", j.verdict, j.expectation, j.found))
            .collect();
        assert_eq!(overall(&study.judgements), Verdict::Met, "{yaml}\nseed {seed}\n{}", found.join("\n"));
    }
}

const WRITE: &str = "script: [{ at: 1500ms, client: alice, put: k }]";

#[test]
fn an_acknowledgement_that_does_not_cross_the_network() {
    // A client's round trip, and one to the replicas.
    for (acknowledge, latency) in [("async", 20), ("semi-sync", 40), ("sync", 40)] {
        let protocol = format!("protocol: {{ primary-backup: {{ acknowledge: {acknowledge} }} }}");
        check(&[TEN_MS, &protocol, WRITE], &[&format!("min(write_latency) == {latency}ms")]);
        // Replicas get the write, and their word does not get back.
        let cut = "faults: [{ at: 1s, partition: { from: [r, q], to: [p] }, for: 5s }]";
        let answered = if acknowledge == "async" { "100%" } else { "0%" };
        check(&[TEN_MS, &protocol, WRITE, cut], &[&format!("share(availability) == {answered}")]);
    }
}

#[test]
fn a_part_of_the_randomness_that_is_not_seeded() {
    const CALM: &str = "
network: { default: { latency: { constant: 10ms }, ordered: false } }
protocol: { primary-backup: { heartbeat: 1h } }
script:
  - { at: 1s, client: alice, put: k }
  - { at: 2s, client: bob, get: k }
  - { at: 3s, client: alice, put: k }
";
    let digest = |yaml: &str, seed| run_seed(&load(&format!("{BASE}{yaml}")), seed, &()).unwrap().digest;
    assert_eq!(digest(CALM, 1), digest(CALM, 2), "nothing is left to chance");
    let workload = "workload:\n  - { name: w, at: west/a, arrivals: { fixed: 100/s }, reads: 100% }\nscript:";
    for (from, to) in [
        ("constant: 10ms", "exponential: { mean: 10ms }"),
        ("ordered: false", "ordered: false, loss: 50%"),
        ("ordered: false", "ordered: false, duplicate: 50%"),
        ("heartbeat: 1h", "heartbeat: 100ms"),
        ("heartbeat: 1h", "heartbeat: 1h, ship-every: 1s"),
        ("network:", "disk: { fsync: { exponential: { mean: 10ms } } }\nnetwork:"),
        ("get: k", "get: k, read-from: random"),
        ("script:", &workload.replace("fixed", "poisson")),
        ("script:", &workload.replace("100% }", "50% }")),
        ("script:", &workload.replace("100% }", "100%, keys: { uniform: { count: 9 } } }")),
        ("script:", &workload.replace("100% }", "100%, keys: { zipf: { count: 9 } } }")),
    ] {
        let yaml = CALM.replace(from, to);
        assert_eq!(digest(&yaml, 1), digest(&yaml, 1), "{to}");
        assert!((2..20).any(|seed| digest(&yaml, seed) != digest(&yaml, 1)), "{to} is drawn");
    }
}

#[test]
fn a_crash_that_is_a_pause() {
    // The write is at p at 1.51 s, and all of its acknowledgements are back at 1.53 s. A process that pauses answers
    // then; one that dies has forgotten that somebody waits.
    let sync = "protocol: { primary-backup: { acknowledge: sync } }";
    let patient = WRITE.replace("put: k", "put: k, timeout: 5s");
    for (fault, answered) in [("pause", "100%"), ("crash", "0%")] {
        let fault = format!("faults: [{{ at: 1515ms, {fault}: {{ nodes: [p] }}, for: 100ms }}]");
        check(&[TEN_MS, sync, &fault, &patient], &[&format!("share(availability) == {answered}")]);
    }
}

#[test]
fn timers_that_are_lost_with_a_crash_of_all() {
    // Down for 1 s. Within 1 s all suspect, within half of that one stands, two rounds of votes take 40 ms.
    for scope in ["process", "machine"] {
        let crash = format!("faults: [{{ at: 2s, crash: {{ nodes: [p, r, q], scope: {scope} }}, for: 1s }}]");
        let automatic = "protocol: { primary-backup: { failover: automatic } }";
        check(&[TEN_MS, automatic, &crash, WRITE], &["max(time_to_serve) < 2550ms", "lost_writes == 0"]);
    }
}

/// Counts how often it is asked.
struct Watcher(AtomicU64);

impl Progress for Watcher {
    fn advance(&self, _: u64, _: f64) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed);
        true
    }
}

#[test]
fn a_run_that_knows_who_watches() {
    let workload = "workload:\n  - { name: w, at: west/a, arrivals: { poisson: 500/s }, reads: 50% }\n";
    let loaded = load(&format!("{BASE}{TEN_MS}\nprotocol: primary-backup\n{workload}"));
    let alone = run_seed(&loaded, 1, &()).unwrap();
    let watcher = Watcher(AtomicU64::new(0));
    let (records, end) = observe(&loaded, 1, Vec::<Record>::new(), &watcher).unwrap();
    assert_eq!((end.digest, end.events, end.ended), (alone.digest, alone.events, alone.ended));
    // However much happens, there are so many looks: 200 steps, one before, one while all comes to rest.
    let looks = watcher.0.into_inner();
    assert!(records.len() > 10_000 && looks < 250, "{looks} looks at {} observations", records.len());
}

/// Reads and writes of a thousand keys.
const THOUSAND_KEYS: &str = "workload:
  - { name: w, at: east/b, arrivals: { poisson: 500/s }, reads: 50%, keys: { uniform: { count: 1000 } }, timeout: 9s }";

#[test]
fn keys_that_are_missing_for_ever_after_a_healed_cut() {
    let cut = "faults: [{ at: 3s, partition: { isolate: [r], in-flight: drop }, for: 2s }]";
    for protocol in ["primary-backup", "{ primary-backup: { retain: 1KiB } }"] {
        check(
            &[TEN_MS, &format!("protocol: {protocol}"), THOUSAND_KEYS, cut],
            &[
                // Seen from outside: it was behind, and came back.
                "max(lag{node=r}) > 1900ms",
                "max(divergence_keys) > 200",
                "max(recovery_convergence) < 500ms",
                "unconverged_writes == 0",
                "max(quiescent_convergence) < 100ms",
            ],
        );
    }
}

#[test]
fn entries_that_are_applied_in_the_order_in_which_they_arrive() {
    let wild = "network: { default: { latency: { exponential: { mean: 30ms } }, ordered: false, duplicate: 20%, loss: 5% } }";
    let settings = [wild, "protocol: primary-backup", THOUSAND_KEYS];
    check(&settings, &["unconverged_writes == 0", "lost_writes == 0"]);
    let loaded = load(&format!("{BASE}{}", settings.join("\n")));
    let (records, _) = observe(&loaded, 1, Vec::<Record>::new(), &()).unwrap();
    let mut applied = BTreeMap::new();
    for record in &records {
        if let Observation::Applied { member, stored, .. } = record.what {
            let before = applied.insert(member, stored.version);
            assert!(before < Some(stored.version), "{member:?}: {before:?}, then {:?}", stored.version);
        }
    }
    assert_eq!(applied.len(), 3);
}

#[test]
fn sync_clients_that_hang_for_ever_after_a_heal() {
    let cut = "faults: [{ at: 3s, partition: { isolate: [r], in-flight: drop }, for: 2s }]";
    for acknowledge in ["sync", "{ semi-sync: { replicas: 2 } }"] {
        let protocol = format!("protocol: {{ primary-backup: {{ acknowledge: {acknowledge} }} }}");
        check(
            &[TEN_MS, &protocol, THOUSAND_KEYS, cut],
            &["share(availability) == 100%", "max(write_latency) > 1900ms", "max(write_latency) < 2500ms"],
        );
    }
}

/// Five copies, with the client beside `n0`: from there every other copy is another way away.
const FIVE_COPIES: &str = "
duration: 10s
settle: 20s
topology: { nodes: { n0: n0, n1: n1, n2: n2, n3: n3, n4: n4 } }
network:
  default: { latency: { constant: 1ms }, ordered: false }
  links:
    - { between: [n0, n1], latency: { constant: 10ms } }
    - { between: [n0, n2], latency: { constant: 20ms } }
    - { between: [n0, n3], latency: { constant: 30ms } }
    - { between: [n0, n4], latency: { constant: 40ms } }
clients: { alice: n0 }
";

const PUT_GET: &str = "script:
  - { at: 1s, client: alice, put: k, read-from: { node: n0 } }
  - { at: 4s, client: alice, get: k, read-from: { node: n1 } }";

#[test]
fn the_first_answer_wins_whatever_its_version() {
    // n1 misses the write, and coordinates the read: its own copy is the first to answer.
    let cut = "faults: [{ at: 500ms, partition: { isolate: [n1] }, for: 2s }]";
    for (read, stale) in [("one", 1), ("quorum", 0)] {
        let protocol = format!("protocol: {{ quorum: {{ read: {read}, hints: none, read-repair: none }} }}");
        check_five(
            &[&protocol, PUT_GET, cut],
            &[&format!("stale_reads == {stale}"), "unconverged_writes == 1"],
        );
    }
}

#[test]
fn requests_to_copies_one_after_another() {
    // A round trip to the farthest of those that must answer, and the client's own: never the sum.
    let from_n0 = PUT_GET.replace("n1", "n0");
    for (copies, latency) in [(1, 2), (2, 22), (3, 42), (4, 62), (5, 82)] {
        let protocol = format!("protocol: {{ quorum: {{ read: {copies}, write: {copies} }} }}");
        let [read, write] = ["read", "write"].map(|kind| format!("max({kind}_latency) == {latency}ms"));
        check_five(&[&protocol, &from_n0], &[&read, &write]);
    }
}

#[test]
fn statistics_of_another_latency_than_simulated_time_shows() {
    let workload = "workload:
  - { name: w, at: n0, arrivals: { fixed: 100/s }, reads: 50%, read-from: { node: n0 } }";
    let loaded = load(&format!("{FIVE_COPIES}\nprotocol: quorum\n{workload}"));
    let (records, _) = observe(&loaded, 1, Vec::<Record>::new(), &()).unwrap();
    let mut since = BTreeMap::new();
    for record in &records {
        match record.what {
            Observation::Invoked { op, .. } => _ = since.insert(op, record.at),
            Observation::Returned { op, .. } => {
                let latency = record.at.since(since[&op]);
                assert_eq!(latency.millis(), 42.0, "the third of five copies");
            }
            _ => {}
        }
    }
    assert_eq!(since.len(), 1_000);
    let expected = ["min(read_latency) == 42ms", "max(read_latency) == 42ms", "max(write_latency) == 42ms"];
    check_five(&["protocol: quorum", workload], &expected);
}

#[test]
fn a_quorum_write_that_succeeds_with_three_of_five_copies_crashed() {
    for (crashed, write, written) in [("n1, n2", 3, 100), ("n1, n2, n3", 3, 0), ("n1, n2, n3", 2, 100)] {
        let crash = format!("faults: [{{ at: 500ms, crash: {{ nodes: [{crashed}] }} }}]");
        for hints in ["none", "coordinator"] {
            let protocol = format!("protocol: {{ quorum: {{ write: {write}, hints: {hints} }} }}");
            let put = PUT_GET.lines().take(2).collect::<Vec<_>>().join("\n");
            check_five(&[&protocol, &put, &crash], &[&format!("share(availability) == {written}%")]);
        }
    }
}
