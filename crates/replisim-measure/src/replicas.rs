//! What each owner shows and logs of each key, who keeps hints and has purged, and who is up.
//!
//! Versions are kept as they are seen, and *judged* against the key's [line](crate::retirement): a member whose version
//! lies below the line counts as having nothing of the key. What is applied is logged. Keys are lane keys
//! ([`Keyspace`]).

use replisim_observe::{Key, Member, Roster, Version, prefetch};

use crate::hints::Hints;
use crate::keyspace::Keyspace;
use crate::purges::Purges;

/// The members, as far as their copies go.
#[derive(Clone, Debug)]
pub(crate) struct Replicas {
    pub(crate) space: Keyspace,
    /// By [cell](Keyspace::cell).
    copies: Vec<Copy>,
    lines: Vec<Version>,
    up: Vec<bool>,
    pub(crate) hints: Hints,
    pub(crate) purges: Purges,
}

/// What a member has of a key, however old. A purged tombstone counts as shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Copy {
    pub(crate) shown: Version,
    pub(crate) logged: Version,
}

/// What a member is judged to show and to log of a key; 0: nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Held {
    pub(crate) shown: Version,
    pub(crate) logged: Version,
}

impl Copy {
    #[inline]
    pub(crate) fn newest(self) -> Version {
        self.logged.max(self.shown)
    }
}

impl Replicas {
    pub(crate) fn new(roster: &Roster) -> Replicas {
        let space = Keyspace::of(roster);
        Replicas {
            space,
            copies: vec![Copy::default(); space.cells()],
            lines: vec![Version(0); space.lane_keys()],
            up: vec![true; space.members()],
            hints: Hints::default(),
            purges: Purges::default(),
        }
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = Member> + use<> {
        (0..self.space.members() as u32).map(Member)
    }

    /// Those that are to hold all writes of `key`.
    #[inline]
    pub(crate) fn owners(&self, key: Key) -> impl Iterator<Item = Member> + use<> {
        self.space.owners(key)
    }

    /// The same, each with its place in the group.
    #[inline]
    pub(crate) fn owners_in_place(&self, key: Key) -> impl Iterator<Item = (usize, Member)> + use<> {
        let (space, group) = (self.space, self.space.group(key));
        self.owners(key).map(move |member| (space.slot(group, member), member))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> + use<> {
        (0..self.lines.len() as u32).map(Key)
    }

    /// Fetches a copy.
    #[inline]
    pub(crate) fn foresee(&self, member: Member, key: Key) {
        self.copies.get(self.space.cell(member, key)).into_iter().for_each(prefetch);
    }

    #[inline]
    pub(crate) fn copy(&self, member: Member, key: Key) -> Copy {
        self.copies[self.space.cell(member, key)]
    }

    #[inline]
    pub(crate) fn set_copy(&mut self, member: Member, key: Key, copy: Copy) {
        let cell = self.space.cell(member, key);
        self.copies[cell] = copy;
    }

    /// `version`, unless it lies below the line.
    #[inline]
    pub(crate) fn judged(&self, key: Key, version: Version) -> Version {
        if version < self.lines[key.index()] { Version(0) } else { version }
    }

    #[inline]
    pub(crate) fn held(&self, member: Member, key: Key) -> Held {
        let copy = self.copy(member, key);
        Held { shown: self.judged(key, copy.shown), logged: self.judged(key, copy.newest()) }
    }

    /// The same for the question what `member` lacks: one that is no owner lacks nothing.
    #[inline]
    pub(crate) fn held_of_owned(&self, member: Member, key: Key) -> Held {
        if self.space.owns(member, key) {
            self.held(member, key)
        } else {
            Held { shown: Version(u64::MAX), logged: Version(u64::MAX) }
        }
    }

    /// What reads served by the member show, however old: nothing, if that is a purged tombstone.
    #[inline]
    pub(crate) fn shows(&self, member: Member, key: Key) -> Version {
        let shown = self.copy(member, key).shown;
        if self.purges.is_bare(member, key) || shown == self.purges.newest(key) { Version(0) } else { shown }
    }

    /// The same, but a tombstone is shown until this member purges it.
    #[inline]
    pub(crate) fn still_shows(&self, member: Member, key: Key) -> Version {
        if self.purges.is_bare(member, key) { Version(0) } else { self.copy(member, key).shown }
    }

    /// The newest version that any node but this owner has of a key, hints included, however old.
    pub(crate) fn newest_elsewhere(&self, key: Key, but: Option<Member>) -> Version {
        let others = self.owners(key).filter(|member| Some(*member) != but);
        let newest = others.map(|member| self.copy(member, key).newest()).max().unwrap_or_default();
        newest.max(self.hints.newest(key))
    }

    pub(crate) fn line(&self, key: Key) -> Version {
        self.lines[key.index()]
    }

    /// Versions of `key` below `version` are judged as nothing from now on.
    pub(crate) fn raise_line(&mut self, key: Key, version: Version) {
        let line = &mut self.lines[key.index()];
        *line = version.max(*line);
    }

    pub(crate) fn is_up(&self, member: Member) -> bool {
        self.up[member.index()]
    }

    pub(crate) fn set_up(&mut self, member: Member, up: bool) {
        self.up[member.index()] = up;
    }
}
