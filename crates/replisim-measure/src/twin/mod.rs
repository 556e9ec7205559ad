//! The same measures by brute force over a recorded run: O(n²), and as close to the words of `docs/definitions.md` as
//! code can be. It shares nothing with the streaming measures but the types of the results it is compared with.
//!
//! Use it as an oracle: [`disagreements`] lists every place where a streamed result differs from the definition.
//! Here is the run as a story of each write and each operation, and what a member shows at a moment; the measures of
//! [`writes`], [`reads`] and [`operations`] are told over it, and [`check`] compares.

mod anomalies;
mod availability;
mod check;
mod operations;
mod reads;
mod writes;

use replisim_observe::{
    Client, Key, Member, Observation, Op, OpKind, Outcome, Record, Said, Stored, Time, Version, Window, Write,
};

use crate::findings::Findings;
use check::Check;

/// Compares results with what the definitions make of the recorded run. Empty if they agree to the nanosecond.
pub fn disagreements(findings: &Findings, records: &[Record], window: Window) -> Vec<String> {
    let run = Run::read(records, findings.roster.members.len(), window);
    let mut check = Check { findings, found: Vec::new() };
    run.check_reads(&mut check);
    run.check_writes(&mut check);
    run.check_operations(&mut check);
    run.check_anomalies(&mut check);
    run.check_availability(&mut check);
    run.check_accounting(&mut check);
    check.found
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
struct OpStory {
    op: Op,
    client: Client,
    kind: OpKind,
    key: Key,
    scheduled: Time,
    invoked: usize,
    end: Option<(usize, Outcome, Option<Stored>)>,
}

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
}
