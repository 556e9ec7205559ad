//! A tiny stage moved by hand: messages lie on links until they are delivered or dropped, timers fire when the script
//! says so, disks are as quick as the script wants, and everything that could be seen from outside is kept as text.
//!
//! Operations are numbered from 1, and the client's timestamp of operation n is n: version `3` was written by operation
//! 3. A timestamp of a coordinator is its clock in microseconds, and its name: `7a`.

use std::collections::{BTreeMap, BTreeSet};

use replisim_observe::{Key, Member, Op, Stored, Time, Version, Write};
use replisim_protocols::protocol::{LAST_GIVER, WALL_CLOCK_START, timestamp, timestamp_time};
use replisim_protocols::quorum::{Config, Message, Quorum, Timer};
use replisim_protocols::{
    Change, CommitRule, Consistency, Context, Effects, Kept, Members, Message as _, Protocol, Reply, Request,
    Span, Timer as _,
};

/// A group of `a`, `b`, `c`, …, and a library in a client, `lib`, which is of the region of `a`.
pub(crate) struct Script {
    members: usize,
    protocols: Vec<Quorum>,
    outside: Outside,
    down: BTreeSet<usize>,
    /// Members that nothing reaches, and that reach nobody.
    cut: BTreeSet<usize>,
    ops: u64,
    /// Whether the network delivers everything twice, the last first.
    pub(crate) muddles: bool,
}

/// What the stage has.
struct Outside {
    me: usize,
    names: Vec<String>,
    stores: Vec<BTreeMap<Key, (Stored, u32)>>,
    logs: Vec<BTreeMap<Key, Version>>,
    hints: Vec<Vec<(Key, Version)>>,
    votes: BTreeMap<Write, Vec<(usize, CommitRule)>>,
    committed: BTreeSet<Write>,
    armed: Vec<BTreeMap<&'static str, Span>>,
    links: Vec<(usize, usize, Message)>,
    persisting: Vec<Option<u64>>,
    slow_disks: BTreeSet<usize>,
    clock: Time,
    /// What the wall clocks show, in microseconds.
    walls: Vec<u64>,
    chances: Vec<u32>,
    told: Vec<String>,
    sent: BTreeMap<&'static str, u64>,
    bytes: u64,
    /// What the last read of siblings returned.
    context: Context,
}

pub(crate) const KEYS: u32 = 200;

impl Script {
    pub(crate) fn new(members: usize, set: impl FnOnce(&mut Config)) -> Script {
        Script::in_regions(&vec![0; members], set)
    }

    /// A group whose members are in these regions.
    pub(crate) fn in_regions(regions: &[u32], set: impl FnOnce(&mut Config)) -> Script {
        let members = regions.len();
        let mut names: Vec<String> = ('a'..='z').take(members).map(|name| name.to_string()).collect();
        let regions: Vec<u32> = regions.iter().chain(regions.first()).copied().collect();
        let mut config = Config::default();
        set(&mut config);
        let group = Members { names: &names.clone(), regions: &regions };
        let count = members as u32 + 1;
        let protocols = (0..count).map(|i| Quorum::new(Member(i), group, &config)).collect();
        names.push("lib".to_string());
        let count = count as usize;
        let outside = Outside {
            me: 0,
            names,
            stores: vec![BTreeMap::new(); count],
            logs: vec![BTreeMap::new(); count],
            hints: vec![Vec::new(); count],
            votes: BTreeMap::new(),
            committed: BTreeSet::new(),
            armed: vec![BTreeMap::new(); count],
            links: Vec::new(),
            persisting: vec![None; count],
            slow_disks: BTreeSet::new(),
            clock: Time::ZERO,
            walls: vec![0; count],
            chances: Vec::new(),
            told: Vec::new(),
            sent: BTreeMap::new(),
            bytes: 0,
            context: Context::new(),
        };
        let (down, cut) = (BTreeSet::new(), BTreeSet::new());
        let mut script = Script { members, protocols, outside, down, cut, ops: 0, muddles: false };
        (0..count).for_each(|i| script.at(i, |protocol, out| protocol.start(out)));
        script
    }

    fn find(&self, name: &str) -> usize {
        self.outside.names.iter().position(|other| other == name).expect("a member of that name")
    }

    /// Runs a handler; the disk is done at once, unless it is slow.
    fn at(&mut self, member: usize, act: impl FnOnce(&mut Quorum, &mut Outside)) {
        self.outside.me = member;
        act(&mut self.protocols[member], &mut self.outside);
        if !self.outside.slow_disks.contains(&member) {
            self.finish(member);
        }
    }

    fn finish(&mut self, member: usize) {
        self.outside.me = member;
        while let Some(upto) = self.outside.persisting[member].take() {
            self.protocols[member].persisted(upto, &mut self.outside);
        }
    }

    pub(crate) fn put(&mut self, member: &str, key: u32) {
        self.write(member, key, Change::Put { bytes: 10 }, self.ops + 1, Context::new());
    }

    pub(crate) fn delete(&mut self, member: &str, key: u32) {
        self.write(member, key, Change::Delete, self.ops + 1, Context::new());
    }

    /// A put by a client whose clock shows this.
    pub(crate) fn put_at(&mut self, member: &str, key: u32, micros: u64) {
        self.write(member, key, Change::Put { bytes: 10 }, micros, Context::new());
    }

    /// A put of what was made out of what was read last.
    pub(crate) fn put_merged(&mut self, member: &str, key: u32) {
        let context = self.outside.context.clone();
        self.write(member, key, Change::Put { bytes: 10 }, self.ops + 1, context);
    }

    pub(crate) fn write(&mut self, member: &str, key: u32, change: Change, micros: u64, context: Context) {
        self.ops += 1;
        let (op, write) = (Op(self.ops), Write(self.ops));
        let stamp = timestamp(wall(micros), LAST_GIVER, Version(0));
        let request = Request::Write { key: Key(key), write, change, context, stamp, token: None };
        self.at(self.find(member), |protocol, out| protocol.request(op, request, out));
    }

    pub(crate) fn read(&mut self, member: &str, key: u32) {
        self.read_with(member, key, Consistency::Eventual);
    }

    pub(crate) fn read_with(&mut self, member: &str, key: u32, consistency: Consistency) {
        self.ops += 1;
        let op = Op(self.ops);
        let request = Request::Read { key: Key(key), consistency, token: Version(0), by_primary: false };
        self.at(self.find(member), |protocol, out| protocol.request(op, request, out));
    }

    /// Delivers everything under way, and what follows from it, but to or from those who are cut off or down: that is
    /// lost.
    pub(crate) fn deliver(&mut self) {
        for _ in 0..10_000 {
            if self.outside.links.is_empty() {
                return;
            }
            if self.muddles {
                let mut links = std::mem::take(&mut self.outside.links);
                links.reverse();
                for (from, to, message) in [links.clone(), links].concat() {
                    self.arrive(from, to, message);
                }
            } else {
                let (from, to, message) = self.outside.links.remove(0);
                self.arrive(from, to, message);
            }
        }
        panic!("members talk without end");
    }

    fn arrive(&mut self, from: usize, to: usize, message: Message) {
        let is_cut = [from, to].iter().any(|member| self.cut.contains(member));
        if !is_cut && !self.down.contains(&to) {
            self.at(to, |protocol, out| protocol.message(Member(from as u32), message, out));
        }
    }

    /// Delivers what is on one link now.
    pub(crate) fn deliver_from_to(&mut self, from: &str, to: &str) {
        for message in self.take(from, to) {
            self.arrive(self.find(from), self.find(to), message);
        }
    }

    /// Delivers what is on one link now, twice.
    pub(crate) fn deliver_twice(&mut self, from: &str, to: &str) {
        for message in self.take(from, to) {
            self.arrive(self.find(from), self.find(to), message.clone());
            self.arrive(self.find(from), self.find(to), message);
        }
    }

    /// A question and its answer, once.
    pub(crate) fn there_and_back(&mut self, from: &str, to: &str) {
        self.deliver_from_to(from, to);
        self.deliver_from_to(to, from);
    }

    /// Loses what is on one link now.
    pub(crate) fn drop_from_to(&mut self, from: &str, to: &str) {
        self.take(from, to);
    }

    /// Loses all that is under way.
    pub(crate) fn drop_all(&mut self) {
        self.outside.links.clear();
    }

    fn take(&mut self, from: &str, to: &str) -> Vec<Message> {
        let (from, to) = (self.find(from), self.find(to));
        let links = std::mem::take(&mut self.outside.links);
        let (taken, rest): (Vec<_>, Vec<_>) = links.into_iter().partition(|(a, b, _)| (*a, *b) == (from, to));
        self.outside.links = rest;
        taken.into_iter().map(|(_, _, message)| message).collect()
    }

    pub(crate) fn cut(&mut self, member: &str) {
        self.cut.insert(self.find(member));
    }

    pub(crate) fn heal(&mut self, member: &str) {
        let member = self.find(member);
        self.cut.remove(&member);
    }

    /// Fires a timer; the script is wrong if it is not armed.
    pub(crate) fn fire(&mut self, member: &str, timer: Timer) {
        let i = self.find(member);
        assert!(self.outside.armed[i].remove(name(timer)).is_some(), "{timer:?} of {member} is armed");
        self.at(i, |protocol, out| protocol.timer(timer, out));
    }

    /// The coordinator's time-out for what it began at 0.
    pub(crate) fn time_out(&mut self, member: &str) {
        self.clock(2_000);
        self.fire(member, Timer::Patience);
    }

    /// After how long a timer fires, at the latest.
    pub(crate) fn armed_micros(&self, member: &str, timer: Timer) -> Option<u64> {
        self.outside.armed[self.find(member)].get(name(timer)).map(|span| span.most.nanos().div_ceil(1_000))
    }

    pub(crate) fn crash(&mut self, member: &str, kept: Kept) {
        let i = self.find(member);
        self.down.insert(i);
        self.outside.armed[i].clear();
        self.outside.persisting[i] = None;
        if kept == Kept::Nothing {
            self.outside.stores[i].clear();
            self.outside.logs[i].clear();
            self.outside.hints[i].clear();
        }
        self.at(i, |protocol, out| protocol.crash(kept, out));
    }

    pub(crate) fn restart(&mut self, member: &str) {
        let i = self.find(member);
        self.down.remove(&i);
        self.at(i, |protocol, out| protocol.start(out));
    }

    /// From now on the disk of a member needs [`Script::sync`].
    pub(crate) fn slow_disk(&mut self, member: &str) {
        self.outside.slow_disks.insert(self.find(member));
    }

    /// The disk has finished.
    pub(crate) fn sync(&mut self, member: &str) {
        self.finish(self.find(member));
    }

    /// Everybody's stopwatch shows this.
    pub(crate) fn clock(&mut self, ms: u64) {
        self.outside.clock = Time::ZERO + replisim_observe::Duration::from_millis(ms);
    }

    /// The wall clock of a member shows this.
    pub(crate) fn wall(&mut self, member: &str, micros: u64) {
        let i = self.find(member);
        self.outside.walls[i] = micros;
    }

    /// What the next draws give.
    pub(crate) fn chance(&mut self, numbers: &[u32]) {
        self.outside.chances = numbers.to_vec();
    }

    /// What happened since the last look, one thing a line.
    pub(crate) fn expect(&mut self, expected: &str) {
        let told = std::mem::take(&mut self.outside.told);
        let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert_eq!(told, expected);
    }

    /// What happened to clients since the last look.
    pub(crate) fn expect_answers(&mut self, expected: &str) {
        self.outside.told.retain(|line| line.contains("answers"));
        self.expect(expected);
    }

    /// How clients have been answered, in any order.
    pub(crate) fn answers(&self) -> Vec<String> {
        let answers = self.outside.told.iter().filter(|line| line.contains("answers"));
        let mut answers: Vec<String> = answers.cloned().collect();
        answers.sort();
        answers
    }

    pub(crate) fn ignore(&mut self) {
        self.outside.told.clear();
        self.sent();
    }

    /// What a member shows, key by key; of siblings, lane by lane.
    pub(crate) fn shows(&self, member: &str) -> String {
        let store = &self.outside.stores[self.find(member)];
        let shown =
            store.iter().map(|(key, (stored, _))| format!("{}={}", key.0, self.outside.text(stored.version)));
        shown.collect::<Vec<_>>().join(" ")
    }

    /// What all nodes show.
    pub(crate) fn all_show(&self) -> Vec<String> {
        self.outside.names[..self.members].iter().map(|name| self.shows(name)).collect()
    }

    /// What a member keeps for others.
    pub(crate) fn hints(&self, member: &str) -> String {
        let hints = self.outside.hints[self.find(member)].iter();
        let hints = hints.map(|(key, version)| format!("{}={}", key.0, self.outside.text(*version)));
        hints.collect::<Vec<_>>().join(" ")
    }

    /// How many messages of each kind have been sent since the last look.
    pub(crate) fn sent(&mut self) -> String {
        self.outside.bytes = 0;
        let sent = std::mem::take(&mut self.outside.sent);
        sent.iter().map(|(kind, n)| format!("{n} {kind}")).collect::<Vec<_>>().join(", ")
    }

    /// How many bytes have been sent since the last look.
    pub(crate) fn bytes(&self) -> u64 {
        self.outside.bytes
    }

    /// To whom something is under way from a member.
    pub(crate) fn asked_by(&self, member: &str) -> String {
        let from = self.find(member);
        let to = self.outside.links.iter().filter(|(a, ..)| *a == from);
        to.map(|(_, to, _)| self.outside.names[*to].as_str()).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn quiescent(&self) -> bool {
        (0..self.members).filter(|i| !self.down.contains(i)).all(|i| self.protocols[i].quiescent())
    }
}

fn name(timer: Timer) -> &'static str {
    ["patience", "probe", "handoff", "compare", "purge"][timer.index()]
}

fn wall(micros: u64) -> Time {
    WALL_CLOCK_START + replisim_observe::Duration::from_micros(micros)
}

/// What a message is called in counts.
fn kind(message: &Message) -> &'static str {
    match message {
        Message::Store(_) => "store",
        Message::Stored { .. } => "stored",
        Message::Fetch { digest: false, .. } => "fetch",
        Message::Fetch { digest: true, .. } => "fetch digest",
        Message::Fetched(_) => "fetched",
        Message::Digest { .. } => "digest",
        Message::Hand(_) => "hand",
        Message::Handed { .. } => "handed",
        Message::Ping => "ping",
        Message::Pong => "pong",
        Message::Roots(_) => "roots",
        Message::Same => "same",
        Message::Leaves(_) => "leaves",
        Message::Keys { .. } => "keys",
        Message::Copies { .. } => "copies",
    }
}

impl Outside {
    fn tell(&mut self, what: String) {
        self.told.push(format!("{} {what}", self.names[self.me]));
    }

    fn text(&self, version: Version) -> String {
        let micros = timestamp_time(version).nanos() / 1_000 - WALL_CLOCK_START.nanos() / 1_000;
        let giver = version.0 & u64::from(LAST_GIVER);
        format!("{micros}{}", self.names.get(giver as usize).map_or("", String::as_str))
    }

    fn text_or_nothing(&self, stored: Option<Stored>) -> String {
        stored.map_or("nothing".to_string(), |stored| self.text(stored.version))
    }
}

impl Effects<Quorum> for Outside {
    fn send(&mut self, to: Member, message: Message) {
        assert_ne!(to.index(), self.me, "nobody talks to himself: {message:?}");
        *self.sent.entry(kind(&message)).or_default() += 1;
        self.bytes += message.bytes();
        self.links.push((self.me, to.index(), message));
    }
    fn arm(&mut self, timer: Timer, after: Span) {
        self.armed[self.me].insert(name(timer), after);
    }
    fn disarm(&mut self, timer: Timer) {
        self.armed[self.me].remove(name(timer));
    }
    fn persist(&mut self, upto: u64, _: u64) {
        self.persisting[self.me] = Some(upto);
    }
    fn committed(&mut self, _: Key, _: Stored, _: u32) {
        unreachable!("its members count votes")
    }
    fn accepted(&mut self, _: Key, stored: Stored, _: u32, rule: CommitRule) {
        let votes = self.votes.entry(stored.write).or_default();
        if votes.iter().all(|(member, _)| *member != self.me) {
            votes.push((self.me, rule));
        }
        let of = |class: u32| votes.iter().filter(|(_, rule)| rule.class == class).count() as u32;
        let classes: BTreeSet<u32> = votes
            .iter()
            .filter(|(_, rule)| of(rule.class) >= rule.needed)
            .map(|(_, rule)| rule.class)
            .collect();
        if classes.len() as u32 >= rule.classes && self.committed.insert(stored.write) {
            self.tell(format!("commits {}", self.text(stored.version)));
        }
    }
    fn logged(&mut self, key: Key, stored: Stored) {
        assert!(self.logs[self.me][&key] >= stored.version, "it is superseded, or had already");
    }
    fn unlogged(&mut self, key: Key, undone: Stored, back_to: Option<Stored>) {
        assert_eq!(self.logs[self.me].remove(&key), Some(undone.version));
        back_to.into_iter().for_each(|stored| _ = self.logs[self.me].insert(key, stored.version));
    }
    fn apply(&mut self, key: Key, stored: Stored, bytes: u32) {
        self.tell(format!("shows {}={}", key.0, self.text(stored.version)));
        self.logs[self.me].insert(key, stored.version);
        let before = self.stores[self.me].insert(key, (stored, bytes));
        assert!(before.is_none_or(|(before, _)| before.version < stored.version), "it goes forward");
    }
    fn unapply(&mut self, key: Key, undone: Stored, back_to: Option<Stored>) {
        self.tell(format!(
            "hides {}={} for {}",
            key.0,
            self.text(undone.version),
            self.text_or_nothing(back_to)
        ));
        let before = self.stores[self.me].remove(&key);
        assert_eq!(before.map(|(stored, _)| stored), Some(undone));
        back_to.into_iter().for_each(|stored| _ = self.stores[self.me].insert(key, (stored, 10)));
    }
    fn read(&self, key: Key) -> Option<Stored> {
        self.stores[self.me].get(&key).map(|(stored, _)| *stored)
    }
    fn value_bytes(&self, key: Key) -> u32 {
        self.stores[self.me].get(&key).map_or(0, |(_, bytes)| *bytes)
    }
    fn keys(&self) -> u32 {
        KEYS
    }
    fn promoted(&mut self, _: Version) {
        unreachable!("it has no primary")
    }
    fn serving(&mut self) {
        unreachable!("it has no primary")
    }
    fn hinted(&mut self, key: Key, stored: Stored) {
        self.hints[self.me].push((key, stored.version));
        self.hints[self.me].sort();
    }
    fn unhinted(&mut self, key: Key, stored: Stored) {
        let hints = &mut self.hints[self.me];
        let there = hints.iter().position(|hint| *hint == (key, stored.version));
        hints.remove(there.expect("a hint that there was"));
    }
    fn purge(&mut self, key: Key, tombstone: Stored) {
        self.tell(format!("purges {}={}", key.0, self.text(tombstone.version)));
        self.stores[self.me].remove(&key);
    }
    fn wall_clock(&self) -> Time {
        wall(self.walls[self.me])
    }
    fn local_clock(&self) -> Time {
        self.clock
    }
    fn reply(&mut self, op: Op, reply: Reply) {
        let said = match reply {
            Reply::Written(stored) => format!("written {}", self.text(stored.version)),
            Reply::Newest { stored, .. } => self.text(stored.version),
            Reply::Siblings(siblings) => {
                self.context = siblings.context;
                format!("{} siblings", siblings.count)
            }
            Reply::NotApplied => unreachable!("it refuses conditions"),
            Reply::Value(stored) => self.text_or_nothing(stored),
            Reply::Refused => "refused".to_string(),
            Reply::Redirect(None) => "ask somebody else".to_string(),
            Reply::Redirect(Some(member)) => format!("ask {}", self.names[member.index()]),
        };
        self.tell(format!("answers {}: {said}", op.0));
    }
    fn choose(&mut self, n: u32) -> u32 {
        let next = if self.chances.is_empty() { 0 } else { self.chances.remove(0) };
        assert!(next < n);
        next
    }
}
