//! Divergence: the keys whose live members differ in what they show, over time, and how long after the clients' last
//! write they came to agree for good.
//!
//! Each lane of a key counts the live owners that show its newest version; the key diverges while these are not all, in
//! any lane. What is shown is what clients see: a tombstone that was purged somewhere is nothing.

use replisim_observe::{Key, Time, Version, Window};

use crate::distribution::Distribution;
use crate::keyspace::Keyspace;
use crate::replicas::Replicas;
use crate::series::{GaugeSeries, Slices};
use crate::weighted::TimeWeighted;

/// How many keys diverge.
#[derive(Clone, Debug)]
pub(crate) struct Divergence {
    window: Window,
    slices: Slices,
    space: Keyspace,
    lanes: Vec<Agreement>,
    /// By key: the lanes in which live owners differ.
    split: Vec<u32>,
    /// By the place from which on keys are kept: the live owners.
    live: Vec<u32>,
    diverging: u64,
    since: Time,
    /// Since when no key diverges.
    agree_since: Time,
    last_write: Option<Time>,
    pub(crate) over_time: TimeWeighted,
    pub(crate) series: GaugeSeries,
    /// At most one sample a run.
    pub(crate) quiescent_convergence: Distribution,
}

/// The newest version of a lane that a live owner shows, and how many show it.
#[derive(Clone, Copy, Debug, Default)]
struct Agreement {
    newest: Version,
    shown_by: u32,
}

impl Divergence {
    pub(crate) fn new(replicas: &Replicas, window: Window, slices: Slices) -> Divergence {
        let space = replicas.space;
        let live: Vec<u32> =
            (0..space.places()).map(|place| space.owners_from(place).count() as u32).collect();
        let agreed = |key| Agreement { newest: Version(0), shown_by: live[space.place(key)] };
        Divergence {
            window,
            slices,
            space,
            lanes: replicas.keys().map(agreed).collect(),
            split: vec![0; space.keys()],
            live,
            diverging: 0,
            since: Time::ZERO,
            agree_since: Time::ZERO,
            last_write: None,
            over_time: TimeWeighted::default(),
            series: GaugeSeries::new(slices.count),
            quiescent_convergence: Distribution::default(),
        }
    }

    pub(crate) fn write_invoked(&mut self, now: Time) {
        self.last_write = Some(now);
    }

    /// A live owner shows `version` now, which is newer than what it showed.
    #[inline]
    pub(crate) fn shown(&mut self, now: Time, key: Key, version: Version) {
        let before = self.lanes[key.index()];
        let after = match version.cmp(&before.newest) {
            std::cmp::Ordering::Less => return,
            std::cmp::Ordering::Equal => Agreement { shown_by: before.shown_by + 1, ..before },
            std::cmp::Ordering::Greater => Agreement { newest: version, shown_by: 1 },
        };
        self.set(now, key, after);
    }

    /// An owner shows something older of `key`.
    pub(crate) fn recount(&mut self, now: Time, key: Key, replicas: &Replicas) {
        let live = || replicas.owners(key).filter(|member| replicas.is_up(*member));
        let newest = live().map(|member| replicas.shows(member, key)).max().unwrap_or_default();
        let shown_by = live().filter(|member| replicas.shows(*member, key) == newest).count() as u32;
        self.set(now, key, Agreement { newest, shown_by });
    }

    /// A member went down or up.
    pub(crate) fn recount_all(&mut self, now: Time, replicas: &Replicas) {
        self.book(now);
        for (place, live) in self.live.iter_mut().enumerate() {
            *live = self.space.owners_from(place).filter(|member| replicas.is_up(*member)).count() as u32;
        }
        let before = std::mem::take(&mut self.diverging);
        self.split.fill(0);
        for key in replicas.keys() {
            let agreed = Agreement { newest: Version(0), shown_by: self.live[self.space.place(key)] };
            self.lanes[key.index()] = agreed;
            self.recount(now, key, replicas);
        }
        if before > 0 && self.diverging == 0 {
            self.agree_since = now;
        }
    }

    pub(crate) fn ended(&mut self, now: Time) {
        self.book(now);
        let Some(last) = self.last_write else { return };
        if self.diverging == 0 {
            self.quiescent_convergence.record(self.agree_since.signed_since(last).max(0));
        } else {
            self.quiescent_convergence.record_censored(now.since(last).nanos());
        }
    }

    fn set(&mut self, now: Time, key: Key, after: Agreement) {
        let before = std::mem::replace(&mut self.lanes[key.index()], after);
        let live = self.live[self.space.place(key)];
        let split = &mut self.split[self.space.key_of(key).index()];
        match (before.shown_by < live, after.shown_by < live) {
            (false, true) => {
                *split += 1;
                if *split == 1 {
                    self.book(now);
                    self.diverging += 1;
                }
            }
            (true, false) => {
                *split -= 1;
                if *split == 0 {
                    self.book(now);
                    self.diverging -= 1;
                    if self.diverging == 0 {
                        self.agree_since = now;
                    }
                }
            }
            _ => {}
        }
    }

    fn book(&mut self, now: Time) {
        if now <= self.since {
            return;
        }
        let (from, to) = (self.since.max(self.window.from), now.min(self.window.to));
        if from < to {
            self.over_time.add_level(self.diverging, to.since(from).nanos());
        }
        self.series.add_level(&self.slices, self.since, now, self.diverging);
        self.since = now;
    }
}
