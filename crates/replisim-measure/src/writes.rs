//! What becomes of writes: replication delay, visibility after the ack, convergence, lag, recovery, loss.
//!
//! One rule everywhere: a member *holds* a write if it shows it or a version that supersedes it. So a member's state is
//! one version per key and lane (`Replicas`), and a write's state the number of owners that lack it. A write has a record
//! until nothing more can be learned of it, or until it [retires](crate::retirement); each key keeps its *standing*
//! writes (committed, and neither abandoned nor retired) in version order, so that what a member gains or loses with a
//! new version is a range.
//!
//! - Here: a write is invoked, committed, answered; when its samples are taken.
//! - `copies`: a member's copies change.
//! - `history`: writes are abandoned, converge, retire.
//! - `end`: what there is to say at the end.
//!
//! The delay of a write at a member ends when that member *first* comes to hold it, from when its version is known on;
//! a member that held a superseding version before is taken to have held it at the commit.

mod copies;
mod end;
mod history;

use std::collections::{BTreeSet, VecDeque};

use replisim_observe::{
    Fault, Key, Member, Outcome, PromotionRule, Roster, Stored, Time, Version, Window, Write, prefetch,
};

use crate::divergence::Divergence;
use crate::early::Early;
use crate::exposure::Exposure;
use crate::id_set::IdSet;
use crate::lag::Lag;
use crate::members::Members;
use crate::records::Records;
use crate::recovery::Recoveries;
use crate::replicas::Replicas;
use crate::retirement::{Block, LostBlock, Settled};
use crate::rightful::Rightful;
use crate::samples::Samples;
use crate::search::count_before;
use crate::series::Slices;
use crate::trail::Trail;

pub(crate) use end::WriteResults;

/// Everything measured about writes.
#[derive(Clone, Debug)]
pub struct Writes {
    window: Window,
    records: Records<Record>,
    /// Writes without a record that may still be committed: unanswered for good, and nowhere seen (or excluded).
    unheard: IdSet,
    keys: Vec<KeyState>,
    replicas: Replicas,
    /// Standing writes in the order of their commits; by group.
    commits: Vec<Trail>,
    /// How many commits there have been, abandoned at once or not.
    next_commit: u64,
    lags: Vec<Lag>,
    /// Without a primary, what the last node loses is abandoned.
    leaderless: bool,
    recoveries: Recoveries,
    /// Somebody may have recovered, as will be seen when the event is over.
    look_for_recovery: bool,
    /// The live member that lacked the oldest write when that was last looked at.
    last_to_recover: Option<Member>,
    exposure: Exposure,
    divergence: Divergence,
    settled: Settled,
    /// Members that held a write once, and then lost it.
    fallen: BTreeSet<(Write, Member)>,
    /// Scratch space.
    converging: Vec<Write>,
    /// What reads must know of, in the order in which it happened.
    pub(crate) news: Vec<News>,
    totals: WriteTotals,
}

/// What has become of a write, as far as reads are concerned.
#[derive(Clone, Copy, Debug)]
pub(crate) enum News {
    /// It has retired; it may have been acked or not.
    Retired(Key, Version, bool),
    /// What was acked above the first version and up to the second is abandoned now.
    Withdrawn(Key, Version, Version),
    /// All retired writes of the key are abandoned.
    BlockWithdrawn(Key),
    /// No node has anything of the key above the first version any more, and up to the second one had: what was
    /// committed of it is abandoned, if there is no primary.
    Gone(Key, Version, Version),
}

/// What has been found out about writes.
#[derive(Clone, Debug, Default)]
pub(crate) struct WriteTotals {
    pub(crate) visible_after_ack: Samples,
    pub(crate) convergence: Samples,
    pub(crate) inconsistency_window: Samples,
    /// Over the whole run.
    pub(crate) committed: u64,
    pub(crate) unconverged: u64,
    pub(crate) abandoned: u64,
    /// Of those committed in the window.
    pub(crate) committed_in_window: u64,
    pub(crate) acked_in_window: u64,
    pub(crate) unconverged_in_window: u64,
    pub(crate) unconverged_at_live_owners: u64,
    pub(crate) regressed: u64,
    pub(crate) abandoned_in_window: u64,
    pub(crate) lost: u64,
    pub(crate) lost_then_overwritten: u64,
    pub(crate) stranded: u64,
    pub(crate) backlog_peak: usize,
}

/// One write.
#[derive(Clone, Debug)]
struct Record {
    /// In its lane, once the version is known.
    key: Key,
    version: Option<Version>,
    /// It is abandoned as soon as it is committed.
    excluded: bool,
    committed: Option<Time>,
    bytes: u32,
    accepted_by: Option<Member>,
    ack: Ack,
    /// When all owners held it for the first time.
    converged: Option<Time>,
    regressed: bool,
    abandoned: bool,
    /// Owners that lack it.
    missing: u32,
    /// Members that have it itself in their logs, by their places in the group.
    copies: Members,
    /// Its place among all commits; and among the commits and the acks of its group.
    commit_order: u64,
    commit_position: u64,
    ack_position: u64,
    /// While it is settled.
    ticket: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ack {
    Awaited,
    At(Time),
    Never,
}

#[derive(Clone, Debug, Default)]
struct KeyState {
    standing: VecDeque<(Version, Write)>,
    early: Early,
    block: Block,
    lost_blocks: Vec<LostBlock>,
    /// The newest version that was acked, and held by every owner or then purged by one.
    floor: Version,
}

impl Writes {
    /// Nothing seen yet.
    pub(crate) fn new(roster: &Roster, window: Window, slices: Slices, remembered: usize) -> Writes {
        let members = roster.members.len();
        let replicas = Replicas::new(roster);
        Writes {
            window,
            records: Records::default(),
            unheard: IdSet::default(),
            keys: vec![KeyState::default(); replicas.space.lane_keys()],
            commits: vec![Trail::new(replicas.space.group_size()); replicas.space.groups()],
            next_commit: 0,
            lags: vec![Lag::new(replicas.space, window, slices); members],
            leaderless: roster.promotion == PromotionRule::Leaderless,
            recoveries: Recoveries::new(window),
            look_for_recovery: false,
            last_to_recover: None,
            exposure: Exposure::new(roster.promotion.clone(), &replicas, window, slices),
            divergence: Divergence::new(&replicas, window, slices),
            replicas,
            settled: Settled::new(remembered),
            fallen: BTreeSet::new(),
            converging: Vec::new(),
            news: Vec::new(),
            totals: WriteTotals::default(),
        }
    }

    /// Fetches what is kept of a member and of its copy of a key.
    #[inline]
    pub(crate) fn foresee(&self, member: Member, key: Key) {
        self.lags.get(member.index()).into_iter().for_each(prefetch);
        self.keys.get(key.index()).into_iter().for_each(prefetch);
        self.replicas.foresee(member, key);
    }

    pub(crate) fn invoked(&mut self, now: Time, write: Write, key: Key) {
        let record = Record::new(key, self.replicas.space.group_size());
        self.records.insert(write.0, record);
        self.divergence.write_invoked(now);
        let kept = self.records.len() - self.settled.len();
        self.totals.backlog_peak = self.totals.backlog_peak.max(kept);
    }

    /// A write is committed. Whether it stands: it is not abandoned at once.
    pub(crate) fn committed(
        &mut self,
        now: Time,
        write: Write,
        (key, version, bytes): (Key, Version, u32),
        accepted_by: Member,
        rightful: &Rightful,
    ) -> bool {
        if self.unheard.contains(write.0) {
            self.hear_of(write, key);
        }
        let Some(record) = self.records.get_mut(write.0).filter(|record| record.committed.is_none()) else {
            return false;
        };
        let in_window = self.window.contains(now);
        self.totals.committed += 1;
        self.totals.committed_in_window += u64::from(in_window);
        let early = &mut self.keys[key.index()].early;
        record.learn(key, Stored { version, write }, rightful, early);
        record.committed = Some(now);
        record.bytes = bytes;
        let accepted_by = (!self.leaderless).then_some(accepted_by);
        record.accepted_by = accepted_by;
        if record.excluded {
            record.abandoned = true;
            self.news.push(News::Withdrawn(key, Version(version.0 - 1), version));
            self.totals.abandoned += 1;
            self.totals.abandoned_in_window += u64::from(in_window);
            self.settle(write);
            return false;
        }
        let group = self.replicas.space.group(key);
        let commits = &mut self.commits[group.index()];
        record.commit_order = self.next_commit;
        record.commit_position = commits.push((record.commit_order, now), key, version);
        self.next_commit += 1;
        let shown_by = early.shown_by(version, write);
        for member in self.replicas.owners(key) {
            let lag = &mut self.lags[member.index()];
            let holds = self.replicas.held(member, key).shown >= version;
            let early = shown_by.iter().find(|(other, _)| *other == member).map(|(_, at)| *at);
            if Some(member) != accepted_by
                && in_window
                && let Some(at) = early.or(holds.then_some(now))
            {
                lag.results.delay.record(at.signed_since(now));
            }
            if holds {
                continue;
            }
            record.missing += 1;
            if early.is_some() {
                self.fallen.insert((write, member));
            }
            lag.change(now, |level| {
                level.versions += 1;
                level.bytes += u64::from(bytes);
            });
        }
        let everywhere = record.missing == 0;
        let standing = &mut self.keys[key.index()].standing;
        let place = first_above(standing, version);
        standing.insert(place, (version, write));
        if everywhere {
            self.converge(now, write);
        }
        self.replicas.owners(key).for_each(|member| self.advance(now, member, key));
        self.settle(write);
        true
    }

    /// The client learned how its write ended.
    pub(crate) fn answered(&mut self, now: Time, write: Write, outcome: Outcome) {
        let Some(record) = self.records.get_mut(write.0) else { return };
        let early = &mut self.keys[record.key.index()].early;
        match outcome {
            Outcome::Ok => {
                record.ack = Ack::At(now);
                self.acked(now, write);
            }
            Outcome::Unknown => {
                record.ack = Ack::Never;
                if record.committed.is_none() && (record.version.is_none() || record.excluded) {
                    self.records.remove(write.0);
                    self.unheard.insert(write.0);
                }
            }
            // It certainly never happens, so nothing more can be learned of it.
            Outcome::Failed => {
                record.version.into_iter().for_each(|version| early.remove(version, write));
                self.records.remove(write.0);
            }
        }
        self.settle(write);
    }

    pub(crate) fn fault_began(&mut self, now: Time, fault: Fault) {
        self.recoveries.give_up(now);
        self.lags.iter_mut().for_each(|lag| lag.fault_began(now, fault));
    }

    pub(crate) fn fault_ended(&mut self, now: Time, fault: Fault) {
        self.recoveries.fault_ended(now, self.next_commit);
        self.look_for_recovery = true;
        self.lags.iter_mut().for_each(|lag| lag.fault_ended(now, fault));
    }

    /// The lane and the version of a write, if they are known; and whether it stands, not abandoned.
    pub(crate) fn version(&self, write: Write) -> Option<(Key, Version, bool)> {
        let record = self.records.get(write.0)?;
        Some((record.key, record.version?, !record.abandoned))
    }

    /// The lane and the version of a write, if it is committed and not abandoned.
    pub(crate) fn standing(&self, write: Write) -> Option<(Key, Version)> {
        let record = self.records.get(write.0)?;
        let stands = record.committed.is_some() && !record.abandoned;
        stands.then_some((record.key, record.version?))
    }

    /// The newest tombstone of `key` that a member has purged: whoever sees nothing reflects it.
    #[inline]
    pub(crate) fn purged_upto(&self, key: Key) -> Version {
        self.replicas.purges.newest(key)
    }

    /// A read whose version of `key` lies below this line counts as having returned nothing.
    pub(crate) fn line(&self, key: Key) -> Version {
        self.replicas.line(key)
    }

    /// The newest version of `key` that was acked, and held by every owner or then purged by one.
    #[inline]
    pub(crate) fn floor(&self, key: Key) -> Version {
        self.keys[key.index()].floor
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> + use<> {
        self.replicas.keys()
    }

    /// How many acked writes were committed in the window.
    pub(crate) fn acked_in_window(&self) -> u64 {
        self.totals.acked_in_window
    }

    /// The newest version of `key` that `member` has.
    #[inline]
    pub(crate) fn has(&self, member: Member, key: Key) -> Version {
        self.replicas.copy(member, key).newest()
    }

    /// What the owners of `key` show of it; a tombstone until it is purged.
    #[inline]
    pub(crate) fn shown(&self, key: Key) -> impl Iterator<Item = Version> {
        self.replicas.owners(key).map(move |member| self.replicas.still_shows(member, key))
    }

    /// The newest version of `key` that an owner holds.
    pub(crate) fn newest_held(&self, key: Key) -> Version {
        let held = self.replicas.owners(key).map(|member| self.has(member, key));
        held.max().unwrap_or_default()
    }

    fn acked(&mut self, now: Time, write: Write) {
        let Some(record) = self.records.get_mut(write.0) else { return };
        let (Some(committed), Some(version)) = (record.committed, record.version) else { return };
        let in_window = self.window.contains(committed);
        self.totals.acked_in_window += u64::from(in_window);
        if record.abandoned {
            return;
        }
        record.ack_position = self.exposure.acked(now, (record.key, version, record.bytes), &self.replicas);
        if record.converged.is_some() {
            self.keys[record.key.index()].raise_floor(version);
        }
        if !in_window {
            return;
        }
        for (member, at) in self.keys[record.key.index()].early.shown_by(version, write) {
            if Some(*member) != record.accepted_by {
                self.totals.visible_after_ack.record(at.signed_since(now));
            }
        }
        if let Some(converged) = record.converged {
            self.totals.inconsistency_window.record(converged.signed_since(now).max(0));
        }
    }

    /// `member` has this version of a write: what that tells of the write.
    fn note(&mut self, member: Member, key: Key, Stored { version, write }: Stored, rightful: &Rightful) {
        let heard_of = || self.records.get(write.0).is_some() || !self.unheard.contains(write.0);
        if !rightful.too_late(key, version) && !heard_of() {
            self.hear_of(write, key);
        }
        let Some(record) = self.records.get_mut(write.0) else { return };
        if record.committed.is_none() {
            record.learn(key, Stored { version, write }, rightful, &mut self.keys[key.index()].early);
        }
        if record.excluded && record.ack == Ack::Never {
            self.records.remove(write.0);
            self.unheard.insert(write.0);
        } else if record.version == Some(version) {
            let space = self.replicas.space;
            record.copies.insert(space.slot(space.group(key), member));
        }
    }

    /// A write that had been given up shows up after all.
    fn hear_of(&mut self, write: Write, key: Key) {
        self.unheard.remove(write.0);
        self.records
            .put(write.0, Record { ack: Ack::Never, ..Record::new(key, self.replicas.space.group_size()) });
    }

    /// Finds the oldest write that `member` lacks, where that may have changed in the group of `key`.
    fn advance(&mut self, now: Time, member: Member, key: Key) {
        let group = self.replicas.space.group(key);
        let slot = self.replicas.space.slot(group, member);
        let commits = &mut self.commits[group.index()];
        let oldest = commits.oldest(slot, |key| self.replicas.held_of_owned(member, key).shown);
        self.look_for_recovery |= self.lags[member.index()].set_oldest(now, group, oldest);
    }

    /// An event is over.
    #[inline]
    pub(crate) fn observed(&mut self, now: Time) {
        if std::mem::take(&mut self.look_for_recovery) && !self.recoveries.is_idle() {
            // All members are looked at when the one that lacked the oldest write has caught up, not at every event.
            let lacks = |member: &Member| Some(self.lags[member.index()].oldest()?.0);
            let lacks = |member: &Member| lacks(member).filter(|_| self.replicas.is_up(*member));
            let blocks =
                |member: &Member| lacks(member).is_some_and(|p| self.recoveries.are_all_blocked_by(p));
            if self.last_to_recover.as_ref().is_some_and(blocks) {
                return;
            }
            let oldest = self.replicas.members().filter_map(|member| Some((lacks(&member)?, member))).min();
            self.last_to_recover = oldest.map(|(_, member)| member);
            self.recoveries.look(now, oldest.map(|(position, _)| position));
        }
    }
}

/// The first place in version order above `version`.
#[inline]
fn first_above(standing: &VecDeque<(Version, Write)>, version: Version) -> usize {
    count_before(standing, |(other, _)| *other <= version)
}

impl KeyState {
    fn raise_floor(&mut self, version: Version) {
        self.floor = self.floor.max(version);
    }
}

impl Record {
    fn new(key: Key, members: usize) -> Record {
        Record {
            key,
            version: None,
            excluded: false,
            committed: None,
            bytes: 0,
            accepted_by: None,
            ack: Ack::Awaited,
            converged: None,
            regressed: false,
            abandoned: false,
            missing: 0,
            copies: Members::none_of(members),
            commit_order: 0,
            commit_position: 0,
            ack_position: 0,
            ticket: None,
        }
    }

    /// The version is this one, in this lane. What becomes known after a promotion was not at the promoted member.
    fn learn(&mut self, key: Key, Stored { version, write }: Stored, rightful: &Rightful, early: &mut Early) {
        if self.version == Some(version) {
            return;
        }
        self.key = key;
        if let Some(other) = self.version.replace(version) {
            early.remove(other, write);
            self.copies.clear();
        }
        self.excluded = rightful.too_late(key, version);
        if !self.excluded {
            early.insert(version, write);
        }
    }
}
