//! The lag of one member over time: the age, number and bytes of the committed writes that it lacks.
//!
//! Between two changes the age grows evenly and the rest stays, so each piece is booked in one go when it ends.

use std::collections::BTreeSet;

use replisim_observe::{Fault, Group, Time, Window};

use crate::catch_up::CatchUp;
use crate::distribution::{COARSE_DIGITS, DIGITS, Distribution};
use crate::keyspace::Keyspace;
use crate::samples::Samples;
use crate::series::{LagSeries, Slices};
use crate::weighted::{BITS, COARSE_BITS, TimeWeighted};

/// The lag of one member.
#[derive(Clone, Debug)]
pub(crate) struct Lag {
    window: Window,
    slices: Slices,
    /// How many groups there are.
    groups: usize,
    /// When it last changed its course, and what it has been since.
    since: Time,
    level: Level,
    /// The oldest single write that it lacks in each group of several: in order, and with the group.
    singles: Vec<(u64, Time, Group)>,
    /// The [blocks](crate::retirement::Block) that it lacks: of each the write that was committed first.
    pub(crate) blocks: BTreeSet<(u64, Time)>,
    pub(crate) catch_up: CatchUp,
    pub(crate) results: NodeResult,
}

/// What a member lacks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Level {
    /// The oldest committed write: its position in the commit order, and its commit.
    pub(crate) oldest: Option<(u64, Time)>,
    pub(crate) versions: u64,
    pub(crate) bytes: u64,
}

/// Results for one node.
#[derive(Clone, Debug)]
pub(crate) struct NodeResult {
    pub(crate) delay: Samples,
    pub(crate) lag: TimeWeighted,
    pub(crate) lag_versions: TimeWeighted,
    pub(crate) lag_bytes: TimeWeighted,
    pub(crate) catch_up: Distribution,
    pub(crate) series: LagSeries,
}

impl Lag {
    pub(crate) fn new(space: Keyspace, window: Window, slices: Slices) -> Lag {
        let (members, groups) = (space.members(), space.groups());
        let (digits, bits) = if members > 64 { (COARSE_DIGITS, COARSE_BITS) } else { (DIGITS, BITS) };
        Lag {
            window,
            slices,
            since: Time::ZERO,
            level: Level::default(),
            singles: Vec::new(),
            groups,
            blocks: BTreeSet::new(),
            catch_up: CatchUp::new(window),
            results: NodeResult {
                delay: Samples::new(digits),
                lag: TimeWeighted::new(bits),
                lag_versions: TimeWeighted::new(bits),
                lag_bytes: TimeWeighted::new(bits),
                catch_up: Distribution::new(digits),
                series: LagSeries::new(slices.count),
            },
        }
    }

    pub(crate) fn oldest(&self) -> Option<(u64, Time)> {
        self.level.oldest
    }

    /// Books the time since the last change, then makes the next.
    #[inline]
    pub(crate) fn change(&mut self, now: Time, change: impl FnOnce(&mut Level)) {
        if now > self.since {
            self.book(now);
        }
        change(&mut self.level);
    }

    /// The oldest write that it lacks in `group`, as far as single writes go, is this one.
    #[inline]
    pub(crate) fn set_oldest(&mut self, now: Time, group: Group, single: Option<(u64, Time)>) -> bool {
        let single = if self.groups == 1 { single } else { self.oldest_of_groups(group, single) };
        let block = self.blocks.first().copied();
        let oldest = match (single, block) {
            (Some(single), Some(block)) => Some(single.min(block)),
            (single, block) => single.or(block),
        };
        let changes = oldest != self.level.oldest;
        if changes {
            self.change(now, |level| level.oldest = oldest);
        }
        self.catch_up.changed(now, oldest.map(|(_, committed)| committed));
        changes
    }

    /// The oldest in all groups. A member lacks something in few of them at a time.
    fn oldest_of_groups(&mut self, group: Group, single: Option<(u64, Time)>) -> Option<(u64, Time)> {
        let same = self
            .singles
            .first()
            .is_some_and(|(order, _, other)| (Some(*order), *other) == (single.map(|s| s.0), group));
        if !same {
            self.singles.retain(|(_, _, other)| *other != group);
            if let Some((order, at)) = single {
                let place = self.singles.partition_point(|(other, ..)| *other < order);
                self.singles.insert(place, (order, at, group));
            }
        }
        self.singles.first().map(|(order, at, _)| (*order, *at))
    }

    pub(crate) fn fault_began(&mut self, now: Time, fault: Fault) {
        self.change(now, |_| {});
        self.catch_up.fault_began(now, fault, &mut self.results.catch_up);
    }

    pub(crate) fn fault_ended(&mut self, now: Time, fault: Fault) {
        self.change(now, |_| {});
        self.catch_up.fault_ended(now, fault, self.level.oldest.map(|(_, committed)| committed));
    }

    pub(crate) fn ended(&mut self, now: Time) {
        self.change(now, |_| {});
        self.catch_up.ended(now, &mut self.results.catch_up);
    }

    fn book(&mut self, now: Time) {
        let Level { oldest, versions, bytes } = self.level;
        let oldest = oldest.map(|(_, committed)| committed);
        let results = &mut self.results;
        results.series.add(&self.slices, self.since, now, oldest, versions);
        let (from, to) = (self.since.max(self.window.from), now.min(self.window.to));
        if from < to {
            let lasted = to.since(from).nanos();
            match oldest {
                Some(oldest) => results.lag.add_ramp(from.since(oldest).nanos(), to.since(oldest).nanos()),
                None => results.lag.add_level(0, lasted),
            }
            results.lag_versions.add_level(versions, lasted);
            results.lag_bytes.add_level(bytes, lasted);
        }
        self.catch_up.lasted(self.since, now, oldest, &mut results.catch_up);
        self.since = now;
    }
}
