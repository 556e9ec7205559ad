//! The command `replisim`: flags in, calls to the libraries, tables and files out, exit codes as in `docs/formats.md`.

mod args;
mod exit;
mod explain;
mod list;
mod new;
mod output;
mod run;
mod show;
mod table;
mod watch;

use std::process::ExitCode;

use args::Command;

fn main() -> ExitCode {
    let command = match args::parse() {
        Ok(command) => command,
        Err(code) => return code.into(),
    };
    let code = match command {
        Command::Run(args) => run::run(&args),
        Command::List(args) => list::list(&args),
        Command::Show(args) => show::show(&args),
        Command::Schema(args) => show::schema(&args),
        Command::Explain(args) => explain::explain(&args),
        Command::New(args) => new::new(&args),
    };
    code.into()
}
