//! Tombstones that members have forgotten on purpose.
//!
//! A member that has purged one shows nothing, and still counts as holding it, until it shows something else. A delete
//! is known as such by being purged: from then on, who still shows it is taken to show nothing.

use std::collections::{BTreeMap, BTreeSet};

use replisim_observe::{Key, Member, Version};

/// What has been purged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Purges {
    /// By key: the newest tombstone that any member has ever purged.
    newest: BTreeMap<Key, Version>,
    /// Members that show nothing of a key because they have.
    bare: BTreeSet<(Key, Member)>,
}

impl Purges {
    /// Nobody ever purged anything.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.newest.is_empty()
    }

    pub(crate) fn insert(&mut self, member: Member, key: Key, version: Version) {
        let newest = self.newest.entry(key).or_default();
        *newest = version.max(*newest);
        self.bare.insert((key, member));
    }

    /// `member` shows something of `key` again.
    pub(crate) fn end(&mut self, member: Member, key: Key) {
        self.bare.remove(&(key, member));
    }

    #[inline]
    pub(crate) fn is_bare(&self, member: Member, key: Key) -> bool {
        !self.is_empty() && self.bare.contains(&(key, member))
    }

    /// The newest tombstone of `key` that was purged; 0 for none.
    #[inline]
    pub(crate) fn newest(&self, key: Key) -> Version {
        if self.is_empty() { Version(0) } else { self.newest.get(&key).copied().unwrap_or_default() }
    }
}
