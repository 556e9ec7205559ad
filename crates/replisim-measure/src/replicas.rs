//! What each member shows and logs of each key, and whether it is up.
//!
//! Versions are kept as they are seen, and *judged* against the key's [line](crate::retirement): a member whose version
//! lies below the line counts as having nothing of the key. What is applied is logged.

use replisim_observe::{Key, Member, Version};

/// The members of a group, as far as their copies go.
#[derive(Clone, Debug)]
pub(crate) struct Replicas {
    members: usize,
    /// `copies[key × members + member]`.
    copies: Vec<Copy>,
    lines: Vec<Version>,
    up: Vec<bool>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Copy {
    shown: Version,
    logged: Version,
}

/// What a member is judged to show and to log of a key; 0: nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Held {
    pub(crate) shown: Version,
    pub(crate) logged: Version,
}

impl Replicas {
    pub(crate) fn new(members: usize, keys: usize) -> Replicas {
        Replicas {
            members,
            copies: vec![Copy::default(); members * keys],
            lines: vec![Version(0); keys],
            up: vec![true; members],
        }
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = Member> + use<> {
        (0..self.members as u32).map(Member)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> + use<> {
        (0..self.lines.len() as u32).map(Key)
    }

    #[inline]
    pub(crate) fn held(&self, member: Member, key: Key) -> Held {
        let Copy { shown, logged } = self.copies[key.index() * self.members + member.index()];
        let line = self.lines[key.index()];
        let judged = |version| if version < line { Version(0) } else { version };
        Held { shown: judged(shown), logged: judged(logged.max(shown)) }
    }

    /// What reads served by the member show, however old.
    #[inline]
    pub(crate) fn shows(&self, member: Member, key: Key) -> Version {
        self.copies[key.index() * self.members + member.index()].shown
    }

    /// The newest version that the member has of a key, however old.
    pub(crate) fn newest(&self, member: Member, key: Key) -> Version {
        let Copy { shown, logged } = self.copies[key.index() * self.members + member.index()];
        logged.max(shown)
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

    pub(crate) fn set_shown(&mut self, member: Member, key: Key, version: Version) {
        self.copies[key.index() * self.members + member.index()].shown = version;
    }

    pub(crate) fn set_logged(&mut self, member: Member, key: Key, version: Version) {
        self.copies[key.index() * self.members + member.index()].logged = version;
    }

    #[inline]
    pub(crate) fn raise_logged(&mut self, member: Member, key: Key, version: Version) {
        let logged = &mut self.copies[key.index() * self.members + member.index()].logged;
        *logged = version.max(*logged);
    }
}
