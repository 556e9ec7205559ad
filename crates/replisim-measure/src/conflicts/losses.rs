//! Skew losses and conflict losses: acknowledged writes that a version above them made void.
//!
//! A write is dead on arrival (a *skew loss*) if, when it was invoked, a version above the one that it came to have was
//! already acked. It is a *conflict loss* if the next version above it was given without knowing of it, and it without
//! knowing of that one. What a write knows is its *context*: the newest of what its client had read, and of what the
//! first member to have it had then.
//!
//! Each key keeps its writes in version order. One is judged when it [retires](crate::retirement) (all owners have it
//! or a later one, so whatever is written from then on knows of it), or at the end; and it is forgotten when it is
//! judged, below the line and the lowest: then nothing needs it as its next.

use std::collections::VecDeque;

use replisim_observe::{Key, Outcome, Stored, Version, Write};

use crate::records::Records;
use crate::search::count_before;
use crate::writes::{News, Writes};

/// The writes of which something is still to be said.
#[derive(Clone, Debug)]
pub(super) struct Losses {
    records: Records<Record>,
    /// In version order.
    keys: Vec<VecDeque<(Version, Write)>>,
    /// Of acked writes committed in the window.
    pub(super) skew: u64,
    pub(super) conflict: u64,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    /// The newest version acked before it was invoked.
    acked_before: Version,
    /// 0: not known yet.
    version: Version,
    context: Version,
    /// A member has it, or had.
    copied: bool,
    committed: bool,
    in_window: bool,
    abandoned: bool,
    retired: bool,
    fate: Fate,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Unanswered,
    /// Acked, and perhaps a conflict loss.
    Open,
    Judged,
}

impl Losses {
    pub(super) fn new(keys: usize) -> Losses {
        Losses { records: Records::default(), keys: vec![VecDeque::new(); keys], skew: 0, conflict: 0 }
    }

    pub(super) fn invoked(&mut self, write: Write, acked_before: Version) {
        self.records.insert(write.0, Record { acked_before, ..Record::new(Fate::Unanswered) });
    }

    /// The version of a write has become known, which rests on `base`. Below the line, nothing is discarded for it, and
    /// it is superseded by what it might have known.
    #[inline]
    pub(super) fn known(
        &mut self,
        key: Key,
        Stored { version, write }: Stored,
        base: Version,
        line: Version,
    ) {
        match self.records.get_mut(write.0) {
            Some(record) if record.version > Version(0) => return,
            Some(record) => (record.version, record.context) = (version, base),
            None if version <= line => return,
            // Its client had given it up.
            None => {
                let record = Record { version, context: base, ..Record::new(Fate::Judged) };
                self.records.put(write.0, record);
            }
        }
        if version > line {
            let writes = &mut self.keys[key.index()];
            let place = count_before(writes, |(other, _)| *other < version);
            writes.insert(place, (version, write));
        }
    }

    /// A member has the write; `had` tells what it had before.
    #[inline]
    pub(super) fn copied(&mut self, write: Write, had: impl FnOnce() -> Version) {
        if let Some(record) = self.records.get_mut(write.0).filter(|record| !record.copied) {
            record.copied = true;
            record.context = record.context.max(had());
        }
    }

    pub(super) fn committed(&mut self, write: Write, in_window: bool) {
        if let Some(record) = self.records.get_mut(write.0).filter(|record| !record.committed) {
            record.committed = true;
            record.in_window = in_window;
        }
    }

    /// A write of `key` ended. Tells its version if it was dead on arrival.
    pub(super) fn answered(
        &mut self,
        write: Write,
        key: Key,
        outcome: Outcome,
        line: Version,
    ) -> Option<Version> {
        let record = self.records.get_mut(write.0)?;
        let Record { version, acked_before, in_window, .. } = *record;
        let dead = outcome == Outcome::Ok && version > Version(0) && version < acked_before;
        record.fate =
            if outcome == Outcome::Ok && !dead && !record.abandoned { Fate::Open } else { Fate::Judged };
        self.skew += u64::from(dead && in_window);
        match self.place(key, version) {
            Some(place) if outcome == Outcome::Failed => {
                self.keys[key.index()].remove(place);
                self.records.remove(write.0);
            }
            Some(_) => {}
            None => _ = self.records.remove(write.0),
        }
        self.forget(key, line);
        dead.then_some(version)
    }

    pub(super) fn hear(&mut self, news: News, writes: &Writes) {
        match news {
            News::Retired(key, version, _) => {
                if let Some(place) = self.place(key, version) {
                    self.judge(key, place, writes);
                    let (_, write) = self.keys[key.index()][place];
                    self.records.get_mut(write.0).into_iter().for_each(|record| record.retired = true);
                }
                self.forget(key, writes.line(key));
            }
            News::Withdrawn(key, above, upto) => {
                self.abandon(key, |version, record| above < version && version <= upto && record.committed);
            }
            News::BlockWithdrawn(key) => self.abandon(key, |_, record| record.retired),
            News::Gone(..) => {}
        }
    }

    /// The run is over: what has not retired is judged as it stands.
    pub(super) fn ended(&mut self, writes: &Writes) {
        for key in (0..self.keys.len() as u32).map(Key) {
            for place in 0..self.keys[key.index()].len() {
                self.judge(key, place, writes);
            }
        }
    }

    /// Whether the write in this place is a conflict loss.
    fn judge(&mut self, key: Key, place: usize, writes: &Writes) {
        let of_key = &self.keys[key.index()];
        let (version, write) = of_key[place];
        let somewhere = |version| version <= writes.newest_anywhere(key);
        let stands = |(version, write): &&(Version, Write)| {
            let record = self.records.get(write.0).filter(|record| !record.abandoned);
            record.is_some_and(|record| record.committed || somewhere(*version))
        };
        let next = of_key.range(place + 1..).find(stands);
        let next = next.and_then(|(next, write)| Some((*next, self.records.get(write.0)?.context)));
        let Some(record) = self.records.get_mut(write.0) else { return };
        let is_open = std::mem::replace(&mut record.fate, Fate::Judged) == Fate::Open;
        let concurrent = next.is_some_and(|(next, context)| context < version && record.context < next);
        self.conflict += u64::from(is_open && record.in_window && concurrent);
    }

    fn abandon(&mut self, key: Key, is_gone: impl Fn(Version, &Record) -> bool) {
        for (version, write) in &self.keys[key.index()] {
            if let Some(record) = self.records.get_mut(write.0).filter(|record| is_gone(*version, record)) {
                record.abandoned = true;
                if record.fate == Fate::Open {
                    record.fate = Fate::Judged;
                }
            }
        }
    }

    /// Forgets the lowest writes, as far as they are judged and below the line: what comes to be known from now on lies
    /// above.
    fn forget(&mut self, key: Key, line: Version) {
        let writes = &mut self.keys[key.index()];
        while let Some((version, write)) = writes.front().copied()
            && version <= line
            && self.records.get(write.0).is_none_or(|record| record.fate == Fate::Judged)
        {
            writes.pop_front();
            self.records.remove(write.0);
        }
    }

    fn place(&self, key: Key, version: Version) -> Option<usize> {
        let writes = &self.keys[key.index()];
        let place = count_before(writes, |(other, _)| *other < version);
        (writes.get(place)?.0 == version).then_some(place)
    }
}

impl Record {
    fn new(fate: Fate) -> Record {
        Record {
            acked_before: Version(0),
            version: Version(0),
            context: Version(0),
            copied: false,
            committed: false,
            in_window: false,
            abandoned: false,
            retired: false,
            fate,
        }
    }
}
