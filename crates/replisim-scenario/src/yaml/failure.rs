//! The deserialiser's error: a [`Problem`] on its way to a place.
//!
//! `serde` raises errors without knowing where it is. [`Failure::at`] is called by every layer of the deserialiser as
//! the error passes, and the innermost call wins. The other half of this file says in the words of YAML what `serde`
//! says in those of Rust.

use std::fmt::{self, Display};

use serde::de::{self, Expected, Unexpected};

use super::node::{Origin, Value, cut, shortened};
use super::problem::Problem;
use super::scalar::resolve;
use super::suggest::{did_you_mean, listed};

/// An error of the deserialiser.
#[derive(Debug)]
pub(crate) struct Failure {
    problem: Box<Problem>,
    /// The field that is missing, if that is the problem.
    missing: Option<&'static str>,
}

impl Failure {
    pub(crate) fn new(problem: Problem) -> Failure {
        Failure { problem: Box::new(problem), missing: None }
    }

    /// Says where it happened, unless that is known.
    pub(crate) fn at(mut self, origin: Origin, path: &impl Display) -> Failure {
        if self.problem.origin.is_none() {
            self.problem.origin = Some(origin);
            self.problem.path = path.to_string();
        }
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Failure {
        self.problem.help = Some(help.into());
        self
    }

    /// The field that this level lacks; `None` for an error that an inner level has placed already.
    pub(crate) fn missing(&self) -> Option<&'static str> {
        self.missing.filter(|_| self.problem.origin.is_none())
    }

    /// The word that this level does not have; `None` for an error that has been placed already.
    pub(crate) fn unknown(&self) -> Option<&str> {
        self.problem.word.as_deref().filter(|_| self.problem.origin.is_none())
    }

    /// The same, of a word that has no meaning here.
    pub(crate) fn word(mut self, word: impl Into<String>) -> Failure {
        self.problem.word = Some(word.into());
        self
    }

    /// Help for a problem that comes without.
    pub(crate) fn or_help(mut self, help: impl FnOnce() -> String) -> Failure {
        self.problem.help.get_or_insert_with(help);
        self
    }

    /// Whether a word was nearly right.
    pub(crate) fn is_near(&self) -> bool {
        self.problem.label.is_some()
    }

    pub(crate) fn into_problem(self) -> Problem {
        *self.problem
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl std::error::Error for Failure {}

impl de::Error for Failure {
    fn custom<T: Display>(message: T) -> Failure {
        Failure::new(Problem::new(cut(&message.to_string(), 400))) // a type may quote all of its input
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Failure {
        let expected = expected.to_string();
        let mut problem =
            Problem::new(format!("expected {}, found {}", in_yaml_words(&expected), found_in_words(&found)));
        let wants_text = matches!(expected.as_str(), "a string" | "str" | "string");
        match found {
            Unexpected::Bool(_) | Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_)
                if wants_text =>
            {
                problem = problem.help("put it in quotes to make it a text");
            }
            Unexpected::Str(text)
                if is_number(&expected) && matches!(resolve(text), Value::Integer(_) | Value::Float(_)) =>
            {
                problem = problem.help("remove the quotes to make it a number");
            }
            Unexpected::Str("yes" | "Yes" | "on" | "On") if expected == "a boolean" => {
                problem = problem.help("write `true`");
            }
            Unexpected::Str("no" | "No" | "off" | "Off") if expected == "a boolean" => {
                problem = problem.help("write `false`");
            }
            _ => {}
        }
        Failure::new(problem)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Failure {
        let expected = in_yaml_words(&expected.to_string());
        Failure::new(Problem::new(format!("expected {expected}, found {}", found_in_words(&found))))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Failure {
        let expected = in_yaml_words(&expected.to_string());
        Failure::new(Problem::new(format!("expected {expected}, found {length}")))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Failure {
        Failure::new(unknown("choice", variant, expected))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Failure {
        Failure::new(unknown("field", field, expected))
    }

    fn missing_field(field: &'static str) -> Failure {
        Failure {
            missing: Some(field),
            ..Failure::new(Problem::new(format!("the field `{field}` is missing")))
        }
    }

    fn duplicate_field(field: &'static str) -> Failure {
        Failure::new(Problem::new(format!("the field `{field}` is given twice, under two of its names")))
    }
}

fn unknown(what: &str, word: &str, allowed: &[&'static str]) -> Problem {
    let mut problem = Problem::new(format!("unknown {what} `{}`", shortened(word))).word(word);
    problem.label = match did_you_mean(word, allowed.iter().copied()) {
        _ if word.contains(':') => Some("put a space after the `:`".to_owned()),
        near => near.map(|name| format!("did you mean `{name}`?")),
    };
    problem.help(match allowed {
        [] => "nothing is allowed here".to_owned(),
        _ => format!("allowed here: {}", listed(allowed.iter().copied())),
    })
}

fn is_number(expected: &str) -> bool {
    matches!(
        expected,
        "u8" | "u16"
            | "u32"
            | "u64"
            | "u128"
            | "usize"
            | "i8"
            | "i16"
            | "i32"
            | "i64"
            | "i128"
            | "isize"
            | "f32"
            | "f64"
    ) || expected.starts_with("a nonzero ")
}

/// What `serde` and its derive call a thing, as someone who writes YAML would call it.
fn in_yaml_words(expected: &str) -> String {
    let fixed = match expected {
        "a boolean" | "bool" => "`true` or `false`",
        "a string" | "str" | "string" => "a text",
        "a character" => "a single character",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "u128" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "a list",
        "unit" => "nothing",
        _ => "",
    };
    if !fixed.is_empty() {
        return fixed.to_owned();
    }
    if expected.starts_with("a nonzero ") {
        return "a whole number, 1 or more".to_owned();
    }
    if let Some(length) =
        expected.strip_prefix("an array of length ").or(expected.strip_prefix("a tuple of size "))
    {
        return format!("a list of {length}");
    }
    if let Some((_, length)) = expected.split_once(" with ").filter(|_| expected.starts_with("tuple ")) {
        return format!("a list of {}", length.trim_end_matches(" elements").trim_end_matches(" element"));
    }
    if expected.starts_with("struct ") {
        return "a map".to_owned();
    }
    if expected.starts_with("enum ") || expected.starts_with("unit variant ") {
        return "the name of a choice".to_owned();
    }
    expected.to_owned()
}

fn found_in_words(found: &Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("the number {value}"),
        Unexpected::Signed(value) => format!("the number {value}"),
        Unexpected::Float(value) => format!("the number {value:?}"),
        Unexpected::Char(value) => format!("`{value}`"),
        Unexpected::Str(text) => format!("the text `{}`", shortened(text)),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a map".to_owned(),
        // How serde words an integer beyond 64 bits: "integer `…` as i128".
        Unexpected::Other(text) => match text.strip_prefix("integer `").and_then(|text| text.split_once('`'))
        {
            Some((number, _)) => format!("the number {number}"),
            None => (*text).to_owned(),
        },
        other => other.to_string(),
    }
}
