//! Several replication groups: independent of each other but for the nodes that they share, and measured as defined.

use replisim_engine::Streams;
use replisim_engine::random::below;
use replisim_experiment::run::observe;
use replisim_measure::{Findings, Measures, twin};
use replisim_observe::{Group, Member, Observation, Record, Time};

use crate::support::load;
use crate::twins;

/// Runs a scenario, compares every measure with its twin, and hands over what was seen.
fn run(yaml: &str, seed: u64) -> (Findings, Vec<Record>) {
    let loaded = load(yaml);
    let scenario = &loaded.scenario;
    let watchers = (Measures::new(scenario.roster(), scenario.window()), Vec::<Record>::new());
    let ((measures, records), _) = observe(&loaded, seed, watchers, &()).unwrap();
    let findings = measures.finish();
    let found = twin::disagreements(&findings, &records, scenario.window());
    assert!(found.is_empty(), "seed {seed}:\n{yaml}\n{}", found.join("\n"));
    assert!(findings.accounting.holds(), "seed {seed}:\n{yaml}\n{:?}", findings.accounting);
    (findings, records)
}

#[test]
fn measures_of_random_runs_of_several_groups_equal_their_twins() {
    let mut all: Option<Findings> = None;
    for seed in 20_000..20_060 {
        let mut stream = Streams::new(seed).named("scenario");
        let mut draw = |n: u64| below(&mut stream, n);
        let (nodes, members, count) = (4 + draw(3), 3 + draw(2), 2 + draw(3));
        let promote = ["most-advanced", "first-to-notice"][draw(2) as usize];
        let failover = match draw(3) {
            0 => "manual".to_owned(),
            _ => format!("{{ automatic: {{ after: {}ms, promote: {promote} }} }}", 180 + draw(200)),
        };
        let mut yaml = format!(
            "duration: 1s\nsettle: 1s\nwarmup: {}ms\ntopology: {{ nodes: {{ n0: r0/z0, n1: r1/z1, m: {{ count: {}, at: r0/z2 }} }} }}\n\
             groups: {{ count: {count}, members: {members} }}\n\
             network: {{ default: {{ latency: {{ uniform: {{ least: 0ms, most: {}ms }} }}, ordered: {} }} }}\n\
             protocol: {{ primary-backup: {{ acknowledge: {}, heartbeat: 60ms, failover: {failover}, fencing: {} }} }}\n\
             workload:\n",
            draw(3) * 100,
            nodes - 2,
            1 + draw(60),
            draw(2) == 0,
            ["async", "sync", "{ semi-sync: { replicas: 1 } }"][draw(3) as usize],
            draw(2) == 0,
        );
        for w in 0..2 {
            let (from, consistency) = (
                ["primary", "nearest", "random", "{ node: n1 }"][draw(4) as usize],
                ["eventual", "strong", "session"][draw(3) as usize],
            );
            yaml += &format!(
                "  - {{ name: w{w}, at: r{w}/z{w}, arrivals: {{ poisson: {}/s }}, reads: {}%, keys: {{ uniform: {{ count: {} }} }}, \
                 read-from: {from}, consistency: {consistency}, timeout: {}ms }}\n",
                5 + draw(25),
                draw(101),
                2 + draw(6),
                50 + draw(800),
            );
        }
        yaml += "faults:\n";
        for _ in 0..1 + draw(4) {
            let fault = twins::fault(&mut draw, 2);
            let lasts = if fault.starts_with("promote") { "" } else { ", for: 250ms" };
            let at = draw(900);
            yaml += &format!("  - {{ at: {at}ms{lasts}, if-supported: true, {fault} }}\n");
        }
        let (findings, _) = run(&yaml, seed);
        match &mut all {
            Some(all) => all.merge(&findings),
            all => *all = Some(findings),
        }
    }
    for slug in ["lost_writes", "stale_primary_acks", "rto_ms", "time_to_serve_ms", "unavailability_ms"] {
        let times = all.as_ref().and_then(|all| all.leaf(slug, None)).map_or(0, |leaf| leaf.count());
        assert!(times >= 5, "{slug} happened {times} times");
    }
}

/// Two groups of two nodes each, or one of them, and a client of each. `x` is a key of the first group, `y` of the
/// second.
fn pair(nodes: &str, groups: &str, clients: &str, script: &[&str], faults: &str) -> String {
    format!(
        "duration: 3s\ntopology: {{ nodes: {{ {nodes} }} }}\n{groups}\
         network: {{ default: {{ latency: {{ constant: 7ms }} }}, same-zone: {{ latency: {{ constant: 1ms }} }} }}\n\
         protocol: {{ primary-backup: {{ ship-every: 20ms, failover: manual, fencing: false }} }}\n\
         clients: {{ {clients} }}\nscript:\n{}faults:\n{faults}",
        script.concat()
    )
}

#[test]
fn two_groups_on_nodes_of_their_own_do_as_they_would_alone() {
    let steps = |client: &str, key: &str, shift: u64| -> String {
        let step = |i: u64| {
            let (at, what) = (100 * i + shift, if i.is_multiple_of(3) { "get" } else { "put" });
            format!("  - {{ at: {at}ms, client: {client}, {what}: {key}, read-from: nearest }}\n")
        };
        (1..25).map(step).collect()
    };
    let (alice, bob) = (steps("alice", "x", 0), steps("bob", "y", 13));
    let crash =
        "  - { at: 700ms, crash: { nodes: [a1] }, for: 900ms }\n  - { at: 900ms, promote: { node: a2 } }\n";
    let cut = "  - { at: 400ms, partition: { isolate: [b2] }, for: 300ms }\n";
    let (a, b) = ("a1: r/a, a2: s/a", "b1: r/b, b2: s/b");
    let together = pair(
        &format!("{a}, {b}"),
        "groups: { count: 2, members: 2 }\n",
        "alice: s/a, bob: s/b",
        &[&alice, &bob],
        &format!("{crash}{cut}"),
    );
    let (together, _) = run(&together, 1);
    let (alone_a, _) = run(&pair(a, "", "alice: s/a", &[&alice], crash), 1);
    let (alone_b, _) = run(&pair(b, "", "bob: s/b", &[&bob], cut), 1);
    for (alone, client, nodes) in [(&alone_a, "alice", ["a1", "a2"]), (&alone_b, "bob", ["b1", "b2"])] {
        for slug in ["staleness_ms", "read_latency_ms", "write_latency_ms", "stale_reads"] {
            let scope = Some(("workload", client));
            let (found, expected) = (together.leaf(slug, scope), alone.leaf(slug, scope));
            assert_eq!(format!("{found:?}"), format!("{expected:?}"), "{slug} of {client}");
        }
        for node in nodes {
            for slug in ["replication_delay_ms", "lag_ms", "lag_versions"] {
                let scope = Some(("node", node));
                let (found, expected) = (together.leaf(slug, scope), alone.leaf(slug, scope));
                assert_eq!(format!("{found:?}"), format!("{expected:?}"), "{slug} of {node}");
            }
        }
    }
    assert_eq!(format!("{:?}", together.leaf("rto_ms", None)), format!("{:?}", alone_a.leaf("rto_ms", None)));
}

/// Groups of three on six nodes; `n1` is down from 2 s on.
fn with_a_dead_node(groups: u32) -> Vec<Record> {
    let yaml = format!(
        "duration: 4s\nsettle: 500ms\ntopology: {{ nodes: {{ n: {{ count: 6, at: a }} }} }}\ngroups: {{ count: {groups}, members: 3 }}\n\
         protocol: {{ primary-backup: {{ failover: {{ automatic: {{ after: 300ms }} }} }} }}\n\
         workload: [{{ name: w, at: a, arrivals: {{ poisson: 20/s }}, reads: 50%, keys: {{ uniform: {{ count: 20 }} }} }}]\n\
         faults: [{{ at: 2s, crash: {{ nodes: [n1] }} }}]\n"
    );
    run(&yaml, 1).1
}

#[test]
fn the_groups_of_a_dead_primary_fail_over_and_no_others() {
    for (groups, failing) in [(2, vec![0]), (4, vec![0, 2]), (6, vec![0, 2, 4])] {
        let records = with_a_dead_node(groups);
        let late = Time::from_nanos(2_000_000_000);
        let of = |like: fn(&Observation) -> Option<Member>| -> Vec<Group> {
            let seen = records.iter().filter(|record| record.at >= late);
            let mut groups: Vec<Group> =
                seen.filter(|record| like(&record.what).is_some()).map(|record| record.group).collect();
            groups.sort();
            groups.dedup();
            groups
        };
        let expected: Vec<Group> = failing.into_iter().map(Group).collect();
        let lost =
            of(|what| if let Observation::PrimaryLost { member, .. } = what { Some(*member) } else { None });
        let promoted =
            of(|what| if let Observation::Promoted { member, .. } = what { Some(*member) } else { None });
        assert_eq!((lost, promoted), (expected.clone(), expected), "{groups} groups");
    }
}
