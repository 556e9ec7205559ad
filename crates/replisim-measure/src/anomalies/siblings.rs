//! Reads that returned several writes at once, of which none is known to be taken back yet: counted by the set of the
//! writes, so that a read is dirty once, whichever of them go.

use std::collections::BTreeMap;

use replisim_observe::{Client, Write};

/// How many reads of each client returned which sets of writes.
#[derive(Clone, Debug, Default)]
pub(super) struct Siblings {
    /// Sets with the newest write first.
    reads: BTreeMap<Vec<Write>, Vec<(Client, u64)>>,
}

impl Siblings {
    /// A read of `client` returned these writes.
    pub(super) fn add(&mut self, client: Client, mut writes: Vec<Write>, reads: u64) {
        writes.sort_unstable_by(|a, b| b.cmp(a));
        let by_client = self.reads.entry(writes).or_default();
        match by_client.iter_mut().find(|(other, _)| *other == client) {
            Some((_, count)) => *count += reads,
            None => by_client.push((client, reads)),
        }
    }

    /// Removes the reads that returned `write`.
    pub(super) fn take(&mut self, write: Write) -> impl Iterator<Item = (Client, u64)> + use<> {
        let sets = self.reads.keys().filter(|set| set.contains(&write));
        let sets: Vec<Vec<Write>> = sets.cloned().collect();
        let reads: Vec<_> = sets.iter().filter_map(|set| self.reads.remove(set)).collect();
        reads.into_iter().flatten()
    }

    /// Nothing more will be known of `write`; a read that returned others too, of which `is_open` says that something
    /// will, stays.
    pub(super) fn forget(&mut self, write: Write, is_open: impl Fn(Write) -> bool) {
        let is_first = |set: &&Vec<Write>| set.first() == Some(&write);
        let sets = self.reads.range(vec![write]..).map(|(set, _)| set).take_while(is_first);
        let sets: Vec<Vec<Write>> = sets.cloned().collect();
        for set in sets {
            let by_client = self.reads.remove(&set).unwrap_or_default();
            let left: Vec<Write> =
                set.into_iter().filter(|other| *other != write && is_open(*other)).collect();
            if !left.is_empty() {
                by_client.into_iter().for_each(|(client, reads)| self.add(client, left.clone(), reads));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_stays_until_one_of_its_writes_goes_or_all_are_forgotten() {
        let read = || {
            let mut siblings = Siblings::default();
            siblings.add(Client(1), vec![Write(3), Write(5)], 1);
            siblings.add(Client(1), vec![Write(5), Write(3)], 1);
            siblings.add(Client(0), vec![Write(4), Write(5)], 1);
            siblings
        };
        assert_eq!(read().take(Write(3)).collect::<Vec<_>>(), [(Client(1), 2)]);
        assert_eq!(read().take(Write(5)).map(|(_, reads)| reads).sum::<u64>(), 3);
        let mut siblings = read();
        siblings.forget(Write(5), |other| other == Write(3));
        assert_eq!(siblings.take(Write(4)).count(), 0, "safe");
        assert_eq!(siblings.take(Write(3)).collect::<Vec<_>>(), [(Client(1), 2)]);
        assert!(siblings.reads.is_empty());
    }
}
