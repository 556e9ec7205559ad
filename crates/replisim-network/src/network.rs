//! The running network: takes packets in, schedules its own events, hands packets out.
//!
//! A packet is a token of the caller's; the network never looks inside. Links come into being when first used, so a
//! thousand nodes that talk to one primary cost a thousand links, not a million.

use replisim_engine::{Duration, Label, Queue, Streams, Time, prefetch};

use crate::impairment::{Effect, Impairment, ImpairmentId};
use crate::interface::Interface;
use crate::link::{Host, Io, Link, NONE, Purpose, Road, Wires};
use crate::map::Map;
use crate::message::{Arrival, Event, Loss, NetworkEvent, Packet, Site, SiteSpec, Traffic};
use crate::partition::{InFlight, Partition, PartitionId};
use crate::profile::Profiles;
use crate::routing::{Routing, Survivors};
use crate::settings::NetworkSettings;
use crate::tcp::{Connection, TcpEvent};

/// All links between the sites of a run.
#[derive(Clone, Debug)]
pub struct Network {
    wires: Wires,
    connections: Vec<Connection>,
    /// `link_of[from][to]`: the link, if it has been used. Rows are as long as they have to be.
    link_of: Vec<Vec<u32>>,
    /// How often each site went down.
    downs: Vec<u32>,
    /// Of how many losses each site has not come back: of its process, of its machine.
    lacks: Vec<[u32; 2]>,
    streams: Streams,
    partitions: Vec<(PartitionId, Partition)>,
    impairments: Vec<(ImpairmentId, Impairment)>,
    /// How many partitions and impairments there have been.
    named: u64,
    routing: Routing,
    relays: usize,
    survivors: Option<Survivors>,
}

impl Network {
    /// The network between `sites` on `map`. Settings of single pairs name sites. Fails with a sentence where two
    /// sites have no delay, or a law is wrong.
    pub fn new(
        map: &Map,
        sites: Vec<SiteSpec>,
        settings: &NetworkSettings,
        streams: Streams,
    ) -> Result<Network, String> {
        let count = sites.len();
        Ok(Network {
            wires: Wires {
                links: Vec::new(),
                profiles: Profiles::new(map, sites, settings)?,
                hosts: vec![Host::Up; count],
                arrivals: Default::default(),
                free: Vec::new(),
            },
            connections: Vec::new(),
            link_of: vec![Vec::new(); count],
            downs: vec![0; count],
            lacks: vec![[0; 2]; count],
            streams,
            partitions: Vec::new(),
            impairments: Vec::new(),
            named: 0,
            routing: settings.routing,
            relays: count,
            survivors: None,
        })
    }

    /// Only the first `count` sites, the nodes, relay messages of others where routing finds ways around a partition.
    pub fn with_relays(mut self, count: usize) -> Network {
        self.relays = count;
        self
    }

    /// Sends a packet of so many bytes. Like every change it may hand packets out: see [`Network::take_arrival`].
    #[inline]
    pub fn send<E: Copy + From<NetworkEvent>>(
        &mut self,
        now: Time,
        (from, to): (Site, Site),
        traffic: Traffic,
        packet: Packet,
        bytes: u64,
        queue: &mut Queue<E>,
    ) {
        if self.wires.host(from) != Host::Up {
            return self.wires.lose(packet);
        }
        let link = self.link(from, to);
        if !self.wires.profile(link).ordered {
            return Io { now, wires: &mut self.wires, queue }.send_loose(link, traffic, packet, bytes);
        }
        let connection = self.connection(link);
        let io = &mut Io { now, wires: &mut self.wires, queue };
        self.connections[connection as usize].send(io, packet, traffic, bytes);
    }

    /// Acts on an event of the network's own.
    #[inline]
    pub fn handle<E: Copy + From<NetworkEvent>>(
        &mut self,
        now: Time,
        NetworkEvent(event): NetworkEvent,
        queue: &mut Queue<E>,
    ) {
        let io = &mut Io { now, wires: &mut self.wires, queue };
        match event {
            Event::Loose { link, packet, era, departure, last } => {
                io.arrive_loose((link, era), packet, departure, last)
            }
            Event::Tcp { connection, era, departure, event } => {
                self.connections[connection as usize].handle(io, event, era, departure)
            }
        }
    }

    /// Fetches what the event after the next will touch: the connection.
    #[inline]
    pub fn foresee_later(&self, NetworkEvent(event): NetworkEvent) {
        if let Event::Tcp { connection, .. } = event {
            prefetch(&self.connections[connection as usize]);
        }
    }

    /// Fetches what the next event will touch: the links of its connection. Returns the far end of its link, where most things
    /// happen.
    #[inline]
    pub fn foresee(&self, NetworkEvent(event): NetworkEvent) -> Option<Site> {
        let link = match event {
            Event::Loose { link, .. } => self.wires.links.get(link as usize)?,
            Event::Tcp { connection, .. } => {
                let connection = &self.connections[connection as usize];
                connection.foresee();
                let link = self.wires.links.get(connection.link as usize)?;
                prefetch(link);
                prefetch(&self.wires.links[link.back as usize]);
                link
            }
        };
        Some(link.to)
    }

    /// For traces: what an event is called that is no arrival, and on the way from whom to whom.
    pub fn about(&self, NetworkEvent(event): NetworkEvent) -> Option<(Label, Site, Site)> {
        let Event::Tcp { connection, event, .. } = event else { return None };
        let label = match event {
            TcpEvent::Arrive { .. } => return None,
            TcpEvent::Ack => const { Label::of("tcp-ack") },
            TcpEvent::Timer => const { Label::of("tcp-timer") },
            TcpEvent::Syn => const { Label::of("tcp-syn") },
            TcpEvent::Answer { .. } => const { Label::of("tcp-answer") },
            TcpEvent::Reset => const { Label::of("tcp-reset") },
        };
        let link = self.wires.links.get(self.connections[connection as usize].link as usize)?;
        Some((label, link.from, link.to))
    }

    /// What came of packets since the last time, one after the other: to be asked after every `send`, `handle`, `cut`,
    /// `heal`, `site_down` and `site_up` until there is no more.
    #[inline]
    pub fn take_arrival(&mut self) -> Option<Arrival> {
        self.wires.arrivals.pop_front()
    }

    /// Begins a partition.
    pub fn cut<E: Copy + From<NetworkEvent>>(
        &mut self,
        now: Time,
        partition: Partition,
        queue: &mut Queue<E>,
    ) -> PartitionId {
        if partition.in_flight == InFlight::Drop {
            self.drop_under_way(now, queue, |from, to| partition.severs(from, to));
        }
        let id = PartitionId(self.next_name());
        self.partitions.push((id, partition));
        self.reroute(now);
        id
    }

    /// Ends a partition. Nothing moves on ordered links until a timer of theirs next expires.
    pub fn heal<E>(&mut self, now: Time, id: PartitionId, _: &mut Queue<E>) {
        self.partitions.retain(|(other, _)| *other != id);
        self.reroute(now);
    }

    /// Makes some links worse, for messages sent from now on.
    pub fn impair(&mut self, impairment: Impairment) -> ImpairmentId {
        let id = ImpairmentId(self.next_name());
        self.impairments.push((id, impairment));
        self.weigh();
        id
    }

    /// Ends an impairment.
    pub fn relieve(&mut self, id: ImpairmentId) {
        self.impairments.retain(|(other, _)| *other != id);
        self.weigh();
    }

    /// A site goes down: its process or all of its machine; `in_flight` says what becomes of what is on the wire from
    /// it and to it.
    pub fn site_down<E: Copy + From<NetworkEvent>>(
        &mut self,
        now: Time,
        site: Site,
        loss: Loss,
        in_flight: InFlight,
        queue: &mut Queue<E>,
    ) {
        if in_flight == InFlight::Drop {
            self.drop_under_way(now, queue, |from, to| from == site || to == site);
        }
        self.downs[site.index()] += 1;
        self.lacks[site.index()][loss as usize] += 1;
        self.look_after(now, site);
        let io = &mut Io { now, wires: &mut self.wires, queue };
        for connection in self.connections.iter_mut().filter(|connection| connection.link != NONE) {
            let link = &io.wires.links[connection.link as usize];
            let (sends, receives) = (link.from == site, link.to == site);
            if receives {
                connection.receiver_down(io, loss);
            }
            if sends {
                connection.sender_down(io, loss);
            }
        }
        if loss == Loss::Machine {
            let links = self.wires.links.iter_mut().filter(|link| link.from == site);
            links.for_each(|link| link.interface.die(now));
        }
    }

    /// One such loss of a site is over: each `site_down` is matched by one `site_up`. When all are, the site is up again,
    /// and knows nothing of the connections that it had.
    pub fn site_up<E>(&mut self, now: Time, site: Site, loss: Loss, _: &mut Queue<E>) {
        let lacks = &mut self.lacks[site.index()][loss as usize];
        debug_assert!(*lacks > 0, "what comes up has been down");
        *lacks = lacks.saturating_sub(1);
        self.look_after(now, site);
    }

    /// A site is as dead as the worst that it suffers. A machine that is down relays nothing.
    fn look_after(&mut self, now: Time, site: Site) {
        let host = match self.lacks[site.index()] {
            [0, 0] => Host::Up,
            [_, 0] => Host::ProcessDown,
            _ => Host::MachineDown,
        };
        let before = std::mem::replace(&mut self.wires.hosts[site.index()], host);
        if (before == Host::MachineDown) != (host == Host::MachineDown) {
            self.reroute(now);
        }
    }

    /// Whether the direct way of messages from `from` to `to` is cut off now.
    #[inline]
    pub fn is_cut(&self, from: Site, to: Site) -> bool {
        self.partitions.iter().any(|(_, partition)| partition.severs(from, to))
    }

    /// Whether messages from `from` have a way to `to` now, direct or around what is cut off.
    pub fn reaches(&mut self, from: Site, to: Site) -> bool {
        let link = self.link(from, to);
        self.wires.links[link as usize].road != Road::Severed
    }

    /// The mean round-trip time between two sites: there by the one link, back by the other.
    pub fn mean_rtt(&self, a: Site, b: Site) -> Duration {
        self.mean_one_way(a, b) + self.mean_one_way(b, a)
    }

    /// The mean one-way delay from `a` to `b`.
    pub fn mean_one_way(&self, a: Site, b: Site) -> Duration {
        self.wires.profiles.mean(a, b)
    }

    /// How long all messages delivered from `from` to `to` have waited for retransmissions: from when each was first
    /// sent until the sending that got through.
    pub fn waited_for_retransmission(&self, from: Site, to: Site) -> Duration {
        self.find(from, to).map_or(Duration::ZERO, |link| self.wires.links[link as usize].waited)
    }

    /// The sites, in the order in which they were given.
    pub fn sites(&self) -> &[SiteSpec] {
        self.wires.profiles.sites()
    }

    fn next_name(&mut self) -> u64 {
        self.named += 1;
        self.named
    }

    #[inline]
    fn find(&self, from: Site, to: Site) -> Option<u32> {
        self.link_of[from.index()].get(to.index()).copied().filter(|link| *link != NONE)
    }

    #[inline]
    fn link(&mut self, from: Site, to: Site) -> u32 {
        self.find(from, to).unwrap_or_else(|| self.open(from, to))
    }

    /// Makes the links between two sites, of both directions.
    fn open(&mut self, from: Site, to: Site) -> u32 {
        let there = self.add_link(from, to);
        let back = if from == to { there } else { self.add_link(to, from) };
        self.wires.links[there as usize].back = back;
        self.wires.links[back as usize].back = there;
        for link in [there, back] {
            self.find_road(link, Time::ZERO);
        }
        there
    }

    fn add_link(&mut self, from: Site, to: Site) -> u32 {
        let name = |site: Site| Label::of(&self.sites()[site.index()].name);
        let label = name(to).within(name(from)).within(Label::of("link"));
        let index = self.wires.links.len() as u32;
        let profile = self.wires.profiles.of(from, to);
        self.wires.links.push(Link {
            from,
            to,
            back: NONE,
            profile,
            road: Road::Direct,
            effect: effect(&self.impairments, from, to),
            stream: self.streams.link(label),
            draws: [0; Purpose::COUNT],
            interface: Interface::new(),
            connection: NONE,
            waited: Duration::ZERO,
        });
        let row = &mut self.link_of[from.index()];
        if row.len() <= to.index() {
            row.resize(to.index() + 1, NONE);
        }
        row[to.index()] = index;
        index
    }

    /// The connection that takes messages of a link.
    #[inline]
    fn connection(&mut self, link: u32) -> u32 {
        let current = self.wires.links[link as usize].connection;
        if current != NONE && self.connections[current as usize].takes_messages() {
            return current;
        }
        let Link { from, to, .. } = self.wires.links[link as usize];
        // Everybody was connected when the run began, and no longer is with whoever has been down since.
        let open = current == NONE && self.downs[from.index()] == 0 && self.downs[to.index()] == 0;
        let connection = match self.wires.free.pop() {
            Some(free) => {
                self.connections[free as usize].reuse(link, open, &self.wires);
                free
            }
            None => {
                let new = self.connections.len() as u32;
                self.connections.push(Connection::new(new, link, open, &self.wires));
                new
            }
        };
        self.wires.links[link as usize].connection = connection;
        connection
    }

    fn drop_under_way<E: Copy + From<NetworkEvent>>(
        &mut self,
        now: Time,
        queue: &mut Queue<E>,
        drops: impl Fn(Site, Site) -> bool,
    ) {
        for link in self.wires.links.iter_mut().filter(|link| drops(link.from, link.to)) {
            link.interface.drop_all(now);
        }
        let io = &mut Io { now, wires: &mut self.wires, queue };
        for connection in self.connections.iter_mut().filter(|connection| connection.link != NONE) {
            let Link { from, to, .. } = io.wires.links[connection.link as usize];
            if drops(from, to) {
                connection.dropped_there(io);
            }
            if connection.link != NONE && drops(to, from) {
                connection.dropped_back(io);
            }
        }
    }

    /// Finds the ways of all links anew.
    fn reroute(&mut self, now: Time) {
        self.survivors = None;
        for link in 0..self.wires.links.len() as u32 {
            self.find_road(link, now);
        }
    }

    fn find_road(&mut self, link: u32, now: Time) {
        let Link { from, to, .. } = self.wires.links[link as usize];
        let road = match (self.is_cut(from, to), self.routing) {
            (false, _) => Road::Direct,
            (true, Routing::Direct) => Road::Severed,
            (true, Routing::ShortestSurvivingPath) => match self.way_around(from, to) {
                Some(way) => Road::Over(way.windows(2).map(|leg| self.link(leg[0], leg[1])).collect()),
                None => Road::Severed,
            },
        };
        let link = &mut self.wires.links[link as usize];
        match (link.road == Road::Severed, road == Road::Severed) {
            (false, true) => link.interface.sever(now),
            (true, false) => link.interface.mend(now),
            _ => {}
        }
        link.road = road;
    }

    fn way_around(&mut self, from: Site, to: Site) -> Option<Vec<Site>> {
        let survivors = self.survivors.take();
        let length = |a: Site, b: Site| (!self.is_cut(a, b)).then(|| self.mean_one_way(a, b));
        let mut survivors = survivors.unwrap_or_else(|| {
            let relays = (0..self.relays as u32).map(Site);
            let alive = relays.filter(|relay| self.wires.host(*relay) != Host::MachineDown).collect();
            Survivors::new(alive, self.sites().len(), length)
        });
        let way = survivors.way(from, to, length);
        self.survivors = Some(survivors);
        way
    }

    /// Finds anew what impairments do to each link.
    fn weigh(&mut self) {
        for link in &mut self.wires.links {
            link.effect = effect(&self.impairments, link.from, link.to);
        }
    }
}

fn effect(impairments: &[(ImpairmentId, Impairment)], from: Site, to: Site) -> Option<Box<Effect>> {
    let concerned =
        impairments.iter().map(|(_, impairment)| impairment).filter(|other| other.concerns(from, to));
    Effect::of(concerned).map(Box::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_that_are_over_are_used_again() {
        let (a, b) = (Site(0), Site(1));
        for (loss, in_flight) in [
            (Loss::Process, InFlight::Deliver),
            (Loss::Machine, InFlight::Deliver),
            (Loss::Machine, InFlight::Drop),
        ] {
            let mut map = Map::new();
            let place = map.add("here");
            let sites = ["a", "b"].map(|name| SiteSpec { name: name.into(), place });
            let settings = NetworkSettings::default();
            let mut network = Network::new(&map, sites.to_vec(), &settings, Streams::new(1)).unwrap();
            let mut queue: Queue<NetworkEvent> = Queue::new();
            let mut count = 0;
            for round in 0..100 {
                let start = Time::ZERO + Duration::from_secs(round);
                for packet in 0..20 {
                    network.send(start, (a, b), Traffic::Request, Packet(packet), 1_448, &mut queue);
                }
                network.site_down(start, a, loss, in_flight, &mut queue);
                network.site_up(start, a, loss, &mut queue);
                network.send(start, (a, b), Traffic::Request, Packet(20), 100, &mut queue);
                while let Some((now, event)) = queue.pop_until(start + Duration::from_millis(900)) {
                    network.handle(now, event, &mut queue);
                }
                count += std::iter::from_fn(|| network.take_arrival()).count();
            }
            let most = if in_flight == InFlight::Drop { 1 } else { 2 };
            assert_eq!((count, network.connections.len()), (2_100, most), "{loss:?}, {in_flight:?}");
        }
    }
}
