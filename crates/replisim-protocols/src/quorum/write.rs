//! Writes: what their coordinator does, and what a copy does.

use replisim_observe::{Key, Member, Op, Stored, Version, Write};

use super::Quorum;
use super::config::{Conflicts, ContactWrites, Hints, Timestamps};
use super::coordinate::{Kind, Pending, each};
use super::level::{Level, Places};
use super::message::{Attempt, Message, Store};
use super::value::{State, Value};
use crate::bug_shelf::Bug;
use crate::protocol::{Change, Context, Effects, Reply, timestamp};

/// A write under way.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Writing {
    state: State,
    /// What is written, as clients are told.
    stored: Stored,
    pub(super) acked: Places,
    /// Copies for which there is a hint.
    hinted: Places,
    answered: bool,
}

impl Quorum {
    /// A client writes.
    pub(super) fn write(
        &mut self,
        op: Op,
        key: Key,
        (write, change): (Write, Change),
        context: &Context,
        stamp: Version,
        out: &mut impl Effects<Self>,
    ) {
        let (bytes, deleted) = match change {
            Change::Put { bytes } => (bytes, false),
            Change::Delete => (0, true),
            Change::CompareAndSet { .. } => return out.reply(op, Reply::Refused),
        };
        let level = self.settings.write;
        let mut targets = self.reachable(key);
        let copies = self.ring.copies(key);
        let hints = self.settings.hints == Hints::Coordinator && self.is_node();
        let suffices = level.satisfied(&copies, targets.places) || (level == Level::Any && hints);
        if !suffices {
            return out.reply(op, Reply::Refused);
        }
        // Whoever is not to be sent the write is not to be handed it later either.
        let all = self.settings.contact_writes == ContactWrites::All || targets.places == 0;
        let hint_now = if hints && all { copies.all() & !targets.places } else { 0 };
        let (state, version, lane) = match self.settings.conflicts {
            Conflicts::LastWriterWins(by) => {
                let version = match by.timestamps {
                    Timestamps::Client => stamp,
                    Timestamps::Coordinator => self.give_version(Version(0), out),
                };
                let value = Value { stored: Stored { version, write }, bytes, deleted };
                (State::Register(Some(value)), version, 0)
            }
            Conflicts::Siblings => {
                let Some(_) = copies.mine() else {
                    let live = each(targets.places).next().map(|place| copies.member(place));
                    return out.reply(op, Reply::Redirect(live));
                };
                let mut state = self.disk.read(key, out);
                let lane = self.me.0;
                let last = state.newest(lane).map_or(Version(0), |(stored, _)| stored.version);
                let version = self.give_version(last, out);
                if let State::Siblings(set) = &mut state {
                    set.write(context, lane, Value { stored: Stored { version, write }, bytes, deleted });
                }
                (state, version, lane)
            }
        };
        if self.settings.contact_writes == ContactWrites::Quorum {
            let mine = match self.settings.conflicts {
                Conflicts::Siblings => self.ring.copies(key).mine().map_or(0, |place| 1 << place),
                Conflicts::LastWriterWins(_) => 0,
            };
            targets.places = self.draw(key, level, targets.places, mine, out);
        }
        let writing = Writing {
            state: state.clone(),
            stored: Stored { version, write },
            acked: 0,
            hinted: 0,
            answered: false,
        };
        let pending = Pending {
            op,
            key,
            since: out.local_clock(),
            level,
            targets: targets.clone(),
            kind: Kind::Write(writing),
        };
        let attempt = self.begin(pending, out);
        if hint_now != 0 {
            self.hint_for(attempt, hint_now, out);
        }
        self.send_copies(key, &targets, targets.places, out, |place, owner, copies| Store {
            attempt,
            key,
            place,
            state: state.clone(),
            lane,
            rule: level.commit_rule(copies, place),
            owner,
        });
    }

    /// A copy to keep arrives, for oneself or for an owner that is taken for dead.
    pub(super) fn store(&mut self, from: Member, store: Store, out: &mut impl Effects<Self>) {
        let Store { attempt, key, place, state, lane, rule, owner } = store;
        let news = match owner {
            Some(owner) => {
                self.disk.hint(owner, key, &state, out);
                true
            }
            None => self.take(key, &state, out),
        };
        if let (Some(rule), Some((stored, bytes))) = (rule, state.newest(lane)) {
            let lane = self.disk.lane_of(key, lane);
            if !news {
                out.logged(lane, stored); // it is part of what stands here already
            }
            out.accepted(lane, stored, bytes, rule);
        }
        self.acknowledge(from, Message::Stored { attempt, place }, out);
    }

    /// A copy has been kept.
    pub(super) fn stored(&mut self, attempt: Attempt, place: u32, out: &mut impl Effects<Self>) {
        let Some(pending) = self.attempts.get_mut(attempt) else { return };
        match &mut pending.kind {
            Kind::Write(writing) => {
                writing.acked |= 1 << place;
                self.answer_write(attempt, out);
            }
            Kind::Read(_) => self.repaired(attempt, place, out),
        }
    }

    /// Answers the client once enough copies have the write; it is over when all have.
    fn answer_write(&mut self, attempt: Attempt, out: &mut impl Effects<Self>) {
        let Some(pending) = self.attempts.get_mut(attempt) else { return };
        let Kind::Write(writing) = &mut pending.kind else { return };
        let copies = self.ring.copies(pending.key);
        let by_hint = (pending.level == Level::Any || Bug::HintCounted.is_on()) && writing.hinted != 0;
        let acked = if Bug::SilentCounted.is_on() { pending.targets.places } else { writing.acked };
        if !writing.answered && (by_hint || pending.level.satisfied(&copies, acked)) {
            writing.answered = true;
            out.reply(pending.op, Reply::Written(writing.stored));
        }
        if writing.answered && writing.acked == pending.targets.places {
            self.attempts.end(attempt);
        }
    }

    /// The coordinator keeps hints for the copies at `places`.
    fn hint_for(&mut self, attempt: Attempt, places: Places, out: &mut impl Effects<Self>) {
        let Some(pending) = self.attempts.get_mut(attempt) else { return };
        let Kind::Write(writing) = &mut pending.kind else { return };
        writing.hinted |= places;
        let (key, state, level) = (pending.key, writing.state.clone(), pending.level);
        self.keep_hints(key, &state, places, out);
        if level == Level::Any {
            self.commit_by_hint(key, &state, out);
            self.answer_write(attempt, out);
        }
    }

    /// Nobody more will acknowledge the write.
    pub(super) fn give_up_write(
        &mut self,
        pending: &Pending,
        writing: &Writing,
        silent: Places,
        out: &mut impl Effects<Self>,
    ) {
        if self.settings.hints == Hints::Coordinator && self.is_node() {
            // The coordinator's own copy is there: its disk is slow.
            let mine = self.ring.copies(pending.key).mine().map_or(0, |place| 1 << place);
            let silent = silent & !mine;
            self.keep_hints(pending.key, &writing.state, silent, out);
            if pending.level == Level::Any && !writing.answered && silent != 0 {
                self.commit_by_hint(pending.key, &writing.state, out);
                out.reply(pending.op, Reply::Written(writing.stored));
            }
        }
    }

    fn keep_hints(&mut self, key: Key, state: &State, places: Places, out: &mut impl Effects<Self>) {
        for place in each(places).filter(|_| !Bug::HintDropped.is_on()) {
            let owner = self.ring.copies(key).member(place);
            self.disk.hint(owner, key, state, out);
        }
    }

    /// At level `any` a hint is as good as a copy.
    fn commit_by_hint(&mut self, key: Key, state: &State, out: &mut impl Effects<Self>) {
        let lane = if self.disk.lanes > 1 { self.me.0 } else { 0 };
        let rule = Level::Any.commit_rule(&self.ring.copies(key), 0);
        if let (Some((stored, bytes)), Some(rule)) = (state.newest(lane), rule) {
            out.accepted(self.disk.lane_of(key, lane), stored, bytes, rule);
        }
    }

    /// Merges `state` into the own copy.
    pub(super) fn take(&mut self, key: Key, state: &State, out: &mut impl Effects<Self>) -> bool {
        let changed = self.disk.take(key, state, out);
        if let State::Register(Some(value)) = state
            && changed
            && value.deleted
        {
            self.expect_expiry(key, value.stored.version, out);
        }
        changed
    }

    fn give_version(&mut self, after: Version, out: &impl Effects<Self>) -> Version {
        self.stamp = timestamp(out.wall_clock(), self.me.0, self.stamp.max(after));
        self.stamp
    }
}
