//! The engine beside other simulators and beside a bare loop around the standard library's heap: the same work, drawn
//! from the same table, on one thread. Prints a row for each piece of work, in million events per second of processor
//! time, and a line `ratio: NAME VALUE` for each figure that the project sets itself as a goal.
//!
//! Rounds are interleaved (every engine once, then every engine again), so that a machine that slows down slows all
//! of them; a figure is the median of its rounds. `--quick` does little of everything once, to see that it runs.

mod engines;
mod measure;
mod work;

use engines::{Engine, HEAP, OURS, PEERS};
use measure::{Size, median};
use work::Load;

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let loads = Load::all().into_iter().filter(|load| only.as_ref().is_none_or(|only| load.name == only));
    let engines: Vec<&Engine> =
        [&OURS, &HEAP].into_iter().chain(PEERS.iter().filter(|_| only.is_none())).collect();
    let names: String = engines.iter().map(|engine| format!("{:>12}", engine.name)).collect();
    println!("{:<24}{names}", "million events/s");
    let mut ratios = Vec::new();
    for load in loads {
        let rounds = if quick { 1 } else { load.rounds };
        let size = if quick { Size { warm: 100, timed: 10_000 } } else { load.size };
        let mut speeds = vec![Vec::new(); engines.len()];
        for _ in 0..rounds {
            let sums: Vec<u64> = engines
                .iter()
                .zip(&mut speeds)
                .map(|(engine, speeds)| {
                    let (speed, sum) = (engine.run)(&load, size);
                    speeds.push(speed);
                    sum
                })
                .collect();
            assert_eq!(sums[0], sums[1], "{}: the order differs from that of a sorted list", load.name);
        }
        let speeds: Vec<f64> = speeds.into_iter().map(median).collect();
        let row: String = speeds.iter().map(|speed| format!("{speed:>12.2}")).collect();
        println!("{:<24}{row}", load.name);
        let fastest_peer = speeds[2..].iter().copied().fold(0.0, f64::max);
        ratios.push(format!("ratio: {}/binary-heap {:.2}", load.name, speeds[0] / speeds[1]));
        if fastest_peer > 0.0 {
            ratios.push(format!("ratio: {}/fastest-peer {:.2}", load.name, speeds[0] / fastest_peer));
        }
    }
    ratios.iter().for_each(|ratio| println!("{ratio}"));
}
