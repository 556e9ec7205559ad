//! The interface of a sender: a queue, where the link has a bandwidth. What waits in it is not on the wire yet: a
//! machine that dies takes it along, and what leaves it into a cut is lost.
//!
//! The idea: departure and arrival are fixed when a message is handed over, which costs no event of its own. The message
//! carries its departure along, and when it would arrive, what has happened to the interface meanwhile says whether it
//! ever got onto the wire.
//!
//! What it leaves out: ways change for what is handed over from then on; what waits keeps its own.

use replisim_engine::{Bandwidth, Time};

/// When something gets onto the wire, and when it arrives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Journey {
    pub(crate) departure: Departure,
    pub(crate) arrival: Time,
}

/// When something gets onto the wire that has to wait for that; zero for what does not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Departure(Time);

/// The interface of one link, and what has happened to it.
#[derive(Clone, Debug)]
pub(crate) struct Interface {
    /// When it has put out what it has.
    busy_until: Time,
    /// From when to when the way was severed, as far as anything left meanwhile.
    severed: Vec<(Time, Time)>,
    /// What became, each time, of all that was under way: what had left by then went on, or nothing did.
    ends: Vec<Option<Time>>,
}

impl Departure {
    /// It does not wait.
    pub(crate) const AT_ONCE: Departure = Departure(Time::ZERO);

    #[inline]
    pub(crate) fn is_by(self, now: Time) -> bool {
        self.0 <= now
    }
}

impl Interface {
    pub(crate) fn new() -> Interface {
        Interface { busy_until: Time::ZERO, severed: Vec::new(), ends: Vec::new() }
    }

    /// Whether nothing waits.
    #[inline]
    pub(crate) fn is_free(&self, now: Time) -> bool {
        self.busy_until <= now
    }

    /// Hands over so many bytes; when the last of them is on the wire.
    #[inline]
    pub(crate) fn put(&mut self, now: Time, bandwidth: Option<Bandwidth>, bytes: u64) -> Time {
        let mut leaves = now.max(self.busy_until);
        if let Some(bandwidth) = bandwidth {
            leaves += bandwidth.time_for(bytes);
            self.busy_until = leaves;
        }
        leaves
    }

    /// The way is severed from now on.
    pub(crate) fn sever(&mut self, now: Time) {
        self.severed.push((now, Time::MAX));
    }

    /// The way is no longer severed.
    pub(crate) fn mend(&mut self, now: Time) {
        let Some((from, until)) = self.severed.last_mut() else { return };
        *until = now;
        if self.busy_until <= *from {
            self.severed.pop(); // nothing left meanwhile
        }
    }

    /// The machine dies, with all that waits.
    pub(crate) fn die(&mut self, now: Time) {
        if self.busy_until > now {
            self.busy_until = now;
            self.ends.push(Some(now));
        }
    }

    /// Everything under way is dropped, and what waits too.
    pub(crate) fn drop_all(&mut self, now: Time) {
        self.busy_until = self.busy_until.min(now);
        self.ends.push(None);
    }

    /// The present life of what is handed over: how many ends there have been.
    #[inline]
    pub(crate) fn era(&self) -> u32 {
        self.ends.len() as u32
    }

    /// Whether the way was there when this left.
    #[inline]
    pub(crate) fn let_out(&self, Departure(at): Departure) -> bool {
        if self.severed.is_empty() {
            return true;
        }
        let began = self.severed.partition_point(|(from, _)| *from < at);
        began == 0 || self.severed[began - 1].1 <= at
    }

    /// Whether no end since that era met this.
    #[inline]
    pub(crate) fn kept(&self, era: u32, departure: Departure) -> bool {
        self.ends[era as usize..].iter().all(|end| end.is_some_and(|end| departure.is_by(end)))
    }
}

impl Journey {
    /// Of what does not wait.
    #[inline]
    pub(crate) fn at_once(arrival: Time) -> Journey {
        Journey { departure: Departure::AT_ONCE, arrival }
    }

    #[inline]
    pub(crate) fn new(now: Time, leaves: Time, arrival: Time) -> Journey {
        let departure = if leaves > now { Departure(leaves) } else { Departure::AT_ONCE };
        Journey { departure, arrival }
    }
}
