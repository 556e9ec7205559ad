//! The command as its users meet it: exit codes, messages, files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

#[path = "cli/clocks.rs"]
mod clocks;
#[path = "cli/learning.rs"]
mod learning;
#[path = "cli/messages.rs"]
mod messages;
#[path = "cli/mistakes.rs"]
mod mistakes;
#[path = "cli/refusals.rs"]
mod refusals;
#[path = "cli/results.rs"]
mod results;
#[path = "cli/unreadable.rs"]
mod unreadable;
#[path = "cli/workloads.rs"]
mod workloads;

/// A scenario that runs in milliseconds.
const SMALL: &str = "\
about: A small one.
duration: 2s
topology:
  rtts: [{ between: [us, eu], rtt: 80ms }]
  nodes: { p: us, r: eu }
protocol: primary-backup
workload:
  - { name: writer, at: us, arrivals: { poisson: 100/s }, reads: 0%, keys: { uniform: { count: 10 } } }
  - { name: reader, at: eu, arrivals: { poisson: 100/s }, reads: 100%, keys: { uniform: { count: 10 } } }
faults:
  - { at: 500ms, partition: { isolate: [r] }, for: 200ms }
expect:
  - lost_writes == 0
";

/// A folder of its own for each test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let folder = std::env::temp_dir().join(format!("replisim-cli-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("small.yaml"), SMALL).unwrap();
        Scratch(folder)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_replisim"));
        command.args(args).current_dir(&self.0).env("NO_COLOR", "1");
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Every file of a folder by name; folders in it are left out.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn a_mistake_is_answered_with_its_place_and_its_fix_and_leaves_nothing_behind() {
    // (what is replaced, by what, what the message must contain)
    for (right, wrong, says) in [
        (
            "duration: 2s",
            "duration: 2s\nwarmpu: 1s",
            &["small.yaml:3:1", "warmpu: 1s", "did you mean `warmup`?"][..],
        ),
        ("reads: 0%", "reeds: 0%", &["small.yaml:8:", "reeds: 0%", "did you mean `reads`?"]),
        (
            "isolate: [r]",
            "isolate: [rr]",
            &["small.yaml:11:", "there is no node, zone or region `rr`", "did you mean `r`?"],
        ),
        ("topology:\n", "topology:\n  preset: ibm-clod\n", &["small.yaml:4:11", "did you mean `ibm-cloud`?"]),
        ("duration: 2s", "duration: 2", &["small.yaml:2:11", "has no unit"]),
        ("duration: 2s", "duration: 2 parsecs", &["small.yaml:2:11", "is not a unit of time"]),
        ("duration: 2s", "duration: -2s", &["small.yaml:2:11", "cannot be negative"]),
        ("poisson: 100/s", "poisson: 100", &["small.yaml:8:", "has no unit: write `100/s`"]),
        ("reads: 0%", "reads: 90", &["small.yaml:8:", "for a percentage write `90%`"]),
        ("reads: 0%", "reads: 120%", &["small.yaml:8:", "between 0% and 100%"]),
        (
            "rtts: [{ between: [us, eu], rtt: 80ms }]",
            "rtt-file: nowhere.csv",
            &["small.yaml:4:13", "cannot read `nowhere.csv`"],
        ),
        (
            "rtts: [{ between: [us, eu], rtt: 80ms }]",
            "rtt-file: bad.csv",
            &["bad.csv:3:7", "eu,us,NaN", "`NaN` is not a round-trip time"],
        ),
        (
            "nodes: { p: us, r: eu }",
            "nodes: { p: us, r: eu, s: mars }",
            &["small.yaml:5:29", "there is no place `mars`"],
        ),
        ("lost_writes == 0", "lost_writs == 0", &["small.yaml:13:5", "did you mean `lost_writes`?"]),
        ("lost_writes == 0", "p99(staleness) < 30", &["small.yaml:13:5", "write one like `30ms`"]),
        (
            "lost_writes == 0",
            "p99(staleness{workload=raeder}) < 30s",
            &["small.yaml:13:5", "did you mean `reader`?"],
        ),
        ("at: 500ms", "at: 5s", &["small.yaml:11:11", "nothing happens after the clients stop"]),
        ("name: reader", "name: writer", &["small.yaml:9:", "two workloads are called `writer`"]),
        (
            "protocol: primary-backup",
            "protocol: primary-bakup",
            &["small.yaml:6:11", "did you mean `primary-backup`?"],
        ),
        ("count: 10 } } }\nfaults", "count: 0 } } }\nfaults", &["small.yaml:9:", "at least one key"]),
        ("duration: 2s", "duration: 2s\nduration: 3s", &["small.yaml:3:1", "duration"]),
        ("  nodes:", "\tnodes:", &["small.yaml:5:2", "a tab cannot indent"]),
        (SMALL, "", &["small.yaml", "empty"]),
    ] {
        let scratch = Scratch::new("mistake");
        fs::write(scratch.path("bad.csv"), "from,to,rtt_ms\nus,eu,80\neu,us,NaN\n").unwrap();
        assert!(SMALL.contains(right), "{right} is not in the scenario");
        fs::write(scratch.path("small.yaml"), SMALL.replacen(right, wrong, 1)).unwrap();
        let output = scratch.run(&["run", "small.yaml"]);
        let message = err(&output);
        assert_eq!(code(&output), 65, "{wrong}: {message}");
        for part in says {
            assert!(message.contains(part), "{wrong}: `{part}` is not in\n{message}");
        }
        assert!(!scratch.path("results").exists(), "{wrong} left results behind");
    }
}

#[test]
fn a_wrong_override_points_into_the_argument() {
    let scratch = Scratch::new("set");
    for (argument, says) in [
        ("durration=3s", "did you mean `duration`?"),
        ("duration=3", "has no unit"),
        ("workload.raeder.reads=50%", "did you mean `reader`?"),
        ("protocol=quorm", "primary-backup"),
        ("protocol.primary-backup.ship-evry=1s", "did you mean `ship-every`?"),
        ("nothing", "="),
    ] {
        let output = scratch.run(&["run", "small.yaml", "--set", argument]);
        let message = err(&output);
        assert_eq!(code(&output), 65, "{argument}: {message}");
        assert!(message.contains("--set") && message.contains(says), "{argument}: {message}");
    }
}

#[test]
fn the_exit_code_says_how_it_ended() {
    let scratch = Scratch::new("exit");
    fs::create_dir(scratch.path("foreign")).unwrap();
    fs::write(scratch.path("foreign/thesis.txt"), "…").unwrap();
    fs::write(scratch.path("latin1.yaml"), b"about: caf\xe9\n").unwrap();
    for (args, expected) in [
        (&["run", "small.yaml"][..], 0),
        (&["run", "small.yaml", "--set", "expect=[lost_writes > 0]"], 1),
        (&["run", "small.yaml", "--set", "expect=max(staleness{workload=writer}) < 1s"], 2),
        (&["run", "small.yaml", "--sede", "1"], 64),
        (&["walk", "small.yaml"], 64),
        (&["run", "small.yaml", "--seeds", "0"], 64),
        (&["run", "nowhere.yaml"], 74),
        (&["run", "latin1.yaml"], 65),
        (&["run", "small.yaml", "--out", "foreign"], 74),
        (&["--help"], 0),
        (&["--version"], 0),
        (&["list", "laws"], 0),
        (&["schema"], 0),
    ] {
        let output = scratch.run(args);
        assert_eq!(code(&output), expected, "{args:?}: {}", err(&output));
    }
    assert!(scratch.path("foreign/thesis.txt").exists());
}

#[test]
fn equal_runs_leave_equal_bytes_on_any_number_of_threads() {
    let scratch = Scratch::new("bytes");
    for (name, more) in [
        ("once", &[][..]),
        ("again", &[]),
        ("four-1", &["--seeds", "4", "--threads", "1"]),
        ("four-2", &["--seeds", "4", "--threads", "2"]),
    ] {
        let args = [&["run", "small.yaml", "--quiet", "--out", name][..], more].concat();
        let output = scratch.run(&args);
        assert_eq!((code(&output), out(&output), err(&output)), (0, String::new(), String::new()), "{name}");
    }
    assert_eq!(files(&scratch.path("once")), files(&scratch.path("again")));
    assert_eq!(files(&scratch.path("four-1")), files(&scratch.path("four-2")));
    assert_ne!(files(&scratch.path("once")), files(&scratch.path("four-1")));
}

#[test]
fn a_manifest_replays_its_run_and_show_prints_the_same_scenario() {
    let scratch = Scratch::new("replay");
    let args =
        ["run", "small.yaml", "--set", "workload.reader.arrivals.poisson=50/s", "--seed", "9", "--out", "a"];
    assert_eq!(code(&scratch.run(&args)), 0);
    let replay = scratch.run(&["run", "a/manifest.json", "--out", "b"]);
    assert!(err(&replay).contains("the digest is that of the manifest"), "{}", err(&replay));
    assert_eq!(files(&scratch.path("a")), files(&scratch.path("b")));

    let shown = scratch.run(&["show", "small.yaml", "--set", "workload.reader.arrivals.poisson=50/s"]);
    fs::write(scratch.path("shown.yaml"), out(&shown)).unwrap();
    assert_eq!(code(&scratch.run(&["run", "shown.yaml", "--seed", "9", "--out", "c"])), 0);
    let summary = |folder: &str| fs::read_to_string(scratch.path(folder).join("summary.json")).unwrap();
    assert_eq!(summary("a"), summary("c"));
}

#[test]
fn show_says_what_links_will_be_and_where_that_comes_from() {
    let scratch = Scratch::new("links");
    let scenario = "duration: 1s\ntopology:\n  preset: aws\n  nodes: { a: eu-west-1, b: us-east-1 }\n  rtts: [{ between: [eu-west-1, us-east-1], rtt: 80ms }]\nprotocol: primary-backup\n\
                    workload: [{ name: w, at: us-east-1, arrivals: { poisson: 5/s }, reads: 0% }]\n";
    fs::write(scratch.path("far.yaml"), scenario).unwrap();
    let shown = out(&scratch.run(&["show", "far.yaml"]));
    for part in [
        "links have { ordered: true, loss: 0%, duplicate: 0%, buffer: 4MiB, window: 3MiB, retransmission-timeout: 200ms, user-timeout: 30s }\n",
        "from the preset `aws` and `rtts`.",
        "#   eu-west-1 to us-east-1: 40ms, back: 40ms\nnetwork: {}\n",
    ] {
        assert!(shown.contains(part), "`{part}` is not in\n{shown}");
    }
    let slower = out(&scratch.run(&["show", "far.yaml", "--set", "network.default.latency.constant=7ms"]));
    assert!(slower.contains("eu-west-1 to us-east-1: 7ms, back: 7ms\nnetwork:\n  default:"), "{slower}");
}

#[test]
fn the_output_is_what_was_asked_for() {
    let scratch = Scratch::new("output");
    let json = scratch.run(&["run", "small.yaml", "--format", "json", "--no-charts"]);
    let summary = fs::read_to_string(scratch.path("results/small/summary.json")).unwrap();
    assert_eq!(out(&json), summary);
    assert!(!scratch.path("results/small/lag.svg").exists());

    scratch.run(&["run", "small.yaml", "--png"]);
    let png = fs::read(scratch.path("results/small/lag.png")).unwrap();
    assert_eq!(&png[..4], b"\x89PNG");
    assert!(scratch.path("results/small/lag.svg").exists());

    let table = out(&scratch.run(&["run", "small.yaml"]));
    for part in [
        "answer ",
        "staleness ",
        "fault        500ms to 700ms: r cut off",
        "met: lost_writes == 0",
        "digest ",
    ] {
        assert!(table.contains(part), "`{part}` is not in\n{table}");
    }
    for topic in ["scenarios", "protocols", "presets", "measures", "laws", "faults"] {
        assert!(!out(&scratch.run(&["list", topic])).is_empty(), "{topic}");
    }
    let schema: serde_json::Value = serde_json::from_str(&out(&scratch.run(&["schema"]))).unwrap();
    for field in ["topology", "network", "protocol", "workload", "faults", "script", "expect"] {
        assert!(schema["properties"][field].is_object(), "{field}");
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let scratch = Scratch::new("pipe");
    let mut child = scratch.command(&["list", "measures"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Waits until the process handles SIGINT itself: asked before that, it simply ends.
#[cfg(target_os = "linux")]
fn wait_for_handler(pid: u32) {
    const SIGINT: u64 = 1 << 1;
    loop {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        if u64::from_str_radix(caught.trim(), 16).unwrap() & SIGINT != 0 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn one_ctrl_c_ends_any_run_and_leaves_the_old_results_as_they_were() {
    let scratch = Scratch::new("interrupt");
    assert_eq!(code(&scratch.run(&["run", "small.yaml"])), 0);
    let before = files(&scratch.path("results/small"));
    for more in [&[][..], &["--seeds", "50", "--threads", "2"]] {
        // Longer than any test runs; it ends because it is told to.
        let args = [&["run", "small.yaml", "--set", "duration=100000h"][..], more].concat();
        let mut child = scratch.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_for_handler(child.id());
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130), "{more:?}");
        assert_eq!(files(&scratch.path("results/small")), before, "{more:?}");
        assert_eq!(fs::read_dir(scratch.path("results")).unwrap().count(), 1, "{more:?}");
    }
}
