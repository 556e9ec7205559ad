//! How long a replica takes to catch up under a steady load, small enough to judge by hand.
//!
//! The clients write every 200 ms for 30 s, and `n1` shows each write 150 ms later: its lag is a sawtooth up to that.
//! During a fault nothing arrives; what is missing at its end arrives so long after it, all at once.

use replisim_engine::Duration;
use replisim_measure::{Findings, Leaf, Measures, Quantile, twin};
use replisim_observe::{
    Answer, Client, Fault, Group, Key, Member, Observation, Observer, Op, OpKind, Outcome, PromotionRule,
    Record, Roster, Said, Stored, Time, Version, Window, Write,
};

const KEY: Key = Key(0);
const CLIENTS: u64 = 30_000;
const USUAL: u64 = 150;

/// From, to, and how long after that the missing writes arrive; in milliseconds.
type Cut = (u64, u64, u64);

fn ms(at: u64) -> Time {
    Time::from_nanos(at * 1_000_000)
}

/// When a write of `at` arrives, if it takes `usual` in good times.
fn arrival(at: u64, usual: u64, cuts: &[Cut]) -> u64 {
    let held_up = |arrives: u64, (from, to, after): &Cut| {
        if (*from..to + after).contains(&arrives) { to + after } else { arrives }
    };
    cuts.iter().fold(at + usual, held_up)
}

fn measured(warm_up: u64, cuts: &[Cut], usual: impl Fn(u64) -> u64) -> Findings {
    let mut events = Vec::new();
    for (i, (from, to, _)) in (0..).zip(cuts) {
        events.push((*from, Observation::FaultBegan(Fault(i))));
        events.push((*to, Observation::FaultEnded(Fault(i))));
    }
    for (i, at) in (1..).zip((0..CLIENTS).step_by(200)) {
        let (op, write, version, key) = (Op(i), Write(i), Version(i), KEY);
        let stored = Stored { version, write };
        let by = Member(0);
        let answer = Some(Answer { by, at: ms(at), said: Said::Written });
        let (client, kind, scheduled) = (Client(0), OpKind::Write(write), ms(at));
        let shown = |member| Observation::Applied { member, key, stored };
        for what in [
            Observation::Invoked { op, client, kind, key, scheduled },
            shown(by),
            Observation::Committed { write, key, version, bytes: 1, accepted_by: by },
            Observation::Returned { op, outcome: Outcome::Ok, answer },
        ] {
            events.push((at, what));
        }
        events.push((arrival(at, usual(at), cuts), shown(Member(1))));
    }
    events.push((CLIENTS + 2_000, Observation::Ended));
    events.sort_by_key(|(at, _)| *at);
    let roster = Roster {
        members: vec!["n0".into(), "n1".into()],
        clients: vec!["c".into()],
        faults: cuts.iter().map(|cut| format!("f{}", cut.0)).collect(),
        keys: 1,
        promotion: PromotionRule::MostAdvanced,
        retries: false,
        unavailability_bound: Duration::from_secs(1),
        ..Roster::default()
    };
    let window = Window { from: ms(warm_up), to: ms(CLIENTS) };
    let record = |(at, what): (u64, Observation)| Record { at: ms(at), group: Group(0), what };
    let records: Vec<_> = events.into_iter().map(record).collect();
    let mut measures = Measures::new(roster, window);
    records.iter().for_each(|record| measures.observe(record.at, record.group, record.what));
    let findings = measures.finish();
    assert_eq!(twin::disagreements(&findings, &records, window), [""; 0]);
    findings
}

/// The catch-ups: their number, and the shortest and the longest in milliseconds.
fn catch_ups(findings: &Findings) -> String {
    let Some(Leaf::Distribution(samples)) = findings.leaf("catch_up_ms", None) else { return "-".to_owned() };
    let shortest = samples.min().map_or("-".to_owned(), |min| (min / 1_000_000).to_string());
    match samples.max() {
        Some(Quantile::Value(max)) => format!("{}: {shortest} to {}", samples.count(), max / 1_000_000),
        Some(Quantile::Above(max)) => format!("{}: {shortest} to >{}", samples.count(), max / 1_000_000),
        None => "0".to_owned(),
    }
}

#[test]
fn a_replica_has_caught_up_when_it_lags_no_more_than_it_ever_did_in_good_times() {
    let (first, second) = ((10_000, 15_000, 300), (20_000, 22_000, 500));
    let overlapping = (14_000, 15_100, 200);
    for (claim, warm_up, cuts, expected) in [
        ("one fault", 0, vec![first], "1: 300 to 300"),
        ("a lesser one later has the same bound", 0, vec![first, second], "2: 300 to 500"),
        ("one that began in warm-up", 12_000, vec![first], "1: 300 to 300"),
        (
            "one that ended in warm-up is not measured, nor a bound",
            15_050,
            vec![first, second],
            "1: 500 to 500",
        ),
        (
            "without calm time before it no lag is usual, and it lasts until the clients stop",
            0,
            vec![(0, 19_000, 0)],
            "1: 10950 to 10950",
        ),
        ("two at once", 0, vec![first, overlapping], "2: 200 to 300"),
        ("the next begins too early to tell", 0, vec![first, (16_000, 17_000, 100)], "2: 100 to >1000"),
        ("one that delays nothing", 0, vec![(10_010, 10_020, 0)], "-"),
    ] {
        assert_eq!(catch_ups(&measured(warm_up, &cuts, |_| USUAL)), expected, "{claim}");
    }
}

#[test]
fn a_replica_that_lags_more_than_in_good_times_for_good_catches_up_when_the_clients_stop() {
    let slower = |at: u64| if at < 15_000 { USUAL } else { USUAL + 1 };
    // The last write is of 29 800.
    let findings = measured(0, &[(10_000, 15_000, 300)], slower);
    assert_eq!(catch_ups(&findings), "1: 14951 to 14951");
}
