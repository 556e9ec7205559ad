//! When the operations of workloads come and how they wait for each other, against answers worked out by hand.

use crate::support::load;
use crate::workloads::{BASE, Done, ms, operations};
use replisim_experiment::run::run_seed;
use replisim_observe::{Outcome, Said};

/// Writes of a client 10 ms from the primary: each takes 20 ms.
fn writes(settings: &str) -> String {
    format!("{BASE}workload: [{{ name: w, at: C, reads: 0%, {settings} }}]\n")
}

/// What must hold of every run.
fn adds_up(yaml: &str) {
    let accounting = run_seed(&load(yaml), 1, &()).unwrap().findings.accounting;
    assert!(accounting.holds(), "{yaml}: {accounting:?}");
}

#[test]
fn a_closed_loop_makes_clients_by_think_and_answer_time_operations() {
    // Due at think, and every think + answer from then on, up to but not at 2 s.
    for (clients, think, extra, each) in [
        (1, 30, "", 40),                            // 30, 80, …, 1980
        (3, 30, "", 40),                            // the same, side by side
        (5, 0, "", 100),                            // 0, 20, …, 1980
        (2, 60, ", writes: read-modify-write", 20), // 60, 160, …, 1960: a read and a write are one
        (4, 0, ", connections: 1", 25),             // one after the other: what one can do, shared by four
    ] {
        let arrivals =
            format!("{{ closed-loop: {{ clients: {clients}, think: {{ constant: {think}ms }} }} }}");
        let yaml = writes(&format!("arrivals: {arrivals}{extra}, read-from: primary"));
        let reads_first = extra.contains("read");
        let begun = |done: &&Done| ms(done.invoked) < 2000.0 && done.write.is_none() == reads_first;
        let begun = operations(&yaml).0.iter().filter(begun).count();
        assert_eq!(begun, clients * each, "{clients} clients, {think} ms{extra}");
        adds_up(&yaml);
    }
}

#[test]
fn a_client_of_a_closed_loop_goes_on_after_an_operation_that_it_has_given_up() {
    let closed = "{ closed-loop: { clients: 1, think: { constant: 10ms } } }";
    let crash = "faults: [{ at: 0s, crash: { nodes: [p] } }]\n";
    let yaml = writes(&format!("arrivals: {closed}, timeout: 90ms")) + crash;
    let moments: Vec<f64> = operations(&yaml).0.iter().map(|done| ms(done.invoked)).collect();
    assert_eq!(moments, (0..20).map(|i| 10.0 + 100.0 * f64::from(i)).collect::<Vec<_>>());
    adds_up(&yaml);
}

/// How many operations are due from one moment to another, in milliseconds.
fn due(done: &[Done], from: f64, to: f64) -> f64 {
    done.iter().filter(|done| (from..to).contains(&ms(done.scheduled))).count() as f64
}

/// A Poisson number within its error.
fn is_about(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 4.5 * expected.sqrt(), "{what}: {found}, not {expected}");
}

#[test]
fn bursts_come_at_their_rate_while_they_last_and_at_the_other_between_them() {
    for (idle, expected) in [("", 0.0), (", idle-rate: 500/s", 750.0)] {
        let bursts = format!("rate: 4000/s, on: {{ constant: 100ms }}, off: {{ constant: 300ms }}{idle}");
        let (done, _) = operations(&writes(&format!("arrivals: {{ bursts: {{ {bursts} }} }}")));
        let count = |from, to| {
            (0..5).map(|i| due(&done, 400.0 * f64::from(i) + from, 400.0 * f64::from(i) + to)).sum()
        };
        is_about(count(0.0, 50.0), 1000.0, "first halves of bursts");
        is_about(count(50.0, 100.0), 1000.0, "second halves");
        is_about(count(100.0, 400.0), expected, "between");
    }
}

#[test]
fn a_curve_of_rates_has_as_many_operations_as_the_area_below_it() {
    let points = "[{ at: 200ms, rate: 1000/s }, { at: 1s, rate: 9000/s }, { at: 1s, rate: 2000/s }, { at: 1600ms, rate: 500/s }]";
    let (done, _) = operations(&writes(&format!("arrivals: {{ curve: {points} }}")));
    for (from, to, expected) in [
        (0.0, 200.0, 200.0),     // 1000/s before the first point
        (200.0, 600.0, 1200.0),  // 1000 to 5000/s
        (600.0, 1000.0, 2800.0), // 5000 to 9000/s
        (1000.0, 1300.0, 487.5), // 2000 to 1250/s
        (1300.0, 1600.0, 262.5), // 1250 to 500/s
        (1600.0, 2000.0, 200.0), // 500/s after the last
    ] {
        is_about(due(&done, from, to), expected, &format!("{from} to {to} ms"));
    }
}

#[test]
fn where_a_curve_is_at_zero_nothing_comes_and_around_it_the_area_below() {
    let points = "[{ at: 0s, rate: 0/s }, { at: 600ms, rate: 6000/s }, { at: 900ms, rate: 0/s }, { at: 1200ms, rate: 0/s }, \
                  { at: 1200ms, rate: 4000/s }, { at: 1700ms, rate: 0/s }]";
    let (done, _) = operations(&writes(&format!("arrivals: {{ curve: {points} }}")));
    for (from, to, expected) in [
        (0.0, 300.0, 450.0),      // 0 to 3000/s
        (300.0, 600.0, 1350.0),   // 3000 to 6000/s
        (600.0, 900.0, 900.0),    // 6000/s to 0
        (900.0, 1200.0, 0.0),     // nobody
        (1200.0, 1700.0, 1000.0), // 4000/s to 0
        (1700.0, 2000.0, 0.0),    // as after the last point
    ] {
        is_about(due(&done, from, to), expected, &format!("{from} to {to} ms"));
    }
}

#[test]
fn a_flat_curve_is_a_poisson_process_of_that_rate() {
    let of = |arrivals: &str| -> Vec<f64> {
        operations(&writes(&format!("arrivals: {arrivals}"))).0.iter().map(|done| ms(done.invoked)).collect()
    };
    let (flat, poisson) = (of("{ curve: [{ at: 0s, rate: 400/s }] }"), of("{ poisson: 400/s }"));
    assert_eq!(flat.len(), poisson.len());
    assert!(flat.iter().zip(&poisson).all(|(a, b)| (a - b).abs() < 1e-5), "the same draws");
}

#[test]
fn with_one_connection_writes_wait_in_line_and_latency_counts_from_when_they_were_due() {
    // Due every 10 ms, each takes 20: the k-th waits 10 k.
    let yaml =
        writes("arrivals: { fixed: 100/s }, connections: 1").replace("duration: 2s", "duration: 500ms");
    let (done, _) = operations(&yaml);
    assert_eq!(done.len(), 50);
    for (k, done) in done.iter().enumerate() {
        let (due, invoked, ended) = (ms(done.scheduled), ms(done.invoked), ms(done.ended.unwrap().0));
        let k = k as f64;
        assert!(
            (invoked - due - 10.0 * k).abs() < 1e-4 && (ended - invoked - 20.0).abs() < 1e-4,
            "{k}: {done:?}"
        );
    }
    adds_up(&yaml);
}

#[test]
fn with_c_connections_c_operations_are_under_way() {
    // Two take 20 ms each and come every 10 ms: nobody waits. Three times as many do, unless there are six.
    for (rate, connections, waits) in
        [(100, 2, false), (100, 1, true), (300, 5, true), (300, 6, false), (300, 7, false)]
    {
        let yaml = writes(&format!("arrivals: {{ fixed: {rate}/s }}, connections: {connections}"));
        let (done, _) = operations(&yaml);
        let waited = done.iter().any(|done| done.invoked.since(done.scheduled).nanos() > 1_000);
        assert_eq!(waited, waits, "{rate}/s over {connections}");
    }
}

#[test]
fn who_is_in_line_until_its_time_is_up_has_certainly_failed() {
    // The first reads until 20 and writes until 40 ms after it was due. The second, due at 10, waits until 35.
    let yaml = writes(
        "arrivals: { fixed: 100/s }, connections: 1, writes: read-modify-write, timeout: 25ms, read-from: primary",
    );
    let (done, _) = operations(&yaml);
    let start = ms(done[0].invoked);
    let ends: Vec<_> = done[..4]
        .iter()
        .map(|done| {
            let (at, outcome, said) = done.ended.unwrap();
            let since = |at| (1e3 * (ms(at) - start)).round() / 1e3;
            (since(done.scheduled), since(done.invoked), since(at), outcome, said.is_some())
        })
        .collect();
    let expected = [
        (0.0, 0.0, 20.0, Outcome::Ok, true),
        (20.0, 20.0, 40.0, Outcome::Ok, true),
        (10.0, 35.0, 35.0, Outcome::Failed, false),
        (20.0, 40.0, 45.0, Outcome::Unknown, false),
    ];
    assert_eq!(ends, expected);
    adds_up(&yaml);
}

#[test]
fn the_writes_of_one_session_do_not_make_the_reads_of_another_wait() {
    // A replica that is 40 ms behind refuses reads of sessions that have just written.
    let refused = |sessions: &str| {
        let reads = "reads: 50%, consistency: { session: { behind: refuse } }, read-from: { node: r }";
        let yaml = format!(
            "{BASE}workload: [{{ name: w, at: C, arrivals: {{ poisson: 200/s }}, {reads}{sessions} }}]\n"
        );
        let (done, _) = operations(&yaml);
        let said = |done: &&Done| matches!(done.ended, Some((_, _, Some(Said::Refused))));
        done.iter().filter(said).count()
    };
    let (one, few, many) = (refused(""), refused(", sessions: 5"), refused(", sessions: 100000"));
    assert_eq!(one, refused(", sessions: 1"));
    assert!(one > 2 * few && few > 0 && many == 0, "{one}, {few}, {many}");
}
