//! What became of expectations.
//!
//! One seed is judged by its value. Of several seeds, an equality must hold in each; an inequality must hold for the
//! whole 95 % interval over seeds, fails if it fails for the whole interval, and is undecided in between.

use replisim_measure::Findings;
use replisim_scenario::{Comparison, Expectation, Statistic, Subject};

use crate::figures::Figures;
use crate::statistics::{self, Interval};
use crate::study::{Figure, figure_of, trials};

/// How an expectation is judged by several seeds: what is compared, and how.
pub const OF_SEVERAL_SEEDS: [(&str, &str); 4] = [
    ("max, min", "of all runs together: compared as it is"),
    ("==, !=", "must hold in each run"),
    (
        "all else",
        "the mean of what the runs gave, with its 95 % interval: met if all of the interval meets it, not met if none of it \
         does, undecided if part of it does (more seeds make it narrower)",
    ),
    (
        "undecided",
        "also, of one seed as of several: a run without a sample (of `unavailability` that is 0), or of which only a lower bound is \
         known (`> 3 s`) that does not decide",
    ),
];

/// The fate of one expectation.
#[derive(Clone, PartialEq, Debug)]
pub struct Judgement {
    /// As written.
    pub expectation: Expectation,
    /// What became of it.
    pub verdict: Verdict,
    /// The value found (the mean of several seeds), if there is one.
    pub found: Option<Figure>,
    /// The 95 % interval over seeds that decided, where one did.
    pub interval: Option<Interval>,
    /// How the single runs fare.
    pub alone: Alone,
}

/// Runs by what each gives alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Alone {
    /// How many have the figure.
    pub known: usize,
    /// How many of them meet the expectation.
    pub met: usize,
}

/// Met, not met, or impossible to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It holds.
    Met,
    /// It does not hold.
    NotMet,
    /// There are no samples, censoring decides it, or the seeds disagree.
    Undecided,
}

/// The verdict over all: any "not met" wins, then any "undecided".
pub fn overall(judgements: &[Judgement]) -> Verdict {
    let any = |verdict| judgements.iter().any(|judgement| judgement.verdict == verdict);
    if any(Verdict::NotMet) {
        Verdict::NotMet
    } else if any(Verdict::Undecided) {
        Verdict::Undecided
    } else {
        Verdict::Met
    }
}

/// A run without a sample of this measure was never unavailable: that is an answer, and the answer is 0.
const NOTHING_LASTED: &str = "unavailability_ms";

/// Judges an expectation by the figures of the runs, and by all of them together.
pub fn judge(expectation: &Expectation, figures: &Figures, merged: &Findings) -> Judgement {
    let Subject { statistic, measure, .. } = expectation.subject;
    let (slug, scope) = (measure.slug, expectation.subject.scope());
    let mut values = figures.of_each(slug, scope, statistic);
    if slug == NOTHING_LASTED {
        values.iter_mut().for_each(|figure| *figure = figure.or(Some(Figure::Value(0.0))));
    }
    let known: Vec<Figure> = values.iter().copied().flatten().collect();
    let meets =
        |figure: &&Figure| judge_one(**figure, expectation.comparison, expectation.value) == Verdict::Met;
    let alone = Alone { known: known.len(), met: known.iter().filter(meets).count() };
    if values.len() > 1 && matches!(statistic, Statistic::Max | Statistic::Min) {
        // An extreme of the setting is that of all seeds together: no interval makes it smaller.
        let found = figure_of(merged, &expectation.subject);
        let found = found.or(known.first().copied());
        let judged = found.map(|figure| judge_one(figure, expectation.comparison, expectation.value));
        let verdict = judged.unwrap_or(Verdict::Undecided);
        return Judgement { expectation: expectation.clone(), verdict, found, interval: None, alone };
    }
    let found = match &known[..] {
        [] => None,
        [one] => Some(*one),
        several => {
            Some(Figure::Value(several.iter().map(|f| f.number()).sum::<f64>() / several.len() as f64))
        }
    };
    let (verdict, interval) = verdict(expectation, &values, &known, trials(merged, slug, scope));
    Judgement { expectation: expectation.clone(), verdict, found, interval, alone }
}

fn verdict(
    expectation: &Expectation,
    values: &[Option<Figure>],
    known: &[Figure],
    trials: Option<u64>,
) -> (Verdict, Option<Interval>) {
    let Expectation { comparison, value, subject, .. } = expectation;
    let each = || known.iter().map(|figure| judge_one(*figure, *comparison, *value));
    if known.len() < values.len() || known.is_empty() {
        let fails = each().any(|verdict| verdict == Verdict::NotMet);
        return (if fails { Verdict::NotMet } else { Verdict::Undecided }, None);
    }
    let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
    let exact: Option<Vec<f64>> = known
        .iter()
        .map(|figure| if let Figure::Value(value) = figure { Some(*value) } else { None })
        .collect();
    let interval = exact.and_then(|exact| statistics::interval(&exact, subject.statistic, trials));
    match interval {
        Some(interval) if !equality => {
            let (low, high) =
                (comparison.holds(interval.low, *value), comparison.holds(interval.high, *value));
            let verdict = match (low, high) {
                (true, true) => Verdict::Met,
                (false, false) => Verdict::NotMet,
                _ => Verdict::Undecided,
            };
            (verdict, Some(interval))
        }
        _ if each().any(|verdict| verdict == Verdict::NotMet) => (Verdict::NotMet, None),
        _ if each().any(|verdict| verdict == Verdict::Undecided) => (Verdict::Undecided, None),
        _ => (Verdict::Met, None),
    }
}

fn judge_one(figure: Figure, comparison: Comparison, value: f64) -> Verdict {
    let of = |holds| if holds { Verdict::Met } else { Verdict::NotMet };
    match (figure, comparison) {
        (Figure::Value(found), _) => of(comparison.holds(found, value)),
        // At least so much: enough for "more", and too much for "less".
        (Figure::AtLeast(bound), Comparison::More) if bound > value => Verdict::Met,
        (Figure::AtLeast(bound), Comparison::AtLeast) if bound >= value => Verdict::Met,
        (Figure::AtLeast(bound), Comparison::NotEqual) if bound > value => Verdict::Met,
        (Figure::AtLeast(bound), Comparison::Less) if bound >= value => Verdict::NotMet,
        (Figure::AtLeast(bound), Comparison::AtMost | Comparison::Equal) if bound > value => Verdict::NotMet,
        _ => Verdict::Undecided,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_over_values_bounds_and_seeds() {
        use Figure::{AtLeast, Value};
        use Verdict::{Met, NotMet, Undecided};
        for (text, values, expected) in [
            ("mean(staleness_versions) < 5", vec![Some(Value(4.0))], Met),
            ("mean(staleness_versions) < 5", vec![Some(Value(5.0))], NotMet),
            ("mean(staleness_versions) < 5", vec![None], Undecided),
            ("mean(staleness_versions) < 5", vec![Some(AtLeast(4.0))], Undecided),
            ("mean(staleness_versions) < 5", vec![Some(AtLeast(6.0))], NotMet),
            ("mean(staleness_versions) > 5", vec![Some(AtLeast(6.0))], Met),
            ("mean(staleness_versions) < 5", vec![Some(Value(3.9)), Some(Value(4.0)), Some(Value(4.1))], Met),
            (
                "mean(staleness_versions) < 5",
                vec![Some(Value(5.9)), Some(Value(6.0)), Some(Value(6.1))],
                NotMet,
            ),
            ("mean(staleness_versions) < 5", vec![Some(Value(3.0)), Some(Value(7.0))], Undecided),
            ("mean(staleness_versions) < 5", vec![Some(Value(3.0)), None], Undecided),
            ("lost_writes == 0", vec![Some(Value(0.0)); 40], Met),
            ("lost_writes == 0", vec![Some(Value(0.0)), Some(Value(1.0))], NotMet),
        ] {
            let expectation: Expectation = text.parse().unwrap();
            let known: Vec<Figure> = values.iter().copied().flatten().collect();
            assert_eq!(verdict(&expectation, &values, &known, None).0, expected, "{text} with {values:?}");
        }
    }

    #[test]
    fn a_share_at_its_extreme_in_every_seed_is_judged_by_all_trials_together() {
        use Verdict::{Met, NotMet, Undecided};
        for (text, share, trials, expected) in [
            ("availability > 99%", 1.0, 30_000, Met),
            ("availability > 99%", 1.0, 30, Undecided),
            ("availability < 99%", 1.0, 30_000, NotMet),
            ("share(stale_reads) < 1%", 0.0, 30_000, Met),
            ("share(stale_reads) < 1%", 0.0, 200, Undecided),
        ] {
            let expectation: Expectation = text.parse().unwrap();
            let known = [Figure::Value(share); 3];
            let (found, _) = verdict(&expectation, &known.map(Some), &known, Some(trials));
            assert_eq!(found, expected, "{text}: {share} of {trials}");
        }
    }
}
