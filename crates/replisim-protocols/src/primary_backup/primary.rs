//! The primary: it takes writes, and decides when each is committed.
//!
//! A write is *logged* at once. It is *committed*, shown to readers, and acknowledged to its client when the commit
//! rule says so: at once (`async`), or when enough replicas have acknowledged its position. What stands in the log
//! before the present term commits only together with the whole log that the term began with: a replica that has
//! less than that could still lose an election to a member that never heard of the term.

use std::collections::VecDeque;

use replisim_engine::Duration;
use replisim_observe::{Key, Member, Op, Stored, Time, Write};

use super::copy::Copying;
use super::intent::Intent;
use super::lease::Lease;
use super::message::Timer;
use super::ranks::Ranks;
use super::settings::Settings;
use super::tokens::Known;
use super::{PrimaryBackup, Role};
use crate::bug_shelf::Bug;
use crate::log::{Entry, entry_bytes};
use crate::protocol::{Change, Effects, Reply, Span, Token, index};

/// What a primary remembers.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Primary {
    pub(super) stage: Stage,
    /// Position of the first entry of its term.
    pub(super) first: u64,
    /// The other members, in order.
    pub(super) peers: Vec<Peer>,
    /// What each replica has, as acknowledgements count it.
    pub(super) acknowledged: Ranks,
    /// What each replica has on its disk.
    pub(super) logged: Ranks,
    /// The last heartbeat that each replica has answered.
    pub(super) rounds: Ranks,
    /// The last heartbeat sent.
    pub(super) round: u64,
    /// When those were sent on which its lease rests.
    pub(super) lease: Lease,
    /// Everything up to here is committed.
    pub(super) committed: u64,
    /// Clients that wait for a commit, in the order of positions.
    pub(super) pending: VecDeque<Pending>,
    /// Whether [`Timer::Patience`] is armed.
    pub(super) patience: bool,
    /// Since when writes do not wait, though they should.
    pub(super) degraded: Option<Degraded>,
}

/// How far a primary is in taking its office.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Stage {
    /// Whoever was the primary may still serve.
    Waiting,
    /// It serves as soon as it holds the lease.
    Ready,
    /// It serves while it holds the lease.
    Serving,
}

/// What the primary knows of a replica.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Peer {
    pub(super) member: Member,
    /// How often it has joined in this term.
    pub(super) joining: u32,
    /// Whether it has acknowledged anything since.
    pub(super) heard: bool,
    /// Sent up to here.
    pub(super) shipped: u64,
    /// It has the log up to here.
    pub(super) received: u64,
    /// The bytes of the log up to there.
    pub(super) received_through: u64,
    /// What it missed has been sent again up to here.
    pub(super) again: u64,
    /// The heartbeat before that.
    pub(super) again_round: u64,
    /// What it counts for in [`Primary::acknowledged`].
    pub(super) counted: u64,
    /// What it counts for in [`Primary::logged`].
    pub(super) logged: u64,
    /// The last heartbeat that it has answered.
    pub(super) round: u64,
    /// Whether it has caught up since the primary stopped waiting.
    pub(super) level: bool,
    /// The copy of the store that it is being sent.
    pub(super) copying: Option<Box<Copying>>,
}

/// A client that waits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Pending {
    position: u64,
    op: Op,
    since: Time,
}

/// The moment at which a primary stopped waiting.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Degraded {
    /// The end of its log then.
    end: u64,
    /// The last heartbeat before.
    round: u64,
    /// How many replicas have caught up since.
    pub(super) level: u32,
}

impl Primary {
    pub(super) fn new(settings: &Settings, stage: Stage, first: u64, committed: u64) -> Primary {
        let peers: Vec<Peer> = settings.others().map(Peer::new).collect();
        let zeros = Ranks::zeros(peers.len());
        Primary {
            stage,
            first,
            acknowledged: zeros.clone(),
            logged: zeros.clone(),
            rounds: zeros,
            peers,
            round: 0,
            lease: Lease::default(),
            committed,
            pending: VecDeque::new(),
            patience: false,
            degraded: None,
        }
    }

    /// Where `member` stands among the peers of `me`.
    pub(super) fn peer_index(me: Member, member: Member) -> usize {
        member.index() - usize::from(member > me)
    }
}

impl Peer {
    pub(super) fn new(member: Member) -> Peer {
        Peer {
            member,
            joining: 0,
            heard: false,
            shipped: 0,
            received: 0,
            received_through: 0,
            again: 0,
            again_round: 0,
            counted: 0,
            logged: 0,
            round: 0,
            level: false,
            copying: None,
        }
    }
}

impl PrimaryBackup {
    /// A client wants to write.
    pub(super) fn write(
        &mut self,
        op: Op,
        key: Key,
        (write, token): (Write, Option<Token>),
        change: Change,
        out: &mut impl Effects<PrimaryBackup>,
    ) {
        if !self.serves(out) {
            return out.reply(op, Reply::Redirect(self.known_primary()));
        }
        match token.map_or(Known::No, |token| self.disk.tokens.know(token)) {
            Known::No => {}
            Known::Logged(stored) => return self.answer_for(op, stored, out),
            Known::Over => return out.reply(op, Reply::Refused),
        }
        let (bytes, deleted) = match change {
            Change::Put { bytes } => (bytes, false),
            Change::Delete => (0, true),
            // Judged against the newest logged value: of two that wait for replicas at once, only one can win.
            Change::CompareAndSet { expected, bytes } => {
                if self.disk.newest(key, out).map(|stored| stored.version) != expected {
                    return out.reply(op, Reply::NotApplied);
                }
                (bytes, false)
            }
        };
        let Role::Primary(primary) = &mut self.role else { return };
        let entry = Entry { term: self.disk.office.term, key, write, bytes, deleted, token };
        self.disk.append(entry, out);
        let position = self.disk.log.end();
        if self.settings.wait.is_none() || primary.degraded.is_some() {
            self.commit_upto(position, out);
            out.reply(op, Reply::Written(entry.stored(position)));
        } else {
            self.await_commit(position, op, out);
        }
        self.persist(Intent::Entries { end: position }, entry_bytes(entry), out);
    }

    /// The operation had been done when another attempt of it came, as this write.
    fn answer_for(&mut self, op: Op, stored: Stored, out: &mut impl Effects<PrimaryBackup>) {
        let Role::Primary(primary) = &self.role else { return };
        match index(stored.version) {
            position if position <= primary.committed || Bug::RetryAnsweredAtOnce.is_on() => {
                out.reply(op, Reply::Written(stored))
            }
            position => self.await_commit(position, op, out),
        }
    }

    /// A client waits for what is at `position` to be committed.
    fn await_commit(&mut self, position: u64, op: Op, out: &mut impl Effects<PrimaryBackup>) {
        let Role::Primary(primary) = &mut self.role else { return };
        let place = primary.pending.partition_point(|pending| pending.position <= position);
        primary.pending.insert(place, Pending { position, op, since: out.local_clock() });
        if let Some(patience) = self.settings.patience.filter(|_| !primary.patience) {
            primary.patience = true;
            out.arm(Timer::Patience, Span::exactly(patience));
        }
    }

    /// Commits what enough replicas have.
    pub(super) fn advance_commit(&mut self, out: &mut impl Effects<PrimaryBackup>) {
        // A primary that may have been replaced says nothing to anybody.
        let (Some(needed), true) = (self.settings.wait, self.serves(out)) else { return };
        let Role::Primary(primary) = &mut self.role else { return };
        let upto = match primary.degraded {
            Some(_) => self.disk.log.end(),
            None => primary.acknowledged.kth(needed).min(self.disk.synced),
        };
        if upto + 1 >= primary.first {
            self.commit_upto(upto, out);
        }
    }

    fn commit_upto(&mut self, upto: u64, out: &mut impl Effects<PrimaryBackup>) {
        let Role::Primary(primary) = &mut self.role else { return };
        let before = self.disk.applied;
        while primary.committed < upto {
            primary.committed += 1;
            let position = primary.committed;
            self.disk.apply_upto(position, out);
            let Some(entry) = self.disk.log.get(position) else { continue };
            let stored = entry.stored(position);
            out.committed(entry.key, stored, entry.bytes);
            while primary.pending.front().is_some_and(|pending| pending.position == position)
                && let Some(pending) = primary.pending.pop_front()
            {
                out.reply(pending.op, Reply::Written(stored));
            }
        }
        if self.disk.applied > before {
            self.answer_waiting(out);
        }
    }

    /// The oldest write may have waited long enough.
    pub(super) fn lose_patience(&mut self, out: &mut impl Effects<PrimaryBackup>) {
        let (Some(patience), Role::Primary(primary)) = (self.settings.patience, &mut self.role) else {
            return;
        };
        primary.patience = false;
        let Some(oldest) = primary.pending.front() else { return };
        let waited = out.local_clock().signed_since(oldest.since).max(0) as u64;
        let left = patience.nanos().saturating_sub(waited);
        if left > 0 {
            primary.patience = true;
            out.arm(Timer::Patience, Span::exactly(Duration::from_nanos(left)));
            return;
        }
        primary.degraded = Some(Degraded { end: self.disk.log.end(), round: primary.round, level: 0 });
        self.advance_commit(out);
    }

    /// A replica that has all that the primary had when it sent a heartbeat after it stopped waiting has caught up.
    pub(super) fn relent(&mut self, i: usize) {
        let (Some(needed), Role::Primary(primary)) = (self.settings.wait, &mut self.role) else { return };
        let (Some(degraded), peer) = (&mut primary.degraded, &mut primary.peers[i]) else { return };
        if !peer.level && peer.round > degraded.round && peer.counted >= degraded.end {
            peer.level = true;
            degraded.level += 1;
            if degraded.level >= needed {
                primary.degraded = None;
                primary.peers.iter_mut().for_each(|peer| peer.level = false);
            }
        }
    }
}
