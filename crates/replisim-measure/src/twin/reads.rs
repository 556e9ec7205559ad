//! How fresh reads are, told from their stories.

use replisim_observe::{Client, Key, Observation, OpKind, Outcome, Version};

use super::check::Check;
use super::{OpStory, Run, WriteStory};

impl Run<'_> {
    pub(super) fn check_reads(&self, check: &mut Check<'_>) {
        for (client, name) in check.clients() {
            let scope = Some(("workload", name));
            let reads = self.reads_of(client);
            let staleness: Vec<i64> = reads.iter().map(|read| self.staleness(read)).collect();
            let missed: Vec<i64> = reads.iter().map(|read| self.missed(read).len() as i64).collect();
            let stale = staleness.iter().zip(&missed).filter(|(_, missed)| **missed > 0);
            let stale: Vec<i64> = stale.map(|(staleness, _)| *staleness).collect();
            check.count("stale_reads", scope, (stale.len(), reads.len()));
            check.samples("staleness_ms", scope, &(staleness, Vec::new()));
            check.samples("staleness_when_stale_ms", scope, &(stale, Vec::new()));
            check.samples("staleness_versions", scope, &(missed, Vec::new()));
            let visible: Vec<bool> = reads.iter().filter_map(|read| self.reflects_last_ack(read)).collect();
            let fresh = visible.iter().filter(|fresh| **fresh).count();
            check.count("t_visibility", scope, (fresh, visible.len()));
        }
    }

    fn reads_of(&self, client: Client) -> Vec<&OpStory> {
        let reads = self.ops.iter().filter(|op| op.client == client && op.kind == OpKind::Read);
        let reads = reads.filter(|op| self.window.contains(self.at(op.invoked)));
        reads.filter(|op| matches!(op.end, Some((_, Outcome::Ok, _)))).collect()
    }

    /// Of a lane, the newest version that the read reflects: the one returned, or told before the answer; else it saw
    /// nothing, and that is what a tombstone looks like that some member has purged.
    pub(super) fn reflected(&self, read: &OpStory, lane: Key) -> Version {
        let Some((end, _, returned)) = read.end else { return Version(0) };
        let told = self.saw(read).into_iter().find(|(other, _)| *other == lane).map(|(_, version)| version);
        let told = returned.map(|stored| stored.version).or(told);
        told.unwrap_or(self.states[end].purged[lane.index()])
    }

    /// What was told of the read, lane by lane.
    pub(super) fn saw(&self, read: &OpStory) -> Vec<(Key, Version)> {
        let saw = |what| match what {
            Observation::Saw { op, key, version } if op == read.op => Some((key, version)),
            _ => None,
        };
        self.records.iter().filter_map(|record| saw(record.what)).collect()
    }

    /// The same; what lies below the line, as it was when the read was invoked, counts as nothing.
    fn judged(&self, read: &OpStory, lane: Key) -> Version {
        self.states[read.invoked].judged(lane, self.reflected(read, lane))
    }

    /// M(r): writes of the key acked before r.invoked, not abandoned by then, not reflected by what r returned.
    fn missed(&self, read: &OpStory) -> Vec<&WriteStory> {
        let invoked = self.at(read.invoked);
        let of_lane = |lane: Key| {
            let reflected = self.judged(read, lane);
            self.writes.iter().filter(move |write| write.key == lane && write.version > Some(reflected))
        };
        self.lanes_of(read.key)
            .flat_map(of_lane)
            .filter(|write| match (write.acked, write.abandoned) {
                (Some(acked), None) => self.at(acked) < invoked,
                (Some(acked), Some(gone)) => {
                    acked < gone && self.at(acked) < invoked && self.at(gone) >= invoked
                }
                (None, _) => false,
            })
            .collect()
    }

    fn staleness(&self, read: &OpStory) -> i64 {
        let acked = self.missed(read).into_iter().filter_map(|write| write.acked).map(|acked| self.at(acked));
        acked.min().map_or(0, |oldest| self.at(read.invoked).signed_since(oldest))
    }

    fn reflects_last_ack(&self, read: &OpStory) -> Option<bool> {
        let acked_before = self.writes.iter().filter(|write| {
            self.lanes_of(read.key).any(|lane| lane == write.key)
                && write.acked.is_some_and(|acked| {
                    self.at(acked) < self.at(read.invoked)
                        && write.abandoned.is_none_or(|gone| gone > read.invoked && gone > acked)
                })
        });
        let moment = |write: &WriteStory| Some((self.at(write.acked?), write.version?, write.key));
        let (_, version, lane) = acked_before.filter_map(moment).max()?;
        Some(self.judged(read, lane) >= version)
    }
}
