//! What the loss of a primary costs: the time until writes succeed again, and acks given by a primary of the past.
//!
//! Each replication group has two clocks, which start at the loss of its primary (which may be told
//! late, with the moment since when it was lost). *RTO* stops at the ack of the first write that was invoked after it and committed
//! under a later term: above the floor of a promotion that followed. *Time to serve* stops when the promoted member
//! would accept a write. A further loss while a clock runs does not restart it. Where the primary was only cut off and
//! comes back before anybody is promoted, its own term goes on: it serves from then on, and any write acked from then
//! on will do.
//!
//! Nobody tries to write after the clients' time: an RTO that is still running is known to be longer than the rest of
//! it, and no more.

use replisim_observe::{Answer, Client, Group, Key, Observation, Time, Version, Window};

use crate::distribution::Distribution;
use crate::keyspace::Keyspace;
use crate::rightful::Rightful;

/// Everything measured about losses of the primary.
#[derive(Clone, Debug)]
pub struct Failover {
    space: Keyspace,
    window: Window,
    /// By group.
    throne: Vec<Throne>,
    /// When each member last went down.
    down: Vec<Option<Time>>,
    stale_acks: Vec<(u64, u64)>,
    rto: Distribution,
    time_to_serve: Distribution,
}

/// What has become of the primary of a group.
#[derive(Clone, Copy, Debug)]
struct Throne {
    outage: Option<Outage>,
    /// The loss since which nobody served.
    unserved: Option<Time>,
    /// The last loss.
    lost: Time,
    promoted_since: bool,
}

/// Since the loss of a primary no write has succeeded that would end it.
#[derive(Clone, Copy, Debug)]
struct Outage {
    lost: Time,
    /// Versions above this one end it.
    floor: Option<Version>,
}

/// The results.
#[derive(Clone, Debug)]
pub(crate) struct FailoverResults {
    pub(crate) rto: Distribution,
    pub(crate) time_to_serve: Distribution,
    /// By client: ok writes answered by a primary of the past, of all.
    pub(crate) stale_acks: Vec<(u64, u64)>,
}

impl Failover {
    /// Nothing seen yet.
    pub(crate) fn new(space: Keyspace, clients: usize, window: Window) -> Failover {
        let throne = Throne { outage: None, unserved: None, lost: Time::ZERO, promoted_since: false };
        Failover {
            space,
            window,
            throne: vec![throne; space.groups()],
            down: vec![None; space.members()],
            stale_acks: vec![(0, 0); clients],
            rto: Distribution::default(),
            time_to_serve: Distribution::default(),
        }
    }

    /// Takes in what concerns the primary and whether members are up.
    #[inline]
    pub(crate) fn observe(&mut self, now: Time, group: Group, what: &Observation) {
        let throne = &mut self.throne[group.index()];
        match *what {
            Observation::MemberDown { member } => self.down[member.index()] = Some(now),
            Observation::PrimaryLost { since, .. } => {
                throne.lost = since;
                throne.promoted_since = false;
                throne.outage.get_or_insert(Outage { lost: since, floor: None });
                throne.unserved.get_or_insert(since);
            }
            Observation::PrimaryBack { member } if throne.same_term_goes_on(self.down[member.index()]) => {
                throne.accept_above(Version(0));
                self.served(now, group);
            }
            Observation::Promoted { floor, .. } => {
                throne.promoted_since = true;
                throne.accept_above(floor);
            }
            Observation::Serving { .. } => self.served(now, group),
            _ => {}
        }
    }

    /// A write that was invoked at `invoked` was acked.
    pub(crate) fn acked(
        &mut self,
        now: Time,
        (client, key): (Client, Key),
        invoked: Time,
        version: Option<Version>,
        answer: Option<Answer>,
        rightful: &Rightful,
    ) {
        if let Some(Answer { by, at, .. }) = answer
            && self.window.contains(invoked)
        {
            let (stale, all) = &mut self.stale_acks[client.index()];
            *stale += u64::from(!rightful.was_primary(by, self.space.group_of(key), at));
            *all += 1;
        }
        let ends =
            |outage: &mut Outage| invoked > outage.lost && outage.floor.is_some_and(|f| version > Some(f));
        let throne = &mut self.throne[self.space.group_of(key).index()];
        if let Some(Outage { lost, .. }) = throne.outage.take_if(ends)
            && self.window.contains(lost)
        {
            self.rto.record(now.since(lost).nanos() as i64);
        }
    }

    /// The run is over.
    pub(crate) fn ended(&mut self, now: Time) {
        let to = now.min(self.window.to);
        for Throne { outage, unserved, .. } in &self.throne {
            if let Some(Outage { lost, .. }) = outage.filter(|outage| self.window.contains(outage.lost)) {
                self.rto.record_censored(to.since(lost).nanos());
            }
            if let Some(lost) = unserved.filter(|lost| self.window.contains(*lost)) {
                self.time_to_serve.record_censored(now.since(lost).nanos());
            }
        }
    }

    pub(crate) fn into_results(self) -> FailoverResults {
        let Failover { rto, time_to_serve, stale_acks, .. } = self;
        FailoverResults { rto, time_to_serve, stale_acks }
    }

    fn served(&mut self, now: Time, group: Group) {
        let unserved = self.throne[group.index()].unserved.take();
        if let Some(lost) = unserved.filter(|lost| self.window.contains(*lost)) {
            self.time_to_serve.record(now.since(lost).nanos() as i64);
        }
    }
}

impl Throne {
    /// The lost primary, which was last down then, was only cut off, and nobody took its place.
    fn same_term_goes_on(&self, down: Option<Time>) -> bool {
        !self.promoted_since && down.is_none_or(|down| down < self.lost)
    }

    fn accept_above(&mut self, floor: Version) {
        if let Some(outage) = &mut self.outage {
            outage.floor = Some(outage.floor.map_or(floor, |earlier| earlier.min(floor)));
        }
    }
}
