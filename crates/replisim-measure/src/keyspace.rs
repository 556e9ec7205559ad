//! Which members keep which keys, and in which lanes the versions of a key stand.
//!
//! Whatever is kept by version is kept by *lane key*: key and lane in one number, as observations name them. Where any
//! two versions are ordered, that is the key itself.

use replisim_observe::{Key, Member, Placement, Roster};

/// The keys of a run, their lanes and their owners.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keyspace {
    members: u32,
    keys: u32,
    lanes: u32,
    /// How many members keep a key; all, unless they stand on a ring.
    ring: Option<u32>,
}

impl Keyspace {
    pub(crate) fn of(roster: &Roster) -> Keyspace {
        let members = roster.members.len() as u32;
        let ring = match roster.placement {
            Placement::Everywhere => None,
            Placement::Ring { copies } => Some(copies.min(members)),
        };
        Keyspace { members, keys: roster.keys as u32, lanes: roster.lanes.max(1), ring }
    }

    /// So many keys, each kept by all of so many members.
    #[cfg(test)]
    pub(crate) fn everywhere(members: u32, keys: u32) -> Keyspace {
        Keyspace { members, keys, lanes: 1, ring: None }
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

    /// The place on the ring from which on the key is kept; 0 where everyone keeps everything.
    #[inline]
    pub(crate) fn place(&self, lane: Key) -> usize {
        if self.ring.is_none() { 0 } else { (self.key_of(lane).0 % self.members) as usize }
    }

    /// How many places there are.
    pub(crate) fn places(&self) -> usize {
        if self.ring.is_none() { 1 } else { self.members() }
    }

    /// The owners of what is kept from this place on.
    #[inline]
    pub(crate) fn owners_from(&self, place: usize) -> impl Iterator<Item = Member> + use<> {
        let (members, first) = (self.members, place as u32);
        let wrap = move |i| if i < members { i } else { i - members };
        (first..first + self.ring.unwrap_or(members)).map(move |i| Member(wrap(i)))
    }

    /// The owners of a lane key.
    #[inline]
    pub(crate) fn owners(&self, lane: Key) -> impl Iterator<Item = Member> + use<> {
        self.owners_from(self.place(lane))
    }

    #[inline]
    pub(crate) fn owns(&self, member: Member, lane: Key) -> bool {
        self.ring.is_none() || self.owners(lane).any(|owner| owner == member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_those_of_the_placement_whatever_the_lane() {
        for (members, copies, lanes) in [(1, 1, 1), (3, 2, 1), (5, 3, 2), (4, 4, 3), (2, 7, 1)] {
            let placement = Placement::Ring { copies };
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
