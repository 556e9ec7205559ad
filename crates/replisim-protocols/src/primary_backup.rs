//! Asynchronous primary–backup replication by log shipping, as in PostgreSQL's or MySQL's default set-up.
//!
//! ```text
//! client ──put──▶ primary ──ok──▶ client           the write is committed here and now
//!                    │
//!                    └──append(entries)──▶ replica ──acknowledge(position)──▶ primary
//! ```
//!
//! One member, the primary, takes all writes, gives each the next position of its log, and answers at once. What is
//! on its disk it ships to every replica: each write as it comes, or all new ones every `ship-every`. A replica
//! appends in the order of positions, makes it durable, and shows it to readers. If something is missing, it says so
//! (`fetch`) and the primary sends it again out of its log; a heartbeat tells a replica what it ought to have when
//! nothing else is sent. Copies are never brought up to date by copying another member's state.
//!
//! - **Commit rule:** applied at the primary, flushed or not. An acknowledged write that has not been shipped is lost
//!   with the primary.
//! - **Version:** (term, log position). **Reads:** `strong` at the primary; `eventual` at any member, which answers
//!   from its own copy.
//! - **Cost:** one message and one acknowledgement per replica and shipment; one client round trip a write.
//! - **Leaves out:** fail-over (a replica never becomes primary) and waiting for replicas before the answer.

use std::collections::BTreeMap;

use replisim_engine::{Bytes, Duration, Label};
use replisim_observe::{Member, Op, PromotionRule, Stored, Write};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::log::{Batch, Entry, Log, entry_bytes};
use crate::protocol::{
    self, Change, Command, Configuration, Consistency, Effects, Kept, Members, MessageKind, Protocol, Reply,
    Request, Route, SettingProblem, Span, version,
};

/// Primary–backup by log shipping: one node takes all writes and ships its log to the others.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Config {
    /// The node that takes all writes; the first node of the topology unless named here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary: Option<String>,
    /// When the client gets its answer. `async`: as soon as the primary has applied the write.
    pub acknowledge: Acknowledge,
    /// How often new log entries are shipped: at fixed multiples of this interval, from a phase drawn at the start.
    /// 0: each write is shipped as it comes.
    pub ship_every: Duration,
    /// The most bytes of log entries in one message.
    pub batch: Bytes,
    /// How often the primary tells each replica how far it ought to be.
    pub heartbeat: Duration,
}

/// When a write is acknowledged to its client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Acknowledge {
    /// As soon as the primary has applied it.
    #[default]
    Async,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            primary: None,
            acknowledge: Acknowledge::Async,
            ship_every: Duration::ZERO,
            batch: Bytes::new(64 * 1024),
            heartbeat: Duration::from_millis(100),
        }
    }
}

impl Configuration for Config {
    fn members_named(&self) -> Vec<(&'static str, &str)> {
        self.primary.iter().map(|name| ("primary", name.as_str())).collect()
    }

    fn problems(&self) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        if self.heartbeat == Duration::ZERO {
            problems.push(SettingProblem {
                field: "heartbeat",
                message: "a primary without heartbeats never learns of a lost message",
                fix: "must be more than 0",
            });
        }
        if self.batch.get() == 0 {
            problems.push(SettingProblem {
                field: "batch",
                message: "a batch of nothing ships nothing",
                fix: "must be more than 0B",
            });
        }
        problems
    }

    fn caveats(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What members say to each other.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Message {
    /// Primary to replica: the entries that follow position `after`.
    Append {
        /// Position before the first entry.
        after: u64,
        /// The entries.
        batch: Batch,
    },
    /// Primary to replica: you ought to have everything up to `shipped`; every member has everything up to `held`.
    Heartbeat {
        /// The last position sent to this replica.
        shipped: u64,
        /// What no replica will ever ask for again.
        held: u64,
    },
    /// Replica to primary: I have, durably, everything up to this position.
    Acknowledge {
        /// The position.
        upto: u64,
    },
    /// Replica to primary: send me what follows `after`, up to `upto`, again.
    Fetch {
        /// The last position that is there.
        after: u64,
        /// The last position that is missing.
        upto: u64,
    },
}

/// The timers of the primary.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Timer {
    /// Ship what is new.
    Ship,
    /// Tell replicas how far they ought to be.
    Heartbeat,
}

/// One member of a primary–backup group.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PrimaryBackup {
    disk: Disk,
    memory: Memory,
    settings: Settings,
}

/// What survives a crash, as far as it was persisted.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Disk {
    log: Log,
    /// The log is durable up to here.
    synced: u64,
}

/// What does not survive a crash.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Memory {
    Primary { peers: Vec<Peer> },
    Replica(Replica),
}

/// What the primary knows of a replica.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Peer {
    member: Member,
    shipped: u64,
    acknowledged: u64,
}

/// What a replica remembers.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Replica {
    /// Shown to readers up to here.
    applied: u64,
    /// Entries that arrived ahead of a gap, by position.
    ahead: BTreeMap<u64, Entry>,
    /// Asked for again up to here.
    fetched: u64,
    /// What the heartbeat before the last said we ought to have: by now it has had time to arrive.
    expected: u64,
}

/// The part of [`Config`] that the state machine uses, with the names resolved.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Settings {
    me: Member,
    members: u32,
    primary: Member,
    ship_every: Duration,
    batch: u64,
    heartbeat: Duration,
}

/// The one term there is until there is fail-over.
const TERM: u16 = 1;

impl Protocol for PrimaryBackup {
    type Config = Config;
    type Message = Message;
    type Timer = Timer;

    fn new(me: Member, members: Members<'_>, config: &Config) -> PrimaryBackup {
        let settings = Settings {
            me,
            members: members.count(),
            primary: primary(members, config),
            ship_every: config.ship_every,
            batch: config.batch.get(),
            heartbeat: config.heartbeat,
        };
        let disk = Disk::default();
        PrimaryBackup { memory: Memory::new(&settings, &disk), disk, settings }
    }

    fn start(&mut self, out: &mut impl Effects<Self>) {
        if let Memory::Primary { .. } = self.memory {
            // The phase of both rhythms is drawn; from then on they keep to multiples.
            if self.settings.ship_every > Duration::ZERO {
                out.arm(Timer::Ship, Span { least: Duration::ZERO, most: self.settings.ship_every });
            }
            if self.settings.heartbeat > Duration::ZERO {
                out.arm(Timer::Heartbeat, Span { least: Duration::ZERO, most: self.settings.heartbeat });
            }
            if self.settings.ship_every == Duration::ZERO {
                self.ship_new(out); // after a crash: what was on the wire may be gone
            }
        }
    }

    fn request(&mut self, op: Op, request: Request, out: &mut impl Effects<Self>) {
        let is_primary = matches!(self.memory, Memory::Primary { .. });
        match request {
            Request::Write { key, write, change: Change::Put { bytes } } if is_primary => {
                self.put(op, Entry { key, write, bytes }, out);
            }
            Request::Read { key, consistency, .. } if is_primary || consistency == Consistency::Eventual => {
                out.reply(op, Reply::Value(out.read(key)));
            }
            _ => out.reply(op, Reply::Refused),
        }
    }

    fn message(&mut self, from: Member, message: Message, out: &mut impl Effects<Self>) {
        match message {
            Message::Append { after, batch } => self.append(after, &batch, out),
            Message::Heartbeat { shipped, held } => self.heartbeat(shipped, held, out),
            Message::Acknowledge { upto } => {
                if let Memory::Primary { peers } = &mut self.memory {
                    for peer in peers.iter_mut().filter(|peer| peer.member == from) {
                        peer.acknowledged = peer.acknowledged.max(upto);
                        // A primary that restarted learns here what it had shipped.
                        peer.shipped = peer.shipped.max(upto);
                    }
                    self.disk.log.trim(held_by_all(peers, self.disk.synced));
                }
            }
            Message::Fetch { after, upto } => {
                if let Memory::Primary { .. } = self.memory {
                    self.ship_range(from, after, upto.min(self.disk.synced), out);
                }
            }
        }
    }

    fn timer(&mut self, timer: Timer, out: &mut impl Effects<Self>) {
        match timer {
            Timer::Ship => {
                out.arm(Timer::Ship, Span::exactly(self.settings.ship_every));
                self.ship_new(out);
            }
            Timer::Heartbeat => {
                out.arm(Timer::Heartbeat, Span::exactly(self.settings.heartbeat));
                if let Memory::Primary { peers } = &self.memory {
                    let held = held_by_all(peers, self.disk.synced);
                    for peer in peers {
                        out.send(peer.member, Message::Heartbeat { shipped: peer.shipped, held });
                    }
                }
            }
        }
    }

    fn persisted(&mut self, upto: u64, out: &mut impl Effects<Self>) {
        self.disk.synced = self.disk.synced.max(upto);
        match &self.memory {
            Memory::Primary { peers } if peers.is_empty() => self.disk.log.trim(self.disk.synced),
            // Only what is durable is shipped: no replica may ever be ahead of its primary's disk.
            Memory::Primary { .. } if self.settings.ship_every == Duration::ZERO => self.ship_new(out),
            Memory::Primary { .. } => {}
            Memory::Replica(_) => {
                self.apply_synced(out);
                out.send(self.settings.primary, Message::Acknowledge { upto: self.disk.synced });
            }
        }
    }

    fn command(&mut self, _: Command, _: &mut impl Effects<Self>) {}

    fn crash(&mut self, _: Kept, out: &mut impl Effects<Self>) {
        let applied = self.applied();
        while self.disk.log.end() > self.disk.synced {
            let position = self.disk.log.end();
            let Some((entry, before)) = self.disk.log.pop() else { break };
            if applied >= position {
                out.unapply(entry.key, stored(entry.write, position), before);
            }
        }
        self.memory = Memory::new(&self.settings, &self.disk);
    }

    fn quiescent(&self) -> bool {
        match &self.memory {
            Memory::Primary { peers } => peers.iter().all(|peer| peer.acknowledged == self.disk.log.end()),
            Memory::Replica(replica) => replica.ahead.is_empty(),
        }
    }

    fn route(request: Request) -> Route {
        match request {
            Request::Write { .. } | Request::Read { consistency: Consistency::Strong, .. } => Route::Primary,
            Request::Read { .. } => Route::Any,
        }
    }

    fn first_primary(members: Members<'_>, config: &Config) -> Option<Member> {
        Some(primary(members, config))
    }

    fn promotion(_: Members<'_>, _: &Config) -> PromotionRule {
        PromotionRule::MostAdvanced
    }

    fn obeys(_: Command, _: &Config) -> Result<(), &'static str> {
        Err("this protocol has no fail-over yet")
    }
}

/// The primary takes a write, and answers as soon as it has applied it.
impl PrimaryBackup {
    fn put(&mut self, op: Op, entry: Entry, out: &mut impl Effects<Self>) {
        self.disk.log.append(entry);
        let position = self.disk.log.end();
        let stored = stored(entry.write, position);
        self.disk.log.remember(position, out.read(entry.key));
        out.logged(entry.key, stored);
        out.apply(entry.key, stored, entry.bytes);
        out.committed(entry.key, stored, entry.bytes);
        out.reply(op, Reply::Written(stored.version));
        out.persist(position, entry_bytes(entry));
    }

    /// Sends every replica what it has not been sent.
    fn ship_new(&mut self, out: &mut impl Effects<Self>) {
        let synced = self.disk.synced;
        let Memory::Primary { peers } = &mut self.memory else { return };
        let batch_bytes = self.settings.batch;
        for peer in peers {
            while peer.shipped < synced {
                let Some(batch) = self.disk.log.batch(peer.shipped, synced, batch_bytes) else { break };
                let after = peer.shipped;
                peer.shipped += batch.entries().len() as u64;
                out.send(peer.member, Message::Append { after, batch });
            }
        }
    }

    /// Sends one replica a part of the log again.
    fn ship_range(&mut self, to: Member, after: u64, upto: u64, out: &mut impl Effects<Self>) {
        let mut after = after;
        while after < upto {
            let Some(batch) = self.disk.log.batch(after, upto, self.settings.batch) else { break };
            let count = batch.entries().len() as u64;
            out.send(to, Message::Append { after, batch });
            after += count;
        }
    }
}

/// A replica takes what it is sent, in the order of positions.
impl PrimaryBackup {
    fn append(&mut self, after: u64, batch: &Batch, out: &mut impl Effects<Self>) {
        let Memory::Replica(replica) = &mut self.memory else { return };
        let log = &mut self.disk.log;
        let end_before = log.end();
        let mut bytes = 0;
        for (position, entry) in (after + 1..).zip(batch.entries()) {
            if position == log.end() + 1 {
                log.append(*entry);
                bytes += entry_bytes(*entry);
            } else if position > log.end() {
                replica.ahead.insert(position, *entry);
            }
        }
        while let Some(entry) = replica.ahead.remove(&(log.end() + 1)) {
            log.append(entry);
            bytes += entry_bytes(entry);
        }
        let end = log.end();
        if !replica.ahead.is_empty() {
            replica.ahead = replica.ahead.split_off(&end);
        }
        if end > end_before {
            out.persist(end, bytes);
        }
        if let Some((&first, _)) = replica.ahead.first_key_value() {
            self.fetch(first - 1, out);
        }
    }

    fn heartbeat(&mut self, shipped: u64, held: u64, out: &mut impl Effects<Self>) {
        let Memory::Replica(replica) = &mut self.memory else { return };
        self.disk.log.trim(held.min(replica.applied));
        let overdue = replica.expected;
        replica.expected = shipped;
        if self.disk.log.end() < overdue {
            // Asked for before, perhaps, but then the question or the answer was lost.
            replica.fetched = self.disk.log.end();
            self.fetch(overdue, out);
        }
        out.send(self.settings.primary, Message::Acknowledge { upto: self.disk.synced });
    }

    /// Asks for what is missing up to `upto`, unless it has been asked for.
    fn fetch(&mut self, upto: u64, out: &mut impl Effects<Self>) {
        let Memory::Replica(replica) = &mut self.memory else { return };
        let after = self.disk.log.end().max(replica.fetched);
        if after < upto {
            replica.fetched = upto;
            out.send(self.settings.primary, Message::Fetch { after, upto });
        }
    }

    fn apply_synced(&mut self, out: &mut impl Effects<Self>) {
        let Memory::Replica(replica) = &mut self.memory else { return };
        while replica.applied < self.disk.synced {
            replica.applied += 1;
            let Some(entry) = self.disk.log.get(replica.applied) else { continue };
            self.disk.log.remember(replica.applied, out.read(entry.key));
            out.apply(entry.key, stored(entry.write, replica.applied), entry.bytes);
        }
    }

    /// Position up to which the store shows the log.
    fn applied(&self) -> u64 {
        match &self.memory {
            Memory::Primary { .. } => self.disk.log.end(),
            Memory::Replica(replica) => replica.applied,
        }
    }
}

impl Memory {
    /// What a member knows when it starts with `disk`.
    fn new(settings: &Settings, disk: &Disk) -> Memory {
        if settings.me != settings.primary {
            let applied = disk.synced;
            return Memory::Replica(Replica { applied, ..Replica::default() });
        }
        // After a crash the primary does not know what was shipped, so it starts over from what it still has;
        // replicas pass over what they know.
        let kept_from =
            (0..=disk.log.end()).rev().find(|position| disk.log.get(*position).is_none()).unwrap_or(0);
        let others = (0..settings.members).map(Member).filter(|member| *member != settings.me);
        Memory::Primary {
            peers: others
                .map(|member| Peer { member, shipped: kept_from, acknowledged: kept_from })
                .collect(),
        }
    }
}

/// The position that every replica has acknowledged; without replicas, all that is `synced`.
fn held_by_all(peers: &[Peer], synced: u64) -> u64 {
    peers.iter().map(|peer| peer.acknowledged).min().unwrap_or(synced)
}

fn primary(members: Members<'_>, config: &Config) -> Member {
    config.primary.as_deref().and_then(|name| members.find(name)).unwrap_or(Member(0))
}

fn stored(write: Write, position: u64) -> Stored {
    Stored { version: version(TERM, position), write }
}

impl protocol::Message for Message {
    fn kind(&self) -> MessageKind {
        match self {
            Message::Append { .. } => MessageKind::Replicate,
            Message::Acknowledge { .. } => MessageKind::Acknowledge,
            Message::Heartbeat { .. } | Message::Fetch { .. } => MessageKind::Control,
        }
    }

    fn label(&self) -> Label {
        match self {
            Message::Append { .. } => const { Label::of("append") },
            Message::Acknowledge { .. } => const { Label::of("acknowledge") },
            Message::Heartbeat { .. } => const { Label::of("heartbeat") },
            Message::Fetch { .. } => const { Label::of("fetch") },
        }
    }

    fn bytes(&self) -> u64 {
        const HEADER: u64 = 32;
        match self {
            Message::Append { batch, .. } => {
                HEADER + batch.entries().iter().copied().map(entry_bytes).sum::<u64>()
            }
            _ => HEADER,
        }
    }

    fn for_each_write(&self, mut each: impl FnMut(Write)) {
        if let Message::Append { batch, .. } = self {
            batch.entries().iter().for_each(|entry| each(entry.write));
        }
    }
}

impl protocol::Timer for Timer {
    const ALL: &'static [Timer] = &[Timer::Ship, Timer::Heartbeat];

    fn index(self) -> usize {
        self as usize
    }

    fn label(self) -> Label {
        match self {
            Timer::Ship => const { Label::of("ship") },
            Timer::Heartbeat => const { Label::of("heartbeat-due") },
        }
    }
}
