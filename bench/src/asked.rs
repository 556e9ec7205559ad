//! What is asked for: everything, some of the parts, or single rows by name; thoroughly, or just to see that it runs.

/// The arguments.
pub struct Asked {
    pub quick: bool,
    names: Vec<String>,
}

impl Asked {
    pub fn new(arguments: impl Iterator<Item = String>) -> Asked {
        let (flags, names): (Vec<String>, Vec<String>) =
            arguments.partition(|argument| argument.starts_with("--"));
        Asked { quick: flags.iter().any(|flag| flag == "--quick"), names }
    }

    /// Whether a row is asked for, by its name or with its part.
    pub fn wants(&self, part: &str, row: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| name == part || name == row)
    }

    /// How often a thing is to be done of which `thorough` times are enough.
    pub fn rounds(&self, thorough: usize) -> usize {
        if self.quick { 1 } else { thorough }
    }
}
