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
    /// A client tries an operation again: another attempt is handed to the system.
    Retried {
        /// The operation.
        op: Op,
        /// How the attempt before ended.
        after: Outcome,
        /// The write that this attempt makes, invoked at this moment; none if it is that of the attempt before, or no
        /// write at all.
        write: Option<Write>,
    },
    /// The client has been told that its operation had been done when this attempt came: it is this write, that of an
    /// earlier attempt, which is acknowledged. Told right before [`Observation::Returned`].
    Recognised {
        /// The operation.
        op: Op,
        /// The write of the earlier attempt.
        write: Write,
    },
    /// What a write rests on, told right after [`Observation::Invoked`] (or [`Observation::Retried`]): its client
    /// had read this version of the key (in this [lane](crate::Roster::lanes)) and made the new value out of it. A write of
    /// which this is never told is blind.
    BasedOn {
        /// The write.
        write: Write,
        /// The key, in a lane of its versions.
        key: Key,
        /// The version that was read; 0 where nothing had been written.
        version: Version,
    },
    /// What a read that returns siblings reflects, told right before its [`Observation::Returned`]: of this lane of its
    /// key, everything up to this version.
    Saw {
        /// The read.
        op: Op,
        /// The key, in a lane of its versions.
        key: Key,
        /// The newest version of the lane that it reflects.
        version: Version,
    },
    /// A client learned how its operation ended, or gave up waiting.
    Returned {
        /// The operation.
        op: Op,
        /// How it ended.
        outcome: Outcome,
        /// The answer that came, if one did.
        answer: Option<Answer>,
    },
    /// The protocol's commit rule holds for a write.
    Committed {
        /// The write.
        write: Write,
        /// Its key.
        key: Key,
        /// The version the protocol gave it.
        version: Version,
        /// Size of its value.
        bytes: u32,
        /// The member that accepted it: its own copy is no replication.
        accepted_by: Member,
    },
    /// This member would keep this version if it were promoted now: it stands in its log.
    Logged {
        /// The member.
        member: Member,
        /// The key.
        key: Key,
        /// The write and its version.
        stored: Stored,
    },
    /// A logged version is gone again: truncated, or lost with a tail that was not synced. The newest goes first.
    Unlogged {
        /// The member.
        member: Member,
        /// The key.
        key: Key,
        /// What is gone.
        undone: Stored,
        /// The newest version of the key that its log holds now.
        back_to: Option<Stored>,
    },
    /// From now on, reads served by this member show this version (or a later one). What is applied is logged.
    Applied {
        /// The member.
        member: Member,
        /// The key.
        key: Key,
        /// The write and its version.
        stored: Stored,
    },
    /// Reads served by this member show an earlier version again.
    Unapplied {
        /// The member.
        member: Member,
        /// The key.
        key: Key,
        /// What is gone.
        undone: Stored,
        /// What it shows now.
        back_to: Option<Stored>,
    },
    /// This member keeps a version for an owner of the key that could not be reached. It is no copy of its own: the
    /// member's reads show it only where the protocol says so.
    Hinted {
        /// The member.
        member: Member,
        /// The key.
        key: Key,
        /// The write and its version.
        stored: Stored,
    },
    /// A hint is gone: handed over, given up, or lost.
    Unhinted {
        /// The member.
        member: Member,
        /// The key.
        key: Key,
        /// The write and its version.
        stored: Stored,
    },
    /// A member has forgotten a tombstone that was old enough: it shows nothing for the key from now on. It counts as
    /// holding it still, until it shows something older.
    Purged {
        /// The member.
        member: Member,
        /// The key.
        key: Key,
        /// The delete and its version.
        stored: Stored,
    },
    /// Everything that this member had logged, applied and hinted is gone.
    DiskLost {
        /// The member.
        member: Member,
    },
    /// This member is the rightful primary from now on: what it lacks is excluded from history. Also at the start of
    /// the run, and when a primary starts again.
    Promoted {
        /// The member.
        member: Member,
        /// The versions that it gives are above this one; those that others give from now on are not.
        floor: Version,
    },
    /// The promoted member would accept a write from now on.
    Serving {
        /// The member.
        member: Member,
    },
    /// A member's process or machine is gone.
    MemberDown {
        /// The member.
        member: Member,
    },
    /// A member that was down runs again.
    MemberUp {
        /// The member.
        member: Member,
    },
    /// The rightful primary is down, or cut off from the clients that offer most of the writes; or it turns out to have
    /// been lost before, for another is promoted in its stead.
    PrimaryLost {
        /// The member.
        member: Member,
        /// When that began: now, or when it was cut off from most of its group.
        since: Time,
    },
    /// The member of the last [`Observation::PrimaryLost`] is up and reachable again.
    PrimaryBack {
        /// The member.
        member: Member,
    },
    /// The rightful history excludes this committed write from now on. For protocols with a primary it follows from
    /// [`Observation::Promoted`] and is not told.
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
    /// The network made a second copy of a message.
    Duplicated,
    /// A message, or a copy of one, reached its receiver.
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

/// What a client was answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Answer {
    /// The member that answered.
    pub by: Member,
    /// When it did: the answer then had to travel.
    pub at: Time,
    /// What it said.
    pub said: Said,
}

/// What an answer says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Said {
    /// The write succeeded.
    Written,
    /// The condition of a compare-and-set was false: `ok`, and the write never happens.
    NotApplied,
    /// The version read; `None` for a key never written.
    Value(Option<Stored>),
    /// So many values, concurrent with each other; what they reflect was told by [`Observation::Saw`].
    Siblings(u32),
    /// Certainly not done.
    Refused,
}

/// Receives what happens, as it happens.
pub trait Observer {
    /// `what` happened in `group` at time `at`. Calls come in the order of time.
    fn observe(&mut self, at: Time, group: Group, what: Observation);

    /// The end of a message's way. For pictures, not for measures: nearly all observers look away.
    #[inline]
    fn carried(&mut self, _: Carried) {}
}

/// A message and its way. Places are numbered: nodes first, then clients.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Carried {
    /// What it is called.
    pub name: &'static str,
    /// The place of its sender.
    pub from: u32,
    /// The place of its receiver.
    pub to: u32,
    /// When it was sent.
    pub sent: Time,
    /// When its way ended.
    pub until: Time,
    /// Whether it reached a receiver that was up; else it was lost.
    pub arrived: bool,
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

    fn carried(&mut self, message: Carried) {
        self.0.carried(message);
        self.1.carried(message);
    }
}
