//! What it costs a write to wait for replicas.

use replisim_scenario::Statistic;

use crate::support::answers::{MS, all_equal, check, of_each, runs, samples, seeds_of};

const WRITERS: Option<(&str, &str)> = Some(("workload", "writers"));

/// A primary at P and replicas at so many milliseconds from it, one way; the writers are `client_ms` away from it.
fn topology(client_ms: i64, replicas_ms: &[i64]) -> String {
    let places: Vec<String> = (1..=replicas_ms.len()).map(|i| format!("R{i}")).collect();
    let mut nodes = "p: P".to_owned();
    let mut rtts = vec![format!("{{ between: [C, P], rtt: {}ms }}", 2 * client_ms)];
    for (i, (place, ms)) in places.iter().zip(replicas_ms).enumerate() {
        nodes += &format!(", r{}: {place}", i + 1);
        rtts.push(format!("{{ between: [P, {place}], rtt: {}ms }}", 2 * ms));
        for other in places[..i].iter().map(String::as_str).chain(["C"]) {
            rtts.push(format!("{{ between: [{place}, {other}], rtt: 10ms }}"));
        }
    }
    format!("{{ nodes: {{ {nodes} }}, rtts: [{}] }}", rtts.join(", "))
}

/// How long every single write takes, to the nanosecond.
#[track_caller]
fn check_exactly(claim: &str, topology: &str, acknowledge: &str, disk: &str, expected_ms: i64) {
    let yaml = format!(
        "
duration: 3s
topology: {topology}
protocol: {{ primary-backup: {{ acknowledge: {acknowledge} }} }}
workload:
  - {{ name: writers, at: C, arrivals: {{ fixed: 10/s }}, reads: 0% }}
{disk}
"
    );
    for run in runs(&yaml, 1..3) {
        let latencies = samples(&run.findings, "write_latency_ms", WRITERS);
        assert_eq!(all_equal(latencies, expected_ms * MS), 30, "{claim}, {acknowledge}");
    }
    println!("{claim}, {acknowledge}: each write takes {expected_ms} ms");
}

#[test]
fn a_write_waits_for_the_kth_nearest_replica_and_no_other() {
    for (client_ms, replicas_ms) in
        [(10, &[20, 75][..]), (0, &[5, 5, 5]), (3, &[90, 1, 40]), (25, &[0, 7, 33, 12, 61]), (1, &[50])]
    {
        let topology = topology(client_ms, replicas_ms);
        let claim = format!("client at {client_ms} ms, replicas at {replicas_ms:?} ms");
        let mut sorted = replicas_ms.to_vec();
        sorted.sort_unstable();
        for (k, ms) in (1..).zip(&sorted) {
            let acknowledge = format!("{{ semi-sync: {{ replicas: {k} }} }}");
            check_exactly(&claim, &topology, &acknowledge, "", 2 * client_ms + 2 * ms);
        }
        check_exactly(&claim, &topology, "sync", "", 2 * client_ms + 2 * sorted[sorted.len() - 1]);
        check_exactly(&claim, &topology, "async", "", 2 * client_ms);
    }
}

#[test]
fn what_must_be_durable_first_adds_its_fsyncs() {
    // Only what is on the primary's disk is shipped; a replica that has *received* it need not have synced it.
    let (client, near, far, fsync) = (10, 20, 35, 5);
    let disk = format!("disk: {{ fsync: {{ constant: {fsync}ms }} }}");
    let semi_sync = |at| format!("{{ semi-sync: {{ ack-at: {at} }} }}");
    for (acknowledge, expected_ms) in [
        ("async".to_owned(), 2 * client),
        (semi_sync("received"), 2 * client + fsync + 2 * near),
        (semi_sync("logged"), 2 * client + fsync + 2 * near + fsync),
        (semi_sync("applied"), 2 * client + fsync + 2 * near + fsync),
        ("sync".to_owned(), 2 * client + fsync + 2 * far + fsync),
    ] {
        check_exactly("fsync of 5 ms", &topology(client, &[near, far]), &acknowledge, &disk, expected_ms);
    }
}

/// The mean of the k-th smallest of independent exponential times with these means. The least of a set S of them is
/// exponential with the sum of their rates; inclusion and exclusion do the rest.
fn order_statistic(k: usize, means: &[f64]) -> f64 {
    let n = means.len();
    let choose = |n: usize, k: usize| (0..k).fold(1.0, |c, i| c * (n - i) as f64 / (i + 1) as f64);
    let sets = 1..1u32 << n;
    sets.filter(|set| set.count_ones() as usize > n - k)
        .map(|set| {
            let size = set.count_ones() as usize;
            let rate: f64 = (0..n).filter(|i| set >> i & 1 == 1).map(|i| 1.0 / means[i]).sum();
            let sign = if (size - (n - k)) % 2 == 1 { 1.0 } else { -1.0 };
            sign * choose(size - 1, n - k) / rate
        })
        .sum()
}

#[test]
fn with_jitter_a_write_takes_the_mean_of_the_kth_fastest_way() {
    // The way back and the client's hops take 1 ms each; a second between writes, so that none waits for another.
    let tables: [&[f64]; 3] = [&[20.0, 20.0, 20.0], &[10.0, 20.0, 40.0], &[5.0, 35.0]];
    let cases = tables.into_iter().flat_map(|means| (1..=means.len()).map(move |k| (means, k)));
    for (i, (means, k)) in cases.enumerate() {
        let (mut nodes, mut links) = (String::new(), String::new());
        for (i, mean) in means.iter().enumerate() {
            nodes += &format!(", r{i}: R");
            links += &format!(
                "  - {{ from: p, to: r{i}, kinds: {{ replicate: {{ latency: {{ exponential: {{ mean: {mean}ms }} }} }} }} }}\n"
            );
        }
        let yaml = format!(
            "
duration: 200s
topology: {{ nodes: {{ p: P{nodes} }} }}
protocol: {{ primary-backup: {{ acknowledge: {{ semi-sync: {{ replicas: {k} }} }}, heartbeat: 1000h }} }}
workload:
  - {{ name: writers, at: P, arrivals: {{ fixed: 1/s }}, reads: 0% }}
network:
  default: {{ latency: {{ constant: 1ms }} }}
  links:
{links}"
        );
        let runs = runs(&yaml, seeds_of(i));
        let latencies = of_each(&runs, "write_latency_ms", WRITERS, Statistic::Mean);
        let latencies: Vec<f64> = latencies.iter().map(|nanos| nanos / 1e6).collect();
        let claim = format!("mean latency, the {k}. of exponential ways with means {means:?} ms [ms]");
        check(&claim, &latencies, 3.0 + order_statistic(k, means), 0.0);
    }
}
