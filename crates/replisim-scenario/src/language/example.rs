//! A snippet for each place of the language. Where the meaning of a field needs others beside it, the snippet that it
//! goes into stands in the table below; the rest is made out of the schema.
//!
//! Every snippet loads: put into [`FRAME`], in place of its section or behind the items that are there.

use serde_json::{Map, Value};

use super::{Entry, Language};
use crate::yaml::{Document, Source};

/// A scenario with something of everything that snippets name.
pub const FRAME: &str = "\
duration: 60s
topology:
  preset: ibm-cloud
  nodes: { primary: Dallas/dal10, standby: Dallas/dal12, remote: Frankfurt/fra02 }
protocol: { primary-backup: { failover: manual } }
workload:
  - { name: writers, at: Dallas/dal10, arrivals: { poisson: 100/s }, reads: 10% }
clients: { alice: Dallas/dal10 }
";

/// What a snippet for a path, and for what lies below it, starts from: the content of its section. Of several that fit,
/// the longest path counts.
const STARTS: &[(&str, &str)] = &[
    ("name", "my-scenario"),
    ("about", "What an asynchronous replica serves while it is cut off."),
    ("answer", "Reads miss up to {max(staleness)}."),
    ("question", "How stale can a read in Frankfurt get?"),
    ("seed", "42"),
    ("duration", "60s"),
    ("warmup", "5s"),
    ("settle", "60s"),
    (
        "topology",
        "{ preset: ibm-cloud, nodes: { primary: Dallas/dal10, standby: Dallas/dal12, remote: Frankfurt/fra02 } }",
    ),
    (
        "topology.rtt-file",
        "{ rtt-file: my-rtts.csv, nodes: { primary: Dallas/dal10, standby: Dallas/dal12, remote: Frankfurt/fra02 } }",
    ),
    (
        "topology.rtts",
        "{ rtts: [{ between: [Dallas, Frankfurt], rtt: 123ms }], nodes: { primary: Dallas/dal10, standby: Dallas/dal12, \
         remote: Frankfurt/fra02 } }",
    ),
    (
        "topology.rtts.from",
        "{ rtts: [{ from: Dallas, to: Frankfurt, rtt: 123ms }, { from: Frankfurt, to: Dallas, rtt: 124ms }], nodes: { \
         primary: Dallas/dal10, standby: Dallas/dal12, remote: Frankfurt/fra02 } }",
    ),
    (
        "topology.rtts.to",
        "{ rtts: [{ from: Dallas, to: Frankfurt, rtt: 123ms }, { from: Frankfurt, to: Dallas, rtt: 124ms }], nodes: { \
         primary: Dallas/dal10, standby: Dallas/dal12, remote: Frankfurt/fra02 } }",
    ),
    ("groups", "{ count: 2, members: 3 }"),
    ("network", "{ cross-region: { jitter: { lognormal: { median: 1ms, p99: 10ms } } } }"),
    ("network.default.latency", "{ default: { latency: { constant: 5ms } } }"),
    ("network.default.jitter", "{ default: { jitter: { exponential: { mean: 5ms } } } }"),
    (
        "network.default.kinds.request.latency",
        "{ default: { kinds: { request: { latency: { constant: 5ms } } } } }",
    ),
    (
        "network.default.kinds.request.jitter",
        "{ default: { kinds: { request: { jitter: { exponential: { mean: 5ms } } } } } }",
    ),
    ("network.links.latency", "{ links: [{ between: [primary, remote], latency: { constant: 5ms } }] }"),
    (
        "network.links.jitter",
        "{ links: [{ between: [primary, remote], jitter: { exponential: { mean: 5ms } } }] }",
    ),
    ("network.routing", "{ routing: shortest-surviving-path }"),
    ("network.default", "{ default: {} }"),
    (
        "network.default.latency.lognormal",
        "{ default: { latency: { lognormal: { median: 1ms, p99: 10ms } } } }",
    ),
    (
        "network.default.latency.lognormal.mu",
        "{ default: { latency: { lognormal: { mu: 0.5, sigma: 0.8 } } } }",
    ),
    (
        "network.default.latency.lognormal.sigma",
        "{ default: { latency: { lognormal: { mu: 0.5, sigma: 0.8 } } } }",
    ),
    (
        "network.default.latency.mixture",
        "{ default: { latency: { mixture: [{ weight: 9, law: { exponential: { mean: 1ms } } }, { weight: 1, law: { \
         pareto: { scale: 5ms, shape: 2.5 } } }] } } }",
    ),
    ("network.default.latency.pareto", "{ default: { latency: { pareto: { scale: 1ms, shape: 2.5 } } } }"),
    ("network.default.latency.uniform", "{ default: { latency: { uniform: { least: 1ms, most: 3ms } } } }"),
    (
        "network.default.latency.shifted",
        "{ default: { latency: { shifted: { by: 20ms, law: { exponential: { mean: 1ms } } } } } }",
    ),
    ("network.default.latency.empirical", "{ default: { latency: { empirical: { file: my-delays.csv } } } }"),
    ("network.default.duplicate", "{ default: { ordered: false, duplicate: 1% } }"),
    ("network.default.kinds", "{ default: { kinds: { replicate: { latency: { constant: 5ms } } } } }"),
    ("network.links", "{ links: [{ between: [primary, remote], bandwidth: 100Mbit/s }] }"),
    ("network.links.from", "{ links: [{ from: primary, to: remote, bandwidth: 100Mbit/s }] }"),
    ("network.links.to", "{ links: [{ from: primary, to: remote, bandwidth: 100Mbit/s }] }"),
    ("network.links.duplicate", "{ links: [{ between: [primary, remote], ordered: false, duplicate: 1% }] }"),
    ("disk", "{ fsync: { lognormal: { median: 1ms, p99: 10ms } } }"),
    ("clocks", "{ primary: { offset: -50ms, drift: 100ppm } }"),
    ("protocol", "{ primary-backup: { acknowledge: semi-sync, failover: automatic } }"),
    ("protocol.primary-backup.primary", "{ primary-backup: { primary: standby } }"),
    ("protocol.primary-backup.acknowledge", "{ primary-backup: {} }"),
    (
        "protocol.primary-backup.acknowledge.semi-sync.replicas",
        "{ primary-backup: { acknowledge: { semi-sync: { replicas: 2 } } } }",
    ),
    ("protocol.primary-backup.failover", "{ primary-backup: { failover: automatic } }"),
    (
        "protocol.primary-backup.failover.automatic.after",
        "{ primary-backup: { failover: { automatic: { after: 3s } } } }",
    ),
    (
        "protocol.primary-backup.failover.automatic.promote.order",
        "{ primary-backup: { failover: { automatic: { promote: { order: [standby, remote] } } } } }",
    ),
    ("protocol.quorum", "{ quorum: { read: 2, write: 2 } }"),
    ("protocol.quorum.hints.sloppy", "{ quorum: { copies: 2, hints: sloppy } }"),
    ("protocol.quorum.copies", "{ quorum: { copies: 3 } }"),
    ("protocol.quorum.read", "{ quorum: { read: one } }"),
    ("protocol.quorum.write", "{ quorum: { write: one } }"),
    ("workload", "[{ name: readers, at: Frankfurt/fra02, arrivals: { poisson: 500/s }, reads: 90% }]"),
    ("workload.arrivals", "[{ name: readers, at: Frankfurt/fra02, reads: 90% }]"),
    (
        "workload.writes",
        "[{ name: shop, at: Dallas/dal10, arrivals: { poisson: 100/s }, reads: 50%, writes: { put: 70%, delete: 30% } }]",
    ),
    (
        "workload.keys.latest",
        "[{ name: feed, at: Dallas/dal10, arrivals: { poisson: 100/s }, reads: 95%, writes: add, keys: latest }]",
    ),
    (
        "workload.arrivals.read-after-ack",
        "[{ name: followers, at: Frankfurt/fra02, arrivals: { read-after-ack: { of: writers, after: { constant: 10ms } } } }]",
    ),
    (
        "workload.consistency.bounded",
        "[{ name: readers, at: Frankfurt/fra02, arrivals: { poisson: 500/s }, reads: 90%, consistency: { bounded: { \
         staleness: 2s } } }]",
    ),
    (
        "workload.read-from.node",
        "[{ name: readers, at: Frankfurt/fra02, arrivals: { poisson: 500/s }, reads: 90%, read-from: { node: remote } }]",
    ),
    ("clients", "{ bob: Frankfurt/fra02 }"),
    ("script", "[{ at: 1s, client: alice, put: cart }, { at: 2s, client: alice, get: cart }]"),
    ("script.put", "[{ at: 1s, client: alice, put: cart }]"),
    ("script.delete", "[{ at: 1s, client: alice, delete: cart }]"),
    ("script.compare-and-set", "[{ at: 1s, client: alice, compare-and-set: cart }]"),
    ("script.read-modify-write", "[{ at: 1s, client: alice, read-modify-write: cart }]"),
    ("script.get", "[{ at: 2s, client: alice, get: cart }]"),
    ("script.consistency", "[{ at: 2s, client: alice, get: cart }]"),
    ("script.read-from", "[{ at: 2s, client: alice, get: cart }]"),
    ("script.timeout", "[{ at: 2s, client: alice, get: cart }]"),
    ("faults", "[{ at: 20s, partition: { isolate: [remote] }, for: 10s }]"),
    ("faults.at", "[{ at: 20s, partition: { isolate: [remote] }, for: 10s }]"),
    ("faults.for", "[{ at: 20s, partition: { isolate: [remote] }, for: 10s }]"),
    ("faults.mtbf", "[{ crash: { nodes: [standby, remote] }, mtbf: 10m, mttr: 30s }]"),
    ("faults.mttr", "[{ crash: { nodes: [standby, remote] }, mtbf: 10m, mttr: 30s }]"),
    ("faults.name", "[{ at: 20s, name: transatlantic cut, partition: { isolate: [remote] }, for: 10s }]"),
    ("faults.if-supported", "[{ at: 20s, promote: { node: standby }, if-supported: true }]"),
    ("faults.partition", "[{ at: 20s, partition: { isolate: [remote] }, for: 10s }]"),
    (
        "faults.partition.groups",
        "[{ at: 20s, partition: { groups: [[primary], [standby, remote]] }, for: 10s }]",
    ),
    ("faults.partition.from", "[{ at: 20s, partition: { from: [primary], to: [remote] }, for: 10s }]"),
    ("faults.partition.to", "[{ at: 20s, partition: { from: [primary], to: [remote] }, for: 10s }]"),
    ("faults.crash", "[{ at: 20s, crash: { nodes: [primary] }, for: 10s }]"),
    ("faults.pause", "[{ at: 20s, pause: { nodes: [primary] }, for: 3s }]"),
    (
        "faults.slow-link",
        "[{ at: 20s, slow-link: { link: { between: [primary, remote] }, factor: 3 }, for: 10s }]",
    ),
    (
        "faults.slow-link.link.from",
        "[{ at: 20s, slow-link: { link: { from: primary, to: remote }, factor: 3 }, for: 10s }]",
    ),
    (
        "faults.slow-link.link.to",
        "[{ at: 20s, slow-link: { link: { from: primary, to: remote }, factor: 3 }, for: 10s }]",
    ),
    (
        "faults.lossy-link",
        "[{ at: 20s, lossy-link: { link: { between: [primary, remote] }, loss: 2% }, for: 10s }]",
    ),
    (
        "faults.flapping-link",
        "[{ at: 20s, flapping-link: { link: { between: [primary, remote] }, down: 800ms, up: 1.2s }, for: 10s }]",
    ),
    ("faults.zone-outage", "[{ at: 20s, zone-outage: { zone: Dallas/dal10 }, for: 10s }]"),
    ("faults.region-outage", "[{ at: 20s, region-outage: { region: Dallas }, for: 10s }]"),
    ("faults.clock-step", "[{ at: 20s, clock-step: { nodes: [primary], by: -2s } }]"),
    ("faults.promote", "[{ at: 20s, promote: { node: standby } }]"),
    ("expect", "[p99(staleness) < 30s, lost_writes == 0]"),
];

impl Language {
    /// A snippet in which the entry stands, from the section on.
    pub fn example(&self, entry: &Entry) -> String {
        let (section, _) = entry.path.split_once('.').unwrap_or((&entry.path, ""));
        let content = self.example_value(&entry.path);
        let mut snippet = Map::new();
        snippet.insert(section.to_owned(), content);
        let mut text = String::new();
        block(&Value::Object(snippet), 0, &mut text);
        text
    }

    /// The content of the section in which the path lies.
    fn example_value(&self, path: &str) -> Value {
        let start = STARTS
            .iter()
            .filter(|(of, _)| {
                path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
            .max_by_key(|(of, _)| of.len());
        let mut value = start.map_or(Value::Null, |(of, yaml)| {
            parsed(yaml).unwrap_or_else(|error| panic!("the snippet for `{of}`: {error}"))
        });
        let names: Vec<&str> = path.split('.').skip(1).collect();
        let (section, _) = path.split_once('.').unwrap_or((path, ""));
        self.put(&mut value, section.to_owned(), &names);
        value
    }

    /// Makes sure that the place below `value` is there.
    fn put(&self, value: &mut Value, path: String, names: &[&str]) {
        let Some((name, below)) = names.split_first() else { return };
        let item = match value {
            Value::Array(items) => match items.first_mut() {
                Some(first) => first,
                None => return,
            },
            other => other,
        };
        let at = format!("{path}.{name}");
        let Some(entry) = self.find(&at) else { return };
        if *name == "<name>" {
            if let Some((_, first)) = item.as_object_mut().and_then(|names| names.iter_mut().next()) {
                self.put(first, at, below);
            }
            return;
        }
        let of_fault = path == "faults";
        if entry.choice && !of_fault && item.get(name).is_none() && *item != **name {
            *item = Value::Null; // another choice
        }
        if below.is_empty() && entry.bare && item.get(name).is_none() {
            *item = Value::from(*name);
            return;
        }
        if !item.is_object() {
            *item = Value::Object(Map::new());
        }
        let Value::Object(fields) = item else { return };
        if !fields.contains_key(*name) {
            fields.insert((*name).to_owned(), self.sample(&entry));
        }
        self.put(&mut fields[*name], at, below);
    }

    /// Something that may stand there.
    fn sample(&self, entry: &Entry) -> Value {
        let one = match &entry.parts_at {
            Some(at) => {
                let mut fields = Map::new();
                for part in self.parts(at) {
                    if part.bare {
                        return Value::from(part.name());
                    }
                    if part.required || (part.choice && fields.is_empty()) {
                        fields.insert(part.name().to_owned(), self.sample(part));
                    }
                }
                Value::Object(fields)
            }
            None => self.sample_of_kind(entry),
        };
        if entry.kind.starts_with("list") { Value::Array(vec![one]) } else { one }
    }

    fn sample_of_kind(&self, entry: &Entry) -> Value {
        let quantity =
            self.quantities().into_iter().find(|quantity| Some(&quantity.name) == entry.type_name.as_ref());
        if let Some(example) = quantity.and_then(|quantity| quantity.examples.into_iter().next()) {
            return Value::from(example);
        }
        match entry.kind.as_str() {
            "true or false" => Value::from(entry.default.as_deref() != Some("true")),
            "number" => Value::from(1.5),
            kind if kind.starts_with("whole number") => {
                Value::from(entry.default.as_deref().and_then(|text| text.parse::<u64>().ok()).unwrap_or(2))
            }
            _ => Value::from("name"),
        }
    }
}

/// A YAML text without regard to what it means.
pub fn parsed(yaml: &str) -> Result<Value, String> {
    let source = Source { name: "snippet".to_owned(), text: yaml.to_owned(), ..Source::default() };
    let read = Document::new(source).and_then(|document| document.read());
    read.map_err(|diagnostic| diagnostic.render(false))
}

/// How wide a line of a snippet may be.
const WIDTH: usize = 84;

/// Writes a value in block style, and what is short in flow style.
fn block(value: &Value, indent: usize, text: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let flow = flow(value);
                if indent > 0 && indent + name.len() + 2 + flow.chars().count() <= WIDTH || !nests(value) {
                    *text += &format!("{pad}{name}: {flow}\n");
                } else {
                    *text += &format!("{pad}{name}:\n");
                    block(value, indent + 2, text);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                let flow = flow(item);
                if indent + 2 + flow.chars().count() <= WIDTH || !nests(item) {
                    *text += &format!("{pad}- {flow}\n");
                } else {
                    let mut inner = String::new();
                    block(item, indent + 2, &mut inner);
                    *text += &format!("{pad}- {}", inner.trim_start());
                }
            }
        }
        other => *text += &format!("{pad}{}\n", flow(other)),
    }
}

fn nests(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

/// A value on one line; texts that YAML would take for something else are quoted.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text) if text.contains(['{', '}', ',', '#']) || text.contains(": ") => {
            format!("\"{text}\"")
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) if !fields.is_empty() => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name}: {}", flow(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        other => super::schema::written(other),
    }
}
