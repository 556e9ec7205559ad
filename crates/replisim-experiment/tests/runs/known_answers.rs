//! Scenarios whose results are known from mathematics. `docs/known-answers.md` derives each answer, in the order of
//! the tests here, and `cargo test -p replisim-experiment known_answers -- --nocapture` prints every figure beside its answer.
//!
//! Where delays are constant the answer must come out to the nanosecond. Where chance has a part in it, the error
//! comes from independent seeds and from nothing else: the reads of one run share their writes, so an error from
//! within a run would be far too small. A check also fails if its error is too large to tell right from wrong.

use std::sync::LazyLock;

use crate::newest_wins::NewestWins;
use crate::support::answers::{
    LARGEST_TOLERANCE, MS, all_equal, check, check_estimate, of_each, over_time, runs, samples, seeds_of,
    value,
};
use crate::support::load;
use replisim_cluster::World;
use replisim_engine::Time;
use replisim_experiment::RunResult;
use replisim_measure::series::VisibilityPoint;
use replisim_measure::{Findings, Leaf, Measures};
use replisim_scenario::{ProtocolSettings, Statistic, build};

const READERS: Option<(&str, &str)> = Some(("workload", "readers"));
const WRITERS: Option<(&str, &str)> = Some(("workload", "writers"));
const REPLICA: Option<(&str, &str)> = Some(("node", "r"));

/// `∫₀¹ (1 − e^(−xy)) / y dy`, the complementary exponential integral, by its power series.
fn ein(x: f64) -> f64 {
    let (mut term, mut sum) = (-1.0, 0.0);
    for k in 1..200 {
        term *= -x / f64::from(k);
        sum += term / f64::from(k);
    }
    sum
}

#[test]
fn constant_delays_come_out_to_the_nanosecond() {
    // One-way delays in milliseconds: client to primary, primary to each of two replicas.
    for (client, near, far) in [(10, 20, 75), (40, 5, 60), (0, 3, 3), (7, 0, 1)] {
        let yaml = format!(
            "
duration: 5s
topology:
  nodes: {{ p: P, r1: R1, r2: R2 }}
  rtts:
    - {{ between: [C, P], rtt: {}ms }}
    - {{ between: [P, R1], rtt: {}ms }}
    - {{ between: [P, R2], rtt: {}ms }}
    - {{ between: [C, R1], rtt: 10ms }}
    - {{ between: [C, R2], rtt: 10ms }}
    - {{ between: [R1, R2], rtt: 10ms }}
protocol: primary-backup
workload:
  - {{ name: writers, at: C, arrivals: {{ poisson: 100/s }}, reads: 0% }}
",
            2 * client,
            2 * near,
            2 * far
        );
        for run in runs(&yaml, 1..4) {
            let findings = &run.findings;
            let writes = all_equal(samples(findings, "write_latency_ms", WRITERS), 2 * client * MS);
            for (node, delay) in [("r1", near), ("r2", far)] {
                let delays = samples(findings, "replication_delay_ms", Some(("node", node)));
                let committed = all_equal(delays, delay * MS);
                assert!(
                    writes - committed < 20,
                    "only writes committed after the clients stopped are left out"
                );
            }
            let visible = samples(findings, "visible_after_ack_ms", None);
            let (first, last) = ((near.min(far) - client) * MS, (near.max(far) - client) * MS);
            assert_eq!(visible.min(), Some(first), "the nearer replica");
            let (twice_sum, count) = (2 * visible.sum(), i128::from(visible.count()));
            assert_eq!(
                twice_sum,
                i128::from(first + last) * count,
                "half of the samples are of each replica"
            );
            let largest = value(findings, "visible_after_ack_ms", None, Statistic::Max);
            assert_eq!(largest, last as f64, "the farther replica");
            all_equal(samples(findings, "convergence_ms", None), near.max(far) * MS);
        }
    }
}

#[test]
fn shipping_every_s_adds_half_of_s_on_average_and_never_more_than_s() {
    for (i, (delay_ms, every_ms)) in [(5, 100), (50, 1_000), (20, 20)].into_iter().enumerate() {
        let yaml = format!(
            "
duration: 21s
warmup: 1s
topology: {{ nodes: {{ p: X, r: X }} }}
network: {{ default: {{ latency: {{ constant: {delay_ms}ms }} }} }}
protocol: {{ primary-backup: {{ ship-every: {every_ms}ms }} }}
workload:
  - {{ name: writers, at: X, arrivals: {{ poisson: 50/s }}, reads: 0% }}
"
        );
        let runs = runs(&yaml, seeds_of(i));
        let claim = format!("mean delay, {delay_ms} ms one way, shipped every {every_ms} ms [ms]");
        let means = of_each(&runs, "replication_delay_ms", REPLICA, Statistic::Mean);
        let means: Vec<f64> = means.iter().map(|nanos| nanos / 1e6).collect();
        check(&claim, &means, (delay_ms as f64) + every_ms as f64 / 2.0, 0.0);
        for run in &runs {
            let delays = samples(&run.findings, "replication_delay_ms", REPLICA);
            let longest = value(&run.findings, "replication_delay_ms", REPLICA, Statistic::Max);
            assert!(delays.min() >= Some(delay_ms * MS) && longest <= ((delay_ms + every_ms) * MS) as f64);
        }
    }
}

#[test]
fn the_phase_of_shipping_is_drawn_for_each_run() {
    // One write at a fixed time: only the phase can make its delay differ from seed to seed.
    let yaml = "
duration: 600ms
topology: { nodes: { p: X, r: X } }
network: { default: { latency: { constant: 50ms } } }
protocol: { primary-backup: { ship-every: 100ms, heartbeat: 1000h } }
clients: { c: X }
script: [{ at: 500ms, client: c, put: k }]
";
    let delays = of_each(&runs(yaml, 1..1_001), "replication_delay_ms", REPLICA, Statistic::Mean);
    let delays: Vec<f64> = delays.iter().map(|nanos| nanos / 1e6).collect();
    check("delay of one write shipped within 100 ms [ms]", &delays, 100.0, 0.0);
    // A thousand uniform numbers leave a hundredth empty at either end once in 20,000 tries.
    assert!(delays.iter().all(|delay| (50.0..=150.0).contains(delay)));
    assert!(delays.iter().any(|delay| *delay < 51.0) && delays.iter().any(|delay| *delay > 149.0));
}

/// A primary `p`, one replica `r`, a writer whose answers take `a` and a reader whose requests take `b`. Delays from
/// `p` to `r` are exponential; all else is constant.
#[derive(Clone, Copy, Debug)]
struct Exponential {
    writes_per_second: f64,
    mean_ms: f64,
    a_ms: f64,
    b_ms: f64,
    ordered: bool,
}

impl Exponential {
    const fn new(writes_per_second: f64, mean_ms: f64, a_ms: f64, b_ms: f64) -> Exponential {
        Exponential { writes_per_second, mean_ms, a_ms, b_ms, ordered: true }
    }

    /// A heartbeat travels on the same link as the writes, so its delay would take part in the running maximum of
    /// arrival times, and the formula knows of no such message; so there is one in a thousand hours. The run is
    /// measured for 2400 mean delays after a warm-up of 100: what the beginning leaves behind is of the order e^-100.
    fn yaml(&self) -> String {
        let Exponential { writes_per_second, mean_ms, a_ms, b_ms, ordered } = self;
        // Nothing must come back from the replica where the link is not ordered: a replica that sees a gap asks for
        // what is missing, and the second copy may overtake the first, which is not the model.
        let back = if *ordered { "0s" } else { "48h" };
        format!(
            "
duration: {}ms
warmup: {}ms
settle: 2s
topology:
  nodes: {{ p: P, r: R }}
  rtts:
    - {{ between: [P, R], rtt: 0s }}
    - {{ between: [W, P], rtt: 0s }}
    - {{ between: [W, R], rtt: 0s }}
    - {{ between: [Q, P], rtt: 0s }}
    - {{ between: [Q, R], rtt: 0s }}
    - {{ between: [W, Q], rtt: 0s }}
    - {{ from: P, to: W, rtt: {}ms }}
    - {{ from: Q, to: R, rtt: {}ms }}
    - {{ from: R, to: P, rtt: {back} }}
network:
  links:
    - {{ from: p, to: r, latency: {{ exponential: {{ mean: {mean_ms}ms }} }}, ordered: {ordered} }}
protocol: {{ primary-backup: {{ heartbeat: 1000h }} }}
workload:
  - {{ name: writers, at: W, arrivals: {{ poisson: {writes_per_second}/s }}, reads: 0%, keys: {{ uniform: {{ count: 1 }} }} }}
  - {{ name: readers, at: Q, arrivals: {{ poisson: 100/s }}, reads: 100%, keys: {{ uniform: {{ count: 1 }} }}, read-from: {{ node: r }} }}
",
            2_500.0 * mean_ms,
            100.0 * mean_ms,
            2.0 * a_ms,
            2.0 * b_ms,
        )
    }

    fn claim(&self, what: &str) -> String {
        let Exponential { writes_per_second, mean_ms, a_ms, b_ms, .. } = self;
        format!("{what}, λ {writes_per_second}/s, 1/μ {mean_ms} ms, a {a_ms} ms, b {b_ms} ms")
    }

    /// λ / μ: the mean number of writes under way.
    fn rho(&self) -> f64 {
        self.writes_per_second * self.mean_ms / 1e3
    }

    /// `e^(−μ (a + b + t))`: the share of writes that take longer than that.
    fn tail(&self, t_ms: f64) -> f64 {
        libm::exp(-(self.a_ms + self.b_ms + t_ms) / self.mean_ms)
    }
}

/// λ [1/s], 1/μ, a, b [ms].
const EXPONENTIALS: [Exponential; 7] = [
    Exponential::new(50.0, 20.0, 0.0, 0.0),
    Exponential::new(50.0, 20.0, 10.0, 0.0),
    Exponential::new(50.0, 20.0, 0.0, 10.0),
    Exponential::new(20.0, 50.0, 30.0, 20.0),
    Exponential::new(200.0, 20.0, 5.0, 15.0),
    Exponential::new(10.0, 40.0, 4.0, 8.0),
    Exponential::new(100.0, 40.0, 0.0, 0.0),
];

/// What one seed of an [`Exponential`] came to.
struct Seen {
    stale: f64,
    staleness_ms: f64,
    missed: f64,
    delay_ms: f64,
    behind: f64,
    lag_ms: f64,
    lag_versions: f64,
    visibility: Vec<VisibilityPoint>,
}

impl Seen {
    fn of(findings: &Findings) -> Seen {
        let mean = |slug, scope| value(findings, slug, scope, Statistic::Mean);
        let (reader, visibility) = &findings.visibility[1];
        assert_eq!(reader, "readers");
        Seen {
            stale: value(findings, "stale_reads", READERS, Statistic::Share),
            staleness_ms: mean("staleness_ms", READERS) / 1e6,
            missed: mean("staleness_versions", READERS),
            delay_ms: mean("replication_delay_ms", REPLICA) / 1e6,
            behind: 1.0 - over_time(findings, "lag_ms", REPLICA).share_at_zero().expect("time has passed"),
            lag_ms: mean("lag_ms", REPLICA) / 1e6,
            lag_versions: mean("lag_versions", REPLICA),
            visibility: visibility.curve(),
        }
    }
}

/// All runs of [`EXPONENTIALS`], made once for the tests that look at them.
static SEEN: LazyLock<Vec<(Exponential, Vec<Seen>)>> = LazyLock::new(|| {
    let seen = |i: usize, case: Exponential| {
        let runs = runs(&case.yaml(), seeds_of(i));
        (case, runs.iter().map(|run| Seen::of(&run.findings)).collect())
    };
    EXPONENTIALS.into_iter().enumerate().map(|(i, case)| seen(i, case)).collect()
});

#[test]
fn staleness_of_in_order_apply_follows_the_closed_forms() {
    for (case, seen) in &*SEEN {
        let samples = |of: fn(&Seen) -> f64| seen.iter().map(of).collect::<Vec<_>>();
        let (rho, x) = (case.rho(), case.rho() * case.tail(0.0));
        check(&case.claim("share of stale reads"), &samples(|s| s.stale), -libm::expm1(-x), 0.0);
        check(&case.claim("mean staleness [ms]"), &samples(|s| s.staleness_ms), case.mean_ms * ein(x), 0.0);
        let missed = rho * ein(x) - libm::expm1(-x);
        check(&case.claim("mean number of missed writes"), &samples(|s| s.missed), missed, 0.0);
    }
}

#[test]
fn an_ordered_link_holds_writes_back_behind_earlier_ones_by_the_closed_form() {
    for (case, seen) in &*SEEN {
        let rho = case.rho();
        let delays: Vec<f64> = seen.iter().map(|seen| seen.delay_ms).collect();
        let expected = case.mean_ms * (ein(rho) - libm::expm1(-rho) / rho);
        check(&case.claim("mean replication delay in order [ms]"), &delays, expected, 0.0);
    }
}

#[test]
fn lag_over_time_is_the_staleness_of_reads_that_take_no_time() {
    for (case, seen) in &*SEEN {
        let samples = |of: fn(&Seen) -> f64| seen.iter().map(of).collect::<Vec<_>>();
        let rho = case.rho();
        check(&case.claim("share of time behind"), &samples(|s| s.behind), -libm::expm1(-rho), 0.0);
        check(&case.claim("mean lag [ms]"), &samples(|s| s.lag_ms), case.mean_ms * ein(rho), 0.0);
        let missing = rho * ein(rho) - libm::expm1(-rho);
        check(&case.claim("mean lag [versions]"), &samples(|s| s.lag_versions), missing, 0.0);
    }
}

#[test]
fn the_t_visibility_curve_follows_its_closed_form() {
    let mut steps = 0;
    for (case, seen) in &*SEEN {
        for VisibilityPoint { from, to, .. } in &seen[0].visibility {
            let counts: Vec<(f64, f64)> = seen
                .iter()
                .flat_map(|seen| seen.visibility.iter().find(|point| point.from == *from))
                .map(|point| (point.fresh as f64, point.reads as f64))
                .collect();
            let (fresh, reads) = counts.iter().fold((0.0, 0.0), |sum, c| (sum.0 + c.0, sum.1 + c.1));
            if fresh < 1_000.0 || reads - fresh < 300.0 {
                continue; // too few for an error to be trusted
            }
            let n = counts.len() as f64;
            let share = fresh / reads;
            // The error of a ratio of sums over seeds, by linearization.
            let residuals = counts.iter().map(|(fresh, reads)| fresh - share * reads);
            let error = (residuals.map(|r| r * r).sum::<f64>() * n / (n - 1.0)).sqrt() / reads;

            // The formula holds for one t; a step has many, as often as the last ack is so old.
            let visible = |t_ms: f64| (1.0 - case.tail(t_ms)) * libm::exp(-case.rho() * case.tail(t_ms));
            let density = |t_ms: f64| libm::exp(-case.writes_per_second * t_ms / 1e3);
            let (from_ms, to_ms) = (*from as f64 / 1e6, *to as f64 / 1e6);
            let (mut visible_reads, mut all_reads) = (0.0, 0.0);
            for i in 0..1_000 {
                let t_ms = from_ms + (to_ms - from_ms) * (f64::from(i) + 0.5) / 1e3;
                visible_reads += visible(t_ms) * density(t_ms) * (to_ms - from_ms) / 1e3;
                all_reads += density(t_ms) * (to_ms - from_ms) / 1e3;
            }
            // The histogram shifts a time by up to 1/1024, so a read close to an end may count in the next step.
            let misplaced = (from_ms * density(from_ms) + to_ms * density(to_ms)) / 1024.0 / all_reads;
            let bias = misplaced * (visible(to_ms * 1.001) - visible(from_ms * 0.999));
            let expected = visible_reads / all_reads;
            if 4.5 * error + bias < LARGEST_TOLERANCE * expected {
                steps += 1;
                let claim = case.claim(&format!("t-visibility, t from {from_ms} to {to_ms} ms"));
                check_estimate(&claim, share, error, expected, bias);
            }
        }
    }
    // Where writes come fast few acks grow old, so not every case has as many steps as another.
    assert!(steps >= 50, "{steps} steps say little of a curve");
}

#[test]
fn littles_law_joins_lag_and_delay_in_every_single_run() {
    for case in EXPONENTIALS {
        for run in runs(&case.yaml().replace("warmup: ", "warmup: 0s # "), 1..4) {
            let missing = over_time(&run.findings, "lag_versions", REPLICA);
            let delays = samples(&run.findings, "replication_delay_ms", REPLICA);
            // Both count the same stretches of time; only what is under way at the end reaches beyond the window.
            let beyond = 2 * delays.sum() - missing.twice_integral() as i128;
            let longest = value(&run.findings, "replication_delay_ms", REPLICA, Statistic::Max) as i128;
            let most = i128::from(missing.max().expect("time has passed"));
            assert!((0..=2 * most * longest).contains(&beyond), "{case:?}: {beyond} > {most} × {longest}");
            assert!(2 * most * longest < delays.sum() / 10, "{case:?}: a bound that says something");
        }
    }
}

#[test]
fn a_replica_that_applies_in_log_order_turns_an_unordered_link_into_an_ordered_one() {
    for case in EXPONENTIALS {
        let ordered = runs(&case.yaml(), 1..6);
        let unordered = runs(&Exponential { ordered: false, ..case }.yaml(), 1..6);
        for (ordered, unordered) in ordered.iter().zip(&unordered) {
            assert_ne!(ordered.digest, unordered.digest, "messages did arrive at other moments");
            for (slug, scope) in [
                ("replication_delay_ms", REPLICA),
                ("visible_after_ack_ms", None),
                ("staleness_ms", READERS),
                ("staleness_versions", READERS),
            ] {
                let all = |run: &RunResult| {
                    let samples = samples(&run.findings, slug, scope);
                    (samples.count(), samples.sum(), samples.cumulative())
                };
                assert_eq!(all(ordered), all(unordered), "{slug}, {case:?}");
            }
            let lag = |run: &RunResult| over_time(&run.findings, "lag_ms", REPLICA).clone();
            assert_eq!(lag(ordered), lag(unordered), "{case:?}");
        }
    }
}

#[test]
fn staleness_of_newest_wins_follows_the_closed_form() {
    // Every second case, the first and the last among them: they are simulated for this claim alone.
    for (i, case) in EXPONENTIALS.into_iter().enumerate().step_by(2) {
        let case = Exponential { ordered: false, ..case };
        let loaded = load(&case.yaml());
        let ProtocolSettings::PrimaryBackup(config) = &loaded.scenario.protocol else {
            unreachable!("its protocol is not changed")
        };
        let shares: Vec<f64> = seeds_of(i)
            .map(|seed| {
                let (setup, streams) = build::setup(&loaded, seed).unwrap();
                let window = setup.window;
                let measures = Measures::new(loaded.scenario.roster(), window);
                let mut world =
                    World::<NewestWins, Measures>::new(setup, config.clone(), streams, measures).unwrap();
                world.run_until(window.to);
                world.settle(|_: Time| true);
                let findings = world.into_observer().finish();
                value(&findings, "stale_reads", READERS, Statistic::Share)
            })
            .collect();
        let (lambda, rho) = (case.writes_per_second, case.rho());
        let (s, tail) = ((case.a_ms + case.b_ms) / 1e3, case.tail(0.0));
        let expected = rho / (rho + 1.0) * tail * libm::exp(-lambda * s + rho * (1.0 - tail));
        check(&case.claim("share of stale reads, newest wins"), &shares, expected, 0.0);
    }
}

#[test]
fn with_a_constant_delay_a_replica_is_behind_as_often_as_a_server_is_busy() {
    for (i, (rate, delay_ms)) in [(50.0, 20.0), (10.0, 30.0), (200.0, 15.0)].into_iter().enumerate() {
        let yaml = format!(
            "
duration: 21s
warmup: 1s
topology: {{ nodes: {{ p: X, r: X }} }}
network: {{ default: {{ latency: {{ constant: {delay_ms}ms }} }} }}
protocol: primary-backup
workload:
  - {{ name: writers, at: X, arrivals: {{ poisson: {rate}/s }}, reads: 0% }}
"
        );
        let claim = |what: &str| format!("{what}, {rate} writes/s, {delay_ms} ms");
        let runs = runs(&yaml, seeds_of(i));
        let lag = |run: &RunResult| over_time(&run.findings, "lag_ms", REPLICA).clone();
        let behind: Vec<f64> = runs.iter().map(|run| 1.0 - lag(run).share_at_zero().unwrap()).collect();
        let under_way = rate * delay_ms / 1e3;
        check(&claim("share of time behind"), &behind, -libm::expm1(-under_way), 0.0);
        let mean: Vec<f64> = runs.iter().map(|run| lag(run).mean().unwrap() / 1e6).collect();
        let expected = delay_ms * (1.0 + libm::expm1(-under_way) / under_way);
        check(&claim("mean lag [ms]"), &mean, expected, 0.0);
        let missing = of_each(&runs, "lag_versions", REPLICA, Statistic::Mean);
        check(&claim("mean lag [versions]"), &missing, under_way, 0.0);
        for run in &runs {
            // The lag is the age of a write that is under way, so it ends just as it would reach the delay.
            assert_eq!(lag(run).max(), Some((delay_ms * 1e6) as u64));
            assert_eq!(over_time(&run.findings, "lag_ms", Some(("node", "p"))).max(), Some(0));
        }
    }
}

#[test]
fn arrivals_come_as_their_law_says() {
    const RATE: f64 = 40.0;
    const SECONDS: f64 = 10.0;
    const RUNS: u64 = 1_000;
    let yaml = |law: &str| {
        format!(
            "
duration: {SECONDS}s
settle: 0s
topology: {{ nodes: {{ p: X }} }}
protocol: {{ primary-backup: {{ heartbeat: 1000h }} }}
workload:
  - {{ name: clients, at: X, arrivals: {{ {law}: {RATE}/s }}, reads: 30% }}
"
        )
    };
    let expected = RATE * SECONDS;
    let fixed: Vec<u64> =
        runs(&yaml("fixed"), 1..RUNS + 1).iter().map(|run| run.findings.accounting.operations).collect();
    assert_eq!(
        fixed,
        vec![expected as u64; RUNS as usize],
        "equal distances fit as often whatever the phase"
    );

    let poisson = runs(&yaml("poisson"), 1..RUNS + 1);
    let counts: Vec<f64> = poisson.iter().map(|run| run.findings.accounting.operations as f64).collect();
    check("mean number of operations", &counts, expected, 0.0);
    // The standard error of the variance of n Poisson counts: their fourth central moment is m (1 + 3 m).
    let n = RUNS as f64;
    let mean = counts.iter().sum::<f64>() / n;
    let variance = counts.iter().map(|count| (count - mean) * (count - mean)).sum::<f64>() / (n - 1.0);
    let fourth = expected * (1.0 + 3.0 * expected);
    let error = ((fourth - expected * expected * (n - 3.0) / (n - 1.0)) / n).sqrt();
    println!("variance of the number of operations: expected {expected}, measured {variance} ± {error}");
    assert!((variance - expected).abs() < 4.5 * error, "{variance} ± {error}, not {expected}");

    let reads = poisson.iter().map(|run| match run.findings.leaf("availability", Some(("kind", "read"))) {
        Some(Leaf::Count { of: Some(of), .. }) => *of as f64 / run.findings.accounting.operations as f64,
        other => panic!("{other:?}"),
    });
    check("share of reads", &reads.collect::<Vec<_>>(), 0.3, 0.0);
}

/// A replica is cut off from 1 s to 3 s. The primary writes at 500 ms, then at 1100, 1400, … 2900 ms, and at 3500 ms.
fn cut(ordered: bool, delay_ms: i64) -> RunResult {
    let times = (1_100..3_000).step_by(300).chain([500, 3_500]);
    let script: String = times.map(|at| format!("  - {{ at: {at}ms, client: c, put: k{at} }}\n")).collect();
    let yaml = format!(
        "
duration: 6s
topology:
  nodes: {{ p: P, r: R }}
  rtts: [{{ between: [P, R], rtt: {}ms }}, {{ between: [P, P], rtt: 0s }}]
network: {{ default: {{ ordered: {ordered} }} }}
protocol: {{ primary-backup: {{ heartbeat: 1000h }} }}
clients: {{ c: P }}
script:
{script}faults:
  - {{ at: 1s, partition: {{ isolate: [r] }}, for: 2s }}
",
        2 * delay_ms
    );
    runs(&yaml, 1..2).remove(0)
}

#[test]
fn during_a_cut_lag_grows_with_slope_one_until_the_missing_writes_arrive() {
    for delay_ms in [10, 80] {
        // Messages are lost. The write at 3500 ms shows the gap at 3500 + d, the request takes d, the answer d.
        let unordered = (false, 3_500 + 3 * delay_ms);
        // The connection tries again, at first after a round trip and 200 ms, then doubling what has passed.
        let timeout_ms = 2 * delay_ms + 200;
        let mut tries = (0..).map(|k| 1_100 + (timeout_ms << k));
        let ordered = (true, tries.find(|at| *at >= 3_000).expect("a try") + delay_ms);
        for (ordered, shown_ms) in [unordered, ordered] {
            let run = cut(ordered, delay_ms);
            let lag = over_time(&run.findings, "lag_ms", REPLICA);
            assert_eq!(lag.max(), Some(((shown_ms - 1_100) * MS) as u64), "ordered: {ordered}");
            // Two ramps from 0: the write at 500 ms, and the seven during the cut with the one after it.
            let twice_integral = delay_ms * delay_ms + (shown_ms - 1_100) * (shown_ms - 1_100);
            let twice_integral = twice_integral as u128 * MS as u128 * MS as u128;
            assert_eq!(lag.twice_integral(), twice_integral, "ordered: {ordered}");
            let behind_ms = delay_ms + shown_ms - 1_100;
            let at_zero = lag.share_at_zero().expect("time has passed");
            assert_eq!(at_zero, (6_000 - behind_ms) as f64 / 6_000.0, "ordered: {ordered}");
            let recovery = samples(&run.findings, "recovery_convergence_ms", None);
            assert_eq!(all_equal(recovery, (shown_ms - 3_000) * MS), 1);
            let delays: i64 = (1_100..3_000).step_by(300).map(|at| shown_ms - at).sum::<i64>()
                + delay_ms
                + (shown_ms - 3_500);
            let measured = samples(&run.findings, "replication_delay_ms", REPLICA);
            assert_eq!(
                (measured.count(), measured.sum()),
                (9, i128::from(delays * MS)),
                "ordered: {ordered}"
            );
        }
    }
}

#[test]
fn every_read_that_a_cut_can_touch_fails_and_no_other() {
    const ONE_WAY_MS: u64 = 100;
    const CUT_MS: u64 = 2_000;
    // What is under way still arrives: reads fail whose request or answer is *sent* during the cut.
    // What is under way is dropped: also those whose request or answer is on the wire when it begins.
    for (in_flight, touched) in [("deliver", CUT_MS + ONE_WAY_MS), ("drop", CUT_MS + 2 * ONE_WAY_MS)] {
        let yaml = format!(
            "
duration: 10s
topology: {{ nodes: {{ p: P, r: R }} }}
network: {{ default: {{ latency: {{ constant: {ONE_WAY_MS}ms }}, ordered: false }} }}
protocol: primary-backup
workload:
  - {{ name: readers, at: Q, arrivals: {{ fixed: 1000/s }}, reads: 100%, read-from: {{ node: r }} }}
faults:
  - {{ at: 4s, partition: {{ isolate: [r], in-flight: {in_flight} }}, for: {CUT_MS}ms }}
"
        );
        for run in runs(&yaml, 1..6) {
            let accounting = run.findings.accounting;
            // One read a millisecond: a stretch of so many milliseconds holds as many, wherever the first one falls.
            assert_eq!(
                (accounting.operations, accounting.unknown),
                (10_000, touched),
                "in flight: {in_flight}"
            );
            let available = value(&run.findings, "availability", READERS, Statistic::Share);
            assert_eq!(available, (10_000 - touched) as f64 / 10_000.0, "in flight: {in_flight}");
        }
    }
}
