//! A stage of any protocol, moved by hand: messages lie on their links until a scene delivers or loses them, and timers
//! fire when it says so. `scripted` has one that tells more; this one knows nothing of the protocol.

use std::collections::{BTreeMap, BTreeSet};

use replisim_observe::{Duration, Key, Member, Op, Stored, Time, Version, Write};
use replisim_protocols::{
    Change, CommitRule, Consistency, Context, Effects, Kept, LAST_GIVER, Members, Protocol, Reply, Request,
    Span, Timer as _, Token, WALL_CLOCK_START, timestamp,
};

/// A group, its links and its clients.
pub(crate) struct Stage<P: Protocol> {
    protocols: Vec<P>,
    outside: Outside<P>,
    /// Members that are down: what reaches them is lost.
    down: BTreeSet<Member>,
    /// Members that nothing reaches, and that reach nobody.
    cut: BTreeSet<Member>,
    /// Members whose disk does not finish.
    slow: BTreeSet<Member>,
    ops: u64,
}

/// What handlers act upon.
struct Outside<P: Protocol> {
    me: Member,
    stores: Vec<BTreeMap<Key, Stored>>,
    armed: Vec<BTreeSet<usize>>,
    links: Vec<(Member, Member, P::Message)>,
    persisting: Vec<Option<u64>>,
    clock: Duration,
    answers: BTreeMap<Op, Reply>,
}

impl<P: Protocol> Stage<P> {
    pub(crate) fn new(members: u32, config: &P::Config) -> Stage<P> {
        let names: Vec<String> = (0..members).map(|i| format!("n{i}")).collect();
        let all = Members { names: &names, regions: &[] };
        let each = members as usize;
        let outside = Outside {
            me: Member(0),
            stores: vec![BTreeMap::new(); each],
            armed: vec![BTreeSet::new(); each],
            links: Vec::new(),
            persisting: vec![None; each],
            clock: Duration::ZERO,
            answers: BTreeMap::new(),
        };
        let mut stage = Stage {
            protocols: (0..members).map(|i| P::new(Member(i), all, config)).collect(),
            outside,
            down: BTreeSet::new(),
            cut: BTreeSet::new(),
            slow: BTreeSet::new(),
            ops: 0,
        };
        (0..members).for_each(|i| stage.at(Member(i), |protocol, out| protocol.start(out)));
        stage
    }

    /// Runs a handler; the disk is done at once, unless it is slow.
    fn at(&mut self, member: Member, act: impl FnOnce(&mut P, &mut Outside<P>)) {
        self.outside.me = member;
        let protocol = &mut self.protocols[member.index()];
        act(protocol, &mut self.outside);
        while !self.slow.contains(&member)
            && let Some(upto) = self.outside.persisting[member.index()].take()
        {
            protocol.persisted(upto, &mut self.outside);
        }
    }

    fn request(&mut self, member: Member, request: Request) -> Op {
        let op = Op(self.ops);
        self.ops += 1;
        self.at(member, |protocol, out| protocol.request(op, request, out));
        op
    }

    /// A client writes 10 bytes; the write has the number of the operation.
    pub(crate) fn put(&mut self, member: Member, key: u32) -> Op {
        self.write(member, key, Change::Put { bytes: 10 }, None)
    }

    /// The same, as an attempt of an operation.
    pub(crate) fn attempt(&mut self, member: Member, key: u32, token: Token) -> Op {
        self.write(member, key, Change::Put { bytes: 10 }, Some(token))
    }

    pub(crate) fn delete(&mut self, member: Member, key: u32) -> Op {
        self.write(member, key, Change::Delete, None)
    }

    /// Each write has a later timestamp than those before.
    fn write(&mut self, member: Member, key: u32, change: Change, token: Option<Token>) -> Op {
        let stamp = timestamp(WALL_CLOCK_START + Duration::from_millis(self.ops), LAST_GIVER, Version(0));
        let (key, write) = (Key(key), Write(self.ops));
        self.request(member, Request::Write { key, write, change, context: Context::new(), stamp, token })
    }

    pub(crate) fn read(&mut self, member: Member, key: u32, consistency: Consistency) -> Op {
        self.request(
            member,
            Request::Read { key: Key(key), consistency, token: Version(0), by_primary: false },
        )
    }

    /// Delivers everything under way, and what follows from it.
    pub(crate) fn deliver(&mut self) {
        for _ in 0..10_000 {
            if self.outside.links.is_empty() {
                return;
            }
            let (from, to, message) = self.outside.links.remove(0);
            self.arrive(from, to, message);
        }
        panic!("members talk without end");
    }

    /// Delivers what is under way now, but nothing that follows from it.
    pub(crate) fn round(&mut self) {
        let links = std::mem::take(&mut self.outside.links);
        links.into_iter().for_each(|(from, to, message)| self.arrive(from, to, message));
    }

    fn arrive(&mut self, from: Member, to: Member, message: P::Message) {
        let is_cut = [from, to].iter().any(|member| self.cut.contains(member));
        if !is_cut && !self.down.contains(&to) {
            self.at(to, |protocol, out| protocol.message(from, message, out));
        }
    }

    /// Takes what is on one link now off it.
    pub(crate) fn take(&mut self, from: Member, to: Member) -> Vec<P::Message> {
        let taken = self.outside.links.extract_if(.., |(a, b, _)| (*a, *b) == (from, to));
        taken.map(|(_, _, message)| message).collect()
    }

    /// Delivers messages on one link, in this order.
    pub(crate) fn give(&mut self, from: Member, to: Member, messages: impl IntoIterator<Item = P::Message>) {
        messages.into_iter().for_each(|message| self.arrive(from, to, message));
    }

    /// Delivers what is on one link now.
    pub(crate) fn step(&mut self, from: Member, to: Member) {
        let messages = self.take(from, to);
        self.give(from, to, messages);
    }

    pub(crate) fn fire(&mut self, member: Member, timer: P::Timer) {
        let was_armed = self.outside.armed[member.index()].remove(&timer.index());
        assert!(was_armed, "{timer:?} of {member:?} is armed");
        self.at(member, |protocol, out| protocol.timer(timer, out));
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.outside.clock = Duration::from_nanos(self.outside.clock.nanos() + time.nanos());
    }

    pub(crate) fn cut(&mut self, member: Member) {
        self.cut.insert(member);
    }

    pub(crate) fn heal(&mut self, member: Member) {
        self.cut.remove(&member);
    }

    /// From now on the disk does not finish, until the member is started again.
    pub(crate) fn slow_disk(&mut self, member: Member) {
        self.slow.insert(member);
    }

    pub(crate) fn crash(&mut self, member: Member, kept: Kept) {
        let i = member.index();
        self.down.insert(member);
        self.outside.armed[i].clear();
        self.outside.persisting[i] = None;
        if kept == Kept::Nothing {
            self.outside.stores[i].clear();
        }
        self.at(member, |protocol, out| protocol.crash(kept, out));
    }

    pub(crate) fn start(&mut self, member: Member) {
        self.down.remove(&member);
        self.slow.remove(&member);
        self.at(member, |protocol, out| protocol.start(out));
    }

    /// What the client of an operation has been told.
    pub(crate) fn told(&self, op: Op) -> String {
        match self.outside.answers.get(&op) {
            None => "nothing".to_string(),
            Some(Reply::Written(_)) => "written".to_string(),
            Some(Reply::Value(Some(stored)) | Reply::Newest { stored, .. }) => {
                format!("write {}", stored.write.0)
            }
            Some(Reply::Value(None)) => "no value".to_string(),
            Some(Reply::Siblings(siblings)) => format!("{} values", siblings.count),
            Some(Reply::NotApplied | Reply::Refused | Reply::Redirect(_)) => "no".to_string(),
        }
    }

    /// What a member shows.
    pub(crate) fn shows(&self, member: Member, key: u32) -> String {
        let stored = self.outside.stores[member.index()].get(&Key(key));
        stored.map_or("nothing".to_string(), |stored| format!("write {}", stored.write.0))
    }
}

impl<P: Protocol> Effects<P> for Outside<P> {
    fn send(&mut self, to: Member, message: P::Message) {
        self.links.push((self.me, to, message));
    }
    fn arm(&mut self, timer: P::Timer, _: Span) {
        self.armed[self.me.index()].insert(timer.index());
    }
    fn disarm(&mut self, timer: P::Timer) {
        self.armed[self.me.index()].remove(&timer.index());
    }
    fn persist(&mut self, upto: u64, _: u64) {
        self.persisting[self.me.index()] = Some(upto);
    }
    fn apply(&mut self, key: Key, stored: Stored, _: u32) {
        self.stores[self.me.index()].insert(key, stored);
    }
    fn unapply(&mut self, key: Key, _: Stored, back_to: Option<Stored>) {
        let store = &mut self.stores[self.me.index()];
        store.remove(&key);
        back_to.map(|stored| store.insert(key, stored));
    }
    fn purge(&mut self, key: Key, _: Stored) {
        self.stores[self.me.index()].remove(&key);
    }
    fn read(&self, key: Key) -> Option<Stored> {
        self.stores[self.me.index()].get(&key).copied()
    }
    fn value_bytes(&self, _: Key) -> u32 {
        10
    }
    fn keys(&self) -> u32 {
        4
    }
    fn local_clock(&self) -> Time {
        Time::ZERO + self.clock
    }
    fn wall_clock(&self) -> Time {
        WALL_CLOCK_START + self.clock
    }
    fn reply(&mut self, op: Op, reply: Reply) {
        self.answers.insert(op, reply);
    }
    fn choose(&mut self, _: u32) -> u32 {
        0
    }
    fn committed(&mut self, _: Key, _: Stored, _: u32) {}
    fn accepted(&mut self, _: Key, _: Stored, _: u32, _: CommitRule) {}
    fn logged(&mut self, _: Key, _: Stored) {}
    fn unlogged(&mut self, _: Key, _: Stored, _: Option<Stored>) {}
    fn hinted(&mut self, _: Key, _: Stored) {}
    fn unhinted(&mut self, _: Key, _: Stored) {}
    fn promoted(&mut self, _: Version) {}
    fn serving(&mut self) {}
}
