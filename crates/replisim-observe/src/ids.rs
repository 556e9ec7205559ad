//! Ids: small numbers, each of a type of its own.

/// Defines an id: a number that is only ever compared with its like.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident($repr:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        pub struct $name(pub $repr);

        impl $name {
            /// The id as an index.
            #[inline]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id! {
    /// A replication group: the members that together keep copies of some keys.
    Group(u32)
}
id! {
    /// A member of a replication group; counted from 0 within the group.
    Member(u32)
}
id! {
    /// A stream of client operations: one workload, or one client of a script.
    Client(u32)
}
id! {
    /// An operation, counted from 0 over the run.
    Op(u64)
}
id! {
    /// A write, counted from 0 over the run: the dense handle that the stage gives to every mutation.
    Write(u64)
}
id! {
    /// A key, counted from 0.
    Key(u32)
}
id! {
    /// A fault of the schedule, counted from 0.
    Fault(u32)
}
id! {
    /// A version of a key. Its order *is* supersession: the protocol packs (term, index) or (timestamp, node) into it.
    Version(u64)
}

impl Key {
    /// Lane `lane` of this key, where each key has `lanes` of them (see [`Roster::lanes`](crate::Roster::lanes)).
    #[inline]
    pub fn lane(self, lanes: u32, lane: u32) -> Key {
        Key(self.0 * lanes + lane)
    }
}

/// What a replica holds for a key: the write and the version that the protocol gave it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Stored {
    /// The version, by which two values of a key are compared.
    pub version: Version,
    /// The write that made it.
    pub write: Write,
}
