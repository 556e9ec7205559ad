//! The running network: takes packets in, schedules its own events, hands packets out.
//!
//! A packet is a token of the caller's; the network never looks inside. Links come into being when first used, so a
//! thousand nodes that talk to one primary cost a thousand links, not a million.

use replisim_engine::{Duration, Label, Law, Queue, Streams, Time};

use crate::impairment::{Impairment, ImpairmentId};
use crate::link::{Delay, Held, Link, Profile};
use crate::map::{Map, Place};
use crate::partition::{InFlight, Partition, PartitionId};
use crate::settings::{LinkClass, LinkSettings, NetworkSettings, RETRANSMISSION_TIMEOUT};

/// An end of links: a node, or the place of some clients.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Site(pub u32);

/// A message under way, as the caller numbers it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Packet(pub u32);

/// What a site is called and where it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SiteSpec {
    /// The name of the node or client; part of the names of its links' random streams.
    pub name: String,
    /// Where it is.
    pub place: Place,
}

/// What the network tells apart about messages: each kind has draws of its own on each link.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Traffic {
    /// A client's request.
    Request,
    /// The answer to a request.
    Reply,
    /// Data between replicas.
    Replicate,
    /// An acknowledgement between replicas.
    Acknowledge,
    /// Everything else between replicas: heartbeats, votes, requests for missing data.
    Control,
}

/// Something the network scheduled for itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NetworkEvent {
    /// A packet reaches the far end of its link.
    Arrive(Transit),
    /// A link's retransmission timer expires.
    Retransmit {
        /// Which link.
        link: u32,
    },
}

/// A packet on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transit {
    link: u32,
    /// Its number on the link.
    number: u64,
    packet: Packet,
    traffic: Traffic,
}

/// What came of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrival {
    /// It is at its destination now.
    Delivered(Packet),
    /// A copy of it is; the packet itself comes by itself.
    Copy(Packet),
    /// It is gone for good.
    Lost(Packet),
}

/// How a site goes down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loss {
    /// Its process is killed; the kernel lives.
    Process,
    /// The machine vanishes.
    Machine,
}

/// All links between the sites of a run.
#[derive(Clone, Debug)]
pub struct Network {
    sites: Vec<SiteSpec>,
    zone_of: Vec<u32>,
    zones: usize,
    /// By (zone, zone), then for each node to itself, then the pairs with settings of their own.
    profiles: Vec<Profile>,
    same_node: u32,
    of_pair: Vec<((Site, Site), u32)>,
    streams: Streams,
    /// `link_of[from × sites + to]`: index of the link plus one, 0 if it has not been used yet.
    link_of: Vec<u32>,
    links: Vec<Link>,
    ends: Vec<(Site, Site)>,
    partitions: Vec<(PartitionId, Partition)>,
    next_partition: u64,
    holding: Vec<u32>,
    arrivals: std::collections::VecDeque<Arrival>,
    down: Vec<Site>,
}

impl Site {
    /// The site as an index.
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Traffic {
    /// How many kinds there are.
    pub const COUNT: usize = 5;

    const fn label(self) -> Label {
        match self {
            Traffic::Request => Label::of("request"),
            Traffic::Reply => Label::of("reply"),
            Traffic::Replicate => Label::of("replicate"),
            Traffic::Acknowledge => Label::of("acknowledge"),
            Traffic::Control => Label::of("control"),
        }
    }
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
        let mut places: Vec<Place> = sites.iter().map(|site| site.place).collect();
        places.sort();
        places.dedup();
        let zone_of = |place| places.binary_search(&place).expect("the place of a site") as u32;

        let mut profiles = Vec::with_capacity(places.len() * places.len() + 1);
        for &a in &places {
            for &b in &places {
                profiles.push(profile(map, a, b, &settings.class(map.class(a, b)))?);
            }
        }
        let same_node = profiles.len() as u32;
        let itself = settings.class(LinkClass::SameNode);
        let free = LinkSettings { latency: Some(Law::Constant(Duration::ZERO)), ..LinkSettings::default() };
        profiles.push(profile(map, places[0], places[0], &itself.or(&free))?);

        let mut of_pair = Vec::new();
        for pair in &settings.links {
            for (from, to) in pair.directions().ok_or("a link needs `between`, or `from` and `to`")? {
                let find = |name: &str| {
                    sites.iter().position(|site| site.name == name).ok_or_else(|| format!("no node `{name}`"))
                };
                let (from, to) = (find(from)?, find(to)?);
                let (a, b) = (sites[from].place, sites[to].place);
                of_pair.push(((Site(from as u32), Site(to as u32)), profiles.len() as u32));
                profiles.push(profile(map, a, b, &pair.settings().or(&settings.class(map.class(a, b))))?);
            }
        }
        of_pair.reverse(); // so that the last word about a pair is found first

        Ok(Network {
            zone_of: sites.iter().map(|site| zone_of(site.place)).collect(),
            zones: places.len(),
            profiles,
            same_node,
            of_pair,
            streams,
            link_of: vec![0; sites.len() * sites.len()],
            links: Vec::new(),
            ends: Vec::new(),
            partitions: Vec::new(),
            next_partition: 0,
            holding: Vec::new(),
            arrivals: Default::default(),
            down: Vec::new(),
            sites,
        })
    }

    /// Sends a packet; it is delivered or lost through a later event. `Some` if it is lost at once.
    #[inline]
    pub fn send<E: Copy + From<NetworkEvent>>(
        &mut self,
        now: Time,
        (from, to): (Site, Site),
        traffic: Traffic,
        packet: Packet,
        _bytes: u64,
        queue: &mut Queue<E>,
    ) {
        let index = self.link(from, to);
        let cut = self.is_cut(from, to);
        let link = &mut self.links[index as usize];
        let transit = Transit { link: index, number: link.next_number(), packet, traffic };
        let ordered = self.profiles[link.profile as usize].ordered;
        if ordered && (cut || link.held.is_some()) {
            self.hold(now, transit);
            return;
        }
        if cut {
            self.arrivals.push_back(Arrival::Lost(packet));
            return;
        }
        self.depart(now, transit, queue);
    }

    /// What has come of packets.
    pub fn take_arrival(&mut self) -> Option<Arrival> {
        self.arrivals.pop_front()
    }

    /// stub
    pub fn impair<E: Copy + From<NetworkEvent>>(
        &mut self,
        _: Time,
        _: Impairment,
        _: &mut Queue<E>,
    ) -> ImpairmentId {
        ImpairmentId(0)
    }

    /// stub
    pub fn relieve<E: Copy + From<NetworkEvent>>(&mut self, _: Time, _: ImpairmentId, _: &mut Queue<E>) {}

    /// stub
    pub fn site_down<E: Copy + From<NetworkEvent>>(
        &mut self,
        _: Time,
        site: Site,
        _: Loss,
        _: InFlight,
        _: &mut Queue<E>,
    ) {
        self.down.push(site);
    }

    /// stub
    pub fn site_up<E: Copy + From<NetworkEvent>>(&mut self, _: Time, site: Site, _: &mut Queue<E>) {
        self.down.retain(|other| *other != site);
    }

    /// Acts on an event of the network's own.
    #[inline]
    pub fn handle<E: Copy + From<NetworkEvent>>(
        &mut self,
        now: Time,
        event: NetworkEvent,
        queue: &mut Queue<E>,
    ) {
        let arrival = match event {
            NetworkEvent::Arrive(transit) => {
                let link = &self.links[transit.link as usize];
                if self.down.contains(&self.ends[transit.link as usize].1) {
                    Some(Arrival::Lost(transit.packet))
                } else if transit.number >= link.dropped_below && link.held.is_none() {
                    Some(Arrival::Delivered(transit.packet))
                } else {
                    self.arrive_after_a_cut(now, transit, queue)
                }
            }
            NetworkEvent::Retransmit { link } => {
                self.retransmit(now, link, queue);
                None
            }
        };
        self.arrivals.extend(arrival);
    }

    /// Begins a partition.
    pub fn cut<E: Copy + From<NetworkEvent>>(
        &mut self,
        _: Time,
        partition: Partition,
        _: &mut Queue<E>,
    ) -> PartitionId {
        if partition.in_flight == InFlight::Drop {
            for (link, (from, to)) in self.links.iter_mut().zip(&self.ends) {
                if partition.severs(*from, *to) {
                    link.dropped_below = link.sent;
                }
            }
        }
        let id = PartitionId(self.next_partition);
        self.next_partition += 1;
        self.partitions.push((id, partition));
        id
    }

    /// Ends a partition; what was held back by it alone awaits its next retransmission.
    pub fn heal<E: Copy + From<NetworkEvent>>(&mut self, now: Time, id: PartitionId, queue: &mut Queue<E>) {
        self.partitions.retain(|(other, _)| *other != id);
        for link in self.holding.clone() {
            self.schedule_retransmission(now, link, queue);
        }
    }

    /// Whether messages from `from` to `to` are cut off now.
    #[inline]
    pub fn is_cut(&self, from: Site, to: Site) -> bool {
        self.partitions.iter().any(|(_, partition)| partition.severs(from, to))
    }

    /// The mean round-trip time between two sites: there by the one link, back by the other.
    pub fn mean_rtt(&self, a: Site, b: Site) -> Duration {
        self.mean_one_way(a, b) + self.mean_one_way(b, a)
    }

    /// The mean one-way delay from `a` to `b`.
    pub fn mean_one_way(&self, a: Site, b: Site) -> Duration {
        self.profiles[self.profile_of(a, b) as usize].delay.mean()
    }

    /// The sites, in the order in which they were given.
    pub fn sites(&self) -> &[SiteSpec] {
        &self.sites
    }

    fn profile_of(&self, from: Site, to: Site) -> u32 {
        if let Some((_, profile)) = self.of_pair.iter().find(|(pair, _)| *pair == (from, to)) {
            return *profile;
        }
        if from == to {
            return self.same_node;
        }
        let zone = |site: Site| self.zone_of[site.index()] as usize;
        (zone(from) * self.zones + zone(to)) as u32
    }

    #[inline]
    fn link(&mut self, from: Site, to: Site) -> u32 {
        let cell = from.index() * self.sites.len() + to.index();
        match self.link_of[cell] {
            0 => self.open(from, to, cell),
            index => index - 1,
        }
    }

    fn open(&mut self, from: Site, to: Site, cell: usize) -> u32 {
        let name = |site: Site| Label::of(&self.sites[site.index()].name);
        let label = name(to).within(name(from)).within(Label::of("link"));
        let index = self.links.len() as u32;
        self.links.push(Link {
            stream: self.streams.link(label),
            profile: self.profile_of(from, to),
            draws: [0; Traffic::COUNT],
            sent: 0,
            last_arrival: Time::ZERO,
            dropped_below: 0,
            held: None,
        });
        self.ends.push((from, to));
        self.link_of[cell] = index + 1;
        index
    }

    /// Puts a packet on the wire.
    #[inline]
    fn depart<E: Copy + From<NetworkEvent>>(&mut self, now: Time, transit: Transit, queue: &mut Queue<E>) {
        let link = &mut self.links[transit.link as usize];
        let profile = &self.profiles[link.profile as usize];
        let kind = transit.traffic;
        let draw = link.stream.draw(kind.label(), u64::from(link.draws[kind as usize]));
        link.draws[kind as usize] += 1;
        let mut arrival = now + profile.delay.sample(draw);
        if profile.ordered {
            arrival = arrival.max(link.last_arrival);
            link.last_arrival = arrival;
        }
        queue.schedule(arrival, NetworkEvent::Arrive(transit).into());
    }

    /// A packet reaches the end of a link on which a cut dropped it or one before it.
    fn arrive_after_a_cut<E: Copy + From<NetworkEvent>>(
        &mut self,
        now: Time,
        transit: Transit,
        queue: &mut Queue<E>,
    ) -> Option<Arrival> {
        let Transit { link: index, number, packet, .. } = transit;
        let link = &self.links[index as usize];
        let dropped = number < link.dropped_below;
        if !self.profiles[link.profile as usize].ordered {
            return Some(if dropped { Arrival::Lost(packet) } else { Arrival::Delivered(packet) });
        }
        let behind_a_gap = link.held.as_ref().is_some_and(|held| held.messages.keys().next() < Some(&number));
        if !dropped && !behind_a_gap {
            return Some(Arrival::Delivered(packet));
        }
        self.hold(now, transit);
        self.schedule_retransmission(now, index, queue);
        None
    }

    fn hold(&mut self, now: Time, transit: Transit) {
        let link = &mut self.links[transit.link as usize];
        let held = link.held.get_or_insert_with(|| {
            self.holding.push(transit.link);
            Box::new(Held { since: now, scheduled: false, messages: Default::default() })
        });
        held.messages.insert(transit.number, transit);
    }

    fn schedule_retransmission<E: Copy + From<NetworkEvent>>(
        &mut self,
        now: Time,
        index: u32,
        queue: &mut Queue<E>,
    ) {
        let (from, to) = self.ends[index as usize];
        if self.is_cut(from, to) {
            return; // the heal will see to it
        }
        let link = &mut self.links[index as usize];
        let timeout = self.profiles[link.profile as usize].retransmission_timeout;
        if let Some(held) = link.held.as_mut().filter(|held| !held.scheduled) {
            held.scheduled = true;
            // Not before the last message still under way has arrived and been held too, or it would overtake.
            queue.schedule(
                held.next_attempt(now.max(link.last_arrival), timeout),
                NetworkEvent::Retransmit { link: index }.into(),
            );
        }
    }

    fn retransmit<E: Copy + From<NetworkEvent>>(&mut self, now: Time, index: u32, queue: &mut Queue<E>) {
        let (from, to) = self.ends[index as usize];
        let cut = self.is_cut(from, to);
        let link = &mut self.links[index as usize];
        if cut {
            // This attempt is lost as well.
            if let Some(held) = &mut link.held {
                held.scheduled = false;
            }
            return;
        }
        let Some(held) = link.held.take() else { return };
        self.holding.retain(|other| *other != index);
        for transit in held.messages.into_values() {
            // Sent anew means a new number: the cut that dropped it the first time has no say any more.
            let number = self.links[index as usize].next_number();
            self.depart(now, Transit { number, ..transit }, queue);
        }
    }
}

fn profile(map: &Map, a: Place, b: Place, settings: &LinkSettings) -> Result<Profile, String> {
    let delay = match (&settings.latency, &settings.jitter) {
        (Some(Law::Constant(delay)), _) => Delay::Constant(*delay),
        (Some(law), _) => {
            Delay::Scaled { floor: 0.0, scale: 1.0, law: law.sampler().map_err(|e| e.to_string())? }
        }
        (None, jitter) => {
            let base = map.one_way(a, b).ok_or_else(|| {
                let (a, b) = (map.name(map.region(a)), map.name(map.region(b)));
                format!("no round-trip time from `{a}` to `{b}`")
            })?;
            match jitter {
                None => Delay::Constant(base),
                Some(law) => jittered(base, law)?,
            }
        }
    };
    Ok(Profile {
        delay,
        ordered: settings.ordered.unwrap_or(true),
        retransmission_timeout: settings.retransmission_timeout.unwrap_or(RETRANSMISSION_TIMEOUT),
    })
}

/// Variation around `base` that leaves the mean where it is.
fn jittered(base: Duration, law: &Law) -> Result<Delay, String> {
    let law = law.sampler().map_err(|e| e.to_string())?;
    let mean = law.mean_nanos().ok_or("jitter needs a law with a finite mean")?;
    let base = base.nanos() as f64;
    if mean == 0.0 {
        return Ok(Delay::Constant(Duration::from_nanos_f64(base)));
    }
    let varying = mean.min(base);
    Ok(Delay::Scaled { floor: base - varying, scale: varying / mean, law })
}
