//! The observer that measures: sends every observation to the parts that it concerns, and puts the results together.

use replisim_observe::{
    Answer, Group, Observation, Observer, Op, OpKind, Outcome, Record, Roster, Said, Time, Version, Window,
    Write,
};

use crate::conflicts::Conflicts;
use crate::distribution::Distribution;
use crate::divergence::Divergence;
use crate::exposure::ExposureResult;
use crate::findings::{Accounting, Findings, Leaf, Measure};
use crate::incidents::Incidents;
use crate::keyspace::Keyspace;
use crate::lag::NodeResult;
use crate::operations::{OpTotals, OpenOp, Operations};
use crate::reads::{ReadTotals, Reads};
use crate::reflected::Reflections;
use crate::retirement::remembered;
use crate::retries::Retries;
use crate::series::{FaultSpan, MOST_FAULTS, Series, Slices};
use crate::weighted::TimeWeighted;
use crate::writes::{News, WriteResults, WriteTotals, Writes};

/// Measures a run while it happens.
#[derive(Clone, Debug)]
pub struct Measures {
    roster: Roster,
    window: Window,
    slices: Slices,
    writes: Writes,
    reads: Reads,
    reflections: Reflections,
    operations: Operations,
    incidents: Incidents,
    conflicts: Conflicts,
    retries: Retries,
    messages: Messages,
    reads_served: Vec<u64>,
    faults: Vec<FaultSpan>,
    /// Seen, and not yet judged.
    waiting: Vec<Record>,
}

/// So many observations are judged in one go. The code of all measures is larger than the nearest cache of
/// instructions, and so is that of a simulation: taking turns at every event, each would throw out the other.
const TOGETHER: usize = 64;

/// What is known of an observation's key and member is fetched while so many before it are judged.
const AHEAD: usize = 4;

#[derive(Clone, Copy, Debug, Default)]
struct Messages {
    sent: u64,
    duplicated: u64,
    delivered: u64,
    lost: u64,
    bytes: u64,
    /// Sent within the window.
    sent_in_window: u64,
}

impl Measures {
    /// Nothing seen yet of a run of `roster`; samples count from `window`.
    pub fn new(roster: Roster, window: Window) -> Measures {
        let writes = remembered(&roster);
        Measures::remembering(roster, window, writes)
    }

    /// The same, but so many settled writes are remembered one by one before they
    /// [retire](crate::retirement).
    pub fn remembering(roster: Roster, window: Window, writes: usize) -> Measures {
        let slices = Slices::of(window.to.since(Time::ZERO));
        let (members, clients, space) = (roster.members.len(), roster.clients.len(), Keyspace::of(&roster));
        Measures {
            window,
            slices,
            writes: Writes::new(&roster, window, slices, writes),
            reads: Reads::new(clients, space, window, slices),
            reflections: Reflections::new(space),
            operations: Operations::new(clients, window, slices),
            incidents: Incidents::new(&roster, window, slices),
            conflicts: Conflicts::new(&roster, window),
            retries: Retries::new(&roster, window),
            messages: Messages::default(),
            reads_served: vec![0; members],
            faults: Vec::new(),
            waiting: Vec::with_capacity(TOGETHER),
            roster,
        }
    }

    /// A write was answered, and nothing is known of those of other attempts at its operation.
    fn answered(&mut self, at: Time, op: &OpenOp, told: (Write, Outcome), mut writes: Vec<(Write, Outcome)>) {
        writes.push(told);
        writes.sort_by_key(|(write, _)| self.writes.version(*write).map(|(_, version, _)| version));
        for (write, outcome) in writes {
            let version = self.writes.version(write).filter(|_| outcome != Outcome::Failed);
            if let (Outcome::Ok, Some((lane, version, true))) = (outcome, version) {
                self.reads.acked(at, lane, version);
            }
            self.writes.answered(at, write, outcome);
            let version = version.map(|(lane, version, _)| (lane, version));
            self.conflicts.answered(at, (write, op), version, outcome, &self.writes);
        }
    }

    /// Another attempt is made at an operation: at a write of its own, if it is told.
    fn retried(&mut self, at: Time, op: Op, after: Outcome, write: Option<Write>) {
        let Some(open) = self.operations.get_mut(op) else { return };
        let state = *open;
        self.retries.retried(op);
        let (Some(write), OpKind::Write(before)) = (write, state.kind) else { return };
        open.kind = OpKind::Write(write);
        if after == Outcome::Failed {
            self.incidents.failed(before);
            self.answered(at, &state, (before, after), Vec::new());
            self.retries.replaced(at, op, write);
        } else {
            let stands = self.writes.standing(before);
            self.retries.writes_again(at, (op, &state), (before, write), stands);
        }
        self.conflicts.writes_again(at, write, state.key, &self.reads);
        self.writes.invoked(at, write, state.key);
    }

    /// The results, once [`Observation::Ended`] has been seen.
    pub fn finish(mut self) -> Findings {
        self.judge_waiting();
        let Measures { roster, window, slices, writes, reads, operations, incidents, .. } = self;
        let Measures { conflicts, retries, messages, reads_served, faults, .. } = self;
        let promoted = incidents.rightful().is_led();
        let conflicts = conflicts.into_results(&roster, promoted, &writes);
        let (incidents, availability, promotions) = incidents.into_results(&roster);
        let totals = operations.totals;
        let (by_client, operation_series) = operations.into_results();
        let (reads, staleness_series) = reads.into_results();
        let WriteResults { totals: writes, nodes, recovery_convergence, exposure, divergence } =
            writes.into_results();
        let accounting = Accounting {
            operations: totals.operations,
            ok: totals.ok,
            failed: totals.failed,
            unknown: totals.unknown,
            committed: writes.committed,
            converged: writes.committed - writes.abandoned - writes.unconverged,
            unconverged: writes.unconverged,
            abandoned: writes.abandoned,
            messages_sent: messages.sent,
            messages_duplicated: messages.duplicated,
            messages_delivered: messages.delivered,
            messages_lost: messages.lost,
            messages_in_flight: messages.sent + messages.duplicated - messages.delivered - messages.lost,
            backlog_peak_writes: writes.backlog_peak as u64,
        };
        let mut measures = Vec::new();
        measures.extend(read_measures(&roster, &reads));
        measures.extend(delay_measures(&roster, &writes, &nodes));
        measures.push(Measure::new("recovery_convergence_ms", whole(&recovery_convergence)));
        measures.extend(agreement_measures(&divergence));
        measures.extend(loss_measures(&writes, &exposure));
        measures.extend(conflicts);
        measures.extend(incidents);
        measures.extend(operation_measures(&roster, &by_client, &window));
        measures.extend(retries.into_results(&roster, &by_client));
        measures
            .push(Measure::new("messages", Some(Leaf::Count { count: messages.sent_in_window, of: None })));
        measures.push(Measure::new("bytes", Some(Leaf::Count { count: messages.bytes, of: None })));
        let series = Series {
            slices,
            lag: nodes.into_iter().map(|node| node.series).collect(),
            staleness: staleness_series,
            operations: operation_series,
            exposure: exposure.series,
            divergence: divergence.series,
            availability,
            promotions,
            faults,
        };
        let visibility =
            roster.clients.iter().cloned().zip(reads.into_iter().map(|reads| reads.visibility)).collect();
        Findings { measures, accounting, series: Some(series), visibility, reads_served, roster }
    }
}

impl Observer for Measures {
    /// Messages are only counted, which is done in place; everything else is the business of many, and waits.
    #[inline]
    fn observe(&mut self, at: Time, group: Group, what: Observation) {
        match what {
            Observation::Sent { bytes } => {
                self.messages.sent += 1;
                if self.window.contains(at) {
                    self.messages.sent_in_window += 1;
                    self.messages.bytes += bytes;
                }
            }
            Observation::Duplicated => self.messages.duplicated += 1,
            Observation::Delivered => self.messages.delivered += 1,
            Observation::Lost => self.messages.lost += 1,
            what => {
                self.waiting.push(Record { at, group, what });
                if self.waiting.len() == TOGETHER {
                    self.judge_waiting();
                }
            }
        }
    }
}

impl Measures {
    /// Judges what has been seen so far.
    #[inline(never)]
    fn judge_waiting(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        for (i, &Record { at, group, what }) in waiting.iter().enumerate() {
            if let Some(later) = waiting.get(i + AHEAD) {
                self.foresee(&later.what);
            }
            self.spread(at, group, what);
        }
        waiting.clear();
        self.waiting = waiting;
    }

    /// Fetches what judging an observation will touch first.
    #[inline]
    fn foresee(&self, what: &Observation) {
        match *what {
            Observation::Invoked { key, .. } => self.reads.foresee(key),
            Observation::Logged { member, key, .. } | Observation::Applied { member, key, .. } => {
                self.writes.foresee(member, key);
            }
            _ => {}
        }
    }

    /// Sends an observation to the parts that it concerns.
    #[inline(never)]
    fn spread(&mut self, at: Time, group: Group, what: Observation) {
        if self.incidents.rightful().is_void(group, &what) {
            return;
        }
        self.conflicts.observe(at, &what, &self.writes, &self.reads);
        self.incidents.observe(at, group, &what);
        let rightful = self.incidents.rightful();
        match what {
            Observation::Invoked { op, client, kind, key, scheduled } => {
                let (last_ack, line) = match kind {
                    OpKind::Read => {
                        self.reflections.invoked(op, key, |lane| self.writes.line(lane));
                        (self.reads.last_ack(at, key), self.writes.line(key))
                    }
                    OpKind::Write(write) => {
                        self.writes.invoked(at, write, key);
                        (None, Version(0))
                    }
                };
                let invoked = at;
                let state = OpenOp { client, kind, key, scheduled, invoked, last_ack, line };
                self.operations.invoked(op, state);
                self.incidents.invoked(at, op, (kind, key), scheduled);
            }
            Observation::Returned { op, outcome, answer } => {
                let Some(state) = self.operations.returned(at, op, outcome) else { return };
                let oldest_open = self.operations.oldest_open(at);
                let (state, untold) = match (self.retries.returned(op, &state), state.kind) {
                    (Some(tried), OpKind::Write(last)) => {
                        let ((told, invoked), untold) = tried.told_of(last, state.invoked);
                        (OpenOp { kind: OpKind::Write(told), invoked, ..state }, untold)
                    }
                    _ => (state, Vec::new()),
                };
                self.incidents.returned(at, op, &state, outcome, answer, oldest_open);
                match (state.kind, answer) {
                    (OpKind::Write(write), answer) => {
                        let not_applied = answer.is_some_and(|answer| answer.said == Said::NotApplied);
                        let outcome = if not_applied { Outcome::Failed } else { outcome };
                        self.answered(at, &state, (write, outcome), untold);
                    }
                    (
                        OpKind::Read,
                        Some(Answer { by, at, said: said @ (Said::Value(_) | Said::Siblings(_)) }),
                    ) => {
                        let purged = |lane| self.writes.purged_upto(lane);
                        let reflected = self.reflections.returned(op, &state, said, purged);
                        self.incidents.read(&state, (at, said), reflected);
                        self.reads.returned(&state, reflected);
                        self.conflicts.returned(op, &state, Some(said), &self.reads);
                        // A member beyond the last is an instance of the protocol in a client.
                        let served = self.reads_served.get_mut(by.index());
                        let counts = served.filter(|_| self.window.contains(state.invoked));
                        counts.into_iter().for_each(|served| *served += 1);
                    }
                    (OpKind::Read, _) => self.conflicts.returned(op, &state, None, &self.reads),
                }
                self.reflections.over(op);
            }
            Observation::Committed { write, key, version, bytes, accepted_by } => {
                if self.writes.committed(at, write, (key, version, bytes), accepted_by, rightful) {
                    self.retries.committed(write, key, version);
                }
            }
            Observation::Logged { member, key, stored } => {
                self.writes.logged(at, member, key, stored, rightful)
            }
            Observation::Applied { member, key, stored } => {
                self.writes.applied(at, member, key, stored, rightful)
            }
            Observation::Unlogged { member, key, undone, back_to } => {
                self.writes.unlogged(at, member, key, undone, back_to);
            }
            Observation::Unapplied { member, key, undone, back_to } => {
                self.writes.unapplied(at, member, key, undone, back_to);
            }
            Observation::DiskLost { member } => self.writes.disk_lost(at, member),
            Observation::Promoted { member, .. } => self.writes.promoted(at, group, member, rightful),
            Observation::MemberDown { member } => self.writes.member_up(at, member, false),
            Observation::MemberUp { member } => self.writes.member_up(at, member, true),
            Observation::Abandoned { write } => self.writes.abandoned(at, write),
            Observation::FaultBegan(fault) => {
                if self.faults.len() < MOST_FAULTS {
                    self.faults.push(FaultSpan { fault, from: at, to: None });
                }
                self.writes.fault_began(at, fault);
            }
            Observation::FaultEnded(fault) => {
                let began = self.faults.iter_mut().rfind(|span| span.fault == fault && span.to.is_none());
                began.into_iter().for_each(|span| span.to = Some(at));
                self.writes.fault_ended(at, fault);
            }
            Observation::Retried { op, after, write } => self.retried(at, op, after, write),
            Observation::Recognised { op, write } => self.retries.recognised(op, write),
            Observation::Saw { key, version, .. } => self.reflections.saw(key, version),
            Observation::Hinted { member, key, stored } => self.writes.hinted(member, key, stored),
            Observation::Unhinted { member, key, stored } => {
                self.writes.unhinted(at, member, key, stored.version);
            }
            Observation::Purged { member, key, stored } => self.writes.purged(at, member, key, stored),
            Observation::Sent { .. }
            | Observation::Duplicated
            | Observation::Delivered
            | Observation::Lost
            | Observation::BasedOn { .. }
            | Observation::Serving { .. }
            | Observation::PrimaryLost { .. }
            | Observation::PrimaryBack { .. } => {}
            Observation::Ended => {
                self.incidents.ended(at, |key| self.writes.newest_anywhere(key));
                self.writes.ended(at);
                self.operations.ended();
            }
        }
        self.writes.observed(at);
        if !self.writes.news.is_empty() {
            let oldest_open = self.operations.oldest_open(at);
            let mut heard = std::mem::take(&mut self.writes.news);
            for news in heard.drain(..) {
                if let News::Gone(key, left, had) = news {
                    self.incidents.gone(at, key, left, had);
                }
                self.reads.hear(at, news, oldest_open);
                self.conflicts.hear(news, &self.writes);
                self.retries.hear(news);
            }
            self.writes.news = heard;
        }
    }
}

/// Staleness and t-visibility, by client.
fn read_measures(roster: &Roster, reads: &[ReadTotals]) -> Vec<Measure> {
    let distribution = |slug, part: fn(&ReadTotals) -> &Distribution| {
        let parts: Vec<_> = reads.iter().map(part).collect();
        distribution_by(slug, "workload", &roster.clients, &parts)
    };
    let share = |slug, count: fn(&ReadTotals) -> (u64, u64)| {
        count_by(slug, "workload", &roster.clients, reads.iter().map(count).collect())
    };
    vec![
        distribution("staleness_ms", |reads| &reads.staleness),
        distribution("staleness_when_stale_ms", |reads| &reads.when_stale),
        distribution("staleness_versions", |reads| &reads.versions),
        share("stale_reads", |reads| (reads.when_stale.count(), reads.staleness.count())),
        share("t_visibility", |reads| (reads.visibility.fresh(), reads.visibility.all.count())),
    ]
}

/// Delays, lag and convergence.
fn delay_measures(roster: &Roster, writes: &WriteTotals, nodes: &[NodeResult]) -> Vec<Measure> {
    let by_node = |slug, part: fn(&NodeResult) -> &Distribution| {
        let parts: Vec<_> = nodes.iter().map(part).collect();
        distribution_by(slug, "node", &roster.members, &parts)
    };
    let over_time = |slug, part: fn(&NodeResult) -> &TimeWeighted| {
        let by_node = roster.members.iter().cloned().zip(nodes.iter().map(part));
        let whole = by_node.clone().map(|(_, part)| part.clone()).reduce(|mut whole, part| {
            whole.merge(&part);
            whole
        });
        let by_node = by_node.map(|(name, part)| (name, Leaf::TimeWeighted(part.clone())));
        Measure::new(slug, whole.map(Leaf::TimeWeighted)).scope("node", by_node.collect())
    };
    vec![
        by_node("replication_delay_ms", |node| &node.delay),
        Measure::new("visible_after_ack_ms", whole(&writes.visible_after_ack)),
        over_time("lag_ms", |node| &node.lag),
        over_time("lag_versions", |node| &node.lag_versions),
        over_time("lag_bytes", |node| &node.lag_bytes),
        Measure::new("convergence_ms", whole(&writes.convergence)),
        Measure::new("inconsistency_window_ms", whole(&writes.inconsistency_window)),
        by_node("catch_up_ms", |node| &node.catch_up),
    ]
}

/// Whether live members agree.
fn agreement_measures(divergence: &Divergence) -> [Measure; 2] {
    [
        Measure::new("quiescent_convergence_ms", whole(&divergence.quiescent_convergence)),
        Measure::new("divergence_keys", over_time(&divergence.over_time)),
    ]
}

/// What was lost, and what might have been.
fn loss_measures(writes: &WriteTotals, exposure: &ExposureResult) -> [Measure; 11] {
    let committed = writes.committed_in_window;
    let count = |slug, count, of| Measure::new(slug, Some(Leaf::Count { count, of: Some(of) }));
    [
        count("unconverged_writes", writes.unconverged_in_window, committed),
        count("unconverged_at_live_owners", writes.unconverged_at_live_owners, committed),
        count("regressed_writes", writes.regressed, committed),
        count("abandoned_writes", writes.abandoned_in_window, committed),
        count("lost_writes", writes.lost, writes.acked_in_window),
        count("lost_then_overwritten", writes.lost_then_overwritten, writes.lost),
        count("stranded_writes", writes.stranded, writes.lost),
        count("destroyed_writes", writes.lost - writes.stranded, writes.lost),
        Measure::new("rpo_writes", over_time(&exposure.writes)),
        Measure::new("rpo_bytes", over_time(&exposure.bytes)),
        Measure::new("rpo_age_ms", over_time(&exposure.age)),
    ]
}

/// Latency, availability and throughput, by client and by kind of operation.
fn operation_measures(roster: &Roster, by_client: &[[OpTotals; 2]], window: &Window) -> Vec<Measure> {
    let latency = |slug, kind: usize| {
        let parts: Vec<_> = by_client.iter().map(|kinds| &*kinds[kind].latency).collect();
        distribution_by(slug, "workload", &roster.clients, &parts)
    };
    let both = |kinds: &[OpTotals; 2]| (kinds[0].ok + kinds[1].ok, kinds[0].scheduled + kinds[1].scheduled);
    let availability =
        count_by("availability", "workload", &roster.clients, by_client.iter().map(both).collect());
    let kinds = ["read", "write"].iter().zip(0..2).map(|(name, kind)| {
        let count = by_client.iter().map(|kinds| kinds[kind].ok).sum();
        let of = Some(by_client.iter().map(|kinds| kinds[kind].scheduled).sum());
        ((*name).to_owned(), Leaf::Count { count, of })
    });
    let nanos = window.to.since(window.from).nanos();
    let rate = |kinds: &[OpTotals; 2]| Leaf::Rate { count: both(kinds).0, nanos };
    let all = by_client.iter().map(|kinds| both(kinds).0).sum();
    let throughput = Measure::new("throughput_ops", Some(Leaf::Rate { count: all, nanos }));
    let rates = roster.clients.iter().cloned().zip(by_client.iter().map(rate)).collect();
    vec![
        latency("read_latency_ms", 0),
        latency("write_latency_ms", 1),
        availability.scope("kind", kinds.collect()),
        throughput.scope("workload", rates),
    ]
}

/// Samples, if there are any.
pub(crate) fn whole(distribution: &Distribution) -> Option<Leaf> {
    (distribution.count() > 0).then(|| Leaf::Distribution(distribution.clone()))
}

/// A quantity over time, if it was measured at any.
fn over_time(quantity: &TimeWeighted) -> Option<Leaf> {
    (quantity.weight() > 0).then(|| Leaf::TimeWeighted(quantity.clone()))
}

/// A measure whose whole is the merger of its parts; parts without samples are left out.
pub(crate) fn distribution_by(
    slug: &str,
    kind: &'static str,
    names: &[String],
    parts: &[&Distribution],
) -> Measure {
    let seen: Vec<_> = names.iter().zip(parts).filter(|(_, part)| part.count() > 0).collect();
    let whole = seen.split_first().map(|((_, first), rest)| {
        let mut whole = (**first).clone();
        rest.iter().for_each(|(_, part)| whole.merge(part));
        Leaf::Distribution(whole)
    });
    let parts = seen.into_iter().map(|(name, part)| (name.clone(), Leaf::Distribution((*part).clone())));
    Measure::new(slug, whole).scope(kind, parts.collect())
}

/// A measure that counts; parts out of nothing are left out.
pub(crate) fn count_by(slug: &str, kind: &'static str, names: &[String], parts: Vec<(u64, u64)>) -> Measure {
    let leaf = |(count, of): (u64, u64)| Leaf::Count { count, of: Some(of) };
    let sum = parts.iter().fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
    let seen = names.iter().zip(parts).filter(|(_, part)| part.1 > 0);
    let parts = seen.map(|(name, part)| (name.clone(), leaf(part))).collect();
    Measure::new(slug, (sum.1 > 0).then(|| leaf(sum))).scope(kind, parts)
}
