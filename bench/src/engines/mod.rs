//! The engines, one file each: the least code that does the work on them as their documentation shows it.

mod bare_heap;
mod desru;
mod nexosim;
mod replisim;
mod simcore;
mod simrs;

use crate::measure::Size;
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
