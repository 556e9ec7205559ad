//! When nothing worked: unavailability windows, and the share of operations that succeeded over time.
//!
//! Operations of a kind, and of a replication group, are taken in the order of invocation. A run of consecutive ones of
//! which none ended ok, from the invocation of the first to that of the next ok one, is a *window* if it is longer than
//! the bound of the roster; one that lasts to the end of the clients' time is known to be at least so long. Outcomes
//! come in any order: a run grows once all before it are known.

use std::collections::VecDeque;

use replisim_observe::{Duration, Key, Op, OpKind, Outcome, Time, Window};

use crate::distribution::Distribution;
use crate::keyspace::Keyspace;
use crate::series::Slices;

/// Everything measured about when operations succeed; reads and writes apart.
#[derive(Clone, Debug)]
pub struct Availability {
    window: Window,
    bound: Duration,
    slices: Slices,
    space: Keyspace,
    kinds: [Kind; 2],
}

/// Reads, or writes.
#[derive(Clone, Debug)]
struct Kind {
    /// By group.
    runs: Vec<Run>,
    windows: Distribution,
    series: AvailabilitySeries,
}

/// The operations of a kind in one replication group.
#[derive(Clone, Debug, Default)]
struct Run {
    /// From the oldest whose outcome is still to come.
    pending: VecDeque<Pending>,
    /// Nothing that was invoked since then succeeded.
    since: Option<Time>,
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
    pub(crate) fn new(space: Keyspace, window: Window, bound: Duration, slices: Slices) -> Availability {
        let series = AvailabilitySeries { scheduled: vec![0; slices.count], ok: vec![0; slices.count] };
        let runs = vec![Run::default(); space.groups()];
        let kind = Kind { runs, windows: Distribution::default(), series };
        Availability { window, bound, slices, space, kinds: [kind.clone(), kind] }
    }

    pub(crate) fn invoked(&mut self, now: Time, op: Op, (kind, key): (OpKind, Key), scheduled: Time) {
        let of_kind = &mut self.kinds[index(kind)];
        if let Some(slice) = self.slices.index(scheduled) {
            of_kind.series.scheduled[slice] += 1;
        }
        if self.window.contains(now) {
            let run = &mut of_kind.runs[self.space.group_of(key).index()];
            run.pending.push_back(Pending { op, invoked: now, ok: None });
        }
    }

    pub(crate) fn returned(&mut self, op: Op, (kind, key): (OpKind, Key), scheduled: Time, outcome: Outcome) {
        let of_kind = &mut self.kinds[index(kind)];
        let ok = outcome == Outcome::Ok;
        if let Some(slice) = self.slices.index(scheduled).filter(|_| ok) {
            of_kind.series.ok[slice] += 1;
        }
        let Kind { runs, windows, .. } = of_kind;
        let run = &mut runs[self.space.group_of(key).index()];
        if let Ok(i) = run.pending.binary_search_by_key(&op, |pending| pending.op) {
            run.pending[i].ok = Some(ok);
            while let Some(Pending { invoked, ok: Some(ok), .. }) = run.pending.front().copied() {
                run.pending.pop_front();
                run.next(invoked, ok, self.bound, windows);
            }
        }
    }

    /// The run is over: what is under way did not succeed.
    pub(crate) fn ended(&mut self) {
        for Kind { runs, windows, .. } in &mut self.kinds {
            for run in runs {
                for Pending { invoked, ok, .. } in std::mem::take(&mut run.pending) {
                    run.next(invoked, ok == Some(true), self.bound, windows);
                }
                if let Some(lasted) = run.lasted_until(self.window.to, self.bound) {
                    windows.record_censored(lasted.nanos());
                }
            }
        }
    }

    /// Windows and series, of reads and of writes.
    pub(crate) fn into_results(self) -> ([Distribution; 2], [AvailabilitySeries; 2]) {
        let [reads, writes] = self.kinds;
        ([reads.windows, writes.windows], [reads.series, writes.series])
    }
}

impl Run {
    /// The next operation in the order of invocation.
    fn next(&mut self, invoked: Time, ok: bool, bound: Duration, windows: &mut Distribution) {
        if !ok {
            self.since.get_or_insert(invoked);
        } else if let Some(lasted) = self.lasted_until(invoked, bound) {
            windows.record(lasted.nanos() as i64);
        }
    }

    /// Ends a run, and says how long it was if that counts.
    fn lasted_until(&mut self, end: Time, bound: Duration) -> Option<Duration> {
        let since = self.since.take()?;
        Some(end.since(since)).filter(|lasted| *lasted > bound)
    }
}

fn index(kind: OpKind) -> usize {
    usize::from(kind != OpKind::Read)
}
