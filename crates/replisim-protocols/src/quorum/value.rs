//! What a copy of a key is: a register of which the newest write stands, or siblings under a version vector.
//!
//! Two copies *merge*: of two registers the newer stands; of two sets of siblings each one stands that the other has
//! too or has not heard of. Merging is the same in any order and any number of times, so copies that have met agree.
//!
//! The version vector is by *lanes*, one for each member that gives versions: in each lane the newest write that the
//! copy has heard of. A member gives a version only on top of its own copy, and always sends the whole copy, so whoever
//! has heard of a version has heard of all of its lane before it: a number a lane says all (as in Riak's dotted version
//! vector sets; Preguiça et al. 2012). A member that lost its disk goes on in its old lane, as Riak's did before
//! it gave lanes to incarnations: what it forgot then counts as heard of.

use replisim_observe::{Stored, Version};

use crate::bug_shelf::Bug;
use crate::protocol::Context;

/// A copy of a key.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum State {
    /// The newest write, if there is one.
    Register(Option<Value>),
    /// Those that stand.
    Siblings(Box<SiblingSet>),
}

/// What a write left.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Value {
    pub(super) stored: Stored,
    pub(super) bytes: u32,
    /// A tombstone.
    pub(super) deleted: bool,
}

/// Values that are concurrent with each other, and all that their copy has heard of.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct SiblingSet {
    /// The newest write heard of, by lane.
    pub(super) heard: Vec<Option<Stored>>,
    /// What stands, by lane and version.
    pub(super) values: Vec<(u32, Value)>,
}

impl State {
    /// Takes in what `other` has.
    pub(super) fn merge(&mut self, other: &State) {
        match (self, other) {
            (State::Register(mine), State::Register(theirs)) => {
                let version = |value: &Option<Value>| value.map(|value| value.stored.version);
                if (version(theirs) > version(mine)) != Bug::OlderRepaired.is_on() {
                    *mine = *theirs;
                }
            }
            (State::Siblings(mine), State::Siblings(theirs)) => mine.merge(theirs),
            _ => {} // a configuration has one kind
        }
    }

    /// Two copies are equal if and only if (but for chance) their fingerprints are; that of a register is its version,
    /// 0 that of nothing.
    pub(super) fn fingerprint(&self) -> u64 {
        match self {
            State::Register(value) => value.map_or(0, |value| value.stored.version.0),
            State::Siblings(set) => set.fingerprint(),
        }
    }

    /// The newest write of a lane, and the size of its value; 0 if that does not stand any more.
    pub(super) fn newest(&self, lane: u32) -> Option<(Stored, u32)> {
        match self {
            State::Register(value) => value.map(|value| (value.stored, value.bytes)),
            State::Siblings(set) => {
                let stored = set.heard[lane as usize]?;
                let value = set.values.iter().find(|(_, value)| value.stored == stored);
                Some((stored, value.map_or(0, |(_, value)| value.bytes)))
            }
        }
    }

    /// Bytes on the wire: values, and 16 for each version.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            State::Register(value) => value.map_or(0, |value| 16 + u64::from(value.bytes)),
            State::Siblings(set) => {
                let values: u64 = set.values.iter().map(|(_, value)| u64::from(value.bytes)).sum();
                values + 16 * (set.heard.iter().flatten().count() + set.values.len()) as u64
            }
        }
    }

    /// The writes that it carries.
    pub(super) fn for_each_write(&self, mut each: impl FnMut(Stored)) {
        match self {
            State::Register(value) => value.iter().for_each(|value| each(value.stored)),
            State::Siblings(set) => set.values.iter().for_each(|(_, value)| each(value.stored)),
        }
    }
}

impl SiblingSet {
    /// One that has heard of nothing, in so many lanes.
    pub(super) fn new(lanes: u32) -> SiblingSet {
        SiblingSet { heard: vec![None; lanes as usize], values: Vec::new() }
    }

    /// A client that had read `context` writes a value in `lane`: what it had read is gone.
    pub(super) fn write(&mut self, context: &Context, lane: u32, value: Value) {
        let read = |lane: u32| context.get(lane as usize).copied().unwrap_or_default().version;
        let unread = |(lane, other): &(u32, Value)| other.stored.version > read(*lane);
        self.values.retain(|entry| unread(entry) && !Bug::SiblingOverwritten.is_on());
        for (heard, read) in self.heard.iter_mut().zip(context) {
            hear(heard, (read.version > Version(0)).then_some(*read));
        }
        self.heard[lane as usize] = Some(value.stored);
        self.values.push((lane, value));
        self.sort();
    }

    /// See [`State::fingerprint`].
    pub(super) fn fingerprint(&self) -> u64 {
        let heard = self.heard.iter().flatten().fold(0, |sum, stored| mix(sum ^ stored.version.0));
        self.values.iter().fold(heard, |sum, (_, value)| mix(sum ^ value.stored.version.0))
    }

    /// The newest write heard of in each lane, as clients are told.
    pub(super) fn context(&self) -> Context {
        self.heard.iter().map(|heard| heard.unwrap_or_default()).collect()
    }

    fn merge(&mut self, other: &SiblingSet) {
        let has = |set: &SiblingSet, (lane, value): &(u32, Value)| set.values.contains(&(*lane, *value));
        let heard = |set: &SiblingSet, (lane, value): &(u32, Value)| {
            set.heard[*lane as usize].is_some_and(|newest| newest.version >= value.stored.version)
        };
        let stays = |set: &SiblingSet, entry: &(u32, Value)| has(set, entry) || !heard(set, entry);
        let mut values: Vec<(u32, Value)> =
            self.values.iter().filter(|entry| stays(other, entry)).copied().collect();
        values.extend(other.values.iter().filter(|entry| !has(self, entry) && stays(self, entry)));
        self.values = values;
        for (mine, theirs) in self.heard.iter_mut().zip(&other.heard) {
            hear(mine, *theirs);
        }
        self.sort();
    }

    fn sort(&mut self) {
        self.values.sort_by_key(|(lane, value)| (*lane, value.stored.version));
    }
}

/// Takes the newer of two into the first.
fn hear(mine: &mut Option<Stored>, theirs: Option<Stored>) {
    if theirs.map(|stored| stored.version) > mine.map(|stored| stored.version) {
        *mine = theirs;
    }
}

/// A number that looks like chance (the finalizer of SplitMix64; Steele et al. 2014).
pub(super) fn mix(x: u64) -> u64 {
    let x = (x.wrapping_add(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use replisim_observe::Write;

    use super::*;

    fn value(version: u64) -> Value {
        Value {
            stored: Stored { version: Version(version), write: Write(version) },
            bytes: 10,
            deleted: false,
        }
    }

    /// Writes of two members that keep copies and send them to each other now and then.
    fn any_two_copies() -> impl Strategy<Value = [SiblingSet; 2]> {
        prop::collection::vec((0..2usize, 0..4u8), 0..12).prop_map(|steps| {
            let mut copies = [SiblingSet::new(2), SiblingSet::new(2)];
            let mut read = Context::new();
            for (version, (member, step)) in (1u64..).zip(steps) {
                match step {
                    0 => copies[member].write(&Context::new(), member as u32, value(version)),
                    1 => copies[member].write(&read, member as u32, value(version)),
                    2 => read = copies[member].context(),
                    _ => {
                        let other = copies[1 - member].clone();
                        copies[member].merge(&other);
                    }
                }
            }
            copies
        })
    }

    proptest! {
        #[test]
        fn merging_is_the_same_in_any_order_and_any_number_of_times([a, b] in any_two_copies()) {
            let merged = |one: &SiblingSet, other: &SiblingSet| {
                let mut one = one.clone();
                one.merge(other);
                one
            };
            prop_assert_eq!(merged(&a, &b), merged(&b, &a));
            prop_assert_eq!(merged(&a, &a), a.clone());
            prop_assert_eq!(merged(&merged(&a, &b), &b), merged(&a, &b));
        }
    }

    #[test]
    fn siblings_stand_until_a_client_that_read_them_writes() {
        let mut a = SiblingSet::new(2);
        a.write(&Context::new(), 0, value(1));
        let mut b = SiblingSet::new(2);
        b.write(&Context::new(), 1, value(2));
        a.merge(&b);
        assert_eq!(a.values, [(0, value(1)), (1, value(2))], "both were blind");
        let read = a.context();
        b.write(&read, 1, value(3));
        assert_eq!(b.values, [(1, value(3))]);
        a.merge(&b);
        assert_eq!(a.values, [(1, value(3))], "whoever wrote 3 had read 1, though b had never had it");
    }
}
