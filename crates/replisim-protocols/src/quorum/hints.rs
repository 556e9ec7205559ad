//! Hinted hand-off: a copy that is kept for somebody else goes to its owner as soon as that answers again.
//!
//! Now and then each owner for whom there are hints is offered some; each that it acknowledges makes room for the next,
//! so an owner that is alive gets all of them as fast as it answers, and one that is not costs little.

use std::collections::{BTreeMap, BTreeSet};

use replisim_observe::{Key, Member};

use super::config::Hints;
use super::coordinate::{Ack, Kept};
use super::message::{Copy, Message};
use super::{Quorum, Timer};
use crate::protocol::{Effects, Span};

/// How far each owner has been offered its hints: up to this key.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Handoff {
    offered: BTreeMap<Member, Key>,
}

/// How many hints are on the way to an owner at a time.
const WINDOW: usize = 64;

impl Quorum {
    pub(super) fn start_handoff(&mut self, out: &mut impl Effects<Self>) {
        if self.settings.hints != Hints::None {
            let every = self.settings.handoff_every;
            out.arm(Timer::Handoff, Span { least: replisim_engine::Duration::ZERO, most: every });
        }
    }

    /// Offers every owner its first hints, and forgets those that are too old.
    pub(super) fn hand_over(&mut self, out: &mut impl Effects<Self>) {
        out.arm(Timer::Handoff, Span::exactly(self.settings.handoff_every));
        let now = out.local_clock();
        let is_old = |since| now.since(since) > self.settings.hint_window;
        let old = self.disk.hints().iter().filter(|(_, hint)| is_old(hint.since));
        let old: Vec<(Member, Key)> = old.map(|(place, _)| *place).collect();
        old.into_iter().for_each(|(owner, key)| self.disk.forget_hint(owner, key, out));
        let owners: BTreeSet<Member> = self.disk.hints().keys().map(|(owner, _)| *owner).collect();
        for owner in owners {
            self.handoff.offered.remove(&owner);
            self.offer(owner, WINDOW, out);
        }
    }

    /// Somebody hands over what it kept for this member.
    pub(super) fn handed_over(&mut self, from: Member, copy: Copy, out: &mut impl Effects<Self>) {
        self.take(copy.key, &copy.state, out);
        let kept = Kept::Hint { key: copy.key, fingerprint: copy.state.fingerprint() };
        self.acknowledge_durable(Ack { to: from, kept }, out);
    }

    /// The owner has it.
    pub(super) fn handed(&mut self, owner: Member, key: Key, fingerprint: u64, out: &mut impl Effects<Self>) {
        let hint = self.disk.hints().get(&(owner, key));
        if hint.is_some_and(|hint| hint.state.fingerprint() == fingerprint) {
            self.disk.forget_hint(owner, key, out);
        }
        self.offer(owner, 1, out);
    }

    /// Sends the next `count` hints to their owner.
    fn offer(&mut self, owner: Member, count: usize, out: &mut impl Effects<Self>) {
        let first = match self.handoff.offered.get(&owner) {
            Some(Key(last)) => Key(last + 1),
            None => Key(0),
        };
        let next = self.disk.hints().range((owner, first)..=(owner, Key(u32::MAX))).take(count);
        for ((_, key), hint) in next {
            self.handoff.offered.insert(owner, *key);
            out.send(owner, Message::Hand(Copy { key: *key, state: hint.state.clone() }));
        }
    }
}
