//! A tiny stage moved by hand: messages lie on links until they are delivered or dropped, timers fire when the script
//! says so, disks are as quick as the script wants, and everything that could be seen from outside is kept as text.

use std::collections::{BTreeMap, BTreeSet};

use replisim_observe::{Key, Member, Op, Stored, Time, Version, Write};
use replisim_protocols::primary_backup::{Config, Message, PrimaryBackup, Timer};
use replisim_protocols::protocol::INDEX_BITS;
use replisim_protocols::{
    Change, Command, CommitRule, Consistency, Effects, Kept, Members, Message as _, Protocol, Reply, Request,
    Span, Timer as _,
};

/// A group of `p`, `r1`, `r2`, ….
pub(crate) struct Script {
    names: Vec<String>,
    protocols: Vec<PrimaryBackup>,
    outside: Outside,
    down: BTreeSet<usize>,
    /// Members that nothing reaches, and that reach nobody.
    cut: BTreeSet<usize>,
    ops: u64,
}

/// What the stage has.
struct Outside {
    me: usize,
    names: Vec<String>,
    stores: Vec<BTreeMap<Key, (Stored, u32)>>,
    armed: Vec<BTreeMap<&'static str, Span>>,
    links: Vec<(usize, usize, Message)>,
    persisting: Vec<Option<u64>>,
    clock: Time,
    told: Vec<String>,
    sent: BTreeMap<String, u64>,
}

const KEYS: u32 = 4;

impl Script {
    pub(crate) fn new(members: usize, set: impl FnOnce(&mut Config)) -> Script {
        let names: Vec<String> =
            (0..members).map(|i| if i == 0 { "p".to_string() } else { format!("r{i}") }).collect();
        let mut config = Config::default();
        set(&mut config);
        let protocols = (0..members as u32)
            .map(|i| PrimaryBackup::new(Member(i), Members { names: &names, regions: &[] }, &config))
            .collect();
        let outside = Outside {
            me: 0,
            names: names.clone(),
            stores: vec![BTreeMap::new(); members],
            armed: vec![BTreeMap::new(); members],
            links: Vec::new(),
            persisting: vec![None; members],
            clock: Time::ZERO,
            told: Vec::new(),
            sent: BTreeMap::new(),
        };
        let mut script =
            Script { names, protocols, outside, down: BTreeSet::new(), cut: BTreeSet::new(), ops: 0 };
        (0..members).for_each(|i| script.at(i, |protocol, out| protocol.start(out)));
        script.outside.told.clear();
        script
    }

    fn find(&self, name: &str) -> usize {
        self.names.iter().position(|other| other == name).expect("a member of that name")
    }

    /// Runs a handler; the disk is done at once.
    fn at(&mut self, member: usize, act: impl FnOnce(&mut PrimaryBackup, &mut Outside)) {
        self.outside.me = member;
        act(&mut self.protocols[member], &mut self.outside);
        while let Some(upto) = self.outside.persisting[member].take() {
            self.protocols[member].persisted(upto, &mut self.outside);
        }
    }

    pub(crate) fn put(&mut self, member: &str, key: u32) {
        self.write(member, key, Change::Put { bytes: 10 });
    }

    pub(crate) fn write(&mut self, member: &str, key: u32, change: Change) {
        let (op, write) = (Op(self.ops), Write(self.ops));
        self.ops += 1;
        let request = Request::blind(Key(key), write, change);
        self.at(self.find(member), |protocol, out| protocol.request(op, request, out));
    }

    /// A put that the disk has not finished.
    pub(crate) fn put_unsynced(&mut self, member: &str, key: u32) {
        let (i, op, write) = (self.find(member), Op(self.ops), Write(self.ops));
        self.ops += 1;
        self.outside.me = i;
        let request = Request::blind(Key(key), write, Change::Put { bytes: 10 });
        self.protocols[i].request(op, request, &mut self.outside);
    }

    pub(crate) fn read(&mut self, member: &str, key: u32, consistency: Consistency, token: Version) {
        let op = Op(self.ops);
        self.ops += 1;
        let request = Request::Read { key: Key(key), consistency, token, by_primary: false };
        self.at(self.find(member), |protocol, out| protocol.request(op, request, out));
    }

    /// Delivers everything under way, and what follows from it, but to or from those who are cut off or down: that is
    /// lost.
    pub(crate) fn deliver(&mut self) {
        for _ in 0..10_000 {
            if self.outside.links.is_empty() {
                return;
            }
            let (from, to, message) = self.outside.links.remove(0);
            if !self.is_lost(from, to) {
                self.at(to, |protocol, out| protocol.message(Member(from as u32), message, out));
            }
        }
        panic!("members talk without end");
    }

    /// Delivers what is on one link now.
    pub(crate) fn deliver_from_to(&mut self, from: &str, to: &str) {
        for message in self.take(from, to) {
            let (from, to) = (self.find(from), self.find(to));
            self.at(to, |protocol, out| protocol.message(Member(from as u32), message, out));
        }
    }

    /// Loses what is on one link now.
    pub(crate) fn drop_from_to(&mut self, from: &str, to: &str) {
        self.take(from, to);
    }

    /// Delivers the first of what is on one link.
    pub(crate) fn deliver_first_from_to(&mut self, from: &str, to: &str) {
        let mut messages = self.take(from, to);
        let first = messages.remove(0);
        let (from, to) = (self.find(from), self.find(to));
        self.at(to, |protocol, out| protocol.message(Member(from as u32), first, out));
        self.put_back(from, to, messages);
    }

    /// Holds up what is on one link, until it is given back.
    pub(crate) fn hold(&mut self, from: &str, to: &str) -> impl FnOnce(&mut Script) + use<> {
        let messages = self.take(from, to);
        let (from, to) = (self.find(from), self.find(to));
        move |script| script.put_back(from, to, messages)
    }

    fn put_back(&mut self, from: usize, to: usize, messages: Vec<Message>) {
        self.outside.links.extend(messages.into_iter().map(|message| (from, to, message)));
    }

    /// The disk has finished.
    pub(crate) fn sync(&mut self, member: &str) {
        self.at(self.find(member), |_, _| {});
    }

    fn take(&mut self, from: &str, to: &str) -> Vec<Message> {
        let (from, to) = (self.find(from), self.find(to));
        let links = std::mem::take(&mut self.outside.links);
        let (taken, rest) = links.into_iter().partition(|(a, b, _)| (*a, *b) == (from, to));
        self.outside.links = rest;
        let taken: Vec<(usize, usize, Message)> = taken;
        taken.into_iter().map(|(_, _, message)| message).collect()
    }

    fn is_lost(&self, from: usize, to: usize) -> bool {
        [from, to].iter().any(|member| self.cut.contains(member)) || self.down.contains(&to)
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
        assert!(self.is_armed(member, timer), "{timer:?} of {member} is armed");
        self.outside.armed[i].remove(name(timer));
        self.at(i, |protocol, out| protocol.timer(timer, out));
    }

    pub(crate) fn is_armed(&self, member: &str, timer: Timer) -> bool {
        self.outside.armed[self.find(member)].contains_key(name(timer))
    }

    /// From when to when a timer may fire, in milliseconds.
    pub(crate) fn armed_ms(&self, member: &str, timer: Timer) -> (f64, f64) {
        let span = self.outside.armed[self.find(member)][name(timer)];
        (span.least.millis(), span.most.millis())
    }

    /// A heartbeat, and everything that follows.
    pub(crate) fn beat(&mut self, member: &str) {
        self.fire(member, Timer::Heartbeat);
        self.deliver();
    }

    pub(crate) fn crash(&mut self, member: &str, kept: Kept) {
        let i = self.find(member);
        self.down.insert(i);
        self.outside.armed[i].clear();
        self.outside.persisting[i] = None;
        if kept == Kept::Nothing {
            self.outside.stores[i].clear();
        }
        self.at(i, |protocol, out| protocol.crash(kept, out));
    }

    pub(crate) fn restart(&mut self, member: &str) {
        let i = self.find(member);
        self.down.remove(&i);
        self.at(i, |protocol, out| protocol.start(out));
    }

    pub(crate) fn order(&mut self, member: &str) {
        self.at(self.find(member), |protocol, out| protocol.command(Command::Promote, out));
    }

    pub(crate) fn clock(&mut self, ms: u64) {
        self.outside.clock = Time::ZERO + replisim_observe::Duration::from_millis(ms);
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

    pub(crate) fn ignore(&mut self) {
        self.outside.told.clear();
    }

    /// What a member shows, key by key.
    pub(crate) fn shows(&self, member: &str) -> String {
        let store = &self.outside.stores[self.find(member)];
        let shown = store.iter().map(|(key, (stored, _))| format!("{}={}", key.0, text(stored.version)));
        shown.collect::<Vec<_>>().join(" ")
    }

    /// How many messages of each kind have been sent since the last look.
    pub(crate) fn sent(&mut self) -> String {
        let sent = std::mem::take(&mut self.outside.sent);
        sent.iter().map(|(kind, n)| format!("{n} {kind}")).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn quiescent(&self) -> bool {
        (0..self.names.len()).filter(|i| !self.down.contains(i)).all(|i| self.protocols[i].quiescent())
    }
}

fn name(timer: Timer) -> &'static str {
    ["ship", "heartbeat", "patience", "serve", "suspect", "stand"][timer.index()]
}

fn text(version: Version) -> String {
    format!("{}.{}", version.0 >> INDEX_BITS, version.0 & ((1 << INDEX_BITS) - 1))
}

fn text_or_nothing(stored: Option<Stored>) -> String {
    stored.map_or("nothing".to_string(), |stored| text(stored.version))
}

impl Outside {
    fn tell(&mut self, what: String) {
        self.told.push(format!("{} {what}", self.names[self.me]));
    }
}

impl Effects<PrimaryBackup> for Outside {
    fn send(&mut self, to: Member, message: Message) {
        let kind = format!("{message:?}");
        let kind = kind.split([' ', '(', '{']).next().unwrap_or_default().to_lowercase();
        *self.sent.entry(kind).or_default() += 1;
        assert!(message.bytes() >= 32);
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
    fn committed(&mut self, _: Key, stored: Stored, _: u32) {
        self.tell(format!("commits {}", text(stored.version)));
    }
    fn logged(&mut self, _: Key, _: Stored) {}
    fn unlogged(&mut self, _: Key, undone: Stored, back_to: Option<Stored>) {
        self.tell(format!("unlogs {} to {}", text(undone.version), text_or_nothing(back_to)));
    }
    fn apply(&mut self, key: Key, stored: Stored, bytes: u32) {
        self.tell(format!("shows {}={}", key.0, text(stored.version)));
        self.stores[self.me].insert(key, (stored, bytes));
    }
    fn unapply(&mut self, key: Key, undone: Stored, back_to: Option<Stored>) {
        self.tell(format!("hides {}={} for {}", key.0, text(undone.version), text_or_nothing(back_to)));
        match back_to {
            Some(stored) => self.stores[self.me].insert(key, (stored, 10)),
            None => self.stores[self.me].remove(&key),
        };
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
    fn promoted(&mut self, floor: Version) {
        self.tell(format!("is promoted above term {}", floor.0 >> INDEX_BITS));
    }
    fn serving(&mut self) {
        self.tell("serves".to_string());
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
        self.clock
    }
    fn reply(&mut self, op: Op, reply: Reply) {
        let said = match reply {
            Reply::Written(stored) => format!("written {}", text(stored.version)),
            Reply::Newest { .. } | Reply::Siblings(_) => unreachable!("a copy of its own, and one value"),
            Reply::NotApplied => "not applied".to_string(),
            Reply::Value(stored) => text_or_nothing(stored),
            Reply::Refused => "refused".to_string(),
            Reply::Redirect(None) => "ask somebody else".to_string(),
            Reply::Redirect(Some(member)) => format!("ask {}", self.names[member.index()]),
        };
        self.tell(format!("answers {}: {said}", op.0));
    }
    fn choose(&mut self, _: u32) -> u32 {
        0
    }
}
