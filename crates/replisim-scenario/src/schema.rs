//! What the derived JSON Schema does not know of the language: a variant may stand as a bare tag (`protocol:
//! primary-backup`), meaning all its defaults; a list of one may stand without brackets; and a description is one
//! paragraph, and stands where an editor looks for it.

use serde_json::{Map, Value, json};

/// Completes a schema.
pub(crate) fn complete(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::String(description)) = object.get_mut("description") {
                *description = description.replace('\n', " ");
            }
            if let Some(Value::Array(variants)) = object.get_mut("oneOf") {
                variants.iter_mut().for_each(describe_content);
                let bare: Vec<Value> = variants.iter().filter_map(bare_tag).collect();
                variants.extend(bare);
            }
            object.values_mut().for_each(complete);
            for field in ["expect", "of"] {
                if let Some(list) = object.get_mut("properties").and_then(|fields| fields.get_mut(field)) {
                    *list = list_or_one(list.take());
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(complete),
        _ => {}
    }
}

/// A list of texts, or one text without brackets.
fn list_or_one(mut list: Value) -> Value {
    let about = list.as_object_mut().and_then(|list| list.shift_remove("description"));
    let mut either = Map::new();
    either.extend(about.map(|about| ("description".to_owned(), about)));
    either.insert("anyOf".to_owned(), json!([list, { "type": "string" }]));
    Value::Object(either)
}

/// Writes what is said of a variant at its content too, unless something is said there.
fn describe_content(variant: &mut Value) {
    let (Some(tag), Some(about)) = (tag(variant), variant.get("description").cloned()) else { return };
    if let Some(Value::Object(content)) = variant["properties"].get_mut(&tag) {
        content.entry("description").or_insert(about);
    }
}

/// The bare form of an externally tagged variant with content.
fn bare_tag(variant: &Value) -> Option<Value> {
    let mut bare = json!({ "const": tag(variant)? });
    if let Some(about) = variant.get("description") {
        bare["description"] = about.clone();
    }
    Some(bare)
}

/// The tag of an externally tagged variant with content: an object with exactly one, required, property.
fn tag(variant: &Value) -> Option<String> {
    let properties = variant.get("properties")?.as_object()?;
    let required = variant.get("required")?.as_array()?;
    let only = properties.len() == 1 && required.len() == 1;
    only.then(|| required[0].as_str().map(str::to_owned)).flatten()
}
