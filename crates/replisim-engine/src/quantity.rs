//! Quantities as users write them: rates (`500/s`), shares (`90%` or `0.9`), sizes (`100B`, `64KiB`) and bandwidths
//! (`1Gbit/s`).
//!
//! Each is a newtype that parses itself, so that a missing or foreign unit is refused at the place where it stands.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::{Duration, decimal_times};

/// Events per unit of time, `500/s`; perhaps none.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rate {
    per_second: f64,
}

/// A share of a whole, from 0 to 1: `90%` or `0.9`.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Share(f64);

/// A number of bytes: `100B`, `64KiB`, `1MB`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Bytes(u64);

/// Bits per second, never zero: `100Mbit/s`, `1Gbit/s`. The units are decimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Bandwidth(u64);

impl Rate {
    /// A rate of `per_second` events a second; must be finite and not negative.
    pub fn per_second(per_second: f64) -> Rate {
        assert!(per_second >= 0.0 && per_second.is_finite(), "a rate is finite and not negative");
        Rate { per_second }
    }

    /// Events per second.
    pub fn get(self) -> f64 {
        self.per_second
    }
}

impl Share {
    /// The share `value`, which must lie between 0 and 1.
    pub fn new(value: f64) -> Share {
        assert!((0.0..=1.0).contains(&value), "a share lies between 0 and 1");
        Share(value)
    }

    /// The share as a number between 0 and 1.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Bytes {
    /// `n` bytes.
    pub const fn new(n: u64) -> Bytes {
        Bytes(n)
    }

    /// The number of bytes.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl Bandwidth {
    /// `bits` per second; must be positive.
    pub const fn bits_per_second(bits: u64) -> Bandwidth {
        assert!(bits > 0, "a bandwidth is positive");
        Bandwidth(bits)
    }

    /// Bits per second.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// How long it takes to put `bytes` on the wire, rounded up to whole nanoseconds.
    #[inline]
    pub fn time_for(self, bytes: u64) -> Duration {
        let nanos = (u128::from(bytes) * 8_000_000_000).div_ceil(u128::from(self.0));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// Splits `12.5KiB` into its number and its unit.
fn number_and_unit(text: &str) -> (&str, &str) {
    let split =
        text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(text.len());
    (text[..split].trim(), text[split..].trim())
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Rate, String> {
        let (number, unit) = number_and_unit(text.trim());
        let seconds = match unit {
            "/s" => 1.0,
            "/ms" => 1e-3,
            "/m" | "/min" => 60.0,
            "/h" => 3600.0,
            "" => return Err(format!("`{text}` has no unit: write `{text}/s`")),
            _ => {
                return Err(format!(
                    "`{unit}` is not a unit of rate: write `{number}/s` (units: /ms, /s, /min, /h)"
                ));
            }
        };
        let rate =
            number.parse::<f64>().map_err(|_| format!("`{text}` is not a rate: write one like `500/s`"))?
                / seconds;
        if (0.0..=1e9).contains(&rate) {
            Ok(Rate { per_second: rate.abs() }) // -0 is 0
        } else {
            Err(format!("`{text}` is out of range: a rate is 0 or more and at most 10^9 per second"))
        }
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Share, String> {
        let text = text.trim();
        let (number, percent) = match text.strip_suffix('%') {
            Some(number) => (number.trim(), true),
            None => (text, false),
        };
        let plain =
            number.parse::<f64>().map_err(|_| format!("`{text}` is not a share: write `90%` or `0.9`"))?;
        // Shifting the point in the text gives the nearest number; dividing by 100 would round twice.
        let share = if percent { format!("{number}e-2").parse().unwrap_or(plain / 100.0) } else { plain };
        if (0.0..=1.0).contains(&share) {
            Ok(Share(share))
        } else if percent {
            Err(format!("`{text}` is out of range: a share lies between 0% and 100%"))
        } else {
            Err(format!(
                "`{text}` is out of range: a share lies between 0 and 1; for a percentage write `{number}%`"
            ))
        }
    }
}

/// Units of size: decimal and binary.
const SIZES: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Bytes, String> {
        let (number, unit) = number_and_unit(text.trim());
        if unit.is_empty() {
            return Err(format!("`{text}` has no unit: write `{text}B` or `{text}KiB`"));
        }
        let unit = if unit == "KB" { "kB" } else { unit };
        let Some((_, size)) = SIZES.iter().find(|(name, _)| *name == unit) else {
            return Err(format!(
                "`{unit}` is not a unit of size; the units are B, kB, KiB, MB, MiB, GB, GiB"
            ));
        };
        match decimal_times(number, *size) {
            Some(bytes) if bytes <= 1 << 50 => Ok(Bytes(bytes as u64)),
            Some(_) => Err(format!("`{text}` is too large")),
            None => Err(format!("`{text}` is not a size: write one like `64KiB`")),
        }
    }
}

/// Units of bandwidth, all decimal.
const BANDWIDTHS: [(&str, u64); 4] =
    [("Gbit/s", 1_000_000_000), ("Mbit/s", 1_000_000), ("kbit/s", 1_000), ("bit/s", 1)];

impl FromStr for Bandwidth {
    type Err = String;

    fn from_str(text: &str) -> Result<Bandwidth, String> {
        let (number, unit) = number_and_unit(text.trim());
        if unit.is_empty() {
            return Err(format!("`{text}` has no unit: write `{text}Mbit/s` or `{text}Gbit/s`"));
        }
        let Some((_, size)) = BANDWIDTHS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!(
                "`{unit}` is not a unit of bandwidth; the units are bit/s, kbit/s, Mbit/s, Gbit/s"
            ));
        };
        match decimal_times(number, *size) {
            Some(0) => Err(format!("`{text}` is out of range: a bandwidth is more than 0")),
            Some(bits) if bits <= 1 << 60 => Ok(Bandwidth(bits as u64)),
            Some(_) => Err(format!("`{text}` is too large")),
            None => Err(format!("`{text}` is not a bandwidth: write one like `1Gbit/s`")),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.per_second)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.0 * 100.0;
        let rounded = (percent * 1e9).round() / 1e9; // 0.07 × 100 = 7.000000000000001
        write!(f, "{}%", if rounded / 100.0 == self.0 { rounded } else { percent })
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) = SIZES[..3]
            .iter()
            .find(|(_, size)| self.0 > 0 && self.0.is_multiple_of(*size))
            .unwrap_or(&("B", 1));
        write!(f, "{}{unit}", self.0 / size)
    }
}

impl fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) =
            BANDWIDTHS.iter().find(|(_, size)| self.0.is_multiple_of(*size)).unwrap_or(&("bit/s", 1));
        write!(f, "{}{unit}", self.0 / size)
    }
}

/// Gives a quantity its serde and schema faces: text with a unit both ways.
macro_rules! textual {
    ($type:ident, $expecting:literal, $pattern:literal, $numbers:literal, $examples:tt) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                struct FromText;
                impl Visitor<'_> for FromText {
                    type Value = $type;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expecting)
                    }
                    fn visit_str<E: Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                    fn visit_u64<E: Error>(self, number: u64) -> Result<$type, E> {
                        self.visit_str(&number.to_string())
                    }
                    fn visit_i64<E: Error>(self, number: i64) -> Result<$type, E> {
                        self.visit_str(&number.to_string())
                    }
                    fn visit_f64<E: Error>(self, number: f64) -> Result<$type, E> {
                        self.visit_str(&number.to_string())
                    }
                }
                deserializer.deserialize_any(FromText)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let mut forms = vec![json_schema!({ "type": "string", "pattern": $pattern })];
                if $numbers {
                    forms.push(json_schema!({ "type": "number", "minimum": 0, "maximum": 1 }));
                }
                json_schema!({ "description": $expecting, "anyOf": forms, "examples": $examples })
            }
        }
    };
}

textual!(
    Rate,
    "a rate: a number per unit of time, like `500/s`",
    "^\\s*[0-9.]+\\s*/(ms|s|m|min|h)\\s*$",
    false,
    ["500/s"]
);
textual!(Share, "a share of a whole: `90%` or `0.9`", "^\\s*[0-9.]+\\s*%?\\s*$", true, ["90%", 0.9]);
textual!(
    Bytes,
    "a size: a number and a unit, like `64KiB`",
    "^\\s*[0-9.]+\\s*(B|kB|KB|KiB|MB|MiB|GB|GiB)\\s*$",
    false,
    ["100B", "64KiB"]
);
textual!(
    Bandwidth,
    "a bandwidth: a number and a unit, like `1Gbit/s`",
    "^\\s*[0-9.]+\\s*(bit|kbit|Mbit|Gbit)/s\\s*$",
    false,
    ["1Gbit/s", "100Mbit/s"]
);

pub(crate) use textual;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_parse_and_print_back() {
        for (text, printed) in [("500/s", "500/s"), ("30/min", "0.5/s"), ("2/ms", "2000/s")] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), printed);
        }
        for (text, value, printed) in [
            ("90%", 0.9, "90%"),
            ("0.9", 0.9, "90%"),
            ("1", 1.0, "100%"),
            ("7%", 0.07, "7%"),
            ("99.9%", 0.999, "99.9%"),
        ] {
            let share = text.parse::<Share>().unwrap();
            assert_eq!((share.get(), share.to_string().as_str()), (value, printed));
        }
        for (text, value, printed) in
            [("64KiB", 65_536, "64KiB"), ("100B", 100, "100B"), ("1.5kB", 1_500, "1500B")]
        {
            let bytes = text.parse::<Bytes>().unwrap();
            assert_eq!((bytes.get(), bytes.to_string().as_str()), (value, printed));
        }
    }

    #[test]
    fn a_bandwidth_says_how_long_bytes_take() {
        for (text, printed, bytes, ns) in [
            ("1Gbit/s", "1Gbit/s", 125, 1_000),
            ("0.1Gbit/s", "100Mbit/s", 125, 10_000),
            ("64kbit/s", "64kbit/s", 8_000, 1_000_000_000),
            ("3bit/s", "3bit/s", 1, 2_666_666_667), // rounded up
        ] {
            let bandwidth = text.parse::<Bandwidth>().unwrap();
            assert_eq!(bandwidth.to_string(), printed);
            assert_eq!(bandwidth.time_for(bytes).nanos(), ns, "{text}");
        }
    }

    #[test]
    fn a_wrong_quantity_says_what_is_wrong() {
        fn check<T: FromStr<Err = String> + fmt::Debug>(text: &str, says: &str) {
            let error = text.parse::<T>().unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
        check::<Rate>("500", "no unit");
        check::<Rate>("500Hz", "not a unit of rate");
        check::<Rate>("2000000000/s", "out of range");
        check::<Rate>("-3/s", "out of range");
        check::<Share>("90", "write `90%`");
        check::<Share>("120%", "between 0% and 100%");
        check::<Share>("-0.1", "out of range");
        check::<Share>("NaN", "out of range");
        check::<Share>("most", "not a share");
        check::<Bytes>("100", "no unit");
        check::<Bytes>("1TB", "not a unit of size");
        check::<Bytes>("-1B", "not a size");
        check::<Bandwidth>("100", "no unit");
        check::<Bandwidth>("1GB/s", "not a unit of bandwidth");
        check::<Bandwidth>("0Mbit/s", "more than 0");
        check::<Bandwidth>("-1bit/s", "not a bandwidth");
    }
}
