//! `replisim explain`: a screen about anything that a user meets: a field by its path or its name, a choice (a fault, a
//! law, a protocol), a measure, a map, a unit. What is said comes out of the code: the JSON Schema, the catalogue and the
//! definitions. What people look for under another word stands in `words`; measures are explained in `measure`, `expect`
//! in `expect`.

mod expect;
mod measure;
mod words;

use replisim_measure::{MeasureInfo, catalogue, definition};
use replisim_scenario::language::{Entry, Language, Quantity};
use replisim_scenario::measures::{measure, measures_called};
use replisim_scenario::presets::{PRESETS, Preset};
use replisim_scenario::yaml::did_you_mean;

use crate::args::ExplainArgs;
use crate::exit::Exit;
use crate::output::{complain, print};
use crate::table::{lines, wrapped};
use expect::{is_function, of_expect};
use measure::{of_definition, of_measure};
use words::{Word, look_up};

/// Prints what is known of a word.
pub(crate) fn explain(args: &ExplainArgs) -> Exit {
    let language = Language::new();
    let word = args.word.join(" ");
    let page = if word.is_empty() { Some(sections(&language)) } else { page(&language, &bare(&word)) };
    match page {
        Some(page) => print(&page).err().unwrap_or(Exit::Done),
        None => {
            complain(&format!("nothing here is called `{word}`"));
            let hint = did_you_mean(&bare(&word), names(&language).iter().map(String::as_str));
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
    let called = || match &called(language, word)[..] {
        [] => None,
        [only] => Some(of_entry(language, only)),
        several => Some(list_of(word, several)),
    };
    let quantity = || language.quantities().iter().find(|quantity| quantity.name == word).map(of_quantity);
    let elsewhere = || match &measures_called(word).collect::<Vec<_>>()[..] {
        [] => None,
        measures => Some(of_others(word, measures)),
    };
    if ["expect", "expectation"].contains(&word) {
        return Some(of_expect(language));
    }
    if is_function(word) {
        let fields = called().map_or(String::new(), |page| page + "\nAnd in expectations:\n");
        return Some(fields + &of_expect(language));
    }
    let entry = language.find(word).map(|entry| of_entry(language, &entry));
    entry
        .or_else(|| measure(word).map(of_measure))
        .or_else(|| look_up(word).map(|known| of_word(word, known)))
        .or_else(|| Preset::find(word).map(of_preset))
        .or_else(called)
        .or_else(quantity)
        .or_else(elsewhere)
        .or_else(|| definition(word).as_ref().map(of_definition))
}

fn of_word(word: &str, known: &Word) -> String {
    wrapped_at(word, known.about)
        + "\nSee also:\n"
        + &known.see.iter().map(|word| see(word)).collect::<String>()
}

/// A word of others for measures: the first of those that it may mean is shown.
fn of_others(word: &str, measures: &[&MeasureInfo]) -> String {
    let names: Vec<String> = measures.iter().map(|info| format!("`{}`", short(info))).collect();
    let mut text = wrapped_at(word, &format!("here it is {}", names.join(" or ")));
    text += "\n";
    text += &of_measure(measures[0]);
    text + &measures[1..].iter().map(|info| see(short(info))).collect::<String>()
}

fn short(info: &MeasureInfo) -> &'static str {
    info.slug.strip_suffix("_ms").unwrap_or(info.slug)
}

fn see(word: &str) -> String {
    format!("  replisim explain {word}\n")
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
    names.extend(catalogue().iter().flat_map(|info| [short(info).to_owned(), info.slug.to_owned()]));
    names.extend(words::forms().map(str::to_owned));
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

/// A line for each entry: its name, the first sentence of what it means, and what holds unless it is given.
fn rows<'a>(entries: impl Iterator<Item = &'a Entry>) -> String {
    let entries: Vec<&Entry> = entries.collect();
    let width = entries.iter().map(|entry| entry.name().chars().count()).max().unwrap_or(0);
    let line = |entry: &&Entry| {
        let unless_given = match &entry.default {
            Some(default) => format!(" (default: {default})"),
            None if entry.required && !entry.choice => " (must be given)".to_owned(),
            None => String::new(),
        };
        beside(entry.name(), width, &format!("{}{unless_given}", entry.summary()))
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
