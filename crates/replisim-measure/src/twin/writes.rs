//! What becomes of writes, told from their stories.

use replisim_observe::{Observation, Time};

use super::check::{Check, Piece, Scope};
use super::{Run, WriteStory};

/// From, to, commit time of the oldest missing write, number of missing writes.
type LagPiece = (Time, Time, Option<Time>, u64);

impl Run<'_> {
    pub(super) fn check_writes(&self, check: &mut Check<'_>) {
        let mut everywhere = Vec::new();
        for (member, name) in check.nodes() {
            let scope = Some(("node", name));
            let (known, censored) = self.delays(member);
            check.samples("replication_delay_ms", scope, &known, &censored);
            let lag = self.lag(member);
            everywhere.extend(lag.clone());
            check_lag(check, scope, &lag);
        }
        check_lag(check, None, &everywhere);
        for (slug, (known, censored)) in [
            ("visible_after_ack_ms", self.visible_after_ack()),
            ("convergence_ms", self.convergence()),
            ("inconsistency_window_ms", self.inconsistency_windows()),
            ("recovery_convergence_ms", self.recoveries()),
        ] {
            check.samples(slug, None, &known, &censored);
        }
        self.check_classes(check);
    }

    /// How many writes came to nothing, of those committed in the window.
    fn check_classes(&self, check: &mut Check<'_>) {
        let writes: Vec<_> = self.writes.iter().filter(|write| self.in_window(write)).collect();
        let acked: Vec<_> = writes.iter().filter(|write| write.acked.is_some()).collect();
        let unconverged = writes.iter().filter(|write| self.unconverged(write)).count();
        let abandoned = writes.iter().filter(|write| write.abandoned.is_some()).count();
        let lost = acked.iter().filter(|write| write.abandoned.is_some()).count();
        check.count("unconverged_writes", None, (unconverged, writes.len()));
        check.count("abandoned_writes", None, (abandoned, writes.len()));
        check.count("lost_writes", None, (lost, acked.len()));
    }

    pub(super) fn unconverged(&self, write: &WriteStory) -> bool {
        write.abandoned.is_none() && self.converged(write).is_none()
    }

    /// Delays of what arrived at `member`, and how long the rest has been on its way.
    fn delays(&self, member: usize) -> (Vec<i64>, Vec<u64>) {
        let (mut known, mut censored) = (Vec::new(), Vec::new());
        for write in self.writes.iter().filter(|write| self.in_window(write)) {
            let Some(committed) = write.committed.filter(|_| write.accepted_by.index() != member) else {
                continue;
            };
            let from = self.at(committed);
            match self.applied(write, member) {
                Some(applied) if self.standing(write, applied, committed) => {
                    known.push(self.at(applied).signed_since(from));
                }
                None if write.abandoned.is_none() => censored.push(self.end().since(from).nanos()),
                _ => {}
            }
        }
        (known, censored)
    }

    fn visible_after_ack(&self) -> (Vec<i64>, Vec<u64>) {
        let (mut known, mut censored) = (Vec::new(), Vec::new());
        for write in self.writes.iter().filter(|write| self.in_window(write)) {
            let Some(acked) = write.acked else { continue };
            for member in (0..self.members).filter(|member| write.accepted_by.index() != *member) {
                match (self.applied_early(write, member), self.applied(write, member)) {
                    (Some(applied), _) if self.standing(write, acked, applied) => {
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

    /// As [`Run::applied`], but unknown where the member held a superseding version from the start.
    fn applied_early(&self, write: &WriteStory, member: usize) -> Option<usize> {
        let (version, known) = (write.version?, write.known?);
        let held_before = known > 0 && self.shows(member, write.key, known - 1) >= version;
        if held_before { None } else { self.applied(write, member) }
    }

    /// When the last member came to hold the write, if the write stood then.
    fn converged(&self, write: &WriteStory) -> Option<usize> {
        let committed = write.committed?;
        let applied: Option<Vec<usize>> =
            (0..self.members).map(|member| self.applied(write, member)).collect();
        let last = applied?.into_iter().fold(committed, usize::max);
        self.standing(write, last, last).then_some(last)
    }

    fn convergence(&self) -> (Vec<i64>, Vec<u64>) {
        self.known_and_censored(|write| write.committed)
    }

    fn inconsistency_windows(&self) -> (Vec<i64>, Vec<u64>) {
        self.known_and_censored(|write| write.acked)
    }

    /// Time from `start` to convergence, at least 0; a lower bound where a standing write has not converged.
    fn known_and_censored(&self, start: impl Fn(&WriteStory) -> Option<usize>) -> (Vec<i64>, Vec<u64>) {
        let (mut known, mut censored) = (Vec::new(), Vec::new());
        for write in self.writes.iter().filter(|write| self.in_window(write)) {
            let Some(from) = start(write) else { continue };
            match self.converged(write) {
                Some(end) if self.standing(write, from, end) => {
                    known.push(self.at(end).signed_since(self.at(from)).max(0));
                }
                None if write.abandoned.is_none() => censored.push(self.end().since(self.at(from)).nanos()),
                _ => {}
            }
        }
        (known, censored)
    }

    fn lag(&self, member: usize) -> Vec<LagPiece> {
        let mut pieces = Vec::new();
        let mut push = |from: Time, to: Time, lacks: &[&WriteStory]| {
            let (from, to) = (from.max(self.window.from), to.min(self.window.to));
            if from < to {
                let oldest = lacks.iter().filter_map(|write| write.committed).min().map(|i| self.at(i));
                pieces.push((from, to, oldest, lacks.len() as u64));
            }
        };
        push(Time::ZERO, self.records.first().map_or(self.end(), |record| record.at), &[]);
        for i in 1..self.records.len() {
            push(self.at(i - 1), self.at(i), &self.lacks(member, i - 1));
        }
        pieces
    }

    fn recoveries(&self) -> (Vec<i64>, Vec<u64>) {
        let (mut known, mut censored) = (Vec::new(), Vec::new());
        let is_bound = |what| matches!(what, Observation::FaultBegan(_) | Observation::Ended);
        for (i, record) in self.records.iter().enumerate() {
            let counts = self.window.from <= record.at && record.at <= self.window.to;
            if !matches!(record.what, Observation::FaultEnded(_)) || !counts {
                continue;
            }
            let next = (i + 1..self.records.len()).find(|j| is_bound(self.records[*j].what));
            let until = next.unwrap_or(self.records.len());
            let clear = |j: &usize| {
                (0..self.members)
                    .all(|m| self.lacks(m, *j).iter().all(|w| w.committed.is_none_or(|c| c >= i)))
            };
            match (i..until).find(clear) {
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

fn check_lag(check: &mut Check<'_>, scope: Scope<'_>, lag: &[LagPiece]) {
    let age = |(from, to, oldest, _): &LagPiece| Piece::age(*from, *to, *oldest);
    let versions = |(from, to, _, versions): &LagPiece| Piece::level(*from, *to, *versions);
    check.over_time("lag_ms", scope, lag.iter().map(age));
    check.over_time("lag_versions", scope, lag.iter().map(versions));
}
