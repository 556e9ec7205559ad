//! `cargo xtask verify`: what the command gives, held against what is known, and the table of it: `docs/fidelity.md`.
//!
//! Nothing in that file is written by hand. Its first part is made anew by every `cargo xtask test`, which fails if a row
//! does not hold or the file says something else. The second part, from as many operations as make the tolerances
//! small, is made on demand.

mod answers;
mod document;
mod k_staleness;
mod outcomes;
mod pbs;
mod row;
mod simulate;
mod wars;

use row::{Row, Table, Verdict};

/// How long it may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Effort {
    /// Less than a minute: tolerances are as wide as so few operations make them.
    Fast,
    /// As many operations as it takes.
    Full,
}

/// What the command line calls a table, what makes it, and whether more operations make it better.
type Group = (&'static str, fn(Effort) -> Result<Table, String>, bool);

const GROUPS: &[Group] = &[
    ("answers", answers::table, false),
    ("pbs", pbs::table, true),
    ("pbs-beyond", pbs::beyond, true),
    ("k-staleness", k_staleness::table, true),
    ("outcomes", outcomes::table, false),
];

/// `cargo xtask verify [--full] [table …]`: writes the file; with names of tables, only prints these.
pub(crate) fn verify(args: &[String]) -> Result<(), String> {
    let effort = if args.iter().any(|arg| arg == "--full") { Effort::Full } else { Effort::Fast };
    let named = |name: &str| args.iter().any(|arg| arg == name);
    let some = args.iter().any(|arg| arg != "--full");
    let tables = tables(
        effort,
        |(name, _, better)| if some { named(name) } else { *better || effort == Effort::Fast },
    )?;
    if some {
        tables.iter().for_each(|table| println!("{}", table.markdown()));
    } else {
        document::renew(effort, &tables)?;
    }
    all_hold(&tables)
}

/// What every test run checks.
pub(crate) fn check() -> Result<(), String> {
    let tables = tables(Effort::Fast, |_| true)?;
    all_hold(&tables)?;
    document::check(&tables)
}

fn tables(effort: Effort, wanted: impl Fn(&Group) -> bool) -> Result<Vec<Table>, String> {
    let groups = GROUPS.iter().filter(|group| wanted(group));
    let tables = groups.map(|(name, make, _)| {
        println!("  {name}");
        make(effort)
    });
    let tables: Vec<Table> = tables.collect::<Result<_, _>>()?;
    Ok(tables.into_iter().filter(|table| !table.rows.is_empty()).collect())
}

fn all_hold(tables: &[Table]) -> Result<(), String> {
    let broken =
        tables.iter().flat_map(|table| &table.rows).filter(|row| row.verdict() == Verdict::DoesNotHold);
    let lines: String = broken.map(Row::line).collect();
    if lines.is_empty() { Ok(()) } else { Err(format!("these rows do not hold:\n{lines}")) }
}
