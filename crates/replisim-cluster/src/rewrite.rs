//! Read-modify-write: a client reads a key and writes what it made of the answer.
//!
//! Two operations, a read and a write, each with its own latency and fate. The write leaves the moment the answer is
//! there, and carries as its context what was read, so that a protocol can tell what it supersedes; a compare-and-set
//! carries the version as its condition. A read that fails,
//! or is given up, has no write; nor has one whose answer comes after the clients have stopped.

use replisim_observe::{Client, Key, Observation, Observer, Stored, Write};
use replisim_protocols::{Change, Context, Protocol, Reply};

use crate::clients::Manner;
use crate::retries::Attempt;
use crate::world::World;

impl<P: Protocol, O: Observer> World<P, O> {
    /// What a client has read, as the context of what it writes: one write a lane, of version 0 where nothing had been written.
    /// None if the answer gives nothing to build on.
    pub(crate) fn context_of(&self, reply: &Reply) -> Option<Context> {
        let nothing = || vec![Stored::default(); self.lanes as usize];
        match reply {
            Reply::Value(Some(stored)) | Reply::Newest { stored, .. } => Some(vec![*stored]),
            Reply::Value(None) => Some(nothing()),
            Reply::Siblings(siblings) if siblings.context.is_empty() => Some(nothing()),
            Reply::Siblings(siblings) => Some(siblings.context.clone()),
            Reply::Written(_) | Reply::NotApplied | Reply::Refused | Reply::Redirect(_) => None,
        }
    }

    /// The answer is there: the client writes what it has made of it. False if it has stopped.
    pub(crate) fn rewrite(
        &mut self,
        client: Client,
        key: Key,
        change: Change,
        context: Context,
        manner: Manner,
    ) -> bool {
        let goes_on = self.stage.now < self.setup.window.to;
        if goes_on {
            let request = self.write(client, key, on_condition(change, &context), context);
            let (due, attempt) = (self.stage.now, Attempt::default());
            self.attempt(client, request, Manner { then: None, due, attempt, ..manner });
        }
        goes_on
    }

    /// Tells what a write rests on.
    pub(crate) fn tell_basis(&mut self, write: Write, key: Key, context: &Context) {
        for (lane, newest) in (0u32..).zip(context) {
            let (lane, version) = (key.lane(self.lanes, lane), newest.version);
            self.stage.observe_of(key, Observation::BasedOn { write, key: lane, version });
        }
    }
}

/// A compare-and-set expects what was read.
fn on_condition(change: Change, context: &Context) -> Change {
    match change {
        Change::CompareAndSet { bytes, .. } => {
            let read = context.first().map(|stored| stored.version);
            Change::CompareAndSet { expected: read.filter(|version| version.0 > 0), bytes }
        }
        change => change,
    }
}
