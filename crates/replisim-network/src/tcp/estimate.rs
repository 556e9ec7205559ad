//! The round-trip time as a sender sees it, and the time-out that follows from it (RFC 6298, with the floor of Linux:
//! 200 ms *beyond* the smoothed round trip, not in all).

use replisim_engine::Duration;

/// The longest time-out that doubling leads to.
const LONGEST: Duration = Duration::from_secs(120);
/// The shortest: one tick of a kernel's clock.
const SHORTEST: Duration = Duration::from_millis(1);

/// The smoothed round-trip time and its variation, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Estimate {
    smoothed: u64,
    variation: u64,
}

impl Estimate {
    /// Before the first sample: the mean of the link, as if it had been measured long since; where that is more than
    /// anyone would wait for (some laws have no mean), one second, as RFC 6298 has it.
    pub(crate) fn new(mean: Duration) -> Estimate {
        let smoothed = if mean > LONGEST { Duration::from_secs(1) } else { mean };
        Estimate { smoothed: smoothed.nanos(), variation: 0 }
    }

    pub(crate) fn sample(&mut self, rtt: Duration) {
        let rtt = rtt.nanos();
        self.variation = self.variation - self.variation / 4 + self.smoothed.abs_diff(rtt) / 4;
        self.smoothed = self.smoothed - self.smoothed / 8 + rtt / 8;
    }

    /// How long after the last sending a probe for a lost tail goes out: two round trips.
    pub(crate) fn probe_after(&self) -> Duration {
        Duration::from_nanos(self.smoothed.saturating_mul(2)).max(SHORTEST)
    }

    /// The retransmission time-out after it has expired `expiries` times in a row.
    pub(crate) fn timeout(&self, least: Duration, expiries: u32) -> Duration {
        let beyond = self.variation.saturating_mul(4).max(least.nanos());
        let timeout = Duration::from_nanos(self.smoothed.saturating_add(beyond)).max(SHORTEST);
        Duration::from_nanos(timeout.nanos().saturating_mul(1 << expiries.min(20))).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn the_time_out_is_the_round_trip_and_200_ms_and_doubles() {
        let estimate = Estimate::new(MS(40));
        for (expiries, ms) in [(0, 240), (1, 480), (2, 960), (5, 7_680), (9, 120_000), (200, 120_000)] {
            assert_eq!(estimate.timeout(MS(200), expiries), MS(ms), "after {expiries} expiries");
        }
    }

    #[test]
    fn a_varying_round_trip_raises_the_time_out_and_a_steady_one_lowers_it_again() {
        let mut estimate = Estimate::new(MS(100));
        estimate.sample(MS(500)); // variation 400 / 4, smoothed 100 + 400 / 8
        assert_eq!(estimate.timeout(MS(200), 0), MS(150 + 400));
        (0..100).for_each(|_| estimate.sample(MS(40)));
        let settled = estimate.timeout(MS(200), 0);
        assert!(MS(239) < settled && settled < MS(241), "{settled}");
    }
}
