//! The rightful history: who is the primary, what stands in whose log, and so which writes history excludes.
//!
//! The rightful primary is the one promoted with the highest floor, of equal ones the last. An old primary that starts
//! again may promote itself below that: it is *void*, as if it had not been seen ([`Rightful::is_void`]).
//!
//! A member *holds* a version if the newest version of the key in its log is that one or a later one. Two things put a
//! write outside the rightful history:
//! - a member is promoted that does not hold it, and its version is not above the floor: the past has no place for it;
//! - its version first becomes known after a promotion whose floor it does not exceed: a primary of the past gave it.
//!
//! Whoever keeps records of writes asks the first question of each right after a promotion ([`Rightful::drops`]) and
//! the second when a version becomes known ([`Rightful::too_late`]). An excluded write is *abandoned* as soon as it is
//! also committed. A write that the promoted member holds and that is committed only afterwards is not excluded.
//!
//! Each replication group has a history of its own.
//!
//! What is applied is logged. Only [`Observation::Unlogged`] and [`Observation::DiskLost`] take from a log.

use replisim_observe::{Group, Key, Member, Observation, Stored, Time, Version};

use crate::keyspace::Keyspace;

/// The logs and the promotions seen so far: O(keys × members of a group).
#[derive(Clone, Debug)]
pub(crate) struct Rightful {
    space: Keyspace,
    /// The newest version in the log, 0 for none; by [cell](Keyspace::cell).
    logged: Vec<Version>,
    /// By group.
    reigns: Vec<Reign>,
}

/// The rightful primaries of a group.
#[derive(Clone, Debug, Default)]
struct Reign {
    /// Who was rightfully promoted when.
    promotions: Vec<(Time, Member)>,
    /// Of the last of these promotions: the highest.
    floor: Version,
}

impl Reign {
    fn primary(&self) -> Option<Member> {
        self.promotions.last().map(|(_, member)| *member)
    }
}

impl Rightful {
    /// Empty logs, and nobody promoted.
    pub(crate) fn new(space: Keyspace) -> Rightful {
        Rightful {
            space,
            logged: vec![Version(0); space.cells()],
            reigns: vec![Reign::default(); space.groups()],
        }
    }

    /// Whether this changes nothing for anybody: a promotion below an earlier one, or another member than the rightful
    /// primary that serves.
    #[inline]
    pub(crate) fn is_void(&self, group: Group, what: &Observation) -> bool {
        match *what {
            Observation::Promoted { floor, .. } => floor < self.reigns[group.index()].floor,
            Observation::Serving { member } => self.reigns[group.index()].primary() != Some(member),
            _ => false,
        }
    }

    /// Takes in what concerns logs and promotions, and is not void; to be called before anything is asked about that
    /// moment.
    #[inline]
    pub(crate) fn observe(&mut self, at: Time, group: Group, what: &Observation) {
        match *what {
            Observation::Logged { member, key, stored } | Observation::Applied { member, key, stored } => {
                let logged = self.cell(member, key);
                *logged = stored.version.max(*logged);
            }
            Observation::Unlogged { member, key, back_to, .. } => {
                *self.cell(member, key) = version_of(back_to);
            }
            Observation::DiskLost { member } => {
                self.space.keys_at(member).for_each(|key| *self.cell(member, key) = Version(0));
            }
            Observation::Promoted { member, floor } => {
                let reign = &mut self.reigns[group.index()];
                reign.promotions.push((at, member));
                reign.floor = floor;
            }
            _ => {}
        }
    }

    /// The newest version of `key` in the log of `member`; 0 for none.
    #[inline]
    pub(crate) fn logged(&self, member: Member, key: Key) -> Version {
        self.logged[self.space.cell(member, key)]
    }

    /// Whether every owner has the version now.
    pub(crate) fn held_by_all(&self, key: Key, version: Version) -> bool {
        self.space.owners(key).all(|member| self.logged(member, key) >= version)
    }

    /// Versions of `group` up to this one are of the past.
    pub(crate) fn floor(&self, group: Group) -> Version {
        self.reigns[group.index()].floor
    }

    /// Whether anybody has been promoted.
    pub(crate) fn is_led(&self) -> bool {
        self.reigns.iter().any(|reign| !reign.promotions.is_empty())
    }

    /// Who was rightfully promoted when, in the order of time; of several groups without the first of each.
    pub(crate) fn into_promotions(self) -> Vec<(Time, Member)> {
        let first = usize::from(self.reigns.len() > 1);
        let mut all: Vec<_> =
            self.reigns.into_iter().flat_map(|reign| reign.promotions.into_iter().skip(first)).collect();
        all.sort_by_key(|(at, _)| *at);
        all
    }

    /// Whether `member` was the rightful primary of `group` at some moment of the instant `at`; at the instant of a
    /// promotion that are two.
    pub(crate) fn was_primary(&self, member: Member, group: Group, at: Time) -> bool {
        let promotions = &self.reigns[group.index()].promotions;
        let before = promotions.partition_point(|(promoted, _)| *promoted < at);
        let upto = promotions.partition_point(|(promoted, _)| *promoted <= at);
        promotions[before.saturating_sub(1)..upto].iter().any(|(_, primary)| *primary == member)
    }

    /// Right after a promotion in the group of `key`: whether the history of the new primary excludes this version.
    #[inline]
    pub(crate) fn drops(&self, key: Key, version: Version) -> bool {
        let reign = self.reign(key);
        version <= reign.floor && reign.primary().is_some_and(|primary| self.logged(primary, key) < version)
    }

    /// Whether a version of `key` that becomes known now was given by a primary of the past.
    #[inline]
    pub(crate) fn too_late(&self, key: Key, version: Version) -> bool {
        version <= self.reign(key).floor
    }

    #[inline]
    fn reign(&self, key: Key) -> &Reign {
        // Nearly always there is one.
        if let [reign] = &self.reigns[..] { reign } else { &self.reigns[self.space.group(key).index()] }
    }

    fn cell(&mut self, member: Member, key: Key) -> &mut Version {
        &mut self.logged[self.space.cell(member, key)]
    }
}

fn version_of(stored: Option<Stored>) -> Version {
    stored.map_or(Version(0), |stored| stored.version)
}

#[cfg(test)]
mod tests {
    use replisim_observe::Write;

    use super::*;

    const KEY: Key = Key(1);
    const GROUP: Group = Group(0);

    fn stored(version: u64) -> Stored {
        Stored { version: Version(version), write: Write(version) }
    }

    fn after(history: &[(u64, Observation)]) -> Rightful {
        let mut rightful = Rightful::new(Keyspace::everywhere(2, 2));
        history.iter().for_each(|(at, what)| rightful.observe(Time::from_nanos(*at), GROUP, what));
        rightful
    }

    fn logged(member: u32, version: u64) -> Observation {
        Observation::Logged { member: Member(member), key: KEY, stored: stored(version) }
    }

    fn promoted(member: u32, floor: u64) -> Observation {
        Observation::Promoted { member: Member(member), floor: Version(floor) }
    }

    #[test]
    fn a_promotion_drops_what_the_new_primary_does_not_hold_up_to_its_floor() {
        let rightful =
            after(&[(0, promoted(0, 0)), (1, logged(0, 7)), (1, logged(1, 5)), (2, promoted(1, 10))]);
        for (version, drops) in [(5, false), (6, true), (7, true), (10, true), (11, false)] {
            assert_eq!(rightful.drops(KEY, Version(version)), drops, "{version}");
        }
        assert!(rightful.too_late(KEY, Version(10)) && !rightful.too_late(KEY, Version(11)));
    }

    #[test]
    fn a_promotion_below_an_earlier_one_is_void_and_so_is_who_serves_without_one() {
        let rightful = after(&[(0, promoted(0, 0)), (1, promoted(1, 10))]);
        let serving = |member| Observation::Serving { member: Member(member) };
        for (what, void) in [
            (promoted(0, 0), true),
            (promoted(0, 9), true),
            (promoted(0, 10), false),
            (promoted(0, 11), false),
            (promoted(1, 10), false),
            (serving(0), true),
            (serving(1), false),
            (logged(0, 3), false),
        ] {
            assert_eq!(rightful.is_void(GROUP, &what), void, "{what:?}");
        }
        assert!(after(&[]).is_void(GROUP, &serving(0)) && !after(&[]).is_void(GROUP, &promoted(0, 0)));
    }

    #[test]
    fn logs_fall_back_and_disks_are_lost() {
        let unlogged = Observation::Unlogged {
            member: Member(0),
            key: KEY,
            undone: stored(7),
            back_to: Some(stored(3)),
        };
        let rightful = after(&[(1, logged(0, 7)), (1, logged(1, 7)), (2, unlogged)]);
        assert_eq!(
            (rightful.logged(Member(0), KEY), rightful.logged(Member(1), KEY)),
            (Version(3), Version(7))
        );
        assert!(rightful.held_by_all(KEY, Version(3)) && !rightful.held_by_all(KEY, Version(4)));
        let rightful =
            after(&[(1, logged(0, 7)), (1, logged(1, 7)), (2, Observation::DiskLost { member: Member(1) })]);
        assert_eq!(
            (rightful.logged(Member(0), KEY), rightful.logged(Member(1), KEY)),
            (Version(7), Version(0))
        );
    }

    #[test]
    fn at_the_instant_of_a_promotion_both_are_rightful() {
        let rightful = after(&[(0, promoted(0, 0)), (10, promoted(1, 5)), (20, promoted(0, 9))]);
        for (at, first, second) in [
            (0, true, false),
            (9, true, false),
            (10, true, true),
            (11, false, true),
            (20, true, true),
            (21, true, false),
        ] {
            let was = |member| rightful.was_primary(Member(member), GROUP, Time::from_nanos(at));
            assert_eq!((was(0), was(1)), (first, second), "at {at}");
        }
        assert!(!after(&[]).was_primary(Member(0), GROUP, Time::ZERO), "nobody was promoted");
    }
}
