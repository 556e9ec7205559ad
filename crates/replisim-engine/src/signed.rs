//! Quantities with a sign, for clocks: by how much one is off (`-50ms`), and by how much it runs fast (`100ppm`).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::quantity::textual;
use crate::time::{Duration, decimal_times};

/// A length of time with its sign: `-50ms`, `2s`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Default)]
pub struct Shift(i64);

/// By how much a clock runs fast, or slow if negative, in parts per million of the time that passes: `100ppm`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Default)]
pub struct Drift {
    /// A part in 10^9 is as fine as it gets.
    per_billion: i64,
}

/// The largest drift either way.
const LARGEST_PPM: i64 = 100_000;

impl Shift {
    /// Length in nanoseconds, with its sign.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Length without its sign.
    pub const fn length(self) -> Duration {
        Duration::from_nanos(self.0.unsigned_abs())
    }
}

impl Drift {
    /// How many nanoseconds it makes of a true time of `nanos`, rounded down.
    pub fn over(self, nanos: u64) -> i128 {
        (i128::from(self.per_billion) * i128::from(nanos)).div_euclid(1_000_000_000)
    }
}

/// Splits `-50ms` into its sign and the rest.
fn sign_and_rest(text: &str) -> (i64, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (-1, rest.trim_start()),
        None => (1, text.strip_prefix('+').unwrap_or(text).trim_start()),
    }
}

impl FromStr for Shift {
    type Err = String;

    fn from_str(text: &str) -> Result<Shift, String> {
        let text = text.trim();
        if text == "0" {
            return Ok(Shift(0)); // zero is zero in any unit
        }
        let (sign, rest) = sign_and_rest(text);
        if rest.starts_with(['-', '+']) {
            return Err(format!("`{text}` has two signs"));
        }
        let length: Duration =
            rest.parse().map_err(|error: String| error.replace(&format!("`{rest}"), &format!("`{text}")))?;
        Ok(Shift(sign * length.nanos() as i64)) // a duration fits: it is at most 292 years
    }
}

impl FromStr for Drift {
    type Err = String;

    fn from_str(text: &str) -> Result<Drift, String> {
        let text = text.trim();
        let (sign, rest) = sign_and_rest(text);
        let number = rest.strip_suffix("ppm").map(str::trim);
        let parsed = decimal_times(number.unwrap_or(rest), 1_000);
        match (parsed, number) {
            (Some(0), None) => Ok(Drift::default()),
            (Some(_), None) => Err(format!("`{text}` has no unit: write `{text}ppm`, parts per million")),
            (Some(size), Some(_)) if size <= LARGEST_PPM as u128 * 1_000 => {
                Ok(Drift { per_billion: sign * size as i64 })
            }
            (Some(_), Some(_)) => Err(format!(
                "`{text}` is out of range: a clock drifts by at most {LARGEST_PPM}ppm either way"
            )),
            (None, _) => Err(format!("`{text}` is not a drift: write one like `100ppm`, parts per million")),
        }
    }
}

impl fmt::Display for Shift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.0 < 0 { "-" } else { "" }, self.length())
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.per_billion.abs() / 1_000, self.per_billion.abs() % 1_000);
        let sign = if self.per_billion < 0 { "-" } else { "" };
        let text = format!("{sign}{whole}.{rest:03}");
        write!(f, "{}ppm", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

textual!(
    Shift,
    "a length of time with its sign, like `-50ms`",
    "^\\s*[-+]?\\s*[0-9]*\\.?[0-9]+\\s*(ns|us|µs|ms|s|m|h)\\s*$",
    false,
    ["-50ms", "2s"]
);
textual!(
    Drift,
    "the drift of a clock in parts per million, like `100ppm`",
    "^\\s*[-+]?\\s*[0-9]*\\.?[0-9]+\\s*ppm\\s*$",
    false,
    ["100ppm", "-20ppm"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_quantities_parse_exactly_and_print_back() {
        for (text, nanos, printed) in [
            ("-50ms", -50_000_000, "-50ms"),
            ("+2s", 2_000_000_000, "2s"),
            ("- 1.5us", -1_500, "-1.5us"),
            ("0", 0, "0s"),
        ] {
            let shift: Shift = text.parse().unwrap();
            assert_eq!((shift.nanos(), shift.to_string().as_str()), (nanos, printed), "{text}");
            assert_eq!(printed.parse(), Ok(shift));
        }
        // Over a second and a nanosecond; half a part in a billion is rounded down.
        for (text, over, printed) in [
            ("100ppm", 100_000, "100ppm"),
            ("-100ppm", -100_001, "-100ppm"),
            ("0.5 ppm", 500, "0.5ppm"),
            ("0", 0, "0ppm"),
        ] {
            let drift: Drift = text.parse().unwrap();
            assert_eq!((drift.over(1_000_000_001), drift.to_string().as_str()), (over, printed), "{text}");
            assert_eq!(printed.parse(), Ok(drift));
        }
    }

    #[test]
    fn a_wrong_signed_quantity_says_what_is_wrong() {
        #[track_caller]
        fn check<T: FromStr<Err = String> + fmt::Debug>(text: &str, says: &str) {
            let error = text.parse::<T>().unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
        check::<Shift>("-50", "`-50` has no unit: write `-50ms` or `-50s`");
        check::<Shift>("--5s", "has two signs");
        check::<Shift>("-5x", "`x` is not a unit of time");
        check::<Shift>("-s", "`-s` is not a duration");
        check::<Drift>("100", "`100` has no unit: write `100ppm`");
        check::<Drift>("1%", "is not a drift");
        check::<Drift>("-100001ppm", "at most 100000ppm");
        check::<Drift>("ppm", "is not a drift");
    }
}
