//! What of a measure may be asked: `mean(lag)`, `p99(staleness)`, `share(stale_reads)`, or a count as it stands.

use replisim_measure::catalogue::{MeasureInfo, Unit};

/// What of a measure is compared.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Statistic {
    /// The count itself.
    Count,
    /// The mean.
    Mean,
    /// The smallest sample.
    Min,
    /// The largest sample.
    Max,
    /// Counted of the whole.
    Share,
    /// A quantile, from 0 to 1.
    Quantile(f64),
}

/// The functions, and what each gives; `p99` stands for all quantiles.
pub const FUNCTIONS: [(&str, &str); 5] = [
    ("mean", "the mean of all samples; of a value over time, such as lag, weighted by time"),
    ("min", "the smallest"),
    ("max", "the largest"),
    ("p99", "a quantile, any from p0 to p100: `p50` is the median, `p99_9` is 99.9 %"),
    ("share", "what was counted, of all that it was counted among"),
];

impl Statistic {
    /// What a function, or none, makes of a measure; else what is wrong.
    pub(crate) fn of(function: Option<&str>, measure: &MeasureInfo) -> Result<Statistic, String> {
        let counts =
            matches!(measure.unit, Unit::Count | Unit::Bytes | Unit::PerSecond) && !measure.over_time;
        let is_share = measure.unit == Unit::Share;
        let Some(function) = function else {
            return match () {
                () if is_share => Ok(Statistic::Share),
                () if counts => Ok(Statistic::Count),
                () => Err(format!("say what of `{}`: mean, max, min or a quantile like p99", measure.slug)),
            };
        };
        let quantile =
            function.strip_prefix('p').and_then(|digits| digits.replace('_', ".").parse::<f64>().ok());
        match (function, quantile) {
            ("share", _) if is_share || counts && measure.unit == Unit::Count => Ok(Statistic::Share),
            ("share", _) => Err(format!("`{}` is no part of a whole: it has no share", measure.slug)),
            ("mean" | "max" | "min", _) | (_, Some(_)) if counts || is_share => {
                Err(format!("`{}` is counted: compare it bare, or its share", measure.slug))
            }
            ("mean", _) => Ok(Statistic::Mean),
            ("max", _) => Ok(Statistic::Max),
            ("min", _) => Ok(Statistic::Min),
            (_, Some(q)) if (0.0..=100.0).contains(&q) => Ok(Statistic::Quantile(q / 100.0)),
            _ => {
                let ours = match function {
                    "avg" | "average" => ": here it is `mean`",
                    "median" => ": here it is `p50`",
                    "count" | "sum" => ": a count stands bare, like `lost_writes == 0`",
                    _ => "",
                };
                Err(format!(
                    "`{function}` is not a function{ours}; there are mean, max, min, share and p0 to p100"
                ))
            }
        }
    }
}

/// Whether a measure is compared as it stands, without a function.
pub fn stands_bare(measure: &MeasureInfo) -> bool {
    Statistic::of(None, measure).is_ok()
}

/// The functions that a measure has, by their names in [`FUNCTIONS`].
pub fn functions(measure: &MeasureInfo) -> impl Iterator<Item = &'static str> {
    let takes = |name: &&str| Statistic::of(Some(name), measure).is_ok();
    FUNCTIONS.iter().map(|(name, _)| *name).filter(takes)
}

/// An `expect` line about a measure, as one would write it.
pub fn example(measure: &MeasureInfo) -> String {
    let slug = measure.slug.strip_suffix("_ms").unwrap_or(measure.slug);
    let scope = match measure.scopes.first() {
        Some(&"kind") => "{kind=write}",
        Some(&"node") => "{node=replica}",
        Some(_) => "{workload=readers}",
        None => "",
    };
    let of_parts = matches!(measure.scopes.first(), Some(&("workload" | "node")));
    match measure.unit {
        Unit::Milliseconds if of_parts => format!("p99({slug}{scope}) < 100ms"),
        Unit::Milliseconds => format!("max({slug}{scope}) < 10s"),
        Unit::Share => format!("{slug}{scope} > 99%"),
        Unit::PerSecond => format!("{slug}{scope} > 100/s"),
        _ if stands_bare(measure) => format!("{slug}{scope} == 0"),
        _ => format!("max({slug}{scope}) < 10"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Expectation;
    use replisim_measure::catalogue::{catalogue, find};

    #[test]
    fn the_example_of_every_measure_is_understood() {
        for info in catalogue() {
            let text = example(info);
            let expectation: Expectation = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(expectation.subject.measure.slug, info.slug, "{text}");
        }
    }

    #[test]
    fn a_measure_has_the_functions_that_make_sense_of_it() {
        for (slug, bare, has) in [
            ("staleness_ms", false, &["mean", "min", "max", "p99"][..]),
            ("rpo_writes", false, &["mean", "min", "max", "p99"]),
            ("divergence_keys", false, &["mean", "min", "max", "p99"]),
            ("lost_writes", true, &["share"]),
            ("availability", true, &["share"]),
            ("throughput_ops", true, &[]),
        ] {
            let info = find(slug).unwrap();
            assert_eq!(
                (stands_bare(info), functions(info).collect::<Vec<_>>()),
                (bare, has.to_vec()),
                "{slug}"
            );
        }
    }
}
