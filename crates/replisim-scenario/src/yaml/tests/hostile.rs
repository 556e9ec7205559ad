//! Input made to hurt is refused, soon and without a panic.

use std::time::{Duration, Instant};

use super::super::{Value, parse};
use super::{document, read};

/// Generous for a debug build on a busy machine; what it guards against takes minutes.
const SOON: Duration = Duration::from_secs(20);

#[test]
#[allow(clippy::disallowed_methods)] // the wall clock is what is tested
fn hostile_texts_are_refused_soon() {
    let laughs: String =
        (1..30).map(|i| format!("a{i}: &a{i} [{}]\n", format!("*a{},", i - 1).repeat(10))).collect();
    let deep_aliases: String = (1..2000).map(|i| format!("a{i}: &a{i} [*a{}]\n", i - 1)).collect();
    let stairs: String = (0..1000).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    for (name, text, message) in [
        ("lists", "[".repeat(100_000), "lists and maps are nested more than 64 deep"),
        ("block lists", "- ".repeat(100_000), "lists and maps are nested more than 64 deep"),
        ("maps", "{a: ".repeat(100_000), "lists and maps are nested more than 64 deep"),
        (
            "mixed",
            format!("{}{}{}", "- ".repeat(40), "[".repeat(40), "]".repeat(40)),
            "lists and maps are nested more than 64 deep",
        ),
        ("stairs", stairs, "lists and maps are nested more than 64 deep"),
        ("explicit keys", "? ".repeat(100_000), "a key must be text, not a list, a map or an alias"),
        ("laughs", format!("a0: &a0 lol\n{laughs}"), "more than 1000000 values"),
        (
            "deep aliases",
            format!("a0: &a0 lol\n{deep_aliases}"),
            "lists and maps are nested more than 64 deep",
        ),
        ("self-reference", "&a [*a]".to_owned(), "this alias stands inside of what it refers to"),
        ("large", format!("a: {}", "x".repeat(10_000_000)), "the file is larger than 8 MiB"),
        ("many", format!("[{}]", "a,".repeat(1_500_000)), "more than 1000000 values"),
        ("wide", format!("[{}]", "a: 1,".repeat(1_500_000)), "more than 1000000 values"),
        ("NUL", "a: b\0c".to_owned(), "the character U+0000 cannot stand in YAML text"),
        ("escape", "a: \x1b[31m".to_owned(), "the character U+001B cannot stand in YAML text"),
        ("tab", "a:\n\tb: 1".to_owned(), "a tab cannot indent a line"),
        ("empty", String::new(), "the file is empty"),
        ("comments", "# nothing\n\n# at all\n".to_owned(), "the file is empty"),
        ("documents", "---\n".repeat(100_000), "a second document starts here"),
        ("anchors", "&a ".repeat(100_000), "expected the end of the text"),
        ("no key", ": x".to_owned(), "a key is missing before the `:`"),
    ] {
        let start = Instant::now();
        match parse(&text) {
            Ok(_) => panic!("{name} is accepted"),
            Err(problem) => assert_eq!(problem.message, message, "{name}"),
        }
        assert!(start.elapsed() < SOON, "{name} took {:?}", start.elapsed());
    }
}

#[test]
fn a_legitimate_file_of_two_megabytes_passes() {
    let text: String = (0..100_000).map(|i| format!("key{i}: {{ a: 1, b: x }}\n")).collect();
    assert!(text.len() > 2_000_000);
    assert!(matches!(parse(&text).unwrap().value, Value::Map(entries) if entries.len() == 100_000));
}

#[test]
fn hostile_overrides_are_refused() {
    let refused = |argument: &str| document("duration: 1s", &[argument]).unwrap_err().problem.message;
    assert_eq!(refused(&format!("{}=1", "a.".repeat(100_000) + "a")), "the path is too long");
    assert_eq!(refused(&format!("a{}=1", "[0]".repeat(100_000))), "the path is too long");
    assert_eq!(refused(&format!("a={}", "[".repeat(100_000))), "lists and maps are nested more than 64 deep");
    assert_eq!(refused("a[99999999999999999999999]=1"), "expected an index like `[0]`");
    assert_eq!(refused("a[]=1"), "expected an index like `[0]`");
    assert_eq!(refused("a[0=1"), "expected an index like `[0]`");
    assert_eq!(refused("a=\0"), "the character U+0000 cannot stand in YAML text");
}

#[test]
fn an_endless_value_makes_no_endless_message() {
    let message = read(&format!("duration: {}", "x".repeat(1_000_000)), &[]).unwrap_err().to_string();
    assert!(message.chars().count() < 1000, "{} characters", message.chars().count());
}

/// Every character of a valid text replaced and preceded in turn by each that means something in YAML.
#[test]
fn no_slip_of_the_keyboard_makes_it_panic() {
    let text = "duration: 60s\nlatency: { lognormal: { median: 0.4ms } }\nprotocol: quorum\nworkload:\n  - name: 'ü'\n    reads: 10%\nexpect: |\n  a\n";
    let overrides = "workload[0].keys={ zipf: { count: 5 } }";
    let slips: Vec<char> = ":-,[]{}#&*!|>'\"%@`?~<\\.= \t\n\rx5ü\u{feff}\u{2028}".chars().collect();
    for text_is_file in [true, false] {
        let original: Vec<char> = if text_is_file { text } else { overrides }.chars().collect();
        for at in 0..original.len() {
            for &slip in &slips {
                for removed in 0..2 {
                    let mut changed = original.clone();
                    changed.splice(at..at + removed, [slip]);
                    let changed: String = changed.into_iter().collect();
                    let result = if text_is_file { read(&changed, &[]) } else { read(text, &[&changed]) };
                    if let Err(diagnostic) = result {
                        assert!(diagnostic.problem.origin.is_some(), "{changed}");
                        assert!(diagnostic.render(true).contains('^'), "{changed}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_law_as_deep_as_allowed_is_read() {
    let law =
        |depth| format!("{}constant: 1s{}", "shifted: { by: 1s, law: { ".repeat(depth), " } }".repeat(depth));
    let path = format!("latency{}", ".shifted.law".repeat(31));
    assert!(read(&format!("duration: 1s\nlatency: {{ {} }}", law(31)), &[]).is_ok());
    let twice_as_deep = read("duration: 1s", &[&format!("{path}={{ {} }}", law(31))]);
    assert!(twice_as_deep.unwrap_err().to_string().contains("the field `by` is missing"));
}
