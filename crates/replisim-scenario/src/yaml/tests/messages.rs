//! What a person reads when a file is wrong.

use super::check;

#[test]
fn an_unknown_field_is_shown_at_its_key() {
    check(
        r"
        duration: 60s
        warmpu: 5s
        ",
        &[],
        r"
            error: unknown field `warmpu`
              --> test.yaml:2:1
               |
             2 | warmpu: 5s
               | ^^^^^^ did you mean `warmup`?
               |
               = help: allowed here: `name`, `seed`, `duration`, `warmup`, `nodes`, `latency`, `protocol`, `workload`, `faults`, `expect`
        ",
    );
}

#[test]
fn a_field_that_resembles_nothing_gets_the_list() {
    check(
        r"
        duration: 60s
        faults:
          - at: 1s
            zebra: 5s
        ",
        &[],
        r"
            error: unknown field `zebra`
              --> test.yaml:4:5
               |
             4 |     zebra: 5s
               |     ^^^^^
               |
               = help: allowed here: `at`, `partition`
        ",
    );
}

#[test]
fn an_unknown_choice_is_shown_at_its_name() {
    check(
        r"
        duration: 60s
        protocol: primary-bakup
        ",
        &[],
        r"
            error: unknown choice `primary-bakup`
              --> test.yaml:2:11
               |
             2 | protocol: primary-bakup
               |           ^^^^^^^^^^^^^ did you mean `primary-backup`?
               |
               = help: allowed here: `primary-backup`, `quorum`, `gossip`
        ",
    );
}

#[test]
fn an_unknown_choice_in_a_map_is_shown_at_its_key() {
    check(
        r"
        duration: 60s
        latency: { logarithmic: { median: 1ms } }
        ",
        &[],
        r"
            error: unknown choice `logarithmic`
              --> test.yaml:2:12
               |
             2 | latency: { logarithmic: { median: 1ms } }
               |            ^^^^^^^^^^^
               |
               = help: allowed here: `constant`, `uniform`, `exponential`, `normal`, `lognormal`, `pareto`, `weibull`, `gamma`, `mixture`, `shifted`, `empirical`
        ",
    );
}

#[test]
fn a_choice_without_its_name_is_asked_for_it() {
    check(
        r"
        duration: 60s
        latency: { median: 1ms, p99: 2ms }
        ",
        &[],
        r"
            error: unknown choice `median`
              --> test.yaml:2:12
               |
             2 | latency: { median: 1ms, p99: 2ms }
               |            ^^^^^^
               |
               = help: allowed here: `constant`, `uniform`, `exponential`, `normal`, `lognormal`, `pareto`, `weibull`, `gamma`, `mixture`, `shifted`, `empirical`
        ",
    );
}

#[test]
fn a_choice_takes_one_key() {
    check(
        r"
        duration: 60s
        protocol:
          primary-backup: { acknowledge: sync }
          quorum: { read: 2 }
        ",
        &[],
        r"
            error: `protocol` names two: `primary-backup` and `quorum`; keep one
              --> test.yaml:4:3
               |
             4 |   quorum: { read: 2 }
               |   ^^^^^^
        ",
    );
}

#[test]
fn a_missing_field_is_shown_at_the_key_of_its_map() {
    check(
        r"
        duration: 60s
        workload:
          - name: readers
            keys:
              zipf:
                count: 5
        ",
        &[],
        r"
            error: the field `theta` is missing
              --> test.yaml:5:7
               |
             5 |       zipf:
               |       ^^^^
               |
               = help: the fields of `zipf`: `count`, `theta`
        ",
    );
}

#[test]
fn a_missing_field_of_a_list_item_is_shown_at_its_first_line() {
    check(
        r"
        duration: 60s
        faults:
          - partition: { isolate: [r2] }
        ",
        &[],
        r"
            error: the field `at` is missing
              --> test.yaml:3:5
               |
             3 |   - partition: { isolate: [r2] }
               |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
               |
               = help: its fields: `at`, `partition`
        ",
    );
}

#[test]
fn a_missing_field_of_the_whole_file_is_shown_at_its_first_line() {
    check(
        r"
        # a comment
        name: x
        seed: 2
        ",
        &[],
        r"
            error: the field `duration` is missing
              --> test.yaml:2:1
               |
             2 | name: x
               | ^^^^^^^
               |
               = help: its fields: `name`, `seed`, `duration`, `warmup`, `nodes`, `latency`, `protocol`, `workload`, `faults`, `expect`
        ",
    );
}

#[test]
fn a_bare_choice_that_has_required_fields_says_so() {
    check(
        r"
        duration: 60s
        workload:
          - { name: readers, keys: uniform }
        ",
        &[],
        r"
            error: `uniform` needs fields: `count` is missing
              --> test.yaml:3:28
               |
             3 |   - { name: readers, keys: uniform }
               |                            ^^^^^^^
               |
               = help: write `uniform: { count: … }`; the fields of `uniform`: `count`
        ",
    );
}

#[test]
fn a_choice_with_an_empty_value_is_a_bare_one() {
    check(
        r"
        duration: 60s
        latency:
          uniform:
        ",
        &[],
        r"
            error: `uniform` needs fields: `least` is missing
              --> test.yaml:3:3
               |
             3 |   uniform:
               |   ^^^^^^^
               |
               = help: write `uniform: { least: … }`; the fields of `uniform`: `least`, `most`
        ",
    );
}

#[test]
fn a_bare_choice_that_needs_a_value_says_so() {
    check(
        r"
        duration: 60s
        latency: constant
        ",
        &[],
        r"
            error: expected a duration: a number and a unit, like `250ms`, found nothing
              --> test.yaml:2:10
               |
             2 | latency: constant
               |          ^^^^^^^^
        ",
    );
}

#[test]
fn a_choice_without_settings_refuses_them() {
    check(
        r"
        duration: 60s
        protocol: { gossip: { fanout: 3 } }
        ",
        &[],
        r"
            error: `gossip` has no settings, found a map
              --> test.yaml:2:21
               |
             2 | protocol: { gossip: { fanout: 3 } }
               |                     ^^^^^^^^^^^^^
        ",
    );
}

#[test]
fn a_duration_needs_a_unit() {
    check(
        r"
        duration: 60
        ",
        &[],
        r"
            error: `60` has no unit: write `60ms` or `60s` (units: ns, us, ms, s, m, h)
              --> test.yaml:1:11
               |
             1 | duration: 60
               |           ^^
        ",
    );
}

#[test]
fn a_duration_is_not_a_list() {
    check(
        r"
        duration: [60s]
        ",
        &[],
        r"
            error: expected a duration: a number and a unit, like `250ms`, found a list
              --> test.yaml:1:11
               |
             1 | duration: [60s]
               |           ^^^^^
        ",
    );
}

#[test]
fn a_duration_is_not_empty() {
    check(
        r"
        duration:
        seed: 1
        ",
        &[],
        r"
            error: expected a duration: a number and a unit, like `250ms`, found nothing
              --> test.yaml:1:1
               |
             1 | duration:
               | ^^^^^^^^
        ",
    );
}

#[test]
fn a_whole_number_is_no_fraction() {
    check(
        r"
        duration: 1s
        seed: 1.5
        ",
        &[],
        r"
            error: expected a whole number, 0 or more, found the number 1.5
              --> test.yaml:2:7
               |
             2 | seed: 1.5
               |       ^^^
        ",
    );
}

#[test]
fn a_whole_number_is_not_negative() {
    check(
        r"
        duration: 1s
        seed: -1
        ",
        &[],
        r"
            error: expected a whole number, 0 or more, found the number -1
              --> test.yaml:2:7
               |
             2 | seed: -1
               |       ^^
        ",
    );
}

#[test]
fn a_whole_number_has_its_range() {
    check(
        r"
        duration: 1s
        protocol: { quorum: { read: 300 } }
        ",
        &[],
        r"
            error: expected a whole number from 0 to 255, found the number 300
              --> test.yaml:2:29
               |
             2 | protocol: { quorum: { read: 300 } }
               |                             ^^^
        ",
    );
}

#[test]
fn a_whole_number_beyond_64_bits() {
    check(
        r"
        duration: 1s
        seed: 99999999999999999999
        ",
        &[],
        r"
            error: expected a whole number, 0 or more, found the number 99999999999999999999
              --> test.yaml:2:7
               |
             2 | seed: 99999999999999999999
               |       ^^^^^^^^^^^^^^^^^^^^
        ",
    );
}

#[test]
fn a_quoted_number_is_a_text() {
    check(
        r"
        duration: 1s
        seed: '42'
        ",
        &[],
        r"
            error: expected a whole number, 0 or more, found the text `42`
              --> test.yaml:2:7
               |
             2 | seed: '42'
               |       ^^^^
               |
               = help: remove the quotes to make it a number
        ",
    );
}

#[test]
fn a_number_is_no_text() {
    check(
        r"
        duration: 1s
        name: 42
        ",
        &[],
        r"
            error: expected a text, found the number 42
              --> test.yaml:2:7
               |
             2 | name: 42
               |       ^^
               |
               = help: put it in quotes to make it a text
        ",
    );
}

#[test]
fn a_struct_is_no_list() {
    check(
        r"
        duration: 1s
        faults:
          - [at, 5s]
        ",
        &[],
        r"
            error: expected a map, found a list
              --> test.yaml:3:5
               |
             3 |   - [at, 5s]
               |     ^^^^^^^^
               |
               = help: its fields: `at`, `partition`
        ",
    );
}

#[test]
fn a_list_is_no_map() {
    check(
        r"
        duration: 1s
        faults:
          at: 5s
        ",
        &[],
        r"
            error: expected a list, found a map
              --> test.yaml:3:3
               |
             3 |   at: 5s
               |   ^^^^^^
               |
               = help: put `- ` before an item
        ",
    );
}

#[test]
fn a_choice_is_no_number() {
    check(
        r"
        duration: 1s
        protocol: 3
        ",
        &[],
        r"
            error: expected one of `primary-backup`, `quorum`, `gossip`, found the number 3
              --> test.yaml:2:11
               |
             2 | protocol: 3
               |           ^
        ",
    );
}

#[test]
fn a_pair_is_too_short() {
    check(
        r"
        duration: 1s
        workload:
          - { name: w, between: [a] }
        ",
        &[],
        r"
            error: expected a list of 2, found 1
              --> test.yaml:3:25
               |
             3 |   - { name: w, between: [a] }
               |                         ^^^
        ",
    );
}

#[test]
fn a_pair_is_too_long() {
    check(
        r"
        duration: 1s
        workload:
          - { name: w, between: [a, b, c] }
        ",
        &[],
        r"
            error: expected a list of 2, found 3
              --> test.yaml:3:25
               |
             3 |   - { name: w, between: [a, b, c] }
               |                         ^^^^^^^^^
        ",
    );
}

#[test]
fn a_pair_is_no_text() {
    check(
        r"
        duration: 1s
        workload:
          - { name: w, between: a }
        ",
        &[],
        r"
            error: expected a list of 2, found the text `a`
              --> test.yaml:3:25
               |
             3 |   - { name: w, between: a }
               |                         ^
        ",
    );
}

#[test]
fn an_error_deep_inside_a_law() {
    check(
        r"
        duration: 1s
        latency:
          shifted:
            by: 1ms
            law: { mixture: [{ weight: 1, law: { constant: 5 parsecs } }] }
        ",
        &[],
        r"
            error: `parsecs` is not a unit of time; the units are ns, us, ms, s, m, h
              --> test.yaml:5:52
               |
             5 |     law: { mixture: [{ weight: 1, law: { constant: 5 parsecs } }] }
               |                                                    ^^^^^^^^^
        ",
    );
}
