//! Tables of input and the message that a person gets, against a small language of the real one's shape.

mod hostile;
mod messages;
mod overrides;
mod syntax;
mod values;

use indexmap::IndexMap;
use replisim_engine::{Duration, Law, Share};
use serde::Deserialize;

use super::{Diagnostic, Document, Source};

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Config {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    seed: u64,
    duration: Duration,
    #[serde(default)]
    warmup: Duration,
    #[serde(default)]
    nodes: IndexMap<String, String>,
    #[serde(default)]
    latency: Option<Law>,
    #[serde(default)]
    protocol: Option<Protocol>,
    #[serde(default)]
    workload: Vec<Workload>,
    #[serde(default)]
    faults: Vec<Fault>,
    #[serde(default)]
    expect: Vec<String>,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Protocol {
    PrimaryBackup(PrimaryBackup),
    Quorum(Quorum),
    Gossip,
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct PrimaryBackup {
    acknowledge: Acknowledge,
    ship_every: Duration,
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Acknowledge {
    #[default]
    Async,
    SemiSync,
    Sync,
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Quorum {
    read: u8,
    write: u8,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Workload {
    name: String,
    #[serde(default)]
    reads: Option<Share>,
    #[serde(default)]
    keys: Option<Keys>,
    #[serde(default)]
    between: Option<[String; 2]>,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Keys {
    Uniform { count: u64 },
    Zipf { count: u64, theta: f64 },
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Fault {
    at: Duration,
    #[serde(default)]
    partition: Option<Partition>,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Partition {
    isolate: Vec<String>,
}

fn document(text: &str, overrides: &[&str]) -> Result<Document, Diagnostic> {
    let overrides = overrides.iter().map(|argument| (*argument).to_owned()).collect();
    Document::new(Source { name: "test.yaml".to_owned(), text: text.to_owned(), overrides })
}

fn read(text: &str, overrides: &[&str]) -> Result<Config, Diagnostic> {
    document(text, overrides)?.read()
}

/// Cuts the indentation and the empty first and last line of a text in a table.
fn unindented(text: &str) -> String {
    let text = text.strip_prefix('\n').unwrap_or(text).trim_end();
    let indent =
        text.lines().filter(|line| !line.is_empty()).map(|line| line.len() - line.trim_start().len()).min();
    let lines = text.lines().map(|line| line.get(indent.unwrap_or(0)..).unwrap_or_default());
    lines.map(|line| format!("{line}\n")).collect()
}

/// Asserts that the text with its overrides is refused with this message.
#[track_caller]
fn check(text: &str, overrides: &[&str], expected: &str) {
    let message = match read(&unindented(text), overrides) {
        Ok(config) => panic!("accepted: {config:?}"),
        Err(diagnostic) => diagnostic.render(false),
    };
    let expected = unindented(expected);
    assert!(message == expected, "found:\n{message}\nexpected:\n{expected}");
}
