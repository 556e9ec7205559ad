//! The same measures by brute force over a recorded run: O(n²), and as close to the words of `docs/definitions.md` as
//! code can be. It shares nothing with the streaming measures but the types of the results it is compared with.
//!
//! Use it as an oracle: [`disagreements`] lists every place where a streamed result differs from the definition.
//! Here are the stories of the run (`history` tells them) and the state after each event (`state`); the other files
//! say what each measure makes of them, and `check` compares.

mod anomalies;
mod availability;
mod catch_up;
mod check;
mod conflicts;
mod history;
mod lag;
mod loss;
mod operations;
mod reads;
mod retries;
mod state;
mod writes;

use replisim_observe::{
    Client, Group, Key, Member, Observation, Op, OpKind, Outcome, PromotionRule, Record, Roster, Stored,
    Time, Version, Window, Write,
};

use crate::findings::Findings;
use crate::retirement::remembered;
use check::Check;
use history::Telling;
use state::State;

/// Compares results with what the definitions make of the recorded run. Empty if they agree to the nanosecond.
pub fn disagreements(findings: &Findings, records: &[Record], window: Window) -> Vec<String> {
    disagreements_remembering(findings, records, window, remembered(&findings.roster))
}

/// The same for measures that remember so many settled writes.
pub fn disagreements_remembering(
    findings: &Findings,
    records: &[Record],
    window: Window,
    writes: usize,
) -> Vec<String> {
    let run = Run::read(findings, records, window, writes);
    let mut check = Check { findings, found: Vec::new() };
    run.check_reads(&mut check);
    run.check_writes(&mut check);
    run.check_lag(&mut check);
    run.check_catch_up(&mut check);
    run.check_loss(&mut check);
    run.check_operations(&mut check);
    run.check_retries(&mut check);
    run.check_anomalies(&mut check);
    run.check_availability(&mut check);
    run.check_conflicts(&mut check);
    run.check_accounting(&mut check);
    check.found
}

/// A write, with the moments that its definition names. An index is a position in the record: it tells apart what
/// happened at the same instant.
#[derive(Clone, Debug)]
struct WriteStory {
    write: Write,
    op: Op,
    invoked: usize,
    /// In its lane, once the version is known.
    key: Key,
    version: Option<Version>,
    bytes: u32,
    known: Option<usize>,
    /// A promoted member lacked it, or it became known later.
    excluded: bool,
    committed: Option<usize>,
    accepted_by: Option<Member>,
    /// What its client was told of it, and when.
    answered: Option<(usize, Outcome)>,
    acked: Option<usize>,
    abandoned: Option<usize>,
    retired: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
struct OpStory {
    op: Op,
    client: Client,
    /// A write is the one that its client was told of, or else that of the last attempt.
    kind: OpKind,
    key: Key,
    scheduled: Time,
    invoked: usize,
    attempts: i64,
    end: Option<(usize, Outcome, Option<Stored>)>,
}

struct Run<'a> {
    records: &'a [Record],
    roster: &'a Roster,
    members: usize,
    window: Window,
    writes: Vec<WriteStory>,
    ops: Vec<OpStory>,
    /// After each event.
    states: Vec<State>,
}

impl WriteStory {
    /// Whether the copy of this member is no replication.
    fn was_accepted_by(&self, member: usize) -> bool {
        self.accepted_by.is_some_and(|accepted_by| accepted_by.index() == member)
    }

    fn new(write: Write, key: Key, op: Op, invoked: usize) -> WriteStory {
        WriteStory {
            write,
            op,
            invoked,
            key,
            version: None,
            bytes: 0,
            known: None,
            excluded: false,
            committed: None,
            accepted_by: None,
            answered: None,
            acked: None,
            abandoned: None,
            retired: None,
        }
    }

    /// Whether it is not abandoned just after event `index`.
    fn stands(&self, index: usize) -> bool {
        self.abandoned.is_none_or(|abandoned| abandoned > index)
    }
}

impl<'a> Run<'a> {
    fn read(findings: &'a Findings, records: &'a [Record], window: Window, remembered: usize) -> Run<'a> {
        let roster = &findings.roster;
        let (members, writes, ops, states) = (roster.members.len(), Vec::new(), Vec::new(), Vec::new());
        let mut run = Run { records, roster, members, window, writes, ops, states };
        let mut telling = Telling::new(remembered, roster.placement.groups());
        let mut state = State::new(members, roster.keys * run.lanes() as usize);
        for i in 0..records.len() {
            telling.see(&mut run, i, &mut state);
            run.states.push(state.clone());
        }
        run
    }

    fn lanes(&self) -> u32 {
        self.roster.lanes.max(1)
    }

    /// The lanes of a key.
    fn lanes_of(&self, key: Key) -> impl Iterator<Item = Key> + use<> {
        let lanes = self.lanes();
        (0..lanes).map(move |lane| Key(key.0 * lanes + lane))
    }

    /// The members that are to hold what is written to `key`, in a lane.
    fn owners(&self, key: Key) -> impl Iterator<Item = usize> + Clone {
        let owned = Key(key.0 / self.lanes());
        let owns = move |m: &usize| self.roster.placement.owns(self.members, Member(*m as u32), owned);
        (0..self.members).filter(owns)
    }

    fn is_leaderless(&self) -> bool {
        self.roster.promotion == PromotionRule::Leaderless
    }

    fn write(&mut self, write: Write) -> &mut WriteStory {
        self.writes.iter_mut().find(|story| story.write == write).expect("invoked before anything else")
    }

    /// The replication group of a key, in a lane.
    fn group(&self, key: Key) -> Group {
        self.roster.placement.group(Key(key.0 / self.lanes()))
    }

    fn groups(&self) -> impl Iterator<Item = Group> + use<> {
        (0..self.roster.placement.groups() as u32).map(Group)
    }

    /// Who is promoted at event `index` with which floor, if nobody in the group has been with a higher one.
    fn promotion(&self, index: usize) -> Option<(Member, Version)> {
        let promoted = |what| match what {
            Observation::Promoted { member, floor } => Some((member, floor)),
            _ => None,
        };
        let (member, floor) = promoted(self.records[index].what)?;
        let before = self.records[..index].iter().filter(|record| record.group == self.records[index].group);
        let mut before = before.filter_map(|record| promoted(record.what));
        before.all(|(_, earlier)| earlier <= floor).then_some((member, floor))
    }

    /// The same, if it is in `group`.
    fn promotion_in(&self, group: Group, index: usize) -> Option<(Member, Version)> {
        self.promotion(index).filter(|_| self.records[index].group == group)
    }

    /// The rightful primary of `group` just after event `index`.
    fn primary(&self, group: Group, index: usize) -> Option<Member> {
        (0..=index).rev().find_map(|i| self.promotion_in(group, i)).map(|(member, _)| member)
    }

    fn at(&self, index: usize) -> Time {
        self.records[index].at
    }

    fn end(&self) -> Time {
        self.records.last().map_or(Time::ZERO, |record| record.at)
    }

    fn in_window(&self, write: &WriteStory) -> bool {
        write.committed.is_some_and(|i| self.window.contains(self.at(i)))
    }

    /// Whether `member` holds the write just after event `index`.
    fn holds(&self, member: usize, write: &WriteStory, index: usize) -> bool {
        write.version.is_some_and(|version| self.states[index].shows(member, write.key) >= version)
    }

    /// Writes that `member` lacks just after event `index`: committed by then, not abandoned, not held.
    fn lacks(&self, member: usize, index: usize) -> Vec<&WriteStory> {
        let lacked = |write: &&WriteStory| {
            write.committed.is_some_and(|committed| committed <= index)
                && write.stands(index)
                && self.owners(write.key).any(|owner| owner == member)
                && !self.holds(member, write, index)
        };
        self.writes.iter().filter(lacked).collect()
    }
}
