//! The same measures by brute force over a recorded run: O(n²), and as close to the words of `docs/definitions.md` as
//! code can be. It shares nothing with the streaming measures but the types of the results it is compared with.
//!
//! Use it as an oracle: [`disagreements`] lists every place where a streamed result differs from the definition.

use replisim_observe::{
    Client, Key, Member, Observation, Op, OpKind, Outcome, Record, Said, Stored, Time, Version, Window, Write,
};

use crate::distribution::{Distribution, Quantile, rank};
use crate::findings::{Findings, Leaf};

/// Compares results with what the definitions make of the recorded run. Empty if they agree to the nanosecond.
pub fn disagreements(findings: &Findings, records: &[Record], window: Window) -> Vec<String> {
    let run = Run::read(records, findings.roster.members.len(), window);
    let mut found = Vec::new();
    let clients: Vec<(usize, &str)> =
        findings.roster.clients.iter().map(String::as_str).enumerate().collect();
    let nodes: Vec<(usize, &str)> = findings.roster.members.iter().map(String::as_str).enumerate().collect();

    for (i, name) in &clients {
        let client = Client(*i as u32);
        let scope = Some(("workload", *name));
        let reads = run.reads_of(client);
        let staleness: Vec<i64> = reads.iter().map(|read| run.staleness(read)).collect();
        let missed: Vec<i64> = reads.iter().map(|read| run.missed(read).len() as i64).collect();
        let stale: Vec<i64> = staleness
            .iter()
            .zip(&missed)
            .filter(|(_, missed)| **missed > 0)
            .map(|(staleness, _)| *staleness)
            .collect();
        check_samples(&mut found, findings, "staleness_ms", scope, &staleness, &[]);
        check_samples(&mut found, findings, "staleness_when_stale_ms", scope, &stale, &[]);
        check_samples(&mut found, findings, "staleness_versions", scope, &missed, &[]);
        check_count(&mut found, findings, "stale_reads", scope, (stale.len(), reads.len()));
        let visible: Vec<bool> = reads.iter().filter_map(|read| run.reflects_last_ack(read)).collect();
        let fresh = visible.iter().filter(|fresh| **fresh).count();
        check_count(&mut found, findings, "t_visibility", scope, (fresh, visible.len()));
        for (slug, reads) in [("read_latency_ms", true), ("write_latency_ms", false)] {
            check_samples(&mut found, findings, slug, scope, &run.latencies(client, reads), &[]);
        }
        let (ok, scheduled) = run.ok_of_scheduled(client);
        check_count(&mut found, findings, "availability", scope, (ok, scheduled));
    }
    for (i, name) in &nodes {
        let scope = Some(("node", *name));
        check_samples(&mut found, findings, "replication_delay_ms", scope, &run.delays(*i), &[]);
        for (slug, of_versions) in [("lag_ms", false), ("lag_versions", true)] {
            check_lag(&mut found, findings, slug, scope, &run.lag(*i), of_versions);
        }
    }
    check_samples(&mut found, findings, "visible_after_ack_ms", None, &run.visible_after_ack(), &[]);
    let (known, censored) = run.convergence();
    check_samples(&mut found, findings, "convergence_ms", None, &known, &censored);
    let (known, censored) = run.inconsistency_windows();
    check_samples(&mut found, findings, "inconsistency_window_ms", None, &known, &censored);
    let (known, censored) = run.recoveries();
    check_samples(&mut found, findings, "recovery_convergence_ms", None, &known, &censored);
    run.check_counts(&mut found, findings);
    found
}

/// A write, with the moments that its definition names. An index is a position in the record: it tells apart what
/// happened at the same instant.
#[derive(Clone, Debug)]
struct WriteStory {
    write: Write,
    key: Key,
    version: Option<Version>,
    known: Option<usize>,
    committed: Option<usize>,
    accepted_by: Member,
    acked: Option<usize>,
    abandoned: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
struct ReadStory {
    key: Key,
    invoked: usize,
    returned: Option<Stored>,
}

#[derive(Clone, Copy, Debug)]
struct OpStory {
    op: Op,
    client: Client,
    kind: OpKind,
    key: Key,
    scheduled: Time,
    invoked: usize,
    end: Option<(usize, Outcome, Option<Stored>)>,
}

/// From, to, commit time of the oldest missing write, number of missing writes.
type LagPiece = (Time, Time, Option<Time>, u64);

struct Run<'a> {
    records: &'a [Record],
    members: usize,
    window: Window,
    writes: Vec<WriteStory>,
    ops: Vec<OpStory>,
}

impl<'a> Run<'a> {
    fn read(records: &'a [Record], members: usize, window: Window) -> Run<'a> {
        let mut run = Run { records, members, window, writes: Vec::new(), ops: Vec::new() };
        for (i, record) in records.iter().enumerate() {
            match record.what {
                Observation::Invoked { op, client, kind, key, scheduled } => {
                    run.ops.push(OpStory { op, client, kind, key, scheduled, invoked: i, end: None });
                    if let OpKind::Write(write) = kind {
                        run.writes.push(WriteStory {
                            write,
                            key,
                            version: None,
                            known: None,
                            committed: None,
                            accepted_by: Member(0),
                            acked: None,
                            abandoned: None,
                        });
                    }
                }
                Observation::Returned { op, outcome, answer } => {
                    let Some(story) = run.ops.iter_mut().find(|story| story.op == op && story.end.is_none())
                    else {
                        continue;
                    };
                    let said = answer.map(|answer| answer.said);
                    let returned = if let Some(Said::Value(returned)) = said { returned } else { None };
                    story.end = Some((i, outcome, returned));
                    if let (OpKind::Write(write), Outcome::Ok) = (story.kind, outcome)
                        && said != Some(Said::NotApplied)
                    {
                        run.write(write).acked = Some(i);
                    }
                }
                Observation::Committed { write, version, accepted_by, .. } => {
                    let story = run.write(write);
                    story.version = Some(version);
                    story.known.get_or_insert(i);
                    story.committed = Some(i);
                    story.accepted_by = accepted_by;
                }
                Observation::Applied { stored, .. } => {
                    let story = run.write(stored.write);
                    story.version = Some(stored.version);
                    story.known.get_or_insert(i);
                }
                Observation::Abandoned { write } => {
                    run.write(write).abandoned.get_or_insert(i);
                }
                _ => {}
            }
        }
        run
    }

    fn write(&mut self, write: Write) -> &mut WriteStory {
        self.writes.iter_mut().find(|story| story.write == write).expect("invoked before anything else")
    }

    fn at(&self, index: usize) -> Time {
        self.records[index].at
    }

    /// The version that `member` shows for `key` just after event `index`.
    fn shows(&self, member: usize, key: Key, index: usize) -> Version {
        let applied = self.records[..=index].iter().filter_map(|record| match record.what {
            Observation::Applied { member: m, key: k, stored } if m.index() == member && k == key => {
                Some(stored.version)
            }
            _ => None,
        });
        applied.max().unwrap_or(Version(0))
    }

    /// When `member` came to hold the write; if it held a superseding version before that was known, at the commit.
    fn applied(&self, write: &WriteStory, member: usize) -> Option<usize> {
        let (version, known, committed) = (write.version?, write.known?, write.committed?);
        if known > 0 && self.shows(member, write.key, known - 1) >= version {
            return Some(committed);
        }
        (known..self.records.len()).find(|i| self.shows(member, write.key, *i) >= version)
    }

    /// Whether both happened, and the write was not abandoned by then.
    fn standing(&self, write: &WriteStory, a: usize, b: usize) -> bool {
        write.abandoned.is_none_or(|abandoned| abandoned > a.max(b))
    }

    fn in_window(&self, write: &WriteStory) -> bool {
        write.committed.is_some_and(|i| self.window.contains(self.at(i)))
    }

    fn delays(&self, member: usize) -> Vec<i64> {
        let writes =
            self.writes.iter().filter(|write| self.in_window(write) && write.accepted_by.index() != member);
        writes
            .filter_map(|write| {
                let (applied, committed) = (self.applied(write, member)?, write.committed?);
                let delay = self.at(applied).signed_since(self.at(committed));
                self.standing(write, applied, committed).then_some(delay)
            })
            .collect()
    }

    fn visible_after_ack(&self) -> Vec<i64> {
        let mut samples = Vec::new();
        for write in self.writes.iter().filter(|write| self.in_window(write)) {
            for member in (0..self.members).filter(|member| write.accepted_by.index() != *member) {
                if let (Some(acked), Some(applied)) = (write.acked, self.applied_early(write, member))
                    && self.standing(write, acked, applied)
                {
                    samples.push(self.at(applied).signed_since(self.at(acked)));
                }
            }
        }
        samples
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

    fn end(&self) -> Time {
        self.records.last().map_or(Time::ZERO, |record| record.at)
    }

    /// Writes that `member` lacks just after event `index`: committed by then, not abandoned, not held.
    fn lacks(&self, member: usize, index: usize) -> Vec<&WriteStory> {
        let standing = self.writes.iter().filter(|write| {
            write.committed.is_some_and(|committed| committed <= index)
                && write.abandoned.is_none_or(|abandoned| abandoned > index)
        });
        standing
            .filter(|write| write.version.is_some_and(|v| self.shows(member, write.key, index) < v))
            .collect()
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
        let is_fault = |what| {
            matches!(what, Observation::FaultBegan(_) | Observation::FaultEnded(_) | Observation::Ended)
        };
        for (i, record) in self.records.iter().enumerate() {
            let counts = self.window.from <= record.at && record.at <= self.window.to;
            if !matches!(record.what, Observation::FaultEnded(_)) || !counts {
                continue;
            }
            let next = (i + 1..self.records.len()).find(|j| is_fault(self.records[*j].what));
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

    /// M(r): writes of the key acked before r.invoked, not abandoned by then, not reflected by what r returned.
    fn missed(&self, read: &ReadStory) -> Vec<&WriteStory> {
        let invoked = self.at(read.invoked);
        let returned = read.returned.map_or(Version(0), |stored| stored.version);
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
        Some(read.returned.is_some_and(|stored| stored.version >= last.1))
    }

    fn scheduled_in_window(&self, client: Client) -> impl Iterator<Item = &OpStory> {
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

    fn check_counts(&self, found: &mut Vec<String>, findings: &Findings) {
        let committed: Vec<_> = self.writes.iter().filter(|write| write.committed.is_some()).collect();
        let abandoned = |write: &&&WriteStory| write.abandoned.is_some();
        let unconverged = |write: &&&WriteStory| write.abandoned.is_none() && self.converged(write).is_none();
        let in_window = |write: &&&WriteStory| self.in_window(write);
        let acked = |write: &&&WriteStory| write.acked.is_some();
        let of = committed.iter().filter(in_window).count();
        for (slug, count, of) in [
            ("unconverged_writes", committed.iter().filter(in_window).filter(unconverged).count(), of),
            ("abandoned_writes", committed.iter().filter(in_window).filter(abandoned).count(), of),
            (
                "lost_writes",
                committed.iter().filter(in_window).filter(acked).filter(abandoned).count(),
                committed.iter().filter(in_window).filter(acked).count(),
            ),
        ] {
            check_count(found, findings, slug, None, (count, of));
        }
        let ended = |outcome: Outcome| {
            self.ops.iter().filter(|op| op.end.is_some_and(|(_, o, _)| o == outcome)).count()
        };
        let open = self.ops.iter().filter(|op| op.end.is_none()).count();
        let saw = |wanted: fn(&Observation) -> bool| {
            self.records.iter().filter(|record| wanted(&record.what)).count()
        };
        let (sent, copies, delivered, lost) = (
            saw(|what| matches!(what, Observation::Sent { .. })),
            saw(|what| matches!(what, Observation::Duplicated)),
            saw(|what| matches!(what, Observation::Delivered)),
            saw(|what| matches!(what, Observation::Lost)),
        );
        let gone = committed.iter().filter(abandoned).count();
        let behind = committed.iter().filter(unconverged).count();
        let expected = [
            self.ops.len(),
            ended(Outcome::Ok),
            ended(Outcome::Failed),
            ended(Outcome::Unknown) + open,
            committed.len(),
            committed.len() - gone - behind,
            behind,
            gone,
            sent,
            copies,
            delivered,
            lost,
            sent + copies - delivered - lost,
        ];
        for ((name, value), expected) in findings.accounting.entries().into_iter().zip(expected) {
            if value != expected as u64 {
                found.push(format!("accounting, {name}: streamed {value}, by definition {expected}"));
            }
        }
        if !findings.accounting.holds() {
            found.push("accounting does not add up".to_owned());
        }
    }
}

type Scope<'a> = Option<(&'a str, &'a str)>;

fn name(slug: &str, scope: Scope<'_>) -> String {
    scope.map_or(slug.to_owned(), |(kind, name)| format!("{slug}{{{kind}={name}}}"))
}

fn check_count(
    found: &mut Vec<String>,
    findings: &Findings,
    slug: &str,
    scope: Scope<'_>,
    expected: (usize, usize),
) {
    let streamed = match findings.leaf(slug, scope) {
        Some(Leaf::Count { count, of }) => (*count as usize, of.unwrap_or_default() as usize),
        _ => (0, 0),
    };
    if streamed != expected {
        found.push(format!("{}: streamed {streamed:?}, by definition {expected:?}", name(slug, scope)));
    }
}

fn check_samples(
    found: &mut Vec<String>,
    findings: &Findings,
    slug: &str,
    scope: Scope<'_>,
    known: &[i64],
    censored: &[u64],
) {
    let empty = Distribution::default();
    let streamed = match findings.leaf(slug, scope) {
        Some(Leaf::Distribution(distribution)) => distribution,
        _ => &empty,
    };
    let mut sorted = known.to_vec();
    sorted.sort();
    let sum: i128 = known.iter().map(|sample| i128::from(*sample)).sum();
    let facts = (streamed.count(), streamed.count_censored(), streamed.sum(), streamed.min());
    let expected =
        ((known.len() + censored.len()) as u64, censored.len() as u64, sum, sorted.first().copied());
    if facts != expected {
        found.push(format!("{}: streamed {facts:?}, by definition {expected:?}", name(slug, scope)));
        return;
    }
    for q in [0.01, 0.5, 0.9, 0.99, 1.0] {
        if !censored.is_empty() || sorted.is_empty() {
            continue; // bounds of quantiles are tested with the distribution
        }
        let exact = sorted[rank(q, sorted.len() as u64) as usize - 1];
        let close = |value: i64| (value - exact).unsigned_abs() <= exact.unsigned_abs() / 100;
        if !matches!(streamed.quantile(q), Some(Quantile::Value(value)) if close(value)) {
            found.push(format!(
                "{}: p{q} streamed {:?}, by definition {exact}",
                name(slug, scope),
                streamed.quantile(q)
            ));
        }
    }
}

fn check_lag(
    found: &mut Vec<String>,
    findings: &Findings,
    slug: &str,
    scope: Scope<'_>,
    pieces: &[LagPiece],
    of_versions: bool,
) {
    let Some(Leaf::TimeWeighted(streamed)) = findings.leaf(slug, scope) else {
        found.push(format!("{}: missing", name(slug, scope)));
        return;
    };
    let (mut weight, mut twice_integral, mut max) = (0u128, 0u128, 0u64);
    for (from, to, oldest, versions) in pieces {
        let lasted = u128::from(to.since(*from).nanos());
        weight += lasted;
        let (a, b) = match (of_versions, oldest) {
            (true, _) => (*versions, *versions),
            (false, Some(oldest)) => (from.since(*oldest).nanos(), to.since(*oldest).nanos()),
            (false, None) => (0, 0),
        };
        twice_integral += lasted * u128::from(a + b);
        max = max.max(b);
    }
    let facts = (streamed.weight(), streamed.twice_integral(), streamed.max().unwrap_or_default());
    if facts != (weight, twice_integral, max) {
        found.push(format!(
            "{}: streamed {facts:?}, by definition {:?}",
            name(slug, scope),
            (weight, twice_integral, max)
        ));
    }
}
