//! Partitions of all shapes, ways around them, impairments, and networks of a thousand sites.

use replisim_engine::{Duration, Law, Queue, Streams, Time};
use replisim_network::{
    Impairment, InFlight, LinkSettings, Loss, Map, Network, NetworkEvent, NetworkSettings, Packet,
    PairSettings, Partition, Routing, Site, SiteSpec, Traffic,
};

use super::bench::{A, B, Do, delivered, ms, outcome, pair, sends, sites, unordered};

const C: Site = Site(2);
const D: Site = Site(3);

#[test]
fn a_partition_has_as_many_sides_as_it_needs_and_directions() {
    let three_sides = {
        let mut partition = Partition::new(5, InFlight::Deliver);
        (0..3).for_each(|i| partition.put(Site(i), 1 << i));
        partition.put(D, 1 << 2);
        partition // site 4 stands between all
    };
    let one_way = Partition::one_way(5, &[A, C], &[B, C], InFlight::Deliver);
    for (name, partition, severed) in [
        (
            "three sides",
            &three_sides,
            vec![(0, 1), (0, 2), (0, 3), (1, 0), (1, 2), (1, 3), (2, 0), (2, 1), (3, 0), (3, 1)],
        ),
        ("one way", &one_way, vec![(0, 1), (0, 2), (2, 1)]),
    ] {
        let all = (0..5).flat_map(|a| (0..5).map(move |b| (a, b)));
        let cut: Vec<_> = all.filter(|(a, b)| partition.severs(Site(*a), Site(*b))).collect();
        assert_eq!(cut, severed, "{name}");
    }
}

#[test]
fn a_one_way_cut_lets_the_other_direction_through() {
    let steps = vec![
        (5, Do::Cut(Partition::one_way(2, &[A], &[B], InFlight::Deliver))),
        (10, Do::Send(A, B, 0, 100)),
        (10, Do::Send(B, A, 1, 100)),
    ];
    assert_eq!(outcome(&mut pair(unordered()), steps), [(0, Err("lost")), (1, Ok(30))]);
}

/// Four sites; a–b takes 20 ms one way, a–c and c–b 15 ms, a–d and d–b 25 ms.
fn square(routing: Routing, relays: usize) -> Network {
    let link = |a: &str, b: &str, at: u64| PairSettings {
        between: Some([a.into(), b.into()]),
        latency: Some(Law::Constant(ms(at))),
        ..PairSettings::default()
    };
    let links = vec![link("a", "c", 15), link("c", "b", 15), link("a", "d", 25), link("d", "b", 25)];
    let settings = NetworkSettings { routing, links, cross_region: unordered(), ..Default::default() };
    sites(4, ms(40), &settings, 1).with_relays(relays)
}

fn cut_between(a: Site, b: Site) -> Do {
    // Everyone else stands on both sides.
    let mut partition = Partition::new(4, InFlight::Deliver);
    partition.put(a, 1 << 0);
    partition.put(b, 1 << 1);
    Do::Cut(partition)
}

#[test]
fn ways_around_a_cut_are_the_shortest_that_survive() {
    let around = Routing::ShortestSurvivingPath;
    for (name, routing, relays, cuts, expected) in [
        ("no cut", around, 4, vec![], Ok(120)),
        ("direct", Routing::Direct, 4, vec![cut_between(A, B)], Err("lost")),
        ("over c", around, 4, vec![cut_between(A, B)], Ok(130)),
        ("over d", around, 4, vec![cut_between(A, B), cut_between(A, C)], Ok(150)),
        ("over c, for d is a client", around, 3, vec![cut_between(A, B)], Ok(130)),
        ("d does not relay", around, 3, vec![cut_between(A, B), cut_between(A, C)], Err("lost")),
        (
            "two relays",
            around,
            4,
            vec![cut_between(A, B), cut_between(A, C), cut_between(D, B)],
            Ok(100 + 25 + 20 + 15),
        ),
        ("none left", around, 4, vec![cut_between(A, B), cut_between(A, C), cut_between(A, D)], Err("lost")),
    ] {
        let mut steps: Vec<_> = cuts.into_iter().map(|cut| (50, cut)).collect();
        steps.push((100, Do::Send(A, B, 0, 100)));
        assert_eq!(outcome(&mut square(routing, relays), steps), [(0, expected)], "{name}");
    }
}

#[test]
fn ways_change_at_cut_and_heal() {
    let steps = vec![
        (100, Do::Send(A, B, 0, 100)),
        (200, cut_between(A, B)),
        (300, Do::Send(A, B, 1, 100)),
        (400, cut_between(A, C)),
        (500, Do::Send(A, B, 2, 100)),
        (600, Do::Heal(1)),
        (700, Do::Send(A, B, 3, 100)),
        (800, Do::Heal(0)),
        (900, Do::Send(A, B, 4, 100)),
    ];
    let seen = outcome(&mut square(Routing::ShortestSurvivingPath, 4), steps);
    assert_eq!(seen, [(0, Ok(120)), (1, Ok(330)), (2, Ok(550)), (3, Ok(730)), (4, Ok(920))]);
}

#[test]
fn a_machine_that_is_down_relays_nothing_until_it_is_back() {
    let down = |loss| Do::Down(C, loss, InFlight::Deliver);
    for (loss, over) in [(Loss::Process, 30), (Loss::Machine, 50)] {
        let steps = vec![
            (100, cut_between(A, B)),
            (200, down(loss)),
            (300, Do::Send(A, B, 0, 100)),
            (400, Do::Up(C, loss)),
            (500, Do::Send(A, B, 1, 100)),
            (600, down(loss)),
            (700, Do::Heal(0)),
            (750, cut_between(A, B)),
            (800, Do::Send(A, B, 2, 100)),
        ];
        let seen = outcome(&mut square(Routing::ShortestSurvivingPath, 4), steps);
        assert_eq!(seen, [(0, Ok(300 + over)), (1, Ok(530)), (2, Ok(800 + over))], "{loss:?}");
    }
}

#[test]
fn a_site_reaches_another_where_a_road_is_left() {
    let around = Routing::ShortestSurvivingPath;
    let machine = |site| Do::Down(site, Loss::Machine, InFlight::Deliver);
    for (name, routing, steps, reaches) in [
        ("no cut", Routing::Direct, vec![], true),
        ("cut", Routing::Direct, vec![cut_between(A, B)], false),
        ("around", around, vec![cut_between(A, B)], true),
        ("two ways gone", around, vec![cut_between(A, B), cut_between(A, C), cut_between(A, D)], false),
        ("one relay dead", around, vec![cut_between(A, B), machine(C)], true),
        ("both relays dead", around, vec![cut_between(A, B), machine(C), machine(D)], false),
    ] {
        let mut network = square(routing, 4);
        outcome(&mut network, steps.into_iter().map(|step| (50, step)).collect());
        assert_eq!(network.reaches(A, B), reaches, "{name}");
        assert_eq!(network.reaches(B, A), reaches, "{name}, back");
    }
}

#[test]
fn impairments_compose_and_end() {
    let slow = |factor, extra, both| {
        let mut impairment = Impairment::between([A], [B]);
        (impairment.factor, impairment.extra, impairment.both) = (factor, ms(extra), both);
        Do::Impair(impairment)
    };
    let steps = vec![
        (50, slow(2.0, 3, true)),
        (100, Do::Send(A, B, 0, 100)),
        (100, Do::Send(B, A, 1, 100)),
        (200, slow(1.5, 4, false)),
        (300, Do::Send(A, B, 2, 100)),
        (300, Do::Send(B, A, 3, 100)),
        (400, Do::Relieve(0)),
        (500, Do::Send(A, B, 4, 100)),
        (600, Do::Relieve(1)),
        (700, Do::Send(A, B, 5, 100)),
    ];
    let mut seen = outcome(&mut pair(unordered()), steps);
    seen.sort();
    assert_eq!(seen, [(0, Ok(143)), (1, Ok(143)), (2, Ok(367)), (3, Ok(343)), (4, Ok(534)), (5, Ok(720))]);
}

#[test]
fn a_link_that_loses_half_of_everything_still_delivers_in_order() {
    let mut impairment = Impairment::between([A], [B]);
    impairment.loss = 0.5;
    let mut steps = vec![(1_000, Do::Impair(impairment)), (3_000, Do::Relieve(0))];
    steps.extend(sends((0..500).map(|i| i * 10)));
    let arrivals = delivered(&mut pair(LinkSettings::default()), steps);
    assert!(arrivals.len() == 500 && arrivals.is_sorted());
    assert!(arrivals[120] > 1_300.0, "{}", arrivals[120]);
}

#[test]
fn a_thousand_sites_in_a_thousand_zones_are_there_at_once_and_cost_what_they_use() {
    #[derive(Clone, Copy)]
    struct Event(NetworkEvent);
    impl From<NetworkEvent> for Event {
        fn from(event: NetworkEvent) -> Event {
            Event(event)
        }
    }
    // Regions all measured with each other: a dense matrix of a hundred, ten zones in each.
    let mut map = Map::new();
    for a in 0..100 {
        (0..100).for_each(|b| map.measured(&format!("r{a}"), &format!("r{b}"), ms(10 + a + b)));
    }
    let specs = (0..1_000)
        .map(|i| SiteSpec { name: format!("n{i}"), place: map.add(&format!("r{}/z{i}", i % 100)) })
        .collect();
    let mut network = Network::new(&map, specs, &NetworkSettings::default(), Streams::new(1)).unwrap();
    let mut queue: Queue<Event> = Queue::new();
    for i in 1..1_000 {
        network.send(Time::ZERO, (Site(i), A), Traffic::Request, Packet(i), 100, &mut queue);
    }
    let (mut count, mut events) = (0, 0);
    while let Some((now, Event(event))) = queue.pop_until(Time::MAX) {
        events += 1;
        network.handle(now, event, &mut queue);
        while network.take_arrival().is_some() {
            count += 1;
        }
    }
    assert_eq!((count, events), (999, 999), "a message on a healthy link is one event");
    assert_eq!(network.mean_one_way(Site(1), Site(2)), Duration::from_micros(6_500));
}

#[test]
fn events_are_small() {
    assert!(size_of::<NetworkEvent>() <= 24, "{}", size_of::<NetworkEvent>());
}

#[test]
fn a_missing_delay_is_noticed_before_the_run_unless_no_link_needs_it() {
    let case = |settings: NetworkSettings| {
        let mut map = Map::new();
        map.measured("us", "eu", ms(100));
        let specs = [("a", "us/1"), ("b", "eu/1")]
            .map(|(name, place)| SiteSpec { name: name.into(), place: map.add(place) });
        Network::new(&map, specs.to_vec(), &settings, Streams::new(1)).map(|_| ())
    };
    let missing = Err("no round-trip time from `eu` to `us`".to_owned());
    let latency = Some(Law::Constant(ms(1)));
    let back = |latency| PairSettings {
        from: Some("b".into()),
        to: Some("a".into()),
        latency,
        ..PairSettings::default()
    };
    let with = |links| NetworkSettings { links, ..NetworkSettings::default() };
    assert_eq!(case(NetworkSettings::default()), missing);
    assert_eq!(case(with(vec![back(None)])), missing);
    assert_eq!(case(with(vec![back(latency.clone())])), Ok(()));
    let cross_region = LinkSettings { latency, ..LinkSettings::default() };
    assert_eq!(case(NetworkSettings { cross_region, ..NetworkSettings::default() }), Ok(()));
}
