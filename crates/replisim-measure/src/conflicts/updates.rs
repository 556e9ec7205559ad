//! Lost updates: acknowledged writes made out of what was read, of whose effect nothing is left because another that
//! was made so did not know of them.
//!
//! The final state of a key is the newest version that an owner holds at the end. It contains itself, what it rests on,
//! what that rests on, and so on; what does not rest on anything ends this *chain*. A write that is not in it is lost to
//! the link of the chain that spans it: above it stands one that rests on something below it. What lies below the
//! chain's end was removed by a blind put or delete, and above its head nobody holds anything.
//!
//! So all that rests on something is remembered to the end: some tens of bytes each, the one exception to bounded memory.

use std::collections::{BTreeMap, BTreeSet};

use replisim_observe::{Key, Stored, Version, Write};

use crate::writes::News;

/// The writes that rest on something.
#[derive(Clone, Debug)]
pub(super) struct Updates {
    /// Under version vectors, what an owner holds contains all of its lane before it: no chain is needed.
    vectors: bool,
    /// What those rest on whose version is not known yet.
    bases: BTreeMap<Write, Version>,
    known: BTreeMap<(Key, Version), Update>,
}

#[derive(Clone, Copy, Debug)]
struct Update {
    base: Version,
    committed: bool,
    in_window: bool,
    acked: bool,
    abandoned: bool,
    retired: bool,
}

impl Updates {
    pub(super) fn new(lanes: u32) -> Updates {
        Updates { vectors: lanes > 1, bases: BTreeMap::new(), known: BTreeMap::new() }
    }

    pub(super) fn based_on(&mut self, write: Write, version: Version) {
        self.bases.insert(write, version);
    }

    /// The version of a write is this one. Tells what it rests on, the first time.
    #[inline]
    pub(super) fn known(&mut self, key: Key, Stored { version, write }: Stored) -> Option<Version> {
        if self.bases.is_empty() {
            return None;
        }
        let base = self.bases.remove(&write)?;
        let update = Update {
            base,
            committed: false,
            in_window: false,
            acked: false,
            abandoned: false,
            retired: false,
        };
        self.known.insert((key, version), update);
        Some(base)
    }

    pub(super) fn committed(&mut self, key: Key, version: Version, in_window: bool) {
        if let Some(update) = self.update(key, version).filter(|update| !update.committed) {
            update.committed = true;
            update.in_window = in_window;
        }
    }

    pub(super) fn acked(&mut self, key: Key, version: Version) {
        self.update(key, version).into_iter().for_each(|update| update.acked = true);
    }

    pub(super) fn hear(&mut self, news: News) {
        if self.known.is_empty() {
            return;
        }
        match news {
            News::Retired(key, version, _) => {
                self.update(key, version).into_iter().for_each(|update| update.retired = true);
            }
            News::Withdrawn(key, above, upto) => {
                let gone = self.known.range_mut((key, Version(above.0 + 1))..=(key, upto));
                gone.filter(|(_, update)| update.committed).for_each(|(_, update)| update.abandoned = true);
            }
            News::BlockWithdrawn(key) => {
                let of_key = self.known.range_mut((key, Version(0))..=(key, Version(u64::MAX)));
                of_key.filter(|(_, update)| update.retired).for_each(|(_, update)| update.abandoned = true);
            }
            News::Gone(..) => {}
        }
    }

    /// How many acked writes of the window rest on something, and how many of these are lost; `newest` tells the newest
    /// version of a key that an owner holds.
    pub(super) fn lost(&self, newest: impl Fn(Key) -> Version) -> (u64, u64) {
        let counts = |update: &Update| update.acked && update.in_window;
        let all = self.known.values().filter(|update| counts(update)).count() as u64;
        let (mut lost, mut key) = (0, None);
        let mut chain = Chain::default();
        for ((of, version), update) in self.known.iter().filter(|_| !self.vectors) {
            if key.replace(*of) != Some(*of) {
                chain = self.chain(*of, newest(*of));
            }
            lost += u64::from(chain.spans(*version) && counts(update) && !update.abandoned);
        }
        (all, lost)
    }

    fn chain(&self, key: Key, head: Version) -> Chain {
        let (mut versions, mut links, mut version) = (BTreeSet::new(), Vec::new(), head);
        while versions.insert(version)
            && let Some(Update { base, .. }) = self.known.get(&(key, version))
        {
            links.push((*base, version));
            version = *base;
        }
        links.sort();
        links.reverse();
        Chain { versions, links, reach: Version(0) }
    }

    fn update(&mut self, key: Key, version: Version) -> Option<&mut Update> {
        if self.known.is_empty() { None } else { self.known.get_mut(&(key, version)) }
    }
}

/// What is left of a key.
#[derive(Debug, Default)]
struct Chain {
    versions: BTreeSet<Version>,
    /// From what is rested on to what rests on it; those yet to be passed, the lowest last.
    links: Vec<(Version, Version)>,
    /// The highest end of those passed.
    reach: Version,
}

impl Chain {
    /// Whether a link spans the version, which is not in the chain; asked in ascending order.
    fn spans(&mut self, version: Version) -> bool {
        while let Some((_, above)) = self.links.pop_if(|(base, _)| *base < version) {
            self.reach = self.reach.max(above);
        }
        version < self.reach && !self.versions.contains(&version)
    }
}
