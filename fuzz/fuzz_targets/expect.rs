//! Any text is an expectation or refused with a message; an expectation is read again as itself.

#![no_main]

use libfuzzer_sys::fuzz_target;
use replisim_scenario::Expectation;

fuzz_target!(|text: &str| {
    match text.parse::<Expectation>() {
        Ok(expectation) => {
            assert!(expectation.value.is_finite(), "{expectation:?}");
            let again: Expectation = expectation.to_string().parse().expect("it can be read again");
            assert_eq!(again, expectation);
        }
        Err(message) => assert!(!message.is_empty()),
    }
});
