//! What can be seen of a run from outside, in the order in which it happens.

use replisim_engine::Time;

use crate::ids::{Client, Fault, Group, Key, Member, Op, Stored, Version, Write};

/// One thing that happened. All times are true, simulated time, given with the observation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Observation {
    /// A client handed an operation to the system; this moment is its `invoked`.
    Invoked {
        /// The operation.
        op: Op,
        /// Who invoked it.
        client: Client,
        /// Read or write.
        kind: OpKind,
        /// The key it is about.
        key: Key,
        /// When the open-loop client meant to start it.
        scheduled: Time,
    },
    /// A client learned how its operation ended, or gave up waiting.
    Returned {
        /// The operation.
        op: Op,
        /// How it ended.
        outcome: Outcome,
        /// For a read that ended `ok`: what it returned and who served it.
        served: Option<Served>,
    },
    /// The protocol's commit rule holds for a write.
    Committed {
        /// The write.
        write: Write,
        /// Its key.
        key: Key,
        /// The version the protocol gave it.
        version: Version,
        /// The member that accepted it: its own copy is no replication.
        accepted_by: Member,
    },
    /// From now on, reads served by this member show this version (or a later one).
    Applied {
        /// The member.
        member: Member,
        /// The key.
        key: Key,
        /// The write and its version.
        stored: Stored,
    },
    /// The rightful history excludes this committed write from now on.
    Abandoned {
        /// The write.
        write: Write,
    },
    /// A fault begins.
    FaultBegan(Fault),
    /// A fault ends (is healed).
    FaultEnded(Fault),
    /// A message was handed to the network.
    Sent {
        /// Its size.
        bytes: u64,
    },
    /// A message reached its receiver.
    Delivered,
    /// A message is gone for good.
    Lost,
    /// The run is over: the end of settle. End-of-run measures are taken now.
    Ended,
}

/// What an operation does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum OpKind {
    /// Returns the value of a key.
    Read,
    /// Changes a key; carries the handle of the mutation.
    Write(Write),
}

/// How an operation ended, as its client saw it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Outcome {
    /// It happened. For a write this moment is `acked`.
    Ok,
    /// It certainly did not happen.
    Failed,
    /// Timed out or cut off: it may or may not have happened, and may show up later.
    Unknown,
}

/// What a read returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Served {
    /// The member that answered.
    pub by: Member,
    /// The version returned; `None` for a key never written.
    pub returned: Option<Stored>,
}

/// Receives what happens, as it happens.
pub trait Observer {
    /// `what` happened in `group` at time `at`. Calls come in the order of time.
    fn observe(&mut self, at: Time, group: Group, what: Observation);
}

/// An observation with its time and group, as recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    /// When.
    pub at: Time,
    /// In which replication group.
    pub group: Group,
    /// What.
    pub what: Observation,
}

/// Records everything.
impl Observer for Vec<Record> {
    fn observe(&mut self, at: Time, group: Group, what: Observation) {
        self.push(Record { at, group, what });
    }
}

/// Ignores everything.
impl Observer for () {
    fn observe(&mut self, _: Time, _: Group, _: Observation) {}
}

/// Shows everything to both.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn observe(&mut self, at: Time, group: Group, what: Observation) {
        self.0.observe(at, group, what);
        self.1.observe(at, group, what);
    }
}
