//! The cluster: nodes, clients and faults. Drives one protocol over one network and emits observations.
//!
//! A map of the code:
//! - [`workload`], [`keys`], [`script`]: what clients do, as scenarios say it; [`faults`]: what goes wrong, one file
//!   a fault.
//! - [`world`]: the running whole, a [`Model`](replisim_engine::Model) of the engine; [`stage`]: what a protocol's
//!   effects do in it; [`clients`]: operations from arrival to answer or time-out.
//!
//! What it leaves out: being measured (whoever observes does that), YAML, files. Nodes have no CPU or disk time yet:
//! what is persisted is durable at once.

pub mod clients;
pub mod faults;
pub mod keys;
pub mod script;
pub mod stage;
pub mod workload;
pub mod world;

pub use faults::{FaultEntry, FaultKind};
pub use keys::Keys;
pub use script::Step;
pub use workload::{Arrivals, ReadFrom, Workload};
pub use world::{Setup, World};
