//! Who is taken for dead: whoever did not answer in time, until anything is heard of it. It is asked now and then.

use std::collections::BTreeSet;

use replisim_observe::Member;

use super::level::Places;
use super::message::Message;
use super::ring::Copies;
use super::{Quorum, Timer};
use crate::protocol::{Effects, Span};

/// What one member thinks of the others.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Health {
    dead: BTreeSet<Member>,
}

impl Health {
    pub(super) fn is_live(&self, member: Member) -> bool {
        !self.dead.contains(&member)
    }

    /// The places of the copies that are not taken for dead.
    #[inline]
    pub(super) fn live(&self, copies: &Copies<'_>) -> Places {
        if self.dead.is_empty() {
            return copies.all();
        }
        let live = (0..copies.count()).filter(|place| self.is_live(copies.member(*place)));
        live.fold(0, |places, place| places | 1 << place)
    }
}

impl Quorum {
    /// `member` did not answer.
    pub(super) fn suspect(&mut self, member: Member, out: &mut impl Effects<Self>) {
        if member == self.me {
            return; // its disk is slow
        }
        if self.health.dead.is_empty() {
            out.arm(Timer::Probe, Span::exactly(self.settings.probe_every));
        }
        self.health.dead.insert(member);
    }

    /// `member` has said something.
    #[inline]
    pub(super) fn heard_of(&mut self, member: Member) {
        if !self.health.dead.is_empty() {
            self.health.dead.remove(&member);
        }
    }

    pub(super) fn probe(&mut self, out: &mut impl Effects<Self>) {
        self.health.dead.iter().for_each(|member| out.send(*member, Message::Ping));
        if !self.health.dead.is_empty() {
            out.arm(Timer::Probe, Span::exactly(self.settings.probe_every));
        }
    }
}
