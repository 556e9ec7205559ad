//! A set of members of a group, by their places in it: one word where there are at most 64, as nearly always.

/// A set of members.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Members {
    Few(u64),
    Many(Box<[u64]>),
}

impl Members {
    /// The empty set out of `members` members.
    pub(crate) fn none_of(members: usize) -> Members {
        if members <= 64 { Members::Few(0) } else { Members::Many(vec![0; members.div_ceil(64)].into()) }
    }

    pub(crate) fn insert(&mut self, slot: usize) {
        let (word, bit) = self.word(slot);
        *word |= bit;
    }

    pub(crate) fn remove(&mut self, slot: usize) {
        let (word, bit) = self.word(slot);
        *word &= !bit;
    }

    pub(crate) fn clear(&mut self) {
        match self {
            Members::Few(word) => *word = 0,
            Members::Many(words) => words.fill(0),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Members::Few(word) => *word == 0,
            Members::Many(words) => words.iter().all(|word| *word == 0),
        }
    }

    #[inline]
    fn word(&mut self, slot: usize) -> (&mut u64, u64) {
        let bit = 1 << (slot % 64);
        match self {
            Members::Few(word) => (word, bit),
            Members::Many(words) => (&mut words[slot / 64], bit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_any_size_hold_what_was_inserted_and_not_removed() {
        for members in [3, 64, 65, 200] {
            let mut set = Members::none_of(members);
            let last = members - 1;
            set.insert(last);
            set.insert(1);
            set.remove(1);
            assert!(!set.is_empty(), "{members}");
            set.remove(last);
            assert!(set.is_empty(), "{members}");
            set.insert(last);
            set.clear();
            assert!(set.is_empty(), "{members}");
        }
    }
}
