//! Replays the fuzz corpus, whole and cut short: an error or a scenario that says itself again, never a panic.

use std::fs;
use std::path::Path;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use replisim_engine::random::below;
use replisim_scenario::{Expectation, LoadError, Loaded};

const QUICKSTART: &str = include_str!("../../../scenarios/quickstart.yaml");
/// What the target `csv` gives its tables to.
const BETWEEN: &str = include_str!("../../../fuzz/between-us-and-eu.yaml");

fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    assert!(files.len() >= 30, "the corpus of `{target}` is gone");
    files
}

fn load(text: &str, overrides: &[String]) -> Option<Loaded> {
    let no_files = |_: &str| Err("no files here".to_owned());
    match Loaded::from_text("corpus.yaml", "corpus", text.to_owned(), overrides, no_files) {
        Ok(loaded) => Some(loaded),
        Err(error) => {
            assert!(error.to_string().starts_with("error: "), "{error}");
            None
        }
    }
}

/// Whether the text is a scenario; if so, it must say itself again.
fn check(text: &str) -> bool {
    check_with(text, &[])
}

/// The same after `overrides`.
fn check_with(text: &str, overrides: &[String]) -> bool {
    let Some(loaded) = load(text, overrides) else { return false };
    let yaml = loaded.scenario.to_yaml().unwrap();
    let again = load(&yaml, &[]).unwrap_or_else(|| panic!("cannot be read again:\n{yaml}"));
    assert_eq!(loaded.scenario, again.scenario, "\n{yaml}");
    true
}

#[test]
fn every_scenario_of_the_corpus_loads_or_says_why_not() {
    let mut scenarios = 0;
    for (name, bytes) in corpus("scenario") {
        let text = String::from_utf8_lossy(&bytes);
        println!("{name}");
        scenarios += usize::from(check(&text));
        for cut in 1..8 {
            let end = text.len() * cut / 8;
            let end = (0..=end).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            check(&text[..end]);
        }
    }
    assert!(scenarios >= 15, "only {scenarios} of the corpus are scenarios");
}

#[test]
fn every_override_of_the_corpus_applies_or_says_why_not() {
    let mut applied = 0;
    for (name, bytes) in corpus("set") {
        println!("{name}");
        let lines: Vec<String> = String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect();
        applied += usize::from(check_with(QUICKSTART, &lines));
        if let [line] = &lines[..] {
            for cut in 1..8 {
                let short: String = line.chars().take(line.chars().count() * cut / 8).collect();
                check_with(QUICKSTART, &[short]);
            }
        }
    }
    assert!(applied >= 15, "only {applied} overrides apply");
}

/// Whether the text is a table of round-trip times that the scenario can use.
fn check_table(text: &str) -> bool {
    match Loaded::from_text("corpus.yaml", "corpus", BETWEEN.to_owned(), &[], |_| Ok(text.to_owned())) {
        Ok(loaded) => loaded.referenced("times.csv") == Some(text),
        Err(error @ LoadError::Wrong(_)) => {
            assert!(error.to_string().contains('^'), "{text}: {error}");
            false
        }
        Err(error) => panic!("{text}: {error}"),
    }
}

/// Whether the text is an expectation; if so, it must say itself again.
fn check_expectation(text: &str) -> bool {
    match text.parse::<Expectation>() {
        Ok(expectation) => {
            assert!(expectation.value.is_finite(), "{text}");
            assert_eq!(expectation.to_string().parse(), Ok(expectation), "{text}");
            true
        }
        Err(message) => {
            assert!(!message.is_empty(), "{text}");
            false
        }
    }
}

/// Checks every file of a corpus, whole and cut short; those that are right are those not called `bad-…`.
fn check_corpus(target: &str, check: impl Fn(&str) -> bool) {
    for (name, bytes) in corpus(target) {
        println!("{name}");
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(check(&text), !name.starts_with("bad-"), "{name}");
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            check(&text[..end]);
        }
    }
}

#[test]
fn every_table_of_the_corpus_is_used_or_pointed_into() {
    check_corpus("csv", check_table);
}

#[test]
fn every_expectation_of_the_corpus_says_itself_or_why_not() {
    check_corpus("expect", check_expectation);
}

#[test]
fn mutated_scenarios_never_panic() {
    const SEED: u64 = 20_261_123;
    println!("seed {SEED}");
    let mut stream = ChaCha8Rng::seed_from_u64(SEED);
    let corpus: Vec<_> = corpus("scenario").into_iter().filter(|(_, bytes)| bytes.len() < 3_000).collect();
    for _ in 0..3_000 {
        let mut draw = |n: usize| below(&mut stream, n as u64) as usize;
        let mut bytes = corpus[draw(corpus.len())].1.clone();
        for _ in 0..1 + draw(4) {
            let (other, at) = (&corpus[draw(corpus.len())].1, draw(bytes.len() + 1));
            match draw(4) {
                0 if at < bytes.len() => bytes[at] = b"{}[]:,-#&*!|>'\"%@`\t\n 09azAZ"[draw(27)],
                1 => bytes.truncate(at),
                2 if !other.is_empty() => {
                    let from = draw(other.len());
                    let to = (from + 1 + draw(40)).min(other.len());
                    bytes.splice(at..at, other[from..to].iter().copied());
                }
                _ if at < bytes.len() => drop(bytes.remove(at)),
                _ => {}
            }
        }
        check(&String::from_utf8_lossy(&bytes));
    }
}
