//! From a path to the place in the text, for checks that come after reading and know only what is wrong with what.

use super::node::{Node, Origin, Value};
use super::path::{Segment, segments};

/// Where the value at a path like `faults[0].partition.isolate[1]` was written; where it was not written at all, its
/// nearest ancestor that was, in the last resort the root.
pub fn locate(root: &Node, path: &str) -> Origin {
    let (mut node, mut origin) = (root, root.origin);
    for segment in segments(path).unwrap_or_default() {
        let Some((child, place)) = child(node, &segment) else { break };
        (node, origin) = (child, place);
    }
    origin
}

/// The child and the place to point at, which is the key where the value is empty.
fn child<'n>(node: &'n Node, segment: &Segment) -> Option<(&'n Node, Origin)> {
    match &node.value {
        Value::Map(entries) => {
            let (key, child) = entries.iter().find(|(key, _)| key.text == segment.text)?;
            Some((child, if child.value == Value::Null { key.origin } else { child.origin }))
        }
        Value::List(items) => {
            let item = &items[list_item(items, segment)?];
            Some((item, item.origin))
        }
        _ => None,
    }
}

/// The position of a list's item that is addressed by its `name` or by its index.
pub(crate) fn list_item(items: &[Node], segment: &Segment) -> Option<usize> {
    let named = || items.iter().position(|item| item.name() == Some(&segment.text));
    let indexed = || segment.index().filter(|&index| index < items.len());
    if segment.bracketed { indexed() } else { named().or_else(indexed) }
}
