//! Ordered links are TCP connections, each of one direction, in messages instead of bytes.
//!
//! A sender keeps what is not acknowledged, and has no more under way than its congestion window and the receiver's
//! window allow; a receiver delivers in order, keeps what is ahead of a gap and acknowledges everything it gets. What
//! was lost is sent again after duplicate acknowledgements, a probe for the tail, or the retransmission timer, which
//! doubles. A connection breaks when its receiver has died (reset), its sender's machine has, or nothing has been
//! acknowledged for the user time-out; the next message opens it again, a round trip later.
//!
//! The idea that makes this cheap: the simulator knows what was lost, the sender does not. On a healthy link a message
//! is one event, its arrival; acknowledgements wait in a list until the sender next looks. Only a sender that its
//! windows block, or one that has really lost something (a message or an acknowledgement), has events for
//! acknowledgements and timers, at the times at which the real ones would be.
//!
//! Numbers of messages go on over breaks, so that leftover events of an earlier life are recognised.
//!
//! A map: `sender` (buffers, windows, acknowledgements), `receiver`, `timer` (probe, time-out, giving up), `handshake`,
//! `endings` (deaths and breaks), `congestion`, `estimate`.
//!
//! What it leaves out: segments within a message (a message is sent whole, and one may always be under way), headers,
//! delayed acknowledgements, pacing, time-outs without any loss, and that a lost retransmission could be noticed before
//! the timer does.

mod congestion;
mod endings;
mod estimate;
mod handshake;
mod receiver;
mod sender;
mod timer;

use std::collections::VecDeque;

use replisim_engine::{Time, prefetch};

use crate::interface::Departure;
use crate::link::{Io, Link, Wires};
use crate::message::{Event, NetworkEvent, Packet, Traffic};
use congestion::Congestion;
use estimate::Estimate;

/// A connection from one site to another.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    id: u32,
    pub(crate) link: u32,
    state: State,
    sender: Sender,
    /// The receiving process this was a connection to is gone: whatever arrives is answered by a reset.
    receiver_gone: bool,
    /// How often what was on the wire was dropped: messages there, acknowledgements and answers back.
    era: u16,
    back_era: u16,
    /// How often in a row connecting was refused.
    refusals: u32,

    /// Messages from the oldest unacknowledged one on; `base` is its number.
    segments: VecDeque<Segment>,
    base: u64,
    /// The number of the next message sent for the first time.
    next: u64,
    /// The number of the first message that is still with the process, not in the kernel's buffer.
    admitted: u64,
    /// The number that the receiver waits for.
    expected: u64,
    /// Bytes in the kernel's buffer; of these, bytes sent; of these, bytes that the sender believes under way.
    buffered: u64,
    outstanding: u64,
    in_flight: u64,
    /// The most that was under way in this round trip, which ends when all below `round_until` is acknowledged.
    peak: u64,
    round_until: u64,
    /// How many messages wait for a retransmission, and below which number there are none.
    lost: u32,
    lost_from: u64,
    /// The three highest numbers that arrived ahead of a gap, in rising order, and how many there were.
    ahead: [u64; 3],
    ahead_count: u32,
    /// All gaps below this number are known.
    judged: u64,

    congestion: Congestion,
    estimate: Estimate,
    /// When the last message went out; when new data were last acknowledged, or first sent after all were.
    last_send: Time,
    progress: Time,
    /// From when the retransmission timer runs, and how often it has expired.
    timer_from: Time,
    expiries: u32,
    /// A probe is out until everything below this number is acknowledged.
    probed: Option<u64>,
    /// Something below this number was lost: timers matter.
    troubled_until: u64,
    /// The earliest timer event on the schedule that still counts.
    alarm: Option<Time>,

    /// When messages leave the sender's interface, as far as they had to wait, in order; and when that died.
    waiting: VecDeque<(Departure, u64)>,
    silent_from: Time,
    acks: VecDeque<Ack>,
    /// The acknowledgement event on the schedule.
    ack_event: Option<Time>,
    /// Nothing overtakes on the wire: the latest arrivals so far, there and back.
    last_arrival: Time,
    last_ack: Time,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Open,
    /// Shaking hands since `since`; the answer to try number `tries` is waited for until `retry`.
    Connecting {
        since: Time,
        tries: u32,
        retry: Time,
    },
    /// Opened again by the next message, not before `until`.
    Closed {
        until: Time,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sender {
    Alive,
    /// The process is dead; its kernel still sends what it has.
    KernelOnly,
    /// Nobody retransmits any more: what is on the wire may still arrive.
    Gone,
}

/// A message on its connection.
#[derive(Clone, Debug)]
struct Segment {
    packet: Packet,
    kind: Traffic,
    bytes: u64,
    first_sent: Time,
    sent: Time,
    /// How many copies are on the wire.
    on_wire: u16,
    /// It was sent more than once, or as a probe.
    again: bool,
    /// The sender believes it under way; lost, to be sent again; or knows that it arrived ahead of a gap.
    counted: bool,
    lost: bool,
    ahead: bool,
    /// The receiver has it.
    received: bool,
}

/// An acknowledgement on its way: everything below `upto` has arrived, and so has `number`.
#[derive(Clone, Copy, Debug)]
struct Ack {
    at: Time,
    departure: Departure,
    upto: u64,
    number: u64,
}

/// What the network schedules for a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TcpEvent {
    /// A message reaches the receiver: the last bits of its number.
    Arrive { number: u32 },
    /// An acknowledgement that matters reaches the sender.
    Ack,
    /// A timer of the sender expires.
    Timer,
    /// A request to connect reaches the receiver.
    Syn,
    /// The answer to it reaches the sender.
    Answer { accepted: bool },
    /// A reset reaches the sender.
    Reset,
}

impl Connection {
    /// A connection that is open already, or closed until the first message.
    pub(crate) fn new(id: u32, link: u32, open: bool, wires: &Wires) -> Connection {
        Connection {
            id,
            link,
            state: if open { State::Open } else { State::Closed { until: Time::ZERO } },
            sender: Sender::Alive,
            receiver_gone: false,
            era: 0,
            back_era: 0,
            refusals: 0,
            segments: VecDeque::new(),
            base: 0,
            next: 0,
            admitted: 0,
            expected: 0,
            buffered: 0,
            outstanding: 0,
            in_flight: 0,
            peak: 0,
            round_until: 0,
            lost: 0,
            lost_from: 0,
            ahead: [0; 3],
            ahead_count: 0,
            judged: 0,
            congestion: Congestion::new(),
            estimate: Estimate::new(wires.mean_rtt(link)),
            last_send: Time::ZERO,
            progress: Time::ZERO,
            timer_from: Time::ZERO,
            expiries: 0,
            probed: None,
            troubled_until: 0,
            alarm: None,
            waiting: VecDeque::new(),
            silent_from: Time::MAX,
            acks: VecDeque::new(),
            ack_event: None,
            last_arrival: Time::ZERO,
            last_ack: Time::ZERO,
        }
    }

    /// Fetches what the arrival of a message will touch beyond the connection itself.
    #[inline]
    pub(crate) fn foresee(&self) {
        self.segments.front().into_iter().for_each(prefetch);
        self.acks.back().into_iter().for_each(prefetch);
    }

    /// Whether new messages may be given to it.
    pub(crate) fn takes_messages(&self) -> bool {
        self.sender == Sender::Alive
    }

    /// Acts on an event that was scheduled when this many droppings (`era`) had happened.
    #[inline]
    pub(crate) fn handle<E: Copy + From<NetworkEvent>>(
        &mut self,
        io: &mut Io<'_, E>,
        event: TcpEvent,
        era: u16,
        departure: Departure,
    ) {
        match event {
            TcpEvent::Arrive { number } if era == self.era => {
                let after_base = number.wrapping_sub(self.base as u32);
                self.arrive(io, self.base + u64::from(after_base), departure)
            }
            TcpEvent::Syn if era == self.era => match io.wires.let_out(self.link, departure) {
                true => self.syn_arrives(io),
                false => self.unanswered(io),
            },
            TcpEvent::Answer { accepted } if era == self.back_era => {
                match io.wires.let_out(self.link(io.wires).back, departure) {
                    true => self.answered(io, accepted),
                    false => self.unanswered(io),
                }
            }
            TcpEvent::Reset if era == self.back_era => {
                match io.wires.let_out(self.link(io.wires).back, departure) {
                    true => self.reset(io),
                    false => self.vanished(io),
                }
            }
            TcpEvent::Ack => self.ack_arrives(io),
            TcpEvent::Timer => self.expire(io),
            _ => {} // dropped, or of an earlier life
        }
    }

    fn link<'a>(&self, wires: &'a Wires) -> &'a Link {
        &wires.links[self.link as usize]
    }

    /// The number after that of the last message.
    #[inline]
    fn end(&self) -> u64 {
        self.base + self.segments.len() as u64
    }

    #[inline]
    fn segment(&mut self, number: u64) -> &mut Segment {
        &mut self.segments[(number - self.base) as usize]
    }

    /// The event of something that stays with the sender.
    fn event(&self, event: TcpEvent) -> Event {
        self.there_event(event, Departure::AT_ONCE)
    }

    /// The event of something that travels from the sender to the receiver.
    fn there_event(&self, event: TcpEvent, departure: Departure) -> Event {
        Event::Tcp { connection: self.id, era: self.era, departure, event }
    }

    /// The event of something that travels back.
    fn back_event(&self, event: TcpEvent, departure: Departure) -> Event {
        Event::Tcp { connection: self.id, era: self.back_era, departure, event }
    }
}
