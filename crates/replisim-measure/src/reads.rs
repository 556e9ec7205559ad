//! Staleness of reads and t-visibility.
//!
//! A read is judged by the acknowledged writes of its key that it missed: those acked before it was invoked whose
//! version the returned one does not reach. Each key keeps its acks in the order of time. For a returned version `v`
//! the first ack whose *running maximum* of versions exceeds `v` is the oldest missed write (it exceeds `v` itself,
//! or an earlier one would have); acks arrive nearly in version order, so the number of missed writes takes two binary
//! searches and a look at the few acks in between. Where a key has several lanes, a read is judged in each: what it missed
//! in any of them it missed.
//!
//! An ack is forgotten when its write has [retired](crate::retirement) and every operation under way was invoked after
//! that. Only a read at a member that has fallen back below the key's line (as it was when the read was invoked) can
//! still miss it; such a read counts as having returned nothing, so it misses all that was forgotten, and the number and
//! the first of these acks are enough.

use std::collections::VecDeque;

use replisim_observe::{Key, Time, Version, Window, prefetch};

use crate::keyspace::Keyspace;
use crate::operations::OpenOp;
use crate::reflected::Reflected;
use crate::samples::Samples;
use crate::search::count_before;
use crate::series::{Slices, StalenessSeries, Visibility};
use crate::writes::News;

/// Everything measured about how fresh reads are.
#[derive(Clone, Debug)]
pub struct Reads {
    window: Window,
    slices: Slices,
    space: Keyspace,
    /// By lane key.
    keys: Vec<KeyAcks>,
    /// By lane key: what of it answers most questions. Small and apart, so that it is found in the cache.
    fronts: Vec<Front>,
    clients: Vec<ReadTotals>,
    series: Vec<StalenessSeries>,
}

/// What one client's reads were like.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadTotals {
    pub(crate) staleness: Samples,
    pub(crate) when_stale: Samples,
    pub(crate) versions: Samples,
    pub(crate) visibility: Visibility,
}

/// The write acked last before a moment; of the same instant, the newest.
type LastAck = Option<(Time, Version)>;

/// The acknowledged writes of one lane of a key that a read may still miss.
#[derive(Clone, Debug, Default)]
struct KeyAcks {
    acks: VecDeque<Ack>,
    forgotten: Forgotten,
    /// Acked and later abandoned writes, as long as a read under way may have missed them.
    withdrawn: Vec<Withdrawn>,
}

/// The short of a [`KeyAcks`].
#[derive(Clone, Copy, Debug, Default)]
struct Front {
    /// The write acked last; version 0 if none was.
    last: (Time, Version),
    /// The largest version among the acks.
    high: Version,
    /// Whether something has been withdrawn that a read may have missed.
    withdrawn: bool,
}

/// Acks that have been forgotten.
#[derive(Clone, Copy, Debug, Default)]
struct Forgotten {
    count: u64,
    first: Time,
    last: LastAck,
    /// The newest of them, and when it was acked.
    newest: (Version, Time),
}

#[derive(Clone, Copy, Debug)]
struct Ack {
    at: Time,
    version: Version,
    /// The largest version up to here, in order of acks.
    high: Version,
    /// The smallest version from here on.
    low: Version,
    /// When its write retired.
    retired: Option<Time>,
}

#[derive(Clone, Copy, Debug)]
struct Withdrawn {
    count: u64,
    /// The first of them.
    acked: Time,
    /// The newest of them.
    version: Version,
    abandoned: Time,
}

impl Reads {
    /// Nothing seen yet.
    pub(crate) fn new(clients: usize, space: Keyspace, window: Window, slices: Slices) -> Reads {
        Reads {
            window,
            slices,
            space,
            keys: vec![KeyAcks::default(); space.lane_keys()],
            fronts: vec![Front::default(); space.lane_keys()],
            clients: vec![ReadTotals::default(); clients],
            series: vec![StalenessSeries::new(slices.count); clients],
        }
    }

    /// Fetches what a read asks of a key.
    #[inline]
    pub(crate) fn foresee(&self, key: Key) {
        self.fronts.get(key.index()).into_iter().for_each(prefetch);
    }

    /// A write of `key` was acked.
    pub(crate) fn acked(&mut self, now: Time, key: Key, version: Version) {
        let acks = &mut self.keys[key.index()];
        acks.push(now, version);
        self.fronts[key.index()] = acks.front();
    }

    /// Something has become of writes. `oldest_open` is the invocation of the oldest operation under way.
    pub(crate) fn hear(&mut self, now: Time, news: News, oldest_open: Time) {
        let (News::Retired(key, ..)
        | News::Withdrawn(key, ..)
        | News::BlockWithdrawn(key)
        | News::Gone(key, ..)) = news;
        let acks = &mut self.keys[key.index()];
        match news {
            News::Retired(_, version, true) => acks.retire(now, version),
            News::Retired(_, _, false) | News::Gone(..) => {}
            News::Withdrawn(_, above, upto) => {
                acks.withdraw(now, |ack| above < ack.version && ack.version <= upto);
            }
            News::BlockWithdrawn(_) => acks.withdraw_block(now),
        }
        acks.forget(oldest_open);
        self.fronts[key.index()] = acks.front();
    }

    /// The write of `key` acked last before `now`, and its lane.
    #[inline]
    pub(crate) fn last_ack(&self, now: Time, key: Key) -> Option<(Time, Version, Key)> {
        let of_lane = |lane: Key| {
            let (at, version) = match self.fronts[lane.index()].last {
                (_, Version(0)) => return None,
                (at, version) if at < now => (at, version),
                _ => self.keys[lane.index()].last_before(now)?,
            };
            Some((at, version, lane))
        };
        self.space.lanes_of(key).filter_map(of_lane).max()
    }

    /// The newest version of `key` acked before `now`; 0 for none.
    pub(crate) fn newest_ack(&self, now: Time, key: Key) -> Version {
        let KeyAcks { acks, forgotten, .. } = &self.keys[key.index()];
        let last = acks.iter().rev().find(|ack| ack.at < now);
        last.map_or(Version(0), |ack| ack.high).max(forgotten.newest.0)
    }

    /// When this version of `key`, which is not below its line, was acked, if it was and stands.
    pub(crate) fn acked_at(&self, key: Key, version: Version) -> Option<Time> {
        let KeyAcks { acks, forgotten, .. } = &self.keys[key.index()];
        let first = acks.partition_point(|ack| ack.high < version);
        let ack = acks.range(first..).find(|ack| ack.version == version).map(|ack| ack.at);
        ack.or((forgotten.newest.0 == version && forgotten.count > 0).then_some(forgotten.newest.1))
    }

    /// A read returned.
    pub(crate) fn returned(&mut self, read: &OpenOp, reflected: Reflected<'_>) {
        let OpenOp { client, key, invoked, .. } = *read;
        let lanes = || self.space.lanes_of(key).zip(reflected.judged);
        let (mut missed, mut oldest) = (0, None);
        for (lane, version) in lanes() {
            if self.fronts[lane.index()].shows_all(*version) {
                continue;
            }
            let (of_lane, first) = self.keys[lane.index()].missed(*version, invoked);
            missed += of_lane;
            oldest = oldest.into_iter().chain(first).min();
        }
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
        if let Some((acked, newest, of_lane)) = read.last_ack {
            let reflects = lanes().any(|(lane, version)| lane == of_lane && *version >= newest);
            let t = invoked.since(acked).nanos() as i64;
            totals.visibility.all.record(t);
            if !reflects {
                totals.visibility.missing.record(t);
            }
        }
    }

    pub(crate) fn into_results(mut self) -> (Vec<ReadTotals>, Vec<StalenessSeries>) {
        for ReadTotals { staleness, when_stale, versions, visibility } in &mut self.clients {
            [staleness, when_stale, versions, &mut visibility.missing, &mut visibility.all]
                .into_iter()
                .for_each(Samples::settle);
        }
        (self.clients, self.series)
    }
}

impl Front {
    /// Whether a read of `version` certainly missed nothing.
    #[inline]
    fn shows_all(&self, version: Version) -> bool {
        let Front { last, high, withdrawn } = *self;
        version >= high && !withdrawn && (version > Version(0) || last.1 == Version(0))
    }
}

impl KeyAcks {
    fn front(&self) -> Front {
        Front {
            last: self.last_before(Time::MAX).unwrap_or_default(),
            high: self.acks.back().map_or(Version(0), |last| last.high),
            withdrawn: !self.withdrawn.is_empty(),
        }
    }

    fn push(&mut self, at: Time, version: Version) {
        let high = self.acks.back().map_or(version, |last| last.high.max(version));
        // Whoever came before with a larger minimum has a smaller one now; nearly always that is nobody.
        for earlier in self.acks.iter_mut().rev().take_while(|earlier| earlier.low > version) {
            earlier.low = version;
        }
        self.acks.push_back(Ack { at, version, high, low: version, retired: None });
    }

    /// How many writes a read of `version`, invoked at `invoked`, missed, and when the oldest of them was acked.
    fn missed(&self, version: Version, invoked: Time) -> (u64, Option<Time>) {
        let acked = count_before(&self.acks, |ack| ack.at < invoked);
        let first = count_before(&self.acks, |ack| ack.high <= version);
        let all_from = count_before(&self.acks, |ack| ack.low <= version);
        let mixed = self.acks.range(first.min(acked)..all_from.min(acked));
        let mut count = acked.saturating_sub(all_from) as u64;
        count += mixed.filter(|ack| ack.version > version).count() as u64;
        let mut oldest = (first < acked).then(|| self.acks[first].at);
        if version == Version(0) && self.forgotten.count > 0 {
            count += self.forgotten.count;
            oldest = Some(self.forgotten.first);
        }
        for withdrawn in &self.withdrawn {
            // Abandoned only after the read was invoked: it was missed all the same.
            if withdrawn.acked < invoked && invoked <= withdrawn.abandoned && withdrawn.version > version {
                count += withdrawn.count;
                oldest = Some(oldest.map_or(withdrawn.acked, |oldest| oldest.min(withdrawn.acked)));
            }
        }
        (count, oldest)
    }

    fn last_before(&self, now: Time) -> LastAck {
        let mut earlier = self.acks.iter().rev().skip_while(|ack| ack.at >= now);
        let Some(last) = earlier.next() else { return self.forgotten.last };
        let same_instant = earlier.take_while(|ack| ack.at == last.at).map(|ack| ack.version);
        let version = same_instant.fold(last.version, Version::max);
        Some((last.at, version).max(self.forgotten.last.unwrap_or_default()))
    }

    fn withdraw(&mut self, now: Time, is_withdrawn: impl Fn(&Ack) -> bool) {
        let withdrawn = &mut self.withdrawn;
        self.acks.retain(|ack| {
            let stays = !is_withdrawn(ack);
            if !stays {
                withdrawn.push(Withdrawn { count: 1, acked: ack.at, version: ack.version, abandoned: now });
            }
            stays
        });
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

    fn withdraw_block(&mut self, now: Time) {
        self.withdraw(now, |ack| ack.retired.is_some());
        let Forgotten { count, first, newest, .. } = std::mem::take(&mut self.forgotten);
        if count > 0 {
            self.withdrawn.push(Withdrawn { count, acked: first, version: newest.0, abandoned: now });
        }
    }

    fn retire(&mut self, now: Time, version: Version) {
        let is_first = self.acks.front().is_some_and(|ack| ack.version == version); // nearly always
        let from = if is_first { 0 } else { self.acks.partition_point(|ack| ack.high < version) };
        if let Some(ack) = self.acks.range_mut(from..).find(|ack| ack.version == version) {
            ack.retired = Some(now);
        }
    }

    fn forget(&mut self, oldest_open: Time) {
        let safe = |ack: &Ack| ack.retired.is_some_and(|retired| retired < oldest_open);
        while let Some(ack) = self.acks.front().copied().filter(safe) {
            self.acks.pop_front();
            let forgotten = &mut self.forgotten;
            if forgotten.count == 0 {
                forgotten.first = ack.at;
            }
            forgotten.count += 1;
            forgotten.last = forgotten.last.max(Some((ack.at, ack.version)));
            forgotten.newest = forgotten.newest.max((ack.version, ack.at));
        }
        self.withdrawn.retain(|withdrawn| withdrawn.abandoned >= oldest_open);
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
        acks.withdraw(at(30), |ack| ack.version == Version(2));
        assert_eq!(acks.missed(Version(1), at(40)), (0, None));
        assert_eq!(acks.missed(Version(1), at(25)), (1, Some(at(20))), "judged as of the invocation");
        assert_eq!(acks.last_before(at(40)), Some((at(10), Version(1))));
    }

    #[test]
    fn acks_of_retired_writes_are_forgotten_once_no_older_read_is_under_way() {
        let mut acks = acks(&[(10, 1), (20, 2), (30, 3)]);
        acks.retire(at(35), Version(1));
        acks.retire(at(40), Version(2));
        for (oldest_open, left) in [(35, 3), (36, 2), (40, 2), (41, 1), (99, 1)] {
            acks.forget(at(oldest_open));
            assert_eq!(acks.acks.len(), left, "a read invoked at {oldest_open} is under way");
        }
        assert_eq!(acks.missed(Version(2), at(50)), (1, Some(at(30))));
        assert_eq!(
            acks.missed(Version(0), at(50)),
            (3, Some(at(10))),
            "its member has fallen below the line"
        );
        acks.retire(at(50), Version(3));
        acks.forget(at(60));
        assert_eq!(acks.last_before(at(60)), Some((at(30), Version(3))));
        acks.withdraw_block(at(70));
        assert_eq!(acks.missed(Version(0), at(80)), (0, None));
        assert_eq!(acks.missed(Version(0), at(70)), (3, Some(at(10))), "judged as of the invocation");
        assert_eq!(acks.last_before(at(80)), None);
    }
}
