//! The receiver: delivers in order, keeps what is ahead of a gap, throws duplicates away, acknowledges each arrival.

use super::{Ack, Connection, Sender, TcpEvent};
use crate::interface::{Departure, Journey};
use crate::link::{Host, Io, Purpose};
use crate::message::NetworkEvent;

impl Connection {
    /// A message reaches the receiving machine.
    #[inline]
    pub(super) fn arrive<E: Copy + From<NetworkEvent>>(
        &mut self,
        io: &mut Io<'_, E>,
        number: u64,
        departure: Departure,
    ) {
        if !(self.base..self.end()).contains(&number) || !departure.is_by(self.silent_from) {
            return; // acknowledged long since, a copy that was not needed; or lost already, with the sender
        }
        self.segment(number).on_wire -= 1;
        let link = self.link(io.wires);
        if !link.interface.let_out(departure) || io.wires.host(link.to) == Host::MachineDown {
            self.vanished(io);
        } else if self.receiver_gone {
            self.refuse(io);
        } else {
            self.receive(io, number);
        }
    }

    /// Nobody knows of this connection: a reset goes back.
    #[cold]
    fn refuse<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>) {
        let back = self.link(io.wires).back;
        match io.wires.carry(io.now, back, Purpose::Ack, 0) {
            Some(Journey { departure, arrival }) if self.sender != Sender::Gone => {
                self.last_ack = arrival.max(self.last_ack);
                io.schedule(self.last_ack, self.back_event(TcpEvent::Reset, departure));
            }
            _ => self.vanished(io),
        }
    }

    #[inline]
    fn receive<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>, number: u64) {
        self.segment(number).received = true;
        while self.expected < self.end() && self.segment(self.expected).received {
            let segment = self.segment(self.expected);
            let (packet, waited) = (segment.packet, segment.sent.since(segment.first_sent));
            let link = &mut io.wires.links[self.link as usize];
            link.waited = link.waited + waited;
            io.wires.deliver(packet);
            self.expected += 1;
        }
        if self.sender != Sender::Alive && self.expected == self.end() {
            self.finish(io);
        } else if self.sender != Sender::Gone {
            self.acknowledge(io, number);
        }
    }

    fn acknowledge<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>, number: u64) {
        let back = self.link(io.wires).back;
        match io.wires.carry(io.now, back, Purpose::Ack, 0) {
            Some(Journey { departure, arrival }) => {
                self.last_ack = arrival.max(self.last_ack);
                self.acks.push_back(Ack { at: self.last_ack, departure, upto: self.expected, number });
                self.await_acks(io);
            }
            None => self.trouble(io),
        }
    }

    /// A message was on the wire and is no more.
    #[cold]
    pub(super) fn vanished<E: Copy + From<NetworkEvent>>(&mut self, io: &mut Io<'_, E>) {
        match self.sender {
            Sender::Gone => self.strand(io),
            _ => self.trouble(io),
        }
    }
}
