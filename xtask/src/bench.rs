//! `cargo xtask bench`: runs `bench/`, a workspace of its own, and writes its figures into `docs/performance.md`.
//! Arguments are names of parts (engines, runs, memory, command) or of rows, which are then only printed.
//!
//! It is no part of `cargo xtask test`: speed depends on the machine and on what else runs there.

use std::fs;
use std::process::{Command, Stdio};

use crate::{cargo, root, step, target};

const BEGIN: &str = "<!-- figures: made by `cargo xtask bench` -->\n";
const END: &str = "<!-- /figures -->";

/// Builds and runs all benchmarks, or those asked for. With `--quick`, only sees that they run, and writes nothing.
pub(crate) fn bench(args: &[String]) -> Result<(), String> {
    // Some call the command; the others need not wait for it.
    let mut names = args.iter().filter(|name| !name.starts_with("--")).peekable();
    if names.peek().is_none() || names.any(|name| name.starts_with("command")) {
        cargo("build the command", &["build", "--package", "replisim", "--release", "--quiet"], &[])?;
    }
    step("build the benchmarks");
    let folder = root().join("bench");
    let programs = target().join("bench");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--quiet", "--locked", "--target-dir"]).arg(&programs);
    let status = cargo.current_dir(&folder).status().map_err(|error| error.to_string())?;
    if !status.success() {
        return Err("the benchmarks do not compile".to_owned());
    }
    step("run them");
    let mut run = Command::new(programs.join("release/replisim-bench"));
    run.args(args).env("REPLISIM", target().join("release/replisim"));
    let output = run.stderr(Stdio::inherit()).output().map_err(|error| error.to_string())?;
    let figures = String::from_utf8_lossy(&output.stdout);
    print!("{figures}");
    if !output.status.success() {
        return Err(format!("the benchmarks failed: {}", output.status));
    }
    if !args.is_empty() {
        return Ok(());
    }
    let path = root().join("docs/performance.md");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let parts = text.split_once(BEGIN).and_then(|(head, rest)| Some((head, rest.split_once(END)?.1)));
    let (head, tail) = parts.ok_or("docs/performance.md has no place for the figures")?;
    let renewed = format!("{head}{BEGIN}On {}:\n\n```text\n{}\n```\n{END}{tail}", machine()?, figures.trim());
    fs::write(&path, renewed).map_err(|error| error.to_string())
}

/// Processor, cores and compiler.
fn machine() -> Result<String, String> {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut names = processor.lines().filter_map(|line| line.strip_prefix("model name")?.split_once(": "));
    // Counted here, as this process may have been bound to one of them.
    let cores = names.clone().count();
    let processor = names.next().map_or("an unknown processor", |(_, name)| name);
    let rustc = Command::new("rustc").arg("--version").output().map_err(|error| error.to_string())?;
    Ok(format!("{processor}, {cores} cores, {}", String::from_utf8_lossy(&rustc.stdout).trim()))
}
