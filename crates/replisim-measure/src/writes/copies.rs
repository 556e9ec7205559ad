//! A member's copies change: it logs, applies, and loses again.

use replisim_observe::{Key, Member, Stored, Time, Version};

use super::{Ack, KeyState, Writes, first_above};
use crate::replicas::Copy;
use crate::rightful::Rightful;

impl Writes {
    pub(crate) fn logged(
        &mut self,
        now: Time,
        member: Member,
        key: Key,
        stored: Stored,
        rightful: &Rightful,
    ) {
        self.note(member, key, stored, rightful);
        self.change(now, member, key, |copy| copy.logged = copy.logged.max(stored.version));
        self.exposure.advanced(now, member, (key, stored.version), &self.replicas);
    }

    pub(crate) fn applied(
        &mut self,
        now: Time,
        member: Member,
        key: Key,
        stored: Stored,
        rightful: &Rightful,
    ) {
        self.note(member, key, stored, rightful);
        let version = stored.version;
        if version <= self.replicas.copy(member, key).shown && !self.replicas.purges.is_bare(member, key) {
            return;
        }
        self.show(now, member, key, |copy| {
            copy.shown = version;
            copy.logged = copy.logged.max(version);
        });
        self.exposure.advanced(now, member, (key, version), &self.replicas);
    }

    pub(crate) fn unlogged(
        &mut self,
        now: Time,
        member: Member,
        key: Key,
        undone: Stored,
        back_to: Option<Stored>,
    ) {
        let record = self.records.get_mut(undone.write.0);
        if let Some(record) = record.filter(|record| record.version == Some(undone.version)) {
            let space = self.replicas.space;
            record.copies.remove(space.slot(space.group(key), member));
        }
        let version = back_to.map_or(Version(0), |stored| stored.version);
        self.change(now, member, key, |copy| copy.logged = version);
        self.exposure.fell_back(now, member, (key, undone.version), &self.replicas);
    }

    pub(crate) fn unapplied(
        &mut self,
        now: Time,
        member: Member,
        key: Key,
        undone: Stored,
        back_to: Option<Stored>,
    ) {
        let version = back_to.map_or(Version(0), |stored| stored.version);
        self.show(now, member, key, |copy| copy.shown = version);
        self.exposure.fell_back(now, member, (key, undone.version), &self.replicas);
    }

    pub(crate) fn hinted(&mut self, member: Member, key: Key, stored: Stored) {
        self.replicas.hints.insert(member, key, stored.version);
    }

    pub(crate) fn unhinted(&mut self, now: Time, member: Member, key: Key, version: Version) {
        let had = self.newest_anywhere(key);
        self.replicas.hints.remove(member, key, version);
        self.last_copy_goes(now, key, had, self.newest_anywhere(key));
    }

    /// `member` shows nothing of `key` from now on. What it holds stays the same, but no log stands behind it: what it
    /// shows next, however old, is all it has.
    pub(crate) fn purged(&mut self, now: Time, member: Member, key: Key, Stored { version, write }: Stored) {
        let mut copy = self.replicas.copy(member, key);
        if copy.logged <= version {
            copy.logged = Version(0);
        }
        self.replicas.set_copy(member, key, copy);
        if self.records.get(write.0).is_some_and(|record| record.is_acked() && !record.abandoned) {
            self.keys[key.index()].raise_floor(version);
        }
        self.replicas.purges.insert(member, key, version);
        self.divergence.recount(now, key, &self.replicas);
    }

    pub(crate) fn disk_lost(&mut self, now: Time, member: Member) {
        let space = self.replicas.space;
        for record in self.records.values_mut() {
            let slot = space.slot(space.group(record.key), member);
            if slot < space.group_size() {
                record.copies.remove(slot);
            }
        }
        for (key, version) in self.replicas.hints.of(member) {
            self.unhinted(now, member, key, version);
        }
        for key in space.keys_at(member) {
            self.show(now, member, key, |copy| *copy = Copy::default());
        }
        self.exposure.lost_all(now, member, &self.replicas);
    }

    pub(crate) fn member_up(&mut self, now: Time, member: Member, up: bool) {
        self.replicas.set_up(member, up);
        self.exposure.up_or_down(now, member, &self.replicas);
        self.divergence.recount_all(now, &self.replicas);
        self.look_for_recovery = true;
    }

    /// Changes what `member` has of `key`, and so what reads see there.
    #[inline]
    fn show(&mut self, now: Time, member: Member, key: Key, change: impl FnOnce(&mut Copy)) {
        let showed = self.replicas.shows(member, key);
        self.change(now, member, key, change);
        if !self.replicas.purges.is_empty() {
            self.replicas.purges.end(member, key);
        }
        let shows = self.replicas.shows(member, key);
        if shows < showed {
            self.divergence.recount(now, key, &self.replicas);
        } else if shows > showed && self.replicas.is_up(member) {
            self.divergence.shown(now, key, shows);
        }
    }

    /// Changes what `member` has of `key`, and books what that means for the standing writes.
    #[inline]
    fn change(&mut self, now: Time, member: Member, key: Key, change: impl FnOnce(&mut Copy)) {
        let before = self.replicas.held(member, key);
        self.exposure.before(now, member, key, &self.replicas);
        let mut copy = self.replicas.copy(member, key);
        let had = copy.newest();
        change(&mut copy);
        if copy.newest() < had && self.leaderless {
            let elsewhere = self.replicas.newest_elsewhere(key, Some(member));
            self.last_copy_goes(now, key, had.max(elsewhere), copy.newest().max(elsewhere));
        }
        self.replicas.set_copy(member, key, copy);
        let after = self.replicas.held(member, key);
        // Mostly a version is logged and shown at once, or logged before.
        let both = after.shown == after.logged && before.shown == before.logged;
        if after.logged > before.logged && !both {
            self.gains_in_log(member, key, before.logged, after.logged);
        } else if after.logged < before.logged {
            self.loses_from_log(member, key, before.logged, after.logged);
        }
        if after.shown > before.shown {
            self.gains(now, member, key, (before.shown, after.shown), both);
        } else if after.shown < before.shown {
            self.loses(now, member, key, before.shown, after.shown);
        }
    }

    /// `member`, which showed `before`, shows `version` now; `in_log`: and the same is true of its log.
    fn gains(
        &mut self,
        now: Time,
        member: Member,
        key: Key,
        (before, version): (Version, Version),
        in_log: bool,
    ) {
        let line = self.replicas.line(key);
        let state = &mut self.keys[key.index()];
        state.early.shown(now, member, before, version, |write| !self.fallen.contains(&(write, member)));
        let lag = &mut self.lags[member.index()];
        let (mut writes, mut bytes) = (0, 0);
        let (mut acked_writes, mut acked_bytes) = (0, 0);
        if in_log && before < line {
            self.exposure.block_logged(member, key, &state.block, &self.replicas);
        }
        if before < line && state.block.writes > 0 {
            state.block.missing -= 1;
            state.block.oldest.into_iter().for_each(|oldest| _ = lag.blocks.remove(&oldest));
            (writes, bytes) = (state.block.writes, state.block.bytes);
        }
        let first = first_above(&state.standing, before);
        for (_, write) in state.standing.range(first..).take_while(|(other, _)| *other <= version) {
            let Some(record) = self.records.get_mut(write.0) else { continue };
            writes += 1;
            bytes += u64::from(record.bytes);
            if in_log && record.is_acked() {
                acked_writes += 1;
                acked_bytes += u64::from(record.bytes);
            }
            record.missing -= 1;
            if record.missing == 0 {
                self.converging.push(*write);
            }
            let first_time = self.fallen.is_empty() || !self.fallen.remove(&(*write, member));
            let Some(committed) =
                record.committed.filter(|_| first_time && Some(member) != record.accepted_by)
            else {
                continue;
            };
            if self.window.contains(committed) {
                lag.results.delay.record(now.signed_since(committed));
                if let Ack::At(acked) = record.ack {
                    self.totals.visible_after_ack.record(now.signed_since(acked));
                }
            }
        }
        self.exposure.logged(member, key, acked_writes, acked_bytes, &self.replicas);
        if writes > 0 {
            lag.change(now, |level| {
                level.versions -= writes;
                level.bytes -= bytes;
            });
            self.advance(now, member, key);
        }
        let mut converging = std::mem::take(&mut self.converging);
        for write in converging.drain(..) {
            self.converge(now, write);
            self.settle(write);
        }
        self.converging = converging;
    }

    /// `member`, which showed `before`, shows only `version` now.
    fn loses(&mut self, now: Time, member: Member, key: Key, before: Version, version: Version) {
        let group = self.replicas.space.group(key);
        let slot = self.replicas.space.slot(group, member);
        let line = self.replicas.line(key);
        let KeyState { standing, block, .. } = &mut self.keys[key.index()];
        let lag = &mut self.lags[member.index()];
        let (mut writes, mut bytes) = (0, 0);
        if version < line && block.writes > 0 {
            block.missing += 1;
            lag.blocks.extend(block.oldest);
            (writes, bytes) = (block.writes, block.bytes);
            self.totals.regressed += block.in_window - block.regressed;
            block.regressed = block.in_window;
        }
        let first = first_above(standing, version);
        for (_, write) in standing.range(first..).take_while(|(other, _)| *other <= before) {
            let Some(record) = self.records.get_mut(write.0) else { continue };
            writes += 1;
            bytes += u64::from(record.bytes);
            record.missing += 1;
            self.fallen.insert((*write, member));
            self.commits[group.index()].lost(slot, record.commit_position);
            if record.ticket.take().is_some() {
                self.settled.unsettle();
            }
            if record.converged.is_some() && !record.regressed {
                record.regressed = true;
                let in_window = record.committed.is_some_and(|committed| self.window.contains(committed));
                self.totals.regressed += u64::from(in_window);
            }
        }
        if writes > 0 {
            lag.change(now, |level| {
                level.versions += writes;
                level.bytes += bytes;
            });
            self.advance(now, member, key);
        }
    }

    fn gains_in_log(&mut self, member: Member, key: Key, before: Version, version: Version) {
        let KeyState { standing, block, .. } = &self.keys[key.index()];
        if before < self.replicas.line(key) {
            self.exposure.block_logged(member, key, block, &self.replicas);
        }
        let (mut writes, mut bytes) = (0, 0);
        let first = first_above(standing, before);
        for (_, write) in standing.range(first..).take_while(|(other, _)| *other <= version) {
            if let Some(record) = self.records.get(write.0).filter(|record| record.is_acked()) {
                writes += 1;
                bytes += u64::from(record.bytes);
            }
        }
        self.exposure.logged(member, key, writes, bytes, &self.replicas);
    }

    fn loses_from_log(&mut self, member: Member, key: Key, before: Version, version: Version) {
        let KeyState { standing, block, lost_blocks, .. } = &mut self.keys[key.index()];
        if version < self.replicas.line(key) {
            self.exposure.block_unlogged(member, key, block, &self.replicas);
        }
        for lost in lost_blocks.iter_mut().filter(|lost| version < lost.line) {
            lost.copies.remove(self.replicas.space.slot(self.replicas.space.group(key), member));
        }
        let first = first_above(standing, version);
        for (_, write) in standing.range(first..).take_while(|(other, _)| *other <= before) {
            if let Some(record) = self.records.get(write.0).filter(|record| record.is_acked()) {
                let acked = (record.ack_position, record.bytes);
                self.exposure.unlogged(member, key, acked, &self.replicas);
            }
        }
    }
}
