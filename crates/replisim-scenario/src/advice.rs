//! Advice for what no slip of the keyboard explains: words of other systems, fields in a wrong place, values without
//! the choice that they belong to.
//!
//! The reader of YAML knows which word it could not place, but nothing of scenarios; this file knows both. First come
//! two small tables, then the JSON Schema, which is made from the types: it knows where else a field of that name
//! stands, and which choice takes a value of that kind.

use std::collections::BTreeSet;

use replisim_engine::{Bandwidth, Bytes, Duration, Rate, Share};
use serde_json::Value;

use crate::scenario::Scenario;
use crate::yaml::Problem;

/// Words that others use: the word, below which path, and what to write here.
const WORDS: &[(&[&str], &str, &str)] = &[
    (&["replicas", "count", "size"], "topology", "name each node: `nodes: { a: place, b: place }`"),
    (
        &["primary", "leader"],
        "topology",
        "the first node is the primary, or `protocol: { primary-backup: { primary: … } }`",
    ),
    (
        &["replicas", "nodes"],
        "protocol.primary-backup",
        "every node but the primary is one; how many have a write: `acknowledge: { semi-sync: { replicas: 1 } }`",
    ),
    (&["leader", "master"], "protocol.primary-backup", "here it is `primary`"),
    (&["replicas", "replication-factor", "n", "N", "nodes"], "protocol.quorum", "here it is `copies`"),
    (&["r", "R", "reads", "read-quorum"], "protocol.quorum", "here it is `read`"),
    (&["w", "W", "writes", "write-quorum"], "protocol.quorum", "here it is `write`"),
    (&["majority"], "protocol.quorum", "here it is `quorum`"),
    (&["name", "type", "kind"], "protocol", "write `protocol: quorum`, or `protocol: { quorum: { … } }`"),
    (&["type", "kind", "fault"], "faults", "the kind is the key: `partition: { isolate: [node] }`"),
    (&["type", "kind"], "workload", "the choice is the key: `arrivals: { poisson: 500/s }`"),
    (
        &["heal", "until", "end", "ends", "duration", "lasts"],
        "faults",
        "a fault ends by itself: write how long it lasts, `for: 10s`",
    ),
    (&["start", "begin", "after"], "faults", "here it is `at`"),
    (&["kill", "down", "stop", "restart"], "faults", "`crash` takes nodes down, `for` says for how long"),
    (&["cut", "split", "disconnect", "isolate"], "faults", "write `partition: { isolate: [node] }`"),
    (&["latency", "delay"], "faults", "write `slow-link: { link: { between: [a, b] }, extra: 50ms }`"),
    (&["rate", "ops", "throughput"], "workload", "write `arrivals: { poisson: 500/s }`"),
    (&["region", "zone", "place", "location"], "workload", "here it is `at`"),
    (&["writes-share", "write"], "workload", "`reads: 90%` leaves 10% for writes"),
];

/// What values look like, by path; for values of a wrong kind.
const VALUES: &[(&str, &str)] = &[
    ("topology.nodes", "name and place of each node, such as `nodes: { a: us, b: eu/zone-1 }`"),
    (
        "protocol.primary-backup.primary",
        "there is one primary; under `protocol: quorum` every node takes writes",
    ),
    ("workload.keys", "for example `keys: { uniform: { count: 1000 } }`"),
    ("clocks", "name and error of each, such as `clocks: { r: { offset: -50ms } }`"),
    ("clients", "name and place of each client, such as `clients: { alice: us }`"),
];

/// Adds what helps to a problem that the reader of YAML has found.
pub(crate) fn advise(problem: &mut Problem) {
    if problem.label.is_some() {
        return;
    }
    let path = without_indices(&problem.path);
    let Some(word) = &problem.word else {
        let above = path.rsplit_once('.').map_or("", |(above, _)| above);
        if let Some((_, advice)) = VALUES.iter().find(|(known, _)| [path.as_str(), above].contains(known)) {
            problem.help.get_or_insert_with(|| (*advice).to_owned());
        }
        return;
    };
    // The path of an unknown field ends in it, or before it.
    let above = path.strip_suffix(word.as_str()).map_or(path.as_str(), |path| path.trim_end_matches('.'));
    let known =
        WORDS.iter().find(|(words, below, _)| words.contains(&word.as_str()) && is_below(above, below));
    if let Some((.., advice)) = known {
        problem.label = Some((*advice).to_owned());
        return;
    }
    let schema = Scenario::json_schema();
    problem.label = elsewhere(&schema, word, above);
    if problem.help.is_none() {
        let value = VALUES.iter().find(|(path, _)| *path == above).map(|(_, advice)| (*advice).to_owned());
        problem.help = chosen(&schema, word, above).or(value);
    }
}

/// `workload[0].keys` as `workload.keys`.
fn without_indices(path: &str) -> String {
    let names = path.split('.').map(|part| part.split('[').next().unwrap_or_default());
    names.collect::<Vec<_>>().join(".")
}

/// Whether a path is another, or leads on from it.
fn is_below(path: &str, above: &str) -> bool {
    above.is_empty() || path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Where else a field of this name stands: around the place it was written at, further in from there, in the same block
/// or anywhere; the first of these that there is. Of more than two places the nearest to the top are meant.
fn elsewhere(schema: &Value, word: &str, above: &str) -> Option<String> {
    let mut places = BTreeSet::new();
    collect(schema, schema, word, "", &mut Vec::new(), &mut places);
    let around = places.iter().filter(|place| is_below(above, place)).max_by_key(|place| place.len());
    if let Some(around) = around {
        let outer = if around.is_empty() { "the file itself".to_owned() } else { format!("`{around}`") };
        return Some(format!("a field of {outer}: move it further out"));
    }
    let block = |path: &str| path.split('.').next().unwrap_or_default().to_owned();
    let inside = |place: &&String| is_below(place, above);
    if let [only] = &places.iter().filter(inside).collect::<Vec<_>>()[..] {
        let below = only[above.len()..].trim_start_matches('.').replace('.', ": ");
        return Some(format!("a field of `{only}`: indent it below `{below}:`"));
    }
    let here = |place: &&String| block(place) == block(above);
    let mut places: Vec<&String> =
        match (places.iter().any(|it| inside(&it)), places.iter().any(|it| here(&it))) {
            (true, _) => places.iter().filter(inside).collect(),
            (false, true) => places.iter().filter(here).collect(),
            (false, false) => places.iter().collect(),
        };
    if places.len() > 2 {
        let depth = |place: &str| place.split('.').count();
        let least = places.iter().map(|place| depth(place)).min();
        places.retain(|place| Some(depth(place)) == least);
    }
    let names: Vec<String> = places.iter().take(2).map(|place| format!("`{place}`")).collect();
    match places.len() {
        0 => None,
        1 | 2 => Some(format!("a field of {}", names.join(" and of "))),
        others => Some(format!("a field of {} and of {} more", names.join(", "), others - 2)),
    }
}

/// Collects the paths below which a field `word` stands. `open` are the definitions on the way, which may be endless.
fn collect<'s>(
    schema: &'s Value,
    node: &'s Value,
    word: &str,
    path: &str,
    open: &mut Vec<&'s str>,
    places: &mut BTreeSet<String>,
) {
    if let Some(name) = node.get("$ref").and_then(Value::as_str) {
        if let Some(definition) = definition(schema, name).filter(|_| !open.contains(&name)) {
            open.push(name);
            collect(schema, definition, word, path, open, places);
            open.pop();
        }
        return;
    }
    for (name, child) in node.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if name == word {
            places.insert(path.to_owned());
        }
        let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        collect(schema, child, word, &below, open, places);
    }
    for child in alternatives(node).chain(node.get("items")) {
        collect(schema, child, word, path, open, places);
    }
}

/// The choice at `path` that takes a value like this, written out.
fn chosen(schema: &Value, text: &str, path: &str) -> Option<String> {
    let mut nodes = vec![schema];
    for name in path.split('.').filter(|name| !name.is_empty()) {
        nodes = nodes
            .into_iter()
            .flat_map(|node| reachable(schema, node))
            .filter_map(|node| child(node, name))
            .collect();
    }
    let choices = nodes.into_iter().flat_map(|node| reachable(schema, node));
    let mut choices =
        choices.filter_map(|node| node.get("properties")?.as_object()).filter(|fields| fields.len() == 1);
    let takes = |content: &Value| match content
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|name| name.rsplit('/').next())
    {
        Some("Duration") => text.parse::<Duration>().is_ok(),
        Some("Rate") => text.parse::<Rate>().is_ok(),
        Some("Share") => text.parse::<Share>().is_ok(),
        Some("Bytes") => text.parse::<Bytes>().is_ok(),
        Some("Bandwidth") => text.parse::<Bandwidth>().is_ok(),
        _ => false,
    };
    let name =
        choices.find_map(|fields| fields.iter().find(|(_, content)| takes(content)).map(|(name, _)| name))?;
    Some(format!("for example `{{ {name}: {text} }}`"))
}

/// A node, its alternatives and, of a list, the items, with definitions looked up.
fn reachable<'s>(schema: &'s Value, node: &'s Value) -> Vec<&'s Value> {
    let node = match node.get("$ref").and_then(Value::as_str).and_then(|name| definition(schema, name)) {
        Some(definition) => definition,
        None => node,
    };
    let inside = alternatives(node).chain(node.get("items"));
    std::iter::once(node).chain(inside.flat_map(|other| reachable(schema, other))).collect()
}

fn alternatives(node: &Value) -> impl Iterator<Item = &Value> {
    ["oneOf", "anyOf"].into_iter().filter_map(|kind| node.get(kind)?.as_array()).flatten()
}

fn child<'s>(node: &'s Value, name: &str) -> Option<&'s Value> {
    let field = node.get("properties").and_then(|fields| fields.get(name));
    field.or_else(|| node.get("additionalProperties").filter(|value| value.is_object()))
}

fn definition<'s>(schema: &'s Value, reference: &str) -> Option<&'s Value> {
    schema.get("$defs")?.get(reference.rsplit('/').next()?)
}
