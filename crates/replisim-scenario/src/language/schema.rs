//! What a JSON Schema says of one place: a node behind its references, lists and maybes.

use serde_json::Value;

/// A place in a schema.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a> {
    /// What the place itself says.
    own: &'a Value,
    /// What its type says.
    body: &'a Value,
    /// The name of its type.
    pub(super) definition: Option<&'a str>,
    /// How deep in lists its type stands.
    lists: u32,
}

/// A part of a place.
pub(super) struct Part<'a> {
    pub(super) name: String,
    pub(super) node: Node<'a>,
    pub(super) required: bool,
    /// One of several, of which one is taken.
    pub(super) choice: bool,
    /// May stand as a bare word.
    pub(super) bare: bool,
}

impl<'a> Node<'a> {
    /// The whole schema.
    pub(super) fn root(schema: &'a Value) -> Node<'a> {
        Node { own: schema, body: schema, definition: None, lists: 0 }
    }

    /// What stands behind a property.
    fn behind(own: &'a Value, schema: &'a Value) -> Node<'a> {
        let mut node = Node { own, body: own, definition: None, lists: 0 };
        loop {
            let body = node.body;
            if let Some(name) = body["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/"))
            {
                node.definition = Some(name);
                node.body = &schema["$defs"][name];
            } else if let Some(alternative) = body["anyOf"].as_array().and_then(|any| substance(any)) {
                node.body = alternative;
            } else if body["items"].is_object() {
                node.lists += 1;
                node.body = &body["items"];
            } else {
                return node;
            }
        }
    }

    /// Fields, choices, or what stands under names of one's own.
    pub(super) fn parts(&self, schema: &'a Value) -> Vec<Part<'a>> {
        let body = self.body;
        if let Some(fields) = body["properties"].as_object() {
            let required = |name: &str| has(&body["required"], name);
            let part = |(name, own): (&String, &'a Value)| Part {
                name: name.clone(),
                node: Node::behind(own, schema),
                required: required(name),
                // a fault stands beside `at` and `for`, one of its kinds
                choice: body["oneOf"].as_array().into_iter().flatten().any(|one| has(&one["required"], name)),
                bare: false,
            };
            return fields.iter().map(part).collect();
        }
        if let Some(alternatives) = body["oneOf"].as_array() {
            let mut parts: Vec<Part> = Vec::new();
            for alternative in alternatives {
                let (name, own, bare) =
                    match alternative["properties"].as_object().and_then(|it| it.iter().next()) {
                        Some((name, own)) => (name.as_str(), own, false),
                        None => (alternative["const"].as_str().unwrap_or_default(), alternative, true),
                    };
                match parts.iter_mut().find(|part| part.name == name) {
                    Some(known) => known.bare = true,
                    None => parts.push(Part {
                        name: name.to_owned(),
                        node: Node::behind(own, schema),
                        required: false,
                        choice: true,
                        bare,
                    }),
                }
            }
            return parts;
        }
        let values = &body["additionalProperties"];
        if values.is_object() {
            let node = Node::behind(values, schema);
            return vec![Part {
                name: "<name>".to_owned(),
                node,
                required: false,
                choice: false,
                bare: false,
            }];
        }
        Vec::new()
    }

    /// What the place means, or else what its type means.
    pub(super) fn about(&self) -> String {
        let said = self.own["description"].as_str().or(self.body["description"].as_str());
        said.unwrap_or_default().to_owned()
    }

    /// What holds if it is not given.
    pub(super) fn default(&self) -> Option<String> {
        let default = &self.own["default"];
        let nothing =
            default.is_null() || *default == "" || default.as_object().is_some_and(|it| it.is_empty());
        (!nothing).then(|| written(default))
    }

    /// What may be written there.
    pub(super) fn kind(&self, schema: &'a Value) -> String {
        let one = self.kind_of_one(schema);
        match self.lists {
            0 => one,
            1 => format!("list of {one}"),
            _ => format!("list of lists of {one}"),
        }
    }

    fn kind_of_one(&self, schema: &'a Value) -> String {
        let body = self.body;
        if body["examples"].is_array() {
            return self.definition.map(kebab).unwrap_or_default();
        }
        if let Some(any) = body["anyOf"].as_array() {
            let kinds: Vec<String> = any.iter().map(|one| Node::behind(one, schema).kind(schema)).collect();
            return kinds.join(" or ");
        }
        if let Some(words) = body["enum"].as_array() {
            let words: Vec<String> = words.iter().map(|word| format!("`{}`", written(word))).collect();
            return words.join(", ");
        }
        if body["const"].is_string() {
            return "a bare word".to_owned();
        }
        let plural = self.lists > 0;
        if body["properties"].is_object() {
            return if plural { "entries" } else { "fields" }.to_owned();
        }
        if body["oneOf"].is_array() {
            return if plural { "choices" } else { "one of the choices" }.to_owned();
        }
        let types = &body["type"];
        let named = types.as_str().or_else(|| types[0].as_str()).unwrap_or_default();
        match named {
            "string" => if plural { "texts" } else { "text" }.to_owned(),
            "integer" => match body["minimum"].as_u64() {
                Some(least) if least > 0 => format!("whole number, {least} or more"),
                _ => "whole number".to_owned(),
            },
            "boolean" => "true or false".to_owned(),
            "object" => {
                let values = Node::behind(&body["additionalProperties"], schema);
                format!("names of your own, each with {}", values.kind(schema))
            }
            other => other.to_owned(),
        }
    }
}

/// The alternative that says most, of those that are there for a `null`, or for a list of one without brackets.
fn substance(alternatives: &[Value]) -> Option<&Value> {
    let maybe = alternatives.len() == 2
        && alternatives[1]["type"].as_str().is_some_and(|of| of == "null" || of == "string");
    maybe.then(|| &alternatives[0])
}

fn has(names: &Value, name: &str) -> bool {
    names.as_array().is_some_and(|names| names.iter().any(|other| other == name))
}

/// A value as one writes it in YAML on a line.
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name}: {}", written(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// `ReadFrom` as `read-from`.
pub(super) fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for (i, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && i > 0 {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    kebab
}
