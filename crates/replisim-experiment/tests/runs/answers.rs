//! What is said of bad days: how long nothing could be written, who took over when, what was lost and why; and of good
//! ones.

use crate::support::load;
use replisim_experiment::{Verdict, answer::answer, answer::own_answer, run};

const TWO: &str = "
duration: 10s
topology: { nodes: { p: us, r: eu }, rtts: [{ between: [us, eu], rtt: 80ms }] }
workload:
  - { name: w, at: us, arrivals: { fixed: 100/s }, reads: 0% }
";
const THREE: &str = "
duration: 20s
topology:
  nodes: { p: us, r: eu, q: eu }
  rtts: [{ between: [us, eu], rtt: 80ms }]
workload:
  - { name: us, at: us, arrivals: { fixed: 100/s }, reads: 0% }
  - { name: eu, at: eu, arrivals: { fixed: 150/s }, reads: 0% }
";
const CUT: &str = "faults:\n  - { at: 5s, partition: { isolate: [p] }, for: 5s }\n";

/// Asserts that the answer has these words, and not those.
#[track_caller]
fn check(scenario: &str, words: &[&str], others: &[&str]) {
    let text = answer(&run(&load(scenario), &[1], 1, &()).unwrap());
    let right =
        words.iter().all(|words| text.contains(words)) && !others.iter().any(|words| text.contains(words));
    assert!(right, "{scenario}\nfound {text}\nexpected {words:#?}\nwithout {others:#?}");
}

#[test]
fn a_good_day_is_told_in_few_words() {
    let protocol = "protocol: primary-backup\n";
    check(
        &format!("{TWO}{protocol}"),
        &["None of the 1000 acknowledged writes was lost."],
        &["After", "failed or timed out", "next primary"],
    );
}

#[test]
fn a_lost_primary_is_told_with_the_outage_and_the_successor() {
    let protocol =
        "protocol: { primary-backup: { acknowledge: semi-sync, failover: { automatic: { after: 2s } } } }\n";
    let crash = "faults:\n  - { at: 5s, crash: { nodes: [p] }, for: 5s }\n";
    check(
        &format!("{THREE}{protocol}{crash}"),
        &[
            "failed or timed out. The next primary acknowledged its first write",
            "after the old one was lost (RTO). After the fault, all nodes that were up had everything again within",
            "was lost.",
        ],
        &["After each"],
    );
    let none = "protocol: { primary-backup: { failover: none } }\n";
    let crash_for_good = "faults:\n  - { at: 5s, crash: { nodes: [p] } }\n";
    check(
        &format!("{TWO}{none}{crash_for_good}"),
        &[
            "Every write sent during more than 4.99 s failed or timed out. No other primary had acknowledged a write when",
            "acknowledged writes counts as lost: nobody has taken over",
        ],
        &["After", "(RTO)"],
    );
}

#[test]
fn lost_writes_are_told_with_the_reason_and_what_is_left_of_them() {
    let manual = "protocol: { primary-backup: { failover: manual, fencing: false } }\n";
    let machine = "faults:\n  - { at: 5s, crash: { nodes: [p], scope: machine, in-flight: drop } }\n  \
                   - { at: 6s, promote: { node: r } }\n";
    check(
        &format!("{TWO}{manual}{machine}"),
        &["acknowledged writes were lost that the next primary did not have. They are stranded"],
        &["no longer the primary", "After the fault"],
    );
    let automatic =
        "protocol: { primary-backup: { failover: { automatic: { after: 2s } }, fencing: false } }\n";
    check(
        &format!("{THREE}{automatic}{CUT}"),
        &["were lost; a node that was no longer the primary had acknowledged", "They are destroyed"],
        &["did not have"],
    );
}

#[test]
fn recovery_is_left_out_where_there_was_nothing_to_recover_from() {
    let manual = "protocol: { primary-backup: { failover: manual, fencing: false } }\n";
    let promote = "faults:\n  - { at: 5s, promote: { node: r } }\n";
    check(&format!("{TWO}{manual}{promote}"), &["acknowledged writes were lost;"], &["After", " 0 ns"]);
    let at_once = "  - { at: 10s, partition: { isolate: [r] }, for: 1s }\n";
    let protocol = "protocol: primary-backup\n";
    check(&format!("{THREE}{protocol}{CUT}{at_once}"), &["After each fault"], &[" 0 ns"]);
}

#[test]
fn a_node_that_stays_down_is_not_the_one_that_lags() {
    let protocol = "protocol: primary-backup\n";
    let crash = "faults:\n  - { at: 5s, crash: { nodes: [r] } }\n";
    check(&format!("{THREE}{protocol}{crash}"), &["Replica `q` lagged by up to 40 ms"], &["Replica `r`"]);
    let back = "faults:\n  - { at: 5s, crash: { nodes: [r] }, for: 5s }\n";
    check(&format!("{THREE}{protocol}{back}"), &["Replica `r` lagged by up to"], &["Replica `q`"]);
}

#[test]
fn a_count_of_several_runs_is_told_for_one() {
    let scenario = format!(
        "{TWO}protocol: primary-backup\n{}answer: '{{unconverged_writes}} writes, {{max(staleness)}}, {{share(availability)}}'\n",
        "settle: 0s\nfaults:\n  - { at: 5s, crash: { nodes: [r] } }\n"
    );
    let told = |seeds: &[u64]| own_answer(&run(&load(&scenario), seeds, 1, &()).unwrap()).unwrap();
    let (one, two) = (told(&[1]), told(&[1, 2]));
    let writes = one.split(' ').next().unwrap().parse::<f64>().unwrap();
    assert!(writes > 400.0, "{one}");
    // Arrivals are fixed: both runs are the same.
    assert_eq!(two, one.replacen(" writes", &format!(" a run ({} in 2 runs) writes", 2.0 * writes), 1));
}

#[test]
fn without_a_time_of_unavailability_it_is_judged_as_nothing() {
    for (expectation, verdict) in [
        ("max(unavailability) < 5s", Verdict::Met),
        ("p99(unavailability{kind=read}) <= 0s", Verdict::Met),
        ("max(unavailability) > 1s", Verdict::NotMet),
        ("max(rto) < 5s", Verdict::Undecided),
    ] {
        let scenario = format!("{TWO}protocol: primary-backup\nexpect: {expectation}\n");
        let study = run(&load(&scenario), &[1, 2], 1, &()).unwrap();
        assert_eq!(study.judgements[0].verdict, verdict, "{expectation}: {:?}", study.judgements[0].found);
    }
}
