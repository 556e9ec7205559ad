//! The definitions of docs/definitions.md in code: streaming measures over observations.
