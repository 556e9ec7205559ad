//! The disk of a node: what a protocol persists is durable once an fsync that began later has ended.
//!
//! Group commit: one fsync runs at a time; whatever is asked for while it runs waits for the next, which covers all of
//! it. A disk whose fsync takes no time makes everything durable at once, without an event.
//!
//! What it leaves out: bandwidth of the disk, reads, and a slow disk among fast ones.

use replisim_engine::{Law, Sampler, Stream, Time, TimerSlot};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The `disk:` section: how long it takes to make something durable.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct DiskSettings {
    /// How long an fsync takes. Not given: no time at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fsync: Option<Law>,
}

/// The disk of one node.
#[derive(Debug)]
pub(crate) struct Disk {
    /// How long an fsync takes; none: no time.
    fsync: Option<Sampler>,
    stream: Stream,
    /// What the fsync that runs covers, if one runs.
    syncing: Option<u64>,
    /// What is asked for beyond that.
    wanted: Option<u64>,
    pub(crate) done: TimerSlot,
}

impl Disk {
    pub(crate) fn new(fsync: Option<Sampler>, stream: Stream, done: TimerSlot) -> Disk {
        Disk { fsync, stream, syncing: None, wanted: None, done }
    }

    /// Whether everything is durable at once.
    #[inline]
    pub(crate) fn is_instant(&self) -> bool {
        self.fsync.is_none()
    }

    /// Asks for everything up to `upto`; returns when an fsync that starts now ends, if one does.
    pub(crate) fn ask(&mut self, now: Time, upto: u64) -> Option<Time> {
        self.wanted = self.wanted.max(Some(upto));
        if self.syncing.is_some() { None } else { self.start(now) }
    }

    /// The fsync that ran has ended: what it covered, and when the next ends, if one starts.
    pub(crate) fn finish(&mut self, now: Time) -> (Option<u64>, Option<Time>) {
        let covered = self.syncing.take();
        (covered, self.start(now))
    }

    /// The node went down: nothing runs any more.
    pub(crate) fn stop(&mut self) {
        (self.syncing, self.wanted) = (None, None);
    }

    fn start(&mut self, now: Time) -> Option<Time> {
        let fsync = self.fsync.as_ref()?;
        self.syncing = Some(self.wanted.take()?);
        Some(now + replisim_engine::Duration::from_nanos_f64(fsync.sample_nanos(&mut self.stream)))
    }
}
