//! Replication protocols as sans-IO state machines: what a member does when something happens to it, and nothing
//! about how messages travel or who measures.
//!
//! A protocol implements [`Protocol`]; everything it does goes out through [`Effects`]. It has no clock, no generator
//! of random numbers and no sockets, and its state is a plain value (`Clone + Eq + Hash`): the same code runs in the
//! simulator and under an exhaustive model checker (`tests/`).
//!
//! To add a protocol: one module here, one line in [`for_each_protocol!`], one scenario, one golden result.

pub mod bug_shelf;
pub mod log;
pub mod primary_backup;
pub mod protocol;
pub mod quorum;

pub use protocol::{
    Behind, BoundedRead, Change, Command, CommitRule, Configuration, Consistency, Context, Effects, Kept,
    LAST_GIVER, Members, Message, MessageKind, Operation, Protocol, Reply, Request, Route, SessionRead,
    SettingProblem, Siblings, Span, TOKEN_BYTES, Timer, Token, Tokens, WALL_CLOCK_START, timestamp,
    timestamp_time,
};

/// Calls `$callback!` with the table of all protocols: the name in YAML, the name of the variant, the type.
///
/// Whoever needs one arm per protocol (the scenario's configuration, the experiment's dispatch) expands this table,
/// so that it stands in one place.
#[macro_export]
macro_rules! for_each_protocol {
    ($callback:ident) => {
        $callback! {
            ("primary-backup", PrimaryBackup, $crate::primary_backup::PrimaryBackup),
            ("quorum", Quorum, $crate::quorum::Quorum),
        }
    };
}
