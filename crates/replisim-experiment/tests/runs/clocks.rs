//! Clocks that are wrong: which of two writes stands where the later timestamp wins, worked out by hand; and that right
//! clocks change nothing.

use crate::support::load;
use replisim_experiment::run::{observe, run_seed};
use replisim_observe::{Observation, OpKind, Record, Said, Write};

/// Three nodes and two clients, 1 ms from each other; all copies are written and read.
fn scenario(timestamps: &str, rest: &str) -> String {
    format!(
        "
duration: 3s
topology: {{ nodes: {{ a: x, b: x, c: x }} }}
network: {{ default: {{ latency: {{ constant: 1ms }} }} }}
protocol:
  quorum: {{ read: all, write: all, conflicts: {{ last-writer-wins: {{ timestamps: {timestamps} }} }} }}
clients: {{ alice: x, bob: x }}
{rest}
"
    )
}

/// Alice writes through `a` and then bob through `b`, at these milliseconds; whose write is there at the end?
fn winner(timestamps: &str, settings: &str, (alice, bob): (u64, u64)) -> &'static str {
    let step = |at, what| format!("  - {{ at: {at}ms, client: {what} }}\n");
    let script = [
        step(alice, "alice, put: k, read-from: { node: a }"),
        step(bob, "bob, put: k, read-from: { node: b }"),
        step(2_900, "bob, get: k"),
    ];
    let yaml = scenario(timestamps, &format!("{settings}\nscript:\n{}", script.concat()));
    let (records, _) = observe(&load(&yaml), 1, Vec::<Record>::new(), &()).unwrap();
    let mut writes: Vec<Write> = Vec::new();
    for Record { what, .. } in records {
        match what {
            Observation::Invoked { kind: OpKind::Write(write), .. } => writes.push(write),
            Observation::Returned { answer: Some(answer), .. } => {
                if let Said::Value(Some(stored)) = answer.said {
                    return if stored.write == writes[0] { "alice" } else { "bob" };
                }
            }
            _ => {}
        }
    }
    panic!("nothing was read: {yaml}");
}

#[test]
fn the_later_timestamp_wins_whoever_was_really_later() {
    let step =
        |by: &str, rest: &str| format!("{{ at: 500ms, clock-step: {{ nodes: [a], by: {by} }}{rest} }}");
    let faults = |faults: &[String]| format!("faults: [{}]", faults.join(", "));
    let stepped = faults(&[step("2s", "")]);
    let for_a_while = faults(&[step("2s", ", for: 300ms")]);
    let there_and_back = faults(&[step("2s", ""), step("-2s", "")]);
    let twice = faults(&[step("1s", ", for: 300ms"), step("1s", "")]);
    for (timestamps, settings, at, expected) in [
        ("client", "", (600, 900), "bob"),
        ("client", "clocks: { alice: { offset: 290ms } }", (600, 900), "bob"),
        ("client", "clocks: { alice: { offset: 310ms } }", (600, 900), "alice"),
        ("client", "clocks: { bob: { offset: -310ms } }", (600, 900), "alice"),
        ("client", "clocks: { a: { offset: 1h } }", (600, 900), "bob"), // nobody asks that clock
        // 10 % fast: 100 ms after a second, 150 ms after one and a half.
        ("client", "clocks: { alice: { drift: 100000ppm } }", (1_000, 1_099), "alice"),
        ("client", "clocks: { alice: { drift: 100000ppm } }", (1_000, 1_101), "bob"),
        ("client", "clocks: { bob: { drift: -100000ppm } }", (1_400, 1_500), "alice"),
        ("client", "clocks: { alice: { offset: -1h }, bob: { offset: -1h } }", (600, 900), "bob"),
        ("client", &stepped, (600, 900), "bob"),
        ("coordinator", "", (600, 900), "bob"),
        ("coordinator", "clocks: { alice: { offset: 1h } }", (600, 900), "bob"),
        ("coordinator", "clocks: { a: { offset: 310ms } }", (600, 900), "alice"),
        ("coordinator", &stepped, (400, 450), "bob"),
        ("coordinator", &stepped, (600, 900), "alice"),
        ("coordinator", &stepped, (900, 1_000), "alice"), // it stays
        ("coordinator", &for_a_while, (700, 750), "alice"),
        ("coordinator", &for_a_while, (900, 1_000), "bob"),
        ("coordinator", &there_and_back, (600, 900), "bob"),
        ("coordinator", &twice, (700, 2_600), "alice"),
        ("coordinator", &twice, (900, 1_850), "alice"),
        ("coordinator", &twice, (900, 1_950), "bob"),
    ] {
        assert_eq!(winner(timestamps, settings, at), expected, "{timestamps}, {settings}, {at:?}");
    }
}

#[test]
fn right_clocks_change_nothing() {
    let workload = "workload: [{ name: w, at: x, arrivals: { poisson: 200/s }, reads: 50%, keys: { uniform: { count: 3 } } }]";
    let digest = |settings: &str| {
        let yaml = scenario("client", &format!("{workload}\n{settings}"));
        run_seed(&load(&yaml), 1, &()).unwrap().digest
    };
    assert_eq!(digest("clocks: { a: {}, w: { offset: 0s, drift: 0ppm } }"), digest(""));
    assert_ne!(digest("clocks: { w: { offset: 1s } }"), digest(""), "later timestamps have other numbers");
}
