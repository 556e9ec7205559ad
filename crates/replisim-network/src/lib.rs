//! The network: *whether and when* a message arrives, and nothing about what it says.
//!
//! A map of the code:
//! - [`map`]: regions ⊃ zones, and the round-trip times measured between them (a petgraph graph);
//! - [`settings`]: what a scenario says about links, by the precedence pair > class > default; `profile`: what it comes
//!   to for one pair of sites;
//! - [`network`]: the running network, with its own events; [`message`]: its words; `link`: one
//!   direction between two sites; `interface`: the queue at its sender;
//! - `tcp`: ordered links, which are connections: windows, retransmissions, resets;
//! - [`partition`]: who is cut off from whom; [`impairment`]: what is merely bad; [`routing`]: ways around.
//!
//! What it leaves out: switches and routers with queues of their own (a link with a bandwidth has one queue, at its
//! sender), bandwidth shared between links, and the size of headers and acknowledgements.

pub mod impairment;
mod interface;
mod link;
pub mod map;
pub mod message;
pub mod network;
pub mod partition;
mod profile;
pub mod routing;
pub mod settings;
mod tcp;

pub use impairment::{Impairment, ImpairmentId};
pub use map::{Map, Place};
pub use message::{Arrival, Loss, NetworkEvent, Packet, Site, SiteSpec, Traffic};
pub use network::Network;
pub use partition::{InFlight, Partition, PartitionId};
pub use routing::Routing;
pub use settings::{KindSettings, LawSettings, LinkClass, LinkSettings, NetworkSettings, PairSettings};
