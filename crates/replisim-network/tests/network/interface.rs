//! The queue at a sender's interface. Links of 1 Mbit/s: 1250 bytes take 10 ms to get onto the wire, and then 20 ms.

use replisim_engine::{Bandwidth, Bytes};
use replisim_network::{InFlight, LinkSettings, Loss, Partition};

use super::bench::{A, B, Do, Seen, isolate_a, outcome, pair, unordered};

const LOST: Result<u64, &str> = Err("lost");

fn narrow(settings: LinkSettings) -> LinkSettings {
    LinkSettings { bandwidth: Some(Bandwidth::bits_per_second(1_000_000)), ..settings }
}

/// Six messages at 0, which leave at 10, 20 … 60 ms, and what happens to them.
#[track_caller]
fn check(why: &str, settings: LinkSettings, steps: &[(u64, Do)], expected: [Result<u64, &'static str>; 7]) {
    let mut all: Vec<_> = (0..6).map(|i| (0, Do::Send(A, B, i, 1_250))).collect();
    all.extend_from_slice(steps);
    let mut seen = outcome(&mut pair(narrow(settings)), all);
    seen.sort();
    let expected: Vec<Seen> = (0..).zip(expected).collect();
    assert_eq!(seen, expected, "{why}");
}

#[test]
fn what_waits_at_the_interface_dies_with_the_machine_but_not_with_the_process() {
    let steps = |loss| {
        let send = Do::Send(A, B, 6, 1_250);
        [(32, Do::Down(A, loss, InFlight::Deliver)), (35, Do::Up(A, loss)), (36, send)]
    };
    let (machine, process) = (steps(Loss::Machine), steps(Loss::Process));
    let (o0, o1, o2) = (Ok(30), Ok(40), Ok(50));
    // The message after that finds an empty interface; on an ordered link, after a round trip to connect.
    check("unordered", unordered(), &machine, [o0, o1, o2, LOST, LOST, LOST, Ok(36 + 30)]);
    check("ordered", LinkSettings::default(), &machine, [o0, o1, o2, LOST, LOST, LOST, Ok(36 + 40 + 30)]);
    check("unordered, process", unordered(), &process, [o0, o1, o2, Ok(60), Ok(70), Ok(80), Ok(90)]);
    // To connect it waits for its turn.
    let last = Ok(60 + 40 + 30);
    check("ordered, process", LinkSettings::default(), &process, [o0, o1, o2, Ok(60), Ok(70), Ok(80), last]);
}

#[test]
fn what_leaves_the_interface_during_a_cut_is_lost_and_what_leaves_it_after_is_not() {
    let cut = |in_flight| {
        [(25, Do::Cut(isolate_a(2, in_flight))), (40, Do::Send(A, B, 6, 1_250)), (45, Do::Heal(0))]
    };
    let deliver = cut(InFlight::Deliver);
    check("unordered", unordered(), &deliver, [Ok(30), Ok(40), LOST, LOST, Ok(70), Ok(80), Ok(90)]);
    // The third message after the gap arrives at 90; its acknowledgement, at 110, has both sent again.
    let again = [Ok(30), Ok(40), Ok(140), Ok(150), Ok(150), Ok(150), Ok(150)];
    check("ordered", LinkSettings::default(), &deliver, again);
    // A cut that drops what is on the wire empties the interface.
    check("drop", unordered(), &cut(InFlight::Drop), [LOST, LOST, LOST, LOST, LOST, LOST, Ok(70)]);
    let flapping: Vec<_> = [(15, 22), (35, 42), (52, 58)]
        .into_iter()
        .enumerate()
        .flat_map(|(i, (from, until))| {
            [(from, Do::Cut(isolate_a(2, InFlight::Deliver))), (until, Do::Heal(i))]
        })
        .chain([(59, Do::Send(A, B, 6, 1_250))])
        .collect();
    check("flapping", unordered(), &flapping, [Ok(30), LOST, Ok(50), LOST, Ok(70), Ok(80), Ok(90)]);
}

#[test]
fn an_acknowledgement_waits_for_its_turn_and_is_lost_if_that_comes_during_a_cut() {
    // Message 0 arrives at 28; its acknowledgement waits for message 2, which leaves B at 35, and lets message 1 go at 55.
    // Lost with message 2, it is missed until the time-out is over, at 240. The probe arrives at 268; its acknowledgement
    // waits again for message 2, whose own probe, of 255, leaves B at 275.
    for (cut, second) in [(false, 55 + 28), (true, 275 + 20 + 28)] {
        let settings = LinkSettings { window: Some(Bytes::new(1_000)), ..LinkSettings::default() };
        let mut steps = vec![
            (0, Do::Send(A, B, 0, 1_000)),
            (0, Do::Send(A, B, 1, 1_000)),
            (15, Do::Send(B, A, 2, 2_500)),
        ];
        if cut {
            steps.extend([
                (30, Do::Cut(Partition::one_way(2, &[B], &[A], InFlight::Deliver))),
                (40, Do::Heal(0)),
            ]);
        }
        let mut seen = outcome(&mut pair(narrow(settings)), steps);
        seen.retain(|(packet, _)| *packet != 2);
        assert_eq!(seen, [(0, Ok(28)), (1, Ok(second))], "cut: {cut}");
    }
}
