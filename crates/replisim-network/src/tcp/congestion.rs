//! The congestion window: slow start, congestion avoidance, and what losses do to it (RFC 5681, in bytes).
//!
//! After a loss 70 % of the window are left, as in CUBIC, the default of Linux; from there it grows by one segment in
//! each round trip, as CUBIC does only where it is not faster. What it leaves out: pacing, and everything that queues in the network would do.

/// The payload of a full segment on Ethernet with time stamps.
pub(crate) const SEGMENT: u64 = 1_448;
/// The window of a new connection (RFC 6928).
pub(crate) const INITIAL: u64 = 10 * SEGMENT;

/// The congestion window of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Congestion {
    window: u64,
    threshold: u64,
    recovery: Option<Recovery>,
}

/// Losses are being repaired until everything below this number is acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Recovery {
    until: u64,
    after_timeout: bool,
}

impl Congestion {
    pub(crate) fn new() -> Congestion {
        Congestion { window: INITIAL, threshold: u64::MAX, recovery: None }
    }

    /// How many bytes may be under way.
    pub(crate) fn window(&self) -> u64 {
        self.window
    }

    pub(crate) fn recovering(&self) -> bool {
        self.recovery.is_some()
    }

    /// New data were acknowledged: `bytes`; `below` is the first number that still is not. `peak` was the most under way in
    /// this round trip.
    pub(crate) fn acknowledged(&mut self, bytes: u64, peak: u64, below: u64) {
        let repairing = self.recovery.is_some_and(|recovery| below < recovery.until);
        let grows = !repairing || self.recovery.is_some_and(|recovery| recovery.after_timeout);
        if !repairing {
            self.recovery = None;
        }
        // A window that is not used up does not grow (as in Linux).
        if grows && self.window < 2 * peak {
            self.window = match self.window < self.threshold {
                true => (self.window + bytes).min(self.threshold),
                false => self.window + (SEGMENT * bytes / self.window).max(1),
            };
        }
    }

    /// Duplicate acknowledgements show losses; they are repaired until all below `until` is acknowledged.
    pub(crate) fn lost(&mut self, until: u64) {
        if self.recovery.is_none() {
            self.threshold = (self.window * 7 / 10).max(2 * SEGMENT);
            self.window = self.threshold;
            self.recovery = Some(Recovery { until, after_timeout: false });
        }
    }

    /// The retransmission timer expired, for the first time since data were last acknowledged or not.
    pub(crate) fn timed_out(&mut self, first: bool, until: u64) {
        if first {
            self.threshold = (self.window * 7 / 10).max(2 * SEGMENT);
        }
        self.window = SEGMENT;
        self.recovery = Some(Recovery { until, after_timeout: true });
    }

    /// Whether [`Congestion::idled`] would change anything.
    #[inline]
    pub(crate) fn has_grown(&self) -> bool {
        self.window > INITIAL
    }

    /// Nothing was sent for longer than a retransmission time-out.
    pub(crate) fn idled(&mut self) {
        self.window = self.window.min(INITIAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_doubles_each_round_until_a_loss_takes_three_tenths() {
        let mut congestion = Congestion::new();
        let mut number = 0;
        let mut round = |congestion: &mut Congestion| {
            let segments = congestion.window() / SEGMENT;
            for _ in 0..segments {
                number += 1;
                congestion.acknowledged(SEGMENT, congestion.window(), number);
            }
            (congestion.window() / SEGMENT, number)
        };
        assert_eq!([20, 40, 80].map(|_| round(&mut congestion).0), [20, 40, 80]);
        congestion.lost(0);
        assert_eq!(congestion.window(), 56 * SEGMENT);
        assert_eq!(round(&mut congestion).0, 56); // congestion avoidance: not quite one segment per round trip
        assert_eq!(round(&mut congestion).0, 57);
        let (_, number) = round(&mut congestion);
        congestion.timed_out(true, number);
        assert_eq!(congestion.window(), SEGMENT);
        congestion.acknowledged(SEGMENT, SEGMENT, number);
        assert_eq!(congestion.window(), 2 * SEGMENT);
    }

    #[test]
    fn a_window_that_is_not_used_does_not_grow() {
        let mut congestion = Congestion::new();
        (0..1_000).for_each(|number| congestion.acknowledged(100, 100, number));
        assert_eq!(congestion.window(), INITIAL);
    }
}
