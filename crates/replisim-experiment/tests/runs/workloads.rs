//! What workloads do, operation by operation, against answers worked out by hand: which keys they take, when reads
//! follow the writes of others and what they find, and what a write rests on that was made of a read.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::load;
use replisim_experiment::run::{observe, run_seed};
use replisim_experiment::{Verdict, run, verdict::overall};
use replisim_measure::Leaf;
use replisim_observe::{Key, Observation, Op, OpKind, Outcome, Record, Said, Time, Version, Write};

/// A message takes 10 ms between the client and the primary, 20 ms between the nodes, 4 ms between the client and the
/// replica: written at t, acknowledged at t + 20, at the replica at t + 30.
pub(crate) const BASE: &str = "
duration: 2s
topology:
  nodes: { p: P, r: R }
  rtts: [{ between: [C, P], rtt: 20ms }, { between: [P, R], rtt: 40ms }, { between: [C, R], rtt: 8ms }]
network: { default: { ordered: false } }
protocol: { primary-backup: { heartbeat: 1h } }
";

const SEQUENCE: &str = "  - { name: writers, at: C, arrivals: { fixed: 50/s }, reads: 0%, keys: { sequence: { count: 100 } } }\n";

/// An operation of a run: client, whether it writes, key, when it was invoked, and how and when it ended.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) client: u32,
    pub(crate) write: Option<Write>,
    pub(crate) key: Key,
    pub(crate) invoked: Time,
    pub(crate) scheduled: Time,
    pub(crate) ended: Option<(Time, Outcome, Option<Said>)>,
}

/// What each write rests on.
pub(crate) type Bases = BTreeMap<Write, Vec<(Key, Version)>>;

/// The operations of a run in the order of their invocation, and what each write rests on.
pub(crate) fn operations(yaml: &str) -> (Vec<Done>, Bases) {
    let (records, _) = observe(&load(yaml), 1, Vec::<Record>::new(), &()).unwrap();
    let (mut order, mut done, mut bases) = (Vec::new(), BTreeMap::<Op, Done>::new(), BTreeMap::new());
    let mut last = None;
    for Record { at, what, .. } in records {
        match what {
            Observation::Invoked { op, client, kind, key, scheduled } => {
                let write = if let OpKind::Write(write) = kind { Some(write) } else { None };
                let client = client.0;
                done.insert(op, Done { client, write, key, invoked: at, scheduled, ended: None });
                order.push(op);
                last = write;
            }
            Observation::BasedOn { write, key, version } => {
                assert_eq!(last, Some(write), "told right after the write's invocation");
                bases.entry(write).or_insert_with(Vec::new).push((key, version));
                continue;
            }
            Observation::Returned { op, outcome, answer } => {
                let ended = (at, outcome, answer.map(|answer| answer.said));
                done.get_mut(&op).unwrap().ended = Some(ended);
                last = None;
            }
            _ => last = None,
        }
    }
    (order.iter().map(|op| done[op].clone()).collect(), bases)
}

pub(crate) fn ms(time: Time) -> f64 {
    time.nanos() as f64 / 1e6
}

#[test]
fn every_write_of_a_sequence_takes_the_next_key_and_begins_again_after_the_last() {
    let yaml = format!("{BASE}workload:\n{}", SEQUENCE.replace("count: 100", "count: 30"));
    let keys: Vec<u32> = operations(&yaml).0.iter().map(|done| done.key.0).collect();
    assert_eq!(keys, (0..100).map(|i| i % 30).collect::<Vec<u32>>());
}

#[test]
fn reads_after_acknowledgements_are_stale_before_the_replica_has_the_write_and_fresh_after() {
    // Sent at t + 20 + offset, the read is at the replica 4 ms later; the write is there at t + 30. At the very instant of
    // the acknowledgement a read is concurrent with the write, and misses nothing.
    for (offset, fresh) in [("0s", true), ("1ns", false), ("5.9ms", false), ("6.1ms", true), ("50ms", true)] {
        let after = format!("{{ read-after-ack: {{ of: writers, after: {{ constant: {offset} }} }} }}");
        let follower =
            format!("  - {{ name: readers, at: C, arrivals: {after}, read-from: {{ node: r }} }}\n");
        let expect = format!("expect: [share(stale_reads) == {}]", if fresh { "0%" } else { "100%" });
        let yaml = format!("{BASE}workload:\n{SEQUENCE}{follower}{expect}");
        let study = run(&load(&yaml), &[1], 1, &()).unwrap();
        assert_eq!(overall(&study.judgements), Verdict::Met, "{offset}: {:?}", study.judgements);
        let Some(Leaf::Distribution(latency)) =
            study.merged.leaf("read_latency_ms", Some(("workload", "readers")))
        else {
            panic!("no latency")
        };
        assert_eq!(
            (latency.min(), latency.sum()),
            (Some(8_000_000), 8_000_000 * i128::from(latency.count()))
        );
    }
}

#[test]
fn a_read_follows_each_acknowledgement_by_its_offset_until_the_clients_stop() {
    let others = "  - { name: others, at: P, arrivals: { fixed: 30/s }, reads: 50% }\n";
    let reads = |of: &str, after: &str, share: &str| {
        let arrivals = format!("{{ read-after-ack: {{ of: {of}, after: {after}, share: {share} }} }}");
        let follower = format!("  - {{ name: readers, at: C, arrivals: {arrivals} }}\n");
        let (done, _) = operations(&format!("{BASE}workload:\n{SEQUENCE}{others}{follower}"));
        let acked = |done: &Done| match done.ended {
            Some((at, Outcome::Ok, Some(Said::Written))) => Some((at, done.client, done.key)),
            _ => None,
        };
        let acks: Vec<(Time, u32, Key)> = done.iter().filter_map(acked).collect();
        let reads: Vec<Done> = done.into_iter().filter(|done| done.client == 2).collect();
        assert!(reads.iter().all(|read| read.write.is_none() && read.scheduled == read.invoked));
        (acks, reads.iter().map(|read| (read.invoked, read.key)).collect::<Vec<_>>())
    };
    for (of, clients) in
        [("writers", &[0][..]), ("[writers]", &[0]), ("others", &[1]), ("[writers, others]", &[0, 1])]
    {
        let (acks, mut found) = reads(of, "{ constant: 300ms }", "100%");
        let stop = Time::from_nanos(2_000_000_000);
        let followed = acks.iter().filter(|(_, client, _)| clients.contains(client));
        let due = followed.map(|(at, _, key)| (Time::from_nanos(at.nanos() + 300_000_000), *key));
        let mut due: Vec<(Time, Key)> = due.filter(|(at, _)| *at < stop).collect();
        due.sort_unstable();
        found.sort_unstable();
        assert!(due.len() > 20, "{of}: {}", due.len());
        assert_eq!(found, due, "{of}");
    }
    // A smaller share leaves some out, and the rest where they were.
    let law = "{ uniform: { least: 1ms, most: 9ms } }";
    let (acks, all) = reads("writers", law, "100%");
    let (_, some) = reads("writers", law, "40%");
    let all_of_them: BTreeSet<_> = all.iter().collect();
    assert!(some.iter().all(|read| all_of_them.contains(read)), "{some:?}");
    assert!((25..55).contains(&some.len()) && all.len() >= 98, "{} of {}", some.len(), all.len());
    for (at, key) in all {
        let ack = acks.iter().find(|(_, client, other)| *client == 0 && *other == key).unwrap();
        assert!((1.0..=9.0).contains(&(ms(at) - ms(ack.0))), "{key:?} at {at:?}, acked at {:?}", ack.0);
    }
}

#[test]
fn a_follower_changes_nothing_for_those_that_it_follows() {
    let follower = "  - { name: readers, at: C, arrivals: { read-after-ack: { of: writers, after: { constant: 1ms } } } }\n";
    let writes = |yaml: &str| -> Vec<(Time, Key)> {
        let done = operations(yaml).0.into_iter().filter(|done| done.client == 0);
        done.map(|done| (done.invoked, done.key)).collect()
    };
    let workload = format!("{BASE}workload:\n{}", SEQUENCE.replace("fixed", "poisson"));
    assert_eq!(writes(&format!("{workload}{follower}")), writes(&workload));
}

/// Three read-modify-writes of one key: the second begins before the first has written, the third after both.
const OVERLAPPING: &str = "
clients: { alice: C, bob: C }
script:
  - { at: 100ms, client: alice, read-modify-write: k, read-from: primary }
  - { at: 110ms, client: bob, read-modify-write: k, read-from: primary }
  - { at: 500ms, client: alice, read-modify-write: k, read-from: primary }
";

#[test]
fn a_read_modify_write_is_a_read_and_a_write_that_rests_on_what_was_read() {
    let (done, bases) = operations(&format!("{BASE}{OVERLAPPING}"));
    let seen: Vec<(u32, bool, f64, f64)> = done
        .iter()
        .map(|done| (done.client, done.write.is_some(), ms(done.invoked), ms(done.ended.unwrap().0)))
        .collect();
    let expected = [
        (0, false, 100.0, 120.0),
        (1, false, 110.0, 130.0),
        (0, true, 120.0, 140.0),
        (1, true, 130.0, 150.0),
        (0, false, 500.0, 520.0),
        (0, true, 520.0, 540.0),
    ];
    assert_eq!(seen, expected);
    let writes: Vec<Write> = done.iter().filter_map(|done| done.write).collect();
    let Some((_, _, Some(Said::Value(Some(read))))) = done[4].ended else { panic!("{:?}", done[4]) };
    assert_eq!(read.write, writes[1], "the later of the two stands");
    let nothing = vec![(Key(0), Version(0))];
    let expected =
        [(writes[0], nothing.clone()), (writes[1], nothing), (writes[2], vec![(Key(0), read.version)])];
    assert_eq!(bases, expected.into());
}

#[test]
fn a_read_without_an_answer_has_no_write() {
    let crash = "faults: [{ at: 1ms, crash: { nodes: [p] } }]\n";
    for (faults, step, ends) in [
        (crash, "consistency: strong", (Outcome::Unknown, None)),
        ("", "consistency: strong, timeout: 15ms", (Outcome::Unknown, None)),
        // A replica refuses what is newer than what it has: the client has seen its own write at the primary.
        (
            "",
            "consistency: { session: { behind: refuse } }, read-from: { node: r }",
            (Outcome::Failed, Some(Said::Refused)),
        ),
    ] {
        let script = format!(
            "clients: {{ alice: C }}\nscript:\n  - {{ at: 100ms, client: alice, put: k, timeout: 25ms }}\n  - {{ at: 121ms, client: alice, read-modify-write: k, {step} }}\n"
        );
        let (done, bases) = operations(&format!("{BASE}{faults}{script}"));
        assert_eq!(done.len(), 2, "{step}: {done:?}");
        let (_, outcome, said) = done[1].ended.unwrap();
        assert_eq!(((outcome, said), bases.len()), (ends, 0), "{step}");
    }
}

#[test]
fn what_is_read_when_the_clients_stop_is_not_written() {
    let step = |at: &str| {
        format!(
            "clients: {{ alice: C }}\nscript: [{{ at: {at}, client: alice, read-modify-write: k, read-from: primary }}]"
        )
    };
    for (at, operations_made) in [("1979ms", 2), ("1980ms", 1), ("1990ms", 1)] {
        assert_eq!(operations(&format!("{BASE}{}", step(at))).0.len(), operations_made, "{at}");
    }
}

#[test]
fn the_writing_share_of_a_workload_reads_before_it_writes() {
    for (writes, rests) in [("put", false), ("read-modify-write", true), ("set-add", true)] {
        let mix = "keys: { uniform: { count: 5 } }, read-from: primary";
        let workload = format!(
            "workload:\n  - {{ name: w, at: C, arrivals: {{ poisson: 400/s }}, reads: 25%, writes: {writes}, {mix} }}\n"
        );
        let yaml = format!("{BASE}{workload}");
        let (done, bases) = operations(&yaml);
        let written: Vec<&Done> = done.iter().filter(|done| done.write.is_some()).collect();
        let share = written.len() as f64 / (done.len() - if rests { written.len() } else { 0 }) as f64;
        assert!((0.68..0.82).contains(&share), "{writes}: {share} of what arrives writes");
        assert_eq!(bases.len(), if rests { written.len() } else { 0 }, "{writes}");
        for write in written.iter().filter(|_| rests) {
            // The read that it is made of ended at this moment with the version that it rests on.
            let is_its_read = |read: &&Done| {
                read.write.is_none()
                    && read.key == write.key
                    && read.ended.is_some_and(|(at, ..)| at == write.invoked)
            };
            let read = done.iter().find(is_its_read).expect("a read");
            let Some((_, Outcome::Ok, Some(Said::Value(value)))) = read.ended else { panic!("{read:?}") };
            let version = value.map_or(Version(0), |stored| stored.version);
            assert_eq!(bases[&write.write.unwrap()], [(write.key, version)]);
        }
        let result = run_seed(&load(&yaml), 1, &()).unwrap();
        assert!(result.findings.accounting.holds(), "{writes}");
    }
}

#[test]
fn under_siblings_a_write_rests_on_one_version_of_each_lane() {
    let base = BASE.replace("primary-backup: { heartbeat: 1h }", "quorum: { conflicts: siblings }");
    let (done, bases) = operations(&format!("{base}{}", OVERLAPPING.replace(", read-from: primary", "")));
    let writes: Vec<Write> = done.iter().filter_map(|done| done.write).collect();
    let nothing = [0, 1].map(|lane| (Key(lane), Version(0)));
    assert_eq!(writes.len(), 3);
    assert_eq!((&bases[&writes[0]][..], &bases[&writes[1]][..]), (&nothing[..], &nothing[..]));
    let Some((_, Outcome::Ok, Some(Said::Siblings(2)))) = done[4].ended else { panic!("{:?}", done[4]) };
    let last = &bases[&writes[2]];
    assert_eq!(last.iter().map(|(key, _)| key.0).collect::<Vec<_>>(), [0, 1]);
    assert!(last.iter().any(|(_, version)| version.0 > 0), "{last:?}");
}

/// The nearest of three nodes is down; reads are given up after 200 ms. At 300 and 450 ms their clients know.
#[test]
fn a_driver_without_a_primary_leaves_a_node_alone_for_a_second_that_did_not_answer() {
    let base = "
duration: 4s
topology:
  nodes: { near: N, mid: M, far: F }
  rtts:
    - { between: [C, N], rtt: 2ms }
    - { between: [C, M], rtt: 4ms }
    - { between: [C, F], rtt: 6ms }
    - { between: [N, M], rtt: 6ms }
    - { between: [N, F], rtt: 6ms }
    - { between: [M, F], rtt: 6ms }
clients: { alice: C }
faults: [{ at: 10ms, crash: { nodes: [near] } }]
";
    let outcomes = |protocol: &str, read_from: &str| -> Vec<bool> {
        let steps = [100, 250, 310, 440, 1_440, 1_460].map(|at| {
            format!("  - {{ at: {at}ms, client: alice, get: k, timeout: 200ms, read-from: {read_from} }}\n")
        });
        let (done, _) = operations(&format!("{base}protocol: {protocol}\nscript:\n{}", steps.concat()));
        done.iter().map(|done| done.ended.unwrap().1 == Outcome::Ok).collect()
    };
    let (none, after) = ([false; 6], [false, false, true, true, true, false]);
    for (protocol, read_from, expected) in [
        ("{ quorum: { read: one } }", "nearest", after),
        ("{ quorum: { read: one } }", "primary", after), // there is none: the nearest
        ("{ quorum: { read: one } }", "{ node: near }", none),
        ("{ quorum: { read: one, coordinator: any } }", "nearest", after),
        ("{ quorum: { read: one, copies: 1, coordinator: any } }", "{ node: mid }", none), // the only copy is down
        ("{ primary-backup: { primary: mid } }", "nearest", none),                         // as it always was
    ] {
        assert_eq!(outcomes(protocol, read_from), expected, "{protocol}, {read_from}");
    }
    // Key 0 has one copy, and the driver knows where: whoever keeps it is asked, for want of another.
    assert_eq!(outcomes("{ quorum: { read: one, copies: 1 } }", "random"), none);
}
