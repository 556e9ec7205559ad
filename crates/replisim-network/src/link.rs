//! One direction between two sites, and all of them together: when what is put on the wire arrives, if it does.
//!
//! Messages on the wire never queue behind each other; only the sender's interface is a queue, and only where the link
//! has a bandwidth. Order, retransmission and windows are the business of [`tcp`](crate::tcp).

use std::collections::VecDeque;

use replisim_engine::random::open_unit;
use replisim_engine::{Duration, Label, LinkStream, Queue, Time};

use crate::impairment::{Effect, either, narrowest};
use crate::interface::{Departure, Interface, Journey};
use crate::message::{Arrival, Event, NetworkEvent, Packet, Site, Traffic};
use crate::profile::{Profile, Profiles};

/// The number of no link and of no connection.
pub(crate) const NONE: u32 = u32::MAX;

/// The state of a link.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) from: Site,
    pub(crate) to: Site,
    /// The link of the other direction.
    pub(crate) back: u32,
    pub(crate) profile: u32,
    pub(crate) road: Road,
    pub(crate) effect: Option<Box<Effect>>,
    pub(crate) stream: LinkStream,
    /// Draws taken, by purpose: the whole state of the link's randomness.
    pub(crate) draws: [u32; Purpose::COUNT],
    pub(crate) interface: Interface,
    /// Ordered links: the connection that takes new messages.
    pub(crate) connection: u32,
    /// How long delivered messages have waited for retransmissions, all together.
    pub(crate) waited: Duration,
}

/// Which way messages go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Road {
    Direct,
    /// Nowhere.
    Severed,
    /// Over these links, one after the other.
    Over(Box<[u32]>),
}

/// What is put on the wire: each purpose has draws of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Message(Traffic),
    Retransmission(Traffic),
    /// The second of two copies that the network makes of a message.
    Copy(Traffic),
    /// An acknowledgement of TCP's.
    Ack,
    /// The start of a connection.
    Handshake,
}

/// Whether a site runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Host {
    Up,
    ProcessDown,
    MachineDown,
}

/// Everything that messages travel on, and what came of them.
#[derive(Clone, Debug)]
pub(crate) struct Wires {
    pub(crate) links: Vec<Link>,
    pub(crate) profiles: Profiles,
    pub(crate) hosts: Vec<Host>,
    pub(crate) arrivals: VecDeque<Arrival>,
    /// Connections that are over and may be used again.
    pub(crate) free: Vec<u32>,
}

/// What an event can lay its hands on.
pub(crate) struct Io<'a, E> {
    pub(crate) now: Time,
    pub(crate) wires: &'a mut Wires,
    pub(crate) queue: &'a mut Queue<E>,
}

impl Purpose {
    /// How many there are that draw apart.
    pub(crate) const COUNT: usize = Traffic::COUNT + 3;

    #[inline]
    fn slot(self) -> usize {
        match self {
            Purpose::Message(kind) => kind as usize,
            // No link both retransmits and copies.
            Purpose::Retransmission(_) | Purpose::Copy(_) => Traffic::COUNT,
            Purpose::Ack => Traffic::COUNT + 1,
            Purpose::Handshake => Traffic::COUNT + 2,
        }
    }

    #[inline]
    fn label(self) -> Label {
        match self {
            Purpose::Message(kind) => kind.label(),
            Purpose::Retransmission(_) => const { Label::of("retransmission") },
            Purpose::Copy(_) => const { Label::of("copy") },
            Purpose::Ack => const { Label::of("tcp-ack") },
            Purpose::Handshake => const { Label::of("tcp-handshake") },
        }
    }

    #[inline]
    fn kind(self) -> Option<Traffic> {
        match self {
            Purpose::Message(kind) | Purpose::Retransmission(kind) | Purpose::Copy(kind) => Some(kind),
            Purpose::Ack | Purpose::Handshake => None,
        }
    }
}

impl Wires {
    #[inline]
    pub(crate) fn profile(&self, link: u32) -> &Profile {
        self.profiles.get(self.links[link as usize].profile)
    }

    pub(crate) fn mean_rtt(&self, link: u32) -> Duration {
        let back = self.links[link as usize].back;
        self.profile(link).delay(None).mean() + self.profile(back).delay(None).mean()
    }

    /// Whether what was to leave the interface of a link then found a way.
    #[inline]
    pub(crate) fn let_out(&self, link: u32, departure: Departure) -> bool {
        self.links[link as usize].interface.let_out(departure)
    }

    pub(crate) fn host(&self, site: Site) -> Host {
        self.hosts[site.index()]
    }

    #[inline]
    pub(crate) fn deliver(&mut self, packet: Packet) {
        self.arrivals.push_back(Arrival::Delivered(packet));
    }

    pub(crate) fn lose(&mut self, packet: Packet) {
        self.arrivals.push_back(Arrival::Lost(packet));
    }

    /// Hands something to the interface of a link; when it leaves and arrives, or `None` if it does not for certain.
    ///
    /// Draws are counted whether or not they are needed, so that a cut leaves the luck of what comes after it alone.
    #[inline]
    pub(crate) fn carry(&mut self, now: Time, index: u32, purpose: Purpose, bytes: u64) -> Option<Journey> {
        let link = &mut self.links[index as usize];
        let draws = &mut link.draws[purpose.slot()];
        let count = u64::from(*draws);
        *draws += 1;
        let profile = self.profiles.get(link.profile);
        let nothing_in_the_way = matches!(link.road, Road::Direct)
            && link.effect.is_none()
            && profile.is_boundless()
            && link.interface.is_free(now);
        if !nothing_in_the_way {
            return self.carry_with_care(now, index, (purpose, count), bytes);
        }
        let delay = profile.delay(purpose.kind()).sample(&mut link.stream.draw(purpose.label(), count));
        Some(Journey::at_once(now + delay))
    }

    /// The same where there is loss, a bandwidth, an impairment or another way.
    #[inline(never)]
    fn carry_with_care(
        &mut self,
        now: Time,
        index: u32,
        (purpose, count): (Purpose, u64),
        bytes: u64,
    ) -> Option<Journey> {
        let link = &mut self.links[index as usize];
        let profile = self.profiles.get(link.profile);
        let effect_bandwidth = link.effect.as_ref().and_then(|effect| effect.bandwidth);
        let leaves = link.interface.put(now, narrowest(profile.bandwidth, effect_bandwidth), bytes);
        let link = &self.links[index as usize];
        let direct = [index];
        let legs: &[u32] = match &link.road {
            Road::Direct => &direct,
            Road::Severed if leaves == now => return None,
            Road::Severed => &direct, // there may be a way when it leaves
            Road::Over(legs) => legs,
        };
        let loss = legs.iter().fold(0.0, |loss, leg| either(loss, self.loss(*leg)));
        if loss > 0.0 && self.happens(index, purpose, count, const { Label::of("loss") }, loss) {
            return None;
        }
        let mut draw = link.stream.draw(purpose.label(), count);
        let mut arrival = leaves;
        for leg in legs {
            let leg = &self.links[*leg as usize];
            let delay = self.profiles.get(leg.profile).delay(purpose.kind()).sample(&mut draw);
            arrival += leg.effect.as_ref().map_or(delay, |effect| effect.delay(delay));
        }
        Some(Journey::new(now, leaves, arrival))
    }

    /// Whether the network makes two of the message that was the last of its kind on this link.
    pub(crate) fn doubles(&self, index: u32, kind: Traffic) -> bool {
        let link = &self.links[index as usize];
        let effect = link.effect.as_ref().map_or(0.0, |effect| effect.duplicate);
        let share = either(self.profiles.get(link.profile).duplicate, effect);
        let purpose = Purpose::Message(kind);
        let count = u64::from(link.draws[purpose.slot()]) - 1;
        share > 0.0 && self.happens(index, purpose, count, const { Label::of("duplicate") }, share)
    }

    #[inline]
    fn loss(&self, index: u32) -> f64 {
        let link = &self.links[index as usize];
        let effect = link.effect.as_ref().map_or(0.0, |effect| effect.loss);
        either(self.profiles.get(link.profile).loss, effect)
    }

    fn happens(&self, index: u32, purpose: Purpose, count: u64, what: Label, share: f64) -> bool {
        let stream = &self.links[index as usize].stream;
        open_unit(&mut stream.draw(purpose.label().within(what), count)) < share
    }
}

impl<E: Copy + From<NetworkEvent>> Io<'_, E> {
    #[inline]
    pub(crate) fn schedule(&mut self, at: Time, event: Event) {
        debug_assert!(at >= self.now, "nothing is scheduled for the past");
        self.queue.schedule(at, NetworkEvent(event).into());
    }

    /// Sends a message on an unordered link.
    pub(crate) fn send_loose(&mut self, link: u32, kind: Traffic, packet: Packet, bytes: u64) {
        let first = self.wires.carry(self.now, link, Purpose::Message(kind), bytes);
        let second = match self.wires.doubles(link, kind) {
            true => self.wires.carry(self.now, link, Purpose::Copy(kind), bytes),
            false => None,
        };
        let era = self.wires.links[link as usize].interface.era();
        let mut arrive = |Journey { departure, arrival }, last| {
            self.schedule(arrival, Event::Loose { link, packet, era, departure, last })
        };
        match (first, second) {
            (None, None) => self.wires.lose(packet),
            (Some(one), None) | (None, Some(one)) => arrive(one, true),
            (Some(one), Some(other)) => {
                let in_order = one.arrival <= other.arrival;
                let (earlier, later) = if in_order { (one, other) } else { (other, one) };
                arrive(earlier, false);
                arrive(later, true);
            }
        }
    }

    /// A message reaches the end of an unordered link, `last` if no copy of it is still under way.
    #[inline]
    pub(crate) fn arrive_loose(
        &mut self,
        (link, era): (u32, u32),
        packet: Packet,
        departure: Departure,
        last: bool,
    ) {
        let Link { interface, to, .. } = &self.wires.links[link as usize];
        let on_wire = interface.kept(era, departure) && interface.let_out(departure);
        let arrives = on_wire && self.wires.host(*to) == Host::Up;
        match (arrives, last) {
            (true, true) => self.wires.deliver(packet),
            (true, false) => self.wires.arrivals.push_back(Arrival::Copy(packet)),
            (false, true) => self.wires.lose(packet),
            (false, false) => {}
        }
    }
}
