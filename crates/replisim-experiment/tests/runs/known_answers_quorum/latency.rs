//! Round trips and messages of an operation.

use replisim_experiment::RunResult;

use crate::support::answers::{MS, all_equal, runs, samples};

/// Round trips in milliseconds: from the client, at C, to each of five nodes, and between these.
const CLIENT: [i64; 5] = [4, 20, 30, 44, 50];
const BETWEEN: [[i64; 5]; 5] =
    [[0, 10, 26, 32, 60], [10, 0, 18, 24, 70], [26, 18, 0, 8, 80], [32, 24, 8, 0, 90], [60, 70, 80, 90, 0]];

fn run(quorum: &str, workload: &str) -> RunResult {
    let mut rtts = String::new();
    for (i, client) in CLIENT.iter().enumerate() {
        rtts += &format!("    - {{ between: [C, N{i}], rtt: {client}ms }}\n");
        for (j, rtt) in BETWEEN[i].iter().enumerate().skip(i + 1) {
            rtts += &format!("    - {{ between: [N{i}, N{j}], rtt: {rtt}ms }}\n");
        }
    }
    let yaml = format!(
        "duration: 3s\ntopology:\n  nodes: {{ n0: N0, n1: N1, n2: N2, n3: N3, n4: N4 }}\n  rtts:\n{rtts}\
         protocol: {{ quorum: {{ read-repair: none, {quorum} }} }}\n{workload}"
    );
    runs(&yaml, 1..2).remove(0)
}

/// The `n`-th shortest.
fn nth(mut rtts: [i64; 5], n: usize) -> i64 {
    rtts.sort_unstable();
    rtts[n - 1]
}

#[test]
fn an_operation_takes_as_long_as_the_last_copy_that_it_needs() {
    for needed in 1..=5 {
        // From the nearest node, which is a hop away, or from the client itself.
        for (coordinator, expected) in [
            ("replica", CLIENT[0] + nth(BETWEEN[0], needed)),
            ("any", CLIENT[0] + nth(BETWEEN[0], needed)),
            ("client", nth(CLIENT, needed)),
        ] {
            let quorum = format!("read: {needed}, write: {needed}, coordinator: {coordinator}");
            let run =
                run(&quorum, "workload:\n  - { name: w, at: C, arrivals: { poisson: 50/s }, reads: 50% }\n");
            for slug in ["read_latency_ms", "write_latency_ms"] {
                let count = all_equal(samples(&run.findings, slug, None), expected * MS);
                assert!(count > 30, "{count} samples");
            }
        }
    }
}

#[test]
fn a_node_that_does_not_keep_the_key_is_one_hop_more() {
    // Key 0 is kept by n0, n1, n2; n3 coordinates: its copies are 8, 24 and 32 ms away.
    let script = "clients: { c: C }\nscript:\n  - { at: 1s, client: c, put: k, read-from: { node: n3 } }\n";
    for (needed, rtt) in [(1, 8), (2, 24), (3, 32)] {
        let quorum = format!("copies: 3, write: {needed}, coordinator: any");
        let run = run(&quorum, script);
        all_equal(samples(&run.findings, "write_latency_ms", None), (CLIENT[3] + rtt) * MS);
    }
}

#[test]
fn digests_that_differ_cost_a_second_round_trip() {
    // The write is at one of two copies: n0, which is asked, learns it from n1 after 10 ms, or sees then that it has to ask.
    let script =
        "clients: { c: C }\nscript:\n  - { at: 1s, client: c, put: k }\n  - { at: 2s, client: c, get: k }\n";
    for (contact, rounds) in [("quorum", 1), ("digests", 2)] {
        let run = run(
            &format!("copies: 2, read: 2, write: 1, contact-writes: quorum, contact-reads: {contact}"),
            script,
        );
        all_equal(samples(&run.findings, "read_latency_ms", None), (CLIENT[0] + rounds * 10) * MS);
    }
}

#[test]
fn messages_of_an_operation_are_as_many_as_counted_by_hand() {
    let step = |step: &str| format!("clients: {{ c: C }}\nscript:\n  - {{ at: 1s, client: c, {step}: k }}\n");
    // To the coordinator and back; to each copy asked but its own and back.
    for (coordinator, contact, put, get) in [
        ("replica", "all", 2 + 2 * 4, 2 + 2 * 4),
        ("replica", "quorum", 2 + 2 * 4, 2 + 2 * 3), // at most: three are drawn, and it may be one of them
        ("client", "all", 2 * 5, 2 * 5),
        ("client", "quorum", 2 * 5, 2 * 3),
        ("client", "digests", 2 * 5, 2 * 3),
    ] {
        let quorum = format!("coordinator: {coordinator}, contact-reads: {contact}");
        let sent = |what: &str| run(&quorum, &step(what)).findings.accounting.messages_sent;
        assert_eq!(sent("put"), put, "{coordinator}, {contact}");
        let got = sent("get");
        assert!(got == get || (coordinator == "replica" && contact == "quorum" && got + 2 == get), "{got}");
    }
}
