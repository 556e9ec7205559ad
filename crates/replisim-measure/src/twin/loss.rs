//! What was lost, and what might have been: the class of each write at the end, and the exposure to the loss of the
//! primary over time.

use std::cmp::Reverse;

use replisim_observe::{Group, Key, Member, Observation, PromotionRule, Stored, Time, Version};

use super::check::{Check, Piece};
use super::{Run, WriteStory};

impl Run<'_> {
    pub(super) fn check_loss(&self, check: &mut Check<'_>) {
        let writes: Vec<_> = self.writes.iter().filter(|write| self.in_window(write)).collect();
        let count = |is: &dyn Fn(&WriteStory) -> bool| writes.iter().filter(|write| is(write)).count();
        let acked = count(&|write| write.acked.is_some());
        let is_lost = |write: &WriteStory| write.acked.is_some() && write.abandoned.is_some();
        let lost = count(&is_lost);
        let stranded = count(&|write| is_lost(write) && self.stranded(write));
        for (slug, count, of) in [
            ("unconverged_writes", count(&|write| self.unconverged(write)), writes.len()),
            ("unconverged_at_live_owners", count(&|write| self.unconverged_at_live(write)), writes.len()),
            ("regressed_writes", count(&|write| self.regressed(write)), writes.len()),
            ("abandoned_writes", count(&|write| write.abandoned.is_some()), writes.len()),
            ("lost_writes", lost, acked),
            ("lost_then_overwritten", count(&|write| is_lost(write) && self.overwritten(write)), lost),
            ("stranded_writes", stranded, lost),
            ("destroyed_writes", lost - stranded, lost),
        ] {
            check.count(slug, None, (count, of));
        }
        let exposed = |i: Option<usize>| self.exposed(i?);
        check.over_time("rpo_writes", None, &self.over_window(|i| Some(exposed(i)?.len() as u64)));
        let bytes = |write: &&WriteStory| u64::from(write.bytes);
        check.over_time("rpo_bytes", None, &self.over_window(|i| Some(exposed(i)?.iter().map(bytes).sum())));
        check.over_time("rpo_age_ms", None, &self.exposed_age());
    }

    /// Not abandoned, and some owner lacks it at the end.
    pub(super) fn unconverged(&self, write: &WriteStory) -> bool {
        let end = self.records.len() - 1;
        let lacks = |member| !self.holds(member, write, end);
        write.committed.is_some() && write.abandoned.is_none() && self.owners(write.key).any(lacks)
    }

    fn unconverged_at_live(&self, write: &WriteStory) -> bool {
        let end = self.records.len() - 1;
        let lacks = |member| self.states[end].up[member] && !self.holds(member, write, end);
        write.abandoned.is_none() && self.owners(write.key).any(lacks)
    }

    /// Converged, and some owner lacks it again before it is abandoned, if it ever is.
    fn regressed(&self, write: &WriteStory) -> bool {
        let Some(converged) = self.converged(write) else { return false };
        let lacks = |i: usize| self.owners(write.key).any(|member| !self.holds(member, write, i));
        (converged..self.records.len()).any(|i| write.stands(i) && lacks(i))
    }

    /// A later write of its key stands; for a retired write, one above the line of when it was abandoned.
    fn overwritten(&self, lost: &WriteStory) -> bool {
        let line = |abandoned: usize| self.states[abandoned].lines[lost.key.index()];
        let version = lost.abandoned.filter(|_| lost.retired.is_some()).map(line).or(lost.version);
        let later = |write: &WriteStory| write.key == lost.key && write.version > version;
        self.writes.iter().any(|w| later(w) && w.committed.is_some() && w.abandoned.is_none())
    }

    /// Whether some member still has the abandoned write at the end: the entry itself in its log; or, if it had retired,
    /// what made the line when it was abandoned.
    fn stranded(&self, write: &WriteStory) -> bool {
        let (Some(version), Some(abandoned)) = (write.version, write.abandoned) else { return false };
        let entry = Stored { version, write: write.write };
        let line = self.states[abandoned].lines[write.key.index()];
        let keeps = |m: usize| {
            let above = |i: usize| self.states[i].logs(m, write.key) >= line;
            (abandoned..self.records.len()).all(above)
        };
        (0..self.members).any(|m| if write.retired.is_some() { keeps(m) } else { self.has_entry(m, entry) })
    }

    /// Whether `entry` stands in the log of `member` at the end.
    fn has_entry(&self, m: usize, entry: Stored) -> bool {
        self.records.iter().fold(false, |has, record| match record.what {
            Observation::Logged { member, stored, .. } | Observation::Applied { member, stored, .. }
                if member.index() == m && stored == entry =>
            {
                true
            }
            Observation::Unlogged { member, undone, .. } if member.index() == m && undone == entry => false,
            Observation::DiskLost { member } if member.index() == m => false,
            _ => has,
        })
    }

    /// Who would be promoted in `group` if its primary were lost just after event `index`.
    fn next(&self, group: Group, index: usize) -> Option<usize> {
        let state = &self.states[index];
        let primary = self.primary(group, index)?.index();
        let mut others: Vec<usize> =
            self.roster.placement.members(self.members, group).map(Member::index).collect();
        others.retain(|member| *member != primary);
        others.sort();
        let live: Vec<usize> = others.iter().copied().filter(|member| state.up[*member]).collect();
        let mut candidates = if live.is_empty() { others } else { live };
        let head = |member: &usize| {
            let keys = (0..state.lines.len()).filter(|key| self.group(Key(*key as u32)) == group);
            keys.map(|key| state.shown[*member][key].max(state.logged[*member][key]))
                .max()
                .unwrap_or(Version(0))
        };
        match &self.roster.promotion {
            PromotionRule::MostAdvanced => candidates.sort_by_key(|member| Reverse(head(member))),
            PromotionRule::Any => candidates.sort_by_key(head),
            PromotionRule::Order(order) => {
                let rank = |member: &usize| order.iter().position(|other| other.index() == *member);
                candidates.sort_by_key(|member| rank(member).unwrap_or(order.len()));
            }
            PromotionRule::Leaderless => return None,
        }
        candidates.first().copied()
    }

    /// The acked writes, not abandoned, that the next primary of their group does not have in its log just after event
    /// `index`.
    fn exposed(&self, index: usize) -> Option<Vec<&WriteStory>> {
        let groups = self.groups().filter_map(|group| self.exposed_in(group, index));
        groups.reduce(|mut all, more| {
            all.extend(more);
            all
        })
    }

    fn exposed_in(&self, group: Group, index: usize) -> Option<Vec<&WriteStory>> {
        let next = self.next(group, index)?;
        let logs = |write: &WriteStory| self.states[index].logs(next, write.key);
        let acked = |write: &WriteStory| write.acked.is_some_and(|acked| acked <= index);
        let exposed = |write: &&WriteStory| {
            self.group(write.key) == group
                && acked(write)
                && write.stands(index)
                && write.version.is_some_and(|v| logs(write) < v)
        };
        Some(self.writes.iter().filter(exposed).collect())
    }

    fn exposed_age(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for i in 1..self.records.len() {
            let from = self.at(i - 1).max(self.window.from);
            let to = self.at(i).min(self.window.to);
            if let Some(exposed) = self.exposed(i - 1).filter(|_| from < to) {
                let first: Option<Time> = exposed.iter().filter_map(|w| w.acked).map(|i| self.at(i)).min();
                pieces.push(Piece::age(from, to, first));
            }
        }
        pieces
    }
}
