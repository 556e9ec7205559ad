//! `docs/definitions.md` in code: streaming measures over observations.
//!
//! A map of the code:
//! - [`measures`]: the observer that computes everything in one pass; its parts are [`writes`] (delay, convergence,
//!   lag, recovery), [`reads`] (staleness, t-visibility) and [`operations`] (latency, availability, accounting).
//! - [`distribution`], [`weighted`], [`series`]: what samples are collected in. Counts, means and extremes are exact;
//!   quantiles carry the histograms' stated relative error.
//! - [`findings`]: the results by slug and scope; [`mod@catalogue`]: every slug with its unit and meaning.
//! - [`twin`]: the same measures, by brute force over a recorded run: slow, obvious, and the oracle of the tests.
//!
//! What it never knows: how observations come about. A protocol's own counters are not asked.
//!
//! Memory: O(keys × members), and one record for each write that is not yet everywhere (the unconverged backlog).

pub mod anomalies;
pub mod availability;
pub mod catalogue;
mod catch_up;
pub mod distribution;
mod divergence;
mod early;
mod exposure;
pub mod failover;
pub mod findings;
mod id_set;
pub mod incidents;
mod lag;
pub mod measures;
mod members;
pub mod operations;
pub mod reads;
mod records;
mod recovery;
mod replicas;
pub mod retirement;
mod rightful;
pub mod series;
mod trail;
pub mod twin;
pub mod weighted;
pub mod writes;

pub use catalogue::{MeasureInfo, Unit, catalogue};
pub use distribution::{Distribution, Quantile};
pub use findings::{Accounting, Findings, Leaf, Measure};
pub use measures::Measures;
pub use series::{LagSeries, OperationSeries, Series, StalenessSeries, Visibility};
pub use weighted::TimeWeighted;
