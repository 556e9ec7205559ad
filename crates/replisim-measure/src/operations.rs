//! What clients experience: latency, availability, throughput, and the count of all operations.

use replisim_observe::{Client, Key, Op, OpKind, Outcome, Outstanding, Time, Version, Window};

use crate::samples::Samples;
use crate::series::{OperationSeries, Slices};

/// Everything measured about operations.
#[derive(Clone, Debug)]
pub struct Operations {
    window: Window,
    slices: Slices,
    /// Those under way.
    open: Outstanding<OpenOp>,
    clients: Vec<[OpTotals; 2]>,
    series: Vec<OperationSeries>,
    /// Over the whole run.
    pub(crate) totals: RunTotals,
}

/// How operations ended, over the whole run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RunTotals {
    pub(crate) operations: u64,
    pub(crate) ok: u64,
    pub(crate) failed: u64,
    pub(crate) unknown: u64,
}

/// One client's reads, or its writes, in the window.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpTotals {
    pub(crate) scheduled: u64,
    pub(crate) ok: u64,
    pub(crate) latency: Samples,
}

/// An operation under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenOp {
    pub(crate) client: Client,
    /// A write is that of the last attempt.
    pub(crate) kind: OpKind,
    pub(crate) key: Key,
    pub(crate) scheduled: Time,
    pub(crate) invoked: Time,
    /// For a read: the write of its key acked last before it was invoked, and its lane.
    pub(crate) last_ack: Option<(Time, Version, Key)>,
    /// For a read: what lies below this line counts as nothing. (With several lanes, each has its own.)
    pub(crate) line: Version,
}

impl Operations {
    /// Nothing seen yet.
    pub fn new(clients: usize, window: Window, slices: Slices) -> Operations {
        Operations {
            window,
            slices,
            open: Outstanding::default(),
            clients: vec![Default::default(); clients],
            series: vec![OperationSeries::new(slices.count); clients],
            totals: RunTotals::default(),
        }
    }

    pub(crate) fn invoked(&mut self, op: Op, state: OpenOp) {
        self.totals.operations += 1;
        if self.window.contains(state.scheduled) {
            self.totals_of(state.client, state.kind).scheduled += 1;
        }
        self.open.begin_as(op.0, state);
    }

    /// Books the end of an operation, and returns what was known of it.
    pub(crate) fn returned(&mut self, now: Time, op: Op, outcome: Outcome) -> Option<OpenOp> {
        let state = self.open.end(op.0)?;
        match outcome {
            Outcome::Ok => self.totals.ok += 1,
            Outcome::Failed => self.totals.failed += 1,
            Outcome::Unknown => self.totals.unknown += 1,
        }
        if let Some(slice) = self.slices.index(state.scheduled) {
            let series = &mut self.series[state.client.index()];
            match outcome {
                Outcome::Ok => series.ok[slice] += 1,
                Outcome::Failed => series.failed[slice] += 1,
                Outcome::Unknown => series.unknown[slice] += 1,
            }
        }
        if outcome == Outcome::Ok && self.window.contains(state.scheduled) {
            let totals = self.totals_of(state.client, state.kind);
            totals.ok += 1;
            totals.latency.record(now.since(state.scheduled).nanos() as i64);
        }
        Some(state)
    }

    /// An operation under way.
    pub(crate) fn get_mut(&mut self, op: Op) -> Option<&mut OpenOp> {
        self.open.get_mut(op.0)
    }

    /// When the oldest operation under way was invoked; `now` if there is none.
    pub(crate) fn oldest_open(&self, now: Time) -> Time {
        self.open.oldest().map_or(now, |op| op.invoked)
    }

    /// The run is over: operations still under way stay unknown.
    pub(crate) fn ended(&mut self) {
        self.totals.unknown += self.open.len() as u64;
        self.open = Outstanding::default();
    }

    /// Totals by client, reads and writes apart.
    pub(crate) fn into_results(mut self) -> (Vec<[OpTotals; 2]>, Vec<OperationSeries>) {
        self.clients.iter_mut().flatten().for_each(|totals| totals.latency.settle());
        (self.clients, self.series)
    }

    fn totals_of(&mut self, client: Client, kind: OpKind) -> &mut OpTotals {
        &mut self.clients[client.index()][usize::from(kind != OpKind::Read)]
    }
}
