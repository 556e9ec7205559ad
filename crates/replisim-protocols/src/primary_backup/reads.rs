//! How reads are served.
//!
//! - `strong`: by the primary while it serves; others send the client to it.
//! - `eventual`: by anyone at once, also while it recovers. (A read that a client means for the primary is sent on by
//!   replicas, whatever it asks for.)
//! - `session`: by anyone who has applied the newest version that the session has written or seen.
//! - `bounded`: by anyone who knows that it shows what the primary showed no longer ago than the bound. It knows from
//!   heartbeats, which carry the primary's clock, and compares with its own: skewed clocks break the promise.

use std::collections::{BTreeMap, VecDeque};

use replisim_engine::Duration;
use replisim_observe::{Key, Member, Op, Time, Version};

use super::{PrimaryBackup, Role};
use crate::protocol::{Behind, BoundedRead, Consistency, Effects, Reply, SessionRead, version};

/// Reads that wait until this member has caught up.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Waiting {
    /// By the version that they need.
    sessions: BTreeMap<(Version, Op), Key>,
    /// By the staleness that they bear.
    bounded: BTreeMap<(Duration, Op), Key>,
}

impl Waiting {
    /// Whether nobody else may wait. Clients that give up do not say so; memory has an end.
    fn is_full(&self) -> bool {
        const MOST: usize = 1 << 16;
        self.sessions.len() + self.bounded.len() >= MOST
    }
}

/// What a replica knows of how fresh its copy is.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Freshness {
    /// Positions that are not applied yet, each with the time at which the primary showed it.
    coming: VecDeque<(u64, Time)>,
    /// What is shown here is what the primary showed then, or later.
    as_of: Option<Time>,
}

impl Freshness {
    /// The primary showed everything up to `position` at time `clock`.
    pub(super) fn heard(&mut self, position: u64, clock: Time, applied: u64) {
        match self.coming.back_mut() {
            Some((last, as_of)) if *last == position => *as_of = clock.max(*as_of),
            Some((last, _)) if *last > position => {} // overtaken
            _ => self.coming.push_back((position, clock)),
        }
        self.applied(applied);
    }

    /// Everything up to `position` is shown here.
    pub(super) fn applied(&mut self, position: u64) {
        while let Some((_, clock)) = self.coming.front().copied().filter(|(coming, _)| *coming <= position) {
            self.coming.pop_front();
            self.as_of = self.as_of.max(Some(clock));
        }
    }
}

impl PrimaryBackup {
    /// A client wants to read.
    pub(super) fn read(
        &mut self,
        op: Op,
        key: Key,
        consistency: Consistency,
        token: Version,
        out: &mut impl Effects<PrimaryBackup>,
    ) {
        let (has_it, behind) = match consistency {
            Consistency::Strong => (self.serves(out), Behind::Redirect),
            Consistency::Eventual => (true, Behind::Refuse),
            Consistency::Session(SessionRead { behind }) => (self.shows() >= token, behind),
            Consistency::Bounded(BoundedRead { staleness, behind }) => {
                (self.age(out).is_some_and(|age| age <= staleness), behind)
            }
        };
        match behind {
            _ if has_it => out.reply(op, Reply::Value(out.read(key))),
            Behind::Refuse => out.reply(op, Reply::Refused),
            // The primary has nobody to send the client to.
            Behind::Redirect if !self.serves(out) => out.reply(op, Reply::Redirect(self.known_primary())),
            Behind::Redirect | Behind::Wait if self.waiting.is_full() => out.reply(op, Reply::Refused),
            Behind::Redirect | Behind::Wait => match consistency {
                Consistency::Bounded(BoundedRead { staleness, .. }) => {
                    self.waiting.bounded.insert((staleness, op), key);
                }
                _ => {
                    self.waiting.sessions.insert((token, op), key);
                }
            },
        }
    }

    /// Serves those who have waited for what is shown now.
    pub(super) fn answer_waiting(&mut self, out: &mut impl Effects<PrimaryBackup>) {
        let shows = self.shows();
        while let Some(first) = self.waiting.sessions.first_entry().filter(|first| first.key().0 <= shows) {
            let ((_, op), key) = first.remove_entry();
            out.reply(op, Reply::Value(out.read(key)));
        }
        if !self.waiting.bounded.is_empty()
            && let Some(age) = self.age(out)
        {
            for ((_, op), key) in self.waiting.bounded.split_off(&(age, Op(0))) {
                out.reply(op, Reply::Value(out.read(key)));
            }
        }
    }

    /// The version up to which this member shows everything. Whoever shows all that a term began with is past
    /// everything earlier, also what that term has excluded: nobody waits for what will never come.
    fn shows(&self) -> Version {
        let applied = self.disk.applied;
        version(self.disk.history.reached(applied), applied)
    }

    /// How old what this member shows may be, as far as it knows.
    fn age(&self, out: &impl Effects<PrimaryBackup>) -> Option<Duration> {
        match &self.role {
            Role::Primary(_) => self.serves(out).then_some(Duration::ZERO),
            Role::Replica(replica) => replica.freshness.as_of.map(|as_of| {
                let age = out.local_clock().signed_since(as_of);
                Duration::from_nanos(age.max(0) as u64)
            }),
        }
    }

    /// Where this member sends those whom it cannot serve. It sends nobody to a primary that it suspects: the driver
    /// looks for another.
    pub(super) fn known_primary(&self) -> Option<Member> {
        match &self.role {
            Role::Replica(replica) if !replica.suspects => replica.leader,
            _ => None,
        }
    }
}
