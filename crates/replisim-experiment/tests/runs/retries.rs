//! Retries, against answers worked out by hand: when which attempt succeeds, and what is applied twice meanwhile.

use std::collections::BTreeMap;

use replisim_experiment::run::{observe, run_seed};
use replisim_measure::{Findings, Leaf, Measures};
use replisim_observe::{Observation, Op, Outcome, Record, Time};

use crate::support::answers::{MS, samples};
use crate::support::load;

/// One way between the client and the primary, or between the copies.
const ONE_WAY: i64 = 10 * MS;
const TIMEOUT: i64 = 100 * MS;
const BACKOFF: i64 = 50 * MS;
const CUT: std::ops::Range<i64> = 1_000 * MS..1_300 * MS;

/// An operation of a run, in nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Done {
    scheduled: i64,
    attempts: i64,
    ended: Option<(i64, Outcome)>,
}

/// The operations of a run, in the order in which they began, and what was measured of them.
fn tried(yaml: &str) -> (Vec<Done>, Findings) {
    let loaded = load(yaml);
    let (roster, window) = (loaded.scenario.roster(), loaded.scenario.window());
    let watchers = (Measures::new(roster, window), Vec::<Record>::new());
    let ((measures, records), _) = observe(&loaded, 1, watchers, &()).unwrap();
    let findings = measures.finish();
    assert!(findings.accounting.holds(), "{yaml}: {:?}", findings.accounting);
    let nanos = |time: Time| time.nanos() as i64;
    let mut done = BTreeMap::<Op, Done>::new();
    for Record { at, what, .. } in records {
        match what {
            Observation::Invoked { op, scheduled, .. } => {
                done.insert(op, Done { scheduled: nanos(scheduled), attempts: 1, ended: None });
            }
            Observation::Retried { op, .. } => done.get_mut(&op).unwrap().attempts += 1,
            Observation::Returned { op, outcome, .. } => {
                done.get_mut(&op).unwrap().ended = Some((nanos(at), outcome));
            }
            _ => {}
        }
    }
    (done.into_values().collect(), findings)
}

fn count(findings: &Findings, slug: &str) -> (u64, u64) {
    match findings.leaf(slug, None) {
        Some(Leaf::Count { count, of }) => (*count, of.unwrap_or_default()),
        other => panic!("{slug} is {other:?}"),
    }
}

/// A client beside the replica, which keeps nobody waiting; the primary is far away. Or, of quorums, the client's node
/// waits for the far one.
fn scenario(protocol: &str, attempts: u32, tokens: bool, cut: &str) -> String {
    format!(
        "
duration: 3s
topology: {{ nodes: {{ p: P, r: R }} }}
network: {{ default: {{ ordered: false, latency: {{ constant: 10ms }} }}, same-zone: {{ latency: {{ constant: 0s }} }} }}
protocol: {protocol}
workload:
  - name: w
    at: R
    arrivals: {{ fixed: 40/s }}
    reads: 0%
    read-from: {{ node: r }}
    timeout: 100ms
    retries: {{ attempts: {attempts}, backoff: 50ms, jitter: 0%, tokens: {tokens} }}
faults: [{{ at: 1s, {cut}, for: 300ms }}]
"
    )
}

/// The primary hears nobody and is not heard; it is not heard at the other place, by node and clients.
const CUT_OFF: &str = "partition: { isolate: [p] }";
const ANSWERS_LOST: &str = "lossy-link: { link: { from: P, to: R }, loss: 100% }";
const PRIMARY: &str = "{ primary-backup: { heartbeat: 1h } }";
/// One that never takes a node for dead.
const QUORUM: &str = "{ quorum: { write: all, timeout: 1h } }";

/// When attempt k (from 0) begins after its operation was due: k time-outs and the waits 1, 2, 4 … have passed.
fn begins(k: i64) -> i64 {
    k * TIMEOUT + BACKOFF * ((1 << k) - 1)
}

/// The first attempt that succeeds, and those before it that were done all the same; attempts are `most`.
fn expected(due: i64, most: i64, one_way: bool) -> (Option<i64>, i64) {
    let answered = |at: i64| !CUT.contains(&(at + ONE_WAY));
    let arrives = |at: i64| one_way || !CUT.contains(&at);
    let succeeds = |k: &i64| arrives(due + begins(*k)) && answered(due + begins(*k));
    let success = (0..most).find(succeeds);
    let in_vain = 0..success.unwrap_or(most);
    (success, in_vain.filter(|k| arrives(due + begins(*k))).count() as i64)
}

/// Checks every operation of a run to the nanosecond. Returns how many took several attempts, how many were done more
/// than once, and how often those that were tried were done in all, if every attempt is a write of its own.
fn check(yaml: &str, most: i64, one_way: bool, findings: &Findings, done: &[Done]) -> (u64, u64, u64) {
    let (mut again, mut twice, mut applied) = (0, 0, 0);
    for op in done {
        let (success, in_vain) = expected(op.scheduled, most, one_way);
        let last = success.unwrap_or(most - 1);
        let (took, outcome) = match success {
            Some(_) => (2 * ONE_WAY, Outcome::Ok),
            None => (TIMEOUT, Outcome::Unknown),
        };
        let ended = op.scheduled + begins(last) + took;
        assert_eq!((op.attempts, op.ended), (last + 1, Some((ended, outcome))), "{op:?}\n{yaml}");
        let times = in_vain + i64::from(success.is_some());
        again += u64::from(op.attempts > 1);
        twice += u64::from(times > 1);
        applied += times as u64;
    }
    let attempts = samples(findings, "attempts", None);
    assert_eq!(attempts.count(), done.len() as u64);
    assert_eq!(attempts.sum(), done.iter().map(|op| i128::from(op.attempts)).sum());
    let ok = |op: &&Done| matches!(op.ended, Some((_, Outcome::Ok)));
    let latency = |op: &Done| i128::from(op.ended.unwrap().0 - op.scheduled);
    let latencies: i128 = done.iter().filter(ok).map(latency).sum();
    assert_eq!(samples(findings, "write_latency_ms", None).sum(), latencies);
    (again, twice, applied)
}

#[test]
fn over_a_cut_each_attempt_begins_and_the_first_that_meets_no_cut_succeeds_when_it_must() {
    for protocol in [PRIMARY, QUORUM] {
        for (attempts, tokens) in [(1, false), (2, false), (3, true), (4, false), (4, true), (6, true)] {
            let yaml = scenario(protocol, attempts, tokens, CUT_OFF);
            let (done, findings) = tried(&yaml);
            let (again, ..) = check(&yaml, attempts.into(), false, &findings, &done);
            println!("{attempts} attempts: {again} of {} operations were tried again", done.len());
            assert_eq!(again > 10, attempts > 1);
            let given_up = done.iter().filter(|op| op.ended.unwrap().1 != Outcome::Ok).count();
            assert_eq!(given_up == 0, attempts > 2, "the third begins 350 ms after the first: {given_up}");
        }
    }
}

#[test]
fn where_answers_are_lost_each_attempt_is_applied_unless_it_carries_a_token() {
    for protocol in [PRIMARY, QUORUM] {
        for attempts in [1, 2, 3, 5] {
            for tokens in [false, true] {
                let yaml = scenario(protocol, attempts, tokens, ANSWERS_LOST);
                let (done, findings) = tried(&yaml);
                let (_, twice, applied) = check(&yaml, attempts.into(), true, &findings, &done);
                let ops = done.len() as u64;
                let (twice, applied) = if tokens { (0, ops) } else { (twice, applied) };
                println!("{attempts} attempts, tokens {tokens}: {twice} twice, {applied} of {ops} applied");
                assert_eq!(count(&findings, "duplicate_applies"), (twice, ops), "{yaml}");
                assert_eq!(findings.accounting.committed, applied, "{yaml}");
                assert_eq!(twice > 10, attempts > 1 && !tokens);
            }
        }
    }
}

/// Three copies, of which the primary dies at 1 s; the one that has been promoted at 1.2 s is beside the clients.
fn failover(tokens: bool) -> String {
    format!(
        "
duration: 4s
topology: {{ nodes: {{ p: P, r: R, s: S }} }}
network: {{ default: {{ ordered: false, latency: {{ constant: 10ms }} }}, same-zone: {{ latency: {{ constant: 0s }} }} }}
protocol: {{ primary-backup: {{ acknowledge: semi-sync, failover: manual }} }}
workload:
  - name: w
    at: R
    arrivals: {{ fixed: 500/s }}
    reads: 0%
    read-from: {{ node: r }}
    writes: add
    keys: {{ sequence: {{ count: 2000 }} }}
    timeout: 100ms
    retries: {{ attempts: 20, backoff: 50ms, tokens: {tokens} }}
faults:
  - {{ at: 1s, crash: {{ nodes: [p] }} }}
  - {{ at: 1200ms, promote: {{ node: r }} }}
"
    )
}

#[test]
fn a_successor_that_has_the_write_knows_its_token() {
    for tokens in [false, true] {
        let yaml = failover(tokens);
        let (done, findings) = tried(&yaml);
        let ok = done.iter().filter(|op| matches!(op.ended, Some((_, Outcome::Ok)))).count() as u64;
        let ops = done.len() as u64;
        // At the primary after 10 ms, on its way to the successor before the crash; the answer would have left after 30.
        let is_there = |op: &&Done| (970 * MS..990 * MS).contains(&op.scheduled);
        let known = done.iter().filter(is_there).count() as u64;
        assert_eq!(known, 10);
        let twice = if tokens { 0 } else { known };
        println!("tokens {tokens}: {ok} of {ops} ok, {twice} applied twice");
        assert_eq!((ok, count(&findings, "duplicate_applies")), (ops, (twice, ops)));
        let Leaf::Count { count: lost, .. } = findings.leaf("lost_writes", None).unwrap() else { panic!() };
        assert_eq!((*lost, findings.accounting.committed), (0, ops + twice));
        assert_eq!(findings.accounting.converged + findings.accounting.unconverged, ops + twice);
    }
}

/// What the primary sends is lost from 0.5 to 0.9 s, answers as well as entries. Of these the log keeps five or
/// six, so the replica is copied the whole store. It is the primary when those who had no answer try again.
fn copied(tokens: bool) -> String {
    format!(
        "
duration: 6s
topology: {{ nodes: {{ p: P, r: R }} }}
network: {{ default: {{ ordered: false, latency: {{ constant: 10ms }} }}, same-zone: {{ latency: {{ constant: 0s }} }} }}
protocol: {{ primary-backup: {{ retain: 800B, failover: manual, fencing: false }} }}
workload:
  - name: w
    at: R
    arrivals: {{ fixed: 40/s }}
    reads: 0%
    keys: {{ sequence: {{ count: 400 }} }}
    timeout: 100ms
    retries: {{ attempts: 9, backoff: 1s, jitter: 0%, tokens: {tokens} }}
faults:
  - {{ at: 500ms, {ANSWERS_LOST}, for: 400ms }}
  - {{ at: 1400ms, crash: {{ nodes: [p] }} }}
  - {{ at: 1450ms, promote: {{ node: r }} }}
"
    )
}

#[test]
fn a_successor_that_was_copied_the_store_knows_the_tokens_of_what_is_in_it() {
    for tokens in [false, true] {
        let (done, findings) = tried(&copied(tokens));
        // At the primary after 10 ms, and the answer was lost.
        let in_vain = done.iter().filter(|op| (490 * MS..890 * MS).contains(&op.scheduled)).count() as u64;
        assert_eq!(in_vain, 16);
        let twice = if tokens { 0 } else { in_vain };
        assert_eq!(count(&findings, "duplicate_applies"), (twice, done.len() as u64), "tokens {tokens}");
    }
}

#[test]
fn one_attempt_is_none_again() {
    let retries = "    retries: { attempts: 1, backoff: 50ms, jitter: 0%, tokens: false }\n";
    for (protocol, cut) in [(PRIMARY, CUT_OFF), (QUORUM, ANSWERS_LOST)] {
        let yaml = scenario(protocol, 1, false, cut);
        assert!(yaml.contains(retries));
        let digest = |yaml: &str| run_seed(&load(yaml), 1, &()).unwrap().digest.to_string();
        assert_eq!(digest(&yaml), digest(&yaml.replace(retries, "")), "{yaml}");
    }
}

#[test]
fn a_client_of_a_closed_loop_waits_for_all_attempts() {
    // 90 ms in vain, a wait of 20, 90 ms in vain, and 10 ms of thought.
    let yaml = scenario(PRIMARY, 2, false, CUT_OFF)
        .replace("fixed: 40/s", "closed-loop: { clients: 1, think: { constant: 10ms } }")
        .replace("timeout: 100ms", "timeout: 90ms")
        .replace("backoff: 50ms", "backoff: 20ms")
        .replace("at: 1s, partition: { isolate: [p] }, for: 300ms", "at: 0s, crash: { nodes: [p] }");
    let (done, _) = tried(&yaml);
    let scheduled: Vec<i64> = done.iter().map(|op| op.scheduled / MS).collect();
    assert_eq!(scheduled, (0..15).map(|i| 10 + 210 * i).collect::<Vec<_>>());
    // No attempt begins when the clients have stopped, at 3 s: the last operation is over with its first.
    assert!(done.iter().all(|op| op.attempts == if op.scheduled > 2_890 * MS { 1 } else { 2 }), "{done:?}");
}

#[test]
fn an_attempt_gives_its_connection_back_while_its_client_waits() {
    // Two clients and one connection, and nothing is answered: while the first waits for 50 ms, the second has the
    // connection, and so on. Each would wait 100 ms in line, and have failed, if the connection were kept.
    let yaml = scenario(PRIMARY, 2, false, CUT_OFF)
        .replace("fixed: 40/s", "closed-loop: { clients: 2, think: { constant: 30ms } }")
        .replace("timeout: 100ms", "timeout: 100ms\n    connections: 1")
        .replace("at: 1s, partition: { isolate: [p] }, for: 300ms", "at: 0s, crash: { nodes: [p] }");
    let (done, _) = tried(&yaml);
    let story: Vec<(i64, i64, i64)> =
        done[..4].iter().map(|op| (op.scheduled / MS, op.attempts, op.ended.unwrap().0 / MS)).collect();
    println!("{story:?}");
    assert_eq!(story, [(30, 2, 280), (30, 2, 280), (310, 2, 560), (310, 2, 560)]);
}
