//! From a file to a checked scenario: the only place below the command that opens files.

use std::fmt;
use std::path::{Path, PathBuf};

use replisim_engine::Duration;
use replisim_engine::law::Empirical;

use crate::check;
use crate::scenario::Scenario;
use crate::yaml::{Diagnostic, Document, Problem, Source};

/// A checked scenario with everything needed to run it again.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The scenario, with all defaults and overrides.
    pub scenario: Scenario,
    /// Its text.
    pub text: String,
    /// The `--set` arguments.
    pub overrides: Vec<String>,
    /// Files that it refers to, with their content.
    pub referenced: Vec<Referenced>,
}

/// A file that a scenario refers to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Referenced {
    /// As written in the scenario.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// Why a scenario cannot be run.
#[derive(Debug)]
pub enum LoadError {
    /// The scenario itself cannot be read: path, reason.
    Unreadable(PathBuf, String),
    /// Something is wrong in the scenario, its data, or an override.
    Wrong(Vec<Diagnostic>),
}

/// A scenario or a file that it refers to may be no larger than this.
const LARGEST_FILE: u64 = 8 << 20;

impl Loaded {
    /// Reads the scenario at `path` and applies `overrides` (`path=value`). Paths in it are relative to it.
    pub fn from_file(path: &Path, overrides: &[String]) -> Result<Loaded, LoadError> {
        let text = match read(path) {
            Ok(text) => text,
            Err(ReadError::Io(reason)) => return Err(LoadError::Unreadable(path.to_owned(), reason)),
            Err(ReadError::NotText(reason)) => {
                let source = Source { name: path.display().to_string(), ..Source::default() };
                let problem = Problem::new(format!("{} {reason}", path.display()));
                return Err(LoadError::Wrong(vec![Diagnostic { problem, source: source.into() }]));
            }
        };
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let open = |name: &str| {
            read(&folder.join(name)).map_err(|(ReadError::Io(reason) | ReadError::NotText(reason))| reason)
        };
        Loaded::from_text(&path.display().to_string(), &stem, text, overrides, open)
    }

    /// Reads a scenario from a text. `open` gives the text of a file that the scenario refers to.
    pub fn from_text(
        source_name: &str,
        default_name: &str,
        text: String,
        overrides: &[String],
        open: impl Fn(&str) -> Result<String, String>,
    ) -> Result<Loaded, LoadError> {
        let source =
            Source { name: source_name.to_owned(), text: text.clone(), overrides: overrides.to_vec() };
        let document = Document::new(source).map_err(|diagnostic| LoadError::Wrong(vec![diagnostic]))?;
        let mut scenario: Scenario =
            document.read().map_err(|diagnostic| LoadError::Wrong(vec![diagnostic]))?;
        if scenario.name.is_empty() {
            scenario.name = slug(default_name);
        }
        scenario.fill_in();
        let mut problems = Vec::new();
        let referenced = open_referenced(&mut scenario, open, &mut problems);
        if problems.is_empty() {
            problems = check::problems(&scenario, &referenced);
        }
        if problems.is_empty() {
            scenario.break_down_each();
            return Ok(Loaded { scenario, text, overrides: overrides.to_vec(), referenced });
        }
        Err(LoadError::Wrong(problems.into_iter().map(|problem| document.diagnostic(problem)).collect()))
    }

    /// The text of a referenced file.
    pub fn referenced(&self, path: &str) -> Option<&str> {
        self.referenced.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }
}

/// Why a file gives no text.
enum ReadError {
    /// It cannot be read.
    Io(String),
    /// It can, but is no text of a sensible size.
    NotText(String),
}

/// Reads a text file of a sensible size.
fn read(path: &Path) -> Result<String, ReadError> {
    let io = |error: std::io::Error| ReadError::Io(error.to_string());
    if std::fs::metadata(path).map_err(io)?.len() > LARGEST_FILE {
        return Err(ReadError::NotText(format!("is larger than {} MiB", LARGEST_FILE >> 20)));
    }
    let bytes = std::fs::read(path).map_err(io)?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count();
        ReadError::NotText(format!("is not UTF-8 text: line {line} has a byte that is part of no character"))
    })
}

/// What a file name makes of itself as a name of results: lower-case letters, digits, dashes.
fn slug(name: &str) -> String {
    let dashed: String =
        name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let dashed = dashed.trim_matches('-');
    if dashed.is_empty() { "scenario".to_owned() } else { dashed.to_owned() }
}

fn open_referenced(
    scenario: &mut Scenario,
    open: impl Fn(&str) -> Result<String, String>,
    problems: &mut Vec<Problem>,
) -> Vec<Referenced> {
    let mut files: Vec<Referenced> = Vec::new();
    let mut text_of = |path: &str, place: &str, problems: &mut Vec<Problem>| {
        if let Some(known) = files.iter().find(|file| file.path == path) {
            return Some(known.text.clone());
        }
        match open(path) {
            Ok(text) => {
                files.push(Referenced { path: path.to_owned(), text: text.clone() });
                Some(text)
            }
            Err(reason) => {
                problems.push(Problem::of(place, format!("cannot read `{path}`")).label(reason));
                None
            }
        }
    };
    if let Some(path) = &scenario.topology.rtt_file {
        text_of(path, "topology.rtt-file", problems);
    }
    for (path, law) in scenario.laws_mut() {
        for empirical in law.empirical_mut() {
            if let Some(text) = text_of(&empirical.file, &path, problems) {
                fill(empirical, &text, &path, problems);
            }
        }
    }
    files
}

/// Takes the durations out of a CSV file of one column in milliseconds.
fn fill(empirical: &mut Empirical, text: &str, path: &str, problems: &mut Vec<Problem>) {
    for (number, line) in (1..).zip(text.lines()).skip(1).filter(|(_, line)| !line.trim().is_empty()) {
        match line.trim().parse::<f64>() {
            Ok(ms) if (0.0..=1e9).contains(&ms) => {
                empirical.durations.push(Duration::from_nanos_f64(ms * 1e6))
            }
            _ => {
                let message = format!(
                    "`{}`, line {number}: `{}` is not a number of milliseconds",
                    empirical.file,
                    line.trim()
                );
                problems.push(Problem::of(path, message));
                return;
            }
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Unreadable(path, reason) => {
                writeln!(f, "error: cannot read {}: {reason}", path.display())
            }
            LoadError::Wrong(diagnostics) => diagnostics
                .iter()
                .try_for_each(|diagnostic| writeln!(f, "{}", diagnostic.render(false).trim_end())),
        }
    }
}

impl std::error::Error for LoadError {}
