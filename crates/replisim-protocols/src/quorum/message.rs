//! What members say to each other, and their timers.

use replisim_engine::{Label, Name};
use replisim_observe::{Key, Member, Stored, Write};

use super::value::State;
use crate::protocol::{self, CommitRule, MessageKind};

/// An operation that a coordinator has under way, counted by each coordinator for itself, also over its crashes.
pub(super) type Attempt = u64;

/// What members say to each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Message {
    /// Coordinator to replica: keep this.
    Store(Store),
    /// The answer: kept, as durably as configured.
    Stored {
        /// Which attempt of the coordinator it belongs to.
        attempt: Attempt,
        /// The place of the copy in the preference list of the key.
        place: u32,
    },
    /// Coordinator to replica: what do you have of this key?
    Fetch {
        /// Which attempt of the coordinator it belongs to.
        attempt: Attempt,
        /// The key.
        key: Key,
        /// The place of the copy for which it asks.
        place: u32,
        /// Whether a fingerprint will do.
        digest: bool,
    },
    /// The answer: a copy.
    Fetched(Fetched),
    /// The answer: a fingerprint.
    Digest {
        /// Which attempt of the coordinator it belongs to.
        attempt: Attempt,
        /// The place of the copy.
        place: u32,
        /// Its fingerprint.
        fingerprint: u64,
    },
    /// A hint is handed over to its owner.
    Hand(Copy),
    /// The answer: the owner has the copy of that fingerprint.
    Handed {
        /// The key.
        key: Key,
        /// The fingerprint of what was handed over.
        fingerprint: u64,
    },
    /// Are you alive?
    Ping,
    /// I am.
    Pong,
    /// Anti-entropy: the roots of my trees of the ranges that we share.
    Roots(Vec<(u32, u64)>),
    /// All my roots are the same.
    Same,
    /// The leaves of my trees of the ranges whose roots differ.
    Leaves(Vec<(u32, Vec<u64>)>),
    /// What I have under the leaves that differ, by fingerprint; `(range, leaf)` names a leaf.
    Keys {
        /// The leaves.
        leaves: Vec<(u32, u32)>,
        /// The keys under them.
        keys: Vec<(Key, u64)>,
    },
    /// Copies that the other lacks, and keys of which it is to send its own.
    Copies {
        /// The copies.
        copies: Vec<Copy>,
        /// The keys.
        wanted: Vec<Key>,
    },
}

/// A copy to keep.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Store {
    pub(super) attempt: Attempt,
    pub(super) key: Key,
    pub(super) place: u32,
    pub(super) state: State,
    /// The lane in which the newest write is the one that it is about.
    pub(super) lane: u32,
    /// How the receiver counts towards the commit of that write; not at all if this is a repair, or if the receiver's
    /// region is of no matter.
    pub(super) rule: Option<CommitRule>,
    /// The owner for which the receiver stands in.
    pub(super) owner: Option<Member>,
}

/// A copy that was asked for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Fetched {
    pub(super) attempt: Attempt,
    pub(super) place: u32,
    pub(super) state: State,
}

/// A copy of a key.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Copy {
    pub(super) key: Key,
    pub(super) state: State,
}

/// Bytes of the header of a message between members.
const HEADER: u64 = 32;
/// Bytes of a hash in a Merkle tree, as Cassandra's (MD5 or Murmur3 of 128 bits).
const HASH: u64 = 16;
/// Bytes of a key with a fingerprint.
const KEY: u64 = 24;

impl protocol::Message for Message {
    fn kind(&self) -> MessageKind {
        match self {
            Message::Store(_) | Message::Hand(_) | Message::Copies { .. } => MessageKind::Replicate,
            Message::Stored { .. } | Message::Handed { .. } => MessageKind::Acknowledge,
            Message::Fetch { .. } => MessageKind::Request,
            Message::Fetched(_) | Message::Digest { .. } => MessageKind::Reply,
            Message::Ping
            | Message::Pong
            | Message::Roots(_)
            | Message::Same
            | Message::Leaves(_)
            | Message::Keys { .. } => MessageKind::Control,
        }
    }

    fn name(&self) -> Name {
        match self {
            Message::Store(_) => const { Name::of("store") },
            Message::Stored { .. } => const { Name::of("stored") },
            Message::Fetch { .. } => const { Name::of("fetch") },
            Message::Fetched(_) => const { Name::of("fetched") },
            Message::Digest { .. } => const { Name::of("digest") },
            Message::Hand(_) => const { Name::of("hand") },
            Message::Handed { .. } => const { Name::of("handed") },
            Message::Ping => const { Name::of("ping") },
            Message::Pong => const { Name::of("pong") },
            Message::Roots(_) => const { Name::of("roots") },
            Message::Same => const { Name::of("same") },
            Message::Leaves(_) => const { Name::of("leaves") },
            Message::Keys { .. } => const { Name::of("keys") },
            Message::Copies { .. } => const { Name::of("copies") },
        }
    }

    fn bytes(&self) -> u64 {
        HEADER
            + match self {
                Message::Store(store) => store.state.bytes(),
                Message::Fetched(fetched) => fetched.state.bytes(),
                Message::Digest { .. } => HASH,
                Message::Hand(copy) => copy.state.bytes(),
                Message::Stored { .. }
                | Message::Fetch { .. }
                | Message::Handed { .. }
                | Message::Ping
                | Message::Pong
                | Message::Same => 0,
                Message::Roots(roots) => HASH * roots.len() as u64,
                // Every inner node of a tree is sent too: one fewer than leaves.
                Message::Leaves(trees) => {
                    trees.iter().map(|(_, leaves)| HASH * (2 * leaves.len() as u64 - 1)).sum()
                }
                Message::Keys { leaves, keys } => 8 * leaves.len() as u64 + KEY * keys.len() as u64,
                Message::Copies { copies, wanted } => {
                    let copies: u64 = copies.iter().map(|copy| 8 + copy.state.bytes()).sum();
                    copies + 8 * wanted.len() as u64
                }
            }
    }

    fn for_each_write(&self, mut each: impl FnMut(Write)) {
        let mut each = |stored: Stored| each(stored.write);
        match self {
            Message::Store(store) => store.state.for_each_write(each),
            Message::Fetched(fetched) => fetched.state.for_each_write(each),
            Message::Hand(copy) => copy.state.for_each_write(each),
            Message::Copies { copies, .. } => {
                copies.iter().for_each(|copy| copy.state.for_each_write(&mut each));
            }
            _ => {}
        }
    }
}

/// The timers of a member.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Timer {
    /// The oldest operation under way has waited long enough.
    Patience,
    /// Ask those taken for dead whether they are alive.
    Probe,
    /// Try to hand over hints.
    Handoff,
    /// Compare with another member.
    Compare,
    /// The oldest tombstone has been kept long enough.
    Purge,
}

impl protocol::Timer for Timer {
    const ALL: &'static [Timer] =
        &[Timer::Patience, Timer::Probe, Timer::Handoff, Timer::Compare, Timer::Purge];

    fn index(self) -> usize {
        self as usize
    }

    fn label(self) -> Label {
        match self {
            Timer::Patience => const { Label::of("patience") },
            Timer::Probe => const { Label::of("probe") },
            Timer::Handoff => const { Label::of("handoff") },
            Timer::Compare => const { Label::of("compare") },
            Timer::Purge => const { Label::of("purge") },
        }
    }
}
