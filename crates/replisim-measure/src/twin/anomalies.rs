//! Reads of what did not last, told from what logs and promotions say of each write.

use replisim_observe::{
    Answer, Client, Key, Member, Observation, OpKind, Outcome, Said, Stored, Time, Version,
};

use super::check::Check;
use super::{OpStory, Run, WriteStory};

#[derive(Clone, Copy, Debug)]
struct Served {
    key: Key,
    invoked: Time,
    answered: Time,
    end: usize,
    returned: Option<Stored>,
}

impl Run<'_> {
    pub(super) fn check_anomalies(&self, check: &mut Check<'_>) {
        for (client, name) in check.clients() {
            let reads = self.served_to(client);
            let mut count = |slug, is: &dyn Fn(&Served) -> bool| {
                let count = reads.iter().filter(|read| is(read)).count();
                check.count(slug, Some(("workload", name)), (count, reads.len()));
            };
            count("dirty_reads", &|read| self.is_dirty(read));
            count("early_reads", &|read| self.is_early(read));
            count("reads_missing_lost", &|read| self.misses_lost(read));
        }
    }

    fn served_to(&self, client: Client) -> Vec<Served> {
        let reads = self.ops.iter().filter(|op| op.client == client && op.kind == OpKind::Read);
        let reads = reads.filter(|op| self.window.contains(self.at(op.invoked)));
        reads
            .filter_map(|op| match self.ok_answer(op)? {
                Answer { at, said: Said::Value(returned), .. } => Some(Served {
                    key: op.key,
                    invoked: self.at(op.invoked),
                    answered: at,
                    end: op.end?.0,
                    returned,
                }),
                _ => None,
            })
            .collect()
    }

    /// Returned a write that is later abandoned or failed.
    fn is_dirty(&self, read: &Served) -> bool {
        read.returned.is_some_and(|stored| {
            let write = self.story(stored);
            self.excluded_and_committed(write).is_some() || self.ended(write) == Some(Outcome::Failed)
        })
    }

    /// Returned a write not yet committed when it was answered.
    fn is_early(&self, read: &Served) -> bool {
        let by_then = |committed: usize| committed < read.end && self.at(committed) <= read.answered;
        read.returned.is_some_and(|stored| !self.story(stored).committed.is_some_and(by_then))
    }

    /// Misses an acked, abandoned write, and no write invoked after the abandonment was acked before the read.
    fn misses_lost(&self, read: &Served) -> bool {
        let returned = read.returned.map_or(Version(0), |stored| stored.version);
        let of_key = || self.writes.iter().filter(|write| write.key == read.key);
        of_key().any(|lost| {
            let (Some(acked), Some(gone)) = (lost.acked, self.excluded_and_committed(lost)) else {
                return false;
            };
            let made_good = of_key().any(|write| {
                let invoked = self.at(self.op_of(write).invoked);
                invoked > self.at(gone) && write.acked.is_some_and(|acked| self.at(acked) < read.invoked)
            });
            self.at(acked.max(gone)) < read.invoked && lost.version > Some(returned) && !made_good
        })
    }

    /// When the write was both committed and outside the rightful history, or said to be abandoned.
    fn excluded_and_committed(&self, write: &WriteStory) -> Option<usize> {
        let committed = write.committed?;
        let said = self
            .find(committed, |what| matches!(*what, Observation::Abandoned { write: w } if w == write.write));
        let excluded = self.excluded(write).map(|excluded| excluded.max(committed));
        said.into_iter().chain(excluded).chain(self.nowhere(write)).min()
    }

    /// The end, if no member has it then.
    fn nowhere(&self, write: &WriteStory) -> Option<usize> {
        let ended = self.find(0, |what| matches!(*what, Observation::Ended))?;
        let state = &self.states[ended];
        let key = write.key.index();
        let lacks =
            |member: usize| Some(state.logged[member][key].max(state.shown[member][key])) < write.version;
        (0..self.members).all(lacks).then_some(ended)
    }

    /// A member without it is promoted, or it becomes known after such a promotion.
    fn excluded(&self, write: &WriteStory) -> Option<usize> {
        let version = write.version?;
        let known = self.first_known(write)?;
        let promotions = |from: usize, to: usize| (from..to).filter_map(|i| Some((i, self.promotion(i)?)));
        if promotions(0, known).any(|(_, (_, floor))| version <= floor) {
            return Some(known);
        }
        let drops = |(i, (member, floor))| {
            (version <= floor && self.newest_logged(member, write.key, i) < version).then_some(i)
        };
        promotions(known, self.records.len()).find_map(drops)
    }

    fn first_known(&self, write: &WriteStory) -> Option<usize> {
        self.find(0, |what| match *what {
            Observation::Logged { stored, .. } | Observation::Applied { stored, .. } => {
                stored.write == write.write
            }
            Observation::Committed { write: committed, .. } => committed == write.write,
            _ => false,
        })
    }

    fn newest_logged(&self, member: Member, key: Key, index: usize) -> Version {
        self.records[..=index].iter().fold(Version(0), |newest, record| match record.what {
            Observation::Logged { member: m, key: k, stored }
            | Observation::Applied { member: m, key: k, stored }
                if (m, k) == (member, key) =>
            {
                newest.max(stored.version)
            }
            Observation::Unlogged { member: m, key: k, back_to, .. } if (m, k) == (member, key) => {
                back_to.map_or(Version(0), |stored| stored.version)
            }
            Observation::DiskLost { member: m } if m == member => Version(0),
            _ => newest,
        })
    }

    fn story(&self, stored: Stored) -> &WriteStory {
        self.writes.iter().find(|write| write.write == stored.write).expect("invoked before anything else")
    }

    pub(super) fn op_of(&self, write: &WriteStory) -> &OpStory {
        self.ops.iter().find(|op| op.kind == OpKind::Write(write.write)).expect("invoked by an operation")
    }

    fn ended(&self, write: &WriteStory) -> Option<Outcome> {
        self.op_of(write).end.map(|(_, outcome, _)| outcome)
    }

    /// The answer to an operation that ended ok.
    pub(super) fn ok_answer(&self, op: &OpStory) -> Option<Answer> {
        match self.records[op.end?.0].what {
            Observation::Returned { outcome: Outcome::Ok, answer, .. } => answer,
            _ => None,
        }
    }

    /// The first event from `from` on that is like that.
    pub(super) fn find(&self, from: usize, like: impl Fn(&Observation) -> bool) -> Option<usize> {
        (from..self.records.len()).find(|i| like(&self.records[*i].what))
    }
}
