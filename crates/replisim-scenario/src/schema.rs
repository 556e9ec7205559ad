//! What the derived JSON Schema does not know of the language: a variant may stand as a bare tag (`protocol:
//! primary-backup`), meaning all its defaults; a list of one may stand without brackets; and a description is one
//! paragraph, and stands where an editor looks for it.

use serde_json::{Map, Value, json};

/// Completes a schema.
pub(crate) fn complete(schema: &mut Value) {
    let definitions = schema["$defs"].clone();
    complete_with(schema, &definitions);
}

fn complete_with(schema: &mut Value, definitions: &Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::String(description)) = object.get_mut("description") {
                *description = description.replace('\n', " ");
            }
            if let Some(Value::Array(variants)) = object.get_mut("oneOf") {
                variants.iter_mut().for_each(describe_content);
                let bare: Vec<Value> =
                    variants.iter().filter_map(|variant| bare_tag(variant, definitions)).collect();
                variants.extend(bare);
            }
            object.values_mut().for_each(|value| complete_with(value, definitions));
            for field in ["expect", "of"] {
                if let Some(list) = object.get_mut("properties").and_then(|fields| fields.get_mut(field)) {
                    *list = list_or_one(list.take());
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| complete_with(item, definitions)),
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

/// The bare form of an externally tagged variant whose content may be empty.
fn bare_tag(variant: &Value, definitions: &Value) -> Option<Value> {
    let tag = tag(variant)?;
    if !may_be_empty(&variant["properties"][&tag], definitions) {
        return None;
    }
    let mut bare = json!({ "const": tag });
    if let Some(about) = variant.get("description") {
        bare["description"] = about.clone();
    }
    Some(bare)
}

/// Whether all that stands in a content has a default.
fn may_be_empty(content: &Value, definitions: &Value) -> bool {
    let reference = content["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/"));
    let content = reference.map_or(content, |name| &definitions[name]);
    let empty = content["minProperties"].is_null();
    content["type"] == "object" && empty && content["required"].as_array().is_none_or(Vec::is_empty)
}

/// The tag of an externally tagged variant with content: an object with exactly one, required, property.
fn tag(variant: &Value) -> Option<String> {
    let properties = variant.get("properties")?.as_object()?;
    let required = variant.get("required")?.as_array()?;
    let only = properties.len() == 1 && required.len() == 1;
    only.then(|| required[0].as_str().map(str::to_owned)).flatten()
}
