//! `docs/definitions.md` in code: streaming measures over observations.
//!
//! A map of the code:
//! - [`measures`]: the observer that computes everything in one pass.
//! - [`writes`]: delay, convergence, loss; on top of who owns what (`keyspace`) and what each member has (`replicas`,
//!   `hints`, `purges`), with a file of its own for lag (`lag`), recovery (`recovery`, `catch_up`), exposure to loss (`exposure`) and agreement (`divergence`).
//!   [`retirement`] says how writes are forgotten without a loss of exactness.
//! - [`reads`]: staleness, t-visibility, of what a read reflects (`reflected`). [`operations`]: latency, availability, accounting; `retries`: operations tried
//!   more than once.
//!   [`incidents`] holds what is told of the bad day: [`anomalies`] of reads, [`failover`], [`availability`] over time.
//! - [`conflicts`]: what versions decide where no primary does: dead on arrival, discarded, overwritten unread, resurrected.
//! - [`distribution`], [`weighted`], [`series`]: what samples are collected in. Counts, means and extremes are exact;
//!   quantiles carry the histograms' stated relative error.
//! - [`findings`]: the results by slug and scope; [`mod@catalogue`]: every slug with its unit and meaning;
//!   [`mod@definition`]: the exact words, for whoever asks for them.
//! - [`twin`]: the same measures, by brute force over a recorded run: slow, obvious, and the oracle of the tests.
//!
//! What it never knows: how observations come about. A protocol's own counters are not asked.
//!
//! Memory: O(keys × members), and one record for each write that is not yet everywhere (the unconverged backlog), or has
//! been for so short a time that a crash may take it back.

pub mod anomalies;
pub mod availability;
pub mod catalogue;
mod catch_up;
pub mod conflicts;
pub mod definition;
pub mod distribution;
mod divergence;
mod early;
mod exposure;
pub mod failover;
pub mod findings;
mod hints;
mod id_set;
pub mod incidents;
mod keyspace;
mod lag;
pub mod measures;
mod members;
pub mod operations;
mod purges;
pub mod reads;
mod records;
mod recovery;
mod reflected;
mod replicas;
pub mod retirement;
mod retries;
mod rightful;
mod samples;
mod search;
pub mod series;
mod trail;
pub mod twin;
pub mod weighted;
pub mod writes;

pub use catalogue::{MeasureInfo, Unit, catalogue};
pub use definition::{Definition, definition, definitions};
pub use distribution::{Distribution, Quantile};
pub use findings::{Accounting, Findings, Leaf, Measure};
pub use measures::Measures;
pub use series::{LagSeries, OperationSeries, Series, StalenessSeries, Visibility};
pub use weighted::TimeWeighted;
