//! What `cargo xtask bench` runs, in four parts:
//!
//! - [`engines`]: the engine beside other simulators and beside a bare loop around the standard library's heap.
//! - [`runs`]: whole runs of replication with every measure on, beside our own ping-pong.
//! - [`memory`]: peak memory, and what an event costs where much is simulated.
//! - [`command`]: the command from the shell to its files.
//!
//! Each prints a table, and a line `ratio: NAME VALUE` for each figure that the project sets itself as a goal. Rounds are
//! interleaved (everything once, then everything again), so that a machine that slows down slows all of them; a figure
//! is the median of its rounds. Names of parts or of rows as arguments ask for these alone. `--quick` does little of
//! everything once, to see that it runs.

mod asked;
mod command;
mod engines;
mod measure;
mod memory;
mod runs;
mod work;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if(|argument| argument == memory::ALONE).is_some() {
        memory::alone(&arguments.collect::<Vec<_>>());
        return ExitCode::SUCCESS;
    }
    let asked = match asked::Asked::new(arguments) {
        Ok(asked) => asked,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::FAILURE;
        }
    };
    engines::print(&asked);
    runs::print(&asked);
    memory::print(&asked);
    command::print(&asked);
    if let Some(name) = asked.unknown() {
        eprintln!("no part and no row is called {name}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
