//! The sender: from the process into the kernel's buffer, from there onto the wire as the windows allow, and out when
//! acknowledged.

use replisim_engine::Time;

use super::{Ack, Connection, Segment, State, TcpEvent};
use crate::interface::{Departure, Journey};
use crate::link::{Io, Purpose, Wires};
use crate::message::{NetworkEvent, Packet, Traffic};

impl Connection {
    /// Takes a message from the process.
    #[inline]
    pub(crate) fn send<E: Copy + From<NetworkEvent>>(
        &mut self,
        io: &mut Io<'_, E>,
        packet: Packet,
        kind: Traffic,
        bytes: u64,
    ) {
        match self.state {
            State::Closed { until } if io.now < until => io.wires.lose(packet),
            State::Closed { .. } => {
                self.push(packet, kind, bytes);
                self.connect(io);
            }
            State::Connecting { .. } => self.push(packet, kind, bytes),
            State::Open => {
                self.take_acks(io.now, io.wires);
                let terms = &io.wires.profile(self.link).tcp;
                let (buffer, window) = (terms.buffer, terms.window);
                if self.outstanding == 0 && self.congestion.has_grown() {
                    let timeout = self.estimate.timeout(terms.retransmission_timeout, self.expiries);
                    if io.now.since(self.last_send) > timeout {
                        self.congestion.idled();
                    }
                }
                let fits = |used: u64, most: u64| used == 0 || used + bytes <= most;
                let goes_at_once = self.next == self.end()
                    && self.lost == 0
                    && fits(self.buffered, buffer)
                    && fits(self.in_flight, self.congestion.window())
                    && fits(self.outstanding, window);
                self.push(packet, kind, bytes);
                if goes_at_once {
                    // What `admit` and `pump` come to then.
                    self.buffered += bytes;
                    self.admitted += 1;
                    self.transmit(io, self.next);
                    if self.base < self.troubled_until {
                        self.await_acks(io);
                        self.watch(io);
                    }
                } else {
                    self.admit(buffer);
                    self.pump(io);
                    self.watch(io);
                }
            }
        }
    }

    fn push(&mut self, packet: Packet, kind: Traffic, bytes: u64) {
        self.segments.push_back(Segment {
            packet,
            kind,
            bytes,
            first_sent: Time::ZERO,
            sent: Time::ZERO,
            on_wire: 0,
            again: false,
            counted: false,
            lost: false,
            ahead: false,
            received: false,
        });
    }

    /// Moves messages into the kernel's buffer as far as they fit; one always does.
    pub(super) fn admit(&mut self, buffer: u64) {
        while self.admitted < self.end() {
            let bytes = self.segment(self.admitted).bytes;
            if self.buffered > 0 && self.buffered + bytes > buffer {
                return;
            }
            self.buffered += bytes;
            self.admitted += 1;
        }
    }

    /// Sends what the windows allow: first what was lost, then what is new.
    pub(super) fn pump<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>) {
        let window = io.wires.profile(self.link).tcp.window;
        loop {
            let number = match (self.next_lost(), self.next < self.admitted) {
                (Some(number), _) => number,
                (None, true) => self.next,
                (None, false) => break,
            };
            let bytes = self.segment(number).bytes;
            if self.in_flight > 0 && self.in_flight + bytes > self.congestion.window() {
                break;
            }
            if number == self.next && self.outstanding > 0 && self.outstanding + bytes > window {
                break;
            }
            self.transmit(io, number);
        }
        self.await_acks(io);
    }

    #[inline]
    fn next_lost(&mut self) -> Option<u64> {
        if self.lost == 0 {
            return None;
        }
        self.lost_from = self.lost_from.max(self.base);
        while !self.segment(self.lost_from).lost {
            self.lost_from += 1;
        }
        Some(self.lost_from)
    }

    /// Puts a message on the wire, for the first time or again.
    #[inline]
    pub(super) fn transmit<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>, number: u64) {
        let first = number == self.next;
        if first && self.base == self.next {
            (self.timer_from, self.progress) = (io.now, io.now);
        }
        self.last_send = io.now;
        let segment = self.segment(number);
        let (kind, bytes) = (segment.kind, segment.bytes);
        let (was_lost, was_counted) = (segment.lost, segment.counted);
        segment.sent = io.now;
        (segment.lost, segment.counted) = (false, true);
        if first {
            segment.first_sent = io.now;
            self.next += 1;
            self.outstanding += bytes;
        } else {
            segment.again = true;
        }
        self.lost -= u32::from(was_lost);
        self.in_flight += if was_counted { 0 } else { bytes };
        if self.in_flight > self.peak || self.base >= self.round_until {
            (self.peak, self.round_until) = (self.in_flight, self.next);
        }
        let purpose = if first { Purpose::Message(kind) } else { Purpose::Retransmission(kind) };
        match io.wires.carry(io.now, self.link, purpose, bytes) {
            Some(Journey { departure, arrival }) => {
                self.last_arrival = arrival.max(self.last_arrival);
                self.segment(number).on_wire += 1;
                if departure != Departure::AT_ONCE {
                    self.wait(io.now, departure, number);
                }
                let event = TcpEvent::Arrive { number: number as u32 };
                io.schedule(self.last_arrival, self.there_event(event, departure));
            }
            None => self.trouble(io),
        }
    }

    /// Remembers what waits at the interface; what has left is forgotten.
    fn wait(&mut self, now: Time, departure: Departure, number: u64) {
        while self.waiting.front().is_some_and(|(departure, _)| departure.is_by(now)) {
            self.waiting.pop_front();
        }
        self.waiting.push_back((departure, number));
    }

    /// Makes an event of the next acknowledgement, if anything depends on it.
    pub(super) fn await_acks<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>) {
        let matters = self.next < self.end() || self.lost > 0 || self.base < self.troubled_until;
        if let (true, None, Some(ack)) = (matters, self.ack_event, self.acks.front()) {
            self.ack_event = Some(ack.at);
            io.schedule(ack.at, self.event(TcpEvent::Ack));
        }
    }

    pub(super) fn ack_arrives<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>) {
        if self.ack_event != Some(io.now) {
            return;
        }
        self.ack_event = None;
        self.take_acks(io.now, io.wires);
        self.pump(io);
        self.watch(io);
    }

    /// Takes in all acknowledgements that have arrived by `now`.
    #[inline]
    pub(super) fn take_acks(&mut self, now: Time, wires: &Wires) {
        if self.acks.front().is_some_and(|ack| ack.at <= now) {
            self.take_arrived_acks(now, wires);
        }
    }

    fn take_arrived_acks(&mut self, now: Time, wires: &Wires) {
        while let Some(ack) = self.acks.front().copied().filter(|ack| ack.at <= now) {
            self.acks.pop_front();
            if !wires.let_out(self.link(wires).back, ack.departure) {
                self.troubled_until = self.next;
                continue;
            }
            if ack.upto > self.base {
                self.acknowledged(ack);
            }
            if ack.number >= self.base {
                self.arrived_ahead(ack.number);
            }
            if self.admitted < self.end() {
                self.admit(wires.profile(self.link).tcp.buffer);
            }
        }
    }

    /// Everything below `ack.upto` is done with.
    fn acknowledged(&mut self, ack: Ack) {
        if ack.number >= self.base && !self.segment(ack.number).again {
            let sent = self.segment(ack.number).sent;
            self.estimate.sample(ack.at.since(sent));
        }
        let mut bytes = 0;
        while self.base < ack.upto {
            let Some(segment) = self.segments.pop_front() else { break };
            self.base += 1;
            bytes += segment.bytes;
            self.in_flight -= if segment.counted { segment.bytes } else { 0 };
            self.lost -= u32::from(segment.lost);
            self.ahead_count -= u32::from(segment.ahead);
        }
        self.buffered -= bytes;
        self.outstanding -= bytes;
        (self.timer_from, self.progress) = (ack.at, ack.at);
        self.expiries = 0;
        self.probed = self.probed.filter(|upto| self.base < *upto);
        self.congestion.acknowledged(bytes, self.peak, self.base);
    }

    /// A message arrived ahead of a gap. Three of them past a gap, or one that was sent later than all of it was, show
    /// that the gap was lost, for nothing overtakes.
    fn arrived_ahead(&mut self, number: u64) {
        let segment = self.segment(number);
        if segment.ahead {
            return;
        }
        let (again, bytes) = (segment.again, segment.bytes);
        let (was_lost, was_counted) = (segment.lost, segment.counted);
        (segment.ahead, segment.lost, segment.counted) = (true, false, false);
        self.lost -= u32::from(was_lost);
        self.in_flight -= if was_counted { bytes } else { 0 };
        self.ahead_count += 1;
        if number > self.ahead[2] {
            self.ahead = [self.ahead[1], self.ahead[2], number];
        }
        let shown = match (again, self.ahead_count) {
            (true, _) => number,
            (false, 3..) => self.ahead[0],
            (false, _) => return,
        };
        for gap in self.judged.max(self.base)..shown {
            self.lose(gap);
        }
        self.judged = self.judged.max(shown);
        if self.lost > 0 {
            self.congestion.lost(self.next);
        }
    }

    /// Counts a message as lost, to be sent again, unless it is known to have arrived.
    pub(super) fn lose(&mut self, number: u64) {
        let segment = self.segment(number);
        if segment.ahead || segment.lost {
            return;
        }
        let bytes = if segment.counted { segment.bytes } else { 0 };
        (segment.lost, segment.counted) = (true, false);
        self.in_flight -= bytes;
        self.lost += 1;
        self.lost_from = self.lost_from.min(number);
    }
}
