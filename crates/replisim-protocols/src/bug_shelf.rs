//! Mistakes that a protocol might contain, kept on a shelf. A test takes one down, sees what comes of it, and so shows
//! that it would notice (`tests/bug_shelf`).
//!
//! Only with the feature `bug-shelf` can a mistake be made; without it every question is answered at compile time, and
//! nothing of this is left in the program.

use std::cell::Cell;

/// A mistake, as it has been seen elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bug {
    /// A replica, or a copy, acknowledges what is not on its disk yet.
    AckBeforeLog,
    /// What was lost on the way is never asked for.
    NoCatchUp,
    /// Voters do not mind what a candidate lacks.
    LeastAdvancedPromoted,
    /// Entries are appended in whatever order, and as often as, they arrive.
    NoSequenceCheck,
    /// A replica acknowledges all that the primary says there is.
    MoreAckedThanHeld,
    /// A primary counts on what a replica had before it lost its disk.
    CrashedCounted,
    /// A member that has lost its disk votes all the same.
    VoteWithoutDisk,
    /// A primary goes on without hearing from anybody.
    OldPrimaryServes,
    /// An old primary keeps what the new one's log does not have.
    TailKept,
    /// A replica is copied the store, but not the tokens of what is in it.
    TokensNotCopied,
    /// Only the primary notes the tokens of what it logs.
    TokensOfPrimaryAlone,
    /// The token of a write that is taken back is still known.
    TokenOutlivesWrite,
    /// Another attempt is answered though what the first one wrote may still be lost.
    RetryAnsweredAtOnce,
    /// A quorum read returns what answered first, whatever its version.
    FirstAnswerWins,
    /// What the fingerprints of other copies say is not looked at.
    DigestMismatchIgnored,
    /// Copies are asked one after another instead of all at once.
    OneAfterAnother,
    /// A coordinator counts copies that it has sent a write to, whether they answer or not.
    SilentCounted,
    /// A coordinator counts its own hints as if they were copies.
    HintCounted,
    /// No hint is kept for a copy that could not be reached.
    HintDropped,
    /// Read repair takes the older of two versions for the one that stands.
    OlderRepaired,
    /// One bucket of a Merkle tree is never compared.
    MerkleBucketMissing,
    /// A tombstone is forgotten as soon as it is there.
    TombstonePurgedEarly,
    /// A write takes the place of siblings that its client never read.
    SiblingOverwritten,
}

thread_local!(static TAKEN: Cell<Option<Bug>> = const { Cell::new(None) });

impl Bug {
    /// Whether the mistake is to be made here and now.
    #[inline(always)]
    pub(crate) fn is_on(self) -> bool {
        cfg!(feature = "bug-shelf") && TAKEN.get() == Some(self)
    }

    /// Does something on this thread, with the mistake made wherever there is occasion.
    pub fn during<T>(self, act: impl FnOnce() -> T) -> T {
        TAKEN.set(Some(self));
        let result = act();
        TAKEN.set(None);
        result
    }
}
