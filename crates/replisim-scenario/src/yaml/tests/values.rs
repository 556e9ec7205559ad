//! What is accepted, and how it is read.

use replisim_engine::{Duration, Law};

use super::super::{Node, Origin, Problem, Source, Value, did_you_mean, from_node, locate, parse};
use super::{Document, Keys, PrimaryBackup, Protocol, document, read, unindented};

fn value(text: &str) -> Value {
    parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}")).value
}

#[test]
fn plain_scalars_have_the_types_of_yaml_1_2() {
    for text in [
        "90%", "500/s", "250ms", "no", "off", "on", "yes", "1_000", "1.5.2", "--", ".", "inf", "nan", "1e",
        "0x", "12:30",
    ] {
        assert_eq!(value(text), Value::String(text.to_owned()));
    }
    for text in ["'42'", "\"42\"", "|-\n  42"] {
        assert_eq!(value(text), Value::String("42".to_owned()));
    }
    for (text, number) in [("42", 42), ("-7", -7), ("+7", 7), ("007", 7), ("0x1F", 31), ("0o17", 15)] {
        assert_eq!(value(text), Value::Integer(number));
    }
    for (text, number) in
        [("0.9", 0.9), ("1e3", 1000.0), (".5", 0.5), ("-1.", -1.0), ("-.inf", f64::NEG_INFINITY)]
    {
        assert_eq!(value(text), Value::Float(number));
    }
    for (text, flag) in [("true", true), ("False", false), ("TRUE", true)] {
        assert_eq!(value(text), Value::Bool(flag));
    }
    for text in ["null", "~", "---"] {
        assert_eq!(value(text), Value::Null);
    }
}

#[test]
fn a_whole_file_is_read() {
    let config = read(
        &unindented(
            "
            name: quickstart      # a comment
            duration: 60s
            seed: 42
            nodes: { p: Dallas/dal10, a: Dallas/dal12, 1: Frankfurt/fra02 }
            latency: { shifted: { by: 1ms, law: { lognormal: { median: 0.4ms, p99: 1.2ms } } } }
            protocol: primary-backup
            workload:
              - name: readers
                keys: { zipf: { count: 5, theta: 1 } }
                between: [p, a]
            expect: p99(staleness{workload=readers}) < 30s
            faults:
            ",
        ),
        &[],
    )
    .unwrap();
    assert_eq!(config.name.as_deref(), Some("quickstart"));
    assert_eq!(config.nodes.keys().collect::<Vec<_>>(), ["p", "a", "1"], "the order of the file");
    assert_eq!(config.protocol, Some(Protocol::PrimaryBackup(PrimaryBackup::default())));
    assert_eq!(config.workload[0].keys, Some(Keys::Zipf { count: 5, theta: 1.0 }));
    assert_eq!(config.expect, ["p99(staleness{workload=readers}) < 30s"], "one text for a list");
    assert!(config.faults.is_empty(), "nothing for a list");
    assert!(matches!(config.latency, Some(Law::Shifted { by, .. }) if by == Duration::from_millis(1)));
}

#[test]
fn a_choice_has_three_ways_to_say_all_defaults() {
    for text in ["primary-backup", "{ primary-backup: }", "{ primary-backup: {} }"] {
        let config = read(&format!("duration: 1s\nprotocol: {text}"), &[]).unwrap();
        assert_eq!(config.protocol, Some(Protocol::PrimaryBackup(PrimaryBackup::default())), "{text}");
    }
    for text in ["gossip", "{ gossip: }", "{ gossip: {} }"] {
        assert_eq!(
            read(&format!("duration: 1s\nprotocol: {text}"), &[]).unwrap().protocol,
            Some(Protocol::Gossip)
        );
    }
}

#[test]
fn aliases_stand_for_what_they_name() {
    let root = parse("a: &x { b: [1, 2] }\nc: *x\n").unwrap();
    assert_eq!(root.get("c"), root.get("a"));
}

#[test]
fn keys_are_read_as_what_the_type_asks_for() {
    let root = parse("1: a\n20: b\n").unwrap();
    let by_number: std::collections::BTreeMap<u64, &str> = from_node(&root).unwrap();
    assert_eq!(by_number, [(1, "a"), (20, "b")].into());
    let by_text: std::collections::BTreeMap<&str, String> = from_node(&root).unwrap();
    assert_eq!(by_text, [("1", "a".to_owned()), ("20", "b".to_owned())].into());
    let problem = from_node::<std::collections::BTreeMap<u64, String>>(&parse("x: a").unwrap()).unwrap_err();
    assert_eq!(problem.to_string(), "x: expected a whole number, 0 or more, found the text `x`");
}

#[test]
fn a_problem_knows_its_path() {
    let path = |text: &str| read(text, &[]).unwrap_err().problem.path;
    assert_eq!(
        path("duration: 1s\nfaults:\n- at: 5s\n- { at: 1s, partition: { isolate: [a, [b]] } }"),
        "faults[1].partition.isolate[1]"
    );
    assert_eq!(
        path("duration: 1s\nworkload: [{ name: w, keys: { zipf: { count: x } } }]"),
        "workload[0].keys.zipf.count"
    );
    assert_eq!(path("duration: 1s\nworkload: [{ name: w, keys: { zipf: {} } }]"), "workload[0].keys.zipf");
    assert_eq!(path("duration: 1s\nlatency: uniform"), "latency.uniform");
    assert_eq!(path("duration: x"), "duration");
    assert_eq!(path("seed: 5"), "");
    assert_eq!(path("sed: 5"), "sed");
}

#[test]
fn a_path_leads_to_the_text_or_as_near_as_there_is_text() {
    let text = unindented(
        "
        expect: one
        faults:
          - name: cut
            partition: { isolate: [r1, 'r2'] }
            for:
        ",
    );
    let root = parse(&text).unwrap();
    let place = |path: &str| match locate(&root, path) {
        Origin::File { line, column, length } => (line, column, length),
        other => panic!("{other:?}"),
    };
    assert_eq!(place("faults[0].partition.isolate[1]"), (4, 32, 4));
    assert_eq!(place("faults.cut.partition.isolate"), (4, 27, 10));
    assert_eq!(place("faults[0].for"), (5, 5, 3), "the key of an empty value");
    assert_eq!(place("faults[0].partition.with-clients"), (4, 16, 23), "the nearest ancestor");
    assert_eq!(place("faults[0]"), (3, 5, 9), "the first line of a map");
    assert_eq!(place("faults[7].at"), (3, 3, 11));
    assert_eq!(place("expect[0]"), (1, 9, 3), "one text for a list");
    assert_eq!(place("nowhere"), (1, 1, 11));
    assert_eq!(place(""), (1, 1, 11));
    assert_eq!(place("..[["), (1, 1, 11));
}

#[test]
fn a_later_check_needs_a_path_only() {
    let document = document("nodes: { p: Dallas }\nisolate: [p, r9]\n", &[]).unwrap();
    let problem = Problem::of("isolate[1]", "no node `r9`").label("the nodes: `p`");
    let expected = "
        error: no node `r9`
          --> test.yaml:2:14
           |
         2 | isolate: [p, r9]
           |              ^^ the nodes: `p`
    ";
    assert_eq!(document.diagnostic(problem).render(false), unindented(expected));
}

#[test]
fn the_caret_counts_characters() {
    let shown = |text: &str| read(text, &[]).unwrap_err().to_string();
    let expected = "error: unknown field `größe`\n  --> test.yaml:1:20\n   |\n 1 | { nodes: { ü: é }, größe: 5 }\n   |                    ^^^^^";
    assert_eq!(shown("{ nodes: { ü: é }, größe: 5 }").split("\n   |\n   =").next(), Some(expected));
    let tabbed = shown("{ seed:\t5,\t\twarmpu: 5s }");
    assert!(
        tabbed.contains(" 1 | { seed: 5,  warmpu: 5s }\n   |             ^^^^^^ did you mean `warmup`?"),
        "{tabbed}"
    );
    let windows = shown("seed: 5\r\nwarmpu: 5s\r\n");
    assert!(windows.contains(":2:1\n   |\n 2 | warmpu: 5s\n   | ^^^^^^ did"), "{windows}");
    let marked = shown("\u{feff}warmpu: 5s\n");
    assert!(marked.contains(":1:1\n   |\n 1 | warmpu: 5s\n   | ^^^^^^ did"), "{marked}");
}

#[test]
fn a_long_line_is_cut_around_the_caret() {
    let text = format!("{{ name: {}, warmpu: 5s, expect: {} }}", "a".repeat(300), "b".repeat(300));
    let message = read(&text, &[]).unwrap_err().to_string();
    let lines: Vec<&str> = message.lines().collect();
    assert!(lines[3].starts_with(" 1 | …aaa") && lines[3].ends_with("bbb…"), "{message}");
    assert!(lines[3].chars().count() < 130, "{message}");
    let caret = lines[4].find('^').unwrap();
    assert_eq!(lines[3].chars().skip(caret).take(6).collect::<String>(), "warmpu", "{message}");
}

#[test]
fn colour_changes_nothing_but_the_colour() {
    let diagnostic = read("warmpu: 5s", &[]).unwrap_err();
    let (plain, mut coloured) = (diagnostic.render(false), diagnostic.render(true));
    assert!(coloured.starts_with("\x1b[1;31merror\x1b[0m"));
    for code in ["\x1b[1;31m", "\x1b[1;34m", "\x1b[1m", "\x1b[0m"] {
        coloured = coloured.replace(code, "");
    }
    assert_eq!(coloured, plain);
}

#[test]
fn the_margin_is_as_wide_as_the_number() {
    let text = format!("duration: 1s\n{}warmpu: 5s\n", "\n".repeat(98));
    let message = read(&text, &[]).unwrap_err().to_string();
    let expected = "error: unknown field `warmpu`\n    --> test.yaml:100:1\n     |\n 100 | warmpu: 5s\n     | ^^^^^^ did";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn suggestions_are_a_slip_or_an_abbreviation_away() {
    let names = ["acknowledge", "ship-every", "batch", "heartbeat"];
    for (word, suggestion) in [
        ("acknowlegde", Some("acknowledge")),
        ("ack", Some("acknowledge")),
        ("ship_every", Some("ship-every")),
        ("shipEvery", Some("ship-every")),
        ("Batch", Some("batch")),
        ("x", None),
        ("", None),
        ("timeout", None),
    ] {
        assert_eq!(did_you_mean(word, names).as_deref(), suggestion, "{word}");
    }
}

#[test]
fn a_tree_made_by_hand_is_read_too() {
    let origin = Origin::Override { index: 0, offset: 0, length: 0 };
    let root = Node { origin, value: Value::List(vec![Node { origin, value: Value::Integer(5) }]) };
    assert_eq!(from_node::<Vec<u8>>(&root).unwrap(), [5]);
    let source = Source { text: "5".to_owned(), ..Source::default() };
    assert_eq!(
        Document::new(source).unwrap().read::<[u8; 1]>().unwrap_err().problem.message,
        "expected a list of 1, found the number 5"
    );
}
