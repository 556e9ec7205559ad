//! What teaches: `new`, `explain`, `schema`.

use super::{Scratch, err, out};

const STARTERS: [&str; 4] = ["two-regions", "one-region", "interval", "quorum"];

#[test]
fn every_starter_loads_runs_and_keeps_its_promise() {
    let scratch = Scratch::new("new");
    for starter in STARTERS {
        let written = scratch.run(&["new", starter, "--from", starter]);
        assert_eq!(written.status.code(), Some(0), "{starter}: {}", err(&written));
        let file = format!("{starter}.yaml");
        let run = scratch.run(&["run", &file, "--no-charts"]);
        assert_eq!(run.status.code(), Some(0), "{starter}:\n{}{}", out(&run), err(&run));
        assert!(!out(&run).contains('–'), "a figure of the answer has no value:\n{}", out(&run));
    }
}

#[test]
fn a_file_that_is_there_is_only_replaced_when_asked() {
    let scratch = Scratch::new("new-twice");
    let small = std::fs::read_to_string(scratch.path("small.yaml")).unwrap();
    let refused = scratch.run(&["new", "small", "--from", "quorum"]);
    assert_eq!(refused.status.code(), Some(74));
    assert!(err(&refused).contains("small.yaml exists; --force"), "{}", err(&refused));
    assert_eq!(std::fs::read_to_string(scratch.path("small.yaml")).unwrap(), small);
    assert_eq!(scratch.run(&["new", "small", "--from", "quorum", "--force"]).status.code(), Some(0));
    assert_ne!(std::fs::read_to_string(scratch.path("small.yaml")).unwrap(), small);
}

#[test]
fn without_a_terminal_new_says_what_there_is_to_begin_from() {
    let scratch = Scratch::new("new-what");
    for (args, says) in [
        (&["new"][..], "say what to begin from"),
        (&["new", "x", "--from", "two-region"], "did you mean `two-regions`?"),
        (&["new", "x", "--from", "nothing.yaml"], "cannot read nothing.yaml"),
    ] {
        let output = scratch.run(args);
        assert!(matches!(output.status.code(), Some(64 | 74)), "{args:?}");
        assert!(err(&output).contains(says), "{args:?}: {}", err(&output));
    }
    for starter in STARTERS {
        assert!(err(&scratch.run(&["new"])).contains(starter));
        assert!(!out(&scratch.run(&["new", "--from", starter, "--stdout"])).is_empty());
    }
}

#[test]
fn explain_has_a_screen_for_everything() {
    let scratch = Scratch::new("explain");
    let mut words: Vec<String> = Vec::new();
    for topic in ["protocols", "presets", "measures", "laws", "faults"] {
        let list = out(&scratch.run(&["list", topic]));
        words.extend(list.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned));
    }
    for word in [
        "expectation",
        "p99",
        "workload.arrivals",
        "ship-every",
        "network.same-region",
        "faults",
        "expect",
        "duration",
        "lag",
        "p99(staleness{workload=x})",
        "mtbf",
        "poisson",
        "zipf",
        "session",
        "protocol.quorum.read",
        "automatic.after",
    ] {
        words.push(word.to_owned());
    }
    for word in words {
        let output = scratch.run(&["explain", &word]);
        let text = out(&output);
        assert_eq!(output.status.code(), Some(0), "{word}: {}", err(&output));
        let lines = text.lines().count();
        assert!((2..=60).contains(&lines), "{word} takes {lines} lines:\n{text}");
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(130), "{word} is too wide:\n{text}");
        assert!(!text.lines().any(|line| line.ends_with('…')), "{word} is cut:\n{text}");
    }
    assert!(out(&scratch.run(&["explain"])).contains("topology"));
    let unknown = scratch.run(&["explain", "partitoin"]);
    assert_eq!(unknown.status.code(), Some(64));
    assert!(err(&unknown).contains("did you mean `replisim explain partition`?"), "{}", err(&unknown));
}

#[test]
fn explain_knows_what_people_look_for() {
    let scratch = Scratch::new("explain-words");
    for (words, says) in [
        // a measure: what may be asked, and its definition
        (
            &["rpo_writes"][..],
            &["max(rpo_writes) < 10", "any quantile", "RPO exposure at t: acked writes"][..],
        ),
        (
            &["unavailability"],
            &["`{kind=name}`", "max(unavailability{kind=write}) < 10s", "maximal interval"],
        ),
        (&["rto"], &["max(rto) < 10s", "RTO (per replication group): from the loss of the primary"]),
        (
            &["stale_reads"],
            &["as it stands, share", "stale read: `M(r)` is not empty", "missed writes `M(r)`: "],
        ),
        // expect
        (
            &["expect"],
            &["p0 to p100", "<=  >=", "`read` or `write`", "95 % interval", "share(stale_reads) < 1%"],
        ),
        (&["max"], &["the largest"]),
        // defaults
        (
            &["primary-backup"],
            &[
                "Whether a primary that does not hear from a majority stops",
                "(default: true)",
                "(default: async)",
            ],
        ),
        // words of others
        (&["data", "loss"], &["here it is `lost_writes`", "lost write: acked `ok`"]),
        (&["rpo"], &["here it is `rpo_writes` or `rpo_bytes` or `rpo_age`", "RPO exposure"]),
        (&["replication_lag"], &["here it is `lag`", "oldest committed write"]),
        (&["replica lag"], &["here it is `lag`"]),
        (&["digest"], &["equal digests, equal runs", "contact-reads.digests"]),
        (&["WAL"], &["keeps a log", "retain"]),
        (&["log"], &["keeps a log"]),
        (&["witness"], &["no node that votes and keeps no data"]),
        (&["vote"], &["An automatic fail-over is an election", "failover.automatic"]),
        (&["majority"], &["the level `quorum`"]),
        (&["term"], &["in a new, higher term"]),
        (&["election"], &["for `after`"]),
        (&["heal"], &["A fault ends by itself", "faults.for"]),
        (&["commit"], &["replisim explain commit rules"]),
        (&["commit", "rules"], &["async primary = applied"]),
        (&["zone"], &["`region/zone`", "faults.zone-outage"]),
        (&["region"], &["faults.region-outage"]),
        (&["place"], &["topology.rtts"]),
        (&["latency"], &["network.default.latency", "write_latency"]),
        (&["loss"], &["faults.lossy-link", "lost_writes"]),
        (&["scope"], &["explain expect", "faults.crash.scope"]),
        (&["successor"], &["automatic.promote"]),
        (&["owner"], &["a node in the key's replication group"]),
        (&["acked"], &["one client mutation"]),
    ] {
        let output = scratch.run(&[&["explain"], words].concat());
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", err(&output));
        let text = out(&output).split_whitespace().collect::<Vec<_>>().join(" ");
        for says in says {
            let says = says.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains(&says), "{words:?} does not say `{says}`:\n{}", out(&output));
        }
    }
}

#[test]
fn the_schema_is_written_where_it_is_wanted() {
    let scratch = Scratch::new("schema-out");
    assert_eq!(scratch.run(&["schema", "--out", "s.json"]).status.code(), Some(0));
    let written = std::fs::read_to_string(scratch.path("s.json")).unwrap();
    assert_eq!(written, out(&scratch.run(&["schema"])));
    assert_eq!(scratch.run(&["schema", "--out", "no/such/s.json"]).status.code(), Some(74));
    let help = out(&scratch.run(&["schema", "--help"]));
    assert!(
        help.contains("VS Code") && help.contains("Helix") && help.contains("yaml-language-server"),
        "{help}"
    );
}
