//! Flags.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::exit::Exit;

#[derive(Parser, Debug)]
#[command(
    name = "replisim",
    version,
    about = "What your replication settings will do before production does.",
    long_about = "Simulates database replication: nodes, networks, clients and faults, from one YAML file and one seed.\n\
                  The same scenario, seed and version give the same numbers on every machine.",
    after_help = "Examples:\n  \
        replisim run scenarios/quickstart.yaml\n  \
        replisim run scenarios/quickstart.yaml --set protocol.primary-backup.ship-every=1s\n  \
        replisim run scenarios/quickstart.yaml --seeds 30\n  \
        replisim new                        a scenario of your own\n  \
        replisim explain workload.arrivals  what a field means\n  \
        replisim list measures\n\n\
        Exit codes: 0 done and expectations met, 1 not met, 2 undecided, 64 wrong flags, 65 wrong scenario, 74 input or \
        output failed, 130 interrupted."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Run a scenario: print what came out and write `results/<name>/`.
    Run(RunArgs),
    /// List scenarios, protocols, presets, measures, laws or faults.
    List(ListArgs),
    /// Print a scenario with every default and override filled in.
    Show(ShowArgs),
    /// Write a commented scenario to begin with.
    #[command(after_help = "Examples:\n  replisim new                                   asks\n  \
        replisim new shop --from two-regions           writes shop.yaml\n  \
        replisim new mine --from scenarios/quickstart.yaml")]
    New(NewArgs),
    /// Explain a field, a fault, a law, a protocol, a measure or a map, with an example.
    #[command(
        after_help = "Examples:\n  replisim explain                        the sections of a scenario\n  \
        replisim explain workload.arrivals\n  replisim explain ship-every\n  replisim explain partition\n  \
        replisim explain lognormal\n  replisim explain lag\n  \
        replisim explain expect                 how expectations are written and judged"
    )]
    Explain(ExplainArgs),
    /// Print the JSON Schema of the scenario language: completion and help in your editor.
    #[command(after_help = SCHEMA_HELP)]
    Schema(SchemaArgs),
}

const SCHEMA_HELP: &str = "\
Write it once:
  replisim schema --out replisim.schema.json

Then, in a scenario, for any editor that uses yaml-language-server:
  # yaml-language-server: $schema=./replisim.schema.json

VS Code (extension \"YAML\" by Red Hat), in .vscode/settings.json for all scenarios of a folder:
  \"yaml.schemas\": { \"./replisim.schema.json\": \"scenarios/**/*.yaml\" }

Helix, in .helix/languages.toml:
  [language-server.yaml-language-server.config.yaml.schemas]
  \"./replisim.schema.json\" = \"scenarios/**/*.yaml\"";

#[derive(Args, Debug)]
pub(crate) struct NewArgs {
    /// What to call it: writes `<NAME>.yaml`.
    pub(crate) name: Option<String>,

    /// What to begin from: a starter (two-regions, one-region, interval, quorum), or a scenario file.
    #[arg(long, value_name = "STARTER")]
    pub(crate) from: Option<String>,

    /// Replace the file if it exists.
    #[arg(long)]
    pub(crate) force: bool,

    /// Print it instead of writing a file.
    #[arg(long, conflicts_with_all = ["name", "force"])]
    pub(crate) stdout: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// A path (`workload.arrivals`) or a name (`ship-every`, `partition`, `lag`); nothing for the sections of a scenario.
    pub(crate) word: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct SchemaArgs {
    /// Write it to this file instead of printing it.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct ScenarioArgs {
    /// The scenario file; or a manifest.json (or its folder) to replay a run.
    pub(crate) scenario: PathBuf,

    /// Change a setting: a dotted path and a YAML value. List items by name or index. May be given several times.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub(crate) overrides: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) scenario: ScenarioArgs,

    /// Run with this seed instead of the scenario's.
    #[arg(long)]
    pub(crate) seed: Option<u64>,

    /// Run N consecutive seeds; values then come with a 95 % interval over seeds.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) seeds: Option<u32>,

    /// Where the files go (default: `results/<name>`). Only an empty folder or one of ours is replaced.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,

    /// How many seeds run at a time [default: all cores]. Results do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,

    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,

    /// Print every measure, not the dozen that matters here.
    #[arg(long)]
    pub(crate) all: bool,

    /// Print nothing but errors.
    #[arg(long, short)]
    pub(crate) quiet: bool,

    /// Write no charts.
    #[arg(long, conflicts_with = "png")]
    pub(crate) no_charts: bool,

    /// Write charts as PNG as well as SVG.
    #[arg(long)]
    pub(crate) png: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    pub(crate) scenario: ScenarioArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// What to list.
    #[arg(value_enum, default_value_t = Topic::Scenarios)]
    pub(crate) topic: Topic,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    /// A table for people.
    Table,
    /// The content of summary.json.
    Json,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Topic {
    /// The scenarios in the folder `scenarios`.
    Scenarios,
    /// Replication protocols.
    Protocols,
    /// Built-in maps.
    Presets,
    /// What is measured.
    Measures,
    /// Laws of random durations.
    Laws,
    /// What can go wrong.
    Faults,
    /// What clients do: when, to which keys, and how they write.
    Workloads,
}

/// Reads the command line. Help and version are printed here, and so is what is wrong.
pub(crate) fn parse() -> Result<Command, Exit> {
    Cli::try_parse().map(|cli| cli.command).map_err(|error| {
        let exit = match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
            _ => Exit::Usage,
        };
        let _ = error.print(); // nobody is left to tell if this fails
        exit
    })
}
