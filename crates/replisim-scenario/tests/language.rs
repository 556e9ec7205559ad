//! The language explains itself: every field has a description, every snippet loads, and the reference is that of the
//! code (`UPDATE_GOLDENS=1` renews it).

use std::path::Path;

use replisim_scenario::Loaded;
use replisim_scenario::language::{FRAME, Language, parsed};
use serde_json::Value;

/// What is wrong with a snippet, put into the frame.
fn complaint(snippet: &str) -> Option<String> {
    let mut scenario: Value = parsed(FRAME).unwrap();
    let snippet = match parsed(snippet) {
        Ok(snippet) => snippet,
        Err(error) => return Some(error),
    };
    for (section, content) in snippet.as_object().unwrap() {
        match (scenario.get_mut(section), content) {
            (Some(Value::Array(known)), Value::Array(items)) => known.extend(items.clone()),
            _ => scenario[section] = content.clone(),
        }
    }
    let text = serde_json::to_string(&scenario).unwrap();
    let open = |name: &str| {
        Ok(match name {
            "my-rtts.csv" => "from,to,rtt_ms\nDallas,Frankfurt,123\nFrankfurt,Dallas,124\n",
            _ => "ms\n1\n2\n",
        }
        .to_owned())
    };
    Loaded::from_text("snippet", "snippet", text, &[], open).err().map(|error| error.to_string())
}

#[test]
fn every_snippet_loads_and_holds_what_it_is_about() {
    let language = Language::new();
    let mut wrong = String::new();
    for entry in language.entries() {
        let snippet = language.example(entry);
        if let Some(complaint) = complaint(&snippet) {
            wrong += &format!("{}:\n{snippet}{complaint}\n", entry.path);
        }
        if entry.name() != "<name>" && !snippet.contains(entry.name()) {
            wrong += &format!("{} is not in its snippet:\n{snippet}\n", entry.path);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn everything_in_the_language_is_described() {
    let language = Language::new();
    let silent: Vec<&str> = language
        .entries()
        .iter()
        .filter(|entry| entry.name() != "<name>" && (entry.about.is_empty() || entry.kind.is_empty()))
        .map(|entry| entry.path.as_str())
        .collect();
    assert!(silent.is_empty(), "without a description or a type: {silent:?}");
    assert!(language.entries().len() > 150, "the walk over the schema stops early");
}

#[test]
fn a_place_is_found_by_every_way_to_write_its_path() {
    let language = Language::new();
    for (asked, found, parts_at) in [
        ("workload.arrivals", "workload.arrivals", Some("workload.arrivals")),
        ("workload.readers.arrivals", "workload.arrivals", Some("workload.arrivals")),
        ("workload[0].arrivals.poisson", "workload.arrivals.poisson", None),
        ("protocol.quorum.read", "protocol.quorum.read", None),
        ("network.same-region", "network.same-region", Some("network.default")),
        ("network.same-region.jitter.lognormal.p99", "network.same-region.jitter.lognormal.p99", None),
        (
            "network.default.latency.shifted.law.gamma",
            "network.default.latency.shifted.law.gamma",
            Some("network.default.latency.gamma"),
        ),
        ("clocks.alice.offset", "clocks.<name>.offset", None),
        ("clocks.offset", "clocks.<name>.offset", None),
        ("faults.partition.isolate", "faults.partition.isolate", None),
        ("expect", "expect", None),
    ] {
        let entry = language.find(asked).unwrap_or_else(|| panic!("{asked} is not found"));
        assert_eq!((entry.path.as_str(), entry.parts_at.as_deref()), (found, parts_at), "{asked}");
    }
    for nothing in [
        "",
        "workload.arrival",
        "seed.x",
        "protocol.quorum.ship-every",
        "network.same-region.jitter.lognormal.p98",
    ] {
        assert_eq!(language.find(nothing).map(|entry| entry.path), None, "{nothing}");
    }
}

#[test]
fn the_reference_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/scenario.md");
    let page = Language::new().reference();
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = golden.lines().zip(page.lines()).find(|(golden, page)| golden != page);
    assert!(
        golden == page,
        "docs/scenario.md is not what the code says: {differs:?}. Renew it with UPDATE_GOLDENS=1 cargo test -p \
         replisim-scenario --test language"
    );
}
