//! Whole runs with every measure on, one thread, beside the engine's ping-pong in the same rounds.

pub mod case;
mod yardstick;

use crate::asked::Asked;
use crate::engines::OURS;
use crate::measure::{Size, median, print_ratios};
use crate::work::Load;
use case::{Case, Outcome, PRIMARY_BACKUP, time};

const QUICK: &str = "duration=100ms";

const CASES: [Case; 4] = [
    Case { name: "run/primary-backup", scenario: PRIMARY_BACKUP, sets: &[], quick: QUICK },
    Case { name: "run/quorum", scenario: "bench/scenarios/quorum.yaml", sets: &[], quick: QUICK },
    Case {
        name: "run/replica-cut",
        scenario: PRIMARY_BACKUP,
        // The cut lasts until the clients stop, and with them the run: nobody has to catch up.
        sets: &["faults=[{ at: 1s, partition: { isolate: [r4] } }]", "settle=0s"],
        quick: "duration=1100ms",
    },
    Case {
        name: "run/thousand-writes",
        scenario: "bench/scenarios/thousand-writes.yaml",
        sets: &[],
        quick: "duration=1s",
    },
];

const ROUNDS: usize = 5;

/// Prints a row for each run: million events per second of processor time, how many events an operation of a client
/// takes and how many operations that makes in a second, and how much time is simulated in it.
pub fn print(asked: &Asked) {
    let cases: Vec<&Case> = CASES.iter().filter(|case| asked.wants("runs", case.name)).collect();
    if cases.is_empty() {
        return;
    }
    let ping_pong = Load::all().into_iter().find(|load| load.name == "ping-pong").expect("a load");
    let size = if asked.quick { Size::QUICK } else { ping_pong.size };
    let loaded: Vec<_> = cases.iter().map(|case| case.load(asked.quick)).collect();
    let (mut plain, mut drawn) = (Vec::new(), Vec::new());
    let mut outcomes: Vec<Vec<Outcome>> = cases.iter().map(|_| Vec::new()).collect();
    for _ in 0..asked.rounds(ROUNDS) {
        plain.push((OURS.run)(&ping_pong, size).0);
        drawn.push(yardstick::run(size));
        loaded.iter().zip(&mut outcomes).for_each(|(loaded, outcomes)| outcomes.push(time(loaded)));
    }
    let columns = ["million events/s", "events/operation", "operations/s", "simulated s/s"];
    let columns: String = columns.iter().map(|column| format!("{column:>18}")).collect();
    println!("{:<24}{columns}", "whole runs");
    println!("{:<24}{:>18.2}", "ping-pong", median(plain));
    let drawn = median(drawn);
    println!("{:<24}{drawn:>18.2}", "ping-pong-drawn");
    let mut speeds = Vec::new();
    for (case, outcomes) in cases.iter().zip(&outcomes) {
        let per_second = |of: fn(&Outcome) -> f64| {
            median(outcomes.iter().map(|run| of(run) * 1e9 / run.processor_nanos as f64).collect())
        };
        let speed = per_second(|run| run.events as f64) / 1e6;
        let events = outcomes[0].events as f64 / outcomes[0].operations as f64;
        let operations = per_second(|run| run.operations as f64);
        let simulated = per_second(|run| run.simulated_seconds);
        println!("{:<24}{speed:>18.2}{events:>18.2}{operations:>18.0}{simulated:>18.1}", case.name);
        speeds.push((case.name, speed));
    }
    let speed = |name| speeds.iter().find(|(other, _)| *other == name).map(|(_, speed)| *speed);
    let healthy = speed("run/primary-backup");
    let ratios = [
        ("run/primary-backup/ping-pong", healthy, Some(drawn)),
        ("run/quorum/ping-pong", speed("run/quorum"), Some(drawn)),
        ("run/replica-cut/primary-backup", speed("run/replica-cut"), healthy),
    ];
    let ratios = ratios.into_iter().filter_map(|(name, of, to)| Some((name.to_owned(), of? / to?)));
    print_ratios(&ratios.collect::<Vec<_>>());
}
