//! A replicated log: entries at consecutive positions from 1, of which a prefix may have been trimmed.
//!
//! Every entry knows what it superseded at this member, so that a tail can be taken back, and where it ends in bytes,
//! so that "how many bytes lie between" is a subtraction.

use std::collections::VecDeque;
use std::sync::Arc;

use replisim_observe::{Key, Stored, Write};

use crate::protocol::{TOKEN_BYTES, Token, version};

/// One logged write, as it travels between members.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Entry {
    /// The term in which it was written.
    pub term: u32,
    /// The key it sets.
    pub key: Key,
    /// The handle of the write.
    pub write: Write,
    /// Size of the value.
    pub bytes: u32,
    /// Whether it is a tombstone: the key is deleted.
    pub deleted: bool,
    /// By which other attempts of the same operation are known, if the client gave one.
    pub token: Option<Token>,
}

/// An entry at home in a log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Logged {
    /// The entry.
    pub entry: Entry,
    /// The newest version of its key that this member had logged before it.
    pub before: Option<Stored>,
    /// Bytes of the log from its beginning of time up to and including this entry.
    through: u64,
}

/// The log of one member.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Log {
    /// Positions up to here have been trimmed.
    trimmed: u64,
    /// Their bytes.
    trimmed_through: u64,
    entries: VecDeque<Logged>,
}

/// Some consecutive entries in a message; one alone needs no allocation, several are shared by all who carry them.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Batch {
    /// A single entry.
    One(Entry),
    /// Any number of entries.
    Many(Arc<[Entry]>),
}

impl Log {
    /// Position of the last entry, 0 if there has been none.
    #[inline]
    pub fn end(&self) -> u64 {
        self.trimmed + self.entries.len() as u64
    }

    /// Positions up to here are forgotten.
    #[inline]
    pub fn trimmed(&self) -> u64 {
        self.trimmed
    }

    /// Adds an entry at position `end() + 1`, which supersedes `before`.
    pub fn append(&mut self, entry: Entry, before: Option<Stored>) {
        let through = self.through(self.end()) + entry_bytes(entry);
        self.entries.push_back(Logged { entry, before, through });
    }

    /// The entry at `position`, if the log has it still and already.
    pub fn get(&self, position: u64) -> Option<Entry> {
        self.slot(position).map(|logged| logged.entry)
    }

    /// Removes and returns the last entry.
    pub fn pop(&mut self) -> Option<Logged> {
        self.entries.pop_back()
    }

    /// Forgets entries up to `position`.
    pub fn trim(&mut self, position: u64) {
        while self.trimmed < position
            && let Some(logged) = self.entries.pop_front()
        {
            self.trimmed += 1;
            self.trimmed_through = logged.through;
        }
    }

    /// Forgets everything: the next entry is at position `position + 1`.
    pub fn restart_at(&mut self, position: u64) {
        self.entries.clear();
        self.trimmed = position;
    }

    /// Bytes of the entries after position `after`, up to `upto`, as far as they are kept.
    #[inline]
    pub fn bytes_between(&self, after: u64, upto: u64) -> u64 {
        self.through(upto).saturating_sub(self.through(after))
    }

    /// The position up to which entries must be forgotten for the rest to weigh no more than `bytes`.
    pub fn excess(&self, bytes: u64) -> u64 {
        let kept = self.bytes_between(self.trimmed, self.end());
        match kept.checked_sub(bytes) {
            None | Some(0) => self.trimmed,
            Some(over) => {
                let enough = self.trimmed_through + over;
                self.trimmed + 1 + self.entries.partition_point(|logged| logged.through < enough) as u64
            }
        }
    }

    /// Entries after `after`, at most up to `upto`, and no more than `bytes` (but at least one).
    pub fn batch(&self, after: u64, upto: u64, bytes: u64) -> Option<Batch> {
        let first = self.get(after + 1)?;
        let last = upto.min(self.end());
        let mut count = 1;
        while after + count < last && self.bytes_between(after, after + count + 1) <= bytes {
            count += 1;
        }
        Some(match count {
            1 => Batch::One(first),
            _ => Batch::Many((after + 1..=after + count).filter_map(|position| self.get(position)).collect()),
        })
    }

    fn slot(&self, position: u64) -> Option<&Logged> {
        let i = position.checked_sub(self.trimmed + 1)?;
        self.entries.get(i as usize)
    }

    /// Bytes of the log from its beginning of time up to `position`, or to where it has been trimmed.
    #[inline]
    pub fn through(&self, position: u64) -> u64 {
        self.slot(position).map_or(self.trimmed_through, |logged| logged.through)
    }
}

impl Entry {
    /// What a store shows where this entry stands at `position`.
    #[inline]
    pub fn stored(self, position: u64) -> Stored {
        Stored { version: version(self.term, position), write: self.write }
    }
}

/// Bytes of an entry on the wire: a header, the token if there is one, and the value.
pub fn entry_bytes(entry: Entry) -> u64 {
    const HEADER: u64 = 24;
    HEADER + entry.token.map_or(0, |_| TOKEN_BYTES) + u64::from(entry.bytes)
}

impl Batch {
    /// The entries.
    #[inline]
    pub fn entries(&self) -> &[Entry] {
        match self {
            Batch::One(entry) => std::slice::from_ref(entry),
            Batch::Many(entries) => entries,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(write: u64) -> Entry {
        Entry { term: 1, key: Key(0), write: Write(write), bytes: 76, deleted: false, token: None }
    }

    fn writes(batch: Option<Batch>) -> Vec<u64> {
        batch.map(|batch| batch.entries().iter().map(|entry| entry.write.0).collect()).unwrap_or_default()
    }

    #[test]
    fn batches_keep_to_their_bounds_and_a_trimmed_prefix_is_gone() {
        let mut log = Log::default();
        (1..=6).for_each(|write| log.append(entry(write), None));
        log.trim(2);
        assert_eq!((log.end(), log.get(2), log.get(3)), (6, None, Some(entry(3))));
        for (after, upto, bytes, expected) in [
            (2, 6, 1_000, vec![3, 4, 5, 6]),
            (2, 4, 1_000, vec![3, 4]),
            (2, 6, 250, vec![3, 4]), // 100 bytes each
            (2, 6, 1, vec![3]),
            (5, 9, 1_000, vec![6]),
            (6, 9, 1_000, vec![]),
            (1, 6, 1_000, vec![]),
        ] {
            assert_eq!(
                writes(log.batch(after, upto, bytes)),
                expected,
                "after {after} up to {upto}, {bytes} bytes"
            );
        }
        log.trim(100);
        assert_eq!(log.end(), 6);
    }

    #[test]
    fn bytes_are_counted_over_trimming_truncation_and_a_new_start() {
        let mut log = Log::default();
        (1..=6).for_each(|write| log.append(entry(write), None));
        log.trim(2);
        assert_eq!(
            (log.bytes_between(2, 6), log.bytes_between(0, 4), log.bytes_between(4, 4)),
            (400, 200, 0)
        );
        for (bytes, expected) in [(1_000, 2), (400, 2), (399, 3), (300, 3), (299, 4), (100, 5), (0, 6)] {
            assert_eq!(log.excess(bytes), expected, "what to forget to keep {bytes} bytes");
        }
        log.pop();
        log.append(entry(7), None);
        assert_eq!(log.bytes_between(4, 6), 200);
        log.restart_at(9);
        log.append(entry(10), None);
        assert_eq!((log.end(), log.trimmed(), log.bytes_between(9, 10)), (10, 9, 100));
    }
}
