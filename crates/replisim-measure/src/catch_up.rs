//! Catch-up time of one member: from the end of a fault to the first instant at which its lag is no more than *usual*,
//! and stays so for a second, or to the end of the run.
//!
//! Usual is the largest lag in the *calm* time before the fault: when no fault was on, nor being caught up with. Under a
//! steady load the lag is a sawtooth, so it could not stay for long below any lesser bound; and were the lag of other
//! faults usual too, nothing would be worse than the worst of them.
//!
//! Only faults during or after which the lag did exceed it are sampled; the beginning of the next fault censors.

use replisim_observe::{Duration, Fault, Time, Window};

use crate::distribution::Distribution;

/// How long the lag must stay low.
const STEADY: Duration = Duration::from_secs(1);

/// The faults whose effect on a member is watched.
#[derive(Clone, Debug)]
pub(crate) struct CatchUp {
    window: Window,
    watches: Vec<Watch>,
    usual: Usual,
}

/// The largest lag in calm time: of the window, or of warm-up until there is some.
#[derive(Clone, Copy, Debug, Default)]
struct Usual {
    lag: u64,
    in_window: bool,
}

#[derive(Clone, Copy, Debug)]
struct Watch {
    fault: Fault,
    /// The usual lag before the fault.
    usual: u64,
    exceeded: bool,
    ended: Option<Time>,
    /// It ended within the time that is measured.
    counts: bool,
    /// Since when the lag has been low, after the end of the fault.
    low_since: Option<Time>,
}

impl CatchUp {
    pub(crate) fn new(window: Window) -> CatchUp {
        CatchUp { window, watches: Vec::new(), usual: Usual::default() }
    }

    pub(crate) fn fault_began(&mut self, now: Time, fault: Fault, samples: &mut Distribution) {
        for watch in self.watches.extract_if(.., |watch| watch.ended.is_some() || watch.fault == fault) {
            watch.give_up(now, samples);
        }
        let usual = self.usual.lag;
        self.watches.push(Watch {
            fault,
            usual,
            exceeded: false,
            ended: None,
            counts: false,
            low_since: None,
        });
    }

    pub(crate) fn fault_ended(&mut self, now: Time, fault: Fault, oldest: Option<Time>) {
        let begun = |watch: &&mut Watch| watch.fault == fault && watch.ended.is_none();
        if let Some(watch) = self.watches.iter_mut().find(begun) {
            watch.ended = Some(now);
            watch.counts = self.window.from <= now && now <= self.window.to;
            watch.look(now, oldest);
        }
    }

    /// From `from` to `to` the lag was the age of what was committed at `oldest`, or 0.
    #[inline]
    pub(crate) fn lasted(&mut self, from: Time, to: Time, oldest: Option<Time>, samples: &mut Distribution) {
        let calm_from = if self.watches.is_empty() { from } else { self.watch(from, to, oldest, samples) };
        self.usual.lasted(calm_from, to, oldest, self.window.from);
    }

    /// The same, as far as the watched faults go. Returns from when on none is watched any more.
    fn watch(&mut self, from: Time, to: Time, oldest: Option<Time>, samples: &mut Distribution) -> Time {
        let mut caught_up = from;
        self.watches.retain_mut(|watch| {
            let high_from = oldest.map(|oldest| from.max(oldest + Duration::from_nanos(watch.usual)));
            let high_from = high_from.filter(|high| *high < to);
            if let (Some(ended), Some(low)) = (watch.ended, watch.low_since)
                && high_from.unwrap_or(to).since(low) >= STEADY
            {
                if watch.is_sampled() {
                    samples.record(low.since(ended).nanos() as i64);
                }
                caught_up = caught_up.max(low + STEADY);
                return false;
            }
            if high_from.is_some() {
                watch.exceeded = true;
                watch.low_since = None;
            }
            true
        });
        if self.watches.is_empty() { caught_up } else { to }
    }

    /// From now on the lag is the age of what was committed at `oldest`, or 0.
    pub(crate) fn changed(&mut self, now: Time, oldest: Option<Time>) {
        self.watches.iter_mut().for_each(|watch| watch.look(now, oldest));
    }

    pub(crate) fn ended(&mut self, now: Time, samples: &mut Distribution) {
        for watch in self.watches.drain(..) {
            match (watch.ended, watch.low_since) {
                (Some(ended), Some(low)) if watch.is_sampled() => {
                    samples.record(low.since(ended).nanos() as i64);
                }
                _ => watch.give_up(now, samples),
            }
        }
    }
}

impl Watch {
    /// Notes that the lag is low now, if it is. What is high for no time at all does not count.
    fn look(&mut self, now: Time, oldest: Option<Time>) {
        let lag = oldest.map_or(0, |oldest| now.since(oldest).nanos());
        if lag <= self.usual && self.ended.is_some() {
            self.low_since.get_or_insert(now);
        }
    }

    fn is_sampled(&self) -> bool {
        self.exceeded && self.counts
    }

    fn give_up(&self, now: Time, samples: &mut Distribution) {
        if let Some(ended) = self.ended.filter(|_| self.is_sampled()) {
            samples.record_censored(now.since(ended).nanos());
        }
    }
}

impl Usual {
    /// All was calm from `from` to `to`.
    #[inline]
    fn lasted(&mut self, from: Time, to: Time, oldest: Option<Time>, window_from: Time) {
        if from >= to || self.in_window && oldest.is_none() {
            return;
        }
        let in_window = to > window_from;
        let before = if in_window && !self.in_window { 0 } else { self.lag };
        let lag = oldest.map_or(0, |oldest| to.since(oldest).nanos()).max(before);
        *self = Usual { lag, in_window };
    }
}
