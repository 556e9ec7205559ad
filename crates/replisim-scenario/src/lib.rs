//! The YAML scenario language: parsing, units, presets, defaults, diagnostics, JSON Schema.

pub mod yaml;
