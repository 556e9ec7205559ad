//! Reads that show the version order itself to be wrong: what they return was acked before the invocation of a write
//! that was acked before them, and yet supersedes it.
//!
//! Such a write was dead on arrival. Each key remembers those that were, in the order of their acks. A read of a version
//! acked at `a` is order-stale if one of them was invoked after `a`, has a lower version, and was acked before the read
//! was invoked. Whoever returns what is newest in truth was acked after them all, and mostly the last of them decides.

use std::collections::{BTreeMap, VecDeque};

use replisim_observe::{Key, Time, Version};

use crate::retirement::REMEMBERED;

/// The last writes that were dead on arrival.
#[derive(Clone, Debug, Default)]
pub(super) struct DeadOnArrival {
    keys: BTreeMap<Key, VecDeque<Dead>>,
    /// Their keys, the oldest first.
    order: VecDeque<Key>,
}

#[derive(Clone, Copy, Debug)]
struct Dead {
    invoked: Time,
    acked: Time,
    version: Version,
}

impl DeadOnArrival {
    pub(super) fn insert(&mut self, key: Key, (invoked, acked): (Time, Time), version: Version) {
        self.keys.entry(key).or_default().push_back(Dead { invoked, acked, version });
        self.order.push_back(key);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
            && let Some(dead) = self.keys.get_mut(&oldest)
        {
            dead.pop_front();
            if dead.is_empty() {
                self.keys.remove(&oldest);
            }
        }
    }

    /// Whether there are any of this key.
    #[inline]
    pub(super) fn has(&self, key: Key) -> bool {
        !self.keys.is_empty() && self.keys.contains_key(&key)
    }

    /// Whether a read of `version`, acked at `acked`, is order-stale if it was invoked at `invoked`.
    pub(super) fn make_stale(&self, key: Key, (version, acked): (Version, Time), invoked: Time) -> bool {
        let dead = self.keys.get(&key).into_iter().flatten().rev();
        let mut later = dead.take_while(|dead| dead.acked > acked);
        later.any(|dead| dead.invoked > acked && dead.acked < invoked && dead.version < version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_are_remembered_over_all_keys() {
        let mut dead = DeadOnArrival::default();
        let at = Time::from_nanos;
        for i in 0..REMEMBERED as u64 + 10 {
            let key = Key(u32::from(i >= 5));
            dead.insert(key, (at(10 * i + 1), at(10 * i + 5)), Version(7));
        }
        assert!(!dead.has(Key(0)) && dead.has(Key(1)));
        assert_eq!((dead.order.len(), dead.keys[&Key(1)].len()), (REMEMBERED, REMEMBERED));
        for (version, acked, invoked, stale) in [
            (8, 150, 156, true),
            (8, 150, 155, false), // the write invoked at 151 was acked at that instant
            (8, 151, 156, false), // it was invoked at that instant
            (7, 150, 156, false),
            (8, 10 * REMEMBERED as u64 + 99, u64::MAX, false), // later than them all
        ] {
            let read = (Version(version), at(acked));
            assert_eq!(
                dead.make_stale(Key(1), read, at(invoked)),
                stale,
                "{version} of {acked} at {invoked}"
            );
        }
    }
}
