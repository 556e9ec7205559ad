//! Partitions: who is cut off from whom, and what becomes of messages under way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::message::Site;

/// A running partition, to be named when it heals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartitionId(pub(crate) u64);

/// What becomes of messages that are on the wire when a partition begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InFlight {
    /// They still arrive: the cut is at the entry of the network. So what a node sent just before it was lost is not lost
    /// with it, and `async` may look lossless.
    #[default]
    Deliver,
    /// They are dropped.
    Drop,
}

/// A cut between groups of sites, or of one direction. A site may stand on several sides (a client between two nodes)
/// and then reaches all of them; a site is never cut off from itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partition {
    /// For each site, on which sides it speaks and on which it hears: a bit each.
    sides: Vec<Sides>,
    /// What becomes of messages under way.
    pub in_flight: InFlight,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Sides {
    speaks: u32,
    hears: u32,
}

impl Partition {
    /// No site cut off from any of `sites` others yet: each stands on all sides.
    pub fn new(sites: usize, in_flight: InFlight) -> Partition {
        Partition { sides: vec![Sides { speaks: u32::MAX, hears: u32::MAX }; sites], in_flight }
    }

    /// One direction: messages of `from` do not reach `to`, everything else goes on.
    pub fn one_way(sites: usize, from: &[Site], to: &[Site], in_flight: InFlight) -> Partition {
        let mut partition = Partition::new(sites, in_flight);
        from.iter().for_each(|site| partition.sides[site.index()].speaks = 1);
        to.iter().for_each(|site| partition.sides[site.index()].hears = 2);
        partition
    }

    /// Puts `site` on these sides, a bit each.
    pub fn put(&mut self, site: Site, sides: u32) {
        self.sides[site.index()] = Sides { speaks: sides, hears: sides };
    }

    /// Whether messages from `a` to `b` are cut off.
    #[inline]
    pub fn severs(&self, a: Site, b: Site) -> bool {
        a != b && self.sides[a.index()].speaks & self.sides[b.index()].hears == 0
    }
}
