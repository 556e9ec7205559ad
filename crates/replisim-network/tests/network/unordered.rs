//! Unordered links: every message on its own. And what all links have in common: delays, jitter, draws, bandwidth.

use proptest::prelude::*;
use replisim_engine::{Bandwidth, Law, Share, Streams, Time};
use replisim_network::{
    Arrival, InFlight, KindSettings, LawSettings, LinkSettings, Map, Network, NetworkSettings, PairSettings,
    Site, SiteSpec,
};

use super::bench::{A, B, Do, delivered, isolate_a, ms, outcome, pair, run, sends, sites, unordered};

#[test]
fn an_asymmetric_matrix_stays_asymmetric() {
    let mut map = Map::new();
    map.measured("us", "eu", ms(100));
    map.measured("eu", "us", ms(120));
    let sites = [("a", "us"), ("b", "eu")]
        .map(|(name, place)| SiteSpec { name: name.into(), place: map.find(place).unwrap() });
    let network = Network::new(&map, sites.to_vec(), &NetworkSettings::default(), Streams::new(1)).unwrap();
    assert_eq!((network.mean_one_way(A, B), network.mean_one_way(B, A)), (ms(50), ms(60)));
    assert_eq!(network.mean_rtt(A, B), ms(110));
}

#[test]
fn messages_in_flight_do_not_queue_behind_each_other() {
    // A delay model that is secretly a queue is a mistake that others made. Three messages at once all take 20 ms.
    for settings in [LinkSettings::default(), unordered()] {
        assert_eq!(outcome(&mut pair(settings), sends([0, 0, 0])), [(0, Ok(20)), (1, Ok(20)), (2, Ok(20))]);
    }
}

#[test]
fn a_slow_message_holds_up_later_ones_on_ordered_links_only() {
    let law = Law::Uniform { least: ms(10), most: ms(200) };
    for (ordered, sorted) in [(true, true), (false, false)] {
        let settings =
            LinkSettings { latency: Some(law.clone()), ordered: Some(ordered), ..LinkSettings::default() };
        assert_eq!(delivered(&mut pair(settings), sends(0..100)).is_sorted(), sorted);
    }
}

#[test]
fn what_a_cut_does_to_unordered_messages() {
    // Sent before (0, 40), during (60, 100) and after (320) a cut from 51 to 300 ms.
    for (in_flight, fate) in [(InFlight::Deliver, Ok(60)), (InFlight::Drop, Err("lost"))] {
        let mut steps = vec![(51, Do::Cut(isolate_a(2, in_flight))), (300, Do::Heal(0))];
        steps.extend(sends([0, 40, 60, 100, 320]));
        let mut seen = outcome(&mut pair(unordered()), steps);
        seen.sort();
        let expected = [(0, Ok(20)), (1, fate), (2, Err("lost")), (3, Err("lost")), (4, Ok(340))];
        assert_eq!(seen, expected, "{in_flight:?}");
    }
}

#[test]
fn losses_and_copies_come_as_often_as_said_and_never_change_the_delays_of_the_rest() {
    let count = 40_000;
    let jitter = Some(Law::Exponential { mean: ms(5) });
    let case = |loss: f64, duplicate: f64| {
        let settings = LinkSettings {
            loss: Some(Share::new(loss)),
            duplicate: Some(Share::new(duplicate)),
            jitter: jitter.clone(),
            ..unordered()
        };
        let seen = run(&mut pair(settings), sends((0..count).map(|i| i / 10)));
        let number = |of: fn(&Arrival) -> bool| seen.iter().filter(|(arrival, _)| of(arrival)).count() as f64;
        let lost = number(|arrival| matches!(arrival, Arrival::Lost(_)));
        let copies = number(|arrival| matches!(arrival, Arrival::Copy(_)));
        let mut first: Vec<Option<Time>> = vec![None; count as usize];
        for (arrival, at) in &seen {
            if let Arrival::Delivered(packet) | Arrival::Copy(packet) = arrival {
                first[packet.0 as usize].get_or_insert(*at);
            }
        }
        (lost, copies, first)
    };
    let (_, _, plain) = case(0.0, 0.0);
    for (loss, duplicate) in [(0.1, 0.0), (0.0, 0.05), (0.2, 0.1)] {
        let (lost, copies, first) = case(loss, duplicate);
        let n = count as f64;
        // A message is lost if it and its copy are; it arrives twice if neither is.
        let p_lost = loss * (1.0 - duplicate) + loss * loss * duplicate;
        let p_copy = duplicate * (1.0 - loss) * (1.0 - loss);
        for (seen, p) in [(lost, p_lost), (copies, p_copy)] {
            let error = (n * p * (1.0 - p)).sqrt();
            assert!((seen - n * p).abs() <= 4.5 * error, "{seen} of {n} with {p}");
        }
        let same = first.iter().zip(&plain).filter(|(a, b)| a == b).count() as f64;
        assert!(same / n > 1.0 - loss - duplicate - 0.02, "{same}");
    }
}

#[test]
fn jitter_leaves_the_mean_delay_where_it_was() {
    // A law whose own mean (5 ms) fits into the delay, and one (500 ms) that has to be scaled down to it.
    for mean in [ms(5), ms(500)] {
        let settings = LinkSettings { jitter: Some(Law::Exponential { mean }), ..unordered() };
        let arrivals = delivered(&mut pair(settings), sends(vec![0; 40_000]));
        let average = arrivals.iter().sum::<f64>() / 40_000.0;
        let error = mean.millis().min(20.0) / 200.0;
        assert!((average - 20.0).abs() < 4.5 * error, "{average} ms with jitter of mean {mean}");
    }
}

#[test]
fn a_constant_delay_that_is_called_jitter() {
    for (jitter, deviation) in [(Law::Exponential { mean: ms(5) }, 5.0), (Law::Constant(ms(5)), 0.0)] {
        let settings = LinkSettings { jitter: Some(jitter.clone()), ..unordered() };
        let arrivals = delivered(&mut pair(settings), sends(vec![0; 40_000]));
        let mean = arrivals.iter().sum::<f64>() / 40_000.0;
        let variance = arrivals.iter().map(|at| (at - mean) * (at - mean)).sum::<f64>() / 40_000.0;
        assert!((variance.sqrt() - deviation).abs() < 0.2, "{jitter:?}: {variance}");
    }
}

#[test]
fn a_bandwidth_is_a_queue_at_the_sender_one_for_each_direction() {
    // 1 Mbit/s: 1250 bytes take 10 ms to get onto the wire; the third message waits 20 ms for its turn.
    for settings in [unordered(), LinkSettings::default()] {
        let bandwidth = Some(Bandwidth::bits_per_second(1_000_000));
        let settings = LinkSettings { bandwidth, ..settings };
        let send = |from, to, packet, at| (at, Do::Send(from, to, packet, 1_250));
        let steps =
            vec![send(A, B, 0, 0), send(A, B, 1, 0), send(A, B, 2, 0), send(B, A, 3, 5), send(A, B, 4, 100)];
        let mut seen = outcome(&mut pair(settings), steps);
        seen.sort();
        assert_eq!(seen, [(0, Ok(30)), (1, Ok(40)), (2, Ok(50)), (3, Ok(35)), (4, Ok(130))]);
    }
}

#[test]
fn a_narrow_link_carries_its_bandwidth() {
    let bandwidth = Some(Bandwidth::bits_per_second(10_000_000));
    let settings = LinkSettings { bandwidth, ..LinkSettings::default() };
    let steps = (0..5_000).map(|i| (0, Do::Send(A, B, i, 1_250))).collect();
    let arrivals = delivered(&mut pair(settings), steps);
    let rate = 2_500.0 / (arrivals[4_999] - arrivals[2_499]); // messages per ms; 10 Mbit/s are 1 message per ms
    assert!((rate - 1.0).abs() < 0.001, "{rate}");
}

#[test]
fn the_law_of_a_kind_goes_before_the_block_it_stands_in_and_after_any_closer_one() {
    let constant = |at: u64| LawSettings { latency: Some(Law::Constant(ms(at))), jitter: None };
    let kinds = |at: u64| KindSettings { replicate: constant(at), ..KindSettings::default() };
    let whole = |at: u64| Some(Law::Constant(ms(at)));
    let default = LinkSettings { latency: whole(1), kinds: kinds(2), ..LinkSettings::default() };
    let class = |latency, kinds| LinkSettings { latency, kinds, ..LinkSettings::default() };
    let of_pair = |latency, kinds| PairSettings {
        between: Some(["a".into(), "b".into()]),
        latency,
        kinds,
        ..PairSettings::default()
    };
    let nothing = KindSettings::default;
    for (class, of_pair, delay) in [
        (class(None, nothing()), None, 2),
        (class(whole(3), nothing()), None, 3),
        (class(whole(3), kinds(4)), None, 4),
        (class(None, kinds(4)), None, 4),
        (class(whole(3), kinds(4)), Some(of_pair(whole(5), nothing())), 5),
        (class(whole(3), kinds(4)), Some(of_pair(whole(5), kinds(6))), 6),
        (class(whole(3), kinds(4)), Some(of_pair(None, kinds(6))), 6),
        (class(None, nothing()), Some(of_pair(None, nothing())), 2),
    ] {
        let links = of_pair.into_iter().collect();
        let settings =
            NetworkSettings { default: default.clone(), cross_region: class, links, ..Default::default() };
        let seen = outcome(&mut sites(2, ms(40), &settings, 1), sends([0])); // they are `replicate`
        assert_eq!(seen, [(0, Ok(delay))], "{settings:?}");
    }
}

#[test]
fn adding_a_site_or_a_cut_leaves_the_draws_of_other_links_and_later_messages_alone() {
    let settings = LinkSettings { jitter: Some(Law::Exponential { mean: ms(5) }), ..unordered() };
    let settings = NetworkSettings { cross_region: settings, ..NetworkSettings::default() };
    let plain = delivered(&mut sites(2, ms(40), &settings, 7), sends(0..100));
    let mut busier = sends(0..100);
    busier.extend((0..100).map(|i| (i, Do::Send(Site(2), B, 1_000 + i as u32, 100))));
    assert_eq!(delivered(&mut sites(3, ms(40), &settings, 7), busier)[..100], plain);
    let mut cut = vec![(20, Do::Cut(isolate_a(2, InFlight::Deliver))), (30, Do::Heal(0))];
    cut.extend(sends(0..100));
    let rest = delivered(&mut sites(2, ms(40), &settings, 7), cut);
    assert_eq!((&rest[..20], &rest[20..]), (&plain[..20], &plain[30..]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn unordered_links_lose_exactly_what_meets_the_cut(
        mut at in prop::collection::vec(0u64..400, 1..40),
        from in 0u64..400,
        lasts in 1u64..400,
        seed in 0u64..50,
    ) {
        at.sort();
        let settings = LinkSettings { latency: Some(Law::Exponential { mean: ms(80) }), ..unordered() };
        let settings = NetworkSettings { cross_region: settings, ..NetworkSettings::default() };
        let mut steps = vec![(from, Do::Cut(isolate_a(2, InFlight::Deliver))), (from + lasts, Do::Heal(0))];
        steps.extend(sends(at.clone()));
        let mut seen = outcome(&mut sites(2, ms(40), &settings, seed), steps);
        seen.sort();
        prop_assert_eq!(seen.len(), at.len());
        for ((_, arrival), sent) in seen.iter().zip(&at) {
            prop_assert_eq!(arrival.is_err(), (from..from + lasts).contains(sent), "sent at {}", sent);
        }
    }
}
