//! How terms begin and end at a member.

use replisim_engine::Duration;
use replisim_observe::Member;

use super::disk::Office;
use super::intent::Intent;
use super::lease::Lease;
use super::message::Timer;
use super::primary::{Primary, Stage};
use super::replica::Replica;
use super::settings::Takeover;
use super::{PrimaryBackup, Role};
use crate::protocol::{Effects, Span};

impl PrimaryBackup {
    /// There is a later term: this member is no primary any more, whatever it was, and takes no part in earlier ones.
    /// Clients that wait for a commit get no answer: what becomes of their writes is no longer decided here.
    pub(super) fn hear_of(
        &mut self,
        term: u32,
        leader: Option<Member>,
        out: &mut impl Effects<PrimaryBackup>,
    ) {
        self.disk.office = Office { term, primary: false };
        self.promise(Intent::Promise, out);
        let (suspects, committed) = match &self.role {
            Role::Primary(primary) => {
                [Timer::Ship, Timer::Patience, Timer::Serve].into_iter().for_each(|timer| out.disarm(timer));
                self.watch(out);
                (false, primary.committed)
            }
            Role::Replica(replica) => (replica.suspects, replica.committed),
        };
        out.disarm(Timer::Heartbeat);
        self.role = Role::Replica(Replica { leader, suspects, committed, ..Replica::default() });
    }

    /// Makes itself primary of a term of its own, unasked.
    pub(super) fn claim(&mut self, ordered: bool, out: &mut impl Effects<PrimaryBackup>) {
        let Some(term) = self.settings.next_term(self.disk.office.term, ordered) else { return };
        self.hear_of(term, None, out);
        self.take_office(out);
    }

    /// Nothing stands against being the primary of the present term but that it must be written down first.
    pub(super) fn take_office(&mut self, out: &mut impl Effects<PrimaryBackup>) {
        let term = self.disk.office.term;
        self.disk.office.primary = true;
        self.promise(Intent::Begin { term }, out);
    }

    /// The term begins.
    pub(super) fn begin_term(&mut self, out: &mut impl Effects<PrimaryBackup>) {
        let Role::Replica(replica) = &mut self.role else { return };
        let candidacy = replica.candidacy.take();
        let disk = &mut self.disk;
        let first = disk.log.end() + 1;
        disk.history.begin(disk.office.term, first);
        disk.incomplete = None;
        disk.apply_upto(disk.synced, out);
        let committed = match self.settings.wait {
            None => disk.log.end(),
            Some(_) => replica.committed.max(disk.log.trimmed()).min(disk.log.end()),
        };
        [Timer::Suspect, Timer::Stand].into_iter().for_each(|timer| out.disarm(timer));
        let by_order = candidacy.as_ref().is_some_and(|candidacy| candidacy.forced);
        let stage = if by_order { Stage::Waiting } else { Stage::Ready };
        let mut primary = Primary::new(&self.settings, stage, first, committed);
        // Whoever has voted for this member suspects nobody from then on: that was the first answer.
        if let Some(candidacy) = candidacy.filter(|_| !by_order) {
            primary.round = candidacy.heartbeats + 1;
            primary.lease = Lease::from(candidacy.asked);
        }
        self.role = Role::Primary(primary);
        self.start_rhythms(out);
        (0..self.settings.members as usize - 1).for_each(|i| self.lead(i, out));
        if by_order {
            out.arm(Timer::Serve, Span::exactly(self.settings.lease()));
        }
        self.try_to_serve(out);
        self.answer_waiting(out);
    }

    /// The phases of both rhythms are drawn; from then on they keep to multiples.
    pub(super) fn start_rhythms(&mut self, out: &mut impl Effects<PrimaryBackup>) {
        if self.settings.ship_every > Duration::ZERO {
            out.arm(Timer::Ship, Span { least: Duration::ZERO, most: self.settings.ship_every });
        }
        out.arm(Timer::Heartbeat, Span { least: Duration::ZERO, most: self.settings.heartbeat });
    }

    /// Whoever was the primary has stopped by now.
    pub(super) fn end_wait(&mut self, out: &mut impl Effects<PrimaryBackup>) {
        if let Role::Primary(primary) = &mut self.role
            && primary.stage == Stage::Waiting
        {
            primary.stage = Stage::Ready;
            self.try_to_serve(out);
        }
    }

    /// Whether a primary that starts again takes up its office by itself.
    pub(super) fn resumes(&self) -> bool {
        let alone = self.settings.members == 1;
        self.disk.office.primary && (alone || !matches!(self.settings.takeover, Takeover::Automatic { .. }))
    }
}
