//! The scenario language: a YAML text in, a checked [`Scenario`] out, or diagnostics that point at the text.
//!
//! A map of the code:
//! - [`scenario`]: the fields of a scenario, each with its meaning and default; [`expectation`]: the `expect` language
//!   ([`statistic`]: what may be asked of a measure; [`measures`]: what measures are called); [`sentence`]: answers with figures in them.
//! - [`yaml`]: text to typed values with located errors, `--set` included; [`presets`]: built-in maps.
//! - [`load`]: from a file to a [`Loaded`] scenario; [`rtts`]: files of round-trip times;
//!   [`check`]: what types cannot say (names, ranges, contradictions).
//! - [`language`]: the language explained, out of its schema: entries, examples, the reference.
//! - [`build`]: from a checked scenario to the network and cluster that run it.
//!
//! What it never does: run anything.

#![allow(clippy::result_large_err)] // a mistake is told once, and carries all that it is told with

mod advice;
pub mod build;
pub mod check;
pub mod expectation;
pub mod language;
pub mod load;
pub mod measures;
mod nodes;
pub mod presets;
pub mod rtts;
pub mod scenario;
mod schema;
pub mod sentence;
pub mod statistic;
pub mod yaml;

pub use expectation::{Comparison, Expectation, Subject};
pub use load::{LoadError, Loaded, Referenced};
pub use scenario::{GroupSettings, ProtocolSettings, Rtt, Scenario, TopologySettings};
pub use sentence::Sentence;
pub use statistic::Statistic;
