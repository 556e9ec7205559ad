//! A table of records with dense, growing ids, of which most are short-lived.
//!
//! A ring holds the young ones: reaching a record costs an index. A few that live long (a write that was never
//! answered, a backlog behind a partition) must not keep the whole ring alive, so when most of the ring is dead, its
//! oldest survivors move to an ordered map.

use std::collections::{BTreeMap, VecDeque};

/// Records of type `R` by id.
#[derive(Clone, Debug)]
pub(crate) struct Records<R> {
    first: u64,
    ring: VecDeque<Option<R>>,
    live_in_ring: usize,
    stragglers: BTreeMap<u64, R>,
}

/// Below this length the ring is left alone.
const SMALL: usize = 1_024;

impl<R> Default for Records<R> {
    fn default() -> Self {
        Records { first: 0, ring: VecDeque::new(), live_in_ring: 0, stragglers: BTreeMap::new() }
    }
}

impl<R> Records<R> {
    /// Adds the record of `id`, which must be larger than all before.
    pub(crate) fn insert(&mut self, id: u64, record: R) {
        if self.ring.is_empty() {
            self.first = id;
        }
        while self.first + (self.ring.len() as u64) < id {
            self.ring.push_back(None);
        }
        self.ring.push_back(Some(record));
        self.live_in_ring += 1;
        if self.ring.len() > SMALL && self.live_in_ring * 8 < self.ring.len() {
            self.spill();
        }
    }

    /// Adds the record of `id`, which may be smaller than others.
    pub(crate) fn put(&mut self, id: u64, record: R) {
        match id.checked_sub(self.first).map(|i| i as usize) {
            None => _ = self.stragglers.insert(id, record),
            Some(i) if i < self.ring.len() => {
                self.live_in_ring += usize::from(self.ring[i].replace(record).is_none());
            }
            Some(_) => self.insert(id, record),
        }
    }

    #[inline]
    pub(crate) fn get(&self, id: u64) -> Option<&R> {
        match id.checked_sub(self.first) {
            Some(i) if !self.ring.is_empty() => self.ring.get(i as usize)?.as_ref(),
            _ => self.stragglers.get(&id),
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut R> {
        match id.checked_sub(self.first) {
            Some(i) if !self.ring.is_empty() => self.ring.get_mut(i as usize)?.as_mut(),
            _ => self.stragglers.get_mut(&id),
        }
    }

    /// Removes and returns the record of `id`.
    pub(crate) fn remove(&mut self, id: u64) -> Option<R> {
        let removed = match id.checked_sub(self.first) {
            Some(i) if !self.ring.is_empty() => self.ring.get_mut(i as usize)?.take(),
            _ => return self.stragglers.remove(&id),
        };
        self.live_in_ring -= usize::from(removed.is_some());
        self.trim();
        removed
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut R> {
        self.stragglers.values_mut().chain(self.ring.iter_mut().flatten())
    }

    /// All records, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &R)> {
        let young = (self.first..).zip(&self.ring).filter_map(|(id, record)| Some((id, record.as_ref()?)));
        self.stragglers.iter().map(|(id, record)| (*id, record)).chain(young)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.live_in_ring + self.stragglers.len()
    }

    fn trim(&mut self) {
        while matches!(self.ring.front(), Some(None)) {
            self.ring.pop_front();
            self.first += 1;
        }
    }

    fn spill(&mut self) {
        while self.ring.len() > SMALL && self.live_in_ring * 8 < self.ring.len() {
            if let Some(Some(record)) = self.ring.pop_front() {
                self.stragglers.insert(self.first, record);
                self.live_in_ring -= 1;
            }
            self.first += 1;
        }
        self.trim();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_behaves_as_an_ordered_map(kept in prop::collection::vec(prop::bool::weighted(0.05), 1..6_000)) {
            let mut records = Records::default();
            let mut map = BTreeMap::new();
            for (i, keep) in (0u64..).zip(kept) {
                let id = i * 3 / 2; // with gaps
                if i % 7 == 3 {
                    continue; // comes late
                }
                records.insert(id, id);
                map.insert(id, id);
                if i % 7 == 6 {
                    let late = (i - 3) * 3 / 2;
                    records.put(late, late);
                    map.insert(late, late);
                }
                let old = id.saturating_sub(10);
                if !keep {
                    prop_assert_eq!(records.remove(old), map.remove(&old));
                }
                prop_assert_eq!(records.get(old), map.get(&old));
                prop_assert_eq!(records.len(), map.len());
            }
            prop_assert!(records.iter().map(|(id, record)| (id, *record)).eq(map.clone()));
            prop_assert!(records.ring.len() <= SMALL.max(8 * records.live_in_ring) + 1);
            for id in map.keys() {
                prop_assert_eq!(records.get_mut(*id).copied(), Some(*id));
            }
        }
    }
}
