//! Numbers in files: six significant digits, in the unit that the slug says.

use replisim_experiment::Figure;
use replisim_experiment::measure::Unit;
use serde_json::{Value, json};

/// `value` rounded to six significant digits.
pub fn rounded(value: f64) -> f64 {
    // Most numbers of a table are small whole ones, which this leaves alone.
    if value.fract() == 0.0 && value.abs() < 1e6 {
        return value;
    }
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// A number as JSON; whole numbers without a fraction.
pub fn json(value: f64) -> Value {
    let value = rounded(value);
    if value.fract() == 0.0 && value.abs() < 1e15 { json!(value as i64) } else { json!(value) }
}

/// From nanoseconds to what the unit is written in; anything else stays as it is.
pub fn in_unit(value: f64, unit: Unit) -> f64 {
    if unit == Unit::Milliseconds { value / 1e6 } else { value }
}

/// What a unit is called in files.
pub fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Milliseconds => "ms",
        Unit::Versions => "versions",
        Unit::Attempts => "attempts",
        Unit::Count => "count",
        Unit::Share => "share",
        Unit::PerSecond => "ops/s",
        Unit::Bytes => "bytes",
    }
}

/// A figure as JSON: a number, `{above: x}` where censoring leaves only a bound, `null` where there is none.
pub fn figure(figure: Option<Figure>, unit: Unit) -> Value {
    match figure {
        None => Value::Null,
        Some(Figure::Value(value)) => json(in_unit(value, unit)),
        Some(Figure::AtLeast(value)) => json!({ "above": json(in_unit(value, unit)) }),
    }
}

/// A number for a CSV cell.
pub fn cell(value: f64) -> String {
    let value = rounded(value);
    if value.fract() == 0.0 && value.abs() < 1e15 { format!("{}", value as i64) } else { format!("{value}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_six_significant_digits() {
        for (value, text) in [
            (0.0, "0"),
            (61.5, "61.5"),
            (1.0 / 3.0, "0.333333"),
            (123_456_789.0, "123457000"),
            (-0.000123456789, "-0.000123457"),
            (2.0, "2"),
            (999_999.0, "999999"),
            (1_000_001.0, "1000000"),
        ] {
            assert_eq!(cell(value), text);
            assert_eq!(json(value).to_string(), text);
        }
    }
}
