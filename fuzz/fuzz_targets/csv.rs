//! Any text is a file of round-trip times or refused with a message that points into it or at who names it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use replisim_scenario::{LoadError, Loaded};

const SCENARIO: &str = include_str!("../between-us-and-eu.yaml");

fuzz_target!(|text: &str| {
    match Loaded::from_text("fuzz.yaml", "fuzz", SCENARIO.to_owned(), &[], |_| Ok(text.to_owned())) {
        Ok(loaded) => assert_eq!(loaded.referenced("times.csv"), Some(text)),
        Err(error @ LoadError::Wrong(_)) => assert!(error.to_string().contains('^'), "{error}"),
        Err(error) => panic!("{error}"),
    }
});
