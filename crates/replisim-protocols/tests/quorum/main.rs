//! Scripted scenes of leaderless quorums: small groups in known situations, each with the answer written beside it.

mod clocks;
mod crashes;
mod driver;
mod harmless;
mod hints;
mod levels;
mod merkle;
mod reads;
mod siblings;
mod tombstones;
mod writes;
