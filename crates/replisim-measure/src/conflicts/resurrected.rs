//! Versions that come back from the dead: deleted data that stands again, since the tombstone above it was forgotten, on
//! purpose or with a disk, before every trace of the data was.
//!
//! The *floor* of a key is the newest version that was acked and then held by every owner, or purged by one: whatever lies
//! below it was to be seen no more. A version stands again if it lies below the floor and is the newest that any owner
//! shows, at the end of some instant (a log that is taken back entry by entry passes over older ones within one). A
//! replica that lags while another shows the floor resurrects nothing.
//!
//! A read returns a resurrected version if, when it was invoked, no owner showed the floor of then or a newer one, and
//! what it returns lies below that.

use std::collections::{BTreeMap, BTreeSet};

use replisim_observe::{Key, Observation, Op, OpKind, Time, Version};

use crate::writes::Writes;

/// What has come back.
#[derive(Clone, Debug)]
pub(super) struct Resurrected {
    /// The end of the warm-up.
    from: Time,
    /// Keys to look at once this instant is over.
    touched: Vec<Key>,
    at: Time,
    versions: BTreeSet<(Key, Version)>,
    /// Since the end of the warm-up.
    count: u64,
    /// Reads under way of keys of which no owner showed the floor, and that floor.
    open: BTreeMap<Op, Version>,
}

impl Resurrected {
    pub(super) fn new(from: Time) -> Resurrected {
        let (touched, versions, open) = (Vec::new(), BTreeSet::new(), BTreeMap::new());
        Resurrected { from, touched, at: Time::ZERO, versions, count: 0, open }
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
            Observation::Invoked { op, kind: OpKind::Read, key, .. } if is_bare(key, writes) => {
                self.open.insert(op, writes.floor(key));
            }
            _ => {}
        }
    }

    /// A write of `key` was acked, which may have raised the floor.
    pub(super) fn acked(&mut self, now: Time, key: Key, writes: &Writes) {
        if is_bare(key, writes) {
            self.touch(now, key);
        }
    }

    /// A read returned this version, if any. Tells whether it is a resurrected one.
    #[inline]
    pub(super) fn returned(&mut self, op: Op, version: Version) -> bool {
        !self.open.is_empty()
            && self.open.remove(&op).is_some_and(|floor| Version(0) < version && version < floor)
    }

    /// The run is over. Tells how many have stood again.
    pub(super) fn ended(&mut self, writes: &Writes) -> u64 {
        self.look(writes);
        self.count
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
