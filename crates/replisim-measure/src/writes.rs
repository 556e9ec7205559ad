//! What becomes of writes: replication delay, visibility after the ack, convergence, lag, recovery, loss.
//!
//! One rule everywhere: a member *holds* a write if it has applied it or a version that supersedes it. So a member's
//! state is one version per key, and a write's state the number of members that lack it. Three structures do the work:
//! a record per write until nothing more can be learned of it, the *backlog* of each key (committed writes that some
//! member lacks, in version order), and the commit log, along which each member has a pointer to the oldest committed
//! write that it lacks: its lag is the age of that write.
//!
//! A member that holds a superseding version when the version of a write first becomes known is taken to have held
//! it at the commit.

use std::collections::VecDeque;

use replisim_observe::{Key, Member, Outcome, Stored, Time, Version, Window, Write};

use crate::distribution::{COARSE_DIGITS, DIGITS, Distribution};
use crate::records::Records;
use crate::series::{LagSeries, Slices};
use crate::weighted::{BITS, COARSE_BITS, TimeWeighted};

/// Everything measured about writes.
#[derive(Clone, Debug)]
pub struct Writes {
    window: Window,
    members: usize,
    records: Records<Record>,
    keys: Vec<KeyState>,
    /// `held[key × members + member]`: the version the member shows, 0 for none.
    held: Vec<Version>,
    log: CommitLog,
    nodes: Vec<NodeState>,
    /// Of faults that ended since the last one began.
    recoveries: Vec<Recovery>,
    slices: Slices,
    /// The results.
    pub(crate) totals: WriteTotals,
}

/// What has been found out about writes.
#[derive(Clone, Debug, Default)]
pub struct WriteTotals {
    pub(crate) visible_after_ack: Distribution,
    pub(crate) convergence: Distribution,
    pub(crate) inconsistency_window: Distribution,
    pub(crate) recovery_convergence: Distribution,
    /// Over the whole run.
    pub(crate) committed: u64,
    pub(crate) converged: u64,
    pub(crate) unconverged: u64,
    pub(crate) abandoned: u64,
    /// Over the window.
    pub(crate) committed_in_window: u64,
    pub(crate) unconverged_in_window: u64,
    pub(crate) abandoned_in_window: u64,
    pub(crate) acked_in_window: u64,
    pub(crate) lost_in_window: u64,
    pub(crate) backlog_peak: usize,
}

/// One write, until it is acked or given up, and converged or abandoned.
#[derive(Clone, Copy, Debug)]
struct Record {
    key: Key,
    version: Option<Version>,
    committed: Option<Time>,
    ack: Ack,
    /// When the last member that lacked it came to hold it.
    converged: Option<Time>,
    abandoned: bool,
    accepted_by: Member,
    /// Members that lack it.
    missing: u32,
    /// Position in the commit log.
    log_position: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ack {
    Awaited,
    At(Time),
    Never,
}

#[derive(Clone, Debug, Default)]
struct KeyState {
    /// Committed, not abandoned, and missing somewhere; in version order.
    backlog: VecDeque<(Version, Write)>,
    /// Invoked, and not yet both committed and answered: who applies them early is remembered.
    open: Vec<Open>,
    /// A version that every member has held, and since when.
    held_by_all: (Version, Time),
}

/// A write of which the commit or the answer is still to come.
#[derive(Clone, Debug)]
struct Open {
    write: Write,
    version: Option<Version>,
    applied: Vec<(Member, Time)>,
}

/// Committed writes in the order of commit, from the oldest that some member lacks.
#[derive(Clone, Debug, Default)]
struct CommitLog {
    first: u64,
    entries: VecDeque<LogEntry>,
}

#[derive(Clone, Copy, Debug)]
struct LogEntry {
    committed: Time,
    version: Version,
    key: Key,
    abandoned: bool,
}

/// The lag of one member.
#[derive(Clone, Debug)]
struct NodeState {
    /// Position of the oldest committed write that it lacks; the end of the log if it lacks none.
    pointer: u64,
    /// How many it lacks.
    versions: u64,
    /// When its lag last changed its course, and what it has been since.
    since: Time,
    oldest: Option<Time>,
    delay: Distribution,
    lag: TimeWeighted,
    lag_versions: TimeWeighted,
    series: LagSeries,
}

/// A wait for all members to hold what was committed before a fault ended.
#[derive(Clone, Copy, Debug)]
struct Recovery {
    ended: Time,
    log_position: u64,
}

/// Results for one node.
#[derive(Clone, Debug)]
pub(crate) struct NodeResult {
    pub(crate) delay: Distribution,
    pub(crate) lag: TimeWeighted,
    pub(crate) lag_versions: TimeWeighted,
    pub(crate) series: LagSeries,
}

impl Writes {
    /// Nothing seen yet.
    pub fn new(members: usize, keys: usize, window: Window, slices: Slices) -> Writes {
        let (digits, bits) = if members > 64 { (COARSE_DIGITS, COARSE_BITS) } else { (DIGITS, BITS) };
        let node = NodeState {
            pointer: 0,
            versions: 0,
            since: Time::ZERO,
            oldest: None,
            delay: Distribution::new(digits),
            lag: TimeWeighted::new(bits),
            lag_versions: TimeWeighted::new(bits),
            series: LagSeries::new(slices.count),
        };
        Writes {
            window,
            members,
            records: Records::default(),
            keys: vec![KeyState::default(); keys],
            held: vec![Version(0); keys * members],
            log: CommitLog::default(),
            nodes: vec![node; members],
            recoveries: Vec::new(),
            slices,
            totals: WriteTotals::default(),
        }
    }

    pub(crate) fn invoked(&mut self, write: Write, key: Key) {
        let record = Record {
            key,
            version: None,
            committed: None,
            ack: Ack::Awaited,
            converged: None,
            abandoned: false,
            accepted_by: Member(0),
            missing: 0,
            log_position: 0,
        };
        self.records.insert(write.0, record);
        self.keys[key.index()].open.push(Open { write, version: None, applied: Vec::new() });
    }

    pub(crate) fn committed(&mut self, now: Time, write: Write, version: Version, accepted_by: Member) {
        let Some(record) = self.records.get_mut(write.0) else { return };
        let key = record.key;
        record.version = Some(version);
        record.committed = Some(now);
        record.accepted_by = accepted_by;
        record.log_position = self.log.end();
        let in_window = self.window.contains(now);
        self.totals.committed += 1;
        self.totals.committed_in_window += u64::from(in_window);
        self.log.entries.push_back(LogEntry { committed: now, version, key, abandoned: false });

        let open = self.keys[key.index()].open.iter_mut().find(|open| open.write == write);
        let applied = open.map(|open| {
            open.version = Some(version);
            &open.applied[..]
        });
        let mut missing = 0;
        for (i, node) in self.nodes.iter_mut().enumerate() {
            let member = Member(i as u32);
            if self.held[key.index() * self.members + i] >= version {
                let early = applied.and_then(|applied| applied.iter().find(|(other, _)| *other == member));
                let at = early.map_or(now, |(_, at)| *at);
                if member != accepted_by && in_window {
                    node.delay.record(at.signed_since(now));
                }
            } else {
                missing += 1;
                node.change(now, &self.window, &self.slices, |node| node.versions += 1);
            }
        }
        record.missing = missing;
        if missing == 0 {
            self.converge(now, write);
        } else {
            let backlog = &mut self.keys[key.index()].backlog;
            let place = backlog.partition_point(|(other, _)| *other < version);
            backlog.insert(place, (version, write));
        }
        (0..self.members).for_each(|i| self.advance(now, i));
        self.settle_record(write);
    }

    pub(crate) fn applied(&mut self, now: Time, member: Member, key: Key, stored: Stored) {
        let Stored { version, write } = stored;
        if let Some(record) = self.records.get_mut(write.0) {
            record.version.get_or_insert(version);
        }
        let held = &mut self.held[key.index() * self.members + member.index()];
        let before = *held;
        let state = &mut self.keys[key.index()];
        for open in &mut state.open {
            if open.write == write {
                open.version.get_or_insert(version);
            }
            if open.version.is_some_and(|open| before < open && open <= version) {
                open.applied.push((member, now));
            }
        }
        if version <= before {
            return;
        }
        *held = version;

        let first = state.backlog.partition_point(|(other, _)| *other <= before);
        let last = state.backlog.partition_point(|(other, _)| *other <= version);
        let mut converged = Vec::new(); // allocates only where something converges
        for i in first..last {
            let (_, write) = self.keys[key.index()].backlog[i];
            let Some(record) = self.records.get_mut(write.0) else { continue };
            record.missing -= 1;
            if record.missing == 0 {
                converged.push(write);
            }
            let Some(committed) = record.committed else { continue };
            if self.window.contains(committed) && member != record.accepted_by {
                let delay = now.signed_since(committed);
                self.nodes[member.index()].delay.record(delay);
                if let Ack::At(acked) = record.ack {
                    self.totals.visible_after_ack.record(now.signed_since(acked));
                }
            }
        }
        if last > first {
            let gained = (last - first) as u64;
            self.nodes[member.index()]
                .change(now, &self.window, &self.slices, |node| node.versions -= gained);
            self.advance(now, member.index());
        }
        for write in converged {
            let backlog = &mut self.keys[key.index()].backlog;
            if let Some(place) = backlog.iter().position(|(_, other)| *other == write) {
                backlog.remove(place);
            }
            self.converge(now, write);
            self.settle_record(write);
        }
    }

    /// The client learned how its write ended.
    pub(crate) fn answered(&mut self, now: Time, write: Write, outcome: Outcome) {
        let Some(record) = self.records.get_mut(write.0) else { return };
        let acked = outcome == Outcome::Ok;
        record.ack = if acked { Ack::At(now) } else { Ack::Never };
        let record = *record;
        if acked && record.committed.is_some_and(|committed| self.window.contains(committed)) {
            self.totals.acked_in_window += 1;
            if record.abandoned {
                self.totals.lost_in_window += 1;
            } else {
                self.sample_what_was_visible_before_the_ack(now, write, &record);
            }
        }
        if outcome == Outcome::Failed {
            // It certainly never happens, so nothing more can be learned of it.
            self.keys[record.key.index()].open.retain(|open| open.write != write);
            self.records.remove(write.0);
        }
        self.settle_record(write);
    }

    fn sample_what_was_visible_before_the_ack(&mut self, now: Time, write: Write, record: &Record) {
        let open = self.keys[record.key.index()].open.iter().find(|open| open.write == write);
        for (member, at) in open.iter().flat_map(|open| &open.applied) {
            if *member != record.accepted_by {
                self.totals.visible_after_ack.record(at.signed_since(now));
            }
        }
        if let Some(converged) = record.converged {
            self.totals.inconsistency_window.record(converged.signed_since(now).max(0));
        }
    }

    pub(crate) fn abandoned(&mut self, now: Time, write: Write) -> Option<(Key, Version)> {
        let record = self.records.get_mut(write.0)?;
        let (Some(committed), Some(version), false) = (record.committed, record.version, record.abandoned)
        else {
            return None;
        };
        record.abandoned = true;
        let record = *record;
        let in_window = self.window.contains(committed);
        self.totals.abandoned += 1;
        self.totals.abandoned_in_window += u64::from(in_window);
        if in_window && matches!(record.ack, Ack::At(_)) {
            self.totals.lost_in_window += 1;
        }
        self.keys[record.key.index()].backlog.retain(|(_, other)| *other != write);
        if let Some(entry) = self.log.get_mut(record.log_position) {
            entry.abandoned = true;
        }
        for i in 0..self.members {
            if self.held[record.key.index() * self.members + i] < version {
                self.nodes[i].change(now, &self.window, &self.slices, |node| node.versions -= 1);
            }
            self.advance(now, i);
        }
        self.settle_record(write);
        Some((record.key, version))
    }

    pub(crate) fn fault_began(&mut self, now: Time) {
        self.give_up_recoveries(now);
    }

    pub(crate) fn fault_ended(&mut self, now: Time) {
        // A fault that the end of the clients' time heals counts too.
        if self.window.from <= now && now <= self.window.to {
            self.recoveries.push(Recovery { ended: now, log_position: self.log.end() });
            self.check_recoveries(now);
        }
    }

    /// The run is over: what is missing now stays missing.
    pub(crate) fn ended(&mut self, now: Time) {
        self.give_up_recoveries(now);
        for node in &mut self.nodes {
            node.change(now, &self.window, &self.slices, |_| {});
        }
        for (_, record) in self.records.iter() {
            let (Some(committed), None, false) = (record.committed, record.converged, record.abandoned)
            else {
                continue;
            };
            self.totals.unconverged += 1;
            if !self.window.contains(committed) {
                continue;
            }
            self.totals.unconverged_in_window += 1;
            let since_commit = now.since(committed).nanos();
            let since_ack = match record.ack {
                Ack::At(acked) => Some(now.since(acked).nanos()),
                Ack::Awaited | Ack::Never => None,
            };
            self.totals.convergence.record_censored(since_commit);
            since_ack.into_iter().for_each(|bound| self.totals.inconsistency_window.record_censored(bound));
            for (i, node) in self.nodes.iter_mut().enumerate() {
                let held = self.held[record.key.index() * self.members + i];
                if i == record.accepted_by.index() || record.version.is_none_or(|version| held >= version) {
                    continue;
                }
                node.delay.record_censored(since_commit);
                since_ack.into_iter().for_each(|bound| self.totals.visible_after_ack.record_censored(bound));
            }
        }
        self.totals.converged = self.totals.committed - self.totals.abandoned - self.totals.unconverged;
        self.totals.backlog_peak = self.records.most_live();
    }

    /// The version of a write that has not been abandoned, if it is known.
    pub(crate) fn version_if_standing(&self, write: Write) -> Option<Version> {
        self.records.get(write.0).filter(|record| !record.abandoned)?.version
    }

    /// The newest version of `key` that every member holds, and since when.
    pub(crate) fn held_by_all(&self, key: Key) -> (Version, Time) {
        self.keys[key.index()].held_by_all
    }

    pub(crate) fn into_results(self) -> (WriteTotals, Vec<NodeResult>) {
        let nodes = self.nodes.into_iter().map(|node| NodeResult {
            delay: node.delay,
            lag: node.lag,
            lag_versions: node.lag_versions,
            series: node.series,
        });
        (self.totals, nodes.collect())
    }

    /// Every member holds the write from now on.
    fn converge(&mut self, now: Time, write: Write) {
        let Some(record) = self.records.get_mut(write.0) else { return };
        record.converged = Some(now);
        if let Some(version) = record.version {
            let held_by_all = &mut self.keys[record.key.index()].held_by_all;
            if version > held_by_all.0 {
                *held_by_all = (version, now);
            }
        }
        let Some(committed) = record.committed.filter(|committed| self.window.contains(*committed)) else {
            return;
        };
        self.totals.convergence.record(now.since(committed).nanos() as i64);
        if let Ack::At(acked) = record.ack {
            self.totals.inconsistency_window.record(now.signed_since(acked).max(0));
        }
    }

    /// Forgets what nothing more can be learned of.
    fn settle_record(&mut self, write: Write) {
        let Some(record) = self.records.get(write.0) else { return };
        let answered = record.ack != Ack::Awaited;
        if answered && record.committed.is_some() {
            self.keys[record.key.index()].open.retain(|open| open.write != write);
        }
        let done = record.converged.is_some() || record.abandoned;
        if answered && done {
            self.records.remove(write.0);
        }
    }

    /// Moves a member's pointer past what it holds.
    fn advance(&mut self, now: Time, member: usize) {
        let node = &mut self.nodes[member];
        let before = node.pointer;
        while let Some(entry) = self.log.get(node.pointer) {
            if !entry.abandoned && self.held[entry.key.index() * self.members + member] < entry.version {
                break;
            }
            node.pointer += 1;
        }
        let oldest = self.log.get(node.pointer).map(|entry| entry.committed);
        if oldest != node.oldest {
            node.change(now, &self.window, &self.slices, |node| node.oldest = oldest);
        }
        if node.pointer > before && before == self.log.first {
            let least = self.nodes.iter().map(|node| node.pointer).min().unwrap_or_default();
            self.log.trim(least);
            self.check_recoveries(now);
        }
    }

    fn check_recoveries(&mut self, now: Time) {
        if self.recoveries.is_empty() {
            return;
        }
        let least = self.nodes.iter().map(|node| node.pointer).min().unwrap_or_default();
        let done = self.recoveries.extract_if(.., |recovery| recovery.log_position <= least);
        for recovery in done {
            self.totals.recovery_convergence.record(now.since(recovery.ended).nanos() as i64);
        }
    }

    fn give_up_recoveries(&mut self, now: Time) {
        for recovery in self.recoveries.drain(..) {
            self.totals.recovery_convergence.record_censored(now.since(recovery.ended).nanos());
        }
    }
}

impl NodeState {
    /// Books the time since the last change, then makes the next.
    #[inline]
    fn change(&mut self, now: Time, window: &Window, slices: &Slices, change: impl FnOnce(&mut NodeState)) {
        if now > self.since {
            self.series.add(slices, self.since, now, self.oldest, self.versions);
            let (from, to) = (self.since.max(window.from), now.min(window.to));
            if from < to {
                match self.oldest {
                    Some(oldest) => self.lag.add_ramp(from.since(oldest).nanos(), to.since(oldest).nanos()),
                    None => self.lag.add_level(0, to.since(from).nanos()),
                }
                self.lag_versions.add_level(self.versions, to.since(from).nanos());
            }
            self.since = now;
        }
        change(self);
    }
}

impl CommitLog {
    fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    fn get(&self, position: u64) -> Option<&LogEntry> {
        self.entries.get(position.checked_sub(self.first)? as usize)
    }

    fn get_mut(&mut self, position: u64) -> Option<&mut LogEntry> {
        self.entries.get_mut(position.checked_sub(self.first)? as usize)
    }

    fn trim(&mut self, upto: u64) {
        while self.first < upto && self.entries.pop_front().is_some() {
            self.first += 1;
        }
    }
}
