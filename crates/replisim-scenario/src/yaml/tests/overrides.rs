//! What `--set` does, and what a person reads when an argument is wrong.

use super::super::{Origin, locate};
use super::{Acknowledge, PrimaryBackup, Protocol, Quorum, check, document, read};

const BASE: &str = "
    duration: 60s
    name: base
    seed: 42
    protocol: primary-backup
    workload:
      - { name: writers, reads: 10% }
      - { name: readers, keys: { zipf: { count: 5, theta: 1 } } }
    faults:
      - at: 5s
        partition: { isolate: [r2] }
";

#[test]
fn an_unknown_field_is_shown_in_its_argument() {
    check(
        BASE,
        &["workload.readers.kys=uniform"],
        r"
            error: unknown field `kys`
              --> --set workload.readers.kys=…
               |
               | workload.readers.kys=uniform
               |                  ^^^ did you mean `keys`?
               |
               = help: allowed here: `name`, `reads`, `keys`, `between`
        ",
    );
}

#[test]
fn a_bad_value_is_shown_in_its_argument() {
    check(
        BASE,
        &["seed=1", "workload.readers.reads=90"],
        r"
            error: `90` is out of range: a share lies between 0 and 1; for a percentage write `90%`
              --> --set workload.readers.reads=…
               |
               | workload.readers.reads=90
               |                        ^^
        ",
    );
}

#[test]
fn a_value_is_yaml_and_its_inside_is_shown() {
    check(
        BASE,
        &["workload.readers.keys={ zipf: { count: many, theta: 0.9 } }"],
        r"
            error: expected a whole number, 0 or more, found the text `many`
              --> --set workload.readers.keys=…
               |
               | workload.readers.keys={ zipf: { count: many, theta: 0.9 } }
               |                                        ^^^^
        ",
    );
}

#[test]
fn a_missing_field_of_a_value_is_shown_in_its_argument() {
    check(
        BASE,
        &["workload.readers.keys={ zipf: { count: 5 } }"],
        r"
            error: the field `theta` is missing
              --> --set workload.readers.keys=…
               |
               | workload.readers.keys={ zipf: { count: 5 } }
               |                         ^^^^
               |
               = help: the fields of `zipf`: `count`, `theta`
        ",
    );
}

#[test]
fn a_missing_item_is_guessed_by_name() {
    check(
        BASE,
        &["workload.reader.reads=5%"],
        r"
            error: no item of `workload` has the name `reader`
              --> --set workload.reader.reads=…
               |
               | workload.reader.reads=5%
               |          ^^^^^^ did you mean `readers`?
               |
               = help: its items: `writers`, `readers`
        ",
    );
}

#[test]
fn a_missing_index_says_how_many_there_are() {
    check(
        BASE,
        &["workload.5.reads=5%"],
        r"
            error: no item `5`: `workload` has 2 items, `[0]` to `[1]`
              --> --set workload.5.reads=…
               |
               | workload.5.reads=5%
               |          ^
        ",
    );
}

#[test]
fn a_missing_bracketed_index_says_how_many_there_are() {
    check(
        BASE,
        &["faults[2].at=5s"],
        r"
            error: no item `2`: `faults` has 1 item, `[0]`
              --> --set faults[2].at=…
               |
               | faults[2].at=5s
               |        ^
        ",
    );
}

#[test]
fn setting_a_field_of_another_choice_names_the_fix() {
    check(
        BASE,
        &["protocol.quorum.read=2"],
        r"
            error: `protocol` names two: `primary-backup` and `quorum`; keep one
              --> --set protocol.quorum.read=…
               |
               | protocol.quorum.read=2
               |          ^^^^^^
               |
               = help: `protocol` is `primary-backup`; first select the other with --set protocol=quorum
        ",
    );
}

#[test]
fn setting_a_field_of_another_choice_written_in_full_names_the_fix() {
    check(
        BASE,
        &["workload[1].keys.uniform.count=2"],
        r"
            error: `keys` names two: `zipf` and `uniform`; keep one
              --> --set workload[1].keys.uniform.count=…
               |
               | workload[1].keys.uniform.count=2
               |                  ^^^^^^^
               |
               = help: `keys` is `zipf`; first select the other with --set workload[1].keys=uniform
        ",
    );
}

#[test]
fn a_forgotten_choice_names_the_full_path() {
    check(
        BASE,
        &["protocol.acknowledge=sync"],
        r"
            error: unknown choice `acknowledge`
              --> --set protocol.acknowledge=…
               |
               | protocol.acknowledge=sync
               |          ^^^^^^^^^^^
               |
               = help: `protocol` is `primary-backup`, whose fields are set with --set protocol.primary-backup.acknowledge=…
        ",
    );
}

#[test]
fn nothing_lies_below_a_number() {
    check(
        BASE,
        &["seed.x=1"],
        r"
            error: `seed` is the number 42: it has no `x`
              --> --set seed.x=…
               |
               | seed.x=1
               |      ^
        ",
    );
}

#[test]
fn nothing_lies_below_a_text() {
    check(
        BASE,
        &["name.x=1"],
        r"
            error: expected a text, found a map
              --> --set name.x=…
               |
               | name.x=1
               |      ^
        ",
    );
}

#[test]
fn an_equals_sign_is_needed() {
    check(
        BASE,
        &["seed"],
        r"
            error: expected `path=value`
              --> --set
               |
               | seed
               | ^^^^
               |
               = help: for example `--set duration=10s` or `--set workload.readers.reads=90%`
        ",
    );
}

#[test]
fn a_path_is_needed() {
    check(
        BASE,
        &["=5"],
        r"
            error: a path is missing before the `=`
              --> --set =…
               |
               | =5
               | ^
               |
               = help: for example `--set duration=10s`
        ",
    );
}

#[test]
fn a_path_has_no_empty_part() {
    check(
        BASE,
        &["workload..reads=5%"],
        r"
            error: a name is missing in the path
              --> --set workload..reads=…
               |
               | workload..reads=5%
               |          ^
               |
               = help: a path is like `workload.readers.reads` or `faults[0].at`
        ",
    );
}

#[test]
fn an_index_is_a_number() {
    check(
        BASE,
        &["workload[readers].reads=5%"],
        r"
            error: expected an index like `[0]`
              --> --set workload[readers].reads=…
               |
               | workload[readers].reads=5%
               |         ^
               |
               = help: a path is like `workload.readers.reads` or `faults[0].at`
        ",
    );
}

#[test]
fn bad_yaml_is_shown_in_its_argument() {
    check(
        BASE,
        &["expect=[a, b"],
        r"
            error: this `[` is never closed
              --> --set expect=…
               |
               | expect=[a, b
               |        ^
               |
               = help: end it with `]`
        ",
    );
}

#[test]
fn a_made_map_in_the_place_of_a_list() {
    check(
        BASE,
        &["expect.x=5"],
        r"
            error: expected a list, found a map
              --> --set expect.x=…
               |
               | expect.x=5
               |        ^
        ",
    );
}

/// `BASE` after overrides that are fine.
fn config(overrides: &[&str]) -> super::Config {
    read(&super::unindented(BASE), overrides).unwrap_or_else(|diagnostic| panic!("{diagnostic}"))
}

#[test]
fn a_bare_choice_makes_room_for_its_fields() {
    let expected =
        |acknowledge| Some(Protocol::PrimaryBackup(PrimaryBackup { acknowledge, ..Default::default() }));
    let changed = config(&["protocol.primary-backup.acknowledge=semi-sync"]);
    assert_eq!(changed.protocol, expected(Acknowledge::SemiSync));
    assert_eq!(config(&["protocol.primary-backup={}"]).protocol, expected(Acknowledge::Async));
}

#[test]
fn overrides_apply_from_left_to_right() {
    assert_eq!(config(&["seed=1", "seed=2"]).seed, 2);
    let changed = config(&["protocol=quorum", "protocol.quorum.read=2", "protocol.quorum.write=3"]);
    assert_eq!(changed.protocol, Some(Protocol::Quorum(Quorum { read: 2, write: 3 })));
}

#[test]
fn items_are_found_by_name_and_by_index() {
    for path in ["workload.readers.reads", "workload.1.reads", "workload[1].reads"] {
        let changed = config(&[&format!("{path}=50%")]);
        assert_eq!(changed.workload[1].reads, Some("50%".parse().unwrap()), "{path}");
    }
}

#[test]
fn what_is_missing_on_the_way_is_made() {
    let changed = config(&[
        "nodes.p=Dallas/dal10",
        "latency.constant=5ms",
        "expect=a == 0",
        "workload.writers.keys.uniform.count=9",
    ]);
    assert_eq!(changed.nodes["p"], "Dallas/dal10");
    assert_eq!(changed.expect, ["a == 0"]);
    assert_eq!(changed.workload[0].keys, Some(super::Keys::Uniform { count: 9 }));
}

#[test]
fn a_list_is_replaced_or_changed_inside() {
    assert_eq!(config(&["expect=[a, b]", "expect[1]=c"]).expect, ["a", "c"]);
    assert_eq!(config(&["expect=a", "expect.0=b"]).expect, ["b"]);
    assert_eq!(
        config(&["faults[0].partition.isolate=[p, r1]"]).faults[0].partition.as_ref().unwrap().isolate,
        ["p", "r1"]
    );
    assert!(config(&["faults="]).faults.is_empty());
}

#[test]
fn keys_may_have_slashes() {
    assert_eq!(config(&["nodes.Dallas/dal10=x"]).nodes["Dallas/dal10"], "x");
}

#[test]
fn a_place_in_an_override_can_be_located() {
    let document = document(&super::unindented(BASE), &["faults[0].partition.isolate=[r1, r2]"]).unwrap();
    let found = locate(document.root(), "faults[0].partition.isolate[1]");
    assert_eq!(found, Origin::Override { index: 0, offset: 33, length: 2 });
}
