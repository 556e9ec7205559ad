//! A run in a process of its own, so that its peak memory is its own: this program calls itself.

use std::process::{Command, Stdio};

use crate::runs::case::{self, Case};

/// The first argument of a process that makes one run: then the scenario follows, and changes.
pub const ALONE: &str = "--alone";

/// What the process found.
pub struct Found {
    pub events: f64,
    pub unconverged: f64,
    pub nanos_per_event: f64,
    /// Peak memory, everything together.
    pub peak_bytes: f64,
}

/// In the process: runs the scenario and prints what it came to.
pub fn alone(arguments: &[String]) {
    let [scenario, sets @ ..] = arguments else { panic!("no scenario") };
    let run = case::time(&case::load(scenario, sets));
    println!("{} {} {} {}", run.events, run.unconverged, run.processor_nanos, peak_kib());
}

/// Makes such a process and waits for it.
pub fn run(case: &Case, quick: bool) -> Found {
    let program = std::env::current_exe().expect("the path of this program");
    let mut command = Command::new(program);
    command.args([ALONE, case.scenario]).args(case.sets(quick)).stderr(Stdio::inherit());
    let output = command.output().expect("a process");
    assert!(output.status.success(), "{}: {}", case.name, output.status);
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [events, unconverged, nanos, peak_kib] = numbers[..] else { panic!("{}: {text}", case.name) };
    Found { events, unconverged, nanos_per_event: nanos / events, peak_bytes: peak_kib * 1024.0 }
}

/// The most memory that this process ever had, as Linux tells; 0 elsewhere.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
