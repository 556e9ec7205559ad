//! Primary–backup, one scene after another: what clients are told, what is committed, shown and taken back.

mod acknowledge;
mod driver;
mod failover;
mod reads;
mod repair;
