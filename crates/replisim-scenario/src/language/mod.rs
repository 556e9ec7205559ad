//! The scenario language as something to look things up in: every field, choice and value with what it means, its type
//! and its default. All of it is read out of the JSON Schema, which comes from the code, so nothing is said twice.
//!
//! - `schema`: what a schema says of one place; here: the places in order, and how to find one by its path.
//! - `example`: a snippet for each place; `reference`: all places as a page (`docs/scenario.md`).
//!
//! A type that stands in several places (a law, the settings of a link) is spelled out in the first; the others say
//! where.

mod example;
mod reference;
mod schema;

use serde_json::Value;

use crate::scenario::Scenario;
use schema::Node;

pub use example::{FRAME, parsed};

/// A field, a choice or a value of the language.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// Where it stands: names with dots between, lists without an index, `<name>` for a name of your own.
    pub path: String,
    /// What it means.
    pub about: String,
    /// What may be written there.
    pub kind: String,
    /// What holds if it is not given.
    pub default: Option<String>,
    /// Whether it must be given.
    pub required: bool,
    /// Whether it is one of several choices, of which one is taken.
    pub choice: bool,
    /// Whether it may stand as a bare word.
    pub bare: bool,
    /// Where its parts are listed: its own path, or that of another place with the same parts; `None` without parts.
    pub parts_at: Option<String>,
    /// The name of its type, if it has one.
    pub type_name: Option<String>,
}

/// A type with a unit, or a word for one: what may be written, by example.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quantity {
    /// Its name.
    pub name: String,
    /// What it is and how it is written.
    pub about: String,
    /// Such as these.
    pub examples: Vec<String>,
}

/// The whole language.
#[derive(Clone, Debug)]
pub struct Language {
    schema: Value,
    entries: Vec<Entry>,
}

impl Entry {
    /// The last name of its path.
    pub fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }

    /// The path of what it is part of; empty at the top.
    pub fn parent(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(parent, _)| parent)
    }

    /// The first sentence of what it means.
    pub fn summary(&self) -> &str {
        let about = self.about.as_str();
        let end = about.find(". ").map_or(about.len(), |end| end + 1);
        about[..end].trim_end_matches('.')
    }
}

impl Default for Language {
    fn default() -> Language {
        Language::new()
    }
}

impl Language {
    /// The language that this version speaks.
    pub fn new() -> Language {
        let mut language = Language { schema: Scenario::json_schema(), entries: Vec::new() };
        let mut entries = Vec::new();
        language.spell_out(&Node::root(&language.schema), "", &mut Vec::new(), &mut entries);
        language.entries = entries;
        language
    }

    /// Every entry, in the order of the language.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The parts of a place: fields, or the choices that there are. Of the empty path: the sections of a scenario.
    pub fn parts<'a>(&'a self, path: &str) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| entry.parent() == path)
    }

    /// The places that have the parts which are listed at `path`, that one among them.
    pub fn places<'a>(&'a self, path: &str) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| entry.parts_at.as_deref() == Some(path))
    }

    /// The entry at a path as a person writes it, which may go through the name or the index of an item of a list.
    /// The path of the answer is the one asked for.
    pub fn find(&self, path: &str) -> Option<Entry> {
        let path = path.replace('[', ".").replace(']', "");
        let mut names = path.split('.').filter(|name| !name.is_empty()).peekable();
        let (mut at, mut written) = (String::new(), String::new());
        let mut found: Option<Entry> = None;
        while let Some(name) = names.next() {
            let part = |name: &str| self.parts(&at).find(|entry| entry.name() == name);
            let Some(entry) = part(name).or_else(|| part("<name>")) else {
                // the name or index of an item
                if found.as_ref().is_some_and(|entry| entry.kind.starts_with("list"))
                    && names.peek().is_some()
                {
                    continue;
                }
                return None;
            };
            // `clocks.offset`: the name of one's own was left out
            let skipped = entry.name() == "<name>" && name != "<name>";
            let below =
                entry.parts_at.as_deref().and_then(|at| self.parts(at).find(|part| part.name() == name));
            let entry = if skipped { below.unwrap_or(entry) } else { entry };
            written += if written.is_empty() { "" } else { "." };
            written += entry.path.strip_prefix(&at).unwrap_or(entry.name()).trim_start_matches('.');
            at = entry.parts_at.clone().unwrap_or_else(|| entry.path.clone());
            found = Some(Entry { path: written.clone(), ..entry.clone() });
        }
        found
    }

    /// Types that are written with a unit.
    pub fn quantities(&self) -> Vec<Quantity> {
        let definitions = self.schema["$defs"].as_object().into_iter().flatten();
        let quantities = definitions.filter(|(_, of)| of["examples"].is_array());
        quantities
            .map(|(name, of)| Quantity {
                name: schema::kebab(name),
                about: of["description"].as_str().unwrap_or_default().to_owned(),
                examples: of["examples"].as_array().into_iter().flatten().map(schema::written).collect(),
            })
            .collect()
    }

    /// Adds the parts of a node, and theirs, unless its type has been spelled out already.
    fn spell_out(
        &self,
        node: &Node,
        path: &str,
        spelled: &mut Vec<(String, String)>,
        entries: &mut Vec<Entry>,
    ) {
        for part in node.parts(&self.schema) {
            let part_path = if path.is_empty() { part.name.clone() } else { format!("{path}.{}", part.name) };
            let parts = part.node.parts(&self.schema);
            let known = part.node.definition.and_then(|of| spelled.iter().find(|(name, _)| name == of));
            let parts_at = known.map(|(_, at)| at).unwrap_or(&part_path);
            entries.push(Entry {
                about: part.node.about(),
                kind: part.node.kind(&self.schema),
                default: part.node.default(),
                required: part.required,
                choice: part.choice,
                bare: part.bare,
                parts_at: (!parts.is_empty()).then(|| parts_at.clone()),
                type_name: part.node.definition.map(schema::kebab),
                path: part_path.clone(),
            });
            if parts.is_empty() || known.is_some() {
                continue;
            }
            if let Some(definition) = part.node.definition {
                spelled.push((definition.to_owned(), part_path.clone()));
            }
            self.spell_out(&part.node, &part_path, spelled, entries);
        }
    }
}
