//! Any `--set` changes the quickstart or is refused with a message. The lines of the input are the overrides.

#![no_main]

use libfuzzer_sys::fuzz_target;
use replisim_scenario::{LoadError, Loaded};

const QUICKSTART: &str = include_str!("../../scenarios/quickstart.yaml");

fuzz_target!(|text: &str| {
    let overrides: Vec<String> = text.lines().map(str::to_owned).collect();
    let load = |text: &str, overrides: &[String]| {
        Loaded::from_text("fuzz.yaml", "fuzz", text.to_owned(), overrides, |_| Err("no files".into()))
    };
    match load(QUICKSTART, &overrides) {
        Ok(loaded) => {
            let yaml = loaded.scenario.to_yaml().expect("a scenario can be shown");
            let again =
                load(&yaml, &[]).unwrap_or_else(|error| panic!("what is shown is refused: {error}\n{yaml}"));
            assert_eq!(again.scenario, loaded.scenario, "{yaml}");
        }
        Err(error @ LoadError::Wrong(_)) => assert!(!error.to_string().is_empty()),
        Err(error) => panic!("{error}"),
    }
});
