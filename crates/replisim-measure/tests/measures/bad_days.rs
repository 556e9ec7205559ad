//! Streaming measures of incidents against their brute-force twins, on random bad days: logs that grow, fall back and
//! are lost, primaries that crash, are cut off and replaced, and go on accepting writes nobody will keep.

use replisim_engine::random::below;
use replisim_engine::{Duration, Stream, Streams};
use replisim_measure::{Findings, Measures, twin};
use replisim_observe::{
    Answer, Client, Group, Key, Member, Observation, Observer, Op, OpKind, Outcome, PromotionRule, Record,
    Roster, Said, Stored, Time, Version, Window, Write,
};

/// Versions that one term can give.
const TERM: u64 = 1_000;

/// A cluster without a protocol: whatever the vocabulary allows may happen.
struct Day<'a> {
    stream: &'a mut Stream,
    roster: &'a Roster,
    now: u64,
    records: Vec<Record>,
    next_op: u64,
    ops: Vec<OpenOp>,
    writes: Vec<WriteState>,
    /// By member and key: what is in the log, oldest first, and what is shown.
    logs: Vec<Vec<Vec<Stored>>>,
    shown: Vec<Vec<Option<Stored>>>,
    /// The term in which each member was last promoted.
    terms: Vec<u64>,
    down: Vec<bool>,
    primary: Option<Member>,
    lost: Option<Member>,
}

struct OpenOp {
    op: Op,
    kind: OpKind,
    key: Key,
    answer: Option<Answer>,
}

struct WriteState {
    key: Key,
    stored: Option<Stored>,
    committed: bool,
    abandoned: bool,
    failed: bool,
}

impl<'a> Day<'a> {
    fn new(stream: &'a mut Stream, roster: &'a Roster) -> Day<'a> {
        let (members, keys) = (roster.members.len(), roster.keys);
        Day {
            stream,
            roster,
            now: 0,
            records: Vec::new(),
            next_op: 0,
            ops: Vec::new(),
            writes: Vec::new(),
            logs: vec![vec![Vec::new(); keys]; members],
            shown: vec![vec![None; keys]; members],
            terms: vec![0; members],
            down: vec![false; members],
            primary: None,
            lost: None,
        }
    }

    fn history(mut self) -> Vec<Record> {
        let has_primary = self.draw(5) > 0;
        if has_primary {
            self.promote(Member(0));
        }
        for _ in 0..60 + self.draw(180) {
            self.now += self.draw(3) * self.draw(6);
            match self.draw(26) {
                0..=4 => self.invoke(),
                5..=7 => self.accept(),
                8..=10 => self.replicate(),
                11 | 12 => self.apply(),
                13 | 14 => self.commit(),
                15..=17 => self.answer(),
                18..=21 => self.finish(),
                22 => self.fall_back(),
                23 if !has_primary => self.abandon(),
                23 => self.lose_or_regain_the_primary(),
                24 if has_primary && self.draw(2) == 0 => {
                    let member = self.member();
                    if self.draw(3) == 0 { self.start_again(member) } else { self.promote(member) }
                }
                25 => self.crash_or_start(),
                _ => {}
            }
        }
        self.now += self.draw(20);
        self.see(Observation::Ended);
        self.records
    }

    fn draw(&mut self, n: u64) -> u64 {
        below(self.stream, n)
    }

    fn member(&mut self) -> Member {
        Member(self.draw(self.roster.members.len() as u64) as u32)
    }

    fn mostly_the_primary(&mut self) -> Member {
        let any = self.member();
        if self.draw(4) == 0 { any } else { self.primary.unwrap_or(any) }
    }

    fn key(&mut self) -> Key {
        Key(self.draw(self.roster.keys as u64) as u32)
    }

    fn see(&mut self, what: Observation) {
        self.records.push(Record { at: Time::from_nanos(self.now), group: Group(0), what });
    }

    /// A random one of the young writes for which the condition holds.
    fn write(&mut self, condition: impl Fn(&WriteState) -> bool) -> Option<usize> {
        let found: Vec<_> =
            (0..self.writes.len()).rev().filter(|i| condition(&self.writes[*i])).take(4).collect();
        (!found.is_empty()).then(|| found[self.draw(found.len() as u64) as usize])
    }

    fn invoke(&mut self) {
        let (op, key) = (Op(self.next_op), self.key());
        self.next_op += 1;
        let kind = if self.draw(2) == 0 {
            OpKind::Read
        } else {
            let state = WriteState { key, stored: None, committed: false, abandoned: false, failed: false };
            self.writes.push(state);
            OpKind::Write(Write(self.writes.len() as u64 - 1))
        };
        let client = Client(self.draw(self.roster.clients.len() as u64) as u32);
        let scheduled = Time::from_nanos(self.now - self.draw(self.now.min(5) + 1));
        self.see(Observation::Invoked { op, client, kind, key, scheduled });
        self.ops.push(OpenOp { op, kind, key, answer: None });
    }

    /// Mostly the primary, at times one of the past, gives a write its version.
    fn accept(&mut self) {
        let member = self.mostly_the_primary();
        let version = Version(self.terms[member.index()] * TERM + 1 + self.draw(TERM - 1));
        let taken = self.writes.iter().any(|write| write.stored.is_some_and(|s| s.version == version));
        let Some(i) = self.write(|write| write.stored.is_none() && !write.failed).filter(|_| !taken) else {
            return;
        };
        let stored = Stored { version, write: Write(i as u64) };
        self.writes[i].stored = Some(stored);
        self.log(member, self.writes[i].key, stored);
    }

    fn replicate(&mut self) {
        let member = self.member();
        let Some(i) = self.write(|write| write.stored.is_some() && !write.failed) else { return };
        if let Some(stored) = self.writes[i].stored {
            self.log(member, self.writes[i].key, stored);
        }
    }

    fn log(&mut self, member: Member, key: Key, stored: Stored) {
        let log = &mut self.logs[member.index()][key.index()];
        if log.last().is_none_or(|last| last.version < stored.version) {
            log.push(stored);
            self.see(Observation::Logged { member, key, stored });
        }
    }

    fn apply(&mut self) {
        let (member, key) = (self.member(), self.key());
        let Some(newest) = self.logs[member.index()][key.index()].last().copied() else { return };
        let shown = &mut self.shown[member.index()][key.index()];
        if shown.is_none_or(|shown| shown.version < newest.version) {
            *shown = Some(newest);
            self.see(Observation::Applied { member, key, stored: newest });
        }
    }

    /// The newest entry of a log goes, or a disk.
    fn fall_back(&mut self) {
        let (member, key) = (self.member(), self.key());
        if self.draw(4) == 0 {
            self.logs[member.index()].iter_mut().for_each(Vec::clear);
            self.shown[member.index()].fill(None);
            return self.see(Observation::DiskLost { member });
        }
        let log = &mut self.logs[member.index()][key.index()];
        let Some(undone) = log.pop() else { return };
        let back_to = log.last().copied();
        let shown = &mut self.shown[member.index()][key.index()];
        let unapplied = *shown == Some(undone);
        if unapplied {
            *shown = back_to;
            self.see(Observation::Unapplied { member, key, undone, back_to });
        }
        self.see(Observation::Unlogged { member, key, undone, back_to });
    }

    fn commit(&mut self) {
        let accepted_by = self.member();
        let Some(i) = self.write(|write| write.stored.is_some() && !write.committed && !write.failed) else {
            return;
        };
        self.writes[i].committed = true;
        if let WriteState { key, stored: Some(Stored { version, write }), .. } = self.writes[i] {
            self.see(Observation::Committed { write, key, version, bytes: 10, accepted_by });
        }
    }

    fn abandon(&mut self) {
        let Some(i) = self.write(|write| write.committed && !write.abandoned) else { return };
        self.writes[i].abandoned = true;
        self.see(Observation::Abandoned { write: Write(i as u64) });
    }

    /// A member answers; the answer then travels.
    fn answer(&mut self) {
        if self.ops.is_empty() {
            return;
        }
        let i = self.draw(self.ops.len() as u64) as usize;
        let by = self.mostly_the_primary();
        let OpenOp { kind, key, .. } = self.ops[i];
        let said = match kind {
            OpKind::Read => Said::Value(self.shown[by.index()][key.index()]),
            OpKind::Write(write) if self.writes[write.index()].committed => Said::Written,
            OpKind::Write(write) if self.writes[write.index()].stored.is_none() && self.draw(3) == 0 => {
                self.writes[write.index()].failed = true;
                Said::NotApplied
            }
            OpKind::Write(_) => return,
        };
        self.ops[i].answer.get_or_insert(Answer { by, at: Time::from_nanos(self.now), said });
    }

    fn finish(&mut self) {
        if self.ops.is_empty() {
            return;
        }
        let i = self.draw(self.ops.len() as u64) as usize;
        let impatient = self.draw(5) == 0;
        if self.ops[i].answer.is_none() && !impatient {
            return;
        }
        let OpenOp { op, kind, answer, .. } = self.ops.swap_remove(i);
        let outcome = match (answer, kind) {
            (Some(_), _) => Outcome::Ok,
            (None, OpKind::Write(write)) if !self.writes[write.index()].committed && self.draw(2) == 0 => {
                self.writes[write.index()].failed = true;
                Outcome::Failed
            }
            _ => Outcome::Unknown,
        };
        self.see(Observation::Returned { op, outcome, answer });
    }

    fn promote(&mut self, member: Member) {
        let term = self.terms.iter().max().map_or(0, |last| last + 1);
        self.terms[member.index()] = term;
        self.primary = Some(member);
        self.take_office(member);
    }

    /// A member that has not heard of its fall goes on in the term in which it was promoted last.
    fn start_again(&mut self, member: Member) {
        if self.draw(2) == 0 {
            self.primary = Some(member); // to most clients
        }
        self.take_office(member);
    }

    fn take_office(&mut self, member: Member) {
        let floor = Version(self.terms[member.index()] * TERM);
        self.see(Observation::Promoted { member, floor });
        if self.draw(3) > 0 {
            self.now += self.draw(4);
            self.see(Observation::Serving { member });
        }
    }

    fn lose_or_regain_the_primary(&mut self) {
        match (self.lost, self.primary) {
            (Some(member), _) if self.draw(2) == 0 => {
                self.lost = None;
                self.see(Observation::PrimaryBack { member });
            }
            (_, Some(member)) => {
                self.lost = Some(member);
                if self.draw(2) == 0 && !self.down[member.index()] {
                    self.down[member.index()] = true;
                    self.see(Observation::MemberDown { member });
                }
                let since = Time::from_nanos(self.now.saturating_sub(self.draw(5)));
                self.see(Observation::PrimaryLost { member, since });
            }
            _ => {}
        }
    }

    fn crash_or_start(&mut self) {
        let member = self.member();
        let down = &mut self.down[member.index()];
        *down = !*down;
        let what = if *down { Observation::MemberDown { member } } else { Observation::MemberUp { member } };
        self.see(what);
    }
}

/// How much of everything there was.
#[derive(Default, Debug)]
struct Tally([u64; 9]);

impl Tally {
    fn add(&mut self, findings: &Findings) {
        let n =
            |slug: &str| findings.measure(slug).and_then(|m| m.all.as_ref()).map_or(0, |leaf| leaf.count());
        let censored = |slug: &str| match findings.measure(slug).and_then(|m| m.all.as_ref()) {
            Some(replisim_measure::Leaf::Distribution(distribution)) => distribution.count_censored(),
            _ => 0,
        };
        let counts = [
            n("dirty_reads"),
            n("early_reads"),
            n("reads_missing_lost"),
            n("stale_primary_acks"),
            n("rto_ms") - censored("rto_ms"),
            censored("rto_ms"),
            n("time_to_serve_ms") - censored("time_to_serve_ms"),
            censored("time_to_serve_ms"),
            n("unavailability_ms"),
        ];
        self.0.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
}

#[test]
fn streaming_measures_equal_their_twins_on_random_bad_days() {
    let mut tally = Tally::default();
    for seed in 0..2_000 {
        let mut stream = Streams::new(seed).named("bad day");
        let names = |prefix: &str, n: u64| (0..n).map(|i| format!("{prefix}{i}")).collect();
        let roster = Roster {
            members: names("n", 1 + below(&mut stream, 4)),
            clients: names("c", 2),
            faults: Vec::new(),
            keys: 1 + below(&mut stream, 3) as usize,
            promotion: PromotionRule::default(),
            retries: false,
            unavailability_bound: Duration::from_nanos(9),
            ..Roster::default()
        };
        let records = Day::new(&mut stream, &roster).history();
        let end = records.last().unwrap().at.nanos();
        let window = Window { from: Time::from_nanos(end / 10), to: Time::from_nanos(end - end / 5) };
        let mut measures = Measures::new(roster, window);
        records.iter().for_each(|record| measures.observe(record.at, record.group, record.what));
        let findings = measures.finish();
        let found = twin::disagreements(&findings, &records, window);
        assert!(found.is_empty(), "seed {seed}:\n{}\n{records:#?}", found.join("\n"));
        tally.add(&findings);
    }
    assert!(tally.0.iter().all(|count| *count > 50), "everything happens often enough: {tally:?}");
}
