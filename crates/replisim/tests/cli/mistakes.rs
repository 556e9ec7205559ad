//! The mistakes that people make: each is answered with its place, the text there, and the way out, and leaves nothing
//! behind. `messages` has whole answers; here stands one row for every kind of mistake in what is said, and in
//! `unreadable` for what cannot be read at all.

use std::fs::File;

use super::*;

/// What lies in the folder.
pub(super) enum Written<'a> {
    /// `SMALL` with the first of the two replaced by the second.
    Instead(&'a str, &'a str),
    /// This.
    Bytes(Vec<u8>),
    /// So many zeros, which take no room.
    Zeros(u64),
}
use Written::{Bytes, Instead, Zeros};

/// The files that scenarios here refer to.
const TABLES: [(&str, &[u8]); 7] = [
    ("nan.csv", b"from,to,rtt_ms\nus,eu,80\neu,us,NaN\n"),
    ("short.csv", b"from,to,rtt_ms\nus,eu\n"),
    ("semicolons.csv", b"from;to;rtt_ms\nus;eu;80\neu;us;80\n"),
    ("matrix.csv", b",us,eu\nus,1,80\neu,80,1\n"),
    ("no-header.csv", b"us,eu,80\neu,us,80\n"),
    ("one-way.csv", b"from,to,rtt_ms\nus,us,1\neu,eu,1\nus,eu,80\n"),
    ("latin1.csv", b"from,to,rtt_ms\nus,\xe9u,80\n"),
];

/// Asserts that the command ends with 65, says where (`place`) and what stands there (`pointed_at`, to which the
/// caret points) and how to mend it (`fix`), prints nothing else, and leaves the folder as it was.
#[track_caller]
pub(super) fn check(
    name: &str,
    written: &Written<'_>,
    args: &[&str],
    place: &str,
    pointed_at: &str,
    fix: &str,
) {
    let scratch =
        Scratch::new(&format!("mistakes-{}", name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")));
    let path = scratch.path("small.yaml");
    match written {
        Instead(right, wrong) => {
            assert!(SMALL.contains(right), "{name}: {right} is not in the scenario");
            fs::write(path, SMALL.replacen(right, wrong, 1)).unwrap();
        }
        Bytes(bytes) => fs::write(path, bytes).unwrap(),
        Zeros(length) => File::create(path).unwrap().set_len(*length).unwrap(),
    }
    for (table, bytes) in TABLES {
        fs::write(scratch.path(table), bytes).unwrap();
    }
    let everything = || {
        let mut names: Vec<_> =
            fs::read_dir(&scratch.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = everything();
    let output = scratch.run(&[&["run", "small.yaml"], args].concat());
    let message = err(&output);
    assert_eq!(code(&output), 65, "{name}: {message}");
    assert_eq!(out(&output), "", "{name}");
    assert_eq!(everything(), before, "{name} leaves something behind");

    let lines: Vec<&str> = message.lines().collect();
    let at = lines.iter().position(|line| line.trim() == format!("--> {place}"));
    let at = at.unwrap_or_else(|| panic!("{name}: not at {place}:\n{message}"));
    let (text, carets) = (lines[at + 2], lines[at + 3]);
    let caret =
        carets.chars().position(|c| c == '^').unwrap_or_else(|| panic!("{name}: no caret:\n{message}"));
    let found: String = text.chars().skip(caret).collect();
    assert!(found.starts_with(pointed_at), "{name}: the caret is not at `{pointed_at}`:\n{message}");
    let end = lines[at..].iter().position(|line| line.is_empty()).map_or(lines.len(), |end| at + end);
    let answer = lines[at - 1..end].join("\n");
    assert!(answer.contains(fix), "{name}: `{fix}` is not said:\n{message}");
}

/// Rows of a scenario changed in one place: what, instead of what, by what, place, pointed at, fix.
#[track_caller]
pub(super) fn check_changes(rows: &[(&str, &str, &str, &str, &str, &str)]) {
    for (name, right, wrong, place, pointed_at, fix) in rows {
        check(name, &Instead(right, wrong), &[], &format!("small.yaml:{place}"), pointed_at, fix);
    }
}

pub(super) const MAP: &str = "  rtts: [{ between: [us, eu], rtt: 80ms }]\n  nodes: { p: us, r: eu }\n";
const PROTOCOL: &str = "nodes: { p: us, r: eu }\nprotocol: primary-backup";
const LAST: &str = "lost_writes == 0";
const FAULT: &str = "at: 500ms, partition: { isolate: [r] }, for: 200ms";

/// Three nodes under a protocol; stands for `PROTOCOL`.
fn three(protocol: &str) -> String {
    format!("nodes: {{ p: us, q: us, r: eu }}\nprotocol: {protocol}")
}

#[test]
fn words_that_are_unknown() {
    check_changes(&[
        (
            "a misspelt key",
            "duration: 2s",
            "duration: 2s\nwarmpu: 1s",
            "3:1",
            "warmpu",
            "did you mean `warmup`?",
        ),
        ("a misspelt key of a workload", "reads: 0%", "reeds: 0%", "8:59", "reeds", "did you mean `reads`?"),
        ("a misspelt choice", "poisson: 100/s", "poison: 100/s", "8:41", "poison", "did you mean `poisson`?"),
        ("an unknown node", "isolate: [r]", "isolate: [q]", "11:41", "q", "there are p, r, us, eu"),
        (
            "an unknown node to read from",
            "reads: 0%",
            "reads: 0%, read-from: { node: q }",
            "8:89",
            "q",
            "the nodes are p, r",
        ),
        (
            "an unknown region",
            "partition: { isolate: [r] }",
            "region-outage: { region: asia }",
            "11:43",
            "asia",
            "the regions are us, eu",
        ),
        (
            "an unknown zone",
            "partition: { isolate: [r] }",
            "zone-outage: { zone: us/b }",
            "11:39",
            "us/b",
            "the zones are us, eu",
        ),
        (
            "an unknown preset",
            "topology:",
            "topology:\n  preset: ibm-clod",
            "4:11",
            "ibm-clod",
            "did you mean `ibm-cloud`?",
        ),
        (
            "a region that a preset lacks",
            MAP,
            "  preset: aws\n  nodes: { p: us-east, r: eu-west-1 }\n",
            "5:15",
            "us-east",
            "did you mean `us-east-1`?",
        ),
        (
            "a protocol that is not there",
            "protocol: primary-backup",
            "protocol: raft",
            "6:11",
            "raft",
            "allowed here: `primary-backup`, `quorum`",
        ),
        (
            "a fault that is not there",
            "partition: {",
            "partitoin: {",
            "11:18",
            "partitoin",
            "did you mean `partition`?",
        ),
        (
            "a link class that is not there",
            "workload:",
            "network: { cross-regoin: {} }\nworkload:",
            "7:12",
            "cross-regoin",
            "did you mean `cross-region`?",
        ),
    ]);
}

#[test]
fn quantities_that_are_none() {
    check_changes(&[
        ("no unit", "duration: 2s", "duration: 60", "2:11", "60", "write `60ms` or `60s`"),
        ("no unit, in quotes", "duration: 2s", "duration: '60'", "2:11", "'60'", "write `60ms` or `60s`"),
        (
            "a wrong unit",
            "duration: 2s",
            "duration: 2 parsecs",
            "2:11",
            "2 parsecs",
            "the units are ns, us, ms, s, m, h",
        ),
        ("another's unit", "duration: 2s", "duration: 2 min", "2:11", "2 min", "write `2m`"),
        ("days", "duration: 2s", "duration: 2d", "2:11", "2d", "write `48h`"),
        (
            "words",
            "duration: 2s",
            "duration: two seconds",
            "2:11",
            "two",
            "write a number and a unit, like `250ms`",
        ),
        ("nothing", "duration: 2s", "duration:", "2:1", "duration", "a number and a unit, like `250ms`"),
        ("a list", "duration: 2s", "duration: [2s]", "2:11", "[2s]", "a number and a unit, like `250ms`"),
        ("a negative duration", "duration: 2s", "duration: -2s", "2:11", "-2s", "cannot be negative"),
        ("a negative time", "at: 500ms", "at: -5s", "11:11", "-5s", "cannot be negative"),
        (
            "an overflowing duration",
            "duration: 2s",
            "duration: 300000000h",
            "2:11",
            "300000000h",
            "292 years at most",
        ),
        (
            "an endless duration",
            "duration: 2s",
            "duration: 99999999999999999999s",
            "2:11",
            "9999",
            "292 years at most",
        ),
        ("a rate without a unit", "poisson: 100/s", "poisson: 100", "8:50", "100", "write `100/s`"),
        (
            "a rate in another's unit",
            "poisson: 100/s",
            "poisson: 100 rps",
            "8:50",
            "100 rps",
            "write `100/s`",
        ),
        (
            "a rate without its law",
            "arrivals: { poisson: 100/s }",
            "arrivals: 100/s",
            "8:39",
            "100/s",
            "`{ poisson: 100/s }`",
        ),
        ("a size without a unit", "reads: 0%", "reads: 0%, value: 100", "8:77", "100", "write `100B`"),
        ("a share without its sign", "reads: 0%", "reads: 90", "8:66", "90", "write `90%`"),
        ("a share out of range", "reads: 0%", "reads: 120%", "8:66", "120%", "between 0% and 100%"),
        ("a negative share", "reads: 0%", "reads: -10%", "8:66", "-10%", "between 0% and 100%"),
        ("a share with the sign first", "reads: 0%", "reads: %10", "8:66", "%10", "put the value in quotes"),
        (
            "a latency without its law",
            "workload:",
            "network: { default: { latency: 10ms } }\nworkload:",
            "7:32",
            "10ms",
            "`{ constant: 10ms }`",
        ),
    ]);
}

#[test]
fn clusters_that_cannot_be() {
    let replicas = three("{ primary-backup: { replicas: 5 } }");
    let waits = three("{ primary-backup: { acknowledge: { semi-sync: { replicas: 5 } } } }");
    let copies = three("{ quorum: { copies: 5 } }");
    let reads = three("{ quorum: { read: 4 } }");
    let repair = three("{ quorum: { read-repair: 10% } }");
    let repair_number = three("{ quorum: { read-repair: 0.1 } }");
    let majority = three("{ quorum: { write: majority } }");
    let n = three("{ quorum: { replicas: 3 } }");
    let others = three("{ quorum: { acknowledge: sync } }");
    let others_too = three("{ primary-backup: { read-repair: none } }");
    let primaries = three("{ primary-backup: { primary: [p, r] } }");
    let unknown = three("{ primary-backup: { primary: x } }");
    check_changes(&[
        (
            "an empty cluster",
            "nodes: { p: us, r: eu }",
            "nodes: {}",
            "5:10",
            "{}",
            "`nodes: { p: us, r: eu }`",
        ),
        (
            "an empty cluster, in a block",
            "nodes: { p: us, r: eu }",
            "nodes:",
            "5:3",
            "nodes",
            "`nodes: { p: us, r: eu }`",
        ),
        (
            "a list of nodes",
            "nodes: { p: us, r: eu }",
            "nodes: [p, r]",
            "5:10",
            "[p, r]",
            "`nodes: { a: us, b: eu/zone-1 }`",
        ),
        (
            "a number of nodes",
            "nodes: { p: us, r: eu }",
            "nodes: 3",
            "5:10",
            "3",
            "`nodes: { a: us, b: eu/zone-1 }`",
        ),
        (
            "nodes with settings",
            "p: us, r: eu",
            "p: { region: us }, r: { region: eu }",
            "5:17",
            "region",
            "allowed here: `count`, `at`",
        ),
        ("no blank after a colon", "p: us, r: eu", "p:us, r:eu", "5:12", "p:us", "put a space after the `:`"),
        ("two primaries", PROTOCOL, &primaries, "6:40", "[p, r]", "there is one primary"),
        ("an unknown primary", PROTOCOL, &unknown, "6:40", "x", "the nodes are p, q, r"),
        (
            "`replicas: 5` of the map",
            "nodes: {",
            "replicas: 5\n  nodes: {",
            "5:3",
            "replicas",
            "name each node",
        ),
        (
            "`replicas: 5` of primary-backup",
            PROTOCOL,
            &replicas,
            "6:31",
            "replicas",
            "`acknowledge: { semi-sync: { replicas: 1 } }`",
        ),
        (
            "`replicas: 5` with 3 nodes",
            PROTOCOL,
            &waits,
            "6:69",
            "5",
            "at most 2, all but the primary: the nodes are p, q, r",
        ),
        (
            "`copies: 5` with 3 nodes",
            PROTOCOL,
            &copies,
            "6:31",
            "5",
            "from 1 to 3, for the nodes are p, q, r",
        ),
        ("`read: 4` with 3 copies", PROTOCOL, &reads, "6:29", "4", "from 1 to 3"),
        ("`replicas` of a quorum", PROTOCOL, &n, "6:23", "replicas", "here it is `copies`"),
        ("a majority", PROTOCOL, &majority, "6:30", "majority", "here it is `quorum`"),
        ("a chance of read repair", PROTOCOL, &repair, "6:36", "10%", "`{ probability: 10% }`"),
        ("a chance as a number", PROTOCOL, &repair_number, "6:36", "0.1", "`{ probability: 0.1 }`"),
        (
            "a key of the other protocol",
            PROTOCOL,
            &others,
            "6:23",
            "acknowledge",
            "a field of `protocol.primary-backup`",
        ),
        ("and the other way", PROTOCOL, &others_too, "6:31", "read-repair", "a field of `protocol.quorum`"),
        (
            "yes for true",
            PROTOCOL,
            &three("{ primary-backup: { fencing: yes } }"),
            "6:40",
            "yes",
            "write `true`",
        ),
    ]);
}

#[test]
fn blocks_a_level_too_far_out() {
    let beside = |key: &str| {
        format!("nodes: {{ p: us, r: eu }}\nprotocol:\n  primary-backup:\n    fencing: false\n{key}")
    };
    check_changes(&[
        (
            "a setting of the protocol at the top",
            PROTOCOL,
            &beside("acknowledge: sync"),
            "9:1",
            "acknowledge",
            "a field of `protocol.primary-backup`",
        ),
        (
            "how another becomes the primary, at the top",
            "workload:",
            "failover: automatic\nworkload:",
            "7:1",
            "failover",
            "indent it below `protocol: primary-backup:`",
        ),
        (
            "one beside its protocol",
            PROTOCOL,
            &beside("  acknowledge: sync"),
            "9:3",
            "acknowledge",
            "a field of `protocol.primary-backup`",
        ),
        ("how long a fault lasts", "expect:", "for: 200ms\nexpect:", "12:1", "for", "a field of `faults`"),
        (
            "a setting of links at the top",
            "workload:",
            "jitter: { exponential: 1ms }\nworkload:",
            "7:1",
            "jitter",
            "a field of `network.cross-region`, `network.default` and of 5 more",
        ),
        (
            "a choice beside what it is for",
            "workload:",
            "network:\n  default:\n    jitter:\n    exponential: 1ms\nworkload:",
            "10:5",
            "exponential",
            "a field of `network.default.jitter` and of `network.default.latency`",
        ),
        (
            "a choice at the top",
            PROTOCOL,
            "nodes: { p: us, r: eu }\nprotocol:\nprimary-backup: {}",
            "6:1",
            "protocol",
            "what belongs to it stands further in than its name",
        ),
    ]);
}

#[test]
fn faults_that_cannot_be() {
    check_changes(&[
        ("after the end", "at: 500ms", "at: 5s", "11:11", "5s", "must be before the end of `duration`"),
        ("healed before it is cut", "for: 200ms", "for: -200ms", "11:52", "-200ms", "cannot be negative"),
        ("healed when it is cut", "for: 200ms", "for: 0s", "11:52", "0s", "must be more than 0"),
        (
            "an end in time",
            "for: 200ms",
            "until: 300ms",
            "11:47",
            "until",
            "write how long it lasts, `for: 10s`",
        ),
        ("a heal", "for: 200ms", "heal: 300ms", "11:47", "heal", "write how long it lasts, `for: 10s`"),
        (
            "a heal of its own",
            "  - { at: 500ms,",
            "  - { at: 100ms, heal: { isolate: [r] } }\n  - { at: 500ms,",
            "11:18",
            "heal",
            "`for: 10s`",
        ),
        (
            "a list for a map",
            "{ isolate: [r] }",
            "[r]",
            "11:29",
            "[r]",
            "the fields of `partition`: `isolate`",
        ),
        ("a name for a map", FAULT, "at: 500ms, crash: r", "11:25", "r", "the fields of `crash`: `nodes`"),
        (
            "a time further in",
            FAULT,
            "partition: { at: 500ms, isolate: [r] }",
            "11:20",
            "at",
            "a field of `faults`: move it further out",
        ),
        ("no kind", FAULT, "at: 500ms, for: 200ms", "11:5", "{ at", "the kinds are: partition"),
        (
            "no list",
            "  - { at: 500ms, partition: { isolate: [r] }, for: 200ms }",
            "  partition: { isolate: [r] }",
            "11:3",
            "partition",
            "put `- ` before an item",
        ),
        (
            "all nodes",
            "isolate: [r]",
            "isolate: [p, r]",
            "11:40",
            "[p, r]",
            "nobody is left to be cut off from",
        ),
        (
            "one that the protocol lacks",
            "partition: { isolate: [r] }, for: 200ms",
            "promote: { node: r }",
            "11:27",
            "{ node: r }",
            "`if-supported: true`",
        ),
    ]);
}

#[test]
fn expectations_that_cannot_be() {
    check_changes(&[
        ("no measure", LAST, "lost_writs == 0", "13:5", "lost_writs", "did you mean `lost_writes`?"),
        ("a single =", LAST, "lost_writes = 0", "13:5", "lost_writes", "write `==`"),
        ("a map", LAST, "lost_writes: 0", "13:5", "lost_writes", "such as `lost_writes == 0`"),
        ("another's function", LAST, "avg(staleness) < 3s", "13:5", "avg", "here it is `mean`"),
        ("a duration without a unit", LAST, "p99(staleness) < 30", "13:5", "p99", "write one like `30ms`"),
        ("a duration and a share", LAST, "p99(staleness) < 30%", "13:5", "p99", "write one like `30ms`"),
        ("a count and a duration", LAST, "lost_writes == 3s", "13:5", "lost", "leave the unit out"),
        ("a count and a share", LAST, "lost_writes < 5%", "13:5", "lost", "`share(lost_writes) < 5%`"),
        ("a count and a rate", LAST, "lost_writes == 0/s", "13:5", "lost", "leave the `/s` out"),
        ("a share and a duration", LAST, "availability > 3s", "13:5", "avail", "write `90%` or `0.9`"),
        ("a share without its sign", LAST, "availability > 99", "13:5", "avail", "write `99%`"),
        (
            "a workload that is not there",
            LAST,
            "p99(staleness{workload=raeder}) < 3s",
            "13:5",
            "p99",
            "did you mean `reader`?",
        ),
    ]);
}
