//! Intervals over independent seeds. The distributions are `statrs`'s.
//!
//! - A mean: Student's t.
//! - A quantile or extreme: bootstrap over seeds (percentile method), because its law is not known.
//! - A count or share that was the same extreme in every seed: the one-sided Clopper–Pearson limit over the trials of
//!   all seeds together. Nothing in `n` trials means less than `3/n` (the rule of three), never an interval of length 0.
//!   Trials of one run are correlated, so it is the least that must be left open, not more.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use replisim_engine::random::below;
use replisim_scenario::Statistic;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// A 95 % interval.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Interval {
    /// The estimate.
    pub mean: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The 95 % interval of the expected value of a statistic, given its value in each of several runs and, of a count or
/// share, the number of trials of all runs together.
pub fn interval(values: &[f64], statistic: Statistic, trials: Option<u64>) -> Option<Interval> {
    let n = values.len();
    if n < 2 {
        return None;
    }
    let runs = n as f64;
    let mean = values.iter().sum::<f64>() / runs;
    // Without trials, what is counted comes at a rate: nothing in n runs means fewer than 3 in n runs.
    let limit = trials.map_or((3.0 / runs).min(1.0), seen_in_none_of);
    let fewest = trials.map_or(3.0 / runs, |trials| limit * trials as f64 / runs);
    Some(match statistic {
        Statistic::Count if mean == 0.0 => Interval { mean, low: 0.0, high: fewest },
        Statistic::Share if mean == 0.0 => Interval { mean, low: 0.0, high: limit },
        Statistic::Share if mean == 1.0 => Interval { mean, low: 1.0 - limit, high: 1.0 },
        Statistic::Quantile(_) | Statistic::Max | Statistic::Min => bootstrap(values, mean),
        Statistic::Mean | Statistic::Count | Statistic::Share => student(values, mean),
    })
}

/// The largest probability of which one could still, in one of twenty cases, see nothing in so many trials.
fn seen_in_none_of(trials: u64) -> f64 {
    -libm::expm1(libm::log(0.05) / trials.max(1) as f64)
}

fn student(values: &[f64], mean: f64) -> Interval {
    let n = values.len() as f64;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (n - 1.0);
    let t = StudentsT::new(0.0, 1.0, n - 1.0).map_or(f64::NAN, |law| law.inverse_cdf(0.975));
    let half = t * (variance / n).sqrt();
    Interval { mean, low: mean - half, high: mean + half }
}

fn bootstrap(values: &[f64], mean: f64) -> Interval {
    const RESAMPLES: usize = 2_000;
    // Always the same resamples: an interval must not change when it is looked at twice.
    let mut stream = ChaCha8Rng::seed_from_u64(values.len() as u64);
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let sum: f64 =
                values.iter().map(|_| values[below(&mut stream, values.len() as u64) as usize]).sum();
            sum / values.len() as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    Interval { mean, low: means[RESAMPLES * 25 / 1_000], high: means[RESAMPLES * 975 / 1_000] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, tolerance: f64) -> bool {
        (a - b).abs() <= tolerance
    }

    #[test]
    fn student_intervals_match_the_table() {
        // Mean 3, standard deviation sqrt(2.5), n = 5: t(4, 0.975) = 2.776.
        let Interval { mean, low, high } =
            interval(&[1.0, 2.0, 3.0, 4.0, 5.0], Statistic::Mean, None).unwrap();
        let half = 2.776445 * (2.5f64 / 5.0).sqrt();
        assert!(mean == 3.0 && close(low, 3.0 - half, 1e-4) && close(high, 3.0 + half, 1e-4), "{low} {high}");
    }

    #[test]
    fn nothing_seen_in_n_trials_is_less_than_three_in_n() {
        // One-sided 95 % limits of Clopper and Pearson for none of 10, 30 and 100: 0.2589, 0.0950, 0.0295.
        for (statistic, values, trials, low, high) in [
            (Statistic::Count, [0.0; 30], None, 0.0, 0.1),
            (Statistic::Count, [0.0; 30], Some(3_000), 0.0, 0.0998),
            (Statistic::Share, [0.0; 30], Some(30), 0.0, 0.0950),
            (Statistic::Share, [0.0; 30], Some(100), 0.0, 0.0295),
            (Statistic::Share, [1.0; 30], Some(100), 0.9705, 1.0),
            (Statistic::Share, [1.0; 30], Some(1_000_000_000), 1.0, 1.0),
        ] {
            let found = interval(&values, statistic, trials).unwrap();
            let right = close(found.low, low, 1e-4) && close(found.high, high, 1e-4);
            assert!(right && found.low < found.high, "{statistic:?} {trials:?}: {found:?}");
        }
        assert_eq!(interval(&[1.0], Statistic::Mean, None), None);
    }

    #[test]
    fn a_share_that_differs_between_seeds_has_an_interval_over_seeds() {
        let found = interval(&[1.0, 1.0, 0.97], Statistic::Share, Some(1_000_000)).unwrap();
        assert_eq!(Some(found), interval(&[1.0, 1.0, 0.97], Statistic::Mean, None));
    }

    #[test]
    fn bootstrap_intervals_hold_the_mean_and_never_change() {
        let values: Vec<f64> = (0..40).map(f64::from).collect();
        let a = interval(&values, Statistic::Quantile(0.99), None).unwrap();
        assert!(a.low < a.mean && a.mean < a.high && a.high - a.low < 10.0);
        assert_eq!(interval(&values, Statistic::Quantile(0.99), None), Some(a));
    }
}
