//! How connections end: a process or a machine dies at either end, patience ends, a cut drops what is on the wire.
//!
//! Whatever happens, every message comes out once: as delivered, or as lost as soon as nothing can bring it to its
//! destination any more.

use replisim_engine::Time;

use super::estimate::Estimate;
use super::{Connection, Sender, State};
use crate::link::{Io, NONE, Wires};
use crate::message::{Loss, NetworkEvent};

impl Connection {
    /// The sending site went down.
    pub(crate) fn sender_down<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>, loss: Loss) {
        self.take_acks(io.now, io.wires);
        if loss == Loss::Machine {
            self.fall_silent(io.now);
        }
        match (self.state, loss) {
            (_, Loss::Process) if self.sender == Sender::Gone => {} // what is on its way is all that is left
            (State::Open, Loss::Process) => {
                // What the kernel has, it sends; then it closes.
                self.lose_from(io, self.admitted);
                match self.expected == self.end() {
                    true => self.finish(io),
                    false => self.sender = Sender::KernelOnly,
                }
            }
            (State::Open, Loss::Machine) => self.abandon(io),
            _ => self.finish(io),
        }
    }

    /// What waits at the interface dies with the sender's machine.
    fn fall_silent(&mut self, now: Time) {
        self.silent_from = self.silent_from.min(now);
        for (departure, number) in std::mem::take(&mut self.waiting) {
            if !departure.is_by(now) && (self.base..self.end()).contains(&number) {
                self.segment(number).on_wire -= 1;
            }
        }
    }

    /// The receiving site went down: what it knew of the connection is gone for good, and with its machine the
    /// acknowledgements that waited at its interface.
    pub(crate) fn receiver_down<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>, loss: Loss) {
        self.receiver_gone = true;
        let acks = self.acks.len();
        if loss == Loss::Machine {
            self.acks.retain(|ack| ack.departure.is_by(io.now));
        }
        if self.acks.len() < acks {
            self.trouble(io);
        }
    }

    /// The receiver knows nothing of this connection.
    pub(super) fn reset<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>) {
        match (self.state, self.sender) {
            (State::Open, Sender::Alive) => self.close(io, io.now),
            (State::Open, _) => self.finish(io),
            _ => {}
        }
    }

    /// The machine died, or patience did: from now on nobody sends anything again: only what is on the wire may still arrive.
    pub(super) fn abandon<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>) {
        self.sender = Sender::Gone;
        (self.alarm, self.ack_event) = (None, None);
        self.acks.clear();
        self.troubled_until = 0;
        self.strand(io);
    }

    /// With the sender gone: loses what cannot be delivered any more, from the first gap on.
    pub(super) fn strand<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>) {
        let mut number = self.expected;
        while number < self.end() && (self.segment(number).received || self.segment(number).on_wire > 0) {
            number += 1;
        }
        self.lose_from(io, number);
        if self.expected == self.end() {
            self.finish(io);
        }
    }

    /// Everything from this number on is lost to the process.
    fn lose_from<E>(&mut self, io: &mut Io<'_, E>, number: u64) {
        let number = number.max(self.expected);
        for segment in self.segments.drain((number - self.base) as usize..) {
            io.wires.lose(segment.packet);
        }
    }

    /// Ends the connection: whatever was not delivered is lost. The next message, not before `until`, opens it again.
    pub(super) fn close<E>(&mut self, io: &mut Io<'_, E>, until: Time) {
        let end = self.end();
        self.lose_from(io, self.base);
        *self = Connection {
            state: State::Closed { until },
            sender: self.sender,
            receiver_gone: self.receiver_gone,
            era: self.era.wrapping_add(1),
            back_era: self.back_era.wrapping_add(1),
            refusals: self.refusals,
            segments: std::mem::take(&mut self.segments),
            base: end,
            next: end,
            admitted: end,
            expected: end,
            lost_from: end,
            judged: end,
            ..Connection::new(self.id, self.link, false, io.wires)
        };
        self.segments.clear();
    }

    /// The last that anyone hears of a connection whose sender is dead. If it has a successor it may serve as another.
    pub(super) fn finish<E>(&mut self, io: &mut Io<'_, E>) {
        self.close(io, Time::ZERO);
        self.sender = Sender::Alive;
        self.refusals = 0;
        if self.link(io.wires).connection != self.id {
            self.link = NONE;
            io.wires.free.push(self.id);
        }
    }

    /// Makes a connection that is over one of another link.
    pub(crate) fn reuse(&mut self, link: u32, open: bool, wires: &Wires) {
        self.link = link;
        self.receiver_gone = false;
        self.estimate = Estimate::new(wires.mean_rtt(link));
        if open {
            self.state = State::Open;
        }
    }

    /// A cut dropped every message on the wire.
    pub(crate) fn dropped_there<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>) {
        self.era = self.era.wrapping_add(1);
        self.last_arrival = io.now;
        self.segments.iter_mut().for_each(|segment| segment.on_wire = 0);
        self.waiting.clear();
        self.dropped(io);
    }

    /// A cut dropped every acknowledgement on the wire.
    pub(crate) fn dropped_back<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>) {
        self.back_era = self.back_era.wrapping_add(1);
        self.last_ack = io.now;
        self.acks.retain(|ack| ack.at <= io.now);
        self.dropped(io);
    }

    fn dropped<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>) {
        match (self.state, self.sender) {
            (State::Connecting { .. }, _) => self.unanswered(io),
            (State::Open, Sender::Gone) => self.strand(io),
            (State::Open, _) => self.trouble(io),
            (State::Closed { .. }, _) => {}
        }
    }
}
