//! Who takes part in a run, by name, and in which window it is measured.

use replisim_engine::{Duration, Time};

use crate::ids::{Group, Key, Member};

/// The names behind the ids of a run, and how many there are of each.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Roster {
    /// Names of the nodes, in file order; `Member(i)` is the i-th. With one group these are its members.
    pub members: Vec<String>,
    /// Names of the clients: workloads, then clients of the script.
    pub clients: Vec<String>,
    /// Labels of the faults, in file order.
    pub faults: Vec<String>,
    /// Number of keys.
    pub keys: usize,
    /// Which members keep which keys.
    pub placement: Placement,
    /// In how many lanes the versions of a key stand: 1 where any two versions are ordered. Under version vectors, one for
    /// each member that gives versions: those of one lane are ordered, and whoever holds one holds all of its lane before
    /// it. Observations about versions then name lane `l` of key `k` as `Key(k × lanes + l)`; those about operations
    /// name the key itself. 0 counts as 1.
    pub lanes: u32,
    /// Who would take over if the primary were lost now.
    pub promotion: PromotionRule,
    /// Whether some client may try an operation more than once.
    pub retries: bool,
    /// How long nothing of a kind must succeed for it to count as unavailable.
    pub unavailability_bound: Duration,
}

/// Which members keep which keys: the owners of a key are to hold all its writes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Placement {
    /// Every member keeps every key.
    #[default]
    Everywhere,
    /// Members stand on a ring in file order, and a key is kept by so many of them: from the one at the key's number
    /// (modulo their count) on.
    Ring {
        /// How many.
        copies: u32,
    },
    /// Keys and members are dealt to replication groups; the members of its group keep a key.
    Groups(Groups),
}

/// How members and keys are dealt to several replication groups. Members stand in a circle in file order. A group has
/// the next so many of them after those of the group before: every member is in as many groups as every other, or in
/// one more. A key belongs to the group of its number, modulo their count.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Groups {
    /// How many groups.
    pub count: u32,
    /// How many members each has.
    pub members: u32,
}

impl Groups {
    /// The group that a key (not a lane of it) belongs to.
    #[inline]
    pub fn of(self, key: Key) -> Group {
        Group(key.0 % self.count.max(1))
    }

    /// The first member of `group`, out of `nodes`.
    #[inline]
    pub fn first(self, nodes: usize, group: Group) -> Member {
        Member((group.0 * self.members) % (nodes as u32).max(1))
    }

    /// The place of `node` among the members of `group`; it is none of them if that is beyond the last.
    #[inline]
    pub fn slot(self, nodes: usize, group: Group, node: Member) -> u32 {
        let first = self.first(nodes, group).0;
        if node.0 >= first { node.0 - first } else { node.0 + nodes as u32 - first }
    }

    /// The member of `group` at a place.
    #[inline]
    pub fn member(self, nodes: usize, group: Group, slot: u32) -> Member {
        let (place, nodes) = (self.first(nodes, group).0 + slot, nodes as u32);
        Member(if place < nodes { place } else { place - nodes })
    }
}

impl Placement {
    /// How many replication groups there are.
    pub fn groups(self) -> usize {
        if let Placement::Groups(groups) = self { groups.count as usize } else { 1 }
    }

    /// The group that `key` (not a lane of it) belongs to.
    #[inline]
    pub fn group(self, key: Key) -> Group {
        if let Placement::Groups(groups) = self { groups.of(key) } else { Group(0) }
    }

    /// The members of `group`, out of `members`, its first one first.
    pub fn members(self, members: usize, group: Group) -> impl Iterator<Item = Member> + Clone {
        let size = if let Placement::Groups(groups) = self { groups.members } else { members as u32 };
        (0..size).map(move |slot| match self {
            Placement::Groups(groups) => groups.member(members, group, slot),
            _ => Member(slot),
        })
    }

    /// Whether `member`, one of `members`, is to keep `key` (not a lane of it).
    #[inline]
    pub fn owns(self, members: usize, member: Member, key: Key) -> bool {
        match self {
            Placement::Everywhere => true,
            Placement::Ring { copies } => {
                let first = key.index() % members.max(1);
                (member.index() + members - first) % members.max(1) < copies as usize
            }
            Placement::Groups(groups) => groups.slot(members, groups.of(key), member) < groups.members,
        }
    }
}

/// Which member would be promoted: what is acknowledged and not there is exposed to loss.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum PromotionRule {
    /// The survivor that has the most; also where a person decides, or nobody does.
    #[default]
    MostAdvanced,
    /// The first survivor in this order.
    Order(Vec<Member>),
    /// Any survivor; the one that has the least is the worst case.
    Any,
    /// There is no primary.
    Leaderless,
}

/// The part of a run whose samples count: from the end of the warm-up to the moment the clients stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// End of the warm-up.
    pub from: Time,
    /// End of the clients' time (`duration`).
    pub to: Time,
}

impl Window {
    /// Whether a sample that belongs to `at` counts.
    #[inline]
    pub fn contains(&self, at: Time) -> bool {
        self.from <= at && at < self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_is_in_as_many_groups_as_every_other_or_in_one_more() {
        for (nodes, count, members) in
            [(10, 2, 5), (7, 3, 3), (1000, 100, 10), (100, 1000, 3), (5, 4, 5), (3, 1, 2)]
        {
            let placement = Placement::Groups(Groups { count, members });
            let mut memberships = vec![0; nodes];
            for group in (0..count).map(Group) {
                let of_group: Vec<Member> = placement.members(nodes, group).collect();
                assert_eq!(of_group.len(), members as usize);
                for member in (0..nodes as u32).map(Member) {
                    let owns = placement.owns(nodes, member, Key(group.0 + count));
                    assert_eq!(
                        owns,
                        of_group.contains(&member),
                        "{nodes}, {count} × {members}: {group:?}, {member:?}"
                    );
                    memberships[member.index()] += u32::from(owns);
                }
            }
            let (least, most) = (memberships.iter().min(), memberships.iter().max());
            assert!(most.zip(least).is_some_and(|(most, least)| most - least <= 1), "{memberships:?}");
        }
    }
}
