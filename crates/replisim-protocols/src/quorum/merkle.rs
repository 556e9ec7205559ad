//! Anti-entropy: now and then a member compares its copies with another's by Merkle trees, and they send each other what
//! differs.
//!
//! Each range of keys (those with the same owners) has a tree; keys fall into its leaves by hash. Roots go first, then
//! the trees whose roots differ, then the keys under leaves that differ, then copies. Trees are built anew for each
//! comparison, as Cassandra does; writes that arrive between two messages at worst send a copy in vain.
//! What it leaves out: the CPU and disk time of building trees.

use std::collections::{BTreeMap, BTreeSet};

use replisim_observe::{Key, Member, Version};

use super::message::{Copy, Message};
use super::value::mix;
use super::{Quorum, Timer};
use crate::bug_shelf::Bug;
use crate::protocol::{Effects, Span};

/// With whom this member has compared itself.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Comparison {
    /// Who is next.
    turn: u32,
    /// How often copies here had changed when the roots were sent to each member, …
    asked: BTreeMap<Member, u64>,
    /// … and when it last said that its own are the same.
    same: BTreeMap<Member, u64>,
}

impl Quorum {
    pub(super) fn start_comparing(&mut self, out: &mut impl Effects<Self>) {
        if let Some(settings) = self.settings.anti_entropy {
            out.arm(Timer::Compare, Span { least: replisim_engine::Duration::ZERO, most: settings.every });
        }
    }

    /// Begins a comparison with the next member that shares keys.
    pub(super) fn compare(&mut self, out: &mut impl Effects<Self>) {
        let Some(settings) = self.settings.anti_entropy else { return };
        out.arm(Timer::Compare, Span::exactly(settings.every));
        let peers: Vec<Member> = self.peers().filter(|peer| self.health.is_live(*peer)).collect();
        let next = peers.iter().find(|peer| peer.0 >= self.comparison.turn).or(peers.first());
        let Some(peer) = next.copied() else { return };
        self.comparison.turn = peer.0 + 1;
        self.comparison.asked.insert(peer, self.disk.changes);
        let ranges = self.ring.shared_with(peer);
        let roots = ranges.map(|range| (range, root(&self.tree(range, out))));
        let roots = Message::Roots(roots.collect());
        out.send(peer, roots);
    }

    /// Whether all that share keys, as far as they are alive, were found to have the same.
    pub(super) fn is_level(&self) -> bool {
        let same = |peer: Member| {
            let unwritten = self.disk.changes == 0;
            unwritten || self.comparison.same.get(&peer) == Some(&self.disk.changes)
        };
        self.settings.anti_entropy.is_none()
            || !self.is_node()
            || self.peers().all(|peer| same(peer) || !self.health.is_live(peer))
    }

    /// The other has the same.
    pub(super) fn is_same(&mut self, from: Member) {
        if let Some(changes) = self.comparison.asked.get(&from) {
            self.comparison.same.insert(from, *changes);
        }
    }

    pub(super) fn compare_roots(&mut self, from: Member, roots: &[(u32, u64)], out: &mut impl Effects<Self>) {
        let trees = roots.iter().map(|(range, theirs)| (*range, *theirs, self.tree(*range, out)));
        let differ: Vec<(u32, Vec<u64>)> = trees
            .filter(|(_, theirs, tree)| root(tree) != *theirs)
            .map(|(range, _, tree)| (range, tree))
            .collect();
        out.send(from, if differ.is_empty() { Message::Same } else { Message::Leaves(differ) });
    }

    pub(super) fn compare_leaves(
        &mut self,
        from: Member,
        trees: &[(u32, Vec<u64>)],
        out: &mut impl Effects<Self>,
    ) {
        let mut leaves = Vec::new();
        for (range, theirs) in trees {
            let mine = self.tree(*range, out);
            let unseen = u32::from(Bug::MerkleBucketMissing.is_on());
            let both = (0u32..).zip(mine.iter().zip(theirs)).filter(|(leaf, _)| *leaf >= unseen);
            leaves.extend(both.filter(|(_, (mine, theirs))| mine != theirs).map(|(leaf, _)| (*range, leaf)));
        }
        let keys = self.keys_under(&leaves, out);
        out.send(from, Message::Keys { leaves, keys });
    }

    pub(super) fn compare_keys(
        &mut self,
        from: Member,
        leaves: &[(u32, u32)],
        keys: &[(Key, u64)],
        out: &mut impl Effects<Self>,
    ) {
        let mine: BTreeMap<Key, u64> = self.keys_under(leaves, out).into_iter().collect();
        let theirs: BTreeMap<Key, u64> = keys.iter().copied().collect();
        // The fingerprint of a register is its version, so one of the two is newer; siblings merge both ways.
        let ordered = self.disk.lanes == 1;
        let ahead = |a: &BTreeMap<Key, u64>, b: &BTreeMap<Key, u64>| -> Vec<Key> {
            let newer = |key: &Key, print: &u64| match b.get(key) {
                Some(other) if ordered => print > other,
                Some(other) => print != other,
                None => true,
            };
            a.iter().filter(|(key, print)| newer(key, print)).map(|(key, _)| *key).collect()
        };
        let copies = ahead(&mine, &theirs);
        let copies = copies.into_iter().map(|key| Copy { key, state: self.disk.read(key, out) }).collect();
        out.send(from, Message::Copies { copies, wanted: ahead(&theirs, &mine) });
    }

    pub(super) fn copies(
        &mut self,
        from: Member,
        copies: &[Copy],
        wanted: &[Key],
        out: &mut impl Effects<Self>,
    ) {
        for copy in copies {
            self.take(copy.key, &copy.state, out);
        }
        if !wanted.is_empty() {
            let copies = wanted.iter().map(|key| Copy { key: *key, state: self.disk.read(*key, out) });
            let copies = Message::Copies { copies: copies.collect(), wanted: Vec::new() };
            out.send(from, copies);
        }
    }

    /// Those that share keys with this member.
    fn peers(&self) -> impl Iterator<Item = Member> {
        let others = (0..self.ring.members()).map(Member).filter(|member| *member != self.me);
        others.filter(|member| self.ring.shared_with(*member).next().is_some())
    }

    /// The leaves of the tree of a range.
    fn tree(&self, range: u32, out: &impl Effects<Self>) -> Vec<u64> {
        let leaves = self.settings.anti_entropy.map_or(1, |settings| settings.leaves);
        let mut tree = vec![0; leaves as usize];
        for (key, print) in self.keys_of(range, out) {
            tree[self.leaf(key) as usize] ^= mix(mix(u64::from(key.0)) ^ print);
        }
        tree
    }

    /// The keys of a range that have been written, with their fingerprints. A tombstone that is old enough is as good as
    /// forgotten.
    fn keys_of(&self, range: u32, out: &impl Effects<Self>) -> impl Iterator<Item = (Key, u64)> {
        let keys = (range..out.keys()).step_by(self.ring.members() as usize).map(Key);
        keys.map(|key| (key, self.disk.fingerprint(key, out)))
            .filter(|(key, print)| *print != 0 && !self.has_expired(*key, Version(*print), out))
    }

    fn keys_under(&self, leaves: &[(u32, u32)], out: &impl Effects<Self>) -> Vec<(Key, u64)> {
        let ranges: BTreeSet<u32> = leaves.iter().map(|(range, _)| *range).collect();
        let leaves: BTreeSet<(u32, u32)> = leaves.iter().copied().collect();
        let under = |range: u32, key: Key| leaves.contains(&(range, self.leaf(key)));
        let keys =
            ranges.into_iter().flat_map(|range| self.keys_of(range, out).map(move |entry| (range, entry)));
        keys.filter(|(range, (key, _))| under(*range, *key)).map(|(_, entry)| entry).collect()
    }

    fn leaf(&self, key: Key) -> u32 {
        let leaves = self.settings.anti_entropy.map_or(1, |settings| settings.leaves);
        (mix(u64::from(key.0) << 1) % u64::from(leaves)) as u32
    }
}

/// The root over leaves; 0 if there is nothing under it.
fn root(leaves: &[u64]) -> u64 {
    leaves.iter().fold(0, |root, leaf| if root == 0 && *leaf == 0 { 0 } else { mix(root ^ leaf) })
}
