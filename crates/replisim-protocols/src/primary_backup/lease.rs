//! Fencing: a primary that does not hear from a majority stops by itself, before anybody else can serve.
//!
//! A replica that has answered a heartbeat suspects nobody, and votes for nobody, for `after`. So a primary whose last
//! heartbeat that a majority has answered was sent less than `after` ago cannot have been replaced; it stops one
//! heartbeat earlier. It measures that time twice, and serves only if both agree: it counts the heartbeats that it has
//! sent since (a clock that is set back deceives nobody), and it looks at its own clock (while a process is paused it
//! sends none). No two clocks need agree; timers and clocks are taken to run at one speed everywhere.

use std::collections::VecDeque;

use replisim_engine::{Duration, Time};

use super::PrimaryBackup;
use super::Role;
use super::primary::Stage;
use super::settings::Takeover;
use crate::bug_shelf::Bug;
use crate::protocol::Effects;

/// When, by its own clock, a primary sent the heartbeats on which its lease rests.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Lease {
    /// The last that a majority has answered; `None`: there is no lease yet.
    since: Option<Time>,
    /// Those after it, by their numbers.
    unanswered: VecDeque<(u64, Time)>,
}

impl Lease {
    /// A majority answered what was sent at `clock`.
    pub(super) fn from(clock: Time) -> Lease {
        Lease { since: Some(clock), unanswered: VecDeque::new() }
    }

    /// A heartbeat is sent. An answer to one more than `most` before it would come too late.
    fn sent(&mut self, round: u64, clock: Time, most: u64) {
        self.unanswered.push_back((round, clock));
        if self.unanswered.front().is_some_and(|(oldest, _)| round - oldest > most) {
            self.unanswered.pop_front();
        }
    }

    /// A majority has answered the heartbeats up to `round`.
    fn answered(&mut self, round: u64) {
        while let Some((_, clock)) = self.unanswered.front().copied().filter(|(sent, _)| *sent <= round) {
            self.unanswered.pop_front();
            self.since = Some(clock);
        }
    }
}

impl PrimaryBackup {
    /// Whether this member takes writes and serves strong reads.
    pub(super) fn serves(&self, out: &impl Effects<PrimaryBackup>) -> bool {
        matches!(&self.role, Role::Primary(primary) if primary.stage == Stage::Serving)
            && self.holds_lease(out)
    }

    /// Whether nobody else can be serving.
    pub(super) fn holds_lease(&self, out: &impl Effects<PrimaryBackup>) -> bool {
        let Role::Primary(primary) = &self.role else { return false };
        if !self.settings.fencing
            || self.settings.takeover == Takeover::Never
            || Bug::OldPrimaryServes.is_on()
        {
            return true; // or so it hopes
        }
        let others = self.settings.majority() - 1;
        let is_young = |since| out.local_clock().since(since) <= self.lease_time();
        others == 0
            || (primary.round - primary.rounds.kth(others) <= self.lease_rounds()
                && primary.lease.since.is_some_and(is_young))
    }

    /// The next heartbeat is about to be sent.
    pub(super) fn begin_round(&mut self, out: &impl Effects<PrimaryBackup>) {
        let most = self.lease_rounds();
        let Role::Primary(primary) = &mut self.role else { return };
        primary.round += 1;
        primary.lease.sent(primary.round, out.local_clock(), most);
    }

    /// Somebody has answered a heartbeat.
    pub(super) fn extend_lease(&mut self) {
        let others = self.settings.majority() - 1;
        let Role::Primary(primary) = &mut self.role else { return };
        primary.lease.answered(primary.rounds.kth(others));
    }

    /// How many heartbeats may be unanswered.
    fn lease_rounds(&self) -> u64 {
        (self.settings.lease().nanos() / self.settings.heartbeat.nanos()).saturating_sub(1)
    }

    /// How long ago the last one that was answered may have been sent.
    fn lease_time(&self) -> Duration {
        let lease = self.settings.lease().nanos();
        Duration::from_nanos(lease.saturating_sub(self.settings.heartbeat.nanos()))
    }

    /// Begins to serve, if nothing stands against it any more.
    pub(super) fn try_to_serve(&mut self, out: &mut impl Effects<PrimaryBackup>) {
        let ready = matches!(&self.role, Role::Primary(primary) if primary.stage == Stage::Ready);
        if !ready || !self.holds_lease(out) {
            return;
        }
        if let Role::Primary(primary) = &mut self.role {
            primary.stage = Stage::Serving;
        }
        out.promoted(super::floor(self.disk.office.term));
        out.serving();
        self.advance_commit(out);
    }
}
