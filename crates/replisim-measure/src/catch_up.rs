//! Catch-up time of one member: from the end of a fault to the first instant at which its lag is at or below what it
//! exceeded during 1 % of the time before the fault, and stays so for a second, or to the end of the run.
//!
//! Only faults during or after which the lag did exceed it are sampled; the beginning of the next fault censors.

use replisim_observe::{Duration, Fault, Time};

use crate::distribution::Distribution;

/// How long the lag must stay low.
const STEADY: Duration = Duration::from_secs(1);

/// The faults whose effect on a member is watched.
#[derive(Clone, Debug, Default)]
pub(crate) struct CatchUp {
    watches: Vec<Watch>,
}

#[derive(Clone, Copy, Debug)]
struct Watch {
    fault: Fault,
    /// The 99th percentile of the lag before the fault.
    usual: u64,
    exceeded: bool,
    ended: Option<Time>,
    /// Since when the lag has been low, after the end of the fault.
    low_since: Option<Time>,
}

impl CatchUp {
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.watches.is_empty()
    }

    pub(crate) fn fault_began(&mut self, now: Time, fault: Fault, usual: u64, samples: &mut Distribution) {
        for watch in self.watches.extract_if(.., |watch| watch.ended.is_some() || watch.fault == fault) {
            watch.give_up(now, samples);
        }
        self.watches.push(Watch { fault, usual, exceeded: false, ended: None, low_since: None });
    }

    /// A fault ended; `counts`: within the time that is measured.
    pub(crate) fn fault_ended(&mut self, now: Time, fault: Fault, counts: bool, oldest: Option<Time>) {
        self.watches.retain(|watch| watch.fault != fault || watch.ended.is_some() || counts);
        let begun = |watch: &&mut Watch| watch.fault == fault && watch.ended.is_none();
        if let Some(watch) = self.watches.iter_mut().find(begun) {
            watch.ended = Some(now);
            watch.look(now, oldest);
        }
    }

    /// From `from` to `to` the lag was the age of what was committed at `oldest`, or 0.
    pub(crate) fn lasted(&mut self, from: Time, to: Time, oldest: Option<Time>, samples: &mut Distribution) {
        self.watches.retain_mut(|watch| {
            let high_from = oldest.map(|oldest| from.max(oldest + Duration::from_nanos(watch.usual)));
            let high_from = high_from.filter(|high| *high < to);
            if let (Some(ended), Some(low)) = (watch.ended, watch.low_since)
                && high_from.unwrap_or(to).since(low) >= STEADY
            {
                if watch.exceeded {
                    samples.record(low.since(ended).nanos() as i64);
                }
                return false;
            }
            if high_from.is_some() {
                watch.exceeded = true;
                watch.low_since = None;
            }
            true
        });
    }

    /// From now on the lag is the age of what was committed at `oldest`, or 0.
    pub(crate) fn changed(&mut self, now: Time, oldest: Option<Time>) {
        self.watches.iter_mut().for_each(|watch| watch.look(now, oldest));
    }

    pub(crate) fn ended(&mut self, now: Time, samples: &mut Distribution) {
        for watch in self.watches.drain(..) {
            match (watch.ended, watch.low_since) {
                (Some(ended), Some(low)) if watch.exceeded => {
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

    fn give_up(&self, now: Time, samples: &mut Distribution) {
        if let Some(ended) = self.ended.filter(|_| self.exceeded) {
            samples.record_censored(now.since(ended).nanos());
        }
    }
}
