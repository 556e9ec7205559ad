//! The result of a scenario in a few sentences, with numbers.

use std::collections::BTreeSet;

use replisim_measure::Leaf;
use replisim_measure::catalogue::Unit;
use replisim_observe::Member;
use replisim_scenario::scenario::is_instant;
use replisim_scenario::sentence::Piece;
use replisim_scenario::{Statistic, Subject, build};

use crate::study::{Figure, Study, figure, figure_of};

/// What came out, in words: how stale reads were, how far replicas fell behind, how long writes failed, how
/// replicas came back, what was lost.
pub fn answer(study: &Study) -> String {
    let mut sentences = Vec::new();
    sentences.extend(staleness(study));
    sentences.extend(lag(study));
    sentences.extend(outage(study));
    sentences.extend(new_primary(study));
    sentences.extend(recovery(study));
    sentences.extend(losses(study));
    sentences.extend(conflicts(study));
    if sentences.is_empty() {
        return "Nothing was read or written within the window.".to_owned();
    }
    sentences.join(" ")
}

/// The scenario's own answer, with the figures of this study filled in; none if it gives none.
pub fn own_answer(study: &Study) -> Option<String> {
    let sentence = &study.loaded.scenario.answer;
    let piece = |piece: &Piece| match piece {
        Piece::Words(words) => words.clone(),
        Piece::Figure(subject) => in_a_sentence(study, subject),
    };
    (!sentence.is_empty()).then(|| sentence.pieces.iter().map(piece).collect())
}

/// A figure of a subject. A count of several runs is told for one of them: no user of a database has several.
fn in_a_sentence(study: &Study, subject: &Subject) -> String {
    let found = figure_of(&study.merged, subject);
    let runs = study.runs.len();
    match found {
        Some(Figure::Value(0.0)) if subject.measure.unit == Unit::Milliseconds => "0 ms".to_owned(),
        Some(Figure::Value(total))
            if subject.statistic == Statistic::Count && runs > 1 && is_count(study, subject) =>
        {
            let mean = three_digits(total / runs as f64);
            format!("{mean} a run ({} in {runs} runs)", three_digits(total))
        }
        found => show_as(found, subject),
    }
}

fn is_count(study: &Study, subject: &Subject) -> bool {
    matches!(study.merged.leaf(subject.measure.slug, subject.scope()), Some(Leaf::Count { .. }))
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
    let most = match p99 {
        0.0 => "99 % were fresh".to_owned(),
        p99 => format!("99 % missed nothing older than {}", span(p99)),
    };
    let (share, worst) = (percent(share), span(max(worst)));
    Some(format!("{share} of the {reads} reads of `{name}` were stale, at worst by {worst}; {most}."))
}

/// The node that fell behind the most; those that stayed down say nothing by that.
fn lag(study: &Study) -> Option<String> {
    let (_, nodes) = study.merged.measure("lag_ms")?.scopes.first()?;
    let taken_down = build::taken_down(&study.loaded.scenario).into_iter();
    let down: BTreeSet<Member> =
        taken_down.filter(|(entry, _)| !entry.ends()).flat_map(|(_, down)| down).collect();
    let up = (0..).map(Member).zip(nodes).filter(|(member, _)| !down.contains(member)).map(|(_, node)| node);
    let max = |leaf: &Leaf| figure(leaf, Statistic::Max).map_or(0.0, Figure::number);
    let (name, worst) = up.max_by(|(_, a), (_, b)| max(a).total_cmp(&max(b)))?;
    let mean = figure(worst, Statistic::Mean)?.number();
    (max(worst) > 0.0).then(|| {
        format!("Replica `{name}` lagged by up to {} ({} on average).", span(max(worst)), span(mean))
    })
}

/// The longest time whose writes all failed: by when they were sent, not by when they were answered.
fn outage(study: &Study) -> Option<String> {
    let windows = study.merged.leaf("unavailability_ms", Some(("kind", "write")))?;
    let longest = match figure(windows, Statistic::Max)? {
        Figure::Value(ns) => span(ns),
        Figure::AtLeast(ns) => format!("more than {}", span(ns)),
    };
    let runs = study.runs.len();
    let of = if runs > 1 { format!(" in {runs} runs") } else { String::new() };
    let writes = if study.loaded.scenario.groups.is_some() { "write to a group" } else { "write" };
    Some(match windows.count() {
        1 if runs == 1 => format!("Every {writes} sent during {longest} failed or timed out."),
        1 => format!("Once{of} every {writes} sent during {longest} failed or timed out."),
        n => format!(
            "{n} times{of} every {writes} sent for a while failed or timed out, the longest time {longest}."
        ),
    })
}

/// How long it took until another primary had taken a write.
fn new_primary(study: &Study) -> Option<String> {
    let losses = study.merged.leaf("rto_ms", None)?;
    let lost = if losses.count() == 1 { "the old one was lost" } else { "a loss" };
    Some(match figure(losses, Statistic::Max)? {
        Figure::Value(ns) if losses.count() == 1 => {
            format!("The next primary acknowledged its first write {} after {lost} (RTO).", span(ns))
        }
        Figure::Value(ns) => format!(
            "The next primary acknowledged its first write at most {} after {lost} (RTO, {} losses).",
            span(ns),
            losses.count()
        ),
        Figure::AtLeast(ns) => {
            format!("No other primary had acknowledged a write when {} had passed since {lost}.", span(ns))
        }
    })
}

/// Nothing to tell if there was nothing to recover from, or nothing was missing when the fault was over.
fn recovery(study: &Study) -> Option<String> {
    let lasting = study.loaded.scenario.faults.iter().filter(|entry| !is_instant(entry)).count();
    let after = if lasting == 1 { "After the fault" } else { "After each fault" };
    let leaf = study.merged.measure("recovery_convergence_ms")?.all.as_ref()?;
    match figure(leaf, Statistic::Max)? {
        _ if lasting == 0 => None,
        Figure::Value(0.0) | Figure::AtLeast(0.0) => None,
        Figure::Value(ns) => {
            Some(format!("{after}, all nodes that were up had everything again within {}.", span(ns)))
        }
        Figure::AtLeast(ns) => {
            Some(format!("{after}, a node that was up still lacked a write when {} had passed.", span(ns)))
        }
    }
}

fn losses(study: &Study) -> Option<String> {
    let Some(Leaf::Count { count: lost, of: Some(of) }) = study.merged.leaf("lost_writes", None) else {
        return None;
    };
    if *of == 0 {
        return None;
    }
    if *lost == 0 {
        let rto = study.merged.leaf("rto_ms", None);
        let open =
            rto.is_some_and(|losses| matches!(figure(losses, Statistic::Max), Some(Figure::AtLeast(_))));
        return Some(match open {
            false => format!("None of the {of} acknowledged writes was lost."),
            true => format!(
                "None of the {of} acknowledged writes counts as lost: nobody has taken over from the lost primary, and what only it \
                 has may still come back."
            ),
        });
    }
    let sum = |slug| study.merged.leaf(slug, None).map_or(0, Leaf::count);
    let stale = sum("stale_primary_acks");
    let has_primary = study.runs.first().is_some_and(|run| run.primary.is_some());
    let why = match stale {
        0 if has_primary => " that the next primary did not have".to_owned(),
        0 => String::new(),
        1 => "; a node that was no longer the primary had acknowledged 1 write".to_owned(),
        _ => format!("; a node that was no longer the primary had acknowledged {stale} writes"),
    };
    let (stranded, destroyed) = (sum("stranded_writes"), sum("destroyed_writes"));
    let (were, they_are) = if *lost == 1 { ("was", "It is") } else { ("were", "They are") };
    let fate = match (stranded, destroyed) {
        (_, 0) => format!("{they_are} stranded: still in the log of some node, to be recovered by hand."),
        (0, _) => format!("{they_are} destroyed: no longer in the log of any node."),
        _ => format!("{stranded} are stranded in the log of some node, {destroyed} destroyed."),
    };
    let runs = match study.runs.len() {
        1 => String::new(),
        n => format!(" in {n} runs"),
    };
    Some(format!("{lost} of the {of} acknowledged writes{runs} {were} lost{why}. {fate}"))
}

/// What versions decided against acknowledged writes, where nothing was lost of which a node knows.
fn conflicts(study: &Study) -> Vec<String> {
    let count = |slug| match study.merged.leaf(slug, None) {
        Some(Leaf::Count { count, of }) if *count > 0 => Some((*count, *of)),
        _ => None,
    };
    let of_all = |slug, what: &str| {
        let (count, of) = count(slug)?;
        let of = of.map_or(String::new(), |of| format!(" of {of}"));
        Some(format!("{count}{of} {what}."))
    };
    let resurrected = count("resurrected_writes").map(|(count, _)| match count {
        1 => "1 write that had been superseded everywhere came back.".to_owned(),
        count => format!("{count} writes that had been superseded everywhere came back."),
    });
    [
        of_all(
            "skew_loss",
            "acknowledged writes were dead on arrival, behind an earlier one with a later timestamp",
        ),
        of_all("conflict_loss", "acknowledged writes were overwritten by one that had not seen them"),
        of_all("lost_updates", "acknowledged updates are gone: a later one had not read them"),
        of_all(
            "order_stale_reads",
            "reads returned what should have been superseded by an acknowledged write",
        ),
        resurrected,
        of_all("duplicate_applies", "writes were applied more than once, because their clients tried again"),
    ]
    .into_iter()
    .flatten()
    .collect()
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

/// A figure of a subject: a share in per cent, else in its unit; `–` where there is none.
pub fn show_as(found: Option<Figure>, subject: &Subject) -> String {
    match found {
        Some(found) if subject.statistic == Statistic::Share => percent(found.number()),
        found => show(found, subject.measure.unit),
    }
}

/// A figure in its unit; `–` where there is none.
pub fn show(figure: Option<Figure>, unit: Unit) -> String {
    match figure {
        None => "–".to_owned(),
        Some(Figure::Value(value)) => show_value(value, unit),
        Some(Figure::AtLeast(value)) => format!("> {}", show_value(value, unit)),
    }
}

/// A value in its unit: durations are given in nanoseconds.
pub fn show_value(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Milliseconds if value == 0.0 => "0".to_owned(),
        Unit::Milliseconds => span(value),
        _ => three_digits(value),
    }
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
