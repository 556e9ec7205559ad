//! Divergence: the keys whose live members differ in what they show, over time, and how long after the clients' last
//! write they came to agree for good.
//!
//! Each key counts the live members that show its newest version; it diverges while these are not all.

use replisim_observe::{Key, Member, Time, Version, Window};

use crate::distribution::Distribution;
use crate::replicas::Replicas;
use crate::series::{GaugeSeries, Slices};
use crate::weighted::TimeWeighted;

/// How many keys diverge.
#[derive(Clone, Debug)]
pub(crate) struct Divergence {
    window: Window,
    slices: Slices,
    keys: Vec<Agreement>,
    live: u32,
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

/// The newest version of a key that a live member shows, and how many show it.
#[derive(Clone, Copy, Debug, Default)]
struct Agreement {
    newest: Version,
    shown_by: u32,
}

impl Divergence {
    pub(crate) fn new(members: usize, keys: usize, window: Window, slices: Slices) -> Divergence {
        let live = members as u32;
        Divergence {
            window,
            slices,
            keys: vec![Agreement { newest: Version(0), shown_by: live }; keys],
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

    /// A live member shows `version` now, which is newer than what it showed.
    #[inline]
    pub(crate) fn shown(&mut self, now: Time, key: Key, version: Version) {
        let before = self.keys[key.index()];
        let after = match version.cmp(&before.newest) {
            std::cmp::Ordering::Less => return,
            std::cmp::Ordering::Equal => Agreement { shown_by: before.shown_by + 1, ..before },
            std::cmp::Ordering::Greater => Agreement { newest: version, shown_by: 1 },
        };
        self.set(now, key, after);
    }

    /// A member shows something older of `key`.
    pub(crate) fn recount(&mut self, now: Time, key: Key, replicas: &Replicas) {
        let live = || replicas.members().filter(|member| replicas.is_up(*member));
        let newest = live().map(|member| replicas.shows(member, key)).max().unwrap_or_default();
        let shown_by = live().filter(|member| replicas.shows(*member, key) == newest).count() as u32;
        self.set(now, key, Agreement { newest, shown_by });
    }

    /// A member went down or up, or lost everything.
    pub(crate) fn recount_all(&mut self, now: Time, replicas: &Replicas) {
        self.book(now);
        let live = |member: &Member| replicas.is_up(*member);
        self.live = replicas.members().filter(live).count() as u32;
        let before = std::mem::take(&mut self.diverging);
        for key in &mut self.keys {
            *key = Agreement { newest: Version(0), shown_by: self.live };
        }
        replicas.keys().for_each(|key| self.recount(now, key, replicas));
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
        let before = std::mem::replace(&mut self.keys[key.index()], after);
        match (before.shown_by < self.live, after.shown_by < self.live) {
            (false, true) => {
                self.book(now);
                self.diverging += 1;
            }
            (true, false) => {
                self.book(now);
                self.diverging -= 1;
                if self.diverging == 0 {
                    self.agree_since = now;
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
