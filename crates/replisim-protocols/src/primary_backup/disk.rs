//! What a member has on its disk: the log, how much of it its store shows, and what it has promised.
//!
//! Writing appends *records*, counted from the beginning of time; the stage says up to which record the disk is
//! synced. Some records are intents ([`Intent`]): a member acts on them only once they are durable, so nothing leaves
//! it that a crash could make untrue. Taking a tail back and adopting another history happen when their intent is
//! durable, and need no further sync.

use std::collections::BTreeMap;

use replisim_observe::{Key, Stored};

use super::PrimaryBackup;
use super::history::History;
use super::message::Item;
use super::tokens::TokenTable;
use crate::bug_shelf::Bug;
use crate::log::{Entry, Log, Logged};
use crate::protocol::{Effects, Kept};

/// What survives a crash, as far as it was synced.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Disk {
    pub(super) log: Log,
    pub(super) history: History,
    /// The log is durable up to here.
    pub(super) synced: u64,
    /// The store shows the log up to here.
    pub(super) applied: u64,
    pub(super) office: Office,
    /// The part of `office` that is durable.
    pub(super) synced_office: Office,
    /// The store is not of one time, or empty, until the log is applied up to here: this member does not count, and
    /// does not stand for election.
    pub(super) incomplete: Option<u64>,
    /// It no longer has what it once said it had: until it is complete again, it does not vote either.
    pub(super) forgetful: bool,
    /// By which the writes of the log are known to be attempts of operations.
    pub(super) tokens: TokenTable,
    /// How many records have been written.
    pub(super) records: u64,
    /// The newest logged version of each key that the store does not show yet.
    unapplied: BTreeMap<Key, Stored>,
}

/// What a member has promised and may do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Office {
    /// The latest term that it has heard of: it takes no part in earlier ones.
    pub(super) term: u32,
    /// Whether it is, or is about to be, the primary of that term.
    pub(super) primary: bool,
}

impl Disk {
    /// A disk at the beginning of time.
    pub(super) fn new(primary: bool) -> Disk {
        let office = Office { term: 1, primary };
        Disk {
            log: Log::default(),
            history: History::first_term(),
            synced: 0,
            applied: 0,
            office,
            synced_office: office,
            incomplete: None,
            forgetful: false,
            tokens: TokenTable::default(),
            records: 0,
            unapplied: BTreeMap::new(),
        }
    }

    /// The newest logged version of a key.
    pub(super) fn newest(&self, key: Key, out: &impl Effects<PrimaryBackup>) -> Option<Stored> {
        self.unapplied.get(&key).copied().max(out.read(key))
    }

    /// How advanced this member is: a member that has less may lack what another counted on it to have.
    pub(super) fn advance(&self) -> (u32, u64) {
        let end = self.log.end();
        (self.history.reached(end), end)
    }

    pub(super) fn append(&mut self, entry: Entry, out: &mut impl Effects<PrimaryBackup>) {
        let before = self.newest(entry.key, out);
        self.log.append(entry, before);
        let stored = entry.stored(self.log.end());
        if self.office.primary || !Bug::TokensOfPrimaryAlone.is_on() {
            entry.token.into_iter().for_each(|token| self.tokens.log(token, stored));
        }
        if is_news(stored, before) {
            self.unapplied.insert(entry.key, stored);
            out.logged(entry.key, stored);
        }
    }

    /// Shows readers the log up to `position`.
    pub(super) fn apply_upto(&mut self, position: u64, out: &mut impl Effects<PrimaryBackup>) {
        while self.applied < position
            && let Some(entry) = self.log.get(self.applied + 1)
        {
            self.applied += 1;
            let stored = entry.stored(self.applied);
            if self.unapplied.get(&entry.key) == Some(&stored) {
                self.unapplied.remove(&entry.key);
            }
            // A copied store may be ahead of the log.
            if is_news(stored, out.read(entry.key)) {
                out.apply(entry.key, stored, entry.bytes);
            }
        }
        if self.incomplete.is_some_and(|complete_at| complete_at <= self.applied) {
            // What came before cannot be taken back entry by entry.
            self.log.trim(self.applied);
            self.incomplete = None;
            self.forgetful = false;
        }
    }

    /// Takes back everything after `end`, the newest first.
    pub(super) fn truncate(&mut self, end: u64, out: &mut impl Effects<PrimaryBackup>) {
        while self.log.end() > end {
            let position = self.log.end();
            let Some(Logged { entry, before, .. }) = self.log.pop() else { break };
            let stored = entry.stored(position);
            if !Bug::TokenOutlivesWrite.is_on() {
                entry.token.into_iter().for_each(|token| self.tokens.unlog(token, stored));
            }
            if self.applied >= position {
                self.applied = position - 1;
                if out.read(entry.key) == Some(stored) {
                    out.unapply(entry.key, stored, before);
                }
            }
            if is_news(stored, before) {
                self.unapplied.remove(&entry.key);
                if let Some(before) = before.filter(|before| out.read(entry.key) != Some(*before)) {
                    self.unapplied.insert(entry.key, before);
                }
                out.unlogged(entry.key, stored, before);
            }
        }
        self.synced = self.synced.min(self.log.end());
    }

    /// Takes back everything there is.
    pub(super) fn wipe(&mut self, out: &mut impl Effects<PrimaryBackup>) {
        self.truncate(self.log.trimmed(), out);
        for key in (0..out.keys()).map(Key) {
            if let Some(stored) = out.read(key) {
                out.unapply(key, stored, None);
                out.unlogged(key, stored, None);
            }
        }
        self.restart_at(0);
        self.tokens = TokenTable::default();
        self.forgetful = true;
    }

    /// Shows what another member's store shows, if it is news.
    pub(super) fn overwrite(&mut self, item: &Item, out: &mut impl Effects<PrimaryBackup>) {
        if is_news(item.stored, self.newest(item.key, out)) {
            out.logged(item.key, item.stored);
            out.apply(item.key, item.stored, item.bytes);
        }
    }

    /// The log continues after `position`, which the store shows.
    pub(super) fn restart_at(&mut self, position: u64) {
        self.log.restart_at(position);
        self.unapplied.clear();
        (self.synced, self.applied) = (position, position);
    }

    /// The process, or more, is gone. `alone`: there is no other member to learn from.
    pub(super) fn crash(&mut self, kept: Kept, alone: bool, out: &mut impl Effects<PrimaryBackup>) {
        match kept {
            Kept::Written => {}
            Kept::Synced => {
                self.truncate(self.synced, out);
                self.office = self.synced_office;
            }
            Kept::Nothing => {
                // The only member has nobody to tell it how many terms there have been: its operator does.
                let office = Office { term: if alone { self.office.term } else { 0 }, primary: alone };
                *self = Disk {
                    history: History::default(),
                    office,
                    synced_office: office,
                    incomplete: (!alone).then_some(u64::MAX),
                    forgetful: !alone,
                    records: self.records,
                    ..Disk::new(alone)
                };
            }
        }
    }
}

fn is_news(stored: Stored, before: Option<Stored>) -> bool {
    before.is_none_or(|before| before.version < stored.version)
}
