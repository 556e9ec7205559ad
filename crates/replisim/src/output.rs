//! Printing: to a pipe that may be closed, and in colour only where a person looks.

use std::io::{self, IsTerminal, Write};

use replisim_scenario::LoadError;

use crate::exit::Exit;

/// Prints to standard output. A reader that has gone away is no error.
pub(crate) fn print(text: &str) -> Result<(), Exit> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Exit::Done),
        Err(error) => {
            complain(&format!("cannot write to standard output: {error}"));
            Err(Exit::InputOutput)
        }
    }
}

/// Prints an error.
pub(crate) fn complain(message: &str) {
    note(&format!("error: {message}"));
}

/// Prints a line for people beside the output.
pub(crate) fn note(message: &str) {
    let _ = writeln!(io::stderr(), "{message}");
}

/// Prints what is wrong with a scenario.
pub(crate) fn complain_of_scenario(error: &LoadError) -> Exit {
    match error {
        LoadError::Unreadable(path, reason) => {
            complain(&format!("cannot read {}: {reason}", path.display()));
            let with_ending = path.with_extension("yaml");
            if with_ending != *path && with_ending.is_file() {
                note(&format!("help: did you mean {}?", with_ending.display()));
            } else if !path.exists() {
                note("help: `replisim new` writes a scenario to begin with");
            }
            Exit::InputOutput
        }
        LoadError::Wrong(diagnostics) => {
            let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            for diagnostic in diagnostics {
                note(diagnostic.render(colour).trim_end());
                note("");
            }
            Exit::WrongScenario
        }
    }
}
