//! The command as a shell calls it, by the wall clock: start-up, files, charts, and several seeds on one thread and two.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::available_parallelism;

use crate::asked::Asked;
use crate::measure::{median, print_ratios, wall_nanos};
use crate::runs::case::{PRIMARY_BACKUP, path};

/// The release command, for whoever calls this program.
const VARIABLE: &str = "REPLISIM";

/// A row: a run of a scenario with these flags.
struct Call {
    name: &'static str,
    scenario: &'static str,
    /// How long it simulates.
    duration: &'static str,
    flags: &'static [&'static str],
}

/// Of [`PRIMARY_BACKUP`] some 10^6 events.
const MILLION: &str = "duration=13.2s";

const CALLS: [(usize, &[Call]); 3] = [
    (
        21,
        &[Call {
            name: "command/start-up",
            scenario: "bench/scenarios/nothing.yaml",
            duration: "duration=2s",
            flags: &["--no-charts"],
        }],
    ),
    (
        5,
        &[
            Call {
                name: "command/files",
                scenario: PRIMARY_BACKUP,
                duration: MILLION,
                flags: &["--threads", "1", "--no-charts"],
            },
            Call {
                name: "command/charts",
                scenario: PRIMARY_BACKUP,
                duration: MILLION,
                flags: &["--threads", "1"],
            },
        ],
    ),
    (
        3,
        &[
            Call {
                name: "command/1-thread",
                scenario: PRIMARY_BACKUP,
                duration: MILLION,
                flags: &["--seeds", "8", "--threads", "1", "--no-charts"],
            },
            Call {
                name: "command/2-threads",
                scenario: PRIMARY_BACKUP,
                duration: MILLION,
                flags: &["--seeds", "8", "--threads", "2", "--no-charts"],
            },
        ],
    ),
];

/// Prints a row for each call: million events, and milliseconds from the call to its end. Two threads are a row only
/// where this process may use two cores.
pub fn print(asked: &Asked) {
    let two_cores = available_parallelism().is_ok_and(|cores| cores.get() >= 2);
    let possible = |call: &&Call| two_cores || call.name != "command/2-threads";
    let wanted = |call: &&Call| asked.wants("command", call.name) && possible(call);
    let groups = CALLS.map(|(rounds, calls)| (rounds, calls.iter().filter(wanted).collect::<Vec<_>>()));
    if groups.iter().all(|(_, calls)| calls.is_empty()) {
        return;
    }
    let program = std::env::var_os(VARIABLE).map(PathBuf::from);
    let program = program.unwrap_or_else(|| panic!("{VARIABLE} must name the release command"));
    let folder = std::env::current_exe().expect("the path of this program").with_file_name("files");
    println!("{:<24}{:>18}{:>18}", "the command", "million events", "ms");
    let mut rows = Vec::new();
    for (rounds, calls) in groups {
        let mut times: Vec<Vec<f64>> = calls.iter().map(|_| Vec::new()).collect();
        let mut events = vec![0.0; calls.len()];
        for _ in 0..asked.rounds(rounds) {
            for (i, call) in calls.iter().enumerate() {
                let (nanos, counted) = time(&program, call, &folder, asked.quick);
                times[i].push(nanos / 1e6);
                events[i] = counted;
            }
        }
        for ((call, times), events) in calls.iter().zip(times).zip(events) {
            let millis = median(times);
            println!("{:<24}{:>18.2}{millis:>18.1}", call.name, events / 1e6);
            rows.push((call.name, millis));
        }
    }
    let _ = std::fs::remove_dir_all(&folder);
    let of = |name| rows.iter().find(|(other, _)| *other == name).map(|(_, millis)| *millis);
    if let (Some(files), Some(charts)) = (of("command/files"), of("command/charts")) {
        println!("{:<24}{:>18}{:>18.1}", "  charts alone", "", charts - files);
    }
    if let (Some(one), Some(two)) = (of("command/1-thread"), of("command/2-threads")) {
        print_ratios(&[("command/2-threads/1-thread".to_owned(), one / two)]);
    }
}

/// Calls the command; nanoseconds until it has ended, and how many events it says that there were.
fn time(program: &Path, call: &Call, folder: &Path, quick: bool) -> (f64, f64) {
    let mut command = Command::new(program);
    command.arg("run").arg(path(call.scenario)).args(call.flags);
    command.args(["--set", if quick { "duration=100ms" } else { call.duration }, "--out"]).arg(folder);
    let begun = wall_nanos();
    let output = command.output().expect("the command");
    let nanos = wall_nanos() - begun;
    let says = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {says}", call.name);
    let events = says.split_whitespace().next().and_then(|number| number.parse().ok());
    (nanos as f64, events.unwrap_or_else(|| panic!("{}: {says}", call.name)))
}
