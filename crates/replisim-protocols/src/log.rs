//! A replicated log: entries at consecutive positions from 1, of which a prefix may have been trimmed.

use std::collections::VecDeque;
use std::sync::Arc;

use replisim_observe::{Key, Stored, Write};

/// One logged write, as it travels between members.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Entry {
    /// The key it sets.
    pub key: Key,
    /// The handle of the write.
    pub write: Write,
    /// Size of the value.
    pub bytes: u32,
}

/// An entry and what this member's store showed before it, so that a lost tail can be taken back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Logged {
    entry: Entry,
    before: Option<Stored>,
}

/// The log of one member.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Log {
    /// Positions up to here have been trimmed.
    trimmed: u64,
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

    /// Adds an entry at position `end() + 1`.
    pub fn append(&mut self, entry: Entry) {
        self.entries.push_back(Logged { entry, before: None });
    }

    /// The entry at `position`, if the log has it still and already.
    pub fn get(&self, position: u64) -> Option<Entry> {
        self.slot(position).map(|logged| logged.entry)
    }

    /// Notes what the store showed before the entry at `position` was applied.
    pub fn remember(&mut self, position: u64, before: Option<Stored>) {
        if let Some(i) = position.checked_sub(self.trimmed + 1)
            && let Some(logged) = self.entries.get_mut(i as usize)
        {
            logged.before = before;
        }
    }

    /// Removes and returns the last entry, with what the store showed before it.
    pub fn pop(&mut self) -> Option<(Entry, Option<Stored>)> {
        self.entries.pop_back().map(|logged| (logged.entry, logged.before))
    }

    /// Forgets entries up to `position`.
    pub fn trim(&mut self, position: u64) {
        while self.trimmed < position && self.entries.pop_front().is_some() {
            self.trimmed += 1;
        }
    }

    /// Entries after `after`, at most up to `upto`, and no more than `bytes` (but at least one).
    pub fn batch(&self, after: u64, upto: u64, bytes: u64) -> Option<Batch> {
        let first = self.get(after + 1)?;
        let mut size = 0;
        let mut count = 0;
        for position in after + 1..=upto.min(self.end()) {
            size += entry_bytes(self.get(position)?);
            if count > 0 && size > bytes {
                break;
            }
            count += 1;
        }
        Some(match count {
            0 | 1 => Batch::One(first),
            _ => Batch::Many((after + 1..=after + count).filter_map(|position| self.get(position)).collect()),
        })
    }

    fn slot(&self, position: u64) -> Option<&Logged> {
        let i = position.checked_sub(self.trimmed + 1)?;
        self.entries.get(i as usize)
    }
}

/// Bytes of an entry on the wire: a header and the value.
pub fn entry_bytes(entry: Entry) -> u64 {
    const HEADER: u64 = 24;
    HEADER + u64::from(entry.bytes)
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
        Entry { key: Key(0), write: Write(write), bytes: 76 }
    }

    fn writes(batch: Option<Batch>) -> Vec<u64> {
        batch.map(|batch| batch.entries().iter().map(|entry| entry.write.0).collect()).unwrap_or_default()
    }

    #[test]
    fn batches_keep_to_their_bounds_and_a_trimmed_prefix_is_gone() {
        let mut log = Log::default();
        (1..=6).for_each(|write| log.append(entry(write)));
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
}
