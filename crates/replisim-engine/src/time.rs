//! Virtual time in whole nanoseconds.
//!
//! Integers, not floating point: sums of intervals are exact, equal means equal, and a run of 584 years still has
//! nanosecond resolution. [`Time`] is a point since the start of the run, [`Duration`] a length; mixing them up does
//! not compile.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point of simulated time: nanoseconds since the start of the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(u64);

/// A length of simulated time in nanoseconds, never negative. In YAML: a number and a unit, `250ms`, `1.5s`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration(u64);

impl Time {
    /// The start of the run.
    pub const ZERO: Time = Time(0);
    /// Later than anything that happens.
    pub const MAX: Time = Time(u64::MAX);

    /// The point `ns` nanoseconds after the start.
    pub const fn from_nanos(ns: u64) -> Time {
        Time(ns)
    }

    /// Nanoseconds since the start.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start, for display.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The time since `earlier`, or zero if that lies in the future.
    pub const fn since(self, earlier: Time) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }

    /// `self − other` in nanoseconds, with its sign.
    pub const fn signed_since(self, other: Time) -> i64 {
        self.0 as i64 - other.0 as i64
    }
}

impl Duration {
    /// No time at all.
    pub const ZERO: Duration = Duration(0);

    /// `ns` nanoseconds.
    pub const fn from_nanos(ns: u64) -> Duration {
        Duration(ns)
    }

    /// `us` microseconds.
    pub const fn from_micros(us: u64) -> Duration {
        Duration(us * 1_000)
    }

    /// `ms` milliseconds.
    pub const fn from_millis(ms: u64) -> Duration {
        Duration(ms * 1_000_000)
    }

    /// `s` seconds.
    pub const fn from_secs(s: u64) -> Duration {
        Duration(s * 1_000_000_000)
    }

    /// The nearest whole nanosecond to `ns`; negative and NaN become zero, too large the longest there is.
    pub fn from_nanos_f64(ns: f64) -> Duration {
        // `as` saturates and maps NaN to 0; adding one half rounds, exactly as far as an f64 holds it.
        Duration((ns + 0.5) as u64)
    }

    /// Length in nanoseconds.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Length in milliseconds, for display.
    pub fn millis(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Length in seconds, for display.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, d: Duration) -> Time {
        Time(self.0.saturating_add(d.0))
    }
}

impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, d: Duration) {
        *self = *self + d;
    }
}

impl Sub<Duration> for Time {
    type Output = Time;
    fn sub(self, d: Duration) -> Time {
        Time(self.0.saturating_sub(d.0))
    }
}

impl Add for Duration {
    type Output = Duration;
    fn add(self, d: Duration) -> Duration {
        Duration(self.0.saturating_add(d.0))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Duration(self.0))
    }
}

impl fmt::Debug for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Units a duration may carry, largest first, with their length in nanoseconds.
const UNITS: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

impl fmt::Display for Duration {
    /// The shortest exact form in one unit of at most a second, which parses back to the same value: `1.5s`, `250ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) =
            UNITS[2..].iter().find(|(_, size)| self.0 >= *size).unwrap_or(&("s", 1_000_000_000));
        let (whole, rest) = (self.0 / size, self.0 % size);
        if rest == 0 {
            return write!(f, "{whole}{unit}");
        }
        let digits = size.ilog10() as usize;
        let fraction = format!("{rest:0digits$}");
        write!(f, "{whole}.{}{unit}", fraction.trim_end_matches('0'))
    }
}

impl FromStr for Duration {
    type Err = String;

    /// Reads a decimal number directly followed by `ns`, `us`, `ms`, `s`, `m` or `h`.
    fn from_str(text: &str) -> Result<Duration, String> {
        let text = text.trim();
        let split = text
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | '_')))
            .unwrap_or(text.len());
        let (number, unit) = (&text[..split], text[split..].trim());
        if number.starts_with('-') {
            return Err(format!("a duration cannot be negative: `{text}`"));
        }
        let none = || format!("`{text}` is not a duration: write a number and a unit, like `250ms`");
        if unit.is_empty() && !number.is_empty() {
            return Err(format!(
                "`{text}` has no unit: write `{text}ms` or `{text}s` (units: ns, us, ms, s, m, h)"
            ));
        }
        if number.is_empty() {
            return Err(none());
        }
        let unit = if unit == "µs" { "us" } else { unit };
        let Some((_, size)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            let instead = called_here(number, unit).map(|own| format!(": write `{own}`")).unwrap_or_default();
            return Err(format!(
                "`{unit}` is not a unit of time{instead}; the units are ns, us, ms, s, m, h"
            ));
        };
        let too_long = || format!("`{text}` is too long: a run can last 292 years at most");
        let endless = number.len() > 18 && number.bytes().all(|b| b.is_ascii_digit());
        let nanos = decimal_times(number, *size).ok_or_else(|| if endless { too_long() } else { none() })?;
        if nanos > i64::MAX as u128 {
            return Err(too_long());
        }
        Ok(Duration(nanos as u64))
    }
}

/// A duration in the units of others, as it is written here.
fn called_here(number: &str, unit: &str) -> Option<String> {
    let own = match unit {
        "msec" | "millis" | "milliseconds" => "ms",
        "sec" | "secs" | "second" | "seconds" => "s",
        "min" | "mins" | "minute" | "minutes" => "m",
        "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => {
            return number.parse::<u32>().ok().map(|days| format!("{}h", u64::from(days) * 24));
        }
        _ => return None,
    };
    Some(format!("{number}{own}"))
}

/// `number × factor` in exact decimal arithmetic, cut to whole units; `None` if `number` is not a plain decimal.
pub(crate) fn decimal_times(number: &str, factor: u64) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) || whole.len() > 18 {
        return None;
    }
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let fraction = &fraction[..fraction.len().min(18)];
    let mut total = whole * u128::from(factor);
    if !fraction.is_empty() {
        total += fraction.parse::<u128>().ok()? * u128::from(factor) / 10u128.pow(fraction.len() as u32);
    }
    Some(total)
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        struct FromText;
        impl Visitor<'_> for FromText {
            type Value = Duration;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration: a number and a unit, like `250ms`")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Duration, E> {
                // Zero is zero in any unit; everything else must say its unit.
                if number == 0 { Ok(Duration::ZERO) } else { self.visit_str(&number.to_string()) }
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Duration, E> {
                self.visit_str(&number.to_string())
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Duration, E> {
                self.visit_str(&number.to_string())
            }
        }
        deserializer.deserialize_any(FromText)
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A length of time: a number and a unit (ns, us, ms, s, m, h).",
            "anyOf": [
                { "type": "string", "pattern": "^\\s*[0-9]*\\.?[0-9]+\\s*(ns|us|µs|ms|s|m|h)\\s*$" },
                { "const": 0 }
            ],
            "examples": ["250ms", "1.5s"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_parse_exactly_and_print_back() {
        for (text, nanos, printed) in [
            ("250ms", 250_000_000, "250ms"),
            ("1.5s", 1_500_000_000, "1.5s"),
            ("0.1ms", 100_000, "100us"),
            ("61.5ms", 61_500_000, "61.5ms"),
            ("2m", 120_000_000_000, "120s"),
            ("1h", 3_600_000_000_000, "3600s"),
            ("7ns", 7, "7ns"),
            ("3µs", 3_000, "3us"),
            (" 10 ms ", 10_000_000, "10ms"),
            ("0s", 0, "0s"),
            ("0.0000000019s", 1, "1ns"),
        ] {
            let duration: Duration = text.parse().unwrap();
            assert_eq!(duration.nanos(), nanos, "{text}");
            assert_eq!(duration.to_string(), printed, "{text}");
            assert_eq!(printed.parse(), Ok(duration), "{text}");
        }
    }

    #[test]
    fn a_wrong_duration_says_what_is_wrong() {
        for (text, says) in [
            ("250", "no unit"),
            ("-1s", "cannot be negative"),
            ("1M", "`M` is not a unit of time"),
            ("1 fortnight", "is not a unit of time"),
            ("1.2.3s", "is not a duration"),
            ("ms", "is not a duration"),
            (".s", "is not a duration"),
            ("4000000h", "too long"),
            ("99999999999999999999s", "too long"),
            ("", "is not a duration"),
            ("two minutes", "is not a duration"),
            ("2 min", "write `2m`"),
            ("1.5 hours", "write `1.5h`"),
            ("2d", "write `48h`"),
        ] {
            let error = text.parse::<Duration>().unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn rounding_from_floating_point_is_to_the_nearest_nanosecond_and_never_panics() {
        for (ns, rounded) in
            [(1.4, 1), (1.5, 2), (0.0, 0), (-5.0, 0), (f64::NAN, 0), (f64::INFINITY, u64::MAX)]
        {
            assert_eq!(Duration::from_nanos_f64(ns).nanos(), rounded, "{ns}");
        }
    }
}
