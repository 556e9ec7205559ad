//! Opening a connection: one round trip before the first message, tried again after 1, 2, 4 … s while nothing answers.
//!
//! A machine whose process is down refuses at once; what was waiting is then lost, and the process does not try again
//! before 100 ms have passed, twice as long after each further refusal, up to 5 s.

use replisim_engine::{Duration, Time};

use super::congestion::Congestion;
use super::estimate::Estimate;
use super::{Connection, State, TcpEvent};
use crate::interface::Journey;
use crate::link::{Host, Io, Purpose};
use crate::message::NetworkEvent;

/// How long the first answer is waited for.
const FIRST_RETRY: u64 = 1_000_000_000;
/// How long a refused process waits before it tries again: at first, and at most.
const SHORTEST_PAUSE: u64 = 100_000_000;
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Connection {
    /// Starts to connect.
    pub(super) fn connect<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>) {
        self.send_syn(io, io.now, 1);
    }

    fn send_syn<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>, since: Time, tries: u32) {
        let retry = io.now + Duration::from_nanos(FIRST_RETRY << (tries - 1).min(6));
        self.state = State::Connecting { since, tries, retry };
        match io.wires.carry(io.now, self.link, Purpose::Handshake, 0) {
            Some(Journey { departure, arrival }) => {
                io.schedule(arrival, self.there_event(TcpEvent::Syn, departure))
            }
            None => self.unanswered(io),
        }
    }

    /// No answer will come: the timer will have to see to it.
    pub(super) fn unanswered<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>) {
        if let State::Connecting { since, retry, .. } = self.state {
            let patience = io.wires.profile(self.link).tcp.user_timeout;
            self.alarm_at(io, retry.min(since + patience));
        }
    }

    pub(super) fn retry_handshake<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>) {
        let State::Connecting { since, tries, .. } = self.state else { return };
        if io.now >= since + io.wires.profile(self.link).tcp.user_timeout {
            self.close(io, io.now);
        } else {
            self.send_syn(io, since, tries + 1);
        }
    }

    pub(super) fn syn_arrives<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>) {
        let (to, back) = (self.link(io.wires).to, self.link(io.wires).back);
        let host = io.wires.host(to);
        let accepted = host == Host::Up;
        if accepted {
            self.receiver_gone = false;
        }
        match io.wires.carry(io.now, back, Purpose::Ack, 0) {
            Some(Journey { departure, arrival }) if host != Host::MachineDown => {
                io.schedule(arrival, self.back_event(TcpEvent::Answer { accepted }, departure));
            }
            _ => self.unanswered(io),
        }
    }

    pub(super) fn answered<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>, accepted: bool) {
        if !matches!(self.state, State::Connecting { .. }) {
            return;
        }
        if !accepted {
            let pause = Duration::from_nanos(SHORTEST_PAUSE << self.refusals.min(6)).min(LONGEST_PAUSE);
            self.refusals += 1;
            self.close(io, io.now + pause);
            return;
        }
        self.state = State::Open;
        self.refusals = 0;
        self.congestion = Congestion::new();
        self.estimate = Estimate::new(io.wires.mean_rtt(self.link));
        self.last_send = io.now;
        self.admit(io.wires.profile(self.link).tcp.buffer);
        self.pump(io);
        self.watch(io);
    }
}
