//! `replisim show` and `replisim schema`.

use replisim_experiment::Places;
use replisim_scenario::language::Language;
use replisim_scenario::{Loaded, Scenario};

use crate::args::{SchemaArgs, ShowArgs};
use crate::exit::Exit;
use crate::output::{complain, print};
use crate::run::load;

/// Prints a scenario with every default and override.
pub(crate) fn show(args: &ShowArgs) -> Exit {
    let (loaded, _) = match load(&args.scenario) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    match loaded.scenario.to_yaml() {
        Ok(yaml) => {
            let yaml = yaml.replacen("\nnetwork:", &format!("\n{}network:", links(&loaded)), 1);
            print(&yaml).err().unwrap_or(Exit::Done)
        }
        Err(message) => {
            complain(&message);
            Exit::InputOutput
        }
    }
}

/// What links will be where `network` says nothing, as comments: their delays come from the map, all else from the
/// language.
fn links(loaded: &Loaded) -> String {
    const MOST: usize = 20;
    let topology = &loaded.scenario.topology;
    let preset = topology.preset.as_ref().map(|name| format!("the preset `{name}`"));
    let file = topology.rtt_file.as_ref().map(|path| format!("`{path}`"));
    let rtts = (!topology.rtts.is_empty()).then(|| "`rtts`".to_owned());
    let sources: Vec<String> = [preset, file, rtts].into_iter().flatten().collect();
    let map = if sources.is_empty() { "no map".to_owned() } else { sources.join(" and ") };
    let language = Language::new();
    let defaults = language.parts("network.default");
    let defaults = defaults.filter_map(|part| Some(format!("{}: {}", part.name(), part.default.as_ref()?)));
    let defaults = defaults.collect::<Vec<_>>().join(", ");
    let Places { places, links } = Places::of(loaded);
    let mut lines = vec![
        format!("Where `network` says nothing else, links have {{ {defaults} }}"),
        format!(
            "and their delays from {map}. Mean delays one way, with jitter, between the first nodes of places:"
        ),
    ];
    lines.extend(links.iter().take(MOST).map(|link| {
        let (a, b) = (&places[link.a].name, &places[link.b].name);
        format!("  {a} to {b}: {}, back: {}", one_way(link.there.nanos()), one_way(link.back.nanos()))
    }));
    if links.len() > MOST {
        lines.push(format!("  and {} more pairs of places", links.len() - MOST));
    }
    lines.into_iter().map(|line| format!("# {line}\n")).collect()
}

/// Half a round trip, to three decimals.
fn one_way(round_trip_nanos: u64) -> String {
    // Some laws have no mean; what stands for it is longer than any run.
    const TOO_LONG: u64 = 1_000_000_000_000_000;
    let nanos = round_trip_nanos / 2;
    if nanos > TOO_LONG {
        return "without a mean".to_owned();
    }
    format!("{}ms", (nanos as f64 / 1e3).round() / 1e3)
}

/// Prints the JSON Schema of the language, or writes it to a file.
pub(crate) fn schema(args: &SchemaArgs) -> Exit {
    let text = serde_json::to_string_pretty(&Scenario::json_schema()).unwrap_or_default();
    if let Some(path) = &args.out {
        return match std::fs::write(path, text + "\n") {
            Ok(()) => Exit::Done,
            Err(error) => {
                complain(&format!("cannot write {}: {error}", path.display()));
                Exit::InputOutput
            }
        };
    }
    print(&format!("{text}\n")).err().unwrap_or(Exit::Done)
}
