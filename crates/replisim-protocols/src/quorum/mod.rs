//! Leaderless quorums: every node that keeps a key takes writes to it, and whoever coordinates an operation asks several
//! and goes by the first answers that are enough.
//!
//! The idea (Gifford 1979; DeCandia et al. 2007): with N copies, W of which have a write when it is acknowledged and R of
//! which answer a read, a read meets every acknowledged write if R + W > N. With less it is faster, and stale with a
//! probability. There is no log and no primary; versions order themselves, by timestamp (the last writer wins) or as
//! version vectors (siblings).
//!
//! - `coordinate`: an operation under way; `write`, `read`: what its coordinator does with answers.
//! - `disk`: copies and hints; `value`: what a copy is; `ring`, `level`: who keeps a key, and how many are enough.
//! - `health`: who is taken for dead; `hints`: handing over what somebody missed; `merkle`: comparing in the background;
//!   `tombstones`: forgetting deletes.
//!
//! Reads: `eventual` asks for the configured `read` copies; `strong`, `session` and `bounded` for as many as meet every
//! write acknowledged at the configured `write` level (so R + W > N), which is what such stores offer instead.
//! An operation for which too few copies are alive, as far as the coordinator knows, is refused; one that too few
//! answer in time is not answered at all, and may have happened or happen later. Compare-and-set is refused: copies that
//! do not agree on an order cannot agree on a condition.
//!
//! What it leaves out: gossip of membership (who is dead is noticed by time-outs, by each coordinator for itself),
//! changes of the ring, lightweight transactions, speculative retries, and purging of siblings' tombstones. A member's
//! last timestamp survives even the loss of its disk, so that no two writes have the same.

pub mod config;
mod coordinate;
mod disk;
mod health;
mod hints;
pub mod level;
mod merkle;
mod message;
mod read;
mod ring;
mod tombstones;
mod value;
mod write;

use std::collections::VecDeque;

use replisim_observe::{Member, Op, Placement, PromotionRule, Version};

pub use config::Config;
pub use message::{Message, Timer};

use crate::protocol::{Command, Effects, Kept, Members, Operation, Protocol, Request, Route, Tokens};
use config::{CommitLog, Conflicts, Coordinator, Timestamps};
use coordinate::Attempts;
use disk::Disk;
use health::Health;
use hints::Handoff;
use merkle::Comparison;
use ring::Ring;
use tombstones::Expiring;

/// One member of a leaderless group, or the library in a client.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Quorum {
    me: Member,
    ring: Ring,
    settings: Settings,
    disk: Disk,
    /// The last timestamp given here.
    stamp: Version,
    /// Operations that this member coordinates.
    attempts: Attempts,
    /// Answers that wait for the disk, by position.
    unsynced: VecDeque<(u64, Member, Message)>,
    health: Health,
    handoff: Handoff,
    comparison: Comparison,
    expiring: Expiring,
}

/// The configuration as a value that can be compared and hashed: shares are in millionths.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Settings {
    read: level::Level,
    write: level::Level,
    contact_reads: config::ContactReads,
    contact_writes: config::ContactWrites,
    conflicts: config::Conflicts,
    repair: Repair,
    hints: config::Hints,
    handoff_every: replisim_engine::Duration,
    hint_window: replisim_engine::Duration,
    anti_entropy: Option<config::AntiEntropy>,
    gc_grace: replisim_engine::Duration,
    commit_log: CommitLog,
    timeout: replisim_engine::Duration,
    probe_every: replisim_engine::Duration,
}

/// What reads do with old copies.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Repair {
    None,
    Blocking,
    /// In so many of a million reads.
    Millionths(u32),
}

impl Protocol for Quorum {
    type Config = Config;
    type Message = Message;
    type Timer = Timer;

    fn new(me: Member, members: Members<'_>, config: &Config) -> Quorum {
        Quorum {
            me,
            ring: Ring::new(me, members, config.copies(members)),
            settings: Settings::new(config),
            disk: Disk::new(Self::lanes(members, config)),
            stamp: Version(0),
            attempts: Attempts::default(),
            unsynced: VecDeque::new(),
            health: Health::default(),
            handoff: Handoff::default(),
            comparison: Comparison::default(),
            expiring: Expiring::default(),
        }
    }

    fn start(&mut self, out: &mut impl Effects<Self>) {
        if self.is_node() {
            self.start_handoff(out);
            self.start_comparing(out);
            self.await_expiry(out);
        }
        self.flush(out);
    }

    fn request(&mut self, op: Op, request: Request, out: &mut impl Effects<Self>) {
        match request {
            Request::Write { key, write, change, context, stamp, .. } => {
                self.write(op, key, (write, change), &context, stamp, out);
            }
            Request::Read { key, consistency, .. } => self.read(op, key, consistency, out),
        }
        self.flush(out);
    }

    fn message(&mut self, from: Member, message: Message, out: &mut impl Effects<Self>) {
        self.heard_of(from);
        match message {
            Message::Store(store) => self.store(from, store, out),
            Message::Stored { attempt, place } => self.stored(attempt, place, out),
            Message::Fetch { attempt, key, place, digest } => {
                self.fetch(from, (attempt, key, place), digest, out);
            }
            Message::Fetched(fetched) => self.fetched(fetched.attempt, fetched.place, &fetched.state, out),
            Message::Digest { attempt, place, fingerprint } => {
                self.digest(attempt, place, fingerprint, out);
            }
            Message::Hand(copy) => self.handed_over(from, copy, out),
            Message::Handed { key, fingerprint } => self.handed(from, key, fingerprint, out),
            Message::Ping => out.send(from, Message::Pong),
            Message::Pong => {}
            Message::Roots(roots) => self.compare_roots(from, &roots, out),
            Message::Same => self.is_same(from),
            Message::Leaves(trees) => self.compare_leaves(from, &trees, out),
            Message::Keys { leaves, keys } => self.compare_keys(from, &leaves, &keys, out),
            Message::Copies { copies, wanted } => self.copies(from, &copies, &wanted, out),
        }
        self.flush(out);
    }

    fn timer(&mut self, timer: Timer, out: &mut impl Effects<Self>) {
        match timer {
            Timer::Patience => self.lose_patience(out),
            Timer::Probe => self.probe(out),
            Timer::Handoff => self.hand_over(out),
            Timer::Compare => self.compare(out),
            Timer::Purge => self.purge(out),
        }
        self.flush(out);
    }

    fn persisted(&mut self, upto: u64, out: &mut impl Effects<Self>) {
        self.disk.synced(upto);
        while self.unsynced.front().is_some_and(|(position, ..)| *position <= upto)
            && let Some((_, to, ack)) = self.unsynced.pop_front()
        {
            self.send_ack(to, ack, out);
        }
        self.flush(out);
    }

    fn command(&mut self, _: Command, _: &mut impl Effects<Self>) {}

    fn crash(&mut self, kept: Kept, out: &mut impl Effects<Self>) {
        self.attempts.forget();
        self.unsynced.clear();
        self.health = Health::default();
        self.handoff = Handoff::default();
        self.comparison = Comparison::default();
        self.disk.crash(kept, out);
        self.await_expiries();
    }

    fn quiescent(&self) -> bool {
        self.attempts.is_empty() && self.disk.is_synced() && self.disk.hints().is_empty() && self.is_level()
    }

    fn route(_: &Request, config: &Config) -> Route {
        match config.coordinator {
            Coordinator::Replica => Route::Owner,
            Coordinator::Client | Coordinator::Any => Route::Any,
        }
    }

    fn first_primary(_: Members<'_>, _: &Config) -> Option<Member> {
        None
    }

    fn promotion(_: Members<'_>, _: &Config) -> PromotionRule {
        PromotionRule::Leaderless
    }

    fn obeys(command: Command, _: &Config) -> Result<(), &'static str> {
        match command {
            Command::Promote => Err("`quorum` has no primary"),
        }
    }

    fn performs(operation: Operation, _: &Config) -> Result<(), &'static str> {
        match operation {
            Operation::CompareAndSet => Err(
                "its copies agree on no order, so on no condition: use `read-modify-write`, or `primary-backup`",
            ),
        }
    }

    fn tokens(config: &Config) -> Result<Tokens, &'static str> {
        match config.conflicts {
            Conflicts::LastWriterWins(by) if by.timestamps == Timestamps::Client => Ok(Tokens::Same),
            Conflicts::LastWriterWins(_) => Err(
                "each coordinator gives its own timestamp to every attempt: `last-writer-wins: { timestamps: client }` makes them one",
            ),
            Conflicts::Siblings => Err(
                "each coordinator gives its own version to every attempt: what was tried twice stands twice, as siblings",
            ),
        }
    }

    fn placement(members: Members<'_>, config: &Config) -> Placement {
        match config.copies(members) {
            copies if copies == members.count() => Placement::Everywhere,
            copies => Placement::Ring { copies },
        }
    }

    fn lanes(members: Members<'_>, config: &Config) -> u32 {
        if config.has_siblings() { members.count() } else { 1 }
    }

    fn in_clients(config: &Config) -> bool {
        config.coordinator == Coordinator::Client
    }
}

impl Quorum {
    /// Whether this is a node, and not the library in a client.
    fn is_node(&self) -> bool {
        self.me.0 < self.ring.members()
    }

    /// Has the disk make safe what was written to it.
    fn flush(&mut self, out: &mut impl Effects<Self>) {
        if let Some(end) = self.disk.unasked() {
            out.persist(end, 0);
        }
    }
}

impl Settings {
    fn new(config: &Config) -> Settings {
        Settings {
            read: config.read,
            write: config.write,
            contact_reads: config.contact_reads,
            contact_writes: config.contact_writes,
            conflicts: config.conflicts,
            repair: match config.read_repair {
                config::ReadRepair::None => Repair::None,
                config::ReadRepair::Blocking => Repair::Blocking,
                config::ReadRepair::Probability(share) => {
                    Repair::Millionths((share.get() * 1e6).round() as u32)
                }
            },
            hints: match config.coordinator {
                Coordinator::Client if config.hints == config::Hints::Coordinator => config::Hints::None,
                _ => config.hints,
            },
            handoff_every: config.handoff_every,
            // An older hint could bring back what was deleted, and forgotten, since.
            hint_window: config.hint_window.min(config.gc_grace),
            anti_entropy: config.anti_entropy,
            gc_grace: config.gc_grace,
            commit_log: config.commit_log,
            timeout: config.timeout,
            probe_every: config.probe_every,
        }
    }
}
