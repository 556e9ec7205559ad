//! How a primary dies decides what is lost with it.

use replisim_scenario::Statistic;

use super::poisson::check_poisson;
use crate::support::answers::{check, of_each, runs, seeds_of};

/// A primary dies at 300 ms, in a given way; its one replica, 20 ms away, is promoted by hand so much later.
fn death(rate: u32, crash: &str, promoted_after_ms: u32) -> String {
    format!(
        "
duration: 650ms
topology: {{ nodes: {{ p: P, r: R }} }}
network:
  default: {{ latency: {{ constant: 20ms }} }}
  same-zone: {{ latency: {{ constant: 0s }} }}
protocol: {{ primary-backup: {{ failover: manual, fencing: false, heartbeat: 1000h }} }}
workload:
  - {{ name: writers, at: P, arrivals: {{ poisson: {rate}/s }}, reads: 0% }}
faults:
  - {{ at: 300ms, crash: {{ nodes: [p], {crash} }} }}
  - {{ at: {}ms, promote: {{ node: r }} }}
",
        300 + promoted_after_ms
    )
}

const PROCESS: &str = "scope: process";
const MACHINE_DROP: &str = "scope: machine, in-flight: drop";
const MACHINE_DELIVER: &str = "scope: machine, in-flight: deliver";

#[test]
fn what_is_still_on_its_way_at_the_promotion_is_lost() {
    // The kernel of a killed process, or the wire of a lost machine, delivers for 20 ms more. Promoted earlier, the
    // replica takes no part in the old term any more.
    const RATE: u32 = 8_000;
    for (i, (crash, promoted_after_ms, missing_ms)) in [
        (PROCESS, 0, 20),
        (PROCESS, 5, 15),
        (PROCESS, 300, 0),
        (MACHINE_DELIVER, 0, 20),
        (MACHINE_DELIVER, 300, 0),
        (MACHINE_DROP, 0, 20),
        (MACHINE_DROP, 300, 20),
    ]
    .into_iter()
    .enumerate()
    {
        let runs = runs(&death(RATE, crash, promoted_after_ms), seeds_of(i));
        let lost = of_each(&runs, "lost_writes", None, Statistic::Count);
        let claim = format!("lost writes, {crash}, promoted after {promoted_after_ms} ms");
        match missing_ms {
            0 => assert!(lost.iter().all(|lost| *lost == 0.0), "{claim}: {lost:?}"),
            ms => check(&claim, &lost, f64::from(RATE * ms) / 1e3, 0.0),
        }
    }
}

#[test]
fn how_many_are_lost_is_a_poisson_number() {
    let runs = runs(&death(2_000, PROCESS, 0), 1_000..1_400);
    let lost = of_each(&runs, "lost_writes", None, Statistic::Count);
    check_poisson("lost writes, 2000/s, killed and replaced at once", &lost, 40.0);
}
