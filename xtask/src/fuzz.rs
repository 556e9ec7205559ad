//! `cargo xtask fuzz`: feeds the fuzz targets of `fuzz/` for some minutes each, one after another.
//!
//! The targets are built here and not by `cargo fuzz`, so that nothing has to be installed: libFuzzer comes with the
//! crate `libfuzzer-sys`, and the compiler counts coverage by its LLVM pass. There is no address sanitizer, which would
//! need an unstable compiler and could only find what our code, without `unsafe`, does not do.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::{root, step, target};

/// How the compiler counts coverage, as `cargo fuzz` asks for it.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                     -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares \
                     -Ccodegen-units=1 -Cdebug-assertions --cfg fuzzing";

/// Runs the targets that are named, or all, for `--seconds` each (300 unless given). A finding is an error, and its
/// input stays under `fuzz/artifacts`.
pub(crate) fn fuzz(args: &[String]) -> Result<(), String> {
    let (seconds, named) = match args {
        [flag, seconds, named @ ..] if flag == "--seconds" => {
            (seconds.parse::<u32>().map_err(|_| format!("`{seconds}` is not a number of seconds"))?, named)
        }
        named => (300, named),
    };
    let folder = root().join("fuzz");
    let targets = targets(&folder)?;
    if let Some(unknown) = named.iter().find(|name| !targets.contains(name)) {
        return Err(format!("there is no target `{unknown}`; the targets are {}", targets.join(", ")));
    }
    let programs = build(&folder)?;
    for name in targets.iter().filter(|name| named.is_empty() || named.contains(name)) {
        step(&format!("{name}, for {seconds} s"));
        run(&programs.join(name), &folder, name, seconds)?;
    }
    step("no finding");
    Ok(())
}

/// Every file of `fuzz_targets` is one.
fn targets(folder: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(folder.join("fuzz_targets")).map_err(|error| error.to_string())?;
    let stem = |path: PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let mut names: Vec<String> = entries.filter_map(|entry| stem(entry.ok()?.path())).collect();
    names.sort();
    Ok(names)
}

/// Builds all targets; returns the folder of the programs.
fn build(folder: &Path) -> Result<PathBuf, String> {
    step("build the fuzz targets");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let host = host(&cargo)?;
    let (target, profile) = (target().join("fuzz"), "release");
    // With `--target` the flags reach what is fuzzed and not the build scripts.
    let status = Command::new(&cargo)
        .args(["build", "--bins", "--release", "--quiet", "--target", &host])
        .env("RUSTFLAGS", FLAGS)
        .env("CARGO_TARGET_DIR", &target)
        .current_dir(folder)
        .status()
        .map_err(|error| error.to_string())?;
    if !status.success() {
        return Err("the fuzz targets cannot be built; libFuzzer needs a C++ compiler".to_owned());
    }
    let target = fs::canonicalize(target).map_err(|error| error.to_string())?;
    Ok(target.join(host).join(profile))
}

/// The triple of this machine.
fn host(cargo: &std::ffi::OsStr) -> Result<String, String> {
    let output = Command::new(cargo).arg("-vV").output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "cargo does not say what machine this is".to_owned())
}

/// Runs one target. What it learns goes to a folder of its own: the committed corpus grows by hand.
fn run(program: &Path, folder: &Path, name: &str, seconds: u32) -> Result<(), String> {
    let (learnt, artifacts) = (program.with_file_name(format!("{name}-corpus")), folder.join("artifacts"));
    for path in [&learnt, &artifacts] {
        fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let status = Command::new(program)
        .args([&learnt, &folder.join("corpus").join(name)])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/{name}-", artifacts.display()))
        .args(["-timeout=10", "-rss_limit_mb=2048", "-max_len=4096", "-verbosity=0", "-print_final_stats=1"])
        .current_dir(folder)
        .status()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    if status.success() {
        return Ok(());
    }
    Err(format!(
        "`{name}` has a finding under {}: make it a file of fuzz/corpus/{name} and mend it",
        artifacts.display()
    ))
}
