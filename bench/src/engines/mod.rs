//! The engines, one file each: the least code that does the work on them as their documentation shows it; and the table
//! of how fast each is, with the bare loop around the standard library's heap.

mod bare_heap;
mod desru;
mod nexosim;
mod replisim;
mod simcore;
mod simrs;

use crate::asked::Asked;
use crate::measure::{Size, median, print_ratios};
use crate::work::{Hold, Kind, Load, PingPong};

/// Something that runs work, and how fast: million events a second, and the work's sum.
pub struct Engine {
    pub name: &'static str,
    pub run: fn(&Load, Size) -> (f64, u64),
}

macro_rules! engine {
    ($module:ident, $name:literal) => {
        Engine {
            name: $name,
            run: |load, size| match load.kind {
                Kind::Hold { pending, delays } => $module::run(Hold::new(pending, delays), size),
                Kind::PingPong => $module::run(PingPong::new(), size),
            },
        }
    };
}

pub const OURS: Engine = engine!(replisim, "replisim");
pub const HEAP: Engine = engine!(bare_heap, "binary-heap");
pub const PEERS: [Engine; 4] = [
    engine!(desru, "desru"),
    engine!(simrs, "simrs"),
    engine!(simcore, "simcore"),
    engine!(nexosim, "nexosim"),
];

/// Prints a row for each piece of work, in million events per second of processor time. Of the peers only if the whole
/// table is asked for.
pub fn print(asked: &Asked) {
    let loads: Vec<Load> = Load::all().into_iter().filter(|load| asked.wants("engines", load.name)).collect();
    if loads.is_empty() {
        return;
    }
    let peers = PEERS.iter().filter(|_| asked.wants("engines", "peers"));
    let engines: Vec<&Engine> = [&OURS, &HEAP].into_iter().chain(peers).collect();
    let names: String = engines.iter().map(|engine| format!("{:>12}", engine.name)).collect();
    println!("{:<24}{names}", "million events/s");
    let mut ratios = Vec::new();
    for load in loads {
        let size = if asked.quick { Size::QUICK } else { load.size };
        let mut speeds = vec![Vec::new(); engines.len()];
        for _ in 0..asked.rounds(load.rounds) {
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
        ratios.push((format!("{}/binary-heap", load.name), speeds[0] / speeds[1]));
        if fastest_peer > 0.0 {
            ratios.push((format!("{}/fastest-peer", load.name), speeds[0] / fastest_peer));
        }
    }
    print_ratios(&ratios);
}
