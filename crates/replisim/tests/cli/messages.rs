//! Mistakes and the whole of the answer to each: a message is read to the end, by somebody who is stuck.

use std::panic::Location;

use super::*;

/// Asserts that the scenario, with the first `right` replaced by `wrong`, is refused with exactly this text.
#[track_caller]
pub(super) fn check(right: &str, wrong: &str, overrides: &[&str], expected: &str) {
    let (file, line) = (Location::caller().file(), Location::caller().line());
    let stem = Path::new(file).file_stem().unwrap().display().to_string();
    let scratch = Scratch::new(&format!("message-{stem}-{line}"));
    assert!(SMALL.contains(right), "{right} is not in the scenario");
    fs::write(scratch.path("small.yaml"), SMALL.replacen(right, wrong, 1)).unwrap();
    fs::write(scratch.path("one-way.csv"), "from,to,rtt_ms\nus,us,1\neu,eu,1\nus,eu,80\n").unwrap();
    fs::write(scratch.path("samples.csv"), "ms\n1\ntwo\n").unwrap();
    let mut args = vec!["run", "small.yaml"];
    overrides.iter().for_each(|argument| args.extend(["--set", argument]));
    let output = scratch.run(&args);
    let (found, expected) = (err(&output), unindented(expected));
    assert!(found.trim_end() == expected, "found:\n{found}\nexpected:\n{expected}");
    assert_eq!((code(&output), out(&output)), (65, String::new()));
    assert!(!scratch.path("results").exists(), "results are left behind");
}

/// A text without the indentation that it has in a table.
fn unindented(text: &str) -> String {
    let lines: Vec<&str> =
        text.trim().lines().map(|line| line.strip_prefix("        ").unwrap_or(line)).collect();
    lines.join("\n")
}

const MAP: &str = "  rtts: [{ between: [us, eu], rtt: 80ms }]\n  nodes: { p: us, r: eu }\n";
const PROTOCOL: &str = "protocol: primary-backup\n";
const LAST: &str = "  - lost_writes == 0\n";

/// A scenario on a built-in map; `SMALL` as a whole is replaced by it.
fn on_the_ibm_cloud(place: &str) -> String {
    let workload = "workload: [{ name: w, at: Tokyo/tok02, arrivals: { fixed: 1/s }, reads: 0% }]";
    format!(
        "duration: 1s\ntopology:\n  preset: ibm-cloud\n  nodes: {{ p: {place} }}\nprotocol: primary-backup\n{workload}\n"
    )
}

#[test]
fn a_misspelt_field() {
    check(
        "duration: 2s\n",
        "duration: 2s\nwarmpu: 1s\n",
        &[],
        r#"
        error: unknown field `warmpu`
          --> small.yaml:3:1
           |
         3 | warmpu: 1s
           | ^^^^^^ did you mean `warmup`?
           |
           = help: allowed here: `name`, `about`, `question`, `answer`, `seed`, `duration`, `warmup`, `settle`, `topology`, `groups`, `network`, `disk`, `clocks`, `protocol`, `workload`, `clients`, `script`, `faults`, `expect`
        "#,
    );
}

#[test]
fn a_misspelt_field_of_a_workload() {
    check(
        "reads: 0%",
        "reeds: 0%",
        &[],
        r#"
        error: unknown field `reeds`
          --> small.yaml:8:59
           |
         8 |   - { name: writer, at: us, arrivals: { poisson: 100/s }, reeds: 0%, keys: { uniform: { count: 10 } } }
           |                                                           ^^^^^ did you mean `reads`?
           |
           = help: allowed here: `name`, `at`, `arrivals`, `reads`, `writes`, `keys`, `value`, `consistency`, `read-from`, `timeout`, `sessions`, `connections`, `retries`
        "#,
    );
}

#[test]
fn a_kind_of_fault_that_there_is_not() {
    check(
        "partition:",
        "partitoin:",
        &[],
        r#"
        error: unknown field `partitoin`
           --> small.yaml:11:18
            |
         11 |   - { at: 500ms, partitoin: { isolate: [r] }, for: 200ms }
            |                  ^^^^^^^^^ did you mean `partition`?
            |
            = help: allowed here: `at`, `for`, `mtbf`, `mttr`, `name`, `if-supported`, `partition`, `crash`, `pause`, `slow-link`, `lossy-link`, `flapping-link`, `zone-outage`, `region-outage`, `clock-step`, `promote`
        "#,
    );
}

#[test]
fn an_unknown_node_in_a_fault() {
    check(
        "isolate: [r]",
        "isolate: [rr]",
        &[],
        r#"
        error: there is no node, zone or region `rr`
           --> small.yaml:11:41
            |
         11 |   - { at: 500ms, partition: { isolate: [rr] }, for: 200ms }
            |                                         ^^ did you mean `r`?
            |
            = help: there are p, r, us, eu
        "#,
    );
}

#[test]
fn an_unknown_node_to_read_from() {
    check(
        "reads: 100%",
        "reads: 100%, read-from: { node: eu }",
        &[],
        r#"
        error: there is no node `eu`
          --> small.yaml:9:91
           |
         9 | …00/s }, reads: 100%, read-from: { node: eu }, keys: { uniform: { count: 10 } } }
           |                                          ^^
           |
           = help: the nodes are p, r
        "#,
    );
}

#[test]
fn an_unknown_preset() {
    check(
        "topology:\n",
        "topology:\n  preset: ibm-clod\n",
        &[],
        r#"
        error: there is no preset `ibm-clod`
          --> small.yaml:4:11
           |
         4 |   preset: ibm-clod
           |           ^^^^^^^^ did you mean `ibm-cloud`?
           |
           = help: the presets are ibm-cloud, aws
        "#,
    );
}

#[test]
fn an_unknown_place() {
    check(
        "nodes: { p: us, r: eu }",
        "nodes: { p: us, r: ue }",
        &[],
        r#"
        error: there is no place `ue`
          --> small.yaml:5:22
           |
         5 |   nodes: { p: us, r: ue }
           |                      ^^ did you mean `eu`?
           |
           = help: the places are eu, us
        "#,
    );
}

#[test]
fn an_unknown_region() {
    check(
        SMALL,
        &on_the_ibm_cloud("Dalas/dal10"),
        &[],
        r#"
        error: there is no place `Dalas/dal10`
          --> small.yaml:4:15
           |
         4 |   nodes: { p: Dalas/dal10 }
           |               ^^^^^^^^^^^ did you mean `Dallas/dal10`?
           |
           = help: the places are Chennai, Dallas, Frankfurt, London, Madrid, Montreal, Mumbai, Osaka, Sao Paulo, Sydney, Tokyo, Toronto, Washington DC
        "#,
    );
}

#[test]
fn an_unknown_zone() {
    check(
        SMALL,
        &on_the_ibm_cloud("Dallas/dal11"),
        &[],
        r#"
        error: there is no place `Dallas/dal11`
          --> small.yaml:4:15
           |
         4 |   nodes: { p: Dallas/dal11 }
           |               ^^^^^^^^^^^^ did you mean `Dallas/dal10`?
           |
           = help: the places are Dallas/dal10, Dallas/dal12, Dallas/dal13, Dallas/dal14
        "#,
    );
}

#[test]
fn an_unknown_zone_where_round_trips_are_between_zones() {
    let workload = "workload: [{ name: w, at: us/a, arrivals: { fixed: 1/s }, reads: 0% }]";
    let topology = "topology:\n  rtts: [{ between: [us/a, eu/a], rtt: 80ms }]\n  nodes: { p: us/a, r: eu/c }";
    check(
        SMALL,
        &format!("duration: 1s\n{topology}\nprotocol: primary-backup\n{workload}\n"),
        &[],
        r#"
        error: there is no place `eu/c`
          --> small.yaml:4:24
           |
         4 |   nodes: { p: us/a, r: eu/c }
           |                        ^^^^ did you mean `eu/a`?
           |
           = help: the places are eu/a; or give round trips between regions instead, `between: [eu, …]`: its zones may then be named as one likes
        "#,
    );
}

#[test]
fn a_region_of_several_zones() {
    check(
        SMALL,
        &on_the_ibm_cloud("Dallas"),
        &[],
        r#"
        error: `Dallas` has several zones: which?
          --> small.yaml:4:15
           |
         4 |   nodes: { p: Dallas }
           |               ^^^^^^ one of Dallas/dal10, Dallas/dal12, Dallas/dal13, Dallas/dal14
        "#,
    );
}

#[test]
fn two_nodes_without_a_time_between_them() {
    check(
        MAP,
        "  rtt-file: one-way.csv\n  nodes: { p: us, r: eu }\n",
        &[],
        r#"
        error: no round-trip time from `eu` to `us`
          --> small.yaml:4:13
           |
         4 |   rtt-file: one-way.csv
           |             ^^^^^^^^^^^
           |
           = help: add the row to `one-way.csv`: each direction has its own; or give it under `topology: rtts`, or a `latency` for such links under `network`
        "#,
    );
}

#[test]
fn a_time_in_one_direction_only() {
    check(
        MAP,
        "  rtts: [{ from: us, to: eu, rtt: 80ms }]\n  nodes: { p: us, r: eu }\n",
        &[],
        r#"
        error: no round-trip time from `eu` to `us`
          --> small.yaml:4:3
           |
         4 |   rtts: [{ from: us, to: eu, rtt: 80ms }]
           |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
           |
           = help: `from` and `to` give one direction, `between: [a, b]` both; or give it under `topology: rtts`, or a `latency` for such links under `network`
        "#,
    );
}

#[test]
fn no_map_and_no_latency() {
    check(
        MAP,
        "  nodes: { p: us, r: eu }\n",
        &[],
        r#"
        error: no round-trip time from `us` to `eu`
          --> small.yaml:4:3
           |
         4 |   nodes: { p: us, r: eu }
           |   ^^^^^^^^^^^^^^^^^^^^^^^
           |
           = help: give it under `topology: rtts`, or a `latency` for such links under `network`
        "#,
    );
}

#[test]
fn a_file_of_times_that_is_not_there() {
    check(
        MAP,
        "  rtt-file: nowhere.csv\n  nodes: { p: us, r: eu }\n",
        &[],
        r#"
        error: cannot read `nowhere.csv`
          --> small.yaml:4:13
           |
         4 |   rtt-file: nowhere.csv
           |             ^^^^^^^^^^^ No such file or directory (os error 2)
           |
           = help: a path is relative to the folder of the scenario
        "#,
    );
}

#[test]
fn a_file_of_times_with_a_wrong_line() {
    check(
        MAP,
        "  rtt-file: samples.csv\n  nodes: { p: us, r: eu }\n",
        &[],
        r#"
        error: three columns are needed: from, to, round-trip time in milliseconds
          --> samples.csv:2:1
           |
         2 | 1
           | ^ write a row like `us,eu,80`
        "#,
    );
}

#[test]
fn a_file_of_samples_with_a_wrong_line() {
    check(
        PROTOCOL,
        "protocol: primary-backup\nnetwork: { default: { jitter: { empirical: { file: samples.csv } } } }\n",
        &[],
        r#"
        error: `two` is not a number of milliseconds
          --> samples.csv:3:1
           |
         3 | two
           | ^^^ write one, 0 or more, a line
        "#,
    );
}

#[test]
fn a_wrong_parameter_of_a_law() {
    check(
        PROTOCOL,
        "protocol: primary-backup\nnetwork:\n  default: { jitter: { pareto: { scale: 1ms, shape: 0 } } }\n",
        &[],
        r#"
        error: `shape` must be positive and finite
          --> small.yaml:8:53
           |
         8 |   default: { jitter: { pareto: { scale: 1ms, shape: 0 } } }
           |                                                     ^
        "#,
    );
}

#[test]
fn a_law_whose_parameters_contradict() {
    check(
        PROTOCOL,
        "protocol: primary-backup\nnetwork:\n  default: { jitter: { lognormal: { median: 10ms, p99: 1ms } } }\n",
        &[],
        r#"
        error: `p99` needs 0 < median <= p99
          --> small.yaml:8:56
           |
         8 |   default: { jitter: { lognormal: { median: 10ms, p99: 1ms } } }
           |                                                        ^^^
        "#,
    );
}

#[test]
fn jitter_without_a_finite_mean() {
    check(
        PROTOCOL,
        "protocol: primary-backup\nnetwork:\n  default: { jitter: { lognormal: { mu: 0, sigma: 60 } } }\n",
        &[],
        r#"
        error: jitter keeps the mean delay, and this law has none
          --> small.yaml:8:22
           |
         8 |   default: { jitter: { lognormal: { mu: 0, sigma: 60 } } }
           |                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ needs a finite mean
        "#,
    );
}

#[test]
fn a_latency_without_a_law() {
    check(
        PROTOCOL,
        "protocol: primary-backup\nnetwork:\n  default: { latency: 10ms }\n",
        &[],
        r#"
        error: expected one of `constant`, `uniform`, `exponential`, `normal`, `lognormal`, `pareto`, `weibull`, `gamma`, `mixture`, `shifted`, `empirical`, found `10ms`
          --> small.yaml:8:23
           |
         8 |   default: { latency: 10ms }
           |                       ^^^^
           |
           = help: for example `{ constant: 10ms }`
        "#,
    );
}

#[test]
fn a_duration_without_a_unit() {
    check(
        "duration: 2s",
        "duration: 2",
        &[],
        r#"
        error: `2` has no unit: write `2ms` or `2s` (units: ns, us, ms, s, m, h)
          --> small.yaml:2:11
           |
         2 | duration: 2
           |           ^
        "#,
    );
}

#[test]
fn a_duration_in_a_foreign_unit() {
    check(
        "duration: 2s",
        "duration: 2 min",
        &[],
        r#"
        error: `min` is not a unit of time: write `2m`; the units are ns, us, ms, s, m, h
          --> small.yaml:2:11
           |
         2 | duration: 2 min
           |           ^^^^^
        "#,
    );
}

#[test]
fn a_negative_duration() {
    check(
        "duration: 2s",
        "duration: -2s",
        &[],
        r#"
        error: a duration cannot be negative: `-2s`
          --> small.yaml:2:11
           |
         2 | duration: -2s
           |           ^^^
        "#,
    );
}

#[test]
fn a_rate_without_a_unit() {
    check(
        "poisson: 100/s",
        "poisson: 100",
        &[],
        r#"
        error: `100` has no unit: write `100/s`
          --> small.yaml:8:50
           |
         8 |   - { name: writer, at: us, arrivals: { poisson: 100 }, reads: 0%, keys: { uniform: { count: 10 } } }
           |                                                  ^^^
        "#,
    );
}

#[test]
fn a_percentage_without_its_sign() {
    check(
        "reads: 0%",
        "reads: 90",
        &[],
        r#"
        error: `90` is out of range: a share lies between 0 and 1; for a percentage write `90%`
          --> small.yaml:8:66
           |
         8 |   - { name: writer, at: us, arrivals: { poisson: 100/s }, reads: 90, keys: { uniform: { count: 10 } } }
           |                                                                  ^^
        "#,
    );
}

#[test]
fn more_than_all() {
    check(
        "reads: 0%",
        "reads: 120%",
        &[],
        r#"
        error: `120%` is out of range: a share lies between 0% and 100%
          --> small.yaml:8:66
           |
         8 |   - { name: writer, at: us, arrivals: { poisson: 100/s }, reads: 120%, keys: { uniform: { count: 10 } } }
           |                                                                  ^^^^
        "#,
    );
}

#[test]
fn a_warmup_that_never_ends() {
    check(
        "duration: 2s",
        "duration: 2s\nwarmup: 5s",
        &[],
        r#"
        error: no sample would count
          --> small.yaml:3:9
           |
         3 | warmup: 5s
           |         ^^ must be shorter than the duration, 2s
        "#,
    );
}

#[test]
fn a_fault_after_the_end() {
    check(
        "at: 500ms",
        "at: 5s",
        &[],
        r#"
        error: nothing happens after the clients stop, at 2s
           --> small.yaml:11:11
            |
         11 |   - { at: 5s, partition: { isolate: [r] }, for: 200ms }
            |           ^^ must be before the end of `duration`
        "#,
    );
}

fn workloads() -> &'static str {
    &SMALL[SMALL.find("workload:").unwrap()..SMALL.find("faults:").unwrap()]
}

#[test]
fn nobody_does_anything() {
    check(
        workloads(),
        "",
        &[],
        r#"
        error: nobody does anything
          --> small.yaml:1:1
           |
         1 | about: A small one.
           | ^^^^^^^^^^^^^^^^^^^ give a `workload`, or a `script` with its `clients`
        "#,
    );
}

#[test]
fn two_workloads_of_one_name() {
    check(
        "name: reader",
        "name: writer",
        &[],
        r#"
        error: two workloads are called `writer`
          --> small.yaml:9:13
           |
         9 |   - { name: writer, at: eu, arrivals: { poisson: 100/s }, reads: 100%, keys: { uniform: { count: 10 } } }
           |             ^^^^^^ rename one
        "#,
    );
}

#[test]
fn a_step_by_somebody_unknown() {
    check(
        "faults:",
        "clients: { alice: us }\nscript: [{ at: 1s, client: alica, put: x }]\nfaults:",
        &[],
        r#"
        error: there is no client `alica`
           --> small.yaml:11:28
            |
         11 | script: [{ at: 1s, client: alica, put: x }]
            |                            ^^^^^ did you mean `alice`?
            |
            = help: the clients are alice
        "#,
    );
}

#[test]
fn a_step_that_does_two_things() {
    check(
        "faults:",
        "clients: { alice: us }\nscript:\n  - { at: 1s, client: alice, put: x, get: x }\nfaults:",
        &[],
        r#"
        error: unclear what the client does
           --> small.yaml:12:5
            |
         12 |   - { at: 1s, client: alice, put: x, get: x }
            |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ give one of `get`, `put`, `delete`, `compare-and-set` and `read-modify-write`
        "#,
    );
}

#[test]
fn an_expectation_of_no_measure() {
    check(
        LAST,
        "  - lost_writs == 0\n",
        &[],
        r#"
        error: `lost_writs` is not a measure; did you mean `lost_writes`?
           --> small.yaml:13:5
            |
         13 |   - lost_writs == 0
            |     ^^^^^^^^^^^^^^^
        "#,
    );
}

#[test]
fn two_expectations_in_one() {
    check(
        &format!("expect:\n{LAST}"),
        "expect:\n  max(rto) < 10s\n  lost_writes == 0\n",
        &[],
        r#"
        error: compares twice: each expectation is an item of its own, with `- ` before it
           --> small.yaml:13:3
            |
         13 |   max(rto) < 10s
            |   ^^^^^^^^^^^^^^
        "#,
    );
}

#[test]
fn a_duration_compared_with_a_number() {
    check(
        LAST,
        "  - p99(staleness) < 30\n",
        &[],
        r#"
        error: `staleness` is compared with a duration: write one like `30ms`
           --> small.yaml:13:5
            |
         13 |   - p99(staleness) < 30
            |     ^^^^^^^^^^^^^^^^^^^
        "#,
    );
}

#[test]
fn a_count_compared_with_a_duration() {
    check(
        LAST,
        "  - lost_writes == 3s\n",
        &[],
        r#"
        error: `lost_writes` is a number, not a duration: leave the unit out
           --> small.yaml:13:5
            |
         13 |   - lost_writes == 3s
            |     ^^^^^^^^^^^^^^^^^
        "#,
    );
}

#[test]
fn an_expectation_of_an_unknown_workload() {
    check(
        LAST,
        "  - p99(staleness{workload=raeder}) < 30s\n",
        &[],
        r#"
        error: there is no workload `raeder`
           --> small.yaml:13:5
            |
         13 |   - p99(staleness{workload=raeder}) < 30s
            |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ did you mean `reader`?
            |
            = help: the workloads are writer, reader
        "#,
    );
}

#[test]
fn a_field_twice() {
    check(
        "duration: 2s\n",
        "duration: 2s\nduration: 3s\n",
        &[],
        r#"
        error: the key `duration` is given twice
          --> small.yaml:3:1
           |
         3 | duration: 3s
           | ^^^^^^^^ first given in line 2
           |
           = help: remove this one or the one in line 2, column 1
        "#,
    );
}

#[test]
fn a_tab() {
    check(
        "  nodes:",
        "\tnodes:",
        &[],
        r#"
        error: a tab cannot indent a line
          --> small.yaml:5:2
           |
         5 |  nodes: { p: us, r: eu }
           |  ^
           |
           = help: use spaces
        "#,
    );
}

#[test]
fn a_list_that_is_indented_in_two_ways() {
    check(
        "  - { name: writer",
        "- { name: writer",
        &[],
        r#"
        error: expected `key: value`, as in the lines before
          --> small.yaml:9:3
           |
         9 |   - { name: reader, at: eu, arrivals: { poisson: 100/s }, reads: 100%, keys: { uniform: { count: 10 } } }
           |   ^
           |
           = help: check the indentation of this line and the one above
        "#,
    );
}

#[test]
fn an_empty_file() {
    check(
        SMALL,
        "",
        &[],
        r#"
        error: the file is empty
          --> small.yaml:1:1
           |
         1 |
           | ^
           |
           = help: a scenario has at least `duration`, `topology`, `protocol` and `workload`
        "#,
    );
}

#[test]
fn an_override_of_an_unknown_field() {
    check(
        "faults",
        "faults",
        &["workload.reader.raeds=5%"],
        r#"
        error: unknown field `raeds`
          --> --set workload.reader.raeds=…
           |
           | workload.reader.raeds=5%
           |                 ^^^^^ did you mean `reads`?
           |
           = help: allowed here: `name`, `at`, `arrivals`, `reads`, `writes`, `keys`, `value`, `consistency`, `read-from`, `timeout`, `sessions`, `connections`, `retries`
        "#,
    );
}

#[test]
fn an_override_of_an_unknown_item() {
    check(
        "faults",
        "faults",
        &["workload.readr.reads=5%"],
        r#"
        error: no item of `workload` has the name `readr`
          --> --set workload.readr.reads=…
           |
           | workload.readr.reads=5%
           |          ^^^^^ did you mean `reader`?
           |
           = help: its items: `writer`, `reader`
        "#,
    );
}

#[test]
fn an_override_with_a_wrong_value() {
    check(
        "faults",
        "faults",
        &["duration=5"],
        r#"
        error: `5` has no unit: write `5ms` or `5s` (units: ns, us, ms, s, m, h)
          --> --set duration=…
           |
           | duration=5
           |          ^
        "#,
    );
}

#[test]
fn an_override_with_an_unknown_protocol() {
    check(
        "faults",
        "faults",
        &["protocol=quorm"],
        r#"
        error: unknown choice `quorm`
          --> --set protocol=…
           |
           | protocol=quorm
           |          ^^^^^ did you mean `quorum`?
           |
           = help: allowed here: `primary-backup`, `quorum`
        "#,
    );
}

#[test]
fn an_override_of_a_variant_that_is_not_selected() {
    check(
        "faults",
        "faults",
        &["workload.reader.keys.zipf.count=20"],
        r#"
        error: `keys` names two: `uniform` and `zipf`; keep one
          --> --set workload.reader.keys.zipf.count=…
           |
           | workload.reader.keys.zipf.count=20
           |                      ^^^^
           |
           = help: `keys` is `uniform`; first select the other with --set workload[1].keys=zipf
        "#,
    );
}

#[test]
fn an_override_without_a_value() {
    check(
        "faults",
        "faults",
        &["duration 5s"],
        r#"
        error: expected `path=value`
          --> --set
           |
           | duration 5s
           | ^^^^^^^^^^^
           |
           = help: for example `--set duration=10s` or `--set workload.readers.reads=90%`
        "#,
    );
}

#[test]
fn several_mistakes_are_told_at_once() {
    check(
        "at: 500ms, partition: { isolate: [r] }",
        "at: 5s, partition: { isolate: [x] }",
        &[],
        r#"
        error: nothing happens after the clients stop, at 2s
           --> small.yaml:11:11
            |
         11 |   - { at: 5s, partition: { isolate: [x] }, for: 200ms }
            |           ^^ must be before the end of `duration`

        error: there is no node, zone or region `x`
           --> small.yaml:11:38
            |
         11 |   - { at: 5s, partition: { isolate: [x] }, for: 200ms }
            |                                      ^
            |
            = help: there are p, r, us, eu
        "#,
    );
}
