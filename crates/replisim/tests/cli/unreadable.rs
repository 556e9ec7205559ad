//! Texts that are no scenario, files that are no tables, overrides that lead nowhere, and results that have nowhere to
//! go: as in `mistakes`, each is answered with its place and the way out, and leaves nothing behind.

use super::mistakes::Written::{Bytes, Instead, Zeros};
use super::mistakes::{MAP, check, check_changes};
use super::*;

#[test]
fn tables_and_laws_that_cannot_be() {
    let with = |table: &str| format!("  rtt-file: {table}\n  nodes: {{ p: us, r: eu }}\n");
    let in_scenario = |table, place, pointed_at: &str, fix: &str| {
        check(table, &Instead(MAP, &with(table)), &[], place, pointed_at, fix);
    };
    in_scenario("nowhere.csv", "small.yaml:4:13", "nowhere.csv", "relative to the folder of the scenario");
    in_scenario("latin1.csv", "small.yaml:4:13", "latin1.csv", "not UTF-8 text: line 2");
    in_scenario("one-way.csv", "small.yaml:4:13", "one-way.csv", "add the row to `one-way.csv`");
    in_scenario("nan.csv", "nan.csv:3:7", "NaN", "write a number of milliseconds");
    in_scenario("short.csv", "short.csv:2:1", "us,eu", "write a row like `us,eu,80`");
    in_scenario("semicolons.csv", "semicolons.csv:2:1", "us;eu;80", "separate them with commas");
    in_scenario("matrix.csv", "matrix.csv:1:1", ",us,eu", "a row for each pair");
    in_scenario("no-header.csv", "no-header.csv:1:1", "us,eu,80", "put the line `from,to,rtt_ms` above");
    let jitter = |law: &str| format!("network: {{ default: {{ jitter: {law} }} }}\nworkload:");
    check_changes(&[
        (
            "no finite mean",
            "workload:",
            &jitter("{ pareto: { scale: 1ms, shape: 1 } }"),
            "7:31",
            "{ pareto",
            "needs a finite mean",
        ),
        ("two laws", "workload:", &jitter("{ constant: 1ms, normal: {} }"), "7:48", "normal", "keep one"),
        (
            "two places without a time",
            MAP,
            "  nodes: { p: us, r: eu }\n",
            "4:3",
            "nodes",
            "give it under `topology: rtts`",
        ),
    ]);
}

#[test]
fn texts_that_are_no_scenario() {
    let laughs: String =
        (1..12).map(|i| format!("a{i}: &a{i} [{}]\n", format!("*a{},", i - 1).repeat(10))).collect();
    let laughs = format!("a0: &a0 ha\n{laughs}");
    let deep = format!("about: {}x{}\n", "[".repeat(100), "]".repeat(100));
    let stairs: String = (0..100).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    for (name, written, place, pointed_at, fix) in [
        ("an empty file", Bytes(Vec::new()), "1:1", "", "a scenario has at least `duration`"),
        ("a bomb", Bytes(laughs.into_bytes()), "7:34", "*a5", "values repeated by aliases count each time"),
        ("deep nesting", Bytes(deep.into_bytes()), "1:72", "[", "is a bracket never closed?"),
        ("deep indentation", Bytes(stairs.into_bytes()), "65:65", "a", "nested more than 64 deep"),
        ("100 MB", Zeros(100_000_000), "1:1", "", "is this the right file?"),
        (
            "not UTF-8",
            Bytes(b"about: caf\xe9\nduration: 2s\n".to_vec()),
            "1:11",
            "\u{fffd}",
            "save the file in the encoding UTF-8",
        ),
        (
            "duplicate keys",
            Instead("duration: 2s", "duration: 2s\nduration: 3s"),
            "3:1",
            "duration",
            "remove this one or the one in line 2",
        ),
        (
            "one name twice",
            Instead("r: eu }", "p: eu }"),
            "5:19",
            "p",
            "remove this one or the one in line 5",
        ),
        ("a tab", Instead("  nodes:", "\tnodes:"), "5:2", "nodes", "use spaces"),
        ("a wrong indentation", Instead("  nodes:", "    nodes:"), "5:5", "nodes", "check the indentation"),
        (
            "a colon in a text",
            Instead("A small one.", "Small: a test"),
            "1:13",
            ":",
            "quote a text that contains `: `",
        ),
        (
            "a quote without its end",
            Instead("A small one.", "'A small one."),
            "1:8",
            "'A",
            "end the text with the same quote",
        ),
        (
            "a path of Windows",
            Instead("A small one.", "\"C:\\data\\x.csv\""),
            "1:8",
            "\"C",
            "write a path with `/`, or in single quotes",
        ),
        (
            "a path of Windows that is almost an escape",
            Instead("A small one.", "\"D:\\new\\u.csv\""),
            "1:8",
            "\"D",
            "write a path with `/`, or in single quotes",
        ),
        ("a wrong bracket", Instead("isolate: [r]", "isolate: [r"), "11:40", "", "end it with `]`"),
        ("a number for a name", Instead("name: writer", "name: 5"), "8:13", "5", "put it in quotes"),
        (
            "settings beside their protocol",
            Instead("protocol: primary-backup", "protocol:\n  primary-backup:\n  acknowledge: sync"),
            "8:3",
            "acknowledge",
            "a field of `protocol.primary-backup`",
        ),
    ] {
        check(name, &written, &[], &format!("small.yaml:{place}"), pointed_at, fix);
    }
}

#[test]
fn overrides_that_cannot_be() {
    for (argument, place, pointed_at, fix) in [
        ("durration=3s", "--set durration=…", "durration", "did you mean `duration`?"),
        ("workload.reader.raeds=5%", "--set workload.reader.raeds=…", "raeds", "did you mean `reads`?"),
        ("workload.raeder.reads=5%", "--set workload.raeder.reads=…", "raeder", "did you mean `reader`?"),
        ("workload.reads=5%", "--set workload.reads=…", "reads", "such as `workload.writer.reads`"),
        ("workload[7].reads=5%", "--set workload[7].reads=…", "7", "has 2 items, `[0]` to `[1]`"),
        (
            "protocol.quorum.copies=5",
            "--set protocol.quorum.copies=…",
            "quorum",
            "first select the other with --set protocol=quorum",
        ),
        (
            "protocol={ quorum: { copies: 5 } }",
            "--set protocol=…",
            "5",
            "from 1 to 2, for the nodes are p, r",
        ),
        ("protocol={ quorum: { read-repair: 10% } }", "--set protocol=…", "10%", "`{ probability: 10% }`"),
        (
            "workload.reader.arrivals.poison=3/s",
            "--set workload.reader.arrivals.poison=…",
            "poison",
            "did you mean `poisson`?",
        ),
        ("topology.nodes={}", "--set topology.nodes=…", "{}", "give name and place of each"),
        ("faults.0.for=-1s", "--set faults.0.for=…", "-1s", "cannot be negative"),
        ("duration=3", "--set duration=…", "3", "write `3ms` or `3s`"),
        ("duration 3s", "--set", "duration 3s", "for example `--set duration=10s`"),
        ("expect=lost_writs == 0", "--set expect=…", "lost_writs", "did you mean `lost_writes`?"),
        ("a..b=3", "--set a..b=…", ".b", "a path is like"),
    ] {
        check(argument, &Instead("faults", "faults"), &["--set", argument], place, pointed_at, fix);
    }
}

#[test]
fn results_that_cannot_be_written_are_told_before_the_run_with_the_way_out() {
    let scratch = Scratch::new("unwritable");
    fs::write(scratch.path("thesis.txt"), "…").unwrap();
    for out_folder in ["thesis.txt", "thesis.txt/below", "/proc/replisim", "."] {
        let output = scratch.run(&["run", "small.yaml", "--out", out_folder]);
        let message = err(&output);
        assert_eq!((code(&output), out(&output).as_str()), (74, ""), "{out_folder}: {message}");
        assert!(message.contains(out_folder) && message.contains("--out"), "{out_folder}: {message}");
        assert!(!message.contains("events/s"), "{out_folder}: it ran before it said so");
        assert_eq!(files(&scratch.0).len(), 2, "{out_folder}");
        assert_eq!(fs::read_dir(&scratch.0).unwrap().count(), 2, "{out_folder}");
    }
}
