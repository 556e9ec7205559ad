//! Paths into a tree as people write them: `workload.readers.arrivals`, `faults[0].at`, `faults.0.at`.
//!
//! A dot separates, brackets hold the index of a list item. There is no escape: a key with a dot cannot be reached.

use super::parse::MAX_DEPTH;

/// One step of a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Segment {
    /// A key, a name or an index.
    pub text: String,
    /// In brackets: certainly an index.
    pub bracketed: bool,
    /// Characters of the path before it.
    pub offset: u32,
}

/// Why a text is not a path, and after how many characters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct BadPath {
    pub message: &'static str,
    pub offset: u32,
}

impl Segment {
    pub(crate) fn length(&self) -> u32 {
        self.text.chars().count() as u32 // at most the argument's own length
    }

    pub(crate) fn index(&self) -> Option<usize> {
        if self.text.bytes().all(|b| b.is_ascii_digit()) { self.text.parse().ok() } else { None }
    }
}

/// Splits a path. The empty path has no segments and leads to the root.
pub(crate) fn segments(path: &str) -> Result<Vec<Segment>, BadPath> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut offset = 0;
    for (nth, part) in path.split('.').enumerate() {
        let mut rest = part;
        let name = rest.split('[').next().unwrap_or_default();
        let starts_with_index = name.is_empty() && !rest.is_empty() && nth == 0;
        if name.is_empty() && !starts_with_index && !path.is_empty() {
            return Err(BadPath { message: "a name is missing in the path", offset });
        }
        if !name.is_empty() {
            segments.push(Segment { text: name.to_owned(), bracketed: false, offset });
            offset += name.chars().count() as u32;
            rest = &rest[name.len()..];
        }
        while !rest.is_empty() {
            let bad = BadPath { message: "expected an index like `[0]`", offset };
            let (digits, after) =
                rest.strip_prefix('[').and_then(|r| r.split_once(']')).ok_or(bad.clone())?;
            let segment = Segment { text: digits.to_owned(), bracketed: true, offset: offset + 1 };
            if digits.is_empty() || segment.index().is_none() {
                return Err(bad);
            }
            offset += digits.len() as u32 + 2;
            segments.push(segment);
            rest = after;
        }
        offset += 1; // the dot
        if segments.len() > MAX_DEPTH {
            return Err(BadPath { message: "the path is too long", offset: 0 });
        }
    }
    Ok(segments)
}
