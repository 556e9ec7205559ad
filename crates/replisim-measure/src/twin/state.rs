//! What members have just after an event.

use replisim_observe::{Key, Observation, Stored, Version};

/// Versions by member and key, as they were seen; and who is up.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) shown: Vec<Vec<Version>>,
    pub(super) logged: Vec<Vec<Version>>,
    /// By key: the newest version that has retired.
    pub(super) lines: Vec<Version>,
    pub(super) up: Vec<bool>,
}

impl State {
    pub(super) fn new(members: usize, keys: usize) -> State {
        State {
            shown: vec![vec![Version(0); keys]; members],
            logged: vec![vec![Version(0); keys]; members],
            lines: vec![Version(0); keys],
            up: vec![true; members],
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
            }
            Observation::DiskLost { member } => {
                self.shown[member.index()].fill(Version(0));
                self.logged[member.index()].fill(Version(0));
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
}
