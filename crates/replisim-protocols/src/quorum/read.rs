//! Reads: what their coordinator does, and what a copy does.
//!
//! All answers that arrive before there are enough are merged, so the newest wins, whoever answered first.

use replisim_observe::{Key, Member, Op};

use super::config::ContactReads;
use super::coordinate::{Kind, Pending, each};
use super::level::Places;
use super::message::{Attempt, Fetched, Message, Store};
use super::value::State;
use super::{Quorum, Repair};
use crate::bug_shelf::Bug;
use crate::protocol::{Consistency, Effects, Reply, Siblings};

/// A read under way.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Reading {
    /// The answers so far, merged.
    best: State,
    /// Copies that have answered …
    answered: Places,
    /// … and of these, those that are like `best`.
    agree: Places,
    /// Fingerprints of other copies.
    digests: Vec<(u32, u64)>,
    stage: Stage,
    /// Whether to bring old copies up to date afterwards.
    repairs: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Stage {
    /// Not enough have answered, by value or by fingerprint.
    Comparing,
    /// Fingerprints differed: of these copies not enough have sent the value.
    Asking,
    /// These copies are being brought up to date before the answer.
    Repairing(Places),
    /// The client has its answer; the rest is for repair.
    Answered,
}

impl Reading {
    /// Of the copies in `asked`, those that have said nothing.
    pub(super) fn silent(&self, asked: Places) -> Places {
        match self.stage {
            Stage::Repairing(waiting) => waiting,
            _ => asked & !self.answered & !self.digested(),
        }
    }

    /// Copies of which a fingerprint is there.
    fn digested(&self) -> Places {
        self.digests.iter().fold(0, |places, (place, _)| places | 1 << place)
    }

    /// A copy has answered.
    fn hear(&mut self, place: u32, state: &State) {
        let bit = 1 << place;
        if self.answered == 0 {
            (self.best, self.agree) = (state.clone(), bit);
        } else if self.best.fingerprint() == state.fingerprint() {
            self.agree |= bit;
        } else {
            let mut merged = self.best.clone();
            merged.merge(state);
            if merged != self.best && !Bug::FirstAnswerWins.is_on() {
                self.agree = if merged == *state { bit } else { 0 };
                self.best = merged;
            }
        }
        self.answered |= bit;
    }
}

impl Quorum {
    /// A client reads.
    pub(super) fn read(&mut self, op: Op, key: Key, consistency: Consistency, out: &mut impl Effects<Self>) {
        let mut targets = self.reachable(key);
        let copies = self.ring.copies(key);
        let level = match consistency {
            Consistency::Eventual => self.settings.read,
            _ => self.settings.write.meets(&copies, self.settings.read),
        };
        if !level.satisfied(&copies, targets.places) {
            return out.reply(op, Reply::Refused);
        }
        if self.settings.contact_reads != ContactReads::All {
            targets.places = self.draw(key, level, targets.places, 0, out);
        }
        let digests = self.settings.contact_reads == ContactReads::Digests;
        let repairs = match self.settings.repair {
            Repair::Millionths(share) => out.choose(1_000_000) < share,
            Repair::None | Repair::Blocking => false,
        };
        let reading = Reading {
            best: State::Register(None),
            answered: 0,
            agree: 0,
            digests: Vec::new(),
            stage: if digests { Stage::Comparing } else { Stage::Asking },
            repairs,
        };
        let since = out.local_clock();
        let pending = Pending { op, key, since, level, targets: targets.clone(), kind: Kind::Read(reading) };
        let attempt = self.begin(pending, out);
        let full = if digests { self.full_copy(key, targets.places) } else { targets.places };
        self.ask(attempt, key, full, false, out);
        self.ask(attempt, key, targets.places & !full, true, out);
    }

    /// The copy that is asked for its value: one's own, or else the first.
    fn full_copy(&self, key: Key, places: Places) -> Places {
        let mine = self.ring.copies(key).mine().map_or(0, |place| 1 << place) & places;
        if mine != 0 { mine } else { places & places.wrapping_neg() }
    }

    /// Asks copies; the own one last, since it answers at once.
    fn ask(
        &mut self,
        attempt: Attempt,
        key: Key,
        places: Places,
        digest: bool,
        out: &mut impl Effects<Self>,
    ) {
        let mut mine = None;
        let at_once = if Bug::OneAfterAnother.is_on() { 1 } else { usize::MAX };
        for place in each(places).take(at_once) {
            let Some(pending) = self.attempts.get_mut(attempt) else { return };
            let (member, _) = pending.targets.member(&self.ring.copies(key), place);
            if member == self.me {
                mine = Some(place);
            } else {
                out.send(member, Message::Fetch { attempt, key, place, digest });
            }
        }
        if let Some(place) = mine {
            self.fetch(self.me, (attempt, key, place), digest, out);
        }
    }

    /// A copy is asked for.
    pub(super) fn fetch(
        &mut self,
        from: Member,
        (attempt, key, place): (Attempt, Key, u32),
        digest: bool,
        out: &mut impl Effects<Self>,
    ) {
        let copies = self.ring.copies(key);
        let state = if copies.mine() == Some(place) {
            self.disk.read(key, out)
        } else {
            // Standing in, it has what it got for the owner.
            let hint = self.disk.hints().get(&(copies.member(place), key));
            hint.map_or_else(|| self.disk.nothing(), |hint| hint.state.clone())
        };
        if from == self.me {
            if digest {
                self.digest(attempt, place, state.fingerprint(), out);
            } else {
                self.fetched(attempt, place, &state, out);
            }
        } else if digest {
            out.send(from, Message::Digest { attempt, place, fingerprint: state.fingerprint() });
        } else {
            out.send(from, Message::Fetched(Fetched { attempt, place, state }));
        }
    }

    /// A copy has answered.
    pub(super) fn fetched(
        &mut self,
        attempt: Attempt,
        place: u32,
        state: &State,
        out: &mut impl Effects<Self>,
    ) {
        let Some(Pending { kind: Kind::Read(reading), .. }) = self.attempts.get_mut(attempt) else { return };
        let is_late = matches!(reading.stage, Stage::Repairing(_)); // the answer is settled: it shows what is repaired
        if is_late || reading.answered >> place & 1 == 1 {
            return; // … or it is the network's second copy
        }
        reading.hear(place, state);
        self.advance_read(attempt, out);
    }

    /// A copy has answered by its fingerprint.
    pub(super) fn digest(
        &mut self,
        attempt: Attempt,
        place: u32,
        fingerprint: u64,
        out: &mut impl Effects<Self>,
    ) {
        let Some(Pending { kind: Kind::Read(reading), .. }) = self.attempts.get_mut(attempt) else { return };
        if reading.stage == Stage::Comparing && reading.digests.iter().all(|(other, _)| *other != place) {
            reading.digests.push((place, fingerprint));
            self.advance_read(attempt, out);
        }
    }

    /// Sees whether enough have answered, and what is to be done then.
    fn advance_read(&mut self, attempt: Attempt, out: &mut impl Effects<Self>) {
        let Some(pending) = self.attempts.get_mut(attempt) else { return };
        let Kind::Read(reading) = &mut pending.kind else { return };
        let copies = self.ring.copies(pending.key);
        if reading.stage == Stage::Comparing {
            let digested = reading.digested();
            if reading.answered == 0 || !pending.level.satisfied(&copies, reading.answered | digested) {
                return;
            }
            reading.stage = Stage::Asking;
            let (key, fingerprint) = (pending.key, reading.best.fingerprint());
            let digests = std::mem::take(&mut reading.digests);
            let differ = digests.iter().any(|(_, digest)| *digest != fingerprint);
            if differ && !Bug::DigestMismatchIgnored.is_on() {
                return self.ask(attempt, key, digested, false, out);
            }
            reading.answered |= digested;
            reading.agree |= digested;
        }
        if reading.stage == Stage::Asking {
            if !pending.level.satisfied(&copies, reading.answered) {
                let (key, rest) = (pending.key, pending.targets.places & !reading.answered);
                return if Bug::OneAfterAnother.is_on() {
                    self.ask(attempt, key, rest, false, out)
                };
            }
            let old = reading.answered & !reading.agree;
            if self.settings.repair == Repair::Blocking && old != 0 {
                reading.stage = Stage::Repairing(old);
                return self.repair(attempt, old, out);
            }
            self.answer_read(attempt, out);
        }
        self.end_read(attempt, out);
    }

    /// A copy has been brought up to date.
    pub(super) fn repaired(&mut self, attempt: Attempt, place: u32, out: &mut impl Effects<Self>) {
        let Some(Pending { kind: Kind::Read(reading), .. }) = self.attempts.get_mut(attempt) else { return };
        let Stage::Repairing(waiting) = &mut reading.stage else { return };
        *waiting &= !(1 << place);
        if *waiting == 0 {
            self.answer_read(attempt, out);
            self.end_read(attempt, out);
        }
    }

    fn answer_read(&mut self, attempt: Attempt, out: &mut impl Effects<Self>) {
        let Some(pending) = self.attempts.get_mut(attempt) else { return };
        let Kind::Read(reading) = &mut pending.kind else { return };
        reading.stage = Stage::Answered;
        let reply = match &reading.best {
            State::Register(None) => Reply::Value(None),
            State::Register(Some(value)) => Reply::Newest { stored: value.stored, bytes: value.bytes },
            State::Siblings(set) => Reply::Siblings(Box::new(Siblings {
                count: set.values.len() as u32,
                bytes: set.values.iter().fold(0, |sum, (_, value)| value.bytes.saturating_add(sum)),
                context: set.context(),
            })),
        };
        out.reply(pending.op, reply);
    }

    /// An answered read is over, unless it waits for the others in order to repair.
    fn end_read(&mut self, attempt: Attempt, out: &mut impl Effects<Self>) {
        let Some(pending) = self.attempts.get_mut(attempt) else { return };
        let Kind::Read(reading) = &pending.kind else { return };
        let waits = reading.repairs && reading.answered != pending.targets.places;
        if reading.stage == Stage::Answered
            && !waits
            && let Some(pending) = self.attempts.end(attempt)
            && let Kind::Read(reading) = &pending.kind
        {
            self.repair_later(&pending, reading, out);
        }
    }

    /// Brings old copies up to date; nobody waits for it.
    pub(super) fn repair_later(
        &mut self,
        pending: &Pending,
        reading: &Reading,
        out: &mut impl Effects<Self>,
    ) {
        if reading.repairs {
            let old = reading.answered & !reading.agree;
            self.send_best(Attempt::MAX, pending, reading, old, out);
        }
    }

    /// Brings the copies at `old` up to date; they acknowledge it.
    fn repair(&mut self, attempt: Attempt, old: Places, out: &mut impl Effects<Self>) {
        let Some(pending) = self.attempts.get_mut(attempt).cloned() else { return };
        if let Kind::Read(reading) = &pending.kind {
            self.send_best(attempt, &pending, reading, old, out);
        }
    }

    fn send_best(
        &mut self,
        attempt: Attempt,
        pending: &Pending,
        reading: &Reading,
        old: Places,
        out: &mut impl Effects<Self>,
    ) {
        let (key, state) = (pending.key, &reading.best);
        self.send_copies(key, &pending.targets, old, out, |place, owner, _| Store {
            attempt,
            key,
            place,
            state: state.clone(),
            lane: 0,
            rule: None,
            owner,
        });
    }
}
