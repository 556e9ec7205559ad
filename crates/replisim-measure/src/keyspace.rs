//! Which members keep which keys, and in which lanes the versions of a key stand.
//!
//! Whatever is kept by version is kept by *lane key*: key and lane in one number, as observations name them. Where any
//! two versions are ordered, that is the key itself.

use replisim_observe::{Group, Key, Member, Placement, Roster};

/// The keys of a run, their lanes, their groups and their owners.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keyspace {
    members: u32,
    keys: u32,
    lanes: u32,
    placement: Placement,
    /// How many members keep a key.
    copies: u32,
}

impl Keyspace {
    pub(crate) fn of(roster: &Roster) -> Keyspace {
        let members = roster.members.len() as u32;
        let copies = match roster.placement {
            Placement::Everywhere => members,
            Placement::Ring { copies } => copies.min(members),
            Placement::Groups(groups) => groups.members,
        };
        let (keys, lanes, placement) = (roster.keys as u32, roster.lanes.max(1), roster.placement);
        Keyspace { members, keys, lanes, placement, copies }
    }

    /// So many keys, each kept by all of so many members.
    #[cfg(test)]
    pub(crate) fn everywhere(members: u32, keys: u32) -> Keyspace {
        Keyspace { members, keys, lanes: 1, placement: Placement::Everywhere, copies: members }
    }

    pub(crate) fn members(&self) -> usize {
        self.members as usize
    }

    pub(crate) fn keys(&self) -> usize {
        self.keys as usize
    }

    pub(crate) fn lanes(&self) -> usize {
        self.lanes as usize
    }

    /// How many lane keys there are.
    pub(crate) fn lane_keys(&self) -> usize {
        self.keys() * self.lanes()
    }

    /// The lane keys of `key`.
    #[inline]
    pub(crate) fn lanes_of(&self, key: Key) -> impl Iterator<Item = Key> + use<> {
        let first = key.0 * self.lanes;
        (first..first + self.lanes).map(Key)
    }

    /// The key that this is a lane of.
    #[inline]
    pub(crate) fn key_of(&self, lane: Key) -> Key {
        if self.lanes == 1 { lane } else { Key(lane.0 / self.lanes) }
    }

    /// How many replication groups there are.
    pub(crate) fn groups(&self) -> usize {
        self.placement.groups()
    }

    /// The group of a key (not a lane of it).
    #[inline]
    pub(crate) fn group_of(&self, key: Key) -> Group {
        self.placement.group(key)
    }

    /// The group of a lane key.
    #[inline]
    pub(crate) fn group(&self, lane: Key) -> Group {
        self.placement.group(self.key_of(lane))
    }

    /// How many members a group has.
    #[inline]
    pub(crate) fn group_size(&self) -> usize {
        if let Placement::Groups(groups) = self.placement { groups.members as usize } else { self.members() }
    }

    /// The members of a group, in its order.
    pub(crate) fn group_members(&self, group: Group) -> impl Iterator<Item = Member> + Clone + use<> {
        self.placement.members(self.members(), group)
    }

    /// The place of `member` in its group.
    #[inline]
    pub(crate) fn slot(&self, group: Group, member: Member) -> usize {
        match self.placement {
            Placement::Groups(groups) => groups.slot(self.members(), group, member) as usize,
            _ => member.index(),
        }
    }

    /// The groups that `member` is in.
    pub(crate) fn groups_of(&self, member: Member) -> impl Iterator<Item = Group> + use<> {
        let space = *self;
        (0..self.groups() as u32)
            .map(Group)
            .filter(move |group| space.slot(*group, member) < space.group_size())
    }

    /// The lane keys of which `member` may have a copy.
    pub(crate) fn keys_at(&self, member: Member) -> impl Iterator<Item = Key> + use<> {
        let space = *self;
        let keys = (0..self.lane_keys() as u32).map(Key);
        keys.filter(move |key| space.slot(space.group(*key), member) < space.group_size())
    }

    /// The lane keys of a group.
    pub(crate) fn keys_in(&self, group: Group) -> impl Iterator<Item = Key> + use<> {
        // Where there are several groups a key has one lane.
        (group.0..self.lane_keys() as u32).step_by(self.groups()).map(Key)
    }

    /// How many copies of lane keys members may have, and the place of one among all.
    pub(crate) fn cells(&self) -> usize {
        self.lane_keys() * self.group_size()
    }

    #[inline]
    pub(crate) fn cell(&self, member: Member, lane: Key) -> usize {
        match self.placement {
            Placement::Groups(groups) => {
                let slot = groups.slot(self.members(), groups.of(lane), member) as usize;
                debug_assert!(
                    slot < groups.members as usize,
                    "{member:?} has a copy of another group's {lane:?}"
                );
                lane.index() * groups.members as usize + slot
            }
            _ => lane.index() * self.members as usize + member.index(),
        }
    }

    /// The place on the ring from which on the key is kept, or its group; 0 where everyone keeps everything.
    #[inline]
    pub(crate) fn place(&self, lane: Key) -> usize {
        match self.placement {
            Placement::Everywhere => 0,
            Placement::Ring { .. } => (self.key_of(lane).0 % self.members) as usize,
            Placement::Groups(groups) => groups.of(lane).index(),
        }
    }

    /// How many places there are.
    pub(crate) fn places(&self) -> usize {
        match self.placement {
            Placement::Everywhere => 1,
            Placement::Ring { .. } => self.members(),
            Placement::Groups(groups) => groups.count as usize,
        }
    }

    /// The owners of what is kept from this place on.
    #[inline]
    pub(crate) fn owners_from(&self, place: usize) -> impl Iterator<Item = Member> + use<> {
        let members = self.members;
        let first = match self.placement {
            Placement::Groups(groups) => groups.first(self.members(), Group(place as u32)).0,
            _ => place as u32,
        };
        let wrap = move |i| if i < members { i } else { i - members };
        (first..first + self.copies).map(move |i| Member(wrap(i)))
    }

    /// The owners of a lane key.
    #[inline]
    pub(crate) fn owners(&self, lane: Key) -> impl Iterator<Item = Member> + use<> {
        self.owners_from(self.place(lane))
    }

    #[inline]
    pub(crate) fn owns(&self, member: Member, lane: Key) -> bool {
        self.copies == self.members || self.placement.owns(self.members(), member, self.key_of(lane))
    }
}

#[cfg(test)]
mod tests {
    use replisim_observe::Groups;

    use super::*;

    #[test]
    fn owners_are_those_of_the_placement_whatever_the_lane() {
        let groups = |count, members| Placement::Groups(Groups { count, members });
        let ring = |copies| Placement::Ring { copies };
        for (members, placement, lanes) in [
            (1, ring(1), 1),
            (3, ring(2), 1),
            (5, ring(3), 2),
            (4, ring(4), 3),
            (2, ring(7), 1),
            (5, groups(2, 3), 1),
            (4, groups(2, 2), 1),
            (3, groups(5, 3), 1),
        ] {
            let roster = Roster {
                members: vec![String::new(); members],
                keys: 7,
                placement,
                lanes,
                ..Roster::default()
            };
            let space = Keyspace::of(&roster);
            for lane in (0..space.lane_keys() as u32).map(Key) {
                let mut owners: Vec<Member> = space.owners(lane).collect();
                owners.sort();
                let all = (0..members as u32).map(Member);
                let owns = |member: &Member| placement.owns(members, *member, Key(lane.0 / lanes));
                assert!(owners.iter().copied().eq(all.filter(owns)), "{roster:?} {lane:?}");
                assert!(space.lanes_of(space.key_of(lane)).any(|other| other == lane));
            }
        }
    }
}
