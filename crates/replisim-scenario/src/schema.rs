//! What the derived JSON Schema does not know of the language: a variant may stand as a bare tag (`protocol:
//! primary-backup`), meaning all its defaults, and a list of one may stand without brackets.

use serde_json::{Value, json};

/// Adds the bare form of every tagged variant, and the single form of lists of texts, to a schema.
pub(crate) fn allow_bare_tags(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Array(variants)) = object.get_mut("oneOf") {
                let tags: Vec<Value> = variants.iter().filter_map(tag).collect();
                variants.extend(tags.into_iter().map(|tag| json!({ "const": tag })));
            }
            object.values_mut().for_each(allow_bare_tags);
            for field in ["expect", "of"] {
                if let Some(list) = object.get_mut("properties").and_then(|fields| fields.get_mut(field)) {
                    *list = json!({ "anyOf": [list.take(), { "type": "string" }] });
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(allow_bare_tags),
        _ => {}
    }
}

/// The tag of an externally tagged variant with content: an object with exactly one, required, property.
fn tag(variant: &Value) -> Option<Value> {
    let properties = variant.get("properties")?.as_object()?;
    let required = variant.get("required")?.as_array()?;
    (properties.len() == 1 && required.len() == 1).then(|| required[0].clone())
}
