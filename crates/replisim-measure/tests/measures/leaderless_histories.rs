//! Histories without a primary, small enough to judge by hand.
//!
//! Three members; on the ring, key 0 is kept by `n0` and `n1`, key 1 by `n1` and `n2`. The clients' time ends at 1000, the
//! run at 1200.

use replisim_measure::{Findings, Leaf, Measures, Quantile, twin};
use replisim_observe::{
    Answer, Client, Duration, Group, Key, Member, Observation, Observer, Op, OpKind, Outcome, Placement,
    PromotionRule, Record, Roster, Said, Stored, Time, Version, Window, Write,
};

const N0: Member = Member(0);
const N1: Member = Member(1);
const N2: Member = Member(2);
/// An instance of the protocol within a client.
const DRIVER: Member = Member(3);
const K0: Key = Key(0);
const K1: Key = Key(1);
const RING: Placement = Placement::Ring { copies: 2 };

type Event = (u64, Observation);

fn ns(at: u64) -> Time {
    Time::from_nanos(at)
}

fn stored(write: u64, version: u64) -> Stored {
    Stored { version: Version(version), write: Write(write) }
}

fn invoked(at: u64, op: u64, kind: OpKind, key: Key) -> Event {
    (at, Observation::Invoked { op: Op(op), client: Client(0), kind, key, scheduled: ns(at) })
}

fn returned(at: u64, op: u64, by: Member, said: Said) -> Event {
    let answer = Some(Answer { by, at: ns(at), said });
    (at, Observation::Returned { op: Op(op), outcome: Outcome::Ok, answer })
}

/// The operation of this number writes `key`, and is acked a nanosecond later; `lane` is the key, in the lane of its
/// version. It is committed, whoever has it.
fn written(at: u64, op: u64, key: Key, (lane, version): (Key, u64), accepted_by: Member) -> Vec<Event> {
    let Stored { version, write } = stored(op, version);
    vec![
        invoked(at, op, OpKind::Write(write), key),
        (at, Observation::Committed { write, key: lane, version, bytes: 7, accepted_by }),
        returned(at + 1, op, DRIVER, Said::Written),
    ]
}

fn applied(at: u64, member: Member, key: Key, stored: Stored) -> Event {
    (at, Observation::Applied { member, key, stored })
}

/// A read of key 0 that takes five nanoseconds and sees these versions, each of a lane.
fn siblings(at: u64, op: u64, seen: &[(Key, u64)]) -> Vec<Event> {
    let saw = |(key, version): &(Key, u64)| {
        (at + 5, Observation::Saw { op: Op(op), key: *key, version: Version(*version) })
    };
    let said = Said::Siblings(seen.len() as u32);
    let end = [returned(at + 5, op, DRIVER, said)];
    [&[invoked(at, op, OpKind::Read, K0)][..], &seen.iter().map(saw).collect::<Vec<_>>(), &end].concat()
}

/// A read of key 0 that takes five nanoseconds and returns one value or none.
fn read(at: u64, op: u64, value: Option<Stored>) -> Vec<Event> {
    vec![invoked(at, op, OpKind::Read, K0), returned(at + 5, op, DRIVER, Said::Value(value))]
}

fn disk_lost(at: u64, member: Member) -> Event {
    (at, Observation::DiskLost { member })
}

fn measured(placement: Placement, lanes: u32, events: &[Event]) -> Findings {
    let roster = Roster {
        members: vec!["n0".into(), "n1".into(), "n2".into()],
        clients: vec!["c".into()],
        faults: vec!["f".into()],
        keys: 3,
        placement,
        lanes,
        promotion: PromotionRule::Leaderless,
        retries: false,
        unavailability_bound: Duration::from_nanos(20),
    };
    let mut all = [events, &[(1_200, Observation::Ended)]].concat();
    all.sort_by_key(|(at, _)| *at);
    let record = |(at, what)| Record { at: ns(at), group: Group(0), what };
    let records: Vec<_> = all.into_iter().map(record).collect();
    let window = Window { from: Time::ZERO, to: ns(1_000) };
    let mut measures = Measures::new(roster, window);
    records.iter().for_each(|record| measures.observe(record.at, record.group, record.what));
    let findings = measures.finish();
    assert_eq!(twin::disagreements(&findings, &records, window), [""; 0]);
    findings
}

/// A value in a few words: `2 of 3`; the samples' number and largest; the largest over time; `-` where there is none.
fn shown(findings: &Findings, slug: &str, scope: Option<(&str, &str)>) -> String {
    match findings.leaf(slug, scope) {
        None => "-".to_owned(),
        Some(Leaf::Count { count, of }) => format!("{count} of {}", of.unwrap_or_default()),
        Some(Leaf::Distribution(distribution)) => match distribution.max() {
            Some(Quantile::Value(max)) => format!("{}: {max}", distribution.count()),
            Some(Quantile::Above(max)) => format!("{}: >{max}", distribution.count()),
            None => "0".to_owned(),
        },
        Some(Leaf::TimeWeighted(quantity)) => format!("<= {}", quantity.max().unwrap_or_default()),
        Some(Leaf::Rate { .. }) => unreachable!("no measure of these is a rate"),
    }
}

/// The events, in the order of time, and what some measures are after them.
fn check(claim: &str, (placement, lanes): (Placement, u32), events: &[Event], expected: &[(&str, &str)]) {
    let findings = measured(placement, lanes, events);
    for (slug, value) in expected {
        assert_eq!(shown(&findings, slug, None), *value, "{slug}: {claim}");
    }
}

/// Write 1 of key 1 reaches one owner at 10 and the other at 15.
fn on_the_ring() -> Vec<Event> {
    let stored = stored(1, 1);
    let copies = vec![applied(10, N1, K1, stored), applied(15, N2, K1, stored)];
    [written(10, 1, K1, (K1, 1), N1), copies].concat()
}

#[test]
fn only_the_two_owners_of_three_members_are_waited_for() {
    let findings = measured(RING, 1, &on_the_ring());
    for (slug, scope, value) in [
        ("convergence_ms", None, "1: 5"),
        ("inconsistency_window_ms", None, "1: 4"),
        ("visible_after_ack_ms", None, "2: 4"), // the second vote is a copy like the first
        ("replication_delay_ms", None, "2: 5"),
        ("replication_delay_ms", Some(("node", "n0")), "-"),
        ("lag_ms", Some(("node", "n0")), "<= 0"),
        ("lag_ms", Some(("node", "n1")), "<= 0"),
        ("lag_ms", Some(("node", "n2")), "<= 5"),
        ("unconverged_writes", None, "0 of 1"),
        ("divergence_keys", None, "<= 1"),
        ("quiescent_convergence_ms", None, "1: 5"),
        ("rpo_writes", None, "-"),
        ("stale_primary_acks", None, "-"),
    ] {
        assert_eq!(shown(&findings, slug, scope), value, "{slug} of {scope:?}");
    }
    let everywhere = [("convergence_ms", "1: >1190"), ("unconverged_writes", "1 of 1")];
    check("everyone is an owner", (Placement::Everywhere, 1), &on_the_ring(), &everywhere);
}

#[test]
fn a_write_is_lost_when_the_last_of_its_owners_loses_it() {
    for (claim, losses, expected) in [
        ("a disk of another", vec![disk_lost(30, N0)], ["0 of 1", "0 of 0", "0 of 1", "0 of 1"]),
        ("one of two", vec![disk_lost(30, N1)], ["0 of 1", "0 of 0", "1 of 1", "1 of 1"]),
        ("both", vec![disk_lost(30, N1), disk_lost(40, N2)], ["1 of 1", "1 of 1", "0 of 1", "1 of 1"]),
        (
            "one after the other, restored in between",
            vec![disk_lost(30, N1), applied(35, N1, K1, stored(1, 1)), disk_lost(40, N2)],
            ["0 of 1", "0 of 0", "1 of 1", "1 of 1"],
        ),
        (
            "both, and it arrives once more",
            vec![disk_lost(30, N1), disk_lost(40, N2), applied(45, N2, K1, stored(1, 1))],
            ["1 of 1", "0 of 1", "0 of 1", "1 of 1"],
        ),
    ] {
        let slugs = ["lost_writes", "destroyed_writes", "unconverged_writes", "regressed_writes"];
        let expected: Vec<_> = slugs.into_iter().zip(expected).collect();
        check(claim, (RING, 1), &[on_the_ring(), losses].concat(), &expected);
    }
}

#[test]
fn a_hint_is_no_copy_but_as_long_as_there_is_one_nothing_is_lost() {
    let stored = stored(1, 1);
    let hinted = (10, Observation::Hinted { member: N2, key: K0, stored });
    let unhinted = |at| (at, Observation::Unhinted { member: N2, key: K0, stored });
    let seen = read(15, 2, Some(stored));
    let start = [written(10, 1, K0, (K0, 1), N0), vec![applied(10, N0, K0, stored), hinted], seen].concat();
    let lost = vec![disk_lost(20, N0)];
    for (claim, then, expected) in [
        ("it stands at the end", vec![], ["0 of 1", "0 of 0", "1 of 1", "0 of 1"]),
        (
            "it is handed over",
            vec![applied(30, N1, K0, stored), unhinted(31)],
            ["0 of 1", "0 of 0", "1 of 1", "0 of 1"],
        ),
        ("it is given up", vec![unhinted(30)], ["1 of 1", "0 of 1", "0 of 1", "1 of 1"]),
        ("it is lost with a disk", vec![disk_lost(30, N2)], ["1 of 1", "0 of 1", "0 of 1", "1 of 1"]),
        (
            "it arrives after it is given up",
            vec![unhinted(30), applied(31, N1, K0, stored)],
            ["1 of 1", "1 of 1", "0 of 1", "1 of 1"],
        ),
        (
            "a copy is there first",
            vec![applied(29, N1, K0, stored), disk_lost(30, N2)],
            ["0 of 1", "0 of 0", "1 of 1", "0 of 1"],
        ),
    ] {
        let slugs = ["lost_writes", "stranded_writes", "unconverged_writes", "dirty_reads"];
        let expected: Vec<_> = slugs.into_iter().zip(expected).collect();
        check(claim, (RING, 1), &[start.clone(), lost.clone(), then].concat(), &expected);
    }
}

#[test]
fn a_reader_misses_the_siblings_that_it_does_not_see() {
    // Two lanes: of key 0 they are named 0 and 1. The acks come at 21 and 26.
    let two = [written(20, 1, K0, (Key(0), 3), N0), written(25, 2, K0, (Key(1), 1), N1)].concat();
    for (claim, seen, versions, staleness, visible) in [
        ("both", &[(Key(0), 3), (Key(1), 1)][..], "1: 0", "1: 0", "1 of 1"),
        ("the first", &[(Key(0), 3)], "1: 1", "1: 4", "0 of 1"),
        ("the second", &[(Key(1), 1)], "1: 1", "1: 9", "1 of 1"),
        ("an older one in the lane of the first", &[(Key(0), 2), (Key(1), 1)], "1: 1", "1: 9", "1 of 1"),
        ("a newer one in its place", &[(Key(0), 4), (Key(1), 1)], "1: 0", "1: 0", "1 of 1"),
        ("neither", &[], "1: 2", "1: 9", "0 of 1"),
    ] {
        let expected =
            [("staleness_versions", versions), ("staleness_ms", staleness), ("t_visibility", visible)];
        check(claim, (Placement::Everywhere, 2), &[&two[..], &siblings(30, 3, seen)].concat(), &expected);
    }
}

#[test]
fn members_that_hold_different_siblings_differ_in_one_key_and_a_lost_sibling_makes_one_dirty_read() {
    let (a, b) = (stored(1, 3), stored(2, 1));
    let two = [written(20, 1, K0, (Key(0), 3), N0), written(20, 2, K0, (Key(1), 1), N1)].concat();
    let seen = siblings(30, 3, &[(Key(0), 3), (Key(1), 1)]);
    let apart = [applied(20, N0, Key(0), a), applied(20, N1, Key(1), b)];
    let together = [applied(40, N1, Key(0), a), applied(45, N0, Key(1), b)];
    for (claim, then, divergence, lost, dirty) in [
        ("apart for good", vec![], "<= 1", "0 of 2", "0 of 1"),
        ("together", together.to_vec(), "<= 1", "0 of 2", "0 of 1"),
        ("one is lost", vec![disk_lost(40, N0)], "<= 1", "1 of 2", "1 of 1"),
        ("both are lost", vec![disk_lost(40, N0), disk_lost(41, N1)], "<= 1", "2 of 2", "1 of 1"),
        (
            "one is lost at one of two",
            [&together[..], &[disk_lost(50, N0)]].concat(),
            "<= 1",
            "0 of 2",
            "0 of 1",
        ),
    ] {
        let events = [&two[..], &apart, &seen, &then].concat();
        let expected = [("divergence_keys", divergence), ("lost_writes", lost), ("dirty_reads", dirty)];
        check(claim, (RING, 2), &events, &expected);
    }
}

/// A put and a delete of key 0 that reach both owners at once; one of them forgets the delete at 40.
fn purged() -> Vec<Event> {
    let (put, delete) = (stored(1, 1), stored(2, 2));
    let both = |at, stored| [applied(at, N0, K0, stored), applied(at, N1, K0, stored)].to_vec();
    let purge = vec![(40, Observation::Purged { member: N0, key: K0, stored: delete })];
    let put = [written(10, 1, K0, (K0, 1), N0), both(10, put)].concat();
    [put, written(20, 2, K0, (K0, 2), N0), both(20, delete), purge].concat()
}

#[test]
fn nothing_is_what_a_purged_tombstone_looks_like() {
    for (claim, at, value, versions) in [
        ("nothing, before anybody forgot the delete", 30, None, "1: 2"),
        ("nothing, from then on", 36, None, "1: 0"),
        ("the delete", 50, Some(stored(2, 2)), "1: 0"),
        ("the put", 50, Some(stored(1, 1)), "1: 1"),
    ] {
        let expected = [("staleness_versions", versions), ("divergence_keys", "<= 0")];
        check(claim, (RING, 1), &[purged(), read(at, 3, value)].concat(), &expected);
    }
}

#[test]
fn who_purged_a_tombstone_holds_it_until_it_shows_something_older() {
    let old = |at| applied(at, N0, K0, stored(1, 1));
    for (claim, then, expected) in [
        ("nothing comes", vec![], ["0 of 2", "0 of 2", "<= 0", "<= 0"]),
        ("the put comes back", vec![old(60)], ["1 of 2", "0 of 2", "<= 1", "<= 980"]),
        (
            "and is deleted again",
            vec![old(60), applied(70, N0, K0, stored(2, 2))],
            ["0 of 2", "0 of 2", "<= 1", "<= 50"],
        ),
        ("the other loses its disk", vec![disk_lost(60, N1)], ["2 of 2", "0 of 2", "<= 0", "<= 990"]),
        (
            "the put comes back where the last tombstone was",
            vec![disk_lost(60, N1), old(70)],
            ["1 of 2", "1 of 2", "<= 1", "<= 990"],
        ),
    ] {
        let slugs = ["unconverged_writes", "lost_writes", "divergence_keys", "lag_ms"];
        let expected: Vec<_> = slugs.into_iter().zip(expected).collect();
        check(claim, (RING, 1), &[purged(), then].concat(), &expected);
    }
}

#[test]
fn an_answer_from_within_a_client_is_no_members() {
    let findings = measured(RING, 1, &[purged(), read(50, 3, None)].concat());
    assert_eq!(findings.reads_served, [0, 0, 0]);
    assert_eq!(shown(&findings, "stale_reads", None), "0 of 1");
}
