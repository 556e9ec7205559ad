//! Losses of the primary, and times when nothing worked.

use replisim_observe::{Answer, Duration, Group, Member, Observation, OpKind, Outcome, Time};

use super::check::Check;
use super::{OpStory, Run};

impl Run<'_> {
    pub(super) fn check_availability(&self, check: &mut Check<'_>) {
        let to = self.end().min(self.window.to);
        self.check_since_loss(check, "rto_ms", to, |run, lost| run.first_write_after(lost));
        self.check_since_loss(check, "time_to_serve_ms", self.end(), |run, lost| run.served_after(lost));
        self.check_stale_acks(check);
        let bound = check.findings.roster.unavailability_bound;
        for (name, reads) in [("read", true), ("write", false)] {
            check.samples("unavailability_ms", Some(("kind", name)), &self.windows(reads, bound));
            self.check_timeline(check, reads);
        }
    }

    /// From each loss of the primary to what ends it; losses on the way there are part of it.
    fn check_since_loss(
        &self,
        check: &mut Check<'_>,
        slug: &str,
        last: Time,
        ends: impl Fn(&Self, usize) -> Option<usize>,
    ) {
        let mut samples = (Vec::new(), Vec::new());
        let losses = |group: Group| {
            let is_loss = move |i: &usize| self.is_loss_in(group, *i);
            move |from: usize| (from..self.records.len()).find(is_loss)
        };
        for next_loss in self.groups().map(losses) {
            let mut from = 0;
            while let Some(lost) = next_loss(from) {
                let (end, since) = (ends(self, lost), self.lost_since(lost));
                if self.window.contains(since) {
                    match end {
                        Some(end) => samples.0.push(self.at(end).signed_since(since)),
                        None => samples.1.push(last.since(since).nanos()),
                    }
                }
                from = end.unwrap_or(self.records.len());
            }
        }
        check.samples(slug, None, &samples);
    }

    fn is_loss_in(&self, group: Group, index: usize) -> bool {
        let record = &self.records[index];
        matches!(record.what, Observation::PrimaryLost { .. }) && record.group == group
    }

    fn lost_since(&self, loss: usize) -> Time {
        match self.records[loss].what {
            Observation::PrimaryLost { since, .. } => since,
            _ => self.at(loss),
        }
    }

    /// The first ack of a write invoked after the loss and committed under a later term, or under the same where it
    /// goes on.
    fn first_write_after(&self, lost: usize) -> Option<usize> {
        let group = self.records[lost].group;
        let of_group = self.writes.iter().filter(|write| self.group(write.key) == group);
        let acked = of_group.filter_map(|write| {
            let (acked, version) = (write.acked?, write.version?);
            let under = |i: &usize| match self.records[*i].what {
                _ if self.records[*i].group != group => false,
                Observation::Promoted { .. } => self.promotion(*i).is_some_and(|(_, floor)| version > floor),
                Observation::PrimaryBack { member } => self.same_term_goes_on(member, *i),
                _ => false,
            };
            let after = self.at(write.invoked) > self.lost_since(lost);
            (after && acked > lost && (lost..acked).any(|i| under(&i))).then_some(acked)
        });
        acked.min()
    }

    fn served_after(&self, lost: usize) -> Option<usize> {
        let group = self.records[lost].group;
        (lost..self.records.len()).find(|i| match self.records[*i].what {
            _ if self.records[*i].group != group => false,
            Observation::Serving { member } => self.primary(group, *i) == Some(member),
            Observation::PrimaryBack { member } => self.same_term_goes_on(member, *i),
            _ => false,
        })
    }

    /// Whether the primary that is back at `index` was neither replaced nor down since it was lost.
    fn same_term_goes_on(&self, member: Member, index: usize) -> bool {
        let (before, group) = (&self.records[..index], self.records[index].group);
        let Some(lost) = (0..index).rev().find(|i| self.is_loss_in(group, *i)) else { return true };
        let down = before.iter().any(|record| {
            record.what == Observation::MemberDown { member } && record.at >= self.lost_since(lost)
        });
        let replaced = (lost..index).any(|i| self.promotion_in(group, i).is_some());
        !down && !replaced
    }

    fn check_stale_acks(&self, check: &mut Check<'_>) {
        let promoted = self.find(0, |what| matches!(what, Observation::Promoted { .. })).is_some();
        for (client, name) in check.clients() {
            let acks = self.ops.iter().filter(|op| {
                let told_of = self.writes.iter().find(|write| op.kind == OpKind::Write(write.write));
                let in_window = told_of.is_some_and(|write| self.window.contains(self.at(write.invoked)));
                promoted && op.client == client && in_window
            });
            let acks = acks.filter_map(|op| Some((op, op.end?.0, self.ok_answer(op)?))).collect::<Vec<_>>();
            let is_stale =
                |op: &OpStory, end, answer| !self.is_from_the_primary(self.group_of(op), end, answer);
            let stale = acks.iter().filter(|(op, end, answer)| is_stale(op, *end, answer)).count();
            check.count("stale_primary_acks", Some(("workload", name)), (stale, acks.len()));
        }
    }

    /// Whether who answered was the rightful primary just before that instant, or became it then.
    fn is_from_the_primary(&self, group: Group, end: usize, answer: &Answer) -> bool {
        let promotions = (0..end).filter_map(|i| Some((self.at(i), self.promotion_in(group, i)?.0)));
        let before = promotions.clone().rfind(|(at, _)| *at < answer.at);
        let mut then = promotions.filter(|(at, _)| *at == answer.at).chain(before);
        then.any(|(_, member)| member == answer.by)
    }

    fn of_kind(&self, reads: bool) -> impl Iterator<Item = &OpStory> {
        self.ops.iter().filter(move |op| (op.kind == OpKind::Read) == reads)
    }

    fn group_of(&self, op: &OpStory) -> Group {
        self.roster.placement.group(op.key)
    }

    fn is_ok(&self, op: &OpStory) -> bool {
        matches!(op.end, Some((_, Outcome::Ok, _)))
    }

    /// Windows that have ended, and those that lasted to the end.
    fn windows(&self, reads: bool, bound: Duration) -> (Vec<i64>, Vec<u64>) {
        let all = self.groups().flat_map(|group| self.windows_in(group, reads, bound));
        let (ended, open): (Vec<_>, Vec<_>) = all.partition(|(_, ended)| *ended);
        let nanos = |window: (Duration, bool)| window.0.nanos();
        (
            ended.into_iter().map(nanos).map(|nanos| nanos as i64).collect(),
            open.into_iter().map(nanos).collect(),
        )
    }

    /// From an operation that did not succeed, and comes after none or one that did, to the next that did, if one did.
    fn windows_in(&self, group: Group, reads: bool, bound: Duration) -> Vec<(Duration, bool)> {
        let counts = |op: &&OpStory| self.window.contains(self.at(op.invoked)) && self.group_of(op) == group;
        let ops: Vec<_> = self.of_kind(reads).filter(counts).collect();
        let first = (0..ops.len()).filter(|i| !self.is_ok(ops[*i]) && (*i == 0 || self.is_ok(ops[i - 1])));
        let lengths = first.map(|i| {
            let next = ops[i..].iter().find(|op| self.is_ok(op));
            let end = next.map_or(self.window.to, |next| self.at(next.invoked));
            (end.since(self.at(ops[i].invoked)), next.is_some())
        });
        lengths.filter(|(length, _)| *length > bound).collect()
    }

    fn check_timeline(&self, check: &mut Check<'_>, reads: bool) {
        let Some(series) = &check.findings.series else { return };
        let streamed = &series.availability[usize::from(!reads)];
        for slice in 0..series.slices.count {
            let ops = || self.of_kind(reads).filter(|op| series.slices.index(op.scheduled) == Some(slice));
            let expected = (ops().count() as u64, ops().filter(|op| self.is_ok(op)).count() as u64);
            let streamed = (streamed.scheduled[slice], streamed.ok[slice]);
            if streamed != expected {
                let kind = if reads { "read" } else { "write" };
                check.found.push(format!(
                    "availability of {kind}s in slice {slice}: streamed {streamed:?}, by definition {expected:?}"
                ));
            }
        }
    }
}
