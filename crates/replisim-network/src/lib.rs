//! The network: *whether and when* a message arrives, and nothing about what it says.
//!
//! A map of the code:
//! - [`map`]: regions ⊃ zones, and the round-trip times measured between them (a petgraph graph);
//! - [`settings`]: what a scenario says about links, by the precedence pair > class > default;
//! - [`network`]: the running network, with its own events; `link`: one direction between two sites;
//! - [`partition`]: who is cut off from whom.
//!
//! What it leaves out, for now: bandwidth, loss and duplication without a partition, congestion control. A message on
//! an ordered link that meets a partition waits for TCP's retransmission timer (`link`); on an unordered link it is
//! lost.

pub mod impairment;
mod link;
pub mod map;
pub mod network;
pub mod partition;
pub mod settings;

pub use impairment::{Impairment, ImpairmentId};
pub use map::{Map, Place};
pub use network::{Arrival, Loss, Network, NetworkEvent, Packet, Site, SiteSpec, Traffic, Transit};
pub use partition::{InFlight, Partition, PartitionId};
pub use settings::{LinkClass, LinkSettings, NetworkSettings, PairSettings};
