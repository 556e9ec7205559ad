//! The network as its users see it: what is sent, and what comes out when.

use proptest::prelude::*;
use replisim_engine::{Duration, Law, Queue, Streams, Time};
use replisim_network::{
    Arrival, InFlight, LinkSettings, Map, Network, NetworkEvent, NetworkSettings, Packet, Partition, Site,
    SiteSpec, Traffic,
};

const A: Site = Site(0);
const B: Site = Site(1);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn at(ms: u64) -> Time {
    Time::from_nanos(ms * 1_000_000)
}

/// Two sites, `a` in `us` and `b` in `eu`, 100 ms there and 120 ms back as round-trip times.
fn network(cross_region: LinkSettings, seed: u64) -> Network {
    let mut map = Map::new();
    map.measured("us", "eu", ms(100));
    map.measured("eu", "us", ms(120));
    let sites = [("a", "us"), ("b", "eu")]
        .map(|(name, place)| SiteSpec { name: name.into(), place: map.find(place).unwrap() });
    let settings = NetworkSettings { cross_region, ..NetworkSettings::default() };
    Network::new(&map, sites.to_vec(), &settings, Streams::new(seed)).unwrap()
}

/// Sends a packet `a → b` at each time, with a partition from `cut` to `heal`; returns (packet, arrival or loss) in
/// the order in which it happens.
fn run(
    mut network: Network,
    sends: &[u64],
    cut: Option<(u64, u64, InFlight)>,
) -> Vec<(u32, Result<u64, ()>)> {
    #[derive(Clone, Copy)]
    enum Event {
        Send(u32),
        Cut,
        Heal,
        Network(NetworkEvent),
    }
    impl From<NetworkEvent> for Event {
        fn from(event: NetworkEvent) -> Event {
            Event::Network(event)
        }
    }

    let mut queue = Queue::new();
    if let Some((from, to, _)) = cut {
        queue.schedule(at(from), Event::Cut);
        queue.schedule(at(to), Event::Heal);
    }
    for (i, time) in sends.iter().enumerate() {
        queue.schedule(at(*time), Event::Send(i as u32));
    }
    let mut partition_id = None;
    let mut seen = Vec::new();
    while let Some((now, event)) = queue.pop_until(Time::MAX) {
        let arrival = match event {
            Event::Send(i) => network.send(now, (A, B), Traffic::Replicate, Packet(i), &mut queue),
            Event::Cut => {
                let mut partition = Partition::new(2, cut.unwrap().2);
                partition.put(A, 0);
                partition.put(B, 1);
                partition_id = Some(network.cut(partition));
                None
            }
            Event::Heal => {
                network.heal(now, partition_id.unwrap(), &mut queue);
                None
            }
            Event::Network(event) => network.handle(now, event, &mut queue),
        };
        match arrival {
            Some(Arrival::Delivered(packet)) => seen.push((packet.0, Ok(now.nanos() / 1_000_000))),
            Some(Arrival::Lost(packet)) => seen.push((packet.0, Err(()))),
            None => {}
        }
    }
    seen
}

fn unordered() -> LinkSettings {
    LinkSettings { ordered: Some(false), ..LinkSettings::default() }
}

#[test]
fn an_asymmetric_matrix_stays_asymmetric() {
    let network = network(LinkSettings::default(), 1);
    assert_eq!((network.mean_one_way(A, B), network.mean_one_way(B, A)), (ms(50), ms(60)));
    assert_eq!(network.mean_rtt(A, B), ms(110));
}

#[test]
fn messages_in_flight_do_not_queue_behind_each_other() {
    // Pitfall 2: a delay model that is secretly a queue. Three messages at once all take 50 ms.
    for settings in [LinkSettings::default(), unordered()] {
        assert_eq!(run(network(settings, 1), &[0, 0, 0], None), [(0, Ok(50)), (1, Ok(50)), (2, Ok(50))]);
    }
}

#[test]
fn what_a_partition_does_to_messages() {
    use InFlight::{Deliver, Drop};
    // Sent before (0, 40), during (60, 100) and after (320) a cut from 51 to 300 ms; one way takes 50 ms.
    let sends = [0, 40, 60, 100, 320];
    for (name, settings, in_flight, expected) in [
        (
            "unordered, in flight delivered",
            unordered(),
            Deliver,
            vec![(0, Ok(50)), (2, Err(())), (1, Ok(90)), (3, Err(())), (4, Ok(370))],
        ),
        (
            "unordered, in flight dropped",
            unordered(),
            Drop,
            vec![(0, Ok(50)), (2, Err(())), (1, Err(())), (3, Err(())), (4, Ok(370))],
        ),
        // First loss at 60 ms: the timer expires at 260 (still cut) and 660 ms; then all goes out in order.
        (
            "ordered",
            LinkSettings::default(),
            Deliver,
            vec![(0, Ok(50)), (1, Ok(90)), (2, Ok(710)), (3, Ok(710)), (4, Ok(710))],
        ),
        // The message of 40 ms was on the wire; it leads the retransmission.
        (
            "ordered, in flight dropped",
            LinkSettings::default(),
            Drop,
            vec![(0, Ok(50)), (1, Ok(710)), (2, Ok(710)), (3, Ok(710)), (4, Ok(710))],
        ),
    ] {
        assert_eq!(run(network(settings, 1), &sends, Some((51, 300, in_flight))), expected, "{name}");
    }
}

#[test]
fn jitter_leaves_the_mean_delay_where_it_was() {
    // A law whose own mean (5 ms) fits into the delay, and one (500 ms) that has to be scaled down to it.
    for mean in [ms(5), ms(500)] {
        let settings = LinkSettings { jitter: Some(Law::Exponential { mean }), ..unordered() };
        let sends = vec![0; 40_000];
        let arrivals = run(network(settings, 3), &sends, None);
        let average =
            arrivals.iter().map(|(_, at)| at.unwrap() as f64 + 0.5).sum::<f64>() / sends.len() as f64;
        let error = (mean.millis().min(50.0)) / (sends.len() as f64).sqrt();
        assert!((average - 50.0).abs() < 4.5 * error, "{average} ms with jitter of mean {mean}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn ordered_links_never_reorder_nor_lose_whatever_is_cut_when(
        sends in prop::collection::vec(0u64..400, 1..40),
        from in 0u64..400,
        lasts in 1u64..400,
        drop: bool,
        seed in 0u64..50,
    ) {
        let mut sends = sends;
        sends.sort();
        let settings = LinkSettings { latency: Some(Law::Exponential { mean: ms(80) }), ..LinkSettings::default() };
        let in_flight = if drop { InFlight::Drop } else { InFlight::Deliver };
        let seen = run(network(settings, seed), &sends, Some((from, from + lasts, in_flight)));
        let order: Vec<u32> = seen.iter().map(|(packet, _)| *packet).collect();
        prop_assert_eq!(order, (0..sends.len() as u32).collect::<Vec<_>>());
        prop_assert!(seen.iter().all(|(_, at)| at.is_ok()));
    }

    #[test]
    fn unordered_links_lose_exactly_what_meets_the_cut(
        sends in prop::collection::vec(0u64..400, 1..40),
        from in 0u64..400,
        lasts in 1u64..400,
        seed in 0u64..50,
    ) {
        let mut sends = sends;
        sends.sort();
        let settings = LinkSettings { latency: Some(Law::Exponential { mean: ms(80) }), ..unordered() };
        let mut seen = run(network(settings, seed), &sends, Some((from, from + lasts, InFlight::Deliver)));
        seen.sort();
        prop_assert_eq!(seen.len(), sends.len());
        for ((_, arrival), sent) in seen.iter().zip(&sends) {
            prop_assert_eq!(arrival.is_err(), (from..from + lasts).contains(sent), "sent at {}", sent);
        }
    }
}
