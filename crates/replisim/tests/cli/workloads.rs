//! Mistakes in workloads that follow others, in their keys and in how they write, and the whole of the answer to each.

use std::fs;

use super::messages::check;
use super::{SMALL, Scratch, code, err, out};

/// The reader of `SMALL` as one that follows, with these settings.
fn following(settings: &str) -> String {
    format!("{{ read-after-ack: {{ {settings} }} }}")
}

const ARRIVALS: &str =
    "reader, at: eu, arrivals: { poisson: 100/s }, reads: 100%, keys: { uniform: { count: 10 } }";

#[test]
fn an_unknown_workload_to_follow() {
    check(
        ARRIVALS,
        &format!("reader, at: eu, arrivals: {}", following("of: writers, after: { constant: 1ms }")),
        &[],
        r#"
        error: there is no workload `writers`
          --> small.yaml:9:63
           |
         9 |   - { name: reader, at: eu, arrivals: { read-after-ack: { of: writers, after: { constant: 1ms } } } }
           |                                                               ^^^^^^^ did you mean `writer`?
           |
           = help: the workloads are writer
        "#,
    );
}

#[test]
fn a_workload_that_follows_itself() {
    check(
        ARRIVALS,
        &format!("reader, at: eu, arrivals: {}", following("of: [writer, reader], after: { constant: 1ms }")),
        &[],
        r#"
        error: `reader` writes nothing that could be followed: it follows others
          --> small.yaml:9:72
           |
         9 |   - { name: reader, at: eu, arrivals: { read-after-ack: { of: [writer, reader], after: { constant: 1ms } } } }
           |                                                                        ^^^^^^ name a workload that writes
        "#,
    );
}

#[test]
fn a_workload_that_follows_nobody() {
    check(
        ARRIVALS,
        &format!("reader, at: eu, arrivals: {}", following("of: [], after: { constant: 1ms }")),
        &[],
        r#"
        error: nobody to follow
          --> small.yaml:9:63
           |
         9 |   - { name: reader, at: eu, arrivals: { read-after-ack: { of: [], after: { constant: 1ms } } } }
           |                                                               ^^ name a workload that writes
        "#,
    );
}

#[test]
fn keys_and_a_share_of_reads_of_a_workload_that_follows() {
    check(
        "reader, at: eu, arrivals: { poisson: 100/s }, reads: 100%",
        &format!(
            "reader, at: eu, reads: 50%, arrivals: {}",
            following("of: writer, after: { uniform: { least: 2ms, most: 1ms } }")
        ),
        &[],
        r#"
        error: `read-after-ack` does nothing but read
          --> small.yaml:9:36
           |
         9 |   - { name: reader, at: eu, reads: 50%, arrivals: { read-after-ack: { of: writer, after: { uniform: { least: 2ms, most: …
           |                                    ^^^ leave `reads` out

        error: `read-after-ack` reads the key that was written
          --> small.yaml:9:140
           |
         9 | … { least: 2ms, most: 1ms } } } }, keys: { uniform: { count: 10 } } }
           |                                          ^^^^^^^^^^^^^^^^^^^^^^^^^^ leave `keys` out

        error: `most` must not be below `least`
          --> small.yaml:9:121
           |
         9 | …, after: { uniform: { least: 2ms, most: 1ms } } } }, keys: { uniform: { count: 10 } } }
           |                                          ^^^
        "#,
    );
}

#[test]
fn a_workload_that_does_not_say_how_much_it_reads() {
    check(
        "reads: 0%, ",
        "",
        &[],
        r#"
        error: the field `reads` is missing
          --> small.yaml:8:5
           |
         8 |   - { name: writer, at: us, arrivals: { poisson: 100/s }, keys: { uniform: { count: 10 } } }
           |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the share of reads, such as `reads: 90%`
        "#,
    );
}

#[test]
fn a_sequence_of_keys_that_nothing_moves_on() {
    check(
        "reads: 100%, keys: { uniform: { count: 10 } }",
        "reads: 100%, keys: { sequence: { count: 10 } }",
        &[],
        r#"
        error: a sequence goes on with every write, and this workload writes nothing
          --> small.yaml:9:78
           |
         9 |   - { name: reader, at: eu, arrivals: { poisson: 100/s }, reads: 100%, keys: { sequence: { count: 10 } } }
           |                                                                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^ give another law, or fewer `reads`
        "#,
    );
}

#[test]
fn a_way_to_write_that_there_is_not() {
    check(
        "reads: 0%",
        "reads: 0%, writes: read-modify",
        &[],
        r#"
        error: unknown choice `read-modify`
          --> small.yaml:8:78
           |
         8 | … { poisson: 100/s }, reads: 0%, writes: read-modify, keys: { uniform: { count: 10 } } }
           |                                          ^^^^^^^^^^^ did you mean `read-modify-write`?
           |
           = help: allowed here: `put`, `delete`, `add`, `compare-and-set`, `read-modify-write`, `set-add`
        "#,
    );
}

/// The settings of the writer of `SMALL` that come first, the mistake, the place that is pointed at, and the fix.
const MISTAKES: [(&str, &str, &str, &str); 29] = [
    (
        "writes: { put: 70%, delete: 20% }",
        "the shares sum to 90%, not to 100%",
        "{ put: 70%, delete: 20% }",
        "every write is made in one of these ways",
    ),
    ("writes: {}", "the shares sum to 0%, not to 100%", "{}", "every write is made in one of these ways"),
    (
        "writes: { put: 70%, drop: 30% }",
        "unknown field `drop`",
        "drop",
        "allowed here: `put`, `delete`, `add`",
    ),
    ("writes: { put: 120% }", "`120%` is out of range", "120%", "a share lies between 0% and 100%"),
    (
        "writes: 3",
        "expected a way to write, such as `put`, or shares of several, found the number 3",
        "3",
        "",
    ),
    (
        "writes: add",
        "`add` puts fresh keys, and `uniform` has none",
        "add",
        "give `keys: { latest: … }` or `{ sequence: … }`",
    ),
    (
        "keys: { latest: }",
        "`latest` goes on with every `add`, and this workload adds nothing",
        "latest",
        "give another law, or a share of `writes: { add: … }`",
    ),
    ("keys: { hot-spot: { count: 10, hot: 1% } }", "no key would be hot", "1%", ""),
    ("keys: { hot-spot: { hot: 100% } }", "every key would be hot: that is `uniform`", "100%", ""),
    ("arrivals: { closed-loop: { clients: 0 } }", "no client, no operation", "0", "must be 1 or more"),
    (
        "arrivals: { closed-loop: { clients: 5 } }, sessions: 5",
        "each client of a closed loop is a session",
        "5",
        "leave `sessions` out",
    ),
    (
        "arrivals: { closed-loop: { clients: 5, think: 5ms } }",
        "`5ms`",
        "5ms",
        "for example `{ constant: 5ms }`",
    ),
    ("arrivals: { curve: [] }", "a curve without a point", "[]", "such as `[{ at: 0s, rate: 100/s }]`"),
    ("arrivals: { poisson: 0/s }", "at this rate nothing ever comes", "0/s", "must be more than 0/s"),
    ("arrivals: { fixed: 0/min }", "at this rate nothing ever comes", "0/min", "must be more than 0/s"),
    (
        "arrivals: { bursts: { rate: 0/s, on: { constant: 1s }, off: { constant: 1s } } }",
        "at this rate nothing ever comes",
        "0/s",
        "must be more than 0/s",
    ),
    (
        "arrivals: { curve: [{ at: 0s, rate: 0/s }, { at: 1s, rate: 0/s }] }",
        "on this curve nothing ever comes",
        "[{ at: 0s, rate: 0/s }, { at: 1s, rate: 0/s }]",
        "some rate must be more than 0/s",
    ),
    (
        "arrivals: { curve: [{ at: 1s, rate: 5/s }, { at: 500ms, rate: 1/s }] }",
        "500ms comes before 1s",
        "500ms",
        "the points of a curve stand in the order of time",
    ),
    (
        "arrivals: { bursts: { rate: 9/s, on: { constant: 0s }, off: { constant: 1s } } }",
        "bursts of no length",
        "{ constant: 0s }",
        "must last 1us or more in the mean",
    ),
    (
        "arrivals: { bursts: { rate: 9/s, on: { constant: 1s }, off: { pareto: { scale: 1s, shape: 1 } } } }",
        "how much comes in the mean depends on it, and this law has no mean",
        "{ pareto: { scale: 1s, shape: 1 } }",
        "needs a finite mean",
    ),
    ("connections: 0", "no connection, no operation", "0", "must be 1 or more"),
    ("sessions: 0", "no session, no operation", "0", "must be 1 or more"),
    (
        "retries: { attempts: 0 }",
        "no attempt, no operation",
        "0",
        "the first one counts: `attempts: 1` never tries again",
    ),
    ("retries: { attempts: 101 }", "101 attempts", "101", "there can be at most 100"),
    ("retries: { backoff: -5ms }", "negative", "-5ms", ""),
    ("retries: { backoff: 5 }", "`5` has no unit", "5", "write `5ms` or `5s`"),
    ("retries: { jitter: 50 }", "share", "50", ""),
    ("retries: { retry: 3 }", "unknown field `retry`", "retry", "`attempts`, `backoff`, `jitter`, `tokens`"),
    ("sessions: 1000001", "1000001 sessions", "1000001", "there can be at most 100000"),
];

#[test]
fn every_mistake_in_a_workload_is_pointed_at_and_has_its_fix() {
    let writer = SMALL.lines().find(|line| line.contains("name: writer")).unwrap();
    for (settings, message, place, fix) in MISTAKES {
        let default = |field: &str, value: &str| if settings.contains(field) { "" } else { value }.to_owned();
        let arrivals = default("arrivals:", "arrivals: { poisson: 100/s }, ");
        let wrong = format!("  - {{ name: writer, at: us, {arrivals}reads: 0%, {settings} }}");
        let scratch = Scratch::new("mistakes-in-workloads");
        fs::write(scratch.path("small.yaml"), SMALL.replace(writer, &wrong)).unwrap();
        let output = scratch.run(&["run", "small.yaml"]);
        let found = err(&output);
        assert_eq!((code(&output), out(&output)), (65, String::new()), "{settings}: {found}");
        assert!(found.starts_with("error: ") && found.contains(message), "{settings}: {found}");
        assert!(found.contains(fix), "{settings}: {found}");
        assert!(
            found.contains("--> small.yaml:8:") && found.contains(&"^".repeat(place.len())),
            "{settings}: {found}"
        );
        assert!(!scratch.path("results").exists(), "{settings}");
    }
}

#[test]
fn tokens_under_a_protocol_that_cannot_tell_another_attempt() {
    for (conflicts, fix) in [
        ("siblings", "what was tried twice stands twice"),
        ("{ last-writer-wins: { timestamps: coordinator } }", "gives its own timestamp to every attempt"),
        ("{ last-writer-wins: { timestamps: client } }", ""),
    ] {
        let scratch = Scratch::new("tokens-by-quorum");
        let tries = SMALL.replace("reads: 0%", "reads: 0%, retries: { tokens: true }");
        fs::write(scratch.path("small.yaml"), tries).unwrap();
        let protocol = format!("protocol={{ quorum: {{ coordinator: replica, conflicts: {conflicts} }} }}");
        let output = scratch.run(&["run", "small.yaml", "--set", &protocol]);
        let found = err(&output);
        if fix.is_empty() {
            assert_ne!(code(&output), 65, "{found}");
            continue;
        }
        assert_eq!((code(&output), out(&output)), (65, String::new()), "{found}");
        assert!(found.contains("error: `quorum`, so configured, cannot tell another attempt"), "{found}");
        assert!(
            found.contains("--> small.yaml:8:") && found.contains("^^^^ ") && found.contains(fix),
            "{found}"
        );
        assert!(!scratch.path("results").exists(), "{conflicts}");
    }
}

#[test]
fn a_share_of_compare_and_sets_under_a_protocol_that_cannot() {
    for (writes, columns) in [("compare-and-set", 15), ("{ put: 90%, compare-and-set: 10% }", 3)] {
        let scratch = Scratch::new("compare-and-set-by-quorum");
        let wrong = SMALL.replace("reads: 0%", &format!("reads: 0%, writes: {writes}"));
        fs::write(scratch.path("small.yaml"), wrong).unwrap();
        let output = scratch.run(&["run", "small.yaml", "--set", "protocol=quorum"]);
        let found = err(&output);
        assert_eq!(code(&output), 65, "{found}");
        assert!(found.contains("error: `quorum` cannot compare and set"), "{found}");
        assert!(found.contains(&format!(" {} its copies agree on no order", "^".repeat(columns))), "{found}");
    }
}
