//! What a run prints: the question, the answer, the measures that matter here, faults, expectations, caveats.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use replisim_cluster::Breakdowns;
use replisim_experiment::answer::{
    answer as answer_in_general, own_answer, percent, show, show_as, show_value, span, three_digits,
};
use replisim_experiment::measure::series::MOST_FAULTS;
use replisim_experiment::measure::{Leaf, Measure};
use replisim_experiment::{Alone, Figure, Judgement, Study, Verdict, figure};
use replisim_scenario::Statistic;
use replisim_scenario::scenario::{fault_name, is_instant};

/// Measures with samples that are always worth a row.
const SAMPLED: [&str; 7] = [
    "staleness_ms",
    "replication_delay_ms",
    "lag_ms",
    "convergence_ms",
    "recovery_convergence_ms",
    "read_latency_ms",
    "write_latency_ms",
];
/// Counts that are always worth a row.
const COUNTED: [&str; 5] =
    ["stale_reads", "lost_writes", "unconverged_writes", "availability", "throughput_ops"];
/// Worth a row where they say that something happened: there is a sample, or a count that is not 0.
const IF_IT_HAPPENED: [&str; 18] = [
    "lost_then_overwritten",
    "stranded_writes",
    "destroyed_writes",
    "rpo_writes",
    "skew_loss",
    "conflict_loss",
    "lost_updates",
    "resurrected_writes",
    "order_stale_reads",
    "resurrected_reads",
    "dirty_reads",
    "early_reads",
    "reads_missing_lost",
    "stale_primary_acks",
    "duplicate_applies",
    "rto_ms",
    "time_to_serve_ms",
    "unavailability_ms",
];

/// The text of a study.
pub(crate) fn table(study: &Study, all: bool) -> String {
    let scenario = &study.loaded.scenario;
    let mut text = format!("\n{:<13}{}\n", "scenario", scenario.name);
    for changed in &study.loaded.overrides {
        text += &wrapped("changed", changed);
    }
    if !scenario.about.is_empty() {
        text += &wrapped("about", &one_line(&scenario.about));
    }
    if !scenario.question.is_empty() {
        text += &wrapped("question", &one_line(&scenario.question));
    }
    if let Some(answer) = own_answer(study) {
        text += &wrapped("answer", &one_line(&answer));
        text += &wrapped("in short", &answer_in_general(study));
    } else {
        text += &wrapped("answer", &answer_in_general(study));
    }
    text += "\n";
    text += &samples(study, all);
    text += "\n";
    text += &counts(study, all);
    text += "\n";
    text += &faults(study);
    text += &promotions(study);
    text += &expectations(study);
    for warning in &study.warnings {
        text += &wrapped("warning", &warning.to_string());
    }
    text += &format!("{:<13}{}\n", seed_word(study), seeds(study));
    text += &format!("{:<13}{}\n", "digest", study.digest());
    text
}

fn seed_word(study: &Study) -> &'static str {
    if study.runs.len() == 1 { "seed" } else { "seeds" }
}

fn seeds(study: &Study) -> String {
    match &study.runs[..] {
        [run] => run.seed.to_string(),
        runs => format!(
            "{} to {} ({} runs; ± is the 95 % interval over seeds)",
            runs[0].seed,
            runs[runs.len() - 1].seed,
            runs.len()
        ),
    }
}

fn wanted(study: &Study, measure: &Measure, always: &[&str], all: bool) -> bool {
    let expected = |judgement: &Judgement| judgement.expectation.subject.measure.slug == measure.info.slug;
    all || always.contains(&measure.info.slug)
        || IF_IT_HAPPENED.contains(&measure.info.slug) && happened(study, measure)
        || study.judgements.iter().any(expected)
}

fn happened(study: &Study, measure: &Measure) -> bool {
    match &measure.all {
        // What a loss would have cost is worth a row where something goes wrong.
        Some(Leaf::TimeWeighted(value)) => {
            !study.loaded.scenario.faults.is_empty() && value.max().is_some_and(|max| max > 0)
        }
        Some(leaf) => leaf.count() > 0,
        None => false,
    }
}

/// One line of a table: what it is of, and its value.
struct Row<'a> {
    name: String,
    scope: Option<(&'a str, &'a str)>,
    leaf: &'a Leaf,
}

/// A measure of more nodes than this has a row for all of them together, unless every measure is asked for.
const MOST_NODES: usize = 20;

/// Rows of a measure: its parts, or the whole where it has none.
fn rows(measure: &Measure, every: bool) -> Vec<Row<'_>> {
    let short = |(kind, values): &&(_, Vec<_>)| every || *kind != "node" || values.len() <= MOST_NODES;
    let parts = measure.scopes.iter().filter(short).flat_map(|(kind, values)| {
        values.iter().map(move |(name, leaf)| Row {
            name: name.clone(),
            scope: Some((*kind, name.as_str())),
            leaf,
        })
    });
    let parts: Vec<Row<'_>> = parts.collect();
    if parts.is_empty() {
        return measure.all.iter().map(|leaf| Row { name: "all".to_owned(), scope: None, leaf }).collect();
    }
    parts
}

fn samples(study: &Study, all: bool) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(["measure", "of", "n", "mean", "p50", "p99", "max"]);
    for measure in study.merged.measures.iter().filter(|measure| wanted(study, measure, &SAMPLED, all)) {
        for Row { name, scope, leaf } in rows(measure, all) {
            if !matches!(leaf, Leaf::Distribution(_) | Leaf::TimeWeighted(_)) {
                continue;
            }
            let show = |statistic| show(figure(leaf, statistic), measure.info.unit);
            let mut mean = match figure(leaf, Statistic::Mean) {
                Some(Figure::Value(mean)) => show_value(mean, measure.info.unit),
                _ => "–".to_owned(),
            };
            if let Some(interval) = study.interval(measure.info.slug, scope, Statistic::Mean) {
                mean +=
                    &format!(" ± {}", show_value((interval.high - interval.low) / 2.0, measure.info.unit));
            }
            let n = match leaf {
                Leaf::Distribution(samples) => {
                    thousands(samples.count()) + &in_some(study, measure.info.slug, scope)
                }
                _ => "over time".to_owned(),
            };
            let slug = measure.info.slug.trim_end_matches("_ms");
            let quantiles = [Statistic::Quantile(0.5), Statistic::Quantile(0.99), Statistic::Max].map(show);
            let [p50, p99, max] = quantiles;
            table.add_row([slug.to_owned(), name, n, mean, p50, p99, max]);
        }
    }
    right_align(&mut table, 2..7);
    indent(&table)
}

/// In how many of the runs there were samples, if not in all.
fn in_some(study: &Study, slug: &str, scope: Option<(&str, &str)>) -> String {
    let largest = study.figures.of_each(slug, scope, Statistic::Max);
    let known = largest.iter().flatten().count();
    if known < largest.len() { format!(" in {known} of {} runs", largest.len()) } else { String::new() }
}

fn counts(study: &Study, all: bool) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    for measure in study.merged.measures.iter().filter(|measure| wanted(study, measure, &COUNTED, all)) {
        let parts = rows(measure, all);
        // Where every workload fares like all of them together, reads and writes say enough.
        let perfect = measure.info.slug == "availability"
            && parts.iter().all(|row| matches!(row.leaf, Leaf::Count { count, of: Some(of) } if count == of));
        for Row { name, scope, leaf } in parts {
            if perfect && scope.is_some_and(|(kind, _)| kind == "workload") {
                continue;
            }
            let (value, detail, statistic) = match leaf {
                Leaf::Count { count, of: Some(of) } if *of > 0 => {
                    let detail = format!("{} of {}", thousands(*count), thousands(*of));
                    (percent(*count as f64 / *of as f64), detail, Statistic::Share)
                }
                Leaf::Count { count, of: None } => (thousands(*count), String::new(), Statistic::Count),
                Leaf::Rate { .. } => {
                    let rate = figure(leaf, Statistic::Count).map_or(0.0, Figure::number);
                    (format!("{}/s", three_digits(rate)), String::new(), Statistic::Count)
                }
                _ => continue,
            };
            let interval =
                study.interval(measure.info.slug, scope, statistic).map_or(String::new(), |interval| {
                    let half = (interval.high - interval.low) / 2.0;
                    format!(
                        " ± {}",
                        if statistic == Statistic::Share { percent(half) } else { three_digits(half) }
                    )
                });
            table.add_row([measure.info.slug.to_owned(), name, format!("{value}{interval}"), detail]);
        }
    }
    right_align(&mut table, 2..4);
    indent(&table)
}

fn faults(study: &Study) -> String {
    let scenario = &study.loaded.scenario;
    let mut text = String::new();
    let spans = study.series.as_ref().map_or(&[][..], |series| &series.faults[..]);
    for (i, entry) in scenario.faults.iter().enumerate() {
        if let Some(Breakdowns { mtbf, mttr }) = entry.breakdowns {
            let of_it = spans.iter().filter(|span| span.fault.index() == i);
            let times = match (of_it.count(), spans.len() < MOST_FAULTS) {
                (0, true) => "never".to_owned(),
                (1, true) => "once".to_owned(),
                (times, true) => format!("{times} times"),
                (times, false) => format!("{times} times or more"),
            };
            let name = fault_name(entry);
            let of_first = of_first(study);
            text +=
                &format!("{:<13}at random: {name}, {times}{of_first} (mtbf {mtbf}, mttr {mttr})\n", "fault");
            continue;
        }
        let until = match entry.lasts {
            _ if is_instant(entry) => String::new(),
            Some(lasts) => format!(" to {}", entry.at + lasts),
            None => " to the end".to_owned(),
        };
        text += &format!("{:<13}{}{until}: {}\n", "fault", entry.at, fault_name(entry));
    }
    text
}

/// More changes of the primary than this are counted, not listed.
const MOST_PROMOTIONS: usize = 6;

/// Who became the primary when, if that ever changed; of the first seed.
fn promotions(study: &Study) -> String {
    let all = study.series.as_ref().map_or(&[][..], |series| &series.promotions[..]);
    let later = all.get(1..).unwrap_or_default();
    let names = &study.merged.roster.members;
    let of_first = of_first(study);
    let mut text = String::new();
    for (at, member) in later.iter().take(MOST_PROMOTIONS) {
        let (at, name) = (span(at.nanos() as f64), &names[member.index()]);
        text += &format!("{:<13}{at}: {name}{of_first}\n", "primary");
    }
    if later.len() > MOST_PROMOTIONS {
        text += &format!("{:<13}and {} more changes{of_first}\n", "primary", later.len() - MOST_PROMOTIONS);
    }
    text
}

fn expectations(study: &Study) -> String {
    let mut text = String::new();
    for judgement in &study.judgements {
        let word = match judgement.verdict {
            Verdict::Met => "met",
            Verdict::NotMet => "NOT MET",
            Verdict::Undecided => "undecided",
        };
        let found = found(study, judgement);
        text += &format!("{:<13}{word}: {} ({found})\n", "expectation", judgement.expectation);
    }
    text
}

/// What was found instead, and by how many of several seeds where they disagree.
fn found(study: &Study, judgement: &Judgement) -> String {
    let subject = &judgement.expectation.subject;
    if judgement.found.is_none() {
        return "there are no samples".to_owned();
    }
    let mut text = format!("it is {}", show_as(judgement.found, subject));
    let doubt = judgement.interval.filter(|_| judgement.verdict == Verdict::Undecided);
    if let Some(interval) = doubt {
        let half = Figure::Value((interval.high - interval.low) / 2.0);
        text += &format!(" ± {}", show_as(Some(half), subject));
    }
    let (runs, Alone { known, met }) = (study.runs.len(), judgement.alone);
    if runs > 1 {
        let what = match subject.statistic {
            Statistic::Max => "the largest",
            Statistic::Min => "the smallest",
            _ => "the mean",
        };
        let samples = if known < runs { format!("the {known} with samples of the ") } else { String::new() };
        text += &format!(", {what} of {samples}{runs} runs");
        let unanimous = match judgement.verdict {
            Verdict::Met => met == known,
            Verdict::NotMet => met == 0,
            Verdict::Undecided => false,
        };
        if !unanimous {
            text += &format!("; {met} of them alone would meet it");
        }
    }
    text + if doubt.is_some() { ": more seeds would decide" } else { "" }
}

/// Beside what is told of the first seed alone, where there are several.
fn of_first(study: &Study) -> String {
    match &study.runs[..] {
        [first, _, ..] => format!(" (in the run of seed {})", first.seed),
        _ => String::new(),
    }
}

fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(" ")
}

fn right_align(table: &mut Table, columns: std::ops::Range<usize>) {
    for i in columns {
        if let Some(column) = table.column_mut(i) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

fn indent(table: &Table) -> String {
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A labelled paragraph, wrapped for a terminal of 110 columns.
pub(crate) fn wrapped(label: &str, text: &str) -> String {
    const WIDTH: usize = 97;
    let labels = std::iter::once(label).chain(std::iter::repeat(""));
    labels.zip(lines(text, WIDTH)).map(|(label, line)| format!("{label:<13}{line}\n")).collect()
}

/// A text in lines of so many characters.
pub(crate) fn lines(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
