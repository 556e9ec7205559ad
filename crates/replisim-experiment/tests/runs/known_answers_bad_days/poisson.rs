//! Numbers of writes that come at random: their mean, and their spread.

use crate::support::answers::check;

/// Checks that counts of independent runs are as those of a Poisson law with this mean, and as spread.
#[track_caller]
pub(crate) fn check_poisson(claim: &str, counts: &[f64], mean: f64) {
    check(claim, counts, mean, 0.0);
    let n = counts.len() as f64;
    let measured = counts.iter().sum::<f64>() / n;
    let variance =
        counts.iter().map(|count| (count - measured) * (count - measured)).sum::<f64>() / (n - 1.0);
    // Of the variance of n Poisson counts: their fourth central moment is m (1 + 3 m).
    let fourth = mean * (1.0 + 3.0 * mean);
    let error = ((fourth - mean * mean * (n - 3.0) / (n - 1.0)) / n).sqrt();
    println!("{claim}, variance: expected {mean:.3}, measured {variance:.3} ± {error:.3}");
    assert!((variance - mean).abs() < 4.5 * error, "{claim}: variance {variance} ± {error}, not {mean}");
}
