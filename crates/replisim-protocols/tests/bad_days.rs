//! Long random runs with time: slow and lossy links that reorder, slow disks, members cut off, killed and started
//! again. What fencing and waiting for replicas promise is asked at every step.

use std::collections::{BTreeMap, BTreeSet};

use replisim_engine::Bytes;
use replisim_observe::{Duration, Key, Member, Op, Stored, Time, Version, Write};
use replisim_protocols::primary_backup::{
    Acknowledge, Automatic, Config, Failover, Message, PrimaryBackup, Promote, SemiSync, Timer,
};
use replisim_protocols::{
    Change, Command, CommitRule, Consistency, Effects, Kept, Members, Protocol, Reply, Request, Span,
    Timer as _,
};

const MS: u64 = 1_000_000;

/// A group, its clock and its luck.
struct Day {
    protocols: Vec<PrimaryBackup>,
    stage: Stage,
    down: BTreeSet<usize>,
    /// Members whose process stands still, until when: what comes meanwhile waits for them.
    paused: BTreeMap<usize, u64>,
    random: Random,
}

struct Stage {
    me: usize,
    now: u64,
    queue: BTreeMap<(u64, u64), Event>,
    scheduled: u64,
    stores: Vec<BTreeMap<Key, Stored>>,
    /// Which arming of each timer counts.
    armings: Vec<Vec<u64>>,
    /// How often each member has been started: what its disk was told before is void.
    lives: Vec<u64>,
    cut: BTreeSet<usize>,
    random: Random,
    /// The newest version of each key that a client was told is written.
    acknowledged: BTreeMap<Key, Version>,
    /// Who has answered the strong reads of this instant.
    strong: Vec<(usize, Key, Option<Stored>)>,
    reading: Option<Key>,
    writing: BTreeMap<Op, Key>,
    primaries: u32,
}

enum Event {
    Deliver(usize, usize, Message),
    Timer(usize, Timer, u64),
    Synced(usize, u64, u64),
}

impl Event {
    /// To whom it happens.
    fn member(&self) -> usize {
        match self {
            Event::Deliver(_, member, _) | Event::Timer(member, ..) | Event::Synced(member, ..) => *member,
        }
    }
}

#[derive(Clone)]
struct Random(u64);

impl Random {
    /// SplitMix64.
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

impl Stage {
    fn schedule(&mut self, after: u64, event: Event) {
        self.scheduled += 1;
        self.queue.insert((self.now + after, self.scheduled), event);
    }
}

impl Effects<PrimaryBackup> for Stage {
    fn send(&mut self, to: Member, message: Message) {
        let is_lost =
            self.cut.contains(&self.me) || self.cut.contains(&to.index()) || self.random.below(50) == 0;
        if !is_lost {
            let slowest = if self.random.below(10) == 0 { 300 } else { 40 };
            let delay = MS + self.random.below(slowest) * MS;
            self.schedule(delay, Event::Deliver(self.me, to.index(), message));
        }
    }
    fn arm(&mut self, timer: Timer, after: Span) {
        self.disarm(timer);
        let arming = self.armings[self.me][timer.index()];
        let spread = after.most.nanos() - after.least.nanos();
        let wait = after.least.nanos() + self.random.below(spread + 1);
        self.schedule(wait, Event::Timer(self.me, timer, arming));
    }
    fn disarm(&mut self, timer: Timer) {
        self.armings[self.me][timer.index()] += 1;
    }
    fn persist(&mut self, upto: u64, _: u64) {
        let delay = self.random.below(5) * MS;
        self.schedule(delay, Event::Synced(self.me, self.lives[self.me], upto));
    }
    fn committed(&mut self, _: Key, _: Stored, _: u32) {}
    fn logged(&mut self, _: Key, _: Stored) {}
    fn unlogged(&mut self, _: Key, _: Stored, _: Option<Stored>) {}
    fn apply(&mut self, key: Key, stored: Stored, _: u32) {
        let before = self.stores[self.me].insert(key, stored);
        assert!(before.is_none_or(|before| before.version < stored.version), "shown versions grow");
    }
    fn unapply(&mut self, key: Key, undone: Stored, back_to: Option<Stored>) {
        assert_eq!(self.stores[self.me].remove(&key), Some(undone), "what is taken back was shown");
        back_to.map(|stored| self.stores[self.me].insert(key, stored));
    }
    fn read(&self, key: Key) -> Option<Stored> {
        self.stores[self.me].get(&key).copied()
    }
    fn value_bytes(&self, _: Key) -> u32 {
        10
    }
    fn keys(&self) -> u32 {
        8
    }
    fn promoted(&mut self, _: Version) {
        self.primaries += 1;
    }
    fn serving(&mut self) {}
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
        Time::ZERO + Duration::from_nanos(self.now)
    }
    fn reply(&mut self, op: Op, reply: Reply) {
        match (reply, self.reading) {
            (Reply::Value(stored), Some(key)) => self.strong.push((self.me, key, stored)),
            (Reply::Written(Stored { version, .. }), _) => {
                let newest = self.acknowledged.entry(self.writing[&op]).or_default();
                *newest = version.max(*newest);
            }
            _ => {}
        }
    }
    fn choose(&mut self, n: u32) -> u32 {
        self.random.below(u64::from(n)) as u32
    }
}

impl Day {
    fn new(members: usize, config: &Config, seed: u64) -> Day {
        let names: Vec<String> = (0..members).map(|i| format!("n{i}")).collect();
        let protocols = (0..members as u32)
            .map(|i| PrimaryBackup::new(Member(i), Members { names: &names, regions: &[] }, config))
            .collect();
        let stage = Stage {
            me: 0,
            now: 0,
            queue: BTreeMap::new(),
            scheduled: 0,
            stores: vec![BTreeMap::new(); members],
            armings: vec![vec![0; Timer::ALL.len()]; members],
            lives: vec![0; members],
            cut: BTreeSet::new(),
            random: Random(seed),
            acknowledged: BTreeMap::new(),
            strong: Vec::new(),
            reading: None,
            writing: BTreeMap::new(),
            primaries: 0,
        };
        let mut day =
            Day { protocols, stage, down: BTreeSet::new(), paused: BTreeMap::new(), random: Random(!seed) };
        (0..members).for_each(|i| day.at(i, |protocol, out| protocol.start(out)));
        day
    }

    fn at(&mut self, member: usize, act: impl FnOnce(&mut PrimaryBackup, &mut Stage)) {
        self.stage.me = member;
        act(&mut self.protocols[member], &mut self.stage);
    }

    fn run_until(&mut self, limit: u64) {
        while let Some(next) = self.stage.queue.first_entry().filter(|next| next.key().0 <= limit) {
            let ((now, number), event) = next.remove_entry();
            if let Some(until) = self.paused.get(&event.member()).copied().filter(|until| *until > now) {
                self.stage.queue.insert((until, number), event);
                continue;
            }
            self.stage.now = now;
            match event {
                Event::Deliver(from, to, message) if !self.down.contains(&to) => {
                    self.at(to, |protocol, out| protocol.message(Member(from as u32), message, out));
                }
                Event::Timer(member, timer, arming)
                    if self.stage.armings[member][timer.index()] == arming
                        && !self.down.contains(&member) =>
                {
                    self.at(member, |protocol, out| protocol.timer(timer, out));
                }
                Event::Synced(member, life, upto) if self.stage.lives[member] == life => {
                    self.at(member, |protocol, out| protocol.persisted(upto, out));
                }
                _ => {}
            }
        }
        self.stage.now = limit;
    }

    fn crash(&mut self, member: usize, kept: Kept) {
        self.down.insert(member);
        self.paused.remove(&member);
        self.stage.lives[member] += 1;
        self.stage.armings[member].iter_mut().for_each(|arming| *arming += 1);
        if kept == Kept::Nothing {
            self.stage.stores[member].clear();
        }
        self.at(member, |protocol, out| protocol.crash(kept, out));
    }

    fn restart(&mut self, member: usize) {
        if self.down.remove(&member) {
            self.at(member, |protocol, out| protocol.start(out));
        }
    }

    fn takes_requests(&self, member: usize) -> bool {
        !self.down.contains(&member) && self.paused.get(&member).is_none_or(|until| *until <= self.stage.now)
    }

    /// Something goes wrong, or is mended.
    fn mishap(&mut self, loses_disks: bool) {
        let member = self.random.below(self.protocols.len() as u64) as usize;
        // One member alone may lose its disk: where a majority has, nobody can be elected any more.
        let may_lose_disk = loses_disks && member + 1 == self.protocols.len();
        let kept = match self.random.below(if may_lose_disk { 3 } else { 2 }) {
            0 => Kept::Written,
            1 => Kept::Synced,
            _ => Kept::Nothing,
        };
        match self.random.below(6) {
            0 if !self.down.contains(&member) => self.crash(member, kept),
            1 if self.stage.cut.len() < 2 => {
                self.stage.cut.insert(member);
            }
            2 => self.stage.cut.clear(),
            3 if !self.down.contains(&member) => {
                self.paused.insert(member, self.stage.now + self.random.below(5_000) * MS);
            }
            _ => (0..self.protocols.len()).for_each(|member| self.restart(member)),
        }
    }

    /// A client writes somewhere.
    fn write(&mut self, n: u64) {
        let member = self.random.below(self.protocols.len() as u64) as usize;
        if self.takes_requests(member) {
            let key = Key(self.random.below(8) as u32);
            let request = Request::blind(key, Write(n), Change::Put { bytes: 10 });
            self.stage.writing.insert(Op(n), key);
            self.at(member, |protocol, out| protocol.request(Op(n), request, out));
        }
    }

    /// Asks everybody for the newest value.
    fn read_everywhere(&mut self) -> Vec<(usize, Key, Option<Stored>)> {
        let key = Key(self.random.below(8) as u32);
        self.stage.reading = Some(key);
        for member in
            (0..self.protocols.len()).filter(|member| self.takes_requests(*member)).collect::<Vec<_>>()
        {
            let request =
                Request::Read { key, consistency: Consistency::Strong, token: Version(0), by_primary: false };
            self.at(member, |protocol, out| protocol.request(Op(u64::MAX), request, out));
        }
        self.stage.reading = None;
        std::mem::take(&mut self.stage.strong)
    }
}

/// What a configuration promises.
struct Promises {
    /// Never do two serve at once.
    one_serves: bool,
    /// What was acknowledged is read.
    keeps: bool,
}

fn check(name: &str, members: usize, config: Config, promises: Promises, seeds: std::ops::Range<u64>) {
    let by_order = config.failover == Failover::Manual;
    let (mut acknowledged, mut primaries) = (0, 0);
    for seed in seeds {
        let mut day = Day::new(members, &config, seed);
        for step in 0..4_000 {
            day.run_until((step + 1) * 10 * MS);
            day.write(step);
            if day.random.below(100) == 0 {
                day.mishap(!promises.keeps);
            }
            if by_order && day.random.below(500) == 0 {
                let member = day.random.below(members as u64) as usize;
                if day.takes_requests(member) {
                    day.at(member, |protocol, out| protocol.command(Command::Promote, out));
                }
            }
            let strong = day.read_everywhere();
            assert!(strong.len() <= 1 || !promises.one_serves, "{name}, seed {seed}: two serve: {strong:?}");
            for (member, key, stored) in strong.into_iter().filter(|_| promises.keeps) {
                let newest = day.stage.acknowledged.get(&key).copied();
                assert!(
                    stored.map(|stored| stored.version) >= newest,
                    "{name}, seed {seed}, {step}: {member} has forgotten {key:?}: {stored:?} {newest:?}"
                );
            }
        }
        acknowledged += day.stage.acknowledged.len();
        primaries += day.stage.primaries;

        day.stage.cut.clear();
        (0..members).for_each(|member| day.restart(member));
        day.run_until(45_000 * MS);
        if by_order {
            // Whoever has all there is to have is ordered last.
            for member in 0..members {
                day.at(member, |protocol, out| protocol.command(Command::Promote, out));
                day.run_until(day.stage.now + 5_000 * MS);
            }
        }
        day.run_until(80_000 * MS);
        for member in 1..members {
            assert_eq!(
                day.stage.stores[0], day.stage.stores[member],
                "{name}, seed {seed}: 0 and {member} agree"
            );
        }
        assert!(day.protocols.iter().all(Protocol::quiescent), "{name}, seed {seed}: nothing is left to do");
    }
    assert!(acknowledged > 0 && primaries > 20, "{name}: {acknowledged} keys, {primaries} primaries");
    println!("{name}: {primaries} primaries");
}

fn automatic(promote: Promote) -> Failover {
    Failover::Automatic(Automatic { promote, ..Automatic::default() })
}

fn semi_sync(replicas: u32) -> Acknowledge {
    Acknowledge::SemiSync(SemiSync { replicas, ..SemiSync::default() })
}

#[test]
fn two_never_serve_at_once_and_what_was_acknowledged_is_read() {
    for (name, members, acknowledge, retain) in [
        ("three", 3, semi_sync(1), 1 << 26),
        ("five", 5, semi_sync(2), 1 << 26),
        ("three with a short log", 3, semi_sync(1), 300),
        ("three in step", 3, Acknowledge::Sync, 300),
    ] {
        let (failover, retain) = (automatic(Promote::MostAdvanced), Bytes::new(retain));
        let config = Config { acknowledge, failover, retain, ..Config::default() };
        check(name, members, config, Promises { one_serves: true, keeps: true }, 0..30);
    }
}

#[test]
fn two_never_serve_at_once_whoever_is_promoted() {
    for (name, failover) in [
        ("first to notice", automatic(Promote::FirstToNotice)),
        ("in order", automatic(Promote::Order(vec!["n2".to_string()]))),
        ("ordered", Failover::Manual),
    ] {
        let config = Config { failover, ..Config::default() };
        check(name, 3, config, Promises { one_serves: true, keeps: false }, 0..20);
    }
}

#[test]
fn members_agree_in_the_end_without_fencing() {
    for (name, failover) in [("automatic", automatic(Promote::MostAdvanced)), ("ordered", Failover::Manual)] {
        let config = Config { failover, fencing: false, ..Config::default() };
        check(name, 3, config, Promises { one_serves: false, keeps: false }, 0..20);
    }
}
