//! Bad days small enough to judge by hand: losses of the primary, reads of what does not last, times without success.
//!
//! The primary is `n0` until `n1` takes over. The clients' time ends at 1000, the run at 1200; times without success
//! longer than 20 are windows. The write of version `v` is `Write(v)`; there is one key.

use replisim_measure::{Findings, Leaf, Measures, Quantile, twin};
use replisim_observe::{
    Answer, Client, Duration, Group, Key, Member, Observation, Observer, Op, OpKind, Outcome, PromotionRule,
    Record, Roster, Said, Stored, Time, Version, Window, Write,
};

const N0: Member = Member(0);
const N1: Member = Member(1);
const KEY: Key = Key(0);

type Event = (u64, Observation);

fn ns(at: u64) -> Time {
    Time::from_nanos(at)
}

fn stored(version: u64) -> Stored {
    Stored { version: Version(version), write: Write(version) }
}

fn invoked(at: u64, op: u64, kind: OpKind) -> Event {
    (at, Observation::Invoked { op: Op(op), client: Client(0), kind, key: KEY, scheduled: ns(at) })
}

fn read(at: u64, op: u64) -> Event {
    invoked(at, op, OpKind::Read)
}

fn write(at: u64, op: u64, version: u64) -> Event {
    invoked(at, op, OpKind::Write(Write(version)))
}

fn returned(at: u64, op: u64, outcome: Outcome, answer: Option<Answer>) -> Event {
    (at, Observation::Returned { op: Op(op), outcome, answer })
}

/// A read learns a version (0 for none) that `by` told it `answered`.
fn got(at: u64, op: u64, by: Member, answered: u64, version: u64) -> Event {
    let said = Said::Value((version > 0).then(|| stored(version)));
    returned(at, op, Outcome::Ok, Some(Answer { by, at: ns(answered), said }))
}

fn acked(at: u64, op: u64, by: Member, answered: u64) -> Event {
    returned(at, op, Outcome::Ok, Some(Answer { by, at: ns(answered), said: Said::Written }))
}

fn logged(at: u64, member: Member, version: u64) -> Event {
    (at, Observation::Logged { member, key: KEY, stored: stored(version) })
}

fn committed(at: u64, by: Member, version: u64) -> Event {
    let Stored { version, write } = stored(version);
    (at, Observation::Committed { write, key: KEY, version, bytes: 1, accepted_by: by })
}

fn promoted(at: u64, member: Member, floor: u64) -> Event {
    (at, Observation::Promoted { member, floor: Version(floor) })
}

fn measured(events: &[Event]) -> Findings {
    let roster = Roster {
        members: vec!["n0".into(), "n1".into()],
        clients: vec!["c".into()],
        faults: Vec::new(),
        keys: 1,
        promotion: PromotionRule::MostAdvanced,
        retries: false,
        unavailability_bound: Duration::from_nanos(20),
        ..Roster::default()
    };
    let window = Window { from: Time::ZERO, to: ns(1_000) };
    let all = [&[promoted(0, N0, 0)], events, &[(1_200, Observation::Ended)]].concat();
    let records: Vec<_> =
        all.into_iter().map(|(at, what)| Record { at: ns(at), group: Group(0), what }).collect();
    let mut measures = Measures::new(roster, window);
    records.iter().for_each(|record| measures.observe(record.at, record.group, record.what));
    let findings = measures.finish();
    assert_eq!(twin::disagreements(&findings, &records, window), [""; 0]);
    findings
}

/// A value in a few words: `2 of 3`; the samples' number and largest; `-` where there is none.
fn shown(findings: &Findings, slug: &str, scope: Option<(&str, &str)>) -> String {
    match findings.leaf(slug, scope) {
        None => "-".to_owned(),
        Some(Leaf::Count { count, of }) => format!("{count} of {}", of.unwrap_or_default()),
        Some(Leaf::Distribution(distribution)) => match distribution.max() {
            Some(Quantile::Value(max)) => format!("{}: {max}", distribution.count()),
            Some(Quantile::Above(max)) => format!("{}: >{max}", distribution.count()),
            None => "0".to_owned(),
        },
        Some(_) => unreachable!("no measure of incidents is of another kind"),
    }
}

/// The events, in the order of time, and what `slugs` are after them.
fn check(claim: &str, events: &[Event], expected: &[(&str, &str)]) {
    let findings = measured(events);
    for (slug, value) in expected {
        assert_eq!(shown(&findings, slug, None), *value, "{slug}: {claim}");
    }
}

fn lost(at: u64) -> Event {
    (at, Observation::PrimaryLost { member: N0, since: Time::from_nanos(at) })
}

fn back(at: u64) -> Event {
    (at, Observation::PrimaryBack { member: N0 })
}

fn down(at: u64) -> Event {
    (at, Observation::MemberDown { member: N0 })
}

fn serving(at: u64, member: Member) -> Event {
    (at, Observation::Serving { member })
}

#[test]
fn an_outage_ends_with_the_ack_of_a_write_invoked_after_the_loss_and_committed_under_a_later_term() {
    let take_over = [promoted(60, N1, 100), serving(65, N1)];
    let success = [write(70, 1, 101), committed(75, N1, 101), acked(80, 1, N1, 76)];
    for (claim, events, rto, time_to_serve) in [
        (
            "a reply in flight at the crash does not",
            [
                &[write(10, 0, 1), committed(20, N0, 1), down(30), lost(30), acked(35, 0, N0, 25)],
                &take_over[..],
                &success,
            ]
            .concat(),
            "1: 50",
            "1: 35",
        ),
        (
            "a write invoked before the loss and acked after it does not",
            [
                &[write(10, 0, 101), down(30), lost(30)],
                &take_over[..],
                &[committed(66, N1, 101), acked(70, 0, N1, 67)],
                &[write(72, 1, 102), committed(75, N1, 102), acked(90, 1, N1, 80)],
            ]
            .concat(),
            "1: 60",
            "1: 35",
        ),
        (
            "nor does one of the same instant",
            [&[lost(30), write(30, 0, 101)], &take_over[..], &[committed(66, N1, 101), acked(70, 0, N1, 67)]]
                .concat(),
            "1: >970",
            "1: 35",
        ),
        (
            "a write that the primary of the past accepts does not",
            [&[lost(30)], &take_over[..], &[write(70, 0, 50), committed(71, N0, 50), acked(72, 0, N0, 71)]]
                .concat(),
            "1: >970",
            "1: 35",
        ),
        (
            "nor one that it accepts when it starts again, and serves, after the successor's promotion",
            [
                &[lost(30), promoted(60, N1, 100), promoted(61, N0, 40), serving(62, N0)][..],
                &[write(63, 0, 50), serving(65, N1), committed(66, N0, 50), acked(67, 0, N0, 66)],
                &success[..],
            ]
            .concat(),
            "1: 50",
            "1: 35",
        ),
        ("nothing does", vec![down(30), lost(30)], "1: >970", "1: >1170"),
        (
            "a further loss on the way does not start it again",
            [&[lost(30)], &take_over[..1], &[lost(62)], &take_over[1..], &success].concat(),
            "1: 50",
            "1: 35",
        ),
        (
            "after it there may be another",
            [&[lost(30)], &take_over[..], &success, &[lost(100)]].concat(),
            "2: >900",
            "2: >1100",
        ),
        (
            "a primary that was cut off and comes back goes on in its term",
            vec![lost(30), back(50), write(55, 0, 1), committed(56, N0, 1), acked(60, 0, N0, 58)],
            "1: 30",
            "1: 20",
        ),
        (
            "one that was replaced meanwhile does not",
            [&[lost(30)], &take_over[..1], &[back(62)], &take_over[1..], &success].concat(),
            "1: 50",
            "1: 35",
        ),
        (
            "one that crashed needs a new term to serve",
            [&[down(30), lost(30), back(50)][..], &[promoted(55, N0, 100), serving(58, N0)], &success[..]]
                .concat(),
            "1: 50",
            "1: 28",
        ),
        ("without a loss there is none", success.to_vec(), "-", "-"),
        ("a loss after the clients' time is not measured", vec![lost(1_000)], "-", "-"),
    ] {
        check(claim, &events, &[("rto_ms", rto), ("time_to_serve_ms", time_to_serve)]);
    }
}

#[test]
fn an_ack_is_stale_if_who_gave_it_was_not_the_rightful_primary_then() {
    for (claim, by, answered, stale) in [
        ("the primary, before it was replaced", N0, 59, "0 of 1"),
        ("the primary, at that instant", N0, 60, "0 of 1"),
        ("the primary of the past", N0, 61, "1 of 1"),
        ("the successor, before its time", N1, 59, "1 of 1"),
        ("the successor", N1, 60, "0 of 1"),
    ] {
        let events = [
            write(10, 0, 1),
            logged(20, N0, 1),
            logged(20, N1, 1),
            committed(25, N0, 1),
            promoted(60, N1, 100),
            acked(90, 0, by, answered),
        ];
        check(claim, &events, &[("stale_primary_acks", stale)]);
    }
}

#[test]
fn the_rightful_primary_is_the_one_of_the_highest_term_whoever_starts_again_later() {
    for (claim, member, floor, by, stale) in [
        ("an old primary starts again in its old term", N0, 0, N0, "1 of 1"),
        ("and in one below the successor's", N0, 99, N0, "1 of 1"),
        ("the successor stays what it is", N0, 99, N1, "0 of 1"),
        ("the old primary in an equal term", N0, 100, N0, "0 of 1"),
        ("the successor then", N0, 100, N1, "1 of 1"),
        ("the old primary in a higher term", N0, 101, N0, "0 of 1"),
        ("the successor starts again", N1, 100, N1, "0 of 1"),
    ] {
        let events = [
            write(10, 0, 1),
            logged(20, N0, 1),
            logged(20, N1, 1),
            committed(25, N0, 1),
            promoted(60, N1, 100),
            promoted(70, member, floor),
            acked(90, 0, by, 80),
        ];
        check(claim, &events, &[("stale_primary_acks", stale)]);
    }
}

#[test]
fn a_read_is_dirty_if_what_it_returned_is_abandoned_or_fails() {
    let seen = [write(10, 0, 1), logged(12, N0, 1), read(13, 1), got(20, 1, N0, 15, 1)];
    let failed = returned(30, 0, Outcome::Failed, None);
    for (claim, then, dirty) in [
        ("it stands", vec![committed(25, N0, 1), acked(30, 0, N0, 26)], "0 of 1"),
        ("it is abandoned later", vec![committed(25, N0, 1), promoted(60, N1, 100)], "1 of 1"),
        (
            "the successor holds it",
            vec![committed(25, N0, 1), logged(50, N1, 1), promoted(60, N1, 100)],
            "0 of 1",
        ),
        (
            "the successor holds it and commits it",
            vec![logged(50, N1, 1), promoted(60, N1, 100), committed(65, N1, 1)],
            "0 of 1",
        ),
        (
            "it was excluded before it was committed",
            vec![promoted(60, N1, 100), committed(65, N0, 1)],
            "1 of 1",
        ),
        ("it is above the floor", vec![committed(25, N0, 1), promoted(60, N1, 0)], "0 of 1"),
        (
            "the primary loses it and starts again",
            vec![
                committed(25, N0, 1),
                (40, Observation::Unlogged { member: N0, key: KEY, undone: stored(1), back_to: None }),
                promoted(60, N0, 100),
            ],
            "1 of 1",
        ),
        (
            "every member had it, and the disk of the successor is lost",
            vec![
                committed(25, N0, 1),
                logged(30, N1, 1),
                (40, Observation::DiskLost { member: N1 }),
                promoted(60, N1, 100),
            ],
            "1 of 1",
        ),
        (
            "an old primary without it starts again",
            vec![
                committed(25, N0, 1),
                logged(50, N1, 1),
                promoted(60, N1, 100),
                (65, Observation::DiskLost { member: N0 }),
                promoted(70, N0, 40),
            ],
            "0 of 1",
        ),
        ("it fails", vec![failed], "1 of 1"),
        ("it is never committed", vec![promoted(60, N1, 100)], "0 of 1"),
        (
            "a stale replica still shows what is abandoned",
            vec![committed(25, N0, 1), promoted(60, N1, 100), read(70, 2), got(75, 2, N0, 72, 1)],
            "2 of 2",
        ),
    ] {
        check(claim, &[&seen[..], &then].concat(), &[("dirty_reads", dirty)]);
    }
}

#[test]
fn a_read_is_early_if_what_it_returned_was_not_committed_when_it_was_answered() {
    for (claim, answered, early) in [("before", 24, "1 of 1"), ("at", 25, "0 of 1"), ("after", 26, "0 of 1")]
    {
        let events = [
            write(10, 0, 1),
            logged(12, N0, 1),
            read(13, 1),
            committed(25, N0, 1),
            got(30, 1, N0, answered, 1),
        ];
        check(claim, &events, &[("early_reads", early), ("dirty_reads", "0 of 1")]);
    }
    let never = [write(10, 0, 1), logged(12, N0, 1), read(13, 1), got(30, 1, N0, 20, 1)];
    check("never committed", &never, &[("early_reads", "1 of 1")]);
}

#[test]
fn reads_miss_a_lost_write_until_a_write_invoked_after_the_abandonment_is_acked() {
    let lost = [write(10, 0, 1), write(11, 1, 2), logged(12, N0, 2), logged(12, N0, 1)];
    let lost = [&lost[..], &[committed(13, N0, 2), committed(13, N0, 1)]].concat();
    let both_acked = [acked(20, 0, N0, 14), acked(20, 1, N0, 14)];
    let gone = promoted(60, N1, 100);
    let reading =
        |invoked: u64, version: u64| vec![read(invoked, 2), got(invoked + 5, 2, N1, invoked + 1, version)];
    for (claim, events, missing) in [
        ("before it is abandoned", [&both_acked[..], &reading(50, 0), &[gone]].concat(), "0 of 1"),
        (
            "invoked before, returned after",
            [&both_acked[..], &[read(55, 2), gone, got(65, 2, N1, 61, 0)]].concat(),
            "0 of 1",
        ),
        ("invoked after", [&both_acked[..], &[gone], &reading(61, 0)].concat(), "1 of 1"),
        ("at that instant", [&both_acked[..], &[gone], &reading(60, 0)].concat(), "0 of 1"),
        ("it misses the newer of two", [&both_acked[..], &[gone], &reading(61, 1)].concat(), "1 of 1"),
        ("it reflects both", [&both_acked[..], &[gone], &reading(61, 2)].concat(), "0 of 1"),
        ("the newer was never acked", [&both_acked[..1], &[gone], &reading(61, 1)].concat(), "0 of 1"),
        (
            "acked only after it was abandoned, by then",
            [&[gone, acked(63, 0, N0, 14)], &reading(64, 0)[..]].concat(),
            "1 of 1",
        ),
        (
            "it misses the newer of two acked at one instant",
            [&[gone, acked(63, 1, N0, 14), acked(63, 0, N0, 14)], &reading(64, 1)[..]].concat(),
            "1 of 1",
        ),
        (
            "acked only after it was abandoned, before",
            [&[gone], &[read(61, 2)], &[acked(63, 0, N0, 14), got(66, 2, N1, 62, 0)][..]].concat(),
            "0 of 1",
        ),
    ] {
        check(claim, &[&lost[..], &events].concat(), &[("reads_missing_lost", missing)]);
    }
    for (claim, later_invoked, read_invoked, missing) in [
        ("a later write is acked before", 61, 81, "0 of 1"),
        ("at that instant", 61, 80, "1 of 1"),
        ("a later write is acked after", 61, 79, "1 of 1"),
        ("a write of the instant of the abandonment is acked before", 60, 81, "1 of 1"),
    ] {
        let mut rest = vec![
            write(later_invoked, 2, 101),
            logged(72, N1, 101),
            committed(75, N1, 101),
            read(read_invoked, 3),
            acked(80, 2, N1, 76),
            got(90, 3, N0, 85, 0),
        ];
        rest.sort_by_key(|(at, _)| *at);
        check(claim, &[&lost[..], &both_acked, &[gone], &rest].concat(), &[("reads_missing_lost", missing)]);
    }
    let made_good = [write(61, 2, 101), logged(72, N1, 101), committed(75, N1, 101), acked(80, 2, N1, 76)];
    let rest = [acked(85, 0, N0, 14), read(90, 3), got(95, 3, N0, 91, 0)];
    check(
        "acked later than a later write",
        &[&lost[..], &[gone], &made_good, &rest].concat(),
        &[("reads_missing_lost", "0 of 1")],
    );
}

#[test]
fn a_window_is_a_run_of_operations_without_success_longer_than_the_bound() {
    const OK: Outcome = Outcome::Ok;
    const NO: Outcome = Outcome::Unknown;
    for (claim, ops, windows) in [
        ("all is well", vec![(10, OK), (500, OK)], "-"),
        ("not longer than the bound", vec![(10, OK), (20, NO), (40, OK), (990, OK)], "-"),
        ("a little longer", vec![(10, OK), (20, NO), (41, OK), (990, OK)], "1: 21"),
        ("two, apart by one success", vec![(20, NO), (30, NO), (60, OK), (70, NO), (120, OK)], "2: 50"),
        ("cut by the end of the clients' time", vec![(10, OK), (600, NO), (990, NO)], "1: >400"),
        ("certainly not done is no success either", vec![(10, Outcome::Failed), (60, OK)], "1: 50"),
    ] {
        // Each takes 300, so that later ones are invoked while earlier ones are under way.
        let mut events = Vec::new();
        for (op, (at, outcome)) in (0u64..).zip(ops) {
            let answer = Answer { by: N0, at: ns(at), said: Said::Value(None) };
            let took = 300 - 7 * (op % 3); // out of order
            events.push(read(at, op));
            events.push(returned(at + took, op, outcome, (outcome == OK).then_some(answer)));
        }
        events.sort_by_key(|(at, _)| *at);
        let findings = measured(&events);
        assert_eq!(shown(&findings, "unavailability_ms", Some(("kind", "read"))), windows, "{claim}");
        assert_eq!(shown(&findings, "unavailability_ms", None), windows, "{claim}");
        assert_eq!(shown(&findings, "unavailability_ms", Some(("kind", "write"))), "-", "{claim}");
    }
    let under_way = measured(&[read(900, 0)]);
    assert_eq!(shown(&under_way, "unavailability_ms", None), "1: >100", "still under way at the end");
}

#[test]
fn the_timeline_tells_how_many_of_the_scheduled_succeeded_in_each_slice() {
    let events = [
        read(10, 0),
        read(10, 1),
        got(11, 0, N0, 10, 0),
        write(12, 2, 1),
        committed(13, N0, 1),
        acked(20, 2, N0, 14),
        returned(30, 1, Outcome::Unknown, None),
    ];
    let series = measured(&events).series.expect("of a single run");
    let [reads, writes] = &series.availability;
    let slice = |at: u64| series.slices.index(ns(at)).expect("in the clients' time");
    assert_eq!((reads.scheduled[slice(10)], reads.ok[slice(10)]), (2, 1));
    assert_eq!((writes.scheduled[slice(12)], writes.ok[slice(12)]), (1, 1));
    assert_eq!(reads.scheduled.iter().sum::<u64>() + writes.scheduled.iter().sum::<u64>(), 3);
}
