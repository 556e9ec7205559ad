//! Staleness of reads and t-visibility.
//!
//! A read is judged by the acknowledged writes of its key that it missed: those acked before it was invoked whose
//! version the returned one does not reach. Each key keeps its acks in the order of time. For a returned version `v`
//! the first ack whose *running maximum* of versions exceeds `v` is the oldest missed write (it exceeds `v` itself,
//! or an earlier one would have); acks arrive nearly in version order, so the number of missed writes takes two binary
//! searches and a look at the few acks in between.
//!
//! An ack is forgotten when every member holds its version and every read under way was invoked after that: no read
//! can miss it any more.

use std::collections::VecDeque;

use replisim_observe::{Client, Key, Stored, Time, Version, Window};

use crate::distribution::Distribution;
use crate::series::{Slices, StalenessSeries, Visibility};

/// Everything measured about how fresh reads are.
#[derive(Clone, Debug)]
pub struct Reads {
    window: Window,
    slices: Slices,
    keys: Vec<KeyAcks>,
    clients: Vec<ReadTotals>,
    series: Vec<StalenessSeries>,
}

/// What one client's reads were like.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadTotals {
    pub(crate) staleness: Distribution,
    pub(crate) when_stale: Distribution,
    pub(crate) versions: Distribution,
    pub(crate) visibility: Visibility,
}

/// The write acked last before a moment.
pub(crate) type LastAck = Option<(Time, Version)>;

/// The acknowledged writes of one key that a read may still miss.
#[derive(Clone, Debug, Default)]
struct KeyAcks {
    acks: VecDeque<Ack>,
    /// The youngest ack that has been forgotten.
    forgotten: LastAck,
    /// Acked and later abandoned writes.
    withdrawn: Vec<Withdrawn>,
    /// Held by every member since then, but a read under way may be older.
    held: (Version, Time),
    /// Held by every member since before any read under way.
    safe: Version,
}

#[derive(Clone, Copy, Debug)]
struct Ack {
    at: Time,
    version: Version,
    /// The largest version up to here, in order of acks.
    high: Version,
    /// The smallest version from here on.
    low: Version,
}

#[derive(Clone, Copy, Debug)]
struct Withdrawn {
    acked: Time,
    version: Version,
    abandoned: Time,
}

impl Reads {
    /// Nothing seen yet.
    pub fn new(clients: usize, keys: usize, window: Window, slices: Slices) -> Reads {
        Reads {
            window,
            slices,
            keys: vec![KeyAcks::default(); keys],
            clients: vec![ReadTotals::default(); clients],
            series: vec![StalenessSeries::new(slices.count); clients],
        }
    }

    /// A write of `key` was acked. `held` is the newest version that every member holds, and since when;
    /// `oldest_open` the invocation of the oldest operation under way.
    pub(crate) fn acked(
        &mut self,
        now: Time,
        key: Key,
        version: Version,
        held: (Version, Time),
        oldest_open: Time,
    ) {
        let acks = &mut self.keys[key.index()];
        acks.forget(held, oldest_open, now);
        acks.push(now, version);
    }

    /// An acked write was abandoned.
    pub(crate) fn withdrawn(&mut self, now: Time, key: Key, version: Version) {
        self.keys[key.index()].withdraw(now, version);
    }

    /// The write of `key` acked last before `now`.
    pub(crate) fn last_ack(&self, now: Time, key: Key) -> LastAck {
        self.keys[key.index()].last_before(now)
    }

    /// A read that was invoked at `invoked`, when `last` was the last ack, returned `returned`.
    pub(crate) fn returned(
        &mut self,
        client: Client,
        key: Key,
        invoked: Time,
        last: LastAck,
        returned: Option<Stored>,
    ) {
        let version = returned.map_or(Version(0), |stored| stored.version);
        let (missed, oldest) = self.keys[key.index()].missed(version, invoked);
        let staleness = oldest.map_or(0, |acked| invoked.since(acked).nanos());
        if let Some(slice) = self.slices.index(invoked) {
            self.series[client.index()].add(slice, staleness);
        }
        if !self.window.contains(invoked) {
            return;
        }
        let totals = &mut self.clients[client.index()];
        totals.staleness.record(staleness as i64);
        totals.versions.record(missed as i64);
        if missed > 0 {
            totals.when_stale.record(staleness as i64);
        }
        if let Some((acked, newest)) = last {
            let t = invoked.since(acked).nanos() as i64;
            totals.visibility.all.record(t);
            if version >= newest {
                totals.visibility.fresh.record(t);
            }
        }
    }

    pub(crate) fn into_results(self) -> (Vec<ReadTotals>, Vec<StalenessSeries>) {
        (self.clients, self.series)
    }
}

impl KeyAcks {
    fn push(&mut self, at: Time, version: Version) {
        let high = self.acks.back().map_or(version, |last| last.high.max(version));
        // Whoever came before with a larger minimum has a smaller one now; nearly always that is nobody.
        for earlier in self.acks.iter_mut().rev().take_while(|earlier| earlier.low > version) {
            earlier.low = version;
        }
        self.acks.push_back(Ack { at, version, high, low: version });
    }

    /// How many writes a read of `version`, invoked at `invoked`, missed, and when the oldest of them was acked.
    fn missed(&self, version: Version, invoked: Time) -> (u64, Option<Time>) {
        let acked = self.acks.partition_point(|ack| ack.at < invoked);
        let first = self.acks.partition_point(|ack| ack.high <= version);
        let all_from = self.acks.partition_point(|ack| ack.low <= version);
        let mixed = self.acks.range(first.min(acked)..all_from.min(acked));
        let mut count = acked.saturating_sub(all_from) as u64;
        count += mixed.filter(|ack| ack.version > version).count() as u64;
        let mut oldest = (first < acked).then(|| self.acks[first].at);
        for withdrawn in &self.withdrawn {
            // Abandoned only after the read was invoked: it was missed all the same.
            if withdrawn.acked < invoked && invoked <= withdrawn.abandoned && withdrawn.version > version {
                count += 1;
                oldest = Some(oldest.map_or(withdrawn.acked, |oldest| oldest.min(withdrawn.acked)));
            }
        }
        (count, oldest)
    }

    fn last_before(&self, now: Time) -> LastAck {
        let mut earlier = self.acks.iter().rev().skip_while(|ack| ack.at >= now);
        let Some(last) = earlier.next() else { return self.forgotten };
        let same_instant = earlier.take_while(|ack| ack.at == last.at).map(|ack| ack.version);
        let version = same_instant.fold(last.version, Version::max);
        Some((last.at, version).max(self.forgotten.unwrap_or_default()))
    }

    fn withdraw(&mut self, now: Time, version: Version) {
        let Some(i) = self.acks.iter().position(|ack| ack.version == version) else { return };
        if let Some(ack) = self.acks.remove(i) {
            self.withdrawn.push(Withdrawn { acked: ack.at, version, abandoned: now });
        }
        let mut high = Version(0);
        for ack in &mut self.acks {
            high = high.max(ack.version);
            ack.high = high;
        }
        let mut low = Version(u64::MAX);
        for ack in self.acks.iter_mut().rev() {
            low = low.min(ack.version);
            ack.low = low;
        }
    }

    fn forget(&mut self, held: (Version, Time), oldest_open: Time, now: Time) {
        if self.held.1 < oldest_open {
            self.safe = self.safe.max(self.held.0);
            self.held = held;
        }
        while let Some(ack) = self.acks.front().filter(|ack| ack.high <= self.safe && ack.at < now) {
            self.forgotten = self.forgotten.max(Some((ack.at, ack.version)));
            self.acks.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ns: u64) -> Time {
        Time::from_nanos(ns)
    }

    fn acks(list: &[(u64, u64)]) -> KeyAcks {
        let mut acks = KeyAcks::default();
        list.iter().for_each(|(time, version)| acks.push(at(*time), Version(*version)));
        acks
    }

    #[test]
    fn acks_out_of_version_order_are_counted_right() {
        let acks = acks(&[(10, 1), (20, 3), (30, 2), (40, 5), (50, 4), (60, 6)]);
        for (version, invoked, count, oldest) in [
            (0, 100, 6, Some(10)),
            (1, 100, 5, Some(20)),
            (2, 100, 4, Some(20)),
            (3, 100, 3, Some(40)),
            (4, 100, 2, Some(40)),
            (6, 100, 0, None),
            (2, 25, 1, Some(20)),
            (2, 20, 0, None), // an ack at the instant of the invocation is not before it
            (3, 45, 1, Some(40)),
            (1, 35, 2, Some(20)),
        ] {
            assert_eq!(
                acks.missed(Version(version), at(invoked)),
                (count, oldest.map(at)),
                "{version} at {invoked}"
            );
        }
    }

    #[test]
    fn a_superseding_write_that_is_abandoned_makes_reads_fresh_again() {
        let mut acks = acks(&[(10, 1), (20, 2)]);
        assert_eq!(acks.missed(Version(1), at(25)), (1, Some(at(20))));
        acks.withdraw(at(30), Version(2));
        assert_eq!(acks.missed(Version(1), at(40)), (0, None));
        assert_eq!(acks.missed(Version(1), at(25)), (1, Some(at(20))), "judged as of the invocation");
        assert_eq!(acks.last_before(at(40)), Some((at(10), Version(1))));
    }

    #[test]
    fn acks_that_no_read_can_miss_are_forgotten_but_the_last_is_remembered() {
        let mut acks = acks(&[(10, 1), (20, 2), (30, 3)]);
        acks.forget((Version(2), at(35)), at(34), at(40));
        assert_eq!(acks.acks.len(), 3, "a read invoked at 34 may still return version 1");
        acks.forget((Version(3), at(50)), at(45), at(50));
        assert_eq!(acks.acks.len(), 1);
        acks.forget((Version(3), at(50)), at(50), at(50));
        assert_eq!(acks.acks.len(), 1, "a read invoked at the same instant may have come before");
        acks.forget((Version(3), at(50)), at(55), at(60));
        assert_eq!(acks.acks.len(), 0);
        assert_eq!(acks.last_before(at(60)), Some((at(30), Version(3))));
    }
}
