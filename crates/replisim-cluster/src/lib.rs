//! The cluster: nodes, clients and faults. Drives one protocol over one network and emits observations.
//!
//! A map of the code:
//! - [`workload`], [`arrivals`], [`writes`], [`keys`], [`script`]: what clients do, as scenarios say it; [`faults`]: what goes wrong, one file
//!   a fault.
//! - [`world`]: the running whole, a [`Model`](replisim_engine::Model) of the engine; [`stage`]: what a protocol's
//!   effects do in it; `layout`: which members of which groups run on which node; `node`, [`disk`], [`clocks`]: whether a node runs, what it has
//!   made durable, and what time it takes it to be.
//! - `tasks`: operations that are due, and the connections that they wait for; [`clients`], `operations`: operations from arrival to answer or time-out; `followers`: reads that come after
//!   others' writes; `rewrite`: writes of what was read; `retries`: further attempts; `outages`: what faults do and how it is
//!   undone.
//!
//! What it leaves out: being measured (whoever observes does that), YAML, files. Nodes have no CPU time yet.

pub mod arrivals;
mod avoided;
mod ballots;
pub mod clients;
pub mod clocks;
pub mod disk;
pub mod faults;
mod followers;
pub mod keys;
mod layout;
mod node;
mod operations;
mod outages;
mod retries;
mod rewrite;
pub mod script;
pub mod stage;
mod tasks;
pub mod workload;
pub mod world;
pub mod writes;

pub use arrivals::{Arrivals, Bursts, ClosedLoop, CurvePoint, ReadAfterAck};
pub use clocks::ClockSettings;
pub use disk::DiskSettings;
pub use faults::{Breakdowns, Change, Crash, Fault, FaultEntry, FaultKind, Named, Placed, Scene};
pub use keys::Keys;
pub use retries::Retries;
pub use script::{Action, Step};
pub use workload::{ReadFrom, Workload};
pub use world::{Setup, World};
pub use writes::{Way, WriteShares, Writes};
