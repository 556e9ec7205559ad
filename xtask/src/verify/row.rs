//! One comparison: what is known, what came out, and whether the two agree.
//!
//! Both sides may have a sampling error. The tolerance is the 99.9 % interval of their difference, and on top of it what
//! is known to differ (`slack`), such as the resolution of a histogram. Where it is more than half of the reference, the
//! row could hardly fail, and is no proof of anything.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// A number, its standard error, and from how many independent runs that error comes (none: it is exact, or the error
/// is as good as known).
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Estimate {
    pub(crate) value: f64,
    pub(crate) error: f64,
    pub(crate) runs: Option<usize>,
}

/// How a number is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unit {
    Milliseconds,
    Share,
    Count,
}

/// What a comparison comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Holds,
    /// They differ by less than the tolerance, but so would nearly everything.
    NotToldApart,
    DoesNotHold,
}

/// A line of a table.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Row {
    /// Under which circumstances.
    pub(crate) case: String,
    pub(crate) measure: String,
    pub(crate) unit: Unit,
    pub(crate) reference: Estimate,
    pub(crate) ours: Estimate,
    /// By how much the two may differ for reasons that are known.
    pub(crate) slack: f64,
}

/// Lines that belong together.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Table {
    pub(crate) heading: String,
    /// Where the reference comes from, and how ours came about.
    pub(crate) words: String,
    pub(crate) rows: Vec<Row>,
    /// How many operations were simulated for it.
    pub(crate) operations: u64,
}

impl Estimate {
    /// A number that is known.
    pub(crate) fn exact(value: f64) -> Estimate {
        Estimate { value, error: 0.0, runs: None }
    }

    /// Half of the 99.9 % interval.
    pub(crate) fn half_width(self) -> f64 {
        let freedom = self.runs.map_or(1e6, |runs| runs as f64 - 1.0);
        let t = StudentsT::new(0.0, 1.0, freedom).map_or(f64::NAN, |law| law.inverse_cdf(0.9995));
        if self.error == 0.0 { 0.0 } else { t * self.error }
    }
}

/// The standard error of the mean of independent values.
pub(crate) fn error_of(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (n - 1.0);
    (variance / n).sqrt()
}

/// The standard error of a share of independent trials, as if four more of the rarer kind had been seen: none in a
/// thousand does not mean never.
pub(crate) fn least_error(share: f64, trials: f64) -> f64 {
    (share * (1.0 - share) * trials + 4.0).sqrt() / trials
}

impl Row {
    pub(crate) fn difference(&self) -> f64 {
        self.ours.value - self.reference.value
    }

    pub(crate) fn tolerance(&self) -> f64 {
        let (a, b) = (self.reference.half_width(), self.ours.half_width());
        (a * a + b * b).sqrt() + self.slack
    }

    pub(crate) fn verdict(&self) -> Verdict {
        let (tolerance, reference) = (self.tolerance(), self.reference.value.abs());
        // What is equal but for the last bit of a division is equal.
        if self.difference().abs() > tolerance + 1e-9 * reference {
            Verdict::DoesNotHold
        } else if tolerance > reference / 2.0 {
            Verdict::NotToldApart
        } else {
            Verdict::Holds
        }
    }

    /// As a line of Markdown.
    pub(crate) fn line(&self) -> String {
        let Row { case, measure, unit, reference, ours, .. } = self;
        let verdict = match self.verdict() {
            Verdict::Holds => "holds",
            Verdict::NotToldApart => "not told apart",
            Verdict::DoesNotHold => "**does not hold**",
        };
        let (difference, tolerance) = (self.difference(), self.tolerance());
        let difference = match difference.abs() <= 1e-9 * reference.value.abs() {
            true => "0".to_owned(),
            false => format!("{}{}", if difference < 0.0 { "−" } else { "+" }, unit.width(difference.abs())),
        };
        let tolerance =
            if tolerance == 0.0 { "exact".to_owned() } else { format!("± {}", unit.width(tolerance)) };
        let (reference, ours) = (unit.show(reference.value), unit.show(ours.value));
        format!("| {case} | {measure} | {reference} | {ours} | {difference} | {tolerance} | {verdict} |\n")
    }
}

impl Table {
    pub(crate) fn markdown(&self) -> String {
        let Table { heading, words, rows, .. } = self;
        let lines: String = rows.iter().map(Row::line).collect();
        format!(
            "### {heading}\n{words}\n\n\
             | case | measure | reference | ours | difference | tolerance | verdict |\n\
             | --- | --- | ---: | ---: | ---: | ---: | --- |\n{lines}\n"
        )
    }
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Unit::Milliseconds => format!("{} ms", digits(value, 5)),
            Unit::Share => format!("{} %", digits(value * 100.0, 5)),
            Unit::Count => digits(value, 5),
        }
    }

    /// A difference or a tolerance.
    fn width(self, value: f64) -> String {
        match self {
            Unit::Milliseconds => format!("{} ms", digits(value, 2)),
            Unit::Share => format!("{} %", digits(value * 100.0, 2)),
            Unit::Count => digits(value, 2),
        }
    }
}

/// `value` with so many significant digits, without zeros at the end.
fn digits(value: f64, significant: usize) -> String {
    let rounded: f64 = format!("{value:.*e}", significant - 1).parse().unwrap_or(value);
    format!("{rounded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(reference: Estimate, ours: Estimate, slack: f64) -> Row {
        Row {
            case: "R=1".to_owned(),
            measure: "p50".to_owned(),
            unit: Unit::Milliseconds,
            reference,
            ours,
            slack,
        }
    }

    #[test]
    fn a_row_holds_within_the_interval_of_both_sides_if_that_is_narrow_enough_to_tell() {
        use Verdict::{DoesNotHold, Holds, NotToldApart};
        let exact = Estimate::exact;
        let known = |value, error| Estimate { value, error, runs: None };
        let sampled = |value, error| Estimate { value, error, runs: Some(32) };
        for (reference, ours, slack, tolerance, verdict) in [
            (exact(2.0), exact(2.0), 0.0, 0.0, Holds),
            (exact(0.0), exact(0.0), 0.0, 0.0, Holds),
            (exact(2.0), exact(2.1), 0.0, 0.0, DoesNotHold),
            (exact(2.0), exact(2.1), 0.2, 0.2, Holds),
            (known(2.0, 0.03), exact(2.09), 0.0, 0.0987, Holds),
            (known(2.0, 0.03), exact(2.11), 0.0, 0.0987, DoesNotHold),
            (known(2.0, 0.03), known(2.16, 0.04), 0.0, 0.1645, Holds),
            (exact(2.0), sampled(2.35, 0.1), 0.0, 0.3633, Holds),
            (exact(2.0), exact(2.9), 1.0, 1.0, Holds),
            (exact(2.0), exact(2.9), 1.1, 1.1, NotToldApart),
            (exact(2.0), exact(3.2), 1.1, 1.1, DoesNotHold),
            (exact(0.0), exact(0.0), 0.1, 0.1, NotToldApart),
        ] {
            let row = row(reference, ours, slack);
            assert!((row.tolerance() - tolerance).abs() < 1e-4, "{row:?}: {}", row.tolerance());
            assert_eq!(row.verdict(), verdict, "{row:?}");
        }
    }

    #[test]
    fn numbers_are_written_with_few_digits() {
        for (value, significant, text) in
            [(0.488_923_4, 5, "0.48892"), (1_460.412, 5, "1460.4"), (0.001_234, 2, "0.0012"), (60.0, 5, "60")]
        {
            assert_eq!(digits(value, significant), text);
        }
    }
}
