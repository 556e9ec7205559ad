//! Writes in the order of one of their moments, and for each member a pointer to the oldest that it lacks: the age of
//! that one costs no search.
//!
//! Each replication group has trails of its own; the *order* of a write is its place among those of all groups.
//!
//! Pointers move forward when they are asked for, and back when a member loses what it had. An entry stays until it is
//! *gone*: its write is abandoned or retired.

use std::collections::VecDeque;

use replisim_observe::{Key, Time, Version};

/// Writes in the order of a moment.
#[derive(Clone, Debug)]
pub(crate) struct Trail {
    first: u64,
    entries: VecDeque<Entry>,
    pointers: Vec<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Time,
    order: u64,
    version: Version,
    key: Key,
    gone: bool,
}

impl Trail {
    pub(crate) fn new(members: usize) -> Trail {
        Trail { first: 0, entries: VecDeque::new(), pointers: vec![0; members] }
    }

    /// The position that comes next.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// Adds a write, and returns its position.
    pub(crate) fn push(&mut self, (order, at): (u64, Time), key: Key, version: Version) -> u64 {
        self.entries.push_back(Entry { at, order, version, key, gone: false });
        self.end() - 1
    }

    /// Nobody lacks this write any more, whatever happens.
    pub(crate) fn gone(&mut self, position: u64) {
        if let Some(i) = position.checked_sub(self.first)
            && let Some(entry) = self.entries.get_mut(i as usize)
        {
            entry.gone = true;
        }
        while self.entries.front().is_some_and(|entry| entry.gone) {
            self.entries.pop_front();
            self.first += 1;
        }
    }

    /// The member at `slot` has lost the write at `position`.
    pub(crate) fn lost(&mut self, slot: usize, position: u64) {
        let pointer = &mut self.pointers[slot];
        *pointer = position.min(*pointer);
    }

    /// The oldest write that the member at `slot` lacks: its order and moment. `has` tells the version that it has.
    #[inline]
    pub(crate) fn oldest(&mut self, slot: usize, has: impl Fn(Key) -> Version) -> Option<(u64, Time)> {
        let pointer = &mut self.pointers[slot];
        *pointer = self.first.max(*pointer);
        while let Some(entry) = self.entries.get((*pointer - self.first) as usize) {
            if !entry.gone && has(entry.key) < entry.version {
                return Some((entry.order, entry.at));
            }
            *pointer += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_missing_write_is_found_forwards_and_back() {
        let mut trail = Trail::new(1);
        let (member, at) = (0, Time::from_nanos);
        for i in 1..=4 {
            trail.push((i - 1, at(i * 10)), Key(0), Version(i));
        }
        let has = |version| move |_| Version(version);
        for (version, oldest) in [(0, Some((0, at(10)))), (2, Some((2, at(30)))), (4, None)] {
            assert_eq!(trail.oldest(member, has(version)), oldest, "with version {version}");
        }
        trail.lost(member, 1);
        assert_eq!(trail.oldest(member, has(1)), Some((1, at(20))));
        trail.gone(1);
        assert_eq!(trail.oldest(member, has(1)), Some((2, at(30))), "an abandoned write is not missed");
        trail.gone(0);
        assert_eq!((trail.entries.len(), trail.end()), (2, 4), "what is gone at the front is forgotten");
        trail.lost(member, 0);
        assert_eq!(trail.oldest(member, has(0)), Some((2, at(30))));
    }
}
