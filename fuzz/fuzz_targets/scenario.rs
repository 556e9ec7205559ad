//! Any text as a scenario: an error or a scenario that says itself again, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use replisim_scenario::Loaded;

fuzz_target!(|text: &str| {
    let no_files = |_: &str| Err("no files here".to_owned());
    if let Ok(loaded) = Loaded::from_text("fuzz.yaml", "fuzz", text.to_owned(), &[], no_files) {
        let yaml = loaded.scenario.to_yaml().expect("a scenario can be written");
        let again = Loaded::from_text("again.yaml", "fuzz", yaml, &[], no_files).expect("and read again");
        assert_eq!(loaded.scenario, again.scenario);
    }
});
