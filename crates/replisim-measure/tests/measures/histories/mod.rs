//! Random histories: everything may happen in any order that the vocabulary allows, mostly at coinciding instants.

pub(crate) mod leaderless;

use replisim_engine::Stream;
use replisim_engine::random::below;
use replisim_observe::{
    Answer, Client, Fault, Group, Key, Member, Observation, Op, OpKind, Outcome, Record, Roster, Said,
    Stored, Time, Version, Write,
};

/// A history of `roster`, in units of `unit` nanoseconds. Histories without `crashes` lose nothing.
pub(crate) fn history(stream: &mut Stream, roster: &Roster, unit: u64, crashes: bool) -> Vec<Record> {
    let members = roster.members.len();
    let mut maker = Maker {
        stream,
        unit,
        roster,
        now: 0,
        records: Vec::new(),
        ops: Vec::new(),
        earlier: Vec::new(),
        next_op: 0,
        writes: Vec::new(),
        shown: vec![vec![Vec::new(); roster.keys]; members],
        logged: vec![vec![Vec::new(); roster.keys]; members],
        up: vec![true; members],
        terms: vec![0; roster.placement.groups()],
        used: Vec::new(),
    };
    if maker.draw(4) > 0 {
        maker.promote();
    }
    for _ in 0..30 + maker.draw(90) {
        maker.now += maker.draw(4) * maker.draw(8) * unit;
        let kinds = if crashes { 21 } else { 14 };
        match maker.draw(kinds) {
            0..=2 => maker.invoke(),
            3..=5 => maker.answer(),
            6..=9 => maker.copy(),
            10 | 11 => maker.commit_or_abandon(),
            12 => maker.fault(),
            13 => maker.see(Observation::Sent { bytes: 9 }),
            14 | 15 => maker.fall_back(),
            16 => maker.lose_disk(),
            17 | 18 => maker.turn(),
            19 => maker.primary(),
            _ => maker.promote(),
        }
    }
    maker.now += 3 * unit;
    maker.see(Observation::Ended);
    maker.records
}

struct Maker<'a> {
    stream: &'a mut Stream,
    unit: u64,
    roster: &'a Roster,
    now: u64,
    records: Vec<Record>,
    ops: Vec<(Op, OpKind, Key)>,
    /// Writes of earlier attempts that may have been done.
    earlier: Vec<(Op, Write)>,
    next_op: u64,
    writes: Vec<MadeWrite>,
    /// By member and key: what was applied, and what was logged, and not undone; in version order.
    shown: Vec<Vec<Vec<Stored>>>,
    logged: Vec<Vec<Vec<Stored>>>,
    up: Vec<bool>,
    /// By group.
    terms: Vec<u64>,
    used: Vec<Version>,
}

#[derive(Clone, Copy)]
struct MadeWrite {
    key: Key,
    stored: Stored,
    committed: bool,
    /// It certainly never happens.
    failed: bool,
}

/// Versions in one term.
const TERM: u64 = 1_000;

impl Maker<'_> {
    fn draw(&mut self, n: u64) -> u64 {
        below(self.stream, n)
    }

    fn see(&mut self, what: Observation) {
        self.see_in(Group(0), what);
    }

    fn see_in(&mut self, group: Group, what: Observation) {
        self.records.push(Record { at: Time::from_nanos(self.now), group, what });
    }

    /// Now, or up to four nanoseconds earlier.
    fn a_moment_ago(&mut self) -> Time {
        Time::from_nanos(self.now.saturating_sub(self.draw(5)))
    }

    /// One of the groups.
    fn group(&mut self) -> Group {
        match self.roster.placement.groups() {
            1 => Group(0),
            groups => Group(self.draw(groups as u64) as u32),
        }
    }

    fn members_of(&self, group: Group) -> Vec<Member> {
        self.roster.placement.members(self.roster.members.len(), group).collect()
    }

    fn member_of(&mut self, group: Group) -> Member {
        let members = self.members_of(group);
        members[self.draw(members.len() as u64) as usize]
    }

    fn group_of(&self, key: Key) -> Group {
        self.roster.placement.group(key)
    }

    fn member(&mut self) -> Member {
        Member(self.draw(self.roster.members.len() as u64) as u32)
    }

    fn key(&mut self) -> Key {
        Key(self.draw(self.roster.keys as u64) as u32)
    }

    fn invoke(&mut self) {
        let key = self.key();
        let op = Op(self.next_op);
        self.next_op += 1;
        let mut kind = OpKind::Read;
        if self.draw(2) == 0 {
            kind = OpKind::Write(self.make(key));
        }
        let client = Client(self.draw(self.roster.clients.len() as u64) as u32);
        let scheduled = Time::from_nanos(self.now - self.draw(self.now.min(5 * self.unit) + 1));
        self.see_in(self.group_of(key), Observation::Invoked { op, client, kind, key, scheduled });
        self.ops.push((op, kind, key));
    }

    fn make(&mut self, key: Key) -> Write {
        let write = Write(self.writes.len() as u64);
        let version = self.version(key);
        let stored = Stored { version, write };
        self.writes.push(MadeWrite { key, stored, committed: false, failed: false });
        write
    }

    /// Another attempt at an operation, with a write of its own or the same.
    fn retry(&mut self, op: Op, mut kind: OpKind, key: Key) {
        let mut after = if self.draw(3) == 0 { Outcome::Failed } else { Outcome::Unknown };
        let mut write = None;
        if let OpKind::Write(before) = kind
            && self.draw(4) > 0
        {
            let made = &mut self.writes[before.index()];
            if made.committed || after == Outcome::Unknown {
                after = Outcome::Unknown;
                self.earlier.push((op, before));
            } else {
                made.failed = true;
            }
            let made = self.make(key);
            (write, kind) = (Some(made), OpKind::Write(made));
        }
        self.see_in(self.group_of(key), Observation::Retried { op, after, write });
        self.ops.push((op, kind, key));
    }

    /// A committed write of an earlier attempt at an operation.
    fn done_before(&mut self, op: Op) -> Option<Write> {
        let done = |(other, write): &&(Op, Write)| *other == op && self.writes[write.index()].committed;
        let done = self.earlier.iter().find(done).map(|(_, write)| *write);
        done.filter(|_| self.draw(3) > 0)
    }

    /// A fresh version, now and then of a primary that has not heard of its fall.
    fn version(&mut self, key: Key) -> Version {
        let term = self.terms[self.group_of(key).index()];
        loop {
            let term = if self.draw(5) == 0 { term.saturating_sub(1) } else { term };
            let version = Version(term * TERM + 1 + self.draw(TERM - 1));
            if !self.used.contains(&version) {
                self.used.push(version);
                return version;
            }
        }
    }

    fn answer(&mut self) {
        if self.ops.is_empty() {
            return;
        }
        let i = self.draw(self.ops.len() as u64) as usize;
        let (op, mut kind, key) = self.ops.swap_remove(i);
        if self.roster.retries && self.draw(2) == 0 {
            return self.retry(op, kind, key);
        }
        let mut outcome = match self.draw(8) {
            0 => Outcome::Failed,
            1 | 2 => Outcome::Unknown,
            _ => Outcome::Ok,
        };
        if outcome == Outcome::Ok
            && let Some(write) = self.done_before(op)
        {
            kind = OpKind::Write(write);
            self.see_in(self.group_of(key), Observation::Recognised { op, write });
        }
        if let (OpKind::Write(write), Outcome::Ok, 0..3) = (kind, outcome, self.draw(4)) {
            self.commit(write);
        }
        let mut said = None;
        match kind {
            OpKind::Read if outcome == Outcome::Ok => said = Some(Said::Value(None)),
            OpKind::Read => {}
            OpKind::Write(write) => {
                let not_applied = self.draw(9) == 0;
                let write = &mut self.writes[write.index()];
                let nowhere = |copies: &Vec<Vec<Vec<Stored>>>| {
                    copies.iter().all(|keys| !keys[write.key.index()].contains(&write.stored))
                };
                let unseen = nowhere(&self.shown) && nowhere(&self.logged);
                match (write.committed, outcome) {
                    (true, Outcome::Failed) => outcome = Outcome::Ok,
                    (false, Outcome::Ok) if not_applied && unseen => {
                        write.failed = true;
                        said = Some(Said::NotApplied);
                    }
                    (false, Outcome::Ok) => outcome = Outcome::Unknown,
                    (false, Outcome::Failed) => write.failed = true,
                    _ => {}
                }
                if outcome == Outcome::Ok {
                    said.get_or_insert(Said::Written);
                }
            }
        }
        let group = self.group_of(key);
        let by = self.member_of(group);
        if let Some(Said::Value(value)) = &mut said {
            *value = self.shown[by.index()][key.index()].last().copied();
        }
        let answer = said.map(|said| Answer { by, at: Time::from_nanos(self.now), said });
        self.see_in(group, Observation::Returned { op, outcome, answer });
    }

    /// A member logs or applies a write.
    fn copy(&mut self) {
        let Some(write) = self.any_write().filter(|write| !write.failed) else { return };
        let MadeWrite { key, stored, .. } = write;
        let everyone = self.draw(3) == 0;
        let group = self.group_of(key);
        let members = self.members_of(group);
        let first = self.draw(members.len() as u64) as usize;
        for i in first..if everyone { first + members.len() } else { first + 1 } {
            let member = members[i % members.len()];
            let newer = |copies: &Vec<Stored>| copies.last().is_none_or(|last| last.version < stored.version);
            if self.draw(2) == 0 && newer(&self.logged[member.index()][key.index()]) {
                self.logged[member.index()][key.index()].push(stored);
                self.see_in(group, Observation::Logged { member, key, stored });
            }
            if self.draw(4) > 0 && newer(&self.shown[member.index()][key.index()]) {
                self.shown[member.index()][key.index()].push(stored);
                if newer(&self.logged[member.index()][key.index()]) {
                    self.logged[member.index()][key.index()].push(stored);
                }
                self.see_in(group, Observation::Applied { member, key, stored });
            }
        }
    }

    fn any_write(&mut self) -> Option<MadeWrite> {
        if self.writes.is_empty() {
            return None;
        }
        // Mostly a young one.
        let n = self.writes.len() as u64;
        let back = self.draw(n).min(self.draw(n));
        Some(self.writes[(n - 1 - back) as usize])
    }

    fn commit_or_abandon(&mut self) {
        let Some(write) = self.any_write() else { return };
        if !write.committed {
            self.commit(write.stored.write);
        } else if self.draw(12) == 0 {
            let group = self.group_of(write.key);
            self.see_in(group, Observation::Abandoned { write: write.stored.write });
        }
    }

    fn commit(&mut self, write: Write) {
        let MadeWrite { key, stored, committed, failed } = self.writes[write.index()];
        if !committed && !failed {
            self.writes[write.index()].committed = true;
            let (version, bytes, group) = (stored.version, self.draw(100) as u32, self.group_of(key));
            let accepted_by = self.member_of(group);
            self.see_in(group, Observation::Committed { write, key, version, bytes, accepted_by });
        }
    }

    fn fault(&mut self) {
        let fault = Fault(self.draw(self.roster.faults.len() as u64) as u32);
        let what = [Observation::FaultBegan(fault), Observation::FaultEnded(fault)][self.draw(2) as usize];
        self.see(what);
    }

    /// A tail of what a member has of some keys is gone, the newest first.
    fn fall_back(&mut self) {
        let member = self.member();
        for _ in 0..1 + self.draw(4) {
            let key = self.key();
            let (from_log, log_first) = (self.draw(3) > 0, self.draw(2) == 0);
            if from_log && log_first {
                self.unlog(member, key);
            }
            let logged = self.logged[member.index()][key.index()].last().map(|stored| stored.version);
            let shown = self.shown[member.index()][key.index()].last().map(|stored| stored.version);
            if shown > logged || self.draw(3) == 0 || from_log && !log_first && shown == logged {
                self.unapply(member, key);
            }
            if from_log && !log_first {
                self.unlog(member, key);
            }
        }
    }

    fn unlog(&mut self, member: Member, key: Key) {
        let log = &mut self.logged[member.index()][key.index()];
        if let Some(undone) = log.pop() {
            let back_to = log.last().copied();
            self.see_in(self.group_of(key), Observation::Unlogged { member, key, undone, back_to });
        }
    }

    fn unapply(&mut self, member: Member, key: Key) {
        let shown = &mut self.shown[member.index()][key.index()];
        if let Some(undone) = shown.pop() {
            let back_to = shown.last().copied();
            self.see_in(self.group_of(key), Observation::Unapplied { member, key, undone, back_to });
        }
    }

    fn lose_disk(&mut self) {
        let member = self.member();
        self.shown[member.index()].iter_mut().for_each(Vec::clear);
        self.logged[member.index()].iter_mut().for_each(Vec::clear);
        self.see(Observation::DiskLost { member });
    }

    fn turn(&mut self) {
        let member = self.member();
        let up = &mut self.up[member.index()];
        *up = !*up;
        let what = if *up { Observation::MemberUp { member } } else { Observation::MemberDown { member } };
        self.see(what);
    }

    /// The primary is lost, is back, or serves.
    fn primary(&mut self) {
        let group = self.group();
        let member = self.member_of(group);
        let what = match self.draw(3) {
            0 => Observation::PrimaryLost { member, since: self.a_moment_ago() },
            1 => Observation::PrimaryBack { member },
            _ => Observation::Serving { member },
        };
        self.see_in(group, what);
    }

    fn promote(&mut self) {
        let group = self.group();
        let member = self.member_of(group);
        let mut term = self.terms[group.index()] + 1;
        if self.draw(3) == 0 {
            term = self.draw(term); // an old primary starts again
        }
        let highest = &mut self.terms[group.index()];
        *highest = term.max(*highest);
        self.see_in(group, Observation::Promoted { member, floor: Version(term * TERM) });
    }
}
