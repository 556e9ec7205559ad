//! The tree between YAML text and typed values, in which every key and value remembers where it was written.
//!
//! Maps keep the order of the file, because order means something in a scenario (the first node is the primary) and
//! because errors then come in reading order. The tree holds no comments and no quoting style.

/// A value and where it was written.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// Where the value was written; of a block list or map, its first line.
    pub origin: Origin,
    /// The value.
    pub value: Value,
}

/// A value, typed by the YAML 1.2 core schema: `no` and `90%` are strings, `0.9` and `42` are numbers.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// `null`, `~`, or nothing at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i128),
    /// A number with a point or an exponent, or a whole number too large for [`Value::Integer`].
    Float(f64),
    /// Any other scalar, and every quoted one.
    String(String),
    /// A list.
    List(Vec<Node>),
    /// A map in the order of the file; keys are unique.
    Map(Vec<(Key, Node)>),
}

/// A key of a map. Keys are always text: `1: x` has the key `1`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// The key itself, without quotes.
    pub text: String,
    /// Where it was written.
    pub origin: Origin,
}

/// Where something was written. Positions and lengths count characters, not bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// In the file.
    File {
        /// Line, from 1.
        line: u32,
        /// Column, from 1.
        column: u32,
        /// Length; it may run past the end of the line where a text has several lines.
        length: u32,
    },
    /// In an argument of `--set`.
    Override {
        /// Which argument, from 0.
        index: u32,
        /// Characters of the argument before the place.
        offset: u32,
        /// Length.
        length: u32,
    },
}

impl Node {
    /// The value of a key, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(k, _)| k.text == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// The value of the key `name`, by which items of a list are addressed.
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.get("name")?.value {
            Value::String(name) => Some(name),
            _ => None,
        }
    }
}

impl Value {
    /// The kind of value in the words of a message: `a list`, `the number 42`.
    pub(crate) fn in_words(&self) -> String {
        match self {
            Value::Null => "nothing".to_owned(),
            Value::Bool(value) => format!("`{value}`"),
            Value::Integer(value) => format!("the number {value}"),
            Value::Float(value) => format!("the number {value}"),
            Value::String(text) => format!("the text `{}`", shortened(text)),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a map".to_owned(),
        }
    }
}

impl Value {
    /// A scalar as it could be written.
    pub(crate) fn as_written(&self) -> Option<String> {
        match self {
            Value::Bool(value) => Some(value.to_string()),
            Value::Integer(value) => Some(value.to_string()),
            Value::Float(value) => Some(value.to_string()),
            Value::String(text) => Some(shortened(text)),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }
}

impl Origin {
    pub(crate) fn is_override(self) -> bool {
        matches!(self, Origin::Override { .. })
    }

    /// Both in the file, or both in the same argument.
    pub(crate) fn same_source(self, other: Origin) -> bool {
        match (self, other) {
            (Origin::File { .. }, Origin::File { .. }) => true,
            (Origin::Override { index: a, .. }, Origin::Override { index: b, .. }) => a == b,
            _ => false,
        }
    }

    /// From here to the end of `last` if that is further on in the same line, else only here.
    pub(crate) fn until(self, last: Origin) -> Origin {
        match (self, last) {
            (Origin::File { line, column, .. }, Origin::File { line: last_line, column: start, length })
                if line == last_line && start >= column =>
            {
                Origin::File { line, column, length: start - column + length }
            }
            (Origin::Override { index, offset, .. }, Origin::Override { offset: start, length, .. })
                if self.same_source(last) && start >= offset =>
            {
                Origin::Override { index, offset, length: start - offset + length }
            }
            _ => self,
        }
    }
}

/// A text cut to what fits into a message, on one line.
pub(crate) fn shortened(text: &str) -> String {
    cut(text, 60)
}

/// The first `most` characters of a text, on one line.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let mut short: String = text.chars().take(most).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(most).is_some() {
        short.push('…');
    }
    short
}
