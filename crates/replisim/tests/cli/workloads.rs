//! Mistakes in workloads that follow others, in their keys and in how they write, and the whole of the answer to each.

use super::messages::check;

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
           = help: allowed here: `put`, `read-modify-write`, `set-add`
        "#,
    );
}
