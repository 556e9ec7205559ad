//! The stage: everything in the world but the protocol instances themselves; what a protocol's [`Effects`] act on.

use std::collections::{BTreeMap, VecDeque};

use replisim_engine::random::below;
use replisim_engine::{Digest, Label, Name, Queue, Sampler, Stream, Streams, Time, TimerSlot};
use replisim_network::{Network, Packet, Site, Traffic};
use replisim_observe::{Carried, Group, Key, Member, Observation, Observer, Op, Stored, Version, Write};
use replisim_protocols::{
    Change, CommitRule, Effects, Message, MessageKind, Protocol, Reply, Request, Span, Timer,
};

use crate::ballots::Ballots;
use crate::clients::draw_between;
use crate::clocks::{Clock, ClockSettings};
use crate::disk::Disk;
use crate::layout::Layout;
use crate::node::Node;
use crate::world::Event;

/// Time, network, stores and observers.
#[derive(Debug)]
pub(crate) struct Stage<P: Protocol, O> {
    pub(crate) now: Time,
    pub(crate) queue: Queue<Event>,
    pub(crate) network: Network,
    pub(crate) envelopes: Envelopes<P>,
    pub(crate) observer: O,
    pub(crate) digest: Digest,
    pub(crate) layout: Layout,
    lanes: usize,
    /// What each member shows for each key; the copies of one key lie together.
    store: Vec<Shown>,
    /// What nodes, and after them clients, have on the wall.
    pub(crate) clocks: Vec<Clock>,
    pub(crate) nodes: Vec<Node<P>>,
    pub(crate) disks: Vec<Disk>,
    /// Writes that have been committed: a primary that takes over may commit again what its predecessor had.
    committed: Committed,
    /// Who has accepted those that are not.
    ballots: Ballots,
    /// By group.
    pub(crate) reigns: Vec<Reign>,
    /// Groups in which another has been promoted since that was looked at.
    pub(crate) changed_primary: Vec<Group>,
    pub(crate) timers: Vec<TimerSlot>,
    timer_streams: Vec<Stream>,
    choice_streams: Vec<Stream>,
    /// What the handler that runs has asked to persist.
    pub(crate) persisting: Option<u64>,
    /// Answers of instances within clients: they are there at once.
    pub(crate) answers: VecDeque<(Op, Member, Reply)>,
}

/// What a member shows for a key, and the size of the value. Packed: a store is read all over.
#[derive(Clone, Copy, Debug, Default)]
struct Shown {
    version: Version,
    write: Write,
    bytes: u32,
    is_there: bool,
}

/// Who reigns in a replication group.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reign {
    /// The node of the member of the highest promoted term, and the floor of that term.
    pub(crate) rightful: Option<Member>,
    pub(crate) floor: Version,
    pub(crate) presence: Presence,
    /// Since when it has been cut off from most of its group, if it is.
    pub(crate) outvoted: Option<Time>,
}

/// Whether a primary is there: up, and not cut off from the clients that offer most of the writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Presence {
    /// Nobody has looked since it was promoted.
    #[default]
    New,
    There,
    /// It has been cut off from them since it was promoted: what was never there cannot be lost.
    NeverThere,
    /// It was there, and is not; or it is down.
    Lost,
}

/// A message under way.
#[derive(Debug)]
pub(crate) struct Envelope<P: Protocol> {
    pub(crate) group: Group,
    pub(crate) from: Site,
    pub(crate) to: Site,
    pub(crate) sent: Time,
    /// Whether a copy of it has arrived already.
    pub(crate) copied: bool,
    pub(crate) content: Content<P>,
}

/// What messages are about.
#[derive(Debug)]
pub(crate) enum Content<P: Protocol> {
    Protocol(P::Message),
    Request(Op, Request),
    Reply(Op, Reply),
}

/// The messages under way, by packet number; numbers are used again.
#[derive(Debug)]
pub(crate) struct Envelopes<P: Protocol> {
    slots: Vec<Option<Envelope<P>>>,
    free: Vec<u32>,
}

impl<P: Protocol, O: Observer> Stage<P, O> {
    /// `names` are those of the nodes, and after them of the clients that have an instance of the protocol.
    pub(crate) fn new(
        (layout, names): (Layout, &[String]),
        (keys, lanes): (usize, usize),
        network: Network,
        clocks: &[ClockSettings],
        fsync: Option<&Sampler>,
        streams: &Streams,
        observer: O,
    ) -> Self {
        let mut queue = Queue::new();
        let timers = (0..layout.instances())
            .flat_map(|instance| {
                (0..P::Timer::ALL.len() as u32).map(move |timer| Event::Timer { instance, timer })
            })
            .map(|event| queue.new_timer(event))
            .collect();
        let stream = |instance: u32, what: &str| {
            let (site, (group, _)) = (layout.site_of(instance), layout.member(instance));
            let name = &names[site.index()];
            // In the first of its groups a node has the luck that it would have in one group.
            if layout.is_first(instance) {
                return streams.named(&format!("member/{name}/{what}"));
            }
            streams.named(&format!("member/{name}/group/{}/{what}", group.0))
        };
        let disks = (0..layout.instances()).map(|instance| {
            let done = queue.new_timer(Event::Synced { instance });
            Disk::new(fsync.cloned(), stream(instance, "disk"), done)
        });
        let disks = disks.collect();
        let copies = keys * lanes * layout.group_size() as usize;
        Stage {
            now: Time::ZERO,
            queue,
            network,
            envelopes: Envelopes { slots: Vec::new(), free: Vec::new() },
            observer,
            digest: Digest::new(),
            layout,
            lanes,
            store: vec![Shown::default(); copies],
            clocks: clocks.iter().map(Clock::new).collect(),
            nodes: names.iter().map(|_| Node::default()).collect(),
            disks,
            committed: Committed::default(),
            ballots: Ballots::default(),
            reigns: vec![Reign::default(); layout.groups() as usize],
            changed_primary: Vec::new(),
            timers,
            timer_streams: (0..layout.instances()).map(|instance| stream(instance, "timers")).collect(),
            choice_streams: (0..layout.instances()).map(|instance| stream(instance, "choices")).collect(),
            persisting: None,
            answers: VecDeque::new(),
        }
    }

    /// What concerns no group more than another.
    #[inline]
    pub(crate) fn observe(&mut self, what: Observation) {
        self.observe_in(Group(0), what);
    }

    #[inline]
    pub(crate) fn observe_in(&mut self, group: Group, what: Observation) {
        self.observer.observe(self.now, group, what);
    }

    /// What concerns an operation on `key`.
    #[inline]
    pub(crate) fn observe_of(&mut self, key: Key, what: Observation) {
        self.observe_in(self.layout.group_of(key), what);
    }

    /// A message has arrived, or never will.
    #[inline]
    pub(crate) fn observe_carried(&mut self, envelope: &Envelope<P>, name: Name, arrived: bool) {
        let Envelope { from, to, sent, .. } = *envelope;
        let name = name.text;
        self.observer.carried(Carried { name, from: from.0, to: to.0, sent, until: self.now, arrived });
    }

    /// Hands a message to the network.
    pub(crate) fn send(
        &mut self,
        group: Group,
        (from, to): (Site, Site),
        traffic: Traffic,
        bytes: u64,
        content: Content<P>,
    ) {
        self.observe(Observation::Sent { bytes });
        let packet = self.envelopes.put(Envelope { group, from, to, sent: self.now, copied: false, content });
        self.network.send(self.now, (from, to), traffic, packet, bytes, &mut self.queue);
    }

    /// A write was refused: it will never be committed.
    pub(crate) fn refused(&mut self, write: Write) {
        self.committed.insert(write);
    }

    /// Takes everything away that an instance shows.
    pub(crate) fn empty_store(&mut self, instance: u32) {
        let (group, member) = self.layout.member(instance);
        let width = self.layout.group_size() as usize;
        let first = group.index() * width + member.index();
        for cell in (first..self.store.len()).step_by(self.layout.groups() as usize * width) {
            self.store[cell].set(None);
        }
    }

    pub(crate) fn lose(&mut self, packet: Packet) {
        if let Some(envelope) = self.envelopes.take(packet) {
            let name = envelope.content.name();
            self.digest.absorb(self.now.nanos());
            self.digest.absorb_label(const { Label::of("lost") });
            self.digest.absorb_label(name.label);
            self.digest.absorb(envelope.content.detail());
            self.observe_carried(&envelope, name, false);
        }
        self.observe(Observation::Lost);
    }

    /// What the clock of a node or client shows.
    pub(crate) fn wall_clock(&self, site: Site) -> Time {
        self.clocks[site.index()].shows(self.now)
    }

    pub(crate) fn timer(&self, instance: u32, timer: P::Timer) -> TimerSlot {
        self.timers[instance as usize * P::Timer::ALL.len() + timer.index()]
    }

    fn cell(&self, key: Key, member: Member) -> usize {
        key.index() * self.layout.group_size() as usize + member.index()
    }
}

impl Shown {
    #[inline]
    fn of(Stored { version, write }: Stored) -> Shown {
        Shown { version, write, bytes: 0, is_there: true }
    }

    #[inline]
    fn get(&self) -> Option<Stored> {
        self.is_there.then_some(Stored { version: self.version, write: self.write })
    }

    /// Takes back, or away. The size stays that of what was shown last.
    fn set(&mut self, stored: Option<Stored>) {
        let bytes = self.bytes;
        *self = Shown { bytes, ..stored.map_or(Shown::default(), Shown::of) };
    }
}

/// The stage as the protocol instance of one member sees it.
pub(crate) struct AtMember<'a, P: Protocol, O> {
    pub(crate) stage: &'a mut Stage<P, O>,
    pub(crate) instance: u32,
    pub(crate) group: Group,
    /// Who it is in its group.
    pub(crate) me: Member,
    /// Where it is.
    pub(crate) site: Site,
    /// Where the client of an operation is; nowhere once it has given up, and then no answer is sent.
    pub(crate) reply_to: &'a dyn Fn(Op) -> Option<(Site, Key)>,
}

impl<P: Protocol, O: Observer> AtMember<'_, P, O> {
    #[inline]
    fn observe(&mut self, what: Observation) {
        self.stage.observe_in(self.group, what);
    }

    /// The node, as results name it.
    #[inline]
    fn node(&self) -> Member {
        Member(self.site.0)
    }
}

impl<P: Protocol, O: Observer> Effects<P> for AtMember<'_, P, O> {
    fn send(&mut self, to: Member, message: P::Message) {
        let traffic = match message.kind() {
            MessageKind::Replicate => Traffic::Replicate,
            MessageKind::Acknowledge => Traffic::Acknowledge,
            MessageKind::Request => Traffic::Request,
            MessageKind::Reply => Traffic::Reply,
            MessageKind::Control => Traffic::Control,
        };
        let bytes = message.bytes();
        let to = self.stage.layout.site(self.group, to);
        self.stage.send(self.group, (self.site, to), traffic, bytes, Content::Protocol(message));
    }

    fn arm(&mut self, timer: P::Timer, after: Span) {
        let stage = &mut *self.stage;
        let wait = draw_between(&mut stage.timer_streams[self.instance as usize], after.least, after.most);
        stage.queue.arm(stage.timer(self.instance, timer), stage.now + wait);
    }

    fn disarm(&mut self, timer: P::Timer) {
        self.stage.queue.disarm(self.stage.timer(self.instance, timer));
    }

    fn persist(&mut self, upto: u64, _: u64) {
        let stage = &mut *self.stage;
        let disk = &mut stage.disks[self.instance as usize];
        if disk.is_instant() {
            stage.persisting = Some(upto);
        } else if let Some(done) = disk.ask(stage.now, upto) {
            stage.queue.arm(disk.done, done);
        }
    }

    fn committed(&mut self, key: Key, stored: Stored, bytes: u32) {
        let Stored { version, write } = stored;
        if !self.stage.committed.insert(write) {
            return;
        }
        self.observe(Observation::Committed { write, key, version, bytes, accepted_by: self.node() });
    }

    fn accepted(&mut self, key: Key, stored: Stored, bytes: u32, rule: CommitRule) {
        if !self.stage.committed.contains(stored.write)
            && self.stage.ballots.vote(stored.write, self.me, rule)
        {
            self.committed(key, stored, bytes);
        }
    }

    fn logged(&mut self, key: Key, stored: Stored) {
        self.observe(Observation::Logged { member: self.node(), key, stored });
    }

    fn unlogged(&mut self, key: Key, undone: Stored, back_to: Option<Stored>) {
        self.observe(Observation::Unlogged { member: self.node(), key, undone, back_to });
    }

    fn apply(&mut self, key: Key, stored: Stored, bytes: u32) {
        let cell = self.stage.cell(key, self.me);
        self.stage.store[cell] = Shown { bytes, ..Shown::of(stored) };
        self.observe(Observation::Applied { member: self.node(), key, stored });
    }

    fn unapply(&mut self, key: Key, undone: Stored, back_to: Option<Stored>) {
        let cell = self.stage.cell(key, self.me);
        self.stage.store[cell].set(back_to);
        self.observe(Observation::Unapplied { member: self.node(), key, undone, back_to });
    }

    fn hinted(&mut self, key: Key, stored: Stored) {
        self.observe(Observation::Hinted { member: self.node(), key, stored });
    }

    fn unhinted(&mut self, key: Key, stored: Stored) {
        self.observe(Observation::Unhinted { member: self.node(), key, stored });
    }

    fn purge(&mut self, key: Key, tombstone: Stored) {
        let cell = self.stage.cell(key, self.me);
        self.stage.store[cell].set(None);
        self.observe(Observation::Purged { member: self.node(), key, stored: tombstone });
    }

    fn read(&self, key: Key) -> Option<Stored> {
        if self.stage.layout.keeps(self.group, key) {
            self.stage.store[self.stage.cell(key, self.me)].get()
        } else {
            None
        }
    }

    fn value_bytes(&self, key: Key) -> u32 {
        self.stage.store[self.stage.cell(key, self.me)].bytes
    }

    fn keys(&self) -> u32 {
        (self.stage.store.len() / self.stage.layout.group_size() as usize / self.stage.lanes) as u32
    }

    fn promoted(&mut self, floor: Version) {
        // An old primary that starts again and has heard of no other is none the less one of the past.
        let rightful = Some(self.node());
        let reign = self.stage.reigns[self.group.index()];
        if floor >= reign.floor {
            self.stage.reigns[self.group.index()] = Reign { rightful, floor, ..Reign::default() };
            self.stage.changed_primary.push(self.group);
            // The clients on its side of a cut may have noticed nothing so far.
            if let Reign { rightful: Some(member), presence: Presence::There, outvoted: Some(since), .. } =
                reign
                && rightful != Some(member)
            {
                self.observe(Observation::PrimaryLost { member, since });
            }
        }
        self.observe(Observation::Promoted { member: self.node(), floor });
    }

    fn serving(&mut self) {
        self.observe(Observation::Serving { member: self.node() });
    }

    fn local_clock(&self) -> Time {
        self.stage.now
    }

    fn wall_clock(&self) -> Time {
        self.stage.wall_clock(self.site)
    }

    fn reply(&mut self, op: Op, reply: Reply) {
        let Some((site, key)) = (self.reply_to)(op) else { return };
        if site == self.site {
            return self.stage.answers.push_back((op, self.node(), reply));
        }
        let reply = match reply {
            Reply::Redirect(Some(to)) => {
                Reply::Redirect(Some(Member(self.stage.layout.site(self.group, to).0)))
            }
            reply => reply,
        };
        let value = match &reply {
            Reply::Value(Some(_)) => u64::from(self.value_bytes(key)),
            Reply::Newest { bytes, .. } => u64::from(*bytes),
            Reply::Siblings(siblings) => u64::from(siblings.bytes),
            _ => 0,
        };
        let ends = (self.site, site);
        self.stage.send(self.group, ends, Traffic::Reply, HEADER + value, Content::Reply(op, reply));
    }

    fn choose(&mut self, n: u32) -> u32 {
        below(&mut self.stage.choice_streams[self.instance as usize], u64::from(n)) as u32
    }
}

/// Bytes of the header of a client's message.
pub(crate) const HEADER: u64 = 32;

/// Bytes of what a write carries to the primary.
pub(crate) fn change_bytes(change: Change) -> u64 {
    match change {
        Change::Put { bytes } | Change::CompareAndSet { bytes, .. } => u64::from(bytes),
        Change::Delete => 0,
    }
}

/// Which writes have been committed, as runs of handles: nearly all are, nearly in order, so there are few runs.
#[derive(Debug, Default)]
struct Committed {
    /// First handle and the one after the last of each run.
    runs: BTreeMap<u64, u64>,
}

impl Committed {
    fn contains(&self, Write(write): Write) -> bool {
        self.runs.range(..=write).next_back().is_some_and(|(_, end)| write < *end)
    }

    /// Adds a write; false if it was there.
    fn insert(&mut self, Write(write): Write) -> bool {
        let before = self.runs.range(..=write).next_back().map(|(first, end)| (*first, *end));
        if before.is_some_and(|(_, end)| write < end) {
            return false;
        }
        let end = self.runs.remove(&(write + 1)).unwrap_or(write + 1);
        match before.filter(|(_, end)| *end == write) {
            Some((first, _)) => self.runs.insert(first, end),
            None => self.runs.insert(write, end),
        };
        true
    }
}

impl<P: Protocol> Envelopes<P> {
    fn put(&mut self, envelope: Envelope<P>) -> Packet {
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(envelope);
                Packet(slot)
            }
            None => {
                self.slots.push(Some(envelope));
                Packet(self.slots.len() as u32 - 1)
            }
        }
    }

    /// A copy of a message whose other copy is still under way.
    pub(crate) fn copy(&mut self, packet: Packet) -> Option<Envelope<P>> {
        let envelope = self.slots[packet.0 as usize].as_mut()?;
        let copied = std::mem::replace(&mut envelope.copied, true);
        let content = match &envelope.content {
            Content::Protocol(message) => Content::Protocol(message.clone()),
            Content::Request(op, request) => Content::Request(*op, request.clone()),
            Content::Reply(op, reply) => Content::Reply(*op, reply.clone()),
        };
        Some(Envelope { content, copied, ..*envelope })
    }

    #[inline]
    pub(crate) fn take(&mut self, packet: Packet) -> Option<Envelope<P>> {
        let envelope = self.slots[packet.0 as usize].take();
        self.free.push(packet.0);
        envelope
    }
}

impl<P: Protocol> Content<P> {
    /// What it is called.
    pub(crate) fn name(&self) -> Name {
        match self {
            Content::Protocol(message) => message.name(),
            Content::Request(_, Request::Write { change, .. }) => match change {
                Change::Put { .. } => const { Name::of("put") },
                Change::Delete => const { Name::of("delete") },
                Change::CompareAndSet { .. } => const { Name::of("compare-and-set") },
            },
            Content::Request(_, Request::Read { .. }) => const { Name::of("get") },
            Content::Reply(_, reply) => match reply {
                Reply::Written(_) => const { Name::of("written") },
                Reply::NotApplied => const { Name::of("not-applied") },
                Reply::Value(_) | Reply::Newest { .. } => const { Name::of("value") },
                Reply::Siblings(_) => const { Name::of("siblings") },
                Reply::Refused => const { Name::of("refused") },
                Reply::Redirect(_) => const { Name::of("redirect") },
            },
        }
    }

    /// What it is about, as a number for the trace.
    pub(crate) fn detail(&self) -> u64 {
        match self {
            Content::Protocol(message) => {
                let mut detail = message.bytes();
                message.for_each_write(|write| detail = detail.rotate_left(7) ^ write.0);
                detail
            }
            Content::Request(op, _) => op.0,
            Content::Reply(op, Reply::Value(Some(stored)) | Reply::Newest { stored, .. }) => {
                op.0 ^ stored.version.0.rotate_left(32)
            }
            Content::Reply(op, Reply::Siblings(siblings)) => {
                siblings.context.iter().fold(op.0, |sum, newest| sum.rotate_left(7) ^ newest.version.0)
            }
            Content::Reply(op, _) => op.0,
        }
    }
}
