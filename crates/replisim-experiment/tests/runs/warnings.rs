//! Which caveats stand beside the numbers of which scenario, and that the catalogue knows what measures are given by.

use crate::support::load;
use replisim_experiment::run;

const HEAD: &str = "
duration: 1s
topology: { nodes: { p: us, r: eu }, rtts: [{ between: [us, eu], rtt: 80ms }, { between: [us, ap], rtt: 200ms }, \
{ between: [eu, ap], rtt: 300ms }] }
protocol: primary-backup
";

/// Asserts that the warnings contain these texts, one each, and are no more.
#[track_caller]
fn check(rest: &str, expected: &[&str]) {
    check_all(&format!("{HEAD}{rest}"), expected);
}

#[track_caller]
fn check_all(scenario: &str, expected: &[&str]) {
    let study = run(&load(scenario), &[1, 2], 1, &()).unwrap();
    let found: Vec<String> = study.warnings.iter().map(ToString::to_string).collect();
    let right = found.len() == expected.len()
        && expected.iter().all(|expected| found.iter().any(|found| found.contains(expected)));
    assert!(right, "{scenario}\nfound {found:#?}\nexpected {expected:#?}");
}

#[test]
fn few_samples_and_distant_reads_are_told_of_each_client() {
    let many = "  - { name: many, at: eu, arrivals: { fixed: 200/s }, reads: 100% }\n";
    let few = "  - { name: few, at: eu, arrivals: { fixed: 20/s }, reads: 100% }\n";
    let rare = "  - { name: rare, at: us, arrivals: { fixed: 10/s }, reads: 100% }\n";
    let far = "  - { name: far, at: ap, arrivals: { fixed: 200/s }, reads: 100% }\n";
    let write = "  - { name: write, at: us, arrivals: { fixed: 200/s }, reads: 0% }\n";
    let script = "clients: { alice: ap, bob: eu }\nscript:\n  - { at: 100ms, client: alice, get: cart }\n";
    for (rest, expected) in [
        (format!("workload:\n{many}{write}"), &[][..]),
        (format!("workload:\n{many}{few}"), &["staleness_ms has 40 samples for `few`: fewer than 100"]),
        (
            format!("workload:\n{many}{few}{rare}"),
            &["has 40 samples for `few`, 20 samples for `rare`: fewer"],
        ),
        (format!("workload:\n{many}{far}"), &["reads of `far` take 200 ms"]),
        (
            format!("workload:\n{many}{script}"),
            &["staleness_ms has 2 samples for `alice`: fewer", "reads of `alice` take 200 ms"],
        ),
        (format!("workload:\n{write}"), &[]),
    ] {
        check(&rest, expected);
    }
}

#[test]
fn what_nodes_take_with_them_that_go_down_together_is_told_once() {
    let head = "duration: 3s\nsettle: 1s\ntopology: { nodes: { p: us/a, q: us/b, r: eu }, rtts: [{ between: [us/a, us/b], rtt: 1ms }, \
                { between: [us/a, eu], rtt: 80ms }, { between: [us/b, eu], rtt: 80ms }] }\n\
                workload: [{ name: w, at: eu, arrivals: { fixed: 200/s }, reads: 0% }]\n";
    let protocol = "protocol: { primary-backup: { failover: { automatic: { after: 1s } } } }\n";
    let fault = |at: u32, what: &str| format!("{{ at: {at}s, {what}, for: 100ms }}");
    let region = "region-outage: { region: us }";
    let nodes = "crash: { nodes: [q, p] }";
    for (faults, expected) in [
        (vec![fault(1, "zone-outage: { zone: us/a }")], 0),
        (vec![fault(1, "partition: { isolate: [r] }")], 0),
        (vec![fault(1, region)], 1),
        (vec![fault(1, region), fault(2, nodes)], 1),
    ] {
        let scenario = format!("{head}{protocol}faults: [{}]\n", faults.join(", "));
        let study = run(&load(&scenario), &[1], 1, &()).unwrap();
        let told = study.warnings.iter().map(ToString::to_string);
        let told =
            told.filter(|told| told.contains("While `p`, `q` are down, 1 of 3 nodes are left")).count();
        assert_eq!(told, expected, "{faults:?}: {:#?}", study.warnings);
    }
}

#[test]
fn a_cut_that_leaves_nobody_a_majority_is_told_once() {
    let head = "duration: 3s\nsettle: 1s\ntopology: { nodes: { p: us, q: us, r: eu, s: asia } }\nnetwork: { default: { latency: { constant: 10ms } } }\n\
                workload: [{ name: w, at: us, arrivals: { fixed: 200/s }, reads: 0% }]\n";
    let cut = |isolate: &str| format!("{{ at: 1s, partition: {{ isolate: {isolate} }}, for: 1s }}");
    let crash = |node: &str| format!("{{ at: 500ms, crash: {{ nodes: [{node}] }}, for: 1s }}");
    for (faults, fencing, expected) in [
        (vec![cut("[us]")], true, "While the network is cut as at 1s, no node reaches more than 2 of 4"),
        (vec![cut("[us]")], false, ""),
        (vec![cut("[p]")], true, ""),
        (
            vec![cut("[p]"), crash("r")],
            true,
            "While the network is cut as at 1s, no node reaches more than 2 of 4",
        ),
        (
            vec![cut("[us]"), cut("[eu]")],
            true,
            "While the network is cut as at 1s, no node reaches more than 2 of 4",
        ),
        (vec!["{ at: 1s, region-outage: { region: eu }, for: 1s }".to_owned()], true, ""),
    ] {
        let protocol =
            format!("protocol: {{ primary-backup: {{ failover: automatic, fencing: {fencing} }} }}\n");
        let scenario = format!("{head}{protocol}faults: [{}]\n", faults.join(", "));
        let study = run(&load(&scenario), &[1], 1, &()).unwrap();
        let told: Vec<String> = study.warnings.iter().map(ToString::to_string).collect();
        let cuts: Vec<&String> = told.iter().filter(|told| told.contains("no node reaches")).collect();
        assert_eq!(cuts.len(), usize::from(!expected.is_empty()), "{faults:?}: {told:#?}");
        assert!(cuts.iter().all(|told| told.contains(expected)), "{faults:?}: {told:#?}");
    }
}

#[test]
fn a_promotion_that_fencing_keeps_from_serving_is_told_with_whom_it_reaches() {
    let head = "duration: 3s\nsettle: 1s\ntopology: { nodes: { p: us, q: us, r: eu }, rtts: [{ between: [us, eu], rtt: 80ms }] }\n\
                network: { same-zone: { latency: { constant: 1ms } } }\n\
                workload: [{ name: w, at: us, arrivals: { fixed: 200/s }, reads: 0% }]\n";
    let cut = "{ at: 1s, partition: { isolate: [r] }, for: 1s }";
    let lost = "{ at: 1s, crash: { nodes: [p] } }";
    let promote = |at: &str, node: &str| format!("{{ at: {at}, promote: {{ node: {node} }} }}");
    for (faults, fencing, expected) in [
        (
            vec![cut.to_owned(), promote("1500ms", "r")],
            true,
            "When `r` is promoted, at 1.5s, it reaches 1 of 3 nodes",
        ),
        (vec![cut.to_owned(), promote("1500ms", "r")], false, ""),
        (vec![cut.to_owned(), promote("1500ms", "q")], true, ""),
        (vec![cut.to_owned(), promote("2500ms", "r")], true, ""),
        (vec![lost.to_owned(), promote("1500ms", "r")], true, ""),
        (
            vec![lost.to_owned(), cut.to_owned(), promote("1500ms", "q")],
            true,
            "When `q` is promoted, at 1.5s, it reaches 1 of 3",
        ),
    ] {
        let protocol =
            format!("protocol: {{ primary-backup: {{ failover: manual, fencing: {fencing} }} }}\n");
        let scenario = format!("{head}{protocol}faults: [{}]\n", faults.join(", "));
        let study = run(&load(&scenario), &[1], 1, &()).unwrap();
        let told: Vec<String> = study.warnings.iter().map(ToString::to_string).collect();
        let promoted: Vec<&String> = told.iter().filter(|told| told.contains("is promoted")).collect();
        assert_eq!(promoted.len(), usize::from(!expected.is_empty()), "{faults:?}: {told:#?}");
        assert!(promoted.iter().all(|told| told.contains(expected)), "{faults:?}: {told:#?}");
    }
}

#[test]
fn what_the_protocol_says_of_its_settings_is_told() {
    let workload = "workload:\n  - { name: w, at: us, arrivals: { fixed: 200/s }, reads: 0% }\n";
    for (settings, expected) in [
        ("{ failover: { automatic: { after: 2s } } }", &[][..]),
        (
            "{ failover: { automatic: { after: 2s } }, fencing: false }",
            &["`fencing` is false: a primary that is cut off"],
        ),
    ] {
        let protocol = format!("protocol: {{ primary-backup: {settings} }}");
        let head = HEAD.replace("protocol: primary-backup", &protocol).replace("r: eu }", "r: eu, q: eu }");
        check_all(&format!("{head}{workload}"), expected);
    }
}

#[test]
fn all_measures_with_samples_cut_short_are_told_in_one_warning() {
    let workload = "workload:\n  - { name: w, at: us, arrivals: { fixed: 200/s }, reads: 0% }\n";
    let crash = "faults:\n  - { at: 505ms, crash: { nodes: [r] } }\n";
    let counts =
        "(replication_delay_ms 214 of 400, visible_after_ack_ms 214 of 400, convergence_ms 214 of 400, ";
    check(&format!("{workload}{crash}"), &[counts]);
}

#[test]
fn blind_writes_are_told_of_where_siblings_add_up_by_them_and_there_are_any() {
    let told = |workload: &str| {
        let head = HEAD.replace("primary-backup", "{ quorum: { conflicts: siblings } }");
        let study = run(&load(&format!("{head}{workload}")), &[1], 1, &()).unwrap();
        study.warnings.iter().any(|warning| warning.to_string().contains("replace no siblings"))
    };
    let workload = |reads: &str, writes: &str| {
        format!(
            "workload:\n  - {{ name: w, at: us, arrivals: {{ fixed: 200/s }}, reads: {reads}, writes: {writes} }}\n"
        )
    };
    let script = |step: &str| {
        format!("clients: {{ alice: us }}\nscript:\n  - {{ at: 100ms, client: alice, {step}: cart }}\n")
    };
    for (scenario, expected) in [
        (workload("50%", "put"), true),
        (workload("50%", "delete"), true),
        (workload("50%", "{ put: 1%, set-add: 99% }"), true),
        (workload("100%", "put"), false),
        (workload("50%", "set-add"), false),
        (workload("0%", "{ read-modify-write: 50%, set-add: 50% }"), false),
        (script("put"), true),
        (script("delete"), true),
        (script("read-modify-write"), false),
        (format!("{}{}", workload("0%", "set-add"), script("get")), false),
    ] {
        assert_eq!(told(&scenario), expected, "{scenario}");
    }
}

#[test]
fn a_longer_settle_is_advised_only_where_something_would_go_on_in_it() {
    let workload =
        "workload:\n  - { name: w, at: us, arrivals: { fixed: 200/s }, reads: 0%, timeout: 100ms }\n";
    let down = |node: &str| format!("faults:\n  - {{ at: 505ms, crash: {{ nodes: [{node}] }} }}\n");
    let one = |rest: &str| format!("{{ quorum: {{ write: one, read-repair: none, {rest} }} }}");
    for (protocol, node, expected) in [
        ("primary-backup".to_owned(), "r", true),
        ("{ primary-backup: { failover: manual, fencing: false } }".to_owned(), "r", true),
        (one("hints: coordinator"), "r", true),
        (one("hints: none"), "r", false),
        (one("hints: none, anti-entropy: { every: 1s }"), "r", true),
        (one("hints: coordinator, coordinator: client"), "r", false),
        // What was committed is everywhere: only the time without writes is cut short.
        ("{ quorum: { write: all } }".to_owned(), "r", false),
    ] {
        let head = HEAD.replace("protocol: primary-backup", &format!("protocol: {protocol}"));
        let study = run(&load(&format!("{head}{workload}{}", down(node))), &[1], 1, &()).unwrap();
        let told = study.warnings.iter().map(ToString::to_string);
        let told: Vec<String> = told.filter(|told| told.contains("were cut short")).collect();
        assert_eq!(told.len(), 1, "{protocol} without {node}: {:#?}", study.warnings);
        assert_eq!(told[0].contains("a longer `settle`"), expected, "{protocol} without {node}: {told:#?}");
    }
}

#[test]
fn jitter_larger_than_its_delay_is_told_with_the_link_and_the_figures() {
    let workload = "workload:\n  - { name: many, at: eu, arrivals: { fixed: 200/s }, reads: 100%, read-from: { node: r } }\n";
    for (network, expected) in [
        ("{ default: { jitter: { exponential: { mean: 40ms } } } }", &["`network.default`"][..]),
        ("{ cross-region: { jitter: { exponential: { mean: 40ms } } } }", &[]),
        (
            "{ cross-region: { jitter: { exponential: { mean: 41ms } } } }",
            &[
                "`network.cross-region` has a mean of 41ms, and the delay from `us` to `eu` is 40ms: it is scaled down to \
               the delay there, and between 1 more pair",
            ],
        ),
        (
            "{ default: { jitter: { exponential: { mean: 50us } } }, cross-region: { jitter: { constant: 1ms } } }",
            &[],
        ),
        (
            "{ default: { jitter: { exponential: { mean: 60us } } }, cross-region: { jitter: { constant: 1ms } } }",
            &[
                "`network.default` has a mean of 60us, and the delay from `eu` to `eu` is 50us: it is scaled down to the \
               delay there; a `latency`",
            ],
        ),
        (
            "{ links: [{ from: p, to: r, jitter: { constant: 50ms } }] }",
            &["`network.links[0]` has a mean of 50ms, and the delay from `p` to `r` is 40ms"],
        ),
        ("{ default: { latency: { exponential: { mean: 1ms } } } }", &[]),
    ] {
        check(&format!("network: {network}\n{workload}"), expected);
    }
}

#[test]
fn the_catalogue_says_what_measures_are_given_by() {
    let rest = "workload:\n  - { name: w, at: eu, arrivals: { fixed: 200/s }, reads: 50%, keys: { uniform: { count: 3 } } }\n";
    let study = run(&load(&format!("{HEAD}{rest}")), &[1], 1, &()).unwrap();
    for measure in &study.merged.measures {
        let info = measure.info;
        let given: Vec<&str> = measure.scopes.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(given, info.scopes, "{}", info.slug);
    }
}

#[test]
fn reads_from_a_primary_that_there_is_not_are_told() {
    let workload = "workload:\n  - { name: many, at: us, arrivals: { fixed: 200/s }, reads: 100%, read-from: primary }\n";
    let script = "clients: { alice: us, bob: us }\nscript:\n  - { at: 100ms, client: bob, get: cart, read-from: primary }\n";
    for (protocol, rest, expected) in [
        (
            "{ quorum: { read: one } }",
            workload.to_owned(),
            &["`read-from: primary` of `many`: this protocol has no"][..],
        ),
        (
            "{ quorum: { read: one } }",
            format!("{workload}{script}"),
            &["`read-from: primary` of `many`, `bob`: this protocol has no", "samples for `bob`"],
        ),
        ("{ quorum: { read: one } }", workload.replace("primary", "nearest"), &[]),
        ("primary-backup", workload.to_owned(), &["all reads were served by the primary"]),
    ] {
        let head = HEAD.replace("primary-backup", protocol);
        check_all(&format!("{head}{rest}"), expected);
    }
}
