//! Whatever happens to whom, every message comes out exactly once, and what is delivered keeps its order.

use std::collections::BTreeMap;

use proptest::prelude::*;
use replisim_engine::{Bandwidth, Bytes, Law, Share};
use replisim_network::{
    Arrival, Impairment, InFlight, LinkSettings, Loss, NetworkSettings, Partition, Routing, Site,
};

use super::bench::{Do, ms, run, sites};

const SITES: u32 = 3;

fn site() -> impl Strategy<Value = Site> {
    (0..SITES).prop_map(Site)
}

fn in_flight() -> impl Strategy<Value = InFlight> {
    any::<bool>().prop_map(|drop| if drop { InFlight::Drop } else { InFlight::Deliver })
}

/// Something that is done, and how long after it is undone.
fn step() -> impl Strategy<Value = (Do, u64)> {
    let send =
        || (site(), site(), 1u64..4_000).prop_map(|(from, to, bytes)| (Do::Send(from, to, 0, bytes), 0));
    let cut =
        (site(), in_flight(), any::<bool>(), 1u64..9_000).prop_map(|(site, in_flight, one_way, lasts)| {
            let others: Vec<Site> = (0..SITES).map(Site).filter(|other| *other != site).collect();
            let mut partition = Partition::new(SITES as usize, in_flight);
            match one_way {
                true => partition = Partition::one_way(SITES as usize, &[site], &others, in_flight),
                false => {
                    partition.put(site, 1 << 0);
                    others.iter().for_each(|other| partition.put(*other, 1 << 1));
                }
            }
            (Do::Cut(partition), lasts)
        });
    let down =
        (site(), any::<bool>(), in_flight(), 1u64..5_000).prop_map(|(site, machine, in_flight, lasts)| {
            let loss = if machine { Loss::Machine } else { Loss::Process };
            (Do::Down(site, loss, in_flight), lasts)
        });
    let impair = (site(), site(), 0.0f64..1.0, 1u64..5_000).prop_map(|(from, to, loss, lasts)| {
        let mut impairment = Impairment::between([from], [to]);
        (impairment.loss, impairment.duplicate) = (loss, loss / 2.0);
        (Do::Impair(impairment), lasts)
    });
    prop_oneof![12 => send(), 1 => cut, 1 => down, 1 => impair]
}

/// The steps with times, packets and undoings filled in.
fn schedule(steps: Vec<(u64, (Do, u64))>) -> Vec<(u64, Do)> {
    let (mut now, mut packet, mut cuts, mut impairments) = (0, 0, 0, 0);
    let mut all = Vec::new();
    for (wait, (mut what, lasts)) in steps {
        now += wait;
        let undo = match &mut what {
            Do::Send(_, _, number, _) => {
                *number = packet;
                packet += 1;
                None
            }
            Do::Cut(_) => {
                cuts += 1;
                Some(Do::Heal(cuts - 1))
            }
            Do::Impair(_) => {
                impairments += 1;
                Some(Do::Relieve(impairments - 1))
            }
            Do::Down(site, loss, _) => Some(Do::Up(*site, *loss)),
            _ => None,
        };
        all.push((now, what));
        all.extend(undo.map(|undo| (now + lasts, undo)));
    }
    all.sort_by_key(|(at, _)| *at);
    all
}

fn settings() -> impl Strategy<Value = NetworkSettings> {
    let link = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (link, any::<bool>()).prop_map(|((ordered, narrow, lossy, jitter, small), around)| NetworkSettings {
        routing: if around { Routing::ShortestSurvivingPath } else { Routing::Direct },
        default: LinkSettings {
            ordered: Some(ordered),
            bandwidth: narrow.then(|| Bandwidth::bits_per_second(300_000)),
            loss: lossy.then(|| Share::new(0.1)),
            duplicate: lossy.then(|| Share::new(0.1)),
            jitter: jitter.then(|| Law::Exponential { mean: ms(30) }),
            window: small.then(|| Bytes::new(4_000)),
            buffer: small.then(|| Bytes::new(6_000)),
            user_timeout: small.then(|| ms(700)),
            ..LinkSettings::default()
        },
        ..NetworkSettings::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_message_comes_out_exactly_once_and_in_order(
        settings in settings(),
        steps in prop::collection::vec((0u64..60, step()), 1..250),
        seed in 0u64..1_000,
        rtt in prop::sample::select(vec![1, 40, 1_500]),
    ) {
        let steps = schedule(steps);
        let seen = run(&mut sites(SITES, ms(rtt), &settings, seed), steps.clone());

        let mut links = BTreeMap::new();
        for (_, what) in &steps {
            if let Do::Send(from, to, packet, _) = what {
                links.insert(*packet, (*from, *to));
            }
        }
        let mut out = BTreeMap::new();
        for (arrival, at) in &seen {
            match arrival {
                Arrival::Delivered(packet) | Arrival::Lost(packet) => {
                    prop_assert!(out.insert(packet.0, *at).is_none(), "{} came out twice", packet.0);
                }
                Arrival::Copy(packet) => {
                    prop_assert!(!out.contains_key(&packet.0), "a copy of {} after it", packet.0);
                    prop_assert_eq!(settings.default.ordered, Some(false));
                }
            }
        }
        prop_assert_eq!(out.keys().collect::<Vec<_>>(), links.keys().collect::<Vec<_>>());

        // A process that was killed leaves its kernel sending beside its successor; else an ordered link keeps the order.
        let killed = steps.iter().any(|(_, what)| matches!(what, Do::Down(_, Loss::Process, _)));
        let ordered = settings.default.ordered == Some(true);
        if ordered && !killed {
            let mut last = BTreeMap::new();
            for (arrival, _) in &seen {
                if let Arrival::Delivered(packet) = arrival {
                    let before = last.insert(links[&packet.0], packet.0);
                    prop_assert!(before < Some(packet.0), "{packet:?} after {before:?}");
                }
            }
        }
        let calm = settings.default.user_timeout.is_none()
            && steps.iter().all(|(_, what)| matches!(what, Do::Send(..) | Do::Impair(_) | Do::Relieve(_)));
        if ordered && calm {
            prop_assert!(seen.iter().all(|(arrival, _)| matches!(arrival, Arrival::Delivered(_))));
        }

        // The same again is the same again.
        prop_assert_eq!(&run(&mut sites(SITES, ms(rtt), &settings, seed), steps), &seen);
    }
}
