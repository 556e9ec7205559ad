//! The vocabulary of a run: who took part ([`Roster`]), what things are called (the ids), and what was seen
//! ([`Observation`]).
//!
//! Whoever runs something emits observations to an [`Observer`]; whoever measures receives them. Neither knows the
//! other, so that everything measured on a simulated run can be measured on a recorded one.

mod ids;
mod observation;
mod roster;

pub use ids::{Client, Fault, Group, Key, Member, Op, Stored, Version, Write};
pub use observation::{Answer, Carried, Observation, Observer, OpKind, Outcome, Record, Said};
pub use replisim_engine::{Duration, Outstanding, Time, prefetch};
pub use roster::{Groups, Placement, PromotionRule, Roster, Window};
