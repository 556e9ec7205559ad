//! Any text as an override of the quickstart: an error or a scenario, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use replisim_scenario::Loaded;

const QUICKSTART: &str = include_str!("../../scenarios/quickstart.yaml");

fuzz_target!(|argument: &str| {
    let no_files = |_: &str| Err("no files here".to_owned());
    let _ = Loaded::from_text("fuzz.yaml", "fuzz", QUICKSTART.to_owned(), &[argument.to_owned()], no_files);
});
