//! `docs/fidelity.md`: a part that is made every time and one that is made at length, each renewed by itself.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::Effort;
use super::row::{Row, Table, Verdict};

const HEAD: &str = "\
# Fidelity

What the command gives, held against what is known. `cargo xtask verify` writes this file: it runs scenarios with `replisim run` and
reads their results; nothing here is written by hand. *Reference* is what is known, *ours* what came out. A row holds if the two differ
by no more than the *tolerance*: the 99.9 % interval of the sampling errors of both (ours from independent seeds), and on top of it the
resolution of the histograms (0.1 %) and what the row itself names. `exact` allows no difference at all. Where the tolerance is more
than half of the reference a row could hardly fail: it is *not told apart*, counted by itself, and shows nothing.

";

/// Replaces the part that belongs to `effort`, and leaves the other as it is.
pub(super) fn renew(effort: Effort, tables: &[Table]) -> Result<(), String> {
    let other = match effort {
        Effort::Fast => Effort::Full,
        Effort::Full => Effort::Fast,
    };
    let (new, old) = (part(effort, tables)?, kept(other)?);
    let parts = if effort == Effort::Fast { [new, old] } else { [old, new] };
    let text = format!("{HEAD}{}", parts.concat());
    fs::write(path(), text.trim_end().to_owned() + "\n").map_err(|error| error.to_string())
}

/// Fails if the file says something else than these tables, which are made every time.
pub(super) fn check(tables: &[Table]) -> Result<(), String> {
    let (new, old) = (part(Effort::Fast, tables)?, kept(Effort::Fast)?);
    if new == old {
        return Ok(());
    }
    let changed = new.lines().filter(|line| !old.lines().any(|other| other == *line));
    let lines: Vec<&str> = changed.collect();
    Err(format!("docs/fidelity.md is old (cargo xtask verify): now\n{}", lines.join("\n")))
}

fn part(effort: Effort, tables: &[Table]) -> Result<String, String> {
    let (begin, end) = marks(effort);
    let rows: Vec<Verdict> = tables.iter().flat_map(|table| &table.rows).map(Row::verdict).collect();
    let vague = rows.iter().filter(|verdict| **verdict == Verdict::NotToldApart).count();
    let rows = rows.len();
    let operations = tables.iter().map(|table| table.operations).sum::<u64>() as f64 / 1e6;
    let words = match effort {
        Effort::Fast => {
            "## Every time\nMade anew by every `cargo xtask test`, which fails if a row does not hold or this file says something else".to_owned()
        }
        Effort::Full => format!(
            "## At length\nMade on demand, by `cargo xtask verify --full`, from as many operations as make the tolerance of a latency or a \
             time 3 % at most, or four times a million writes where that would not do: where the interval of the reference itself is \
             wider than that, or what is measured is rarer. Last on {}",
            today()?
        ),
    };
    let tables: String = tables.iter().map(Table::markdown).collect();
    Ok(format!(
        "{begin}{words}: {rows} rows, {vague} of them not told apart, {operations:.1} million operations.\n\n{tables}{end}"
    ))
}

/// What the file has of a part.
fn kept(effort: Effort) -> Result<String, String> {
    let (begin, end) = marks(effort);
    let text = fs::read_to_string(path()).unwrap_or_default();
    let found = text.find(begin).zip(text.find(end.trim_end()));
    Ok(found.map_or(String::new(), |(from, to)| format!("{}{end}", &text[from..to])))
}

fn marks(effort: Effort) -> (&'static str, &'static str) {
    match effort {
        Effort::Fast => ("<!-- every time -->\n", "<!-- /every time -->\n\n"),
        Effort::Full => ("<!-- at length -->\n", "<!-- /at length -->\n"),
    }
}

fn today() -> Result<String, String> {
    let date = Command::new("date").args(["-u", "+%Y-%m-%d"]).output().map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&date.stdout).trim().to_owned())
}

fn path() -> PathBuf {
    crate::root().join("docs/fidelity.md")
}
