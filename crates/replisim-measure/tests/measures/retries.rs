//! Operations that are tried again, one history a line.

use replisim_measure::{Findings, Leaf, Measures, twin};
use replisim_observe::{
    Answer, Client, Group, Key, Member, Observation, Observer, Op, OpKind, Outcome, Record, Roster, Said,
    Stored, Time, Version, Window, Write,
};

type Event = (u64, Observation);

const N0: Member = Member(0);
const N1: Member = Member(1);
const KEY: Key = Key(0);

/// Version v is that of write v.
fn stored(version: u64) -> Stored {
    Stored { version: Version(version), write: Write(version) }
}

fn write(at: u64, op: u64, version: u64) -> Event {
    let (kind, scheduled) = (OpKind::Write(Write(version)), Time::from_nanos(at));
    (at, Observation::Invoked { op: Op(op), client: Client(0), kind, key: KEY, scheduled })
}

fn read(at: u64, op: u64) -> Event {
    let (kind, scheduled) = (OpKind::Read, Time::from_nanos(at));
    (at, Observation::Invoked { op: Op(op), client: Client(0), kind, key: KEY, scheduled })
}

/// Tried again, as the write of another version or the same.
fn again(at: u64, op: u64, after: Outcome, version: Option<u64>) -> Event {
    (at, Observation::Retried { op: Op(op), after, write: version.map(Write) })
}

fn recognised(at: u64, op: u64, version: u64) -> Event {
    (at, Observation::Recognised { op: Op(op), write: Write(version) })
}

fn has(at: u64, member: Member, version: u64) -> [Event; 2] {
    let stored = stored(version);
    let (logged, applied) =
        (Observation::Logged { member, key: KEY, stored }, Observation::Applied { member, key: KEY, stored });
    [(at, logged), (at, applied)]
}

fn committed(at: u64, version: u64) -> Event {
    let Stored { version, write } = stored(version);
    (at, Observation::Committed { write, key: KEY, version, bytes: 1, accepted_by: N0 })
}

fn promoted(at: u64, member: Member, floor: u64) -> Event {
    (at, Observation::Promoted { member, floor: Version(floor) })
}

fn returned(at: u64, op: u64, outcome: Outcome) -> Event {
    let answer = Answer { by: N0, at: Time::from_nanos(at), said: Said::Written };
    let answer = (outcome == Outcome::Ok).then_some(answer);
    (at, Observation::Returned { op: Op(op), outcome, answer })
}

/// Of two members and clients that try again, until 1000, after a warm-up of 5.
fn measured(events: &[Event], retries: bool) -> Findings {
    let roster = Roster {
        members: vec!["n0".into(), "n1".into()],
        clients: vec!["c".into()],
        keys: 1,
        retries,
        ..Roster::default()
    };
    let window = Window { from: Time::from_nanos(5), to: Time::from_nanos(1_000) };
    let all = [&[promoted(0, N0, 0)], events, &[(1_200, Observation::Ended)]].concat();
    let record = |(at, what): Event| Record { at: Time::from_nanos(at), group: Group(0), what };
    let records: Vec<Record> = all.into_iter().map(record).collect();
    let mut measures = Measures::new(roster, window);
    records.iter().for_each(|record| measures.observe(record.at, record.group, record.what));
    let findings = measures.finish();
    assert_eq!(twin::disagreements(&findings, &records, window), [""; 0]);
    findings
}

/// Samples as their number and sum, counts as parts of a whole.
fn shown(findings: &Findings, slug: &str) -> String {
    match findings.leaf(slug, None) {
        None => "-".to_owned(),
        Some(Leaf::Count { count, of }) => format!("{count} of {}", of.unwrap_or_default()),
        Some(Leaf::Distribution(samples)) => format!("{}: {}", samples.count(), samples.sum()),
        Some(other) => panic!("{slug} is {other:?}"),
    }
}

fn check(claim: &str, events: &[Vec<Event>], expected: &[(&str, &str)]) {
    let mut events = events.concat();
    events.sort_by_key(|(at, _)| *at);
    let findings = measured(&events, true);
    for (slug, value) in expected {
        assert_eq!(shown(&findings, slug), *value, "{slug}: {claim}");
    }
}

#[test]
fn attempts_are_counted_when_their_operation_ends_and_latency_from_the_first() {
    const UNKNOWN: Outcome = Outcome::Unknown;
    let first = vec![write(10, 0, 1), [has(12, N0, 1), has(13, N1, 1)].concat()[0]];
    let second = again(40, 0, UNKNOWN, Some(2));
    for (claim, events, attempts, latency) in [
        ("once is one", vec![committed(14, 1), returned(20, 0, Outcome::Ok)], "1: 1", "1: 10"),
        (
            "the second succeeds",
            vec![second, committed(50, 2), returned(60, 0, Outcome::Ok)],
            "1: 2",
            "1: 50",
        ),
        ("neither does", vec![second, returned(70, 0, UNKNOWN)], "1: 2", "-"),
        (
            "the same write again",
            vec![again(40, 0, UNKNOWN, None), committed(50, 1), returned(60, 0, Outcome::Ok)],
            "1: 2",
            "1: 50",
        ),
        ("still under way at the end", vec![second], "-", "-"),
    ] {
        check(claim, &[first.clone(), events], &[("attempts", attempts), ("write_latency_ms", latency)]);
    }
    let reads = vec![read(1, 0), returned(8, 0, UNKNOWN), read(10, 1), again(20, 1, UNKNOWN, None)];
    let reads = [reads, vec![again(30, 1, Outcome::Failed, None), returned(40, 1, UNKNOWN)]];
    check("of reads too, of the window alone", &reads, &[("attempts", "1: 3"), ("duplicate_applies", "-")]);
}

#[test]
fn an_operation_is_applied_twice_if_a_second_write_is_committed_while_the_first_stands() {
    let (first, second) = (vec![write(10, 0, 1)], vec![again(40, 0, Outcome::Unknown, Some(2))]);
    let ok = vec![returned(90, 0, Outcome::Ok)];
    let of_both = |events: &[Event]| [&has(12, N0, 1)[..], &has(45, N0, 2), events].concat();
    for (claim, events, duplicates) in [
        ("only the second", vec![committed(50, 2)], "0 of 1"),
        ("the first before it was given up", of_both(&[committed(20, 1), committed(50, 2)]), "1 of 1"),
        ("the first after that", of_both(&[committed(45, 1), committed(50, 2)]), "1 of 1"),
        ("the first after the second, unheard", of_both(&[committed(50, 2), committed(95, 1)]), "1 of 1"),
        (
            "the first is abandoned before the second is committed",
            of_both(&[committed(20, 1), promoted(30, N1, 1), committed(50, 2)]),
            "0 of 1",
        ),
        (
            "afterwards: twice it was",
            of_both(&[committed(20, 1), committed(50, 2), promoted(60, N1, 1)]),
            "1 of 1",
        ),
        (
            "the second is abandoned at once",
            of_both(&[committed(20, 1), promoted(48, N1, 9), committed(50, 2)]),
            "0 of 1",
        ),
    ] {
        check(
            claim,
            &[first.clone(), second.clone(), events, ok.clone()],
            &[("duplicate_applies", duplicates)],
        );
    }
    let third =
        vec![again(60, 0, Outcome::Unknown, Some(3)), committed(20, 1), committed(50, 2), committed(70, 3)];
    let all = [first.clone(), second, third, ok.clone()];
    check("three times is one operation still", &all, &[("duplicate_applies", "1 of 1")]);
    let refused = vec![again(40, 0, Outcome::Failed, Some(2)), again(60, 0, Outcome::Unknown, Some(3))];
    let refused = [first, refused, vec![committed(55, 2), committed(70, 3)], ok];
    check("after one that was refused", &refused, &[("duplicate_applies", "1 of 1")]);
}

#[test]
fn the_write_that_its_client_was_told_of_is_the_one_that_is_acknowledged() {
    let tried = vec![write(10, 0, 1), again(40, 0, Outcome::Unknown, Some(2))];
    let done = [&has(12, N0, 1)[..], &has(15, N1, 1), &[committed(20, 1)]].concat();
    let told = vec![recognised(60, 0, 1), returned(60, 0, Outcome::Ok)];
    let expected = [
        ("visible_after_ack_ms", "1: -45"),
        ("duplicate_applies", "0 of 1"),
        ("lost_writes", "0 of 1"),
        ("attempts", "1: 2"),
    ];
    check("of the first, when another attempt came", &[tried.clone(), done.clone(), told], &expected);
    let expected = [("lost_writes", "0 of 0"), ("visible_after_ack_ms", "-")];
    check("of none", &[tried, done, vec![returned(60, 0, Outcome::Unknown)]], &expected);
}

#[test]
fn where_nobody_tries_again_nothing_is_told_of_attempts() {
    let findings = measured(&[write(10, 0, 1), returned(20, 0, Outcome::Unknown)], false);
    assert!(findings.measure("attempts").is_none() && findings.measure("duplicate_applies").is_none());
}
