//! The result of a scenario in a sentence or two, with numbers.

use replisim_measure::Leaf;
use replisim_scenario::Statistic;

use crate::study::{Figure, Study, figure};

/// What came out, in words: how stale reads were, how far replicas fell behind and how they came back, what was lost.
pub fn answer(study: &Study) -> String {
    let mut sentences = Vec::new();
    sentences.extend(staleness(study));
    sentences.extend(lag(study));
    sentences.extend(recovery(study));
    sentences.extend(losses(study));
    if sentences.is_empty() {
        return "Nothing was read or written within the window.".to_owned();
    }
    sentences.join(" ")
}

/// The workload with the stalest reads.
fn staleness(study: &Study) -> Option<String> {
    let measure = study.merged.measure("staleness_ms")?;
    let (_, workloads) = measure.scopes.first()?;
    let max = |leaf: &Leaf| figure(leaf, Statistic::Max).map_or(0.0, Figure::number);
    let (name, worst) = workloads.iter().max_by(|(_, a), (_, b)| max(a).total_cmp(&max(b)))?;
    let stale = study.merged.leaf("stale_reads", Some(("workload", name)))?;
    let share = figure(stale, Statistic::Share)?.number();
    let reads = worst.count();
    if max(worst) == 0.0 {
        return Some(format!(
            "No read was stale ({} reads).",
            study.merged.measure("staleness_ms")?.all.as_ref()?.count()
        ));
    }
    let p99 = figure(worst, Statistic::Quantile(0.99)).map_or(0.0, Figure::number);
    Some(format!(
        "{} of the {reads} reads of `{name}` were stale, at worst by {}; 99 % missed nothing older than {}.",
        percent(share),
        span(max(worst)),
        span(p99)
    ))
}

/// The node that fell behind the most.
fn lag(study: &Study) -> Option<String> {
    let (_, nodes) = study.merged.measure("lag_ms")?.scopes.first()?;
    let max = |leaf: &Leaf| figure(leaf, Statistic::Max).map_or(0.0, Figure::number);
    let (name, worst) = nodes.iter().max_by(|(_, a), (_, b)| max(a).total_cmp(&max(b)))?;
    let mean = figure(worst, Statistic::Mean)?.number();
    (max(worst) > 0.0).then(|| {
        format!("Replica `{name}` lagged by up to {} ({} on average).", span(max(worst)), span(mean))
    })
}

fn recovery(study: &Study) -> Option<String> {
    if study.loaded.scenario.faults.is_empty() {
        return None;
    }
    let leaf = study.merged.measure("recovery_convergence_ms")?.all.as_ref()?;
    match figure(leaf, Statistic::Max)? {
        Figure::Value(ns) => {
            Some(format!("After the fault, all nodes had everything again within {}.", span(ns)))
        }
        Figure::AtLeast(ns) => {
            Some(format!("After the fault, a node still lacked a write when {} had passed.", span(ns)))
        }
    }
}

fn losses(study: &Study) -> Option<String> {
    let Some(Leaf::Count { count, of: Some(of) }) = study.merged.leaf("lost_writes", None) else {
        return None;
    };
    (*of > 0).then(|| match count {
        0 => format!("None of the {of} acknowledged writes was lost."),
        count => format!("{count} of the {of} acknowledged writes were lost."),
    })
}

/// Nanoseconds in the unit that reads best, with three digits.
pub fn span(ns: f64) -> String {
    let (value, unit) = match ns {
        ns if ns.abs() >= 1e9 => (ns / 1e9, "s"),
        ns if ns.abs() >= 1e6 => (ns / 1e6, "ms"),
        ns if ns.abs() >= 1e3 => (ns / 1e3, "µs"),
        ns => (ns, "ns"),
    };
    format!("{} {unit}", three_digits(value))
}

/// A fraction as a percentage.
pub fn percent(share: f64) -> String {
    format!("{} %", three_digits(share * 100.0))
}

/// A number with three significant digits, without needless zeros.
pub fn three_digits(value: f64) -> String {
    let decimals = match value.abs() {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        v if v >= 0.9995 => 2,
        v if v >= 0.0995 => 3,
        0.0 => 0,
        v if v >= 0.00995 => 4,
        _ => 5,
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (ns, text) in [
            (0.0, "0 ns"),
            (950.0, "950 ns"),
            (61_500_000.0, "61.5 ms"),
            (9_998_000_000.0, "10 s"),
            (12_345_678_900.0, "12.3 s"),
            (-1_500_000.0, "-1.5 ms"),
            (99_960_000.0, "100 ms"),
        ] {
            assert_eq!(span(ns), text);
        }
        assert_eq!(
            (percent(0.12345).as_str(), percent(0.0004).as_str(), percent(1.0).as_str()),
            ("12.3 %", "0.04 %", "100 %")
        );
    }
}
