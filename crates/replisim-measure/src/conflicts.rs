//! What becomes of writes where versions, not a primary, decide between them: dead on arrival, discarded in favour of a
//! concurrent one, overwritten unread, come back from the dead; and the reads that show it.
//!
//! - `losses`: skew losses and conflict losses, write by write.
//! - `updates`: lost updates, out of what each write rested on. The only ones that a protocol with a primary knows too.
//! - `dead`: order-stale reads.
//! - `resurrected`: versions that stand again, and reads of them.
//!
//! Versions that a primary gives follow the order in which it accepts, and what two primaries give side by side is
//! abandoned; under version vectors nothing is discarded unseen. So all but lost updates are asked only where there is no
//! primary and any two versions are ordered.

mod dead;
mod losses;
mod resurrected;
mod updates;

use replisim_observe::{
    Key, Member, Observation, Op, OpKind, Outcome, PromotionRule, Roster, Said, Stored, Time, Version,
    Window, Write,
};

use crate::findings::{Leaf, Measure};
use crate::measures::count_by;
use crate::operations::OpenOp;
use crate::reads::Reads;
use crate::writes::{News, Writes};
use dead::DeadOnArrival;
use losses::Losses;
use resurrected::Resurrected;
use updates::Updates;

/// Everything measured about conflicts.
#[derive(Clone, Debug)]
pub struct Conflicts {
    window: Window,
    /// There is no primary, and any two versions are ordered.
    applies: bool,
    losses: Losses,
    updates: Updates,
    dead: DeadOnArrival,
    resurrected: Resurrected,
    clients: Vec<ReadTotals>,
}

/// One client's ok reads in the window.
#[derive(Clone, Copy, Debug, Default)]
struct ReadTotals {
    reads: u64,
    order_stale: u64,
    resurrected: u64,
}

impl Conflicts {
    /// Nothing seen yet of a run of `roster`.
    pub fn new(roster: &Roster, window: Window) -> Conflicts {
        let applies = roster.promotion == PromotionRule::Leaderless && roster.lanes <= 1;
        Conflicts {
            window,
            applies,
            losses: Losses::new(if applies { roster.keys } else { 0 }),
            updates: Updates::new(roster.lanes),
            dead: DeadOnArrival::default(),
            resurrected: Resurrected::new(window.from),
            clients: vec![ReadTotals::default(); roster.clients.len()],
        }
    }

    /// Takes in what is not about the end of an operation; to be called before anybody else does.
    #[inline]
    pub(crate) fn observe(&mut self, now: Time, what: &Observation, writes: &Writes, reads: &Reads) {
        if self.applies {
            self.resurrected.observe(now, what, writes);
        }
        match *what {
            Observation::Invoked { key, kind: OpKind::Write(write), .. } if self.applies => {
                self.losses.invoked(write, reads.newest_ack(now, key));
            }
            Observation::BasedOn { write, version, .. } => self.updates.based_on(write, version),
            Observation::Logged { member, key, stored }
            | Observation::Applied { member, key, stored }
            | Observation::Hinted { member, key, stored } => {
                self.known(key, stored, Some(member), writes);
            }
            Observation::Committed { write, key, version, .. } => {
                self.known(key, Stored { version, write }, None, writes);
                let in_window = self.window.contains(now);
                self.updates.committed(key, version, in_window);
                if self.applies {
                    self.losses.committed(write, in_window);
                }
            }
            _ => {}
        }
    }

    /// A further attempt at an operation makes a write of its own.
    pub(crate) fn writes_again(&mut self, now: Time, write: Write, key: Key, reads: &Reads) {
        if self.applies {
            self.losses.invoked(write, reads.newest_ack(now, key));
        }
    }

    /// The version of a write is this one; `member` has it, if it is told.
    #[inline]
    fn known(&mut self, key: Key, stored: Stored, member: Option<Member>, writes: &Writes) {
        let base = self.updates.known(key, stored);
        if self.applies {
            self.losses.known(key, stored, base.unwrap_or_default(), writes.line(key));
            if let Some(member) = member {
                self.losses.copied(stored.write, || writes.has(member, key));
            }
        }
    }

    /// A write ended; in this lane of its key and as this version, if they are known.
    pub(crate) fn answered(
        &mut self,
        now: Time,
        (write, op): (Write, &OpenOp),
        version: Option<(Key, Version)>,
        outcome: Outcome,
        writes: &Writes,
    ) {
        if let (Outcome::Ok, Some((key, version))) = (outcome, version) {
            self.updates.acked(key, version);
            if self.applies {
                self.resurrected.acked(now, key, writes);
            }
        }
        if self.applies
            && let Some(version) = self.losses.answered(write, op.key, outcome, writes.line(op.key))
        {
            self.dead.insert(op.key, (op.invoked, now), version);
        }
    }

    /// A read ended, and said this if it is ok.
    #[inline]
    pub(crate) fn returned(&mut self, op: Op, read: &OpenOp, said: Option<Said>, reads: &Reads) {
        if !self.applies {
            return;
        }
        let OpenOp { client, key, invoked, line, .. } = *read;
        let version = match said {
            Some(Said::Value(Some(stored))) => stored.version,
            _ => Version(0),
        };
        let resurrected = self.resurrected.returned(op, version);
        if said.is_none() || !self.window.contains(invoked) {
            return;
        }
        let totals = &mut self.clients[client.index()];
        totals.reads += 1;
        totals.resurrected += u64::from(resurrected);
        if version >= line && self.dead.has(key) {
            let acked = reads.acked_at(key, version);
            let stale = acked.is_some_and(|acked| self.dead.make_stale(key, (version, acked), invoked));
            totals.order_stale += u64::from(stale);
        }
    }

    /// Something has become of writes.
    pub(crate) fn hear(&mut self, news: News, writes: &Writes) {
        self.updates.hear(news);
        if self.applies {
            self.losses.hear(news, writes);
        }
    }

    /// The measures, once the run is over; `promoted`: somebody was the primary.
    pub(crate) fn into_results(mut self, roster: &Roster, promoted: bool, writes: &Writes) -> Vec<Measure> {
        let acked = writes.acked_in_window();
        let applies = self.applies && !promoted;
        self.losses.ended(writes);
        let (updates, lost_updates) = self.updates.lost(|key| writes.newest_held(key));
        let count =
            |slug, applies: bool, count, of| Measure::new(slug, applies.then_some(Leaf::Count { count, of }));
        let reads = |slug, part: fn(&ReadTotals) -> u64| {
            let parts = self.clients.iter().map(|totals| (part(totals), totals.reads));
            let parts = if applies { parts.collect() } else { Vec::new() };
            count_by(slug, "workload", &roster.clients, parts)
        };
        vec![
            count("skew_loss", applies, self.losses.skew, Some(acked)),
            count("conflict_loss", applies, self.losses.conflict, Some(acked)),
            count("lost_updates", updates > 0, lost_updates, Some(updates)),
            count("resurrected_writes", applies, self.resurrected.ended(writes), None),
            reads("order_stale_reads", |totals| totals.order_stale),
            reads("resurrected_reads", |totals| totals.resurrected),
        ]
    }
}
