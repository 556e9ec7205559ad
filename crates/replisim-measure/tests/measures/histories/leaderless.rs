//! Random histories without a primary: owners on a ring or everywhere, versions in another order than commits and acks,
//! writes that arrive where a newer one is shown, hints, lost disks and tails, tombstones that are purged; and lanes of
//! versions, of which a read sees some.

use std::collections::BTreeMap;

use replisim_engine::random::below;
use replisim_engine::{Duration, Stream};
use replisim_observe::{
    Answer, Client, Fault, Group, Key, Member, Observation, Op, OpKind, Outcome, Placement, PromotionRule,
    Record, Roster, Said, Stored, Time, Version, Write,
};

/// A small group without a primary; with `lanes`, any two writes through different members are concurrent.
pub(crate) fn roster(stream: &mut Stream, lanes: bool) -> Roster {
    let names = |prefix: &str, n: u64| (0..n).map(|i| format!("{prefix}{i}")).collect();
    let members = 1 + below(stream, 4);
    let placement = match below(stream, 3) {
        0 => Placement::Everywhere,
        _ => Placement::Ring { copies: 1 + below(stream, members) as u32 },
    };
    Roster {
        members: names("n", members),
        clients: names("c", 2),
        faults: names("f", 2),
        keys: 1 + below(stream, 3) as usize,
        placement,
        lanes: if lanes { 2 + below(stream, 2) as u32 } else { 1 },
        promotion: PromotionRule::Leaderless,
        retries: below(stream, 2) == 0,
        unavailability_bound: Duration::from_nanos(9),
    }
}

/// A history of `roster`, in units of `unit` nanoseconds. Histories without `crashes` lose nothing.
pub(crate) fn history(stream: &mut Stream, roster: &Roster, unit: u64, crashes: bool) -> Vec<Record> {
    let steps = 30 + below(stream, 90);
    history_of(stream, roster, unit, crashes, steps)
}

/// The same, of so many steps.
pub(crate) fn history_of(
    stream: &mut Stream,
    roster: &Roster,
    unit: u64,
    crashes: bool,
    steps: u64,
) -> Vec<Record> {
    let mut maker = Maker::new(stream, roster, unit);
    for _ in 0..steps {
        maker.now += maker.draw(4) * maker.draw(8) * unit;
        match maker.draw(if crashes { 25 } else { 19 }) {
            0..=2 => maker.invoke(),
            3..=5 => maker.answer(),
            6..=10 => maker.arrive(),
            11 => maker.commit_any(),
            12 => maker.fault(),
            13 => maker.see(Observation::Sent { bytes: 9 }),
            14 => maker.hint(),
            15 => maker.hand_over(),
            16 | 17 => maker.purge(),
            18 => maker.everywhere(),
            19 | 20 => maker.fall_back(),
            21 => maker.lose_disk(),
            22 => maker.give_up_hint(),
            _ => maker.turn(),
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
    lanes: u32,
    now: u64,
    records: Vec<Record>,
    ops: Vec<OpenOp>,
    /// Writes of earlier attempts that may have been done.
    earlier: Vec<(Op, Write)>,
    next_op: u64,
    writes: Vec<MadeWrite>,
    /// By member and key in a lane.
    copies: Vec<Vec<Copies>>,
    hints: Vec<(Member, Key, Stored)>,
    up: Vec<bool>,
    /// What each client has read of a key last: a version a lane.
    read: BTreeMap<(Client, Key), Vec<Version>>,
    used: Vec<(Key, Version)>,
}

/// What one member has of a key in a lane, in version order. It shows the last, unless that was purged.
#[derive(Clone, Default)]
struct Copies {
    log: Vec<Stored>,
    shown: Vec<Stored>,
}

#[derive(Clone, Copy)]
struct OpenOp {
    op: Op,
    client: Client,
    kind: OpKind,
    key: Key,
}

#[derive(Clone, Copy)]
struct MadeWrite {
    /// In a lane.
    key: Key,
    stored: Stored,
    delete: bool,
    committed: bool,
    /// It certainly never happens.
    failed: bool,
}

impl<'a> Maker<'a> {
    fn new(stream: &'a mut Stream, roster: &'a Roster, unit: u64) -> Self {
        let (members, lanes) = (roster.members.len(), roster.lanes.max(1));
        Maker {
            stream,
            unit,
            roster,
            lanes,
            now: 0,
            records: Vec::new(),
            ops: Vec::new(),
            earlier: Vec::new(),
            next_op: 0,
            writes: Vec::new(),
            copies: vec![vec![Copies::default(); roster.keys * lanes as usize]; members],
            hints: Vec::new(),
            up: vec![true; members],
            read: BTreeMap::new(),
            used: Vec::new(),
        }
    }

    fn draw(&mut self, n: u64) -> u64 {
        below(self.stream, n)
    }

    fn see(&mut self, what: Observation) {
        self.records.push(Record { at: Time::from_nanos(self.now), group: Group(0), what });
    }

    fn member(&mut self) -> Member {
        Member(self.draw(self.roster.members.len() as u64) as u32)
    }

    /// The owners of a key in a lane, from any of them on.
    fn owners(&mut self, key: Key) -> Vec<Member> {
        let (members, key) = (self.roster.members.len(), Key(key.0 / self.lanes));
        let owns = |member: &Member| self.roster.placement.owns(members, *member, key);
        let mut owners: Vec<Member> = (0..members as u32).map(Member).filter(owns).collect();
        let first = self.draw(owners.len() as u64) as usize;
        owners.rotate_left(first);
        owners
    }

    fn copies(&mut self, member: Member, key: Key) -> &mut Copies {
        &mut self.copies[member.index()][key.index()]
    }

    fn invoke(&mut self) {
        let key = Key(self.draw(self.roster.keys as u64) as u32);
        let client = Client(self.draw(self.roster.clients.len() as u64) as u32);
        let op = Op(self.next_op);
        self.next_op += 1;
        let is_write = self.draw(2) == 0;
        let write = Write(self.writes.len() as u64);
        let kind = if is_write { OpKind::Write(write) } else { OpKind::Read };
        let scheduled = Time::from_nanos(self.now - self.draw(self.now.min(5 * self.unit) + 1));
        self.see(Observation::Invoked { op, client, kind, key, scheduled });
        self.ops.push(OpenOp { op, client, kind, key });
        if is_write {
            self.make(client, key);
        }
    }

    fn make(&mut self, client: Client, key: Key) {
        let write = Write(self.writes.len() as u64);
        if self.draw(2) == 0 {
            self.base_on_what_was_read(client, key, write);
        }
        let lane = Key(key.0 * self.lanes + self.draw(self.lanes.into()) as u32);
        let stored = Stored { version: self.version(lane), write };
        let delete = self.draw(3) == 0;
        self.writes.push(MadeWrite { key: lane, stored, delete, committed: false, failed: false });
    }

    /// Another attempt at an operation, with a write of its own or the same.
    fn retry(&mut self, OpenOp { op, client, mut kind, key }: OpenOp) {
        let mut after = if self.draw(3) == 0 { Outcome::Failed } else { Outcome::Unknown };
        let mut write = None;
        if let OpKind::Write(before) = kind
            && self.draw(4) > 0
        {
            if after == Outcome::Unknown || self.is_seen(before) {
                after = Outcome::Unknown;
                self.earlier.push((op, before));
            } else {
                self.writes[before.index()].failed = true;
            }
            let made = Write(self.writes.len() as u64);
            (write, kind) = (Some(made), OpKind::Write(made));
        }
        self.see(Observation::Retried { op, after, write });
        if write.is_some() {
            self.make(client, key);
        }
        self.ops.push(OpenOp { op, client, kind, key });
    }

    /// A committed write of an earlier attempt at an operation.
    fn done_before(&mut self, op: Op) -> Option<Write> {
        let done = |(other, write): &&(Op, Write)| *other == op && self.writes[write.index()].committed;
        let done = self.earlier.iter().find(done).map(|(_, write)| *write);
        done.filter(|_| self.draw(3) > 0)
    }

    fn base_on_what_was_read(&mut self, client: Client, key: Key, write: Write) {
        let lanes = self.lanes;
        let read = self.read.get(&(client, key)).cloned();
        for (lane, version) in (0..).zip(read.unwrap_or_else(|| vec![Version(0); lanes as usize])) {
            self.see(Observation::BasedOn { write, key: Key(key.0 * lanes + lane), version });
        }
    }

    /// A fresh version; mostly later ones are newer, but now and then a clock is far ahead.
    fn version(&mut self, key: Key) -> Version {
        let ahead = if self.draw(8) == 0 { 200 } else { 0 };
        loop {
            let version = Version(1 + ahead + self.writes.len() as u64 * 5 + self.draw(50));
            if !self.used.contains(&(key, version)) {
                self.used.push((key, version));
                return version;
            }
        }
    }

    fn answer(&mut self) {
        if self.ops.is_empty() {
            return;
        }
        let i = self.draw(self.ops.len() as u64) as usize;
        let open = self.ops.swap_remove(i);
        if self.roster.retries && self.draw(2) == 0 {
            return self.retry(open);
        }
        let OpenOp { op, client, mut kind, key } = open;
        let outcome = match self.draw(8) {
            0 => Outcome::Failed,
            1 | 2 => Outcome::Unknown,
            _ => Outcome::Ok,
        };
        if outcome == Outcome::Ok
            && let Some(write) = self.done_before(op)
        {
            kind = OpKind::Write(write);
            self.see(Observation::Recognised { op, write });
        }
        let (outcome, said) = match kind {
            OpKind::Read if outcome == Outcome::Ok => (outcome, Some(self.read(op, client, key))),
            OpKind::Read => (outcome, None),
            OpKind::Write(write) => self.answer_write(write, outcome),
        };
        // An instance of the protocol in a client is a member beyond the last.
        let by = Member(self.draw(self.roster.members.len() as u64 + 1) as u32);
        let at = Time::from_nanos(self.now);
        self.see(Observation::Returned { op, outcome, answer: said.map(|said| Answer { by, at, said }) });
    }

    fn answer_write(&mut self, write: Write, outcome: Outcome) -> (Outcome, Option<Said>) {
        let (committed, seen) = (self.writes[write.index()].committed, self.is_seen(write));
        match outcome {
            Outcome::Ok if committed || seen && self.draw(4) > 0 => {
                self.commit(write);
                (Outcome::Ok, Some(Said::Written))
            }
            Outcome::Failed if !seen => {
                self.writes[write.index()].failed = true;
                (Outcome::Failed, None)
            }
            _ => (Outcome::Unknown, None),
        }
    }

    /// Whether a write is committed, or some member has it.
    fn is_seen(&self, write: Write) -> bool {
        let MadeWrite { key, stored, committed, .. } = self.writes[write.index()];
        let hinted = |hint: &(Member, Key, Stored)| (hint.1, hint.2) == (key, stored);
        let logged = |keys: &Vec<Copies>| keys[key.index()].log.contains(&stored);
        committed || self.copies.iter().any(logged) || self.hints.iter().any(hinted)
    }

    /// What a read returns: of some owners the newest.
    fn read(&mut self, op: Op, client: Client, key: Key) -> Said {
        let mut asked = self.owners(key_of_lane(key, self.lanes));
        asked.truncate(1 + self.draw(2) as usize);
        let lanes = (0..self.lanes).map(|lane| Key(key.0 * self.lanes + lane));
        let newest = |lane: Key| {
            let shown = asked.iter().filter_map(|m| self.copies[m.index()][lane.index()].shown.last());
            shown.max().copied()
        };
        let returned: Vec<(Key, Option<Stored>)> = lanes.map(|lane| (lane, newest(lane))).collect();
        let version =
            |(_, stored): &(Key, Option<Stored>)| stored.map_or(Version(0), |stored| stored.version);
        self.read.insert((client, key), returned.iter().map(version).collect());
        if self.lanes == 1 {
            return Said::Value(returned[0].1);
        }
        let mut siblings = 0;
        for (key, stored) in returned {
            if let Some(Stored { version, .. }) = stored {
                siblings += 1;
                self.see(Observation::Saw { op, key, version });
            }
        }
        if siblings == 0 && self.draw(2) == 0 { Said::Value(None) } else { Said::Siblings(siblings) }
    }

    /// A write arrives at some owners.
    fn arrive(&mut self) {
        let Some(MadeWrite { key, stored, .. }) = self.any_write() else { return };
        let mut owners = self.owners(key);
        owners.truncate(1 + self.draw(2) as usize);
        owners.into_iter().for_each(|member| self.arrive_at(member, key, stored));
    }

    fn everywhere(&mut self) {
        let Some(MadeWrite { key, stored, .. }) = self.any_write() else { return };
        self.owners(key).into_iter().for_each(|member| self.arrive_at(member, key, stored));
    }

    fn arrive_at(&mut self, member: Member, key: Key, stored: Stored) {
        let logs_first = self.draw(2) == 0;
        let copies = self.copies(member, key);
        let shows = copies.shown.last().is_none_or(|shown| shown.version < stored.version);
        if !copies.log.contains(&stored) {
            copies.log.push(stored);
            copies.log.sort();
        }
        if shows {
            copies.shown.push(stored);
        }
        if logs_first || !shows {
            self.see(Observation::Logged { member, key, stored });
        }
        if shows {
            self.see(Observation::Applied { member, key, stored });
        }
    }

    /// Mostly a young one, which has not failed.
    fn any_write(&mut self) -> Option<MadeWrite> {
        let n = self.writes.len() as u64;
        if n == 0 {
            return None;
        }
        let back = self.draw(n).min(self.draw(n));
        Some(self.writes[(n - 1 - back) as usize]).filter(|write| !write.failed)
    }

    fn commit_any(&mut self) {
        if let Some(write) = self.any_write() {
            self.commit(write.stored.write);
        }
    }

    fn commit(&mut self, write: Write) {
        let MadeWrite { key, stored, committed, failed, .. } = self.writes[write.index()];
        if !committed && !failed {
            self.writes[write.index()].committed = true;
            let accepted_by = self.owners(key)[0];
            let (version, bytes) = (stored.version, self.draw(100) as u32);
            self.see(Observation::Committed { write, key, version, bytes, accepted_by });
        }
    }

    fn hint(&mut self) {
        let Some(MadeWrite { key, stored, .. }) = self.any_write() else { return };
        let member = self.member();
        self.hints.push((member, key, stored));
        self.see(Observation::Hinted { member, key, stored });
    }

    fn hand_over(&mut self) {
        if let Some((_, key, stored)) = self.any_hint() {
            let owner = self.owners(key)[0];
            self.arrive_at(owner, key, stored);
        }
        self.give_up_hint();
    }

    fn any_hint(&mut self) -> Option<(Member, Key, Stored)> {
        let i = self.draw(self.hints.len().max(1) as u64) as usize;
        self.hints.get(i).copied()
    }

    fn give_up_hint(&mut self) {
        if let Some(hint) = self.any_hint() {
            let place = self.hints.iter().position(|other| *other == hint);
            place.into_iter().for_each(|place| _ = self.hints.remove(place));
            let (member, key, stored) = hint;
            self.see(Observation::Unhinted { member, key, stored });
        }
    }

    /// Members forget a tombstone, some or all of those that show it.
    fn purge(&mut self) {
        let Some(MadeWrite { key, stored, .. }) = self.any_write().filter(|write| write.delete) else {
            return;
        };
        let all = self.draw(2) == 0;
        for member in self.owners(key) {
            let copies = self.copies(member, key);
            if copies.shown.last() == Some(&stored) {
                *copies = Copies::default();
                self.see(Observation::Purged { member, key, stored });
                if !all {
                    return;
                }
            }
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
            let key = Key(self.draw((self.roster.keys * self.lanes as usize) as u64) as u32);
            let Some(undone) = self.copies(member, key).log.pop() else { continue };
            // What was superseded when it arrived may be shown now.
            let copies = self.copies(member, key);
            let back_to = copies.log.last().copied();
            copies.shown = copies.log.clone();
            let mut undoing = [
                Observation::Unlogged { member, key, undone, back_to },
                Observation::Unapplied { member, key, undone, back_to },
            ];
            if self.draw(2) == 0 {
                undoing.reverse();
            }
            undoing.into_iter().for_each(|what| self.see(what));
        }
    }

    fn lose_disk(&mut self) {
        let member = self.member();
        self.copies[member.index()].fill(Copies::default());
        self.hints.retain(|(keeper, ..)| *keeper != member);
        self.see(Observation::DiskLost { member });
    }

    fn turn(&mut self) {
        let member = self.member();
        let up = &mut self.up[member.index()];
        *up = !*up;
        let what = if *up { Observation::MemberUp { member } } else { Observation::MemberDown { member } };
        self.see(what);
    }
}

fn key_of_lane(key: Key, lanes: u32) -> Key {
    Key(key.0 * lanes)
}
