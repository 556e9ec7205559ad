//! What clients experience, and the identities that hold in every run.

use replisim_observe::{Client, Observation, OpKind, Outcome};

use super::check::Check;
use super::{OpStory, Run};

impl Run<'_> {
    pub(super) fn check_operations(&self, check: &mut Check<'_>) {
        for (client, name) in check.clients() {
            let scope = Some(("workload", name));
            for (slug, reads) in [("read_latency_ms", true), ("write_latency_ms", false)] {
                check.samples(slug, scope, &(self.latencies(client, reads), Vec::new()));
            }
            check.count("availability", scope, self.ok_of_scheduled(client));
        }
    }

    pub(super) fn scheduled_in_window(&self, client: Client) -> impl Iterator<Item = &OpStory> {
        self.ops.iter().filter(move |op| op.client == client && self.window.contains(op.scheduled))
    }

    fn latencies(&self, client: Client, reads: bool) -> Vec<i64> {
        let ops = self.scheduled_in_window(client).filter(|op| (op.kind == OpKind::Read) == reads);
        ops.filter_map(|op| match op.end {
            Some((end, Outcome::Ok, _)) => Some(self.at(end).signed_since(op.scheduled)),
            _ => None,
        })
        .collect()
    }

    fn ok_of_scheduled(&self, client: Client) -> (usize, usize) {
        let ops: Vec<_> = self.scheduled_in_window(client).collect();
        (ops.iter().filter(|op| matches!(op.end, Some((_, Outcome::Ok, _)))).count(), ops.len())
    }

    pub(super) fn check_accounting(&self, check: &mut Check<'_>) {
        let ended = |outcome: Outcome| {
            self.ops.iter().filter(|op| op.end.is_some_and(|(_, o, _)| o == outcome)).count()
        };
        let open = self.ops.iter().filter(|op| op.end.is_none()).count();
        let saw = |wanted: fn(&Observation) -> bool| {
            self.records.iter().filter(|record| wanted(&record.what)).count()
        };
        let sent = saw(|what| matches!(what, Observation::Sent { .. }));
        let copies = saw(|what| matches!(what, Observation::Duplicated));
        let delivered = saw(|what| matches!(what, Observation::Delivered));
        let lost = saw(|what| matches!(what, Observation::Lost));
        let committed = self.writes.iter().filter(|write| write.committed.is_some());
        let gone = committed.clone().filter(|write| write.abandoned.is_some()).count();
        let behind = committed.clone().filter(|write| self.unconverged(write)).count();
        let committed = committed.count();
        check.accounting(&[
            self.ops.len(),
            ended(Outcome::Ok),
            ended(Outcome::Failed),
            ended(Outcome::Unknown) + open,
            committed,
            committed - gone - behind,
            behind,
            gone,
            sent,
            copies,
            delivered,
            lost,
            sent + copies - delivered - lost,
        ]);
    }
}
