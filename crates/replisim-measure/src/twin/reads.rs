//! How fresh reads are, told from their stories.

use replisim_observe::{Client, Key, OpKind, Outcome, Stored, Version};

use super::check::Check;
use super::{Run, WriteStory};

#[derive(Clone, Copy, Debug)]
struct ReadStory {
    key: Key,
    invoked: usize,
    returned: Option<Stored>,
}

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

    fn reads_of(&self, client: Client) -> Vec<ReadStory> {
        let reads = self.ops.iter().filter(|op| op.client == client && op.kind == OpKind::Read);
        reads
            .filter(|op| self.window.contains(self.at(op.invoked)))
            .filter_map(|op| match op.end {
                Some((_, Outcome::Ok, returned)) => {
                    Some(ReadStory { key: op.key, invoked: op.invoked, returned })
                }
                _ => None,
            })
            .collect()
    }

    /// The version returned; what lies below the line, as it was when the read was invoked, counts as nothing.
    fn returned(&self, read: &ReadStory) -> Version {
        let version = read.returned.map_or(Version(0), |stored| stored.version);
        self.states[read.invoked].judged(read.key, version)
    }

    /// M(r): writes of the key acked before r.invoked, not abandoned by then, not reflected by what r returned.
    fn missed(&self, read: &ReadStory) -> Vec<&WriteStory> {
        let invoked = self.at(read.invoked);
        let returned = self.returned(read);
        let of_key = self
            .writes
            .iter()
            .filter(|write| write.key == read.key && write.version.is_some_and(|v| v > returned));
        of_key
            .filter(|write| match (write.acked, write.abandoned) {
                (Some(acked), None) => self.at(acked) < invoked,
                (Some(acked), Some(gone)) => {
                    acked < gone && self.at(acked) < invoked && self.at(gone) >= invoked
                }
                (None, _) => false,
            })
            .collect()
    }

    fn staleness(&self, read: &ReadStory) -> i64 {
        let acked = self.missed(read).into_iter().filter_map(|write| write.acked).map(|acked| self.at(acked));
        acked.min().map_or(0, |oldest| self.at(read.invoked).signed_since(oldest))
    }

    fn reflects_last_ack(&self, read: &ReadStory) -> Option<bool> {
        let acked_before = self.writes.iter().filter(|write| {
            write.key == read.key
                && write.acked.is_some_and(|acked| {
                    self.at(acked) < self.at(read.invoked)
                        && write.abandoned.is_none_or(|gone| gone > read.invoked && gone > acked)
                })
        });
        let last = acked_before.filter_map(|write| Some((self.at(write.acked?), write.version?))).max()?;
        Some(self.returned(read) >= last.1)
    }
}
