//! `replisim new`: a commented scenario to begin with, out of the starters beside this file. Every starter loads, runs
//! and keeps its promise: the tests run each.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::{fs, io::ErrorKind};

use replisim_scenario::yaml::did_you_mean;
use replisim_scenario::{LoadError, Loaded};

use crate::args::NewArgs;
use crate::exit::Exit;
use crate::output::{complain, note, print};

/// A scenario to begin with.
struct Starter {
    name: &'static str,
    about: &'static str,
    text: &'static str,
    /// What a person is asked for.
    questions: &'static [Question],
}

/// What to ask for, and the setting in the text that the answer replaces: what stands before it, and the default.
struct Question {
    what: &'static str,
    before: &'static str,
    default: &'static str,
}

const WAIT: &str = "Whom a write waits for: async, semi-sync or sync";

const fn question(what: &'static str, before: &'static str, default: &'static str) -> Question {
    Question { what, before, default }
}

const STARTERS: &[Starter] = &[
    Starter {
        name: "two-regions",
        about: "a primary and replicas in two regions; the primary's region is lost and another takes over",
        text: include_str!("../starters/two-regions.yaml"),
        questions: &[
            question("Region of the primary, which is lost (AWS)", "", "eu-west-1"),
            question("Region that takes over (AWS)", "", "us-east-1"),
            question("Region of the fifth vote (AWS)", "", "us-east-2"),
            question(WAIT, "acknowledge: ", "async"),
            question("Replicas elect another primary when they have heard nothing for", "after: ", "2s"),
            question("Operations a second in each region", "poisson: ", "100/s"),
        ],
    },
    Starter {
        name: "one-region",
        about: "a primary and replicas in three zones; the machine of the primary is lost",
        text: include_str!("../starters/one-region.yaml"),
        questions: &[
            question(WAIT, "acknowledge: ", "semi-sync"),
            question("Replicas elect another primary when they have heard nothing for", "after: ", "2s"),
            question("Operations a second", "poisson: ", "200/s"),
            question("Share of reads", "reads: ", "80%"),
        ],
    },
    Starter {
        name: "interval",
        about: "a replica that is synchronised on an interval: what it costs in freshness",
        text: include_str!("../starters/interval.yaml"),
        questions: &[
            question("Changes are shipped every", "ship-every: ", "1s"),
            question("Round-trip time to the replica", "rtt: ", "80ms"),
            question("Writes a second, and as many reads", "poisson: ", "100/s"),
        ],
    },
    Starter {
        name: "quorum",
        about: "no primary: N copies, W acknowledge a write, R answer a read; one is cut off",
        text: include_str!("../starters/quorum.yaml"),
        questions: &[
            question("A read asks so many of the three copies (R)", "read: ", "1"),
            question("A write waits for so many of them (W)", "write: ", "1"),
            question("Operations a second", "poisson: ", "200/s"),
            question("Share of reads", "reads: ", "80%"),
        ],
    },
];

/// Writes a starter.
pub(crate) fn new(args: &NewArgs) -> Exit {
    let asks = io::stdin().is_terminal() && io::stderr().is_terminal();
    let mut person = Dialogue { lines: io::stdin().lock().lines(), out: io::stderr() };
    let from = match &args.from {
        Some(from) => Some(from.clone()),
        None if asks => person.starter(),
        None => None,
    };
    let Some(from) = from else {
        complain("say what to begin from: --from STARTER");
        note(&format!("\n{}", starters()));
        return Exit::Usage;
    };
    let mut text = match text_of(&from) {
        Ok(text) => text,
        Err(exit) => return exit,
    };
    if let Some(starter) = STARTERS.iter().find(|starter| asks && starter.name == from) {
        text = person.answers(starter);
    }
    if args.stdout {
        return print(&text).err().unwrap_or(Exit::Done);
    }
    let free = |path: &Path| {
        let taken = path.exists() && !args.force;
        if taken { Err(format!("{} exists; give another name", path.display())) } else { Ok(()) }
    };
    let path = match &args.name {
        Some(name) => Some(file(name)),
        None if asks => person.name(free),
        None => Some(file("my-scenario")),
    };
    let Some(path) = path else { return Exit::Interrupted };
    match write(&path, &text, args.force) {
        Ok(()) => {
            let path = path.display();
            note(&format!(
                "wrote {path}\n\n  replisim run {path}\n  replisim explain            # the sections of a scenario\n  replisim schema --help      # completion in your editor"
            ));
            Exit::Done
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            complain(&format!("{} exists; --force replaces it, or give another name", path.display()));
            Exit::InputOutput
        }
        Err(error) => {
            complain(&format!("cannot write {}: {error}", path.display()));
            Exit::InputOutput
        }
    }
}

/// The file of a scenario.
fn file(name: &str) -> PathBuf {
    PathBuf::from(if name.ends_with(".yaml") { name.to_owned() } else { format!("{name}.yaml") })
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

/// Questions and answers. A wrong answer is asked for again; the end of the input means the defaults.
struct Dialogue<L, W> {
    lines: L,
    out: W,
}

impl<L: Iterator<Item = io::Result<String>>, W: Write> Dialogue<L, W> {
    fn starter(&mut self) -> Option<String> {
        let _ = writeln!(self.out, "{}", starters());
        loop {
            let answer = self.ask("Begin from", "1")?;
            let by_number = answer.parse::<usize>().ok().and_then(|n| STARTERS.get(n.wrapping_sub(1)));
            let by_name = STARTERS.iter().find(|starter| starter.name == answer);
            if let Some(starter) = by_number.or(by_name) {
                return Some(starter.name.to_owned());
            }
            if Path::new(&answer).is_file() {
                return Some(answer);
            }
            self.say(&format!("neither a number of 1 to {}, a name of these, nor a file", STARTERS.len()));
        }
    }

    /// The text of a starter with the answers to its questions in it, each of which loads.
    fn answers(&mut self, starter: &Starter) -> String {
        let mut text = starter.text.to_owned();
        for Question { what, before, default } in starter.questions {
            while let Some(answer) = self.ask(what, default) {
                // A name that stands for two things could not be told apart afterwards.
                if before.is_empty() && answer != *default && text.contains(&answer) {
                    self.say(&format!("`{answer}` is in the scenario already; name another"));
                    continue;
                }
                let changed = text.replace(&format!("{before}{default}"), &format!("{before}{answer}"));
                match load(starter.name, &changed) {
                    Ok(()) => {
                        text = changed;
                        break;
                    }
                    Err(problem) => self.say(&problem),
                }
            }
        }
        text
    }

    fn name(&mut self, free: impl Fn(&Path) -> Result<(), String>) -> Option<PathBuf> {
        loop {
            let path = file(&self.ask("Name of the scenario", "my-scenario")?);
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir());
            match (folder, free(&path)) {
                (Some(folder), _) => self.say(&format!("there is no folder {}", folder.display())),
                (None, Err(problem)) => self.say(&problem),
                (None, Ok(())) => return Some(path),
            }
        }
    }

    /// Asks for a line; an empty one means the default, the end of the input nothing.
    fn ask(&mut self, what: &str, default: &str) -> Option<String> {
        let _ = write!(self.out, "{what} [{default}]: ");
        let _ = self.out.flush();
        let line = self.lines.next()?.ok()?;
        Some(if line.trim().is_empty() { default.to_owned() } else { line.trim().to_owned() })
    }

    fn say(&mut self, what: &str) {
        let _ = writeln!(self.out, "  {what}");
    }
}

/// Whether a text is a scenario; if not, what is wrong first.
fn load(name: &str, text: &str) -> Result<(), String> {
    let no_files = |_: &str| Err("no file is read here".to_owned());
    match Loaded::from_text(name, name, text.to_owned(), &[], no_files) {
        Ok(_) => Ok(()),
        Err(LoadError::Wrong(found)) => {
            let problem = found.into_iter().next().map(|found| found.problem);
            Err(problem.map_or(String::new(), |problem| {
                let more =
                    [problem.label, problem.help].into_iter().flatten().map(|more| format!("; {more}"));
                problem.message + &more.collect::<String>()
            }))
        }
        Err(error) => Err(error.to_string()),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn dialogue(lines: &str) -> Dialogue<impl Iterator<Item = io::Result<String>>, Vec<u8>> {
        let lines: Vec<_> = lines.lines().map(|line| Ok(line.to_owned())).collect();
        Dialogue { lines: lines.into_iter(), out: Vec::new() }
    }

    #[test]
    fn every_question_is_about_a_setting_of_its_starter() {
        for Starter { name, text, questions, .. } in STARTERS {
            for Question { what, before, default } in *questions {
                assert!(text.contains(&format!("{before}{default}")), "{name}: {what}");
            }
        }
        for starter in STARTERS {
            assert_eq!(
                dialogue("").answers(starter),
                starter.text,
                "{}: no answers, no changes",
                starter.name
            );
        }
    }

    #[test]
    fn answers_stand_in_the_scenario_and_a_wrong_one_is_asked_for_again() {
        let mut person = dialogue("eu-north-1\nmars\nap-south-1\n\nsemy-sync\nsync\n3\n3s\n");
        let text = person.answers(&STARTERS[0]);
        for part in
            ["primary: eu-north-1", "standby: ap-south-1", "acknowledge: sync", "after: 3s", "poisson: 100/s"]
        {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        let said = String::from_utf8(person.out).unwrap();
        for part in ["mars", "did you mean `semi-sync`?", "unit"] {
            assert!(said.contains(part), "{part} in\n{said}");
        }
    }

    #[test]
    fn a_starter_is_chosen_by_number_or_name_and_nothing_else_ends_the_question() {
        assert_eq!(dialogue("9\nfoo\nquorum\n").starter().as_deref(), Some("quorum"));
        assert_eq!(dialogue("\n").starter().as_deref(), Some("two-regions"));
        assert_eq!(dialogue("").starter(), None);
        let taken = |path: &Path| if path == Path::new("a.yaml") { Err("taken".to_owned()) } else { Ok(()) };
        assert_eq!(dialogue("no/folder\na\nb\n").name(taken), Some(PathBuf::from("b.yaml")));
    }
}
