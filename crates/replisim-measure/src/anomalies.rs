//! Reads that show what history takes back, or no longer show what was promised: dirty reads, early reads, reads that
//! miss a lost write.
//!
//! A write has a record from the moment its version becomes known. Whether it will be abandoned is not known when a
//! read returns it, so the record counts, for each client, the reads that returned it; they turn out dirty together.
//!
//! A lost write (acked and abandoned) is remembered by its key, until a write of the key that was invoked after the
//! abandonment is acked and no read under way is older than that. Losses of the same instant are one: a read misses
//! some of them if it misses the newest.
//!
//! Where a key has several lanes, a read returned the newest write that it saw of each (`siblings`).
//!
//! Memory: a write whose fate is decided (committed, excluded or failed) keeps its record until a number of later ones
//! are decided too, and until every owner holds it, if it stands. Forgotten means settled: were it abandoned after
//! all, by the loss of every disk, reads that returned it would not be counted as dirty; and were a read under way that
//! was answered before its commit, it would not be counted as early. Where there are no faults, few are remembered of
//! those that stand, which every owner holds and which were committed before any read under way began: nothing more can
//! come of them, and what is touched stays in the cache.

mod siblings;

use std::collections::{BTreeMap, VecDeque};

use replisim_observe::{Group, Key, Said, Stored, Time, Version, Window, Write};

use crate::keyspace::Keyspace;
use crate::operations::OpenOp;
use crate::records::Records;
use crate::reflected::Reflected;
use crate::rightful::Rightful;
use siblings::Siblings;

/// Everything measured about reads of what did not last.
#[derive(Clone, Debug)]
pub struct Anomalies {
    space: Keyspace,
    window: Window,
    kept: Kept,
    /// When the oldest operation under way was invoked, or earlier.
    oldest_open: Time,
    records: Records<Known>,
    /// In the order in which their fate was decided.
    decided: VecDeque<Write>,
    /// `returned_by[slot × clients + client]`: reads that returned a write, while its fate may still change.
    returned_by: Vec<u32>,
    free_slots: Vec<u32>,
    /// The same for reads that returned several writes; and with several lanes, which write a version is of.
    siblings: Siblings,
    by_version: BTreeMap<(Key, Version), Write>,
    /// What the read that returns now returned.
    returned: Vec<Write>,
    /// By lane key: the newest version that was forgotten.
    settled: Vec<Version>,
    /// By key: the latest invocation of a write that was acked.
    acked: Vec<Time>,
    losses: BTreeMap<Key, Vec<Loss>>,
    totals: Vec<AnomalyTotals>,
}

/// How many decided writes are remembered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    /// Of those of which nothing more can come where there are no faults.
    pub(crate) settled: usize,
    /// Of all.
    pub(crate) all: usize,
}

/// One client's reads in the window.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AnomalyTotals {
    pub(crate) reads: u64,
    pub(crate) dirty: u64,
    pub(crate) early: u64,
    pub(crate) missing_lost: u64,
}

/// A write whose version is known.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// In its lane.
    key: Key,
    version: Version,
    committed: Option<Time>,
    acked: bool,
    fate: Fate,
    decided: bool,
    /// Where the reads that returned it are counted.
    slot: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Standing,
    /// Outside the rightful history; abandoned as soon as it is committed.
    Excluded,
    Abandoned(Time),
    Failed,
}

/// Lost writes of one lane of a key that reads may miss.
#[derive(Clone, Copy, Debug)]
struct Loss {
    lane: Key,
    abandoned: Time,
    /// Acked and abandoned since.
    since: Time,
    /// The newest of them.
    version: Version,
    /// When a write invoked after the abandonment was acked.
    until: Option<Time>,
}

impl Anomalies {
    /// Nothing seen yet; decided writes are remembered until so many later ones are.
    pub(crate) fn new(clients: usize, space: Keyspace, window: Window, kept: Kept) -> Anomalies {
        Anomalies {
            space,
            window,
            kept,
            oldest_open: Time::ZERO,
            records: Records::default(),
            decided: VecDeque::new(),
            returned_by: Vec::new(),
            free_slots: Vec::new(),
            siblings: Siblings::default(),
            by_version: BTreeMap::new(),
            returned: Vec::new(),
            settled: vec![Version(0); space.lane_keys()],
            acked: vec![Time::ZERO; space.keys()],
            losses: BTreeMap::new(),
            totals: vec![AnomalyTotals::default(); clients],
        }
    }

    /// A member has the write.
    #[inline]
    pub(crate) fn seen(&mut self, key: Key, stored: Stored, rightful: &Rightful) {
        let Stored { version, write } = stored;
        if self.records.get(write.0).is_some() || version <= self.settled[key.index()] {
            return;
        }
        let fate = if rightful.too_late(key, version) { Fate::Excluded } else { Fate::Standing };
        let known = Known { key, version, committed: None, acked: false, fate, decided: false, slot: None };
        self.records.put(write.0, known);
        if self.space.lanes() > 1 {
            self.by_version.insert((key, version), write);
        }
        if fate == Fate::Excluded {
            self.decide(write, rightful);
        }
    }

    pub(crate) fn committed(&mut self, now: Time, key: Key, stored: Stored, rightful: &Rightful) {
        self.seen(key, stored, rightful);
        let Some(known) = self.records.get_mut(stored.write.0) else { return };
        known.committed.get_or_insert(now);
        if known.fate == Fate::Excluded {
            self.abandon(now, stored.write);
        }
        self.decide(stored.write, rightful);
    }

    /// There is a new rightful primary in `group`.
    pub(crate) fn promoted(&mut self, now: Time, group: Group, rightful: &Rightful) {
        let of_group = |known: &Known| self.space.group(known.key) == group;
        let standing = self.records.iter();
        let standing = standing.filter(|(_, known)| known.fate == Fate::Standing && of_group(known));
        let dropped = standing.filter(|(_, known)| rightful.drops(known.key, known.version));
        for write in dropped.map(|(write, _)| Write(write)).collect::<Vec<_>>() {
            let Some(known) = self.records.get_mut(write.0) else { continue };
            known.fate = Fate::Excluded;
            if known.committed.is_some() {
                self.abandon(now, write);
            }
            self.decide(write, rightful);
        }
    }

    /// Without a primary: no node has anything of `key` above `left` any more, and up to `had` one had.
    pub(crate) fn gone(&mut self, now: Time, key: Key, left: Version, had: Version) {
        let gone = self.records.iter().filter(|(_, known)| {
            let within = known.key == key && left < known.version && known.version <= had;
            within && known.fate == Fate::Standing && known.committed.is_some()
        });
        let gone: Vec<Write> = gone.map(|(write, _)| Write(write)).collect();
        gone.into_iter().for_each(|write| self.abandon(now, write));
    }

    /// The run is over: what no node has is gone for good.
    pub(crate) fn ended(&mut self, now: Time, newest: impl Fn(Key) -> Version) {
        let gone = self.records.iter().filter(|(_, known)| {
            known.fate == Fate::Standing && known.committed.is_some() && known.version > newest(known.key)
        });
        let gone: Vec<Write> = gone.map(|(write, _)| Write(write)).collect();
        gone.into_iter().for_each(|write| self.abandon(now, write));
    }

    /// The rightful history excludes a committed write, it was said.
    pub(crate) fn abandoned(&mut self, now: Time, write: Write) {
        let known = self.records.get(write.0).filter(|known| known.committed.is_some());
        if known.is_some_and(|known| known.fate == Fate::Standing) {
            self.abandon(now, write);
        }
    }

    /// A write certainly never happens.
    pub(crate) fn failed(&mut self, write: Write, rightful: &Rightful) {
        let Some(known) = self.records.get_mut(write.0) else { return };
        if matches!(known.fate, Fate::Standing | Fate::Excluded) {
            known.fate = Fate::Failed;
            self.book_dirty(write);
            self.decide(write, rightful);
        }
    }

    /// The oldest operation under way was invoked then.
    #[inline]
    pub(crate) fn oldest_open(&mut self, invoked: Time) {
        self.oldest_open = invoked;
    }

    /// A write that was invoked at `invoked` was acked. Tells the version.
    pub(crate) fn acked(&mut self, now: Time, write: Write, key: Key, invoked: Time) -> Option<Version> {
        let acked = &mut self.acked[key.index()];
        *acked = invoked.max(*acked);
        if let Some(losses) = self.losses.get_mut(&key) {
            for loss in losses.iter_mut().filter(|loss| invoked > loss.abandoned) {
                loss.until.get_or_insert(now);
            }
            losses.retain(|loss| loss.until.is_none_or(|until| until >= self.oldest_open));
            if losses.is_empty() {
                self.losses.remove(&key);
            }
        }
        let known = self.records.get_mut(write.0)?;
        known.acked = true;
        let Known { key: lane, version, fate, .. } = *known;
        if let Fate::Abandoned(abandoned) = fate {
            self.lose(lane, version, abandoned, now);
        }
        Some(version)
    }

    /// A read that was answered at `answered` returned.
    pub(crate) fn returned(
        &mut self,
        read: &OpenOp,
        (answered, said): (Time, Said),
        reflected: Reflected<'_>,
        rightful: &Rightful,
    ) {
        let mut returned = std::mem::take(&mut self.returned);
        returned.clear();
        if let Said::Value(Some(stored)) = said {
            self.seen(read.key, stored, rightful);
            returned.push(stored.write);
        }
        returned.extend(reflected.saw.iter().filter_map(|saw| self.by_version.get(saw)));
        if self.window.contains(read.invoked) {
            self.judge(read, answered, reflected, &returned);
        }
        self.returned = returned;
    }

    fn judge(&mut self, read: &OpenOp, answered: Time, reflected: Reflected<'_>, returned: &[Write]) {
        let OpenOp { client, key, invoked, .. } = *read;
        let totals = &mut self.totals[client.index()];
        totals.reads += 1;
        let lanes = || self.space.lanes_of(key).zip(reflected.versions);
        let missed = |loss: &Loss| {
            let due = loss.since < invoked && loss.until.is_none_or(|until| invoked <= until);
            due && lanes().any(|(lane, version)| lane == loss.lane && *version < loss.version)
        };
        if self.losses.get(&key).is_some_and(|losses| losses.iter().any(missed)) {
            totals.missing_lost += 1;
        }
        let known = || returned.iter().filter_map(|write| self.records.get(write.0));
        totals.early += u64::from(known().any(|known| known.committed.is_none_or(|at| at > answered)));
        if known().any(|known| matches!(known.fate, Fate::Abandoned(_) | Fate::Failed)) {
            totals.dirty += 1;
            return;
        }
        if let [_, _, ..] = returned {
            let is_open = |write: &&Write| self.records.get(write.0).is_some();
            let open: Vec<Write> = returned.iter().filter(is_open).copied().collect();
            if !open.is_empty() {
                self.siblings.add(client, open, 1);
            }
            return;
        }
        let Some(known) = returned.first().and_then(|write| self.records.get_mut(write.0)) else { return };
        let clients = self.totals.len();
        let slot = *known.slot.get_or_insert_with(|| {
            self.free_slots.pop().unwrap_or_else(|| {
                self.returned_by.resize(self.returned_by.len() + clients, 0);
                (self.returned_by.len() / clients - 1) as u32
            })
        });
        self.returned_by[slot as usize * clients + client.index()] += 1;
    }

    pub(crate) fn into_results(self) -> Vec<AnomalyTotals> {
        self.totals
    }

    fn abandon(&mut self, now: Time, write: Write) {
        let Some(known) = self.records.get_mut(write.0) else { return };
        known.fate = Fate::Abandoned(now);
        let Known { key, version, acked, .. } = *known;
        if acked {
            self.lose(key, version, now, now);
        }
        self.book_dirty(write);
    }

    /// The reads that returned the write were dirty.
    fn book_dirty(&mut self, write: Write) {
        for (client, reads) in self.siblings.take(write) {
            self.totals[client.index()].dirty += reads;
        }
        let Some(slot) = self.records.get_mut(write.0).and_then(|known| known.slot.take()) else { return };
        let first = slot as usize * self.totals.len();
        for (totals, reads) in self.totals.iter_mut().zip(&mut self.returned_by[first..]) {
            totals.dirty += u64::from(std::mem::take(reads));
        }
        self.free_slots.push(slot);
    }

    fn lose(&mut self, lane: Key, version: Version, abandoned: Time, since: Time) {
        let key = self.space.key_of(lane);
        if self.acked[key.index()] > abandoned {
            return; // a later write has been acked already
        }
        let losses = self.losses.entry(key).or_default();
        let same = |loss: &&mut Loss| (loss.lane, loss.abandoned, loss.since) == (lane, abandoned, since);
        match losses.iter_mut().find(same) {
            Some(loss) => loss.version = loss.version.max(version),
            None => losses.push(Loss { lane, abandoned, since, version, until: None }),
        }
    }

    /// Nothing but a late disaster changes the fate of this write; forgets others of which that is long true.
    fn decide(&mut self, write: Write, rightful: &Rightful) {
        let Some(known) = self.records.get_mut(write.0) else { return };
        if std::mem::replace(&mut known.decided, true) {
            return;
        }
        self.decided.push_back(write);
        while self.decided.len() > self.kept.settled {
            let oldest = self.decided[0].0;
            if let Some(known) = self.records.get(oldest) {
                let stands = known.fate == Fate::Standing;
                if stands && !rightful.held_by_all(known.key, known.version) {
                    return;
                }
                let is_settled = stands && known.committed.is_some_and(|at| at < self.oldest_open);
                if !is_settled && self.decided.len() <= self.kept.all {
                    return;
                }
                if stands {
                    let settled = &mut self.settled[known.key.index()];
                    *settled = known.version.max(*settled);
                }
                self.forget(oldest);
            }
            self.decided.pop_front();
        }
    }

    fn forget(&mut self, write: u64) {
        let Some(known) = self.records.remove(write) else { return };
        if self.space.lanes() > 1 {
            self.by_version.remove(&(known.key, known.version));
            self.siblings.forget(Write(write), |other| self.records.get(other.0).is_some());
        }
        let Some(slot) = known.slot else { return };
        let first = slot as usize * self.totals.len();
        self.returned_by[first..first + self.totals.len()].fill(0);
        self.free_slots.push(slot);
    }
}

#[cfg(test)]
mod tests {
    use replisim_observe::{Client, Member, Observation, OpKind};

    use super::*;

    const KEPT: usize = 10;

    fn two_nodes(settled: usize, all: usize) -> (Anomalies, Rightful) {
        let window = Window { from: Time::ZERO, to: Time::from_nanos(10_000) };
        let space = Keyspace::everywhere(2, 1);
        (Anomalies::new(1, space, window, Kept { settled, all }), Rightful::new(space))
    }

    fn stored(i: u64) -> Stored {
        Stored { version: Version(i), write: Write(i) }
    }

    /// Write `i` is logged by all and committed at time `i`.
    fn commit(anomalies: &mut Anomalies, rightful: &mut Rightful, i: u64) {
        for member in 0..2 {
            let logged = Observation::Logged { member: Member(member), key: Key(0), stored: stored(i) };
            rightful.observe(Time::from_nanos(i), Group(0), &logged);
        }
        anomalies.committed(Time::from_nanos(i), Key(0), stored(i), rightful);
    }

    #[test]
    fn what_is_settled_is_forgotten_early_but_not_under_a_read_that_is_under_way() {
        for (oldest_open, records) in [(1, 500), (100, 401), (1_000, KEPT)] {
            let (mut anomalies, mut rightful) = two_nodes(KEPT, 1_000);
            anomalies.oldest_open(Time::from_nanos(oldest_open));
            (1..=500).for_each(|i| commit(&mut anomalies, &mut rightful, i));
            assert_eq!(anomalies.records.len(), records, "since {oldest_open}");
        }
    }

    #[test]
    fn a_read_answered_before_the_commit_is_early_though_many_were_committed_since() {
        let (mut anomalies, mut rightful) = two_nodes(KEPT, 1_000);
        anomalies.oldest_open(Time::from_nanos(1));
        (2..=300).for_each(|i| commit(&mut anomalies, &mut rightful, i));
        read(&mut anomalies, Time::from_nanos(1), stored(2), &rightful);
        assert_eq!(anomalies.into_results()[0].early, 1);
    }

    #[test]
    fn a_write_that_a_promotion_drops_stays_dirty_though_many_are_dropped() {
        let (mut anomalies, mut rightful) = two_nodes(KEPT, 1_000);
        anomalies.oldest_open(Time::from_nanos(900));
        for i in 1..=300 {
            let logged = Observation::Logged { member: Member(0), key: Key(0), stored: stored(i) };
            rightful.observe(Time::from_nanos(i), Group(0), &logged);
            anomalies.committed(Time::from_nanos(i), Key(0), stored(i), &rightful);
        }
        let now = Time::from_nanos(1_000);
        rightful.observe(now, Group(0), &Observation::Promoted { member: Member(1), floor: Version(1_000) });
        anomalies.promoted(now, Group(0), &rightful);
        read(&mut anomalies, now, stored(1), &rightful);
        let AnomalyTotals { dirty, early, .. } = anomalies.into_results()[0];
        assert_eq!((dirty, early), (1, 0));
    }

    /// Reads the write of this version, which the only client invoked at `now`.
    fn read(anomalies: &mut Anomalies, now: Time, stored: Stored, rightful: &Rightful) {
        let read = OpenOp {
            client: Client(0),
            kind: OpKind::Read,
            key: Key(0),
            scheduled: now,
            invoked: now,
            last_ack: None,
            line: Version(0),
        };
        let versions = &[stored.version];
        let reflected = Reflected { versions, judged: versions, saw: &[] };
        anomalies.returned(&read, (now, Said::Value(Some(stored))), reflected, rightful);
    }

    /// Writes 1 … 100 of one key are committed and read, by one client; all members hold those up to `held`.
    fn after_a_hundred_writes(held: u64) -> (Anomalies, Rightful) {
        let (mut anomalies, mut rightful) = two_nodes(KEPT, KEPT);
        for i in 1..=100 {
            let (now, stored) = (Time::from_nanos(i), stored(i));
            for member in 0..2 {
                if member == 0 || i <= held {
                    rightful.observe(
                        now,
                        Group(0),
                        &Observation::Logged { member: Member(member), key: Key(0), stored },
                    );
                }
            }
            anomalies.committed(now, Key(0), stored, &rightful);
            read(&mut anomalies, now, stored, &rightful);
        }
        (anomalies, rightful)
    }

    #[test]
    fn memory_is_bounded_by_what_members_lack_and_what_is_kept() {
        for (held, records) in [(100, KEPT), (50, 50), (0, 100)] {
            let (anomalies, _) = after_a_hundred_writes(held);
            assert_eq!(anomalies.records.len(), records, "{held} held by all");
            assert_eq!(anomalies.decided.len(), records);
            assert_eq!(anomalies.returned_by.len() - anomalies.free_slots.len(), records);
        }
    }

    #[test]
    fn after_the_loss_of_all_disks_only_what_is_kept_turns_out_dirty_and_nothing_early() {
        let (mut anomalies, mut rightful) = after_a_hundred_writes(100);
        let now = Time::from_nanos(200);
        for member in 0..2 {
            rightful.observe(now, Group(0), &Observation::DiskLost { member: Member(member) });
        }
        let stored = Stored { version: Version(5), write: Write(5) };
        read(&mut anomalies, now, stored, &rightful);
        rightful.observe(now, Group(0), &Observation::Promoted { member: Member(1), floor: Version(1_000) });
        anomalies.promoted(now, Group(0), &rightful);
        let AnomalyTotals { reads, dirty, early, .. } = anomalies.into_results()[0];
        assert_eq!((reads, dirty, early), (101, KEPT as u64, 0));
    }
}
