//! A network on a bench: what is done to it when, and what comes out when.

use replisim_engine::{Duration, Queue, Streams, Time};
use replisim_network::{
    Arrival, Impairment, InFlight, LinkSettings, Loss, Map, Network, NetworkEvent, NetworkSettings, Packet,
    Partition, Site, SiteSpec, Traffic,
};

pub(crate) const A: Site = Site(0);
pub(crate) const B: Site = Site(1);

/// What can be done to a network.
#[derive(Clone, Debug)]
pub(crate) enum Do {
    /// Sends packet `.2` of `.3` bytes from `.0` to `.1`.
    Send(Site, Site, u32, u64),
    Cut(Partition),
    /// Heals the cut that began as number `.0`.
    Heal(usize),
    Impair(Impairment),
    Relieve(usize),
    Down(Site, Loss, InFlight),
    Up(Site, Loss),
}

/// What came out: packet, and when (ms) it was delivered, or that it was lost.
pub(crate) type Seen = (u32, Result<u64, &'static str>);

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Sites `a` and `b`, or more, each in a region of its own, with the same round trip between any two.
pub(crate) fn sites(count: u32, rtt: Duration, settings: &NetworkSettings, seed: u64) -> Network {
    let mut map = Map::new();
    let name = |i: u32| char::from(b'a' + i as u8).to_string();
    for i in 0..count {
        for j in (0..count).filter(|j| *j != i) {
            map.measured(&name(i), &name(j), rtt);
        }
    }
    let specs = (0..count).map(|i| SiteSpec { name: name(i), place: map.find(&name(i)).unwrap() }).collect();
    Network::new(&map, specs, settings, Streams::new(seed)).unwrap()
}

/// Two sites 20 ms apart.
pub(crate) fn pair(cross_region: LinkSettings) -> Network {
    sites(2, ms(40), &NetworkSettings { cross_region, ..NetworkSettings::default() }, 1)
}

/// A cut of everything between `a` and all others.
pub(crate) fn isolate_a(sites: usize, in_flight: InFlight) -> Partition {
    let mut partition = Partition::new(sites, in_flight);
    partition.put(A, 1 << 0);
    (1..sites as u32).for_each(|other| partition.put(Site(other), 1 << 1));
    partition
}

pub(crate) fn unordered() -> LinkSettings {
    LinkSettings { ordered: Some(false), ..LinkSettings::default() }
}

/// Messages of 100 bytes from `a` to `b`, numbered from 0, at these times (ms).
pub(crate) fn sends(at: impl IntoIterator<Item = u64>) -> Vec<(u64, Do)> {
    (0..).zip(at).map(|(i, at)| (at, Do::Send(A, B, i, 100))).collect()
}

/// Does what is listed, by time (ms) and place in the list, until nothing is left to happen.
pub(crate) fn run(network: &mut Network, steps: Vec<(u64, Do)>) -> Vec<(Arrival, Time)> {
    run_until(network, steps, Time::MAX)
}

pub(crate) fn run_until(network: &mut Network, steps: Vec<(u64, Do)>, until: Time) -> Vec<(Arrival, Time)> {
    #[derive(Clone, Copy)]
    enum Event {
        Step(usize),
        Network(NetworkEvent),
    }
    impl From<NetworkEvent> for Event {
        fn from(event: NetworkEvent) -> Event {
            Event::Network(event)
        }
    }

    let mut queue = Queue::new();
    for (i, (at, _)) in steps.iter().enumerate() {
        queue.schedule(Time::ZERO + ms(*at), Event::Step(i));
    }
    let (mut cuts, mut impairments, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    while let Some((now, event)) = queue.pop_until(until) {
        let queue = &mut queue;
        match event {
            Event::Network(event) => network.handle(now, event, queue),
            Event::Step(i) => match steps[i].1.clone() {
                Do::Send(from, to, packet, bytes) => {
                    network.send(now, (from, to), Traffic::Replicate, Packet(packet), bytes, queue)
                }
                Do::Cut(partition) => cuts.push(network.cut(now, partition, queue)),
                Do::Heal(i) => network.heal(now, cuts[i], queue),
                Do::Impair(impairment) => impairments.push(network.impair(impairment)),
                Do::Relieve(i) => network.relieve(impairments[i]),
                Do::Down(site, loss, in_flight) => network.site_down(now, site, loss, in_flight, queue),
                Do::Up(site, loss) => network.site_up(now, site, loss, queue),
            },
        }
        while let Some(arrival) = network.take_arrival() {
            seen.push((arrival, now));
        }
    }
    seen
}

/// The same in whole milliseconds, in the order in which it happens; no copies.
pub(crate) fn outcome(network: &mut Network, steps: Vec<(u64, Do)>) -> Vec<Seen> {
    run(network, steps)
        .into_iter()
        .map(|(arrival, at)| match arrival {
            Arrival::Delivered(packet) => (packet.0, Ok(at.nanos() / 1_000_000)),
            Arrival::Lost(packet) => (packet.0, Err("lost")),
            Arrival::Copy(packet) => (packet.0, Err("copy")),
        })
        .collect()
}

/// When each packet was delivered, in milliseconds, by packet.
pub(crate) fn delivered(network: &mut Network, steps: Vec<(u64, Do)>) -> Vec<f64> {
    let mut seen: Vec<_> = run(network, steps)
        .into_iter()
        .filter_map(|(arrival, at)| match arrival {
            Arrival::Delivered(packet) => Some((packet, at.nanos() as f64 / 1e6)),
            _ => None,
        })
        .collect();
    seen.sort_by_key(|(packet, _)| *packet);
    seen.into_iter().map(|(_, at)| at).collect()
}
