//! Losses, crashes and recoveries small enough to judge by hand.
//!
//! The primary is `n0`, and there is one key. The write of version `v` is `Write(v)`; versions above 100 are those of the
//! successor. The clients' time ends at 1000, the run at 1200.

use replisim_measure::{Findings, Leaf, Measures, Quantile, twin};
use replisim_observe::{
    Answer, Client, Duration, Fault, Group, Key, Member, Observation, Observer, Op, OpKind, Outcome,
    PromotionRule, Record, Roster, Said, Stored, Time, Version, Window, Write,
};

const N0: Member = Member(0);
const N1: Member = Member(1);
const N2: Member = Member(2);
const KEY: Key = Key(0);

type Event = (u64, Observation);

fn ns(at: u64) -> Time {
    Time::from_nanos(at)
}

fn stored(version: u64) -> Stored {
    Stored { version: Version(version), write: Write(version) }
}

fn invoked(at: u64, version: u64) -> Event {
    let (op, client, kind) = (Op(version), Client(0), OpKind::Write(Write(version)));
    (at, Observation::Invoked { op, client, kind, key: KEY, scheduled: ns(at) })
}

fn committed(at: u64, by: Member, version: u64) -> Event {
    let Stored { version, write } = stored(version);
    (at, Observation::Committed { write, key: KEY, version, bytes: 7, accepted_by: by })
}

fn returned(at: u64, version: u64, by: Member, outcome: Outcome) -> Event {
    let answer = (outcome == Outcome::Ok).then_some(Answer { by, at: ns(at), said: Said::Written });
    (at, Observation::Returned { op: Op(version), outcome, answer })
}

fn logged(at: u64, member: Member, version: u64) -> Event {
    (at, Observation::Logged { member, key: KEY, stored: stored(version) })
}

fn applied(at: u64, member: Member, version: u64) -> Event {
    (at, Observation::Applied { member, key: KEY, stored: stored(version) })
}

/// `member` loses `version`, which followed `before` (0: nothing), from its log and from what it shows.
fn taken_back(at: u64, member: Member, version: u64, before: u64) -> [Event; 2] {
    let (key, undone) = (KEY, stored(version));
    let back_to = (before > 0).then(|| stored(before));
    [
        (at, Observation::Unapplied { member, key, undone, back_to }),
        (at, Observation::Unlogged { member, key, undone, back_to }),
    ]
}

/// A write that `by` commits when it is invoked, and whose client knows a nanosecond later.
fn written(at: u64, by: Member, version: u64) -> Vec<Event> {
    let ok = returned(at + 1, version, by, Outcome::Ok);
    vec![invoked(at, version), applied(at, by, version), committed(at, by, version), ok]
}

fn down(at: u64, member: Member) -> Event {
    (at, Observation::MemberDown { member })
}

fn up(at: u64, member: Member) -> Event {
    (at, Observation::MemberUp { member })
}

fn disk_lost(at: u64, member: Member) -> Event {
    (at, Observation::DiskLost { member })
}

fn promoted(at: u64, member: Member) -> Event {
    (at, Observation::Promoted { member, floor: Version(100) })
}

fn began(at: u64, fault: u32) -> Event {
    (at, Observation::FaultBegan(Fault(fault)))
}

fn ended(at: u64, fault: u32) -> Event {
    (at, Observation::FaultEnded(Fault(fault)))
}

/// Two writes, of which the second has not been shipped when the primary crashes and `n1` takes over.
fn failover() -> Vec<Event> {
    let crash = [down(30, N0), promoted(40, N1)];
    [written(10, N0, 1), vec![applied(15, N1, 1)], written(20, N0, 2), crash.to_vec()].concat()
}

fn measured(members: usize, remembered: usize, events: &[Event]) -> Findings {
    let roster = Roster {
        members: ["n0", "n1", "n2"][..members].iter().map(|name| (*name).to_owned()).collect(),
        clients: vec!["c".into()],
        faults: vec!["f0".into(), "f1".into()],
        keys: 1,
        promotion: PromotionRule::MostAdvanced,
        retries: false,
        unavailability_bound: Duration::from_nanos(20),
        ..Roster::default()
    };
    let window = Window { from: Time::ZERO, to: ns(1_000) };
    let start = [(0, Observation::Promoted { member: N0, floor: Version(0) })];
    let all = [&start, events, &[(1_200, Observation::Ended)]].concat();
    assert!(all.is_sorted_by_key(|(at, _)| *at), "events in the order of time");
    let records: Vec<_> =
        all.into_iter().map(|(at, what)| Record { at: ns(at), group: Group(0), what }).collect();
    let mut measures = Measures::remembering(roster, window, remembered);
    records.iter().for_each(|record| measures.observe(record.at, record.group, record.what));
    let findings = measures.finish();
    if records.len() < 1_000 {
        let found = twin::disagreements_remembering(&findings, &records, window, remembered);
        assert_eq!(found, [""; 0]);
    }
    findings
}

/// A value in a few words: `2 of 3`; the samples' number and largest; the largest over time; `-` where there is none.
fn shown(findings: &Findings, slug: &str) -> String {
    match findings.leaf(slug, None) {
        None => "-".to_owned(),
        Some(Leaf::Count { count, of }) => format!("{count} of {}", of.unwrap_or_default()),
        Some(Leaf::Distribution(distribution)) => match distribution.max() {
            Some(Quantile::Value(max)) => format!("{}: {max}", distribution.count()),
            Some(Quantile::Above(max)) => format!("{}: >{max}", distribution.count()),
            None => "0".to_owned(),
        },
        Some(Leaf::TimeWeighted(quantity)) => format!("<= {}", quantity.max().unwrap_or_default()),
        Some(Leaf::Rate { .. }) => unreachable!("no measure of writes is a rate"),
    }
}

/// The events, and what some measures are after them. However few writes are remembered one by one, it is the same.
fn check(claim: &str, members: usize, events: &[Event], expected: &[(&str, &str)]) {
    for remembered in [0, 1, 1_000] {
        let findings = measured(members, remembered, events);
        for (slug, value) in expected {
            assert_eq!(shown(&findings, slug), *value, "{slug}, remembering {remembered}: {claim}");
        }
    }
}

#[test]
fn an_unshipped_write_that_is_overwritten_after_failover_is_lost_and_not_lagged_behind_for_ever() {
    let successor = [written(50, N1, 101), vec![up(60, N0)]].concat();
    let rejoins = [&taken_back(65, N0, 2, 1)[..], &[applied(70, N0, 101)]].concat();
    let expected = [
        ("lost_writes", "1 of 3"),
        ("lost_then_overwritten", "1 of 1"),
        ("abandoned_writes", "1 of 3"),
        ("unconverged_writes", "0 of 3"),
        ("lag_ms", "<= 20"), // of n1 behind the write until it is abandoned, of n0 behind the successor's
        ("lag_bytes", "<= 7"),
        ("rpo_writes", "<= 1"),
        ("rpo_age_ms", "<= 19"), // from the ack of a write to the promotion, or to its arrival
        ("divergence_keys", "<= 1"),
        ("quiescent_convergence_ms", "1: 20"),
    ];
    check("the old primary rejoins", 2, &[failover(), successor, rejoins].concat(), &expected);
}

#[test]
fn what_an_old_primary_discards_when_it_rejoins_turns_from_stranded_to_destroyed() {
    let stays_away =
        [("lost_writes", "1 of 2"), ("stranded_writes", "1 of 1"), ("destroyed_writes", "0 of 1")];
    check("it stays away", 2, &failover(), &stays_away);
    let rejoins = [vec![up(60, N0)], taken_back(65, N0, 2, 1).to_vec()].concat();
    let expected = [
        ("lost_writes", "1 of 2"),
        ("lost_then_overwritten", "0 of 1"),
        ("stranded_writes", "0 of 1"),
        ("destroyed_writes", "1 of 1"),
    ];
    check("it discards its tail", 2, &[failover(), rejoins].concat(), &expected);
    let loses_disk = vec![disk_lost(60, N0)];
    check("it loses its disk", 2, &[failover(), loses_disk].concat(), &expected);
}

#[test]
fn an_old_primary_that_starts_again_below_the_successors_term_excludes_nothing() {
    let everywhere = [written(10, N0, 1), vec![applied(15, N1, 1)]].concat();
    let again =
        |floor| [disk_lost(45, N0), (50, Observation::Promoted { member: N0, floor: Version(floor) })];
    let nothing = [("lost_writes", "0 of 1"), ("abandoned_writes", "0 of 1"), ("rpo_writes", "<= 1")];
    let all = [("lost_writes", "1 of 1"), ("abandoned_writes", "1 of 1")];
    for (claim, floor, expected) in [
        ("in its old term", 0, &nothing[..]),
        ("in one just below", 99, &nothing),
        ("in an equal one", 100, &all),
        ("in a higher one", 200, &all),
    ] {
        check(claim, 2, &[&everywhere[..], &[promoted(40, N1)], &again(floor)].concat(), expected);
    }
    let late = [&[promoted(40, N1)], &again(0)[..], &written(60, N0, 2), &written(70, N1, 101)].concat();
    let expected = [("lost_writes", "1 of 3"), ("abandoned_writes", "1 of 3")];
    check("what it accepts is excluded", 2, &[everywhere, late].concat(), &expected);
}

#[test]
fn a_node_left_down_does_not_make_a_failover_unconverged_at_live_owners() {
    let successor = [vec![applied(45, N2, 1)], written(50, N1, 101), vec![applied(55, N2, 101)]].concat();
    let expected = [
        ("unconverged_writes", "1 of 3"), // n0 lacks the successor's
        ("unconverged_at_live_owners", "0 of 3"),
        ("quiescent_convergence_ms", "1: 5"),
    ];
    check("all live ones have it", 3, &[failover(), successor].concat(), &expected);
}

#[test]
fn a_write_that_a_crash_takes_back_has_regressed_and_keeps_its_convergence() {
    let everywhere = [written(10, N0, 1), vec![applied(15, N1, 1), down(30, N1)]].concat();
    let taken_back = [taken_back(30, N1, 1, 0).to_vec(), vec![up(40, N1)]].concat();
    let lost = [&everywhere[..], &taken_back].concat();
    let expected = [
        ("regressed_writes", "1 of 1"),
        ("unconverged_writes", "1 of 1"),
        ("unconverged_at_live_owners", "1 of 1"),
        ("convergence_ms", "1: 5"),
        ("replication_delay_ms", "1: 5"),
        ("lost_writes", "0 of 1"),
        ("lag_ms", "<= 990"),
        ("quiescent_convergence_ms", "1: >1190"),
    ];
    check("it does not come back", 2, &lost, &expected);
    let expected = [
        ("regressed_writes", "1 of 1"),
        ("unconverged_writes", "0 of 1"),
        ("convergence_ms", "1: 5"),
        ("replication_delay_ms", "1: 5"),
        ("lag_ms", "<= 50"),
        ("quiescent_convergence_ms", "1: 50"),
    ];
    check("it comes back", 2, &[lost, vec![applied(60, N1, 1)]].concat(), &expected);
}

#[test]
fn a_lost_disk_counts_write_by_write_until_it_is_restored() {
    let everywhere =
        [written(10, N0, 1), vec![applied(15, N1, 1)], written(20, N0, 2), vec![applied(25, N1, 2)]].concat();
    let restored = [&everywhere[..], &[disk_lost(30, N1), applied(60, N1, 2)]].concat();
    let expected = [
        ("regressed_writes", "2 of 2"),
        ("unconverged_writes", "0 of 2"),
        ("lag_versions", "<= 2"),
        ("lag_bytes", "<= 14"),
        ("lag_ms", "<= 50"),
        ("rpo_writes", "<= 2"),
        ("rpo_bytes", "<= 14"),
        ("rpo_age_ms", "<= 49"),
    ];
    check("a replica's, restored", 2, &restored, &expected);
    let empty = [&everywhere[..], &[disk_lost(30, N0), promoted(40, N0)]].concat();
    let expected = [
        ("lost_writes", "2 of 2"),
        ("stranded_writes", "2 of 2"),
        ("unconverged_writes", "0 of 2"),
        ("lag_ms", "<= 30"),
    ];
    check("the primary's, which starts again with nothing", 2, &empty, &expected);
    let follows = [empty, vec![disk_lost(50, N1)]].concat();
    check("and its replica copies that", 2, &follows, &[("destroyed_writes", "2 of 2")]);
}

#[test]
fn what_the_successor_has_may_still_be_committed_and_what_it_lacks_may_not() {
    let open = |version| [invoked(10 + version, version), logged(10 + version, N0, version)];
    let both = [&open(1)[..], &open(2)[..], &[logged(20, N1, 1), promoted(30, N1)]].concat();
    let later = [committed(40, N0, 1), committed(40, N0, 2), returned(41, 2, N0, Outcome::Ok)];
    let expected = [("abandoned_writes", "1 of 2"), ("lost_writes", "1 of 1"), ("stranded_writes", "1 of 1")];
    check("an old primary goes on", 2, &[&both[..], &later].concat(), &expected);
}

#[test]
fn the_end_of_another_fault_does_not_end_a_recovery() {
    let faults = [began(5, 0), began(6, 1)].to_vec();
    let end = vec![ended(50, 0), ended(60, 1)];
    let cut = [faults, written(10, N0, 1), end].concat();
    let arrives = [&cut[..], &[applied(70, N1, 1)]].concat();
    check("two at once", 2, &arrives, &[("recovery_convergence_ms", "2: 20"), ("catch_up_ms", "2: 20")]);
    let next = [&cut[..], &[began(65, 0), applied(70, N1, 1)]].concat();
    check("the next", 2, &next, &[("recovery_convergence_ms", "2: >15"), ("catch_up_ms", "2: >15")]);
    let dead = [&cut[..], &[down(70, N1)]].concat();
    check("who is down is not waited for", 2, &dead, &[("recovery_convergence_ms", "2: 20")]);
}

#[test]
fn what_never_arrives_is_a_lower_bound_of_its_delay_and_not_for_those_who_had_it() {
    let missing = [written(10, N0, 1), vec![applied(15, N1, 1)]].concat();
    let expected = [("replication_delay_ms", "2: >1190"), ("visible_after_ack_ms", "2: >1189")];
    check("n2 never gets it", 3, &missing, &expected);
}

#[test]
fn a_client_cut_off_for_long_costs_no_records_and_what_shows_up_late_counts() {
    let mut events = Vec::new();
    for version in 1..80_000 {
        events.push(invoked(version / 200, version));
        events.push(returned(version / 200, version, N0, Outcome::Unknown));
    }
    events.extend([applied(500, N0, 40_000), committed(500, N0, 40_000), applied(510, N1, 40_000)]);
    let findings = measured(2, 1_000, &events);
    assert_eq!(findings.accounting.backlog_peak_writes, 1);
    assert_eq!(findings.accounting.converged, 1);
    assert_eq!(shown(&findings, "replication_delay_ms"), "1: 10");
}
