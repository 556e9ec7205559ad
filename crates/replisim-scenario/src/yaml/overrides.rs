//! `--set path=value`: one value of the tree replaced from the command line.
//!
//! The value is YAML itself. What the path needs on its way is made: missing maps, and a bare tag
//! (`protocol: quorum`) becomes a map (`protocol: { quorum: }`). Whether the path means anything is not decided here;
//! the type that is read afterwards knows its fields, and the new nodes know that they come from the command line.

use super::locate::list_item;
use super::node::{Key, Node, Origin, Value};
use super::parse::parse_fragment;
use super::path::{Segment, segments};
use super::problem::Problem;
use super::suggest::{did_you_mean, listed};

/// Applies the override `index` of the command line, `argument` being its `path=value`.
pub fn apply(root: &mut Node, index: usize, argument: &str) -> Result<(), Problem> {
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    let whole = |offset, length| Origin::Override { index, offset, length };
    let Some((path, value)) = argument.split_once('=') else {
        let problem = Problem::new("expected `path=value`").at(whole(0, count(argument)));
        return Err(problem.help("for example `--set duration=10s` or `--set workload.readers.reads=90%`"));
    };
    let segments = segments(path.trim_end()).map_err(|bad| {
        Problem::new(bad.message)
            .at(whole(bad.offset, 1))
            .help("a path is like `workload.readers.reads` or `faults[0].at`")
    })?;
    if segments.is_empty() {
        let problem = Problem::new("a path is missing before the `=`").at(whole(0, 1));
        return Err(problem.help("for example `--set duration=10s`"));
    }
    let value = parse_fragment(value, index, count(path) + 1)?;
    let mut node = root;
    for (depth, segment) in segments.iter().enumerate() {
        let origin = whole(segment.offset, segment.length());
        let above: String = path.chars().take(segment.offset as usize).collect();
        let above = if depth == 0 { "the file" } else { above.trim_end_matches(['.', '[']) };
        node = step(node, segment, origin, above)?;
    }
    *node = value;
    Ok(())
}

/// One step down, making what is not there.
fn step<'n>(
    node: &'n mut Node,
    segment: &Segment,
    origin: Origin,
    above: &str,
) -> Result<&'n mut Node, Problem> {
    if let Some(value) = unfolded(node, segment) {
        *node = Node { origin, value };
    }
    let words = node.value.in_words();
    match &mut node.value {
        Value::Map(entries) if !segment.bracketed => {
            let found = entries.iter().position(|(key, _)| key.text == segment.text);
            let at = found.unwrap_or_else(|| {
                entries
                    .push((Key { text: segment.text.clone(), origin }, Node { origin, value: Value::Null }));
                entries.len() - 1
            });
            Ok(&mut entries[at].1)
        }
        Value::List(items) => match list_item(items, segment) {
            Some(at) => Ok(&mut items[at]),
            None => Err(no_such_item(items, segment, above).at(origin)),
        },
        _ => Err(Problem::new(format!("`{above}` is {words}: it has no `{}`", segment.text)).at(origin)),
    }
}

/// The value that has room for children, where the present one is a short form: nothing, a bare tag, one item for a list.
fn unfolded(node: &Node, segment: &Segment) -> Option<Value> {
    match &node.value {
        Value::Null if segment.bracketed => Some(Value::List(Vec::new())),
        Value::Null => Some(Value::Map(Vec::new())),
        Value::String(_) if segment.index().is_some() => Some(Value::List(vec![node.clone()])),
        Value::String(tag) => {
            let key = Key { text: tag.clone(), origin: node.origin };
            Some(Value::Map(vec![(key, Node { origin: node.origin, value: Value::Null })]))
        }
        _ => None,
    }
}

fn no_such_item(items: &[Node], segment: &Segment, above: &str) -> Problem {
    let names: Vec<&str> = items.iter().filter_map(Node::name).collect();
    if segment.index().is_some() || names.is_empty() {
        let many = match items.len() {
            0 => "is empty".to_owned(),
            1 => "has 1 item, `[0]`".to_owned(),
            n => format!("has {n} items, `[0]` to `[{}]`", n - 1),
        };
        return Problem::new(format!("no item `{}`: `{above}` {many}", segment.text));
    }
    let mut problem = Problem::new(format!("no item of `{above}` has the name `{}`", segment.text));
    let has_field = items.iter().find(|item| item.get(&segment.text).is_some()).and_then(Node::name);
    problem.label = match (has_field, did_you_mean(&segment.text, names.iter().copied())) {
        (Some(name), _) => Some(format!("of which item? such as `{above}.{name}.{}`", segment.text)),
        (None, near) => near.map(|name| format!("did you mean `{name}`?")),
    };
    problem.help(format!("its items: {}", listed(names)))
}

fn count(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}
