//! Who takes part in a run, by name, and in which window it is measured.

use replisim_engine::{Duration, Time};

use crate::ids::Member;

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
    /// Who would take over if the primary were lost now.
    pub promotion: PromotionRule,
    /// How long nothing of a kind must succeed for it to count as unavailable.
    pub unavailability_bound: Duration,
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
