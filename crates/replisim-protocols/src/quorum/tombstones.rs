//! Tombstones are forgotten when they are as old as `gc-grace` by the clock of their node: a copy that has not heard of
//! the delete by then brings the value back.

use std::collections::BTreeSet;

use replisim_engine::{Duration, Time};
use replisim_observe::{Key, Stored, Version};

use super::{Quorum, Timer};
use crate::bug_shelf::Bug;
use crate::protocol::{Effects, Span, timestamp_time};

/// When which tombstones are old enough, by the wall clock.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Expiring {
    queue: BTreeSet<(Time, Key, Version)>,
}

/// The longest wait before the clock is looked at again: it may have been set meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

impl Quorum {
    /// There is a new tombstone.
    pub(super) fn expect_expiry(&mut self, key: Key, version: Version, out: &mut impl Effects<Self>) {
        let at = self.expiry(version);
        self.expiring.queue.insert((at, key, version));
        if self.expiring.queue.first() == Some(&(at, key, version)) {
            self.await_expiry(out);
        }
    }

    /// Remembers anew what is on the disk.
    pub(super) fn await_expiries(&mut self) {
        let queue = self.disk.tombstones().map(|(key, version)| (self.expiry(version), key, version));
        self.expiring.queue = queue.collect();
    }

    /// Waits for the oldest tombstone to be old enough.
    pub(super) fn await_expiry(&mut self, out: &mut impl Effects<Self>) {
        if let Some((at, ..)) = self.expiring.queue.first() {
            let left = at.signed_since(out.wall_clock()).max(0) as u64;
            out.arm(Timer::Purge, Span::exactly(Duration::from_nanos(left).min(LOOK_AGAIN)));
        }
    }

    /// Forgets what is old enough.
    pub(super) fn purge(&mut self, out: &mut impl Effects<Self>) {
        let now = out.wall_clock();
        while self.expiring.queue.first().is_some_and(|(at, ..)| *at <= now)
            && let Some((_, key, version)) = self.expiring.queue.pop_first()
        {
            let shown = out.read(key).filter(|shown: &Stored| shown.version == version);
            if let Some(tombstone) = shown.filter(|_| self.disk.is_tombstone(key, version)) {
                self.disk.purge(key, tombstone, out);
            }
        }
        self.await_expiry(out);
    }

    /// Whether a copy is a tombstone that is old enough, though it may not have been forgotten yet.
    pub(super) fn has_expired(&self, key: Key, version: Version, out: &impl Effects<Self>) -> bool {
        self.disk.is_tombstone(key, version) && self.expiry(version) <= out.wall_clock()
    }

    fn expiry(&self, version: Version) -> Time {
        let grace = if Bug::TombstonePurgedEarly.is_on() { Duration::ZERO } else { self.settings.gc_grace };
        timestamp_time(version) + grace
    }
}
