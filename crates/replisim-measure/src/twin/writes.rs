//! How long writes take to arrive, told from their stories.

use replisim_observe::Observation;

use super::check::Check;
use super::{Run, WriteStory};

/// Samples, and lower bounds of censored ones.
pub(super) type KnownAndCensored = (Vec<i64>, Vec<u64>);

impl Run<'_> {
    pub(super) fn check_writes(&self, check: &mut Check<'_>) {
        for (member, name) in check.nodes() {
            check.samples("replication_delay_ms", Some(("node", name)), &self.delays(member));
        }
        check.samples("visible_after_ack_ms", None, &self.visible_after_ack());
        check.samples("convergence_ms", None, &self.time_to_converge(|write| write.committed));
        check.samples("inconsistency_window_ms", None, &self.time_to_converge(|write| write.acked));
        check.samples("recovery_convergence_ms", None, &self.recoveries());
    }

    /// Moments from which the version of the write is known at which `member`, which did not hold it, comes to.
    fn arrivals(&self, write: &WriteStory, member: usize) -> Vec<usize> {
        let holds = |i: usize| self.holds(member, write, i);
        let comes = |i: &usize| holds(*i) && (*i == 0 || !holds(i - 1));
        (write.known.unwrap_or(self.records.len())..self.records.len()).filter(comes).collect()
    }

    /// The first arrival; if there was none by the commit and the member holds it then, nobody knows since when.
    fn seen_to_arrive(&self, write: &WriteStory, member: usize) -> Option<usize> {
        let (committed, first) = (write.committed?, self.arrivals(write, member).first().copied()?);
        (first <= committed || !self.holds(member, write, committed)).then_some(first)
    }

    /// When `member` came to hold the write; if it held a superseding version before that was known, at the commit.
    fn applied(&self, write: &WriteStory, member: usize) -> Option<usize> {
        let committed = write.committed?;
        let held_then = self.holds(member, write, committed).then_some(committed);
        self.seen_to_arrive(write, member).or(held_then)
    }

    /// Delays of what arrived at `member`, and how long the rest has been on its way.
    fn delays(&self, member: usize) -> KnownAndCensored {
        let (mut known, mut censored) = (Vec::new(), Vec::new());
        let owned = |write: &&WriteStory| self.owners(write.key).any(|owner| owner == member);
        for write in self.writes.iter().filter(|write| self.in_window(write)).filter(owned) {
            let Some(committed) = write.committed.filter(|_| !write.was_accepted_by(member)) else {
                continue;
            };
            let from = self.at(committed);
            match self.applied(write, member) {
                Some(applied) if write.stands(applied.max(committed)) => {
                    known.push(self.at(applied).signed_since(from));
                }
                None if write.abandoned.is_none() => censored.push(self.end().since(from).nanos()),
                _ => {}
            }
        }
        (known, censored)
    }

    fn visible_after_ack(&self) -> KnownAndCensored {
        let (mut known, mut censored) = (Vec::new(), Vec::new());
        for write in self.writes.iter().filter(|write| self.in_window(write)) {
            let Some(acked) = write.acked else { continue };
            for member in self.owners(write.key).filter(|member| !write.was_accepted_by(*member)) {
                match (self.seen_to_arrive(write, member), self.applied(write, member)) {
                    (Some(applied), _) if write.stands(acked.max(applied)) => {
                        known.push(self.at(applied).signed_since(self.at(acked)));
                    }
                    (None, None) if write.abandoned.is_none() => {
                        censored.push(self.end().since(self.at(acked)).nanos());
                    }
                    _ => {}
                }
            }
        }
        (known, censored)
    }

    /// When all owners hold the write for the first time, if it stands then.
    pub(super) fn converged(&self, write: &WriteStory) -> Option<usize> {
        let everywhere = |i: &usize| self.owners(write.key).all(|member| self.holds(member, write, *i));
        (write.committed?..self.records.len()).find(everywhere).filter(|i| write.stands(*i))
    }

    /// Time from `start` to convergence, at least 0; a lower bound where a standing write has not converged.
    fn time_to_converge(&self, start: impl Fn(&WriteStory) -> Option<usize>) -> KnownAndCensored {
        let (mut known, mut censored) = (Vec::new(), Vec::new());
        for write in self.writes.iter().filter(|write| self.in_window(write)) {
            let Some(from) = start(write) else { continue };
            match self.converged(write) {
                Some(end) if write.stands(from.max(end)) => {
                    known.push(self.at(end).signed_since(self.at(from)).max(0));
                }
                None if write.abandoned.is_none() => censored.push(self.end().since(self.at(from)).nanos()),
                _ => {}
            }
        }
        (known, censored)
    }

    fn recoveries(&self) -> KnownAndCensored {
        let (mut known, mut censored) = (Vec::new(), Vec::new());
        let bounds = |i: &usize| matches!(self.records[*i].what, Observation::FaultBegan(_));
        for (i, record) in self.records.iter().enumerate() {
            let counts = self.window.from <= record.at && record.at <= self.window.to;
            if !matches!(record.what, Observation::FaultEnded(_)) || !counts {
                continue;
            }
            let next = (i + 1..self.records.len()).find(bounds);
            let lacks_old = |member: usize, j: usize| {
                self.lacks(member, j).iter().any(|write| write.committed.is_some_and(|c| c < i))
            };
            let recovered = |j: &usize| {
                (0..self.members).all(|member| !self.states[*j].up[member] || !lacks_old(member, *j))
            };
            match (i..next.unwrap_or(self.records.len())).find(recovered) {
                Some(j) => known.push(self.at(j).signed_since(record.at)),
                None => {
                    let bound = next.map_or(self.end(), |next| self.at(next));
                    censored.push(bound.since(record.at).nanos());
                }
            }
        }
        (known, censored)
    }
}
