//! One direction between two sites.
//!
//! An *ordered* link delivers in the order of sending: a message arrives no earlier than the one before it (a running
//! maximum of arrival times). A message that a partition stops is held back with all that follow it until TCP would
//! have retransmitted it: the timer starts when it is first sent, runs 200 ms, then twice as long each time, and
//! after a heal nothing moves until it next expires. An *unordered* link carries independent messages.
//!
//! What it leaves out: the limits of buffers and windows, and congestion control; what was held back is sent anew all
//! at once.

use std::collections::BTreeMap;

use replisim_engine::random::LinkDraw;
use replisim_engine::{Duration, LinkStream, Sampler, Time};

use crate::network::{Traffic, Transit};

/// How messages on a link behave; shared by the links of a kind.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Profile {
    pub(crate) delay: Delay,
    pub(crate) ordered: bool,
    pub(crate) retransmission_timeout: Duration,
}

/// The law of a one-way delay.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Delay {
    /// Always this long.
    Constant(Duration),
    /// `floor + scale × draw` nanoseconds.
    Scaled { floor: f64, scale: f64, law: Sampler },
}

impl Delay {
    #[inline]
    pub(crate) fn sample(&self, mut draw: LinkDraw) -> Duration {
        match self {
            Delay::Constant(delay) => *delay,
            Delay::Scaled { floor, scale, law } => {
                Duration::from_nanos_f64(floor + scale * law.sample_nanos(&mut draw))
            }
        }
    }

    /// The mean, or where it is infinite something larger than any finite one.
    pub(crate) fn mean(&self) -> Duration {
        match self {
            Delay::Constant(delay) => *delay,
            Delay::Scaled { floor, scale, law } => match law.mean_nanos() {
                Some(mean) => Duration::from_nanos_f64(floor + scale * mean),
                None => Duration::from_nanos(u64::MAX / 4),
            },
        }
    }
}

/// The state of a link.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) stream: LinkStream,
    pub(crate) profile: u32,
    /// Draws taken, by kind of traffic: the whole state of the link's randomness.
    pub(crate) draws: [u32; Traffic::COUNT],
    /// Number of messages sent.
    pub(crate) sent: u64,
    /// Ordered links: the latest arrival so far.
    pub(crate) last_arrival: Time,
    /// Messages with a lower number that are still under way were dropped by a cut.
    pub(crate) dropped_below: u64,
    /// Ordered links: what waits for retransmission.
    pub(crate) held: Option<Box<Held>>,
}

/// Messages waiting for a retransmission, by their number on the link.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// When the first of them was lost: the timer runs from here.
    pub(crate) since: Time,
    /// Whether the retransmission is on the schedule.
    pub(crate) scheduled: bool,
    pub(crate) messages: BTreeMap<u64, Transit>,
}

impl Link {
    /// The number of the message that is sent next.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.sent += 1;
        self.sent - 1
    }
}

impl Held {
    /// The first expiry at or after `now` of a timer that started at `since` and doubles from `first` on, up to 120 s.
    pub(crate) fn next_attempt(&self, now: Time, first: Duration) -> Time {
        const LONGEST: u64 = 120_000_000_000;
        let mut wait = first.nanos().clamp(1, LONGEST);
        let mut attempt = self.since + Duration::from_nanos(wait);
        while attempt < now {
            wait = (wait * 2).min(LONGEST);
            attempt += Duration::from_nanos(wait);
        }
        attempt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retransmissions_double_from_200_ms() {
        let held = Held { since: Time::ZERO, scheduled: false, messages: BTreeMap::new() };
        let ms = |ms: u64| Time::from_nanos(ms * 1_000_000);
        for (now, attempt) in
            [(0, 200), (200, 200), (201, 600), (1_000, 1_400), (5_000, 6_200), (10_000, 12_600)]
        {
            assert_eq!(
                held.next_attempt(ms(now), Duration::from_millis(200)),
                ms(attempt),
                "healed at {now} ms"
            );
        }
    }
}
