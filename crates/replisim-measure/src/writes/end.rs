//! The end of the run: what is missing stays missing, and every write has its class: abandoned, else converged (every
//! owner holds it now), else unconverged.

use replisim_observe::{Key, Member, Time, Version, Write};

use super::{Ack, Record, WriteTotals, Writes};
use crate::distribution::Distribution;
use crate::divergence::Divergence;
use crate::exposure::ExposureResult;
use crate::lag::NodeResult;
use crate::samples::Samples;

/// All that was found out about writes.
#[derive(Clone, Debug)]
pub(crate) struct WriteResults {
    pub(crate) totals: WriteTotals,
    pub(crate) nodes: Vec<NodeResult>,
    pub(crate) recovery_convergence: Distribution,
    pub(crate) exposure: ExposureResult,
    pub(crate) divergence: Divergence,
}

impl Writes {
    pub(crate) fn ended(&mut self, now: Time) {
        self.abandon_what_is_nowhere(now);
        self.observed(now);
        self.recoveries.give_up(now);
        self.exposure.book(now, &self.replicas);
        self.divergence.ended(now);
        self.lags.iter_mut().for_each(|lag| lag.ended(now));
        let records = std::mem::take(&mut self.records);
        for (id, record) in records.iter() {
            let (Some(committed), Some(version)) = (record.committed, record.version) else { continue };
            let in_window = self.window.contains(committed);
            if record.abandoned && record.is_acked() && in_window {
                self.lost(1, record.key, version, !record.copies.is_empty());
            } else if !record.abandoned && record.missing > 0 {
                self.totals.unconverged += 1;
                if in_window {
                    self.unconverged(now, Write(id), record, (version, committed));
                }
            }
        }
        self.replicas.keys().for_each(|key| self.blocks_ended(key));
    }

    pub(crate) fn into_results(mut self) -> WriteResults {
        let WriteTotals { visible_after_ack, convergence, inconsistency_window, .. } = &mut self.totals;
        [visible_after_ack, convergence, inconsistency_window].into_iter().for_each(Samples::settle);
        self.lags.iter_mut().for_each(|lag| lag.results.delay.settle());
        WriteResults {
            totals: self.totals,
            nodes: self.lags.into_iter().map(|lag| lag.results).collect(),
            recovery_convergence: self.recoveries.samples,
            exposure: self.exposure.results,
            divergence: self.divergence,
        }
    }

    /// A write of the window that some member lacks: lower bounds for what has not happened.
    fn unconverged(
        &mut self,
        now: Time,
        write: Write,
        record: &Record,
        (version, committed): (Version, Time),
    ) {
        self.totals.unconverged_in_window += 1;
        let since_commit = now.since(committed).nanos();
        let since_ack = if let Ack::At(acked) = record.ack { Some(now.since(acked).nanos()) } else { None };
        if record.converged.is_none() {
            self.totals.convergence.record_censored(since_commit);
            since_ack.into_iter().for_each(|bound| self.totals.inconsistency_window.record_censored(bound));
        }
        let lacks = |member: &Member| self.replicas.held(*member, record.key).shown < version;
        let lacking: Vec<Member> = self.replicas.owners(record.key).filter(lacks).collect();
        let live = lacking.iter().any(|member| self.replicas.is_up(*member));
        self.totals.unconverged_at_live_owners += u64::from(live);
        for member in lacking {
            if Some(member) != record.accepted_by && !self.fallen.contains(&(write, member)) {
                self.lags[member.index()].results.delay.record_censored(since_commit);
                since_ack.into_iter().for_each(|bound| self.totals.visible_after_ack.record_censored(bound));
            }
        }
    }

    fn blocks_ended(&mut self, key: Key) {
        let line = self.replicas.line(key);
        let block = self.keys[key.index()].block;
        if block.missing > 0 {
            self.totals.unconverged += block.writes;
            self.totals.unconverged_in_window += block.in_window;
            let lacks = |member: &Member| self.replicas.held(*member, key).shown < line;
            let mut live = self.replicas.owners(key).filter(|member| self.replicas.is_up(*member));
            self.totals.unconverged_at_live_owners +=
                if live.any(|m| lacks(&m)) { block.in_window } else { 0 };
        }
        for lost in std::mem::take(&mut self.keys[key.index()].lost_blocks) {
            self.lost(lost.acked, key, lost.line, !lost.copies.is_empty());
        }
    }

    /// So many acked writes of the window are lost, of `version` or a bit older; `stranded`: they still exist somewhere.
    fn lost(&mut self, writes: u64, key: Key, version: Version, stranded: bool) {
        let state = &self.keys[key.index()];
        let later = state.standing.back().is_some_and(|(newest, _)| *newest > version);
        let later = later || state.block.newest > version;
        self.totals.lost += writes;
        self.totals.lost_then_overwritten += if later { writes } else { 0 };
        self.totals.stranded += if stranded { writes } else { 0 };
    }
}
