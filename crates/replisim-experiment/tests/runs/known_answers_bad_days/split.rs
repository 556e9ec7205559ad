//! A primary that nobody fences is cut off: what it goes on to take is lost.

use replisim_scenario::Statistic;

use super::poisson::check_poisson;
use crate::support::answers::{check, of_each, runs, seeds_of};

const HEARTBEAT_MS: f64 = 10.0;

/// Three nodes, `one_way_ms` between any two; the primary is cut off at 500 ms, its clients are `client_ms` away. The
/// cut lasts long enough for the others to elect another.
fn split(rate: f64, one_way_ms: f64, client_ms: f64, lasts_ms: f64, partition: &str) -> String {
    format!(
        "
duration: {}ms
topology: {{ nodes: {{ p: P, r1: R1, r2: R2 }} }}
network:
  default: {{ latency: {{ constant: {one_way_ms}ms }}, ordered: false }}
  same-zone: {{ latency: {{ constant: {client_ms}ms }} }}
protocol:
  primary-backup:
    heartbeat: {HEARTBEAT_MS}ms
    failover: {{ automatic: {{ after: {}ms }} }}
    fencing: false
workload:
  - {{ name: writers, at: P, arrivals: {{ poisson: {rate}/s }}, reads: 0%, timeout: 100ms }}
faults:
  - {{ at: 500ms, partition: {{ isolate: [p], {partition} }}, for: {lasts_ms}ms }}
",
        lasts_ms + 1_000.0,
        10.0 * one_way_ms
    )
}

#[test]
fn a_cut_off_primary_with_its_clients_loses_what_they_write_until_it_hears_of_the_new_term() {
    // The new primary tells it at its first heartbeat after the heal: half a heartbeat, on average, and one way. The
    // answer to its own messages would take two ways. What was on the wire as the cut began arrives, or is lost too.
    for (i, (rate, one_way_ms, lasts_ms, in_flight)) in [
        (500.0, 12.0, 1_000.0, "deliver"),
        (500.0, 50.0, 1_500.0, "deliver"),
        (500.0, 50.0, 1_500.0, "drop"),
        (200.0, 20.0, 3_000.0, "drop"),
    ]
    .into_iter()
    .enumerate()
    {
        let yaml = split(rate, one_way_ms, 1.0, lasts_ms, &format!("in-flight: {in_flight}"));
        let lost = of_each(&runs(&yaml, seeds_of(i)), "lost_writes", None, Statistic::Count);
        let on_the_wire_ms = if in_flight == "drop" { one_way_ms } else { 0.0 };
        let until_heard_ms = one_way_ms + HEARTBEAT_MS / 2.0;
        let expected = rate * (on_the_wire_ms + lasts_ms + until_heard_ms) / 1e3;
        let claim =
            format!("lost writes, {rate}/s, cut of {lasts_ms} ms, {one_way_ms} ms one way, {in_flight}");
        check_poisson(&claim, &lost, expected);
    }
}

#[test]
fn a_primary_cut_off_from_its_clients_too_loses_only_what_was_on_the_wire() {
    // Acknowledged, and not yet at a replica: committed between one way and the client's way before the cut.
    const RATE: f64 = 5_000.0;
    for (i, (one_way_ms, client_ms, in_flight)) in
        [(20.0, 0.0, "drop"), (25.0, 5.0, "drop"), (20.0, 0.0, "deliver"), (25.0, 5.0, "deliver")]
            .into_iter()
            .enumerate()
    {
        let partition = format!("with-clients: false, in-flight: {in_flight}");
        let yaml = split(RATE, one_way_ms, client_ms, 700.0, &partition);
        let lost = of_each(&runs(&yaml, seeds_of(i)), "lost_writes", None, Statistic::Count);
        let claim = format!("lost writes, clients cut off too, {one_way_ms} ms one way, {in_flight}");
        match in_flight {
            "drop" => check(&claim, &lost, RATE * (one_way_ms - client_ms) / 1e3, 0.0),
            _ => assert!(lost.iter().all(|lost| *lost == 0.0), "{claim}: {lost:?}"),
        }
    }
}
