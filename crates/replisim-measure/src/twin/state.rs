//! What members have just after an event.

use replisim_observe::{Key, Member, Observation, Stored, Version};

/// Versions by member and key (in a lane), as they were seen; and who is up.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) shown: Vec<Vec<Version>>,
    pub(super) logged: Vec<Vec<Version>>,
    /// By key: the newest version that has retired.
    pub(super) lines: Vec<Version>,
    pub(super) up: Vec<bool>,
    pub(super) hints: Vec<(Member, Key, Version)>,
    /// By member and key: it has purged what it shows.
    bare: Vec<Vec<bool>>,
    /// By key: the newest version that any member has ever purged.
    pub(super) purged: Vec<Version>,
}

impl State {
    pub(super) fn new(members: usize, keys: usize) -> State {
        State {
            shown: vec![vec![Version(0); keys]; members],
            logged: vec![vec![Version(0); keys]; members],
            lines: vec![Version(0); keys],
            up: vec![true; members],
            hints: Vec::new(),
            bare: vec![vec![false; keys]; members],
            purged: vec![Version(0); keys],
        }
    }

    pub(super) fn see(&mut self, what: Observation) {
        let version = |stored: Option<Stored>| stored.map_or(Version(0), |stored| stored.version);
        match what {
            Observation::Logged { member, key, stored } => {
                let logged = &mut self.logged[member.index()][key.index()];
                *logged = stored.version.max(*logged);
            }
            Observation::Applied { member, key, stored } => {
                if std::mem::take(&mut self.bare[member.index()][key.index()]) {
                    self.shown[member.index()][key.index()] = stored.version;
                }
                for versions in [&mut self.shown, &mut self.logged] {
                    let version = &mut versions[member.index()][key.index()];
                    *version = stored.version.max(*version);
                }
            }
            Observation::Unlogged { member, key, back_to, .. } => {
                self.logged[member.index()][key.index()] = version(back_to);
            }
            Observation::Unapplied { member, key, back_to, .. } => {
                self.shown[member.index()][key.index()] = version(back_to);
                self.bare[member.index()][key.index()] = false;
            }
            Observation::DiskLost { member } => {
                self.shown[member.index()].fill(Version(0));
                self.logged[member.index()].fill(Version(0));
                self.bare[member.index()].fill(false);
                self.hints.retain(|(keeper, ..)| *keeper != member);
            }
            // It still holds the delete, until it shows something; then it has that alone.
            Observation::Purged { member, key, stored } => {
                let logged = &mut self.logged[member.index()][key.index()];
                if *logged <= stored.version {
                    *logged = Version(0);
                }
                self.bare[member.index()][key.index()] = true;
                let purged = &mut self.purged[key.index()];
                *purged = stored.version.max(*purged);
            }
            Observation::Hinted { member, key, stored } => self.hints.push((member, key, stored.version)),
            Observation::Unhinted { member, key, stored } => {
                let hint = self.hints.iter().position(|hint| *hint == (member, key, stored.version));
                hint.into_iter().for_each(|i| _ = self.hints.remove(i));
            }
            Observation::MemberDown { member } => self.up[member.index()] = false,
            Observation::MemberUp { member } => self.up[member.index()] = true,
            _ => {}
        }
    }

    /// What lies below the line counts as nothing.
    pub(super) fn judged(&self, key: Key, version: Version) -> Version {
        if version < self.lines[key.index()] { Version(0) } else { version }
    }

    /// What `member` is judged to show.
    pub(super) fn shows(&self, member: usize, key: Key) -> Version {
        self.judged(key, self.shown[member][key.index()])
    }

    /// What `member` is judged to have in its log; what is applied is logged.
    pub(super) fn logs(&self, member: usize, key: Key) -> Version {
        self.judged(key, self.logged[member][key.index()].max(self.shown[member][key.index()]))
    }

    /// What clients see at `member`: a purged tombstone, or what was purged elsewhere, is nothing.
    pub(super) fn visible(&self, member: usize, key: Key) -> Version {
        let shown = self.shown[member][key.index()];
        let is_nothing = self.bare[member][key.index()] || shown == self.purged[key.index()];
        if is_nothing { Version(0) } else { shown }
    }

    /// What `member` shows; a tombstone until it is purged there.
    pub(super) fn still_shown(&self, member: usize, key: Key) -> Version {
        if self.bare[member][key.index()] { Version(0) } else { self.shown[member][key.index()] }
    }

    /// The newest version of `key` that any node has, hints included, however old.
    pub(super) fn newest_anywhere(&self, key: Key) -> Version {
        let of = |versions: &[Vec<Version>]| versions.iter().map(|keys| keys[key.index()]).max();
        let hinted = self.hints.iter().filter(|(_, of, _)| *of == key).map(|(.., version)| *version).max();
        of(&self.shown).into_iter().chain(of(&self.logged)).chain(hinted).max().unwrap_or_default()
    }
}
