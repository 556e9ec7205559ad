//! Partitions: who is cut off from whom, and what becomes of messages under way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::network::Site;

/// A running partition, to be named when it heals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartitionId(pub(crate) u64);

/// What becomes of messages that are on the wire when a partition begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InFlight {
    /// They still arrive: the cut is at the entry of the network.
    #[default]
    Deliver,
    /// They are dropped.
    Drop,
}

/// A cut between two sides. A site may stand on both (a client between two nodes): it is then cut off from nobody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partition {
    /// For each site, the sides on which it is heard, and those that it hears, as bits.
    sends: Vec<u32>,
    hears: Vec<u32>,
    /// What becomes of messages under way.
    pub in_flight: InFlight,
}

impl Partition {
    /// No site cut off from any of `sites` others yet.
    pub fn new(sites: usize, in_flight: InFlight) -> Partition {
        Partition { sends: vec![u32::MAX; sites], hears: vec![u32::MAX; sites], in_flight }
    }

    /// What `from` sends does not reach `to`.
    pub fn one_way(sites: usize, from: &[Site], to: &[Site], in_flight: InFlight) -> Partition {
        let mut partition = Partition::new(sites, in_flight);
        from.iter().for_each(|site| partition.sends[site.index()] = 1);
        to.iter().for_each(|site| partition.hears[site.index()] = 2);
        partition
    }

    /// Puts `site` on these sides, as bits.
    pub fn put(&mut self, site: Site, sides: u32) {
        self.sends[site.index()] = sides;
        self.hears[site.index()] = sides;
    }

    /// Whether messages from `a` to `b` are cut off.
    #[inline]
    pub fn severs(&self, a: Site, b: Site) -> bool {
        self.sends[a.index()] & self.hears[b.index()] == 0
    }
}
