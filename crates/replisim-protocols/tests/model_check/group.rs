//! A group of members as the model checker sees it: one moment, what may happen next, and what must hold.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use replisim_observe::{Key, Member, Op, Stored, Time, Version, Write};
use replisim_protocols::primary_backup::{Config, Failover, PrimaryBackup, Timer};
use replisim_protocols::{
    Change, Command, CommitRule, Effects, Kept, Members, Protocol, Reply, Request, Span, Timer as _,
};

/// A replication group, and how much may happen to it.
#[derive(Clone)]
pub(crate) struct Bounds {
    pub(crate) members: u32,
    pub(crate) puts: u64,
    pub(crate) crashes: u32,
    pub(crate) kept: Kept,
    pub(crate) drops: u32,
    /// How many timers may fire.
    pub(crate) fires: u32,
    /// How often a member may be ordered to become the primary.
    pub(crate) orders: u32,
    /// How many states are looked at, at most.
    pub(crate) states: usize,
}

/// Everything there is at one moment.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Group {
    pub(crate) members: Vec<Node>,
    /// A set: two equal messages under way are as good as one to protocols that bear loss and repetition.
    pub(crate) network: Vec<(Member, Member, <PrimaryBackup as Protocol>::Message)>,
    pub(crate) facts: Facts,
    pub(crate) spent: Spent,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Node {
    pub(crate) protocol: PrimaryBackup,
    pub(crate) store: Option<Stored>,
    pub(crate) log: Vec<Stored>,
    pub(crate) persisting: Option<u64>,
    pub(crate) armed: BTreeSet<usize>,
}

/// What has happened, as seen from outside.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) committed: Vec<Stored>,
    /// Who gave versions above which floor.
    pub(crate) primaries: BTreeMap<Version, Member>,
    pub(crate) serving: Option<Member>,
    pub(crate) broken: Option<&'static str>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Spent {
    pub(crate) puts: u64,
    pub(crate) crashes: u32,
    pub(crate) drops: u32,
    pub(crate) fires: u32,
    pub(crate) orders: u32,
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Action {
    Put(usize),
    Deliver(usize),
    Drop(usize),
    Persist(usize),
    Fire(usize, usize),
    Crash(usize),
    Order(usize),
}

/// The effects of one handler of member `me`.
struct Stage<'a> {
    me: Member,
    node: &'a mut NodeOutside,
    pub(crate) network: &'a mut Vec<(Member, Member, <PrimaryBackup as Protocol>::Message)>,
    pub(crate) facts: &'a mut Facts,
    /// Whether whoever is elected must have every committed write.
    keeps_commits: bool,
}

/// A node without its protocol.
struct NodeOutside {
    pub(crate) store: Option<Stored>,
    pub(crate) log: Vec<Stored>,
    pub(crate) persisting: Option<u64>,
    pub(crate) armed: BTreeSet<usize>,
}

impl Stage<'_> {
    fn expect(&mut self, holds: bool, claim: &'static str) {
        if !holds {
            self.facts.broken.get_or_insert(claim);
        }
    }
}

impl Effects<PrimaryBackup> for Stage<'_> {
    fn send(&mut self, to: Member, message: <PrimaryBackup as Protocol>::Message) {
        let envelope = (self.me, to, message);
        if !self.network.contains(&envelope) {
            self.network.push(envelope);
        }
    }
    fn arm(&mut self, timer: Timer, _: Span) {
        self.node.armed.insert(timer.index());
    }
    fn disarm(&mut self, timer: Timer) {
        self.node.armed.remove(&timer.index());
    }
    fn persist(&mut self, upto: u64, _: u64) {
        self.node.persisting = Some(upto);
    }
    fn committed(&mut self, _: Key, stored: Stored, _: u32) {
        let is_logged = self.node.log.contains(&stored);
        self.expect(is_logged, "what is committed is logged");
        if !self.facts.committed.contains(&stored) {
            self.facts.committed.push(stored);
        }
    }
    fn logged(&mut self, _: Key, stored: Stored) {
        let grows = self.node.log.last().is_none_or(|last| last.version < stored.version);
        self.expect(grows, "logged versions grow");
        self.node.log.push(stored);
    }
    fn unlogged(&mut self, _: Key, undone: Stored, back_to: Option<Stored>) {
        let is_last = self.node.log.pop() == Some(undone);
        self.expect(is_last, "the newest logged version is taken back first");
        if back_to.is_none() {
            self.node.log.clear();
        }
        let is_before = self.node.log.last().copied() == back_to;
        self.expect(is_before, "what is taken back uncovers what stood before it");
    }
    fn apply(&mut self, _: Key, stored: Stored, _: u32) {
        let fits = self.node.store.is_none_or(|shown| shown.version < stored.version)
            && self.node.log.contains(&stored);
        self.expect(fits, "shown versions grow, and are logged");
        self.node.store = Some(stored);
    }
    fn unapply(&mut self, _: Key, undone: Stored, back_to: Option<Stored>) {
        let fits = self.node.store == Some(undone);
        self.expect(fits, "what is taken back was shown");
        self.node.store = back_to;
    }
    fn read(&self, _: Key) -> Option<Stored> {
        self.node.store
    }
    fn value_bytes(&self, _: Key) -> u32 {
        10
    }
    fn keys(&self) -> u32 {
        1
    }
    fn promoted(&mut self, floor: Version) {
        let alone = self.facts.primaries.insert(floor, self.me).is_none();
        self.expect(alone, "a term has one primary, once");
        // Of two that were ordered without asking, the later may never have heard of the earlier.
        let is_latest = self.facts.primaries.last_key_value().is_none_or(|(last, _)| *last <= floor);
        let above_all = self.facts.committed.iter().all(|stored| stored.version <= floor);
        self.expect(above_all || !is_latest, "the latest floor is above all that is committed");
        let has_all = self.facts.committed.iter().all(|stored| self.node.log.contains(stored));
        self.expect(has_all || !self.keeps_commits, "whoever is elected has all that was committed");
    }
    fn serving(&mut self) {
        let is_newest = self.facts.primaries.last_key_value().is_some_and(|(_, member)| *member == self.me);
        if is_newest {
            self.facts.serving = Some(self.me);
        }
    }
    fn accepted(&mut self, _: Key, _: Stored, _: u32, _: CommitRule) {
        unreachable!("its primary knows what is committed")
    }
    fn hinted(&mut self, _: Key, _: Stored) {
        unreachable!("it keeps no hints")
    }
    fn unhinted(&mut self, _: Key, _: Stored) {
        unreachable!("it keeps no hints")
    }
    fn purge(&mut self, _: Key, _: Stored) {
        unreachable!("it keeps its tombstones")
    }
    fn wall_clock(&self) -> Time {
        unreachable!("its versions are positions in a log")
    }
    fn local_clock(&self) -> Time {
        Time::ZERO
    }
    fn reply(&mut self, op: Op, reply: Reply) {
        if let Reply::Written(version) = reply {
            // Pitfall 15: an answer that belongs to what stood at that position before.
            let stands = self.node.log.contains(&Stored { version, write: Write(op.0) });
            self.expect(stands, "a client is told of what stands in the primary's log");
            let is_committed = self.facts.committed.iter().any(|stored| stored.version == version);
            self.expect(is_committed, "a client is told of what is committed");
        }
    }
    fn choose(&mut self, _: u32) -> u32 {
        0
    }
}

impl Group {
    pub(crate) fn new(bounds: &Bounds, config: &Config) -> Group {
        let names: Vec<String> = (0..bounds.members).map(|i| format!("n{i}")).collect();
        let members = (0..bounds.members).map(|i| Node {
            protocol: PrimaryBackup::new(Member(i), Members { names: &names, regions: &[] }, config),
            store: None,
            log: Vec::new(),
            persisting: None,
            armed: BTreeSet::new(),
        });
        let mut group = Group {
            members: members.collect(),
            network: Vec::new(),
            facts: Facts::default(),
            spent: Spent::default(),
        };
        for i in 0..group.members.len() {
            group.with(i, false, |protocol, stage| protocol.start(stage));
        }
        group
    }

    fn with(
        &mut self,
        member: usize,
        keeps_commits: bool,
        act: impl FnOnce(&mut PrimaryBackup, &mut Stage<'_>),
    ) {
        let node = &mut self.members[member];
        let mut outside = NodeOutside {
            store: node.store,
            log: std::mem::take(&mut node.log),
            persisting: node.persisting,
            armed: std::mem::take(&mut node.armed),
        };
        let mut stage = Stage {
            me: Member(member as u32),
            node: &mut outside,
            network: &mut self.network,
            facts: &mut self.facts,
            keeps_commits,
        };
        act(&mut node.protocol, &mut stage);
        (node.store, node.log) = (outside.store, outside.log);
        (node.persisting, node.armed) = (outside.persisting, outside.armed);
    }

    pub(crate) fn apply(&mut self, action: Action, kept: Kept, keeps_commits: bool) {
        match action {
            Action::Put(member) => {
                // All to one key, so that order matters.
                let (op, write) = (Op(self.spent.puts), Write(self.spent.puts));
                let request = Request::blind(Key(0), write, Change::Put { bytes: 10 });
                self.spent.puts += 1;
                self.with(member, keeps_commits, |protocol, stage| protocol.request(op, request, stage));
            }
            Action::Deliver(i) => {
                let (from, to, message) = self.network.remove(i);
                self.with(to.index(), keeps_commits, |protocol, stage| {
                    protocol.message(from, message, stage)
                });
            }
            Action::Drop(i) => {
                self.network.remove(i);
                self.spent.drops += 1;
            }
            Action::Persist(member) => {
                if let Some(upto) = self.members[member].persisting.take() {
                    self.with(member, keeps_commits, |protocol, stage| protocol.persisted(upto, stage));
                }
            }
            Action::Fire(member, timer) => {
                self.spent.fires += 1;
                self.members[member].armed.remove(&timer);
                self.with(member, keeps_commits, |protocol, stage| protocol.timer(Timer::ALL[timer], stage));
            }
            Action::Crash(member) => {
                self.spent.crashes += 1;
                let node = &mut self.members[member];
                node.persisting = None;
                node.armed.clear();
                if kept == Kept::Nothing {
                    (node.store, node.log) = (None, Vec::new());
                }
                if self.facts.serving == Some(Member(member as u32)) {
                    self.facts.serving = None;
                }
                self.with(member, keeps_commits, |protocol, stage| protocol.crash(kept, stage));
                self.with(member, keeps_commits, |protocol, stage| protocol.start(stage));
            }
            Action::Order(member) => {
                self.spent.orders += 1;
                self.with(member, keeps_commits, |protocol, stage| protocol.command(Command::Promote, stage));
            }
        }
        self.network.sort_by_cached_key(|envelope| {
            let mut hasher = DefaultHasher::new();
            envelope.hash(&mut hasher);
            hasher.finish()
        });
    }

    /// Lets everything under way arrive, and disks finish.
    fn flow(&mut self) {
        let mut steps = 0;
        while !self.network.is_empty() || self.members.iter().any(|node| node.persisting.is_some()) {
            if !self.network.is_empty() {
                self.apply(Action::Deliver(0), Kept::Written, false);
            }
            for member in 0..self.members.len() {
                self.apply(Action::Persist(member), Kept::Written, false);
            }
            steps += 1;
            assert!(steps < 2_000, "members talk without end");
        }
    }

    fn fire(&mut self, timer: Timer) {
        for member in 0..self.members.len() {
            if self.members[member].armed.contains(&timer.index()) {
                self.apply(Action::Fire(member, timer.index()), Kept::Written, false);
                if timer == Timer::Stand {
                    self.flow();
                }
            }
        }
        self.flow();
    }

    /// Whether from here on, if nothing more goes wrong, all members come to hold and show the same.
    pub(crate) fn converges(&self, failover: &Failover) -> bool {
        self.at_rest(failover).is_ok()
    }

    /// What comes of this if nothing more goes wrong: an error if the members do not come to agree.
    pub(crate) fn at_rest(&self, failover: &Failover) -> Result<(), Box<Group>> {
        let mut group = self.clone();
        group.flow();
        for _ in 0..8 {
            for timer in [Timer::Ship, Timer::Heartbeat, Timer::Serve] {
                group.fire(timer);
            }
            if !group.has_primary() {
                group.fire(Timer::Suspect);
                group.fire(Timer::Stand);
                if *failover == Failover::Manual {
                    group.order_someone();
                }
            }
        }
        if *failover == Failover::None && !group.has_primary() {
            return Ok(()); // it has lost its disk, and nobody may take its place
        }
        let first = &group.members[0];
        let same =
            group.members.iter().all(|node| node.store == first.store && node.log.last() == first.log.last());
        let quiet = group.members.iter().all(|node| node.protocol.quiescent());
        if same && quiet && group.facts.broken.is_none() { Ok(()) } else { Err(Box::new(group)) }
    }

    /// An operator finds someone who can be the primary.
    fn order_someone(&mut self) {
        for member in 0..self.members.len() {
            self.apply(Action::Order(member), Kept::Written, false);
            self.flow();
            self.fire(Timer::Heartbeat);
            self.fire(Timer::Serve);
            if self.has_primary() {
                return;
            }
        }
    }

    /// Whether anyone would take a write.
    fn has_primary(&self) -> bool {
        (0..self.members.len()).any(|member| {
            let mut group = self.clone();
            let before = group.members[member].log.len();
            group.apply(Action::Put(member), Kept::Written, false);
            group.members[member].log.len() > before
        })
    }

    /// Whether what every member has logged is a part of what the most advanced one has.
    pub(crate) fn logs_are_prefixes(&self) -> bool {
        let longest = self.members.iter().map(|node| &node.log).max_by_key(|log| log.len());
        longest.is_none_or(|longest| self.members.iter().all(|node| longest.starts_with(&node.log)))
    }
}
