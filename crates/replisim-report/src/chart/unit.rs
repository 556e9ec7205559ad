//! Units: how a person would write a number of this size.

/// What a value is counted in. Decides how ticks are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Times in milliseconds, written in ns, µs, ms or s.
    Milliseconds,
    /// Times in seconds, written in ns, µs, ms or s.
    Seconds,
    /// Whole numbers of things (events, versions, nodes); millions are written "2 M".
    Count,
    /// Events per second, written "500 /s".
    PerSecond,
    /// Shares of one: 0.9 is written "90 %".
    Share,
    /// Numbers without a unit.
    Plain,
}

impl Unit {
    /// Writes one value with its unit in a fitting size, to three digits: `Milliseconds.write(1500.0)` is "1.5 s".
    pub fn write(self, value: f64) -> String {
        if !usable(value) {
            return "–".to_owned();
        }
        let (factor, suffix) = self.size_for(value.abs() * 1.000_001);
        let scaled = value * factor;
        let step = if scaled == 0.0 { 1.0 } else { pow10(decade(scaled.abs()) - 2) };
        with_unit(scaled, step, suffix)
    }

    /// The factor and the unit name in which a value of this size is written.
    pub(super) fn size_for(self, size: f64) -> (f64, &'static str) {
        // Rounding must not turn a full second into 1000 ms.
        let at_least = |limit: f64| size >= limit * (1.0 - 1e-9);
        let time = |per_second: f64| match size / per_second * (1.0 + 1e-9) {
            s if s >= 1.0 => (1.0 / per_second, "s"),
            s if s >= 1e-3 => (1e3 / per_second, "ms"),
            s if s >= 1e-6 => (1e6 / per_second, "µs"),
            s if s > 0.0 => (1e9 / per_second, "ns"),
            _ => (1.0, ""),
        };
        match self {
            Unit::Milliseconds => time(1e3),
            Unit::Seconds => time(1.0),
            Unit::Count if at_least(1e9) => (1e-9, "G"),
            Unit::Count if at_least(1e6) => (1e-6, "M"),
            Unit::PerSecond if at_least(1e6) => (1e-6, "M/s"),
            Unit::PerSecond => (1.0, "/s"),
            Unit::Share => (100.0, "%"),
            Unit::Count | Unit::Plain => (1.0, ""),
        }
    }
}

/// Whether a number can be drawn. Beyond any sensible magnitude is as unusable as infinite.
pub(super) fn usable(value: f64) -> bool {
    value.is_finite() && value.abs() < 1e100
}

/// The power of ten at or below a positive value.
pub(super) fn decade(value: f64) -> i32 {
    (libm::log10(value) + 1e-9).floor() as i32
}

pub(super) fn pow10(power: i32) -> f64 {
    libm::pow(10.0, f64::from(power))
}

/// A number with its unit; zero goes without.
pub(super) fn with_unit(value: f64, step: f64, suffix: &str) -> String {
    let number = number(value, step);
    if suffix.is_empty() || number == "0" { number } else { format!("{number}\u{a0}{suffix}") }
}

/// Writes a value with the digits that a step of this size needs, thousands apart; very large or small as "2.5e9".
fn number(value: f64, step: f64) -> String {
    let few_digits_do = step >= 1e-4 * value.abs();
    if few_digits_do && (value.abs() >= 1e7 || step < 1e-9) && value != 0.0 {
        let scientific = format!("{value:.4e}");
        let (digits, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        return format!("{}e{power}", digits.trim_end_matches('0').trim_end_matches('.'));
    }
    let decimals = (-decade(step)).max(0) as usize;
    let fixed = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = fixed.split_once('.').unwrap_or((&fixed, ""));
    let fraction = fraction.trim_end_matches('0');
    let mut text = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) && whole.len() > 4 {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    if value < 0.0 && text != "0" { format!("−{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_values_are_written_to_three_digits() {
        let table = [(1500.0, "1.5 s"), (0.02, "20 µs"), (123.4, "123 ms"), (0.0, "0"), (f64::NAN, "–")];
        for (milliseconds, expected) in table {
            assert_eq!(Unit::Milliseconds.write(milliseconds).replace('\u{a0}', " "), expected);
        }
        assert_eq!(Unit::Share.write(0.9), "90\u{a0}%");
    }
}
