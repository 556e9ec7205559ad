//! The determinism contract, as far as one process can show it; `cargo xtask test` compares debug with release.

use crate::support::load;
use replisim_experiment::run;
use replisim_experiment::run::{observe, run_seed};
use replisim_observe::{Client, Member, Observation, OpKind, Record, Time};

const BUSY: &str = "
duration: 3s
topology:
  nodes: { p: a, q: b, r: c }
network:
  default: { latency: { lognormal: { median: 20ms, p99: 100ms } } }
  cross-region: { latency: { gamma: { shape: 2, scale: 10ms } }, ordered: false }
protocol: { primary-backup: { ship-every: 50ms } }
workload:
  - { name: first, at: a, arrivals: { poisson: 200/s }, reads: 50%, keys: { zipf: { count: 50 } }, read-from: random }
  - { name: second, at: c, arrivals: { fixed: 100/s }, reads: 90% }
faults:
  - { at: 1s, partition: { isolate: [r], in-flight: drop }, for: 500ms }
  - { at: 1.2s, partition: { isolate: [q] }, for: 1s }
";

#[test]
fn a_seed_gives_one_digest_and_another_seed_another() {
    let loaded = load(BUSY);
    let digest = |seed| run_seed(&loaded, seed, &()).unwrap().digest;
    assert_eq!(digest(1), digest(1));
    assert_ne!(digest(1), digest(2));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let loaded = load(BUSY);
    let seeds: Vec<u64> = (1..=6).collect();
    let study = |threads| run(&loaded, &seeds, threads, &()).unwrap();
    let (one, three) = (study(1), study(3));
    assert_eq!(one.digest(), three.digest());
    assert!(one.runs.iter().map(|run| run.seed).eq(seeds.iter().copied()));
    assert_eq!((&one.runs, &one.figures, &one.series), (&three.runs, &three.figures, &three.series));
}

#[test]
fn any_change_of_a_setting_changes_the_digest() {
    let base = run_seed(&load(BUSY), 1, &()).unwrap().digest;
    for (from, to) in [
        ("median: 20ms", "median: 21ms"),
        ("ship-every: 50ms", "ship-every: 60ms"),
        ("zipf: { count: 50 }", "zipf: { count: 51 }"),
        ("in-flight: drop", "in-flight: deliver"),
        ("read-from: random", "read-from: primary"),
        ("reads: 90% }", "reads: 90%, keys: { uniform: { count: 5000 } } }"), // other keys, else the same
        ("reads: 90% }", "reads: 90%, timeout: 900ms }"),                     // some answers come too late
        ("reads: 90% }", "reads: 90%, value: 200B }"),                        // other bytes
        ("isolate: [r], ", "isolate: [r], with-clients: false, "),
    ] {
        assert!(BUSY.contains(from));
        assert_ne!(run_seed(&load(&BUSY.replace(from, to)), 1, &()).unwrap().digest, base, "{from} → {to}");
    }
}

#[test]
fn what_one_workload_does_does_not_depend_on_whether_there_is_another() {
    let invoked = |yaml: &str, name: &str| -> Vec<(Time, Observation)> {
        let loaded = load(yaml);
        let client = loaded.scenario.client_names().position(|other| other == name).unwrap();
        let (records, _) = observe(&loaded, 7, Vec::<Record>::new(), &()).unwrap();
        let of_client = records.into_iter().filter_map(|record| match record.what {
            // Ids are handed out in the order of invocation, so they do depend on others; times and keys must not.
            Observation::Invoked { client: Client(i), kind, key, scheduled, .. } if i as usize == client => {
                Some((
                    record.at,
                    Observation::Invoked {
                        op: Default::default(),
                        client: Client(0),
                        kind: match kind {
                            OpKind::Read => OpKind::Read,
                            OpKind::Write(_) => OpKind::Write(Default::default()),
                        },
                        key,
                        scheduled,
                    },
                ))
            }
            _ => None,
        });
        of_client.collect()
    };
    let without: String =
        BUSY.lines().filter(|line| !line.contains("name: first")).map(|line| format!("{line}\n")).collect();
    let alone = invoked(&without, "second");
    assert_eq!(invoked(BUSY, "second"), alone);
    assert!(alone.len() >= 299);
}

#[test]
fn another_replica_changes_nothing_for_those_that_were_there() {
    // Draws belong to links and members by name, so whoever is new has draws of its own.
    let yaml = "
duration: 3s
topology:
  nodes: { p: a, q: b }
network:
  default: { latency: { lognormal: { median: 20ms, p99: 100ms } } }
protocol: { primary-backup: { ship-every: 50ms } }
workload:
  - { name: first, at: a, arrivals: { poisson: 200/s }, reads: 50%, read-from: { node: q } }
";
    let seen = |yaml: &str| {
        let (records, _) = observe(&load(yaml), 7, Vec::<Record>::new(), &()).unwrap();
        let of_q = records.into_iter().filter(|record| match record.what {
            Observation::Applied { member, .. } => member == Member(1),
            Observation::Invoked { .. } | Observation::Returned { .. } | Observation::Committed { .. } => {
                true
            }
            _ => false,
        });
        of_q.collect::<Vec<Record>>()
    };
    let before = seen(yaml);
    assert!(before.len() > 1_000);
    assert_eq!(seen(&yaml.replace("q: b }", "q: b, r: c, s: a }")), before);
}

#[test]
fn no_two_workloads_and_no_two_links_share_their_luck() {
    let yaml = "
duration: 3s
topology:
  nodes: { p: a, q: b, r: b }
network:
  default: { latency: { exponential: { mean: 20ms } } }
protocol: { primary-backup: { ship-every: 50ms } }
workload:
  - { name: first, at: a, arrivals: { poisson: 100/s }, reads: 50%, read-from: random }
  - { name: second, at: a, arrivals: { poisson: 100/s }, reads: 50%, read-from: random }
";
    let (records, _) = observe(&load(yaml), 7, Vec::<Record>::new(), &()).unwrap();
    let invoked = |wanted: Client| {
        let of_client = records.iter().filter_map(move |record| match record.what {
            Observation::Invoked { client, kind, key, .. } if client == wanted => {
                Some((record.at, kind == OpKind::Read, key))
            }
            _ => None,
        });
        of_client.collect::<Vec<_>>()
    };
    let (first, second) = (invoked(Client(0)), invoked(Client(1)));
    assert!(first.len() > 200 && second.len() > 200);
    let pairs = || first.iter().zip(&second);
    assert!(pairs().all(|(a, b)| a.0 != b.0), "arrivals");
    assert!(pairs().any(|(a, b)| a.1 != b.1), "reads and writes");
    assert!(
        pairs().filter(|(a, b)| a.2 == b.2).count() < first.len() / 10,
        "keys, of which there are a thousand"
    );
    let applied = |wanted: Member| {
        let by_member = records.iter().filter_map(move |record| match record.what {
            Observation::Applied { member, .. } if member == wanted => Some(record.at),
            _ => None,
        });
        by_member.collect::<Vec<_>>()
    };
    assert!(applied(Member(1)).iter().zip(&applied(Member(2))).any(|(a, b)| a != b), "delays");
}
