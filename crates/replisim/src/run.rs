//! `replisim run`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use replisim_experiment::verdict::overall;
use replisim_experiment::{RunError, Study, Verdict};
use replisim_report::manifest::{self, Manifest};
use replisim_report::{File, FolderError, Options, check_folder, files, summary, write_folder};
use replisim_scenario::Loaded;

use crate::args::{Format, RunArgs, ScenarioArgs};
use crate::exit::Exit;
use crate::output::{complain, complain_of_scenario, note, print};
use crate::table::{table, wrapped};
use crate::watch::Watch;

/// Runs a scenario, prints what came out, writes its files.
pub(crate) fn run(args: &RunArgs) -> Exit {
    run_or_exit(args).unwrap_or_else(|exit| exit)
}

fn run_or_exit(args: &RunArgs) -> Result<Exit, Exit> {
    let (loaded, replayed) = load(&args.scenario)?;
    let seeds = seeds(args, &loaded, replayed.as_ref());
    let threads =
        args.threads.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
    let out = args.out.clone().unwrap_or_else(|| Path::new("results").join(&loaded.scenario.name));
    check_folder(&out).map_err(|error| {
        complain(&error.to_string());
        Exit::InputOutput
    })?;

    let watch = Watch::new(&loaded.scenario.name, seeds.len(), args.quiet);
    #[allow(clippy::disallowed_methods)] // for the person who waits; no result depends on it
    let begun = Instant::now();
    let result = replisim_experiment::run(&loaded, &seeds, threads, &watch);
    watch.finish();
    let study = match result {
        Ok(study) => study,
        Err(RunError::Impossible(message)) => {
            complain(&message);
            return Err(Exit::WrongScenario);
        }
        Err(RunError::Interrupted(finished)) => return Err(keep_finished(finished.as_deref(), &out, args)),
    };
    if !args.quiet {
        let wall = begun.elapsed().as_secs_f64();
        let rate = study.events() as f64 / wall / 1e6;
        note(&format!("{} events in {wall:.2} s: {rate:.2} million events/s", study.events()));
    }

    let written = write(&study, &out, args);
    if !args.quiet {
        match args.format {
            Format::Table => print(&table(&study, args.all))?,
            Format::Json => {
                let text = replisim_report::report::pretty(&summary::summary(&study)).unwrap_or_default();
                print(&String::from_utf8_lossy(&text))?;
            }
        }
    }
    let files = written?;
    if !args.quiet && args.format == Format::Table {
        print(&wrapped("files", &format!("{}/: {}", out.display(), files.join(", "))))?;
    }
    if let Some(manifest) = replayed {
        check_replay(&manifest, &study, args)?;
    }
    Ok(match overall(&study.judgements) {
        Verdict::Met => Exit::Done,
        Verdict::NotMet => Exit::NotMet,
        Verdict::Undecided => Exit::Undecided,
    })
}

/// Reads a scenario, or the scenario of a manifest.
pub(crate) fn load(args: &ScenarioArgs) -> Result<(Loaded, Option<Manifest>), Exit> {
    let path =
        if args.scenario.is_dir() { args.scenario.join(manifest::NAME) } else { args.scenario.clone() };
    if path.file_name().is_none_or(|name| name != manifest::NAME) {
        let loaded =
            Loaded::from_file(&path, &args.overrides).map_err(|error| complain_of_scenario(&error))?;
        return Ok((loaded, None));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| {
        complain(&format!("cannot read {}: {error}", path.display()));
        Exit::InputOutput
    })?;
    let manifest = Manifest::parse(&text).map_err(|message| {
        complain(&format!("{} {message}", path.display()));
        Exit::WrongScenario
    })?;
    let loaded = manifest.load(&args.overrides).map_err(|error| complain_of_scenario(&error))?;
    Ok((loaded, Some(manifest)))
}

fn seeds(args: &RunArgs, loaded: &Loaded, replayed: Option<&Manifest>) -> Vec<u64> {
    match (replayed, args.seed, args.seeds) {
        (Some(manifest), None, None) => manifest.seeds.clone(),
        _ => {
            let first = args.seed.unwrap_or(loaded.scenario.seed);
            (0..u64::from(args.seeds.unwrap_or(1))).map(|i| first.wrapping_add(i)).collect()
        }
    }
}

/// Writes the files of a study; returns their names.
fn write(study: &Study, out: &Path, args: &RunArgs) -> Result<Vec<String>, Exit> {
    let options = Options { charts: !args.no_charts, png: args.png };
    let files: Vec<File> = files(study, options).map_err(|message| {
        complain(&message);
        Exit::InputOutput
    })?;
    write_folder(out, &files).map_err(|error: FolderError| {
        complain(&error.to_string());
        Exit::InputOutput
    })?;
    Ok(files.into_iter().map(|file| file.name).collect())
}

/// Ctrl-C: old results stay as they are; seeds that were finished are kept beside them.
fn keep_finished(finished: Option<&Study>, out: &Path, args: &RunArgs) -> Exit {
    let Some(study) = finished else {
        note("interrupted; nothing was written");
        return Exit::Interrupted;
    };
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push("-interrupted");
    let beside: PathBuf = out.with_file_name(name);
    if write(study, &beside, args).is_ok() {
        note(&format!("interrupted; the {} finished seeds are in {}", study.runs.len(), beside.display()));
    }
    Exit::Interrupted
}

/// A replay must give what the manifest says.
fn check_replay(manifest: &Manifest, study: &Study, args: &RunArgs) -> Result<(), Exit> {
    let changed = !args.scenario.overrides.is_empty() || args.seed.is_some() || args.seeds.is_some();
    if changed || args.quiet {
        return Ok(());
    }
    if manifest.digest == study.digest() {
        note("replayed: the digest is that of the manifest");
        return Ok(());
    }
    let versions = format!("version {} then, {} now", manifest.version, env!("CARGO_PKG_VERSION"));
    complain(&format!(
        "the replay differs: digest {} then, {} now ({versions})",
        manifest.digest,
        study.digest()
    ));
    Err(Exit::NotMet)
}
