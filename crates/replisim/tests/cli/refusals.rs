//! What could be read but would mean nothing, or not what its author thinks: each is refused, with the reason.

use super::messages::check;

#[test]
fn a_partition_of_all_nodes() {
    check(
        "isolate: [r]",
        "isolate: [r, p]",
        &[],
        r#"
        error: all nodes are named: nobody is left to be cut off from
           --> small.yaml:11:40
            |
         11 |   - { at: 500ms, partition: { isolate: [r, p] }, for: 200ms }
            |                                        ^^^^^^
        "#,
    );
}

#[test]
fn a_step_that_is_given_up_at_once() {
    check(
        "faults",
        "clients: { alice: us }\nscript: [{ at: 1s, client: alice, get: cart, timeout: 0s }]\nfaults",
        &[],
        r#"
        error: every operation would be given up at once
           --> small.yaml:11:55
            |
         11 | script: [{ at: 1s, client: alice, get: cart, timeout: 0s }]
            |                                                       ^^ must be more than 0
        "#,
    );
}

#[test]
fn a_node_whose_name_is_that_of_a_clients_site() {
    check(
        "nodes: { p: us, r: eu }",
        "nodes: { p: us, r: eu, client/writer: eu }",
        &[],
        r#"
        error: the name of a node cannot contain `/`
          --> small.yaml:5:41
           |
         5 |   nodes: { p: us, r: eu, client/writer: eu }
           |                                         ^^ the network's own names have it, such as `client/name`
        "#,
    );
}

#[test]
fn a_workload_whose_name_no_expectation_can_say() {
    check(
        "name: writer",
        "name: 'a=b'",
        &[],
        r#"
        error: the name of a workload cannot contain `=`
          --> small.yaml:8:13
           |
         8 |   - { name: 'a=b', at: us, arrivals: { poisson: 100/s }, reads: 0%, keys: { uniform: { count: 10 } } }
           |             ^^^^^ it is a mark of `expect`, which could not say this name
        "#,
    );
}

#[test]
fn a_client_without_a_name() {
    check(
        "faults",
        "clients: { '': us }\nfaults",
        &[],
        r#"
        error: a client without a name
           --> small.yaml:10:10
            |
         10 | clients: { '': us }
            |          ^^^^^^^^^^ results call it by its name
        "#,
    );
}

#[test]
fn an_expectation_of_a_scope_that_the_measure_lacks() {
    check(
        "lost_writes == 0",
        "max(lag{workload=writer}) < 1s",
        &[],
        r#"
        error: `lag` has no scope `workload`: write `lag{node=…}`
           --> small.yaml:13:5
            |
         13 |   - max(lag{workload=writer}) < 1s
            |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        "#,
    );
}

#[test]
fn an_expectation_of_an_unknown_node() {
    check(
        "lost_writes == 0",
        "max(lag{node=x}) < 1s",
        &[],
        r#"
        error: there is no node `x`
           --> small.yaml:13:5
            |
         13 |   - max(lag{node=x}) < 1s
            |     ^^^^^^^^^^^^^^^^^^^^^
            |
            = help: the nodes are p, r
        "#,
    );
}
