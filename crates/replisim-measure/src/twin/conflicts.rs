//! What becomes of writes where versions decide, told from what everybody knew when.

use std::collections::BTreeSet;

use replisim_observe::{Key, Observation, OpKind, Outcome, Version};

use super::check::Check;
use super::{OpStory, Run, WriteStory};

/// A version of a key, from some event on.
type Floor = (Key, Version, usize);

impl Run<'_> {
    pub(super) fn check_conflicts(&self, check: &mut Check<'_>) {
        let promoted = self.find(0, |what| matches!(what, Observation::Promoted { .. })).is_some();
        let vectors = self.lanes() > 1;
        let applies = self.is_leaderless() && !promoted && !vectors;
        let acked: Vec<_> = self.writes.iter().filter(|w| self.in_window(w) && w.acked.is_some()).collect();
        let mut count = |slug, applies: bool, is: &dyn Fn(&WriteStory) -> bool, of: &[&WriteStory]| {
            let of = if applies { of } else { &[] };
            check.count(slug, None, (of.iter().filter(|write| is(write)).count(), of.len()));
        };
        count("skew_loss", applies, &|write| self.is_dead_on_arrival(write), &acked);
        count("conflict_loss", applies, &|write| self.is_conflict_loss(write), &acked);
        let updates: Vec<_> = acked.iter().copied().filter(|write| self.base(write).is_some()).collect();
        count("lost_updates", true, &|write| !vectors && self.is_lost_update(write), &updates);
        let floors = if applies { self.floors() } else { Vec::new() };
        check.count("resurrected_writes", None, (self.resurrected(&floors).len(), 0));
        for (client, name) in check.clients() {
            let reads = self.ops.iter().filter(|op| op.client == client && op.kind == OpKind::Read);
            let reads = reads.filter(|op| applies && self.window.contains(self.at(op.invoked)));
            let reads: Vec<_> = reads.filter(|op| self.ok_answer(op).is_some()).collect();
            let scope = Some(("workload", name));
            let stale = reads.iter().filter(|read| self.is_order_stale(read)).count();
            check.count("order_stale_reads", scope, (stale, reads.len()));
            let resurrected = reads.iter().filter(|read| self.is_resurrected(read, &floors)).count();
            check.count("resurrected_reads", scope, (resurrected, reads.len()));
        }
    }

    /// Whether a version above it was acked before it was invoked, and not abandoned by then.
    fn is_dead_on_arrival(&self, write: &WriteStory) -> bool {
        let invoked = write.invoked;
        let kills = |other: &WriteStory| {
            let stands = |acked| other.abandoned.is_none_or(|gone| gone > invoked && gone > acked);
            let acked = |acked| self.at(acked) < self.at(invoked) && stands(acked);
            other.key == write.key && other.version > write.version && other.acked.is_some_and(acked)
        };
        write.acked.is_some() && write.version.is_some() && self.writes.iter().any(kills)
    }

    /// Whether the next version above it, as things stood when it retired, was given without knowledge of it, and it
    /// without knowledge of that.
    fn is_conflict_loss(&self, write: &WriteStory) -> bool {
        let judged = write.retired.unwrap_or(self.records.len() - 1);
        if self.is_dead_on_arrival(write) || !self.was_in_time(write) || !write.stands(judged) {
            return false;
        }
        let Some((_, version)) = self.told(write) else { return false };
        let later = self.writes.iter().filter(|other| other.key == write.key).filter_map(|other| {
            let (known, next) = self.told(other).filter(|(_, next)| *next > version)?;
            let failed = self.certainly_not(other).is_some_and(|failed| failed <= judged);
            let committed = other.committed.is_some_and(|committed| committed <= judged);
            let stands = committed || next <= self.states[judged].newest_anywhere(other.key);
            let counts =
                known <= judged && !failed && stands && other.stands(judged) && self.was_in_time(other);
            counts.then_some((next, other))
        });
        let next = later.min_by_key(|(next, _)| *next);
        next.is_some_and(|(next, other)| {
            self.context(other, judged) < version && self.context(write, judged) < next
        })
    }

    /// Whether its version lay above the line when it became known.
    fn was_in_time(&self, write: &WriteStory) -> bool {
        self.told(write).is_some_and(|(told, version)| {
            told == 0 || version > self.states[told - 1].lines[write.key.index()]
        })
    }

    /// When somebody had it or committed it for the first time; and its version.
    fn told(&self, write: &WriteStory) -> Option<(usize, Version)> {
        let version = |what| match what {
            Observation::Logged { stored, .. }
            | Observation::Applied { stored, .. }
            | Observation::Hinted { stored, .. } => Some((stored.write, stored.version)),
            Observation::Committed { write, version, .. } => Some((write, version)),
            _ => None,
        };
        let told =
            |what| version(what).filter(|(other, _)| *other == write.write).map(|(_, version)| version);
        (0..self.records.len()).find_map(|i| Some((i, told(self.records[i].what)?)))
    }

    /// The newest of what its client had read, and of what the first member that came to have it had then.
    fn context(&self, write: &WriteStory, index: usize) -> Version {
        let copies = self.records[..=index].iter().enumerate().find_map(|(i, record)| match record.what {
            Observation::Logged { member, stored, .. }
            | Observation::Applied { member, stored, .. }
            | Observation::Hinted { member, stored, .. }
                if stored.write == write.write =>
            {
                Some((i, member.index()))
            }
            _ => None,
        });
        let had = copies.filter(|(i, _)| *i > 0).map(|(i, member)| {
            let state = &self.states[i - 1];
            state.logged[member][write.key.index()].max(state.shown[member][write.key.index()])
        });
        self.base(write).into_iter().chain(had).max().unwrap_or_default()
    }

    /// What it was made out of.
    fn base(&self, write: &WriteStory) -> Option<Version> {
        self.records.iter().find_map(|record| match record.what {
            Observation::BasedOn { write: other, version, .. } if other == write.write => Some(version),
            _ => None,
        })
    }

    /// When it was said that it never happens.
    fn certainly_not(&self, write: &WriteStory) -> Option<usize> {
        let (end, outcome) = write.answered?;
        (outcome == Outcome::Failed || outcome == Outcome::Ok && write.acked.is_none()).then_some(end)
    }

    /// The newest version of `key` that an owner has at the end.
    fn newest_held(&self, key: Key) -> Version {
        let Some(state) = self.states.last() else { return Version(0) };
        let has = |member: usize| state.logged[member][key.index()].max(state.shown[member][key.index()]);
        self.owners(key).map(has).max().unwrap_or_default()
    }

    /// Not in what the final state rests on, but between two links of that chain.
    fn is_lost_update(&self, write: &WriteStory) -> bool {
        let (mut chain, mut links) = (BTreeSet::new(), Vec::new());
        let mut version = self.newest_held(write.key);
        while chain.insert(version) {
            let of_version = |other: &&WriteStory| other.key == write.key && other.version == Some(version);
            let base = self.writes.iter().find(of_version).and_then(|other| self.base(other));
            links.extend(base.map(|base| (base, version)));
            version = base.unwrap_or(version);
        }
        let Some(version) = write.version else { return false };
        let spanned = links.iter().any(|(base, above)| *base < version && version < *above);
        write.abandoned.is_none() && !chain.contains(&version) && spanned
    }

    /// What was returned was acked before the invocation of a write that it supersedes, and that was acked before.
    fn is_order_stale(&self, read: &OpStory) -> bool {
        let Some((end, _, Some(returned))) = read.end else { return false };
        let of_key = || self.writes.iter().filter(|write| write.key == read.key);
        let below_line = returned.version < self.states[read.invoked].lines[read.key.index()];
        let returned = of_key().find(|write| write.version == Some(returned.version));
        let Some((returned, acked)) = returned.and_then(|write| Some((write, write.acked?))) else {
            return false;
        };
        let stands = returned.abandoned.is_none_or(|gone| gone > end && gone > acked) && acked < end;
        let overlooked = |write: &WriteStory| {
            let invoked = self.at(write.invoked);
            let in_order = self.at(acked) < invoked && write.version.is_some();
            let acked = write.acked.is_some_and(|acked| self.at(acked) < self.at(read.invoked));
            in_order && acked && write.version < returned.version
        };
        stands && !below_line && of_key().any(overlooked)
    }

    /// Versions of keys, and when each was acked, and had been held by every owner or was purged by one.
    fn floors(&self) -> Vec<Floor> {
        let floor = |write: &WriteStory| {
            let acked = write.acked?;
            let converged = self.converged(write).map(|converged| converged.max(acked));
            let purges = |what: &Observation| matches!(what, Observation::Purged { stored, .. } if stored.write == write.write);
            let from = converged.into_iter().chain(self.find(acked, purges)).filter(|i| write.stands(*i));
            Some((write.key, write.version?, from.min()?))
        };
        self.writes.iter().filter_map(floor).collect()
    }

    fn newest_shown(&self, key: Key, index: usize) -> Version {
        let shown = |member: usize| self.states[index].still_shown(member, key);
        self.owners(key).map(shown).max().unwrap_or_default()
    }

    /// Versions that were the newest shown though below the floor, at the end of an instant, from the end of the warm-up
    /// on for the first time.
    fn resurrected(&self, floors: &[Floor]) -> BTreeSet<(Key, Version)> {
        let (mut before, mut since) = (BTreeSet::new(), BTreeSet::new());
        let last = |i: &usize| *i + 1 == self.records.len() || self.at(*i) < self.at(*i + 1);
        for i in (0..self.records.len()).filter(last) {
            for key in (0..self.states[i].lines.len() as u32).map(Key) {
                let newest = self.newest_shown(key, i);
                if Version(0) < newest && newest < floor(floors, key, i) && !before.contains(&(key, newest)) {
                    let counts = self.at(i) >= self.window.from;
                    if counts { &mut since } else { &mut before }.insert((key, newest));
                }
            }
        }
        since
    }

    /// Returned what lies below the floor as it was at the invocation, when no owner showed that or a newer one.
    fn is_resurrected(&self, read: &OpStory, floors: &[Floor]) -> bool {
        let Some(before) = read.invoked.checked_sub(1) else { return false };
        let Some((_, _, Some(returned))) = read.end else { return false };
        let floor = floor(floors, read.key, before);
        returned.version < floor && self.newest_shown(read.key, before) < floor
    }
}

/// The newest floor of a key by event `index`.
fn floor(floors: &[Floor], key: Key, index: usize) -> Version {
    let by_then = floors.iter().filter(|(of, _, from)| *of == key && *from <= index);
    by_then.map(|(_, version, _)| *version).max().unwrap_or_default()
}
