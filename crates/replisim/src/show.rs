//! `replisim show` and `replisim schema`.

use replisim_scenario::Scenario;

use crate::args::{SchemaArgs, ShowArgs};
use crate::exit::Exit;
use crate::output::{complain, print};
use crate::run::load;

/// Prints a scenario with every default and override.
pub(crate) fn show(args: &ShowArgs) -> Exit {
    let (loaded, _) = match load(&args.scenario) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    match loaded.scenario.to_yaml() {
        Ok(yaml) => print(&yaml).err().unwrap_or(Exit::Done),
        Err(message) => {
            complain(&message);
            Exit::InputOutput
        }
    }
}

/// Prints the JSON Schema of the language, or writes it to a file.
pub(crate) fn schema(args: &SchemaArgs) -> Exit {
    let text = serde_json::to_string_pretty(&Scenario::json_schema()).unwrap_or_default();
    if let Some(path) = &args.out {
        return match std::fs::write(path, text + "\n") {
            Ok(()) => Exit::Done,
            Err(error) => {
                complain(&format!("cannot write {}: {error}", path.display()));
                Exit::InputOutput
            }
        };
    }
    print(&format!("{text}\n")).err().unwrap_or(Exit::Done)
}
