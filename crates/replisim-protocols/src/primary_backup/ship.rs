//! How the log gets from the primary to the replicas: shipped in order, a window at a time, asked for again where
//! something is missing, kept until everybody has it, and forgotten when it weighs too much.

use replisim_observe::Member;

use super::config::AckAt;
use super::message::{Lead, Message, Timer};
use super::primary::{Peer, Primary};
use super::ranks::Ranks;
use super::{PrimaryBackup, Role};
use crate::bug_shelf::Bug;
use crate::protocol::{Effects, Span};

/// What a replica says of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) joining: u32,
    pub(super) round: u64,
    pub(super) received: u64,
    pub(super) logged: u64,
    pub(super) level: bool,
    pub(super) partial: bool,
}

/// What a replica asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Missing {
    pub(super) after: u64,
    pub(super) upto: u64,
    pub(super) round: u64,
}

impl PrimaryBackup {
    /// Sends every replica what it has not been sent.
    pub(super) fn ship_new(&mut self, out: &mut impl Effects<PrimaryBackup>) {
        let Role::Primary(primary) = &self.role else { return };
        for i in 0..primary.peers.len() {
            self.ship(i, out);
        }
    }

    /// Sends one replica what it has not been sent, as far as the window allows.
    fn ship(&mut self, i: usize, out: &mut impl Effects<PrimaryBackup>) {
        let Role::Primary(Primary { peers, .. }) = &mut self.role else { return };
        let (term, synced, log) = (self.disk.office.term, self.disk.synced, &self.disk.log);
        let peer = &mut peers[i];
        if !peer.heard || peer.copying.is_some() {
            return;
        }
        while peer.shipped < synced
            && log.through(peer.shipped).saturating_sub(peer.received_through) < self.settings.window
            && let Some(batch) = log.batch(peer.shipped, synced, self.settings.batch)
        {
            let after = peer.shipped;
            peer.shipped += batch.entries().len() as u64;
            out.send(peer.member, Message::Append { term, after, batch });
        }
    }

    /// Sends one replica a part of the log again, as far as the window allows; but not what has been sent again
    /// already, unless a heartbeat sent well after it has arrived since: it may still wait for its turn on the way.
    pub(super) fn ship_again(
        &mut self,
        to: Member,
        Missing { after, upto, round }: Missing,
        out: &mut impl Effects<PrimaryBackup>,
    ) {
        let Role::Primary(primary) = &mut self.role else { return };
        let i = Primary::peer_index(self.settings.me, to);
        let (term, log, peer) = (self.disk.office.term, &self.disk.log, &mut primary.peers[i]);
        let upto = upto.min(self.disk.synced);
        let mut after = after.max(peer.received); // the question may be older than what came in the meantime
        if after >= upto || !peer.heard || peer.copying.is_some() {
            return;
        }
        if after < log.trimmed() {
            return self.start_copy(i, out);
        }
        if after < peer.again && round < peer.again_round + 2 {
            after = peer.again;
        } else if after < peer.again || peer.again <= peer.received {
            peer.again_round = primary.round;
        }
        while after < upto
            && log.through(after).saturating_sub(peer.received_through) < self.settings.window
            && let Some(batch) = log.batch(after, upto, self.settings.batch)
        {
            let count = batch.entries().len() as u64;
            out.send(to, Message::Append { term, after, batch });
            after += count;
            peer.again = peer.again.max(after);
        }
    }

    /// A replica says how far it is.
    pub(super) fn acknowledged(
        &mut self,
        from: Member,
        said: Standing,
        out: &mut impl Effects<PrimaryBackup>,
    ) {
        let Role::Primary(primary) = &mut self.role else { return };
        let i = Primary::peer_index(self.settings.me, from);
        let Primary { peers, acknowledged, logged, rounds, .. } = primary;
        let peer = &mut peers[i];
        if peer.joining != said.joining && !Bug::CrashedCounted.is_on() {
            return; // said before a crash
        }
        if !peer.heard {
            peer.heard = true;
            peer.shipped = said.received;
        }
        peer.received = peer.received.max(said.received);
        if peer.received >= self.disk.log.trimmed() {
            peer.received_through = self.disk.log.through(peer.received);
        }
        peer.shipped = peer.shipped.max(said.received);
        raise(rounds, &mut peer.round, said.round);
        raise(logged, &mut peer.logged, said.logged);
        if !said.partial {
            let counts = match self.settings.ack_at {
                AckAt::Received => said.received,
                AckAt::Logged | AckAt::Applied => said.logged,
            };
            raise(acknowledged, &mut peer.counted, counts);
        }
        if peer.copying.as_ref().is_some_and(|copying| copying.position <= said.received) {
            peer.copying = None;
        }
        if peer.shipped < self.disk.log.trimmed() && peer.copying.is_none() {
            self.start_copy(i, out);
        }
        if said.level {
            self.relent(i);
        }
        self.extend_lease();
        self.try_to_serve(out);
        self.advance_commit(out);
        if self.settings.ship_every.nanos() == 0 {
            self.ship(i, out);
        }
        self.trim();
    }

    /// A replica joins, perhaps again: what it said before no longer counts.
    pub(super) fn joined(&mut self, from: Member, out: &mut impl Effects<PrimaryBackup>) {
        let Role::Primary(primary) = &mut self.role else { return };
        let i = Primary::peer_index(self.settings.me, from);
        let Primary { peers, acknowledged, logged, rounds, degraded, .. } = primary;
        let peer = &mut peers[i];
        if let Some(degraded) = degraded.as_mut().filter(|_| peer.level) {
            degraded.level -= 1;
        }
        acknowledged.change(peer.counted, 0);
        logged.change(peer.logged, 0);
        rounds.change(peer.round, 0);
        *peer = Peer { joining: peer.joining + 1, ..Peer::new(from) };
        self.lead(i, out);
    }

    /// Asks one replica to follow.
    pub(super) fn lead(&mut self, i: usize, out: &mut impl Effects<PrimaryBackup>) {
        let Role::Primary(primary) = &self.role else { return };
        let peer = &primary.peers[i];
        let lead = Lead {
            term: self.disk.office.term,
            joining: peer.joining,
            history: self.disk.history.clone(),
            end: self.disk.synced,
        };
        out.send(peer.member, Message::Lead(lead));
    }

    /// Tells every replica how far it ought to be; one that has not been heard of, to follow.
    pub(super) fn beat(&mut self, out: &mut impl Effects<PrimaryBackup>) {
        out.arm(Timer::Heartbeat, Span::exactly(self.settings.heartbeat));
        self.begin_round(out);
        let shows = self.holds_lease(out).then(|| (self.disk.applied, out.local_clock()));
        for i in 0..self.settings.members as usize - 1 {
            let Role::Primary(primary) = &self.role else { return };
            let peer = &primary.peers[i];
            if !peer.heard {
                self.lead(i, out);
                continue;
            }
            let heartbeat = Message::Heartbeat {
                term: self.disk.office.term,
                round: primary.round,
                shipped: peer.shipped,
                end: self.disk.synced,
                committed: primary.committed,
                held: primary.logged.least().unwrap_or(0),
                shows,
            };
            out.send(peer.member, heartbeat);
            self.copy_again(i, out);
        }
    }

    /// Forgets the part of the log that everybody has, or that is too much to keep.
    pub(super) fn trim(&mut self) {
        let (held, committed) = match &self.role {
            Role::Primary(primary) => (primary.logged.least().unwrap_or(self.disk.synced), primary.committed),
            Role::Replica(replica) => (replica.held, u64::MAX),
        };
        let log = &mut self.disk.log;
        let wanted = held.max(log.excess(self.settings.retain));
        log.trim(wanted.min(committed).min(self.disk.synced).min(self.disk.applied));
    }
}

fn raise(ranks: &mut Ranks, number: &mut u64, to: u64) {
    if to > *number {
        ranks.change(*number, to);
        *number = to;
    }
}
