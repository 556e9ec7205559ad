//! A group of members as the model checker sees it, whatever its protocol: one moment, what may happen next, and what
//! is claimed while it happens. All writes are of one key, so that order matters.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use replisim_observe::{Client, Duration, Key, Member, Op, Stored, Time, Version, Write};
use replisim_protocols::{
    Change, Command, CommitRule, Consistency, Context, Effects, Kept, Members, Protocol, Reply, Request,
    Span, Timer as _, Token, WALL_CLOCK_START,
};

/// Attempt k at a put is that many times k above the first.
const ATTEMPT: u64 = 1_000;

/// Which put a write is an attempt of.
fn put_of(write: Write) -> u64 {
    write.0 % ATTEMPT
}

/// A replication group, and how much may happen to it.
#[derive(Clone)]
pub(crate) struct Bounds {
    /// What has happened before anything else may.
    pub(crate) before: &'static [Action],
    pub(crate) members: u32,
    pub(crate) puts: u64,
    /// How often a client may try its first put again, whether or not it has heard of it, with the token of that put.
    pub(crate) retries: u64,
    pub(crate) reads: u64,
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

/// What a protocol, so configured, promises; and how its time goes.
#[derive(Clone, Default)]
pub(crate) struct Rules {
    /// There is a primary with a log: what is committed and shown stands in it.
    pub(crate) has_log: bool,
    /// Whoever is elected has every committed write.
    pub(crate) keeps_commits: bool,
    /// A read that begins after a write was acknowledged returns that write or a newer one.
    pub(crate) fresh_reads: bool,
    /// A read that begins after another has ended returns nothing older.
    pub(crate) monotonic_reads: bool,
    /// How much time passes when a timer fires; any timer may fire at any time.
    pub(crate) tick: Duration,
}

/// Everything there is at one moment.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Group<P: Protocol> {
    pub(crate) nodes: Vec<Node<P>>,
    /// A set: two equal messages under way are as good as one to protocols that bear loss and repetition.
    pub(crate) network: Vec<(Member, Member, P::Message)>,
    pub(crate) facts: Facts,
    pub(crate) spent: Spent,
}

/// A member.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Node<P> {
    pub(crate) protocol: P,
    pub(crate) outside: Outside,
}

/// What a member has outside its protocol.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Outside {
    pub(crate) store: Option<Stored>,
    pub(crate) log: Vec<Stored>,
    hints: BTreeSet<Stored>,
    persisting: Option<u64>,
    armed: BTreeSet<usize>,
}

/// What has happened, as seen from outside.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) committed: Vec<Stored>,
    /// Who has accepted a write that is committed once enough have.
    votes: BTreeMap<Write, BTreeSet<Member>>,
    /// The newest version of which a client was told that it is written.
    pub(crate) acked: Version,
    /// The newest version that a read has returned.
    returned: Version,
    /// Reads under way: what they must not be older than.
    reads: BTreeMap<Op, Version>,
    /// Who gave versions above which floor.
    pub(crate) primaries: BTreeMap<Version, Member>,
    pub(crate) serving: Option<Member>,
    pub(crate) broken: Option<&'static str>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Spent {
    puts: u64,
    retries: u64,
    reads: u64,
    crashes: u32,
    drops: u32,
    fires: u32,
    orders: u32,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Action {
    Put(usize),
    Retry(usize),
    Read(usize),
    Deliver(usize),
    Drop(usize),
    Persist(usize),
    Fire(usize, usize),
    Crash(usize, Kept),
    Order(usize),
}

/// The effects of one handler of member `me`.
struct Stage<'a, P: Protocol> {
    me: Member,
    node: &'a mut Outside,
    network: &'a mut Vec<(Member, Member, P::Message)>,
    facts: &'a mut Facts,
    rules: &'a Rules,
    clock: Duration,
}

impl<P: Protocol> Stage<'_, P> {
    fn expect(&mut self, holds: bool, claim: &'static str) {
        if !holds {
            self.facts.broken.get_or_insert(claim);
        }
    }

    fn returned(&mut self, op: Op, version: Version) {
        let is_fresh = self.facts.reads.remove(&op).is_none_or(|least| version >= least);
        self.expect(is_fresh, "a read returns nothing older than what was acknowledged or read before it");
        self.facts.returned = self.facts.returned.max(version);
    }
}

impl<P: Protocol> Effects<P> for Stage<'_, P> {
    fn send(&mut self, to: Member, message: P::Message) {
        let envelope = (self.me, to, message);
        if !self.network.contains(&envelope) {
            self.network.push(envelope);
        }
    }
    fn arm(&mut self, timer: P::Timer, _: Span) {
        self.node.armed.insert(timer.index());
    }
    fn disarm(&mut self, timer: P::Timer) {
        self.node.armed.remove(&timer.index());
    }
    fn persist(&mut self, upto: u64, _: u64) {
        self.node.persisting = Some(upto);
    }
    fn committed(&mut self, _: Key, stored: Stored, _: u32) {
        let is_logged = self.node.log.contains(&stored);
        self.expect(is_logged || !self.rules.has_log, "what is committed is logged");
        if !self.facts.committed.contains(&stored) {
            self.facts.committed.push(stored);
        }
    }
    fn accepted(&mut self, key: Key, stored: Stored, bytes: u32, rule: CommitRule) {
        let votes = self.facts.votes.entry(stored.write).or_default();
        votes.insert(self.me);
        if votes.len() as u32 >= rule.needed {
            self.committed(key, stored, bytes);
        }
    }
    fn logged(&mut self, _: Key, stored: Stored) {
        if self.rules.has_log {
            let grows = self.node.log.last().is_none_or(|last| last.version < stored.version);
            self.expect(grows, "logged versions grow");
            let is_first = self.node.log.iter().all(|other| put_of(other.write) != put_of(stored.write));
            self.expect(is_first, "of the attempts at a put a member logs one");
            self.node.log.push(stored);
        }
    }
    fn unlogged(&mut self, _: Key, undone: Stored, back_to: Option<Stored>) {
        if !self.rules.has_log {
            return self.expect(self.node.store == back_to, "what is held is what is shown");
        }
        let is_last = self.node.log.pop() == Some(undone);
        self.expect(is_last, "the newest logged version is taken back first");
        if back_to.is_none() {
            self.node.log.clear();
        }
        let is_before = self.node.log.last().copied() == back_to;
        self.expect(is_before, "what is taken back uncovers what stood before it");
    }
    fn apply(&mut self, _: Key, stored: Stored, _: u32) {
        let grows = self.node.store.is_none_or(|shown| shown.version < stored.version);
        let is_logged = !self.rules.has_log || self.node.log.contains(&stored);
        self.expect(grows && is_logged, "shown versions grow, and are logged");
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
        self.expect(has_all || !self.rules.keeps_commits, "whoever is elected has all that was committed");
    }
    fn serving(&mut self) {
        let is_newest = self.facts.primaries.last_key_value().is_some_and(|(_, member)| *member == self.me);
        if is_newest {
            self.facts.serving = Some(self.me);
        }
    }
    fn hinted(&mut self, _: Key, stored: Stored) {
        self.node.hints.insert(stored);
    }
    fn unhinted(&mut self, _: Key, stored: Stored) {
        self.node.hints.remove(&stored);
    }
    fn purge(&mut self, _: Key, _: Stored) {
        unreachable!("nobody deletes anything")
    }
    fn local_clock(&self) -> Time {
        Time::ZERO + self.clock
    }
    fn wall_clock(&self) -> Time {
        WALL_CLOCK_START + self.clock
    }
    fn reply(&mut self, op: Op, reply: Reply) {
        match reply {
            Reply::Written(Stored { version, .. }) => {
                // An answer may belong to what stood at that position before, or to what another attempt wrote.
                let is_it = |stored: &Stored| {
                    stored.version == version && put_of(stored.write) == put_of(Write(op.0))
                };
                let stands = self.node.log.iter().any(is_it);
                let has_log = self.rules.has_log;
                self.expect(stands || !has_log, "a client is told of what stands in the primary's log");
                let is_committed = self.facts.committed.iter().any(|stored| stored.version == version);
                self.expect(is_committed, "a client is told of what is committed");
                self.facts.acked = self.facts.acked.max(version);
            }
            Reply::Value(stored) => self.returned(op, stored.unwrap_or_default().version),
            Reply::Newest { stored, .. } => self.returned(op, stored.version),
            Reply::Siblings(_) | Reply::NotApplied => unreachable!("nobody asks for it"),
            Reply::Refused | Reply::Redirect(_) => _ = self.facts.reads.remove(&op),
        }
    }
    fn choose(&mut self, _: u32) -> u32 {
        0
    }
}

impl<P: Protocol> Group<P> {
    pub(crate) fn new(bounds: &Bounds, config: &P::Config, rules: &Rules) -> Group<P> {
        let names: Vec<String> = (0..bounds.members).map(|i| format!("n{i}")).collect();
        let all = Members { names: &names, regions: &[] };
        let node = |i| Node { protocol: P::new(Member(i), all, config), outside: Outside::default() };
        let mut group = Group {
            nodes: (0..bounds.members).map(node).collect(),
            network: Vec::new(),
            facts: Facts::default(),
            spent: Spent::default(),
        };
        for i in 0..group.nodes.len() {
            group.with(i, rules, |protocol, stage| protocol.start(stage));
        }
        bounds.before.iter().for_each(|action| group.apply(*action, rules));
        group
    }

    /// What may happen next within the bounds.
    pub(crate) fn actions(&self, bounds: &Bounds, rules: &Rules, actions: &mut Vec<Action>) {
        let spent = &self.spent;
        for i in 0..self.network.len() {
            actions.push(Action::Deliver(i));
            if spent.drops < bounds.drops {
                actions.push(Action::Drop(i));
            }
        }
        for (i, node) in self.nodes.iter().enumerate() {
            let takes = !rules.has_log || self.facts.primaries.values().any(|member| member.index() == i);
            if spent.puts < bounds.puts && takes {
                actions.push(Action::Put(i));
            }
            if spent.puts > 0 && spent.retries < bounds.retries && takes {
                actions.push(Action::Retry(i));
            }
            if spent.reads < bounds.reads {
                actions.push(Action::Read(i));
            }
            if node.outside.persisting.is_some() {
                actions.push(Action::Persist(i));
            }
            if spent.crashes < bounds.crashes {
                actions.push(Action::Crash(i, bounds.kept));
            }
            if spent.fires < bounds.fires {
                actions.extend(node.outside.armed.iter().map(|timer| Action::Fire(i, *timer)));
            }
            if spent.orders < bounds.orders && i > 0 {
                actions.push(Action::Order(i));
            }
        }
    }

    fn with(&mut self, i: usize, rules: &Rules, act: impl FnOnce(&mut P, &mut Stage<'_, P>)) {
        let Node { protocol, outside } = &mut self.nodes[i];
        let clock = Duration::from_nanos(u64::from(self.spent.fires) * rules.tick.nanos());
        let (network, facts) = (&mut self.network, &mut self.facts);
        let mut stage = Stage { me: Member(i as u32), node: outside, network, facts, rules, clock };
        act(protocol, &mut stage);
    }

    /// A client tries a put; all attempts have the same remainder, which is the number of its token.
    fn attempt(&mut self, member: usize, attempt: u64, rules: &Rules) {
        let (op, write) = (Op(attempt), Write(attempt));
        let (key, change) = (Key(0), Change::Put { bytes: 10 });
        let (context, stamp) = (Context::new(), Version(self.spent.puts));
        let token = Some(Token { client: Client(0), number: put_of(write) as u32, open: 0 });
        let request = Request::Write { key, write, change, context, stamp, token };
        self.with(member, rules, |protocol, stage| protocol.request(op, request, stage));
    }

    pub(crate) fn apply(&mut self, action: Action, rules: &Rules) {
        match action {
            Action::Put(member) => {
                self.spent.puts += 1;
                self.attempt(member, self.spent.puts - 1, rules);
            }
            Action::Retry(member) => {
                self.spent.retries += 1;
                self.attempt(member, self.spent.retries * ATTEMPT, rules);
            }
            Action::Read(member) => {
                let op = Op(u64::MAX - self.spent.reads);
                self.spent.reads += 1;
                let acked = if rules.fresh_reads { self.facts.acked } else { Version(0) };
                let returned = if rules.monotonic_reads { self.facts.returned } else { Version(0) };
                self.facts.reads.insert(op, acked.max(returned));
                let (key, consistency, token) = (Key(0), Consistency::Eventual, Version(0));
                let request = Request::Read { key, consistency, token, by_primary: false };
                self.with(member, rules, |protocol, stage| protocol.request(op, request, stage));
            }
            Action::Deliver(i) => {
                let (from, to, message) = self.network.remove(i);
                self.with(to.index(), rules, |protocol, stage| protocol.message(from, message, stage));
            }
            Action::Drop(i) => {
                self.network.remove(i);
                self.spent.drops += 1;
            }
            Action::Persist(member) => {
                if let Some(upto) = self.nodes[member].outside.persisting.take() {
                    self.with(member, rules, |protocol, stage| protocol.persisted(upto, stage));
                }
            }
            Action::Fire(member, timer) => {
                self.spent.fires += 1;
                self.nodes[member].outside.armed.remove(&timer);
                self.with(member, rules, |protocol, stage| protocol.timer(P::Timer::ALL[timer], stage));
            }
            Action::Crash(member, kept) => {
                self.spent.crashes += 1;
                let outside = &mut self.nodes[member].outside;
                outside.persisting = None;
                outside.armed.clear();
                if kept == Kept::Nothing {
                    (outside.store, outside.log, outside.hints) = Default::default();
                }
                if self.facts.serving == Some(Member(member as u32)) {
                    self.facts.serving = None;
                }
                self.with(member, rules, |protocol, stage| protocol.crash(kept, stage));
                self.with(member, rules, |protocol, stage| protocol.start(stage));
            }
            Action::Order(member) => {
                self.spent.orders += 1;
                self.with(member, rules, |protocol, stage| protocol.command(Command::Promote, stage));
            }
        }
        self.network.sort_by_cached_key(|envelope| {
            let mut hasher = DefaultHasher::new();
            envelope.hash(&mut hasher);
            hasher.finish()
        });
    }

    /// Lets everything under way arrive, and disks finish.
    pub(crate) fn flow(&mut self, rules: &Rules) {
        let mut steps = 0;
        while !self.network.is_empty() || self.nodes.iter().any(|node| node.outside.persisting.is_some()) {
            if !self.network.is_empty() {
                self.apply(Action::Deliver(0), rules);
            }
            for member in 0..self.nodes.len() {
                self.apply(Action::Persist(member), rules);
            }
            steps += 1;
            assert!(steps < 2_000, "members talk without end");
        }
    }

    /// Fires a timer of one member, if it is armed.
    pub(crate) fn fire(&mut self, member: usize, timer: P::Timer, rules: &Rules) {
        if self.nodes[member].outside.armed.contains(&timer.index()) {
            self.apply(Action::Fire(member, timer.index()), rules);
        }
    }

    /// Whether the first `owners` members show the same, all stand still, and no claim was broken.
    pub(crate) fn agrees(&self, owners: usize) -> bool {
        let first = &self.nodes[0].outside;
        let same =
            |node: &Node<P>| node.outside.store == first.store && node.outside.log.last() == first.log.last();
        let quiet = self.nodes.iter().all(|node| node.protocol.quiescent());
        self.nodes[..owners].iter().all(same) && quiet && self.facts.broken.is_none()
    }

    /// How many members hold `version`, or one that supersedes it; perhaps for others.
    pub(crate) fn holders(&self, version: Version, for_others: bool) -> u32 {
        let holds = |node: &&Node<P>| {
            let hints = node.outside.hints.iter().filter(|_| for_others);
            node.outside.store.iter().chain(hints).any(|stored| stored.version >= version)
        };
        self.nodes.iter().filter(holds).count() as u32
    }
}
