//! The bad day: what clients saw of lost primaries, of excluded writes, and of times when nothing worked. It keeps
//! the rightful history and hands what happens to the parts that are told over it: [`anomalies`](crate::anomalies)
//! (reads), [`failover`](crate::failover) (the primary) and [`availability`](crate::availability) (operations).

use replisim_observe::{
    Answer, Group, Key, Member, Observation, Op, OpKind, Outcome, Roster, Said, Stored, Time, Version,
    Window, Write,
};

use crate::anomalies::{Anomalies, AnomalyTotals, Kept};
use crate::availability::{Availability, AvailabilitySeries};
use crate::failover::Failover;
use crate::findings::Measure;
use crate::keyspace::Keyspace;
use crate::measures::{count_by, distribution_by, whole};
use crate::operations::OpenOp;
use crate::reflected::Reflected;
use crate::retirement::REMEMBERED;
use crate::rightful::Rightful;
use crate::series::Slices;

/// How many settled writes are remembered where there are no faults.
const FEW_REMEMBERED: usize = 256;

/// Everything measured about the bad day.
#[derive(Clone, Debug)]
pub struct Incidents {
    rightful: Rightful,
    anomalies: Anomalies,
    failover: Failover,
    availability: Availability,
}

impl Incidents {
    /// Nothing seen yet.
    pub fn new(roster: &Roster, window: Window, slices: Slices) -> Incidents {
        let (clients, space) = (roster.clients.len(), Keyspace::of(roster));
        let settled = if roster.faults.is_empty() { FEW_REMEMBERED } else { REMEMBERED };
        let kept = Kept { settled, all: REMEMBERED };
        Incidents {
            rightful: Rightful::new(space),
            anomalies: Anomalies::new(clients, space, window, kept),
            failover: Failover::new(space, clients, window),
            availability: Availability::new(space, window, roster.unavailability_bound, slices),
        }
    }

    /// The rightful history so far.
    #[inline]
    pub(crate) fn rightful(&self) -> &Rightful {
        &self.rightful
    }

    /// Takes in whatever is not about an operation.
    #[inline]
    pub(crate) fn observe(&mut self, now: Time, group: Group, what: &Observation) {
        let Incidents { rightful, anomalies, failover, .. } = self;
        rightful.observe(now, group, what);
        failover.observe(now, group, what);
        match *what {
            Observation::Logged { key, stored, .. } | Observation::Applied { key, stored, .. } => {
                anomalies.seen(key, stored, rightful);
            }
            Observation::Committed { write, key, version, .. } => {
                anomalies.committed(now, key, Stored { version, write }, rightful);
            }
            Observation::Promoted { .. } => anomalies.promoted(now, group, rightful),
            Observation::Abandoned { write } => anomalies.abandoned(now, write),
            _ => {}
        }
    }

    /// Without a primary: the last node that had something of `key` above `left` and up to `had` has lost it.
    pub(crate) fn gone(&mut self, now: Time, key: Key, left: Version, had: Version) {
        self.anomalies.gone(now, key, left, had);
    }

    /// The run is over. `newest` tells the newest version of a key that any node has.
    pub(crate) fn ended(&mut self, now: Time, newest: impl Fn(Key) -> Version) {
        self.anomalies.ended(now, newest);
        self.failover.ended(now);
        self.availability.ended();
    }

    /// An operation begins.
    pub(crate) fn invoked(&mut self, now: Time, op: Op, (kind, key): (OpKind, Key), scheduled: Time) {
        self.availability.invoked(now, op, (kind, key), scheduled);
    }

    /// An operation ended; `oldest_open` is the invocation of the oldest one under way.
    pub(crate) fn returned(
        &mut self,
        now: Time,
        op: Op,
        state: &OpenOp,
        outcome: Outcome,
        answer: Option<Answer>,
        oldest_open: Time,
    ) {
        let Incidents { rightful, anomalies, failover, availability } = self;
        let OpenOp { client, kind, key, scheduled, invoked, .. } = *state;
        availability.returned(op, (kind, key), scheduled, outcome);
        anomalies.oldest_open(oldest_open);
        let said = answer.map(|answer| answer.said);
        match (kind, outcome) {
            (OpKind::Write(write), Outcome::Ok) => {
                let version = match said {
                    Some(Said::NotApplied) => None,
                    _ => anomalies.acked(now, write, key, invoked),
                };
                failover.acked(now, (client, key), invoked, version, answer, rightful);
            }
            (OpKind::Write(write), Outcome::Failed) => anomalies.failed(write, rightful),
            (OpKind::Read, _) | (_, Outcome::Unknown) => {}
        }
    }

    /// A write certainly never happens; its client tries another.
    pub(crate) fn failed(&mut self, write: Write) {
        self.anomalies.failed(write, &self.rightful);
    }

    /// A read was told `said`, at the time that comes with it.
    pub(crate) fn read(&mut self, read: &OpenOp, said: (Time, Said), reflected: Reflected<'_>) {
        self.anomalies.returned(read, said, reflected, &self.rightful);
    }

    /// The measures; how many operations succeeded over time: reads, writes; and who was promoted when.
    pub(crate) fn into_results(
        self,
        roster: &Roster,
    ) -> (Vec<Measure>, [AvailabilitySeries; 2], Vec<(Time, Member)>) {
        let promoted = self.rightful.is_led();
        let (windows, series) = self.availability.into_results();
        let failover = self.failover.into_results();
        let totals = self.anomalies.into_results();
        let reads = |slug, part: fn(&AnomalyTotals) -> u64| {
            let parts = totals.iter().map(|totals| (part(totals), totals.reads));
            count_by(slug, "workload", &roster.clients, parts.collect())
        };
        let kinds = ["read".to_owned(), "write".to_owned()];
        let stale_acks = if promoted { failover.stale_acks } else { Vec::new() };
        let measures = vec![
            reads("dirty_reads", |totals| totals.dirty),
            reads("early_reads", |totals| totals.early),
            reads("reads_missing_lost", |totals| totals.missing_lost),
            count_by("stale_primary_acks", "workload", &roster.clients, stale_acks),
            Measure::new("rto_ms", whole(&failover.rto)),
            Measure::new("time_to_serve_ms", whole(&failover.time_to_serve)),
            distribution_by("unavailability_ms", "kind", &kinds, &[&windows[0], &windows[1]]),
        ];
        (measures, series, self.rightful.into_promotions())
    }
}
