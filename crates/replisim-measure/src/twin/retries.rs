//! Attempts at operations, and what was applied by more than one of them.

use replisim_observe::OpKind;

use super::check::Check;
use super::{OpStory, Run, WriteStory};

impl Run<'_> {
    pub(super) fn check_retries(&self, check: &mut Check<'_>) {
        if !self.roster.retries {
            return;
        }
        for (client, name) in check.clients() {
            let scope = Some(("workload", name));
            let ops = || self.scheduled_in_window(client);
            let attempts = ops().filter(|op| op.end.is_some()).map(|op| op.attempts).collect();
            check.samples("attempts", scope, &(attempts, Vec::new()));
            let writes = ops().filter(|op| op.kind != OpKind::Read).count();
            let twice = ops().filter(|op| self.is_applied_twice(op)).count();
            check.count("duplicate_applies", scope, (twice, writes));
        }
    }

    /// Whether one of its writes was committed, and not abandoned at once, while another stood.
    fn is_applied_twice(&self, op: &OpStory) -> bool {
        let writes = || self.writes.iter().filter(|write| write.op == op.op);
        let commit = |write: &WriteStory| write.committed.filter(|commit| write.stands(*commit));
        writes().filter_map(commit).any(|later| {
            writes()
                .filter_map(|write| Some((write, commit(write)?)))
                .any(|(write, earlier)| earlier < later && write.stands(later))
        })
    }
}
