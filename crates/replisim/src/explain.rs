//! `replisim explain`: a screen about anything that a user meets: a field by its path or its name, a choice (a fault, a
//! law, a protocol), a measure, a map, a unit. What is said comes out of the code: the JSON Schema and the catalogue.

use replisim_measure::catalogue;
use replisim_measure::catalogue::{MeasureInfo, Unit};
use replisim_report::number::unit_name;
use replisim_scenario::language::{Entry, Language, Quantity};
use replisim_scenario::presets::{PRESETS, Preset};
use replisim_scenario::yaml::did_you_mean;

use crate::args::ExplainArgs;
use crate::exit::Exit;
use crate::output::{complain, print};
use crate::table::{lines, wrapped};

/// Prints what is known of a word.
pub(crate) fn explain(args: &ExplainArgs) -> Exit {
    let language = Language::new();
    let page = match &args.word {
        None => Some(sections(&language)),
        Some(word) => page(&language, &bare(word)),
    };
    match page {
        Some(page) => print(&page).err().unwrap_or(Exit::Done),
        None => {
            let word = args.word.as_deref().unwrap_or_default();
            complain(&format!("nothing here is called `{word}`"));
            let hint = did_you_mean(&bare(word), names(&language).iter().map(String::as_str));
            let hint = hint
                .map_or("`replisim explain` alone shows the sections of a scenario".to_owned(), |name| {
                    format!("did you mean `replisim explain {name}`?")
                });
            crate::output::note(&format!("help: {hint}"));
            Exit::Usage
        }
    }
}

/// A word without what stands around it in an `expect`: `p99(staleness{workload=readers})` is about `staleness`.
fn bare(word: &str) -> String {
    let inner = word.split_once('(').map_or(word, |(_, rest)| rest.trim_end_matches(')'));
    inner.split('{').next().unwrap_or(inner).trim().trim_end_matches(['.', ':']).to_owned()
}

fn page(language: &Language, word: &str) -> Option<String> {
    let measure = || {
        let with_unit = format!("{word}_ms");
        catalogue().iter().find(|info| info.slug == word || info.slug == with_unit).map(of_measure)
    };
    let called = || match &called(language, word)[..] {
        [] => None,
        [only] => Some(of_entry(language, only)),
        several => Some(list_of(word, several)),
    };
    let quantity = || language.quantities().iter().find(|quantity| quantity.name == word).map(of_quantity);
    let entry = language.find(word).map(|entry| of_entry(language, &entry));
    entry.or_else(measure).or_else(|| Preset::find(word).map(of_preset)).or_else(called).or_else(quantity)
}

/// What is called so, or has a path that ends so, each thing once: where a type stands in several places, the first.
fn called<'a>(language: &'a Language, word: &str) -> Vec<&'a Entry> {
    let mut found: Vec<&Entry> = Vec::new();
    let end = format!(".{word}");
    for entry in language.entries().iter().filter(|entry| entry.name() == word || entry.path.ends_with(&end))
    {
        if found.iter().all(|other| (&other.about, &other.kind) != (&entry.about, &entry.kind)) {
            found.push(entry);
        }
    }
    found
}

fn names(language: &Language) -> Vec<String> {
    let mut names: Vec<String> = language.entries().iter().map(|entry| entry.name().to_owned()).collect();
    names.extend(language.entries().iter().map(|entry| entry.path.clone()));
    names.extend(catalogue().iter().map(|info| info.slug.to_owned()));
    names.extend(PRESETS.iter().map(|preset| preset.name.to_owned()));
    names
}

fn sections(language: &Language) -> String {
    let mut text = "The sections of a scenario; `replisim explain topology` says more of one.\n\n".to_owned();
    text += &rows(language.parts(""));
    text + "\nAlso: a field by its path (`workload.arrivals`) or its name (`ship-every`), a fault (`partition`), a law (`lognormal`),\n\
            a protocol (`quorum`), a measure (`lag`), a map (`ibm-cloud`). `replisim new` writes a scenario to begin with.\n"
}

fn of_entry(language: &Language, entry: &Entry) -> String {
    let mut text = wrapped_at(&entry.path, &entry.about);
    if !entry.kind.is_empty() {
        text += &wrapped_at("is", &entry.kind);
    }
    let written =
        language.quantities().into_iter().find(|quantity| Some(&quantity.name) == entry.type_name.as_ref());
    if let Some(quantity) = &written {
        text += &wrapped_at("written", &quantity.examples.join(", "));
    }
    match (&entry.default, entry.required) {
        (Some(default), _) => text += &wrapped_at("default", default),
        (None, true) => text += &wrapped_at("default", "none: it must be given"),
        (None, false) => {}
    }
    if let Some(at) = &entry.parts_at {
        let parts: Vec<&Entry> = language.parts(at).collect();
        let heading = if parts.iter().any(|part| part.choice) { "Choices" } else { "Fields" };
        text += &format!("\n{heading}:\n{}", rows(parts.into_iter()));
    }
    text += "\nExample:\n";
    for line in language.example(entry).lines() {
        text += &format!("  {line}\n");
    }
    let parent = entry.parent();
    if !parent.is_empty() {
        text += &format!("\nSee also: replisim explain {parent}\n");
    }
    text
}

fn list_of(word: &str, entries: &[&Entry]) -> String {
    let mut text = format!("`{word}` stands in several places:\n\n");
    let width = entries.iter().map(|entry| entry.path.chars().count()).max().unwrap_or(0);
    for entry in entries {
        text += &beside(&entry.path, width, entry.summary());
    }
    text + &format!("\nSay which: replisim explain {}\n", entries[0].path)
}

/// A line for each entry: its name, and the first sentence of what it means.
fn rows<'a>(entries: impl Iterator<Item = &'a Entry>) -> String {
    let entries: Vec<&Entry> = entries.collect();
    let width = entries.iter().map(|entry| entry.name().chars().count()).max().unwrap_or(0);
    let line = |entry: &&Entry| {
        let must = if entry.required && !entry.choice { " (must be given)" } else { "" };
        beside(entry.name(), width, &format!("{}{must}", entry.summary()))
    };
    entries.iter().map(line).collect()
}

/// A text beside its name, on as many lines as it takes.
fn beside(name: &str, width: usize, text: &str) -> String {
    let names = std::iter::once(name).chain(std::iter::repeat(""));
    names
        .zip(lines(text, WIDTH.saturating_sub(width + 4).max(40)))
        .map(|(name, line)| format!("  {name:width$}  {line}\n"))
        .collect()
}

/// How wide a line may be.
const WIDTH: usize = 118;

fn of_measure(info: &MeasureInfo) -> String {
    let mut text = wrapped_at(info.slug, info.about);
    text += &wrapped_at("unit", unit_name(info.unit));
    let scopes = match info.scopes {
        [] => "the run as a whole".to_owned(),
        scopes => format!("the run as a whole, or each {}", scopes.join(", or each ")),
    };
    text += &wrapped_at("given for", &scopes);
    let short = info.slug.strip_suffix("_ms").unwrap_or(info.slug);
    let scope = info.scopes.first().map_or(String::new(), |kind| format!("{{{kind}=…}}"));
    let counted = matches!(info.unit, Unit::Count | Unit::Bytes | Unit::PerSecond) && !info.over_time;
    let example = match info.unit {
        Unit::Milliseconds => format!("p99({short}{scope}) < 100ms, or mean, max, min, p0 to p100"),
        Unit::Share => format!("{short}{scope} > 99%"),
        _ if counted => format!("{short}{scope} == 0"),
        _ => format!("max({short}{scope}) < 10, or mean, min, p0 to p100"),
    };
    text += &wrapped_at("in expect", &example);
    text + "\n`replisim list measures` shows all; the exact words stand in docs/definitions.md of the project.\n"
}

fn of_preset(preset: &Preset) -> String {
    let mut text = wrapped_at(preset.name, "A built-in map: places and the round-trip times between them.");
    text += &wrapped_at("source", preset.source);
    text += &wrapped_at("places", &preset.places().join(", "));
    text + &format!(
        "\nExample:\n  topology:\n    preset: {}\n    nodes: {{ … }}\n\nSee also: replisim explain topology\n",
        preset.name
    )
}

/// A text beside its label, or below it where that is long.
fn wrapped_at(label: &str, text: &str) -> String {
    if label.chars().count() < 13 { wrapped(label, text) } else { format!("{label}\n{}", wrapped("", text)) }
}

fn of_quantity(quantity: &Quantity) -> String {
    wrapped_at(&quantity.name, &quantity.about) + &wrapped_at("written", &quantity.examples.join(", "))
}
