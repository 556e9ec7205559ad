//! A sentence with figures: `{max(staleness{workload=readers})}` in the text stands for what a run makes of it.
//!
//! What stands in braces is the left side of an [`expect`](crate::expectation): `[fn](measure[{scope=name}])`, where the
//! `_ms` of a slug may be left out.

use std::borrow::Cow;
use std::str::FromStr;

use replisim_measure::catalogue::MeasureInfo;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::expectation::{Subject, subject};
use crate::measures::{measure, no_measure};

/// A text with figures in it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sentence {
    text: String,
    /// In the order of the text.
    pub pieces: Vec<Piece>,
}

/// A part of a sentence.
#[derive(Clone, PartialEq, Debug)]
pub enum Piece {
    /// As it stands.
    Words(String),
    /// What the run makes of it.
    Figure(Subject),
}

impl Sentence {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The figures in it.
    pub fn figures(&self) -> impl Iterator<Item = &Subject> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Words(_) => None,
            Piece::Figure(subject) => Some(subject),
        })
    }
}

impl FromStr for Sentence {
    type Err = String;

    fn from_str(text: &str) -> Result<Sentence, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((words, after)) = rest.split_once('{') {
            let end =
                closing(after).ok_or("a brace is not closed: a figure is written `{max(staleness)}`")?;
            pieces.push(Piece::Words(words.to_owned()));
            pieces.push(Piece::Figure(subject(after[..end].trim(), resolve)?));
            rest = &after[end + 1..];
        }
        pieces.push(Piece::Words(rest.to_owned()));
        Ok(Sentence { text: text.to_owned(), pieces })
    }
}

/// Where the brace ends that has been opened before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    text.char_indices().find_map(|(at, c)| {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
        None
    })
}

/// The measure, with or without its `_ms`.
fn resolve(slug: &str) -> Result<&'static MeasureInfo, String> {
    measure(slug).ok_or_else(|| no_measure(slug, None))
}

impl<'de> Deserialize<'de> for Sentence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Sentence, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Sentence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl JsonSchema for Sentence {
    fn schema_name() -> Cow<'static, str> {
        "Sentence".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A text with figures: `{max(staleness{workload=readers})}` stands for what comes out.",
            "type": "string",
            "examples": ["Reads miss up to {max(staleness)}; {lost_writes} writes are lost ({share(lost_writes)})."],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistic::Statistic;

    #[test]
    fn figures_are_found_in_the_text() {
        let sentence: Sentence =
            "At worst {p99(staleness{workload=r})}, and {lost_writes} of them{ share(lost_writes) }."
                .parse()
                .unwrap();
        let figures: Vec<_> =
            sentence.figures().map(|figure| (figure.measure.slug, figure.statistic)).collect();
        assert_eq!(
            figures,
            [
                ("staleness_ms", Statistic::Quantile(0.99)),
                ("lost_writes", Statistic::Count),
                ("lost_writes", Statistic::Share)
            ]
        );
        assert_eq!(sentence.pieces.len(), 7);
        assert_eq!(sentence.pieces[6], Piece::Words(".".to_owned()));
    }

    #[test]
    fn a_wrong_figure_says_what_is_wrong() {
        for (text, says) in [
            ("so {max(staleness", "is not closed"),
            ("so {max(stalenes)}", "did you mean `staleness`?"),
            ("so {staleness}", "say what of `staleness_ms`"),
            ("so {max(lag{workload=x})}", "`lag` has no scope `workload`"),
            ("so {}", "is not a measure"),
        ] {
            let error = text.parse::<Sentence>().unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
