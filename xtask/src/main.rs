//! The project's own chores. `cargo xtask test` is what a contributor and CI run; `cargo xtask gallery` renews goldens.

mod bench;
mod fuzz;
mod verify;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::LazyLock;
use std::time::Instant;
use std::{env, fs};

const USAGE: &str = "\
usage: cargo xtask <chore>

  test      everything that must hold: format, clippy, tests (which must notice every mistake on the bug shelf), docs,
            the same bytes in debug and optimised, on one thread and two, and the rows of docs/fidelity.md
  gallery   run every scenario again and renew the golden results and pictures, and the table in the README
  verify    hold what the command gives against what is known, and write docs/fidelity.md: the rows of every test run,
            or, with --full, those that take minutes; with names of tables (answers, pbs, pbs-beyond, k-staleness,
            outcomes), only print these
  fuzz      feed each fuzz target for five minutes: [--seconds 300] [target…]; builds them without cargo-fuzz
  bench     speed and memory, in one run of some ten minutes, into docs/performance.md; with --quick, or names of parts
            (engines, runs, memory, command) or of rows, it writes nothing
  memory    peak memory of a run of 10^6 and of 10^7 events
";

fn main() -> ExitCode {
    let chore = env::args().nth(1).unwrap_or_default();
    let result = match chore.as_str() {
        "test" => test(),
        "gallery" => gallery(),
        "memory" => memory(),
        "bench" => bench::bench(&env::args().skip(2).collect::<Vec<_>>()),
        "fuzz" => fuzz::fuzz(&env::args().skip(2).collect::<Vec<_>>()),
        "verify" => verify(&env::args().skip(2).collect::<Vec<_>>()),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(64);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn test() -> Result<(), String> {
    cargo("format", &["fmt", "--all", "--check"], &[])?;
    let shelf = "replisim-protocols/bug-shelf";
    let clippy =
        ["clippy", "--workspace", "--all-targets", "--features", shelf, "--quiet", "--", "-D", "warnings"];
    cargo("clippy", &clippy, &[])?;
    cargo("tests", &["test", "--workspace", "--quiet", "--no-fail-fast"], &[])?;
    let bug_shelf = ["test", "--workspace", "--features", shelf, "--test", "bug_shelf", "--quiet"];
    cargo("bug shelf", &bug_shelf, &[])?;
    cargo("docs", &["doc", "--workspace", "--no-deps", "--quiet"], &[("RUSTDOCFLAGS", "-D warnings")])?;
    // The debug command has been built for the tests.
    cargo("build optimised", &["build", "--package", "replisim", "--quiet", "--profile", "ci"], &[])?;
    determinism()?;
    step("fidelity");
    verify::check()?;
    readme(false)?;
    step("all holds");
    Ok(())
}

fn verify(args: &[String]) -> Result<(), String> {
    cargo("build optimised", &["build", "--package", "replisim", "--quiet", "--profile", "ci"], &[])?;
    verify::verify(args)
}

fn gallery() -> Result<(), String> {
    // In release: the tests compare in debug, so both must give the same.
    for (package, test) in [("replisim-report", "gallery"), ("replisim-experiment", "runs")] {
        let test = ["test", "--release", "--package", package, "--test", test, "--quiet"];
        cargo("goldens", &test, &[("UPDATE_GOLDENS", "1")])?;
    }
    cargo("build optimised", &["build", "--package", "replisim", "--quiet", "--profile", "ci"], &[])?;
    readme(true)
}

/// The table in the README is what the command prints.
fn readme(update: bool) -> Result<(), String> {
    step("table in the README");
    let path = root().join("README.md");
    let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let output = Command::new(target().join("ci/replisim"))
        .args(["run", "scenarios/quickstart.yaml"])
        .current_dir(root())
        .output()
        .map_err(|error| error.to_string())?;
    let (begin, end) = ("<!-- quickstart: made by `cargo xtask gallery` -->\n", "<!-- /quickstart -->");
    let parts = text.split_once(begin).and_then(|(head, rest)| Some((head, rest.split_once(end)?.1)));
    let (head, tail) = parts.ok_or("README.md has no place for the table")?;
    let table = String::from_utf8_lossy(&output.stdout);
    let renewed = format!("{head}{begin}```text\n{}\n```\n{end}{tail}", table.trim());
    if update {
        return fs::write(&path, renewed).map_err(|error| error.to_string());
    }
    if renewed == text {
        Ok(())
    } else {
        Err("the table in README.md is old: cargo xtask gallery".to_owned())
    }
}

/// Every scenario gives the same bytes in debug and release, on one thread and two.
fn determinism() -> Result<(), String> {
    step("determinism");
    let scratch = target().join("determinism");
    let _ = fs::remove_dir_all(&scratch);
    for scenario in scenarios(&root().join("scenarios"))? {
        let name = scenario.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let run = |profile: &str, seeds: &str, threads: &str| {
            let out = scratch.join(format!("{name}-{profile}-{seeds}-{threads}"));
            let mut command = Command::new(target().join(profile).join("replisim"));
            command.arg("run").arg(&scenario).args(["--quiet", "--no-charts", "--seeds", seeds]);
            let child = command.args(["--threads", threads, "--out"]).arg(&out).spawn();
            child.map(|child| (child, out)).map_err(|error| error.to_string())
        };
        // Debug is slow: it runs beside the others, and once.
        let runs = [run("debug", "1", "1")?, run("ci", "1", "1")?, run("ci", "3", "1")?];
        let mut folders: Vec<PathBuf> = Vec::new();
        for (mut child, out) in runs.into_iter().chain([run("ci", "3", "2")?]) {
            let status = child.wait().map_err(|error| error.to_string())?;
            if status.code().is_none_or(|code| code > 2) {
                return Err(format!("{} failed: {status} ({})", scenario.display(), out.display()));
            }
            folders.push(out);
        }
        same(&folders[0], &folders[1])?;
        same(&folders[2], &folders[3])?;
        println!("  {}: the same bytes", scenario.display());
    }
    Ok(())
}

/// Fails if two folders do not hold the same files with the same bytes.
fn same(a: &Path, b: &Path) -> Result<(), String> {
    let names = |folder: &Path| -> Result<Vec<_>, String> {
        let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut names: Vec<_> =
            entries.filter_map(|entry| entry.ok().map(|entry| entry.file_name())).collect();
        names.sort();
        Ok(names)
    };
    let (files, others) = (names(a)?, names(b)?);
    if files != others || files.is_empty() {
        return Err(format!("{} and {} hold different files", a.display(), b.display()));
    }
    for name in files {
        if fs::read(a.join(&name)).ok() != fs::read(b.join(&name)).ok() {
            let name = name.to_string_lossy();
            return Err(format!("{name} differs between {} and {}", a.display(), b.display()));
        }
    }
    Ok(())
}

/// Ten times the events must not take more memory: only histograms may grow.
fn memory() -> Result<(), String> {
    cargo("build release", &["build", "--package", "replisim", "--quiet", "--release"], &[])?;
    for duration in ["330s", "3300s"] {
        let output = Command::new("/usr/bin/time")
            .args(["-f", "peak %M KiB"])
            .arg(target().join("release/replisim"))
            .args([
                "run",
                "scenarios/quickstart.yaml",
                "--no-charts",
                "--set",
                "faults=[]",
                "--set",
                "expect=[]",
            ])
            .args(["--set", &format!("duration={duration}"), "--out"])
            .arg(target().join("memory"))
            .current_dir(root())
            .output()
            .map_err(|error| format!("needs /usr/bin/time: {error}"))?;
        let text = String::from_utf8_lossy(&output.stderr);
        println!("{duration}: {}", text.lines().collect::<Vec<_>>().join(", "));
    }
    Ok(())
}

fn scenarios(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| error.to_string())?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            paths.extend(scenarios(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn cargo(name: &str, args: &[&str], variables: &[(&str, &str)]) -> Result<(), String> {
    step(name);
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(args).envs(variables.iter().copied()).current_dir(root());
    let status = command.status().map_err(|error| format!("{name}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name} failed: cargo {}", args.join(" "))) }
}

/// Says what comes now, and how long all before it took.
#[allow(clippy::disallowed_methods)] // for a person to read
fn step(name: &str) {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let seconds = START.elapsed().as_secs();
    println!("── {name} ({}:{:02})", seconds / 60, seconds % 60);
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
