//! Hints: versions that a member keeps for an owner that could not be reached. They are no copies of the member, but
//! what stands in one is not lost.

use std::collections::BTreeMap;

use replisim_observe::{Key, Member, Version};

/// The hints that members keep, by key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hints {
    /// How often: a member may keep one write for several owners.
    kept: BTreeMap<(Key, Version, Member), u32>,
}

impl Hints {
    pub(crate) fn insert(&mut self, member: Member, key: Key, version: Version) {
        *self.kept.entry((key, version, member)).or_default() += 1;
    }

    pub(crate) fn remove(&mut self, member: Member, key: Key, version: Version) {
        let hint = (key, version, member);
        if let Some(times) = self.kept.get_mut(&hint) {
            *times -= 1;
            if *times == 0 {
                self.kept.remove(&hint);
            }
        }
    }

    /// Those that `member` keeps.
    pub(crate) fn of(&self, member: Member) -> Vec<(Key, Version)> {
        let hints = self.kept.iter().filter(|((_, _, keeper), _)| *keeper == member);
        hints.flat_map(|((key, version, _), n)| (0..*n).map(|_| (*key, *version))).collect()
    }

    /// The newest version of `key` that anybody keeps; 0 for none.
    pub(crate) fn newest(&self, key: Key) -> Version {
        let of_key = (key, Version(0), Member(0))..=(key, Version(u64::MAX), Member(u32::MAX));
        self.kept.range(of_key).next_back().map_or(Version(0), |((_, version, _), _)| *version)
    }
}
