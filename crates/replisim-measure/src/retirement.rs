//! How converged writes are forgotten.
//!
//! A write that every member holds, and that is answered, is *settled*. A crash may still take it back, so it is
//! remembered until a number of other writes have settled after it ([`REMEMBERED`]); then it *retires*. Retired writes
//! of a key are remembered together as one `Block`, and the newest version among them is the key's *line*. From then
//! on a member (or a read) whose version lies below the line counts as having nothing of the key: it lacks the whole
//! block, and the block is abandoned, lost or regressed as a whole. So what is kept is O(keys), and yet everything is
//! exact where a member loses its disk, or falls back behind fewer writes than are remembered.

use std::collections::VecDeque;

use replisim_observe::{Roster, Time, Version, Write};

use crate::members::Members;

/// How many settled writes are remembered one by one where there are faults.
pub const REMEMBERED: usize = 16_384;

/// How many settled writes are remembered one by one in a run of `roster`: none where nothing can take them back, since
/// going through so much memory costs time.
pub fn remembered(roster: &Roster) -> usize {
    if roster.faults.is_empty() { 0 } else { REMEMBERED }
}

/// Settled writes, the oldest first. Each has a ticket; one that unsettles loses it.
#[derive(Clone, Debug)]
pub(crate) struct Settled {
    remembered: usize,
    next: u64,
    settled: usize,
    queue: VecDeque<(u64, Write)>,
}

/// The retired writes of one key that have not been abandoned.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Block {
    pub(crate) writes: u64,
    pub(crate) bytes: u64,
    /// The newest of them.
    pub(crate) newest: Version,
    /// The one committed first: its place in the commit order, and its commit.
    pub(crate) oldest: Option<(u64, Time)>,
    /// Those that were acked.
    pub(crate) acked: u64,
    pub(crate) acked_bytes: u64,
    pub(crate) first_ack: Option<Time>,
    /// Those committed in the window; of these acked, and regressed.
    pub(crate) in_window: u64,
    pub(crate) acked_in_window: u64,
    pub(crate) regressed: u64,
    /// Members that lack it.
    pub(crate) missing: u32,
}

/// The acked writes of a block that was abandoned.
#[derive(Clone, Debug)]
pub(crate) struct LostBlock {
    /// The key's line then.
    pub(crate) line: Version,
    /// How many there are, of those committed in the window.
    pub(crate) acked: u64,
    /// Members that held it then, and have not fallen below it since.
    pub(crate) copies: Members,
}

impl Settled {
    pub(crate) fn new(remembered: usize) -> Settled {
        Settled { remembered, next: 0, settled: 0, queue: VecDeque::new() }
    }

    /// A ticket for a write that has settled.
    pub(crate) fn ticket(&mut self, write: Write) -> u64 {
        self.queue.push_back((self.next, write));
        self.next += 1;
        self.settled += 1;
        self.next - 1
    }

    /// A settled write has retired, or is not settled any more.
    pub(crate) fn unsettle(&mut self) {
        self.settled -= 1;
    }

    /// How many are settled now.
    pub(crate) fn len(&self) -> usize {
        self.settled
    }

    /// The next write after whose ticket enough others have been drawn. It retires if the ticket is still its own.
    pub(crate) fn overdue(&mut self) -> Option<(u64, Write)> {
        let (ticket, _) = self.queue.front()?;
        if self.next - ticket <= self.remembered as u64 { None } else { self.queue.pop_front() }
    }
}
