//! Any text is a scenario or refused with a message; what is shown of a scenario loads back to an equal one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use replisim_scenario::{LoadError, Loaded};

fuzz_target!(|text: &str| {
    let load =
        |text: &str| Loaded::from_text("fuzz.yaml", "fuzz", text.to_owned(), &[], |_| Err("no files".into()));
    match load(text) {
        Ok(loaded) => {
            let yaml = loaded.scenario.to_yaml().expect("a scenario can be shown");
            let again =
                load(&yaml).unwrap_or_else(|error| panic!("what is shown is refused: {error}\n{yaml}"));
            assert_eq!(again.scenario, loaded.scenario, "{yaml}");
        }
        Err(error @ LoadError::Wrong(_)) => assert!(!error.to_string().is_empty()),
        Err(error) => panic!("{error}"),
    }
});
