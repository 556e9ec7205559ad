//! Streaming measures against their brute-force twins, on random histories that no protocol would produce.

use rand::Rng;
use replisim_engine::random::below;
use replisim_engine::{Duration, Stream, Streams};
use replisim_measure::{Measures, twin};
use replisim_observe::{
    Answer, Client, Fault, Group, Key, Member, Observation, Observer, Op, OpKind, Outcome, PromotionRule,
    Record, Roster, Said, Stored, Time, Version, Window, Write,
};

/// A random history: everything may happen in any order that the vocabulary allows, mostly at coinciding instants.
fn history(stream: &mut Stream, roster: &Roster) -> Vec<Record> {
    let mut draw = |n: u64| below(stream, n);
    let members = roster.members.len() as u64;
    let mut records: Vec<Record> = Vec::new();
    let mut now = 0;
    let mut ops: Vec<(Op, OpKind, Key)> = Vec::new();
    let mut writes: Vec<(Write, Key, Version, bool)> = Vec::new(); // the last: committed
    let mut shown = vec![vec![None::<Stored>; roster.keys]; members as usize];
    let mut used: Vec<Version> = Vec::new();
    let mut next_op = 0;
    for _ in 0..20 + draw(60) {
        now += draw(4) * draw(8);
        let mut see = |what| records.push(Record { at: Time::from_nanos(now), group: Group(0), what });
        match draw(12) {
            0..=2 => {
                let key = Key(draw(roster.keys as u64) as u32);
                let op = Op(next_op);
                next_op += 1;
                let kind = if draw(2) == 0 {
                    OpKind::Read
                } else {
                    let mut version = Version(1 + draw(1_000));
                    while used.contains(&version) {
                        version = Version(1 + draw(1_000));
                    }
                    used.push(version);
                    let write = Write(writes.len() as u64);
                    writes.push((write, key, version, false));
                    OpKind::Write(write)
                };
                let client = Client(draw(roster.clients.len() as u64) as u32);
                let scheduled = Time::from_nanos(now - draw(now.min(5) + 1));
                see(Observation::Invoked { op, client, kind, key, scheduled });
                ops.push((op, kind, key));
            }
            3 | 4 if !ops.is_empty() => {
                let (op, kind, key) = ops.swap_remove(draw(ops.len() as u64) as usize);
                let mut outcome =
                    [Outcome::Ok, Outcome::Ok, Outcome::Unknown, Outcome::Failed][draw(4) as usize];
                let mut answer = None;
                match kind {
                    OpKind::Read if outcome == Outcome::Ok => {
                        let by = Member(draw(members) as u32);
                        let said = Said::Value(shown[by.index()][key.index()]);
                        answer = Some(Answer { by, at: Time::from_nanos(now), said });
                    }
                    OpKind::Write(write) => {
                        let (_, _, _, committed) = writes[write.index()];
                        match (committed, outcome) {
                            (true, Outcome::Failed) => outcome = Outcome::Ok,
                            (false, Outcome::Ok) => outcome = Outcome::Unknown,
                            (false, Outcome::Failed) => writes[write.index()].2 = Version(0), // never happens
                            _ => {}
                        }
                    }
                    OpKind::Read => {}
                }
                see(Observation::Returned { op, outcome, answer });
            }
            5..=8 if !writes.is_empty() => {
                let (write, key, version, _) = writes[draw(writes.len() as u64) as usize];
                let member = Member(draw(members) as u32);
                let shows = &mut shown[member.index()][key.index()];
                if version > Version(0) && shows.is_none_or(|stored| stored.version < version) {
                    let stored = Stored { version, write };
                    *shows = Some(stored);
                    see(Observation::Applied { member, key, stored });
                }
            }
            9 | 10 if !writes.is_empty() => {
                let i = draw(writes.len() as u64) as usize;
                let (write, key, version, committed) = writes[i];
                if !committed && version > Version(0) {
                    writes[i].3 = true;
                    see(Observation::Committed {
                        write,
                        key,
                        version,
                        bytes: 10,
                        accepted_by: Member(draw(members) as u32),
                    });
                } else if committed && draw(4) == 0 {
                    // Only what some member lacks can be left out of history: a write held by all is forgotten.
                    let lacks =
                        |shows: &Vec<Option<Stored>>| shows[key.index()].is_none_or(|s| s.version < version);
                    if shown.iter().any(lacks) {
                        see(Observation::Abandoned { write });
                    }
                }
            }
            11 => match draw(5) {
                0 => see(Observation::FaultBegan(Fault(0))),
                1 => see(Observation::FaultEnded(Fault(0))),
                2 => see(Observation::Sent { bytes: 9 }),
                _ => {}
            },
            _ => {}
        }
    }
    records.push(Record { at: Time::from_nanos(now + 3), group: Group(0), what: Observation::Ended });
    records
}

#[test]
fn streaming_measures_equal_their_twins_on_random_histories() {
    for seed in 0..2_000 {
        let mut stream = Streams::new(seed).named("history");
        let names = |prefix: &str, n: u64| (0..n).map(|i| format!("{prefix}{i}")).collect();
        let members = 1 + below(&mut stream, 4);
        let roster = Roster {
            members: names("n", members),
            clients: names("c", 2),
            faults: names("f", 1),
            keys: 1 + (stream.next_u64() % 3) as usize,
            promotion: PromotionRule::default(),
            unavailability_bound: Duration::from_nanos(9),
        };
        let records = history(&mut stream, &roster);
        let end = records.last().unwrap().at.nanos();
        let to = Time::from_nanos(end - end / 5);
        let window = Window { from: Time::from_nanos(end / 10), to };
        let mut measures = Measures::new(roster, window);
        records.iter().for_each(|record| measures.observe(record.at, record.group, record.what));
        let findings = measures.finish();
        let found = twin::disagreements(&findings, &records, window);
        assert!(found.is_empty(), "seed {seed}:\n{}\n{records:#?}", found.join("\n"));
    }
}
