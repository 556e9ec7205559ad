//! Fencing: a primary that does not hear from a majority stops by itself, before anybody else can serve.
//!
//! It needs no clock, only its heartbeat timer. A replica that has answered a heartbeat suspects nobody, and votes for
//! nobody, for `after`. So a primary whose last heartbeat that a majority has answered was sent less than `after` ago
//! cannot have been replaced; it stops one heartbeat earlier, since it looks only when it sends one. (Timers are taken
//! to run at one speed everywhere; clocks may show what they like.)

use super::PrimaryBackup;
use super::Role;
use super::primary::Stage;
use super::settings::Takeover;
use crate::protocol::Effects;

impl PrimaryBackup {
    /// Whether this member takes writes and serves strong reads.
    pub(super) fn serves(&self) -> bool {
        matches!(&self.role, Role::Primary(primary) if primary.stage == Stage::Serving) && self.holds_lease()
    }

    /// Whether nobody else can be serving.
    pub(super) fn holds_lease(&self) -> bool {
        let Role::Primary(primary) = &self.role else { return false };
        if !self.settings.fencing || self.settings.takeover == Takeover::Never {
            return true; // or so it hopes
        }
        let others = self.settings.majority() - 1;
        others == 0 || primary.round - primary.rounds.kth(others) <= self.lease_rounds()
    }

    /// How many heartbeats may be unanswered.
    fn lease_rounds(&self) -> u64 {
        (self.settings.lease().nanos() / self.settings.heartbeat.nanos()).saturating_sub(1)
    }

    /// The number of the first heartbeat of a primary that holds no lease until a majority answers one.
    pub(super) fn cold_round(&self) -> u64 {
        self.lease_rounds() + 1
    }

    /// Begins to serve, if nothing stands against it any more.
    pub(super) fn try_to_serve(&mut self, out: &mut impl Effects<PrimaryBackup>) {
        let ready = matches!(&self.role, Role::Primary(primary) if primary.stage == Stage::Ready);
        if !ready || !self.holds_lease() {
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
