//! What a scalar without quotes is: the core schema of YAML 1.2, in which `no` is a text and `1_000` is one too.

use super::node::Value;

/// The type of a plain scalar by the YAML 1.2 core schema.
pub(crate) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Value::Float(sign * f64::INFINITY);
    }
    let prefixed = |prefix: &str, radix| {
        let digits = text.strip_prefix(prefix)?;
        let valid = digits.chars().all(|c| c.is_digit(radix));
        if valid { i128::from_str_radix(digits, radix).ok() } else { None }
    };
    if let Some(value) = prefixed("0x", 16).or_else(|| prefixed("0o", 8)) {
        return Value::Integer(value);
    }
    if unsigned.bytes().all(|b| b.is_ascii_digit())
        && let Ok(value) = text.parse()
    {
        return Value::Integer(value);
    }
    // Rust also reads `inf` and `nan`, which YAML does not, and no more than YAML otherwise.
    let looks_numeric = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.bytes().all(|b| b.is_ascii_digit() || b".eE+-".contains(&b));
    match text.parse() {
        Ok(value) if looks_numeric => Value::Float(value),
        _ => Value::String(text.to_owned()),
    }
}
