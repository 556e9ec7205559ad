//! Recovery convergence: how long after the end of a fault it takes until no live member lacks what was committed
//! before. The beginning of the next fault censors, and the end of the run.

use replisim_observe::{Time, Window};

use crate::distribution::Distribution;

/// Recoveries under way: of the faults that ended since the last one began.
#[derive(Clone, Debug)]
pub(crate) struct Recoveries {
    window: Window,
    open: Vec<Recovery>,
    pub(crate) samples: Distribution,
}

#[derive(Clone, Copy, Debug)]
struct Recovery {
    ended: Time,
    /// The place in the commit order of what is committed next.
    position: u64,
}

impl Recoveries {
    pub(crate) fn new(window: Window) -> Recoveries {
        Recoveries { window, open: Vec::new(), samples: Distribution::default() }
    }

    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// A fault ended, before what is committed at `position`. One that the end of the clients' time heals counts too.
    pub(crate) fn fault_ended(&mut self, now: Time, position: u64) {
        if self.window.from <= now && now <= self.window.to {
            self.open.push(Recovery { ended: now, position });
        }
    }

    /// Whether a member that lacks what was committed at `position` keeps all of them open.
    pub(crate) fn are_all_blocked_by(&self, position: u64) -> bool {
        self.open.first().is_none_or(|recovery| position < recovery.position)
    }

    /// The oldest write that a live member lacks is at `oldest`.
    pub(crate) fn look(&mut self, now: Time, oldest: Option<u64>) {
        let done = |recovery: &mut Recovery| oldest.is_none_or(|oldest| recovery.position <= oldest);
        for recovery in self.open.extract_if(.., done) {
            self.samples.record(now.since(recovery.ended).nanos() as i64);
        }
    }

    pub(crate) fn give_up(&mut self, now: Time) {
        for recovery in self.open.drain(..) {
            self.samples.record_censored(now.since(recovery.ended).nanos());
        }
    }
}
