//! Drives the very protocol code of the simulator through every order of events within stated bounds (stateright).
//!
//! The network here is the worst there is: it delivers in any order, and may drop. Disks finish when they like, and
//! a process may die at any moment.

use std::collections::{BTreeMap, BTreeSet};

use replisim_observe::{Key, Member, Op, Stored, Time, Version, Write};
use replisim_protocols::primary_backup::{Config, PrimaryBackup};
use replisim_protocols::{Change, Effects, Kept, Members, Protocol, Reply, Request, Span, Timer};
use stateright::{Checker, Model, Property};

/// A replication group of `P`, and how much may happen to it.
struct Bounds {
    members: u32,
    puts: u64,
    crashes: u32,
    drops: u32,
    /// Timers fire only while fewer messages than this are under way: else heartbeats alone make the states endless.
    timers_below: usize,
}

/// Everything there is at one moment.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Group<P: Protocol> {
    members: Vec<Node<P>>,
    /// A set: two equal messages under way are as good as one to protocols that bear loss and repetition.
    network: Vec<(Member, Member, P::Message)>,
    /// What was committed at the primary and not taken back, in order.
    committed: Vec<(Key, Stored)>,
    puts: u64,
    crashes: u32,
    drops: u32,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Node<P: Protocol> {
    protocol: P,
    store: BTreeMap<Key, Stored>,
    persisting: Option<u64>,
    armed: BTreeSet<usize>,
}

#[derive(Clone, PartialEq, Debug)]
enum Action {
    Put,
    Deliver(usize),
    Drop(usize),
    Persist(usize),
    Fire(usize, usize),
    Crash(usize),
}

/// The effects of one handler of member `me`.
struct Stage<'a, P: Protocol> {
    me: Member,
    store: &'a mut BTreeMap<Key, Stored>,
    persisting: &'a mut Option<u64>,
    armed: &'a mut BTreeSet<usize>,
    network: &'a mut Vec<(Member, Member, P::Message)>,
    committed: &'a mut Vec<(Key, Stored)>,
}

impl<P: Protocol> Effects<P> for Stage<'_, P> {
    fn send(&mut self, to: Member, message: P::Message) {
        let envelope = (self.me, to, message);
        if !self.network.contains(&envelope) {
            self.network.push(envelope);
        }
    }
    fn arm(&mut self, timer: P::Timer, _: Span) {
        self.armed.insert(timer.index());
    }
    fn disarm(&mut self, timer: P::Timer) {
        self.armed.remove(&timer.index());
    }
    fn persist(&mut self, upto: u64, _: u64) {
        *self.persisting = Some(upto);
    }
    fn committed(&mut self, key: Key, stored: Stored, _: u32) {
        self.committed.push((key, stored));
    }
    fn logged(&mut self, _: Key, _: Stored) {}
    fn unlogged(&mut self, _: Key, _: Stored, _: Option<Stored>) {}
    fn apply(&mut self, key: Key, stored: Stored, _: u32) {
        self.store.insert(key, stored);
    }
    fn unapply(&mut self, key: Key, undone: Stored, back_to: Option<Stored>) {
        self.committed.retain(|entry| *entry != (key, undone));
        match back_to {
            Some(stored) => self.store.insert(key, stored),
            None => self.store.remove(&key),
        };
    }
    fn read(&self, key: Key) -> Option<Stored> {
        self.store.get(&key).copied()
    }
    fn value_bytes(&self, _: Key) -> u32 {
        0
    }
    fn keys(&self) -> u32 {
        1
    }
    fn promoted(&mut self, _: Version) {}
    fn serving(&mut self) {}
    fn local_clock(&self) -> Time {
        Time::ZERO
    }
    fn reply(&mut self, _: Op, _: Reply) {}
    fn choose(&mut self, _: u32) -> u32 {
        0
    }
}

impl<P: Protocol> Group<P> {
    fn new(bounds: &Bounds, config: &P::Config) -> Group<P> {
        let names: Vec<String> = (0..bounds.members).map(|i| format!("n{i}")).collect();
        let members = (0..bounds.members).map(|i| Node {
            protocol: P::new(Member(i), Members { names: &names }, config),
            store: BTreeMap::new(),
            persisting: None,
            armed: BTreeSet::new(),
        });
        let mut group = Group {
            members: members.collect(),
            network: Vec::new(),
            committed: Vec::new(),
            puts: 0,
            crashes: 0,
            drops: 0,
        };
        for i in 0..group.members.len() {
            group.with(i, |protocol, stage| protocol.start(stage));
        }
        group
    }

    fn with(&mut self, member: usize, act: impl FnOnce(&mut P, &mut Stage<'_, P>)) {
        let Node { protocol, store, persisting, armed } = &mut self.members[member];
        let (network, committed) = (&mut self.network, &mut self.committed);
        act(protocol, &mut Stage { me: Member(member as u32), store, persisting, armed, network, committed });
    }

    fn apply(&mut self, action: Action) {
        match action {
            Action::Put => {
                // All to one key, so that order matters.
                let request = Request::Write {
                    key: Key(0),
                    write: Write(self.puts),
                    change: Change::Put { bytes: 10 },
                };
                self.puts += 1;
                self.with(0, |protocol, stage| protocol.request(Op(0), request, stage));
            }
            Action::Deliver(i) => {
                let (from, to, message) = self.network.remove(i);
                self.with(to.index(), |protocol, stage| protocol.message(from, message, stage));
            }
            Action::Drop(i) => {
                self.network.remove(i);
                self.drops += 1;
            }
            Action::Persist(member) => {
                if let Some(upto) = self.members[member].persisting.take() {
                    self.with(member, |protocol, stage| protocol.persisted(upto, stage));
                }
            }
            Action::Fire(member, timer) => {
                self.members[member].armed.remove(&timer);
                self.with(member, |protocol, stage| protocol.timer(P::Timer::ALL[timer], stage));
            }
            Action::Crash(member) => {
                self.crashes += 1;
                self.members[member].persisting = None;
                self.members[member].armed.clear();
                self.with(member, |protocol, stage| protocol.crash(Kept::Synced, stage));
                self.with(member, |protocol, stage| protocol.start(stage));
            }
        }
        self.network.sort_by_cached_key(|envelope| format!("{envelope:?}"));
    }

    /// Whether from here on, if nothing more goes wrong, all members come to show the same.
    fn converges(&self) -> bool {
        let mut group = self.clone();
        for _ in 0..8 {
            while !group.network.is_empty() || group.members.iter().any(|node| node.persisting.is_some()) {
                if !group.network.is_empty() {
                    group.apply(Action::Deliver(0));
                }
                (0..group.members.len()).for_each(|member| group.apply(Action::Persist(member)));
            }
            for member in 0..group.members.len() {
                for timer in group.members[member].armed.clone() {
                    group.apply(Action::Fire(member, timer));
                }
            }
        }
        group.members.iter().all(|node| node.store == group.members[0].store)
    }

    /// Whether every member shows what some prefix of the committed writes makes of an empty store.
    fn shows_prefixes(&self) -> bool {
        let states: Vec<BTreeMap<Key, Stored>> =
            (0..=self.committed.len()).map(|n| self.committed[..n].iter().copied().collect()).collect();
        self.members.iter().all(|node| states.contains(&node.store))
    }
}

struct GroupModel<P: Protocol> {
    bounds: Bounds,
    config: P::Config,
}

impl<P: Protocol> Model for GroupModel<P> {
    type State = Group<P>;
    type Action = Action;

    fn init_states(&self) -> Vec<Group<P>> {
        vec![Group::new(&self.bounds, &self.config)]
    }

    fn actions(&self, group: &Group<P>, actions: &mut Vec<Action>) {
        if group.puts < self.bounds.puts {
            actions.push(Action::Put);
        }
        for i in 0..group.network.len() {
            actions.push(Action::Deliver(i));
            if group.drops < self.bounds.drops {
                actions.push(Action::Drop(i));
            }
        }
        for (i, node) in group.members.iter().enumerate() {
            if node.persisting.is_some() {
                actions.push(Action::Persist(i));
            }
            if group.crashes < self.bounds.crashes {
                actions.push(Action::Crash(i));
            }
            if group.network.len() < self.bounds.timers_below {
                actions.extend(node.armed.iter().map(|timer| Action::Fire(i, *timer)));
            }
        }
    }

    fn next_state(&self, group: &Group<P>, action: Action) -> Option<Group<P>> {
        let mut next = group.clone();
        next.apply(action);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("members show prefixes of the committed writes", |_, group: &Group<P>| {
                group.shows_prefixes()
            }),
            Property::always("members converge once nothing more goes wrong", |_, group: &Group<P>| {
                group.converges()
            }),
            Property::sometimes(
                "a drop leaves a gap that is repaired",
                |model: &GroupModel<P>, group: &Group<P>| {
                    group.drops > 0
                        && group.puts == model.bounds.puts
                        && group.members.iter().all(|n| !n.store.is_empty())
                },
            ),
            Property::sometimes("a crash loses an unpersisted write", |_, group: &Group<P>| {
                group.crashes > 0 && (group.committed.len() as u64) < group.puts
            }),
        ]
    }
}

/// Visits every state within the bounds and says how many there were.
fn exhaust(bounds: Bounds, config: Config) -> usize {
    let model = GroupModel::<PrimaryBackup> { bounds, config };
    let checker = model.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    assert!(checker.is_done(), "exhaustive within the bounds");
    checker.unique_state_count()
}

#[test]
fn primary_backup_survives_a_crash_and_a_drop_in_any_order() {
    for (members, puts, ship_every) in [(2, 2, "0s"), (2, 2, "1s"), (3, 1, "0s")] {
        let bounds = Bounds { members, puts, crashes: 1, drops: 1, timers_below: 2 };
        let states = exhaust(bounds, Config { ship_every: ship_every.parse().unwrap(), ..Config::default() });
        println!("{members} members, {puts} puts, ship-every {ship_every}: {states} states");
        assert!(states > 1_000, "only {states} states: the bounds leave nothing to check");
    }
}
