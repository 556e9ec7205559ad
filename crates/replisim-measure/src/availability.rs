//! When nothing worked: unavailability windows, and the share of operations that succeeded over time.
//!
//! Operations of a kind are taken in the order of invocation. A run of consecutive ones of which none ended ok, from
//! the invocation of the first to that of the next ok one or to the end of the clients' time, is a *window* if it is
//! longer than the bound of the roster. Outcomes come in any order: a run grows once all before it are known.

use std::collections::VecDeque;

use replisim_observe::{Duration, Op, OpKind, Outcome, Time, Window};

use crate::distribution::Distribution;
use crate::series::Slices;

/// Everything measured about when operations succeed; reads and writes apart.
#[derive(Clone, Debug)]
pub struct Availability {
    window: Window,
    bound: Duration,
    slices: Slices,
    kinds: [Kind; 2],
}

/// Reads, or writes.
#[derive(Clone, Debug)]
struct Kind {
    /// From the oldest whose outcome is still to come.
    pending: VecDeque<Pending>,
    /// Nothing that was invoked since then succeeded.
    since: Option<Time>,
    windows: Distribution,
    series: AvailabilitySeries,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    op: Op,
    invoked: Time,
    ok: Option<bool>,
}

/// How many of the operations of one kind that were scheduled in each slice succeeded.
#[derive(Clone, PartialEq, Debug)]
pub struct AvailabilitySeries {
    /// All of them.
    pub scheduled: Vec<u64>,
    /// Those that ended ok.
    pub ok: Vec<u64>,
}

impl Availability {
    /// Nothing seen yet; windows are longer than `bound`.
    pub fn new(window: Window, bound: Duration, slices: Slices) -> Availability {
        let series = AvailabilitySeries { scheduled: vec![0; slices.count], ok: vec![0; slices.count] };
        let kind = Kind { pending: VecDeque::new(), since: None, windows: Distribution::default(), series };
        Availability { window, bound, slices, kinds: [kind.clone(), kind] }
    }

    pub(crate) fn invoked(&mut self, now: Time, op: Op, kind: OpKind, scheduled: Time) {
        let of_kind = &mut self.kinds[index(kind)];
        if let Some(slice) = self.slices.index(scheduled) {
            of_kind.series.scheduled[slice] += 1;
        }
        if self.window.contains(now) {
            of_kind.pending.push_back(Pending { op, invoked: now, ok: None });
        }
    }

    pub(crate) fn returned(&mut self, op: Op, kind: OpKind, scheduled: Time, outcome: Outcome) {
        let of_kind = &mut self.kinds[index(kind)];
        let ok = outcome == Outcome::Ok;
        if let Some(slice) = self.slices.index(scheduled).filter(|_| ok) {
            of_kind.series.ok[slice] += 1;
        }
        if let Ok(i) = of_kind.pending.binary_search_by_key(&op, |pending| pending.op) {
            of_kind.pending[i].ok = Some(ok);
            while let Some(Pending { invoked, ok: Some(ok), .. }) = of_kind.pending.front().copied() {
                of_kind.pending.pop_front();
                of_kind.next(invoked, ok, self.bound);
            }
        }
    }

    /// The run is over: what is under way did not succeed.
    pub(crate) fn ended(&mut self) {
        for kind in &mut self.kinds {
            for Pending { invoked, ok, .. } in std::mem::take(&mut kind.pending) {
                kind.next(invoked, ok == Some(true), self.bound);
            }
            kind.next(self.window.to, true, self.bound);
        }
    }

    /// Windows and series, of reads and of writes.
    pub(crate) fn into_results(self) -> ([Distribution; 2], [AvailabilitySeries; 2]) {
        let [reads, writes] = self.kinds;
        ([reads.windows, writes.windows], [reads.series, writes.series])
    }
}

impl Kind {
    /// The next operation in the order of invocation.
    fn next(&mut self, invoked: Time, ok: bool, bound: Duration) {
        if !ok {
            self.since.get_or_insert(invoked);
        } else if let Some(since) = self.since.take()
            && invoked.since(since) > bound
        {
            self.windows.record(invoked.since(since).nanos() as i64);
        }
    }
}

fn index(kind: OpKind) -> usize {
    usize::from(kind != OpKind::Read)
}
