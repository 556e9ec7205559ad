//! A screen about `expect`: functions, scopes, operators, values, and what becomes of several seeds. All of it is taken
//! from where it is read and judged.

use replisim_experiment::OF_SEVERAL_SEEDS;
use replisim_measure::catalogue;
use replisim_measure::catalogue::find;
use replisim_scenario::Comparison;
use replisim_scenario::expectation::SCOPES;
use replisim_scenario::language::Language;
use replisim_scenario::statistic::{FUNCTIONS, example};

use super::{beside, wrapped_at};

/// How values are written, by what they are compared with.
const VALUES: [(&str, &str); 4] = [
    ("a time", "with its unit; the measure then drops its `_ms`: `max(lag) < 5s`"),
    ("a share", "`99.9%` or `0.999`"),
    ("a rate", "`100/s`"),
    ("else", "a bare number: `max(rpo_writes) < 10`"),
];

/// Measures that show all ways to write one.
const SHOWN: [&str; 5] = ["staleness_ms", "unavailability_ms", "lost_writes", "availability", "rpo_writes"];

/// Whether a word is a function of `expect`.
pub(super) fn is_function(word: &str) -> bool {
    let quantile =
        word.strip_prefix('p').is_some_and(|digits| digits.replace('_', ".").parse::<f64>().is_ok());
    quantile || word != "share" && FUNCTIONS.iter().any(|(name, _)| *name == word)
}

/// All that is known of `expect`.
pub(super) fn of_expect(language: &Language) -> String {
    let entry = language.find("expect");
    let mut text = wrapped_at("expect", entry.as_ref().map_or("", |entry| &entry.about));
    text += &wrapped_at("written", "`function(measure{scope=name}) operator value`; one, or a list of them");
    text += &wrapped_at("operators", &Comparison::signs().join("  "));
    text += "\nFunctions:\n";
    text += &table(FUNCTIONS.into_iter().chain([("", "a count or a share stands bare")]));
    text += "\nScopes, where a measure is given for parts of the run:\n";
    let used =
        SCOPES.into_iter().filter(|(kind, _)| catalogue().iter().any(|info| info.scopes.contains(kind)));
    text += &table(used);
    text += "\nValues:\n";
    text += &table(VALUES);
    text += "\nOf several seeds (`replisim run --seeds 20`):\n";
    text += &table(OF_SEVERAL_SEEDS);
    text += "\nExample:\n  expect:\n";
    let written = SHOWN.into_iter().filter_map(find).map(example);
    let quantities = language.quantities();
    let more = quantities.iter().filter(|quantity| quantity.name == "expectation");
    for line in written.chain(more.flat_map(|quantity| quantity.examples.clone()).skip(2)) {
        text += &format!("    - {line}\n");
    }
    text + "\nSee also: replisim list measures, replisim explain unavailability\n"
}

fn table(rows: impl IntoIterator<Item = (&'static str, &'static str)>) -> String {
    rows.into_iter().map(|(name, about)| beside(name, 9, about)).collect()
}
