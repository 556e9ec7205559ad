//! Mistakes in clocks and their steps, and the whole of the answer to each.

use super::messages::check;

#[test]
fn a_clock_of_nobody() {
    check(
        "duration: 2s\n",
        "duration: 2s\nclocks: { reeder: { offset: 1s } }\n",
        &[],
        r#"
        error: there is no node, workload or client `reeder`
          --> small.yaml:3:19
           |
         3 | clocks: { reeder: { offset: 1s } }
           |                   ^^^^^^^^^^^^^^ did you mean `reader`?
           |
           = help: there are p, r, writer, reader
        "#,
    );
}

#[test]
fn a_clock_that_a_node_and_a_workload_could_have() {
    check(
        "name: writer, ",
        "name: r, ",
        &["clocks.r.offset=1s"],
        r#"
        error: a node and a client are called `r`: whose clock?
          --> --set clocks.r.offset=…
           |
           | clocks.r.offset=1s
           |          ^^^^^^ rename one
        "#,
    );
}

#[test]
fn a_clock_that_is_off_by_a_number() {
    check(
        "duration: 2s\n",
        "duration: 2s\nclocks: { r: { offset: -50 } }\n",
        &[],
        r#"
        error: `-50` has no unit: write `-50ms` or `-50s` (units: ns, us, ms, s, m, h)
          --> small.yaml:3:24
           |
         3 | clocks: { r: { offset: -50 } }
           |                        ^^^
        "#,
    );
}

#[test]
fn a_clock_that_is_years_off() {
    check(
        "duration: 2s\n",
        "duration: 2s\nclocks: { r: { offset: -9000h } }\n",
        &[],
        r#"
        error: a clock that is years off
          --> small.yaml:3:24
           |
         3 | clocks: { r: { offset: -9000h } }
           |                        ^^^^^^ at most a year, 8784h
        "#,
    );
}

#[test]
fn a_drift_without_a_unit() {
    check(
        "duration: 2s\n",
        "duration: 2s\nclocks: { r: { drift: 100 } }\n",
        &[],
        r#"
        error: `100` has no unit: write `100ppm`, parts per million
          --> small.yaml:3:23
           |
         3 | clocks: { r: { drift: 100 } }
           |                       ^^^
        "#,
    );
}

#[test]
fn a_drift_that_is_no_drift() {
    check(
        "duration: 2s\n",
        "duration: 2s\nclocks: { r: { drift: 50% } }\n",
        &[],
        r#"
        error: `50%` is not a drift: write one like `100ppm`, parts per million
          --> small.yaml:3:23
           |
         3 | clocks: { r: { drift: 50% } }
           |                       ^^^
        "#,
    );
}

#[test]
fn a_step_of_nothing() {
    check(
        "partition: { isolate: [r] }",
        "clock-step: { nodes: [r], by: 0s }",
        &[],
        r#"
        error: a step of nothing
           --> small.yaml:11:48
            |
         11 |   - { at: 500ms, clock-step: { nodes: [r], by: 0s }, for: 200ms }
            |                                                ^^
        "#,
    );
}

#[test]
fn a_step_of_a_clock_without_a_unit() {
    check(
        "partition: { isolate: [r] }",
        "clock-step: { nodes: [r], by: -2 }",
        &[],
        r#"
        error: `-2` has no unit: write `-2ms` or `-2s` (units: ns, us, ms, s, m, h)
           --> small.yaml:11:48
            |
         11 |   - { at: 500ms, clock-step: { nodes: [r], by: -2 }, for: 200ms }
            |                                                ^^
        "#,
    );
}
