//! What a member has on its disk: its copies of the keys, hints, and the tombstones among the copies; and a journal of
//! what a crash of the machine would take back.
//!
//! Registers lie in the stage's store; here are the marks of those that are tombstones. Siblings lie here, and the
//! store shows of each lane the newest write heard of.

use std::collections::{BTreeMap, VecDeque};

use replisim_observe::{Key, Member, Stored, Time, Version};

use super::Quorum;
use super::value::{SiblingSet, State, Value};
use crate::bug_shelf::Bug;
use crate::protocol::{Effects, Kept};

/// What survives a crash, as far as it was synced.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Disk {
    /// In how many lanes versions stand; 1: registers.
    pub(super) lanes: u32,
    tombstones: BTreeMap<Key, Version>,
    siblings: BTreeMap<Key, SiblingSet>,
    hints: BTreeMap<(Member, Key), Hint>,
    /// What is not synced yet, by position.
    journal: VecDeque<(u64, Undo)>,
    /// How many entries have been written.
    position: u64,
    /// Up to where the disk has been asked to make them safe.
    asked: u64,
    /// How often a copy has changed.
    pub(super) changes: u64,
}

/// A copy that is kept for another member.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Hint {
    pub(super) state: State,
    pub(super) since: Time,
}

/// How to take back an entry.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Undo {
    Register { key: Key, undone: Stored, before: Option<Stored>, was_tombstone: Option<Version> },
    Siblings { key: Key, before: Option<SiblingSet> },
    Hint { owner: Member, key: Key, before: Option<Hint> },
}

impl Disk {
    pub(super) fn new(lanes: u32) -> Disk {
        Disk { lanes, ..Disk::default() }
    }

    /// The copy of a key.
    pub(super) fn read(&self, key: Key, out: &impl Effects<Quorum>) -> State {
        if self.lanes > 1 {
            let set = self.siblings.get(&key);
            return set.map_or_else(|| self.nothing(), |set| State::Siblings(Box::new(set.clone())));
        }
        State::Register(out.read(key).map(|stored| Value {
            stored,
            bytes: out.value_bytes(key),
            deleted: self.tombstones.get(&key) == Some(&stored.version),
        }))
    }

    /// The copy of a key that has never been written.
    pub(super) fn nothing(&self) -> State {
        match self.lanes {
            1 => State::Register(None),
            lanes => State::Siblings(Box::new(SiblingSet::new(lanes))),
        }
    }

    /// Merges `state` into the copy of a key; whether that changed it.
    pub(super) fn take(&mut self, key: Key, state: &State, out: &mut impl Effects<Quorum>) -> bool {
        let changed = match state {
            State::Register(None) => false,
            State::Register(Some(value)) => self.take_register(key, *value, out),
            State::Siblings(_) => self.take_siblings(key, state, out),
        };
        self.changes += u64::from(changed);
        changed
    }

    /// The [fingerprint](State::fingerprint) of the copy of a key.
    pub(super) fn fingerprint(&self, key: Key, out: &impl Effects<Quorum>) -> u64 {
        match self.lanes {
            1 => out.read(key).map_or(0, |stored| stored.version.0),
            _ => self.siblings.get(&key).map_or(0, SiblingSet::fingerprint),
        }
    }

    /// Keeps `state` for `owner`.
    pub(super) fn hint(&mut self, owner: Member, key: Key, state: &State, out: &mut impl Effects<Quorum>) {
        let before = self.hints.get(&(owner, key)).cloned();
        let mut hint = Hint { state: state.clone(), since: out.local_clock() };
        before.iter().for_each(|before| hint.state.merge(&before.state));
        self.tell_hint(key, before.as_ref(), Some(&hint), out);
        self.hints.insert((owner, key), hint);
        self.note(Undo::Hint { owner, key, before });
    }

    /// A hint is of no use any more.
    pub(super) fn forget_hint(&mut self, owner: Member, key: Key, out: &mut impl Effects<Quorum>) {
        let hint = self.hints.remove(&(owner, key));
        self.tell_hint(key, hint.as_ref(), None, out);
    }

    /// All hints, by owner and key.
    pub(super) fn hints(&self) -> &BTreeMap<(Member, Key), Hint> {
        &self.hints
    }

    /// The tombstone of a key, if it is one of that version.
    pub(super) fn is_tombstone(&self, key: Key, version: Version) -> bool {
        self.tombstones.get(&key) == Some(&version)
    }

    /// All tombstones.
    pub(super) fn tombstones(&self) -> impl Iterator<Item = (Key, Version)> {
        self.tombstones.iter().map(|(key, version)| (*key, *version))
    }

    /// Forgets a tombstone.
    pub(super) fn purge(&mut self, key: Key, tombstone: Stored, out: &mut impl Effects<Quorum>) {
        self.tombstones.remove(&key);
        out.purge(key, tombstone);
    }

    /// The position of the last entry.
    pub(super) fn end(&self) -> u64 {
        self.position
    }

    /// The position of the last entry, if the disk has not been asked to make it safe yet.
    pub(super) fn unasked(&mut self) -> Option<u64> {
        (self.position > self.asked.max(self.position - self.journal.len() as u64)).then(|| {
            self.asked = self.position;
            self.position
        })
    }

    /// Whether everything is synced.
    pub(super) fn is_synced(&self) -> bool {
        self.journal.is_empty()
    }

    /// Everything up to `upto` is safe.
    pub(super) fn synced(&mut self, upto: u64) {
        while self.journal.front().is_some_and(|(position, _)| *position <= upto) {
            self.journal.pop_front();
        }
    }

    pub(super) fn crash(&mut self, kept: Kept, out: &mut impl Effects<Quorum>) {
        self.asked = 0; // what has been written and kept is asked for again
        match kept {
            Kept::Written => {}
            Kept::Synced => {
                while let Some((_, undo)) = self.journal.pop_back() {
                    self.undo(undo, out);
                }
            }
            Kept::Nothing => {
                self.journal.clear();
                self.tombstones.clear();
                self.siblings.clear();
                self.hints.clear();
            }
        }
        self.changes += 1;
    }

    fn take_register(&mut self, key: Key, value: Value, out: &mut impl Effects<Quorum>) -> bool {
        let shown = out.read(key);
        let is_news = shown.is_none_or(|shown| shown.version < value.stored.version);
        if !is_news && !Bug::OlderRepaired.is_on() {
            return false;
        }
        let was_tombstone = self.tombstones.remove(&key);
        if value.deleted {
            self.tombstones.insert(key, value.stored.version);
        }
        out.apply(key, value.stored, value.bytes);
        self.note(Undo::Register { key, undone: value.stored, before: shown, was_tombstone });
        true
    }

    fn take_siblings(&mut self, key: Key, state: &State, out: &mut impl Effects<Quorum>) -> bool {
        let before = self.read(key, out);
        let mut after = before.clone();
        after.merge(state);
        let (State::Siblings(after), State::Siblings(old)) = (after, before) else { return false };
        if after == old {
            return false;
        }
        for (lane, heard) in (0u32..).zip(&after.heard) {
            let was = old.heard[lane as usize];
            if let Some(stored) = heard.filter(|_| *heard != was) {
                let value = after.values.iter().find(|(_, value)| value.stored == stored);
                out.apply(self.lane_of(key, lane), stored, value.map_or(0, |(_, value)| value.bytes));
            }
        }
        let before = self.siblings.insert(key, *after);
        self.note(Undo::Siblings { key, before });
        true
    }

    /// A lane of a key, as the stage names it.
    pub(super) fn lane_of(&self, key: Key, lane: u32) -> Key {
        key.lane(self.lanes, lane)
    }

    fn note(&mut self, undo: Undo) {
        self.position += 1;
        self.journal.push_back((self.position, undo));
    }

    fn undo(&mut self, undo: Undo, out: &mut impl Effects<Quorum>) {
        match undo {
            Undo::Register { key, undone, before, was_tombstone } => {
                // It may have been purged meanwhile, and then there is nothing to take back.
                if out.read(key) == Some(undone) {
                    self.take_back(key, undone, before, out);
                    self.tombstones.remove(&key);
                    was_tombstone.into_iter().for_each(|version| _ = self.tombstones.insert(key, version));
                }
            }
            Undo::Siblings { key, before } => {
                let Some(now) = self.siblings.remove(&key) else { return };
                for (lane, heard) in (0u32..).zip(&now.heard) {
                    let old = before.as_ref().and_then(|set| set.heard[lane as usize]);
                    if let Some(undone) = heard.filter(|_| *heard != old) {
                        self.take_back(self.lane_of(key, lane), undone, old, out);
                    }
                }
                before.into_iter().for_each(|set| _ = self.siblings.insert(key, set));
            }
            Undo::Hint { owner, key, before } => {
                let now = self.hints.remove(&(owner, key));
                self.tell_hint(key, now.as_ref(), before.as_ref(), out);
                before.into_iter().for_each(|hint| _ = self.hints.insert((owner, key), hint));
            }
        }
    }

    /// What is shown is what is held.
    fn take_back(&self, key: Key, undone: Stored, before: Option<Stored>, out: &mut impl Effects<Quorum>) {
        out.unapply(key, undone, before);
        out.unlogged(key, undone, before);
    }

    /// Tells how the newest writes of a hint change.
    fn tell_hint(
        &self,
        key: Key,
        before: Option<&Hint>,
        after: Option<&Hint>,
        out: &mut impl Effects<Quorum>,
    ) {
        for lane in 0..self.lanes {
            let newest =
                |hint: Option<&Hint>| hint.and_then(|hint| hint.state.newest(lane)).map(|(stored, _)| stored);
            let (old, new) = (newest(before), newest(after));
            if old != new {
                new.into_iter().for_each(|stored| out.hinted(self.lane_of(key, lane), stored));
                old.into_iter().for_each(|stored| out.unhinted(self.lane_of(key, lane), stored));
            }
        }
    }
}
