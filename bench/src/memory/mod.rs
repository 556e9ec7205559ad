//! Peak memory of long runs, and what an event costs where there is much to simulate, each run in a process of its own.

mod alone;

use crate::asked::Asked;
use crate::measure::{median, print_ratios};
use crate::runs::case::{Case, PRIMARY_BACKUP};
pub use alone::{ALONE, alone};
use alone::{Found, run};

const GROUPS: &str = "bench/scenarios/groups.yaml";
const ONE_PRIMARY: &str = "scenarios/scale/one-primary-999-replicas.yaml";

/// Long runs, for their memory: once each.
const LONG: [Case; 2] = [
    Case {
        name: "memory/healthy",
        scenario: PRIMARY_BACKUP,
        sets: &["duration=600s", "workload.clients.arrivals.poisson=50000/s"],
        quick: "duration=100ms",
    },
    Case {
        name: "memory/replica-cut",
        scenario: PRIMARY_BACKUP,
        sets: &[
            "duration=600s",
            "workload.clients.arrivals.poisson=50000/s",
            "faults=[{ at: 0s, partition: { isolate: [r4] } }]",
            "settle=0s",
            // The log is kept for a replica that is cut off, up to this: here next to nothing, so as not to count it.
            "protocol.primary-backup.retain=1MiB",
        ],
        quick: "duration=100ms",
    },
];

/// Small and large, of about as many events: what makes an event dearer is how much there is.
const SCALES: [[Case; 2]; 2] = [
    [
        Case { name: "memory/10-nodes", scenario: GROUPS, sets: &["duration=20s"], quick: "duration=100ms" },
        Case {
            name: "memory/100-nodes",
            scenario: GROUPS,
            sets: &[
                "duration=2s",
                "topology.nodes.n.count=100",
                "groups.count=1000",
                "workload.clients.arrivals.poisson=100000/s",
                "workload.clients.keys.uniform.count=100000",
            ],
            quick: "duration=10ms",
        },
    ],
    [
        Case {
            name: "memory/9-replicas",
            scenario: ONE_PRIMARY,
            sets: &["topology.nodes.r.count=9", "duration=2000s"],
            quick: "duration=2s",
        },
        Case {
            name: "memory/999-replicas",
            scenario: ONE_PRIMARY,
            sets: &["duration=20s"],
            quick: "duration=200ms",
        },
    ],
];

const ROUNDS: usize = 3;

/// Prints a row for each run: million events, processor time an event, peak memory, and the writes that some node
/// lacked at the end.
pub fn print(asked: &Asked) {
    let wanted = |case: &&Case| asked.wants("memory", case.name);
    let groups: [Vec<&Case>; 3] =
        [&LONG, &SCALES[0], &SCALES[1]].map(|cases| cases.iter().filter(wanted).collect());
    if groups.iter().all(Vec::is_empty) {
        return;
    }
    println!(
        "{:<24}{:>18}{:>18}{:>18}{:>18}",
        "memory", "million events", "ns/event", "peak MB", "unconverged"
    );
    let mut ratios = Vec::new();
    for (cases, rounds) in groups.iter().zip([1, ROUNDS, ROUNDS]) {
        let rounds = asked.rounds(rounds);
        let mut found: Vec<Vec<Found>> = cases.iter().map(|_| Vec::new()).collect();
        for _ in 0..rounds {
            cases.iter().zip(&mut found).for_each(|(case, found)| found.push(run(case, asked.quick)));
        }
        let found: Vec<Found> = found.into_iter().map(typical).collect();
        for (case, found) in cases.iter().zip(&found) {
            let Found { events, unconverged, nanos_per_event, peak_bytes } = found;
            let (events, peak) = (events / 1e6, peak_bytes / 1e6);
            println!("{:<24}{events:>18.2}{nanos_per_event:>18.0}{peak:>18.1}{unconverged:>18.0}", case.name);
        }
        let ([first, second], [small, large]) = (&cases[..], &found[..]) else { continue };
        ratios.push(if first.name == LONG[0].name {
            let beyond = (large.peak_bytes - small.peak_bytes).max(0.0);
            (format!("{}/bytes-a-write", second.name), beyond / large.unconverged)
        } else {
            let small_name = first.name.trim_start_matches("memory/");
            (format!("{}/{small_name}", second.name), large.nanos_per_event / small.nanos_per_event)
        });
    }
    print_ratios(&ratios);
}

/// Everything but times is the same each time, or nearly.
fn typical(found: Vec<Found>) -> Found {
    let of = |of: fn(&Found) -> f64| median(found.iter().map(of).collect());
    Found {
        events: of(|found| found.events),
        unconverged: of(|found| found.unconverged),
        nanos_per_event: of(|found| found.nanos_per_event),
        peak_bytes: of(|found| found.peak_bytes),
    }
}
