//! Versions that come back from the dead: deleted data that stands again, since the tombstone above it was purged or
//! lost everywhere before every replica had dropped it for good.
//!
//! The *floor* of a key is the newest version that was acked and has been held by every owner: whatever lies below it
//! was to be seen no more. A version stands again if it lies below the floor and is the newest that any owner shows, at
//! the end of some instant (a log that is taken back entry by entry passes over older ones within one). A replica that
//! lags while another shows the floor resurrects nothing.
//!
//! A read returns a resurrected version if, when it was invoked, no owner showed the floor of then or a newer one, and
//! what it returns lies below that.

use std::collections::{BTreeMap, BTreeSet};

use replisim_observe::{Key, Observation, Op, OpKind, Time, Version};

use crate::writes::Writes;

/// What has come back.
#[derive(Clone, Debug)]
pub(super) struct Resurrected {
    lanes: u32,
    /// The end of the warm-up.
    from: Time,
    /// Keys to look at once this instant is over.
    touched: Vec<Key>,
    at: Time,
    versions: BTreeSet<(Key, Version)>,
    /// Since the end of the warm-up.
    count: u64,
    /// Reads under way, by lanes of their key of which no owner showed the floor.
    open: BTreeMap<(Op, Key), OpenRead>,
}

#[derive(Clone, Copy, Debug)]
struct OpenRead {
    floor: Version,
    saw: Version,
}

impl Resurrected {
    pub(super) fn new(lanes: u32, from: Time) -> Resurrected {
        Resurrected {
            lanes: lanes.max(1),
            from,
            touched: Vec::new(),
            at: Time::ZERO,
            versions: BTreeSet::new(),
            count: 0,
            open: BTreeMap::new(),
        }
    }

    /// To be called before `writes` take it in.
    #[inline]
    pub(super) fn observe(&mut self, now: Time, what: &Observation, writes: &Writes) {
        if !self.touched.is_empty() && now > self.at {
            self.look(writes);
        }
        match *what {
            Observation::Applied { key, stored, .. } if stored.version < writes.floor(key) => {
                self.touch(now, key);
            }
            Observation::Unapplied { key, .. } | Observation::Purged { key, .. } => self.touch(now, key),
            Observation::DiskLost { .. } => writes.keys().for_each(|key| self.touch(now, key)),
            Observation::Invoked { op, kind: OpKind::Read, key, .. } => {
                for key in (0..self.lanes).map(|lane| Key(key.0 * self.lanes + lane)) {
                    if is_bare(key, writes) {
                        let read = OpenRead { floor: writes.floor(key), saw: Version(0) };
                        self.open.insert((op, key), read);
                    }
                }
            }
            Observation::Saw { op, key, version } => self.saw(op, key, version),
            _ => {}
        }
    }

    /// A write of `key` was acked, which may have raised the floor.
    pub(super) fn acked(&mut self, now: Time, key: Key, writes: &Writes) {
        if is_bare(key, writes) {
            self.touch(now, key);
        }
    }

    /// A read has seen this version.
    pub(super) fn saw(&mut self, op: Op, key: Key, version: Version) {
        if !self.open.is_empty()
            && let Some(read) = self.open.get_mut(&(op, key))
        {
            read.saw = version;
        }
    }

    /// A read is over. Tells whether it saw a resurrected version.
    pub(super) fn returned(&mut self, op: Op) -> bool {
        let mut resurrected = false;
        while let Some((key, OpenRead { floor, saw })) = self.first_of(op) {
            self.open.remove(&(op, key));
            resurrected |= Version(0) < saw && saw < floor;
        }
        resurrected
    }

    /// The run is over. Tells how many have stood again.
    pub(super) fn ended(&mut self, writes: &Writes) -> u64 {
        self.look(writes);
        self.count
    }

    fn first_of(&self, op: Op) -> Option<(Key, OpenRead)> {
        if self.open.is_empty() {
            return None;
        }
        let mut reads = self.open.range((op, Key(0))..=(op, Key(u32::MAX)));
        reads.next().map(|((_, key), read)| (*key, *read))
    }

    fn touch(&mut self, now: Time, key: Key) {
        self.at = now;
        self.touched.push(key);
    }

    /// What stands at the end of the instant.
    fn look(&mut self, writes: &Writes) {
        for key in self.touched.drain(..) {
            let newest = writes.shown(key).max().unwrap_or_default();
            let stands = Version(0) < newest && newest < writes.floor(key);
            if stands && self.versions.insert((key, newest)) {
                self.count += u64::from(self.at >= self.from);
            }
        }
    }
}

/// Whether no owner shows the floor or a newer version.
#[inline]
fn is_bare(key: Key, writes: &Writes) -> bool {
    let floor = writes.floor(key);
    floor > Version(0) && writes.shown(key).all(|version| version < floor)
}
