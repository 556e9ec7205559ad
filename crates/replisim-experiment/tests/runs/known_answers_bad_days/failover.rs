//! Automatic fail-over: how long it takes, and that a fenced primary has stopped by then.

use replisim_observe::Member;
use replisim_scenario::Statistic;

use super::recording::Recording;
use crate::support::answers::{check, of_each, runs, samples, seeds_of, value};

/// Three nodes; `fault` happens at 2 s.
fn group(network: &str, after_ms: f64, heartbeat_ms: f64, rate: f64, fault: &str) -> String {
    format!(
        "
duration: 6s
topology: {{ nodes: {{ p: P, r1: R1, r2: R2 }} }}
network:
  default: {{ {network} }}
  same-zone: {{ latency: {{ constant: 0s }} }}
protocol:
  primary-backup:
    heartbeat: {heartbeat_ms}ms
    failover: {{ automatic: {{ after: {after_ms}ms }} }}
workload:
  - {{ name: writers, at: P, arrivals: {{ poisson: {rate}/s }}, reads: 0%, timeout: 100ms }}
faults:
  - {{ at: 2s, {fault}, for: 3s }}
"
    )
}

#[test]
fn a_successor_serves_after_suspicion_its_turn_and_two_rounds_of_votes() {
    // The last heartbeat was sent up to a heartbeat before the death, and arrives one way later; `after` that, both
    // replicas suspect, and stand when a time drawn between 0 and after/2 is over: the first of two after a sixth of
    // `after`. A trial and an election take a round trip each. (Both may stand so close together that their questions
    // cross; then the higher term wins, one way later at most.)
    for (i, (one_way_ms, after_ms, heartbeat_ms)) in
        [(5.0, 1_000.0, 100.0), (20.0, 1_000.0, 50.0), (1.0, 300.0, 100.0), (10.0, 2_000.0, 200.0)]
            .into_iter()
            .enumerate()
    {
        let network = format!("latency: {{ constant: {one_way_ms}ms }}");
        // Next to no writes: they would be signs of life too.
        let fault = "crash: { nodes: [p] }";
        let first = 1_000 * i as u64;
        let runs = runs(&group(&network, after_ms, heartbeat_ms, 0.001, fault), first..first + 200);
        let serve: Vec<f64> = of_each(&runs, "time_to_serve_ms", None, Statistic::Max);
        let serve: Vec<f64> = serve.iter().map(|nanos| nanos / 1e6).collect();
        let claim = format!(
            "time to serve, after {after_ms} ms, heartbeat {heartbeat_ms} ms, {one_way_ms} ms one way [ms]"
        );
        let least = after_ms - heartbeat_ms + 5.0 * one_way_ms;
        let most = 1.5 * after_ms + 6.0 * one_way_ms;
        assert!(serve.iter().all(|ms| (least..=most).contains(ms)), "{claim}: {least} to {most}: {serve:?}");
        let expected = 5.0 * one_way_ms + after_ms - heartbeat_ms / 2.0 + after_ms / 6.0;
        check(&claim, &serve, expected, one_way_ms * one_way_ms / (after_ms / 4.0));
    }
}

#[test]
fn a_primary_cut_off_from_its_group_is_lost_from_then_on_whoever_is_cut_off_with_it() {
    // Its own clients reach it until its lease is over, and cannot reach its successor: how much they write must not
    // decide how long the fail-over took.
    const AFTER_MS: f64 = 1_000.0;
    for (cut_off_rate, at) in
        [(5.0, 10), (49.0, 10), (50.0, 10), (51.0, 10), (300.0, 10), (5.0, 0), (300.0, 0)]
    {
        let yaml = format!(
            "
duration: 40s
topology: {{ nodes: {{ p: a/z, r1: b/z, r2: c/z }} }}
network: {{ default: {{ latency: {{ constant: 10ms }} }} }}
protocol: {{ primary-backup: {{ heartbeat: 100ms, failover: {{ automatic: {{ after: {AFTER_MS}ms }} }} }} }}
workload:
  - {{ name: cut-off, at: a/z, arrivals: {{ poisson: {cut_off_rate}/s }}, reads: 0%, timeout: 1s }}
  - {{ name: others, at: b/z, arrivals: {{ poisson: 50/s }}, reads: 0%, timeout: 1s }}
faults: [{{ at: {at}s, partition: {{ isolate: [a] }}, for: 20s }}]
"
        );
        for run in runs(&yaml, 1..6) {
            let [served, rto] = ["time_to_serve_ms", "rto_ms"].map(|slug| {
                let samples = samples(&run.findings, slug, None);
                assert_eq!(samples.count(), 1, "{slug} with {cut_off_rate}/s cut off at {at} s");
                samples.mean().expect("one sample") / 1e6
            });
            assert!((AFTER_MS - 100.0..1.5 * AFTER_MS + 60.0).contains(&served), "{served} ms");
            // The others find it by a time-out, or two.
            assert!((served..served + 2_500.0).contains(&rto), "{rto} ms after {served}");
        }
    }
}

#[test]
fn a_candidate_does_not_give_up_an_election_that_is_still_under_way() {
    // The two rounds take 4 ways, longer than the half of `after` that may pass before a member stands again.
    for (one_way_ms, after_ms) in [(50.0, 300.0), (100.0, 420.0)] {
        let network = format!("latency: {{ constant: {one_way_ms}ms }}");
        let yaml = group(&network, after_ms, 40.0, 0.001, "crash: { nodes: [p] }");
        let serve = of_each(&runs(&yaml, 1..101), "time_to_serve_ms", None, Statistic::Max);
        let longest_ms = serve.iter().copied().fold(0.0, f64::max) / 1e6;
        let most = 1.5 * after_ms + 6.0 * one_way_ms;
        println!(
            "after {after_ms} ms, {one_way_ms} ms one way: served within {longest_ms:.0} ms of {most} ms"
        );
        assert!(longest_ms <= most, "after {after_ms} ms, {one_way_ms} ms one way: {longest_ms} ms");
    }
}

#[test]
fn writes_succeed_again_a_time_out_after_the_successor_serves_at_the_latest() {
    // Writes sent to the dead node are given up after 100 ms; then the next node is asked, and sends on or serves.
    let network = "latency: { constant: 10ms }";
    let fault = "crash: { nodes: [p] }";
    let mut longest: f64 = 0.0;
    for run in runs(&group(network, 1_000.0, 100.0, 1_000.0, fault), seeds_of(0)) {
        let of = |slug| value(&run.findings, slug, None, Statistic::Max) / 1e6;
        let (serve, rto) = (of("time_to_serve_ms"), of("rto_ms"));
        assert_eq!(samples(&run.findings, "rto_ms", None).count_censored(), 0);
        // A time-out, two hops to and fro, a millisecond or so to the next write.
        let latest = serve + 100.0 + 2.0 * 20.0 + 10.0;
        assert!((serve..latest).contains(&rto), "served after {serve}, written after {rto}");
        longest = longest.max(rto - serve);
    }
    println!("from serving to the first ack: at most {longest:.1} ms of 40 runs");
}

#[test]
fn a_fenced_primary_that_is_cut_off_stops_within_after() {
    // The last heartbeat that was answered had been sent at least one way before the cut, on average half a heartbeat
    // earlier; counted from there by the primary's own clock, the lease is `after` less one heartbeat. Until then it
    // takes writes, and all of those are lost.
    const RATE: f64 = 1_000.0;
    for (i, (one_way_ms, after_ms, heartbeat_ms)) in
        [(10.0, 500.0, 50.0), (40.0, 1_000.0, 100.0), (5.0, 600.0, 100.0)].into_iter().enumerate()
    {
        let network = format!("latency: {{ constant: {one_way_ms}ms }}");
        let fault = "partition: { isolate: [p] }";
        let runs = runs(&group(&network, after_ms, heartbeat_ms, RATE, fault), seeds_of(i));
        let lost = of_each(&runs, "lost_writes", None, Statistic::Count);
        let stop_ms = after_ms - one_way_ms - 1.5 * heartbeat_ms;
        let claim = format!(
            "lost writes, fenced, after {after_ms} ms, heartbeat {heartbeat_ms} ms, {one_way_ms} ms one way"
        );
        check(&claim, &lost, RATE * stop_ms / 1e3, 0.0);
        let stale = of_each(&runs, "stale_primary_acks", None, Statistic::Count);
        assert!(stale.iter().all(|stale| *stale == 0.0), "{claim}: {stale:?}");
        // In every run, to the next write (within ten of their mean distances).
        let latest = 2_000.0 + after_ms - heartbeat_ms - one_way_ms;
        for seed in seeds_of(i).take(5) {
            let yaml = group(&network, after_ms, heartbeat_ms, RATE, fault);
            let last = Recording::of(&yaml, seed).last_accepted_by(Member(0)).expect("writes");
            assert!((latest - heartbeat_ms - 10.0..latest).contains(&last), "{claim}: {last} of {latest}");
        }
    }
}

#[test]
fn with_fencing_nobody_is_ever_acknowledged_by_a_primary_of_the_past() {
    for (i, acknowledge) in ["async", "semi-sync"].into_iter().enumerate() {
        let network = "latency: { lognormal: { median: 15ms, p99: 120ms } }";
        let fault = "partition: { isolate: [p] }";
        let yaml = group(network, 400.0, 40.0, 500.0, fault)
            .replace("    heartbeat", &format!("    acknowledge: {acknowledge}\n    heartbeat"));
        let runs = runs(&yaml, seeds_of(i));
        let stale = of_each(&runs, "stale_primary_acks", None, Statistic::Count);
        assert!(stale.iter().all(|stale| *stale == 0.0), "{acknowledge}: {stale:?}");
        // What async has acknowledged may be on the primary alone; of semi-sync, one of those who vote has it too.
        let lost = of_each(&runs, "lost_writes", None, Statistic::Count);
        assert!(lost.iter().all(|lost| (*lost > 0.0) == (acknowledge == "async")), "{acknowledge}: {lost:?}");
        let promoted = runs.iter().filter(|run| samples(&run.findings, "time_to_serve_ms", None).count() > 0);
        println!("{acknowledge}: no stale ack in {} runs, {} with a fail-over", runs.len(), promoted.count());
    }
}
