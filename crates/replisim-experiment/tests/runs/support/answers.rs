//! What the tests against known answers share: runs over many seeds, and checks whose error comes from the seeds.

use std::ops::Range;
use std::thread;

use replisim_experiment::run::run_seed;
use replisim_experiment::{RunResult, figure};
use replisim_measure::{Distribution, Findings, Leaf, TimeWeighted};
use replisim_scenario::Statistic;

use crate::support::load;

/// Enough independent runs for an error to be trusted.
const SEEDS: u64 = 40;
/// A check with a larger relative tolerance than this would not tell right from wrong.
pub(crate) const LARGEST_TOLERANCE: f64 = 0.08;
const THREADS: usize = 2;
/// Nanoseconds in a millisecond.
pub(crate) const MS: i64 = 1_000_000;

/// Compares the mean of independent `samples` with the known answer. `bias` bounds by how much the simulated model is
/// known to differ from that of the formula.
#[track_caller]
pub(crate) fn check(claim: &str, samples: &[f64], expected: f64, bias: f64) {
    let n = samples.len() as f64;
    assert!(n >= 30.0, "{claim}: an error from {n} seeds means little");
    let mean = samples.iter().sum::<f64>() / n;
    let variance = samples.iter().map(|sample| (sample - mean) * (sample - mean)).sum::<f64>() / (n - 1.0);
    check_estimate(claim, mean, (variance / n).sqrt(), expected, bias);
}

/// Compares an estimate whose standard error is known. 4.5 standard errors come by chance once in 10⁴ checks with 40
/// seeds; here the seeds are fixed, so a check that holds once holds always.
#[track_caller]
pub(crate) fn check_estimate(claim: &str, estimate: f64, error: f64, expected: f64, bias: f64) {
    let off = if error > 0.0 { (estimate - expected) / error } else { 0.0 };
    println!("{claim}: expected {expected:.6}, measured {estimate:.6} ± {error:.6} ({off:+.1} errors)");
    let tolerance = 4.5 * error + bias;
    assert!(
        tolerance > 0.0 && tolerance < LARGEST_TOLERANCE * expected,
        "{claim}: ± {tolerance} cannot tell right from wrong"
    );
    assert!((estimate - expected).abs() <= tolerance, "{claim}: {estimate} ± {error}, not {expected}");
}

/// The seeds of one case of a table. Cases share none: with the same seeds they would all err to the same side.
pub(crate) fn seeds_of(case: usize) -> Range<u64> {
    let first = 1 + case as u64 * SEEDS;
    first..first + SEEDS
}

/// Runs a scenario with many seeds, each measured by itself.
#[track_caller]
pub(crate) fn runs(yaml: &str, seeds: Range<u64>) -> Vec<RunResult> {
    let (loaded, seeds) = (load(yaml), seeds.collect::<Vec<u64>>());
    let of_each = &|seeds: &[u64]| -> Vec<RunResult> {
        seeds.iter().map(|seed| run_seed(&loaded, *seed, &()).expect("a scenario that runs")).collect()
    };
    let runs: Vec<RunResult> = thread::scope(|scope| {
        let parts =
            seeds.chunks(seeds.len().div_ceil(THREADS)).map(|part| scope.spawn(move || of_each(part)));
        let parts: Vec<_> = parts.collect();
        parts.into_iter().flat_map(|part| part.join().expect("a run without a panic")).collect()
    });
    assert!(runs.iter().all(|run| run.findings.accounting.holds()), "{yaml}");
    runs
}

/// One statistic of every run; durations in nanoseconds.
#[track_caller]
pub(crate) fn of_each(
    runs: &[RunResult],
    slug: &str,
    scope: Option<(&str, &str)>,
    statistic: Statistic,
) -> Vec<f64> {
    runs.iter().map(|run| value(&run.findings, slug, scope, statistic)).collect()
}

#[track_caller]
pub(crate) fn value(
    findings: &Findings,
    slug: &str,
    scope: Option<(&str, &str)>,
    statistic: Statistic,
) -> f64 {
    let leaf = findings.leaf(slug, scope).unwrap_or_else(|| panic!("no {slug} of {scope:?}"));
    figure(leaf, statistic).unwrap_or_else(|| panic!("no {statistic:?} of {slug}")).number()
}

#[track_caller]
pub(crate) fn samples<'a>(
    findings: &'a Findings,
    slug: &str,
    scope: Option<(&str, &str)>,
) -> &'a Distribution {
    match findings.leaf(slug, scope) {
        Some(Leaf::Distribution(samples)) => samples,
        other => panic!("{slug} of {scope:?} is {other:?}"),
    }
}

#[track_caller]
pub(crate) fn over_time<'a>(
    findings: &'a Findings,
    slug: &str,
    scope: Option<(&str, &str)>,
) -> &'a TimeWeighted {
    match findings.leaf(slug, scope) {
        Some(Leaf::TimeWeighted(value)) => value,
        other => panic!("{slug} of {scope:?} is {other:?}"),
    }
}

/// Asserts that all samples are the same whole number of nanoseconds, and returns how many there are.
#[track_caller]
pub(crate) fn all_equal(samples: &Distribution, nanos: i64) -> u64 {
    let count = samples.count();
    assert!(count > 0, "there are samples");
    assert_eq!(samples.count_censored(), 0);
    assert_eq!((samples.min(), samples.sum()), (Some(nanos), i128::from(nanos) * i128::from(count)));
    count
}
