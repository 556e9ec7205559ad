//! The history of writes: they converge, settle, retire; or a promotion excludes them.

use replisim_observe::{Group, Key, Member, Time, Version, Write};

use super::{Ack, News, Record, Writes, first_above};
use crate::members::Members;
use crate::retirement::LostBlock;
use crate::rightful::Rightful;

impl Writes {
    /// `member` is the rightful primary of `group` from now on. What it lacks, of all that is not above the floor, is excluded.
    pub(crate) fn promoted(&mut self, now: Time, group: Group, member: Member, rightful: &Rightful) {
        let floor = rightful.floor(group);
        for key in self.replicas.space.keys_in(group) {
            let has = self.replicas.held(member, key).logged;
            let state = &self.keys[key.index()];
            let excluded = |version: Version| has < version && version <= floor;
            let standing = state.standing.iter().filter(|(version, _)| excluded(*version));
            let standing: Vec<Write> = standing.map(|(_, write)| *write).collect();
            let open = state.early.above(has).filter(|(version, _)| excluded(*version));
            let open: Vec<(Version, Write)> = open.collect();
            if !standing.is_empty() {
                standing.into_iter().for_each(|write| self.abandon(now, write));
                self.news.push(News::Withdrawn(key, has, floor));
            }
            open.into_iter().for_each(|(version, write)| self.exclude(key, version, write));
            if excluded(self.replicas.line(key)) {
                self.abandon_block(now, key);
            }
        }
        self.exposure.promoted(now, group, member, &self.replicas);
    }

    /// The rightful history excludes a write.
    pub(crate) fn abandoned(&mut self, now: Time, write: Write) {
        if let Some((key, version)) =
            self.records.get(write.0).and_then(|record| Some((record.key, record.version?)))
        {
            self.abandon(now, write);
            self.news.push(News::Withdrawn(key, Version(version.0 - 1), version));
        }
    }

    /// The run is over: what no member has is gone for good. (Not before: it may have been on its way.)
    pub(super) fn abandon_what_is_nowhere(&mut self, now: Time) {
        for key in self.replicas.keys() {
            let newest = self.replicas.judged(key, self.newest_anywhere(key));
            let standing = self.keys[key.index()].standing.iter().filter(|(version, _)| *version > newest);
            let standing: Vec<Write> = standing.map(|(_, write)| *write).collect();
            if !standing.is_empty() {
                standing.into_iter().for_each(|write| self.abandon(now, write));
                self.news.push(News::Withdrawn(key, newest, Version(u64::MAX)));
            }
            if self.replicas.line(key) > newest {
                self.abandon_block(now, key);
            }
        }
    }

    /// The newest version of `key` that any node has, hints included.
    pub(crate) fn newest_anywhere(&self, key: Key) -> Version {
        self.replicas.newest_elsewhere(key, None)
    }

    /// Of `key`, nodes are about to have nothing above `left`, and had up to `had`: without a primary, what was committed
    /// of it is abandoned. To be called before the last copy goes, so that its loss is that of an abandoned write.
    pub(super) fn last_copy_goes(&mut self, now: Time, key: Key, had: Version, left: Version) {
        if !self.leaderless || left >= had {
            return;
        }
        self.news.push(News::Gone(key, left, had));
        let line = self.replicas.line(key);
        let (had, left) = (self.replicas.judged(key, had), self.replicas.judged(key, left));
        let standing = &self.keys[key.index()].standing;
        let gone = standing.range(first_above(standing, left)..).take_while(|(version, _)| *version <= had);
        let gone: Vec<Write> = gone.map(|(_, write)| *write).collect();
        if !gone.is_empty() {
            gone.into_iter().for_each(|write| self.abandon(now, write));
            self.news.push(News::Withdrawn(key, left, had));
        }
        if left < line && line <= had {
            self.abandon_block(now, key);
        }
    }

    fn abandon(&mut self, now: Time, write: Write) {
        let Some(record) = self.records.get_mut(write.0).filter(|record| !record.abandoned) else { return };
        let (Some(committed), Some(version)) = (record.committed, record.version) else { return };
        record.abandoned = true;
        if record.ticket.take().is_some() {
            self.settled.unsettle();
        }
        self.totals.abandoned += 1;
        self.totals.abandoned_in_window += u64::from(self.window.contains(committed));
        let (key, bytes) = (record.key, record.bytes);
        let standing = &mut self.keys[key.index()].standing;
        let place = standing.partition_point(|(other, _)| *other < version);
        let place = standing.range(place..).position(|(_, other)| *other == write).map(|i| place + i);
        place.into_iter().for_each(|place| _ = standing.remove(place));
        if record.is_acked() {
            let write = (key, version, bytes);
            self.exposure.abandoned(now, write, record.ack_position, &self.replicas);
        }
        self.commits[self.replicas.space.group(key).index()].gone(record.commit_position);
        self.forget_falls(write);
        for member in self.replicas.owners(key) {
            if self.replicas.held(member, key).shown < version {
                self.lags[member.index()].change(now, |level| {
                    level.versions -= 1;
                    level.bytes -= u64::from(bytes);
                });
                self.advance(now, member, key);
            }
        }
        self.settle(write);
    }

    /// A write that is not committed: if it ever is, it is abandoned at once.
    fn exclude(&mut self, key: Key, version: Version, write: Write) {
        let Some(record) = self.records.get_mut(write.0).filter(|record| record.committed.is_none()) else {
            return;
        };
        record.excluded = true;
        self.keys[key.index()].early.remove(version, write);
        if record.ack == Ack::Never {
            self.records.remove(write.0);
            self.unheard.insert(write.0);
        }
    }

    fn abandon_block(&mut self, now: Time, key: Key) {
        let block = std::mem::take(&mut self.keys[key.index()].block);
        if block.writes == 0 {
            return;
        }
        self.exposure.book(now, &self.replicas);
        self.totals.abandoned += block.writes;
        self.totals.abandoned_in_window += block.in_window;
        let line = self.replicas.line(key);
        let mut copies = Members::none_of(self.replicas.space.group_size());
        for (slot, member) in self.replicas.owners_in_place(key) {
            let held = self.replicas.held(member, key);
            if held.logged >= line {
                copies.insert(slot);
            } else {
                self.exposure.block_logged(member, key, &block, &self.replicas);
            }
            if held.shown < line {
                let lag = &mut self.lags[member.index()];
                lag.change(now, |level| {
                    level.versions -= block.writes;
                    level.bytes -= block.bytes;
                });
                block.oldest.into_iter().for_each(|oldest| _ = lag.blocks.remove(&oldest));
                self.advance(now, member, key);
            }
        }
        if block.acked_in_window > 0 {
            let lost = LostBlock { line, acked: block.acked_in_window, copies };
            self.keys[key.index()].lost_blocks.push(lost);
        }
        self.news.push(News::BlockWithdrawn(key));
    }

    /// Every owner holds the write.
    pub(super) fn converge(&mut self, now: Time, write: Write) {
        let Some(record) = self.records.get_mut(write.0).filter(|record| record.converged.is_none()) else {
            return;
        };
        record.converged = Some(now);
        if let (Ack::At(_), Some(version)) = (record.ack, record.version) {
            self.keys[record.key.index()].raise_floor(version);
        }
        if let Some(committed) = record.committed.filter(|committed| self.window.contains(*committed)) {
            self.totals.convergence.record(now.since(committed).nanos() as i64);
            if let Ack::At(acked) = record.ack {
                self.totals.inconsistency_window.record(now.signed_since(acked).max(0));
            }
        }
    }

    /// Sees whether anything more is to be expected of the write soon.
    pub(super) fn settle(&mut self, write: Write) {
        let Some(record) = self.records.get_mut(write.0).filter(|record| record.ack != Ack::Awaited) else {
            return;
        };
        let (Some(_), Some(version)) = (record.committed, record.version) else { return };
        if record.ticket.is_some() {
            return;
        }
        self.keys[record.key.index()].early.remove(version, write);
        if record.abandoned {
            if record.ack == Ack::Never {
                self.records.remove(write.0);
            }
        } else if record.missing == 0 {
            record.ticket = Some(self.settled.ticket(write));
            while let Some((ticket, write)) = self.settled.overdue() {
                self.retire(ticket, write);
            }
        }
    }

    /// A write that has been settled for long becomes part of its key's block, if its ticket is still its own.
    fn retire(&mut self, ticket: u64, write: Write) {
        if self.records.get(write.0).is_none_or(|record| record.ticket != Some(ticket)) {
            return;
        }
        let Some(record) = self.records.remove(write.0) else { return };
        let (Some(committed), Some(version)) = (record.committed, record.version) else { return };
        self.settled.unsettle();
        let key = record.key;
        let state = &mut self.keys[key.index()];
        if let Some(place) = state.standing.iter().position(|(_, other)| *other == write) {
            state.standing.remove(place); // nearly always the first
        }
        self.commits[self.replicas.space.group(key).index()].gone(record.commit_position);
        let block = &mut state.block;
        let oldest = (record.commit_order, committed);
        block.oldest = Some(block.oldest.map_or(oldest, |other| other.min(oldest)));
        block.writes += 1;
        block.newest = block.newest.max(version);
        block.bytes += u64::from(record.bytes);
        let in_window = self.window.contains(committed);
        block.in_window += u64::from(in_window);
        block.regressed += u64::from(in_window && record.regressed);
        if let Ack::At(acked) = record.ack {
            block.acked += 1;
            block.acked_bytes += u64::from(record.bytes);
            block.first_ack = Some(block.first_ack.map_or(acked, |first| first.min(acked)));
            block.acked_in_window += u64::from(in_window);
            self.exposure.retired(key, record.ack_position, &self.replicas);
        }
        self.replicas.raise_line(key, version);
        self.forget_falls(write);
        self.news.push(News::Retired(key, version, record.is_acked()));
    }

    fn forget_falls(&mut self, write: Write) {
        if !self.fallen.is_empty() {
            let falls = (write, Member(0))..=(write, Member(u32::MAX));
            let falls: Vec<_> = self.fallen.range(falls).copied().collect();
            falls.iter().for_each(|fall| _ = self.fallen.remove(fall));
        }
    }
}

impl Record {
    pub(super) fn is_acked(&self) -> bool {
        matches!(self.ack, Ack::At(_))
    }
}
