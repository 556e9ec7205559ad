//! Whether a node runs: up, paused or down, and what waits for it meanwhile.
//!
//! Faults overlap, so each state is a count: a node is up when no fault holds it down, and runs when none pauses it.

use std::collections::VecDeque;

use replisim_engine::TimerSlot;
use replisim_protocols::{Command, Protocol};

use crate::stage::Envelope;

/// One node.
#[derive(Debug)]
pub(crate) struct Node<P: Protocol> {
    /// How many faults hold it down.
    down: u32,
    /// How many faults pause it.
    paused: u32,
    /// What its process has received and not handled, because it is paused.
    pub(crate) inbox: VecDeque<Waiting<P>>,
    /// Timers that ran out meanwhile.
    pub(crate) overdue: Vec<TimerSlot>,
    /// It was to start while it was paused.
    pub(crate) unstarted: bool,
}

/// What waits for a paused process.
#[derive(Debug)]
pub(crate) enum Waiting<P: Protocol> {
    Message(Envelope<P>),
    Order(Command),
}

impl<P: Protocol> Default for Node<P> {
    fn default() -> Self {
        Node { down: 0, paused: 0, inbox: VecDeque::new(), overdue: Vec::new(), unstarted: false }
    }
}

impl<P: Protocol> Node<P> {
    /// Whether it is not down.
    #[inline]
    pub(crate) fn is_up(&self) -> bool {
        self.down == 0
    }

    /// Whether it handles what comes.
    #[inline]
    pub(crate) fn runs(&self) -> bool {
        self.down == 0 && self.paused == 0
    }

    /// One more fault holds it down; returns whether it went down by that.
    pub(crate) fn take_down(&mut self) -> bool {
        self.down += 1;
        self.down == 1
    }

    /// One fault less; returns whether it is up by that.
    pub(crate) fn let_up(&mut self) -> bool {
        self.down = self.down.saturating_sub(1);
        self.down == 0
    }

    /// One more fault pauses it.
    pub(crate) fn pause(&mut self) {
        self.paused += 1;
    }

    /// One fault less; returns whether it runs by that.
    pub(crate) fn resume(&mut self) -> bool {
        self.paused = self.paused.saturating_sub(1);
        self.runs()
    }
}
