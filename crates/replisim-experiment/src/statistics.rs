//! Intervals over independent seeds. The distributions are `statrs`'s.
//!
//! - A mean: Student's t.
//! - A quantile or extreme: bootstrap over seeds (percentile method), because its law is not known.
//! - A count or share that was the same extreme in every seed: not a point but an upper bound; zero events in `n` runs
//!   means less than `3/n` (the rule of three, which Clopper–Pearson gives for the limit).

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use replisim_engine::random::below;
use replisim_scenario::Statistic;
use statrs::distribution::{Beta, ContinuousCDF, StudentsT};

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

/// The 95 % interval of the expected value of a statistic, given its value in each of several runs.
pub fn interval(values: &[f64], statistic: Statistic) -> Option<Interval> {
    let n = values.len();
    if n < 2 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n as f64;
    Some(match statistic {
        Statistic::Count if mean == 0.0 => Interval { mean, low: 0.0, high: 3.0 / n as f64 },
        Statistic::Share if mean == 0.0 => Interval { mean, low: 0.0, high: (3.0 / n as f64).min(1.0) },
        Statistic::Share if mean == 1.0 => Interval { mean, low: (1.0 - 3.0 / n as f64).max(0.0), high: 1.0 },
        Statistic::Quantile(_) | Statistic::Max | Statistic::Min => bootstrap(values, mean),
        Statistic::Mean | Statistic::Count | Statistic::Share => student(values, mean),
    })
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

/// The Clopper–Pearson 95 % interval of a probability after `hits` in `trials` independent trials.
pub fn clopper_pearson(hits: u64, trials: u64) -> (f64, f64) {
    let quantile =
        |a: u64, b: u64, p: f64| Beta::new(a as f64, b as f64).map_or(f64::NAN, |law| law.inverse_cdf(p));
    let low = if hits == 0 { 0.0 } else { quantile(hits, trials - hits + 1, 0.025) };
    let high = if hits == trials { 1.0 } else { quantile(hits + 1, trials - hits, 0.975) };
    (low, high)
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
        let Interval { mean, low, high } = interval(&[1.0, 2.0, 3.0, 4.0, 5.0], Statistic::Mean).unwrap();
        let half = 2.776445 * (2.5f64 / 5.0).sqrt();
        assert!(mean == 3.0 && close(low, 3.0 - half, 1e-4) && close(high, 3.0 + half, 1e-4), "{low} {high}");
    }

    #[test]
    fn nothing_seen_in_n_runs_is_less_than_three_in_n() {
        let zero = interval(&[0.0; 30], Statistic::Count).unwrap();
        assert_eq!((zero.low, zero.high), (0.0, 0.1));
        let all = interval(&[1.0; 30], Statistic::Share).unwrap();
        assert_eq!((all.low, all.high), (0.9, 1.0));
        assert_eq!(interval(&[1.0], Statistic::Mean), None);
    }

    #[test]
    fn clopper_pearson_matches_published_values() {
        // 4 of 20: Newcombe (1998), Table I.
        let (low, high) = clopper_pearson(4, 20);
        assert!(close(low, 0.0573, 1e-4) && close(high, 0.4366, 1e-4), "{low} {high}");
        assert_eq!(clopper_pearson(0, 10).0, 0.0);
    }

    #[test]
    fn bootstrap_intervals_hold_the_mean_and_never_change() {
        let values: Vec<f64> = (0..40).map(f64::from).collect();
        let a = interval(&values, Statistic::Quantile(0.99)).unwrap();
        assert!(a.low < a.mean && a.mean < a.high && a.high - a.low < 10.0);
        assert_eq!(interval(&values, Statistic::Quantile(0.99)), Some(a));
    }
}
