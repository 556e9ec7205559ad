//! What is asked for: everything, some of the parts, or single rows by name; thoroughly, or just to see that it runs.

use std::cell::RefCell;
use std::collections::BTreeSet;

/// The arguments.
pub struct Asked {
    pub quick: bool,
    names: Vec<String>,
    /// Those of the names that something has.
    known: RefCell<BTreeSet<String>>,
}

impl Asked {
    /// Refuses flags that there are not.
    pub fn new(arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
        let (flags, names): (Vec<String>, Vec<String>) =
            arguments.partition(|argument| argument.starts_with("--"));
        match flags.iter().find(|flag| *flag != "--quick") {
            Some(flag) => Err(format!("there is no {flag}: only --quick")),
            None => Ok(Asked { quick: !flags.is_empty(), names, known: RefCell::default() }),
        }
    }

    /// Whether a row is asked for, by its name or with its part.
    pub fn wants(&self, part: &str, row: &str) -> bool {
        let named = || self.names.iter().filter(|name| *name == part || *name == row);
        self.known.borrow_mut().extend(named().cloned());
        self.names.is_empty() || named().next().is_some()
    }

    /// The first of the names that nothing had that was looked for.
    pub fn unknown(&self) -> Option<&String> {
        self.names.iter().find(|name| !self.known.borrow().contains(*name))
    }

    /// How often a thing is to be done of which `thorough` times are enough.
    pub fn rounds(&self, thorough: usize) -> usize {
        if self.quick { 1 } else { thorough }
    }
}
