//! Records on their way to the disk, and what a member does once they are there.

use std::sync::Arc;

use replisim_observe::{Key, Member};

use super::disk::Office;
use super::message::{Item, Lead, Message};
use super::tokens::TokenTable;
use super::{PrimaryBackup, Role};
use crate::protocol::Effects;

/// A record that is not durable yet.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Record {
    /// Which record it is.
    number: u64,
    /// What the member had promised when it was written.
    office: Office,
    intent: Intent,
}

/// What follows once a record is durable.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Intent {
    /// The log is durable up to here.
    Entries { end: u64 },
    /// Nothing: the promise itself is the record.
    Promise,
    /// A vote may be sent.
    Vote { to: Member, term: u32 },
    /// The others may be asked for their votes.
    Ask { term: u32, forced: bool },
    /// The term begins.
    Begin { term: u32 },
    /// The primary may be followed.
    Follow { primary: Member, lead: Lead },
    /// A part of a copied store may be shown.
    Copy { joining: u32, position: u64, first: Key, items: Arc<[Item]> },
    /// The log may continue after a copied store.
    Install { joining: u32, position: u64, complete_at: u64, tokens: Arc<TokenTable> },
}

impl PrimaryBackup {
    /// Writes a record of so many bytes.
    pub(super) fn persist(&mut self, intent: Intent, bytes: u64, out: &mut impl Effects<PrimaryBackup>) {
        self.disk.records += 1;
        let number = self.disk.records;
        self.unsynced.push_back(Record { number, office: self.disk.office, intent });
        out.persist(number, bytes);
    }

    /// Takes a promise to the disk.
    pub(super) fn promise(&mut self, intent: Intent, out: &mut impl Effects<PrimaryBackup>) {
        const BYTES: u64 = 16;
        self.persist(intent, BYTES, out);
    }

    /// Records up to `upto` are durable.
    pub(super) fn synced(&mut self, upto: u64, out: &mut impl Effects<PrimaryBackup>) {
        let mut entries = false;
        while self.unsynced.front().is_some_and(|record| record.number <= upto)
            && let Some(record) = self.unsynced.pop_front()
        {
            self.disk.synced_office = record.office;
            match record.intent {
                Intent::Entries { end } => {
                    self.disk.synced = self.disk.synced.max(end);
                    entries = true;
                }
                intent => self.fulfil(intent, out),
            }
        }
        if entries {
            self.log_synced(out);
        }
    }

    /// The log is durable up to `disk.synced`.
    fn log_synced(&mut self, out: &mut impl Effects<PrimaryBackup>) {
        match &self.role {
            Role::Primary(_) => {
                // Only what is durable is shipped: no replica may ever be ahead of its primary's disk.
                if self.settings.ship_every.nanos() == 0 {
                    self.ship_new(out);
                }
                self.advance_commit(out);
                self.trim();
            }
            Role::Replica(replica) if replica.following => {
                self.apply_synced(out);
                self.acknowledge(out);
            }
            Role::Replica(_) => {}
        }
    }

    fn fulfil(&mut self, intent: Intent, out: &mut impl Effects<PrimaryBackup>) {
        let term = self.disk.office.term;
        match intent {
            Intent::Entries { .. } | Intent::Promise => {}
            Intent::Vote { to, term: ballot } if ballot == term => {
                out.send(to, Message::Vote { term, trial: false });
            }
            Intent::Ask { term: ballot, forced } if ballot == term => self.ask_for_votes(forced, out),
            Intent::Begin { term: begun } if begun == term => self.begin_term(out),
            Intent::Follow { primary, lead } if lead.term == term => self.follow(primary, lead, out),
            Intent::Copy { joining, position, first, items } => {
                self.show_copy(joining, position, first, &items, out);
            }
            Intent::Install { joining, position, complete_at, tokens } => {
                self.install(joining, position, (complete_at, &tokens), out);
            }
            // A later term has begun in the meantime.
            Intent::Vote { .. } | Intent::Ask { .. } | Intent::Begin { .. } | Intent::Follow { .. } => {}
        }
    }
}
