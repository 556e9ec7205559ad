//! Whole random runs: the streaming measures equal their brute-force twins to the nanosecond, and everything adds up.

use std::ops::Range;

use crate::random_quorum;
use crate::support::load;
use replisim_engine::random::below;
use replisim_engine::{Digest, Label, Stream, Streams};
use replisim_experiment::figure;
use replisim_experiment::run::observe;
use replisim_measure::{Findings, Leaf, Measures, twin};
use replisim_observe::Record;
use replisim_scenario::Statistic;

/// A small scenario out of a seed: few operations, so that the twins, which take n² and more, stay quick.
fn random_scenario(stream: &mut Stream, faults: u64, quorum: bool) -> String {
    let mut draw = |n: u64| below(stream, n);
    let nodes = 2 + draw(3);
    let law = |kind: u64, ms: u64| match kind {
        0 => format!("{{ constant: {ms}ms }}"),
        1 => format!("{{ exponential: {{ mean: {ms}ms }} }}"),
        _ => format!("{{ uniform: {{ least: 0ms, most: {ms}ms }} }}"),
    };
    let mut yaml = String::from("duration: 1s\nsettle: 3s\n");
    yaml += &format!("warmup: {}ms\ntopology:\n  nodes:\n", draw(3) * 100);
    for i in 0..nodes {
        yaml += &format!("    n{i}: {}\n", place(i));
    }
    yaml += &format!("network:\n  same-zone: {{ latency: {} }}\n", law(draw(3), draw(5)));
    let (latency, ordered) = (law(draw(3), 1 + draw(120)), draw(2) == 0);
    let duplicate = if quorum && !ordered { ", duplicate: 10%" } else { "" };
    yaml += &format!("  default: {{ latency: {latency}, ordered: {ordered}{duplicate} }}\n");
    if draw(2) == 0 {
        yaml += &format!("disk: {{ fsync: {} }}\n", law(draw(3), 1 + draw(20)));
    }
    yaml += &if quorum {
        random_quorum::protocol(&mut draw, nodes) + &random_quorum::extras(&mut draw)
    } else {
        protocol(&mut draw, nodes)
    };
    yaml += "workload:\n";
    let keys = 1 + draw(3);
    for w in 0..1 + draw(3) {
        let from = ["primary", "nearest", "random", "{ node: n1 }"][draw(4) as usize];
        let consistency = [
            "eventual",
            "eventual",
            "strong",
            "session",
            "{ session: { behind: redirect } }",
            "{ bounded: { staleness: 200ms, behind: refuse } }",
        ][draw(6) as usize];
        let writes = if quorum { random_quorum::writes(&mut draw) } else { "put" };
        yaml += &format!(
            "  - {{ name: w{w}, at: {}, arrivals: {{ {}: {}/s }}, reads: {}%, keys: {{ uniform: {{ count: {keys} }} }}, \
             writes: {writes}, read-from: {from}, consistency: {consistency}, timeout: {}ms }}\n",
            place(draw(nodes)),
            ["poisson", "fixed"][draw(2) as usize],
            3 + draw(12),
            draw(101),
            50 + draw(800),
        );
    }
    for f in 0..faults {
        let at = draw(900);
        let lasts = if draw(8) == 0 { String::new() } else { format!(", for: {}ms", 1 + draw(600)) };
        let fault = fault(&mut draw, nodes);
        let lasts = if fault.starts_with("promote") { "" } else { &lasts };
        yaml += &format!(
            "{}  - {{ at: {at}ms{lasts}, if-supported: true, {fault} }}\n",
            if f == 0 { "faults:\n" } else { "" }
        );
    }
    yaml
}

/// Where the i-th node is: zones lie in two regions.
fn place(i: u64) -> String {
    format!("r{}/z{}", i % 2, i % 3)
}

/// Primary–backup in one of its ways.
fn protocol(draw: &mut impl FnMut(u64) -> u64, nodes: u64) -> String {
    let (ship, heartbeat) = ([0, 0, 30, 200][draw(4) as usize], 10 + draw(60));
    let acknowledge = match draw(5) {
        0 | 1 => "async".to_owned(),
        2 => "sync".to_owned(),
        _ => format!(
            "{{ semi-sync: {{ replicas: {}, ack-at: {}, timeout: {}ms, on-timeout: {} }} }}",
            1 + draw(nodes - 1),
            ["received", "logged", "applied"][draw(3) as usize],
            50 + draw(500),
            ["async", "block"][draw(2) as usize],
        ),
    };
    let promote = match draw(3) {
        0 => "most-advanced".to_owned(),
        1 => "first-to-notice".to_owned(),
        _ => format!(
            "{{ order: [{}] }}",
            (0..nodes).rev().map(|i| format!("n{i}")).collect::<Vec<_>>().join(", ")
        ),
    };
    let failover = match draw(4) {
        0 => "none".to_owned(),
        1 => "manual".to_owned(),
        _ if nodes < 3 => "manual".to_owned(),
        _ => format!("{{ automatic: {{ after: {}ms, promote: {promote} }} }}", heartbeat * 3 + draw(200)),
    };
    let fencing = nodes > 2 && draw(2) == 0;
    format!(
        "protocol: {{ primary-backup: {{ acknowledge: {acknowledge}, ship-every: {ship}ms, heartbeat: {heartbeat}ms, \
         failover: {failover}, fencing: {fencing}, retain: {}B }} }}\n",
        [100, 1_000, 100_000][draw(3) as usize],
    )
}

/// One fault of any kind.
pub(crate) fn fault(draw: &mut impl FnMut(u64) -> u64, nodes: u64) -> String {
    let node = format!("n{}", draw(nodes));
    let other = format!("n{}", (node[1..].parse::<u64>().unwrap() + 1 + draw(nodes - 1)) % nodes);
    let in_flight = ["deliver", "drop"][draw(2) as usize];
    match draw(11) {
        0 | 1 => format!(
            "partition: {{ isolate: [{node}], in-flight: {in_flight}, with-clients: {} }}",
            draw(2) == 0
        ),
        2 => format!("partition: {{ groups: [[{node}], [{other}]], in-flight: {in_flight} }}"),
        3 => format!("partition: {{ from: [{node}], to: [{other}], in-flight: {in_flight} }}"),
        4 | 5 => format!(
            "crash: {{ nodes: [{node}], scope: {}, unsynced: {}, disk: {}, in-flight: {in_flight} }}",
            ["process", "machine"][draw(2) as usize],
            ["keep", "lose"][draw(2) as usize],
            ["keep", "keep", "lose"][draw(3) as usize],
        ),
        6 => format!("pause: {{ nodes: [{node}] }}"),
        7 => format!(
            "slow-link: {{ link: {{ between: [{node}, {other}] }}, factor: {}, extra: {}ms, bandwidth: {}kbit/s }}",
            1 + draw(5),
            draw(50),
            20 + draw(1_000)
        ),
        8 => format!(
            "lossy-link: {{ link: {{ from: {node}, to: {other} }}, loss: {}%, duplicate: {}% }}",
            1 + draw(60),
            draw(40)
        ),
        9 => match draw(3) {
            0 => format!("zone-outage: {{ zone: {} }}", place(draw(nodes))),
            1 => "region-outage: { region: r0 }".to_owned(),
            _ => format!(
                "flapping-link: {{ link: {{ between: [{node}, {other}] }}, down: {}ms, up: {}ms }}",
                1 + draw(80),
                1 + draw(80)
            ),
        },
        _ => format!("promote: {{ node: {node} }}"),
    }
}

/// Runs a random scenario of each seed, every other one of quorums, and compares every measure with its twin. Returns what happened in all of them
/// together, and the digest of their digests.
fn check(
    seeds: Range<u64>,
    faults: impl Fn(&mut Stream) -> u64,
    change: impl Fn(String, &mut Stream) -> String,
) -> (Findings, Digest) {
    let mut all: Option<Findings> = None;
    let mut digests = Digest::new();
    for seed in seeds {
        let mut stream = Streams::new(seed).named("scenario");
        let faults = faults(&mut stream);
        let yaml = random_scenario(&mut stream, faults, seed % 2 == 1);
        let yaml = change(yaml, &mut stream);
        let loaded = load(&yaml);
        let scenario = &loaded.scenario;
        let watchers = (Measures::new(scenario.roster(), scenario.window()), Vec::<Record>::new());
        let ((measures, records), end) = observe(&loaded, seed, watchers, &()).unwrap();
        let findings = measures.finish();
        let found = twin::disagreements(&findings, &records, scenario.window());
        assert!(found.is_empty(), "seed {seed}:\n{yaml}\n{}", found.join("\n"));
        assert!(findings.accounting.holds(), "seed {seed}:\n{yaml}\n{:?}", findings.accounting);
        digests.absorb_label(Label::of(&end.digest.to_string()));
        match &mut all {
            Some(all) => all.merge(&findings),
            all => *all = Some(findings),
        }
    }
    (all.expect("at least one seed"), digests)
}

/// Other arrivals and ways to write, and limits, for the workloads of a random scenario.
fn in_all_ways(yaml: String, stream: &mut Stream) -> String {
    let quorum = yaml.contains("quorum");
    let mut draw = |n: u64| below(stream, n);
    let mut line = |line: &str| {
        let Some((head, rest)) = line.split_once("arrivals: {").filter(|_| line.starts_with("  - { name: w"))
        else {
            return line.to_owned();
        };
        let rest = rest.split_once("},").map_or(rest, |(_, rest)| rest);
        let arrivals = match draw(4) {
            0 => format!("closed-loop: {{ clients: {}, think: {{ exponential: {{ mean: {}ms }} }} }}", 1 + draw(4), 50 + draw(300)),
            1 => "curve: [{ at: 100ms, rate: 5/s }, { at: 500ms, rate: 30/s }, { at: 700ms, rate: 3/s }]".to_owned(),
            2 => "bursts: { rate: 40/s, on: { uniform: { least: 0ms, most: 200ms } }, off: { constant: 150ms }, idle-rate: 2/s }".to_owned(),
            _ => format!("poisson: {}/s", 3 + draw(12)),
        };
        let sessions = if arrivals.starts_with("closed") {
            String::new()
        } else {
            format!("sessions: {}, ", 1 + draw(5))
        };
        let connections =
            if draw(2) == 0 { format!("connections: {}, ", 1 + draw(2)) } else { String::new() };
        let (head, mut rest) =
            (format!("{head}arrivals: {{ {arrivals} }}, {sessions}{connections}"), rest.to_owned());
        if !quorum && draw(2) == 0 {
            rest = rest.replace("writes: put", "writes: { put: 30%, delete: 20%, compare-and-set: 50% }");
        }
        head + &rest
    };
    yaml.lines().map(|text| line(text) + "\n").collect()
}

/// The workloads of a random scenario try again, with tokens where its protocol can tell them.
fn that_try_again(yaml: String, stream: &mut Stream) -> String {
    let tells = !yaml.contains("timestamps: coordinator") && !yaml.contains("conflicts: siblings");
    let mut line = |line: &str| match line.split_once("arrivals: {") {
        Some((head, rest)) if line.starts_with("  - { name: w") => {
            let (attempts, backoff) = (2 + below(stream, 4), below(stream, 100));
            let tokens = tells && below(stream, 2) == 0;
            let retries = format!("attempts: {attempts}, backoff: {backoff}ms, tokens: {tokens}");
            format!("{head}retries: {{ {retries} }}, arrivals: {{{rest}")
        }
        _ => line.to_owned(),
    };
    yaml.lines().map(|text| line(text) + "\n").collect()
}

#[test]
fn measures_of_random_runs_equal_their_twins() {
    check(0..1_000, |stream| below(stream, 3), |yaml, _| yaml);
}

#[test]
fn measures_equal_their_twins_where_faults_come_again_and_again() {
    // Every fault that has a length comes at random instead: `at` becomes the time between two, `for` that of a repair.
    let at_random = |line: &str| match line.contains("if-supported") && line.contains(", for: ") {
        true => line.replace("{ at: ", "{ mtbf: 1").replace(", for: ", ", mttr: "),
        false => line.to_owned(),
    };
    let change = |yaml: String, _: &mut Stream| yaml.lines().map(|line| at_random(line) + "\n").collect();
    let (all, _) = check(20_000..20_300, |stream| 1 + below(stream, 3), change);
    assert!(all.leaf("recovery_convergence_ms", None).map_or(0, Leaf::count) > 300);
}

#[test]
fn workloads_of_all_kinds_leave_measures_equal_to_their_twins() {
    check(30_000..30_300, |stream| below(stream, 5), in_all_ways);
}

#[test]
fn clients_that_try_again_leave_measures_equal_to_their_twins() {
    let change = |yaml: String, stream: &mut Stream| {
        let yaml = if below(stream, 2) == 0 { in_all_ways(yaml, stream) } else { yaml };
        that_try_again(yaml, stream)
    };
    let (all, _) = check(50_000..50_300, |stream| 1 + below(stream, 4), change);
    let again = all.leaf("attempts", None).and_then(|leaf| figure(leaf, Statistic::Max));
    assert!(again.is_some_and(|most| most.number() >= 5.0), "{again:?}");
    assert!(all.leaf("duplicate_applies", None).map_or(0, Leaf::count) > 50);
}

/// The golden digest is made in release (`cargo xtask gallery`) and compared here in debug.
#[test]
fn any_ten_faults_together_leave_measures_equal_to_their_twins_and_digests_as_they_were() {
    let (all, digest) = check(10_000..11_000, |_| 10, |yaml, _| yaml);
    // A bad day on which nothing happens proves nothing.
    for slug in [
        "lost_writes",
        "stranded_writes",
        "destroyed_writes",
        "lost_then_overwritten",
        "regressed_writes",
        "unconverged_writes",
        "dirty_reads",
        "early_reads",
        "reads_missing_lost",
        "stale_primary_acks",
        "rto_ms",
        "time_to_serve_ms",
        "unavailability_ms",
        "catch_up_ms",
    ] {
        let times = all.leaf(slug, None).map_or(0, Leaf::count);
        assert!(times >= 10, "{slug} happened {times} times");
    }
    assert!(all.accounting.messages_duplicated >= 50);
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/goldens/ten-faults.txt");
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        std::fs::write(golden, format!("{digest}\n")).unwrap();
    }
    assert_eq!(std::fs::read_to_string(golden).unwrap().trim(), digest.to_string());
}

#[test]
fn what_must_be_kept_does_not_grow_with_the_length_of_a_run() {
    let yaml = |seconds: u64| {
        format!(
            "duration: {seconds}s\ntopology: {{ nodes: {{ p: a, r: b }}, rtts: [{{ between: [a, b], rtt: 40ms }}] }}\n\
             protocol: primary-backup\nworkload:\n  - {{ name: w, at: a, arrivals: {{ poisson: 500/s }}, reads: 50% }}\n"
        )
    };
    let peak = |seconds| {
        let loaded = load(&yaml(seconds));
        let run = replisim_experiment::run::run_seed(&loaded, 1, &()).unwrap();
        assert!(run.findings.accounting.committed > 200 * seconds);
        run.findings.accounting.backlog_peak_writes
    };
    // 250 writes a second, each under way for 20 ms.
    let (short, long) = (peak(20), peak(200));
    assert!(short <= 40 && long <= 40, "{short} and {long} records at a time");
}
