//! What is wrong with an input, where, and what to do about it; without the text in which it is wrong, which
//! [`Diagnostic`](super::Diagnostic) adds.

use std::fmt;

use super::node::Origin;

/// One thing that is wrong with the input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where; `None` until known, see [`Document::diagnostic`](super::Document::diagnostic).
    pub origin: Option<Origin>,
    /// Path of the offending value, such as `workload[0].arrivals.poisson`; may be empty.
    pub path: String,
    /// What is wrong, in one line.
    pub message: String,
    /// A few words that stand right beside the offending text.
    pub label: Option<String>,
    /// What to do, or what would be allowed.
    pub help: Option<String>,
    /// The word that has no meaning here, where that is the problem.
    pub word: Option<String>,
}

impl Problem {
    /// A problem with a message only.
    pub fn new(message: impl Into<String>) -> Problem {
        let path = String::new();
        Problem { origin: None, path, message: message.into(), label: None, help: None, word: None }
    }

    /// A problem of the value at a path.
    pub fn of(path: impl Into<String>, message: impl Into<String>) -> Problem {
        Problem { path: path.into(), ..Problem::new(message) }
    }

    /// The same at a place.
    pub fn at(self, origin: Origin) -> Problem {
        Problem { origin: Some(origin), ..self }
    }

    /// The same with a few words beside the offending text.
    pub fn label(self, label: impl Into<String>) -> Problem {
        Problem { label: Some(label.into()), ..self }
    }

    /// The same, of a word that has no meaning here.
    pub fn word(self, word: impl Into<String>) -> Problem {
        Problem { word: Some(word.into()), ..self }
    }

    /// The same with a way out.
    pub fn help(self, help: impl Into<String>) -> Problem {
        Problem { help: Some(help.into()), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}
