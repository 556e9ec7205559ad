//! Operations under way at their coordinator, and whom it sends them to.

use std::collections::VecDeque;

use replisim_engine::Time;
use replisim_observe::{Key, Member, Op};

use super::Quorum;
use super::config::{CommitLog, Hints};
use super::level::{Level, Places};
use super::message::{Attempt, Message, Store};
use super::read::Reading;
use super::ring::Copies;
use super::write::Writing;
use crate::bug_shelf::Bug;
use crate::protocol::{Effects, Span};

/// Operations under way, by attempt; in the order in which they began.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Attempts {
    first: Attempt,
    /// Those that are over leave a gap until all before them are.
    queue: VecDeque<Option<Pending>>,
    /// Whether the timer for the oldest is armed.
    armed: bool,
}

/// An operation under way.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Pending {
    pub(super) op: Op,
    pub(super) key: Key,
    pub(super) since: Time,
    /// Its level, of which the client has been promised as much.
    pub(super) level: Level,
    pub(super) targets: Targets,
    pub(super) kind: Kind,
}

/// Whom an operation was sent to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Targets {
    pub(super) places: Places,
    /// Who stands in for the copies at these places.
    pub(super) stand_ins: Vec<(u32, Member)>,
}

/// What has come of it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Kind {
    Write(Writing),
    Read(Reading),
}

impl Attempts {
    pub(super) fn begin(&mut self, pending: Pending) -> Attempt {
        self.queue.push_back(Some(pending));
        self.first + self.queue.len() as u64 - 1
    }

    pub(super) fn get_mut(&mut self, attempt: Attempt) -> Option<&mut Pending> {
        let i = attempt.checked_sub(self.first)?;
        self.queue.get_mut(i as usize)?.as_mut()
    }

    /// It is over.
    pub(super) fn end(&mut self, attempt: Attempt) -> Option<Pending> {
        let i = attempt.checked_sub(self.first)?;
        let ended = self.queue.get_mut(i as usize)?.take();
        while matches!(self.queue.front(), Some(None)) {
            self.queue.pop_front();
            self.first += 1;
        }
        ended
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// A crash: what was under way is not known any more.
    pub(super) fn forget(&mut self) {
        self.first += self.queue.len() as u64;
        self.queue.clear();
        self.armed = false;
    }

    /// The oldest.
    fn oldest(&self) -> Option<(Attempt, Time)> {
        self.queue.front().and_then(Option::as_ref).map(|pending| (self.first, pending.since))
    }
}

impl Targets {
    /// Who is to answer for the copy at `place`, and for whom it stands in.
    pub(super) fn member(&self, copies: &Copies<'_>, place: u32) -> (Member, Option<Member>) {
        let owner = copies.member(place);
        match self.stand_ins.iter().find(|(other, _)| *other == place) {
            Some((_, member)) => (*member, Some(owner)),
            None => (owner, None),
        }
    }
}

/// The places in a set, in order.
pub(super) fn each(places: Places) -> impl Iterator<Item = u32> {
    (0..u64::BITS - places.leading_zeros()).filter(move |place| places >> place & 1 == 1)
}

impl Quorum {
    /// The copies of `key` that can be reached, as far as is known here, or somebody in their stead.
    pub(super) fn reachable(&self, key: Key) -> Targets {
        let copies = self.ring.copies(key);
        let live = self.health.live(&copies);
        let mut targets = Targets { places: live, stand_ins: Vec::new() };
        if live != copies.all() && self.settings.hints == Hints::Sloppy {
            let mut free = copies.beyond().filter(|member| self.health.is_live(*member));
            for place in each(copies.all() & !live) {
                let Some(member) = free.next() else { break };
                targets.places |= 1 << place;
                targets.stand_ins.push((place, member));
            }
        }
        targets
    }

    /// Of the copies in `places` as many as `level` takes besides those in `drawn`, at random.
    pub(super) fn draw(
        &self,
        key: Key,
        level: Level,
        places: Places,
        mut drawn: Places,
        out: &mut impl Effects<Self>,
    ) -> Places {
        let copies = self.ring.copies(key);
        let mut left = places & !drawn;
        while left != 0 && !level.satisfied(&copies, drawn) {
            let nth = out.choose(left.count_ones());
            let place = each(left).nth(nth as usize).unwrap_or_default();
            left &= !(1 << place);
            if level.lacks(&copies, drawn, place) {
                drawn |= 1 << place;
            }
        }
        drawn
    }

    /// Begins an operation, and waits for it.
    pub(super) fn begin(&mut self, pending: Pending, out: &mut impl Effects<Self>) -> Attempt {
        if !std::mem::replace(&mut self.attempts.armed, true) {
            out.arm(super::Timer::Patience, Span::exactly(self.settings.timeout));
        }
        self.attempts.begin(pending)
    }

    /// Sends a copy to keep to each of `places`, made for the place and the owner who is stood in for; keeps the one
    /// that is for this member, last, since it may be acknowledged at once.
    pub(super) fn send_copies(
        &mut self,
        key: Key,
        targets: &Targets,
        places: Places,
        out: &mut impl Effects<Self>,
        copy: impl Fn(u32, Option<Member>, &Copies<'_>) -> Store,
    ) {
        let copies = self.ring.copies(key);
        let mut mine = None;
        for place in each(places) {
            let (member, owner) = targets.member(&copies, place);
            let store = copy(place, owner, &copies);
            if member == self.me { mine = Some(store) } else { out.send(member, Message::Store(store)) }
        }
        if let Some(store) = mine {
            self.store(self.me, store, out);
        }
    }

    /// Answers whoever sent a copy: when it is on the disk, or at once if so configured.
    pub(super) fn acknowledge(&mut self, to: Member, ack: Message, out: &mut impl Effects<Self>) {
        let at_once = self.settings.commit_log == CommitLog::Periodic || Bug::AckBeforeLog.is_on();
        if at_once || self.disk.is_synced() {
            self.send_ack(to, ack, out);
        } else {
            self.unsynced.push_back((self.disk.end(), to, ack));
        }
    }

    /// Sends an answer; to oneself without the network.
    pub(super) fn send_ack(&mut self, to: Member, ack: Message, out: &mut impl Effects<Self>) {
        match ack {
            Message::Stored { attempt, place } if to == self.me => self.stored(attempt, place, out),
            ack => out.send(to, ack),
        }
    }

    /// Gives up what has waited long enough: whoever did not answer is taken for dead.
    pub(super) fn lose_patience(&mut self, out: &mut impl Effects<Self>) {
        self.attempts.armed = false;
        let now = out.local_clock();
        while let Some((attempt, since)) = self.attempts.oldest() {
            let waited = now.since(since);
            if waited < self.settings.timeout {
                let left =
                    replisim_engine::Duration::from_nanos(self.settings.timeout.nanos() - waited.nanos());
                self.attempts.armed = true;
                return out.arm(super::Timer::Patience, Span::exactly(left));
            }
            let Some(pending) = self.attempts.end(attempt) else { return };
            let silent = match &pending.kind {
                Kind::Write(writing) => pending.targets.places & !writing.acked,
                Kind::Read(reading) => reading.silent(pending.targets.places),
            };
            let copies = self.ring.copies(pending.key);
            let members: Vec<Member> =
                each(silent).map(|place| pending.targets.member(&copies, place).0).collect();
            members.into_iter().for_each(|member| self.suspect(member, out));
            match &pending.kind {
                Kind::Write(writing) => self.give_up_write(&pending, writing, silent, out),
                Kind::Read(reading) => self.repair_later(&pending, reading, out),
            }
        }
    }
}
