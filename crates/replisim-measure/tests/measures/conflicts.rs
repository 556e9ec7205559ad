//! Writes between which versions decide, in histories small enough to judge by hand.
//!
//! Three members keep one key, and there is no primary. Writes are called by their versions here, and numbered in the
//! order of their invocations. The clients' time ends at 1000, the run at 1200.

use replisim_measure::{Findings, Leaf, Measures, twin};
use replisim_observe::{
    Answer, Client, Group, Key, Member, Observation, Observer, Op, OpKind, Outcome, PromotionRule, Record,
    Roster, Said, Stored, Time, Version, Window, Write,
};

const N0: Member = Member(0);
const N1: Member = Member(1);
const N2: Member = Member(2);
const ALL: [Member; 3] = [N0, N1, N2];
const KEY: Key = Key(0);

type Event = (u64, Observation);

fn ns(at: u64) -> Time {
    Time::from_nanos(at)
}

fn stored(version: u64) -> Stored {
    Stored { version: Version(version), write: Write(version) }
}

/// The write of this version is invoked; its client had read `base`, if anything.
fn invoked(at: u64, version: u64, base: Option<u64>) -> Vec<Event> {
    let write = Write(version);
    let (op, client, kind) = (Op(version), Client(0), OpKind::Write(write));
    let invoked = Observation::Invoked { op, client, kind, key: KEY, scheduled: ns(at) };
    let based = base.map(|base| Observation::BasedOn { write, key: KEY, version: Version(base) });
    std::iter::once(invoked).chain(based).map(|what| (at, what)).collect()
}

/// It becomes what these members show.
fn applied(at: u64, version: u64, members: &[Member]) -> Vec<Event> {
    let applied =
        |member: &Member| Observation::Applied { member: *member, key: KEY, stored: stored(version) };
    members.iter().map(|member| (at, applied(member))).collect()
}

/// It arrives at these members, which show a newer one.
fn logged(at: u64, version: u64, members: &[Member]) -> Vec<Event> {
    let logged = |member: &Member| Observation::Logged { member: *member, key: KEY, stored: stored(version) };
    members.iter().map(|member| (at, logged(member))).collect()
}

/// It is committed, and its client knows.
fn acked(at: u64, version: u64) -> Vec<Event> {
    let Stored { version, write } = stored(version);
    let answer = Some(Answer { by: N0, at: ns(at), said: Said::Written });
    vec![
        (at, Observation::Committed { write, key: KEY, version, bytes: 7, accepted_by: N0 }),
        (at, Observation::Returned { op: Op(version.0), outcome: Outcome::Ok, answer }),
    ]
}

/// Invoked, two nanoseconds later everywhere, and acked two nanoseconds after that.
fn written(at: u64, version: u64, base: Option<u64>) -> Vec<Event> {
    [invoked(at, version, base), applied(at + 2, version, &ALL), acked(at + 4, version)].concat()
}

/// Operation 1000 or later is a read that takes a nanosecond, and returns this version.
fn read(at: u64, op: u64, version: u64) -> Vec<Event> {
    let (op, client, kind) = (Op(op), Client(0), OpKind::Read);
    let said = Said::Value((version > 0).then(|| stored(version)));
    let answer = Some(Answer { by: N0, at: ns(at + 1), said });
    vec![
        (at, Observation::Invoked { op, client, kind, key: KEY, scheduled: ns(at) }),
        (at + 1, Observation::Returned { op, outcome: Outcome::Ok, answer }),
    ]
}

fn purged(at: u64, version: u64, members: &[Member]) -> Vec<Event> {
    let purged = |member: &Member| Observation::Purged { member: *member, key: KEY, stored: stored(version) };
    members.iter().map(|member| (at, purged(member))).collect()
}

fn disk_lost(at: u64, member: Member) -> Vec<Event> {
    vec![(at, Observation::DiskLost { member })]
}

/// The same with operations and writes numbered in this order.
fn numbered(what: Observation, order: &[Op]) -> Observation {
    let number = |op: u64| order.iter().position(|other| other.0 == op).unwrap() as u64;
    let mut what = what;
    match &mut what {
        Observation::Invoked { op, kind, .. } => {
            *op = Op(number(op.0));
            if let OpKind::Write(write) = kind {
                *write = Write(op.0);
            }
        }
        Observation::Returned { op, answer, .. } => {
            *op = Op(number(op.0));
            if let Some(Answer { said: Said::Value(Some(stored)), .. }) = answer {
                stored.write = Write(number(stored.write.0));
            }
        }
        Observation::BasedOn { write, .. } | Observation::Committed { write, .. } => {
            *write = Write(number(write.0));
        }
        Observation::Logged { stored, .. }
        | Observation::Applied { stored, .. }
        | Observation::Hinted { stored, .. }
        | Observation::Unhinted { stored, .. }
        | Observation::Purged { stored, .. } => stored.write = Write(number(stored.write.0)),
        _ => {}
    }
    what
}

fn measured(promotion: &PromotionRule, remembered: usize, events: &[Event]) -> Findings {
    let roster = Roster {
        members: vec!["n0".into(), "n1".into(), "n2".into()],
        clients: vec!["c".into()],
        keys: 1,
        promotion: promotion.clone(),
        ..Roster::default()
    };
    let mut all = [events, &[(1_200, Observation::Ended)]].concat();
    all.sort_by_key(|(at, _)| *at);
    let invoked = |(_, what): &Event| match *what {
        Observation::Invoked { op, .. } => Some(op),
        _ => None,
    };
    let order: Vec<Op> = all.iter().filter_map(invoked).collect();
    let record = |(at, what)| Record { at: ns(at), group: Group(0), what: numbered(what, &order) };
    let records: Vec<_> = all.into_iter().map(record).collect();
    let window = Window { from: Time::ZERO, to: ns(1_000) };
    let mut measures = Measures::remembering(roster, window, remembered);
    records.iter().for_each(|record| measures.observe(record.at, record.group, record.what));
    let findings = measures.finish();
    assert_eq!(twin::disagreements_remembering(&findings, &records, window, remembered), [""; 0]);
    findings
}

fn shown(findings: &Findings, slug: &str) -> String {
    match findings.leaf(slug, None) {
        None => "-".to_owned(),
        Some(Leaf::Count { count, of: Some(of) }) => format!("{count} of {of}"),
        Some(Leaf::Count { count, of: None }) => count.to_string(),
        Some(_) => unreachable!("these are counts"),
    }
}

/// The events, and what some measures are after them. However few writes are remembered one by one, it is the same.
fn check(claim: &str, events: &[Vec<Event>], expected: &[(&str, &str)]) {
    for remembered in [0, 1, 1_000] {
        let findings = measured(&PromotionRule::Leaderless, remembered, &events.concat());
        for (slug, value) in expected {
            assert_eq!(shown(&findings, slug), *value, "{slug}, remembering {remembered}: {claim}");
        }
    }
}

#[test]
fn a_fast_clock_makes_a_write_acked_later_dead_on_arrival() {
    // Version 90 comes from a clock that is far ahead.
    let fast = written(10, 90, None);
    for (claim, at, skew) in [
        ("invoked after the ack of what supersedes it", 15, "1 of 2"),
        ("invoked at that instant: neither came first", 14, "0 of 2"),
        ("invoked before", 11, "0 of 2"),
    ] {
        let later = [invoked(at, 50, None), logged(at + 3, 50, &ALL), acked(at + 5, 50)];
        let expected = [("skew_loss", skew), ("conflict_loss", "0 of 2"), ("lost_writes", "0 of 2")];
        check(claim, &[&[fast.clone()][..], &later].concat(), &expected);
    }
    check("its clock is right", &[fast, written(20, 95, None)], &[("skew_loss", "0 of 2")]);
}

#[test]
fn a_read_of_what_a_fast_clock_wrote_is_order_stale_once_a_later_write_is_acked() {
    let later = [invoked(20, 50, None), logged(22, 50, &ALL), acked(24, 50)].concat();
    let history = [written(10, 90, None), later];
    for (claim, reads, order_stale) in [
        ("the ack comes first", read(25, 1_000, 90), "1 of 1"),
        ("the ack comes at the same instant", read(24, 1_000, 90), "0 of 1"),
        ("each read counts", [read(25, 1_000, 90), read(30, 1_001, 90)].concat(), "2 of 2"),
        ("it returns the later one", read(25, 1_000, 50), "0 of 1"),
        (
            "a clock that is right supersedes both",
            [written(30, 95, None), read(40, 1_000, 95)].concat(),
            "0 of 1",
        ),
    ] {
        let events = [&history[..], &[reads]].concat();
        check(claim, &events, &[("order_stale_reads", order_stale)]);
    }
    let events = [&history[..], &[read(25, 1_000, 90)]].concat();
    check("such a read is not simply stale", &events, &[("stale_reads", "0 of 1")]);
}

#[test]
fn of_two_blind_concurrent_puts_the_lower_version_is_a_conflict_loss() {
    let open = [invoked(10, 50, None), invoked(10, 60, None)].concat();
    let acks = [acked(15, 50), acked(15, 60)].concat();
    let crossed = [applied(12, 50, &[N0]), applied(12, 60, &[N1]), applied(13, 60, &[N0, N2])].concat();
    let late = logged(14, 50, &[N1, N2]);
    for (claim, copies, conflicts) in [
        ("each arrives first where the other is not", [crossed.clone(), late.clone()].concat(), "1 of 2"),
        (
            "the newer one arrives first where the older one is",
            [applied(12, 50, &ALL), applied(13, 60, &ALL)].concat(),
            "0 of 2",
        ),
        (
            "the older one arrives first where the newer one is",
            [applied(12, 60, &ALL), logged(13, 50, &ALL)].concat(),
            "0 of 2",
        ),
        (
            "the older one waited in a hint",
            [
                vec![(12, Observation::Hinted { member: N2, key: KEY, stored: stored(50) })],
                applied(13, 60, &[N0, N1]),
                logged(14, 50, &[N0, N1]),
                vec![(14, Observation::Unhinted { member: N2, key: KEY, stored: stored(50) })],
                applied(16, 60, &[N2]),
            ]
            .concat(),
            "1 of 2",
        ),
    ] {
        let events = [open.clone(), copies, acks.clone()];
        check(claim, &events, &[("conflict_loss", conflicts), ("skew_loss", "0 of 2")]);
    }
    let first = [invoked(10, 50, None), applied(12, 50, &[N0]), acked(13, 50)].concat();
    for (claim, base, conflicts) in [
        ("it had not read the older one", None, "1 of 2"),
        ("its client had read the older one", Some(50), "0 of 2"),
    ] {
        let second = [invoked(20, 60, base), applied(22, 60, &[N1]), acked(23, 60)];
        let events = [&[first.clone()][..], &second, &[applied(30, 60, &[N0, N2])]].concat();
        check(claim, &events, &[("conflict_loss", conflicts)]);
    }
    // 60 knew of 50, but with all disks it is gone; 70 did not.
    let known = [applied(12, 50, &ALL), applied(13, 60, &ALL), acked(14, 60)].concat();
    let gone = ALL.map(|member| disk_lost(20, member)).concat();
    let later = [applied(30, 50, &[N1]), invoked(31, 70, None), applied(32, 70, &[N0])].concat();
    let events = [open.clone(), known, gone, later, acked(33, 70), acked(35, 50)];
    check("the next above it was lost", &events, &[("conflict_loss", "1 of 3"), ("lost_writes", "1 of 3")]);
    let unanswered = [open, crossed, late, acked(15, 50)];
    check("the winner need not be acked", &unanswered, &[("conflict_loss", "1 of 1")]);
}

#[test]
fn an_update_is_lost_to_one_that_did_not_read_it() {
    let base = written(10, 10, None);
    for (claim, later, lost) in [
        ("two on the same base", [written(20, 20, Some(10)), written(21, 30, Some(10))].concat(), "1 of 2"),
        (
            "the second read the first",
            [written(20, 20, Some(10)), written(30, 30, Some(20))].concat(),
            "0 of 2",
        ),
        (
            "a chain of three",
            [written(20, 20, Some(10)), written(30, 30, Some(20)), written(40, 40, Some(30))].concat(),
            "0 of 3",
        ),
        (
            "a chain that leaves one out",
            [written(20, 20, Some(10)), written(21, 30, Some(10)), written(40, 40, Some(30))].concat(),
            "1 of 3",
        ),
        (
            "three on the same base",
            [written(20, 20, Some(10)), written(21, 30, Some(10)), written(22, 40, Some(10))].concat(),
            "2 of 3",
        ),
        (
            "a blind put ends it all",
            [written(20, 20, Some(10)), written(21, 30, Some(10)), written(40, 40, None)].concat(),
            "0 of 2",
        ),
        (
            "a blind put removed it before another went on",
            [written(20, 20, Some(10)), written(30, 30, None), written(40, 40, Some(30))].concat(),
            "0 of 2",
        ),
        (
            "the winner was never acked",
            [written(20, 20, Some(10)), invoked(21, 30, Some(10)), applied(23, 30, &ALL)].concat(),
            "1 of 1",
        ),
    ] {
        check(claim, &[base.clone(), later], &[("lost_updates", lost)]);
    }
}

#[test]
fn a_tombstone_purged_before_repair_brings_the_old_value_back() {
    // n2 does not hear of the delete, version 20.
    let deleted =
        [written(10, 10, None), invoked(20, 20, None), applied(22, 20, &[N0, N1]), acked(24, 20)].concat();
    let repaired = applied(60, 10, &[N0, N1]);
    for (claim, history, writes, reads) in [
        ("not as long as one shows the delete", purged(50, 20, &[N0]), "0", "0 of 1"),
        ("once nobody does", purged(50, 20, &[N0, N1]), "1", "1 of 1"),
        ("once, though it spreads", [purged(50, 20, &[N0, N1]), repaired].concat(), "1", "1 of 1"),
        (
            "not if n2 hears of it in time",
            [applied(40, 20, &[N2]), purged(50, 20, &ALL)].concat(),
            "0",
            "0 of 1",
        ),
        ("not below a later write", [written(40, 30, None), disk_lost(50, N0)].concat(), "0", "0 of 1"),
    ] {
        let events = [deleted.clone(), history, read(70, 1_000, if reads == "1 of 1" { 10 } else { 0 })];
        check(claim, &events, &[("resurrected_writes", writes), ("resurrected_reads", reads)]);
    }
    let before = [deleted.clone(), read(45, 1_000, 10), purged(50, 20, &[N0, N1])];
    check(
        "a read before was only stale",
        &before,
        &[("resurrected_reads", "0 of 1"), ("stale_reads", "1 of 1")],
    );
    let everywhere = [deleted, applied(30, 20, &[N2]), purged(50, 20, &ALL)];
    let late = [applied(60, 10, &[N0]), read(70, 1_000, 10)];
    let expected = [("resurrected_writes", "1"), ("resurrected_reads", "1 of 1")];
    check("a hint comes after the purge", &[&everywhere[..], &late].concat(), &expected);
}

#[test]
fn with_a_primary_only_lost_updates_are_asked() {
    let events = [written(10, 10, None), written(20, 20, Some(10)), written(21, 30, Some(10))].concat();
    let findings = measured(&PromotionRule::MostAdvanced, 1_000, &events);
    for (slug, value) in [
        ("skew_loss", "-"),
        ("conflict_loss", "-"),
        ("order_stale_reads", "-"),
        ("resurrected_writes", "-"),
        ("resurrected_reads", "-"),
        ("lost_updates", "1 of 2"),
    ] {
        assert_eq!(shown(&findings, slug), value, "{slug}");
    }
}
