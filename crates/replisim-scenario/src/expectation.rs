//! The `expect` language: `[fn](slug[{scope=name}]) op value`, such as `p99(staleness{workload=readers}) < 30s` or
//! `lost_writes == 0`. Durations carry a unit, and the slug then drops its `_ms`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use replisim_engine::{Duration, Share};
use replisim_measure::catalogue::{MeasureInfo, Unit, find};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::measures::{measure, no_measure};
use crate::statistic::{Statistic, stands_bare};

/// One thing that must come out.
#[derive(Clone, PartialEq, Debug)]
pub struct Expectation {
    /// As written.
    pub text: String,
    /// What is compared.
    pub subject: Subject,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what: nanoseconds for durations, a fraction for shares, else a plain number.
    pub value: f64,
}

/// A figure of a run: what of which measure, and of which part of the run.
#[derive(Clone, PartialEq, Debug)]
pub struct Subject {
    /// What of the measure.
    pub statistic: Statistic,
    /// Which measure.
    pub measure: &'static MeasureInfo,
    /// Of which part of the run: kind (`workload`, `node`, `kind`) and name.
    pub scope: Option<(String, String)>,
}

impl Subject {
    /// The kind and name of the part of the run.
    pub fn scope(&self) -> Option<(&str, &str)> {
        self.scope.as_ref().map(|(kind, name)| (kind.as_str(), name.as_str()))
    }
}

/// How two numbers are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Comparison {
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
    NotEqual,
}

/// What `expect` accepts as scopes, and what is named there.
pub const SCOPES: [(&str, &str); 4] = [
    ("workload", "a workload or a client of the script, by its name"),
    ("node", "a node, by its name"),
    ("group", "a replication group, by its number"),
    ("kind", "`read` or `write`"),
];

impl Comparison {
    /// In order of writing: no operator is the beginning of a later one.
    const ALL: [(&'static str, Comparison); 6] = [
        ("<=", Comparison::AtMost),
        (">=", Comparison::AtLeast),
        ("==", Comparison::Equal),
        ("!=", Comparison::NotEqual),
        ("<", Comparison::Less),
        (">", Comparison::More),
    ];

    /// All signs.
    pub fn signs() -> [&'static str; 6] {
        Comparison::ALL.map(|(sign, _)| sign)
    }

    /// Whether `a op b` holds.
    pub fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Comparison::Less => a < b,
            Comparison::AtMost => a <= b,
            Comparison::More => a > b,
            Comparison::AtLeast => a >= b,
            Comparison::Equal => a == b,
            Comparison::NotEqual => a != b,
        }
    }
}

impl FromStr for Expectation {
    type Err = String;

    fn from_str(text: &str) -> Result<Expectation, String> {
        let (at, operator, comparison) = Comparison::ALL
            .iter()
            .filter_map(|(sign, comparison)| Some((find_outside_braces(text, sign)?, *sign, *comparison)))
            .min_by_key(|(at, sign, _)| (*at, std::cmp::Reverse(sign.len())))
            .ok_or_else(|| match text.contains('=') {
                true => "a single `=` compares nothing: write `==`".to_owned(),
                false => "compares nothing: write `measure < value`, with one of < <= > >= == !=".to_owned(),
            })?;
        let (left, value) = (text[..at].trim(), text[at + operator.len()..].trim());
        if value.is_empty() {
            return Err(format!("nothing stands after `{operator}`"));
        }
        if Comparison::ALL.iter().any(|(sign, _)| value.contains(sign)) {
            return Err(
                "compares twice: each expectation is an item of its own, with `- ` before it".to_owned()
            );
        }

        if let Some(written) = with_a_function(left, operator, value) {
            return Err(format!("say what of `{left}`: `{written}`, or mean, min or a quantile like p99"));
        }
        let subject = subject(left, |slug| resolve(slug, value))?;
        let value = parse_value(value, subject.measure, subject.statistic)?;
        Ok(Expectation { text: text.trim().to_owned(), subject, comparison, value })
    }
}

/// What to write where a function is missing: `unavailability < 10` as `max(unavailability) < 10s`.
fn with_a_function(left: &str, operator: &str, value: &str) -> Option<String> {
    let slug = left.split('{').next().unwrap_or(left).trim();
    let info = measure(slug).filter(|info| !left.contains('(') && !stands_bare(info))?;
    let unit = if slug != info.slug && value.parse::<f64>().is_ok() { "s" } else { "" };
    Some(format!("max({left}) {operator} {value}{unit}"))
}

/// Reads `[fn](slug[{scope=name}])`, where `resolve` knows the measure of a slug.
pub(crate) fn subject(
    text: &str,
    resolve: impl Fn(&str) -> Result<&'static MeasureInfo, String>,
) -> Result<Subject, String> {
    let (function, inner) = match text.split_once('(') {
        Some((function, rest)) => (
            Some(function.trim()),
            rest.strip_suffix(')').ok_or("the bracket after the function is not closed")?.trim(),
        ),
        None => (None, text),
    };
    let (slug, scope) = match inner.split_once('{') {
        Some((slug, rest)) => {
            let scope = rest.strip_suffix('}').ok_or("the brace after the measure is not closed")?;
            (slug.trim(), Some(parse_scope(scope)?))
        }
        None => (inner, None),
    };
    let measure = resolve(slug)?;
    if let Some((kind, _)) = &scope {
        check_scope(measure, slug, kind)?;
    }
    let statistic = Statistic::of(function, measure)?;
    Ok(Subject { statistic, measure, scope })
}

fn find_outside_braces(text: &str, sign: &str) -> Option<usize> {
    let mut depth = 0;
    for (i, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ if depth == 0 && text[i..].starts_with(sign) => return Some(i),
            _ => {}
        }
    }
    None
}

fn parse_scope(text: &str) -> Result<(String, String), String> {
    let (kind, name) = text.split_once('=').ok_or("a scope is written `{workload=name}`")?;
    let (kind, name) = (kind.trim(), name.trim());
    if SCOPES.iter().all(|(known, _)| *known != kind) {
        let known = SCOPES.map(|(known, _)| known).join(", ");
        return Err(format!("`{kind}` is not a scope; the scopes are {known}"));
    }
    Ok((kind.to_owned(), name.to_owned()))
}

/// That the measure, written as `slug`, is given by this kind of scope.
fn check_scope(measure: &MeasureInfo, slug: &str, kind: &str) -> Result<(), String> {
    if measure.scopes.contains(&kind) {
        return Ok(());
    }
    let written: Vec<String> = measure.scopes.iter().map(|kind| format!("`{slug}{{{kind}=…}}`")).collect();
    let instead = match &written[..] {
        [] => "it is given for the run as a whole alone".to_owned(),
        written => format!("write {}", written.join(" or ")),
    };
    Err(format!("`{slug}` has no scope `{kind}`: {instead}"))
}

/// The measure: by its slug, or by its slug without `_ms` where the value is a duration.
fn resolve(slug: &str, value: &str) -> Result<&'static MeasureInfo, String> {
    let with_unit = value.parse::<Duration>().is_ok();
    let full = format!("{slug}_ms");
    match (find(slug), find(&full)) {
        (Some(measure), _) if measure.unit == Unit::Milliseconds && with_unit => Err(format!(
            "give `{}` a duration, or `{slug}` a number of milliseconds",
            slug.trim_end_matches("_ms")
        )),
        (Some(measure), _) => Ok(measure),
        (None, Some(measure)) if with_unit => Ok(measure),
        (None, Some(_)) => {
            let number: String = value.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
            let like = if number.is_empty() { "250" } else { &number };
            Err(format!("`{slug}` is compared with a duration: write one like `{like}ms`"))
        }
        (None, None) => Err(no_measure(slug, Some(value))),
    }
}

fn parse_value(text: &str, measure: &MeasureInfo, statistic: Statistic) -> Result<f64, String> {
    if statistic == Statistic::Share {
        let share = text.parse::<Share>().map(Share::get);
        return share.map_err(|error| format!("`{}` is compared with a share: {error}", measure.slug));
    }
    if let Ok(duration) = text.parse::<Duration>() {
        return match measure.unit {
            Unit::Milliseconds => Ok(duration.nanos() as f64),
            _ => Err(format!("`{}` is a number, not a duration: leave the unit out", measure.slug)),
        };
    }
    if text.ends_with('%') {
        let share = match measure.unit {
            Unit::Count => format!(", or compare its share: `share({}) < {text}`", measure.slug),
            _ => String::new(),
        };
        return Err(format!("`{}` is a number, not a share: leave the `%` out{share}", measure.slug));
    }
    let number = match text.strip_suffix("/s") {
        Some(number) if measure.unit == Unit::PerSecond => number.trim(),
        Some(_) => return Err(format!("`{}` is no rate: leave the `/s` out", measure.slug)),
        None if measure.unit == Unit::PerSecond && text.contains('/') => {
            return Err(format!("`{}` is a rate per second: write one like `500/s`", measure.slug));
        }
        None => text,
    };
    let factor = if measure.unit == Unit::Milliseconds { 1e6 } else { 1.0 };
    match number.parse::<f64>() {
        Ok(value) if (value * factor).is_finite() => Ok(value * factor),
        _ => Err(format!("`{text}` is neither a number nor a duration")),
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Expectation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Expectation, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Expectation;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a comparison, such as `lost_writes == 0`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Expectation, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl Serialize for Expectation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl JsonSchema for Expectation {
    fn schema_name() -> Cow<'static, str> {
        "Expectation".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "What must come out: `[fn](measure[{scope=name}]) op value`.",
            "type": "string",
            "examples": ["p99(staleness{workload=readers}) < 30s", "lost_writes == 0", "share(stale_reads) < 1%"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_are_understood() {
        for (text, slug, statistic, scope, value) in [
            (
                "p99(staleness{workload=readers}) < 30s",
                "staleness_ms",
                Statistic::Quantile(0.99),
                Some(("workload", "readers")),
                3e10,
            ),
            ("lost_writes == 0", "lost_writes", Statistic::Count, None, 0.0),
            ("share(stale_reads) <= 1%", "stale_reads", Statistic::Share, None, 0.01),
            (
                "availability{kind=write} >= 99.9%",
                "availability",
                Statistic::Share,
                Some(("kind", "write")),
                0.999,
            ),
            ("mean(staleness_versions)<2.5", "staleness_versions", Statistic::Mean, None, 2.5),
            (
                "p99_9(lag_ms{node=r2}) > 40",
                "lag_ms",
                Statistic::Quantile(0.9990000000000001),
                Some(("node", "r2")),
                4e7,
            ),
            ("throughput_ops > 100/s", "throughput_ops", Statistic::Count, None, 100.0),
        ] {
            let expectation: Expectation = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!((expectation.subject.measure.slug, expectation.value), (slug, value), "{text}");
            match (expectation.subject.statistic, statistic) {
                (Statistic::Quantile(a), Statistic::Quantile(b)) => assert!((a - b).abs() < 1e-12),
                (a, b) => assert_eq!(a, b),
            }
            assert_eq!(expectation.subject.scope, scope.map(|(a, b)| (a.to_owned(), b.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_wrong_expectation_says_what_is_wrong() {
        for (text, says) in [
            ("lost_writes", "compares nothing"),
            ("lost_writes ==", "nothing stands after `==`"),
            ("lost_writs == 0", "did you mean `lost_writes`?"),
            ("p99(stalenes) < 30s", "did you mean `staleness`?"),
            ("p99(staleness) < 30", "write one like `30ms`"),
            ("p99(staleness_ms) < 30s", "give `staleness` a duration"),
            ("staleness < 30s", "say what of `staleness`: `max(staleness) < 30s`"),
            ("unavailability{kind=write} < 10", "`max(unavailability{kind=write}) < 10s`"),
            ("lag_ms <= 10", "`max(lag_ms) <= 10`"),
            ("max(replication_lag) < 5s", "here it is `lag`"),
            ("max(rpo) < 5", "here it is `rpo_writes`"),
            ("p99(lost_writes) == 0", "compare it bare"),
            ("p101(staleness) < 3s", "not a function"),
            ("median(staleness) < 3s", "not a function"),
            ("p99(staleness{who=x}) < 3s", "`who` is not a scope"),
            ("p99(staleness < 3s", "not closed"),
            ("p99(staleness{workload=x) < 3s", "compares nothing"),
            ("lost_writes == 3s", "is a number, not a duration"),
            ("share(stale_reads) < 90", "write `90%`"),
            ("lost_writes = 0", "write `==`"),
            ("p99(staleness) < 30%", "write one like `30ms`"),
            ("p99(staleness) < soon", "write one like `250ms`"),
            ("avg(staleness) < 3s", "here it is `mean`"),
            ("lost_writes < 5%", "`share(lost_writes) < 5%`"),
            ("lost_writes == 0/s", "leave the `/s` out"),
            ("throughput_ops > 3/m", "write one like `500/s`"),
            ("availability > 3s", "`availability` is compared with a share"),
            ("lost_writes == none", "neither a number nor a duration"),
            ("gibberish == 0", "`replisim list measures`"),
            ("max(lag{workload=x}) < 1s", "`lag` has no scope `workload`: write `lag{node=…}`"),
            (
                "lost_writes{node=r} == 0",
                "`lost_writes` has no scope `node`: it is given for the run as a whole alone",
            ),
            ("p99(staleness{kind=read}) < 1s", "has no scope `kind`: write `staleness{workload=…}`"),
            (
                "availability{group=0} > 99%",
                "has no scope `group`: write `availability{workload=…}` or `availability{kind=…}`",
            ),
            ("share(throughput_ops) > 1%", "is no part of a whole"),
        ] {
            let error = text.parse::<Expectation>().unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
