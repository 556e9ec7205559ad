//! Sites that go down and come up again, and what that does to connections. One way takes 20 ms.

use replisim_engine::{Bytes, Time};
use replisim_network::{Arrival, InFlight, LinkSettings, Loss, Packet, Partition, Site};

use super::bench::{A, B, Do, Seen, isolate_a, ms, outcome, pair, run, sends, unordered};

const DELIVER: InFlight = InFlight::Deliver;
const LOST: Result<u64, &str> = Err("lost");

#[track_caller]
fn check(why: &str, settings: LinkSettings, steps: Vec<(u64, Do)>, expected: &[Seen]) {
    let mut seen = outcome(&mut pair(settings), steps);
    seen.sort();
    assert_eq!(seen, expected, "{why}");
}

fn with_sends(mut steps: Vec<(u64, Do)>, at: &[u64]) -> Vec<(u64, Do)> {
    steps.extend(sends(at.iter().copied()));
    steps
}

fn down(site: Site, loss: Loss) -> Do {
    Do::Down(site, loss, DELIVER)
}

/// Two messages of which one fits into the window at a time, and a buffer for three; the sender dies at 10 ms.
fn dying_sender(loss: Loss) -> Vec<(u64, Do)> {
    let mut steps: Vec<_> = (0..5).map(|i| (0, Do::Send(A, B, i, 1_000))).collect();
    steps.extend([(10, down(A, loss)), (200, Do::Up(A, loss)), (300, Do::Send(A, B, 5, 1_000))]);
    steps
}

#[test]
fn what_the_kernel_has_survives_its_process_and_dies_with_the_machine() {
    let settings = || LinkSettings {
        window: Some(Bytes::new(1_000)),
        buffer: Some(Bytes::new(3_000)),
        ..LinkSettings::default()
    };
    // Message 0 is on the wire, 1 and 2 in the kernel's buffer, 3 and 4 with the process. Later a new connection: a round
    // trip before the message.
    let after = (5, Ok(300 + 40 + 20));
    check(
        "process",
        settings(),
        dying_sender(Loss::Process),
        &[(0, Ok(20)), (1, Ok(60)), (2, Ok(100)), (3, LOST), (4, LOST), after],
    );
    check(
        "machine",
        settings(),
        dying_sender(Loss::Machine),
        &[(0, Ok(20)), (1, LOST), (2, LOST), (3, LOST), (4, LOST), after],
    );
    let mut dropped = dying_sender(Loss::Machine);
    dropped[5] = (10, Do::Down(A, Loss::Machine, InFlight::Drop));
    check(
        "machine, with what is on the wire",
        settings(),
        dropped,
        &[(0, LOST), (1, LOST), (2, LOST), (3, LOST), (4, LOST), after],
    );
}

#[test]
fn a_message_between_two_dead_machines_is_lost_when_it_would_arrive() {
    let steps = vec![
        (10, down(A, Loss::Machine)),
        (15, down(B, Loss::Machine)),
        (100, Do::Up(A, Loss::Machine)),
        (100, Do::Up(B, Loss::Machine)),
    ];
    let seen = run(&mut pair(LinkSettings::default()), with_sends(steps, &[0]));
    assert_eq!(seen, [(Arrival::Lost(Packet(0)), Time::ZERO + ms(20))]);
}

#[test]
fn a_killed_process_still_retransmits_through_its_kernel() {
    // Lost at 0; a probe at 240, through at 480 ms, though the process died at 100 and another sends at 300.
    let steps = vec![
        (0, Do::Cut(isolate_a(2, DELIVER))),
        (100, down(A, Loss::Process)),
        (250, Do::Heal(0)),
        (260, Do::Up(A, Loss::Process)),
    ];
    check("kernel", LinkSettings::default(), with_sends(steps, &[0, 300]), &[(0, Ok(500)), (1, Ok(360))]);
}

#[test]
fn a_process_that_is_down_resets_refuses_and_is_found_again() {
    let steps = vec![(50, down(B, Loss::Process)), (400, Do::Up(B, Loss::Process))];
    let at = [
        10,  // arrives
        40,  // meets the dead process at 60; the reset is back at 80
        70,  // as well
        100, // connects, is refused at 140: not again before 240
        200, // lost at once
        250, // connects, is refused at 290: not again before 490
        450, // lost at once, though the process is up again
        500, // connects
        501, // waits for the connection too
    ];
    check(
        "process down",
        LinkSettings::default(),
        with_sends(steps, &at),
        &[
            (0, Ok(30)),
            (1, LOST),
            (2, LOST),
            (3, LOST),
            (4, LOST),
            (5, LOST),
            (6, LOST),
            (7, Ok(560)),
            (8, Ok(560)),
        ],
    );
}

#[test]
fn refusals_are_told_when_the_answer_is_back() {
    let steps = with_sends(vec![(50, down(B, Loss::Process))], &[40, 100, 200]);
    let seen = outcome(&mut pair(LinkSettings::default()), steps);
    // Reset at 80, refused at 140, lost at once at 200: the order of events, and nothing else.
    assert_eq!(seen, [(0, LOST), (1, LOST), (2, LOST)]);
}

#[test]
fn a_machine_that_comes_back_resets_old_connections_at_their_next_retransmission() {
    // Lost at 60 (machine down since 50); probe at 280, time-outs at 520, 1000, 1960: at 1000 the machine is back.
    // The reset is there at 1040; the next message connects anew.
    let steps = vec![(50, down(B, Loss::Machine)), (900, Do::Up(B, Loss::Machine))];
    check(
        "machine back",
        LinkSettings::default(),
        with_sends(steps, &[40, 1_030, 1_100]),
        &[(0, LOST), (1, LOST), (2, Ok(1_160))],
    );
}

#[test]
fn a_machine_that_stays_away_exhausts_patience() {
    let steps = vec![(50, down(B, Loss::Machine))];
    let seen = outcome(&mut pair(LinkSettings::default()), with_sends(steps, &[40, 20_000, 31_000]));
    // 30 s after message 0, then 30 s of connecting for message 2.
    assert_eq!(seen, [(0, LOST), (1, LOST), (2, LOST)]);
}

#[test]
fn connecting_during_a_cut_is_tried_again_after_1_2_4_seconds() {
    // A has been down, so its first message needs a connection; the first attempt is at 100 ms, the next at 1100, 3100, 7100.
    for (heal, through) in [(1_000, 1_160), (1_200, 3_160), (3_000, 3_160), (3_200, 7_160), (7_000, 7_160)] {
        let steps = vec![
            (10, down(A, Loss::Process)),
            (20, Do::Up(A, Loss::Process)),
            (50, Do::Cut(isolate_a(2, DELIVER))),
            (heal, Do::Heal(0)),
        ];
        check(
            "connecting in a cut",
            LinkSettings::default(),
            with_sends(steps, &[100, 200]),
            &[(0, Ok(through)), (1, Ok(through))],
        );
    }
}

#[test]
fn a_process_may_die_while_the_connection_it_gave_up_still_has_messages_on_the_wire() {
    // Acknowledgements are cut; after 100 ms without any the connection is given up, with message 1 still on the wire and
    // message 2 lost behind it.
    let settings = LinkSettings { user_timeout: Some(ms(100)), ..LinkSettings::default() };
    let steps = vec![
        (0, Do::Cut(Partition::one_way(2, &[B], &[A], DELIVER))),
        (96, Do::Cut(Partition::one_way(2, &[A], &[B], DELIVER))),
        (110, down(A, Loss::Process)),
        (150, Do::Up(A, Loss::Process)),
        (200, Do::Heal(0)),
        (200, Do::Heal(1)),
    ];
    let expected = [(0, Ok(20)), (1, Ok(115)), (2, LOST), (3, Ok(360))];
    check("given up", settings, with_sends(steps, &[0, 95, 97, 300]), &expected);
}

#[test]
fn unordered_messages_to_a_site_that_is_down_are_lost() {
    for loss in [Loss::Process, Loss::Machine] {
        let steps = vec![(50, down(B, loss)), (100, Do::Up(B, loss)), (200, down(A, loss))];
        check(
            "unordered",
            unordered(),
            with_sends(steps, &[20, 40, 70, 90, 195, 205]),
            &[(0, Ok(40)), (1, LOST), (2, LOST), (3, Ok(110)), (4, Ok(215)), (5, LOST)],
        );
    }
}

#[test]
fn a_site_is_as_dead_as_the_worst_that_it_suffers() {
    let (process, machine) = (Loss::Process, Loss::Machine);
    let (refused, silent) = (LOST, Ok(3_160));
    // B suffers this; A connects anew at 100 ms and is refused by a dead process, but tries again after 1 s and 3 s
    // where nothing answers; at 2 s all is well again.
    for (why, suffers, early, fate) in [
        ("process", vec![process], vec![], refused),
        ("machine", vec![machine], vec![], silent),
        ("a process on a dead machine", vec![machine, process], vec![], silent),
        ("a machine after its process", vec![process, machine], vec![], silent),
        ("the machine is back, the process is not", vec![machine, process], vec![machine], refused),
        ("the process ended first", vec![process, machine], vec![process], silent),
        ("two machines' worth", vec![machine, machine], vec![machine], silent),
    ] {
        let mut steps = vec![(10, down(A, process)), (11, Do::Up(A, process))];
        steps.extend(suffers.iter().map(|loss| (50, down(B, *loss))));
        steps.extend(early.iter().map(|loss| (60, Do::Up(B, *loss))));
        let mut late = suffers.clone();
        early.iter().for_each(|loss| {
            late.swap_remove(late.iter().position(|other| other == loss).unwrap());
        });
        steps.extend(late.iter().map(|loss| (2_000, Do::Up(B, *loss))));
        check(why, LinkSettings::default(), with_sends(steps, &[100]), &[(0, fate)]);
    }
}
