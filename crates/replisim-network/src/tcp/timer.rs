//! The sender's timers, as in Linux: the probe for a lost tail, the retransmission time-out, the user time-out.
//!
//! A connection in trouble (something was lost, and the acknowledgement that shows it repaired has not come) knows at
//! any time which timer runs and when it expires, from when it sent and heard last; `watch` keeps an event at that
//! time, or earlier: an event that comes too early looks again. Without trouble no timer could expire before an
//! acknowledgement moves it, and there are no events.

use replisim_engine::{Duration, Time};

use super::{Connection, State, TcpEvent};
use crate::link::Io;
use crate::message::NetworkEvent;
use crate::profile::TcpTerms;

impl Connection {
    /// Something was lost.
    #[cold]
    pub(super) fn trouble<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>) {
        self.take_acks(io.now, io.wires);
        self.troubled_until = self.next;
        self.watch(io);
        self.await_acks(io);
    }

    /// Keeps an event on the schedule for the timer that runs.
    #[inline]
    pub(super) fn watch<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>) {
        if self.base < self.troubled_until {
            let terms = io.wires.profile(self.link).tcp;
            let (deadline, _) = self.deadline(&terms);
            self.alarm_at(io, deadline);
        }
    }

    pub(super) fn alarm_at<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>, at: Time) {
        let at = at.max(io.now);
        if self.alarm.is_none_or(|alarm| at < alarm) {
            self.alarm = Some(at);
            io.schedule(at, self.event(TcpEvent::Timer));
        }
    }

    /// When the timer of unacknowledged messages expires, and whether it then sends a probe.
    fn deadline(&self, terms: &TcpTerms) -> (Time, bool) {
        let timeout = self.estimate.timeout(terms.retransmission_timeout, self.expiries);
        let probes = !self.congestion.recovering()
            && self.probed.is_none()
            && self.expiries == 0
            && self.ahead_count == 0;
        let expires = if probes {
            // A single message might wait for a delayed acknowledgement.
            let alone = self.next - self.base == 1;
            let patience = if alone { terms.retransmission_timeout } else { Duration::ZERO };
            let quiet_since = self.last_send.max(self.timer_from);
            let oldest = self.segments.front().map_or(self.timer_from, |segment| segment.sent);
            (quiet_since + self.estimate.probe_after() + patience).min(oldest + timeout)
        } else {
            self.timer_from + timeout
        };
        (expires.min(self.progress + terms.user_timeout), probes)
    }

    /// A timer may have expired.
    pub(super) fn expire<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>) {
        if self.alarm != Some(io.now) {
            return;
        }
        self.alarm = None;
        match self.state {
            State::Closed { .. } => return,
            State::Connecting { .. } => return self.retry_handshake(io),
            State::Open => {}
        }
        self.take_acks(io.now, io.wires);
        if self.base < self.troubled_until {
            let terms = io.wires.profile(self.link).tcp;
            let (deadline, probes) = self.deadline(&terms);
            if io.now < deadline {
                // Something moved it on.
            } else if io.now >= self.progress + terms.user_timeout {
                return self.abandon(io);
            } else if probes {
                self.probe(io, terms.window);
            } else {
                self.time_out(io);
            }
        }
        self.pump(io);
        self.watch(io);
    }

    /// Sends one more message, a new one if there is one, so that acknowledgements may show what is missing.
    fn probe<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>, window: u64) {
        self.timer_from = io.now;
        let fresh = self.next < self.admitted && self.outstanding + self.segment(self.next).bytes <= window;
        let number = if fresh { self.next } else { self.next - 1 };
        self.probed = Some(number + 1);
        self.transmit(io, number);
        self.segment(number).again = true;
    }

    /// The retransmission timer expires: all that is unacknowledged counts as lost.
    fn time_out<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>) {
        self.congestion.timed_out(self.expiries == 0, self.next);
        self.expiries += 1;
        self.timer_from = io.now;
        self.probed = None;
        for number in self.base..self.next {
            self.lose(number);
        }
        self.judged = self.next;
        self.troubled_until = self.next;
    }
}
