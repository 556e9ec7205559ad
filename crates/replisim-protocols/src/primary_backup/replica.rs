//! A replica: it takes what the primary of its term sends, in the order of positions, and says how far it is.

use std::collections::BTreeMap;

use replisim_observe::{Member, Time};

use super::config::AckAt;
use super::election::{Ballot, Candidacy};
use super::intent::Intent;
use super::message::{Lead, Message, Timer};
use super::reads::Freshness;
use super::{PrimaryBackup, Role};
use crate::bug_shelf::Bug;
use crate::log::{Batch, Entry, entry_bytes};
use crate::protocol::{Effects, Span};

/// What a replica remembers.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Replica {
    /// The primary, as far as is known here.
    pub(super) leader: Option<Member>,
    /// Whether the log here is a part of the primary's: only then is anything taken from it.
    pub(super) following: bool,
    /// What the primary calls this joining.
    pub(super) joining: u32,
    /// Entries that arrived ahead of a gap, by position.
    pub(super) ahead: BTreeMap<u64, Entry>,
    /// Asked for again up to here.
    pub(super) fetched: u64,
    /// What the heartbeat before the last said we ought to have: by now it has had time to arrive.
    pub(super) expected: u64,
    /// The last heartbeat.
    pub(super) round: u64,
    /// What it said the primary had.
    pub(super) primary_end: u64,
    /// What no replica will ever ask for again.
    pub(super) held: u64,
    /// What is known to be committed.
    pub(super) committed: u64,
    /// How fresh the copy here is.
    pub(super) freshness: Freshness,
    /// Whether the primary has not been heard of for too long.
    pub(super) suspects: bool,
    /// Who asked for a vote, on trial, before this member suspected anything.
    pub(super) asked: Option<(Member, Ballot)>,
    /// This member stands for election.
    pub(super) candidacy: Option<Candidacy>,
}

/// A heartbeat, as it arrives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pulse {
    pub(super) round: u64,
    pub(super) shipped: u64,
    pub(super) end: u64,
    pub(super) committed: u64,
    pub(super) held: u64,
    pub(super) shows: Option<(u64, Time)>,
}

impl PrimaryBackup {
    /// The primary of the term lives.
    pub(super) fn heed(&mut self, primary: Member, out: &mut impl Effects<PrimaryBackup>) {
        let Role::Replica(replica) = &mut self.role else { return };
        replica.leader = Some(primary);
        if replica.suspects {
            replica.suspects = false;
            out.disarm(Timer::Stand);
        }
        replica.asked = None;
        if replica.candidacy.take().is_some() {
            out.disarm(Timer::Heartbeat);
        }
        self.watch(out);
    }

    /// Watches out for the next sign of life.
    pub(super) fn watch(&self, out: &mut impl Effects<PrimaryBackup>) {
        if let Some(after) = self.settings.suspicion() {
            out.arm(Timer::Suspect, Span::exactly(after));
        }
    }

    /// Entries arrive.
    pub(super) fn append(&mut self, after: u64, batch: &Batch, out: &mut impl Effects<PrimaryBackup>) {
        let Role::Replica(replica) = &mut self.role else { return };
        // The next heartbeat asks how to follow; and while the store is copied, the log is of no use.
        if !replica.following || self.disk.incomplete == Some(u64::MAX) {
            return;
        }
        let end_before = self.disk.log.end();
        let mut bytes = 0;
        for (position, entry) in (after + 1..).zip(batch.entries()) {
            let end = self.disk.log.end();
            if position == end + 1 || Bug::NoSequenceCheck.is_on() {
                self.disk.append(*entry, out);
                bytes += entry_bytes(*entry);
            } else if position > end {
                replica.ahead.insert(position, *entry);
            }
        }
        while let Some(entry) = replica.ahead.remove(&(self.disk.log.end() + 1)) {
            self.disk.append(entry, out);
            bytes += entry_bytes(entry);
        }
        let end = self.disk.log.end();
        if !replica.ahead.is_empty() {
            replica.ahead = replica.ahead.split_off(&(end + 1));
        }
        let gap = replica.ahead.first_key_value().map(|(first, _)| first - 1);
        if end > end_before {
            self.persist(Intent::Entries { end }, bytes, out);
            if self.settings.ack_at == AckAt::Received {
                self.acknowledge(out);
            }
        }
        if let Some(upto) = gap {
            self.fetch(upto, out);
        }
    }

    /// A heartbeat arrives.
    pub(super) fn heartbeat(&mut self, from: Member, pulse: Pulse, out: &mut impl Effects<PrimaryBackup>) {
        let term = self.disk.office.term;
        let Role::Replica(replica) = &mut self.role else { return };
        if !replica.following {
            return out.send(from, Message::Join { term });
        }
        replica.round = replica.round.max(pulse.round);
        replica.primary_end = replica.primary_end.max(pulse.end);
        replica.held = replica.held.max(pulse.held);
        replica.committed = replica.committed.max(pulse.committed);
        if let Some((position, clock)) = pulse.shows {
            replica.freshness.heard(position, clock, self.disk.applied);
        }
        let overdue = replica.expected;
        replica.expected = pulse.shipped;
        if self.disk.log.end() < overdue {
            // Asked for before, perhaps: the primary knows whether the answer may be on its way still.
            replica.fetched = self.disk.log.end();
            self.fetch(overdue, out);
        }
        self.trim();
        self.answer_waiting(out);
        self.acknowledge(out);
    }

    /// Says how far this member is.
    pub(super) fn acknowledge(&self, out: &mut impl Effects<PrimaryBackup>) {
        let Role::Replica(Replica {
            leader: Some(leader), following: true, joining, round, primary_end, ..
        }) = self.role
        else {
            return;
        };
        let acknowledge = Message::Acknowledge {
            term: self.disk.office.term,
            joining,
            round,
            received: if Bug::MoreAckedThanHeld.is_on() { primary_end } else { self.disk.log.end() },
            logged: if Bug::AckBeforeLog.is_on() { self.disk.log.end() } else { self.disk.synced },
            level: self.disk.synced >= primary_end,
            partial: self.disk.incomplete.is_some(),
        };
        out.send(leader, acknowledge);
    }

    /// Asks for what is missing up to `upto`, unless it has been asked for.
    fn fetch(&mut self, upto: u64, out: &mut impl Effects<PrimaryBackup>) {
        let term = self.disk.office.term;
        let Role::Replica(replica) = &mut self.role else { return };
        let after = self.disk.log.end().max(replica.fetched);
        if let Some(leader) = replica.leader
            && after < upto
            && !Bug::NoCatchUp.is_on()
        {
            replica.fetched = upto;
            out.send(leader, Message::Fetch { term, after, upto, round: replica.round });
        }
    }

    /// Shows readers what is durable.
    pub(super) fn apply_synced(&mut self, out: &mut impl Effects<PrimaryBackup>) {
        self.disk.apply_upto(self.disk.synced, out);
        if let Role::Replica(replica) = &mut self.role {
            replica.freshness.applied(self.disk.applied);
        }
        self.answer_waiting(out);
    }

    /// A primary wants to be followed; that is written down before it is done.
    pub(super) fn led(&mut self, primary: Member, lead: Lead, out: &mut impl Effects<PrimaryBackup>) {
        let Role::Replica(replica) = &mut self.role else { return };
        if replica.following {
            replica.joining = replica.joining.max(lead.joining);
            self.acknowledge(out);
        } else {
            self.promise(Intent::Follow { primary, lead }, out);
        }
    }

    /// Makes the log here a part of the primary's: what it does not have is taken back.
    pub(super) fn follow(&mut self, primary: Member, lead: Lead, out: &mut impl Effects<PrimaryBackup>) {
        let Role::Replica(replica) = &mut self.role else { return };
        replica.leader = Some(primary);
        replica.joining = replica.joining.max(lead.joining);
        if !replica.following {
            let disk = &mut self.disk;
            let end = disk.log.end();
            let common = if Bug::TailKept.is_on() { end } else { disk.history.common(&lead.history, end) };
            disk.history = lead.history;
            if disk.incomplete.is_none() && common >= disk.log.trimmed() {
                disk.truncate(common, out);
            } else {
                // It is as good as before once it has what its primary has now.
                disk.wipe(out);
                disk.incomplete = Some(lead.end);
            }
            let Role::Replica(replica) = &mut self.role else { return };
            replica.following = true;
            replica.committed = replica.committed.min(common);
            self.apply_synced(out);
        }
        self.acknowledge(out);
    }
}
