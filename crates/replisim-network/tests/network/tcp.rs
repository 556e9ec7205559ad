//! Ordered links on a working pair of sites: windows, losses, timers. One way takes 20 ms unless said otherwise.

use replisim_engine::{Bytes, Duration, Law, Share, Time};
use replisim_network::{Impairment, InFlight, LinkSettings, NetworkSettings, Partition};

use super::bench::{A, B, Do, delivered, isolate_a, ms, outcome, pair, run, sends, sites};

const SEGMENT: u64 = 1_448;

/// One message of `bytes` every 10 ms up to `last`, and a cut at 1000 ms of so many.
fn stream_with_cut(last: u64, lasts: u64, bytes: u64) -> Vec<(u64, Do)> {
    let mut steps = vec![(1_000, Do::Cut(isolate_a(2, InFlight::Deliver))), (1_000 + lasts, Do::Heal(0))];
    steps.extend((0..=last / 10).map(|i| (i * 10, Do::Send(A, B, i as u32, bytes))));
    steps
}

#[test]
fn after_a_cut_nothing_moves_until_the_timer_next_expires() {
    // The oldest message whose acknowledgement is lost is that of 980 ms. A probe goes out with its time-out, 240 ms later
    // (a round trip and 200 ms); from there the timer starts anew and expires at 1460, 1940, 2900, 4820, 8660 ms. Before
    // its first expiry new messages still go out: after a short cut, the third of them shows what was lost (20 ms after
    // the heal, and 40 ms for its acknowledgement).
    for (cut, first) in [
        (100, 1_180),
        (300, 1_380),
        (460, 1_480),
        (900, 1_960),
        (1_000, 2_920),
        (1_900, 2_920),
        (3_000, 4_840),
        (5_000, 8_680),
        (7_000, 8_680),
    ] {
        let arrivals = delivered(&mut pair(LinkSettings::default()), stream_with_cut(9_000, cut, 100));
        assert_eq!(arrivals.len(), 901, "nothing is lost");
        assert!(arrivals.is_sorted());
        let during = arrivals.iter().filter(|at| (1_020..first).contains(&(**at as u64))).count();
        assert_eq!((arrivals[99], arrivals[100], during), (1_010.0, first as f64, 0), "cut of {cut} ms");
    }
}

#[test]
fn after_five_seconds_of_cut_real_postgresql_needs_as_long() {
    // Measured (data/replication): 100 rows a second of 302 bytes each; the first new row came 3.07 s after the heal, all
    // rows that had been written before the heal 0.20 s after that one, and the lag was normal 0.33 s after it.
    // The window was 24 or 25 segments when the cut began; here a burst opens it to as much.
    let (heal, mut steps) = (6_000.0, stream_with_cut(12_000, 5_000, 302));
    steps.extend((0..25).map(|i| (500, Do::Send(A, B, 10_000 + i, SEGMENT))));
    let arrivals = delivered(&mut pair(LinkSettings::default()), steps);
    let first = arrivals[100];
    assert!((2_600.0..3_100.0).contains(&(first - heal)), "{first} ms");
    let backlog = arrivals[599] - first;
    assert!((150.0..350.0).contains(&backlog), "{backlog} ms"); // slow start counts bytes, Linux packets
    let on_time = |i: &usize| arrivals[*i] <= 10.0 * *i as f64 + 20.0;
    let normal = arrivals[(100..1_201).find(on_time).unwrap()] - first;
    assert!((250.0..500.0).contains(&normal), "{normal} ms");
}

#[test]
fn time_outs_double_from_the_last_message_too() {
    // A single message, lost: no probe before the time-out (it might wait for a delayed acknowledgement), so the probe
    // comes at 240 ms, and the timer expires at 480, 960, 1920 … ms after that one.
    for (heal, through) in
        [(230, 240), (250, 480), (500, 960), (1_000, 1_920), (2_000, 3_840), (4_000, 7_680)]
    {
        let mut steps = vec![(0, Do::Cut(isolate_a(2, InFlight::Deliver))), (heal, Do::Heal(0))];
        steps.extend(sends([0]));
        let seen = outcome(&mut pair(LinkSettings::default()), steps);
        assert_eq!(seen, [(0, Ok(through + 20))], "healed at {heal} ms");
    }
}

#[test]
fn what_a_cut_does_to_ordered_messages() {
    // Sent before (0, 40), during (60, 100) and after (320) a cut from 51 to 300 ms. A probe at 180, two round trips after
    // the last sending, is lost too; the timer runs from there and would expire at 420.
    for (in_flight, expected) in [
        // The message of 40 ms arrives, its acknowledgement does not; that of 320 ms makes up for it and restarts the timer.
        (InFlight::Deliver, [(0, Ok(20)), (1, Ok(60)), (2, Ok(620)), (3, Ok(620)), (4, Ok(620))]),
        (InFlight::Drop, [(0, Ok(20)), (1, Ok(440)), (2, Ok(440)), (3, Ok(440)), (4, Ok(440))]),
    ] {
        let mut steps = vec![(51, Do::Cut(isolate_a(2, in_flight))), (300, Do::Heal(0))];
        steps.extend(sends([0, 40, 60, 100, 320]));
        assert_eq!(outcome(&mut pair(LinkSettings::default()), steps), expected, "{in_flight:?}");
    }
}

#[test]
fn a_retransmission_is_waited_for_as_long_as_the_link_says() {
    let mut network = pair(LinkSettings::default());
    let mut steps = vec![(0, Do::Cut(isolate_a(2, InFlight::Deliver))), (300, Do::Heal(0))];
    steps.extend(sends([0, 1_000]));
    outcome(&mut network, steps);
    assert_eq!(network.waited_for_retransmission(A, B), ms(480));
    assert_eq!(network.waited_for_retransmission(B, A), ms(0));
}

#[test]
fn slow_start_doubles_with_each_round_trip() {
    let steps = (0..150).map(|i| (0, Do::Send(A, B, i, SEGMENT))).collect();
    let arrivals = delivered(&mut pair(LinkSettings::default()), steps);
    let round = |at: f64| arrivals.iter().filter(|arrival| **arrival == at).count();
    assert_eq!([20.0, 60.0, 100.0, 140.0].map(round), [10, 20, 40, 80]);
}

#[test]
fn an_idle_connection_starts_slowly_again() {
    // 70 messages open the window to 80; after a second of silence it is back at 10.
    let mut steps: Vec<_> = (0..70).map(|i| (0, Do::Send(A, B, i, SEGMENT))).collect();
    for (start, window) in [(300, 70), (2_000, 10)] {
        let from = steps.len() as u32;
        steps.extend((from..from + 70).map(|i| (start, Do::Send(A, B, i, SEGMENT))));
        let arrivals = delivered(&mut pair(LinkSettings::default()), steps.clone());
        let first = arrivals.iter().filter(|at| **at == (start + 20) as f64).count();
        assert_eq!(first, window, "at {start} ms");
        steps.truncate(70);
    }
}

#[test]
fn throughput_is_the_window_in_each_round_trip() {
    for (window, rtt) in [(64u64 << 10, 100), (256 << 10, 40), (3 << 20, 200)] {
        let settings = LinkSettings { window: Some(Bytes::new(window)), ..LinkSettings::default() };
        let settings = NetworkSettings { cross_region: settings, ..NetworkSettings::default() };
        let count = (window * 40 / 1_024) as u32;
        let steps = (0..count).map(|i| (0, Do::Send(A, B, i, 1_024))).collect();
        let arrivals = delivered(&mut sites(2, ms(rtt), &settings, 1), steps);
        // The second half, when slow start is over.
        let half = arrivals.len() / 2;
        let seconds = (arrivals[arrivals.len() - 1] - arrivals[half]) / 1e3;
        let bytes = ((arrivals.len() - half) * 1_024) as f64;
        let expected = window as f64 / (rtt as f64 / 1e3);
        let error = bytes / seconds / expected - 1.0;
        assert!(error.abs() < 0.02, "{window} B, {rtt} ms: {error}");
    }
}

#[test]
fn what_is_sent_after_a_loss_shows_it_what_was_sent_last_waits() {
    // Everything of one instant is lost. Twenty messages 10 ms apart; the loss hits number `lost`.
    let case = |lost: u64| {
        let mut impairment = Impairment::between([A], [B]);
        (impairment.loss, impairment.both) = (1.0, false);
        let mut steps = vec![(lost * 10 - 1, Do::Impair(impairment)), (lost * 10 + 1, Do::Relieve(0))];
        steps.extend(sends((0..20).map(|i| i * 10)));
        let mut network = pair(LinkSettings::default());
        let arrivals = delivered(&mut network, steps);
        assert!(arrivals.is_sorted() && arrivals.len() == 20);
        arrivals[lost as usize] - (lost * 10) as f64
    };
    for (lost, delay, why) in [
        // The acknowledgement of the third later message is back 40 ms after that was sent; then 20 ms.
        (5, 30.0 + 40.0 + 20.0, "three later messages arrive"),
        (16, 30.0 + 40.0 + 20.0, "just three"),
        // Two later messages: Disorder, in which Linux sends no probe; the timer runs from the last new acknowledgement,
        // that of number 16 (160 + 40), for 240 ms.
        (17, 200.0 + 240.0 + 20.0 - 170.0, "two later: the time-out"),
        // The last: a probe is due at once after two round trips, but alone it waits for the time-out of the message.
        (19, 240.0 + 20.0, "the last: the probe"),
    ] {
        assert_eq!(case(lost), delay, "{why}");
    }
}

#[test]
fn losses_cost_a_recovery_not_the_order() {
    let settings = LinkSettings { loss: Some(Share::new(0.01)), ..LinkSettings::default() };
    let arrivals = delivered(&mut pair(settings), sends((0..20_000).map(|i| i * 2)));
    assert_eq!(arrivals.len(), 20_000);
    assert!(arrivals.is_sorted());
    // Lost messages arrive about a round trip and three messages late.
    let late = arrivals.iter().enumerate().filter(|(i, at)| **at > 2.0 * *i as f64 + 20.5).count() as f64;
    assert!(late / 20_000.0 > 0.1 && late / 20_000.0 < 0.5, "{late}");
}

#[test]
fn a_healthy_link_with_jitter_delivers_in_order_and_never_times_out() {
    let settings =
        LinkSettings { jitter: Some(Law::Exponential { mean: ms(20) }), ..LinkSettings::default() };
    let mut network = pair(settings);
    let arrivals = delivered(&mut network, sends(0..2_000));
    assert!(arrivals.len() == 2_000 && arrivals.is_sorted());
    assert_eq!(network.waited_for_retransmission(A, B), Duration::ZERO);
}

#[test]
fn a_cut_of_acknowledgements_alone_delays_nothing_until_the_window_is_full() {
    let one_way = Partition::one_way(2, &[B], &[A], InFlight::Deliver);
    // 14480 bytes may be under way: 144 messages of 100 bytes.
    let mut steps = vec![(0, Do::Cut(one_way)), (200, Do::Heal(0))];
    steps.extend(sends(0..160));
    let arrivals = delivered(&mut pair(LinkSettings::default()), steps);
    assert_eq!(arrivals.len(), 160);
    let on_time = arrivals.iter().enumerate().filter(|(i, at)| **at == (*i + 20) as f64).count();
    assert_eq!(on_time, 144);
    assert!(arrivals[159] < 600.0);
}

#[test]
fn an_acknowledgement_dropped_on_the_wire_is_missed_by_a_full_window() {
    // The acknowledgement of message 0 is on the wire from 20 to 40 ms. Without it message 1 waits for a probe, which
    // waits for the time-out (240 ms), arrives as a duplicate, and brings another: 240 + 40 + 20.
    for (in_flight, second) in [(InFlight::Deliver, 60), (InFlight::Drop, 300)] {
        let settings = LinkSettings { window: Some(Bytes::new(100)), ..LinkSettings::default() };
        let cut = Partition::one_way(2, &[B], &[A], in_flight);
        let mut steps = vec![(30, Do::Cut(cut)), (35, Do::Heal(0))];
        steps.extend(sends([0, 0]));
        assert_eq!(outcome(&mut pair(settings), steps), [(0, Ok(20)), (1, Ok(second))], "{in_flight:?}");
    }
}

#[test]
fn patience_ends_after_the_user_time_out() {
    // Nothing is acknowledged for 30 s: the connection closes, the next message opens another.
    let mut steps = vec![(1_000, Do::Cut(isolate_a(2, InFlight::Deliver))), (40_000, Do::Heal(0))];
    steps.extend(sends([1_000, 20_000, 50_000]));
    let seen = run(&mut pair(LinkSettings::default()), steps);
    let at = |ms: u64| Time::from_nanos(ms * 1_000_000);
    use replisim_network::{Arrival::*, Packet};
    assert_eq!(
        seen,
        [
            (Lost(Packet(0)), at(31_000)),
            (Lost(Packet(1)), at(31_000)),
            (Delivered(Packet(2)), at(50_000 + 40 + 20))
        ]
    );
}
