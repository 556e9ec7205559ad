//! Reads of what did not last, told from what logs and promotions say of each write.

use replisim_observe::{
    Answer, Client, Key, Member, Observation, OpKind, Outcome, Said, Stored, Time, Version,
};

use super::check::Check;
use super::{OpStory, Run, WriteStory};

/// A read of the window that returned something.
#[derive(Clone, Copy, Debug)]
struct Served<'a> {
    read: &'a OpStory,
    invoked: Time,
    answered: Time,
    end: usize,
}

impl Run<'_> {
    pub(super) fn check_anomalies(&self, check: &mut Check<'_>) {
        for (client, name) in check.clients() {
            let reads = self.served_to(client);
            let mut count = |slug, is: &dyn Fn(&Served<'_>) -> bool| {
                let count = reads.iter().filter(|read| is(read)).count();
                check.count(slug, Some(("workload", name)), (count, reads.len()));
            };
            count("dirty_reads", &|read| self.is_dirty(read));
            count("early_reads", &|read| self.is_early(read));
            count("reads_missing_lost", &|read| self.misses_lost(read));
        }
    }

    fn served_to(&self, client: Client) -> Vec<Served<'_>> {
        let reads = self.ops.iter().filter(|op| op.client == client && op.kind == OpKind::Read);
        let reads = reads.filter(|op| self.window.contains(self.at(op.invoked)));
        reads
            .filter_map(|read| match self.ok_answer(read)? {
                Answer { at, said: Said::Value(_) | Said::Siblings(_), .. } => {
                    let (invoked, end) = (self.at(read.invoked), read.end?.0);
                    Some(Served { read, invoked, answered: at, end })
                }
                _ => None,
            })
            .collect()
    }

    /// The writes that a read returned: the newest that it saw of each lane.
    fn returned(&self, served: &Served<'_>) -> Vec<&WriteStory> {
        let saw = self.saw(served.read);
        let of_lane =
            |write: &&WriteStory| saw.iter().any(|(k, v)| (*k, Some(*v)) == (write.key, write.version));
        match served.read.end {
            Some((_, _, Some(stored))) => vec![self.story(stored)],
            _ => self.writes.iter().filter(of_lane).collect(),
        }
    }

    /// Returned a write that is later abandoned or failed.
    fn is_dirty(&self, read: &Served<'_>) -> bool {
        self.returned(read).into_iter().any(|write| {
            self.excluded_and_committed(write).is_some()
                || write.answered.is_some_and(|(_, outcome)| outcome == Outcome::Failed)
        })
    }

    /// Returned a write not yet committed when it was answered.
    fn is_early(&self, read: &Served<'_>) -> bool {
        let by_then = |committed: usize| committed < read.end && self.at(committed) <= read.answered;
        self.returned(read).into_iter().any(|write| !write.committed.is_some_and(by_then))
    }

    /// Misses an acked, abandoned write, and no write invoked after the abandonment was acked before the read.
    fn misses_lost(&self, served: &Served<'_>) -> bool {
        let key = served.read.key;
        let of_key = || self.writes.iter().filter(|write| self.is_of(write, key));
        of_key().any(|lost| {
            let (Some(acked), Some(gone)) = (lost.acked, self.excluded_and_committed(lost)) else {
                return false;
            };
            let made_good = of_key().any(|write| {
                let invoked = self.at(write.invoked);
                invoked > self.at(gone) && write.acked.is_some_and(|acked| self.at(acked) < served.invoked)
            });
            let missed = lost.version > Some(self.reflected(served.read, lost.key));
            self.at(acked.max(gone)) < served.invoked && missed && !made_good
        })
    }

    /// When the write was both committed and outside the rightful history, or said to be abandoned.
    fn excluded_and_committed(&self, write: &WriteStory) -> Option<usize> {
        let committed = write.committed?;
        let said = self
            .find(committed, |what| matches!(*what, Observation::Abandoned { write: w } if w == write.write));
        let excluded = self.excluded(write).map(|excluded| excluded.max(committed));
        said.into_iter().chain(excluded).chain(self.gone(write)).chain(self.nowhere(write)).min()
    }

    /// The end, if no node has it then.
    fn nowhere(&self, write: &WriteStory) -> Option<usize> {
        let ended = self.find(0, |what| matches!(*what, Observation::Ended))?;
        (!self.is_somewhere(write, ended)).then_some(ended)
    }

    /// Without a primary: when the last node lost it, after it was committed.
    fn gone(&self, write: &WriteStory) -> Option<usize> {
        let lost = |i: &usize| self.is_somewhere(write, i - 1) && !self.is_somewhere(write, *i);
        (write.committed? + 1..self.records.len()).filter(|_| self.is_leaderless()).find(lost)
    }

    /// Whether any node has the write just after event `index`, however old.
    fn is_somewhere(&self, write: &WriteStory, index: usize) -> bool {
        Some(self.states[index].newest_anywhere(write.key)) >= write.version
    }

    /// A member without it is promoted, or it becomes known after such a promotion.
    fn excluded(&self, write: &WriteStory) -> Option<usize> {
        let version = write.version?;
        let known = self.first_known(write)?;
        let group = self.group(write.key);
        let promotions =
            |from: usize, to: usize| (from..to).filter_map(|i| Some((i, self.promotion_in(group, i)?)));
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

    /// Whether it is a write of this key, whatever its lane.
    fn is_of(&self, write: &WriteStory, key: Key) -> bool {
        self.ops.iter().any(|op| op.op == write.op && op.key == key)
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
