//! What members say to each other, and their timers.

use std::sync::Arc;

use replisim_engine::{Label, Name, Time};
use replisim_observe::{Key, Stored, Write};

use super::election::Ballot;
use super::history::History;
use super::tokens::TokenTable;
use crate::log::{Batch, entry_bytes};
use crate::protocol::{self, MessageKind};

/// What members say to each other. Every message carries the term of its sender.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Message {
    /// Primary to replica: the entries that follow position `after`.
    Append {
        /// The term.
        term: u32,
        /// Position before the first entry.
        after: u64,
        /// The entries.
        batch: Batch,
    },
    /// Primary to replica: how far you ought to be.
    Heartbeat {
        /// The term.
        term: u32,
        /// Which heartbeat of the term this is.
        round: u64,
        /// The last position sent to this replica.
        shipped: u64,
        /// The last position of the primary's own disk.
        end: u64,
        /// Every write up to here is committed.
        committed: u64,
        /// What no replica will ever ask for again.
        held: u64,
        /// Reads at the primary show everything up to this position at this time of its clock; `None` if it cannot
        /// be sure that it still is the primary.
        shows: Option<(u64, Time)>,
    },
    /// Replica to primary: how far I am.
    Acknowledge {
        /// The term.
        term: u32,
        /// What the primary called this replica's joining: what was said before that no longer counts.
        joining: u32,
        /// The last heartbeat that arrived.
        round: u64,
        /// The log here, without gaps, reaches up to here.
        received: u64,
        /// It is durable, and shown to readers, up to here.
        logged: u64,
        /// Everything is here that the last heartbeat said the primary had.
        level: bool,
        /// Something before these positions is still missing: this replica must not be counted on.
        partial: bool,
    },
    /// Replica to primary: send me what follows `after`, up to `upto`, again.
    Fetch {
        /// The term.
        term: u32,
        /// The last position that is there.
        after: u64,
        /// The last position that is missing.
        upto: u64,
        /// The last heartbeat that arrived: what was sent well before it has arrived too, or is lost.
        round: u64,
    },
    /// To the primary of a term: I have heard of your term; tell me its history.
    Join {
        /// The term.
        term: u32,
    },
    /// From the primary of a term: follow me.
    Lead(Lead),
    /// Primary to replica: a part of my store.
    Copy {
        /// The term.
        term: u32,
        /// As in `Acknowledge`.
        joining: u32,
        /// After which position the log is to continue once all is copied.
        position: u64,
        /// The first key of this part.
        first: Key,
        /// What the store shows for some keys from there on.
        items: Arc<[Item]>,
    },
    /// Replica to primary: this part is on my disk.
    Copied {
        /// The term.
        term: u32,
        /// As in `Acknowledge`.
        joining: u32,
        /// The first key of the part.
        first: Key,
    },
    /// Primary to replica: you have the whole store. What is in it may be newer than `position`, but nothing is newer
    /// than `complete_at`.
    Install {
        /// The term.
        term: u32,
        /// As in `Acknowledge`.
        joining: u32,
        /// Your log continues after this position.
        position: u64,
        /// Once you have applied this, you are as good as any.
        complete_at: u64,
        /// The tokens of my log.
        tokens: Arc<TokenTable>,
    },
    /// To all: will you have me as the primary?
    Ask(Ballot),
    /// To one who asked: you have my vote.
    Vote {
        /// The term of the ballot.
        term: u32,
        /// Whether it was a trial.
        trial: bool,
    },
    /// To one who speaks in a term that is over: there is a later one.
    Outdated {
        /// The later one.
        term: u32,
    },
}

/// The beginning of following a primary.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Lead {
    /// The term.
    pub term: u32,
    /// How the primary calls this joining.
    pub joining: u32,
    /// Where its terms begin.
    pub history: History,
    /// The last position of its disk.
    pub end: u64,
}

/// What a store shows for a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Item {
    /// The key.
    pub key: Key,
    /// The write and its version.
    pub stored: Stored,
    /// Size of the value.
    pub bytes: u32,
}

/// The timers of a member.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Timer {
    /// Primary: ship what is new.
    Ship,
    /// Primary: tell replicas how far they ought to be. One who stands for election counts the same rhythm.
    Heartbeat,
    /// Primary: the oldest write may have waited long enough.
    Patience,
    /// One elected by order: whoever was the primary has stopped by now.
    Serve,
    /// Replica: nothing has been heard of the primary.
    Suspect,
    /// Replica: it is this member's turn to stand for election.
    Stand,
}

impl Message {
    /// The term in which it was said.
    pub(super) fn term(&self) -> u32 {
        match self {
            Message::Append { term, .. }
            | Message::Heartbeat { term, .. }
            | Message::Acknowledge { term, .. }
            | Message::Fetch { term, .. }
            | Message::Join { term }
            | Message::Lead(Lead { term, .. })
            | Message::Copy { term, .. }
            | Message::Copied { term, .. }
            | Message::Install { term, .. }
            | Message::Ask(Ballot { term, .. })
            | Message::Vote { term, .. }
            | Message::Outdated { term } => *term,
        }
    }

    /// Whether only the primary of its term says such a thing.
    pub(super) fn is_from_primary(&self) -> bool {
        matches!(
            self,
            Message::Append { .. }
                | Message::Heartbeat { .. }
                | Message::Lead(_)
                | Message::Copy { .. }
                | Message::Install { .. }
        )
    }
}

impl Item {
    /// Bytes on the wire: a header and the value.
    pub(super) fn bytes(self) -> u64 {
        24 + u64::from(self.bytes)
    }
}

impl protocol::Message for Message {
    fn kind(&self) -> MessageKind {
        match self {
            Message::Append { .. } | Message::Copy { .. } => MessageKind::Replicate,
            Message::Acknowledge { .. } | Message::Copied { .. } => MessageKind::Acknowledge,
            _ => MessageKind::Control,
        }
    }

    fn name(&self) -> Name {
        match self {
            Message::Append { .. } => const { Name::of("append") },
            Message::Heartbeat { .. } => const { Name::of("heartbeat") },
            Message::Acknowledge { .. } => const { Name::of("acknowledge") },
            Message::Fetch { .. } => const { Name::of("fetch") },
            Message::Join { .. } => const { Name::of("join") },
            Message::Lead(_) => const { Name::of("lead") },
            Message::Copy { .. } => const { Name::of("copy") },
            Message::Copied { .. } => const { Name::of("copied") },
            Message::Install { .. } => const { Name::of("install") },
            Message::Ask(_) => const { Name::of("ask-for-vote") },
            Message::Vote { .. } => const { Name::of("vote") },
            Message::Outdated { .. } => const { Name::of("outdated") },
        }
    }

    fn bytes(&self) -> u64 {
        const HEADER: u64 = 32;
        HEADER
            + match self {
                Message::Append { batch, .. } => batch.entries().iter().copied().map(entry_bytes).sum(),
                Message::Copy { items, .. } => items.iter().map(|item| item.bytes()).sum(),
                Message::Lead(lead) => lead.history.bytes(),
                Message::Install { tokens, .. } => tokens.bytes(),
                _ => 0,
            }
    }

    fn for_each_write(&self, mut each: impl FnMut(Write)) {
        match self {
            Message::Append { batch, .. } => batch.entries().iter().for_each(|entry| each(entry.write)),
            Message::Copy { items, .. } => items.iter().for_each(|item| each(item.stored.write)),
            _ => {}
        }
    }
}

impl protocol::Timer for Timer {
    const ALL: &'static [Timer] =
        &[Timer::Ship, Timer::Heartbeat, Timer::Patience, Timer::Serve, Timer::Suspect, Timer::Stand];

    fn index(self) -> usize {
        self as usize
    }

    fn label(self) -> Label {
        match self {
            Timer::Ship => const { Label::of("ship") },
            Timer::Heartbeat => const { Label::of("heartbeat-due") },
            Timer::Patience => const { Label::of("patience") },
            Timer::Serve => const { Label::of("serve") },
            Timer::Suspect => const { Label::of("suspect") },
            Timer::Stand => const { Label::of("stand") },
        }
    }
}
