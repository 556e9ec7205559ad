//! Measurements of real databases whose shape must come out: `data/replication` of the project's reference data,
//! PostgreSQL 15.18 with one streaming replica and Redis 7.0.15 with one replica, on one Linux machine between network
//! namespaces with a fixed delay. One measured run is one sample, so shapes are compared, not means.

use replisim_observe::Member;
use replisim_scenario::Statistic;

use super::poisson::check_poisson;
use super::recording::Recording;
use crate::support::answers::{of_each, runs, seeds_of};

#[test]
fn after_a_cut_of_five_seconds_a_replica_comes_back_as_that_of_postgresql() {
    // outage_summary.csv, pg_local_1sb_d20_r100_cut5s_cubic: 20 ms one way, 100 writes a second, a cut from 3.0 to 8.0 s.
    const MEASURED_FIRST_MS: f64 = 3_073.0;
    const MEASURED_ALL_MS: f64 = 3_276.3;
    const MEASURED_BACKLOG: f64 = 467.0;
    let yaml = "
duration: 13s
topology: { nodes: { p: P, r: R } }
network:
  default: { latency: { constant: 20ms } }
  same-zone: { latency: { constant: 0s } }
protocol: primary-backup
workload:
  - { name: writers, at: P, arrivals: { poisson: 100/s }, reads: 0%, value: 246B }  # 302 bytes on the wire
faults:
  - { at: 3s, partition: { isolate: [r] }, for: 5s }
";
    let (mut firsts, mut lasts, mut backlogs) = (Vec::new(), Vec::new(), Vec::new());
    for seed in seeds_of(0) {
        let shown = Recording::of(yaml, seed).shown_of_those_before(8_000.0, Member(1));
        let late: Vec<f64> = shown.iter().map(|at| at - 8_000.0).filter(|after| *after >= 0.0).collect();
        let (first, last) = (late[0], late[late.len() - 1]);
        assert!((2_300.0..3_400.0).contains(&first), "seed {seed}: {first} ms");
        assert!(last - first < 600.0, "seed {seed}: {} ms", last - first);
        firsts.push(first);
        lasts.push(last);
        backlogs.push(late.len() as f64);
    }
    for (what, real, ours) in [
        ("first missed write shown after the heal [ms]", MEASURED_FIRST_MS, &firsts),
        ("last missed write shown after the heal [ms]", MEASURED_ALL_MS, &lasts),
        ("writes missed in the cut", MEASURED_BACKLOG, &backlogs),
    ] {
        let least = ours.iter().copied().fold(f64::INFINITY, f64::min);
        let most = ours.iter().copied().fold(0.0, f64::max);
        println!("{what}: PostgreSQL {real}, simulated from {least:.0} to {most:.0}");
    }
    let expected = 100.0 * 5.0;
    check_poisson("writes missed in the cut", &backlogs, expected);
    assert!(
        (MEASURED_BACKLOG - expected).abs() < 3.0 * expected.sqrt(),
        "within the spread of a Poisson number"
    );
}

#[test]
fn a_killed_primary_loses_as_many_writes_as_redis() {
    // redis_failover.csv: acknowledged writes lost in each repeat, 5 ms one way (late: 20 ms too).
    let measured: [(f64, f64, u32, &[f64]); 6] = [
        (5.0, 100.0, 0, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
        (5.0, 400.0, 0, &[3.0, 2.0, 3.0, 2.0, 1.0, 2.0]),
        (5.0, 100.0, 300, &[0.0, 0.0, 0.0]),
        (5.0, 400.0, 300, &[0.0, 0.0, 0.0]),
        (20.0, 100.0, 300, &[0.0, 0.0, 0.0]),
        (20.0, 400.0, 300, &[0.0, 0.0, 0.0]),
    ];
    for (i, (one_way_ms, rate, promoted_after_ms, lost)) in measured.into_iter().enumerate() {
        let yaml = format!(
            "
duration: 2s
topology: {{ nodes: {{ p: P, r: R }} }}
network:
  default: {{ latency: {{ constant: {one_way_ms}ms }} }}
  same-zone: {{ latency: {{ constant: 0s }} }}
protocol: {{ primary-backup: {{ failover: manual, fencing: false }} }}
workload:
  - {{ name: writers, at: P, arrivals: {{ poisson: {rate}/s }}, reads: 0% }}
faults:
  - {{ at: 1500ms, crash: {{ nodes: [p], scope: process }} }}
  - {{ at: {}ms, promote: {{ node: r }} }}
",
            1_500 + promoted_after_ms
        );
        let simulated = of_each(&runs(&yaml, seeds_of(i)), "lost_writes", None, Statistic::Count);
        let mean = |counts: &[f64]| counts.iter().sum::<f64>() / counts.len() as f64;
        let (real, ours) = (mean(lost), mean(&simulated));
        let claim = format!("{one_way_ms} ms one way, {rate}/s, promoted after {promoted_after_ms} ms");
        println!("lost writes, {claim}: Redis {real:.2}, simulated {ours:.2}");
        // Both are means of Poisson numbers.
        let error = (ours / lost.len() as f64 + ours / simulated.len() as f64).sqrt();
        assert!((real - ours).abs() <= 3.0 * error, "{claim}: {real}, simulated {ours} ± {error}");
    }
}
