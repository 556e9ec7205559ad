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
    /// For each site, in which sides it stands: bit 0, bit 1.
    sides: Vec<u8>,
    /// What becomes of messages under way.
    pub in_flight: InFlight,
}

impl Partition {
    /// No site cut off from any of `sites` others yet.
    pub fn new(sites: usize, in_flight: InFlight) -> Partition {
        Partition { sides: vec![0b11; sites], in_flight }
    }

    /// Puts `site` on side 0 or 1 alone.
    pub fn put(&mut self, site: Site, side: u8) {
        self.sides[site.index()] = 1 << side;
    }

    /// Whether messages from `a` to `b` are cut off.
    #[inline]
    pub fn severs(&self, a: Site, b: Site) -> bool {
        self.sides[a.index()] & self.sides[b.index()] == 0
    }
}
