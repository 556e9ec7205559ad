//! The discrete-event engine: what any simulation here runs on, and nothing about replication.
//!
//! A map of the code:
//! - [`time`]: [`Time`] and [`Duration`], whole nanoseconds; [`quantity`], [`signed`]: rates, shares, sizes and
//!   wrongness of clocks as users write them.
//! - [`queue`]: the event queue, in exact (time, insertion) order, with timers that can be moved and cancelled.
//! - [`run`]: the run loop, which looks ahead ([`prefetch`](mod@prefetch)), and the trace digest it feeds ([`digest`]).
//! - [`outstanding`]: a table of what has begun and not ended.
//! - [`random`]: streams of randomness found by name; [`law`]: the distributions drawn from them.
//!
//! What it never knows: nodes, networks, replication, files, the wall clock.

pub mod digest;
pub mod law;
mod normal;
pub mod outstanding;
pub mod prefetch;
pub mod quantity;
pub mod queue;
pub mod random;
pub mod run;
pub mod signed;
pub mod time;

pub use digest::{Digest, Label, Name};
pub use law::{Law, Sampler};
pub use outstanding::Outstanding;
pub use prefetch::prefetch;
pub use quantity::{Bandwidth, Bytes, Rate, Share};
pub use queue::{Queue, TimerSlot};
pub use random::{LinkStream, Stream, Streams};
pub use run::{Model, run_for, run_until};
pub use signed::{Drift, Shift};
pub use time::{Duration, Time};
