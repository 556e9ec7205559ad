//! Who takes part in a run, by name, and in which window it is measured.

use replisim_engine::{Duration, Time};

use crate::ids::{Key, Member};

/// The names behind the ids of a run, and how many there are of each.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Roster {
    /// Names of the members of the group, in file order; `Member(i)` is the i-th.
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
}

impl Placement {
    /// Whether `member`, one of `members`, is to keep `key` (not a lane of it).
    #[inline]
    pub fn owns(self, members: usize, member: Member, key: Key) -> bool {
        match self {
            Placement::Everywhere => true,
            Placement::Ring { copies } => {
                let first = key.index() % members.max(1);
                (member.index() + members - first) % members.max(1) < copies as usize
            }
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
