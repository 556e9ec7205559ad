//! Exit codes.

use std::process::ExitCode;

/// How the command ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    /// Done, expectations met.
    Done,
    /// An expectation is not met.
    NotMet,
    /// Whether expectations are met cannot be said.
    Undecided,
    /// Wrong flags.
    Usage,
    /// Something is wrong in a scenario, its data, or an override.
    WrongScenario,
    /// Reading or writing failed.
    InputOutput,
    /// Ctrl-C.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::NotMet => 1,
            Exit::Undecided => 2,
            Exit::Usage => 64,
            Exit::WrongScenario => 65,
            Exit::InputOutput => 74,
            Exit::Interrupted => 130,
        })
    }
}
