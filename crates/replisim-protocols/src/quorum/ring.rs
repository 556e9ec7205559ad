//! Who keeps a key: members stand on a ring in file order, and the copies of key k are at the N members from number k
//! (modulo their count) on; those after them stand in for one that is dead.
//!
//! A real ring puts keys at hashes and gives every node many ranges, so that load spreads; keys numbered 0, 1, 2 …
//! over members in turn spread as well, and who keeps what can be seen at a glance.

use replisim_observe::{Key, Member};

use super::level::Places;
use crate::protocol::Members;

/// The most copies of a key.
pub(super) const MOST_COPIES: u32 = 64;

/// The ring as one member knows it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Ring {
    me: Member,
    members: u32,
    copies: u32,
    /// The region of each member, and last of all mine; empty where all are in one.
    regions: Vec<u32>,
}

/// The copies of one key, by their places in its preference list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Copies<'a> {
    ring: &'a Ring,
    first: u32,
}

impl Ring {
    pub(super) fn new(me: Member, members: Members<'_>, copies: u32) -> Ring {
        let count = members.count();
        let mut regions: Vec<u32> = (0..count).map(|i| members.region(Member(i))).collect();
        regions.push(members.region(me));
        if regions.iter().all(|region| *region == regions[0]) {
            regions.clear();
        }
        Ring { me, members: count, copies, regions }
    }

    /// The copies of `key`.
    #[inline]
    pub(super) fn copies(&self, key: Key) -> Copies<'_> {
        Copies { ring: self, first: key.0 % self.members }
    }

    /// How many members there are.
    pub(super) fn members(&self) -> u32 {
        self.members
    }

    /// The ranges of keys that both `me` and `other` keep: keys by their number modulo the members.
    pub(super) fn shared_with(&self, other: Member) -> impl Iterator<Item = u32> {
        let keeps =
            |range: u32, member: Member| (member.0 + self.members - range) % self.members < self.copies;
        (0..self.members).filter(move |range| keeps(*range, self.me) && keeps(*range, other))
    }
}

impl<'a> Copies<'a> {
    /// The places of all copies.
    #[inline]
    pub(super) fn all(&self) -> Places {
        u64::MAX >> (u64::BITS - self.ring.copies)
    }

    /// How many copies.
    #[inline]
    pub(super) fn count(&self) -> u32 {
        self.ring.copies
    }

    /// Who is at a place; those beyond the last copy stand in.
    #[inline]
    pub(super) fn member(&self, place: u32) -> Member {
        Member((self.first + place) % self.ring.members)
    }

    /// The place of a member among the copies.
    #[inline]
    pub(super) fn place(&self, member: Member) -> Option<u32> {
        let place = (member.0 + self.ring.members - self.first) % self.ring.members;
        (member.0 < self.ring.members && place < self.ring.copies).then_some(place)
    }

    /// My place among them.
    #[inline]
    pub(super) fn mine(&self) -> Option<u32> {
        self.place(self.ring.me)
    }

    /// Those who could stand in, in order.
    pub(super) fn beyond(self) -> impl Iterator<Item = Member> + 'a {
        (self.ring.copies..self.ring.members).map(move |place| self.member(place))
    }

    /// The places of the copies in my region.
    pub(super) fn local(&self) -> Places {
        match self.ring.regions.last() {
            Some(mine) => self.in_region(*mine),
            None => self.all(),
        }
    }

    /// The places of the copies in the region of the one at `place`.
    pub(super) fn region_of(&self, place: u32) -> Places {
        if self.ring.regions.is_empty() {
            return self.all();
        }
        self.in_region(self.ring.regions[self.member(place).index()])
    }

    /// The copies of each region that has some.
    pub(super) fn regions(self) -> impl Iterator<Item = Places> + 'a {
        let places = (0..self.count()).map(move |place| (place, self.region_of(place)));
        places.filter(|(place, region)| region.trailing_zeros() == *place).map(|(_, region)| region)
    }

    fn in_region(&self, region: u32) -> Places {
        let here = |place: &u32| self.ring.regions[self.member(*place).index()] == region;
        (0..self.count()).filter(here).fold(0, |places, place| places | 1 << place)
    }
}
