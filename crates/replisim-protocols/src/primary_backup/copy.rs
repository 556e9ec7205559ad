//! Copying the store to a replica that needs entries which the log no longer has.
//!
//! The primary walks its keys in order and sends them in parts, a window at a time; the replica writes each part down,
//! shows it, and says so. The store changes meanwhile: a part may show writes later than the position at which the
//! copy began. So the log is shipped from that position on, entries that are no news are passed over, and until the
//! replica has applied what the primary had at the end of the copy it counts for nothing: its store is of no one time.
//! A copy that takes longer than the log is retained starts over.

use std::collections::BTreeMap;
use std::sync::Arc;

use replisim_observe::{Key, Member};

use super::message::{Item, Message};
use super::primary::Primary;
use super::tokens::TokenTable;
use super::{PrimaryBackup, Role};
use crate::bug_shelf::Bug;
use crate::protocol::Effects;

/// A copy under way.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Copying {
    /// The replica's log is to continue after this position.
    pub(super) position: u64,
    /// The first key that has not been sent.
    next: u32,
    /// The parts that the replica has not confirmed, by their first key.
    parts: BTreeMap<u32, Part>,
    /// The bytes of these.
    bytes: u64,
    /// The heartbeat before `install` was sent last.
    installed: Option<u64>,
}

/// A part of the store on its way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Part {
    /// The first key after it.
    end: u32,
    bytes: u64,
    /// The heartbeat before it was sent last.
    round: u64,
}

impl PrimaryBackup {
    /// Begins to copy the store to a replica.
    pub(super) fn start_copy(&mut self, i: usize, out: &mut impl Effects<PrimaryBackup>) {
        let Role::Primary(primary) = &mut self.role else { return };
        let peer = &mut primary.peers[i];
        peer.shipped = peer.received;
        peer.copying = Some(Box::new(Copying {
            position: self.disk.applied.min(self.disk.synced),
            next: 0,
            parts: BTreeMap::new(),
            bytes: 0,
            installed: None,
        }));
        self.copy(i, out);
    }

    /// Sends what the window allows, and at the end the word that it was all.
    fn copy(&mut self, i: usize, out: &mut impl Effects<PrimaryBackup>) {
        let term = self.disk.office.term;
        let Role::Primary(Primary { peers, round, .. }) = &mut self.role else { return };
        let (peer, round) = (&mut peers[i], *round);
        let Some(copying) = &mut peer.copying else { return };
        while copying.next < out.keys() && copying.bytes < self.settings.window {
            let first = copying.next;
            let (items, end, bytes) = part(first, out.keys(), self.settings.batch, out);
            copying.next = end;
            if !items.is_empty() {
                copying.bytes += bytes;
                copying.parts.insert(first, Part { end, bytes, round });
                let (joining, position, first) = (peer.joining, copying.position, Key(first));
                out.send(peer.member, Message::Copy { term, joining, position, first, items });
            }
        }
        if copying.next < out.keys() || !copying.parts.is_empty() {
            return;
        }
        if copying.position < self.disk.log.trimmed() {
            return self.start_copy(i, out);
        }
        copying.installed = Some(round);
        let (joining, position, complete_at) = (peer.joining, copying.position, self.disk.applied);
        let tokens = Arc::new(self.disk.tokens.clone());
        out.send(peer.member, Message::Install { term, joining, position, complete_at, tokens });
    }

    /// A replica has a part.
    pub(super) fn copied(
        &mut self,
        from: Member,
        joining: u32,
        first: Key,
        out: &mut impl Effects<PrimaryBackup>,
    ) {
        let Role::Primary(primary) = &mut self.role else { return };
        let i = Primary::peer_index(self.settings.me, from);
        let peer = &mut primary.peers[i];
        if peer.joining == joining
            && let Some(copying) = &mut peer.copying
            && let Some(part) = copying.parts.remove(&first.0)
        {
            copying.bytes -= part.bytes;
            self.copy(i, out);
        }
    }

    /// Sends again what was sent before a heartbeat that has been answered since, and has not been confirmed.
    pub(super) fn copy_again(&mut self, i: usize, out: &mut impl Effects<PrimaryBackup>) {
        let term = self.disk.office.term;
        let Role::Primary(Primary { peers, round, .. }) = &mut self.role else { return };
        let (peer, round) = (&mut peers[i], *round);
        let (answered, joining) = (peer.round, peer.joining);
        let is_overdue = |sent: u64| sent + 2 <= answered;
        let Some(copying) = &mut peer.copying else { return };
        for (first, part) in copying.parts.iter_mut().filter(|(_, part)| is_overdue(part.round)) {
            part.round = round;
            let (items, ..) = self::part(*first, part.end, u64::MAX, out);
            let (position, first) = (copying.position, Key(*first));
            out.send(peer.member, Message::Copy { term, joining, position, first, items });
        }
        if copying.installed.is_some_and(is_overdue) {
            self.copy(i, out);
        }
    }

    /// A part of the primary's store is on the disk here.
    pub(super) fn show_copy(
        &mut self,
        joining: u32,
        position: u64,
        first: Key,
        items: &[Item],
        out: &mut impl Effects<PrimaryBackup>,
    ) {
        let term = self.disk.office.term;
        let Some(leader) = self.leader_of(joining) else { return };
        if position <= self.disk.log.end() {
            return; // sent once more than was needed
        }
        self.disk.incomplete = Some(u64::MAX);
        for item in items {
            self.disk.overwrite(item, out);
        }
        out.send(leader, Message::Copied { term, joining, first });
    }

    /// The whole store is here.
    pub(super) fn install(
        &mut self,
        joining: u32,
        position: u64,
        (complete_at, tokens): (u64, &TokenTable),
        out: &mut impl Effects<PrimaryBackup>,
    ) {
        if self.leader_of(joining).is_none() {
            return;
        }
        if position > self.disk.log.end()
            && let Role::Replica(replica) = &mut self.role
        {
            replica.ahead.clear();
            self.disk.restart_at(position);
            if !Bug::TokensNotCopied.is_on() {
                self.disk.tokens = tokens.upto(position);
            }
            self.disk.incomplete = Some(complete_at);
            self.apply_synced(out);
        }
        self.acknowledge(out);
    }

    /// The primary, if this member follows it under that name.
    fn leader_of(&self, joining: u32) -> Option<Member> {
        match &self.role {
            Role::Replica(replica) if replica.following && replica.joining == joining => replica.leader,
            _ => None,
        }
    }
}

/// What the store shows for the keys from `first` to before `limit`, at most `batch` bytes but at least one item;
/// the first key that is not among them; the bytes.
fn part(first: u32, limit: u32, batch: u64, out: &impl Effects<PrimaryBackup>) -> (Arc<[Item]>, u32, u64) {
    let (mut items, mut bytes, mut next) = (Vec::new(), 0, first);
    while next < limit {
        let key = Key(next);
        if let Some(stored) = out.read(key) {
            let item = Item { key, stored, bytes: out.value_bytes(key) };
            if bytes > 0 && bytes + item.bytes() > batch {
                break;
            }
            bytes += item.bytes();
            items.push(item);
        }
        next += 1;
    }
    (items.into(), next, bytes)
}
