//! `replisim new`: a commented scenario to begin with, out of the starters beside this file. Every starter loads, runs
//! and keeps its promise: the tests run each.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::{fs, io::ErrorKind};

use replisim_scenario::yaml::did_you_mean;

use crate::args::NewArgs;
use crate::exit::Exit;
use crate::output::{complain, note, print};

/// A scenario to begin with.
struct Starter {
    name: &'static str,
    about: &'static str,
    text: &'static str,
}

const STARTERS: &[Starter] = &[
    Starter {
        name: "two-regions",
        about: "a primary and replicas in two regions; the primary's region is lost and another takes over",
        text: include_str!("../starters/two-regions.yaml"),
    },
    Starter {
        name: "one-region",
        about: "a primary and replicas in three zones; the machine of the primary is lost",
        text: include_str!("../starters/one-region.yaml"),
    },
    Starter {
        name: "interval",
        about: "a replica that is synchronised on an interval: what it costs in freshness",
        text: include_str!("../starters/interval.yaml"),
    },
    Starter {
        name: "quorum",
        about: "no primary: N copies, W acknowledge a write, R answer a read; one is cut off",
        text: include_str!("../starters/quorum.yaml"),
    },
];

/// Writes a starter.
pub(crate) fn new(args: &NewArgs) -> Exit {
    let asks = io::stdin().is_terminal() && io::stderr().is_terminal();
    let from = match &args.from {
        Some(from) => Some(from.clone()),
        None if asks => ask_starter(),
        None => None,
    };
    let Some(from) = from else {
        complain("say what to begin from: --from STARTER");
        note(&format!("\n{}", starters()));
        return Exit::Usage;
    };
    let text = match text_of(&from) {
        Ok(text) => text,
        Err(exit) => return exit,
    };
    if args.stdout {
        return print(&text).err().unwrap_or(Exit::Done);
    }
    let name =
        args.name.clone().or_else(|| if asks { ask("Name of the scenario", "my-scenario") } else { None });
    let name = name.unwrap_or_else(|| "my-scenario".to_owned());
    let path = PathBuf::from(if name.ends_with(".yaml") { name } else { format!("{name}.yaml") });
    match write(&path, &text, args.force) {
        Ok(()) => {
            let path = path.display();
            note(&format!(
                "wrote {path}\n\n  replisim run {path}\n  replisim explain            # the sections of a scenario\n  replisim schema --help      # completion in your editor"
            ));
            Exit::Done
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            complain(&format!("{} exists; --force replaces it", path.display()));
            Exit::InputOutput
        }
        Err(error) => {
            complain(&format!("cannot write {}: {error}", path.display()));
            Exit::InputOutput
        }
    }
}

/// The text of a starter, or of a scenario file.
fn text_of(from: &str) -> Result<String, Exit> {
    if let Some(starter) = STARTERS.iter().find(|starter| starter.name == from) {
        return Ok(starter.text.to_owned());
    }
    if Path::new(from).extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
        return fs::read_to_string(from).map_err(|error| {
            complain(&format!("cannot read {from}: {error}"));
            Exit::InputOutput
        });
    }
    complain(&format!("there is no starter `{from}`"));
    if let Some(name) = did_you_mean(from, STARTERS.iter().map(|starter| starter.name)) {
        note(&format!("help: did you mean `{name}`?"));
    }
    note(&format!("\n{}", starters()));
    Err(Exit::Usage)
}

fn starters() -> String {
    let width = STARTERS.iter().map(|starter| starter.name.len()).max().unwrap_or(0);
    let line = |(i, starter): (usize, &Starter)| {
        format!("  {}  {:width$}  {}\n", i + 1, starter.name, starter.about)
    };
    let lines: String = STARTERS.iter().enumerate().map(line).collect();
    format!("Starters:\n{lines}or any scenario file: --from scenarios/quickstart.yaml")
}

fn ask_starter() -> Option<String> {
    note(&starters());
    let answer = ask("Begin from", "1")?;
    let by_number = answer.parse::<usize>().ok().and_then(|n| STARTERS.get(n.wrapping_sub(1)));
    Some(by_number.map_or(answer, |starter| starter.name.to_owned()))
}

/// Asks for a line; an empty one means the default, the end of the input nothing.
fn ask(what: &str, default: &str) -> Option<String> {
    let _ = write!(io::stderr(), "{what} [{default}]: ");
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) if line.trim().is_empty() => Some(default.to_owned()),
        Ok(_) => Some(line.trim().to_owned()),
    }
}

fn write(path: &Path, text: &str, force: bool) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).truncate(true);
    if force {
        options.create(true)
    } else {
        options.create_new(true)
    };
    options.open(path)?.write_all(text.as_bytes())
}
