//! A set of ids that come in runs: 64 neighbours share a word, so that a client that is cut off for an hour costs
//! kilobytes.

use std::collections::BTreeMap;

/// A set of ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct IdSet {
    words: BTreeMap<u64, u64>,
}

impl IdSet {
    pub(crate) fn insert(&mut self, id: u64) {
        *self.words.entry(id / 64).or_default() |= 1 << (id % 64);
    }

    pub(crate) fn contains(&self, id: u64) -> bool {
        self.words.get(&(id / 64)).is_some_and(|word| word & (1 << (id % 64)) != 0)
    }

    pub(crate) fn remove(&mut self, id: u64) {
        if let Some(word) = self.words.get_mut(&(id / 64)) {
            *word &= !(1 << (id % 64));
            if *word == 0 {
                self.words.remove(&(id / 64));
            }
        }
    }

    /// How many words it takes.
    #[cfg(test)]
    pub(crate) fn words(&self) -> usize {
        self.words.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_ids_takes_a_word_for_64() {
        let mut set = IdSet::default();
        (1_000..81_000).for_each(|id| set.insert(id));
        assert!(set.contains(1_000) && set.contains(80_999) && !set.contains(999) && !set.contains(81_000));
        assert!(set.words() <= 80_000 / 64 + 2);
        (1_000..81_000).for_each(|id| set.remove(id));
        assert_eq!((set.words(), set.contains(5_000)), (0, false));
    }
}
