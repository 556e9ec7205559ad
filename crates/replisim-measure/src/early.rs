//! Writes of a key of which the commit or the answer is still to come, though their version is known: who showed them
//! early is remembered.

use replisim_observe::{Member, Time, Version, Write};

/// Such writes of one key, in version order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Early {
    writes: Vec<EarlyWrite>,
}

#[derive(Clone, Debug)]
struct EarlyWrite {
    version: Version,
    write: Write,
    shown: Vec<(Member, Time)>,
}

impl Early {
    /// The version of `write` has become known.
    pub(crate) fn insert(&mut self, version: Version, write: Write) {
        let place = self.writes.partition_point(|other| other.version < version);
        self.writes.insert(place, EarlyWrite { version, write, shown: Vec::new() });
    }

    pub(crate) fn remove(&mut self, version: Version, write: Write) {
        if let Some(place) = self.place(version, write) {
            self.writes.remove(place);
        }
    }

    /// `member`, which showed `before`, shows `version` now. `counts` tells which writes it shows for the first time.
    #[inline]
    pub(crate) fn shown(
        &mut self,
        now: Time,
        member: Member,
        before: Version,
        version: Version,
        counts: impl Fn(Write) -> bool,
    ) {
        let from = self.writes.partition_point(|early| early.version <= before);
        for early in self.writes[from..].iter_mut().take_while(|early| early.version <= version) {
            if counts(early.write) && early.shown.iter().all(|(other, _)| *other != member) {
                early.shown.push((member, now));
            }
        }
    }

    /// Who came to show the write, and when.
    pub(crate) fn shown_by(&self, version: Version, write: Write) -> &[(Member, Time)] {
        self.place(version, write).map_or(&[], |place| &self.writes[place].shown)
    }

    /// Writes above `version`.
    pub(crate) fn above(&self, version: Version) -> impl Iterator<Item = (Version, Write)> {
        let from = self.writes.partition_point(|early| early.version <= version);
        self.writes[from..].iter().map(|early| (early.version, early.write))
    }

    fn place(&self, version: Version, write: Write) -> Option<usize> {
        let from = self.writes.partition_point(|early| early.version < version);
        let same = self.writes[from..].iter().take_while(|early| early.version == version);
        same.into_iter().position(|early| early.write == write).map(|i| from + i)
    }
}
