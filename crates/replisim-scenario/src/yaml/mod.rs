//! The YAML front end: text and `--set` arguments in, any `serde` type or one located [`Diagnostic`] out.
//!
//! The idea is a tree in the middle. The library parser gives events with positions; [`parse()`] folds them into a
//! [`Node`] that remembers where every key and value was written; [`apply`] splices overrides into that tree; and
//! [`from_node`] is a small `serde` deserialiser over it. Because every node knows its [`Origin`], an error is located
//! no matter which layer finds it, and a later check ("no such node") needs only a path to [`locate`] the text.
//!
//! It knows nothing of scenarios: no defaults, no units, no file access. It leaves out what a configuration language
//! can do without: tags (`!!str`), merge keys (`<<`), several documents in a file, keys that are not text.

mod de;
mod diagnostic;
mod failure;
mod locate;
mod node;
mod overrides;
mod parse;
mod path;
mod problem;
mod scalar;
mod suggest;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::Deserialize;

pub use self::de::from_node;
pub use self::diagnostic::{Diagnostic, Source};
pub use self::locate::locate;
pub(crate) use self::node::shortened;
pub use self::node::{Key, Node, Origin, Value};
pub use self::overrides::apply;
pub use self::parse::parse;
pub use self::problem::Problem;
pub use self::suggest::did_you_mean;

/// A YAML text with its overrides applied, ready to be read as a type and to be pointed into.
#[derive(Clone, Debug)]
pub struct Document {
    source: Arc<Source>,
    root: Node,
}

impl Document {
    /// Parses a text and applies `--set` arguments (`path=value`) from left to right.
    pub fn new(source: Source) -> Result<Document, Diagnostic> {
        let source = Arc::new(source);
        let build = || {
            let mut root = parse(&source.text)?;
            for (index, argument) in source.overrides.iter().enumerate() {
                apply(&mut root, index, argument)?;
            }
            Ok(root)
        };
        match build() {
            Ok(root) => Ok(Document { root, source }),
            Err(problem) => Err(Diagnostic { problem, source }),
        }
    }

    /// Reads the document as a `T`.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Diagnostic> {
        from_node(&self.root).map_err(|problem| self.diagnostic(problem))
    }

    /// The tree, after the overrides.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// The texts that it was made from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Shows a problem in this document's text. A problem that has only a path is placed where the path leads.
    pub fn diagnostic(&self, mut problem: Problem) -> Diagnostic {
        problem.origin.get_or_insert_with(|| locate(&self.root, &problem.path));
        Diagnostic { problem, source: Arc::clone(&self.source) }
    }
}
