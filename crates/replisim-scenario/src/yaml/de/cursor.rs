//! A position in the tree, the path to it, and the errors that a position can tell best.

use std::fmt::{self, Display};

use serde::de::{Error as _, Visitor};

use super::super::failure::Failure;
use super::super::node::{Key, Node, Origin, Value};
use super::super::problem::Problem;
use super::super::suggest::listed;
use super::access::{Entries, Items};

/// A value, where it was written, and how we came to it.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a, 'p> {
    pub(super) value: &'a Value,
    pub(super) origin: Origin,
    pub(super) path: &'p Path<'p>,
}

/// The way from the root, as a list on the stack.
pub(super) enum Path<'p> {
    Root,
    Key { above: &'p Path<'p>, text: &'p str, origin: Origin },
    Item { above: &'p Path<'p>, index: usize },
}

impl Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Key { above: Path::Root, text, .. } => f.write_str(text),
            Path::Key { above, text, .. } => write!(f, "{above}.{text}"),
            Path::Item { above, index } => write!(f, "{above}[{index}]"),
        }
    }
}

impl<'a> Cursor<'a, '_> {
    /// Where to point for what concerns a map as a whole, such as a missing field: at its key, if it has one.
    fn home(&self) -> Origin {
        match self.path {
            Path::Key { origin, .. } if origin.same_source(self.origin) => *origin,
            _ => self.origin,
        }
    }

    /// The name of this position in a message.
    fn name(&self) -> String {
        match self.path {
            Path::Key { text, .. } => format!("`{text}`"),
            _ => "this".to_owned(),
        }
    }

    pub(super) fn its_fields(&self, fields: &[&str]) -> String {
        let whose = if let Path::Key { text, .. } = self.path {
            format!("the fields of `{text}`")
        } else {
            "its fields".to_owned()
        };
        format!("{whose}: {}", listed(fields.iter().copied()))
    }

    pub(super) fn fail(&self, message: impl Into<String>) -> Failure {
        Failure::new(Problem::new(message)).at(self.origin, self.path)
    }

    pub(super) fn visit_list<V: Visitor<'a>>(
        self,
        items: &'a [Node],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let mut access = Items { items: items.iter().enumerate(), path: self.path };
        let value = visitor.visit_seq(&mut access).map_err(|failure| failure.at(self.origin, self.path))?;
        match access.items.len() {
            0 => Ok(value),
            rest => {
                Err(self.fail(format!("expected a list of {}, found {}", items.len() - rest, items.len())))
            }
        }
    }

    pub(super) fn visit_entries<V: Visitor<'a>>(
        self,
        visitor: V,
        fields: &[&str],
    ) -> Result<V::Value, Failure> {
        let entries: &[(Key, Node)] = if let Value::Map(entries) = self.value { entries } else { &[] };
        let access = Entries { entries: entries.iter(), current: None, path: self.path };
        visitor.visit_map(access).map_err(|failure| match failure.missing() {
            Some(field) => self.explain_missing(field, fields),
            // A type that reads its keys as texts refuses one only after it has been read.
            None => match entries.iter().find(|(key, _)| failure.unknown() == Some(&key.text)) {
                Some((key, _)) => failure.at(key.origin, self.path),
                None => failure.at(self.home(), self.path),
            },
        })
    }

    fn explain_missing(self, field: &str, fields: &[&str]) -> Failure {
        let mut problem = Problem::new(format!("the field `{field}` is missing"));
        if let (Value::Null, Path::Key { text, .. }) = (self.value, self.path) {
            problem.message = format!("`{text}` needs fields: `{field}` is missing");
            problem = problem.help(format!("write `{text}: {{ {field}: … }}`; {}", self.its_fields(fields)));
        } else if !fields.is_empty() {
            problem = problem.help(self.its_fields(fields));
        }
        Failure::new(problem).at(self.home(), self.path)
    }

    /// Two keys or more, where a choice takes one.
    pub(super) fn ambiguous(self, entries: &[(Key, Node)], choices: &'static [&'static str]) -> Failure {
        let is_choice = |key: &Key| choices.contains(&key.text.as_str());
        let chosen = entries.iter().map(|(key, _)| key).find(|key| is_choice(key));
        if let Some((key, _)) = entries.iter().find(|(key, _)| !is_choice(key)) {
            let failure = Failure::unknown_variant(&key.text, choices).at(key.origin, self.path);
            return match chosen {
                Some(chosen)
                    if key.origin.is_override()
                        && !chosen.origin.same_source(key.origin)
                        && !failure.is_near() =>
                {
                    let text = &chosen.text;
                    let path = format!("{}.{text}.{}", self.path, key.text);
                    failure.help(format!(
                        "{} is `{text}`, whose fields are set with --set {path}=…",
                        self.name()
                    ))
                }
                _ => failure,
            };
        }
        let (last, others) = (&entries[entries.len() - 1].0, &entries[..entries.len() - 1]);
        let counted = if entries.len() == 2 { "two".to_owned() } else { entries.len().to_string() };
        let names = listed(others.iter().map(|(key, _)| key.text.as_str()));
        let message = format!("{} names {counted}: {names} and `{}`; keep one", self.name(), last.text);
        let failure = Failure::new(Problem::new(message)).at(last.origin, self.path);
        match chosen {
            Some(first) if last.origin.is_override() && !first.origin.is_override() => failure.help(format!(
                "{} is `{}`; first select the other with --set {}={}",
                self.name(),
                first.text,
                self.path,
                last.text
            )),
            _ => failure,
        }
    }

    pub(super) fn unchosen(&self, found: &str, choices: &[&str]) -> Failure {
        self.fail(format!("expected one of {}, found {found}", listed(choices.iter().copied())))
    }
}
