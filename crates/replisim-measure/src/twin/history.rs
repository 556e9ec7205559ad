//! The run as a story of each write and of each operation, told event by event: what is known when, who is promoted,
//! what is abandoned, what retires.

use replisim_observe::{Key, Observation, OpKind, Outcome, Said, Stored, Version, Write};

use super::state::State;
use super::{OpStory, Run, WriteStory};

/// Telling the story: what is needed only meanwhile.
pub(super) struct Telling {
    remembered: u64,
    /// By group: the highest floor of a promotion, that of the rightful primary.
    floors: Vec<Version>,
    /// The next ticket, and those of the settled writes.
    next: u64,
    tickets: Vec<(u64, Write)>,
}

impl Telling {
    pub(super) fn new(remembered: usize, groups: usize) -> Telling {
        let floors = vec![Version(0); groups];
        Telling { remembered: remembered as u64, floors, next: 0, tickets: Vec::new() }
    }

    pub(super) fn see(&mut self, run: &mut Run<'_>, i: usize, state: &mut State) {
        state.see(run.records[i].what);
        match run.records[i].what {
            Observation::Invoked { op, client, kind, key, scheduled } => {
                run.ops.push(OpStory {
                    op,
                    client,
                    kind,
                    key,
                    scheduled,
                    invoked: i,
                    attempts: 1,
                    end: None,
                });
                if let OpKind::Write(write) = kind {
                    run.writes.push(WriteStory::new(write, key, op, i));
                }
            }
            Observation::Returned { op, outcome, answer } => {
                let story = run.ops.iter_mut().find(|story| story.op == op && story.end.is_none());
                let Some(story) = story else { return };
                let said = answer.map(|answer| answer.said);
                let returned = if let Some(Said::Value(returned)) = said { returned } else { None };
                story.end = Some((i, outcome, returned));
                let (kind, acked) = (story.kind, outcome == Outcome::Ok && said != Some(Said::NotApplied));
                for story in run.writes.iter_mut().filter(|story| story.op == op && story.answered.is_none())
                {
                    let told = kind == OpKind::Write(story.write);
                    story.answered = Some((i, if told { outcome } else { Outcome::Unknown }));
                    story.acked = (told && acked).then_some(i);
                }
            }
            Observation::Retried { op, after, write } => {
                let story = run.ops.iter_mut().find(|story| story.op == op && story.end.is_none());
                let Some(story) = story else { return };
                story.attempts += 1;
                let (key, before) = (story.key, story.kind);
                let Some(write) = write else { return };
                story.kind = OpKind::Write(write);
                let fails = |story: &&mut WriteStory| {
                    before == OpKind::Write(story.write) && after == Outcome::Failed
                };
                run.writes.iter_mut().filter(fails).for_each(|story| story.answered = Some((i, after)));
                run.writes.push(WriteStory::new(write, key, op, i));
            }
            Observation::Recognised { op, write } => {
                let story = run.ops.iter_mut().find(|story| story.op == op && story.end.is_none());
                story.into_iter().for_each(|story| story.kind = OpKind::Write(write));
            }
            Observation::Committed { write, key, version, bytes, accepted_by } => {
                self.learn(run, i, key, Stored { version, write });
                let accepted_by = (!run.is_leaderless()).then_some(accepted_by);
                let story = run.write(write);
                story.committed = Some(i);
                story.bytes = bytes;
                story.accepted_by = accepted_by;
                story.abandoned = story.excluded.then_some(i);
            }
            Observation::Logged { key, stored, .. } | Observation::Applied { key, stored, .. } => {
                self.learn(run, i, key, stored);
            }
            Observation::Promoted { .. } => {
                let Some((member, floor)) = run.promotion(i) else { return };
                let group = run.records[i].group;
                self.floors[group.index()] = floor;
                let (placement, lanes) = (run.roster.placement, run.lanes());
                let in_group = |story: &&mut WriteStory| placement.group(Key(story.key.0 / lanes)) == group;
                for story in run.writes.iter_mut().filter(in_group) {
                    let lacks = |version| state.logs(member.index(), story.key) < version;
                    // Retired writes of a key stand or fall with the newest of them.
                    let line = story.retired.map(|_| state.lines[story.key.index()]);
                    if !line.or(story.version).is_some_and(|version| version <= floor && lacks(version)) {
                        continue;
                    }
                    story.excluded = true;
                    if story.committed.is_some() {
                        story.abandoned.get_or_insert(i);
                    }
                }
            }
            // What no node has at the end is gone for good.
            Observation::Ended => {
                for story in run.writes.iter_mut().filter(|story| story.committed.is_some()) {
                    if !state.is_somewhere(story) {
                        story.abandoned.get_or_insert(i);
                    }
                }
            }
            Observation::Abandoned { write } => {
                let story = run.write(write);
                if story.committed.is_some() && story.retired.is_none() {
                    story.abandoned.get_or_insert(i);
                }
            }
            _ => {}
        }
        self.abandon_what_the_last_node_lost(run, i, state);
        self.settle(run, i, state);
    }

    /// Without a primary, what was committed and somewhere before event `i`, and is nowhere after it.
    fn abandon_what_the_last_node_lost(&self, run: &mut Run<'_>, i: usize, state: &State) {
        let Some(before) = i.checked_sub(1).filter(|_| run.is_leaderless()) else { return };
        let before = &run.states[before];
        let committed = |story: &&mut WriteStory| story.committed.is_some_and(|committed| committed < i);
        for story in run.writes.iter_mut().filter(committed) {
            if before.is_somewhere(story) && !state.is_somewhere(story) {
                story.abandoned.get_or_insert(i);
            }
        }
    }

    /// What becomes known after a promotion was not at the promoted member.
    fn learn(&self, run: &mut Run<'_>, i: usize, key: Key, Stored { version, write }: Stored) {
        let floor = self.floors[run.group(key).index()];
        let story = run.write(write);
        if story.known.is_none() {
            story.known = Some(i);
            story.key = key;
            story.version = Some(version);
            story.excluded = version <= floor;
        }
    }

    /// Draws tickets for writes that have settled, in version order, and retires those whose turn it is.
    fn settle(&mut self, run: &mut Run<'_>, i: usize, state: &mut State) {
        let mut settled: Vec<(Version, Write)> = Vec::new();
        for story in &run.writes {
            let (Some(version), Some(_)) = (story.version, story.committed) else { continue };
            let everywhere = run.owners(story.key).all(|owner| state.shows(owner, story.key) >= version);
            let stands = story.answered.is_some() && story.abandoned.is_none() && story.retired.is_none();
            if stands && everywhere {
                settled.push((version, story.write));
            }
        }
        settled.sort();
        self.tickets.retain(|(_, write)| settled.iter().any(|(_, other)| other == write));
        settled.retain(|(_, write)| self.tickets.iter().all(|(_, other)| other != write));
        for (_, write) in settled {
            self.tickets.push((self.next, write));
            self.next += 1;
            let (next, remembered) = (self.next, self.remembered);
            for (_, write) in self.tickets.extract_if(.., |(ticket, _)| next - *ticket > remembered) {
                let story = run.write(write);
                story.retired = Some(i);
                let line = &mut state.lines[story.key.index()];
                *line = story.version.unwrap_or_default().max(*line);
            }
        }
    }
}

impl State {
    /// Whether any node is judged to hold the write, be it in a hint.
    fn is_somewhere(&self, story: &WriteStory) -> bool {
        story
            .version
            .is_some_and(|version| self.judged(story.key, self.newest_anywhere(story.key)) >= version)
    }
}
